//! Who may write. There are two collections. Epochs mint tokens and are never deleted. Leases show liveness and prove nothing.

use super::store::{Found, StoreError};
use crate::core::model::names::{InstanceId, LeaseKey};
use crate::core::model::term::Token;
use async_trait::async_trait;
use jiff::Timestamp;

/// A lease: who was last seen alive. Wall-clock times are for people only.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeaseRecord {
    /// Of what.
    pub key: LeaseKey,
    /// Its holder, or the last one when released.
    pub instance: InstanceId,
    /// The holder's fencing token.
    pub token: Token,
    /// Grows by one with each renewal. A holder whose number stands still for a whole `lease_ttl` counts as dead.
    pub seq: u64,
    /// When the holder took it.
    pub acquired_at: Timestamp,
    /// When the holder last renewed it.
    pub renewed_at: Timestamp,
    /// When it runs out, unless renewed.
    pub expires_at: Timestamp,
    /// When and why it was released. `None` while it is held.
    pub released: Option<(Timestamp, String)>,
}

/// A claim to a token: inserted once, kept for ever.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EpochClaim {
    /// Whose token.
    pub key: LeaseKey,
    /// The token claimed.
    pub token: Token,
    /// By whom.
    pub instance: InstanceId,
    /// A random string, unique to this claim. A claim whose reply was lost is found by it.
    pub nonce: String,
    /// When.
    pub claimed_at: Timestamp,
}

/// How an insert of a claim ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mint {
    /// The token is ours.
    Won,
    /// Another claim was first.
    Taken,
}

/// The lease store. Every call answers or fails within its own timeout, below a sixth of the lease's time to live.
#[async_trait]
pub trait LeaseStore: Send + Sync {
    /// The lease, whoever holds it. `None` when there never was one (or litter collection took it). One that makes no sense is
    /// [`StoreError::Odd`], whose mark changes as long as somebody renews it.
    async fn read(&self, key: &LeaseKey) -> Result<Option<LeaseRecord>, StoreError>;

    /// All leases, by key.
    async fn list(&self) -> Result<Found<LeaseRecord>, StoreError>;

    /// The highest token up to `most` that was ever claimed for this key. What is no token counts for none.
    async fn highest_token(&self, key: &LeaseKey, most: Token) -> Result<Option<Token>, StoreError>;

    /// Inserts a claim. Exactly one of many claims to one token wins. The claim is durable when this answers.
    async fn mint(&self, claim: &EpochClaim) -> Result<Mint, StoreError>;

    /// Reads a claim back, to learn how a mint ended whose reply was lost. One that makes no sense is [`StoreError::Odd`].
    async fn claim(&self, key: &LeaseKey, token: Token) -> Result<Option<EpochClaim>, StoreError>;

    /// Makes `record` the lease of its key unless a higher token already holds it. True when it is in place. A number that is none of a
    /// token, or out of the record's reach ([`Token::reaches`]), holds nothing.
    async fn install(&self, record: &LeaseRecord) -> Result<bool, StoreError>;

    /// Renews the lease: `seq` + 1, if key, token and instance match and it is not released. Returns false when the lease is lost.
    async fn renew(
        &self,
        key: &LeaseKey,
        token: Token,
        instance: &InstanceId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Releases the lease by an update, never by a delete, if key and token match. Returns false when it was no longer theirs.
    async fn release(&self, key: &LeaseKey, token: Token, now: Timestamp, reason: &str) -> Result<bool, StoreError>;

    /// Whether the holder's process is certainly gone, so that nobody need wait. A lock of this host's operating system can
    /// tell. A store that cannot know returns false.
    async fn holder_is_gone(&self, lease: &LeaseRecord) -> Result<bool, StoreError>;
}
