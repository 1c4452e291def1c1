//! A folder that files are delivered to, as `adapters::file_target` has it, on the simulation's disk: what was not synced may be gone when
//! power fails.

use super::line::{Line, To};
use crate::disk::{Change, Disk, Id, Place, Refusal, parent};
use crate::rng::Rng;
use crate::sim::locked;
use async_trait::async_trait;
use filegen::core::failpoints::planted::planted;
use filegen::core::ports::file_target::{Arrived, FileTarget, Naming, PartName, Room, TargetError, TargetPart};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

type Told<T> = Result<T, TargetError>;

/// What is written goes to the disk by itself after this.
const WRITE_BACK: Duration = Duration::from_secs(30);

/// The disk of a host, and which part files a process keeps.
#[derive(Clone)]
pub struct Host {
    pub disk: Disk,
    kept: BTreeMap<Id, Weak<()>>,
    /// How often its power came back.
    pub lives: u64,
}

impl Host {
    pub fn new() -> Self {
        let mut disk = Disk::new(false);
        assert_eq!(disk.make_dirs("out"), Ok(()));
        Self { disk, kept: BTreeMap::new(), lives: 0 }
    }

    pub fn power_fails(&mut self, rng: &mut Rng) {
        self.disk.power_fails(rng);
        self.lives += 1;
    }

    /// The content under a name.
    pub fn content(&self, path: &str) -> Option<Vec<u8>> {
        self.disk.view(0, self.disk.resolve(path).ok()?).ok()
    }

    /// Somebody else puts a file there, or takes one away, durably.
    pub fn put(&mut self, path: &str, bytes: &[u8]) {
        let Ok(id) = self.disk.create(&at(path)) else { return };
        let written = self.disk.write(0, id, Change::Write(0, bytes.to_vec()), Duration::ZERO);
        let synced = written.and_then(|()| self.disk.sync(0, id)).and_then(|()| self.sync_folder(path));
        assert_eq!(synced, Ok(()));
    }

    /// In place of whatever has the name.
    pub fn place(&mut self, path: &str, bytes: &[u8]) {
        self.take(path);
        assert_eq!(self.disk.make_dirs(parent(path).0), Ok(()));
        self.put(path, bytes);
    }

    pub fn take(&mut self, path: &str) -> bool {
        self.disk.unlink(&at(path)).and_then(|()| self.sync_folder(path)).is_ok()
    }

    pub fn sync_folder(&mut self, path: &str) -> Result<(), Refusal> {
        let folder = self.disk.resolve(parent(path).0)?;
        self.disk.sync_dir(folder)
    }

    /// All final names below the target.
    pub fn names(&self) -> Vec<String> {
        let mut open = vec!["out".to_owned()];
        let mut names = Vec::new();
        while let Some(path) = open.pop() {
            match self.disk.resolve(&path).and_then(|id| self.disk.dir(id)) {
                Ok(dir) => open.extend(dir.names.keys().map(|name| format!("{path}/{name}"))),
                Err(_) if Self::is_hidden(&path) => {}
                Err(_) => names.push(path),
            }
        }
        names.sort();
        names
    }

    /// Whether a name is one of ours that nobody looks at.
    pub fn is_hidden(path: &str) -> bool {
        parent(path).1.starts_with(".filegen-")
    }

    /// Opens a part file for a process. One that another keeps loses its name.
    fn open(&mut self, folder: &str, path: &str, keep: u64) -> Result<(Id, u64, Arc<()>), Refusal> {
        self.disk.make_dirs(folder)?;
        let mut id = match self.disk.resolve(path) {
            Ok(id) => id,
            Err(_) => self.disk.create(&at(path))?,
        };
        if self.kept.get(&id).is_some_and(|kept| kept.strong_count() > 0) {
            self.disk.unlink(&at(path))?;
            id = self.disk.create(&at(path))?;
        }
        let lock = Arc::new(());
        self.kept.insert(id, Arc::downgrade(&lock));
        let there = self.disk.view(0, id)?.len().min(usize::try_from(keep).unwrap_or(usize::MAX));
        self.disk.write(0, id, Change::Cut(there), Duration::MAX)?;
        Ok((id, there as u64, lock))
    }

    fn is_own(&self, id: Id, path: &str) -> bool {
        self.disk.resolve(path) == Ok(id)
    }

    /// Gives a file its name. `false`: another one has it.
    fn name(&mut self, id: Id, own: &str, path: &str, naming: Naming) -> Result<bool, Refusal> {
        if naming == Naming::Replace || planted("name given by a rename") {
            if !self.is_own(id, own) {
                return Err(Refusal::NotFound);
            }
            return self.disk.rename(&at(own), &at(path)).map(|()| true);
        }
        match self.disk.link(id, &at(path)) {
            Ok(()) if self.is_own(id, own) => self.disk.unlink(&at(own)).map(|()| true),
            Err(Refusal::Exists) => Ok(false),
            done => done.map(|()| true),
        }
    }
}

pub fn at(path: &str) -> Place {
    Place::Path(path.to_owned())
}

/// One instance's view of a folder of the host.
#[derive(Clone)]
pub struct Door {
    pub line: Line,
    pub root: String,
}

pub fn away() -> TargetError {
    TargetError::Away { target: "simulated".to_owned(), reason: "no answer".to_owned() }
}

pub fn failed(path: &str, refusal: Refusal) -> TargetError {
    TargetError::Failed { path: path.to_owned(), reason: format!("{refusal:?}") }
}

impl Door {
    fn below(&self, path: &str) -> String {
        if path.is_empty() { self.root.clone() } else { format!("{}/{path}", self.root) }
    }

    async fn with<T: Send + 'static>(
        &self,
        path: &str,
        work: impl FnOnce(&mut Host) -> Result<T, Refusal> + Send + 'static,
    ) -> Told<T> {
        let done = self.line.ask(To::Disk, move |far| work(&mut locked(&far.host))).await;
        done.ok_or_else(away)?.map_err(|refusal| failed(path, refusal))
    }
}

struct Part {
    door: Door,
    path: String,
    id: Id,
    end: u64,
    /// What keeps the file for this process, as long as it lives.
    _lock: Arc<()>,
}

#[async_trait]
impl TargetPart for Part {
    async fn read(&mut self, offset: u64, most: usize) -> Told<Vec<u8>> {
        let (id, offset) = (self.id, usize::try_from(offset).unwrap_or(usize::MAX));
        let read = self.door.with(&self.path, move |host| {
            let bytes = host.disk.view(0, id).unwrap_or_default();
            let rest = bytes.get(offset..).unwrap_or_default();
            Ok(rest[..rest.len().min(most)].to_vec())
        });
        read.await
    }

    async fn append(&mut self, bytes: Vec<u8>) -> Told<()> {
        let (id, end, length) = (self.id, usize::try_from(self.end).unwrap_or(0), bytes.len() as u64);
        let by = self.door.line.far.start.0.elapsed() + WRITE_BACK;
        self.door.with(&self.path, move |host| host.disk.write(0, id, Change::Write(end, bytes), by)).await?;
        self.end += length;
        Ok(())
    }

    async fn sync(&mut self) -> Told<()> {
        let id = self.id;
        self.door.with(&self.path, move |host| host.disk.sync(0, id)).await
    }

    async fn publish(&mut self, path: &str, naming: Naming) -> Told<bool> {
        let (id, own, path) = (self.id, self.path.clone(), self.door.below(path));
        self.door.with(&self.path, move |host| host.disk.sync(0, id)).await?;
        let (far, to) = (Arc::clone(&self.door.line.far), path.clone());
        let is_named = self.door.with(&self.path, move |host| {
            let is_named = host.name(id, &own, &to, naming)?;
            if is_named {
                let content = host.content(&to).unwrap_or_default();
                locked(&far.book).appears(&to, &content, host);
            }
            Ok(is_named)
        });
        if !is_named.await? {
            return Ok(false);
        }
        if !planted("no sync of the target's folder") {
            self.door.with(&self.path, move |host| host.sync_folder(&path)).await?;
        }
        Ok(true)
    }

    async fn discard(&mut self) -> Told<()> {
        let (id, own) = (self.id, self.path.clone());
        let gone = self.door.with(
            &self.path,
            move |host| {
                if host.is_own(id, &own) { host.disk.unlink(&at(&own)) } else { Ok(()) }
            },
        );
        gone.await
    }
}

#[async_trait]
impl FileTarget for Door {
    fn describe(&self) -> String {
        self.root.clone()
    }

    async fn probe(&self, _: &str) -> Told<()> {
        self.with("probe", |_| Ok(())).await
    }

    async fn room(&self) -> Told<Option<Room>> {
        Ok(None)
    }

    async fn part(&self, folder: &str, name: PartName<'_>, keep: u64) -> Told<(Box<dyn TargetPart>, u64)> {
        let folder = self.below(folder);
        let path = format!("{folder}/.filegen-{}.part", name.id);
        let own = path.clone();
        let (id, there, lock) = self.with(&path, move |host| host.open(&folder, &own, keep)).await?;
        Ok((Box::new(Part { door: self.clone(), path, id, end: there, _lock: lock }), there))
    }

    async fn remove(&self, path: &str) -> Told<()> {
        let path = self.below(path);
        self.with("remove", move |host| {
            host.take(&path);
            Ok(())
        })
        .await
    }

    async fn keep_name(&self, path: &str) -> Told<()> {
        let path = self.below(path);
        let kept = self.with("keep", move |host| {
            let id = host.disk.resolve(&path)?;
            host.disk.sync(0, id)?;
            host.sync_folder(&path)
        });
        kept.await
    }

    async fn find(&self, path: &str, size: u64) -> Told<Option<Arrived>> {
        let path = self.below(path);
        let found = self.with("find", move |host| Ok(host.content(&path))).await?;
        Ok(found.map(|bytes| {
            let there = bytes.len() as u64;
            Arrived { size: there, sha256: (there == size).then(|| hex::encode(Sha256::digest(&bytes))) }
        }))
    }
}
