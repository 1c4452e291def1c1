//! What becomes of a source once the other side has answered: archived, deleted or kept; or set aside with its reason.
//!
//! A source is touched only behind the other side's receipt with the digest of what was sent; with `receipt: false`, for a deliverer of
//! another maker that gives none, behind the broker's word that it has all of it.

use super::collect::{CLAIM, Collector, claim_until};
use super::error::{TransferError, note};
use super::event::{Step, TransferEvent};
use super::send::foreign;
use super::spec::After;
use super::vanished::LOST;
use crate::core::failpoints::crash::crash_point;
use crate::core::failpoints::planted::planted;
use crate::core::kind::FailureKind;
use crate::core::model::transfer::{FileRecord, FileState, Side};
use crate::core::ports::file_broker::Answer;
use crate::core::ports::folders::FoundFile;
use crate::core::ports::inbox::{InboxFile, Moved, Shelf};
use crate::core::ports::store::Found;
use crate::core::ports::transfer_ledger::{Claim, Place, Wanted};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::SignedDuration;
use std::collections::HashSet;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Records that are dealt with at once.
const RECORDS: usize = 1000;

/// Most answers that one sweep looks at.
const SWEPT: usize = 10_000;

/// How long an answer stays that is of no file of this ledger.
const FOREIGN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Time between two sweeps.
const SWEEP: Duration = Duration::from_hours(1);

impl Collector {
    /// Deals with all answers that have come; how many files still wait for theirs.
    ///
    /// # Errors
    /// When something needed does not answer.
    pub async fn settle(&self, stop: &CancellationToken) -> Result<u64, TransferError> {
        let (mut wanted, mut waiting) = (Wanted::of(Side::Collect, FileState::Sent, RECORDS), 0);
        loop {
            let Found { records: sent, odd } = self.ports.ledger.records(self.transfer.id.as_str(), &wanted).await?;
            for record in odd {
                self.told_odd(record);
            }
            let last = sent.last().filter(|_| sent.len() == RECORDS).map(Place::of);
            waiting += self.settle_these(sent, stop).await?;
            let Some(last) = last.filter(|_| !stop.is_cancelled()) else { break };
            wanted.behind = Some(last);
        }
        self.forget_settled().await?;
        Ok(waiting)
    }

    /// Deals with these, the latest first; how many still wait.
    async fn settle_these(&self, mut sent: Vec<FileRecord>, stop: &CancellationToken) -> Result<u64, TransferError> {
        sent.reverse();
        let ids: Vec<String> = sent.iter().map(|record| record.id.clone()).collect();
        let answered: HashSet<String> = self.ports.sender.answered(&ids).await?.into_iter().collect();
        let receipt = self.collect.receipt && !planted("archived before the receipt");
        let settled = sent.into_iter().map(|record| async {
            match (answered.contains(&record.id), receipt) {
                (true, _) => self.settle_one(record, stop).await,
                (false, true) => self.lost(record).await,
                (false, false) => self.handed_on(record, stop).await,
            }
        });
        let all: Vec<bool> =
            stream::iter(settled).buffer_unordered(self.transfer.policies.concurrency).try_collect().await?;
        Ok(all.iter().filter(|is_settled| !**is_settled).count() as u64)
    }

    /// Forgets answers that were acted upon by a process that did not live to forget them. Looked for at the start, and then once in a
    /// while: they are in nobody's way.
    async fn forget_settled(&self) -> Result<(), TransferError> {
        let now = self.ports.clock.elapsed();
        if self.swept().is_some_and(|swept: Duration| now.saturating_sub(swept) < SWEEP) {
            return Ok(());
        }
        let wall = self.ports.clock.now();
        for (id, said_at) in &self.ports.sender.answers(SWEPT).await? {
            let is_done = match self.ports.ledger.find(self.transfer.id.as_str(), Side::Collect, id).await? {
                Some(entry) => entry.record().is_some_and(|record| record.state.is_final()),
                // Another collector's, or nobody's: after so long, its file would be sent again, and answered again.
                None => wall.duration_since(*said_at) > FOREIGN,
            };
            if is_done {
                self.ports.sender.forget(id).await?;
            }
        }
        *self.swept() = Some(now);
        Ok(())
    }

    async fn settle_one(&self, record: FileRecord, stop: &CancellationToken) -> Result<bool, TransferError> {
        if stop.is_cancelled() {
            return Ok(false);
        }
        let Some(answer) = self.ports.sender.answer(&record.id).await? else { return Ok(false) };
        let now = self.ports.clock.now();
        let Claim::Yours(mut record) =
            self.ports.ledger.claim(&record, &self.ports.holder, now, claim_until(now)).await?
        else {
            return Ok(false);
        };
        if record.state != FileState::Sent {
            let state = record.state;
            self.advance(&mut record, state, false).await?;
            return Ok(true);
        }
        let id = record.id.clone();
        let failed = if let Answer::Refused { reason, .. } = &answer { Some(reason.clone()) } else { None };
        self.stepped(&record, Step::Receipt, (record.changed_at, now), failed);
        match answer {
            Answer::Delivered { sha256 } if sha256 == record.sha256 => self.arrived(record).await?,
            Answer::Delivered { sha256 } => {
                let reason = format!("the other side answers with the digest {sha256}, and {} was sent", record.sha256);
                self.fail(record, FailureKind::Difference, reason).await?;
            }
            Answer::Refused { kind, reason } => self.fail(record, FailureKind::of_word(&kind), reason).await?,
        }
        crash_point!("transfer.settled_source");
        self.ports.sender.forget(&id).await?;
        Ok(true)
    }

    /// A file that nobody will answer for: the broker has it, and that is all that will be known.
    async fn handed_on(&self, record: FileRecord, stop: &CancellationToken) -> Result<bool, TransferError> {
        if stop.is_cancelled() {
            return Ok(false);
        }
        let now = self.ports.clock.now();
        let claim = self.ports.ledger.claim(&record, &self.ports.holder, now, claim_until(now)).await?;
        let Claim::Yours(mut record) = claim else { return Ok(false) };
        if record.state == FileState::Sent {
            self.arrived(record).await?;
        } else {
            let state = record.state;
            self.advance(&mut record, state, false).await?;
        }
        Ok(true)
    }

    /// A file without an answer: it waits, unless the broker has lost it. Then it is sent again; the other side knows its id.
    async fn lost(&self, record: FileRecord) -> Result<bool, TransferError> {
        if self.ports.clock.now().duration_since(record.changed_at) < CLAIM {
            return Ok(false);
        }
        let standing = self.ports.sender.standing(&record.id, self.chunk_size().await?).await?;
        if standing.sent.is_some_and(|parcel| foreign(&parcel, &record).is_none()) || standing.answer.is_some() {
            return Ok(false);
        }
        let now = self.ports.clock.now();
        let claim = self.ports.ledger.claim(&record, &self.ports.holder, now, claim_until(now)).await?;
        if let Claim::Yours(mut record) = claim {
            let is_sent = record.state == FileState::Sent;
            if is_sent && self.is_lost_for_good(&record).await? {
                let (kind, reason) = LOST;
                return self.fail(record, kind, reason.to_owned()).await.map(|()| true);
            }
            let state = if is_sent { FileState::Seen } else { record.state };
            record.durable = 0;
            self.advance(&mut record, state, false).await?;
        }
        Ok(false)
    }

    /// Does with a source what the file says.
    async fn arrived(&self, mut record: FileRecord) -> Result<(), TransferError> {
        crash_point!("transfer.receipt");
        let (file, since) = (found(&record), self.ports.clock.now());
        let moved = match self.collect.after {
            After::Archive => self.ports.inbox.shelve(Shelf::Archive, &self.today(), &file, &record.sha256).await?,
            After::Delete => self.ports.inbox.remove(&file).await?,
            After::Keep => Moved::Gone,
        };
        crash_point!("transfer.archived");
        if let Moved::To(place) = moved {
            record.place = (!place.is_empty()).then_some(place);
        }
        self.advance(&mut record, FileState::Archived, false).await?;
        self.stepped(&record, Step::Settle, (since, self.ports.clock.now()), None);
        self.ports.observer.observe(&TransferEvent::Settled(record));
        Ok(())
    }

    /// A version that arrived earlier lies there again: it is dealt with as then, and not sent.
    pub(super) async fn again(&self, record: FileRecord, file: &FoundFile) -> Result<(), TransferError> {
        self.ports.observer.observe(&TransferEvent::Again { path: file.path.clone(), id: record.id.clone() });
        self.arrived(record).await
    }

    /// The very file of a version that fails and stays in its folder.
    async fn kept(&self, record: &FileRecord) -> Option<(Box<dyn InboxFile>, FoundFile)> {
        if self.collect.after != After::Keep {
            return None;
        }
        let mut file = self.ports.inbox.open(&record.path).await.ok()?;
        let now = file.now().await.ok()?;
        (now.stamp == record.stamp).then_some((file, now))
    }

    /// Sets a version aside with its reason.
    pub(super) async fn fail(
        &self,
        mut record: FileRecord,
        kind: FailureKind,
        reason: String,
    ) -> Result<(), TransferError> {
        let failure = self.failure(&record, kind, reason);
        let (file, day) = (found(&record), self.today());
        let kept = self.kept(&record).await;
        let moved = if self.collect.after == After::Keep {
            self.ports.inbox.keep_on(Shelf::Error, &day, &file, &record.sha256).await?
        } else {
            self.ports.inbox.shelve(Shelf::Error, &day, &file, &record.sha256).await?
        };
        crash_point!("transfer.set_aside");
        if let Moved::To(place) = moved {
            self.ports.inbox.explain(&place, &note(&record, &failure)).await?;
            record.place = Some(place);
            // A second name changes what the file system says of the file. Another file may have the first one by now, and is not known.
            if let Some((mut kept, before)) = kept
                && let Ok(now) = kept.now().await
                && (now.size, now.modified_at) == (before.size, before.modified_at)
            {
                record.stamp = now.stamp;
            }
        }
        record.failure = Some(failure);
        self.advance(&mut record, FileState::Failed, false).await?;
        self.ports.observer.observe(&TransferEvent::Failed(record));
        Ok(())
    }
}

/// The version that a record speaks of, as its folder has it.
pub(super) fn found(record: &FileRecord) -> FoundFile {
    FoundFile {
        path: record.path.clone(),
        size: record.size,
        modified_at: record.modified_at,
        stamp: record.stamp.clone(),
    }
}
