//! What was delivered, read again at the target, and held against the ledger.

use super::error::TransferError;
use super::spec::Transfer;
use crate::core::kind::HasKind;
use crate::core::model::transfer::{FileRecord, FileState, Side};
use crate::core::ports::file_target::FileTarget;
use crate::core::ports::store::{Found, OddRecord};
use crate::core::ports::transfer_ledger::{Place, TransferLedger, Wanted};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::collections::HashSet;

/// Records that are looked at together.
const RECORDS: usize = 1000;

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
    let mut wanted = Wanted { since, ..Wanted::of(Side::Deliver, FileState::Delivered, RECORDS) };
    let mut verified = Verified { odd: ledger.strange(transfer.id.as_str()).await?, ..Verified::default() };
    // Of several versions under one name, only the last can be there. Names by their digests: there may be many.
    let mut names = HashSet::new();
    loop {
        let Found { mut records, odd } = ledger.records(transfer.id.as_str(), &wanted).await?;
        verified.odd.extend(odd);
        let last = records.last().filter(|_| records.len() == RECORDS).map(Place::of);
        records.retain(|record| record.place.as_ref().is_some_and(|place| names.insert(digest(place))));
        compare(target, transfer, records, &mut verified).await?;
        let Some(last) = last else { break };
        wanted.behind = Some(last);
    }
    verified.odd.truncate(Found::<FileRecord>::ODD_MAX);
    Ok(verified)
}

fn digest(place: &str) -> [u8; 16] {
    let mut short = [0; 16];
    short.iter_mut().zip(Sha256::digest(place)).for_each(|(short, byte)| *short = byte);
    short
}

async fn compare(
    target: &dyn FileTarget,
    transfer: &Transfer,
    records: Vec<FileRecord>,
    verified: &mut Verified,
) -> Result<(), TransferError> {
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
    Ok(())
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
