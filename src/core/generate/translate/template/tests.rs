//! Records by template.

use crate::core::generate::spec::{FileSpec, TemplateSpec, TranslatorSpec};
use crate::core::generate::translate::fixtures::*;
use crate::core::generate::translate::{FileTranslator, Registry};
use crate::core::model::column::Kind;

fn spec(record: &str, columns: &[&str]) -> FileSpec {
    let columns = columns.iter().map(|name| (*name).to_owned()).collect();
    file(TranslatorSpec::Template(TemplateSpec { record: record.to_owned(), columns, zone: None }))
}

#[test]
fn every_kind_prints_its_default_text() {
    let given = every_kind();
    let names: Vec<&str> = given.iter().map(|(name, ..)| *name).collect();
    let record = names.iter().map(|name| format!("{{{{ {name} }}}}")).collect::<Vec<_>>().join("|");
    assert_eq!(
        text(&spec(&record, &names), &given).as_deref(),
        Ok(concat!(
            "true|-42|0.1|-12.50|3.140|Ann|0b0e4a2e-7c1c-4e0e-9a3b-0a1b2c3d4e5f|{\"a\": 1.10}|00ff|2026-11-21|10:30:00|",
            "2026-11-21T10:30:00.123|2026-11-21T10:30:00Z|2026-11-21T10:30:00.1234567+01:00\n"
        ))
    );
}

#[test]
fn numbers_are_exact_and_null_is_nothing() {
    let given = [
        decimals("d", 38, 20, &[Some(10_i128.pow(37) + 1), None]),
        decimals("whole", 38, 0, &[Some(10_i128.pow(37) + 1), None]),
        floats("f", &[Some(1e21), None]),
    ];
    assert_eq!(
        text(&spec("{{ d }} {{ whole }} {{ f }}{% if d is none %}-{% endif %}", &["d", "whole", "f"]), &given)
            .as_deref(),
        Ok(
            "100000000000000000.00000000000000000001 10000000000000000000000000000000000001 1000000000000000000000.0\n  -\n"
        )
    );
}

#[test]
fn values_can_be_computed_with_and_formatted() {
    let given = [ints("n", &[Some(40)]), decimals("d", 9, 3, &[Some(1_234_565)]), dates("day", &[Some(20_778)])];
    let record =
        "{{ n + 2 }};{{ d | number('0.00') | pad(9, '0') }};{{ day | strftime('%d%m%y') }};{{ 'x' if n > 39 }}";
    assert_eq!(text(&spec(record, &["n", "d", "day"]), &given).as_deref(), Ok("42;001234.57;211126;x\n"));
}

/// One row with a decimal, its twin, an integer beyond a float's digits, a float, a date and a text.
fn numbers() -> [Given; 6] {
    [
        decimals("a", 10, 2, &[Some(-225)]),
        decimals("b", 38, 3, &[Some(10_i128.pow(30) + 5)]),
        ints("n", &[Some(9_007_199_254_740_993)]),
        floats("f", &[Some(0.1)]),
        dates("day", &[Some(20_778)]),
        texts("t", Kind::Text, &[Some("+49170")]),
    ]
}

#[test]
fn decimals_and_integers_are_computed_with_exactly() {
    for (record, made) in [
        ("{% if a < 0 %}D{% else %}C{% endif %}|{{ a * 2 }}|{{ -a }}|{{ a + 1 }}", "D|-4.50|2.25|-1.25"),
        ("{{ a > 1000 }} {{ a == -2.25 }} {{ a in [1, -2.250] }} {{ -3 < a <= -2 }}", "false true true true"),
        ("{{ b + 1 }}", "1000000000000000000000000001.005"),
        ("{{ n + 1 }} {{ n * n }} {{ n / 3 }}", "9007199254740994 81129638414606699710187514626049 3002399751580331"),
        ("{{ f + 0.2 }} {{ f * 3 == 0.3 }} {{ a * f }}", "0.3 true -0.225"),
        ("{{ a / 100 }} {{ a // 2 }} {{ a % 2 }} {{ a ** 2 }}", "-0.0225 -2 1.75 5.0625"),
        ("{{ a | divide(3, 4) }} {{ 2 | divide(3, 2) }}", "-0.7500 0.67"),
        (
            "{{ a | abs | number('0.0') }} {{ a | round(1) }} {{ a | round(1, 'ceil') }} {{ a | int }}",
            "2.3 -2.3 -2.2 -2",
        ),
        ("{{ [a, 1, 0.5] | sum }} {{ [a, 1] | min }} {{ [a, -3] | sort | join(' ') }}", "-0.75 -2.25 -3 -2.25"),
        ("{{ a | string | replace('.', ',') }}{{ '%05d' | format(a | replace('.', '') | int) }}", "-2,25-0225"),
        (
            "{{ 'neg' if a is lt(0) else 'pos' }} {{ a is number }} {{ n is odd }} {{ 4 is divisibleby(2) }}",
            "neg true true true",
        ),
        ("{{ a | float < 0 }} {% if a %}x{% endif %}{{ 'D' if a < 0 and not n < 0 else 'C' }}", "true xD"),
    ] {
        let text = text(&spec(record, &["a", "b", "n", "f"]), &numbers());
        assert_eq!(text, Ok(format!("{made}\n")), "{record}");
    }
}

#[test]
fn dates_and_texts_compare_as_they_follow_each_other() {
    let record = "{{ day >= '2026-11-21' and day < '2026-12-01' }} {{ t == '+49170' }} {{ t | pad(8, '0') }} {{ '-' * 3 }}{{ 'é' + t }}";
    let made = text(&spec(record, &["day", "t"]), &numbers());
    assert_eq!(made.as_deref(), Ok("true true 00+49170 ---é+49170\n"));
    let signed = text(&spec("{{ a | pad(8, '0') }} {{ a | number('+0.0') | pad(6, '0') }}", &["a"]), &numbers());
    assert_eq!(signed.as_deref(), Ok("-0002.25 -002.3\n"));
}

#[test]
fn null_is_neither_less_nor_more() {
    let given = [decimals("a", 10, 2, &[None])];
    let record = "{% if a < 0 %}D{% elif a >= 0 %}C{% elif a is none %}N{% endif %}{{ a == none }}";
    assert_eq!(text(&spec(record, &["a"]), &given).as_deref(), Ok("Ntrue\n"));
}

#[test]
fn what_does_not_go_together_is_refused_before_the_first_row() {
    for (record, what) in [
        ("{{ t < 5 }}", "`| decimal`"),
        ("{{ a == '-2.25' }}", "without quotes"),
        ("{{ t * 1.5 }}", "`| decimal`"),
        ("{{ day + 1 }}", "does not go together"),
        ("{{ t | abs }}", "a text"),
    ] {
        let refused = refusal(&spec(record, &["a", "t", "day"]), &numbers());
        assert!(refused.row.is_none() && refused.reason.contains(what), "{record}: {refused}");
    }
    for (record, what) in
        [("{{ a / 7 }}", "divide(b, 2)"), ("{{ a / (n - n) }}", "by zero"), ("{{ b * b }}", "38 digits")]
    {
        let refused = refusal(&spec(record, &["a", "b", "n"]), &numbers());
        assert!(refused.row == Some(0) && refused.reason.contains(what), "{record}: {refused}");
    }
    let refused = refusal(&spec("{% include 'x' %}", &["a"]), &numbers());
    assert!(refused.row.is_none() && refused.reason.contains("stands alone"), "{refused}");
}

#[test]
fn only_columns_that_are_used_are_read() {
    let columns =
        |record| FileTranslator::new(&spec(record, &["a", "b c", "d"]), &Registry::default()).unwrap().columns();
    assert_eq!(columns("{{ d }}{% for a in [1] %}{{ a }}{% endfor %}"), ["d"]);
    assert_eq!(columns("{{ row['b c'] }}"), ["a", "b c", "d"]);
    let given = [ints("a", &[Some(1)]), texts("b c", Kind::Text, &[Some("x")]), ints("d", &[None])];
    assert_eq!(text(&spec("{{ row['b c'] }}{{ a }}", &["a", "b c", "d"]), &given).as_deref(), Ok("x1\n"));
}

#[test]
fn mistakes_are_refused_without_rows() {
    for (record, what) in [
        ("{{ LoanID }}", "did you mean `LoanId`?"),
        ("{{ xyz }}", "it has LoanId"),
        ("{{ LoanId | uper }}", "uper"),
        ("{{ LoanId is oddly }}", "oddly"),
        ("{{ LoanId", "syntax error"),
    ] {
        let refused = refusal(&spec(record, &["LoanId"]), &[ints("LoanId", &[Some(1)])]);
        assert!(refused.row.is_none() && refused.reason.contains(what), "{record}: {refused}");
    }
}

#[test]
fn a_failing_row_is_named() {
    let given = [texts("t", Kind::Text, &[Some("2026-11-21"), Some("never")])];
    let refused = refusal(&spec("{{ t | strftime('%Y') }}", &["t"]), &given);
    assert!(refused.row == Some(1) && refused.reason.contains("\"never\""), "{refused}");
    let refused = refusal(&spec("{{ row['tt'] }}", &["t"]), &given);
    assert!(refused.row == Some(0) && refused.reason.contains("undefined"), "{refused}");
}

#[test]
fn a_line_break_in_a_value_never_makes_a_line() {
    let given = [texts("t", Kind::Text, &[Some("a\nb")])];
    for record in ["{{ t }}", "A\n{{ t }}"] {
        let refused = refusal(&spec(record, &["t"]), &given);
        assert!(refused.row == Some(0) && refused.reason.contains("line break"), "{refused}");
    }
    assert_eq!(text(&spec("{{ t | replace('\\n', ' ') }}", &["t"]), &given).as_deref(), Ok("a b\n"));
    let fine = [texts("t", Kind::Text, &[Some("x")])];
    assert_eq!(text(&spec("A\n{{ t }}\n", &["t"]), &fine).as_deref(), Ok("A\nx\n"));
}

/// One row of NULLs, and some values beside them.
fn nulls() -> [Given; 7] {
    [
        texts("t", Kind::Text, &[None]),
        decimals("a", 10, 2, &[None]),
        dates("day", &[Some(20_778)]),
        mask("b", &[true]),
        decimals("x", 10, 2, &[Some(150)]),
        floats("f", &[Some(1e21)]),
        texts("v", Kind::Text, &[Some("abc")]),
    ]
}

const NULLS: [&str; 7] = ["t", "a", "day", "b", "x", "f", "v"];

#[test]
fn null_is_the_empty_text_where_a_text_is_wanted() {
    for (record, made) in [
        ("{{ t ~ 'x' ~ a }}|{{ {'k': t}.k ~ 1 }}", "x|1"),
        (
            "{{ t | upper }}{{ t | lower }}{{ t | title }}{{ t | capitalize }}{{ t | trim }}{{ a | string }}{{ t | e }}",
            "",
        ),
        ("{{ t | replace('a', 'b') }}|{{ v | replace('a', t) }}|{{ v | replace(t, '-') }}", "|bc|abc"),
        ("{{ [t, v, a] | join('-') }}|{{ [v, v] | join(t) }}|{{ t | join('-') }}", "-abc-|abcabc|"),
        ("{{ [v, t] | map('upper') | join(',') }}{{ [{'k': t}, {'k': v}] | join(';', attribute='k') }}", "ABC,;abc"),
        ("{{ '%s|%5s|%d|%%' | format(t, a, 1) }}{{ '%(k)s;%(n)d' | format(k=t, n=2) }}", "|     |1|%;2"),
        (
            "{{ t | length }}{{ t | split('-') | length }}{{ t | lines | length }}{{ t | reverse }}{{ t | indent(2) }}",
            "010\t",
        ),
        (
            "{{ t | default('z') }}{{ (a | default(0)) + 1 }}{{ v | d('z') }}{{ a | int(7) }}{{ a | float(default=2) }}",
            "z1abc72",
        ),
        ("{{ t is startingwith('No') }} {{ v is startingwith(t) }} {{ t is endingwith('e') }}", "false true false"),
        ("{{ t[:4] }}{{ t[::-1] }}", ""),
        (
            "{% macro twice(c) %}{{ c ~ t }}{{ v[:1] }}{% endmacro %}{{ twice(a) }}{% filter upper %}{{ t }}-{% endfilter %}",
            "a-",
        ),
    ] {
        let text = text(&spec(record, &NULLS), &nulls());
        assert_eq!(text, Ok(format!("{}\n", made.replace('\t', ""))), "{record}");
    }
}

#[test]
fn null_is_no_number() {
    for record in [
        "{{ a | int }}",
        "{{ a | float }}",
        "{{ a | abs }}",
        "{{ a | round(1) }}",
        "{{ a | divide(2, 2) }}",
        "{{ [x, a] | sum }}",
        "{{ -a }}",
        "{{ a + 1 }}",
        "{{ t | int }}",
        "{{ '%d' | format(t) }}",
        "{{ [a, a] | map('int') | join }}",
    ] {
        let refused = refusal(&spec(record, &NULLS), &nulls());
        assert!(refused.row == Some(0), "{record}: {refused}");
        for part in ["NULL", "`is none`", "`| default(0)`"] {
            assert!(refused.reason.contains(part), "{record}: {refused}");
        }
    }
}

#[test]
fn a_value_has_one_text_in_every_filter() {
    let record =
        "{{ b ~ f }} {{ b | upper }} {{ [b, f] | join(',') }} {{ '%s %s' | format(b, f) }} {{ f | replace('.0', '') }}";
    let whole = "1000000000000000000000";
    assert_eq!(
        text(&spec(record, &NULLS), &nulls()),
        Ok(format!("true{whole}.0 TRUE true,{whole}.0 true {whole}.0 {whole}\n"))
    );
    for (record, what) in
        [("{{ [v] }}", "join(',')"), ("{{ [v] ~ 'x' }}", "join(',')"), ("{{ '%.1f' | format(x) }}", "number(")]
    {
        let refused = refusal(&spec(record, &NULLS), &nulls());
        assert!(refused.row.is_none() && refused.reason.contains(what), "{record}: {refused}");
    }
}

#[test]
fn texts_are_sliced_and_numbers_are_not() {
    let record = "{{ day[:4] }}{{ day[5:7] }} {{ row.day[-2:] }} {{ v[::-1] }} {{ [1, 2, 3][1:] | join('-') }} {{ (x | string)[2:] }}";
    assert_eq!(text(&spec(record, &NULLS), &nulls()).as_deref(), Ok("202611 21 cba 2-3 50\n"));
    let refused = refusal(&spec("{{ x[:1] }}", &NULLS), &nulls());
    assert!(refused.row.is_none() && refused.reason.contains("`| string`"), "{refused}");
    let refused = refusal(&spec("{{ v[1:t] }}", &NULLS), &nulls());
    assert!(refused.row.is_none() && refused.reason.contains("whole numbers"), "{refused}");
}

#[test]
fn a_number_with_a_fraction_is_neither_odd_nor_even() {
    let record =
        "{{ [x, 1, 2, 3] | select('odd') | join(',') }} {{ [x, 1, 2] | select('even') | join(',') }} {{ -3 is odd }}";
    assert_eq!(text(&spec(record, &NULLS), &nulls()).as_deref(), Ok("1,3 2 true\n"));
}

/// What `config check` says, before anything is known of the columns.
fn unseen(record: &str) -> Option<String> {
    let names = ["a", "b", "c", "d", "e"];
    FileTranslator::new(&spec(record, &names), &Registry::default()).err().map(|refused| refused.reason)
}

#[test]
fn what_fails_in_each_record_is_found_however_many_columns_there_are() {
    let all = "{{ a }}{{ b }}{{ c }}{{ d }}{{ e }}";
    for (part, what) in [
        ("{{ [a, 1] | number('0') | length }}{{ a.x() }}", "x"),
        ("{{ ((a | upper) - 1) ~ b ~ c ~ d ~ e }}", "decimal"),
        ("{{ a ~ b ~ c ~ d ~ ((e ~ 'x') - 2) }}", "decimal"),
        ("{% if a.x() and b and c and d and e %}y{% endif %}", "x"),
        ("{% for i in (a ~ 'x') - 1 %}{{ b }}{{ c }}{{ d }}{{ e }}{% endfor %}", "decimal"),
        ("{% for i in range(99999999) %}x{% endfor %}", "too many elements"),
        ("{% set x = 1 / 0 %}", "by zero"),
        ("{{ 'x' | strftime('%Y') }}", "no date"),
        ("{{ [1, 2].x }}{{ {'k': 1}.l }}", "undefined"),
        ("{{ 'x' * 200000000 }}", "cannot be repeated"),
    ] {
        for record in [format!("{all}{part}"), format!("{part}{all}")] {
            let told = unseen(&record).unwrap_or_default();
            assert!(told.contains(what), "{record}: {told}");
        }
    }
}

#[test]
fn what_may_work_is_taken_however_many_columns_there_are() {
    for record in [
        "{{ a + b + c + d + e }}",
        "{{ a | strftime('%Y') }}{{ b | number('0') }}{{ c | pad(1) }}{{ d[:4] }}{{ e * 2 }}",
        "{% if a and a.x() %}{{ b.y }}{% endif %}{{ c }}{{ d }}{{ e }}",
        "{{ a if b == 1 else 1 / 0 }}{{ c }}{{ d }}{{ e }}",
        "{{ row.zz | default('x') }}{{ a.b | default(1) }}{% if c.d is defined %}y{% endif %}{{ b }}{{ d }}{{ e }}",
        "{% set a = 'x' %}{{ a ~ 1 }}{% set n = 'x' %}{% if b %}{% set n = 1 %}{% endif %}{{ n - 2 }}{{ c }}{{ d }}{{ e }}",
        "{% set n = namespace(t='x') %}{% for i in [1] %}{% set n.t = 1 %}{% endfor %}{{ n.t * 2 }}{{ a }}{{ b }}{{ c }}{{ d }}{{ e }}",
        "{% macro f(a) %}{{ a * 2 }}{% endmacro %}{{ f(1) }}{{ a }}{{ b }}{{ c }}{{ d }}{{ e }}",
        "{{ {'A': 1, 'B': 2}[a] }}{{ b }}{{ c }}{{ d }}{{ e }}",
        "{{ 1 < 2 < a }}{{ b }}{{ c }}{{ d }}{{ e }}{{ none | default('') }}",
    ] {
        assert_eq!(unseen(record), None, "{record}");
    }
}

#[test]
fn a_record_takes_a_bounded_number_of_steps_and_bytes() {
    let loops = "{% for i in range(100000) %}{% for j in range(100000) %}{% for k in range(100000) %}x{% endfor %}{% endfor %}{% endfor %}";
    let wide =
        "{% set n = namespace(t='x') %}{% for i in range(99) %}{% set n.t = n.t ~ n.t %}{% endfor %}{{ n.t | length }}";
    let long = "{% set s = 'x' * 1000000 %}{% for i in range(1000) %}{{ s }}{% endfor %}";
    for (record, what) in [
        (loops, "1000000 steps"),
        (wide, "no more than"),
        (long, "no more than"),
        ("{{ v | pad(4000000000) }}", "no field is wider"),
        ("{{ '%4000000000d' | format(1) }}", "no field is wider"),
        ("{{ '%*d' | format(4000000000, 1) }}", "no field is wider"),
        ("{{ v | indent(4000000000, true) }}", "longer than"),
        ("{{ ('x' * 1000000) | replace('x', 'y' * 1000000) }}", "longer than"),
        ("{{ range(100000) | join('y' * 1000000) }}", "longer than"),
    ] {
        let refused = refusal(&spec(record, &NULLS), &nulls());
        assert!(refused.reason.contains(what), "{record}: {refused}");
    }
    // A loop is found before any row.
    let refused = FileTranslator::new(&spec(loops, &NULLS), &Registry::default()).err();
    assert!(refused.is_some_and(|refused| refused.reason.contains("1000000 steps")));
    let mut control = spec("{{ v }}", &NULLS);
    control.last_record = Some(loops.to_owned());
    assert!(FileTranslator::new(&control, &Registry::default()).is_err());
    // A thousand columns are nothing.
    let columns = "{{ v | upper | pad(9) }}{% if x > 1 %};{% endif %}".repeat(1000);
    assert_eq!(text(&spec(&columns, &NULLS), &nulls()), Ok("      ABC;".repeat(1000) + "\n"));
}
