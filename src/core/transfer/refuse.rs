//! What the delivering side refuses for good: a version, a message that says nothing that can be believed, and one whose record in the
//! ledger cannot be read.

use super::collect::claim_until;
use super::deliver::Deliverer;
use super::error::TransferError;
use super::event::TransferEvent;
use crate::core::failpoints::crash::crash_point;
use crate::core::kind::FailureKind;
use crate::core::model::transfer::{FileFailure, FileRecord, FileState, Side};
use crate::core::ports::file_broker::Answer;
use crate::core::ports::transfer_ledger::Claim;

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
        (record.durable, record.made, record.place) = (0, None, None);
        self.advance(&mut record, FileState::Failed, false).await?;
        crash_point!("transfer.refused");
        self.answer(&record.id, &answer).await?;
        self.ports.observer.observe(&TransferEvent::Failed(record));
        Ok(())
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
            place: None,
            failure: None,
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
