//! A folder of this host that files are collected from, and its shelves.

mod listing;
mod shelf;

use super::apart::apart;
use super::folders::{failed, modified};
use super::notice::Notices;
use crate::core::ports::folders::{FolderError, FoundFile};
use crate::core::ports::inbox::{Inbox, InboxFile, InboxListing, Moved, OddEntry, Shelf};
use crate::files::{self, Beneath, Found};
use async_trait::async_trait;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Permissions of the folders that are made; the umask takes from them.
const FOLDER_MODE: u32 = 0o777;

/// A folder of this host. Each call runs on a thread of its own.
#[derive(Clone, Debug)]
pub struct LocalInbox(Arc<Places>);

#[derive(Debug)]
struct Places {
    directory: PathBuf,
    archive: PathBuf,
    error: PathBuf,
    /// What lies below the folder and is no part of it, as paths below it.
    left_out: Vec<String>,
    notices: Notices,
}

impl LocalInbox {
    /// The folder at `directory` with its shelves. What is at `others` is left out when it lies below the folder.
    pub fn new(directory: &Path, archive: &Path, error: &Path, others: &[&Path]) -> Self {
        let below = |path: &Path| Some(path.strip_prefix(directory).ok()?.to_str()?.to_owned());
        let left_out = [archive, error]
            .into_iter()
            .chain(others.iter().copied())
            .filter_map(below)
            .filter(|path| !path.is_empty());
        Self(Arc::new(Places {
            left_out: left_out.collect(),
            directory: directory.to_owned(),
            archive: archive.to_owned(),
            error: error.to_owned(),
            notices: Notices::default(),
        }))
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Places) -> Result<T, FolderError> + Send + 'static,
    ) -> Result<T, FolderError> {
        let places = Arc::clone(&self.0);
        apart(move || work(&places)).await
    }
}

impl Places {
    fn root(&self) -> Result<Beneath, FolderError> {
        Beneath::of(&self.directory).map_err(|error| failed(&self.directory.display().to_string(), &error))
    }

    fn shelf(&self, shelf: Shelf) -> &Path {
        match shelf {
            Shelf::Archive => &self.archive,
            Shelf::Error => &self.error,
        }
    }

    fn shelf_root(&self, shelf: Shelf) -> Result<Beneath, FolderError> {
        let path = self.shelf(shelf);
        files::folder_made(path, FOLDER_MODE).map_err(|error| failed(&path.display().to_string(), &error))
    }

    /// The error of a path below the folder.
    fn failed(&self, path: &str, error: &io::Error) -> FolderError {
        failed(&self.directory.join(path).display().to_string(), error)
    }
}

#[async_trait]
impl Inbox for LocalInbox {
    fn describe(&self) -> String {
        self.0.directory.display().to_string()
    }

    async fn list(&self, deep: bool) -> Result<InboxListing, FolderError> {
        self.with(move |places| listing::list(places, deep)).await
    }

    async fn changed(&self) {
        self.0.notices.changed().await;
    }

    async fn open(&self, path: &str) -> Result<Box<dyn InboxFile>, FolderError> {
        let path = path.to_owned();
        let file = self
            .with(move |places| {
                let file = places.root()?.open(&path).map_err(|error| places.failed(&path, &error))?;
                Ok(OpenFile { shown: places.directory.join(&path).display().to_string(), path, file: Arc::new(file) })
            })
            .await?;
        Ok(Box::new(file))
    }

    async fn shelve(&self, shelf: Shelf, day: &str, file: &FoundFile, sha256: &str) -> Result<Moved, FolderError> {
        let (day, file, sha256) = (day.to_owned(), file.clone(), sha256.to_owned());
        self.with(move |places| shelf::shelve(places, shelf, &day, &file, &sha256)).await
    }

    async fn keep_on(&self, shelf: Shelf, day: &str, file: &FoundFile, sha256: &str) -> Result<Moved, FolderError> {
        let (day, file, sha256) = (day.to_owned(), file.clone(), sha256.to_owned());
        self.with(move |places| shelf::keep_on(places, shelf, &day, &file, &sha256)).await
    }

    async fn remove(&self, file: &FoundFile) -> Result<Moved, FolderError> {
        let file = file.clone();
        self.with(move |places| shelf::remove(places, &file)).await
    }

    async fn probe(&self, shelf: Shelf, name: &str, moves: bool) -> Result<bool, FolderError> {
        let name = name.to_owned();
        self.with(move |places| shelf::probe(places, shelf, &name, moves)).await
    }

    async fn set_aside(&self, day: &str, odd: &OddEntry) -> Result<Moved, FolderError> {
        let (day, odd) = (day.to_owned(), odd.clone());
        self.with(move |places| shelf::set_aside(places, &day, &odd)).await
    }

    async fn explain(&self, place: &str, reason: &[u8]) -> Result<(), FolderError> {
        let (place, reason) = (place.to_owned(), reason.to_vec());
        self.with(move |places| shelf::explain(places, &place, &reason)).await
    }

    async fn restore(&self, place: &str, path: &str) -> Result<Moved, FolderError> {
        let (place, path) = (place.to_owned(), path.to_owned());
        self.with(move |places| shelf::restore(places, &place, &path)).await
    }
}

struct OpenFile {
    path: String,
    shown: String,
    file: Arc<File>,
}

#[async_trait]
impl InboxFile for OpenFile {
    async fn read(&mut self, offset: u64, most: usize) -> Result<Vec<u8>, FolderError> {
        let file = Arc::clone(&self.file);
        let read = apart(move || {
            let mut bytes = vec![0; most];
            let count = file.read_at(&mut bytes, offset)?;
            bytes.truncate(count);
            Ok(bytes)
        });
        read.await.map_err(|error: io::Error| failed(&self.shown, &error))
    }

    async fn now(&mut self) -> Result<FoundFile, FolderError> {
        let file = Arc::clone(&self.file);
        let found = apart(move || Found::of_file(&file)).await.map_err(|error| failed(&self.shown, &error))?;
        Ok(file_of(&self.path, &found))
    }
}

fn file_of(path: &str, found: &Found) -> FoundFile {
    FoundFile { path: path.to_owned(), size: found.bytes, modified_at: modified(found), stamp: found.stamp() }
}

/// A path's folder and its last name.
fn parted(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// The path of a name in a folder.
fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}
