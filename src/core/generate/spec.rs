//! A worker as its file describes it: resolved, checked, every default filled in. Made by `config`, read by everyone.

mod shape;
mod translator;

use super::model::file_name::FileName;
use crate::core::model::business_days::BusinessDays;
use crate::core::model::kafka::KafkaSpec;
use crate::core::model::names::{FileId, WorkerId};
use crate::core::model::param::{ParamKind, ParamValue};
use crate::core::model::permissions::Permissions;
use crate::core::model::policy::Policies;
use crate::core::model::query::{Fetch, Isolation};
use crate::core::model::run_schedule::RunSchedule;
use crate::core::model::secret::Secret;
use crate::core::model::sql::{Relation, Template};
use jiff::civil::{Time, Weekday};
use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

pub use translator::*;

/// A whole worker file.
#[derive(Clone, PartialEq, Debug)]
pub struct Worker {
    /// `LoanWorker`.
    pub id: WorkerId,
    /// Where the rows come from.
    pub source: SourceSpec,
    /// The parameters that its SQL may name, besides those that every run has.
    pub params: Vec<ParamSpec>,
    /// Where the files go.
    pub output: OutputSpec,
    /// The files, in the worker file's order; at least one, ids and names unique.
    pub files: Vec<FileSpec>,
    /// How a run without a given date finds its own.
    pub business_date: BusinessDateSpec,
    /// When a business date's files are due. `None` without a deadline.
    pub deadline: Option<DeadlineSpec>,
    /// The state store's address: `sqlite:PATH` (absolute by now) or `mongodb://…`.
    pub state: Secret,
    /// The topic whose events start runs, when there is one.
    pub trigger: Option<TriggerSpec>,
    /// When runs are due without an event. `None`: never.
    pub schedule: Option<RunSchedule>,
    /// The topic that completion events go to, when there is one.
    pub completion: Option<KafkaSpec>,
    /// The transfer that takes what is published, when there is one.
    pub deliver: Option<String>,
    /// How many pages share a commit.
    pub commit: CommitSpec,
    /// Lease times and retries.
    pub policies: Policies,
}

/// The view and how it is read.
#[derive(Clone, PartialEq, Debug)]
pub struct SourceSpec {
    /// `sqlite:PATH` (absolute by now), `postgres://…`, `sqlserver://…` or an ADO string.
    pub url: Secret,
    /// The view, or what stands for one.
    pub view: Relation<Template>,
    /// Columns that are unique and not null together; the order of the rows. Empty only with [`Fetch::Offset`].
    pub key: Vec<String>,
    /// Rows of a full page.
    pub page_size: NonZeroU32,
    /// A page ends early when its values reach this many bytes, so that wide rows do not fill the memory.
    pub page_bytes: u64,
    /// A longer value ends the run, so that one value does not fill the memory either.
    pub value_bytes: u64,
    /// How pages are asked for.
    pub fetch: Fetch,
    /// Whether the view is counted before the read and after it. Only a stream goes without.
    pub count: bool,
    /// What one read sees of concurrent changes.
    pub isolation: Isolation,
}

/// The parameters that every run has.
pub const PARAMS_OF_EVERY_RUN: [(&str, ParamKind); 5] = [
    ("date", ParamKind::Date),
    ("previous_business_date", ParamKind::Date),
    ("run.id", ParamKind::Text),
    ("run.date", ParamKind::Date),
    ("run.worker", ParamKind::Text),
];

/// A parameter of the worker file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParamSpec {
    /// `region`.
    pub name: String,
    /// What its values are.
    pub kind: ParamKind,
    /// Its value. `None` where each run is to be given one.
    pub value: Option<ParamValue>,
    /// Whether the value was given for one run, and is not the worker file's.
    pub is_given: bool,
}

/// Where the files go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutputSpec {
    /// Absolute by now.
    pub root: PathBuf,
    /// What a view without rows gives.
    pub when_empty: WhenEmpty,
    /// Where a corrected date's files appear.
    pub corrections: Corrections,
    /// Who may read what is published.
    pub permissions: Permissions,
}

/// Where the files of a date that is made again appear.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Corrections {
    /// Under the old names; the old files are taken away before.
    #[default]
    Replace,
    /// Beside the old files, under names with the version: `loan0_20261121_v2.txt`.
    Suffix,
}

/// What a view without rows gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum WhenEmpty {
    /// Files with a header and no record (and first and last record, where there are any).
    #[default]
    Write,
    /// No file; the manifest and the completion event say so.
    Skip,
    /// The run fails.
    Fail,
}

/// One target file.
#[derive(Clone, PartialEq)]
pub struct FileSpec {
    /// `Loan0`.
    pub id: FileId,
    /// Its name, one per run, relative to the root.
    pub name: FileName,
    /// The completion event's type.
    pub event_type: Option<String>,
    /// How a page becomes bytes.
    pub translator: TranslatorSpec,
    /// A SQL predicate; only its rows go into this file.
    pub predicate: Option<Template>,
    /// Template of the record before all others.
    pub first_record: Option<String>,
    /// Template of the record behind all others.
    pub last_record: Option<String>,
    /// The IANA zone on whose clock instants are written. `None`: as they come, in UTC.
    pub zone: Option<String>,
    /// What NULL is written as, in columns that do not say.
    pub null: Option<String>,
    /// How values of some kinds are written, in columns that do not say.
    pub forms: Forms,
    /// How text becomes bytes.
    pub encoding: Encoding,
    /// Whether the file begins with UTF-8's byte order mark.
    pub bom: bool,
    /// The bytes that end a record, before encoding.
    pub newline: String,
    /// What happens to a character that the encoding does not have.
    pub on_unmappable: OnUnmappable,
    /// What happens to a value that is wider than its field.
    pub on_overflow: OnOverflow,
    /// How much these two policies may change.
    pub limits: Limits,
    /// Whether the file starts with the header line.
    pub progress_header: bool,
}

/// How text becomes bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Encoding {
    /// UTF-8 without a byte order mark.
    #[default]
    Utf8,
    /// Windows code page 1252.
    Windows1252,
    /// ISO 8859-1: the first 256 code points.
    Iso88591,
    /// IBM code page 037, EBCDIC of the USA and Canada.
    Ibm037,
}

/// What happens to a character that the encoding does not have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OnUnmappable {
    /// The run ends with the row's key.
    #[default]
    Error,
    /// `?` is written in its place, and counted.
    Replace,
}

/// How much policies may change in one file. Beyond that the run ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Limits {
    /// Characters that the encoding does not have.
    pub unmappable: Option<Limit>,
    /// Values wider than their field.
    pub overflow: Option<Limit>,
}

/// How much may be changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Limit {
    /// So many.
    Count(u64),
    /// So many for a million rows of the file.
    Share(u32),
}

impl Limit {
    /// Whether `count` is too much. For a share, this is known only when all rows are known.
    pub fn is_exceeded(self, count: u64, rows: Option<u64>) -> bool {
        match (self, rows) {
            (Self::Count(most), _) => count > most,
            (Self::Share(millionths), Some(rows)) => {
                u128::from(count) * 1_000_000 > u128::from(rows) * u128::from(millionths)
            }
            (Self::Share(_), None) => false,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(most) => write!(f, "{most}"),
            Self::Share(millionths) => {
                let digits = format!("{}.{:04}", millionths / 10_000, millionths % 10_000);
                write!(f, "{}%", digits.trim_end_matches('0').trim_end_matches('.'))
            }
        }
    }
}

/// What happens to a value that is wider than its field.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OnOverflow {
    /// The run ends with the row's key.
    #[default]
    Error,
    /// The value is cut, and counted.
    Truncate,
}

/// How a run without a given date finds its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BusinessDateSpec {
    /// IANA name of the zone in which an event's timestamp is a date.
    pub timezone: String,
    /// JSON pointer to the date in the event; empty: only the event's timestamp counts.
    pub pointer: String,
    /// Which days are business days: for `{previous_business_date}`.
    pub calendar: BusinessDays,
    /// Which dates an event may ask for, and how many new runs events may start in an hour.
    pub accept: AcceptSpec,
}

/// The window on business dates, and the limit of new runs. A date outside the window is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AcceptSpec {
    /// Days before today, in the zone of the business date.
    pub past_days: u32,
    /// Days behind today, in the same zone.
    pub future_days: u32,
    /// New runs an hour that events may start; those of today and yesterday do not count.
    pub runs_per_hour: u32,
}

impl Default for AcceptSpec {
    fn default() -> Self {
        Self { past_days: 400, future_days: 1, runs_per_hour: 60 }
    }
}

/// When the files of a business date are due, and on which business dates there are any.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeadlineSpec {
    /// On the clock of the zone.
    pub time: Time,
    /// Days from the business date to the day on which its files are due, 0 to 7.
    pub days_after: u8,
    /// IANA name of the zone whose clock and calendar count.
    pub timezone: String,
    /// Weekdays of the business dates for which a run is expected. Sorted from Monday on, each once, never empty.
    pub weekdays: Vec<Weekday>,
    /// Days without business: business dates on which no run is expected. `None`: there are none.
    pub calendar: Option<BusinessDays>,
    /// A run that has not started this long before its deadline is at risk.
    pub warn_before: Duration,
}

/// What starts runs: a topic, and which of its events are for this worker.
#[derive(Clone, PartialEq, Debug)]
pub struct TriggerSpec {
    /// The topic.
    pub kafka: KafkaSpec,
    /// JSON pointers, each with the value that an event must have there. Empty: all events are for this worker.
    pub matches: Vec<(String, serde_json::Value)>,
}

/// How many pages share a commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CommitSpec {
    /// At most this many pages in one commit. A commit never waits for more: it takes the pages that are ready.
    pub pages: NonZeroU32,
    /// Pages gather at least this long before the next commit; zero does not wait.
    pub interval: Duration,
}
