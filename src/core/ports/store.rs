//! Why a state store did not answer, or refused: one error for all of its ports.

use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::shown;
use crate::core::model::term::{TermEnded, Token};
use std::fmt;

/// The records that a question found. One that cannot be read hides no other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found<T> {
    /// Those that can be read, in the order that was asked for.
    pub records: Vec<T>,
    /// Those that cannot: the first of them.
    pub odd: Vec<OddRecord>,
}

/// Records in the order of their ids, as many as one question may bring.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page<T> {
    /// Them.
    pub found: Found<T>,
    /// The id of the last record, those that cannot be read among them. `None`: there is no record behind it.
    pub next: Option<String>,
}

/// A record that cannot be read.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct OddRecord {
    /// Its id, as far as it has one: `LoanWorker:2026-11-21`.
    pub id: String,
    /// What is wrong with it, and what to do.
    pub reason: String,
}

impl fmt::Display for OddRecord {
    /// Harmlessly: both may be somebody else's words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot be read: {}", shown::name(&self.id), shown::text(&self.reason))
    }
}

impl<T> Default for Found<T> {
    fn default() -> Self {
        Self { records: Vec::new(), odd: Vec::new() }
    }
}

impl<T> Found<T> {
    /// Most odd records that one answer holds.
    pub const ODD_MAX: usize = 20;

    /// Adds a record, or what is wrong with it.
    pub fn add(&mut self, id: impl FnOnce() -> String, record: Result<T, String>) {
        match record {
            Ok(record) => self.records.push(record),
            Err(reason) if self.odd.len() < Self::ODD_MAX => self.odd.push(OddRecord { id: id(), reason }),
            Err(_) => {}
        }
    }
}

/// Why a store did not answer, or refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StoreError {
    /// Not reachable in time. Another try may work. Whether the write happened is unknown.
    #[error("cannot reach the state store {store}: {}", shown::text(reason))]
    Unreachable {
        /// Where it is, without secrets.
        store: String,
        /// The client's own words.
        reason: String,
    },
    /// A newer holder has written. This holder's token is too old.
    #[error("the state store refused a write with token {token}: a newer holder has written there")]
    Stale {
        /// The refused token.
        token: Token,
    },
    /// A record has a token that nobody was given. It ends no holder's term, and nothing is written over it: a person looks at it.
    #[error(
        "{record} in the state store has token {found}, and the holder's is {token}: no holder was given {found}, so it is not believed, \
         and nothing is written there. Set its token right, or delete it"
    )]
    Uncounted {
        /// Which record.
        record: String,
        /// Its token.
        found: Token,
        /// The holder's.
        token: Token,
    },
    /// The right to write has ended; nothing was done.
    #[error(transparent)]
    TermEnded(#[from] TermEnded),
    /// A login, a database or a right is refused, or a file may not be opened. A person mends the address or the rights.
    #[error("the state store {store} refuses: {}", shown::text(reason))]
    Denied {
        /// Where it is, without secrets.
        store: String,
        /// What to do, with the client's own words.
        reason: String,
    },
    /// One record cannot be read, and is not believed. The others can.
    #[error("{} in the state store {store} cannot be read: {}", shown::name(&.record.id), shown::text(&.record.reason))]
    Odd {
        /// Where it is, without secrets.
        store: String,
        /// Which, and what is wrong with it.
        record: Box<OddRecord>,
        /// The token in it, as far as there is one.
        token: Option<Token>,
        /// Changes whenever the record does.
        mark: Box<str>,
    },
    /// Anything else: a damaged store, a newer format.
    #[error("the state store {store} failed: {}", shown::text(reason))]
    Failed {
        /// Where it is, without secrets.
        store: String,
        /// The client's own words.
        reason: String,
    },
}

impl StoreError {
    /// Why a holder with `token` does not write to a record with a token above it, `found`; `record` names it.
    pub fn above(token: Token, found: Token, record: impl FnOnce() -> String) -> Self {
        if token.may_precede(found) {
            Self::Stale { token }
        } else {
            Self::Uncounted { record: record(), found, token }
        }
    }
}

impl HasKind for StoreError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Unreachable { .. } => FailureKind::Unreachable,
            Self::Stale { .. } => FailureKind::Lease,
            Self::TermEnded(error) => error.kind(),
            Self::Denied { .. } => FailureKind::Config,
            Self::Odd { .. } | Self::Uncounted { .. } | Self::Failed { .. } => FailureKind::Failed,
        }
    }
}
