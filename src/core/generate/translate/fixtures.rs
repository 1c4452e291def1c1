//! Pages and file specifications for tests of translators.

use super::{FileTranslator, Registry, TranslateError, Translated};
use crate::core::generate::model::file_name::FileName;
use crate::core::generate::spec::{
    ColumnSpec, DelimitedSpec, EmptyText, Encoding, Escape, FileSpec, FixedWidthSpec, Forms, From, JsonNode, JsonSpec,
    LeadingQuote, Limits, OnOverflow, OnUnmappable, Quote, TranslatorSpec, WidthIn,
};
use crate::core::model::column::{Column, Kind};
use crate::core::model::key::Key;
use crate::core::model::names::{FileId, WorkerId};
use crate::core::model::page::Page;
use crate::core::model::run::{BusinessDate, RunId};
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch,
    StringArray, Time64NanosecondArray, TimestampMicrosecondArray,
};
use arrow_schema::Schema;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A column with its values.
pub(super) type Given = (&'static str, Kind, ArrayRef);

pub(super) fn ints(name: &'static str, values: &[Option<i64>]) -> Given {
    (name, Kind::Int, Arc::new(Int64Array::from(values.to_vec())))
}

pub(super) fn texts(name: &'static str, kind: Kind, values: &[Option<&str>]) -> Given {
    (name, kind, Arc::new(StringArray::from(values.to_vec())))
}

pub(super) fn decimals(name: &'static str, precision: u8, scale: i8, values: &[Option<i128>]) -> Given {
    let array = Decimal128Array::from(values.to_vec()).with_precision_and_scale(precision, scale).unwrap();
    (name, Kind::Decimal { precision, scale }, Arc::new(array))
}

pub(super) fn floats(name: &'static str, values: &[Option<f64>]) -> Given {
    (name, Kind::Float64, Arc::new(Float64Array::from(values.to_vec())))
}

pub(super) fn dates(name: &'static str, values: &[Option<i32>]) -> Given {
    (name, Kind::Date, Arc::new(Date32Array::from(values.to_vec())))
}

pub(super) fn mask(name: &'static str, values: &[bool]) -> Given {
    (name, Kind::Bool, Arc::new(BooleanArray::from(values.to_vec())))
}

/// One row with a value of every kind.
pub(super) fn every_kind() -> Vec<Given> {
    let timestamp = TimestampMicrosecondArray::from(vec![1_795_257_000_123_000]);
    let instant = TimestampMicrosecondArray::from(vec![1_795_257_000_000_000]).with_timezone("UTC");
    vec![
        ("bool", Kind::Bool, Arc::new(BooleanArray::from(vec![true]))),
        ints("int", &[Some(-42)]),
        floats("float", &[Some(0.1)]),
        decimals("decimal", 15, 2, &[Some(-1250)]),
        texts("number", Kind::Number, &[Some("3.140")]),
        texts("text", Kind::Text, &[Some("Ann")]),
        texts("uuid", Kind::Uuid, &[Some("0b0e4a2e-7c1c-4e0e-9a3b-0a1b2c3d4e5f")]),
        texts("json", Kind::Json, &[Some(r#"{"a": 1.10}"#)]),
        ("bytes", Kind::Bytes, Arc::new(BinaryArray::from(vec![&b"\x00\xFF"[..]]))),
        dates("date", &[Some(20_778)]),
        ("time", Kind::Time { digits: 0 }, Arc::new(Time64NanosecondArray::from(vec![37_800_000_000_000]))),
        ("timestamp", Kind::Timestamp { digits: 3, utc: false }, Arc::new(timestamp)),
        ("instant", Kind::Timestamp { digits: 0, utc: true }, Arc::new(instant)),
        texts("stamp", Kind::TimestampText, &[Some("2026-11-21T10:30:00.1234567+01:00")]),
    ]
}

pub(super) fn column(name: &str) -> ColumnSpec {
    ColumnSpec { from: From::Column(name.to_owned()), ..ColumnSpec::default() }
}

pub(super) fn formatted(name: &str, format: &str) -> ColumnSpec {
    ColumnSpec { format: Some(format.to_owned()), ..column(name) }
}

pub(super) fn literal(text: &str) -> ColumnSpec {
    ColumnSpec { from: From::Literal(text.to_owned()), ..ColumnSpec::default() }
}

pub(super) fn delimited(delimiter: &str, quote: Quote, columns: Vec<ColumnSpec>) -> DelimitedSpec {
    DelimitedSpec {
        delimiter: delimiter.to_owned(),
        quote,
        empty: EmptyText::Quoted,
        escape: Escape::Double,
        leading_quote: LeadingQuote::Refuse,
        names: false,
        columns,
    }
}

pub(super) fn fixed_width(columns: Vec<ColumnSpec>) -> FileSpec {
    file(TranslatorSpec::FixedWidth(FixedWidthSpec { columns, width_in: WidthIn::Characters }))
}

pub(super) fn json(fields: Vec<(&str, JsonNode)>) -> FileSpec {
    let fields = fields.into_iter().map(|(name, node)| (name.to_owned(), node)).collect();
    file(TranslatorSpec::Json(JsonSpec { fields, skip_null: false }))
}

/// A file in UTF-8 with all policies at their defaults.
pub(super) fn file(translator: TranslatorSpec) -> FileSpec {
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
        progress_header: true,
    }
}

pub(super) fn run() -> RunId {
    let date = BusinessDate(jiff::civil::Date::constant(2026, 11, 21));
    RunId { worker: WorkerId::new("LoanWorker").unwrap(), date }
}

pub(super) fn columns(given: &[Given]) -> Vec<Column> {
    given.iter().map(|(name, kind, _)| Column { name: (*name).to_owned(), kind: *kind }).collect()
}

pub(super) fn page(given: &[Given]) -> Page {
    let fields: Vec<_> = given.iter().map(|(name, kind, _)| kind.field(name)).collect();
    let arrays = given.iter().map(|(_, _, array)| Arc::clone(array)).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap();
    Page { batch, first_key: Key(Vec::new()), last_key: Key(Vec::new()) }
}

/// Translates one page; a column named `mask` says which rows belong to the file.
pub(super) fn translate(spec: &FileSpec, given: &[Given]) -> Result<Translated, TranslateError> {
    let mut translator = FileTranslator::new(spec, &Registry::default())?;
    let mask = given.iter().position(|(name, ..)| *name == "mask");
    translator.bind(&columns(given), mask, &BTreeMap::new())?;
    translator.translate(&page(given), b"left over".to_vec())
}

/// The page's records as text.
pub(super) fn text(spec: &FileSpec, given: &[Given]) -> Result<String, TranslateError> {
    translate(spec, given).map(|translated| String::from_utf8(translated.bytes).unwrap())
}

/// Why a specification or a page is refused.
pub(super) fn refusal(spec: &FileSpec, given: &[Given]) -> TranslateError {
    translate(spec, given).unwrap_err()
}
