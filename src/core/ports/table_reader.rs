//! Reading a few rows for an answer: one statement, its parameters bound, within limits of rows, bytes and time.

use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::budget::{Held, NoRoom};
use crate::core::model::shown;
use crate::core::model::sql::Sql;
use async_trait::async_trait;
use std::sync::Arc;

/// Most bytes of an answer.
pub const ANSWER_MAX: usize = 8 << 20;

/// What a value takes in memory beside its own bytes.
const BESIDE: usize = 64;

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
    /// The rows hold more than an answer may.
    #[error("the answer is longer than {most} bytes; ask with a smaller `limit`")]
    TooLong {
        /// What it may.
        most: usize,
    },
    /// A row that is sorted without an index holds more than a sort may.
    #[error(
        "the statement sorts rows of more than {most} bytes; give what it sorts by an index, or leave long columns out"
    )]
    SortTooLong {
        /// What it may.
        most: usize,
    },
    /// Other answers hold the memory there is for them.
    #[error("too many answers are on their way at once; try again")]
    Busy,
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
            Self::Unreachable { .. } | Self::Late { .. } | Self::Busy => FailureKind::Unreachable,
            Self::TooLong { .. } | Self::SortTooLong { .. } | Self::Refused { .. } => FailureKind::Config,
        }
    }
}

impl From<NoRoom> for ReadError {
    fn from(why: NoRoom) -> Self {
        match why {
            NoRoom::Own(most) => Self::TooLong { most },
            NoRoom::Others => Self::Busy,
        }
    }
}

/// Takes the room of a value of so many bytes, before it is made.
///
/// # Errors
/// Where there is none.
pub fn take_value(room: &Held, name: &str, bytes: usize) -> Result<(), ReadError> {
    Ok(room.take(BESIDE + name.len() + bytes)?)
}

/// Tables that can be asked. It never changes anything.
#[async_trait]
pub trait TableReader: Send + Sync {
    /// Where it is, without secrets.
    fn describe(&self) -> String;

    /// The first `most` rows of a statement, as far as there is room for them. Numbers keep their digits.
    async fn ask(&self, sql: &Sql, most: usize, room: &Arc<Held>) -> Result<Vec<AnswerRow>, ReadError>;
}
