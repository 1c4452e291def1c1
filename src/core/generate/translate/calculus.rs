//! Exact computing in templates: the functions that replace operators, and exact versions of the template engine's filters and
//! tests, which know integers and floats only.
//!
//! | filter | does |
//! | --- | --- |
//! | `decimal` | a text as the number that it holds |
//! | `divide(by, 2)` | a quotient with so many digits behind the point, rounded half away from zero |
//! | `abs`, `round(2)`, `int`, `sum`, `min`, `max`, `sort`, `unique` | what they do for integers, exact for decimals |
//! | `float` | a float, for whoever wants one |
//!
//! NULL is no number: each of them refuses it, except `decimal`, which passes it on, and `int` and `float` with a default.

use super::budget::look;
use super::exact::{
    COMPARISONS, Comparison, MISFIT, NULL_ADVICE, Number, OPERATORS, Operator, Rounding, compare, compute, contains,
};
use super::rewrite::{COMPARE, COMPUTE, CONTAINS, DECIMAL};
use minijinja::value::{Kwargs, Object, ObjectRepr, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, filters};
use std::fmt;
use std::sync::Arc;

/// A number's text in a format. `pad` treats it as a number, everything else as a text.
#[derive(Debug)]
pub(super) struct Formatted(pub(super) String);

impl Object for Formatted {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Whether a value is a number, or a number's text in a format. A text that looks like a number is not one: `+49170`.
pub(super) fn is_number(value: &Value) -> bool {
    value.kind() == ValueKind::Number
        || value.downcast_object_ref::<Number>().is_some()
        || value.downcast_object_ref::<Formatted>().is_some()
}

/// Makes an environment's computing exact.
pub(super) fn install(environment: &mut Environment<'_>) {
    environment.add_function(COMPUTE, |sign: &str, left: Value, right: Value| {
        let operator =
            OPERATORS.iter().find(|(known, _)| *known == sign).map_or(Operator::Add, |(_, operator)| *operator);
        compute(sign, operator, &plain(left), &plain(right))
    });
    environment.add_function(COMPARE, |sign: &str, left: Value, right: Value| {
        let comparison =
            COMPARISONS.iter().find(|(known, _)| *known == sign).map_or(Comparison::Eq, |(_, known)| *known);
        compare(sign, comparison, &plain(left), &plain(right))
    });
    environment.add_function(CONTAINS, |container: Value, item: Value| contains(&plain(container), &plain(item)));
    environment.add_function(DECIMAL, |text: &str| {
        Number::parse(text)
            .map(|number| number.to_value(false))
            .ok_or_else(|| refuse(format!("{text} has more than 38 digits")))
    });
    environment.add_filter("decimal", decimal);
    environment.add_filter("divide", divide);
    environment.add_filter("abs", |value: Value| {
        number_of("abs", &value)?
            .magnitude()
            .map_or_else(|| Err(too_large("abs", &value)), |number| Ok(number.to_value(value.is_integer())))
    });
    environment.add_filter("round", round);
    environment.add_filter("int", int);
    environment.add_filter("float", float);
    environment.add_filter("sum", sum);
    environment
        .add_filter("min", |state: &State, value: Value, options: Kwargs| filters::min(state, alike(value)?, options));
    environment
        .add_filter("max", |state: &State, value: Value, options: Kwargs| filters::max(state, alike(value)?, options));
    environment.add_filter("sort", |state: &State, value: Value, options: Kwargs| {
        filters::sort(state, alike(value)?, options)
    });
    environment.add_filter("unique", |state: &State, value: Value, options: Kwargs| {
        filters::unique(state, alike(value)?, options)
    });
    install_tests(environment);
}

fn install_tests(environment: &mut Environment<'_>) {
    let names: [(&str, &[&'static str]); 6] = [
        ("==", &["eq", "equalto", "=="]),
        ("!=", &["ne", "!="]),
        ("<", &["lt", "lessthan", "<"]),
        ("<=", &["le", "<="]),
        (">", &["gt", "greaterthan", ">"]),
        (">=", &["ge", ">="]),
    ];
    for ((sign, comparison), (_, names)) in COMPARISONS.into_iter().zip(names) {
        for name in names {
            let test = move |left: Value, right: Value| compare(sign, comparison, &plain(left), &plain(right));
            environment.add_test(*name, test);
        }
    }
    environment.add_test("in", |item: Value, container: Value| contains(&plain(container), &plain(item)));
    environment.add_test("number", |value: Value| is_number(&value));
    environment.add_test("even", |value: Value| is_multiple(&value, &Value::from(2)));
    // A number with a fraction is neither.
    environment.add_test("odd", |value: Value| rest_is(&value, &Value::from(2), 1));
    environment.add_test("divisibleby", |value: Value, by: Value| is_multiple(&value, &by));
}

#[cold]
fn refuse(why: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, why)
}

#[cold]
fn of_null(what: &str) -> Error {
    refuse(format!("NULL and `{what}` {MISFIT}{NULL_ADVICE}"))
}

#[cold]
fn too_large(what: &str, value: &Value) -> Error {
    refuse(format!("{what} of {value} has more than 38 digits"))
}

fn number_of(what: &str, value: &Value) -> Result<Number, Error> {
    if value.is_none() {
        return Err(of_null(what));
    }
    Number::of(value).ok_or_else(|| {
        let kind = if value.as_str().is_some() { "a text" } else { "no number" };
        let shown = super::shown(&value.to_string());
        refuse(format!("{shown} and `{what}` {MISFIT}: it is {kind}; `| decimal` makes a text a number"))
    })
}

/// Comparisons treat a number in a format as a text.
fn plain(value: Value) -> Value {
    match value.downcast_object_ref::<Formatted>() {
        Some(formatted) => Value::from(formatted.0.as_str()),
        None => value,
    }
}

/// A list whose numbers are all of one kind, so that the engine compares them exactly.
fn alike(value: Value) -> Result<Value, Error> {
    if !matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
        return Ok(value);
    }
    look(&value)?;
    let exact = |item: Value| Number::of(&item).map_or(item, |number| number.to_value(false));
    let items: Vec<Value> = value.try_iter()?.map(exact).collect();
    let numbers = items.iter().filter(|item| Number::of(item).is_some()).count();
    if numbers > 0 && numbers < items.len() {
        return Err(refuse(format!("a list of numbers and others {MISFIT}: they have no order")));
    }
    Ok(Value::from(items))
}

fn decimal(value: Value) -> Result<Value, Error> {
    if value.is_none() || Number::of(&value).is_some() {
        return Ok(value);
    }
    look(&value)?;
    let text = value.to_string();
    let number = Number::parse(text.trim()).map(|number| number.to_value(false));
    number.ok_or_else(|| refuse(format!("{} is no plain number", super::shown(&text))))
}

#[expect(clippy::needless_pass_by_value, reason = "minijinja calls filters with owned values")]
fn divide(value: Value, by: Value, places: u32) -> Result<Value, Error> {
    let (above, below) = (number_of("divide", &value)?, number_of("divide", &by)?);
    let (quotient, _) = above
        .divided_to(below, places)
        .ok_or_else(|| refuse(format!("{value} divided by {by} has no value with {places} digits behind the point")))?;
    Ok(quotient.to_value(false))
}

#[expect(clippy::needless_pass_by_value, reason = "minijinja calls filters with owned values")]
fn round(value: Value, places: Option<u32>, method: Option<&str>, options: Kwargs) -> Result<Value, Error> {
    let places = places.map_or_else(|| options.get::<Option<u32>>("precision"), |places| Ok(Some(places)))?;
    let method = method.map_or_else(|| options.get::<Option<&str>>("method"), |method| Ok(Some(method)))?;
    options.assert_all_used()?;
    let method = match method {
        None | Some("common") => Rounding::HalfAway,
        Some("ceil") => Rounding::Ceil,
        Some("floor") => Rounding::Floor,
        Some(other) => return Err(refuse(format!("method is `common`, `ceil` or `floor`, not `{other}`"))),
    };
    let rounded = number_of("round", &value)?.rounded(places.unwrap_or(0), method);
    rounded.map(|number| number.to_value(value.is_integer())).ok_or_else(|| too_large("round", &value))
}

fn int(
    state: &State,
    value: Value,
    default: Option<Value>,
    base: Option<u32>,
    options: Kwargs,
) -> Result<Value, Error> {
    if value.is_none() {
        return in_place_of_null("int", default, &options);
    }
    let own = value.as_str().and_then(|text| Number::parse(text.trim())).filter(|_| base.is_none());
    match Number::of(&value).or(own) {
        Some(number) => Ok(number.truncated().to_value(true)),
        None => filters::int(state, &plain(value), default, base, options),
    }
}

/// What a filter gives for NULL: its own default, which has to be told.
fn in_place_of_null(what: &str, default: Option<Value>, options: &Kwargs) -> Result<Value, Error> {
    let default = default.map_or_else(|| options.get::<Option<Value>>("default"), |default| Ok(Some(default)))?;
    default.filter(|default| !default.is_none()).ok_or_else(|| of_null(what))
}

fn float(state: &State, value: Value, default: Option<Value>, options: Kwargs) -> Result<Value, Error> {
    if value.is_none() {
        return in_place_of_null("float", default, &options);
    }
    match value.downcast_object_ref::<Number>() {
        Some(number) => filters::float(state, &Value::from(number.to_string()), default, options),
        None => filters::float(state, &plain(value), default, options),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "minijinja calls filters with owned values")]
fn sum(values: Value) -> Result<Value, Error> {
    look(&values)?;
    let mut total = Value::from(0);
    for value in values.try_iter()? {
        total = compute("+", Operator::Add, &total, &value)?;
    }
    Ok(total)
}

fn is_multiple(value: &Value, by: &Value) -> Result<bool, Error> {
    rest_is(value, by, 0)
}

fn rest_is(value: &Value, by: &Value, wanted: i64) -> Result<bool, Error> {
    let rest = compute("%", Operator::Rem, value, by)?;
    compare("==", Comparison::Eq, &rest, &Value::from(wanted))
}
