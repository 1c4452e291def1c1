//! The folder that files are collected from, with its two shelves. A name leads to a file; a writer may go on with the file, put another
//! one under the name, or take the name away.

use super::line::{Line, To};
use crate::sim::locked;
use async_trait::async_trait;
use filegen::core::ports::folders::{FolderError, FoundFile};
use filegen::core::ports::inbox::{Inbox, InboxFile, InboxListing, Moved, OddEntry, Shelf};
use jiff::Timestamp;
use std::collections::BTreeMap;

type Told<T> = Result<T, FolderError>;

#[derive(Clone, Debug)]
struct Inode {
    bytes: Vec<u8>,
    modified_at: Timestamp,
    /// Changes with every change of the file, and of its names.
    changed: u64,
}

#[derive(Debug, Default)]
pub struct Folder {
    inodes: Vec<Inode>,
    pub names: BTreeMap<String, usize>,
    archive: BTreeMap<String, usize>,
    pub error: BTreeMap<String, usize>,
    /// Reasons beside files on the error shelf.
    pub notes: BTreeMap<String, Vec<u8>>,
    changes: u64,
}

fn numbered(path: &str, number: u32) -> String {
    match path.rsplit_once('.').filter(|_| number > 0) {
        Some((stem, ending)) => format!("{stem}-{number}.{ending}"),
        None => path.to_owned(),
    }
}

impl Folder {
    fn found(&self, path: &str, inode: usize) -> FoundFile {
        let Inode { bytes, modified_at, changed } = &self.inodes[inode];
        let (size, stamp) = (bytes.len() as u64, format!("{inode}:{changed}"));
        FoundFile { path: path.to_owned(), size, modified_at: *modified_at, stamp }
    }

    pub fn stamp(&self, inode: usize) -> String {
        self.found("", inode).stamp
    }

    pub fn content(&self, inode: usize) -> &[u8] {
        &self.inodes[inode].bytes
    }

    pub fn modified_at(&self, path: &str) -> Option<Timestamp> {
        self.names.get(path).map(|inode| self.inodes[*inode].modified_at)
    }

    fn touched(&mut self, inode: usize) {
        self.changes += 1;
        self.inodes[inode].changed = self.changes;
    }

    /// A writer puts a new file under a name.
    pub fn put(&mut self, path: &str, bytes: &[u8], at: Timestamp) -> usize {
        self.inodes.push(Inode { bytes: bytes.to_vec(), modified_at: at, changed: 0 });
        let inode = self.inodes.len() - 1;
        self.touched(inode);
        self.names.insert(path.to_owned(), inode);
        inode
    }

    /// A writer writes all of a file anew that it has open.
    pub fn rewrite(&mut self, inode: usize, bytes: &[u8], at: Timestamp) {
        self.inodes[inode].bytes = bytes.to_vec();
        self.inodes[inode].modified_at = at;
        self.touched(inode);
    }

    fn shelf(&mut self, shelf: Shelf) -> &mut BTreeMap<String, usize> {
        match shelf {
            Shelf::Archive => &mut self.archive,
            Shelf::Error => &mut self.error,
        }
    }

    /// Where an earlier try has put it.
    fn moved_before(&mut self, shelf: Shelf, wanted: &str, file: &FoundFile) -> Moved {
        for number in 0.. {
            let path = numbered(wanted, number);
            let Some(inode) = self.shelf(shelf).get(&path).copied() else { break };
            let there = self.found("", inode);
            if (there.size, there.modified_at) == (file.size, file.modified_at) {
                return Moved::To(path);
            }
        }
        Moved::Gone
    }

    fn put_on(&mut self, shelf: Shelf, day: &str, file: &FoundFile, moves: bool) -> Moved {
        let wanted = format!("{day}/{}", file.path);
        let Some(inode) = self.names.get(&file.path).copied() else { return self.moved_before(shelf, &wanted, file) };
        if self.found(&file.path, inode).stamp != file.stamp {
            return Moved::Changed;
        }
        let mut number = 0;
        while self.shelf(shelf).contains_key(&numbered(&wanted, number)) {
            number += 1;
        }
        let path = numbered(&wanted, number);
        self.shelf(shelf).insert(path.clone(), inode);
        if moves {
            self.names.remove(&file.path);
        }
        self.touched(inode);
        Moved::To(path)
    }

    fn restore(&mut self, place: &str, path: &str) -> Moved {
        if !self.error.contains_key(place) {
            return Moved::Gone;
        }
        if self.names.contains_key(path) {
            return Moved::Changed;
        }
        if let Some(inode) = self.error.remove(place) {
            self.notes.remove(place);
            self.names.insert(path.to_owned(), inode);
            self.touched(inode);
        }
        Moved::To(path.to_owned())
    }
}

/// One instance's view of it.
#[derive(Clone)]
pub struct Desk(pub Line);

fn failed() -> FolderError {
    FolderError::Failed { path: "in".to_owned(), reason: "an error of the disk".to_owned() }
}

impl Desk {
    async fn with<T: Send + 'static>(&self, work: impl FnOnce(&mut Folder) -> T + Send + 'static) -> Told<T> {
        self.0.ask(To::Disk, move |far| work(&mut locked(&far.folder))).await.ok_or_else(failed)
    }

    async fn leave(&self, shelf: Shelf, day: &str, file: &FoundFile, moves: bool) -> Told<Moved> {
        let (day, file) = (day.to_owned(), file.clone());
        let moved = self.0.ask(To::Disk, move |far| {
            let mut folder = locked(&far.folder);
            let before = folder.names.get(&file.path).map(|inode| folder.content(*inode).to_vec());
            let moved = folder.put_on(shelf, &day, &file, moves);
            drop(folder);
            let is_moved = matches!(moved, Moved::To(_));
            if let Some(content) = before.filter(|_| is_moved) {
                locked(&far.book).leaves(&file.path, &content, (shelf == Shelf::Error, moves));
            }
            moved
        });
        moved.await.ok_or_else(failed)
    }
}

struct Open {
    desk: Desk,
    path: String,
    inode: usize,
}

#[async_trait]
impl InboxFile for Open {
    async fn read(&mut self, offset: u64, most: usize) -> Told<Vec<u8>> {
        let (inode, offset) = (self.inode, usize::try_from(offset).unwrap_or(usize::MAX));
        let read = self.desk.with(move |folder| {
            let rest = folder.content(inode).get(offset..).unwrap_or_default();
            rest[..rest.len().min(most)].to_vec()
        });
        read.await
    }

    async fn now(&mut self) -> Told<FoundFile> {
        let (inode, path) = (self.inode, self.path.clone());
        self.desk.with(move |folder| folder.found(&path, inode)).await
    }
}

#[async_trait]
impl Inbox for Desk {
    fn describe(&self) -> String {
        "in".to_owned()
    }

    async fn list(&self, _: bool) -> Told<InboxListing> {
        let listed = self.with(|folder| {
            let files = folder.names.iter().map(|(path, inode)| folder.found(path, *inode)).collect();
            InboxListing { files, odd: Vec::new() }
        });
        listed.await
    }

    async fn changed(&self) {
        std::future::pending::<()>().await;
    }

    async fn open(&self, path: &str) -> Told<Box<dyn InboxFile>> {
        let own = path.to_owned();
        let inode = self.with(move |folder| folder.names.get(&own).copied()).await?;
        let path = path.to_owned();
        let Some(inode) = inode else { return Err(FolderError::Missing { path }) };
        Ok(Box::new(Open { desk: self.clone(), path, inode }))
    }

    async fn shelve(&self, shelf: Shelf, day: &str, file: &FoundFile, _: &str) -> Told<Moved> {
        self.leave(shelf, day, file, true).await
    }

    async fn keep_on(&self, shelf: Shelf, day: &str, file: &FoundFile, _: &str) -> Told<Moved> {
        self.leave(shelf, day, file, false).await
    }

    async fn remove(&self, file: &FoundFile) -> Told<Moved> {
        let file = file.clone();
        let moved = self.0.ask(To::Disk, move |far| {
            let mut folder = locked(&far.folder);
            let Some(inode) = folder.names.get(&file.path).copied() else { return Moved::Gone };
            if folder.found(&file.path, inode).stamp != file.stamp {
                return Moved::Changed;
            }
            let content = folder.content(inode).to_vec();
            folder.names.remove(&file.path);
            drop(folder);
            locked(&far.book).leaves(&file.path, &content, (false, true));
            Moved::To(String::new())
        });
        moved.await.ok_or_else(failed)
    }

    async fn probe(&self, _: Shelf, _: &str, _: bool) -> Told<bool> {
        Ok(true)
    }

    async fn set_aside(&self, _: &str, _: &OddEntry) -> Told<Moved> {
        Ok(Moved::Gone)
    }

    async fn explain(&self, place: &str, reason: &[u8]) -> Told<()> {
        let (place, reason) = (place.to_owned(), reason.to_vec());
        self.with(move |folder| drop(folder.notes.insert(place, reason))).await
    }

    async fn restore(&self, place: &str, path: &str) -> Told<Moved> {
        let (place, path) = (place.to_owned(), path.to_owned());
        let moved = self.0.ask(To::Disk, move |far| {
            let mut folder = locked(&far.folder);
            let inode = folder.error.get(&place).copied();
            let moved = folder.restore(&place, &path);
            if let Some(inode) = inode.filter(|_| matches!(moved, Moved::To(_))) {
                let content = folder.content(inode).to_vec();
                drop(folder);
                locked(&far.book).lies(&path, &content);
            }
            moved
        });
        moved.await.ok_or_else(failed)
    }
}
