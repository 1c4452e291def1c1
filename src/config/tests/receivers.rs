//! What a receiver sets, what comes before it, and what it refuses.

use super::*;
use crate::core::generate::spec::{DecimalSign, Escape, FileSpec, Timestamps};

/// The design's example, whose second file is this one.
fn with(fields: &str, options: &str) -> String {
    DESIGN.replace(
        "    translator:\n      delimited: { delimiter: \",\", quote: minimal,",
        &format!("{fields}    translator:\n      delimited: {{ {options}"),
    )
}

fn file(fields: &str, options: &str) -> FileSpec {
    let loaded = parsed(&with(fields, options), &[]).unwrap_or_else(|error| panic!("{error}"));
    loaded.into_worker().unwrap().files.remove(1)
}

fn told(fields: &str, options: &str) -> String {
    match parsed(&with(fields, options), &[]) {
        Ok(loaded) => loaded.warnings().map_or_else(|| "nothing".to_owned(), |warnings| warnings.to_string()),
        Err(error) => format!("refused: {error}"),
    }
}

#[test]
fn a_receiver_sets_what_the_file_leaves_out() {
    let excel = file("    receiver: excel\n", "");
    let TranslatorSpec::Delimited(spec) = &excel.translator else { panic!("{excel:?}") };
    assert_eq!((spec.delimiter.as_str(), spec.quote, spec.names), (",", Quote::Minimal, true));
    assert_eq!((excel.newline.as_str(), excel.bom, excel.progress_header), ("\r\n", true, false));
    assert_eq!(excel.forms.booleans.as_deref(), Some("TRUE/FALSE"));
    assert_eq!(excel.forms.timestamps, Timestamps::Plain);

    let fields = "    receiver: excel\n    bom: false\n    decimal: \",\"\n    booleans: J/N\n    newline: lf\n";
    let other = file(fields, "delimiter: \";\", quote: nonnumeric, names: false, ");
    let TranslatorSpec::Delimited(spec) = &other.translator else { panic!("{other:?}") };
    assert_eq!((spec.delimiter.as_str(), spec.quote, spec.names), (";", Quote::NonNumeric, false));
    assert_eq!((other.newline.as_str(), other.bom, other.forms.decimal), ("\n", false, DecimalSign::Comma));
    assert_eq!(other.forms.booleans.as_deref(), Some("J/N"));

    let mysql = file("    receiver: mysql-load\n", "");
    let TranslatorSpec::Delimited(spec) = &mysql.translator else { panic!("{mysql:?}") };
    assert_eq!((spec.quote, spec.escape, mysql.null.as_deref()), (Quote::Always, Escape::Double, Some("NULL")));
    // Nobody else's file changes.
    assert_eq!(
        file("", "delimiter: \",\", quote: minimal, "),
        parsed(DESIGN, &[]).unwrap().into_worker().unwrap().files[1]
    );
}

#[test]
fn where_a_value_came_from_is_shown() {
    let loaded = parsed(&with("    receiver: excel\n    newline: lf\n", ""), &[]).unwrap();
    let json = serde_json::to_value(loaded.resolved()).unwrap();
    let origin = |field: &str| json["origins"][format!("files[1].{field}")].clone();
    assert_eq!(origin("bom"), serde_json::json!({"from": "receiver", "name": "excel"}));
    assert_eq!(origin("translator.delimited.quote"), serde_json::json!({"from": "receiver", "name": "excel"}));
    assert_eq!(origin("newline")["from"], "file");
    assert_eq!(origin("decimal"), serde_json::json!({"from": "default"}));
}

#[test]
fn what_the_receiver_would_misread_is_refused_and_what_it_must_be_told_is_a_warning() {
    let cases = [
        ("    receiver: duckdb\n", ""),
        ("    receiver: duckdb\n    progress_header: true\n", ""),
        ("    receiver: postgres-copy\n    bom: true\n", ""),
        ("    receiver: postgres-copy\n", "quote: never, "),
        ("    receiver: postgres-copy\n    null: 'NULL'\n", "delimiter: \"|\", "),
        ("    receiver: postgres-copy\n    newline: \"\\r\\n\"\n", "delimiter: \"\\x2c\", "),
        ("    receiver: cobol\n", ""),
        ("    receiver: exel\n", ""),
        ("    receiver: excel\n    encoding: latin1\n", ""),
        ("    receiver: excel\n    decimal: \",\"\n", ""),
    ];
    let told = cases.map(|(fields, options)| format!("{fields}    {{ {options}}}\n{}\n", told(fields, options)));
    insta::assert_snapshot!(told.join("\n").replace("/etc/filegen/", ""));
}
