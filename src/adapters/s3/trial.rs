//! Tries whether a store keeps what S3 promises: some answer a request with a condition as if it had none.

use super::Shared;
use super::api::{Condition, Content, Piece};
use super::fault::Fault;
use crate::core::model::finding::{CheckVerdict, Finding};
use crate::core::ports::file_target::TargetError;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

/// What trials write.
const WORD: &[u8] = b"filegen";

/// Sees once for each process that a name is given once: by the request of small files, or by that of large ones.
pub(super) async fn named_once(shared: &Shared, name: &str, is_in_pieces: bool) -> Result<(), TargetError> {
    let seen = if is_in_pieces { &shared.is_completed_once } else { &shared.is_put_once };
    if seen.load(Ordering::Acquire) {
        return Ok(());
    }
    // One for all.
    let _turn = shared.trial.lock().await;
    if seen.load(Ordering::Acquire) {
        return Ok(());
    }
    let path = trial_name(name);
    let tried = if is_in_pieces { completed_once(shared, &path).await } else { put_once(shared, &path).await };
    removed(shared, &path).await?;
    tried?;
    seen.store(true, Ordering::Release);
    Ok(())
}

/// The name of a try's trial.
pub(super) fn trial_name(name: &str) -> String {
    format!(".filegen-{name}.trial")
}

/// Takes away what a trial left.
pub(super) async fn removed(shared: &Shared, path: &str) -> Result<(), TargetError> {
    shared.api.remove(path).await.map_err(|fault| shared.unusable(&fault))
}

/// Whether a request is refused where the name is taken.
fn refused(shared: &Shared, what: &str, answer: Result<(), Fault>) -> Result<(), TargetError> {
    let reason = match answer {
        Err(fault) if fault.is_taken() => return Ok(()),
        Ok(()) => format!("its {what} heeds no `If-None-Match`, and replaces what has the name"),
        Err(fault) if fault.is_unknown() => format!("its {what} does not know `If-None-Match`"),
        Err(fault) => return Err(shared.unusable(&fault)),
    };
    Err(TargetError::NoLinks { target: shared.shown.clone(), reason })
}

pub(super) async fn put_once(shared: &Shared, path: &str) -> Result<(), TargetError> {
    let content = Content::new(WORD.to_vec());
    match shared.api.put(path, &content, &Condition::Absent).await {
        Err(fault) if fault.is_unknown() => return refused(shared, "PutObject", Err(fault)),
        Err(fault) if !fault.is_taken() => return Err(shared.unusable(&fault)),
        Ok(()) | Err(_) => {}
    }
    refused(shared, "PutObject", shared.api.put(path, &content, &Condition::Absent).await)
}

pub(super) async fn completed_once(shared: &Shared, path: &str) -> Result<(), TargetError> {
    let content = Content::new(WORD.to_vec());
    let told = |fault: Fault| shared.unusable(&fault);
    shared.api.put(path, &content, &Condition::Any).await.map_err(told)?;
    let id = shared.api.begin(path, "").await.map_err(told)?;
    let completed = match shared.api.piece(path, &id, 1, &content).await {
        Ok(piece) => {
            let pieces = BTreeMap::from([(1, piece)]);
            let completed = shared.api.complete(path, &id, &pieces, &Condition::Absent).await;
            refused(shared, "CompleteMultipartUpload", completed)
        }
        Err(fault) => Err(told(fault)),
    };
    // A refused one stays until it is given up.
    shared.api.give_up(path, &id).await.map_err(told)?;
    completed
}

/// What else the store keeps, and what follows where it does not.
pub(super) async fn ways(shared: &Shared, path: &str) -> Result<Vec<Finding>, Fault> {
    let content = Content::new(WORD.to_vec());
    let other = Content::new(b"other".to_vec()).checksum();
    let mut found = vec![Finding {
        check: "conditions".to_owned(),
        verdict: CheckVerdict::Pass,
        detail: "`If-None-Match` is heeded by PutObject and by CompleteMultipartUpload".to_owned(),
    }];
    let mut found_of = |check: &str, is_kept: bool, kept: &str, not: &str| {
        let (verdict, detail) = if is_kept { (CheckVerdict::Pass, kept) } else { (CheckVerdict::Warn, not) };
        found.push(Finding { check: check.to_owned(), verdict, detail: detail.to_owned() });
    };
    let spoilt = shared.api.put_as(path, &content, &Condition::Any, other).await;
    let is_kept = said_no(spoilt)?;
    found_of(
        "checksums",
        is_kept,
        "content that is not what its SHA-256 says is refused",
        "the store takes content that is not what its SHA-256 says: what is spoilt behind the line shows with `transfer verify` alone",
    );
    shared.api.put(path, &content, &Condition::Any).await?;
    let late = shared.api.put(path, &content, &Condition::Is("\"0\"".to_owned())).await;
    let is_kept = said_no(late)?;
    found_of(
        "late requests",
        is_kept,
        "with `on_exists: replace`, a late request of a stopped process replaces nothing: `If-Match` is heeded",
        "`If-Match` is not heeded: with `on_exists: replace`, a late request of a stopped process may put an earlier file back",
    );
    let id = shared.api.begin(path, "").await?;
    let listed = match shared.api.piece(path, &id, 1, &content).await {
        Ok(_) => shared.api.pieces(path, &id).await,
        Err(fault) => Err(fault),
    };
    shared.api.give_up(path, &id).await?;
    let is_kept = listed?.and_then(|mut pieces| pieces.remove(&1)).and_then(|Piece { checksum, .. }| checksum);
    found_of(
        "unfinished files",
        is_kept == Some(content.checksum()),
        "a large file goes on at the pieces that are there",
        "the list of pieces has no SHA-256: a large file that was cut off is sent again from its begin",
    );
    Ok(found)
}

/// Whether the store said no to what it should refuse.
fn said_no(answer: Result<(), Fault>) -> Result<bool, Fault> {
    match answer {
        Ok(()) => Ok(false),
        Err(Fault::Said(said)) if said.status < 500 => Ok(true),
        Err(fault) if fault.is_unknown() => Ok(false),
        Err(fault) => Err(fault),
    }
}
