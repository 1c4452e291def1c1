//! The view, the worker file, and what its files must hold.

use crate::mix::Mix;
use filegen::adapters::memory::source::Cell;
use filegen::core::generate::model::file_name::FileName;
use filegen::core::generate::spec::{
    AcceptSpec, Align, BusinessDateSpec, ColumnSpec, CommitSpec, Corrections, DelimitedSpec, EmptyText, Encoding,
    Escape, FileSpec, FixedWidthSpec, Forms, From, LeadingQuote, Limits, OnOverflow, OnUnmappable, OutputSpec, Quote,
    SourceSpec, TranslatorSpec, TriggerSpec, WhenEmpty, WidthIn, Worker,
};
use filegen::core::model::calendar::Calendar;
use filegen::core::model::column::{Column, Kind};
use filegen::core::model::kafka::{GroupProtocol, KafkaSpec};
use filegen::core::model::names::{FileId, LeaseKey, ViewName, WorkerId};
use filegen::core::model::permissions::Permissions;
use filegen::core::model::policy::{Policies, RetrySpec};
use filegen::core::model::query::Isolation;
use filegen::core::model::run::{BusinessDate, RunId};
use filegen::core::model::secret::Secret;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

pub fn lease_key() -> LeaseKey {
    LeaseKey::from(&worker_id())
}

pub fn worker_id() -> WorkerId {
    WorkerId::new("W").expect("a name")
}

pub fn view() -> ViewName {
    ViewName::parse("v").expect("a name")
}

pub fn run(day: u32) -> RunId {
    let date = jiff::civil::date(2026, 11, 20 + i8::try_from(day).expect("a small number"));
    RunId { worker: worker_id(), date: BusinessDate(date) }
}

pub fn columns() -> Vec<Column> {
    let column = |name: &str, kind| Column { name: name.to_owned(), kind };
    let amount = Kind::Decimal { precision: 12, scale: 2 };
    vec![column("LoanId", Kind::Int), column("Amount", amount), column("Status", Kind::Text)]
}

fn amount(id: i64) -> i64 {
    id * 12_345 % 1_000_000
}

fn status(id: i64) -> &'static str {
    ["open", "closed", "late"][usize::try_from(id.rem_euclid(3)).expect("an index")]
}

fn money(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

pub fn cells(id: i64) -> Vec<Cell> {
    vec![Cell::Int(id), Cell::Decimal(amount(id).into()), Cell::Text(status(id).to_owned())]
}

/// The row that is there from start to end.
pub fn stable_id(row: i64) -> i64 {
    (row + 1) * 10
}

fn take(column: &str) -> ColumnSpec {
    ColumnSpec { from: From::Column(column.to_owned()), ..ColumnSpec::default() }
}

fn delimited(delimiter: &str, columns: &[&str]) -> TranslatorSpec {
    TranslatorSpec::Delimited(DelimitedSpec {
        delimiter: delimiter.to_owned(),
        quote: Quote::Never,
        empty: EmptyText::Quoted,
        escape: Escape::Double,
        leading_quote: LeadingQuote::Refuse,
        names: false,
        columns: columns.iter().map(|column| take(column)).collect(),
    })
}

fn file(index: usize) -> FileSpec {
    let wide = |column: &str, width, align, pad| ColumnSpec { width: Some(width), align, pad, ..take(column) };
    let translator = match index {
        0 => delimited("|", &["LoanId", "Amount", "Status"]),
        1 => TranslatorSpec::FixedWidth(FixedWidthSpec {
            columns: vec![wide("LoanId", 300, Align::Right, Some('0')), wide("Status", 8, Align::Left, None)],
            width_in: WidthIn::Bytes,
        }),
        2 => delimited(",", &["LoanId", "Amount"]),
        _ => delimited("|", &["LoanId", "Status"]),
    };
    FileSpec {
        id: FileId::new(format!("F{index}")).expect("a name"),
        name: FileName::parse(&format!("f{index}_{{date}}.txt")).expect("a template"),
        event_type: Some("Ready".to_owned()),
        translator,
        predicate: None,
        first_record: None,
        last_record: (index == 3).then(|| "T|{{ rows }}|{{ sum.Amount }}".to_owned()),
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

/// The bytes of a file that holds these rows.
pub fn bytes_of(index: usize, ids: &[i64], pages: u64) -> Vec<u8> {
    let mut lines = vec![format!("{:<31}", format!("{pages},{}", ids.len()))];
    lines.extend(ids.iter().map(|id| match index {
        0 => format!("{id}|{}|{}", money(amount(*id)), status(*id)),
        1 => format!("{id:0>300}{:<8}", status(*id)),
        2 => format!("{id},{}", money(amount(*id))),
        _ => format!("{id}|{}", status(*id)),
    }));
    if index == 3 {
        lines.push(format!("T|{}|{}", ids.len(), money(ids.iter().map(|id| amount(*id)).sum())));
    }
    (lines.join("\n") + "\n").into_bytes()
}

/// The keys in the first file's bytes.
pub fn ids_in(bytes: &[u8]) -> Vec<i64> {
    let text = String::from_utf8_lossy(bytes);
    text.lines().skip(1).map(|line| line.split('|').next().unwrap_or_default().parse().unwrap_or(-1)).collect()
}

fn topic() -> KafkaSpec {
    KafkaSpec {
        brokers: String::new(),
        topic: "wanted".to_owned(),
        group: None,
        protocol: GroupProtocol::default(),
        properties: BTreeMap::new(),
    }
}

pub fn worker(mix: &Mix) -> Worker {
    let number = |number| NonZeroU32::new(number).expect("not zero");
    Worker {
        id: worker_id(),
        params: Vec::new(),
        source: SourceSpec {
            url: Secret::new("memory:"),
            view: view().into(),
            key: vec!["LoanId".to_owned()],
            page_size: number(mix.page_size),
            page_bytes: 1 << 20,
            value_bytes: 64 << 20,
            fetch: mix.fetch,
            count: true,
            isolation: Isolation::Default,
        },
        output: OutputSpec {
            root: PathBuf::from("/out"),
            when_empty: WhenEmpty::Write,
            permissions: Permissions::default(),
            corrections: Corrections::Replace,
        },
        files: (0..mix.files).map(file).collect(),
        business_date: BusinessDateSpec {
            timezone: "UTC".to_owned(),
            pointer: "/businessDate".to_owned(),
            calendar: Calendar::Weekends.into(),
            // The clocks of the pods begin before the dates.
            accept: AcceptSpec::default(),
        },
        deadline: None,
        deliver: mix.deliver.map(str::to_owned),
        state: Secret::new("memory:"),
        schedule: None,
        trigger: Some(TriggerSpec { kafka: topic(), matches: Vec::new() }),
        completion: Some(topic()),
        commit: CommitSpec { pages: number(mix.pages_per_commit), interval: Duration::ZERO },
        policies: Policies {
            retry: RetrySpec { max_backoff: Duration::from_secs(5), ..RetrySpec::default() },
            // Half as often as by default: a contender that looks costs more than all else.
            takeover_polling_interval: Duration::from_secs(10),
            ..Policies::default()
        },
    }
}
