//! Each translator over one page of 10,000 rows: rows and bytes per second, and allocations per row (aim: none).
//!
//! `cargo bench --bench translate`

#![allow(clippy::print_stdout, missing_docs, reason = "a bench talks to a person")]

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow_schema::Schema;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use filegen::Registry;
use filegen::core::generate::model::file_name::FileName;
use filegen::core::generate::spec::{
    Align, ColumnSpec, DelimitedSpec, EmptyText, Encoding, Escape, FileSpec, FixedWidthSpec, Forms, From, JsonNode,
    JsonSpec, LeadingQuote, Limits, OnOverflow, OnUnmappable, Quote, TemplateSpec, TranslatorSpec, WidthIn,
};
use filegen::core::generate::translate::FileTranslator;
use filegen::core::model::column::{Column, Kind};
use filegen::core::model::key::Key;
use filegen::core::model::names::FileId;
use filegen::core::model::page::Page;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::collections::BTreeMap;
use std::sync::Arc;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Rows of the page.
const ROWS: u32 = 10_000;

/// The page's columns: like a table of flights, one in fifty values NULL.
fn columns() -> Vec<(String, Kind, ArrayRef)> {
    // The same numbers each time, spread enough to have all lengths.
    let number = |row: u32, salt: u32| i64::from((row + 1).wrapping_mul(2_654_435_761).rotate_left(salt) % 1_000_000);
    let some = |row: u32, salt: u32| !(row + salt).is_multiple_of(50);
    let mut columns: Vec<(String, Kind, ArrayRef)> = Vec::new();
    let mut add = |kind: Kind, array: ArrayRef| columns.push((format!("c{}", columns.len()), kind, array));
    for salt in 0..6 {
        let values = (0..ROWS).map(|row| some(row, salt).then(|| number(row, salt)));
        add(Kind::Int, Arc::new(values.collect::<Int64Array>()));
    }
    for salt in 6..10 {
        let words = ["N14228", "EWR", "United Air Lines Inc.", "B6", ""];
        let word = |row: u32| words[usize::try_from(number(row, salt) % 5).unwrap_or(0)];
        let values = (0..ROWS).map(|row| some(row, salt).then(|| word(row)));
        add(Kind::Text, Arc::new(values.collect::<StringArray>()));
    }
    for salt in 10..12 {
        let values = (0..ROWS).map(|row| some(row, salt).then(|| i128::from(number(row, salt))));
        let array = values.collect::<Decimal128Array>().with_precision_and_scale(15, 2).expect("15,2 is a decimal");
        add(Kind::Decimal { precision: 15, scale: 2 }, Arc::new(array));
    }
    #[expect(clippy::cast_precision_loss, reason = "numbers below a million are exact")]
    let float = |row: u32| number(row, 3) as f64 / 8.0;
    add(Kind::Float64, Arc::new((0..ROWS).map(float).map(Some).collect::<Float64Array>()));
    let day = |row: u32| i32::try_from(number(row, 5) % 20_000).ok();
    add(Kind::Date, Arc::new((0..ROWS).map(day).collect::<Date32Array>()));
    let micros = |row: u32| Some(number(row, 7) * 1_000_000_000 + 123_456);
    let timestamps = (0..ROWS).map(micros).collect::<TimestampMicrosecondArray>();
    add(Kind::Timestamp { digits: 6, utc: false }, Arc::new(timestamps));
    add(Kind::Bool, Arc::new((0..ROWS).map(|row| Some(row % 3 == 0)).collect::<BooleanArray>()));
    columns
}

fn page() -> (Vec<Column>, Page) {
    let given = columns();
    let columns = given.iter().map(|(name, kind, _)| Column { name: name.clone(), kind: *kind }).collect();
    let fields: Vec<_> = given.iter().map(|(name, kind, _)| kind.field(name)).collect();
    let arrays = given.into_iter().map(|(.., array)| array).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).expect("arrays fit their fields");
    (columns, Page { batch, first_key: Key(Vec::new()), last_key: Key(Vec::new()) })
}

fn column(name: &str) -> ColumnSpec {
    ColumnSpec { from: From::Column(name.to_owned()), ..ColumnSpec::default() }
}

fn delimited(quote: Quote, columns: Vec<ColumnSpec>) -> TranslatorSpec {
    let delimiter = if quote == Quote::Never { "|" } else { "," }.to_owned();
    TranslatorSpec::Delimited(DelimitedSpec {
        delimiter,
        quote,
        empty: EmptyText::Quoted,
        escape: Escape::Double,
        leading_quote: LeadingQuote::Refuse,
        names: false,
        columns,
    })
}

fn fixed_width(columns: &[Column]) -> TranslatorSpec {
    let field = |c: &Column| {
        let (width, align, pad, format) = match c.kind {
            Kind::Int => (12, Align::Right, Some('0'), None),
            Kind::Decimal { .. } => (15, Align::Right, None, Some("0.00")),
            Kind::Date => (8, Align::Left, None, Some("%Y%m%d")),
            _ => (26, Align::Left, None, None),
        };
        ColumnSpec { width: Some(width), align, pad, format: format.map(str::to_owned), ..column(&c.name) }
    };
    TranslatorSpec::FixedWidth(FixedWidthSpec {
        columns: columns.iter().map(field).collect(),
        width_in: WidthIn::Bytes,
    })
}

fn file(translator: TranslatorSpec) -> FileSpec {
    FileSpec {
        id: FileId::new("Bench").expect("a fine id"),
        name: FileName::parse("bench_{date}.txt").expect("a fine name"),
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

/// What is measured: a name and a file.
fn files(columns: &[Column]) -> Vec<(&'static str, FileSpec)> {
    let all = || columns.iter().map(|c| column(&c.name)).collect::<Vec<_>>();
    let value = |c: &Column| (c.name.clone(), JsonNode::Value(column(&c.name)));
    let json = TranslatorSpec::Json(JsonSpec { fields: columns.iter().map(value).collect(), skip_null: false });
    let template = TranslatorSpec::Template(TemplateSpec {
        record: columns.iter().map(|c| format!("{{{{ {} }}}}", c.name)).collect::<Vec<_>>().join("|"),
        columns: columns.iter().map(|c| c.name.clone()).collect(),
        zone: None,
    });
    let never = || file(delimited(Quote::Never, all()));
    vec![
        ("delimited, unquoted", never()),
        ("delimited, minimal quotes", file(delimited(Quote::Minimal, all()))),
        ("delimited, all quoted", file(delimited(Quote::Always, all()))),
        ("delimited, EBCDIC", FileSpec { encoding: Encoding::Ibm037, ..never() }),
        ("delimited, totals", FileSpec { last_record: Some("{{ sum.c10 }}{{ sum.c12 }}".to_owned()), ..never() }),
        ("fixed width", file(fixed_width(columns))),
        ("json", file(json)),
        ("template", file(template)),
    ]
}

fn translators(criterion: &mut Criterion) {
    let (columns, page) = page();
    let mut group = criterion.benchmark_group("translate");
    group.throughput(Throughput::Elements(ROWS.into()));
    for (name, spec) in files(&columns) {
        let mut translator = FileTranslator::new(&spec, &Registry::default()).expect("a fine file");
        translator.bind(&columns, None, &BTreeMap::new()).expect("columns that fit");
        let mut page_into = |buffer| translator.translate(&page, buffer).expect("values that can be written").bytes;
        let mut buffer = page_into(Vec::new());
        let region = Region::new(ALLOCATOR);
        buffer = page_into(buffer);
        let made = region.change();
        let allocations = made.allocations + made.reallocations;
        println!("{name}: {allocations} allocations a page of {ROWS} rows, {} bytes written", buffer.len());
        group.bench_function(name, |bencher| bencher.iter(|| buffer = page_into(std::mem::take(&mut buffer))));
    }
    group.finish();
}

criterion_group!(benches, translators);
criterion_main!(benches);
