//! Logins that were refused, remembered by the process: a server that counts them locks its user out. Whoever wants the same login, of
//! whatever transfer, waits for as long as all others.

use super::address::Address;
use super::login::Means;
use super::trust::Trust;
use crate::core::ports::file_target::TargetError;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Time before a refused login is tried again: it doubles from the first to the longest.
const FIRST: Duration = Duration::from_mins(1);
const LONGEST: Duration = Duration::from_mins(64);

/// Connections in a row that ended while a login was looked at, and count as refused: one may have been the line's fault.
const ENDED_MOST: u32 = 2;

/// Logins of a process. Clones share them.
#[derive(Clone, Default)]
pub struct Logins(Arc<Mutex<HashMap<Stamp, Entry>>>);

/// What tells one login from another: server, user, host keys and what is logged in with. Once a file of it changes, it is another one.
pub(super) type Stamp = [u8; 32];

/// One login. Who logs in holds it, so that nobody else offers the same meanwhile.
pub(super) type Entry = Arc<tokio::sync::Mutex<Refusals>>;

/// The stamp of a login.
pub(super) fn stamp(address: &Address, trust: &Trust, means: &Means) -> Stamp {
    let mut digest = Sha256::new();
    digest.update(format!("{}\n{}\n{}\n", address.user, address.host, address.port));
    trust.digest(&mut digest);
    means.digest(&mut digest);
    digest.finalize().into()
}

impl Logins {
    pub(super) fn of(&self, stamp: Stamp) -> Entry {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // One that nobody uses and that is not refused says nothing.
        all.retain(|_, entry| Arc::strong_count(entry) > 1 || entry.try_lock().map_or(true, |entry| !entry.is_old()));
        Arc::clone(all.entry(stamp).or_default())
    }
}

/// How often a login was refused in a row.
#[derive(Default)]
pub(super) struct Refusals {
    times: u32,
    /// Connections that ended while it was looked at, since the last answer.
    ended: u32,
    /// Until when it is not tried again, and why.
    until: Option<(Instant, String)>,
}

impl Refusals {
    /// Whether it may be tried.
    ///
    /// # Errors
    /// The last refusal, while it may not.
    pub(super) fn may_try(&self, target: &str) -> Result<(), TargetError> {
        let Some((until, why)) = &self.until else { return Ok(()) };
        let again = until.saturating_duration_since(Instant::now());
        if again.is_zero() {
            return Ok(());
        }
        let minutes = again.as_secs().div_ceil(60);
        let reason = format!("{why}; not tried again for {minutes} min, or until what it logs in with changes");
        Err(TargetError::Login { target: target.to_owned(), reason, again })
    }

    /// It was refused. Those who were refused together count once.
    pub(super) fn refused(&mut self, target: &str, reason: String) -> TargetError {
        let now = Instant::now();
        self.ended = 0;
        if self.until.as_ref().is_none_or(|(until, _)| *until <= now) {
            let after = FIRST.saturating_mul(1 << self.times.min(16)).min(LONGEST);
            self.times += 1;
            self.until = Some((now + after, reason.clone()));
        }
        let again = self.until.as_ref().map_or(FIRST, |(until, _)| until.saturating_duration_since(now));
        TargetError::Login { target: target.to_owned(), reason, again }
    }

    /// The connection ended while it was looked at.
    pub(super) fn ended(&mut self, target: &str, reason: String) -> TargetError {
        self.ended += 1;
        if self.ended < ENDED_MOST {
            return TargetError::Away { target: target.to_owned(), reason };
        }
        let reason = format!(
            "{reason}, and so did the connection before; this may be how it refuses: check the user, and `key`, `agent` or `password` \
             beside `sftp`"
        );
        // It is counted by itself from here on.
        self.refused(target, reason)
    }

    /// It was taken.
    pub(super) fn taken(&mut self) {
        *self = Self::default();
    }

    /// Whether nothing of it is worth keeping.
    fn is_old(&self) -> bool {
        let is_over = self.until.as_ref().is_none_or(|(until, _)| until.elapsed() > LONGEST);
        is_over && self.ended == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(error: &TargetError) -> Option<u64> {
        match error {
            TargetError::Login { again, .. } => Some(again.as_secs() / 60),
            _ => None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_login_waits_for_longer_each_time() {
        let logins = Logins::default();
        for minutes in [1, 2, 4, 8, 16, 32, 64, 64] {
            let entry = logins.of([1; 32]);
            let mut refusals = entry.lock().await;
            assert_eq!(refusals.may_try("t"), Ok(()));
            // Two that were on their way together.
            for _ in 0..2 {
                assert_eq!(again(&refusals.refused("t", "no".to_owned())), Some(minutes));
            }
            drop(refusals);
            let another = logins.of([2; 32]);
            assert_eq!(another.lock().await.may_try("t"), Ok(()), "another login");
            tokio::time::sleep(Duration::from_secs(minutes * 60 - 1)).await;
            let told = logins.of([1; 32]).lock().await.may_try("t").unwrap_err();
            assert!(told.to_string().contains("no; not tried again for 1 min"), "{told}");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let entry = logins.of([1; 32]);
        entry.lock().await.taken();
        assert_eq!(again(&entry.lock().await.refused("t", "no".to_owned())), Some(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_ends_at_a_login_is_a_refusal_the_second_time() {
        let mut refusals = Refusals::default();
        assert!(matches!(refusals.ended("t", "ended".to_owned()), TargetError::Away { .. }));
        assert_eq!(refusals.may_try("t"), Ok(()));
        assert_eq!(again(&refusals.ended("t", "ended".to_owned())), Some(1));
        tokio::time::sleep(FIRST).await;
        assert_eq!(refusals.may_try("t"), Ok(()));
    }
}
