//! Files that leave the folder: onto a shelf, back from it, or for good.
//!
//! A version is known by its stamp. Between the look and the move a writer may put another file there: so the file is looked at again
//! under the name it was moved to, and goes back when it is another one.

use super::listing::{GONE, TEMPORARY};
use super::{FOLDER_MODE, Places, file_of, joined, parted};
use crate::adapters::folders::failed;
use crate::core::failpoints::crash::crash_point;
use crate::core::ports::folders::{FolderError, FoundFile};
use crate::core::ports::inbox::{Moved, OddEntry, Shelf};
use crate::files::{Beneath, Found, copy_digested};
use sha2::{Digest, Sha256};
use std::io::{self, ErrorKind, Write};

/// Most numbers that a name is tried with.
const NUMBERS: u32 = 10_000;

/// Longest name, in bytes.
const NAME_MAX: usize = 255;

/// Permissions of what is written here; the umask takes from them.
const FILE_MODE: u32 = 0o666;

/// What is to be done with a file's second place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leave {
    /// The file leaves its folder.
    Moves,
    /// It stays there too.
    Stays,
}

pub(super) fn shelve(
    places: &Places,
    shelf: Shelf,
    day: &str,
    file: &FoundFile,
    sha256: &str,
) -> Result<Moved, FolderError> {
    put(places, shelf, day, file, sha256, Leave::Moves)
}

pub(super) fn keep_on(
    places: &Places,
    shelf: Shelf,
    day: &str,
    file: &FoundFile,
    sha256: &str,
) -> Result<Moved, FolderError> {
    put(places, shelf, day, file, sha256, Leave::Stays)
}

fn put(
    places: &Places,
    shelf: Shelf,
    day: &str,
    file: &FoundFile,
    sha256: &str,
    leave: Leave,
) -> Result<Moved, FolderError> {
    let (root, to) = (places.root()?, places.shelf_root(shelf)?);
    let shelf_failed =
        |path: &str, error: &io::Error| failed(&places.shelf(shelf).join(path).display().to_string(), error);
    let wanted = format!("{day}/{}", file.path);
    let before = match root.stat(&file.path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(moved_before(&to, &wanted, file)),
        Err(error) => return Err(places.failed(&file.path, &error)),
    };
    if before.stamp() != file.stamp {
        return Ok(Moved::Changed);
    }
    let folder = above(&wanted);
    to.make_dirs(folder, FOLDER_MODE).map_err(|error| shelf_failed(folder, &error))?;
    for number in 0..NUMBERS {
        let path = numbered(&wanted, number);
        let done = match leave {
            Leave::Moves => move_checked(&root, &file.path, &before, &to, &path),
            Leave::Stays => root.link_to(&file.path, &to, &path).map(|()| true),
        };
        match done {
            Ok(true) => {
                to.sync_dir(folder).map_err(|error| shelf_failed(folder, &error))?;
                root.sync_dir(above(&file.path)).map_err(|error| places.failed(&file.path, &error))?;
                return Ok(Moved::To(path));
            }
            Ok(false) => return Ok(Moved::Changed),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Moved::Gone),
            Err(error) if error.kind() == ErrorKind::CrossesDevices || leave == Leave::Stays => {
                return copy(places, (&root, &to), file, &wanted, sha256, leave)
                    .map_err(|error| shelf_failed(&wanted, &error));
            }
            Err(error) => return Err(shelf_failed(&path, &error)),
        }
    }
    Err(shelf_failed(&wanted, &io::Error::other(format!("{NUMBERS} such names are taken"))))
}

pub(super) fn probe(places: &Places, shelf: Shelf, name: &str, moves: bool) -> Result<bool, FolderError> {
    let (root, to) = (places.root()?, places.shelf_root(shelf)?);
    let name = format!("{TEMPORARY}{name}");
    let shelf_failed = |error: &io::Error| failed(&places.shelf(shelf).display().to_string(), error);
    let on_shelf = to.create(&name, FILE_MODE).and_then(|file| {
        file.sync_all()?;
        to.unlink(&name)
    });
    on_shelf.map_err(|error| shelf_failed(&error))?;
    if !moves {
        return root.is_on_device_of(&to).map_err(|error| shelf_failed(&error));
    }
    root.create(&name, FILE_MODE).map_err(|error| failed(&places.directory.display().to_string(), &error))?;
    let moved = match root.move_new("", name.as_ref(), &to, &name) {
        Ok(()) => return to.unlink(&name).map(|()| true).map_err(|error| shelf_failed(&error)),
        Err(error) if error.kind() == ErrorKind::CrossesDevices => Ok(false),
        Err(error) => Err(shelf_failed(&error)),
    };
    root.unlink(&name).map_err(|error| places.failed(&name, &error))?;
    moved
}

/// Where an earlier try that did not live to say so has put a file.
fn moved_before(to: &Beneath, wanted: &str, file: &FoundFile) -> Moved {
    for number in 0..NUMBERS {
        let path = numbered(wanted, number);
        match to.stat(&path) {
            Ok(found) if is_version(&found, &path, file) => return Moved::To(path),
            Ok(_) => {}
            Err(_) => break,
        }
    }
    Moved::Gone
}

fn is_version(found: &Found, path: &str, file: &FoundFile) -> bool {
    let there = file_of(path, found);
    found.is_file() && (there.size, there.modified_at) == (file.size, file.modified_at)
}

/// Moves a file, and back again when it is another one. `false`: it is another one.
fn move_checked(root: &Beneath, path: &str, before: &Found, to: &Beneath, target: &str) -> io::Result<bool> {
    let (folder, name) = parted(path);
    root.move_new(folder, name.as_ref(), to, target)?;
    if to.stat(target)?.is_version_of(before) {
        return Ok(true);
    }
    let (folder, name) = parted(target);
    to.move_new(folder, name.as_ref(), root, path)?;
    Ok(false)
}

/// Copies a file to another file system, checks it there, and takes it away here.
fn copy(
    places: &Places,
    (root, to): (&Beneath, &Beneath),
    file: &FoundFile,
    wanted: &str,
    sha256: &str,
    leave: Leave,
) -> io::Result<Moved> {
    if sha256.is_empty() {
        // Nobody read it, as it may not be read or is too large: it stays where it is.
        return Ok(Moved::Changed);
    }
    let folder = above(wanted);
    let digest = Sha256::digest(file.path.as_bytes());
    let temporary = format!("{folder}/.filegen-{}.part", hex::encode(&digest[..16]));
    let _ = to.unlink(&temporary).is_ok();
    let mut from = root.open(&file.path)?;
    let mut copy = to.create(&temporary, FILE_MODE)?;
    let (_, copied) = copy_digested(&mut from, &mut copy)?;
    // A later look knows the version by its time.
    copy.set_modified(from.metadata()?.modified()?)?;
    copy.sync_all()?;
    let is_whole = Found::of_file(&from)?.stamp() == file.stamp && copied == sha256;
    if !is_whole {
        to.unlink(&temporary)?;
        return Ok(Moved::Changed);
    }
    for number in 0..NUMBERS {
        let path = numbered(wanted, number);
        match to.publish_new(&copy, &temporary, &path) {
            Ok(()) => {}
            // An earlier try may have copied it and did not live to take it away here.
            Err(error) if error.kind() == ErrorKind::AlreadyExists && !is_copy(to, &path, file, &copied)? => continue,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => to.unlink(&temporary)?,
            Err(error) => return Err(error),
        }
        to.sync_dir(folder)?;
        crash_point!("transfer.copied");
        if leave == Leave::Moves {
            remove(places, file).map_err(|error| io::Error::other(error.to_string()))?;
        }
        return Ok(Moved::To(path));
    }
    Err(io::Error::other(format!("{NUMBERS} such names are taken")))
}

/// Whether what has a name is this version, to the byte.
fn is_copy(to: &Beneath, path: &str, file: &FoundFile, sha256: &str) -> io::Result<bool> {
    if !is_version(&to.stat(path)?, path, file) {
        return Ok(false);
    }
    Ok(copy_digested(&mut to.open(path)?, &mut io::sink())?.1 == sha256)
}

pub(super) fn remove(places: &Places, file: &FoundFile) -> Result<Moved, FolderError> {
    let root = places.root()?;
    let fault = |error: &io::Error| places.failed(&file.path, error);
    let before = match root.stat(&file.path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Moved::Gone),
        Err(error) => return Err(fault(&error)),
    };
    if before.stamp() != file.stamp {
        return Ok(Moved::Changed);
    }
    let (folder, name) = parted(&file.path);
    // A name that has no room for what is put in front of it is removed as it is.
    let aside = format!("{GONE}{name}");
    let aside = if aside.len() > NAME_MAX { name.to_owned() } else { aside };
    let target = joined(folder, &aside);
    if aside != name && !move_checked(&root, &file.path, &before, &root, &target).map_err(|error| fault(&error))? {
        return Ok(Moved::Changed);
    }
    root.unlink(&target).and_then(|()| root.sync_dir(folder)).map_err(|error| fault(&error))?;
    Ok(Moved::To(String::new()))
}

pub(super) fn set_aside(places: &Places, day: &str, odd: &OddEntry) -> Result<Moved, FolderError> {
    let (root, to) = (places.root()?, places.shelf_root(Shelf::Error)?);
    let fault = |error: &io::Error| failed(&places.error.join(day).display().to_string(), error);
    to.make_dirs(day, FOLDER_MODE).map_err(|error| fault(&error))?;
    // Bytes that are no text as they are shown: a name that every tool can take.
    let name: String = odd.name.to_string_lossy().chars().take(60).collect();
    for number in 0..NUMBERS {
        let path = numbered(&format!("{day}/{name}"), number);
        match root.move_new(&odd.folder, &odd.name, &to, &path) {
            Ok(()) => {
                to.sync_dir(day).and_then(|()| root.sync_dir(&odd.folder)).map_err(|error| fault(&error))?;
                let bytes = hex::encode(odd.name.as_encoded_bytes());
                let note =
                    serde_json::json!({ "reason": odd.what, "kind": "data", "folder": odd.folder, "nameHex": bytes });
                explain(places, &path, format!("{note:#}\n").as_bytes())?;
                return Ok(Moved::To(path));
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Moved::Gone),
            Err(error) => return Err(fault(&error)),
        }
    }
    Err(fault(&io::Error::other(format!("{NUMBERS} such names are taken"))))
}

pub(super) fn explain(places: &Places, place: &str, reason: &[u8]) -> Result<(), FolderError> {
    let to = places.shelf_root(Shelf::Error)?;
    let path = note_of(place);
    let temporary = format!("{path}.new");
    let write = || {
        let _ = to.unlink(&temporary).is_ok();
        let mut file = to.create(&temporary, FILE_MODE)?;
        file.write_all(reason)?;
        file.sync_all()?;
        to.rename(&temporary, &path)?;
        to.sync_dir(above(&path))
    };
    write().map_err(|error| failed(&places.error.join(&path).display().to_string(), &error))
}

pub(super) fn restore(places: &Places, place: &str, path: &str) -> Result<Moved, FolderError> {
    let (root, from) = (places.root()?, places.shelf_root(Shelf::Error)?);
    root.make_dirs(above(path), FOLDER_MODE).map_err(|error| places.failed(path, &error))?;
    let (folder, name) = parted(place);
    let moved = from.move_new(folder, name.as_ref(), &root, path).and_then(|()| root.sync_dir(above(path)));
    match moved {
        Ok(()) => {
            let _ = from.unlink(&note_of(place)).is_ok();
            Ok(Moved::To(path.to_owned()))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Moved::Gone),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Moved::Changed),
        Err(error) => Err(places.failed(path, &error)),
    }
}

/// The name of the reason beside a file; a long name is cut.
fn note_of(place: &str) -> String {
    const END: &str = ".error";
    /// The temporary name is four bytes longer.
    const ROOM: usize = NAME_MAX - END.len() - 4;
    let (folder, name) = parted(place);
    joined(folder, &format!("{}{END}", &name[..name.floor_char_boundary(ROOM)]))
}

fn above(path: &str) -> &str {
    parted(path).0
}

/// A path with a number in front of its last ending; cut where the name would be too long. 0 adds none.
fn numbered(path: &str, number: u32) -> String {
    if number == 0 {
        return path.to_owned();
    }
    let (folder, name) = parted(path);
    let at = name.rfind('.').filter(|at| *at > 0).unwrap_or(name.len());
    let (stem, ending) = name.split_at(at);
    let number = format!("-{number}");
    let room = NAME_MAX.saturating_sub(number.len() + ending.len());
    joined(folder, &format!("{}{number}{ending}", &stem[..stem.floor_char_boundary(room)]))
}
