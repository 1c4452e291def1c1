//! What a receiver sets, what comes before it, and what it refuses.

use super::*;
use crate::core::generate::spec::{BytesForm, DecimalSign, Escape, FileSpec, Timestamps};

/// A file for a receiver, with a column that stands first.
fn of_column(receiver: &str, fields: &str, column: &str) -> String {
    let fields = format!("    receiver: {receiver}\n{fields}");
    match parsed(
        &with(&fields, "").replace("[LoanId, Status,", &format!("[{column}, Status,")).replace("quote: minimal, ", ""),
        &[],
    ) {
        Ok(loaded) => {
            loaded.warnings(&Notes::default()).map_or_else(|| "nothing".to_owned(), |warnings| warnings.to_string())
        }
        Err(error) => format!("refused: {error}"),
    }
}

#[test]
fn what_a_column_says_in_place_of_its_file_is_held_against_the_receiver_too() {
    let cases = [
        ("mysql-load", "{ column: Note, null: \"\\\\N\" }"),
        ("mysql-load", "{ column: Note, null: \"\" }"),
        ("mysql-load", "{ column: Note, null: \"NULL\" }"),
        ("mysql-load", "{ column: Active, format: \"Y/N\" }"),
        ("mysql-load", "{ column: Active, format: \"1/0\" }"),
        ("mysql-load", "{ column: Due, format: \"%d/%m\" }"),
        ("sqlserver-bulk", "{ column: Note, null: \"NULL\" }"),
        ("sqlserver-bulk", "{ column: Note, null: \"\" }"),
        ("sqlserver-bulk", "{ column: Active, format: \"Y/N\" }"),
        ("pandas", "{ column: Note, null: \"-\" }"),
        ("excel", "{ column: Active, format: \"Y/N\" }"),
        ("postgres-copy", "{ column: Due, format: \"%d.%m.%Y\" }"),
        ("postgres-copy", "{ column: Due, format: \"%F\" }"),
        ("postgres-copy", "{ column: At, format: \"%H:%M\" }"),
        ("duckdb", "{ column: Due, format: \"%Y%m%d\" }"),
        ("pandas", "{ column: Due, format: \"%Y%m%d\" }"),
        ("polars", "{ column: Active, format: \"Y/N\" }"),
        ("duckdb", "{ column: Active, format: \"Y/N\" }"),
        ("duckdb", "{ column: Active, format: \"N/Y\" }"),
    ];
    let told = cases.map(|(receiver, column)| format!("{receiver} {column}\n{}\n", of_column(receiver, "", column)));
    insta::assert_snapshot!(told.join("\n").replace("/etc/filegen/", ""));
}

#[test]
fn a_record_that_is_no_row_is_refused_where_the_receiver_cannot_pass_it_over() {
    for receiver in crate::config::receivers::NAMES.into_iter().filter(|name| *name != "cobol") {
        for record in ["first_record", "last_record"] {
            let told = of_column(receiver, &format!("    {record}: 'H'\n"), "LoanId");
            assert!(told.contains(&format!("`{record}` is `H`")), "{receiver}: {told}");
        }
    }
    let (refused, warned) =
        (of_column("duckdb", "    last_record: T\n", "LoanId"), of_column("duckdb", "    first_record: H\n", "LoanId"));
    assert!(refused.starts_with("refused: ") && refused.contains("(remove it)"), "{refused}");
    assert!(
        warned.contains("(write `header = false, skip = 2`, or `skip = 1` where the names are left out)")
            && !warned.starts_with("refused"),
        "{warned}"
    );
}

/// The design's example, whose second file is this one.
fn with(fields: &str, options: &str) -> String {
    DESIGN.replace(
        "    translator:\n      delimited: { delimiter: \",\", quote: minimal,",
        &format!("{fields}    translator:\n      delimited: {{ {options}"),
    )
}

fn file(fields: &str, options: &str) -> FileSpec {
    let loaded = parsed(&with(fields, options), &[]).unwrap_or_else(|error| panic!("{error}"));
    loaded.into_worker().unwrap().files[1].clone()
}

fn told(fields: &str, options: &str) -> String {
    match parsed(&with(fields, options), &[]) {
        Ok(loaded) => {
            loaded.warnings(&Notes::default()).map_or_else(|| "nothing".to_owned(), |warnings| warnings.to_string())
        }
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
    let json = serde_json::to_value(loaded.resolved(&|url| url.reveal().to_owned())).unwrap();
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
        ("    receiver: postgres-copy\n", "delimiter: \"||\", "),
        ("    receiver: polars\n", "delimiter: \"€\", "),
        ("    receiver: excel\n", "delimiter: \";\", "),
        ("    receiver: spark\n", "delimiter: \"||\", "),
        ("    receiver: postgres-copy\n    booleans: ja/nein\n", ""),
        ("    receiver: postgres-copy\n    booleans: YES/no\n", ""),
        ("    receiver: pandas\n    booleans: 0/1\n", ""),
        ("    receiver: postgres-copy\n    timestamps: \"%d.%m.%Y %T\"\n", ""),
        ("    receiver: duckdb\n    timestamps: \"%FT%T%.3f%:z\"\n", ""),
        ("    receiver: mysql-load\n    timestamps: iso\n", ""),
        ("    receiver: postgres-copy\n    bytes: hex\n", ""),
        ("    receiver: spark\n    bytes: prefixed\n", ""),
    ];
    let told = cases.map(|(fields, options)| format!("{fields}    {{ {options}}}\n{}\n", told(fields, options)));
    insta::assert_snapshot!(told.join("\n").replace("/etc/filegen/", ""));
}

#[test]
fn bytes_have_the_form_that_their_receiver_loads_as_bytes() {
    assert_eq!(file("    receiver: postgres-copy\n", "").forms.bytes, BytesForm::Prefixed);
    assert_eq!(file("    receiver: duckdb\n", "").forms.bytes, BytesForm::Escaped);
    assert_eq!(file("    receiver: mysql-load\n", "").forms.bytes, BytesForm::Hex);
    assert_eq!(file("    receiver: duckdb\n    bytes: hex\n", "").forms.bytes, BytesForm::Hex);
}
