//! The outbox: the completion events that `file_status` holds, and behind them the events of arrivals.

use super::LocalState;
use super::data_sources;
use super::deliveries;
use super::runs::{file_status, found};
use super::value::time;
use crate::core::model::names::LeaseKey;
use crate::core::ports::outbox::{Outbox, OutboxEntry, OutboxId};
use crate::core::ports::runs::{FileStatus, file_and_version};
use crate::core::ports::store::{Found, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;

const PENDING: &str = "
SELECT * FROM file_status WHERE workerId = ?1 AND event IS NOT NULL AND sentAt IS NULL ORDER BY completedAt, date, fileId";

const MARK_SENT: &str = "
UPDATE file_status SET sentAt = ?5 WHERE workerId = ?1 AND date = ?2 AND fileId = ?3 AND event IS NOT NULL AND sentAt IS NULL
    AND coalesce(event ->> 'version', 1) = ?4";

#[async_trait]
impl Outbox for LocalState {
    async fn pending(&self, owner: &LeaseKey) -> Result<Found<OutboxEntry>, StoreError> {
        let owner = owner.clone();
        self.look(move |db, _| {
            let mut query = db.prepare_cached(PENDING)?;
            let id = |row: &rusqlite::Row<'_>| {
                let text = |column| row.get::<_, String>(column).unwrap_or_default();
                format!("{}:{}:{}", text("workerId"), text("date"), text("fileId"))
            };
            let Found { records, odd } = found(query.query([owner.as_str()])?, usize::MAX, id, file_status)?;
            let mut all = data_sources::pending(db, &owner)?;
            all.records.splice(0..0, records.iter().filter_map(FileStatus::outbox_entry));
            all.odd.extend(odd);
            // Behind the completion events.
            let arrived = deliveries::pending(db, &owner)?;
            all.records.extend(arrived.records);
            all.odd.extend(arrived.odd);
            Ok(all)
        })
        .await
    }

    async fn mark_sent(&self, id: &OutboxId, at: Timestamp) -> Result<(), StoreError> {
        let id = id.clone();
        self.change(move |db, _| {
            if deliveries::mark_sent(db, &id, at)? || data_sources::mark_sent(db, &id, at)? {
                return Ok(());
            }
            if let Some((owner, date, file)) = parts(&id) {
                let (file, version) = file_and_version(file);
                db.prepare_cached(MARK_SENT)?.execute((owner, date, file, version, time(at)))?;
            }
            Ok(())
        })
        .await
    }
}

/// Owner, date and file of `LoanWorker:2026-11-21:Loan0`. The owner's key may hold a colon, `FLOW:ID`; date and file hold none.
fn parts(id: &OutboxId) -> Option<(&str, &str, &str)> {
    let (rest, file) = id.as_str().rsplit_once(':')?;
    let (owner, date) = rest.rsplit_once(':')?;
    Some((owner, date, file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_is_what_stands_before_date_and_file() {
        for owner in ["LoanWorker", "transfer:Loans"] {
            let id = OutboxId::new(format!("{owner}:2026-11-21:Loan0"));
            assert_eq!(parts(&id), Some((owner, "2026-11-21", "Loan0")));
        }
        assert_eq!(parts(&OutboxId::new("Loans:Loan0")), None);
    }
}
