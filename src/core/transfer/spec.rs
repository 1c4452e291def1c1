//! A transfer file, resolved.

use crate::core::model::names::TransferId;
use crate::core::model::nats::NatsSpec;
use crate::core::model::policy::RetrySpec;
use crate::core::model::s3::S3Spec;
use crate::core::model::secret::Secret;
use crate::core::model::sftp::{SftpSpec, SftpVerify};
use crate::core::transfer::naming::NameTemplate;
use crate::core::transfer::steps::{Companion, Filter};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a transfer file declares.
#[derive(Clone, PartialEq, Debug)]
pub struct Transfer {
    /// Its name: the same on both sides.
    pub id: TransferId,
    /// The collecting side. `None` when the file has none.
    pub collect: Option<Collect>,
    /// What carries the files.
    pub broker: BrokerSpec,
    /// The delivering side. `None` when the file has none.
    pub deliver: Option<Deliver>,
    /// The address of the ledger.
    pub state: Secret,
    /// Waits and sizes.
    pub policies: TransferPolicies,
}

/// Where files come from.
#[derive(Clone, PartialEq, Debug)]
pub struct Collect {
    /// The folder.
    pub directory: PathBuf,
    /// Which of its files: a glob that was checked.
    pub pattern: String,
    /// How often it is looked at.
    pub poll: Duration,
    /// A file is ready when its size and time held still for so long.
    pub stable_for: Duration,
    /// A file is ready when this one stands beside it: `{name}.done`.
    pub done_file: Option<String>,
    /// What becomes of a file that has arrived.
    pub after: After,
    /// Whether the other side's receipt is waited for. Without one, a file has left this side when the broker has it.
    pub receipt: bool,
    /// Files that have arrived.
    pub archive: PathBuf,
    /// Files that failed.
    pub error: PathBuf,
    /// What the envelope says of where a file came from.
    pub source: String,
    /// The largest file that is sent, in bytes: where the file has a delivering side, no more than that takes.
    pub max_size: u64,
}

impl Collect {
    /// Whether another transfer's collecting side gets files from this one's way, or the other way round: both take the same ones, and
    /// one of them takes them away.
    pub fn is_in_the_way_of(&self, other: &Self) -> bool {
        let keeps = |collect: &Self| collect.after == After::Keep;
        self.pattern == other.pattern && !(keeps(self) && keeps(other))
    }
}

/// What writers put behind a name while they write.
pub const MARKS: [&str; 4] = [".tmp", ".part", ".filepart", ".lock"];

/// Whether a path's ending says that it is unfinished.
pub fn is_mark(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    MARKS.iter().any(|mark| lower.ends_with(mark))
}

/// What becomes of a file that has arrived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum After {
    /// It is moved to the archive.
    Archive,
    /// It is deleted.
    Delete,
    /// It stays.
    Keep,
}

impl After {
    /// The word in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Archive => "archive",
            Self::Delete => "delete",
            Self::Keep => "keep",
        }
    }
}

/// What carries the files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BrokerSpec {
    /// A folder that both sides see.
    Local(PathBuf),
    /// NATS JetStream.
    Nats(Box<NatsSpec>),
}

impl BrokerSpec {
    /// The folder, where it is one.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Local(path) => Some(path),
            Self::Nats(_) => None,
        }
    }
}

/// Where files go.
#[derive(Clone, PartialEq, Debug)]
pub struct Deliver {
    /// The target.
    pub to: TargetSpec,
    /// Folders below it.
    pub organize_by: Organize,
    /// A file's name there.
    pub name: NameTemplate,
    /// What a name means that another content has.
    pub on_exists: OnExists,
    /// Permissions of the files: `0o640`. `None`: what the server gives them.
    pub permissions: Option<u32>,
    /// The largest file that is taken, in bytes.
    pub max_size: u64,
    /// What is done with a content on its way, in order.
    pub filters: Vec<Filter>,
    /// What follows each file.
    pub companions: Vec<Companion>,
    /// A folder of this host for what filters take and make.
    pub work: PathBuf,
}

/// The target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TargetSpec {
    /// A folder of this host.
    Directory(PathBuf),
    /// A folder of an SFTP server.
    Sftp(Box<SftpSpec>),
    /// A bucket of an object store.
    S3(Box<S3Spec>),
}

impl TargetSpec {
    /// The folder, where it is one of this host.
    pub fn directory(&self) -> Option<&Path> {
        match self {
            Self::Directory(path) => Some(path),
            Self::Sftp(_) | Self::S3(_) => None,
        }
    }

    /// Whether what was written is read again before it gets its name.
    pub fn is_read_back(&self) -> bool {
        match self {
            // The store holds each piece against its digest before it takes it.
            Self::Directory(_) | Self::S3(_) => false,
            Self::Sftp(spec) => spec.verify == SftpVerify::Content,
        }
    }
}

/// Folders below the target.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Organize {
    /// `2026/11/28/`.
    Date,
    /// `csv/`.
    Type,
    /// `api/`.
    Source,
    /// None.
    None,
}

impl Organize {
    /// The word in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::Type => "type",
            Self::Source => "source",
            Self::None => "none",
        }
    }
}

/// What a name means that another content has. The same content is always taken for delivered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnExists {
    /// The file fails.
    Error,
    /// It gets a number: `NAME-1.csv`.
    Suffix,
    /// It takes the other's place.
    Replace,
}

impl OnExists {
    /// The word in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Suffix => "suffix",
            Self::Replace => "replace",
        }
    }
}

/// Waits and sizes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TransferPolicies {
    /// Tries after a passing failure.
    pub retry: RetrySpec,
    /// Bytes of a chunk.
    pub chunk: u64,
    /// Chunks between two syncs.
    pub fsync_every: u64,
    /// Files that are sent, or written, at once.
    pub concurrency: usize,
}
