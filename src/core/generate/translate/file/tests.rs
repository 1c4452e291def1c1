//! One file as the flow sees it: columns, masks, totals, first and last record.

use super::*;
use crate::core::generate::spec::{DelimitedSpec, Encoding, FileSpec, Quote};
use crate::core::generate::translate::fixtures::*;
use crate::core::model::column::Kind;
use serde_json::json;

fn spec() -> FileSpec {
    let columns = vec![column("LoanId"), column("Name")];
    FileSpec {
        last_record: Some("T{{ rows | pad(6, '0') }} {{ sum.Amount }}".to_owned()),
        ..file(TranslatorSpec::Delimited(DelimitedSpec { names: true, ..delimited("|", Quote::Never, columns) }))
    }
}

fn given() -> [Given; 4] {
    [
        decimals("Amount", 15, 2, &[Some(1050), Some(99), None]),
        texts("Name", Kind::Text, &[Some("Ann"), Some("Bob"), Some("Zoë")]),
        ints("LoanId", &[Some(1), Some(2), Some(3)]),
        mask("mask", &[true, false, true]),
    ]
}

#[test]
fn a_page_gives_the_files_rows_in_its_columns_order() {
    let mut translator = FileTranslator::new(&spec(), &Registry::default()).unwrap();
    assert_eq!(translator.columns(), ["LoanId", "Name", "Amount"]);
    assert_eq!(translator.tally().columns(), ["Amount"]);
    assert!(!translator.first_needs_totals());
    translator.bind(&columns(&given()), Some(3), &BTreeMap::new()).unwrap();
    let buffer = Vec::with_capacity(4096);
    let place = buffer.as_ptr();
    let translated = translator.translate(&page(&given()), buffer).unwrap();
    assert_eq!(translated.bytes, "1|Ann\n3|Zoë\n".as_bytes());
    assert_eq!(translated.records, 2);
    assert_eq!(translated.bytes.as_ptr(), place, "the buffer was not used again");
    assert_eq!(translator.totals()["Amount"], "10.50");
    assert_eq!(translator.last_record(&run(), 2, &translator.totals()), Ok(Some(b"T000002 10.50\n".to_vec())));
}

#[test]
fn totals_go_on_from_a_resumed_runs() {
    let mut translator = FileTranslator::new(&spec(), &Registry::default()).unwrap();
    let so_far = BTreeMap::from([("Amount".to_owned(), "100.00".to_owned())]);
    translator.bind(&columns(&given()), None, &so_far).unwrap();
    translator.translate(&page(&given()), Vec::new()).unwrap();
    translator.translate(&page(&given()), Vec::new()).unwrap();
    assert_eq!(translator.totals()["Amount"], "122.98");
}

#[test]
fn the_names_come_before_the_first_record() {
    let spec = FileSpec { first_record: Some("H{{ date | strftime('%Y%m%d') }}|{{ worker }}".to_owned()), ..spec() };
    let translator = FileTranslator::new(&spec, &Registry::default()).unwrap();
    let first = translator.first_record(&run(), 0, &BTreeMap::new()).unwrap().unwrap();
    assert_eq!(String::from_utf8(first).unwrap(), "LoanId|Name\nH20261121|LoanWorker\n");
    let needs = FileSpec { first_record: Some("{{ sum.Amount }}".to_owned()), ..spec };
    assert!(FileTranslator::new(&needs, &Registry::default()).unwrap().first_needs_totals());
}

#[test]
fn control_records_are_in_the_files_encoding() {
    let spec = FileSpec {
        encoding: Encoding::Ibm037,
        newline: "\r\n".to_owned(),
        last_record: Some("A1".to_owned()),
        ..spec()
    };
    let translator = FileTranslator::new(&spec, &Registry::default()).unwrap();
    assert_eq!(translator.last_record(&run(), 0, &BTreeMap::new()), Ok(Some(vec![0xC1, 0xF1, 0x0D, 0x25])));
    let euro = FileSpec { last_record: Some("€".to_owned()), ..spec };
    let translator = FileTranslator::new(&euro, &Registry::default()).unwrap();
    assert!(translator.last_record(&run(), 0, &BTreeMap::new()).unwrap_err().reason.contains("U+20AC"));
}

#[test]
fn a_file_without_them_has_neither_first_nor_last_record() {
    let plain = file(TranslatorSpec::Delimited(delimited("|", Quote::Never, vec![column("LoanId")])));
    let translator = FileTranslator::new(&plain, &Registry::default()).unwrap();
    assert_eq!(translator.first_record(&run(), 0, &BTreeMap::new()), Ok(None));
    assert_eq!(translator.last_record(&run(), 0, &BTreeMap::new()), Ok(None));
}

#[test]
fn a_missing_column_is_told_with_those_that_there_are() {
    let mut translator = FileTranslator::new(&spec(), &Registry::default()).unwrap();
    let given = [ints("LoanId", &[]), ints("name", &[])];
    let error = translator.bind(&columns(&given), None, &BTreeMap::new()).unwrap_err();
    assert_eq!(error.reason, "column `Name` is not among those read: LoanId, name");
}

#[test]
fn an_error_leaves_nothing_behind_for_the_next_page() {
    let mut translator = FileTranslator::new(&spec(), &Registry::default()).unwrap();
    translator.bind(&columns(&given()), None, &BTreeMap::new()).unwrap();
    let mut broken = given();
    broken[1] = texts("Name", Kind::Text, &[Some("Ann"), Some("B|b"), None]);
    assert_eq!(translator.translate(&page(&broken), Vec::new()).unwrap_err().row, Some(1));
    assert_eq!(translator.totals()["Amount"], "0.00");
    assert_eq!(translator.translate(&page(&given()), Vec::new()).unwrap().records, 3);
}

/// Writes one column in angle brackets.
struct Angled(String);

impl Translator for Angled {
    fn columns(&self) -> Vec<String> {
        vec![self.0.clone()]
    }

    fn translate(&mut self, rows: &Rows<'_>, records: &mut Records) -> Result<(), TranslateError> {
        for row in rows.iter() {
            records.push('<');
            records.push_str(&rows.text(0, row).unwrap_or_default());
            records.push('>');
            records.end(row)?;
        }
        Ok(())
    }
}

#[test]
fn a_translator_of_ones_own_is_found_by_name_and_gets_its_options() {
    let registry = Registry::default().with("angled", |options| {
        let column = options["column"].as_str().ok_or("needs a `column`")?;
        Ok(Box::new(Angled(column.to_owned())))
    });
    let custom = |name: &str, options| file(TranslatorSpec::Custom { name: name.to_owned(), options });
    let mut translator = FileTranslator::new(&custom("angled", json!({ "column": "Name" })), &registry).unwrap();
    translator.bind(&columns(&given()), Some(3), &BTreeMap::new()).unwrap();
    assert_eq!(translator.translate(&page(&given()), Vec::new()).unwrap().bytes, "<Ann>\n<Zoë>\n".as_bytes());
    let refused = |name, options| FileTranslator::new(&custom(name, options), &registry).err().unwrap().reason;
    assert_eq!(refused("angled", json!({})), "translator `angled`: needs a `column`");
    assert!(refused("angle", json!({})).contains("did you mean `angled`?"));
}
