//! A folder that another flow takes files from, for files that are brought there.

use super::folders::{Content, FolderError};
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
}
