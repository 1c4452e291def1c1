//! Names that change beneath a folder without ever replacing another: files that are moved, or get a second name.

use super::beneath::{Beneath, Found};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// File systems that know no rename without replacing.
const UNKNOWN: [Errno; 4] = [Errno::INVAL, Errno::NOSYS, Errno::OPNOTSUPP, Errno::NOTTY];

impl Beneath {
    /// Moves a file beneath another root, or this one. `name` may be no text.
    ///
    /// # Errors
    /// `AlreadyExists` when anything has the name there; `CrossesDevices` for another file system.
    pub(crate) fn move_new(&self, folder: &str, name: &OsStr, to: &Self, path: &str) -> io::Result<()> {
        let source = self.folder(folder, OFlags::PATH)?;
        let (target, target_name) = to.holder(path)?;
        let moved = rustix::fs::renameat_with(&source, name, &target, target_name, RenameFlags::NOREPLACE);
        match moved {
            Err(error) if UNKNOWN.contains(&error) => {
                rustix::fs::linkat(&source, name, &target, target_name, AtFlags::empty())?;
                Ok(rustix::fs::unlinkat(&source, name, AtFlags::empty())?)
            }
            moved => Ok(moved?),
        }
    }

    /// Whether both are folders of one file system, so that a name can move from one to the other.
    pub(crate) fn is_on_device_of(&self, other: &Self) -> io::Result<bool> {
        let device = |beneath: &Self| Ok::<_, io::Error>(rustix::fs::fstat(beneath.folder("", OFlags::PATH)?)?.st_dev);
        Ok(device(self)? == device(other)?)
    }

    /// Gives a file a second name beneath another root.
    ///
    /// # Errors
    /// As [`Beneath::move_new`].
    pub(crate) fn link_to(&self, path: &str, to: &Self, target_path: &str) -> io::Result<()> {
        let (source, name) = self.holder(path)?;
        let (target, target_name) = to.holder(target_path)?;
        Ok(rustix::fs::linkat(&source, name, &target, target_name, AtFlags::empty())?)
    }

    /// Gives an open file one more name.
    ///
    /// # Errors
    /// `AlreadyExists` when anything has the name; anything else where the file system gives no second name.
    pub(crate) fn link_open(&self, file: &File, path: &str) -> io::Result<()> {
        let (target, name) = self.holder(path)?;
        let own = format!("/proc/self/fd/{}", file.as_raw_fd());
        Ok(rustix::fs::linkat(CWD, own.as_str(), &target, name, AtFlags::SYMLINK_FOLLOW)?)
    }

    /// Gives an open file, whatever name it has by now, the name `path`. `from` is the name it was made under.
    ///
    /// # Errors
    /// `AlreadyExists` when anything has the name. `NotFound` when the file has lost its own.
    pub(crate) fn publish_new(&self, file: &File, from: &str, path: &str) -> io::Result<()> {
        let (target, name) = self.holder(path)?;
        // By descriptor: the name may lead to another file by now.
        let own = format!("/proc/self/fd/{}", file.as_raw_fd());
        match rustix::fs::linkat(CWD, own.as_str(), &target, name, AtFlags::SYMLINK_FOLLOW) {
            Ok(()) => self.unlink_own(file, from),
            Err(Errno::EXIST) => Err(Errno::EXIST.into()),
            // No /proc, or a file system without links.
            Err(_) => {
                self.check_own(file, from)?;
                let (source, own_name) = self.holder(from)?;
                Ok(rustix::fs::renameat_with(&source, own_name, &target, name, RenameFlags::NOREPLACE)?)
            }
        }
    }

    /// As [`Beneath::publish_new`]; what has the name is replaced.
    pub(crate) fn publish_over(&self, file: &File, from: &str, path: &str) -> io::Result<()> {
        self.check_own(file, from)?;
        self.rename(from, path)
    }

    /// Takes a file's name away, if it still leads to this file.
    pub(crate) fn unlink_own(&self, file: &File, path: &str) -> io::Result<()> {
        match self.check_own(file, path) {
            Ok(()) => self.unlink(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn check_own(&self, file: &File, path: &str) -> io::Result<()> {
        if Found::of_file(file)?.is_file_of(&self.stat(path)?) { Ok(()) } else { Err(Errno::NOENT.into()) }
    }

    /// Makes a folder and what is missing above it, each durable in the one above.
    pub(crate) fn make_dirs(&self, path: &str, mode: u32) -> io::Result<()> {
        let mut upto = String::new();
        for part in path.split('/').filter(|part| !part.is_empty()) {
            let above = upto.clone();
            upto = if upto.is_empty() { part.to_owned() } else { format!("{upto}/{part}") };
            match self.make_dir(&upto, mode) {
                Ok(()) => self.sync_dir(&above)?,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    // A link or a file in the way is told by whoever opens it.
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Opens a plain file for reading and writing, and makes it where it is missing.
    pub(crate) fn open_or_create(&self, path: &str, mode: u32) -> io::Result<File> {
        match self.create(path, mode) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.open_to_change(path),
            made => made,
        }
    }
}

/// Keeps a file for this process as long as it is open. `false` when another process has it.
pub(crate) fn keep(file: &File) -> io::Result<bool> {
    match rustix::fs::flock(file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => Ok(false),
        // A file system without locks.
        Ok(()) | Err(Errno::NOLCK | Errno::NOSYS | Errno::OPNOTSUPP) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// Lets others keep a file, at once. A file that was not kept is left as it is.
pub(crate) fn let_go(file: &File) {
    // Where this fails, the end of the last copy lets it go.
    let _ = rustix::fs::flock(file, rustix::fs::FlockOperation::Unlock);
}

/// Opens the folder at a path, and makes it and what is missing above it.
pub(crate) fn folder_made(path: &std::path::Path, mode: u32) -> io::Result<Beneath> {
    if let Ok(folder) = Beneath::of(path) {
        return Ok(folder);
    }
    if let Some(above) = path.parent().filter(|above| !super::is_current(above)) {
        std::fs::create_dir_all(above)?;
    }
    match rustix::fs::mkdirat(CWD, path, Mode::from_raw_mode(mode)) {
        Ok(()) | Err(Errno::EXIST) => Beneath::of(path),
        Err(error) => Err(error.into()),
    }
}
