//! A place for files in memory.

use crate::core::ports::file_target::{Arrived, FileTarget, Naming, PartName, Room, TargetError, TargetPart};
use async_trait::async_trait;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Files by their path, and those that are not whole yet. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct MemoryTarget(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    files: BTreeMap<String, Vec<u8>>,
    parts: BTreeMap<String, Vec<u8>>,
    /// Bytes that fit in all. `None`: any.
    room: Option<Room>,
    /// Names with this in them are not given. An empty text is in all of them.
    refused: Option<String>,
    /// The answer to the next naming is lost.
    loses_answer: bool,
    /// Names that power would take away.
    passing: BTreeSet<String>,
}

impl Kept {
    fn may_have(&self, name: &str) -> Result<(), TargetError> {
        match &self.refused {
            Some(text) if name.contains(text) => {
                Err(TargetError::Failed { path: name.to_owned(), reason: "failure".to_owned() })
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl MemoryTarget {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A file's content.
    pub fn content(&self, path: &str) -> Option<Vec<u8>> {
        self.kept().files.get(path).cloned()
    }

    /// Puts a file there behind everybody's back.
    pub fn put(&self, path: &str, content: &[u8]) {
        self.kept().files.insert(path.to_owned(), content.to_vec());
    }

    /// Refuses all names with this text in them, and says no reason.
    pub fn refuse(&self, text: Option<&str>) {
        self.kept().refused = text.map(str::to_owned);
    }

    /// Takes a file away behind everybody's back.
    pub fn take(&self, path: &str) {
        self.kept().files.remove(path);
    }

    /// The next file gets its name, and nobody hears of it; nor is the name durable.
    pub fn lose_answer(&self) {
        self.kept().loses_answer = true;
    }

    /// Whether a file would have its name after a power failure.
    pub fn is_durable(&self, path: &str) -> bool {
        let kept = self.kept();
        kept.files.contains_key(path) && !kept.passing.contains(path)
    }

    /// Says how many bytes are free.
    pub fn set_room(&self, room: Option<Room>) {
        self.kept().room = room;
    }
}

struct Part {
    target: MemoryTarget,
    key: String,
}

#[async_trait]
impl TargetPart for Part {
    async fn read(&mut self, offset: u64, most: usize) -> Result<Vec<u8>, TargetError> {
        let kept = self.target.kept();
        let bytes = kept.parts.get(&self.key).map_or(&[][..], Vec::as_slice);
        let rest = bytes.get(usize::try_from(offset).unwrap_or(usize::MAX)..).unwrap_or_default();
        Ok(rest[..rest.len().min(most)].to_vec())
    }

    async fn append(&mut self, bytes: Vec<u8>) -> Result<(), TargetError> {
        self.target.kept().parts.entry(self.key.clone()).or_default().extend(bytes);
        Ok(())
    }

    async fn sync(&mut self) -> Result<(), TargetError> {
        Ok(())
    }

    async fn publish(&mut self, path: &str, naming: Naming) -> Result<bool, TargetError> {
        let mut kept = self.target.kept();
        kept.may_have(path)?;
        if naming == Naming::New && kept.files.contains_key(path) {
            return Ok(false);
        }
        let bytes = kept.parts.remove(&self.key).unwrap_or_default();
        kept.files.insert(path.to_owned(), bytes);
        if std::mem::take(&mut kept.loses_answer) {
            kept.passing.insert(path.to_owned());
            return Err(TargetError::Away { target: "memory".to_owned(), reason: "no answer".to_owned() });
        }
        Ok(true)
    }

    async fn discard(&mut self) -> Result<(), TargetError> {
        self.target.kept().parts.remove(&self.key);
        Ok(())
    }
}

#[async_trait]
impl FileTarget for MemoryTarget {
    fn describe(&self) -> String {
        "memory".to_owned()
    }

    async fn probe(&self, name: &str) -> Result<(), TargetError> {
        self.kept().may_have(name)
    }

    async fn room(&self) -> Result<Option<Room>, TargetError> {
        Ok(self.kept().room)
    }

    async fn part(
        &self,
        folder: &str,
        name: PartName<'_>,
        keep: u64,
    ) -> Result<(Box<dyn TargetPart>, u64), TargetError> {
        let key = format!("{folder}/{}", name.id);
        let mut kept = self.kept();
        let bytes = kept.parts.entry(key.clone()).or_default();
        bytes.truncate(usize::try_from(keep).unwrap_or(usize::MAX));
        let there = bytes.len() as u64;
        Ok((Box::new(Part { target: self.clone(), key }), there))
    }

    async fn remove(&self, path: &str) -> Result<(), TargetError> {
        self.kept().files.remove(path);
        Ok(())
    }

    async fn keep_name(&self, path: &str) -> Result<(), TargetError> {
        self.kept().passing.remove(path);
        Ok(())
    }

    async fn find(&self, path: &str, size: u64) -> Result<Option<Arrived>, TargetError> {
        let digest = |bytes: &Vec<u8>| hex::encode(Sha256::digest(bytes));
        let arrived = |bytes: &Vec<u8>| {
            let found = bytes.len() as u64;
            Arrived { size: found, sha256: (found == size).then(|| digest(bytes)) }
        };
        Ok(self.kept().files.get(path).map(arrived))
    }
}
