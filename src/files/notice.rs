//! Word from the file system that something in a folder changed. It only shortens a wait: network file systems tell nothing.

use rustix::fd::OwnedFd;
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use std::io;
use std::path::Path;

/// A file was closed after writing, came, or went; and so for folders.
const CHANGES: WatchFlags = WatchFlags::CLOSE_WRITE
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::CREATE);

/// Nothing is watched yet.
pub(crate) fn notices() -> io::Result<OwnedFd> {
    Ok(inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?)
}

/// Watches a folder from now on; once more changes nothing.
pub(crate) fn watch(notices: &OwnedFd, folder: &Path) -> io::Result<()> {
    Ok(inotify::add_watch(notices, folder, CHANGES | WatchFlags::ONLYDIR).map(drop)?)
}

/// Takes all that was told.
pub(crate) fn drain(notices: &OwnedFd) {
    let mut told = [0_u8; 4096];
    while rustix::io::read(notices, &mut told).is_ok_and(|count| count > 0) {}
}
