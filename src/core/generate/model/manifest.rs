//! The manifest: last to appear, and the proof that all files of a run are there.

use crate::core::model::correction::first_version;
use crate::core::model::param::Params;
use crate::core::model::query::ReadMode;
pub use crate::core::model::replaced::{Replaced, ReplacedIn};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `{root}/{worker}_{date}.manifest.json`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// `LoanWorker`.
    pub worker_id: String,
    /// `LoanWorker:2026-11-21`.
    pub run_id: String,
    /// `2026-11-21`.
    pub business_date: String,
    /// The version of the run that this is, from 1.
    #[serde(default = "first_version")]
    pub version: u32,
    /// Why this version was made. `None` for the first.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// Fencing token of the holder that published.
    pub token: u64,
    /// RFC 3339, in UTC.
    pub completed_at: String,
    /// Pages of the run.
    pub pages: u64,
    /// Rows read from the view.
    pub source_rows: u64,
    /// The parameters that the view was read with.
    #[serde(skip_serializing_if = "Params::is_empty", default)]
    pub parameters: Params,
    /// Digest of the settings that shaped the bytes, as the journal's first line has it. `None` from builds that did not write it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub spec: Option<String>,
    /// The number of the build's way to write files, beside `spec`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub writes: Option<u32>,
    /// How the view was read and whether it moved meanwhile.
    pub read_mode: ReadMode,
    /// One entry per file, in the worker file's order.
    pub files: Vec<ManifestFile>,
}

/// One published file.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManifestFile {
    /// `Loan0`.
    pub id: String,
    /// The version that made the file: this manifest's, or an earlier one that a correction of other files left alone.
    #[serde(default = "first_version")]
    pub version: u32,
    /// Relative to the output root; null when an empty view gives no file.
    pub name: Option<String>,
    /// Records; first and last record do not count.
    pub rows: u64,
    /// Size of the whole file.
    pub bytes: u64,
    /// Digest of the whole file, lower-case hexadecimal.
    pub sha256: String,
    /// Each sum that the first or last record names, exact: of what the file writes under the column's name, of the
    /// source's own values under `source_sum.` and the column's name.
    pub control_totals: BTreeMap<String, String>,
    /// Values cut or characters replaced by policy.
    pub replaced: Replaced,
}
