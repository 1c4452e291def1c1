//! The completion event: the message that says a file is published.

use serde::{Deserialize, Serialize};

/// What consumers get; the message's key is the file id. Field names are the contract's.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CompletionEvent {
    /// `LoanWorker`.
    pub worker_id: String,
    /// `Loan0`.
    pub file_id: String,
    /// The file's `event_type`; null when it has none.
    pub event_type: Option<String>,
    /// RFC 3339, in UTC.
    pub completed_at: String,
    /// Records of the file.
    pub total_rows: u64,
    /// `LoanWorker:Loan0:2026112101`: business date and version in digits. The same at every try; each date has its own.
    pub correlation_id: String,
    /// Final path, relative to the output root.
    pub path: String,
    /// Size of the file.
    pub bytes: u64,
    /// Digest of the whole file, lower-case hexadecimal.
    pub sha256: String,
    /// `2026-11-21`.
    pub business_date: String,
    /// How the view was read and whether it moved meanwhile.
    pub read_mode: super::query::ReadMode,
    /// The version of the run that the file is of, from 1.
    #[serde(default = "super::correction::first_version")]
    pub version: u32,
    /// Why that version was made. `None` for the first.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// What policies changed in the file. `None` when nothing was changed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub replaced: Option<super::replaced::Replaced>,
}

impl CompletionEvent {
    /// The message's bytes: JSON, the same at every try.
    pub fn payload(&self) -> Vec<u8> {
        // Texts, numbers and flags under fixed names: there is nothing in it that JSON cannot hold.
        serde_json::to_vec(self).expect("a completion event is JSON")
    }
}

/// The `eventType` of [`FileDelivered`].
pub const FILE_DELIVERED: &str = "FileDelivered";

/// What consumers get behind the completion event, once a transfer's receipt for the file is there; under the same key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileDelivered {
    /// `LoanWorker`.
    pub worker_id: String,
    /// `Loan0`.
    pub file_id: String,
    /// [`FILE_DELIVERED`].
    pub event_type: String,
    /// That of the file's completion event.
    pub correlation_id: String,
    /// Path, relative to the output root.
    pub path: String,
    /// Size of the published file.
    pub bytes: u64,
    /// Digest of the published file, lower-case hexadecimal.
    pub sha256: String,
    /// `2026-11-21`.
    pub business_date: String,
    /// The version of the run that the file is of, from 1.
    pub version: u32,
    /// The transfer that took it.
    pub transfer: String,
    /// What the transfer calls this version of the file: `filegen transfer show ID`.
    pub transfer_id: String,
    /// When the receipt was seen. RFC 3339, in UTC.
    pub delivered_at: String,
}

impl FileDelivered {
    /// The message's bytes: JSON, the same at every try.
    pub fn payload(&self) -> Vec<u8> {
        // Texts and numbers under fixed names have a JSON form.
        serde_json::to_vec(self).unwrap_or_default()
    }
}
