//! What an ingest reports while it works.

use crate::core::model::letter::{LetterKind, RawEvent};
use crate::core::ports::sql_sink::Outcome;
use crate::core::ports::store::OddRecord;
use std::sync::Arc;
use std::time::Duration;

/// Events by what became of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct Tally {
    /// Their effect is in a table.
    pub written: u64,
    /// The row was as new, or newer.
    pub stale: u64,
    /// A newer event of the same batch covered them.
    pub folded: u64,
    /// They wait for their parent.
    pub parked: u64,
    /// They cannot be rows.
    pub dead: u64,
}

impl Tally {
    /// Counts an event.
    pub fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Written => self.written += 1,
            Outcome::Stale => self.stale += 1,
            Outcome::Folded => self.folded += 1,
            Outcome::Parked => self.parked += 1,
            Outcome::Dead(_) => self.dead += 1,
        }
    }

    /// All of them.
    pub fn all(&self) -> u64 {
        self.written + self.stale + self.folded + self.parked + self.dead
    }

    /// Adds another tally.
    pub fn add(&mut self, other: &Self) {
        self.written += other.written;
        self.stale += other.stale;
        self.folded += other.folded;
        self.parked += other.parked;
        self.dead += other.dead;
    }
}

/// What happened.
#[derive(Clone, Debug)]
pub enum IngestEvent {
    /// How many events wait, as far as the log tells, when reading began. `None`: nobody tells.
    Begun {
        /// Positions of all partitions together.
        behind: Option<u64>,
    },
    /// A batch is durable.
    Written {
        /// What became of its events.
        tally: Tally,
        /// How long the sink took.
        took: Duration,
        /// How far the positions moved.
        moved: u64,
        /// Each event with what became of it.
        events: Vec<(Arc<RawEvent>, Outcome)>,
    },
    /// Parked events were written, or are dead.
    Released {
        /// What became of them.
        tally: Tally,
        /// Why those died that did.
        dead: Vec<LetterKind>,
    },
    /// How many events wait in partitions of this reader.
    Lag {
        /// Each partition with its lag.
        partitions: Vec<(i32, u64)>,
    },
    /// Partitions went to another reader.
    Revoked {
        /// Which.
        partitions: Vec<i32>,
    },
    /// Parked events are dead: their parent did not come in time.
    Expired {
        /// How many.
        count: u64,
    },
    /// Nothing comes although something is there; or what held it up is gone.
    HeldUp {
        /// Why. `None`: it goes on.
        reason: Option<String>,
    },
    /// The sink is away; the batch will be tried again.
    Waiting {
        /// Why.
        reason: String,
        /// Tries so far.
        attempt: u32,
        /// Until the next.
        after: Duration,
    },
    /// Another consumer moved the positions: the batch was dropped.
    Rival {
        /// Which position.
        reason: String,
    },
    /// Dead letters went to the queue.
    Sent {
        /// How many.
        count: usize,
    },
    /// Dead letters left the queue: they were kept for as long as the file says.
    Dropped {
        /// How many.
        count: u64,
    },
    /// Records of its own in the sink that cannot be read: they are passed over, and stay.
    Odd {
        /// Which of them were looked at.
        of: Records,
        /// The first of those that cannot be read. Empty: all can.
        records: Vec<OddRecord>,
    },
    /// The queue is away or full; dead letters wait in the sink.
    QueueAway {
        /// Why.
        reason: String,
    },
}

/// Records that an ingest keeps in its sink.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Records {
    /// Where readers stand.
    Positions,
    /// Dead letters on their way to the queue.
    Outbox,
}

/// A request that was answered at a door.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Served {
    /// The route, with its parameters' names: `/users/{id}`.
    pub route: String,
    /// The status code.
    pub status: u16,
    /// How long that took.
    pub took: Duration,
}

/// Events went to the topic through a door.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Produced {
    /// How many the broker has confirmed.
    pub count: u64,
}
