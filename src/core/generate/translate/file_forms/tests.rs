//! Forms of a whole file, and what they go together with.

use crate::core::generate::spec::{
    BytesForm, Case, ColumnSpec, DecimalSign, Encoding, Escape, FileSpec, Forms, JsonNode, Quote, TemplateSpec,
    Timestamps, TranslatorSpec,
};
use crate::core::generate::translate::fixtures::*;
use crate::core::generate::translate::{FileTranslator, Registry};
use crate::core::model::column::Kind;
use std::collections::BTreeMap;

fn csv(columns: &[&str]) -> FileSpec {
    let columns = columns.iter().map(|name| column(name)).collect();
    file(TranslatorSpec::Delimited(delimited("|", Quote::Minimal, columns)))
}

fn with(forms: Forms, spec: FileSpec) -> FileSpec {
    FileSpec { forms, ..spec }
}

fn booleans(words: &str) -> Forms {
    Forms { booleans: Some(words.to_owned()), ..Forms::default() }
}

fn timestamps(timestamps: Timestamps) -> Forms {
    Forms { timestamps, ..Forms::default() }
}

fn comma() -> Forms {
    Forms { decimal: DecimalSign::Comma, ..Forms::default() }
}

#[test]
fn booleans_are_written_in_the_files_words_unless_the_column_has_its_own() {
    let given = every_kind();
    let own = ColumnSpec { case: Some(Case::Lower), ..formatted("bool", "T/F") };
    let columns = vec![column("bool"), own, ColumnSpec { case: Some(Case::Lower), ..column("bool") }, column("text")];
    let spec = file(TranslatorSpec::Delimited(delimited("|", Quote::Minimal, columns)));
    assert_eq!(text(&with(booleans("Y/N"), spec), &given).as_deref(), Ok("Y|t|y|Ann\n"));
    let field = json(vec![("b", JsonNode::Value(column("bool")))]);
    assert_eq!(text(&with(booleans("1/0"), field), &given).as_deref(), Ok("{\"b\":\"1\"}\n"));
    for wrong in ["Y", "a/b/c", "%Y/%m", "0.00", "Y/Y", "J/ J", "/"] {
        assert!(refusal(&with(booleans(wrong), csv(&["int"])), &given).reason.contains("`booleans`"), "{wrong}");
    }
}

#[test]
fn true_and_false_are_never_written_alike() {
    let given = every_kind();
    let alike = file(TranslatorSpec::Delimited(delimited("|", Quote::Minimal, vec![formatted("bool", "Y/Y")])));
    assert!(refusal(&alike, &given).reason.contains("writes true and false alike"));
    // Letter case may make them so.
    let upper = ColumnSpec { case: Some(Case::Upper), ..formatted("bool", "y/Y") };
    let upper = file(TranslatorSpec::Delimited(delimited("|", Quote::Minimal, vec![upper])));
    assert!(refusal(&upper, &given).reason.contains("writes true and false alike"));
}

#[test]
fn bytes_have_the_form_of_their_reader() {
    let given = every_kind();
    let bytes = |bytes| Forms { bytes, ..Forms::default() };
    let upper = ColumnSpec { case: Some(Case::Upper), ..column("bytes") };
    for (form, lower, capital) in [
        (BytesForm::Hex, "00ff", "00FF"),
        (BytesForm::Prefixed, "\\x00ff", "\\x00FF"),
        (BytesForm::Escaped, "\\x00\\xff", "\\x00\\xFF"),
    ] {
        let columns = vec![column("bytes"), upper.clone(), column("text")];
        let spec = file(TranslatorSpec::Delimited(delimited("|", Quote::Minimal, columns)));
        assert_eq!(text(&with(bytes(form), spec), &given), Ok(format!("{lower}|{capital}|Ann\n")), "{form:?}");
        let field = with(bytes(form), json(vec![("b", JsonNode::Value(column("bytes")))]));
        let line: serde_json::Value = serde_json::from_str(&text(&field, &given).unwrap()).unwrap();
        assert_eq!(line["b"], lower, "{form:?}");
    }
    let mut escaped = delimited("|", Quote::Minimal, vec![column("bytes")]);
    escaped.escape = Escape::Backslash;
    let escaped = with(bytes(BytesForm::Prefixed), file(TranslatorSpec::Delimited(escaped)));
    assert_eq!(text(&escaped, &given).as_deref(), Ok("\"\\\\x00ff\"\n"));
}

#[test]
fn a_zone_that_no_value_names_is_refused_before_any_row() {
    for format in ["%F %T %Q", "%:Q"] {
        let spec = with(timestamps(Timestamps::Format(format.to_owned())), csv(&["int"]));
        let reason = FileTranslator::new(&spec, &Registry::default()).err().unwrap().reason;
        assert!(reason.starts_with("`timestamps`: ") && reason.contains("`%:z` writes its offset"), "{reason}");
    }
}

#[test]
fn timestamps_have_the_files_form() {
    let given = every_kind();
    let columns = ["timestamp", "instant", "stamp", "date", "time"];
    for (form, expected) in [
        (Timestamps::Iso, "2026-11-21T10:30:00.123|2026-11-21T10:30:00Z|2026-11-21T10:30:00.1234567+01:00"),
        (Timestamps::Space, "2026-11-21 10:30:00.123|2026-11-21 10:30:00+00:00|2026-11-21 10:30:00.1234567+01:00"),
        (Timestamps::Plain, "2026-11-21 10:30:00.123|2026-11-21 10:30:00|2026-11-21 09:30:00.1234567"),
        (Timestamps::Format("%d.%m.%Y %H:%M".to_owned()), "21.11.2026 10:30|21.11.2026 10:30|21.11.2026 10:30"),
    ] {
        let spec = with(timestamps(form.clone()), csv(&columns));
        assert_eq!(text(&spec, &given), Ok(format!("{expected}|2026-11-21|10:30:00\n")), "{form:?}");
    }
    let berlin = |form| FileSpec { zone: Some("Europe/Berlin".to_owned()), ..with(timestamps(form), csv(&columns)) };
    for (form, expected) in [
        (Timestamps::Space, "2026-11-21 10:30:00.123|2026-11-21 11:30:00+01:00|2026-11-21 10:30:00.1234567+01:00"),
        (Timestamps::Plain, "2026-11-21 10:30:00.123|2026-11-21 11:30:00|2026-11-21 10:30:00.1234567"),
    ] {
        assert_eq!(text(&berlin(form), &given), Ok(format!("{expected}|2026-11-21|10:30:00\n")));
    }
    let own = file(TranslatorSpec::Delimited(delimited("|", Quote::Never, vec![formatted("timestamp", "%Y")])));
    assert_eq!(text(&with(timestamps(Timestamps::Plain), own), &given).as_deref(), Ok("2026\n"));
    let wrong = with(timestamps(Timestamps::Format("ISO".to_owned())), csv(&["int"]));
    assert!(refusal(&wrong, &given).reason.contains("`timestamps`"));
}

#[test]
fn a_decimal_comma_stands_in_numbers_only() {
    let given = [
        decimals("d", 15, 2, &[Some(123_456_750), Some(-5), None]),
        floats("f", &[Some(0.5), Some(-1e21), Some(2.0)]),
        texts("n", Kind::Number, &[Some("3.140"), Some("7"), None]),
        texts("s", Kind::Text, &[Some("1.5"), Some("a.b"), Some("")]),
        ints("i", &[Some(1), Some(2), Some(3)]),
        texts("t", Kind::Text, &[Some("1234.5"), Some("-0.25"), Some("9")]),
    ];
    let columns = vec![
        column("d"),
        formatted("d", "#,##0.00"),
        column("f"),
        column("n"),
        column("s"),
        column("i"),
        formatted("t", "0.00"),
    ];
    let delimited_file = file(TranslatorSpec::Delimited(delimited("|", Quote::Minimal, columns)));
    assert_eq!(
        text(&with(comma(), delimited_file), &given).as_deref(),
        Ok("1234567,50|1.234.567,50|0,5|3,140|1.5|1|1234,50\n\
            -0,05|-0,05|-1000000000000000000000,0|7|a.b|2|-0,25\n||2,0||\"\"|3|9,00\n")
    );
    let field = ColumnSpec { width: Some(13), align: crate::core::generate::spec::Align::Right, ..column("d") };
    let fixed = with(comma(), fixed_width(vec![field]));
    assert_eq!(text(&fixed, &given).as_deref(), Ok("   1234567,50\n        -0,05\n             \n"));
    for delimiter in [",", ".", ";,"] {
        let spec = file(TranslatorSpec::Delimited(delimited(delimiter, Quote::Always, vec![column("d")])));
        assert!(refusal(&with(comma(), spec), &given).reason.contains("`delimiter`"), "{delimiter}");
    }
    let field = json(vec![("d", JsonNode::Value(column("d")))]);
    assert!(refusal(&with(comma(), field), &given).reason.contains("JSON"));
    let ends = FileSpec { newline: ",".to_owned(), ..with(comma(), csv(&["d"])) };
    assert!(refusal(&ends, &given).reason.contains("`newline`"));
}

#[test]
fn totals_are_those_of_the_written_values_whatever_their_form() {
    let given = [
        ("b", Kind::Bool, std::sync::Arc::new(arrow_array::BooleanArray::from(vec![Some(true), None, None])) as _),
        decimals("d", 9, 2, &[Some(150), None, Some(250)]),
    ];
    let columns = vec![
        ColumnSpec { null: Some("J".to_owned()), ..column("b") },
        ColumnSpec { null: Some("1000,25".to_owned()), ..column("d") },
    ];
    let translator = TranslatorSpec::Delimited(delimited("|", Quote::Minimal, columns));
    let forms = Forms { booleans: Some("J/N".to_owned()), ..comma() };
    let spec = FileSpec { last_record: Some("{{ sum.b }} {{ sum.d }}".to_owned()), ..with(forms, file(translator)) };
    let mut translator = FileTranslator::new(&spec, &Registry::default()).unwrap();
    translator.bind(&super::super::fixtures::columns(&given), None, &BTreeMap::new()).unwrap();
    translator.translate(&page(&given), Vec::new()).unwrap();
    let totals = translator.totals();
    assert_eq!((totals["b"].as_str(), totals["d"].as_str()), ("3", "1004.25"));
}

#[test]
fn null_is_the_files_text_unless_the_column_has_its_own() {
    let given = [ints("a", &[None]), ints("b", &[None]), texts("c", Kind::Text, &[Some("-")])];
    let own = ColumnSpec { null: Some("none".to_owned()), ..column("b") };
    let columns = vec![column("a"), own, column("c")];
    let spec = file(TranslatorSpec::Delimited(delimited("|", Quote::Minimal, columns)));
    let dash = |spec| FileSpec { null: Some("-".to_owned()), ..spec };
    assert_eq!(text(&dash(spec), &given).as_deref(), Ok("-|none|\"-\"\n"));
    let fixed = fixed_width(vec![ColumnSpec { width: Some(3), ..column("a") }, literal("x")]);
    assert_eq!(text(&dash(fixed), &given).as_deref(), Ok("-  x\n"));
    let broken = FileSpec { null: Some("a|b".to_owned()), ..csv(&["a"]) };
    assert!(refusal(&broken, &given).reason.contains("the delimiter"));
}

#[test]
fn a_byte_order_mark_is_the_files_first_bytes() {
    let spec = |names: bool| {
        let TranslatorSpec::Delimited(mut spec) = csv(&["int"]).translator else { panic!() };
        spec.names = names;
        FileSpec { bom: true, progress_header: false, ..file(TranslatorSpec::Delimited(spec)) }
    };
    let first = |spec: &FileSpec| {
        let translator = FileTranslator::new(spec, &Registry::default()).unwrap();
        translator.first_record(&run(), 0, &BTreeMap::new()).unwrap()
    };
    assert_eq!(first(&spec(false)).as_deref(), Some(&b"\xEF\xBB\xBF"[..]));
    assert_eq!(first(&spec(true)).as_deref(), Some(&b"\xEF\xBB\xBFint\n"[..]));
    assert_eq!(text(&spec(true), &every_kind()).as_deref(), Ok("-42\n"));
    for (wrong, what) in [
        (FileSpec { progress_header: true, ..spec(true) }, "progress_header"),
        (FileSpec { encoding: Encoding::Windows1252, ..spec(true) }, "encoding"),
        (FileSpec { translator: json(vec![("a", JsonNode::Value(column("int")))]).translator, ..spec(true) }, "JSON"),
        (
            FileSpec { newline: String::new(), translator: fixed_width(vec![literal("x")]).translator, ..spec(true) },
            "`bom`",
        ),
    ] {
        assert!(refusal(&wrong, &every_kind()).reason.contains(what), "{what}");
    }
}

#[test]
fn a_template_writes_its_own_forms() {
    let template = TemplateSpec { record: "{{ int }}".to_owned(), columns: vec!["int".to_owned()], zone: None };
    let spec = file(TranslatorSpec::Template(template));
    for wrong in [
        FileSpec { null: Some(String::new()), ..spec.clone() },
        with(booleans("Y/N"), spec.clone()),
        with(timestamps(Timestamps::Plain), spec.clone()),
        with(comma(), spec.clone()),
    ] {
        assert!(refusal(&wrong, &every_kind()).reason.contains("the file's own translator"), "{wrong:?}");
    }
    assert!(text(&spec, &every_kind()).is_ok());
}

#[test]
fn nonnumeric_quotes_all_but_numbers_and_null() {
    let mut given = every_kind();
    given.push(ints("none", &[None]));
    let names = ["int", "decimal", "float", "number", "text", "bool", "date", "timestamp", "none"];
    let TranslatorSpec::Delimited(mut spec) = csv(&names).translator else { panic!() };
    spec.quote = Quote::NonNumeric;
    spec.columns.push(literal("7"));
    spec.columns.push(ColumnSpec { format: Some("#,##0.0".to_owned()), ..column("decimal") });
    spec.delimiter = ",".to_owned();
    assert_eq!(
        text(&file(TranslatorSpec::Delimited(spec)), &given).as_deref(),
        Ok("-42,-12.50,0.1,3.140,\"Ann\",\"true\",\"2026-11-21\",\"2026-11-21T10:30:00.123\",,\"7\",-12.5\n")
    );
}

#[test]
fn each_form_alone_changes_what_a_resumed_run_is_held_to() {
    let plain = format!("{:?}", csv(&["int"]));
    for name in ["forms", "bom", "escape"] {
        assert!(!plain.contains(name), "{name}: runs of earlier builds would be refused");
    }
    assert_eq!(plain.matches("null").count(), 1, "the column's own alone");
    let escaped = |escape| {
        let TranslatorSpec::Delimited(spec) = csv(&["int"]).translator else { panic!() };
        file(TranslatorSpec::Delimited(crate::core::generate::spec::DelimitedSpec { escape, ..spec }))
    };
    assert_eq!(format!("{:?}", escaped(Escape::Double)), plain);
    let all = [
        FileSpec { null: Some(String::new()), ..csv(&["int"]) },
        FileSpec { bom: true, ..csv(&["int"]) },
        with(booleans("Y/N"), csv(&["int"])),
        with(timestamps(Timestamps::Plain), csv(&["int"])),
        with(timestamps(Timestamps::Space), csv(&["int"])),
        with(comma(), csv(&["int"])),
        escaped(Escape::Backslash),
    ];
    let mut texts: Vec<String> = all.iter().map(|spec| format!("{spec:?}")).collect();
    texts.push(plain);
    texts.sort_unstable();
    let count = texts.len();
    texts.dedup();
    assert_eq!(texts.len(), count);
}
