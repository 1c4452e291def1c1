//! Why a side of a transfer cannot go on, and how the failure of one file is written down.

use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::moment::instant;
use crate::core::model::transfer::{FileFailure, FileRecord};
use crate::core::ports::broker::BrokerError;
use crate::core::ports::file_target::TargetError;
use crate::core::ports::filters::FilterError;
use crate::core::ports::folders::FolderError;
use crate::core::ports::store::StoreError;
use jiff::Timestamp;
use serde::Serialize;

/// Why a side cannot go on for now, or at all.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TransferError {
    /// The ledger did not answer.
    #[error(transparent)]
    Ledger(#[from] StoreError),
    /// The broker did not answer.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The folder of the collecting side cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The target cannot be used.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// What a filter is made of cannot be used.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// Another process has taken a file over; it goes on there.
    #[error("another process has taken over the file with the id {id}")]
    TakenOver {
        /// Which.
        id: String,
    },
    /// Somebody asked for a stop.
    #[error("stopped")]
    Stopped,
}

impl HasKind for TransferError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Ledger(error) => error.kind(),
            Self::Broker(error) => error.kind(),
            Self::Folder(error) => error.kind(),
            Self::Target(error) => error.kind(),
            Self::Filter(error) => error.kind(),
            Self::TakenOver { .. } => FailureKind::Lease,
            Self::Stopped => FailureKind::Stopped,
        }
    }
}

/// What stands in `NAME.error` beside a file that failed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorNote<'a> {
    id: &'a str,
    source_path: &'a str,
    reason: &'a str,
    kind: &'a str,
    attempts: u32,
    #[serde(with = "instant")]
    first_at: Timestamp,
    #[serde(with = "instant")]
    last_at: Timestamp,
    host: &'a str,
    transfer: &'a str,
    size: u64,
    sha256: &'a str,
}

/// The text of `NAME.error`, for people and programs.
pub fn note(record: &FileRecord, failure: &FileFailure) -> Vec<u8> {
    let note = ErrorNote {
        id: &record.id,
        source_path: &record.path,
        reason: &failure.reason,
        kind: &failure.kind,
        attempts: failure.attempts,
        first_at: failure.first_at,
        last_at: failure.last_at,
        host: &failure.host,
        transfer: &record.transfer,
        size: record.size,
        sha256: &record.sha256,
    };
    // A struct of texts and numbers has a JSON form.
    let mut text = serde_json::to_vec_pretty(&note).unwrap_or_default();
    text.push(b'\n');
    text
}
