//! What filters make of a file. They run once: what came is kept in a file of this host, what comes out in another, whose size and
//! digest the ledger keeps; a later try sends those very bytes.

use super::deliver::{Deliverer, Fault, Way};
use super::error::TransferError;
use super::event::Step;
use super::filter::{Chain, SLICE};
use crate::core::failpoints::crash::crash_point;
use crate::core::failpoints::planted::planted;
use crate::core::kind::FailureKind;
use crate::core::model::transfer::{FileState, MadeFile};
use crate::core::ports::file_target::{PartName, TargetError, TargetPart};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

/// Bytes that are read at once.
const PIECE: usize = 256 * 1024;

/// Bytes after which a claim is renewed and a stop is looked for.
const STEP: u64 = 16 << 20;

impl Deliverer {
    /// Brings a version to its place through the filters.
    pub(super) async fn bring_made(
        &self,
        way: &mut Way<'_>,
        content: Option<Vec<u8>>,
        stop: &CancellationToken,
    ) -> Result<(), Fault> {
        // An earlier try may have given it its name, and not lived to say so.
        let former = kept(way);
        let is_finished = former.is_some() && self.is_finished(way).await?;
        if !is_finished {
            // What is wrong with its key or schema is told before the file has come.
            let chain = match way.record.made {
                Some(_) => None,
                None => Some(self.chain(way).await?),
            };
            let (mut raw, there) = self.work(&way.record.id, way.kept()).await?;
            self.begun(way, there).await?;
            let filtered = self.filtered(way, (&mut *raw, former), (content, chain), stop).await;
            if matches!(filtered, Err(Fault::Passing(_))) {
                return filtered;
            }
            drop(raw);
            if filtered.is_err() {
                self.tidy_up(&way.record.id).await?;
            }
            filtered?;
        }
        Ok(self.tidy_up(&way.record.id).await?)
    }

    async fn filtered(
        &self,
        way: &mut Way<'_>,
        (raw, former): (&mut dyn TargetPart, Option<MadeFile>),
        (content, chain): (Option<Vec<u8>>, Option<Chain>),
        stop: &CancellationToken,
    ) -> Result<(), Fault> {
        let id = way.record.id.clone();
        self.step(&id, Step::Receive, self.receive(way, raw, content, stop)).await?;
        let mut made = self.step(&id, Step::Filter, self.made(way, raw, chain, stop)).await?;
        let (mut part, there) = self.begun_there(way, &mut *made, stop).await?;
        // Nobody else can name what an earlier try made from here on; a moment ago one that had stood still could.
        if !self.ports.target.is_far() && former.is_some() {
            let now = std::mem::replace(&mut way.record.made, former);
            if self.is_finished(way).await? {
                return Ok(());
            }
            way.record.made = now;
        }
        let copied = self.copy(way, &mut *made, (&mut *part, there), stop);
        let published = match self.step(&id, Step::Write, copied).await {
            Ok(()) => self.step(&id, Step::Publish, self.publish(way, &mut *part, stop)).await,
            Err(fault) => Err(fault),
        };
        if matches!(published, Err(Fault::Lasting(..))) {
            part.discard().await?;
            way.record.upload = None;
        }
        published
    }

    /// The filters of the file, none of them begun.
    async fn chain(&self, way: &Way<'_>) -> Result<Chain, Fault> {
        let begun = Chain::new(&self.deliver, way.record.size, &*self.ports.filters, self.ports.clock.now());
        let fault = match begun.map_err(Fault::from) {
            Ok(chain) => return Ok(chain),
            Err(fault) => fault,
        };
        if matches!(fault, Fault::Lasting(..)) {
            self.tidy_up(&way.record.id).await?;
        }
        Err(fault)
    }

    /// A file of this host's own.
    async fn work(&self, id: &str, keep: u64) -> Result<(Box<dyn TargetPart>, u64), TargetError> {
        self.ports
            .work
            .part("", PartName { id, writer: &self.writer, former: &[], whole: None, upload: None }, keep)
            .await
    }

    /// The file that the filters made, now or in an earlier try.
    async fn made(
        &self,
        way: &mut Way<'_>,
        raw: &mut dyn TargetPart,
        chain: Option<Chain>,
        stop: &CancellationToken,
    ) -> Result<Box<dyn TargetPart>, Fault> {
        let id = made_id(&way.record.id);
        if let Some(made) = kept(way) {
            let (mut part, there) = self.work(&id, made.size).await?;
            let (digest, _) = self.hashed(way, &mut *part, there, stop).await?;
            if there == made.size && hex::encode(digest.finalize()) == made.sha256 {
                return Ok(part);
            }
            // It was made on another host, or is gone.
        }
        let (mut part, _) = self.work(&id, 0).await?;
        let refuse = |why: String| Fault::Lasting(FailureKind::Data, why);
        let mut chain = match chain {
            Some(chain) => chain,
            None => self.chain(way).await?,
        };
        let mut sink = Sink { part: &mut *part, digest: Sha256::new(), size: 0 };
        let (mut offset, mut told) = (0, 0);
        loop {
            let piece = raw.read(offset, PIECE).await?;
            if piece.is_empty() {
                break;
            }
            offset += piece.len() as u64;
            for slice in piece.chunks(SLICE) {
                sink.put(chain.push(slice).map_err(refuse)?).await?;
            }
            self.go_on(way, offset, &mut told, stop).await?;
        }
        sink.put(chain.finish().map_err(refuse)?).await?;
        let (size, sha256) = (sink.size, hex::encode(sink.digest.finalize()));
        part.sync().await?;
        crash_point!("transfer.filtered");
        way.record.made = Some(MadeFile { size, sha256 });
        self.advance(&mut way.record, FileState::Receiving, true).await?;
        crash_point!("transfer.made");
        Ok(part)
    }

    /// The unfinished file at the target. What an earlier try brought there stays as far as it is what was made: how many bytes.
    async fn begun_there(
        &self,
        way: &mut Way<'_>,
        made: &mut dyn TargetPart,
        stop: &CancellationToken,
    ) -> Result<(Box<dyn TargetPart>, u64), Fault> {
        let (mut part, there) = self.open(way, way.record.final_size()).await?;
        if way.record.upload.is_some() {
            self.advance(&mut way.record, FileState::Receiving, true).await?;
        }
        let (mut same, mut told) = (0, 0);
        while same < there {
            let most = usize::try_from(there - same).unwrap_or(PIECE).min(PIECE);
            let (wanted, found) = (made.read(same, most).await?, part.read(same, most).await?);
            let count = wanted.iter().zip(&found).take_while(|(wanted, found)| wanted == found).count();
            same += count as u64;
            if count < most {
                break;
            }
            self.go_on(way, same, &mut told, stop).await?;
        }
        if same == there {
            return Ok((part, there));
        }
        // Let go of before it is opened again.
        drop(part);
        self.open(way, same).await
    }

    /// Copies what was made to the target, behind what is there.
    async fn copy(
        &self,
        way: &mut Way<'_>,
        made: &mut dyn TargetPart,
        (part, there): (&mut dyn TargetPart, u64),
        stop: &CancellationToken,
    ) -> Result<(), Fault> {
        let (mut offset, mut told) = (0, 0);
        let mut digest = Sha256::new();
        loop {
            let piece = made.read(offset, PIECE).await?;
            if piece.is_empty() {
                break;
            }
            digest.update(&piece);
            let before = usize::try_from(there.saturating_sub(offset)).unwrap_or(usize::MAX).min(piece.len());
            offset += piece.len() as u64;
            if before < piece.len() {
                part.append(piece[before..].to_vec()).await?;
                crash_point!("transfer.copied");
            }
            self.go_on(way, offset, &mut told, stop).await?;
        }
        let sha256 = hex::encode(digest.finalize());
        if offset != way.record.final_size() || sha256 != way.record.final_sha256() {
            // Another content shall not be gone on with.
            part.discard().await?;
            let path = self.ports.work.describe();
            let reason = "what the filters made there has changed; it is made anew at the next try".to_owned();
            return Err(Fault::Passing(TargetError::Failed { path, reason }.into()));
        }
        part.sync().await?;
        crash_point!("transfer.part_synced");
        Ok(())
    }

    /// Now and then: keeps the claim, and gives up on a stop.
    pub(super) async fn go_on(
        &self,
        way: &mut Way<'_>,
        done: u64,
        told: &mut u64,
        stop: &CancellationToken,
    ) -> Result<(), TransferError> {
        if stop.is_cancelled() {
            return Err(TransferError::Stopped);
        }
        self.ports.receiver.working(&way.record.id);
        if done - *told >= STEP {
            *told = done;
            self.advance(&mut way.record, FileState::Receiving, true).await?;
        }
        Ok(())
    }

    /// Takes away what this host keeps of a version that has come to its end.
    pub(super) async fn tidy_up(&self, id: &str) -> Result<(), TransferError> {
        for id in [id.to_owned(), made_id(id)] {
            let (mut part, _) = self.work(&id, 0).await?;
            part.discard().await?;
        }
        Ok(())
    }
}

/// What the filters made in an earlier try.
fn kept(way: &Way<'_>) -> Option<MadeFile> {
    way.record.made.clone().filter(|_| !planted("filtered anew"))
}

fn made_id(id: &str) -> String {
    format!("{id}-made")
}

/// A file that grows.
struct Sink<'a> {
    part: &'a mut dyn TargetPart,
    digest: Sha256,
    size: u64,
}

impl Sink<'_> {
    async fn put(&mut self, bytes: Vec<u8>) -> Result<(), TargetError> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.digest.update(&bytes);
        self.size += bytes.len() as u64;
        self.part.append(bytes).await
    }
}
