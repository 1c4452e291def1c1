//! A directory tree with POSIX names and durability, local or shared by several hosts.
//!
//! The operations are the file system's own, one by one, so that the commit protocol stands in the core and a
//! simulated volume can lose, delay and tear each of them. Every change takes the holder's [`Term`] and is refused
//! once that has ended. Paths are relative to the root, with `/`, never absolute, never with `..`.

use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::term::{Term, TermEnded};
use async_trait::async_trait;
use std::sync::Arc;

/// A directory tree.
#[async_trait]
pub trait Volume: Send + Sync {
    /// Where it is, for people.
    fn describe(&self) -> String;

    /// Makes one folder; [`VolumeError::Exists`] when anything has that name.
    async fn make_dir(&self, term: &Term, path: &str) -> Result<(), VolumeError>;

    /// Makes a folder and its parents where they are missing. All of them are durable afterwards, whoever made them.
    async fn make_dirs(&self, term: &Term, path: &str) -> Result<(), VolumeError>;

    /// Makes a new empty file, open for reading and writing; [`VolumeError::Exists`] when anything has that name.
    async fn create(&self, term: &Term, path: &str) -> Result<Arc<dyn VolumeFile>, VolumeError>;

    /// Opens a plain file for reading only; [`VolumeError::Foreign`] for anything else, which is neither followed nor waited for.
    async fn open(&self, path: &str) -> Result<Arc<dyn VolumeFile>, VolumeError>;

    /// Copies the first `bytes` of one file into an empty one: by reflink, by the kernel, or by hand.
    async fn copy_prefix(&self, term: &Term, from: &str, to: &str, bytes: u64) -> Result<(), VolumeError>;

    /// Whether one file's blocks can stand for another's, so that a copy costs nothing. `None` when the volume cannot
    /// tell. Makes `to` a copy of `from` where they can. For `doctor`.
    async fn shares_blocks(&self, term: &Term, from: &str, to: &str) -> Result<Option<bool>, VolumeError> {
        let _ = (term, from, to);
        Ok(None)
    }

    /// Whether a link from anywhere below the root into `folder` can work: both are on one device. `None` when the volume cannot
    /// tell, or the folder is not there yet.
    async fn is_one_device(&self, folder: &str) -> Result<Option<bool>, VolumeError> {
        let _ = folder;
        Ok(None)
    }

    /// Renames; a file in the way is replaced. Not durable before [`Volume::sync_dir`].
    async fn rename(&self, term: &Term, from: &str, to: &str) -> Result<(), VolumeError>;

    /// Gives a file a second name; [`VolumeError::Exists`] when anything has that name. Never replaces.
    async fn link(&self, term: &Term, from: &str, to: &str) -> Result<(), VolumeError>;

    /// Removes a file's name.
    async fn unlink(&self, term: &Term, path: &str) -> Result<(), VolumeError>;

    /// Removes an empty folder.
    async fn remove_dir(&self, term: &Term, path: &str) -> Result<(), VolumeError>;

    /// Makes the names in a folder durable.
    async fn sync_dir(&self, term: &Term, path: &str) -> Result<(), VolumeError>;

    /// Takes all write permission from a file, or gives it just the permissions that the worker file wants for what is published.
    async fn make_read_only(&self, term: &Term, path: &str) -> Result<(), VolumeError>;

    /// Names in a folder, sorted. Empty when the folder is not there.
    async fn list(&self, path: &str) -> Result<Vec<Entry>, VolumeError>;

    /// What a path is. `None` when nothing has that name.
    async fn stat(&self, path: &str) -> Result<Option<Entry>, VolumeError>;

    /// The permissions of a path: `0o700`. `None` when the volume has none.
    async fn mode(&self, path: &str) -> Result<Option<u32>, VolumeError> {
        let _ = path;
        Ok(None)
    }

    /// Bytes that may still be written.
    async fn free_bytes(&self) -> Result<u64, VolumeError>;
}

/// An open file. It stays open, whatever becomes of its name.
#[async_trait]
pub trait VolumeFile: Send + Sync {
    /// Writes all of `buffer` at `offset` (bytes from the start; never in append mode) and gives the buffer back.
    async fn write_at(&self, term: &Term, offset: u64, buffer: Vec<u8>) -> (Vec<u8>, Result<(), VolumeError>);

    /// Makes all written data durable. After an error nothing on this descriptor can be trusted any more: the
    /// kernel may have dropped the pages, and a second try would succeed falsely.
    async fn sync_data(&self, term: &Term) -> Result<(), VolumeError>;

    /// Reads up to `len` bytes at `offset`; fewer only at the end of the file.
    async fn read_at(&self, offset: u64, len: usize) -> Result<Vec<u8>, VolumeError>;

    /// The file's size in bytes.
    async fn size(&self) -> Result<u64, VolumeError>;

    /// Cuts or extends the file.
    async fn set_size(&self, term: &Term, bytes: u64) -> Result<(), VolumeError>;
}

/// A name in a folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The last part of the path.
    pub name: String,
    /// What has that name.
    pub kind: EntryKind,
    /// Size of a file in bytes; 0 for a folder.
    pub bytes: u64,
}

/// What a name stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EntryKind {
    /// A plain file.
    File,
    /// A folder.
    Dir,
    /// A link, device or anything else that this product never makes.
    Other,
}

/// Why a volume failed or refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum VolumeError {
    /// Something already has that name.
    #[error("`{path}` is already there")]
    Exists {
        /// Relative to the root.
        path: String,
    },
    /// Nothing has that name.
    #[error("`{path}` is not there")]
    NotFound {
        /// Relative to the root.
        path: String,
    },
    /// The folder still holds names.
    #[error("folder `{path}` is not empty")]
    NotEmpty {
        /// Relative to the root.
        path: String,
    },
    /// A link, a pipe, a device or a folder has a name where only a plain file may stand, or a folder of ours. Nothing was opened
    /// or waited for.
    #[error("`{path}` is {what}: only plain files and folders are used below the output root")]
    Foreign {
        /// Relative to the root: the path, or its part up to what stands in the way.
        path: String,
        /// What it is: `a pipe`.
        what: &'static str,
    },
    /// The right to write has ended; nothing was done.
    #[error(transparent)]
    TermEnded(#[from] TermEnded),
    /// The disk or a quota is full.
    #[error("no space left for `{path}`: {reason}")]
    Full {
        /// Relative to the root.
        path: String,
        /// The system's own words.
        reason: String,
    },
    /// Not allowed: permissions, a read-only file system.
    #[error("not allowed to {operation} `{path}`: {reason}")]
    Denied {
        /// What was tried: `write`.
        operation: &'static str,
        /// Relative to the root.
        path: String,
        /// The system's own words.
        reason: String,
    },
    /// Anything else, EIO and ESTALE among it.
    #[error("cannot {operation} `{path}`: {reason}")]
    Io {
        /// What was tried: `sync`.
        operation: &'static str,
        /// Relative to the root.
        path: String,
        /// The system's own words.
        reason: String,
    },
}

impl HasKind for VolumeError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::TermEnded(error) => error.kind(),
            Self::Exists { .. }
            | Self::NotFound { .. }
            | Self::NotEmpty { .. }
            | Self::Full { .. }
            | Self::Io { .. } => FailureKind::Failed,
            Self::Foreign { .. } => FailureKind::Conflict,
            Self::Denied { .. } => FailureKind::Config,
        }
    }
}
