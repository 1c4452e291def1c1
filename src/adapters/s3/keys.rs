//! What requests are signed with.

use crate::core::model::secret::Secret;
use jiff::Timestamp;
use std::time::Duration;

/// Keys that end within this time are fetched anew.
const RENEWED: Duration = Duration::from_mins(5);

/// Access key, secret key and token.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    pub(super) access: String,
    pub(super) secret: Secret,
    pub(super) token: Option<Secret>,
    /// When they end. `None` when they do not.
    pub(super) until: Option<Timestamp>,
}

impl Keys {
    /// Whether they have not ended.
    pub(super) fn serve(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| until > now)
    }

    /// Whether they are of use for a while.
    pub(super) fn last(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| Duration::try_from(until.duration_since(now)).is_ok_and(|left| left > RENEWED))
    }
}
