//! A version's bytes, from the broker into a file under a temporary name.

use super::deliver::{Deliverer, Fault, ROOM, Way};
use super::error::TransferError;
use super::event::TransferEvent;
use crate::core::failpoints::crash::crash_point;
use crate::core::kind::FailureKind;
use crate::core::model::transfer::{FileState, Side};
use crate::core::ports::broker::BrokerError;
use crate::core::ports::file_target::{TargetError, TargetPart};
use futures_util::stream::{self, StreamExt};
use sha2::{Digest, Sha256};
use tokio::sync::SemaphorePermit;
use tokio_util::sync::CancellationToken;

/// Bytes that are read back at once.
const PIECE: usize = 256 * 1024;

/// Most bytes of one file that are asked for ahead.
const AHEAD: u64 = 2 << 20;

/// Chunks of a size that are asked for at once: more than one, so that the broker's answer to the next is on its way while one is
/// written.
fn ahead(chunk: u64) -> usize {
    usize::try_from((AHEAD / chunk).clamp(1, 16)).unwrap_or(1)
}

impl Deliverer {
    /// Writes a version under its temporary name, durable, and checks it.
    pub(super) async fn receive(
        &self,
        way: &mut Way<'_>,
        part: &mut dyn TargetPart,
        content: Option<Vec<u8>>,
        stop: &CancellationToken,
    ) -> Result<(), Fault> {
        let there = way.record.durable;
        let (mut digest, _) = self.hashed(way, part, there, stop).await?;
        let size = match content {
            Some(content) => {
                let rest = content.get(usize::try_from(there).unwrap_or(usize::MAX)..).unwrap_or_default().to_vec();
                digest.update(&rest);
                self.moved(&way.record.id, rest.len() as u64);
                part.append(rest).await?;
                content.len() as u64
            }
            None => self.chunks(way, part, &mut digest, stop).await?,
        };
        let sha256 = hex::encode(digest.finalize());
        if size != way.envelope.size || sha256 != way.envelope.sha256 {
            if there > 0 {
                // What an earlier try brought may have been spoilt on its way, or since: all of it is asked for again.
                way.record.durable = 0;
                let (path, reason) =
                    (way.place.path(), "what an earlier try left of it is not what was sent".to_owned());
                return Err(Fault::Passing(TargetError::Failed { path, reason }.into()));
            }
            let (told, sent) = (&way.envelope.sha256, way.envelope.size);
            let reason = format!(
                "what came is not what the envelope tells: {size} bytes with the digest {sha256}, and not {sent} with {told}"
            );
            return Err(Fault::Lasting(FailureKind::Difference, reason));
        }
        part.sync().await?;
        crash_point!("transfer.part_synced");
        Ok(())
    }

    async fn chunks(
        &self,
        way: &mut Way<'_>,
        part: &mut dyn TargetPart,
        digest: &mut Sha256,
        stop: &CancellationToken,
    ) -> Result<u64, Fault> {
        let (chunks, chunk) = (way.envelope.chunks.unwrap_or(0), way.envelope.chunk_size.unwrap_or(1).max(1));
        let every = self.transfer.policies.fsync_every;
        let (mut number, mut size) = (way.record.durable / chunk, way.record.durable);
        let (id, receiver) = (way.record.id.clone(), &self.ports.receiver);
        let asked = (number..chunks).map(|number| self.chunk(&id, number, chunk));
        let mut coming = stream::iter(asked).buffered(ahead(chunk));
        while let Some(came) = coming.next().await {
            receiver.working(&id);
            let Some((mut bytes, _room)) = came? else {
                return Err(Fault::Lasting(FailureKind::Data, format!("chunk {number} of {chunks} is missing")));
            };
            // A durable end within a chunk: the part file has the begin of this one.
            let within = usize::try_from(size - number * chunk).unwrap_or(usize::MAX).min(bytes.len());
            bytes.drain(..within);
            digest.update(&bytes);
            size += bytes.len() as u64;
            self.moved(&way.record.id, bytes.len() as u64);
            part.append(bytes).await?;
            number += 1;
            crash_point!("transfer.written");
            let stopped = stop.is_cancelled();
            if stopped || number.is_multiple_of(every) {
                part.sync().await?;
                crash_point!("transfer.synced");
                way.record.durable = size;
                self.advance(&mut way.record, FileState::Receiving, true).await?;
            }
            if stopped {
                return Err(Fault::Passing(TransferError::Stopped));
            }
            if size != (number * chunk).min(way.envelope.size) {
                // A short chunk in the middle: what follows would be at the wrong place.
                break;
            }
        }
        Ok(size)
    }

    /// A chunk, once there is room for it, and its room.
    async fn chunk(
        &self,
        id: &str,
        number: u64,
        size: u64,
    ) -> Result<Option<(Vec<u8>, Option<SemaphorePermit<'_>>)>, BrokerError> {
        let kib = u32::try_from(size.div_ceil(1024)).unwrap_or(ROOM).clamp(1, ROOM);
        // Nobody closes it.
        let room = self.room.acquire_many(kib).await.ok();
        Ok(self.ports.receiver.chunk(id, number, size).await?.map(|bytes| (bytes, room)))
    }

    fn moved(&self, id: &str, bytes: u64) {
        self.ports.observer.observe(&TransferEvent::Moved { side: Side::Deliver, id: id.to_owned(), bytes });
    }

    /// The digest of a file's bytes up to `until`, and how many there are.
    pub(super) async fn hashed(
        &self,
        way: &mut Way<'_>,
        part: &mut dyn TargetPart,
        until: u64,
        stop: &CancellationToken,
    ) -> Result<(Sha256, u64), TransferError> {
        let (mut digest, mut done, mut told) = (Sha256::new(), 0, 0);
        while done < until {
            let most = usize::try_from(until - done).unwrap_or(PIECE).min(PIECE);
            let piece = part.read(done, most).await?;
            if piece.is_empty() {
                break;
            }
            done += piece.len() as u64;
            digest.update(&piece);
            self.go_on(way, done, &mut told, stop).await?;
        }
        Ok((digest, done))
    }
}
