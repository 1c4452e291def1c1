//! What one record's template may cost beside its steps: the bytes of the texts and lists that it makes, and of those that are looked
//! through for it. Counted and never given back, so that it bounds both memory and time, and the same record always costs the same.

use minijinja::value::{Rest, Value, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, State, filters, tests as engine_tests};
use std::cell::Cell;

/// Bytes for one record: twice the longest value that a source may deliver.
const BYTES_MAX: usize = 128 << 20;

/// What an item of a list counts as: its value, without the text in it, which others have paid for.
const ITEM_BYTES: usize = 32;

/// What any call counts as.
const CALL_BYTES: usize = 64;

thread_local! {
    /// What this thread's record has cost so far.
    static SPENT: Cell<usize> = const { Cell::new(0) };
}

/// How the error begins of a record that has spent its budget.
pub(super) const SPENT_UP: &str = "a record's template makes no more than";

/// A new record begins.
pub(super) fn begin() {
    SPENT.set(0);
}

/// Takes bytes from the record's budget.
///
/// # Errors
/// When it has no more.
pub(super) fn spend(bytes: usize) -> Result<(), Error> {
    let spent = SPENT.get().saturating_add(bytes);
    if spent > BYTES_MAX {
        let limit = BYTES_MAX >> 20;
        return Err(refuse(format!("{SPENT_UP} {limit} MiB of texts and lists")));
    }
    SPENT.set(spent);
    Ok(())
}

#[cold]
fn refuse(why: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, why)
}

/// Takes what looking through a value costs.
pub(super) fn look(value: &Value) -> Result<(), Error> {
    spend(CALL_BYTES.saturating_add(match value.kind() {
        ValueKind::String => value.as_str().map_or(0, str::len),
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => value.len().unwrap_or(0).saturating_mul(ITEM_BYTES),
        _ => 0,
    }))
}

/// What a name of a `namespace` keeps for later turns of a loop: a value, or a list of values. A list in a list, turn by turn, would
/// grow deeper than any stack.
fn kept(value: Value) -> Result<Value, Error> {
    look(&value)?;
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => {
            let mut items = Vec::new();
            for item in value.try_iter()? {
                spend(ITEM_BYTES)?;
                is_plain(&item)?;
                items.push(item);
            }
            Ok(Value::from(items))
        }
        ValueKind::Map => Err(refuse("a name of a namespace holds a value or a list of values, no object".to_owned())),
        _ => Ok(value),
    }
}

fn is_plain(item: &Value) -> Result<(), Error> {
    match item.kind() {
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => {
            Err(refuse("a name of a namespace holds a value or a list of values, no list of lists".to_owned()))
        }
        _ => Ok(()),
    }
}

/// Keeps a value for later: `__kept(value)`.
pub(super) const KEPT: &str = "__kept";

/// Puts the engine's filters that make or look through lists behind ones that take from the budget. Those on texts are in `texts`.
pub(super) fn install(environment: &mut Environment<'_>) {
    environment.add_function(KEPT, kept);
    environment.add_test("lower", |value: Value| look(&value).map(|()| engine_tests::is_lower(&value)));
    environment.add_test("upper", |value: Value| look(&value).map(|()| engine_tests::is_upper(&value)));
    /// Puts a filter of the engine behind one of the same name.
    macro_rules! filters_of {
        ($($name:literal: $filter:path),+ $(,)?) => {$(
            let engine = Value::from_function($filter);
            environment.add_filter($name, move |state: &mut State, value: Value, rest: Rest<ValueOrKwargs>| {
                counted(state, $name, &engine, value, rest)
            });
        )+};
    }
    filters_of!("list": filters::list, "batch": filters::batch, "slice": filters::slice, "map": filters::map,
        "select": filters::select, "reject": filters::reject, "selectattr": filters::selectattr,
        "rejectattr": filters::rejectattr, "dictsort": filters::dictsort, "items": filters::items,
        "groupby": filters::groupby, "chain": filters::chain, "zip": filters::zip, "pprint": filters::pprint,
        "first": filters::first, "last": filters::last, "bool": filters::bool, "attr": filters::attr);
}

fn counted(
    state: &mut State,
    name: &str,
    engine: &Value,
    value: Value,
    rest: Rest<ValueOrKwargs>,
) -> Result<Value, Error> {
    look(&value)?;
    let mut all = vec![value];
    for argument in rest.into_values() {
        look(&argument)?;
        if matches!(name, "batch" | "slice")
            && let Ok(count) = usize::try_from(argument.clone())
        {
            // As many items are made, if need be by filling up.
            spend(count.saturating_mul(ITEM_BYTES))?;
        }
        all.push(argument);
    }
    let made = engine.call(state, &all)?;
    look(&made)?;
    Ok(made)
}

#[cfg(test)]
mod tests {
    use crate::core::generate::spec::DecimalSign;
    use crate::core::generate::translate::record_template::RecordTemplate;
    use minijinja::context;

    /// Renders with a text of 1 MiB; says why that does not work.
    fn refused(source: &str) -> String {
        let template = RecordTemplate::new("record", source, DecimalSign::Point)
            .unwrap_or_else(|error| panic!("{source}: {}", error.reason));
        let context = context! { big => "x".repeat(1 << 20), n => 1 };
        match template.render(context) {
            Ok(record) => panic!("{source} makes a record of {} bytes", record.len()),
            Err(error) => template.error(&error).reason,
        }
    }

    #[test]
    fn no_template_makes_more_than_its_budget() {
        let over = |turns: u64, body: &str| {
            format!("{{% set ns = namespace(s='x', l=[]) %}}{{% for i in range({turns}) %}}{body}{{% endfor %}}")
        };
        for source in [
            over(60, "{% set ns.s = ns.s + ns.s %}"),
            over(60, "{% set ns.s = ns.s ~ ns.s %}"),
            over(60, "{% set ns.s = [ns.s, ns.s] | join %}"),
            over(60, "{% set ns.s = ns.s | replace('x', 'x' * 1000) %}"),
            over(60, "{% set ns.s %}{{ ns.s }}{{ ns.s }}{% endset %}"),
            over(90_000, "{% set ns.s = big | upper %}"),
            over(90_000, "{% set ns.s = big[::-1] %}"),
            over(90_000, "{% set ns.s = big | replace('y', '') %}"),
            over(90_000, "{% set ns.s = 'y' in big %}"),
            over(90_000, "{% set ns.s = big is lower %}"),
            over(90_000, "{% set ns.s = big < big %}"),
            over(90_000, "{% set ns.s = '%s' | format(big) %}"),
            over(90_000, "{% set ns.s = range(100000) | list | length %}"),
            over(90_000, "{% set ns.s = range(100000) | sum %}"),
            over(90_000, "{% set ns.s = range(100000) | map('string') | length %}"),
            over(90_000, "{% set ns.s = range(100000) | select('odd') | length %}"),
            over(90_000, "{% set ns.s = range(100000) | batch(2) | length %}"),
            over(90_000, "{% set ns.s = 7 in range(100000) %}"),
            over(90_000, "{{ big }}"),
            "{{ range(1) | batch(1000000000000, 0) | length }}".to_owned(),
            "{{ range(1) | slice(1000000000000, 0) | length }}".to_owned(),
            "{{ ('x' * 1000000) | indent(100000000000) }}".to_owned(),
            "{% macro m(t) %}{{ t }}{{ m(t ~ t) }}{% endmacro %}{{ m('x') }}".to_owned(),
        ] {
            let reason = refused(&source);
            let known = ["MiB of texts and lists", "steps for one record", "longer than a template", "recursion"];
            assert!(known.iter().any(|words| reason.contains(words)), "{source}: {reason}");
        }
    }

    #[test]
    fn no_list_grows_deeper_turn_by_turn() {
        for grown in ["[ns.l]", "(ns.l,)", "{'a': ns.l}", "ns.l | list | batch(9)", "dict(a=ns.l)", "namespace(a=ns.l)"]
        {
            let source = format!(
                "{{% set ns = namespace(l=[1]) %}}{{% for i in range(100000) %}}{{% set ns.l = {grown} %}}{{% endfor %}}"
            );
            let reason = refused(&source);
            assert!(reason.contains("a name of a namespace holds"), "{grown}: {reason}");
        }
        let chained =
            "{% set ns = namespace(l=[1]) %}{% for i in range(100000) %}{% set ns.l = ns.l | chain([i]) %}{% endfor %}";
        assert!(refused(chained).contains("MiB of texts and lists"));
        // No other way leads from one turn to the next.
        let depth = "{% macro m(l) %}{{ m([l]) }}{% endmacro %}{{ m([]) }}";
        assert!(refused(depth).contains("recursion"), "{}", refused(depth));
    }

    #[test]
    fn what_templates_do_with_lists_stays() {
        let source = "{% set ns = namespace(seen=[], n=0) %}\
            {% for part in 'b,a,b' | split(',') %}{% set ns.n = ns.n + 1 %}{% set ns.seen = [part, ns.n] %}{% endfor %}\
            {{ ns.seen | join(':') }}|{{ [3, 1] | sort | list | first }}|{{ [1, 2, 3] | batch(2) | map('join', '+') | join(';') }}";
        let record = RecordTemplate::new("record", source, DecimalSign::Point).unwrap().render(context! {}).unwrap();
        assert_eq!(record, "b:3|1|1+2;3");
    }

    #[test]
    fn nothing_shows_what_the_engine_holds() {
        let template = RecordTemplate::new("record", "{{ debug() }}", DecimalSign::Point).unwrap();
        assert!(template.render(context! {}).is_err());
        assert!(template.variables(false).contains("debug"), "so that a file is refused that has no such column");
    }
}
