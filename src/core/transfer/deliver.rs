//! The delivering side: takes messages from the broker and puts each file where it belongs.
//!
//! Order for each version: the envelope is checked, the part file grows and what of it is durable stands in the ledger, size and
//! digest are those of the envelope, filters make of it what is delivered, the ledger has the final name, the file gets it, the ledger says so, the other side is told, the
//! message goes. Each step may be repeated, and whoever takes a version over begins behind the last durable byte.

use super::collect::claim_until;
use super::envelope::{Envelope, EnvelopeFault};
use super::error::TransferError;
use super::event::{Step, TransferEvent};
use super::place::{Place, place};
use super::spec::{Deliver, Transfer};
use crate::core::failpoints::crash::crash_point;
use crate::core::failpoints::planted::planted;
use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::transfer::{FileRecord, FileState, Side};
use crate::core::ports::clock::Clock;
use crate::core::ports::file_broker::{Answer, FileReceiver, Parcel};
use crate::core::ports::file_target::{FileTarget, PartName, Room, TargetError, TargetPart, Whole};
use crate::core::ports::filters::{FilterError, FilterTools};
use crate::core::ports::observer::Observer;
use crate::core::ports::transfer_ledger::{Claim, Entry, Holder, TransferLedger};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{OwnedMutexGuard, Semaphore};
use tokio_util::sync::CancellationToken;

/// What the delivering side needs of the world.
pub struct DeliverPorts {
    /// The broker.
    pub receiver: Arc<dyn FileReceiver>,
    /// Where files go.
    pub target: Arc<dyn FileTarget>,
    /// A folder of this host for what filters take and make.
    pub work: Arc<dyn FileTarget>,
    /// Makes filters that need files of this host.
    pub filters: Arc<dyn FilterTools>,
    /// The ledger.
    pub ledger: Arc<dyn TransferLedger>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Whoever watches.
    pub observer: Arc<dyn Observer<TransferEvent>>,
    /// This process.
    pub holder: Holder,
}

/// Most writers that are remembered of one version: each of them but the last has died of it, or failed. What one left that is
/// forgotten stays under its temporary name: nobody looks for it any more.
const WRITERS_MAX: usize = 32;

/// Most KiB of chunks of all files together that are asked for or written at a time: how large a chunk is, the other side says.
pub(super) const ROOM: u32 = 64 << 10;

/// The delivering side.
pub struct Deliverer {
    pub(super) transfer: Arc<Transfer>,
    pub(super) deliver: Deliver,
    pub(super) ports: DeliverPorts,
    /// What stands in the names of this process's unfinished files.
    pub(super) writer: String,
    /// Tries at a target that is far: each has names of its own.
    pub(super) tries: AtomicU64,
    /// For chunks.
    pub(super) room: Semaphore,
    /// Names that are being given, with what follows them.
    names: Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>,
}

/// Why a version was not delivered.
pub(super) enum Fault {
    /// It fails for good.
    Lasting(FailureKind, String),
    /// Something does not answer.
    Passing(TransferError),
}

impl<E: Into<TransferError>> From<E> for Fault {
    fn from(error: E) -> Self {
        let error = error.into();
        match &error {
            TransferError::Target(target) => match target.kind() {
                FailureKind::Refused | FailureKind::Data | FailureKind::Conflict => {
                    Self::Lasting(target.kind(), target.to_string())
                }
                _ => Self::Passing(error),
            },
            // A key that is at its end: whoever renews it has the file sent again.
            TransferError::Filter(FilterError::Ended { .. }) => Self::Lasting(error.kind(), error.to_string()),
            _ => Self::Passing(error),
        }
    }
}

/// A version on its way to the target.
pub(super) struct Way<'a> {
    pub(super) envelope: &'a Envelope,
    pub(super) record: FileRecord,
    pub(super) place: Place,
}

impl Way<'_> {
    /// How much of an unfinished file may count.
    pub(super) fn kept(&self) -> u64 {
        if self.record.state == FileState::Failed { 0 } else { self.record.durable }
    }
}

/// Whether a version was delivered: the ledger's word alone counts. A broker that knows what it has had may have forgotten it.
fn is_done(record: &FileRecord) -> bool {
    record.state == FileState::Delivered && !planted("dedup trusted after a restart")
}

impl Deliverer {
    /// The delivering side of a transfer that has one. `None` when it has none.
    pub fn new(transfer: Arc<Transfer>, ports: DeliverPorts) -> Option<Self> {
        let deliver = transfer.deliver.clone()?;
        let writer = hex::encode(&Sha256::digest(&ports.holder.name)[..6]);
        let (tries, room, names) = (AtomicU64::new(0), Semaphore::new(ROOM as usize), Mutex::default());
        Some(Self { transfer, deliver, ports, writer, tries, room, names })
    }

    /// [`Self::take`], without a word of it.
    pub(super) async fn bring_in(&self, parcel: Parcel, stop: &CancellationToken) -> Result<bool, TransferError> {
        let id = parcel.id.clone();
        let known = match self.ports.ledger.find(self.transfer.id.as_str(), Side::Deliver, &id).await? {
            Some(Entry::Odd(reason)) => return self.refuse_odd(&id, reason).await,
            known => known.and_then(Entry::record),
        };
        if let Some(record) = known.as_ref().filter(|record| is_done(record)) {
            return self.came_again(record).await;
        }
        let envelope = match Envelope::read(&parcel.envelope, &id) {
            Ok(envelope) => envelope,
            Err(EnvelopeFault::Foreign(why)) => {
                // Nobody is told: the file that has this id is none of this message's.
                self.ports.receiver.end_foreign(&id).await?;
                self.ports.observer.observe(&TransferEvent::Foreign { id, why });
                return Ok(true);
            }
            Err(fault @ EnvelopeFault::Wrong(_)) => {
                self.refuse_unread(&id, fault.to_string()).await?;
                return Ok(true);
            }
        };
        let fresh = FileRecord { trace: parcel.foreign_trace(), ..self.record(&envelope) };
        let now = self.ports.clock.now();
        let claim = self.ports.ledger.claim(&fresh, &self.ports.holder, now, claim_until(now)).await?;
        let mut record = match claim {
            Claim::Yours(record) => FileRecord { trace: fresh.trace.or(record.trace), ..record },
            Claim::Held { .. } => return Ok(false),
            Claim::Odd { reason } => return self.refuse_odd(&id, reason).await,
        };
        if is_done(&record) {
            // Another instance has delivered it since it was looked up.
            self.advance(&mut record, FileState::Delivered, false).await?;
            self.answer(&id, &Answer::Delivered { sha256: record.sha256 }).await?;
            return Ok(true);
        }
        let mut way = Way { envelope: &envelope, record, place: Place { folder: String::new(), name: String::new() } };
        match self.bring(&mut way, parcel.content, stop).await {
            Ok(()) => {
                let took = self.ports.clock.now().duration_since(envelope.timestamp);
                let took = Duration::try_from(took).unwrap_or_default();
                let record = way.record;
                let answer = Answer::Delivered { sha256: record.sha256.clone() };
                self.step(&id, Step::Receipt, self.answer(&id, &answer)).await?;
                self.ports.observer.observe(&TransferEvent::Delivered { record, took });
                Ok(true)
            }
            Err(Fault::Lasting(kind, reason)) => {
                self.refuse(way.record, kind, reason).await?;
                Ok(true)
            }
            Err(Fault::Passing(error)) => {
                if let TransferError::Target(refusal @ TargetError::Failed { .. }) = &error {
                    way.record.tries = way.record.tries.saturating_add(1);
                    if way.record.tries > self.transfer.policies.retry.max_retries {
                        return self.give_up(way, refusal.clone()).await;
                    }
                }
                let state = way.record.state;
                // What is durable stays, and whoever comes next goes on there.
                let _ = self.advance(&mut way.record, state, false).await;
                Err(error)
            }
        }
    }

    /// What was delivered came again: nothing is written a second time.
    async fn came_again(&self, record: &FileRecord) -> Result<bool, TransferError> {
        if !self.deliver.filters.is_empty() {
            self.tidy_up(&record.id).await?;
        }
        self.answer(&record.id, &Answer::Delivered { sha256: record.sha256.clone() }).await?;
        Ok(true)
    }

    fn record(&self, envelope: &Envelope) -> FileRecord {
        let now = self.ports.clock.now();
        FileRecord {
            transfer: self.transfer.id.as_str().to_owned(),
            side: Side::Deliver,
            id: envelope.id.clone(),
            state: FileState::Receiving,
            path: envelope.source_path.clone(),
            source: envelope.source.clone(),
            size: envelope.size,
            sha256: envelope.sha256.clone(),
            modified_at: envelope.modified_at,
            stamp: String::new(),
            durable: 0,
            made: None,
            writers: vec![self.writer.clone()],
            upload: None,
            tries: 0,
            place: None,
            failure: None,
            trace: None,
            seen_at: now,
            changed_at: now,
        }
    }

    /// Brings a version to its place.
    async fn bring(&self, way: &mut Way<'_>, content: Option<Vec<u8>>, stop: &CancellationToken) -> Result<(), Fault> {
        self.check(way, content.as_deref()).await?;
        self.enter(way).await?;
        if !self.deliver.filters.is_empty() {
            return self.bring_made(way, content, stop).await;
        }
        // The answer to its naming may have been lost.
        if self.ports.target.is_far() && way.record.state == FileState::Writing && self.is_finished(way).await? {
            return Ok(());
        }
        let was_named = way.record.state == FileState::Writing;
        let (mut part, there) = self.open(way, way.kept()).await?;
        // Nobody else can name an earlier try's file from here on. It may have got a number, and the name in front of it be free by now.
        if was_named && !self.ports.target.is_far() && self.is_finished(way).await? {
            return Ok(());
        }
        self.begun(way, there).await?;
        let id = way.record.id.clone();
        let published = match self.step(&id, Step::Receive, self.receive(way, &mut *part, content, stop)).await {
            Ok(()) => self.step(&id, Step::Publish, self.publish(way, &mut *part, stop)).await,
            Err(fault) => Err(fault),
        };
        if matches!(published, Err(Fault::Lasting(..))) {
            part.discard().await?;
            way.record.upload = None;
        }
        published
    }

    /// The ledger knows this process as a writer of the version before it makes a file: whoever comes after it finds that. A late request
    /// of an earlier try may still reach a target that is far: it must not meet the file of this one.
    async fn enter(&self, way: &mut Way<'_>) -> Result<(), TransferError> {
        let mut writer = self.writer.clone();
        if self.ports.target.is_far() {
            writer = format!("{writer}-{}", self.tries.fetch_add(1, Ordering::Relaxed));
        } else if way.record.writers.last() == Some(&writer) {
            return Ok(());
        }
        way.record.writers.retain(|known| *known != writer);
        let most = way.record.writers.len().saturating_sub(WRITERS_MAX - 1);
        way.record.writers.drain(..most);
        way.record.writers.push(writer);
        let state = way.record.state;
        self.advance(&mut way.record, state, true).await
    }

    /// The unfinished file of a version at the target, to be written. What was begun for it is in the record from here on.
    pub(super) async fn open(&self, way: &mut Way<'_>, keep: u64) -> Result<(Box<dyn TargetPart>, u64), Fault> {
        let path = self.hoped(way).await?;
        let whole = Whole { path: &path, size: way.record.final_size(), sha256: way.record.final_sha256() };
        let name = PartName { whole: Some(whole), ..self.named(way, &way.record.id) };
        let opened = self.ports.target.part(&way.place.folder, name, keep).await?;
        way.record.upload = opened.0.upload();
        Ok(opened)
    }

    /// The unfinished file of a version at the target, to be taken away.
    pub(super) async fn part(&self, way: &Way<'_>, keep: u64) -> Result<(Box<dyn TargetPart>, u64), TargetError> {
        self.ports.target.part(&way.place.folder, self.named(way, &way.record.id), keep).await
    }

    /// How unfinished files of a version are called.
    pub(super) fn named<'w>(&'w self, way: &'w Way<'_>, id: &'w str) -> PartName<'w> {
        let (whole, upload) = (None, way.record.upload.as_ref());
        match way.record.writers.split_last() {
            Some((writer, former)) => PartName { id, writer, former, whole, upload },
            None => PartName { id, writer: &self.writer, former: &[], whole, upload },
        }
    }

    /// Work on a version begins behind what is there.
    pub(super) async fn begun(&self, way: &mut Way<'_>, there: u64) -> Result<(), TransferError> {
        way.record.durable = there;
        self.ports.observer.observe(&TransferEvent::Begun {
            side: Side::Deliver,
            id: way.record.id.clone(),
            path: way.record.path.clone(),
            size: way.record.size,
            resumed: there,
        });
        self.advance(&mut way.record, FileState::Receiving, true).await?;
        crash_point!("transfer.receiving");
        Ok(())
    }

    /// What is checked before a byte is written.
    async fn check(&self, way: &mut Way<'_>, content: Option<&[u8]>) -> Result<(), Fault> {
        let envelope = way.envelope;
        if envelope.size > self.deliver.max_size {
            let reason = format!(
                "it has {} bytes, and `max_size` is {}; raise it, or send less",
                envelope.size, self.deliver.max_size
            );
            return Err(Fault::Lasting(FailureKind::Refused, reason));
        }
        if let Some(content) = content
            && content.len() as u64 != envelope.size
        {
            let reason = format!("{} bytes came with an envelope of {}", content.len(), envelope.size);
            return Err(Fault::Lasting(FailureKind::Difference, reason));
        }
        way.place = place(&self.deliver, envelope).map_err(|why| Fault::Lasting(FailureKind::Refused, why))?;
        if self.deliver.filters.is_empty() {
            return self.check_room(&*self.ports.target, envelope, way.kept()).await;
        }
        self.check_room(&*self.ports.target, envelope, 0).await?;
        // What came is kept there.
        self.check_room(&*self.ports.work, envelope, way.kept()).await
    }

    /// Whether there is room for twice the file. What an earlier try left of it has its room already: it does not wait for that.
    async fn check_room(&self, target: &dyn FileTarget, envelope: &Envelope, kept: u64) -> Result<(), Fault> {
        let (size, needed) = (envelope.size, envelope.size.saturating_mul(2));
        let Some(Room { free, all }) = target.room().await? else { return Ok(()) };
        if free >= needed - kept.min(size) {
            return Ok(());
        }
        let at = target.describe();
        if all < needed {
            let reason = format!("{at} has {all} bytes in all, and {needed} are wanted for a file of {size}");
            return Err(Fault::Lasting(FailureKind::Refused, reason));
        }
        // It is waited for only if there is something to wait for.
        if let (Some(chunks), Some(chunk)) = (envelope.chunks, envelope.chunk_size)
            && !self.ports.receiver.is_whole(&envelope.id, chunks, chunk, size).await?
        {
            return Err(Fault::Lasting(FailureKind::Data, format!("some of its {chunks} chunks are missing")));
        }
        let reason = format!("{at}: {free} bytes are free, and {needed} are wanted for a file of {size}");
        Err(Fault::Passing(TargetError::Full { reason }.into()))
    }

    /// Waits until nobody else in this process gives this name.
    pub(super) async fn names(&self, path: &str) -> OwnedMutexGuard<()> {
        let name = {
            let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
            names.retain(|_, name| name.strong_count() > 0);
            let there = names.get(path).and_then(Weak::upgrade);
            let name = there.unwrap_or_default();
            names.insert(path.to_owned(), Arc::downgrade(&name));
            name
        };
        name.lock_owned().await
    }

    pub(super) async fn advance(
        &self,
        record: &mut FileRecord,
        state: FileState,
        keeps: bool,
    ) -> Result<(), TransferError> {
        let now = self.ports.clock.now();
        (record.state, record.changed_at) = (state, now);
        let until = keeps.then(|| claim_until(now));
        if self.ports.ledger.advance(record, &self.ports.holder, until).await? {
            return Ok(());
        }
        Err(TransferError::TakenOver { id: record.id.clone() })
    }

    pub(super) async fn answer(&self, id: &str, answer: &Answer) -> Result<(), TransferError> {
        self.ports.receiver.answer(id, answer).await?;
        crash_point!("transfer.answered");
        Ok(())
    }
}
