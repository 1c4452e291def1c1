//! An open file of one pod: reached by its handle, whatever becomes of its name.

use super::{ended, operate, reached, sealed, written_back};
use crate::book::Book;
use crate::disk::{Answer, Change, Disk, Id, Refusal, parent};
use crate::pod::Pod;
use crate::sim::{Sim, locked};
use async_trait::async_trait;
use filegen::core::generate::model::header::{HEADER_BYTES, Header};
use filegen::core::generate::model::journal::Journal;
use filegen::core::model::term::Term;
use filegen::core::ports::volume::{VolumeError, VolumeFile};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub(super) struct SimFile {
    pub(super) pod: Arc<Pod>,
    pub(super) id: Id,
    pub(super) path: String,
    pub(super) writable: bool,
    pub(super) failed: AtomicBool,
}

impl SimFile {
    async fn change<T: Send + 'static>(
        &self,
        term: &Term,
        operation: &'static str,
        work: impl FnOnce(&Sim, &mut Disk, &mut Book) -> Answer<T> + Send + 'static,
    ) -> Result<T, VolumeError> {
        self.pod.gate().await;
        self.pod.begin(term)?;
        if !self.writable {
            let (path, reason) = (self.path.clone(), "opened for reading".to_owned());
            return Err(VolumeError::Denied { operation, path, reason });
        }
        operate(&self.pod, operation, &self.path, work).await
    }

    /// A header must not claim pages that are not durable.
    fn check_header(&self, bytes: &[u8]) {
        let Ok(header) = Header::parse(bytes) else { return };
        let disk = locked(&self.pod.sim.disk);
        let journal = format!("{}/journal.jsonl", parent(&self.path).0);
        let Some(journal) = disk.resolve(&journal).ok().and_then(|id| disk.file(id).ok()) else { return };
        let durable = Journal::parse(&journal.stable).last_page().map_or(0, |last| last.page);
        drop(disk);
        if header.page > durable {
            let (path, page) = (&self.path, header.page);
            self.pod.sim.wrong(format!("the header of {path} says page {page}, and page {durable} is durable"));
        }
    }
}

#[async_trait]
impl VolumeFile for SimFile {
    async fn write_at(&self, term: &Term, offset: u64, buffer: Vec<u8>) -> (Vec<u8>, Result<(), VolumeError>) {
        let is_journal = self.path.ends_with("journal.jsonl");
        if offset == 0 && buffer.len() == HEADER_BYTES && !is_journal {
            self.check_header(&buffer);
        }
        let records = offset >= HEADER_BYTES as u64 && !is_journal;
        let sim = &self.pod.sim;
        let (id, node, by, full) = (self.id, self.pod.node(), written_back(sim), sim.strikes(sim.mix.full));
        let (path, token, bytes) = (self.path.clone(), term.token(), buffer.clone());
        let written = self.change(term, "write", move |_, disk, book| {
            if full {
                return Err(Refusal::Full);
            }
            disk.write(node, id, Change::Write(usize::try_from(offset).unwrap_or(usize::MAX), bytes), by)?;
            if records && disk.resolve(&path) == Ok(id) {
                sealed(book, &path, token, "wrote records");
                ended(book, &path, token);
            }
            Ok(())
        });
        (buffer, written.await)
    }

    async fn sync_data(&self, term: &Term) -> Result<(), VolumeError> {
        let (id, node, sim) = (self.id, self.pod.node(), &self.pod.sim);
        if self.failed.load(Ordering::Relaxed) && term.check().is_ok() {
            sim.wrong(format!("{} was synced again after a sync of it had failed", self.path));
        }
        let (fails, path, token) = (sim.strikes(sim.mix.failed_sync), self.path.clone(), term.token());
        let synced = self
            .change(term, "sync", move |sim, disk, book| {
                if fails {
                    disk.fail_sync(node, id, &mut sim.rng());
                    return Err(Refusal::Io);
                }
                disk.sync(node, id)?;
                if disk.remote {
                    reached(book, &path, token);
                }
                Ok(())
            })
            .await;
        if fails {
            self.failed.store(true, Ordering::Relaxed);
        }
        synced
    }

    async fn read_at(&self, offset: u64, len: usize) -> Result<Vec<u8>, VolumeError> {
        self.pod.gate().await;
        let (id, node) = (self.id, self.pod.node());
        operate(&self.pod, "read", &self.path, move |_, disk, _| {
            let bytes = disk.view(node, id)?;
            let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
            Ok(bytes[start..start.saturating_add(len).min(bytes.len())].to_vec())
        })
        .await
    }

    async fn size(&self) -> Result<u64, VolumeError> {
        self.pod.gate().await;
        let (id, node) = (self.id, self.pod.node());
        operate(&self.pod, "look at", &self.path, move |_, disk, _| Ok(disk.view(node, id)?.len() as u64)).await
    }

    async fn set_size(&self, term: &Term, bytes: u64) -> Result<(), VolumeError> {
        let (id, node, by) = (self.id, self.pod.node(), written_back(&self.pod.sim));
        let length = usize::try_from(bytes).unwrap_or(usize::MAX);
        self.change(term, "cut", move |_, disk, _| disk.write(node, id, Change::Cut(length), by)).await
    }
}
