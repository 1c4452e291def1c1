//! A bucket of an object store that files are delivered to, as `adapters::s3` has it: a key shows a whole file or nothing, and is given by
//! one request, with a condition. Large files go in pieces that nobody sees until they are put together. What the store says is durable.

use super::line::{Line, To};
use super::target::{away, failed};
use super::world::Far;
use crate::disk::Refusal;
use crate::sim::locked;
use async_trait::async_trait;
use filegen::core::failpoints::planted::planted;
use filegen::core::model::transfer::Upload;
use filegen::core::ports::file_target::{Arrived, FileTarget, Naming, PartName, Room, TargetError, TargetPart};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

type Told<T> = Result<T, TargetError>;

/// Size of all pieces but the last, and the most that goes in one request.
const PIECE: usize = 24;

/// How often a name is replaced anew when another file took it meanwhile.
const REPLACED_MOST: usize = 3;

/// The store's no.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum No {
    /// 412: the condition does not hold.
    Taken,
    NoUpload,
}

/// What a key must be like.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Condition {
    Absent,
    /// What has it has this tag.
    Is(String),
}

/// Uploads that are not at their end: their path, and the pieces that are there.
#[derive(Default)]
pub struct Uploads {
    all: BTreeMap<String, (String, BTreeMap<u32, Vec<u8>>)>,
    begun: u64,
}

fn tag(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn below(path: &str) -> String {
    format!("out/{path}")
}

/// Gives a key, if its condition holds.
fn store(far: &Far, path: &str, bytes: &[u8], condition: &Condition) -> Result<(), No> {
    let mut host = locked(&far.there);
    let there = host.content(path).map(|bytes| tag(&bytes));
    let holds = match condition {
        _ if planted("no condition") => true,
        Condition::Absent => there.is_none(),
        Condition::Is(tag) => there.as_ref() == Some(tag),
    };
    if !holds {
        return Err(No::Taken);
    }
    host.place(path, bytes);
    locked(&far.book).appears(path, bytes, &host);
    Ok(())
}

/// Makes one file of the pieces that are named, if they are as they are named.
fn complete(far: &Far, upload: &Upload, pieces: &[(u32, String)], condition: &Condition) -> Result<(), No> {
    let bytes = {
        let uploads = locked(&far.uploads);
        let (_, there) = uploads.all.get(&upload.id).ok_or(No::NoUpload)?;
        let piece = |(number, wanted): &(u32, String)| there.get(number).filter(|bytes| tag(bytes) == *wanted).cloned();
        pieces.iter().map(piece).collect::<Option<Vec<_>>>().ok_or(No::NoUpload)?.concat()
    };
    store(far, &below(&upload.path), &bytes, condition)?;
    locked(&far.uploads).all.remove(&upload.id);
    Ok(())
}

/// One instance's way to it.
#[derive(Clone)]
pub struct Bucket(Line);

impl Bucket {
    pub fn target(line: &Line) -> Arc<dyn FileTarget> {
        Arc::new(Self(line.clone()))
    }

    async fn ask<T: Send + 'static>(&self, work: impl FnOnce(&Far) -> T + Send + 'static) -> Told<T> {
        self.0.ask(To::Target, work).await.ok_or_else(away)
    }

    async fn content(&self, path: &str) -> Told<Option<Vec<u8>>> {
        let path = below(path);
        self.ask(move |far| locked(&far.there).content(&path)).await
    }

    async fn given_up(&self, upload: &Upload) -> Told<()> {
        let id = upload.id.clone();
        self.ask(move |far| drop(locked(&far.uploads).all.remove(&id))).await
    }

    /// Begins with a file that goes in pieces, or goes on with it.
    async fn begun(&self, name: PartName<'_>) -> Told<(Option<Upload>, BTreeMap<u32, String>)> {
        let Some(whole) = name.whole.filter(|whole| whole.size > PIECE as u64) else {
            return Ok((name.upload.cloned(), BTreeMap::new()));
        };
        if let Some(upload) = name.upload {
            let id = upload.id.clone();
            if upload.path != whole.path {
                self.given_up(upload).await?;
            } else if let Some(pieces) = self.ask(move |far| locked(&far.uploads).listed(&id)).await? {
                return Ok((Some(upload.clone()), pieces));
            }
        }
        let path = whole.path.to_owned();
        let id = self.ask(move |far| locked(&far.uploads).begin(&path)).await?;
        Ok((Some(Upload { path: whole.path.to_owned(), id }), BTreeMap::new()))
    }
}

impl Uploads {
    fn begin(&mut self, path: &str) -> String {
        self.begun += 1;
        let id = format!("u{}", self.begun);
        self.all.insert(id.clone(), (path.to_owned(), BTreeMap::new()));
        id
    }

    fn listed(&self, id: &str) -> Option<BTreeMap<u32, String>> {
        let (_, pieces) = self.all.get(id)?;
        Some(pieces.iter().map(|(number, bytes)| (*number, tag(bytes))).collect())
    }

    fn put(&mut self, id: &str, number: u32, bytes: Vec<u8>) -> Result<(), No> {
        let (_, pieces) = self.all.get_mut(id).ok_or(No::NoUpload)?;
        pieces.insert(number, bytes);
        Ok(())
    }
}

struct Part {
    bucket: Bucket,
    /// The path that it is bound to and all of its bytes, where that is known.
    whole: Option<(String, u64)>,
    upload: Option<Upload>,
    /// Tags of the pieces that the store had when this try began.
    listed: BTreeMap<u32, String>,
    done: Vec<(u32, String)>,
    buffer: Vec<u8>,
    written: u64,
}

impl Part {
    fn failed(&self) -> TargetError {
        failed(self.whole.as_ref().map_or("", |(path, _)| path), Refusal::Io)
    }

    fn is_in_pieces(&self) -> bool {
        self.whole.as_ref().is_some_and(|(_, size)| *size > PIECE as u64)
    }

    /// Sends the buffer as the next piece, unless the store has this very one.
    async fn send(&mut self) -> Told<()> {
        let (number, bytes) = (u32::try_from(self.done.len()).unwrap_or(0) + 1, std::mem::take(&mut self.buffer));
        let tag = tag(&bytes);
        let is_there = self.listed.remove(&number).is_some_and(|there| there == tag || planted("pieces by number"));
        if !is_there {
            let Some(Upload { id, .. }) = self.upload.clone() else { return Err(self.failed()) };
            let put = self.bucket.ask(move |far| locked(&far.uploads).put(&id, number, bytes)).await?;
            put.map_err(|_| self.failed())?;
        }
        self.done.push((number, tag));
        Ok(())
    }

    /// Gives the name, by whichever request gives it.
    async fn give(&self, path: &str, condition: Condition) -> Told<bool> {
        let (path, content, pieces) = (path.to_owned(), self.buffer.clone(), self.done.clone());
        let upload = self.upload.clone().filter(|_| self.is_in_pieces());
        let given = self.bucket.ask(move |far| match upload {
            Some(upload) => complete(far, &upload, &pieces, &condition),
            None => store(far, &below(&path), &content, &condition),
        });
        match given.await? {
            Ok(()) => Ok(true),
            Err(No::Taken) => Ok(planted("412 taken for success")),
            Err(No::NoUpload) => Err(self.failed()),
        }
    }

    async fn replace(&self, path: &str) -> Told<bool> {
        for _ in 0..REPLACED_MOST {
            let there = self.bucket.content(path).await?;
            let condition = there.map_or(Condition::Absent, |bytes| Condition::Is(tag(&bytes)));
            if self.give(path, condition).await? {
                return Ok(true);
            }
        }
        Err(self.failed())
    }
}

#[async_trait]
impl TargetPart for Part {
    async fn read(&mut self, _: u64, _: usize) -> Told<Vec<u8>> {
        Ok(Vec::new())
    }

    async fn append(&mut self, bytes: Vec<u8>) -> Told<()> {
        for byte in bytes {
            self.buffer.push(byte);
            self.written += 1;
            if self.is_in_pieces() && self.buffer.len() == PIECE {
                self.send().await?;
            }
        }
        Ok(())
    }

    async fn sync(&mut self) -> Told<()> {
        let is_all = self.whole.as_ref().is_none_or(|(_, size)| self.written >= *size);
        if is_all && self.is_in_pieces() && !self.buffer.is_empty() {
            self.send().await?;
        }
        Ok(())
    }

    async fn publish(&mut self, path: &str, naming: Naming) -> Told<bool> {
        self.sync().await?;
        if self.whole.as_ref().is_some_and(|(_, size)| self.written != *size) {
            return Err(self.failed());
        }
        if self.is_in_pieces() && self.whole.as_ref().is_some_and(|(bound, _)| bound != path) {
            let is_taken = self.bucket.content(path).await?.is_some();
            return if is_taken { Ok(false) } else { Err(self.failed()) };
        }
        let given = match naming {
            Naming::New => self.give(path, Condition::Absent).await?,
            Naming::Replace => self.replace(path).await?,
        };
        if given {
            self.upload = None;
        }
        Ok(given)
    }

    fn upload(&self) -> Option<Upload> {
        self.upload.clone()
    }

    async fn discard(&mut self) -> Told<()> {
        match self.upload.take() {
            Some(upload) => self.bucket.given_up(&upload).await,
            None => Ok(()),
        }
    }
}

#[async_trait]
impl FileTarget for Bucket {
    fn describe(&self) -> String {
        "s3".to_owned()
    }

    async fn probe(&self, _: &str) -> Told<()> {
        self.ask(|_| ()).await
    }

    async fn room(&self) -> Told<Option<Room>> {
        self.ask(|_| None).await
    }

    async fn part(&self, _: &str, name: PartName<'_>, _: u64) -> Told<(Box<dyn TargetPart>, u64)> {
        let (upload, listed) = self.begun(name).await?;
        let whole = name.whole.map(|whole| (whole.path.to_owned(), whole.size));
        let (bucket, done) = (self.clone(), Vec::new());
        Ok((Box::new(Part { bucket, whole, upload, listed, done, buffer: Vec::new(), written: 0 }), 0))
    }

    fn is_far(&self) -> bool {
        true
    }

    fn is_bound_to_a_path(&self) -> bool {
        true
    }

    async fn abandon(&self, upload: &Upload) -> Told<()> {
        self.given_up(upload).await
    }

    async fn remove(&self, path: &str) -> Told<()> {
        let path = below(path);
        self.ask(move |far| locked(&far.there).take(&path)).await.map(drop)
    }

    async fn find(&self, path: &str, size: u64) -> Told<Option<Arrived>> {
        Ok(self.content(path).await?.map(|bytes| {
            let there = bytes.len() as u64;
            Arrived { size: there, sha256: (there == size).then(|| tag(&bytes)) }
        }))
    }
}
