//! A folder of an SFTP server that files are delivered to, as `adapters::sftp` has it: each call is several requests, any of which may be
//! lost, or be carried out when nobody waits for it any more. The server keeps files on a disk of its own, whose power fails.

use super::line::{Line, To};
use super::target::{Host, at, away, failed};
use super::world::Far;
use crate::disk::{Change, Id, Refusal};
use crate::sim::locked;
use async_trait::async_trait;
use filegen::core::failpoints::planted::planted;
use filegen::core::ports::file_target::{Arrived, FileTarget, Naming, PartName, Room, TargetError, TargetPart};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;

type Told<T> = Result<T, TargetError>;

/// What a server says.
type Said<T> = Result<T, Refusal>;

/// Bytes of one request.
const REQUEST: usize = 16;

/// What is written goes to the server's disk by itself after this.
const WRITE_BACK: Duration = Duration::from_secs(30);

/// One instance's way to it.
#[derive(Clone)]
pub struct Sftp(pub Line);

fn below(path: &str) -> String {
    if path.is_empty() { "out".to_owned() } else { format!("out/{path}") }
}

impl Sftp {
    /// How often the server was started: handles and requests are one life's.
    fn life(&self) -> u64 {
        locked(&self.0.far.there).lives
    }

    async fn ask<T: Send + 'static>(
        &self,
        life: u64,
        work: impl FnOnce(&Far, &mut Host) -> Said<T> + Send + 'static,
    ) -> Told<Said<T>> {
        let said = self.0.ask(To::Target, move |far| {
            let mut host = locked(&far.there);
            (host.lives == life).then(|| work(far, &mut host))
        });
        said.await.flatten().ok_or_else(away)
    }

    async fn done<T: Send + 'static>(
        &self,
        path: &str,
        work: impl FnOnce(&Far, &mut Host) -> Said<T> + Send + 'static,
    ) -> Told<T> {
        self.ask(self.life(), work).await?.map_err(|refusal| failed(path, refusal))
    }

    /// The size of what has a name.
    async fn size(&self, path: &str) -> Told<Said<usize>> {
        let path = path.to_owned();
        self.ask(self.life(), move |_, host| host.content(&path).map(|bytes| bytes.len()).ok_or(Refusal::NotFound))
            .await
    }

    /// A rename that replaces nothing, or one that does.
    async fn rename(&self, from: &str, to: &str, naming: Naming) -> Told<Said<()>> {
        let (from, to) = (from.to_owned(), to.to_owned());
        let renamed = self.ask(self.life(), move |far, host| {
            if naming == Naming::New && host.disk.resolve(&to).is_ok() {
                return Err(Refusal::Exists);
            }
            host.disk.rename(&at(&from), &at(&to))?;
            let content = host.content(&to).unwrap_or_default();
            if !Host::is_hidden(&to) {
                locked(&far.book).appears(&to, &content, host);
            }
            Ok(())
        });
        renamed.await
    }

    async fn gone(&self, path: &str) -> Told<()> {
        let path = path.to_owned();
        self.done(&path.clone(), move |_, host| match host.disk.unlink(&at(&path)) {
            Err(Refusal::NotFound) => Ok(()),
            unlinked => unlinked,
        })
        .await
    }

    /// Opens the unfinished file of a name: an earlier try's, under this one's own name, or a new one.
    async fn open(&self, folder: &str, name: PartName<'_>, keep: u64) -> Told<(String, Id, u64)> {
        let is_one = planted("one unfinished name");
        let path = |writer: &str| format!("{folder}/.filegen-{}-{writer}.part", name.id);
        let own = path(if is_one { "" } else { name.writer });
        let mut goes_on = keep > 0 && self.size(&own).await?.is_ok();
        for former in name.former.iter().rev().filter(|_| !is_one) {
            let is_taken = keep > 0 && !goes_on && self.rename(&path(former), &own, Naming::New).await?.is_ok();
            goes_on |= is_taken;
            if !is_taken {
                self.gone(&path(former)).await?;
            }
        }
        let (to, keep) = (own.clone(), usize::try_from(keep).unwrap_or(usize::MAX));
        if goes_on {
            let opened = self.done(&own, move |_, host| {
                let id = host.disk.resolve(&to)?;
                let there = host.disk.view(0, id)?.len().min(keep);
                if planted("one unfinished name") {
                    host.disk.write(0, id, Change::Cut(there), Duration::MAX)?;
                }
                Ok((id, there as u64))
            });
            let (id, there) = opened.await?;
            return Ok((own, id, there));
        }
        let made = self.ask(self.life(), move |_, host| host.disk.create(&at(&to))).await?;
        if made == Err(Refusal::Exists) {
            self.gone(&own).await?;
            let to = own.clone();
            let id = self.done(&own, move |_, host| host.disk.create(&at(&to))).await?;
            return Ok((own, id, 0));
        }
        let id = made.map_err(|refusal| failed(&own, refusal))?;
        Ok((own, id, 0))
    }

    async fn sync_folder(&self, path: &str) -> Told<()> {
        let path = path.to_owned();
        self.done(&path.clone(), move |_, host| host.sync_folder(&path)).await
    }
}

struct Part {
    sftp: Sftp,
    path: String,
    id: Id,
    life: u64,
    end: u64,
}

impl Part {
    /// By its handle, which lives as long as the server does.
    async fn by_handle<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Far, &mut Host, Id) -> Said<T> + Send + 'static,
    ) -> Told<T> {
        let id = self.id;
        let said = self.sftp.ask(self.life, move |far, host| work(far, host, id)).await?;
        said.map_err(|refusal| failed(&self.path, refusal))
    }
}

/// A request to write. What has its final name must not change by it; the very bytes that are there may come once more, from a try that
/// nobody waits for any more: a disk that is given what it has is taken to keep it.
fn write(far: &Far, host: &mut Host, id: Id, (offset, mut bytes): (usize, Vec<u8>)) -> Said<()> {
    let before = host.disk.view(0, id)?;
    let is_new = offset + bytes.len() > before.len();
    if let Some(byte) = bytes.first_mut().filter(|_| is_new && far.chance(far.mix.spoils)) {
        far.note("line", "spoils a byte");
        *byte ^= 1;
    }
    if before.get(offset..offset + bytes.len()) == Some(&*bytes) {
        return Ok(());
    }
    let by = far.start.0.elapsed() + WRITE_BACK;
    host.disk.write(0, id, Change::Write(offset, bytes), by)?;
    if let Some(name) = host.names().into_iter().find(|name| host.disk.resolve(name) == Ok(id)) {
        locked(&far.book).wrong.push(format!("{name} has its name, and is changed"));
    }
    Ok(())
}

#[async_trait]
impl TargetPart for Part {
    async fn read(&mut self, offset: u64, most: usize) -> Told<Vec<u8>> {
        let (path, end) = (self.path.clone(), usize::try_from(self.end).unwrap_or(usize::MAX));
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let read = self.sftp.done(&self.path, move |_, host| {
            let bytes = host.content(&path).ok_or(Refusal::NotFound)?;
            let rest = bytes[..bytes.len().min(end)].get(offset..).unwrap_or_default();
            Ok(rest[..rest.len().min(most)].to_vec())
        });
        read.await
    }

    async fn append(&mut self, bytes: Vec<u8>) -> Told<()> {
        for piece in bytes.chunks(REQUEST) {
            let request = (usize::try_from(self.end).unwrap_or(0), piece.to_vec());
            self.by_handle(move |far, host, id| write(far, host, id, request)).await?;
            self.end += piece.len() as u64;
        }
        Ok(())
    }

    async fn sync(&mut self) -> Told<()> {
        self.by_handle(|_, host, id| host.disk.sync(0, id)).await
    }

    async fn publish(&mut self, path: &str, naming: Naming) -> Told<bool> {
        self.sync().await?;
        let there = self.sftp.size(&self.path).await?.map_err(|refusal| failed(&self.path, refusal))?;
        if there as u64 != self.end {
            self.discard().await?;
            return Err(failed(&self.path, Refusal::Io));
        }
        let path = below(path);
        if let Err(refusal) = self.sftp.rename(&self.path, &path, naming).await? {
            // It says no more than "failure".
            let has_name = naming == Naming::New && self.sftp.size(&path).await?.is_ok();
            let is_left = has_name && self.sftp.size(&self.path).await? == Ok(there);
            return if is_left { Ok(false) } else { Err(failed(&path, refusal)) };
        }
        if !planted("no sync of the target's folder") {
            self.sftp.sync_folder(&path).await?;
        }
        Ok(true)
    }

    async fn discard(&mut self) -> Told<()> {
        self.sftp.gone(&self.path).await
    }
}

#[async_trait]
impl FileTarget for Sftp {
    fn describe(&self) -> String {
        "sftp".to_owned()
    }

    async fn probe(&self, _: &str) -> Told<()> {
        self.done("probe", |_, _| Ok(())).await
    }

    async fn room(&self) -> Told<Option<Room>> {
        self.done("room", |_, _| Ok(None)).await
    }

    async fn part(&self, folder: &str, name: PartName<'_>, keep: u64) -> Told<(Box<dyn TargetPart>, u64)> {
        let (life, folder) = (self.life(), below(folder));
        let made = folder.clone();
        self.done(&folder, move |_, host| host.disk.make_dirs(&made)).await?;
        let (path, id, there) = self.open(&folder, name, keep).await?;
        Ok((Box::new(Part { sftp: self.clone(), path, id, life, end: there }), there))
    }

    fn is_far(&self) -> bool {
        true
    }

    async fn remove(&self, path: &str) -> Told<()> {
        let path = below(path);
        self.gone(&path).await?;
        self.sync_folder(&path).await
    }

    async fn keep_name(&self, path: &str) -> Told<()> {
        self.sync_folder(&below(path)).await
    }

    async fn find(&self, path: &str, size: u64) -> Told<Option<Arrived>> {
        let path = below(path);
        let found = self.done(&path.clone(), move |_, host| Ok(host.content(&path))).await?;
        Ok(found.map(|bytes| {
            let there = bytes.len() as u64;
            Arrived { size: there, sha256: (there == size).then(|| hex::encode(Sha256::digest(&bytes))) }
        }))
    }
}

impl Sftp {
    pub fn target(line: &Line) -> Arc<dyn FileTarget> {
        Arc::new(Self(line.clone()))
    }
}
