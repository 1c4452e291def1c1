//! A lease store that loses requests and replies, by script.

use crate::adapters::memory::state::MemoryState;
use crate::core::model::names::{InstanceId, LeaseKey};
use crate::core::model::term::Token;
use crate::core::ports::leases::{EpochClaim, LeaseRecord, LeaseStore, Mint};
use crate::core::ports::store::{Found, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

/// A call whose faults can be scripted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Call {
    Read,
    Mint,
    Install,
    Renew,
    Release,
}

/// What happens to one call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// The store never sees it.
    LoseRequest,
    /// The store does it, and the caller does not hear.
    LoseReply,
    /// The store sees it late.
    Slow(Duration),
    /// An earlier copy of it, believed lost, arrives just before: the store does it and says no.
    Overtaken,
    /// The store does it at once and answers late.
    Delay(Duration),
    /// The store says no.
    Refuse,
}

/// A store in memory behind a bad line.
pub(super) struct Faulty {
    inner: MemoryState,
    script: Mutex<HashMap<Call, VecDeque<Fault>>>,
    counts: Mutex<HashMap<Call, usize>>,
}

impl Faulty {
    pub(super) fn over(inner: MemoryState) -> Self {
        Self { inner, script: Mutex::default(), counts: Mutex::default() }
    }

    /// The next calls of this kind go wrong like this; then all is well again.
    pub(super) fn script(&self, call: Call, faults: impl IntoIterator<Item = Fault>) {
        self.script.lock().unwrap().insert(call, faults.into_iter().collect());
    }

    /// How many calls of this kind there were.
    pub(super) fn count(&self, call: Call) -> usize {
        self.counts.lock().unwrap().get(&call).copied().unwrap_or_default()
    }

    async fn through<T>(
        &self,
        call: Call,
        refusal: T,
        answer: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        *self.counts.lock().unwrap().entry(call).or_default() += 1;
        let lost = StoreError::Unreachable { store: "memory".to_owned(), reason: format!("{call:?} was lost") };
        let fault = self.script.lock().unwrap().get_mut(&call).and_then(VecDeque::pop_front);
        match fault {
            None => answer.await,
            Some(Fault::LoseRequest) => Err(lost),
            Some(Fault::LoseReply) => answer.await.and(Err(lost)),
            Some(Fault::Refuse) => Ok(refusal),
            Some(Fault::Overtaken) => answer.await.and(Ok(refusal)),
            Some(Fault::Slow(time)) => {
                tokio::time::sleep(time).await;
                answer.await
            }
            Some(Fault::Delay(time)) => {
                let answer = answer.await;
                tokio::time::sleep(time).await;
                answer
            }
        }
    }
}

#[async_trait]
impl LeaseStore for Faulty {
    async fn read(&self, key: &LeaseKey) -> Result<Option<LeaseRecord>, StoreError> {
        self.through(Call::Read, None, self.inner.read(key)).await
    }

    async fn list(&self) -> Result<Found<LeaseRecord>, StoreError> {
        self.inner.list().await
    }

    async fn highest_token(&self, key: &LeaseKey, most: Token) -> Result<Option<Token>, StoreError> {
        self.inner.highest_token(key, most).await
    }

    async fn mint(&self, claim: &EpochClaim) -> Result<Mint, StoreError> {
        self.through(Call::Mint, Mint::Taken, self.inner.mint(claim)).await
    }

    async fn claim(&self, key: &LeaseKey, token: Token) -> Result<Option<EpochClaim>, StoreError> {
        self.inner.claim(key, token).await
    }

    async fn install(&self, record: &LeaseRecord) -> Result<bool, StoreError> {
        self.through(Call::Install, false, self.inner.install(record)).await
    }

    async fn renew(
        &self,
        key: &LeaseKey,
        token: Token,
        instance: &InstanceId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.through(Call::Renew, false, self.inner.renew(key, token, instance, now, expires_at)).await
    }

    async fn release(&self, key: &LeaseKey, token: Token, now: Timestamp, reason: &str) -> Result<bool, StoreError> {
        self.through(Call::Release, false, self.inner.release(key, token, now, reason)).await
    }

    async fn holder_is_gone(&self, lease: &LeaseRecord) -> Result<bool, StoreError> {
        self.inner.holder_is_gone(lease).await
    }
}
