//! The shared volume's far side: inodes, folders, each node's dirty cache, and what a crash leaves of them.
//!
//! Three states of a file: what a node has written (its cache), what every node sees (`seen`), what survives a power
//! failure (`stable`). A cache is written back at some time, whether or not the process that filled it still lives. A
//! folder's names are seen at once and survive only when the folder was synced.

mod crash;
mod image;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub use image::{Fate, Part};

pub type Id = usize;

/// The root folder.
pub const ROOT: Id = 0;

/// Why an operation was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    Exists,
    NotFound,
    NotEmpty,
    NotDir,
    IsDir,
    Stale,
    Io,
    Full,
}

pub type Answer<T> = Result<T, Refusal>;

/// A change of a file's bytes that may still get lost.
#[derive(Clone, Debug)]
pub enum Change {
    Write(usize, Vec<u8>),
    Cut(usize),
}

/// A change of a folder's names that may still get lost.
#[derive(Clone, Debug)]
enum NameChange {
    Add(String, Id),
    Remove(String),
    Rename(String, String, Id),
}

#[derive(Clone, Debug, Default)]
pub struct File {
    pub seen: Vec<u8>,
    pub stable: Vec<u8>,
    unsynced: Vec<Change>,
    pub links: usize,
}

#[derive(Clone, Debug, Default)]
pub struct Dir {
    pub names: BTreeMap<String, Id>,
    pub stable: BTreeMap<String, Id>,
    unsynced: Vec<NameChange>,
    gone: bool,
}

#[derive(Clone, Debug)]
pub enum Inode {
    File(File),
    Dir(Dir),
}

/// Where a name stands: found by its path when the operation is done, or by a handle of its folder from before, as an
/// NFS client does it.
#[derive(Clone, Debug)]
pub enum Place {
    Path(String),
    Handle(Id, String),
}

#[derive(Clone)]
pub struct Disk {
    inodes: Vec<Inode>,
    caches: BTreeMap<(usize, Id), Vec<Change>>,
    write_back: BTreeSet<(Duration, usize, Id)>,
    /// Whether clients reach files by handles, which a removed file or folder makes stale.
    pub remote: bool,
}

pub fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write(offset, new) => {
            let end = offset + new.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[*offset..end].copy_from_slice(new);
        }
        Change::Cut(length) => bytes.resize(*length, 0),
    }
}

pub fn parent(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

impl Disk {
    pub fn new(remote: bool) -> Self {
        let root = Dir::default();
        Self { inodes: vec![Inode::Dir(root)], caches: BTreeMap::new(), write_back: BTreeSet::new(), remote }
    }

    pub fn resolve(&self, path: &str) -> Answer<Id> {
        let mut at = ROOT;
        for part in path.split('/').filter(|part| !part.is_empty()) {
            let Inode::Dir(dir) = &self.inodes[at] else { return Err(Refusal::NotDir) };
            at = *dir.names.get(part).ok_or(Refusal::NotFound)?;
        }
        Ok(at)
    }

    /// The place of a path, as a client holds on to it from now on.
    pub fn place(&self, path: &str) -> Answer<Place> {
        if !self.remote {
            return Ok(Place::Path(path.to_owned()));
        }
        let (folder, name) = parent(path);
        let folder = self.resolve(folder)?;
        if matches!(self.inodes[folder], Inode::File(_)) {
            return Err(Refusal::NotDir);
        }
        Ok(Place::Handle(folder, name.to_owned()))
    }

    fn at<'a>(&self, place: &'a Place) -> Answer<(Id, &'a str)> {
        match place {
            Place::Handle(folder, name) => match &self.inodes[*folder] {
                Inode::Dir(dir) if dir.gone => Err(Refusal::Stale),
                _ => Ok((*folder, name)),
            },
            Place::Path(path) => {
                let (folder, name) = parent(path);
                match self.resolve(folder)? {
                    id if matches!(self.inodes[id], Inode::File(_)) => Err(Refusal::NotDir),
                    id => Ok((id, name)),
                }
            }
        }
    }

    pub fn dir(&self, id: Id) -> Answer<&Dir> {
        match &self.inodes[id] {
            Inode::Dir(dir) => Ok(dir),
            Inode::File(_) => Err(Refusal::NotDir),
        }
    }

    fn dir_mut(&mut self, id: Id) -> Answer<&mut Dir> {
        match &mut self.inodes[id] {
            Inode::Dir(dir) => Ok(dir),
            Inode::File(_) => Err(Refusal::NotDir),
        }
    }

    /// A file by its handle; a client on another host cannot reach one that has no name any more.
    pub fn file(&self, id: Id) -> Answer<&File> {
        match &self.inodes[id] {
            Inode::File(file) if self.remote && file.links == 0 => Err(Refusal::Stale),
            Inode::File(file) => Ok(file),
            Inode::Dir(_) => Err(Refusal::IsDir),
        }
    }

    fn file_mut(&mut self, id: Id) -> Answer<&mut File> {
        self.file(id)?;
        match &mut self.inodes[id] {
            Inode::File(file) => Ok(file),
            Inode::Dir(_) => Err(Refusal::IsDir),
        }
    }

    fn add(&mut self, folder: Id, name: &str, id: Id) -> Answer<()> {
        let dir = self.dir_mut(folder)?;
        dir.names.insert(name.to_owned(), id);
        dir.unsynced.push(NameChange::Add(name.to_owned(), id));
        Ok(())
    }

    fn free(&self, place: &Place) -> Answer<(Id, String)> {
        let (folder, name) = self.at(place)?;
        if self.dir(folder)?.names.contains_key(name) { Err(Refusal::Exists) } else { Ok((folder, name.to_owned())) }
    }

    pub fn make_dir(&mut self, place: &Place) -> Answer<Id> {
        let (folder, name) = self.free(place)?;
        self.inodes.push(Inode::Dir(Dir::default()));
        let id = self.inodes.len() - 1;
        self.add(folder, &name, id)?;
        Ok(id)
    }

    /// Makes a folder and what is missing above it, durably.
    pub fn make_dirs(&mut self, path: &str) -> Answer<()> {
        let mut so_far = String::new();
        for part in path.split('/').filter(|part| !part.is_empty()) {
            let above = self.resolve(&so_far)?;
            so_far = if so_far.is_empty() { part.to_owned() } else { format!("{so_far}/{part}") };
            match self.make_dir(&Place::Handle(above, part.to_owned())) {
                Ok(_) => self.sync_dir(above)?,
                Err(Refusal::Exists) => {
                    let id = self.resolve(&so_far)?;
                    self.dir(id)?;
                }
                Err(refusal) => return Err(refusal),
            }
        }
        Ok(())
    }

    pub fn create(&mut self, place: &Place) -> Answer<Id> {
        let (folder, name) = self.free(place)?;
        self.inodes.push(Inode::File(File { links: 1, ..File::default() }));
        let id = self.inodes.len() - 1;
        self.add(folder, &name, id)?;
        Ok(id)
    }

    pub fn rename(&mut self, from: &Place, to: &Place) -> Answer<()> {
        let (folder, name) = self.at(from).map(|(id, name)| (id, name.to_owned()))?;
        let (target, new) = self.at(to).map(|(id, name)| (id, name.to_owned()))?;
        let id = *self.dir(folder)?.names.get(&name).ok_or(Refusal::NotFound)?;
        if let Some(&old) = self.dir(target)?.names.get(&new) {
            match (&self.inodes[old], &self.inodes[id]) {
                (Inode::Dir(_), _) => return Err(Refusal::IsDir),
                (Inode::File(_), Inode::Dir(_)) => return Err(Refusal::NotDir),
                (Inode::File(_), Inode::File(_)) => {}
            }
            self.unlinked(old);
        }
        let dir = self.dir_mut(folder)?;
        dir.names.remove(&name);
        if folder != target {
            // Not in one step: a power failure may leave both names, or none.
            dir.unsynced.push(NameChange::Remove(name));
            return self.add(target, &new, id);
        }
        dir.names.insert(new.clone(), id);
        dir.unsynced.push(NameChange::Rename(name, new, id));
        Ok(())
    }

    fn unlinked(&mut self, id: Id) {
        if let Inode::File(file) = &mut self.inodes[id] {
            file.links -= 1;
        }
    }

    pub fn link(&mut self, id: Id, to: &Place) -> Answer<()> {
        if self.file(id)?.links == 0 {
            return Err(Refusal::NotFound);
        }
        let (folder, name) = self.free(to)?;
        self.file_mut(id)?.links += 1;
        self.add(folder, &name, id)
    }

    pub fn unlink(&mut self, place: &Place) -> Answer<()> {
        let (folder, name) = self.at(place).map(|(id, name)| (id, name.to_owned()))?;
        let id = *self.dir(folder)?.names.get(&name).ok_or(Refusal::NotFound)?;
        if matches!(self.inodes[id], Inode::Dir(_)) {
            return Err(Refusal::IsDir);
        }
        self.unlinked(id);
        let dir = self.dir_mut(folder)?;
        dir.names.remove(&name);
        dir.unsynced.push(NameChange::Remove(name));
        Ok(())
    }

    pub fn remove_dir(&mut self, place: &Place) -> Answer<()> {
        let (folder, name) = self.at(place).map(|(id, name)| (id, name.to_owned()))?;
        let id = *self.dir(folder)?.names.get(&name).ok_or(Refusal::NotFound)?;
        let dir = self.dir_mut(id)?;
        if !dir.names.is_empty() {
            return Err(Refusal::NotEmpty);
        }
        dir.gone = true;
        let dir = self.dir_mut(folder)?;
        dir.names.remove(&name);
        dir.unsynced.push(NameChange::Remove(name));
        Ok(())
    }

    pub fn sync_dir(&mut self, id: Id) -> Answer<()> {
        let dir = self.dir_mut(id)?;
        if dir.gone {
            return Err(Refusal::Stale);
        }
        dir.stable = dir.names.clone();
        dir.unsynced.clear();
        Ok(())
    }

    /// Puts a change into a node's cache, from which it is written back at `by`, if nobody syncs before.
    pub fn write(&mut self, node: usize, id: Id, change: Change, by: Duration) -> Answer<()> {
        self.file(id)?;
        self.caches.entry((node, id)).or_default().push(change);
        self.write_back.insert((by, node, id));
        Ok(())
    }

    /// Writes back what is due.
    pub fn catch_up(&mut self, now: Duration) {
        while let Some(&(at, node, id)) = self.write_back.first()
            && at <= now
        {
            self.write_back.pop_first();
            self.flush(node, id);
        }
    }

    fn flush(&mut self, node: usize, id: Id) {
        let Some(changes) = self.caches.remove(&(node, id)) else { return };
        if let Ok(file) = self.file_mut(id) {
            for change in changes {
                apply(&mut file.seen, &change);
                file.unsynced.push(change);
            }
        }
    }

    pub fn sync(&mut self, node: usize, id: Id) -> Answer<()> {
        self.flush(node, id);
        let file = self.file_mut(id)?;
        file.stable.clone_from(&file.seen);
        file.unsynced.clear();
        Ok(())
    }

    /// A file as this node sees it.
    pub fn view(&self, node: usize, id: Id) -> Answer<Vec<u8>> {
        let mut bytes = self.file(id)?.seen.clone();
        for change in self.caches.get(&(node, id)).into_iter().flatten() {
            apply(&mut bytes, change);
        }
        Ok(bytes)
    }
}

impl Disk {
    /// Whether a file below the root would be there, whole, after a power failure now.
    pub fn is_durable(&self, name: &str) -> bool {
        let Ok(root) = self.dir(ROOT) else { return false };
        let file = root.stable.get(name).map(|id| &self.inodes[*id]);
        matches!(file, Some(Inode::File(file)) if file.seen == file.stable)
    }
}
