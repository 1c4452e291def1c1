//! Uploads to an object store that nobody goes on with: nobody sees them, and they cost room. Only those that the ledger knows are
//! given up: others at the same store are not ours.

use super::collect::claim_until;
use super::deliver::Deliverer;
use super::error::TransferError;
use crate::core::model::transfer::{FileRecord, FileState, Side};
use crate::core::ports::transfer_ledger::{Claim, Wanted};
use jiff::{SignedDuration, Timestamp};

/// One whose version nobody has worked on for so long is given up; should its message come again, it is sent anew.
const OLD: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Most records that are looked at: those that changed last.
const RECORDS: usize = 10_000;

fn is_left(record: &FileRecord, now: Timestamp) -> bool {
    record.upload.is_some() && (record.state == FileState::Failed || now.duration_since(record.changed_at) > OLD)
}

impl Deliverer {
    /// Gives up what failed versions left, and what lies there for long.
    pub(super) async fn sweep(&self) -> Result<(), TransferError> {
        if !self.ports.target.is_bound_to_a_path() {
            return Ok(());
        }
        let states = vec![FileState::Failed, FileState::Receiving, FileState::Writing];
        let wanted = Wanted { side: Some(Side::Deliver), states, limit: RECORDS, ..Wanted::default() };
        let found = self.ports.ledger.records(self.transfer.id.as_str(), &wanted).await?;
        let now = self.ports.clock.now();
        for record in found.records.into_iter().filter(|record| is_left(record, now)) {
            self.give_up_upload(record).await?;
        }
        Ok(())
    }

    async fn give_up_upload(&self, record: FileRecord) -> Result<(), TransferError> {
        let now = self.ports.clock.now();
        let claim = self.ports.ledger.claim(&record, &self.ports.holder, now, claim_until(now)).await?;
        let Claim::Yours(mut record) = claim else { return Ok(()) };
        // Another process may have gone on with it since.
        let given_up = match &record.upload {
            Some(upload) if is_left(&record, now) => self.ports.target.abandon(upload).await.map(|()| true),
            _ => Ok(false),
        };
        if given_up == Ok(true) {
            record.upload = None;
        }
        // It changes nothing that people look at.
        self.ports.ledger.advance(&record, &self.ports.holder, None).await?;
        given_up?;
        Ok(())
    }
}
