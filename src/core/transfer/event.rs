//! What happens to files, for a terminal, a log and metrics.

use crate::core::kind::FailureKind;
use crate::core::model::trace::TraceParent;
use crate::core::model::transfer::{FileRecord, Side};
use jiff::Timestamp;
use std::time::Duration;

/// What happens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TransferEvent {
    /// A look at the folder found so many files that are to be sent, with so many bytes.
    Found {
        /// Files.
        files: u64,
        /// Their bytes.
        bytes: u64,
    },
    /// Something lies there that can never be sent.
    Odd {
        /// Its path.
        path: String,
        /// What is wrong, and what was done.
        what: String,
        /// Whether it was set aside.
        is_set_aside: bool,
    },
    /// A message is taken away that is not the one of the version with its id.
    Foreign {
        /// The id that it was sent under.
        id: String,
        /// What shows it.
        why: String,
    },
    /// A record of the ledger cannot be read: nobody works on its version.
    Unreadable {
        /// Side and id.
        record: String,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// A file goes on its way on this side.
    Begun {
        /// Whose.
        side: Side,
        /// The version.
        id: String,
        /// Its path.
        path: String,
        /// In bytes.
        size: u64,
        /// Bytes that an earlier try brought there.
        resumed: u64,
    },
    /// The delivering side takes a message: its part of a file's way begins.
    Taken {
        /// The version.
        id: String,
        /// The trace that the message belongs to, as it says.
        trace: Option<TraceParent>,
    },
    /// A step on a file's way has come to its end.
    Stepped {
        /// Whose.
        side: Side,
        /// The version.
        id: String,
        /// Which try of the collecting side it belongs to, from 0: a redrive is another one. 0 on the delivering side.
        way: u32,
        /// Which.
        step: Step,
        /// When it began.
        since: Timestamp,
        /// When it ended.
        until: Timestamp,
        /// Why it came to nothing, if it did.
        failed: Option<String>,
    },
    /// The delivering side lets go of a message that it took: done with, or to be taken again for this reason.
    LetGo {
        /// The version.
        id: String,
        /// Why it comes again.
        failed: Option<String>,
        /// Whether another process works on it.
        is_anothers: bool,
    },
    /// More of a file is done.
    Moved {
        /// Whose.
        side: Side,
        /// The version.
        id: String,
        /// Bytes since the last such event.
        bytes: u64,
    },
    /// The broker has a file.
    Sent(FileRecord),
    /// A version that arrived earlier lay there again.
    Again {
        /// The path.
        path: String,
        /// The version.
        id: String,
    },
    /// A file changed or vanished while it was read; that version is not sent.
    Dropped {
        /// The path.
        path: String,
        /// What happened.
        why: String,
        /// What the ledger had of the version, where it had anything.
        record: Option<Box<FileRecord>>,
    },
    /// A file's source was dealt with: archived, deleted or kept.
    Settled(FileRecord),
    /// A file stands under its final name.
    Delivered {
        /// The record.
        record: FileRecord,
        /// Since it was seen by the collecting side.
        took: Duration,
    },
    /// A file failed for good, on this side.
    Failed(FileRecord),
    /// A side has looked for work, and everything answered.
    Looked {
        /// Whose.
        side: Side,
    },
    /// Something passing; it is tried again.
    Waiting {
        /// Whose.
        side: Side,
        /// What kind.
        kind: FailureKind,
        /// What is wrong.
        reason: String,
        /// After how long.
        after: Duration,
    },
}

/// A step on a file's way.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Step {
    /// From the first look to the one that found that it holds still.
    Stable,
    /// It is read for its digest.
    Hash,
    /// It goes to the broker, in chunks where it is large.
    Send,
    /// Its bytes come from the broker.
    Receive,
    /// Filters make of it what is delivered.
    Filter,
    /// What they made goes to the target.
    Write,
    /// It gets its final name.
    Publish,
    /// The delivering side tells how it ended, or the collecting side waits for that.
    Receipt,
    /// Its source is dealt with.
    Settle,
}

impl Step {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Hash => "hash",
            Self::Send => "send",
            Self::Receive => "receive",
            Self::Filter => "filter",
            Self::Write => "write",
            Self::Publish => "publish",
            Self::Receipt => "receipt",
            Self::Settle => "settle",
        }
    }
}

impl TransferEvent {
    /// The side that works, where the event tells it.
    pub fn side(&self) -> Option<Side> {
        match self {
            Self::Begun { side, .. }
            | Self::Moved { side, .. }
            | Self::Stepped { side, .. }
            | Self::Looked { side }
            | Self::Waiting { side, .. } => Some(*side),
            Self::Sent(record) | Self::Settled(record) | Self::Delivered { record, .. } | Self::Failed(record) => {
                Some(record.side)
            }
            Self::Found { .. } | Self::Odd { .. } | Self::Again { .. } | Self::Dropped { .. } => Some(Side::Collect),
            Self::Taken { .. } | Self::LetGo { .. } => Some(Side::Deliver),
            Self::Foreign { .. } | Self::Unreadable { .. } => None,
        }
    }
}
