//! Filters that are made of files of this host: keys, schemas.

use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::filters::{ToolFinding, ToolSpec};
use crate::core::model::shown;
use jiff::Timestamp;

/// One filter at work. Its errors say what is wrong with the content, and hold none of it.
pub trait Stage: Send {
    /// Takes a piece, and puts what comes of it behind `out`.
    ///
    /// # Errors
    /// Why the content is refused.
    fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), String>;

    /// Takes the end of the content, and puts what is left behind `out`.
    ///
    /// # Errors
    /// As [`Stage::push`].
    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), String>;
}

/// Why a filter cannot be begun.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FilterError {
    /// A file that it is made of cannot be used: no content passes until it can.
    #[error("the filter `{filter}` cannot be used: {}", shown::text(reason))]
    Unusable {
        /// Which.
        filter: &'static str,
        /// Why, and what to mend.
        reason: String,
    },
    /// A key is at its end, or taken back: nothing may be made with it.
    #[error("the filter `{filter}` makes nothing of it: {}", shown::text(reason))]
    Ended {
        /// Which.
        filter: &'static str,
        /// Which key, and since when.
        reason: String,
    },
}

impl HasKind for FilterError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Unusable { .. } => FailureKind::Config,
            Self::Ended { .. } => FailureKind::Refused,
        }
    }
}

/// Makes filters.
pub trait FilterTools: Send + Sync {
    /// A filter for one content. Its files are read anew: what was mended counts for the next content.
    ///
    /// # Errors
    /// When it cannot be made.
    fn begin(&self, spec: &ToolSpec, now: Timestamp) -> Result<Box<dyn Stage>, FilterError>;

    /// What is to be said of the files that it is made of.
    fn look(&self, spec: &ToolSpec, now: Timestamp) -> Vec<ToolFinding>;
}
