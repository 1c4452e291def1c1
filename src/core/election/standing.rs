//! What a candidate finds in the store, and how much of it is believed. A record that makes no sense is told by its name. It stops nobody,
//! and no token is counted on from it.

use super::watch::{Sight, Watch};
use super::{Candidate, ElectionError, ElectionEvent};
use crate::core::model::term::Token;
use crate::core::ports::leases::LeaseRecord;
use crate::core::ports::store::{OddRecord, StoreError};
use tokio_util::sync::CancellationToken;

/// A lease as it stands.
pub(super) enum Standing {
    /// It can be read.
    Lease(LeaseRecord),
    /// It cannot. Perhaps its holder lives all the same, and somebody else has written into its record.
    Odd {
        /// Which, and what is wrong with it.
        record: OddRecord,
        /// Its token, as far as there is one.
        token: Option<Token>,
        /// What tells whether it was renewed.
        mark: String,
    },
}

impl Standing {
    pub(super) fn sight(&self) -> Sight {
        match self {
            Self::Lease(lease) => Sight::Lease(lease.token, lease.seq),
            Self::Odd { mark, .. } => Sight::Odd(mark.clone()),
        }
    }

    pub(super) fn token(&self) -> Option<Token> {
        match self {
            Self::Lease(lease) => Some(lease.token),
            Self::Odd { token, .. } => *token,
        }
    }

    pub(super) fn is_released(&self) -> bool {
        matches!(self, Self::Lease(lease) if lease.released.is_some())
    }
}

impl Candidate {
    /// The lease as it stands.
    pub(super) async fn look(&self, stop: &CancellationToken) -> Result<Option<Standing>, ElectionError> {
        match self.persist(stop, || self.leases.read(&self.key)).await {
            Err(ElectionError::Store(StoreError::Odd { record, token, mark, .. })) => {
                Ok(Some(Standing::Odd { record: *record, token, mark: mark.into() }))
            }
            lease => Ok(lease?.map(Standing::Lease)),
        }
    }

    /// Whether its holder is known to be dead.
    pub(super) async fn is_gone(&self, standing: &Standing, stop: &CancellationToken) -> Result<bool, ElectionError> {
        match standing {
            Standing::Lease(holder) => self.persist(stop, || self.leases.holder_is_gone(holder)).await,
            Standing::Odd { .. } => Ok(false),
        }
    }

    /// The highest claim that counting may have come to, step by step from `floor`. Tells of one above it.
    pub(super) async fn claimed(
        &self,
        floor: Token,
        watch: &mut Watch,
        stop: &CancellationToken,
    ) -> Result<Option<Token>, ElectionError> {
        let Some(top) = self.highest(Token(u64::MAX), stop).await? else { return Ok(None) };
        let mut believed = floor;
        while !believed.reaches(top) {
            let found = self.highest(Token(believed.0.saturating_add(Token::REACH)), stop).await?;
            match found {
                Some(next) if next > believed => believed = next,
                found => {
                    self.tell_odd(watch, format!("worker_epochs {}:{top}", self.key));
                    return Ok(found);
                }
            }
        }
        Ok(Some(top))
    }

    async fn highest(&self, most: Token, stop: &CancellationToken) -> Result<Option<Token>, ElectionError> {
        self.persist(stop, || self.leases.highest_token(&self.key, most)).await
    }

    /// The token of a lease, if counting may have come to it from `known`.
    pub(super) fn held(&self, standing: Option<&Standing>, known: Token, watch: &mut Watch) -> Option<Token> {
        let token = standing?.token()?;
        if known.reaches(token) {
            return Some(token);
        }
        self.tell_odd(watch, format!("worker_leases {}", self.key));
        None
    }

    fn tell_odd(&self, watch: &mut Watch, id: String) {
        if !watch.is_new_oddity(&id) {
            return;
        }
        let reason = "its token is so far above all others that filegen did not count up to it; it is not believed: take the record away";
        let record = OddRecord { id, reason: reason.to_owned() };
        self.tell(&ElectionEvent::Odd { record });
    }
}
