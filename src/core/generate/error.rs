//! Why a generation ended.

use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::shown;
use crate::core::model::term::TermEnded;
use crate::core::ports::source::SourceError;
use crate::core::ports::store::StoreError;
use crate::core::ports::volume::VolumeError;

/// Why a generation ended.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum GenerateError {
    /// The source did not deliver.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The volume failed.
    #[error(transparent)]
    Volume(#[from] VolumeError),
    /// The state store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The right to write has ended.
    #[error(transparent)]
    TermEnded(#[from] TermEnded),
    /// A value cannot be written as the file demands.
    #[error("file {file}{}: {}", row.as_ref().map(|key| format!(", row with key {}", shown::name(key))).unwrap_or_default(), shown::text(reason))]
    Data {
        /// Which file.
        file: String,
        /// The key of the row to blame.
        row: Option<String>,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A file of another content is already there under the final name.
    #[error("`{path}` is already there and differs from what this run would publish: {reason}")]
    Conflict {
        /// Relative to the output root.
        path: String,
        /// In what.
        reason: String,
    },
    /// A manifest says that the run is published, and neither the state store nor its files confirm it.
    #[error(
        "`{path}` says that run {run} is published, but {reason}; it is not believed, and nothing was recorded or sent"
    )]
    Unproved {
        /// The manifest, relative to the output root.
        path: String,
        /// The run.
        run: String,
        /// What does not fit.
        reason: String,
    },
    /// The state store knows the run as published, and its manifest is no longer there.
    #[error(
        "run {run} is published, as the state store says, and its manifest is no longer in the output root: somebody has taken its \
         files, or this is another volume. Nothing was done: whoever has them would get them twice"
    )]
    Taken {
        /// The run.
        run: String,
        /// Which version it was.
        version: u32,
    },
    /// A fault of this program or of a translator that was built into it. It ends this run alone.
    #[error(
        "a fault of filegen itself, or of a translator built into it, has ended this run: {reason}; what is committed stays, and \
         other runs go on. Report it together with the lines that stand before it in the log"
    )]
    Panicked {
        /// The panic's own words.
        reason: String,
    },
    /// A parameter has no value.
    #[error("{reason}")]
    Parameter {
        /// Which, and what to do.
        reason: String,
    },
    /// What is staged does not fit what is asked.
    #[error("{reason}")]
    Staged {
        /// What does not fit, and what to do.
        reason: String,
    },
}

impl HasKind for GenerateError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Source(error) => error.kind(),
            Self::Volume(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::TermEnded(error) => error.kind(),
            Self::Data { .. } => FailureKind::Data,
            Self::Panicked { .. } => FailureKind::Failed,
            Self::Parameter { .. } => FailureKind::Config,
            Self::Unproved { .. } | Self::Taken { .. } => FailureKind::Difference,
            Self::Conflict { .. } | Self::Staged { .. } => FailureKind::Conflict,
        }
    }
}
