//! Files and folders beneath a folder that others may write to: opened from its handle, without following a link.
//!
//! The kernel walks the whole path in one call where it has `openat2` (Linux 5.6) and lets us use it; elsewhere each part is
//! opened by itself. What changes names works on the handle of the folder that holds the name. So an operation whose folder was
//! renamed away meanwhile reaches the folder where it is now, as on NFS, and fails once that folder is removed.

use super::foreign::Foreign;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags, StatVfs};
use rustix::io::Errno;
use rustix::process::Gid;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Handles that lead somewhere and read nothing.
const LOOK: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Neither a link nor a wait, and no terminal that becomes ours.
const PLAIN: OFlags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// A folder that all else is opened from.
#[derive(Debug)]
pub(crate) struct Beneath {
    root: OwnedFd,
    /// Whether the kernel is not asked to walk a whole path.
    stepwise: bool,
}

/// What has a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Found {
    pub(crate) kind: FileType,
    /// Size in bytes.
    pub(crate) bytes: u64,
    /// Permissions: `0o640`.
    pub(crate) mode: u32,
    /// The group's number.
    group: u32,
    /// When its content was changed, as its writer says: seconds since 1970, and nanoseconds.
    pub(crate) modified: (i64, i64),
    /// When anything of it was changed, as the file system says.
    changed: (i64, i64),
    /// Its number in its file system.
    number: u64,
}

impl Found {
    fn of(stat: &rustix::fs::Stat) -> Self {
        Self {
            kind: FileType::from_raw_mode(stat.st_mode),
            bytes: u64::try_from(stat.st_size).unwrap_or_default(),
            mode: stat.st_mode & 0o7777,
            group: stat.st_gid,
            modified: (number(stat.st_mtime), number(stat.st_mtime_nsec)),
            changed: (number(stat.st_ctime), number(stat.st_ctime_nsec)),
            number: stat.st_ino,
        }
    }

    /// A text that differs after every change of a file: no writer sets the time that the file system keeps.
    pub(crate) fn stamp(&self) -> String {
        let ((modified, modified_nanos), (changed, changed_nanos)) = (self.modified, self.changed);
        format!("{}:{modified}.{modified_nanos:09}:{changed}.{changed_nanos:09}:{}", self.bytes, self.number)
    }

    /// What it is, in words.
    pub(crate) fn words(&self) -> &'static str {
        super::foreign::words(self.kind)
    }

    /// What an open file is.
    pub(crate) fn of_file(file: &File) -> io::Result<Self> {
        Ok(Self::of(&rustix::fs::fstat(file)?))
    }

    /// What a path leads to, links followed.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        Ok(Self::of(&rustix::fs::stat(path)?))
    }

    /// Whether holders of several users share the folder above: it has the same group, which may write there.
    pub(crate) fn shares_with(&self, above: &Self) -> bool {
        above.mode & 0o020 != 0 && above.group == self.group
    }

    /// Sets an open file's permissions.
    pub(crate) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
        Ok(rustix::fs::fchmod(file, Mode::from_raw_mode(mode))?)
    }

    /// Gives an open file to a group.
    pub(crate) fn give_to(file: &File, group: u32) -> io::Result<()> {
        Ok(rustix::fs::fchown(file, None, Some(Gid::from_raw(group)))?)
    }

    /// Whether both are one file of a file system.
    pub(super) fn is_file_of(&self, other: &Self) -> bool {
        self.number == other.number && self.kind == other.kind
    }

    /// Whether both are one file of a file system with one content, as far as its writer tells; whatever names it got or lost.
    pub(crate) fn is_version_of(&self, other: &Self) -> bool {
        self.is_file_of(other) && (self.bytes, self.modified) == (other.bytes, other.modified)
    }

    pub(crate) fn is_file(&self) -> bool {
        self.kind == FileType::RegularFile
    }

    pub(crate) fn is_dir(&self) -> bool {
        self.kind == FileType::Directory
    }
}

impl Beneath {
    /// The folder at `root`. A person named it, so links on the way to it, and it itself, are followed.
    pub(crate) fn of(root: &Path) -> io::Result<Self> {
        let root = if super::durable::is_current(root) { Path::new(".") } else { root };
        Ok(Self { root: rustix::fs::openat(CWD, root, LOOK, Mode::empty())?, stepwise: false })
    }

    /// As on a kernel that walks no path by itself.
    #[cfg(test)]
    pub(super) fn stepwise(self) -> Self {
        Self { stepwise: true, ..self }
    }

    /// Makes a folder. The umask takes from `mode`.
    pub(crate) fn make_dir(&self, path: &str, mode: u32) -> io::Result<()> {
        self.at(path, |folder, name| rustix::fs::mkdirat(folder, name, Mode::from_raw_mode(mode)))
    }

    /// Sets a folder's permissions.
    pub(crate) fn set_mode(&self, path: &str, mode: u32) -> io::Result<()> {
        Ok(rustix::fs::fchmod(self.folder(path, OFlags::RDONLY)?, Mode::from_raw_mode(mode))?)
    }

    /// Gives a folder to a group.
    pub(crate) fn give_to(&self, path: &str, group: u32) -> io::Result<()> {
        Ok(rustix::fs::fchown(self.folder(path, OFlags::RDONLY)?, None, Some(Gid::from_raw(group)))?)
    }

    /// Makes a new empty file, open for reading and writing. The umask takes from `mode`.
    pub(crate) fn create(&self, path: &str, mode: u32) -> io::Result<File> {
        let flags = PLAIN | OFlags::RDWR | OFlags::CREATE | OFlags::EXCL;
        self.at(path, |folder, name| rustix::fs::openat(folder, name, flags, Mode::from_raw_mode(mode))).map(File::from)
    }

    /// Opens a plain file for reading.
    pub(crate) fn open(&self, path: &str) -> io::Result<File> {
        self.plain(path, OFlags::RDONLY)
    }

    /// Opens a plain file for writing.
    pub(crate) fn open_to_write(&self, path: &str) -> io::Result<File> {
        self.plain(path, OFlags::WRONLY)
    }

    /// Opens a plain file for reading and writing.
    pub(super) fn open_to_change(&self, path: &str) -> io::Result<File> {
        self.plain(path, OFlags::RDWR)
    }

    fn plain(&self, path: &str, access: OFlags) -> io::Result<File> {
        let (folder, name) = self.holder(path)?;
        let file = match rustix::fs::openat(&folder, name, PLAIN | access, Mode::empty()) {
            Ok(file) => file,
            Err(error) => {
                let other = look(&folder, name).ok().filter(|found| found.kind != FileType::RegularFile);
                return Err(other.map_or_else(|| error.into(), |found| Foreign::error(path, found.kind)));
            }
        };
        match Found::of(&rustix::fs::fstat(&file)?).kind {
            FileType::RegularFile => Ok(file.into()),
            kind => Err(Foreign::error(path, kind)),
        }
    }

    /// Renames; a file in the way is replaced.
    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let (target, target_name) = self.holder(to)?;
        self.at(from, |folder, name| rustix::fs::renameat(folder, name, &target, target_name))
    }

    /// Gives a file a second name.
    pub(crate) fn link(&self, from: &str, to: &str) -> io::Result<()> {
        let (target, target_name) = self.holder(to)?;
        self.at(from, |folder, name| rustix::fs::linkat(folder, name, &target, target_name, AtFlags::empty()))
    }

    /// Removes a file's name, or a link's, or whatever else is no folder.
    pub(crate) fn unlink(&self, path: &str) -> io::Result<()> {
        self.at(path, |folder, name| rustix::fs::unlinkat(folder, name, AtFlags::empty()))
    }

    /// Removes an empty folder.
    pub(crate) fn remove_dir(&self, path: &str) -> io::Result<()> {
        self.at(path, |folder, name| rustix::fs::unlinkat(folder, name, AtFlags::REMOVEDIR))
    }

    /// Makes the names in a folder durable.
    pub(crate) fn sync_dir(&self, path: &str) -> io::Result<()> {
        Ok(rustix::fs::fsync(self.folder(path, OFlags::RDONLY)?)?)
    }

    /// The names in a folder, each with what it is; in no order. A name that is no text has a sign in place of each odd byte.
    pub(crate) fn list(&self, path: &str) -> io::Result<Vec<(String, Found)>> {
        let names = self.names(path)?;
        Ok(names.into_iter().map(|(name, found)| (name.to_string_lossy().into_owned(), found)).collect())
    }

    /// As [`Beneath::list`], with the names as they are.
    pub(crate) fn names(&self, path: &str) -> io::Result<Vec<(OsString, Found)>> {
        self.names_by_step(path, &|| ())
    }

    /// As [`Beneath::names`], and calls `step` behind each name.
    pub(crate) fn names_by_step(&self, path: &str, step: &dyn Fn()) -> io::Result<Vec<(OsString, Found)>> {
        let folder = self.folder(path, OFlags::RDONLY)?;
        let mut names = Vec::new();
        for entry in Dir::read_from(&folder)? {
            let entry = entry?;
            step();
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            match look(&folder, name) {
                Ok(found) => names.push((OsStr::from_bytes(name.to_bytes()).to_owned(), found)),
                // Gone between the listing and the look.
                Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(names)
    }

    /// What a path is; a link at its end is a link.
    pub(crate) fn stat(&self, path: &str) -> io::Result<Found> {
        if is_root(path) {
            return Ok(Found::of(&rustix::fs::fstat(&self.root)?));
        }
        let (folder, name) = self.holder(path)?;
        Ok(look(&folder, name)?)
    }

    /// Room and limits of the file system.
    pub(crate) fn statvfs(&self) -> io::Result<StatVfs> {
        Ok(rustix::fs::fstatvfs(&self.root)?)
    }

    /// Does something with a name, in the folder that holds it.
    fn at<T>(&self, path: &str, work: impl FnOnce(&OwnedFd, &str) -> Result<T, Errno>) -> io::Result<T> {
        let (folder, name) = self.holder(path)?;
        Ok(work(&folder, name)?)
    }

    /// The folder that holds a path's last name, and that name.
    pub(super) fn holder<'a>(&self, path: &'a str) -> io::Result<(OwnedFd, &'a str)> {
        let path = path.trim_end_matches('/');
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        Ok((self.folder(folder, OFlags::PATH)?, if name.is_empty() { "." } else { name }))
    }

    pub(super) fn folder(&self, path: &str, access: OFlags) -> io::Result<OwnedFd> {
        let flags = access | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let whole = if is_root(path) { "." } else { path };
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let walked = if self.stepwise {
            Err(Errno::NOSYS)
        } else {
            rustix::fs::openat2(&self.root, whole, flags, Mode::empty(), resolve)
        };
        let opened = match walked {
            // A kernel without the call, or a filter of a container that does not know it. A folder that moves meanwhile.
            Err(Errno::NOSYS | Errno::PERM | Errno::AGAIN) => self.step_by_step(path, flags),
            opened => opened,
        };
        opened.map_err(|error| self.why(path, error))
    }

    fn step_by_step(&self, path: &str, last: OFlags) -> Result<OwnedFd, Errno> {
        let parts: Vec<&str> = parts(path).collect();
        let mut folder =
            rustix::fs::openat(&self.root, ".", if parts.is_empty() { last } else { LOOK }, Mode::empty())?;
        for (index, part) in parts.iter().enumerate() {
            if *part == ".." {
                return Err(Errno::XDEV);
            }
            let flags = if index + 1 == parts.len() { last } else { LOOK | OFlags::NOFOLLOW };
            folder = rustix::fs::openat(&folder, *part, flags, Mode::empty())?;
        }
        Ok(folder)
    }

    /// Why a folder cannot be opened: names the part of its path that is no folder of ours. A plain file is one: a tombstone.
    fn why(&self, path: &str, error: Errno) -> io::Error {
        if !matches!(error, Errno::LOOP | Errno::NOTDIR | Errno::XDEV) {
            return error.into();
        }
        let mut upto = String::new();
        for part in parts(path) {
            upto = if upto.is_empty() { part.to_owned() } else { format!("{upto}/{part}") };
            let Ok(folder) =
                self.step_by_step(upto.rsplit_once('/').map_or("", |(above, _)| above), LOOK | OFlags::NOFOLLOW)
            else {
                break;
            };
            match look(&folder, part) {
                Ok(Found { kind: FileType::Directory, .. }) => {}
                Ok(Found { kind: FileType::RegularFile, .. }) => return Errno::NOTDIR.into(),
                Ok(found) => return Foreign::error(&upto, found.kind),
                Err(_) => break,
            }
        }
        error.into()
    }
}

/// Kernels and architectures have times of several widths.
fn number<N: TryInto<i64>>(number: N) -> i64 {
    number.try_into().unwrap_or_default()
}

fn is_root(path: &str) -> bool {
    parts(path).next().is_none()
}

/// The names in a path.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty() && *part != ".")
}

fn look<P: rustix::path::Arg>(folder: impl AsFd, name: P) -> Result<Found, Errno> {
    rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).map(|stat| Found::of(&stat))
}
