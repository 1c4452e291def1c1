//! How a transfer stands: counts, what waits, what failed last.

use super::error::TransferError;
use super::spec::Transfer;
use crate::core::model::moment::instant;
use crate::core::model::trace::TraceId;
use crate::core::model::transfer::{FileFailure, FileRecord, FileState, FileStep, MadeFile, Side};
use crate::core::ports::store::{Found, OddRecord, StoreError};
use crate::core::ports::transfer_ledger::{StateCount, TransferLedger, Wanted};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;

/// How far back rates look.
const RATE: SignedDuration = SignedDuration::from_hours(1);

/// Failures that are shown.
const FAILURES: usize = 10;

/// Most records of what is not at its end that a person has looked through for odd ones.
pub const OPEN: usize = 10_000;

/// Most records whose ids begin alike that are looked at.
const ALIKE: usize = 1000;

/// A record that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Unreadable {
    /// Side and id.
    pub record: String,
    /// What is wrong with it.
    pub reason: String,
}

/// A state and how many files are in it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Count {
    /// Whose.
    pub side: Side,
    /// Which.
    pub state: FileState,
    /// How many.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When the oldest was seen.
    #[serde(with = "instant")]
    pub oldest: Timestamp,
}

impl From<StateCount> for Count {
    fn from(count: StateCount) -> Self {
        let StateCount { side, state, files, bytes, oldest } = count;
        Self { side, state, files, bytes, oldest }
    }
}

/// How a transfer stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TransferStatus {
    /// The transfer.
    pub transfer: String,
    /// By side and state.
    pub counts: Vec<Count>,
    /// Files that are not at their end.
    pub waiting: u64,
    /// Seconds since the oldest of them was seen. `None` when nothing waits.
    pub oldest_seconds: Option<u64>,
    /// Files that arrived within the last hour.
    pub files_last_hour: u64,
    /// Their bytes.
    pub bytes_last_hour: u64,
    /// The last failures, the latest first.
    pub failures: Vec<FileView>,
    /// Records that cannot be read, and whose versions nobody works on.
    pub unreadable: Vec<Unreadable>,
}

/// A version of a file, both sides together.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FileView {
    /// The version.
    pub id: String,
    /// Its path at its source.
    pub path: String,
    /// What is said of where it came from.
    pub source: String,
    /// In bytes.
    pub size: u64,
    /// Of all of it.
    pub sha256: String,
    /// How far it is: the state of the side that is further.
    pub state: FileState,
    /// How far the collecting side is.
    pub collect: Option<FileState>,
    /// How far the delivering side is.
    pub deliver: Option<FileState>,
    /// Its name in the archive or among the failed ones.
    pub archived: Option<String>,
    /// Its name at the target.
    pub delivered: Option<String>,
    /// What filters made of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made: Option<MadeFile>,
    /// Why it failed last.
    pub failure: Option<FileFailure>,
    /// The trace that its way belongs to, where traces are kept.
    pub trace_id: String,
    /// When it was seen first.
    #[serde(with = "instant")]
    pub seen_at: Timestamp,
    /// When anything of it changed last.
    #[serde(with = "instant")]
    pub changed_at: Timestamp,
    /// Its journey; only where one file is shown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<FileStep>,
}

impl FileView {
    fn of(record: &FileRecord) -> Self {
        Self {
            id: record.id.clone(),
            path: record.path.clone(),
            source: record.source.clone(),
            size: record.size,
            sha256: record.sha256.clone(),
            state: record.state,
            collect: None,
            deliver: None,
            archived: None,
            delivered: None,
            made: None,
            failure: None,
            trace_id: TraceId::of_file(&record.id).to_string(),
            seen_at: record.seen_at,
            changed_at: record.changed_at,
            steps: Vec::new(),
        }
    }

    fn add(&mut self, record: FileRecord) {
        self.seen_at = self.seen_at.min(record.seen_at);
        self.changed_at = self.changed_at.max(record.changed_at);
        match record.side {
            Side::Collect => (self.collect, self.archived) = (Some(record.state), record.place),
            Side::Deliver => {
                let delivered = record.place.filter(|_| record.state == FileState::Delivered);
                (self.deliver, self.delivered, self.made) = (Some(record.state), delivered, record.made);
            }
        }
        if let Some(trace) = record.trace {
            self.trace_id = trace;
        }
        if record.failure.is_some() {
            self.failure = record.failure;
        }
        self.state = match (self.collect, self.deliver) {
            (Some(FileState::Failed), _) | (_, Some(FileState::Failed)) => FileState::Failed,
            (Some(FileState::Archived), _) => FileState::Archived,
            (_, Some(deliver)) => deliver,
            (Some(collect), None) => collect,
            (None, None) => self.state,
        };
    }
}

/// How a transfer stands at `now`.
///
/// # Errors
/// When the ledger does not answer.
pub async fn status(
    ledger: &dyn TransferLedger,
    transfer: &Transfer,
    now: Timestamp,
) -> Result<TransferStatus, TransferError> {
    let name = transfer.id.as_str();
    let counts: Vec<Count> = ledger.counts(name).await?.into_iter().map(Count::from).collect();
    let open = counts.iter().filter(|count| !count.state.is_final());
    let oldest = open.clone().map(|count| count.oldest).min();
    let since = now.saturating_sub(RATE).unwrap_or(Timestamp::MIN);
    // A host that only collects counts what it has dealt with.
    let (side, state) = if transfer.deliver.is_some() {
        (Side::Deliver, FileState::Delivered)
    } else {
        (Side::Collect, FileState::Archived)
    };
    let arrived = ledger.total(name, &Wanted { since: Some(since), ..Wanted::of(side, state, 0) }).await?;
    let mut unreadable = odd_records(ledger, name, OPEN).await?;
    let latest = Wanted { since: Some(since), ..Wanted::of(side, state, FAILURES) };
    unreadable.extend(ledger.records(name, &latest).await?.odd);
    let wanted = Wanted { states: vec![FileState::Failed], limit: FAILURES * 2, ..Wanted::default() };
    let Found { records: failures, odd } = ledger.records(name, &wanted).await?;
    let mut failures = together(failures);
    failures.truncate(FAILURES);
    unreadable.extend(odd);
    unreadable.sort();
    unreadable.dedup();
    Ok(TransferStatus {
        transfer: name.to_owned(),
        waiting: open.map(|count| count.files).sum(),
        oldest_seconds: oldest.map(|oldest| now.duration_since(oldest).as_secs().max(0).unsigned_abs()),
        files_last_hour: arrived.files,
        bytes_last_hour: arrived.bytes,
        counts,
        failures,
        unreadable: unreadable.into_iter().map(|it| Unreadable { record: it.id, reason: it.reason }).collect(),
    })
}

/// Records of what is not at its end that cannot be read, among the `most` that changed last, and those of a state that nobody knows:
/// the first of them.
///
/// # Errors
/// When the ledger does not answer.
pub async fn odd_records(
    ledger: &dyn TransferLedger,
    transfer: &str,
    most: usize,
) -> Result<Vec<OddRecord>, StoreError> {
    let mut odd = ledger.strange(transfer).await?;
    odd.extend(ledger.records(transfer, &Wanted { limit: most, ..open() }).await?.odd);
    odd.sort();
    odd.dedup();
    Ok(odd)
}

/// What is not at its end.
pub fn open() -> Wanted {
    let states = FileState::ALL.into_iter().filter(|state| !state.is_final()).collect();
    Wanted { states, ..Wanted::default() }
}

/// Versions whose id begins so, each with its journey; and such records that cannot be read.
///
/// # Errors
/// When the ledger does not answer.
pub async fn show(
    ledger: &dyn TransferLedger,
    transfer: &Transfer,
    id: &str,
) -> Result<Found<FileView>, TransferError> {
    let wanted = Wanted { id: Some(id.to_owned()), limit: ALIKE, ..Wanted::default() };
    let Found { records, odd } = ledger.records(transfer.id.as_str(), &wanted).await?;
    let mut found = Found { records: together(records), odd };
    found.odd.extend(ledger.strange(transfer.id.as_str()).await?);
    found.odd.sort();
    found.odd.dedup();
    found.odd.retain(|odd| odd.id.rsplit(' ').next().is_some_and(|own| own.starts_with(id)));
    if let [view] = found.records.as_mut_slice() {
        view.steps = ledger.steps(transfer.id.as_str(), &view.id).await?;
    }
    Ok(found)
}

pub(super) fn together(records: Vec<FileRecord>) -> Vec<FileView> {
    let mut views: BTreeMap<String, FileView> = BTreeMap::new();
    for record in records {
        views.entry(record.id.clone()).or_insert_with(|| FileView::of(&record)).add(record);
    }
    let mut views: Vec<FileView> = views.into_values().collect();
    views.sort_by(|a, b| (b.changed_at, &a.path).cmp(&(a.changed_at, &b.path)));
    views
}
