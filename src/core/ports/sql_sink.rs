//! Tables that events are written to, with all that has to be recorded in the same transaction: positions, dead letters, and
//! events that wait for their parent.

use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::finding::Finding;
use crate::core::model::letter::{DeadLetter, ENTRY_MAX, LetterError, RawEvent};
use crate::core::model::rows::{SqlValue, TableSet};
use crate::core::model::shown;
use crate::core::ports::store::{Found, OddRecord};
use async_trait::async_trait;
use jiff::Timestamp;
use std::sync::Arc;

/// What is read of events that wait ends early when it reaches this many bytes.
pub const WAITING_BYTES: usize = 8 << 20;

/// What one event does to a row.
#[derive(Clone, PartialEq, Debug)]
pub struct Change {
    /// Its number in the batch; outcomes are counted by it.
    pub number: usize,
    /// Index of the shape in the sink's tables.
    pub shape: usize,
    /// A value for each column of the shape, then for each of its sums.
    pub values: Vec<SqlValue>,
    /// The event.
    pub event: Arc<RawEvent>,
    /// The number it is parked under, when it was parked before.
    pub parked: Option<i64>,
}

/// The change that counts for a row, and those that it covers: they need be tried only when it fails.
#[derive(Clone, PartialEq, Debug)]
pub struct RowChange {
    /// The newest.
    pub last: Change,
    /// The others of the same row, in their order, each with what becomes of it when the newest goes in.
    pub covered: Vec<(Change, Outcome)>,
}

impl RowChange {
    /// The covered events whose values of these columns are not the newest's.
    pub fn covered_with_others(&self, set: &TableSet, columns: &[usize]) -> Vec<&Change> {
        let value = |change: &'_ Change, column| set.value(change.shape, &change.values, column).cloned();
        let differs = |change: &&Change| columns.iter().any(|at| value(change, *at) != value(&self.last, *at));
        self.covered.iter().map(|(change, _)| change).filter(differs).collect()
    }

    /// All of them as they came.
    pub fn in_turn(&self) -> Vec<&Change> {
        let mut all: Vec<&Change> = self.covered.iter().map(|(change, _)| change).chain([&self.last]).collect();
        all.sort_by_key(|change| change.number);
        all
    }
}

/// What became of an event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Its effect is in the table.
    Written,
    /// The row was as new or newer, or the event was there before.
    Stale,
    /// A newer event of the same batch covers it.
    Folded,
    /// It waits for its parent, in the sink.
    Parked,
    /// It cannot be a row.
    Dead(LetterError),
}

/// A step of a partition's position.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PositionMove {
    /// The topic.
    pub topic: String,
    /// What tells it from another of the same name.
    pub topic_id: String,
    /// Which part of it.
    pub partition: i32,
    /// The position that the batch began at. `None`: none was stored.
    pub from: Option<i64>,
    /// The next event's offset.
    pub to: i64,
}

/// A stored position.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredPosition {
    /// The topic.
    pub topic: String,
    /// What tells it from another of the same name.
    pub topic_id: String,
    /// Which part of it.
    pub partition: i32,
    /// The next event's offset.
    pub next: i64,
}

impl StoredPosition {
    /// `events/3`.
    pub fn place(&self) -> String {
        format!("{}/{}", self.topic, self.partition)
    }

    /// As it is, if it makes sense.
    ///
    /// # Errors
    /// What is wrong with it, and what to do.
    pub fn checked(self) -> Result<Self, String> {
        if self.next >= 0 && self.partition >= 0 && !self.topic.is_empty() {
            return Ok(self);
        }
        let advice = "write the next offset into `filegen_offsets`, or remove the row and read from the first event, and start again";
        Err(format!("its position is no number of an event; its partition is not read: {advice}"))
    }
}

/// Why rows are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WriteMode {
    /// Events of the log. What dies is recorded in the outbox.
    Apply,
    /// Dead letters again: what dies once more is only told.
    Replay,
    /// To see what would happen: nothing stays.
    Judge,
}

/// One transaction.
#[derive(Clone, PartialEq, Debug)]
pub struct Batch {
    /// Rows, parents before children. Changes of one row stand in their order.
    pub rows: Vec<RowChange>,
    /// Events that died before.
    pub dead: Vec<DeadLetter>,
    /// Parked events that are among `dead` now, by number.
    pub unpark: Vec<i64>,
    /// Positions; each has to stand where its move begins.
    pub moves: Vec<PositionMove>,
    /// How many numbers the changes have.
    pub numbers: usize,
    /// Why.
    pub mode: WriteMode,
    /// The present.
    pub now: Timestamp,
    /// Who writes.
    pub instance: String,
    /// A parked event that fails so often though its parent is there is dead.
    pub attempts: u32,
}

/// An event that waits for its parent.
#[derive(Clone, PartialEq, Debug)]
pub struct Parked {
    /// Its number in the sink; older ones have smaller ones.
    pub number: i64,
    /// The event.
    pub event: RawEvent,
}

/// Dead letters that have not gone to the queue.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outgoing {
    /// Each with its number in the sink, oldest first.
    pub letters: Vec<(i64, DeadLetter)>,
    /// Rows that cannot be read: the first of them. They stay.
    pub odd: Vec<OddRecord>,
    /// The number of the last row that was looked at. `None`: there are no more.
    pub last: Option<i64>,
}

impl Outgoing {
    /// Adds a row, or what is wrong with it.
    pub fn add(&mut self, number: i64, letter: Result<DeadLetter, String>) {
        match letter {
            Ok(letter) => self.letters.push((number, letter)),
            Err(reason) if self.odd.len() < Found::<DeadLetter>::ODD_MAX => {
                self.odd.push(OddRecord { id: format!("filegen_dead_letters {number}"), reason });
            }
            Err(_) => {}
        }
    }
}

/// What a sink holds besides rows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SinkCounts {
    /// Where readers stand.
    pub positions: Found<StoredPosition>,
    /// Events that wait for a parent.
    pub parked: u64,
    /// Dead letters that have not gone to the queue.
    pub outbox: u64,
    /// Rows of each table.
    pub tables: Vec<(String, u64)>,
}

/// Whose events they are, and how many dead letters may wait.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SinkReader {
    /// The ingest.
    pub source: String,
    /// The group.
    pub group: String,
    /// Most dead letters in the outbox.
    pub outbox_limit: u64,
    /// Most bytes of them.
    pub outbox_bytes: u64,
}

impl SinkReader {
    /// From how many dead letters on their bytes have to be counted: fewer cannot reach the limit.
    pub fn counted_from(&self) -> u64 {
        self.outbox_bytes / ENTRY_MAX as u64
    }

    /// Why a batch is refused that leaves so many dead letters, of so many bytes.
    pub fn full(&self, sink: String, waiting: u64, bytes: u64) -> Option<SinkError> {
        let (limit, bytes_limit) = (self.outbox_limit, self.outbox_bytes);
        let is_full = waiting > limit || bytes > bytes_limit;
        is_full.then_some(SinkError::OutboxFull { sink, waiting, limit, bytes, bytes_limit })
    }
}

/// Why a sink did not do it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SinkError {
    /// Not reachable, locked, full, read-only, failing over. The batch is tried again; its outcome may be unknown.
    #[error("cannot write to {sink} now: {}", shown::text(reason))]
    Unreachable {
        /// Where, without secrets.
        sink: String,
        /// The client's own words.
        reason: String,
    },
    /// No such table or column, no permission, a type that does not fit. A person mends it.
    #[error("{sink} cannot take the events: {}", shown::text(reason))]
    Refused {
        /// Where, without secrets.
        sink: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// Another consumer has moved the position. Nothing of the batch was written.
    #[error("another consumer has moved the position of {place}; this batch is dropped")]
    Rival {
        /// Topic and partition.
        place: String,
    },
    /// The queue of dead letters has been away or full for too long.
    #[error(
        "{waiting} dead letters of {bytes} bytes wait in {sink}, and its limits are {limit} and {bytes_limit}: bring the queue back, or make \
         room in it"
    )]
    OutboxFull {
        /// Where, without secrets.
        sink: String,
        /// How many wait.
        waiting: u64,
        /// How many may.
        limit: u64,
        /// How long they are, all together.
        bytes: u64,
        /// How long they may be.
        bytes_limit: u64,
    },
    /// Anything else.
    #[error("{sink} failed: {}", shown::text(reason))]
    Failed {
        /// Where, without secrets.
        sink: String,
        /// The client's own words.
        reason: String,
    },
}

impl HasKind for SinkError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Unreachable { .. } | Self::OutboxFull { .. } => FailureKind::Unreachable,
            Self::Refused { .. } => FailureKind::Config,
            Self::Rival { .. } => FailureKind::Lease,
            Self::Failed { .. } => FailureKind::Failed,
        }
    }
}

/// The tables of one ingest file, for one group of readers.
#[async_trait]
pub trait SqlSink: Send {
    /// Where it is, without secrets.
    fn describe(&self) -> String;

    /// Statements that make all tables, in the words of this database. Each ends with a semicolon.
    fn schema(&self, tables: &TableSet) -> Vec<String>;

    /// Checks that the tables are there and fit; makes its own that are missing, and with `create` those of the file too.
    async fn open(&mut self, create: bool) -> Result<(), SinkError>;

    /// What would keep events from being written, and whether clocks agree. Changes nothing; with `create`, tables that are missing are
    /// none of it.
    async fn examine(&mut self, create: bool, now: Timestamp) -> Result<Vec<Finding>, SinkError>;

    /// Where this group's readers go on. A position that makes no sense has the id `topic/partition`.
    async fn positions(&mut self) -> Result<Found<StoredPosition>, SinkError>;

    /// Writes all of a batch or nothing. Gives an outcome for each number of its changes; a number without a change is `Stale`.
    ///
    /// An event changes its row only when its version and id are strictly greater than the row's. An event that adds something up does so
    /// once. A data error harms its own event only. An event without its parent is parked, and later events of its row are parked behind
    /// it. That holds for an event that a newer one covers, too, as if it had come in a batch of its own. A batch whose positions do not
    /// stand where it began is refused whole.
    async fn write(&mut self, batch: &Batch) -> Result<Vec<Outcome>, SinkError>;

    /// Parked events whose parent is there by now, or whose predecessor has expired, oldest first, at most `max` and about [`WAITING_BYTES`].
    /// One that cannot be read goes to the outbox as it is, so that nothing waits behind it. One whose parent's table is not there waits
    /// until it expires.
    async fn released(&mut self, max: usize) -> Result<Vec<Parked>, SinkError>;

    /// Whether any event waits for its parent.
    async fn has_parked(&mut self) -> Result<bool, SinkError>;

    /// Makes dead letters of some of the events that were parked before this moment and wait for their own parent. What queues behind
    /// one of them is tried for itself first: [`Self::released`] gives it. Returns how many; zero when none are left.
    async fn expire(&mut self, before: Timestamp, now: Timestamp, instance: &str) -> Result<u64, SinkError>;

    /// Dead letters behind this number that have not gone to the queue, oldest first, at most `max` and about [`WAITING_BYTES`]. A row
    /// that cannot be read hides no other.
    async fn outbox(&mut self, after: i64, max: usize) -> Result<Outgoing, SinkError>;

    /// Forgets dead letters that the queue has, by their numbers.
    async fn sent(&mut self, numbers: &[i64]) -> Result<(), SinkError>;

    /// What it holds.
    async fn counts(&mut self) -> Result<SinkCounts, SinkError>;
}
