//! What was delivered, read again at the target, and held against the ledger.

use super::error::TransferError;
use super::spec::Transfer;
use crate::core::kind::HasKind;
use crate::core::model::transfer::{FileRecord, FileState, Side};
use crate::core::ports::file_target::FileTarget;
use crate::core::ports::store::{Found, OddRecord};
use crate::core::ports::transfer_ledger::{TransferLedger, Wanted};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

/// Most records that are looked at.
const RECORDS: usize = 10_000_000;

/// A file that is not what the ledger says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// What the ledger says.
    pub record: FileRecord,
    /// What is wrong.
    pub what: String,
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Verified {
    /// Files that were read.
    pub checked: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Those that differ.
    pub differences: Vec<Difference>,
    /// Records that cannot be read: the first of them.
    pub odd: Vec<OddRecord>,
}

/// Reads what was delivered at `since` or later.
///
/// # Errors
/// When the ledger or the target does not answer.
pub async fn verify(
    ledger: &dyn TransferLedger,
    target: &dyn FileTarget,
    transfer: &Transfer,
    since: Option<Timestamp>,
) -> Result<Verified, TransferError> {
    let states = vec![FileState::Delivered];
    let wanted = Wanted { side: Some(Side::Deliver), states, since, limit: RECORDS };
    let Found { mut records, mut odd } = ledger.records(transfer.id.as_str(), &wanted).await?;
    odd.extend(ledger.counts(transfer.id.as_str()).await?.odd);
    // Of several versions under one name, only the last can be there.
    let mut names = std::collections::HashSet::new();
    records.retain(|record| record.place.as_ref().is_some_and(|place| names.insert(place.clone())));
    let mut verified = Verified { odd, ..Verified::default() };
    let found: Vec<(FileRecord, Option<String>)> = stream::iter(records)
        .map(|record| async move {
            let what = difference(target, &record).await?;
            Ok::<_, TransferError>((record, what))
        })
        .buffered(transfer.policies.concurrency)
        .try_collect()
        .await?;
    for (record, what) in found {
        verified.checked += 1;
        verified.bytes = verified.bytes.saturating_add(record.final_size());
        verified.differences.extend(what.map(|what| Difference { record, what }));
    }
    Ok(verified)
}

async fn difference(target: &dyn FileTarget, record: &FileRecord) -> Result<Option<String>, TransferError> {
    let place = record.place.as_deref().unwrap_or_default();
    let (size, sha256) = (record.final_size(), record.final_sha256());
    let found = match target.find(place, size).await {
        // Such a name, or what stands under it, is this record's own fault.
        Err(error) if !error.kind().is_passing() => return Ok(Some(error.to_string())),
        found => found?,
    };
    Ok(match found {
        None => Some("it is not there".to_owned()),
        Some(there) if there.size != size => Some(format!("it has {} bytes, and not {size}", there.size)),
        Some(there) if there.is(size, sha256) => None,
        Some(there) => Some(format!("its digest is {}", there.sha256.unwrap_or_default())),
    })
}
