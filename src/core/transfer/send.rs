//! A file that is ready, on its way to the broker.
//!
//! Order for each version: its content is hashed, the ledger has it, its chunks are durable at the broker, the file is still the one
//! that was hashed, its envelope is sent, the ledger says so. Each step may be repeated.

use super::collect::{Collector, claim_until};
use super::envelope::{self, Envelope};
use super::error::TransferError;
use super::event::{Step, TransferEvent};
use crate::core::failpoints::crash::crash_point;
use crate::core::failpoints::planted::planted;
use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::transfer::{FileRecord, FileState, Side};
use crate::core::ports::file_broker::Parcel;
use crate::core::ports::folders::{FolderError, FoundFile};
use crate::core::ports::inbox::InboxFile;
use crate::core::ports::transfer_ledger::Claim;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

/// Bytes that are read at once for a digest.
const PIECE: usize = 256 * 1024;

const CHANGED: &str = "it changed while it was sent";

/// What a reading of a file gave.
struct Read {
    file: Box<dyn InboxFile>,
    sha256: String,
    /// All of it, where it is small.
    content: Option<Vec<u8>>,
}

impl Collector {
    /// Sends a file that is ready.
    ///
    /// # Errors
    /// When something needed does not answer, or on a stop. Another try goes on where this one ended.
    pub async fn send(&self, found: &FoundFile, stop: &CancellationToken) -> Result<(), TransferError> {
        if found.size > self.collect.max_size {
            return self.too_large(found).await;
        }
        let begun = self.ports.clock.now();
        let read = match self.read(found, stop).await {
            Ok(read) => read,
            Err(TransferError::Folder(error)) => return self.unread(found, error).await,
            Err(error) => return Err(error),
        };
        let Some(mut read) = read else { return Ok(()) };
        let identity = identity(&mut read).await?;
        let id = envelope::id(&self.collect.source, &found.path, found.size, &identity);
        let fresh = self.record(found, id, read.sha256.clone());
        let now = self.ports.clock.now();
        let record = match self.ports.ledger.claim(&fresh, &self.ports.holder, now, claim_until(now)).await? {
            Claim::Yours(record) => record,
            Claim::Held { .. } => return Ok(()),
            Claim::Odd { reason } => {
                self.unreadable(Side::Collect, &fresh.id, reason);
                self.leave(fresh.path, fresh.stamp, fresh.id);
                return Ok(());
            }
        };
        let mut record = FileRecord { stamp: found.stamp.clone(), ..record };
        // As it is under the claim: another instance may have ended it since it was listed.
        match record.state {
            FileState::Archived => return self.again(record, found).await,
            // It waits for its answer.
            FileState::Sent => return self.advance(&mut record, FileState::Sent, false).await,
            // Whoever puts a failed file there again wants another try. It has failed no more: what ends this try must not say so of this file.
            FileState::Failed => (record.state, record.durable, record.place) = (FileState::Seen, 0, None),
            _ => {}
        }
        self.told_read(&record, (begun, now));
        crash_point!("transfer.seen");
        let sent = self.hand_over(&mut record, &mut read, stop).await;
        let failed = match &sent {
            Ok(is_sent) => (!is_sent).then(|| CHANGED.to_owned()),
            Err(error) => Some(error.to_string()),
        };
        self.stepped(&record, Step::Send, (now, self.ports.clock.now()), failed);
        match sent {
            Ok(true) => Ok(()),
            Ok(false) => self.dropped(&record).await,
            Err(error) => {
                // What is safe at the broker stays safe, and whoever comes next goes on there.
                let state = record.state;
                let _ = self.advance(&mut record, state, false).await;
                Err(error)
            }
        }
    }

    /// Reads all of a file. `None` when it is another one by the end; that is told.
    async fn read(&self, found: &FoundFile, stop: &CancellationToken) -> Result<Option<Read>, TransferError> {
        let mut file = self.ports.inbox.open(&found.path).await?;
        let small = self.inline_max().await?;
        let mut content = (found.size <= small).then(Vec::new);
        let (mut digest, mut size) = (Sha256::new(), 0);
        loop {
            if stop.is_cancelled() {
                return Err(TransferError::Stopped);
            }
            let piece = file.read(size, PIECE).await?;
            if piece.is_empty() || size > found.size {
                break;
            }
            size += piece.len() as u64;
            digest.update(&piece);
            if let Some(content) = content.as_mut() {
                content.extend_from_slice(&piece);
            }
        }
        if size != found.size || file.now().await?.stamp != found.stamp {
            self.drop_event(&found.path, "it changed while it was read", None);
            return Ok(None);
        }
        Ok(Some(Read { file, sha256: hex::encode(digest.finalize()), content }))
    }

    /// Most bytes of a content that goes with its envelope.
    async fn inline_max(&self) -> Result<u64, TransferError> {
        /// An envelope with the longest names there are.
        const ENVELOPE: usize = 32 * 1024;
        let most = self.ports.sender.message_max().await?;
        Ok((most.saturating_sub(ENVELOPE) as u64).min(self.transfer.policies.chunk))
    }

    /// Bytes of a chunk: as the file says, or what the broker takes.
    pub(super) async fn chunk_size(&self) -> Result<u64, TransferError> {
        let most = self.ports.sender.message_max().await?;
        Ok(self.transfer.policies.chunk.min((most as u64).max(1)))
    }

    /// A file that cannot be opened or read.
    async fn unread(&self, found: &FoundFile, error: FolderError) -> Result<(), TransferError> {
        match error.kind() {
            FailureKind::Absent => {
                self.drop_event(&found.path, "it vanished before it was read", None);
                Ok(())
            }
            FailureKind::Refused => self.refuse(found, error.to_string()).await,
            _ => Err(error.into()),
        }
    }

    /// A file that is refused for its size: nothing of it is read.
    async fn too_large(&self, found: &FoundFile) -> Result<(), TransferError> {
        let (size, most) = (found.size, self.collect.max_size);
        self.refuse(found, format!("it has {size} bytes, and `max_size` is {most}; raise it, or send less")).await
    }

    /// Sets a file aside that nobody has read: its stamp stands for its content.
    async fn refuse(&self, found: &FoundFile, reason: String) -> Result<(), TransferError> {
        let id = envelope::id(&self.collect.source, &found.path, found.size, &found.stamp);
        let fresh = self.record(found, id, String::new());
        let now = self.ports.clock.now();
        match self.ports.ledger.claim(&fresh, &self.ports.holder, now, claim_until(now)).await? {
            Claim::Yours(record) => self.fail(record, FailureKind::Refused, reason).await,
            Claim::Held { .. } => Ok(()),
            Claim::Odd { reason } => {
                self.unreadable(Side::Collect, &fresh.id, reason);
                self.leave(fresh.path, fresh.stamp, fresh.id);
                Ok(())
            }
        }
    }

    fn record(&self, found: &FoundFile, id: String, sha256: String) -> FileRecord {
        let now = self.ports.clock.now();
        FileRecord {
            transfer: self.transfer.id.as_str().to_owned(),
            side: Side::Collect,
            id,
            state: FileState::Seen,
            path: found.path.clone(),
            source: self.collect.source.clone(),
            size: found.size,
            sha256,
            modified_at: found.modified_at,
            stamp: found.stamp.clone(),
            durable: 0,
            made: None,
            writers: Vec::new(),
            upload: None,
            tries: 0,
            place: None,
            failure: None,
            trace: None,
            seen_at: now,
            changed_at: now,
        }
    }

    /// Brings a version to the broker. `false` when the file is another one by now.
    async fn hand_over(
        &self,
        record: &mut FileRecord,
        read: &mut Read,
        stop: &CancellationToken,
    ) -> Result<bool, TransferError> {
        let chunk = self.chunk_size().await?;
        let standing = self.ports.sender.standing(&record.id, chunk).await?;
        if let Some(parcel) = &standing.sent {
            match foreign(parcel, record) {
                // An earlier try brought it there and did not live to say so.
                None => return self.sent(record).await,
                Some(why) => {
                    self.ports.sender.take_back(&record.id).await?;
                    self.ports.observer.observe(&TransferEvent::Foreign { id: record.id.clone(), why });
                }
            }
        }
        if standing.answer.is_some() {
            // An answer counts for what the ledger has as sent. The other side knows what it has, and says so again.
            self.ports.sender.forget(&record.id).await?;
        }
        let resumed = record.durable.min(standing.chunks);
        self.ports.observer.observe(&TransferEvent::Begun {
            side: Side::Collect,
            id: record.id.clone(),
            path: record.path.clone(),
            size: record.size,
            resumed: (resumed * chunk).min(record.size),
        });
        record.durable = resumed;
        self.advance(record, FileState::Sending, true).await?;
        crash_point!("transfer.sending");
        let content = read.content.take();
        if content.is_none() {
            self.chunks(record, &mut *read.file, chunk, stop).await?;
            if read.file.now().await?.stamp != record.stamp {
                return Ok(false);
            }
        } else {
            self.moved(&record.id, record.size);
        }
        let envelope = Envelope::of(record, content.is_none().then_some(chunk)).to_bytes();
        let trace = self.trace_of(record);
        self.ports.sender.send(Parcel { id: record.id.clone(), envelope, content, trace }).await?;
        crash_point!("transfer.enveloped");
        self.sent(record).await
    }

    async fn chunks(
        &self,
        record: &mut FileRecord,
        file: &mut dyn InboxFile,
        chunk: u64,
        stop: &CancellationToken,
    ) -> Result<(), TransferError> {
        let every = self.transfer.policies.fsync_every;
        let all = record.size.div_ceil(chunk);
        let mut number = record.durable;
        while number < all {
            let most = usize::try_from(chunk.min(record.size - number * chunk)).unwrap_or(usize::MAX);
            let bytes = whole(file, number * chunk, most).await?;
            let moved = bytes.len() as u64;
            self.ports.sender.put_chunk(&record.id, number, chunk, bytes).await?;
            self.moved(&record.id, moved);
            number += 1;
            crash_point!("transfer.chunk");
            let stopped = stop.is_cancelled();
            if stopped || number == all || number.is_multiple_of(every) {
                self.ports.sender.settle_chunks(&record.id).await?;
                crash_point!("transfer.settled");
                record.durable = number;
                self.advance(record, FileState::Sending, true).await?;
            }
            if stopped {
                return Err(TransferError::Stopped);
            }
        }
        Ok(())
    }

    fn moved(&self, id: &str, bytes: u64) {
        self.ports.observer.observe(&TransferEvent::Moved { side: Side::Collect, id: id.to_owned(), bytes });
    }

    async fn sent(&self, record: &mut FileRecord) -> Result<bool, TransferError> {
        self.advance(record, FileState::Sent, false).await?;
        crash_point!("transfer.sent");
        self.ports.observer.observe(&TransferEvent::Sent(record.clone()));
        Ok(true)
    }

    /// Forgets a version that is no more.
    pub(super) async fn dropped(&self, record: &FileRecord) -> Result<(), TransferError> {
        self.ports.sender.forget(&record.id).await?;
        self.ports.ledger.forget(record, &self.ports.holder).await?;
        self.drop_event(&record.path, CHANGED, Some(record));
        Ok(())
    }
}

/// What a version is known by, beside its path and size: the digest of all of it.
async fn identity(read: &mut Read) -> Result<String, FolderError> {
    /// 64 KiB, for the simulation's small files.
    const BEGIN: usize = 64;
    if planted("identity by the beginning") {
        return Ok(hex::encode(Sha256::digest(read.file.read(0, BEGIN).await?)));
    }
    Ok(read.sha256.clone())
}

/// Why a message is not the one of a version, if it is not.
pub(super) fn foreign(parcel: &Parcel, record: &FileRecord) -> Option<String> {
    if let Err(fault) = Envelope::read(&parcel.envelope, &record.id) {
        return Some(fault.to_string());
    }
    let content = parcel.content.as_ref()?;
    let is_own = content.len() as u64 == record.size && hex::encode(Sha256::digest(content)) == record.sha256;
    (!is_own).then(|| "its content is another one".to_owned())
}

/// So many bytes from `offset`; fewer only at the file's end.
async fn whole(file: &mut dyn InboxFile, offset: u64, most: usize) -> Result<Vec<u8>, FolderError> {
    let mut bytes = file.read(offset, most).await?;
    while bytes.len() < most {
        let more = file.read(offset + bytes.len() as u64, most - bytes.len()).await?;
        if more.is_empty() {
            break;
        }
        bytes.extend_from_slice(&more);
    }
    Ok(bytes)
}
