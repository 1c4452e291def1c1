//! Folders in memory.

use crate::core::ports::folders::{Content, FolderError, Folders, FoundFile, Listing, Pulse};
use async_trait::async_trait;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Content and time of each file, by its whole path.
type Files = BTreeMap<PathBuf, (Vec<u8>, Timestamp)>;

/// Files by their whole path, each with when it was changed. A folder is there when a file lies in it. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct MemoryFolders {
    files: Arc<Mutex<Files>>,
    /// Folders that do not answer.
    hanging: Arc<Mutex<BTreeSet<PathBuf>>>,
    /// Told when one answers again.
    answers: Arc<Notify>,
}

impl MemoryFolders {
    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a file there.
    pub fn write(&self, path: impl Into<PathBuf>, content: &[u8], at: Timestamp) {
        self.files().insert(path.into(), (content.to_vec(), at));
    }

    /// From now on, what is asked about this folder is not answered.
    pub fn hang(&self, folder: impl Into<PathBuf>) {
        self.hanging.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.into());
    }

    /// It answers again, also what was asked before.
    pub fn answer(&self, folder: &Path) {
        self.hanging.lock().unwrap_or_else(PoisonError::into_inner).remove(folder);
        self.answers.notify_waiters();
    }

    /// Waits while a folder hangs: as a thread that a disk keeps, whether somebody waits for it or not.
    async fn until_it_answers(&self, folder: PathBuf, pulse: &Pulse) {
        let (folders, pulse) = (self.clone(), pulse.clone());
        let hangs = move |it: &Self| it.hanging.lock().unwrap_or_else(PoisonError::into_inner).contains(&folder);
        if !hangs(self) {
            return;
        }
        let kept = tokio::spawn(async move {
            loop {
                let answered = folders.answers.notified();
                if !hangs(&folders) {
                    break;
                }
                answered.await;
            }
            drop(pulse);
        });
        let _ = kept.await;
    }

    /// Copies a file that is there.
    pub(super) fn copy(&self, from: &Path, to: PathBuf) {
        let mut files = self.files();
        if let Some(file) = files.get(from).cloned() {
            files.insert(to, file);
        }
    }

    /// Takes a file away.
    pub fn remove(&self, path: &Path) {
        self.files().remove(path);
    }
}

fn stamp(content: &[u8], at: Timestamp) -> String {
    format!("{at}:{}:{}", content.len(), hex::encode(Sha256::digest(content)))
}

#[async_trait]
impl Folders for MemoryFolders {
    async fn check(&self, root: &Path, below: &str, pulse: &Pulse) -> Result<(), FolderError> {
        self.list(root, below, true, pulse).await.map(drop)
    }

    async fn list(&self, root: &Path, below: &str, deep: bool, pulse: &Pulse) -> Result<Listing, FolderError> {
        let folder = if below.is_empty() { root.to_owned() } else { root.join(below) };
        self.until_it_answers(folder.clone(), pulse).await;
        pulse.beat();
        let files = self.files();
        let mut is_there = false;
        let mut listing = Listing::default();
        for (path, (content, at)) in files.iter() {
            let Some(path) = path.strip_prefix(&folder).ok().and_then(Path::to_str) else { continue };
            is_there = true;
            if deep || !path.contains('/') {
                listing.files.push(FoundFile {
                    path: path.to_owned(),
                    size: content.len() as u64,
                    modified_at: *at,
                    stamp: stamp(content, *at),
                });
            }
        }
        if is_there { Ok(listing) } else { Err(FolderError::Missing { path: folder.display().to_string() }) }
    }

    async fn read(&self, root: &Path, path: &str, pulse: &Pulse) -> Result<Content, FolderError> {
        pulse.beat();
        let files = self.files();
        let whole = root.join(path);
        let Some((content, at)) = files.get(&whole) else {
            return Err(FolderError::Missing { path: whole.display().to_string() });
        };
        let sha256 = hex::encode(Sha256::digest(content));
        Ok(Content { sha256, size: content.len() as u64, modified_at: *at, stamp: stamp(content, *at) })
    }

    fn disk(&self, root: &Path, _: &str) -> String {
        root.display().to_string()
    }
}
