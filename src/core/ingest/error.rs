//! Why an ingest ended before it was told to.

use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::shown;
use crate::core::ports::broker::BrokerError;
use crate::core::ports::sql_sink::SinkError;

/// Why an ingest ended.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum IngestError {
    /// The log's.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The sink's.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// A topic or file is another one than the positions are of.
    #[error(
        "{} is not the one that was read before: it was made anew, or cut off; nothing more is read. Its events count as new with \
         `on_recreated: restart`",
        shown::text(topic)
    )]
    Recreated {
        /// Its name.
        topic: String,
    },
}

impl HasKind for IngestError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Broker(error) => error.kind(),
            Self::Sink(error) => error.kind(),
            Self::Recreated { .. } => FailureKind::Conflict,
        }
    }
}
