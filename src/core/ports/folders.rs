//! The folders of data sources: what is in them, and what a file holds. Only looked at.

use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::shown;
use async_trait::async_trait;
use jiff::Timestamp;
use std::path::Path;

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
    /// What is neither a plain file nor a folder, or cannot be looked at: each a sentence. At most a few.
    pub odd: Vec<String>,
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
            Self::Foreign { .. } | Self::Denied { .. } => FailureKind::Refused,
            Self::TooMany { .. } | Self::Failed { .. } => FailureKind::Failed,
        }
    }
}

/// Folders below roots. No link below a root is followed, so nothing outside of it is ever looked at, whatever is put into it and when.
/// Calls may take as long as the disk does; one that hangs keeps no other.
#[async_trait]
pub trait Folders: Send + Sync {
    /// Whether a folder can be looked at.
    async fn check(&self, root: &Path, below: &str) -> Result<(), FolderError>;

    /// The plain files of a folder; with `deep`, those of the folders in it too.
    async fn list(&self, root: &Path, below: &str, deep: bool) -> Result<Listing, FolderError>;

    /// The content of a file, by its path below the root.
    async fn read(&self, root: &Path, path: &str) -> Result<Content, FolderError>;
}
