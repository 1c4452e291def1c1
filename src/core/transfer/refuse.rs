//! What the delivering side refuses for good: a version, a message that says nothing that can be believed, and one whose record in the
//! ledger cannot be read.

use super::collect::claim_until;
use super::deliver::{Deliverer, Way};
use super::error::TransferError;
use super::event::TransferEvent;
use crate::core::failpoints::crash::crash_point;
use crate::core::kind::FailureKind;
use crate::core::model::transfer::{FileFailure, FileRecord, FileState, Side};
use crate::core::ports::file_broker::Answer;
use crate::core::ports::file_target::TargetError;
use crate::core::ports::transfer_ledger::Claim;
use std::sync::atomic::Ordering;

impl Deliverer {
    /// Refuses a version for good: the ledger first, then the other side.
    pub(super) async fn refuse(
        &self,
        mut record: FileRecord,
        kind: FailureKind,
        reason: String,
    ) -> Result<(), TransferError> {
        let now = self.ports.clock.now();
        let failure = FileFailure::after(record.failure.as_ref(), kind, reason, now, &self.ports.holder.shown);
        let answer = Answer::Refused { kind: failure.kind.clone(), reason: failure.reason.clone() };
        record.failure = Some(failure);
        (record.durable, record.made, record.place, record.tries) = (0, None, None, 0);
        self.advance(&mut record, FileState::Failed, false).await?;
        crash_point!("transfer.refused");
        self.answer(&record.id, &answer).await?;
        self.ports.observer.observe(&TransferEvent::Failed(record));
        Ok(())
    }

    /// The target says no to a version each time, and nothing that is known to pass: it fails for good, if the target takes another file.
    /// `true`.
    ///
    /// # Errors
    /// When the target takes no other file: then all wait.
    pub(super) async fn give_up(&self, mut way: Way<'_>, error: TargetError) -> Result<bool, TransferError> {
        let name = format!("{}-{}", self.writer, self.tries.fetch_add(1, Ordering::Relaxed));
        let mut takes = self.ports.target.probe(&name).await.and(self.ports.target.room().await.map(drop));
        if takes.is_ok() && !self.deliver.filters.is_empty() {
            takes = self.ports.work.probe(&name).await;
        }
        if let Err(error) = takes {
            let state = way.record.state;
            let _ = self.advance(&mut way.record, state, false).await;
            return Err(error.into());
        }
        // What can be taken away of it is.
        let opened = self.part(&way, 0).await;
        if let Ok((mut part, _)) = opened
            && part.discard().await.is_ok()
        {
            way.record.upload = None;
        }
        let reason = format!("{error}; so it was at each try, and other files are taken");
        self.refuse(way.record, FailureKind::Failed, reason).await?;
        Ok(true)
    }

    /// Refuses a message whose envelope says nothing that can be believed.
    pub(super) async fn refuse_unread(&self, id: &str, reason: String) -> Result<(), TransferError> {
        let now = self.ports.clock.now();
        let fresh = FileRecord {
            transfer: self.transfer.id.as_str().to_owned(),
            side: Side::Deliver,
            id: id.to_owned(),
            state: FileState::Receiving,
            path: String::new(),
            source: String::new(),
            size: 0,
            sha256: String::new(),
            modified_at: now,
            stamp: String::new(),
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
        };
        match self.ports.ledger.claim(&fresh, &self.ports.holder, now, claim_until(now)).await? {
            Claim::Yours(record) => self.refuse(record, FailureKind::Data, reason).await,
            Claim::Held { .. } => Ok(()),
            Claim::Odd { reason } => self.refuse_odd(id, reason).await.map(drop),
        }
    }

    /// Refuses a version whose record cannot be read: whether it was delivered is not known. The record stays as it is.
    pub(super) async fn refuse_odd(&self, id: &str, reason: String) -> Result<bool, TransferError> {
        let record = format!("{} {id}", Side::Deliver.as_str());
        let told = format!("the ledger of the delivering side has a record of it that cannot be read: {reason}");
        self.ports.observer.observe(&TransferEvent::Unreadable { record, reason });
        self.answer(id, &Answer::Refused { kind: FailureKind::Data.as_str().to_owned(), reason: told }).await?;
        Ok(true)
    }
}
