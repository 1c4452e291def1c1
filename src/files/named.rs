//! Files that a person named, in a setting or on the command line.

use super::beneath::Found;
use super::durable::{self, folder};
use super::foreign::Foreign;
use rustix::fs::{CWD, FileType, Mode, OFlags};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Nothing is waited for, and no terminal becomes ours.
const PLAIN: OFlags = OFlags::NONBLOCK.union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// Opens a plain file for reading. Links are followed; a pipe, socket or device is refused, and never waited for.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    plain(path, OFlags::RDONLY, Mode::empty())
}

/// Opens a plain file for writing, and makes it where it is missing, for its owner alone. The name itself may be no link.
pub(crate) fn open_or_make(path: &Path, mode: u32) -> io::Result<File> {
    plain(path, OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW, Mode::from_raw_mode(mode))
}

fn plain(path: &Path, access: OFlags, mode: Mode) -> io::Result<File> {
    let file = match rustix::fs::openat(CWD, path, PLAIN | access, mode) {
        Ok(file) => File::from(file),
        Err(error) => {
            check_plain(path)?;
            return Err(error.into());
        }
    };
    match kind(&rustix::fs::fstat(&file)?) {
        FileType::RegularFile => Ok(file),
        other => Err(Foreign::error(&path.display().to_string(), other)),
    }
}

/// Reads a whole file of at most `most` bytes.
///
/// # Errors
/// As the system says; [`io::ErrorKind::FileTooLarge`] for a larger one, of which no more than that was read.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let text = format!("it is larger than {} KiB", most >> 10);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    Ok(bytes)
}

/// Refuses what a library would open and wait for, or what is no file. Nothing at all at the path is fine.
pub(crate) fn check_plain(path: &Path) -> io::Result<()> {
    match rustix::fs::stat(path).map(|stat| kind(&stat)) {
        Ok(FileType::RegularFile) | Err(rustix::io::Errno::NOENT) => Ok(()),
        Ok(other) => Err(Foreign::error(&path.display().to_string(), other)),
        Err(error) => Err(error.into()),
    }
}

/// As [`check_plain`], for a database of SQLite and what stands beside it: SQLite opens a journal for reading only, and would wait
/// for the other end of a pipe for ever.
pub(crate) fn check_database(path: &Path) -> io::Result<()> {
    check_plain(path)?;
    beside_database(path).iter().try_for_each(|journal| check_plain(journal))
}

/// What SQLite keeps beside a database.
pub(crate) fn beside_database(path: &Path) -> [PathBuf; 3] {
    ["-journal", "-wal", "-shm"].map(|end| {
        let mut beside = path.as_os_str().to_owned();
        beside.push(end);
        beside.into()
    })
}

/// Device and inode: whether a path still leads to the same file.
pub(crate) fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let stat = rustix::fs::stat(path)?;
    Ok((stat.st_dev, stat.st_ino))
}

/// The first `most` names in a folder.
pub(crate) fn names(path: &Path, most: usize) -> io::Result<Vec<OsString>> {
    std::fs::read_dir(path)?.take(most).map(|entry| entry.map(|entry| entry.file_name())).collect()
}

/// Makes a folder and what is missing above it.
pub(crate) fn make_folders(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path)
}

/// Removes an empty folder.
pub(crate) fn remove_folder(path: &Path) -> io::Result<()> {
    Ok(rustix::fs::rmdir(path)?)
}

/// As [`make_folders`]. The folder itself, if it is made, is its owner's alone, or its group's too where that group may write to
/// the folder above.
pub(crate) fn make_private_folder(path: &Path) -> io::Result<()> {
    let above = match path.parent() {
        Some(above) if !durable::is_current(above) => above,
        _ => Path::new("."),
    };
    let make = || rustix::fs::mkdirat(CWD, path, Mode::from_raw_mode(0o700));
    let made = match make() {
        Err(rustix::io::Errno::NOENT) => {
            make_folders(above)?;
            make()
        }
        made => made,
    };
    match made {
        Ok(()) => {}
        Err(rustix::io::Errno::EXIST) => {
            return match rustix::fs::stat(path).or_else(|_| rustix::fs::lstat(path)).map(|stat| kind(&stat))? {
                FileType::Directory => Ok(()),
                other => Err(Foreign::error(&path.display().to_string(), other)),
            };
        }
        Err(error) => return Err(error.into()),
    }
    let own = Found::at(path)?;
    if own.shares_with(&Found::at(above)?) {
        // A file system that knows no permissions is no reason to fail.
        let _ = Found::set_mode(&folder(path)?, own.mode | 0o070).is_ok();
    }
    Ok(())
}

/// As [`open_or_make`]. The file, if it is made, is its owner's alone, or its group's too where that group may write to the folder.
pub(crate) fn open_or_make_private(path: &Path) -> io::Result<File> {
    let file = open_or_make(path, 0o600)?;
    let own = Found::of_file(&file)?;
    let above = path.parent().filter(|above| !durable::is_current(above)).unwrap_or(Path::new("."));
    // Only what is new: an existing file keeps what somebody gave it.
    if own.bytes == 0 && own.mode & 0o777 == 0o600 && own.shares_with(&Found::at(above)?) {
        let _ = Found::set_mode(&file, own.mode | 0o060).is_ok();
    }
    Ok(file)
}

/// A file's permissions. `None` when nothing is there, or nobody tells.
pub(crate) fn mode(path: &Path) -> Option<u32> {
    Found::at(path).ok().map(|found| found.mode)
}

/// The number of a group of this host by its name.
pub(crate) fn group_number(name: &str) -> io::Result<Option<u32>> {
    /// Ten thousand groups with their members.
    const GROUPS_BYTES_MAX: u64 = 4 << 20;
    let groups = read(Path::new("/etc/group"), GROUPS_BYTES_MAX)?;
    let groups = String::from_utf8_lossy(&groups);
    // name:password:number:members
    let mut lines = groups.lines().map(|line| line.split(':'));
    Ok(lines.find_map(|mut parts| (parts.next()? == name).then(|| parts.nth(1)?.parse().ok())?))
}

/// Writes a new file.
///
/// # Errors
/// `AlreadyExists` when anything has that name.
pub(crate) fn write_new(path: &Path, text: &[u8]) -> io::Result<()> {
    write_new_with(path, text, 0o666)
}

/// As [`write_new`], its owner's alone.
pub(crate) fn write_new_private(path: &Path, text: &[u8]) -> io::Result<()> {
    write_new_with(path, text, 0o600)
}

fn write_new_with(path: &Path, text: &[u8], mode: u32) -> io::Result<()> {
    let flags = PLAIN | OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
    File::from(rustix::fs::openat(CWD, path, flags, Mode::from_raw_mode(mode))?).write_all(text)
}

/// Writes a file that takes another's place when it is whole.
pub(crate) fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    replace_with(path, text, 0o666)
}

/// As [`replace`], its owner's alone.
pub(crate) fn replace_private(path: &Path, text: &[u8]) -> io::Result<()> {
    replace_with(path, text, 0o600)
}

fn replace_with(path: &Path, text: &[u8], mode: u32) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = Path::new(&beside);
    let flags = PLAIN | OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW;
    let mut file = File::from(rustix::fs::openat(CWD, beside, flags, Mode::from_raw_mode(mode))?);
    file.write_all(text)?;
    file.sync_all()?;
    rustix::fs::rename(beside, path).map_err(io::Error::from)
}

/// As [`check_database`] for a database of ours: no name of it may be a link, nor may a folder called `below` on the way to it.
pub(crate) fn check_own_database(path: &Path, below: &str) -> io::Result<()> {
    let hidden = path.ancestors().filter(|part| part.file_name().is_some_and(|name| name == below));
    let journals = beside_database(path);
    for own in hidden.chain([path]).chain(journals.iter().map(PathBuf::as_path)) {
        match rustix::fs::lstat(own).map(|stat| kind(&stat)) {
            Ok(FileType::Symlink) => return Err(Foreign::error(&own.display().to_string(), FileType::Symlink)),
            Ok(_) | Err(rustix::io::Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
    }
    check_database(path)
}

fn kind(stat: &rustix::fs::Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}
