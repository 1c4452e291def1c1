//! What may stand under one of our names without being ours: pipes, sockets, devices, links, folders, and files that claim
//! terabytes.

use rustix::fs::{CWD, FileType, Mode};
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

/// One kind of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Thing {
    Pipe,
    Socket,
    /// Needs root.
    Device,
    /// To a file outside that may be read.
    Link,
    /// To nothing.
    Dangling,
    Folder,
    /// Three terabytes of nothing.
    Huge,
}

impl Thing {
    /// All that this user can make.
    pub fn all() -> Vec<Self> {
        let mut all = vec![Self::Pipe, Self::Socket, Self::Link, Self::Dangling, Self::Folder, Self::Huge];
        if rustix::process::geteuid().is_root() {
            all.push(Self::Device);
        }
        all
    }

    /// Puts it at a path, in the place of whatever is there. `elsewhere` is what a link leads to.
    pub fn put(self, path: &Path, elsewhere: &Path) {
        take_away(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match self {
            Self::Pipe => rustix::fs::mkfifoat(CWD, path, Mode::from_raw_mode(0o666)).unwrap(),
            Self::Socket => drop(UnixListener::bind(path).unwrap()),
            Self::Device => {
                let zero = rustix::fs::makedev(1, 5);
                rustix::fs::mknodat(CWD, path, FileType::CharacterDevice, Mode::from_raw_mode(0o666), zero).unwrap();
            }
            Self::Link => symlink(elsewhere, path).unwrap(),
            Self::Dangling => symlink("/nowhere/at all", path).unwrap(),
            Self::Folder => fs::create_dir(path).unwrap(),
            Self::Huge => File::create(path).unwrap().set_len(3 << 40).unwrap(),
        }
    }
}

/// Removes whatever is at a path.
pub fn take_away(path: &Path) {
    match path.symlink_metadata() {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path).unwrap(),
        Ok(_) => fs::remove_file(path).unwrap(),
        Err(_) => {}
    }
}
