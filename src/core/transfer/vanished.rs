//! Versions that were begun and whose file is no longer in the folder: nobody can go on with them, and nothing shall wait for them.

use super::collect::{CLAIM, Collector, claim_until};
use super::error::TransferError;
use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::transfer::{FileRecord, FileState, Side};
use crate::core::ports::folders::FoundFile;
use crate::core::ports::transfer_ledger::{Claim, Place, Wanted};
use std::collections::HashMap;
use std::time::Duration;

/// Records that are asked for at once.
const RECORDS: usize = 1000;

/// Time between two looks for them.
const EVERY: Duration = CLAIM.unsigned_abs();

/// Whether a file is the very one that a record speaks of.
fn is_of(record: &FileRecord, file: &FoundFile) -> bool {
    (&record.path, &record.stamp) == (&file.path, &file.stamp)
}

impl Collector {
    /// Forgets versions that were begun and whose file has gone, or is another one, before they were sent.
    pub(super) async fn forget_vanished(
        &self,
        listed: &[FoundFile],
        looked: &mut Option<Duration>,
    ) -> Result<(), TransferError> {
        let now = self.ports.clock.elapsed();
        if looked.is_some_and(|looked| now.saturating_sub(looked) < EVERY) {
            return Ok(());
        }
        let there: HashMap<&str, &FoundFile> = listed.iter().map(|file| (file.path.as_str(), file)).collect();
        let is_there = |record: &FileRecord| there.get(record.path.as_str()).is_some_and(|file| is_of(record, file));
        let states = vec![FileState::Seen, FileState::Sending];
        let mut wanted = Wanted { side: Some(Side::Collect), states, limit: RECORDS, ..Wanted::default() };
        loop {
            let begun = self.ports.ledger.records(self.transfer.id.as_str(), &wanted).await?.records;
            wanted.behind = begun.last().filter(|_| begun.len() == RECORDS).map(Place::of);
            for record in begun.into_iter().filter(|record| !is_there(record)) {
                self.forget_one(&record).await?;
            }
            if wanted.behind.is_none() {
                break;
            }
        }
        *looked = Some(now);
        Ok(())
    }

    async fn forget_one(&self, begun: &FileRecord) -> Result<(), TransferError> {
        let now = self.ports.clock.now();
        let claim = self.ports.ledger.claim(begun, &self.ports.holder, now, claim_until(now)).await?;
        let Claim::Yours(mut record) = claim else { return Ok(()) };
        // As it is under the claim: another instance may have gone on with it.
        if (record.state, record.changed_at) == (begun.state, begun.changed_at) {
            return self.dropped(&record).await;
        }
        let state = record.state;
        self.advance(&mut record, state, false).await
    }

    /// A version that the broker has lost, and whose file is no longer there, cannot be sent again. Whether it is that; then it has failed.
    pub(super) async fn is_lost_for_good(&self, record: &FileRecord) -> Result<bool, TransferError> {
        match self.ports.inbox.open(&record.path).await {
            Ok(mut file) => Ok(!is_of(record, &file.now().await?)),
            Err(error) if error.kind() == FailureKind::Absent => Ok(true),
            Err(error) => Err(error.into()),
        }
    }
}

/// Why a version fails that was sent and cannot be sent again.
pub(super) const LOST: (FailureKind, &str) = (
    FailureKind::Absent,
    "the broker has lost it, and its file is no longer in the folder: whether it arrived is not known",
);
