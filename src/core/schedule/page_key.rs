//! The key behind the tokens that a page's writes carry. All instances of a scheduler have the same one: a page of one may write through
//! another, as behind a Service. It is chance, made once by whoever needs it first, and stands in the state store as the nonce of a
//! claim that exactly one insert wins. A token says until when it holds, and an HMAC (RFC 2104) over that; nobody keeps tokens.

use crate::core::model::names::{InstanceId, LeaseKey, SchedulerId};
use crate::core::model::term::Token;
use crate::core::ports::clock::Clock;
use crate::core::ports::leases::{EpochClaim, LeaseStore, Mint};
use crate::core::ports::store::StoreError;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use tokio::sync::OnceCell;

/// How long a token holds: a day's work. A page that is open for longer asks for another one.
const HOLDS: SignedDuration = SignedDuration::from_hours(12);

/// Block of SHA-256, in bytes.
const BLOCK: usize = 64;

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
        Ok(format!("{until}.{}", self.proof(until).await?))
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
        Ok(is_now && is_same(proof.as_bytes(), self.proof(until).await?.as_bytes()))
    }

    async fn proof(&self, until: i64) -> Result<String, StoreError> {
        let key = self.key.get_or_try_init(|| self.shared()).await?;
        Ok(hex::encode(hmac(key.as_bytes(), format!("{} {until}", self.claim).as_bytes())))
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

/// HMAC-SHA256.
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; BLOCK];
    if key.len() > BLOCK {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().into()
}

/// Compares in the same time, wherever the first difference is.
fn is_same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
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
        clock.sleep(Duration::from_hours(12) - Duration::from_secs(1)).await;
        assert_eq!(other.holds(&token).await, Ok(true));
        clock.sleep(Duration::from_secs(2)).await;
        assert_eq!((one.holds(&token).await, other.holds(&token).await), (Ok(false), Ok(false)), "it is over");
    }

    #[test]
    fn the_proof_is_that_of_rfc_4231() {
        let of = |key: &[u8], message: &str| hex::encode(hmac(key, message.as_bytes()));
        let jefe = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(of(b"Jefe", "what do ya want for nothing?"), jefe);
        let long = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54";
        assert_eq!(of(&[0xaa; 131], "Test Using Larger Than Block-Size Key - Hash Key First"), long);
    }
}
