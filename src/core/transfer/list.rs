//! Lists of files, both sides of each together. Records come in parts: a list is as long as what was asked for.

use super::error::TransferError;
use super::spec::Transfer;
use super::status::{FileView, together};
use crate::core::model::transfer::{FileState, Side};
use crate::core::ports::store::Found;
use crate::core::ports::transfer_ledger::{Entry, Place, TransferLedger, Wanted};
use std::collections::BTreeSet;

/// Records that are asked for at once.
const AT_ONCE: usize = 1000;

/// Which files.
pub struct Listing<'a> {
    /// A side is in this state.
    pub state: Option<FileState>,
    /// Whether a path fits.
    pub fits: &'a (dyn Fn(&str) -> bool + Send + Sync),
    /// At most so many: those that changed last.
    pub limit: usize,
}

/// Versions with both sides, the latest change first; and records that cannot be read: the first of them.
///
/// # Errors
/// When the ledger does not answer.
pub async fn list(
    ledger: &dyn TransferLedger,
    transfer: &Transfer,
    listing: &Listing<'_>,
) -> Result<Found<FileView>, TransferError> {
    let name = transfer.id.as_str();
    let (mut ids, mut odd) = (BTreeSet::new(), ledger.strange(name).await?);
    for side in Side::ALL {
        let states = listing.state.into_iter().collect();
        let limit = listing.limit.clamp(1, AT_ONCE);
        let (mut wanted, mut left) = (Wanted { side: Some(side), states, limit, ..Wanted::default() }, listing.limit);
        while left > 0 {
            let found = ledger.records(name, &wanted).await?;
            odd.extend(found.odd);
            wanted.behind = found.records.last().filter(|_| found.records.len() == limit).map(Place::of);
            for record in found.records.into_iter().filter(|record| (listing.fits)(&record.path)).take(left) {
                ids.insert(record.id);
                left -= 1;
            }
            if wanted.behind.is_none() {
                break;
            }
        }
    }
    let mut records = Vec::new();
    for id in &ids {
        for side in Side::ALL {
            records.extend(ledger.find(name, side, id).await?.and_then(Entry::record));
        }
    }
    let mut views = together(records);
    views.truncate(listing.limit);
    odd.sort();
    odd.dedup();
    odd.truncate(Found::<FileView>::ODD_MAX);
    Ok(Found { records: views, odd })
}
