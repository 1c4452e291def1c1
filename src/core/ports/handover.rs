//! A folder that another flow takes files from, for files that are brought there.

use super::folders::{Content, FolderError};
use super::store::StoreError;
use async_trait::async_trait;
use std::path::Path;

/// What became of a file that was brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Given {
    /// It lies there under its name, whole and durable: now, or since before.
    There,
    /// Another content has the name. Nothing was done.
    Taken,
    /// The file is another version by now. Nothing was done.
    Changed,
}

/// The folder.
#[async_trait]
pub trait Handover: Send + Sync {
    /// Where it is, for people.
    fn describe(&self) -> String;

    /// Copies the version of a file that `content` tells of, by its path below a root, to `name` below the folder. It appears there whole
    /// or not at all, and replaces nothing. May be repeated.
    async fn give(&self, root: &Path, path: &str, content: &Content, name: &str) -> Result<Given, FolderError>;

    /// As [`give`](Self::give), of a file that nobody ever changes, by its size and digest: it gets a second name, and is copied only where
    /// the file system gives none.
    async fn lend(&self, root: &Path, path: &str, file: (u64, &str), name: &str) -> Result<Given, FolderError>;

    /// Tries with a small file of its own whether files below a root can be lent. `true` when they get a second name, `false` when they
    /// are copied. Leaves nothing behind.
    async fn try_out(&self, root: &Path, nonce: &str) -> Result<bool, FolderError>;
}

/// What has become of a file that was handed over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Arrival {
    /// Nobody has taken it yet.
    Unknown,
    /// It is on its way.
    Moving {
        /// What it is called there.
        id: String,
    },
    /// Its receipt is there.
    Arrived {
        /// What it is called there.
        id: String,
    },
    /// It was refused for good, and set aside.
    Failed {
        /// What it is called there.
        id: String,
        /// Why, and what to do.
        reason: String,
    },
}

/// The word of the flow that takes the files.
#[async_trait]
pub trait Arrivals: Send + Sync {
    /// What has become of a version of a file: its path below the folder, its size and digest.
    async fn arrival(&self, path: &str, size: u64, sha256: &str) -> Result<Arrival, StoreError>;
}
