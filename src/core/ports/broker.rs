//! Why a broker did not take or give a message: one error for every port that a broker implements.

use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::shown;

/// Why a broker did not take or give a message.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BrokerError {
    /// Not reachable, or no answer in time. Another try may work.
    #[error("cannot reach {topic}: {}", shown::text(reason))]
    Unreachable {
        /// Topic and brokers, without secrets: `loan-data at localhost:9092`.
        topic: String,
        /// The client's own words.
        reason: String,
    },
    /// The message is larger than the topic takes.
    #[error("{topic} refused: {}", shown::text(reason))]
    TooLarge {
        /// Topic and brokers, without secrets: `loan-data at localhost:9092`.
        topic: String,
        /// What to do about it, behind the client's own words.
        reason: String,
    },
    /// What was there to read is gone.
    #[error("{topic} is damaged: {}", shown::text(reason))]
    Damaged {
        /// Which.
        topic: String,
        /// What is missing, how far reading came, and what to do.
        reason: String,
    },
    /// Refused: no such topic, no permission, a setting that the client does not have.
    #[error("{topic} refused: {}", shown::text(reason))]
    Refused {
        /// Topic and brokers, without secrets: `loan-data at localhost:9092`.
        topic: String,
        /// What to do about it, behind the client's own words.
        reason: String,
    },
}

impl HasKind for BrokerError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Unreachable { .. } => FailureKind::Unreachable,
            Self::TooLarge { .. } | Self::Refused { .. } => FailureKind::Config,
            Self::Damaged { .. } => FailureKind::Data,
        }
    }
}
