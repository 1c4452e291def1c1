//! Whole files against golden ones that Python's csv, json and codecs made (golden/make.py), and read by other readers.

use arrow_array::{ArrayRef, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::Schema;
use filegen::Registry;
use filegen::core::generate::model::file_name::FileName;
use filegen::core::generate::spec::{
    Align, Case, ColumnSpec, DelimitedSpec, EmptyText, Encoding, Escape, FileSpec, FixedWidthSpec, Forms, From,
    JsonNode, JsonSpec, LeadingQuote, Limits, OnOverflow, OnUnmappable, Quote, TemplateSpec, TranslatorSpec, WidthIn,
};
use filegen::core::generate::translate::FileTranslator;
use filegen::core::model::column::{Column, Kind};
use filegen::core::model::key::Key;
use filegen::core::model::names::{FileId, WorkerId};
use filegen::core::model::page::Page;
use filegen::core::model::run::{BusinessDate, RunId};
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One row of the golden files.
struct Loan {
    id: i64,
    status: Option<&'static str>,
    cents: Option<i128>,
    rate: Option<f64>,
    start: Option<Date>,
    note: Option<&'static str>,
}

fn loans() -> Vec<Loan> {
    let loan = |id, status, cents, rate, (year, month, day), note| Loan {
        id,
        status: Some(status),
        cents: Some(cents),
        rate: Some(rate),
        start: Some(Date::constant(year, month, day)),
        note: Some(note),
    };
    vec![
        loan(1, "Current", 2_800_000, 14.07, (2018, 3, 1), "plain"),
        loan(2, "Fully Paid", -500_005, 12.61, (1582, 10, 4), "says \"no\", twice"),
        loan(3, "", 0, 0.1, (987, 1, 1), "Zoë, Malmö"),
        Loan { id: i64::MAX, status: None, cents: None, rate: None, start: None, note: None },
        loan(-5, "In|Grace", 999_999_999_999_999, 517.0, (9999, 12, 31), "two\nlines"),
    ]
}

fn page(loans: &[Loan]) -> (Vec<Column>, Page) {
    let epoch = Date::constant(1970, 1, 1);
    let days = |date: Date| (date - epoch).get_days();
    let cents = Decimal128Array::from_iter(loans.iter().map(|loan| loan.cents));
    let given: [(&str, Kind, ArrayRef); 6] = [
        ("LoanId", Kind::Int, Arc::new(Int64Array::from_iter(loans.iter().map(|loan| Some(loan.id))))),
        ("Status", Kind::Text, Arc::new(StringArray::from_iter(loans.iter().map(|loan| loan.status)))),
        ("Amount", Kind::Decimal { precision: 15, scale: 2 }, Arc::new(cents.with_precision_and_scale(15, 2).unwrap())),
        ("Rate", Kind::Float64, Arc::new(Float64Array::from_iter(loans.iter().map(|loan| loan.rate)))),
        ("StartDate", Kind::Date, Arc::new(Date32Array::from_iter(loans.iter().map(|loan| loan.start.map(days))))),
        ("Note", Kind::Text, Arc::new(StringArray::from_iter(loans.iter().map(|loan| loan.note)))),
    ];
    let columns = given.iter().map(|(name, kind, _)| Column { name: (*name).to_owned(), kind: *kind }).collect();
    let fields: Vec<_> = given.iter().map(|(name, kind, _)| kind.field(name)).collect();
    let arrays = given.into_iter().map(|(_, _, array)| array).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap();
    (columns, Page { batch, first_key: Key(Vec::new()), last_key: Key(Vec::new()) })
}

fn column(name: &str) -> ColumnSpec {
    ColumnSpec { from: From::Column(name.to_owned()), ..ColumnSpec::default() }
}

fn file(translator: TranslatorSpec) -> FileSpec {
    FileSpec {
        id: FileId::new("Loan0").unwrap(),
        name: FileName::parse("loan0_{date}.txt").unwrap(),
        event_type: None,
        translator,
        predicate: None,
        first_record: None,
        last_record: None,
        zone: None,
        null: None,
        forms: Forms::default(),
        encoding: Encoding::Utf8,
        bom: false,
        newline: "\n".to_owned(),
        on_unmappable: OnUnmappable::Error,
        on_overflow: OnOverflow::Error,
        limits: Limits::default(),
        progress_header: false,
    }
}

/// The whole file without a header line: first record, records, last record.
fn written(spec: &FileSpec, loans: &[Loan]) -> Vec<u8> {
    let run = RunId { worker: WorkerId::new("LoanWorker").unwrap(), date: BusinessDate(Date::constant(2026, 11, 21)) };
    let (columns, page) = page(loans);
    let mut translator = FileTranslator::new(spec, &Registry::default()).unwrap();
    translator.bind(&columns, None, &BTreeMap::new()).unwrap();
    let mut bytes = translator.first_record(&run, 0, &BTreeMap::new()).unwrap().unwrap_or_default();
    let translated = translator.translate(&page, Vec::new()).unwrap();
    assert_eq!(translated.records, loans.len() as u64);
    bytes.extend(translated.bytes);
    bytes.extend(translator.last_record(&run, translated.records, &translator.totals()).unwrap().unwrap_or_default());
    bytes
}

#[test]
fn a_csv_file_is_pythons_and_reads_back() {
    let columns = ["LoanId", "Status", "Amount", "Rate", "StartDate", "Note"].map(column).to_vec();
    let spec = file(TranslatorSpec::Delimited(DelimitedSpec {
        delimiter: ",".to_owned(),
        quote: Quote::Minimal,
        empty: EmptyText::Quoted,
        escape: Escape::Double,
        leading_quote: LeadingQuote::Refuse,
        names: true,
        columns,
    }));
    let bytes = written(&spec, &loans());
    assert_eq!(String::from_utf8_lossy(&bytes), include_str!("golden/minimal.csv"));
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    for (record, loan) in reader.records().map(Result::unwrap).zip(loans()) {
        assert_eq!(record[0].parse(), Ok(loan.id));
        assert_eq!(&record[1], loan.status.unwrap_or_default());
        assert_eq!(record[2].replace('.', "").parse().ok(), loan.cents);
        assert_eq!(record[3].parse().ok(), loan.rate);
        assert_eq!(record[4].parse().ok(), loan.start);
        assert_eq!(&record[5], loan.note.unwrap_or_default());
    }
}

#[test]
fn a_fixed_width_ebcdic_file_is_pythons_and_is_cut_apart_by_position() {
    let wide = |name, width| ColumnSpec { width: Some(width), ..column(name) };
    let right = |column| ColumnSpec { align: Align::Right, ..column };
    let format = |format: &str, column| ColumnSpec { format: Some(format.to_owned()), ..column };
    let spec = FileSpec {
        encoding: Encoding::Ibm037,
        newline: "\r\n".to_owned(),
        ..file(TranslatorSpec::FixedWidth(FixedWidthSpec {
            columns: vec![
                right(wide("LoanId", 20)),
                wide("Status", 10),
                right(format("0.0", ColumnSpec { pad: Some('0'), ..wide("Amount", 18) })),
                format("%Y%m%d", wide("StartDate", 8)),
                ColumnSpec { from: From::Literal("USD".to_owned()), ..ColumnSpec::default() },
                wide("Note", 16),
            ],
            width_in: WidthIn::Bytes,
        }))
    };
    let mut loans = loans();
    loans[4].note = Some("two lines");
    let bytes = written(&spec, &loans);
    assert_eq!(bytes, include_bytes!("golden/fixed.cp037"));
    let records: Vec<&[u8]> = bytes.chunks(20 + 10 + 18 + 8 + 3 + 16 + 2).collect();
    assert_eq!(records.len(), loans.len());
    for (record, loan) in records.iter().zip(&loans) {
        // EBCDIC digits are 0xF0 to 0xF9, its minus 0x60, its blank 0x40.
        let digits: String = record[..20]
            .iter()
            .filter_map(|byte| match byte {
                0xF0..=0xF9 => Some(char::from(byte - 0xC0)),
                0x60 => Some('-'),
                _ => None,
            })
            .collect();
        assert_eq!(digits.parse(), Ok(loan.id));
        assert_eq!(record[48..56].iter().all(|byte| *byte == 0x40), loan.start.is_none());
        assert_eq!(record[75..], [0x0D, 0x25]);
    }
}

#[test]
fn a_json_file_is_pythons_and_reads_back() {
    let value = |name| JsonNode::Value(column(name));
    let named = |fields: Vec<(&str, JsonNode)>| -> Vec<(String, JsonNode)> {
        fields.into_iter().map(|(name, node)| (name.to_owned(), node)).collect()
    };
    let unit = ColumnSpec { from: From::Literal("USD".to_owned()), ..ColumnSpec::default() };
    let loan = named(vec![("status", value("Status")), ("amount", value("Amount")), ("rate", value("Rate"))]);
    let spec = file(TranslatorSpec::Json(JsonSpec {
        fields: named(vec![
            ("id", value("LoanId")),
            ("loan", JsonNode::Object(loan)),
            ("seen", JsonNode::Array(vec![value("StartDate"), value("Note")])),
            ("unit", JsonNode::Value(unit)),
        ]),
        skip_null: false,
    }));
    let bytes = written(&spec, &loans());
    assert_eq!(String::from_utf8_lossy(&bytes), include_str!("golden/lines.jsonl"));
    for (line, loan) in String::from_utf8(bytes).unwrap().lines().zip(loans()) {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(object["id"].as_i64(), Some(loan.id));
        assert_eq!(object["loan"]["status"].as_str(), loan.status);
        assert_eq!(object["loan"]["rate"].as_f64(), loan.rate);
        assert_eq!(object["seen"][1].as_str(), loan.note);
        assert_eq!(object["unit"], "USD");
    }
}

#[test]
fn a_template_file_is_pythons() {
    let spec = file(TranslatorSpec::Template(TemplateSpec {
        record: "{{ LoanId }}:{{ (Status or '') | upper }}:{{ Amount }}".to_owned(),
        columns: ["LoanId", "Status", "Amount"].map(str::to_owned).to_vec(),
        zone: None,
    }));
    assert_eq!(String::from_utf8_lossy(&written(&spec, &loans())), include_str!("golden/template.txt"));
}

#[test]
fn control_records_stand_around_the_records() {
    let amount = ColumnSpec { format: Some("0.00".to_owned()), null: Some("-".to_owned()), ..column("Amount") };
    let status = ColumnSpec { case: Some(Case::Lower), ..column("Status") };
    let spec = FileSpec {
        first_record: Some("H|{{ date | strftime('%Y%m%d') }}|{{ worker }}".to_owned()),
        last_record: Some("T|{{ rows | pad(5, '0') }}|{{ sum.Amount }}|{{ sum.Rate | number('0.0') }}".to_owned()),
        ..file(TranslatorSpec::Delimited(DelimitedSpec {
            delimiter: "|".to_owned(),
            quote: Quote::Never,
            empty: EmptyText::Quoted,
            escape: Escape::Double,
            leading_quote: LeadingQuote::Refuse,
            names: false,
            columns: vec![amount, status],
        }))
    };
    let mut loans = loans();
    loans[4].status = Some("Grace");
    assert_eq!(
        String::from_utf8_lossy(&written(&spec, &loans)),
        "H|20261121|LoanWorker\n28000.00|current\n-5000.05|fully paid\n0.00|\n-|\n9999999999999.99|grace\n\
         T|00005|10000000022999.94|543.8\n"
    );
}
