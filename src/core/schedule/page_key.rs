//! The key behind the tokens that a page's writes carry. All instances of a scheduler have the same one: a page of one may write through
//! another, as behind a Service. It is chance, made once by whoever needs it first, and stands in the state store as the nonce of a
//! claim that exactly one insert wins. A token says until when it holds, and an HMAC over that; nobody keeps tokens.

use crate::core::model::names::{InstanceId, LeaseKey, SchedulerId};
use crate::core::model::term::Token;
use crate::core::ports::clock::Clock;
use crate::core::ports::leases::{EpochClaim, LeaseStore, Mint};
use crate::core::ports::store::StoreError;
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// How long a token holds: a day's work. A page that is open for longer asks for another one.
const HOLDS: SignedDuration = SignedDuration::from_hours(12);

/// Makes tokens, and checks them.
pub struct PageKey {
    leases: Arc<dyn LeaseStore>,
    claim: LeaseKey,
    instance: InstanceId,
    new_nonce: Arc<dyn Fn() -> String + Send + Sync>,
    clock: Arc<dyn Clock>,
    key: OnceCell<String>,
}

impl PageKey {
    /// The key of a scheduler. Nothing is asked yet.
    pub fn new(
        leases: Arc<dyn LeaseStore>,
        scheduler: &SchedulerId,
        instance: InstanceId,
        new_nonce: Arc<dyn Fn() -> String + Send + Sync>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        // A scheduler's name is safe as a part of a key.
        let claim = LeaseKey::new(format!("page:{scheduler}")).unwrap_or_else(|_| LeaseKey::from(scheduler));
        Self { leases, claim, instance, new_nonce, clock, key: OnceCell::new() }
    }

    /// A new token.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn token(&self) -> Result<String, StoreError> {
        let until = self.clock.now().checked_add(HOLDS).unwrap_or(Timestamp::MAX).as_second();
        Ok(format!("{until}.{}", hex::encode(self.mac(until).await?.finalize().into_bytes())))
    }

    /// Whether a token is one of this scheduler's, and holds still.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn holds(&self, token: &str) -> Result<bool, StoreError> {
        let Some((until, proof)) = token.split_once('.') else { return Ok(false) };
        let Ok(until) = until.parse::<i64>() else { return Ok(false) };
        let now = self.clock.now();
        let latest = now.checked_add(HOLDS * 2).unwrap_or(Timestamp::MAX).as_second();
        let is_now = (now.as_second()..latest).contains(&until);
        let Ok(proof) = hex::decode(proof) else { return Ok(false) };
        Ok(is_now && self.mac(until).await?.verify_slice(&proof).is_ok())
    }

    async fn mac(&self, until: i64) -> Result<Hmac<Sha256>, StoreError> {
        let key = self.key.get_or_try_init(|| self.shared()).await?;
        // It takes a key of any length.
        let failed =
            |_| StoreError::Failed { store: "of leases".to_owned(), reason: "the page's key is none".to_owned() };
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).map_err(failed)?;
        mac.update(format!("{} {until}", self.claim).as_bytes());
        Ok(mac)
    }

    /// The key that the store has, or the one that it takes now.
    async fn shared(&self) -> Result<String, StoreError> {
        let token = Token(1);
        if let Some(claim) = self.leases.claim(&self.claim, token).await? {
            return Ok(claim.nonce);
        }
        let ours = EpochClaim {
            key: self.claim.clone(),
            token,
            instance: self.instance.clone(),
            nonce: format!("{}{}", (self.new_nonce)(), (self.new_nonce)()),
            claimed_at: self.clock.now(),
        };
        match self.leases.mint(&ours).await? {
            Mint::Won => Ok(ours.nonce),
            Mint::Taken => {
                let theirs = self.leases.claim(&self.claim, token).await?;
                let store = "of leases".to_owned();
                let reason = "the key of the page was taken by another, and is not there".to_owned();
                theirs.map(|claim| claim.nonce).ok_or(StoreError::Unreachable { store, reason })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::memory::clock::MemoryClock;
    use crate::adapters::memory::state::MemoryState;
    use std::time::Duration;

    fn page(store: &MemoryState, clock: &MemoryClock, scheduler: &str, nonce: &'static str) -> PageKey {
        let scheduler = SchedulerId::new(scheduler).unwrap();
        let instance = InstanceId::new(format!("pod-{nonce}"));
        let new_nonce = Arc::new(move || nonce.to_owned());
        PageKey::new(Arc::new(store.clone()), &scheduler, instance, new_nonce, Arc::new(clock.clone()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_of_one_instance_holds_at_each_other_for_a_day_and_nowhere_else() {
        let (store, clock) = (MemoryState::default(), MemoryClock::starting_at(Timestamp::UNIX_EPOCH));
        let [one, other] = ["a", "b"].map(|nonce| page(&store, &clock, "intake", nonce));
        let token = one.token().await.unwrap();
        assert_eq!((one.holds(&token).await, other.holds(&token).await), (Ok(true), Ok(true)));
        let foreign = page(&store, &clock, "another", "c");
        assert_eq!(foreign.holds(&token).await, Ok(false), "of another scheduler");
        let elsewhere = page(&MemoryState::default(), &clock, "intake", "d");
        assert_eq!(elsewhere.holds(&token).await, Ok(false), "of another store");
        let (until, proof) = token.split_once('.').unwrap();
        let later = until.parse::<i64>().unwrap() + 1;
        for forged in [format!("{later}.{proof}"), format!("{until}."), until.to_owned(), String::new(), ".".to_owned()]
        {
            assert_eq!(other.holds(&forged).await, Ok(false), "{forged}");
        }
        tokio::time::advance(Duration::from_hours(12) - Duration::from_secs(1)).await;
        assert_eq!(other.holds(&token).await, Ok(true));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!((one.holds(&token).await, other.holds(&token).await), (Ok(false), Ok(false)), "it is over");
    }
}
