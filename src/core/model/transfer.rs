//! What both sides of a transfer remember of a file.

use crate::core::kind::FailureKind;
use crate::core::model::moment::instant;
use crate::core::model::shown;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Which side remembers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Takes files from a folder and sends them.
    Collect,
    /// Receives files and puts them where they belong.
    Deliver,
}

impl Side {
    /// Both, in the order in which a file passes them.
    pub const ALL: [Self; 2] = [Self::Collect, Self::Deliver];

    /// The word in stores, JSON and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Collect => "collect",
            Self::Deliver => "deliver",
        }
    }
}

/// How far a side is with a version of a file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileState {
    /// It was found, and its content is known.
    Seen,
    /// Its chunks are on their way to the broker.
    Sending,
    /// The broker has all of it.
    Sent,
    /// The other side has it, and the source was dealt with: archived, deleted or kept.
    Archived,
    /// Its chunks are on their way to the target.
    Receiving,
    /// All of it is at the target under a temporary name, and it gets its final one.
    Writing,
    /// It stands under its final name.
    Delivered,
    /// It failed for good, and was set aside with its reason.
    Failed,
}

impl FileState {
    /// All states, in the order in which a file passes them.
    pub const ALL: [Self; 8] = [
        Self::Seen,
        Self::Sending,
        Self::Sent,
        Self::Archived,
        Self::Receiving,
        Self::Writing,
        Self::Delivered,
        Self::Failed,
    ];

    /// The word in stores and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Archived => "archived",
            Self::Receiving => "receiving",
            Self::Writing => "writing",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    /// Reads the word back. `None` for any other.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether nothing more happens by itself.
    pub fn is_final(self) -> bool {
        match self {
            Self::Archived | Self::Delivered | Self::Failed => true,
            Self::Seen | Self::Sending | Self::Sent | Self::Receiving | Self::Writing => false,
        }
    }
}

/// Why a version of a file failed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileFailure {
    /// What kind of failure, by the word of [`FailureKind`].
    pub kind: String,
    /// What is wrong, and what to do.
    pub reason: String,
    /// How often it was tried.
    pub attempts: u32,
    /// The first failure.
    #[serde(with = "instant")]
    pub first_at: Timestamp,
    /// The last one.
    #[serde(with = "instant")]
    pub last_at: Timestamp,
    /// Where it failed: host and process.
    pub host: String,
}

impl FileFailure {
    /// A failure after those `before`.
    pub fn after(before: Option<&Self>, kind: FailureKind, reason: String, at: Timestamp, host: &str) -> Self {
        Self {
            kind: kind.as_str().to_owned(),
            // It may be the other side's word.
            reason: shown::owned(reason),
            attempts: before.map_or(0, |before| before.attempts).saturating_add(1),
            first_at: before.map_or(at, |before| before.first_at),
            last_at: at,
            host: host.to_owned(),
        }
    }
}

/// A version of a file: path, size and the digest of all of it; and how far a side is with it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileRecord {
    /// The transfer.
    pub transfer: String,
    /// Whose record it is.
    pub side: Side,
    /// Made from source, path, size and digest.
    pub id: String,
    /// How far it is.
    pub state: FileState,
    /// Its path below the folder it was found in.
    pub path: String,
    /// What the envelope says of where it came from.
    pub source: String,
    /// In bytes.
    pub size: u64,
    /// Of all of it, in hexadecimal digits.
    pub sha256: String,
    /// When its content was changed, as its writer says.
    #[serde(with = "instant")]
    pub modified_at: Timestamp,
    /// What its folder said of it when it was looked at. Empty on the delivering side.
    pub stamp: String,
    /// How much of it is safe: acknowledged chunks on the collecting side, durable bytes on the delivering one.
    pub durable: u64,
    /// What the filters of the delivering side made of it. `None` where there are none, or not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<MadeFile>,
    /// Processes whose unfinished file may be at the target, the latest last. Empty once it is delivered, and on the collecting side.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub writers: Vec<String>,
    /// What was begun at an object store, and not yet came to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<Upload>,
    /// How often the target has said no to it without a reason that is known to pass, in all tries of all processes since it was sent.
    #[serde(default, skip_serializing_if = "is_none")]
    pub tries: u32,
    /// Where it is now: its name in the archive or among the failed ones, or its final name at the target.
    pub place: Option<String>,
    /// Why it failed last. A file that goes on after a failure keeps it.
    pub failure: Option<FileFailure>,
    /// The trace that its message belongs to, where that is another than its id says: its sender is of another maker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// When this side saw it first.
    #[serde(with = "instant")]
    pub seen_at: Timestamp,
    /// When this record was changed last.
    #[serde(with = "instant")]
    pub changed_at: Timestamp,
}

/// Nothing that must stand in a record.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives it so")]
fn is_none(tries: &u32) -> bool {
    *tries == 0
}

impl FileRecord {
    /// Which way of the collecting side it is on, from 0: each failure ends one, and a redrive begins the next.
    pub fn way(&self) -> u32 {
        self.failure.as_ref().map_or(0, |failure| failure.attempts)
    }

    /// The size of what is delivered, in bytes.
    pub fn final_size(&self) -> u64 {
        self.made.as_ref().map_or(self.size, |made| made.size)
    }

    /// The digest of what is delivered, in hexadecimal digits.
    pub fn final_sha256(&self) -> &str {
        self.made.as_ref().map_or(&self.sha256, |made| &made.sha256)
    }
}

/// What filters made of a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MadeFile {
    /// In bytes.
    pub size: u64,
    /// Of all of it, in hexadecimal digits.
    pub sha256: String,
}

/// An unfinished upload to an object store: invisible until it is completed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Upload {
    /// The path below the target that it gets.
    pub path: String,
    /// The store's own word for it.
    pub id: String,
}

/// A change of state, for a file's journey.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileStep {
    /// Whose step.
    pub side: Side,
    /// What it became.
    pub state: FileState,
    /// When.
    #[serde(with = "instant")]
    pub at: Timestamp,
    /// By whom: host and process.
    pub by: String,
}

/// Longest id, in bytes.
const ID_MAX: usize = 128;

/// Whether a text can be an id: it stands in file names and in subjects.
pub fn is_id(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !text.is_empty() && text.len() <= ID_MAX && text.bytes().all(fits)
}
