//! What stands where only plain files and folders may, in words.

use rustix::fs::FileType;
use std::fmt;
use std::io;

/// Something that this product never makes has one of its names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Foreign {
    /// The path, or its part up to this thing.
    pub(crate) path: String,
    /// What it is: `a pipe`.
    pub(crate) what: &'static str,
}

impl Foreign {
    /// As an error that says what it is. [`Foreign::of`] finds it in there again.
    pub(crate) fn error(path: &str, kind: FileType) -> io::Error {
        io::Error::other(Self { path: path.to_owned(), what: words(kind) })
    }

    /// The foreign thing that an error speaks of.
    pub(crate) fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref().and_then(|inner| inner.downcast_ref())
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is {}", self.path, self.what)
    }
}

impl std::error::Error for Foreign {}

pub(super) fn words(kind: FileType) -> &'static str {
    match kind {
        FileType::Fifo => "a pipe",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        FileType::Symlink => "a link",
        FileType::Directory => "a folder",
        FileType::RegularFile => "a file",
        FileType::Unknown => "neither a file nor a folder",
    }
}
