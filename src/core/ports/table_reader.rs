//! Reading a few rows for an answer: one statement, its parameters bound, within a limit and a time.

use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::shown;
use crate::core::model::sql::Sql;
use async_trait::async_trait;

/// A value as JSON has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AnswerValue {
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// A number with all its digits.
    Number(String),
    /// Text.
    Text(String),
    /// A document, as it is.
    Json(String),
}

/// Names and values, in the statement's order.
pub type AnswerRow = Vec<(String, AnswerValue)>;

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReadError {
    /// Not reachable, locked, all connections taken. Another try may work.
    #[error("cannot read {place} now: {}", shown::text(reason))]
    Unreachable {
        /// Where, without secrets.
        place: String,
        /// Why.
        reason: String,
    },
    /// It took too long, and was ended.
    #[error("the statement was ended after {seconds} s")]
    Late {
        /// Its limit.
        seconds: u64,
    },
    /// The database refuses the statement.
    #[error("{place} refuses the statement: {}", shown::text(reason))]
    Refused {
        /// Where, without secrets.
        place: String,
        /// Its own words.
        reason: String,
    },
}

impl HasKind for ReadError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Unreachable { .. } | Self::Late { .. } => FailureKind::Unreachable,
            Self::Refused { .. } => FailureKind::Config,
        }
    }
}

/// Tables that can be asked. It never changes anything.
#[async_trait]
pub trait TableReader: Send + Sync {
    /// Where it is, without secrets.
    fn describe(&self) -> String;

    /// The first `most` rows of a statement. Numbers keep their digits.
    async fn ask(&self, sql: &Sql, most: usize) -> Result<Vec<AnswerRow>, ReadError>;
}
