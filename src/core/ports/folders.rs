//! The folders of data sources: what is in them, and what a file holds. Only looked at.

use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::shown;
use async_trait::async_trait;
use jiff::Timestamp;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Most files of one folder that are looked at.
pub const FILES_MAX: usize = 1_000_000;

/// A plain file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FoundFile {
    /// Its path below the folder that was listed, with `/` between names.
    pub path: String,
    /// In bytes.
    pub size: u64,
    /// When its content was changed, as its writer says.
    pub modified_at: Timestamp,
    /// Changes with every change of the file, whatever its writer says of its time.
    pub stamp: String,
}

/// What is in a folder.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Listing {
    /// In the order of their paths.
    pub files: Vec<FoundFile>,
    /// What is neither a plain file nor a folder, or has gone meanwhile: each a sentence. At most a few.
    pub odd: Vec<String>,
    /// Folders in it that cannot be looked into: each a sentence. At most a few.
    pub closed: Vec<String>,
    /// Plain files whose name is no UTF-8 text, with a sign in place of each odd byte: nothing that is told or kept can name them.
    pub unnameable: Vec<String>,
}

/// A file's content.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Content {
    /// Of all of it, in hexadecimal digits.
    pub sha256: String,
    /// How many bytes that were.
    pub size: u64,
    /// As [`FoundFile::modified_at`], when its end was read.
    pub modified_at: Timestamp,
    /// As [`FoundFile::stamp`], when its end was read.
    pub stamp: String,
}

/// Why a folder or a file cannot be looked at.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FolderError {
    /// It is not there.
    #[error("{} is not there", shown::name(path))]
    Missing {
        /// Which.
        path: String,
    },
    /// A link, or anything else that is no folder, or no plain file.
    #[error("{} is {what}", shown::name(path))]
    Foreign {
        /// Which part of the path.
        path: String,
        /// What it is: `a link`.
        what: &'static str,
    },
    /// Nothing that is told or kept can name it.
    #[error("the name of {} is no UTF-8 text: rename it", shown::name(path))]
    Unnameable {
        /// Which, with a sign in place of each odd byte.
        path: String,
    },
    /// It may not be read.
    #[error("{} may not be read by the user of this process", shown::name(path))]
    Denied {
        /// Which.
        path: String,
    },
    /// It holds more than is looked at.
    #[error("{} holds more than {FILES_MAX} files", shown::name(path))]
    TooMany {
        /// Which.
        path: String,
    },
    /// An earlier look at it has not ended.
    #[error("{} has not answered for {seconds} s, and is not looked at again before it does", shown::name(path))]
    Hangs {
        /// Which.
        path: String,
        /// For how long.
        seconds: u64,
    },
    /// Many looks at the file system that it lies on have not ended.
    #[error(
        "{} is not looked at: {looks} looks at other folders of its disk have not been answered, the first for {seconds} s",
        shown::name(path)
    )]
    DiskHangs {
        /// What was not looked at.
        path: String,
        /// How many.
        looks: usize,
        /// For how long the first of them has waited.
        seconds: u64,
    },
    /// The system says something else.
    #[error("{} cannot be read: {}", shown::name(path), shown::text(reason))]
    Failed {
        /// Which.
        path: String,
        /// The system's words.
        reason: String,
    },
}

impl HasKind for FolderError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Missing { .. } => FailureKind::Absent,
            Self::Foreign { .. } | Self::Denied { .. } | Self::Unnameable { .. } => FailureKind::Refused,
            Self::Hangs { .. } | Self::DiskHangs { .. } => FailureKind::Unreachable,
            Self::TooMany { .. } | Self::Failed { .. } => FailureKind::Failed,
        }
    }
}

/// How a call gets on. Whoever works beats with each step, and keeps the pulse until the work has ended: also when nobody waits for its
/// answer any more.
#[derive(Clone, Default, Debug)]
pub struct Pulse(Arc<AtomicU64>);

impl Pulse {
    /// One more step is done.
    pub fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// How many were.
    pub fn beats(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Whether nobody else keeps it: the work has ended.
    pub fn is_over(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

/// Folders below roots. No link below a root is followed, so nothing outside of it is ever looked at, whatever is put into it and when.
/// Calls may take as long as the disk does; one that hangs keeps no other.
#[async_trait]
pub trait Folders: Send + Sync {
    /// Whether a folder can be looked at.
    async fn check(&self, root: &Path, below: &str, pulse: &Pulse) -> Result<(), FolderError>;

    /// The plain files of a folder; with `deep`, those of the folders in it too.
    async fn list(&self, root: &Path, below: &str, deep: bool, pulse: &Pulse) -> Result<Listing, FolderError>;

    /// The content of a file, by its path below the root.
    async fn read(&self, root: &Path, path: &str, pulse: &Pulse) -> Result<Content, FolderError>;

    /// What hangs together with a folder: the place of its disk, told without a look at it.
    fn disk(&self, root: &Path, below: &str) -> String;
}
