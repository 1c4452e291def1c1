//! What has become of files that others bring to the collecting side, by the ledger's word.

use super::envelope;
use crate::core::model::transfer::{FileRecord, FileState, Side};
use crate::core::ports::handover::{Arrival, Arrivals};
use crate::core::ports::store::StoreError;
use crate::core::ports::transfer_ledger::{Entry, TransferLedger};
use async_trait::async_trait;
use std::sync::Arc;

/// The ledger of one transfer's collecting side.
pub struct LedgerArrivals {
    /// The transfer.
    pub transfer: String,
    /// What its envelopes say of where files came from.
    pub source: String,
    /// What both sides remember.
    pub ledger: Arc<dyn TransferLedger>,
}

#[async_trait]
impl Arrivals for LedgerArrivals {
    async fn arrival(&self, path: &str, size: u64, sha256: &str) -> Result<Arrival, StoreError> {
        let id = envelope::id(&self.source, path, size, sha256);
        if let Some(entry) = self.ledger.find(&self.transfer, Side::Collect, &id).await? {
            return Ok(of(id, entry));
        }
        // What is set aside unread has an id of its own.
        let known = self.ledger.known(&self.transfer, vec![path.to_owned()]).await?;
        for known in known.into_iter().filter(|known| known.state == Ok(FileState::Failed)) {
            if let Some(Entry::Record(record)) = self.ledger.find(&self.transfer, Side::Collect, &known.id).await?
                && record.size == size
                && record.sha256.is_empty()
            {
                return Ok(of(known.id, Entry::Record(record)));
            }
        }
        Ok(Arrival::Unknown)
    }
}

fn of(id: String, entry: Entry) -> Arrival {
    let record = match entry {
        Entry::Record(record) => record,
        Entry::Odd(reason) => return Arrival::Failed { id, reason },
    };
    match record.state {
        // Its receipt was there, and the source is dealt with.
        FileState::Archived => Arrival::Arrived { id },
        FileState::Failed => Arrival::Failed { reason: why(&record), id },
        FileState::Seen
        | FileState::Sending
        | FileState::Sent
        | FileState::Receiving
        | FileState::Writing
        | FileState::Delivered => Arrival::Moving { id },
    }
}

fn why(record: &FileRecord) -> String {
    record.failure.as_ref().map_or_else(|| "no reason is recorded".to_owned(), |failure| failure.reason.clone())
}
