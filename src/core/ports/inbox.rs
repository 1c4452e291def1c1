//! The folder that files are collected from, with the folders for those that are done and those that failed.

use super::folders::{FolderError, FoundFile};
use crate::core::model::shown;
use async_trait::async_trait;
use std::ffi::OsString;

/// Something in the folder that can never be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OddEntry {
    /// Its folder below the inbox; empty for the inbox itself.
    pub folder: String,
    /// Its name, which may be no text.
    pub name: OsString,
    /// What is wrong: `it is a link`.
    pub what: String,
    /// Whether it is a plain file, which can be set aside.
    pub is_file: bool,
}

impl OddEntry {
    /// Its path for people.
    pub fn shown(&self) -> String {
        let name = shown::name(&self.name.to_string_lossy());
        if self.folder.is_empty() { name } else { format!("{}/{name}", shown::name(&self.folder)) }
    }
}

/// What is in the folder.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct InboxListing {
    /// Plain files, in no order.
    pub files: Vec<FoundFile>,
    /// What is no plain file with a name that is text. At most a few.
    pub odd: Vec<OddEntry>,
}

/// A file that is open for reading.
#[async_trait]
pub trait InboxFile: Send {
    /// Up to `most` bytes from `offset`; fewer only at the end.
    async fn read(&mut self, offset: u64, most: usize) -> Result<Vec<u8>, FolderError>;

    /// What is known of the open file now: its size, its time and its stamp.
    async fn now(&mut self) -> Result<FoundFile, FolderError>;
}

/// What became of a file that was to be moved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Moved {
    /// It is there now. Durable.
    To(String),
    /// There is no such file any more.
    Gone,
    /// Another version stands there: nothing was done.
    Changed,
}

/// Where a file goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shelf {
    /// Files that have arrived.
    Archive,
    /// Files that failed.
    Error,
}

/// A folder and its two shelves. No link below it is followed. Every change is durable when it answers.
///
/// `file` in a call is the version that is meant: nothing else is ever moved or removed.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Where it is, for people.
    fn describe(&self) -> String;

    /// What is in it; with `deep`, in the folders below too. The shelves and what this product makes for a moment are left out.
    async fn list(&self, deep: bool) -> Result<InboxListing, FolderError>;

    /// Answers when something may have changed since the last answer. Never where nobody tells: it only shortens a wait.
    async fn changed(&self);

    /// Opens a file for reading.
    async fn open(&self, path: &str) -> Result<Box<dyn InboxFile>, FolderError>;

    /// Moves a file onto a shelf, below the folder `day`. A name that is taken there gets a number. `sha256` is checked where the
    /// shelf is on another file system, so that the content is copied.
    async fn shelve(&self, shelf: Shelf, day: &str, file: &FoundFile, sha256: &str) -> Result<Moved, FolderError>;

    /// Gives a file a second name on a shelf and leaves it where it is.
    async fn keep_on(&self, shelf: Shelf, day: &str, file: &FoundFile, sha256: &str) -> Result<Moved, FolderError>;

    /// Removes a file. [`Moved::To`] has an empty name then.
    async fn remove(&self, file: &FoundFile) -> Result<Moved, FolderError>;

    /// Puts a small file of that name onto a shelf, as one that has come to its end, and takes it away again. With `moves` it comes
    /// from the folder. `false`: the shelf is on another file system, so that files are copied.
    async fn probe(&self, shelf: Shelf, name: &str, moves: bool) -> Result<bool, FolderError>;

    /// Sets aside what can never be sent.
    async fn set_aside(&self, day: &str, odd: &OddEntry) -> Result<Moved, FolderError>;

    /// Writes `NAME.error` beside a file on the error shelf, by the name that [`Inbox::shelve`] gave. An earlier one is replaced.
    async fn explain(&self, place: &str, reason: &[u8]) -> Result<(), FolderError>;

    /// Moves a file from the error shelf back to its path, and takes its `.error` away.
    async fn restore(&self, place: &str, path: &str) -> Result<Moved, FolderError>;
}
