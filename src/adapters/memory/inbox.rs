//! A folder with two shelves in memory.

use crate::core::ports::folders::{FolderError, FoundFile};
use crate::core::ports::inbox::{Inbox, InboxFile, InboxListing, Moved, OddEntry, Shelf};
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Files by their path. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct MemoryInbox(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    files: BTreeMap<String, Stored>,
    archive: BTreeMap<String, Stored>,
    error: BTreeMap<String, Stored>,
    writes: u64,
}

#[derive(Clone, Debug)]
struct Stored {
    bytes: Arc<Vec<u8>>,
    at: Timestamp,
    number: u64,
}

impl Stored {
    fn found(&self, path: &str) -> FoundFile {
        let (size, stamp) = (self.bytes.len() as u64, self.number.to_string());
        FoundFile { path: path.to_owned(), size, modified_at: self.at, stamp }
    }
}

impl Kept {
    fn shelf(&mut self, shelf: Shelf) -> &mut BTreeMap<String, Stored> {
        match shelf {
            Shelf::Archive => &mut self.archive,
            Shelf::Error => &mut self.error,
        }
    }

    fn put(&mut self, shelf: Shelf, day: &str, file: &FoundFile) -> Moved {
        let Some(stored) = self.files.get(&file.path).cloned() else {
            let path = format!("{day}/{}", file.path);
            let there = self.shelf(shelf).get(&path);
            let is_it = there.is_some_and(|there| there.at == file.modified_at && there.found("").size == file.size);
            return if is_it { Moved::To(path) } else { Moved::Gone };
        };
        if stored.found(&file.path) != *file {
            return Moved::Changed;
        }
        let at = file.path.rfind('.').unwrap_or(file.path.len());
        let (stem, ending) = file.path.split_at(at);
        let mut path = format!("{day}/{}", file.path);
        let mut number = 0;
        while self.shelf(shelf).contains_key(&path) {
            number += 1;
            path = format!("{day}/{stem}-{number}{ending}");
        }
        self.shelf(shelf).insert(path.clone(), stored);
        Moved::To(path)
    }
}

impl MemoryInbox {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a file there, as its writer does.
    pub fn write(&self, path: &str, bytes: &[u8], at: Timestamp) {
        let mut kept = self.kept();
        kept.writes += 1;
        let stored = Stored { bytes: Arc::new(bytes.to_vec()), at, number: kept.writes };
        kept.files.insert(path.to_owned(), stored);
    }

    /// Takes a file away, as its writer does.
    pub fn delete(&self, path: &str) {
        self.kept().files.remove(path);
    }

    /// What stands on a shelf, by its path there.
    pub fn on(&self, shelf: Shelf) -> Vec<(String, Vec<u8>)> {
        let mut kept = self.kept();
        kept.shelf(shelf).iter().map(|(path, stored)| (path.clone(), stored.bytes.to_vec())).collect()
    }
}

struct Open {
    path: String,
    stored: Stored,
    inbox: MemoryInbox,
}

#[async_trait]
impl InboxFile for Open {
    async fn read(&mut self, offset: u64, most: usize) -> Result<Vec<u8>, FolderError> {
        let rest = self.stored.bytes.get(usize::try_from(offset).unwrap_or(usize::MAX)..).unwrap_or_default();
        Ok(rest[..rest.len().min(most)].to_vec())
    }

    async fn now(&mut self) -> Result<FoundFile, FolderError> {
        // A file that was written anew under its name is another one.
        let now = self.inbox.kept().files.get(&self.path).map(|stored| stored.found(&self.path));
        Ok(now.unwrap_or_else(|| self.stored.found(&self.path)))
    }
}

#[async_trait]
impl Inbox for MemoryInbox {
    fn describe(&self) -> String {
        "memory".to_owned()
    }

    async fn list(&self, deep: bool) -> Result<InboxListing, FolderError> {
        let kept = self.kept();
        let files = kept.files.iter().filter(|(path, _)| deep || !path.contains('/'));
        Ok(InboxListing { files: files.map(|(path, stored)| stored.found(path)).collect(), odd: Vec::new() })
    }

    async fn changed(&self) {
        std::future::pending::<()>().await;
    }

    async fn open(&self, path: &str) -> Result<Box<dyn InboxFile>, FolderError> {
        let stored = self.kept().files.get(path).cloned();
        let stored = stored.ok_or_else(|| FolderError::Missing { path: path.to_owned() })?;
        Ok(Box::new(Open { path: path.to_owned(), stored, inbox: self.clone() }))
    }

    async fn shelve(&self, shelf: Shelf, day: &str, file: &FoundFile, _: &str) -> Result<Moved, FolderError> {
        let mut kept = self.kept();
        let moved = kept.put(shelf, day, file);
        if matches!(moved, Moved::To(_)) {
            kept.files.remove(&file.path);
        }
        Ok(moved)
    }

    async fn keep_on(&self, shelf: Shelf, day: &str, file: &FoundFile, _: &str) -> Result<Moved, FolderError> {
        Ok(self.kept().put(shelf, day, file))
    }

    async fn remove(&self, file: &FoundFile) -> Result<Moved, FolderError> {
        let mut kept = self.kept();
        match kept.files.get(&file.path).map(|stored| stored.found(&file.path)) {
            None => Ok(Moved::Gone),
            Some(found) if found != *file => Ok(Moved::Changed),
            Some(_) => {
                kept.files.remove(&file.path);
                Ok(Moved::To(String::new()))
            }
        }
    }

    async fn probe(&self, _: Shelf, _: &str, _: bool) -> Result<bool, FolderError> {
        Ok(true)
    }

    async fn set_aside(&self, _: &str, _: &OddEntry) -> Result<Moved, FolderError> {
        // Names in memory are text.
        Ok(Moved::Gone)
    }

    async fn explain(&self, place: &str, reason: &[u8]) -> Result<(), FolderError> {
        let stored = Stored { bytes: Arc::new(reason.to_vec()), at: Timestamp::UNIX_EPOCH, number: 0 };
        self.kept().error.insert(format!("{place}.error"), stored);
        Ok(())
    }

    async fn restore(&self, place: &str, path: &str) -> Result<Moved, FolderError> {
        let mut kept = self.kept();
        if kept.files.contains_key(path) {
            return Ok(Moved::Changed);
        }
        let Some(stored) = kept.error.remove(place) else { return Ok(Moved::Gone) };
        kept.error.remove(&format!("{place}.error"));
        kept.files.insert(path.to_owned(), stored);
        Ok(Moved::To(path.to_owned()))
    }
}
