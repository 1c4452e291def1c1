//! How a view is read: page by page or as a stream, and what the read sees of concurrent changes.

use serde::{Deserialize, Serialize};

/// How pages are asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Fetch {
    /// One ordered result, cut into pages as it arrives.
    #[default]
    Stream,
    /// A query per page: `key > last key`.
    Paged,
    /// A query per page by row number. Promises nothing when rows come or go meanwhile.
    Offset,
}

/// What one read sees of concurrent changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Isolation {
    /// Whatever the source does by default.
    #[default]
    Default,
    /// One point in time for all that one term reads, where the source offers it.
    Snapshot,
}

/// How the view was read: never more than was really promised.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadMode {
    /// `stream`, `paged` or `offset`.
    pub fetch: String,
    /// `default` or `snapshot`.
    pub isolation: String,
    /// Tokens under which pages were read, oldest first: more than one means more than one read.
    pub terms: Vec<u64>,
    /// Whether count or key range differ before and after; null when it could not be asked again, and when it was not counted.
    pub source_moved: Option<bool>,
    /// Whether the view was counted before and after. Left out when it was: earlier builds counted always.
    #[serde(skip_serializing_if = "is_true", default = "yes")]
    pub counted: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_true(value: &bool) -> bool {
    *value
}

fn yes() -> bool {
    true
}
