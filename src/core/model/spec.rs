//! A worker as its file describes it: resolved, checked, every default filled in. Made by `config`, read by everyone.

mod translator;

use super::file_name::FileName;
use super::names::{FileId, ViewName, WorkerId};
use jiff::civil::{Time, Weekday};
use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

pub use translator::*;

/// Text that never shows: not in logs, errors, debug output or JSON.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that connects with it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A whole worker file.
#[derive(Clone, PartialEq, Debug)]
pub struct Worker {
    /// `LoanWorker`.
    pub id: WorkerId,
    /// Where the rows come from.
    pub source: SourceSpec,
    /// Where the files go.
    pub output: OutputSpec,
    /// The files, in the worker file's order; at least one, ids and names unique.
    pub files: Vec<FileSpec>,
    /// How a run without a given date finds its own.
    pub business_date: BusinessDateSpec,
    /// When a business date's files are due, when somebody waits for them at a given time.
    pub deadline: Option<DeadlineSpec>,
    /// The state store's address: `sqlite:PATH` (absolute by now) or `mongodb://…`.
    pub state: Secret,
    /// The topic whose events start runs, when there is one.
    pub trigger: Option<TriggerSpec>,
    /// The topic that completion events go to, when there is one.
    pub completion: Option<KafkaSpec>,
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
    /// The view, part by part.
    pub view: ViewName,
    /// Columns that are unique and not null together; the order of the rows. Empty only with [`Fetch::Offset`].
    pub key: Vec<String>,
    /// Rows of a full page.
    pub page_size: NonZeroU32,
    /// A page ends early when its values reach this many bytes, so that wide rows do not fill the memory.
    pub page_bytes: u64,
    /// How pages are asked for.
    pub fetch: Fetch,
    /// What one read sees of concurrent changes.
    pub isolation: Isolation,
}

/// How pages are asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Fetch {
    /// One ordered result, cut into pages as it arrives.
    #[default]
    Stream,
    /// A query per page: `key > last key`.
    Paged,
    /// A query per page by row number. Promises nothing when rows come or go meanwhile.
    Offset,
}

/// What one read sees of concurrent changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Isolation {
    /// Whatever the source does by default.
    #[default]
    Default,
    /// One point in time for all that one term reads, where the source offers it.
    Snapshot,
}

/// Where the files go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutputSpec {
    /// Absolute by now.
    pub root: PathBuf,
    /// What a view without rows gives.
    pub when_empty: WhenEmpty,
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
#[derive(Clone, PartialEq, Debug)]
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
    pub predicate: Option<String>,
    /// Template of the record before all others.
    pub first_record: Option<String>,
    /// Template of the record behind all others.
    pub last_record: Option<String>,
    /// How text becomes bytes.
    pub encoding: Encoding,
    /// The bytes that end a record, before encoding.
    pub newline: String,
    /// What happens to a character that the encoding does not have.
    pub on_unmappable: OnUnmappable,
    /// What happens to a value that is wider than its field.
    pub on_overflow: OnOverflow,
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
    /// `?` stands in its place, and the manifest counts it.
    Replace,
}

/// What happens to a value that is wider than its field.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OnOverflow {
    /// The run ends with the row's key.
    #[default]
    Error,
    /// The value is cut, and the manifest counts it.
    Truncate,
}

/// How a run without a given date finds its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BusinessDateSpec {
    /// IANA name of the zone in which an event's timestamp is a date.
    pub timezone: String,
    /// JSON pointer to the date in the event; empty: only the event's timestamp counts.
    pub pointer: String,
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
    /// Weekdays of business dates for which a run is expected, from Monday on; at least one, each once.
    pub weekdays: Vec<Weekday>,
    /// A run that has not started this long before its deadline is at risk.
    pub warn_before: Duration,
}

/// A Kafka topic and how to reach it.
#[derive(Clone, PartialEq, Debug)]
pub struct KafkaSpec {
    /// `host:port`, comma separated.
    pub brokers: String,
    /// The topic.
    pub topic: String,
    /// The consumer group (trigger only).
    pub group: Option<String>,
    /// Any property of librdkafka by its own name: `sasl.mechanism`. Never one that the promises hang on.
    pub properties: BTreeMap<String, Secret>,
}

/// What starts runs: a topic, and which of its events are for this worker.
#[derive(Clone, PartialEq, Debug)]
pub struct TriggerSpec {
    /// The topic.
    pub kafka: KafkaSpec,
    /// JSON pointers, each with the value that an event must have there; none: all events are for this worker.
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

/// Lease times and retries.
#[derive(Clone, PartialEq, Debug)]
pub struct Policies {
    /// A holder not seen alive for this long may be replaced.
    pub lease_ttl: Duration,
    /// Time between renewals; well below the lease's time to live.
    pub lease_heartbeat_interval: Duration,
    /// How often a holder looks for wanted runs, and a contender at the lease: that at least twice a second.
    pub takeover_polling_interval: Duration,
    /// What is done about passing faults.
    pub retry: RetrySpec,
}

/// Below this, a disk that is busy for a moment may end a run.
const SHORT_LEASE: Duration = Duration::from_secs(5);

impl Policies {
    /// Longest wait for one answer of the state store: a renewal that is tried again must still come in time.
    pub fn store_patience(&self) -> Duration {
        self.lease_ttl / 8
    }

    /// What is wrong with a lease that is kept so short, and what to write; none for one that is long enough.
    pub fn short_lease(&self) -> Option<(String, &'static str)> {
        let message = format!(
            "`lease_ttl` is short: a call to the state store may take an eighth of it, {} ms, and a run ends (exit code 6) \
             when a busy disk or network takes longer",
            self.store_patience().as_millis()
        );
        let hint =
            "5s is the least for a quiet host, 30s suits most networks; a holder that is killed is replaced after it";
        (self.lease_ttl < SHORT_LEASE).then_some((message, hint))
    }
}

/// Exponential backoff with jitter.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RetrySpec {
    /// Tries after the first; zero gives up at once.
    pub max_retries: u32,
    /// Wait before the first retry.
    pub initial_backoff: Duration,
    /// Each wait is this many times the one before.
    pub backoff_multiplier: f64,
    /// No wait is longer.
    pub max_backoff: Duration,
}

impl RetrySpec {
    /// Shortest wait: a policy without waits must not keep a core busy for as long as a server is away.
    const SHORTEST: Duration = Duration::from_millis(50);

    /// The wait before retry `attempt`, from 1: grows from the first wait to the longest.
    pub fn wait(&self, attempt: u32) -> Duration {
        let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
        let wait = self.initial_backoff.as_secs_f64() * self.backoff_multiplier.powi(exponent);
        let wait = Duration::try_from_secs_f64(wait).unwrap_or(self.max_backoff);
        wait.min(self.max_backoff).max(Self::SHORTEST)
    }
}

impl Default for RetrySpec {
    fn default() -> Self {
        Self {
            max_retries: 5,
            initial_backoff: Duration::from_millis(500),
            backoff_multiplier: 2.0,
            max_backoff: Duration::from_secs(30),
        }
    }
}

impl Default for Policies {
    fn default() -> Self {
        Self {
            lease_ttl: Duration::from_secs(30),
            lease_heartbeat_interval: Duration::from_secs(10),
            takeover_polling_interval: Duration::from_secs(5),
            retry: RetrySpec::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_longest_and_are_never_nothing() {
        let policy = RetrySpec::default();
        let waits: Vec<u128> = [1, 2, 3, 6, 7, 1000, u32::MAX].map(|count| policy.wait(count).as_millis()).to_vec();
        assert_eq!(waits, [500, 1000, 2000, 16_000, 30_000, 30_000, 30_000]);
        let none = RetrySpec { initial_backoff: Duration::ZERO, ..policy };
        assert_eq!([1, 99].map(|count| none.wait(count)), [RetrySpec::SHORTEST; 2]);
    }
}
