//! Lease times and retries.

use crate::config::cursor::{Cursor, Fields};
use crate::config::grammar::common::POLICIES;
use crate::config::values;
use crate::core::model::policy::{Policies, RetrySpec};
use std::time::Duration;

/// Longest wait before a retry: longer ones would keep a worker waiting for a server that has been back for long.
const BACKOFF_MAX: Duration = Duration::from_hours(24);

/// Shortest time to live of a lease: below it, the holder's own timeouts have no room.
const TTL_MIN: Duration = Duration::from_millis(100);

pub(super) fn policies(at: &Cursor<'_>) -> Option<Policies> {
    let fields = at.read(&POLICIES);
    lease_times_fit(&fields);
    let retry = RetrySpec {
        max_retries: u32::try_from(fields.whole("max_retries")?).ok()?,
        initial_backoff: fields.duration("initial_backoff")?,
        backoff_multiplier: fields.text("backoff_multiplier")?.parse().ok()?,
        max_backoff: fields.duration("max_backoff")?,
    };
    if retry.max_backoff > BACKOFF_MAX {
        let message = "`max_backoff` must be at most 24h";
        fields.place("max_backoff").report("impossible-value", message, "30s suits most servers");
    }
    if retry.initial_backoff > retry.max_backoff {
        let message = "`initial_backoff` is longer than `max_backoff`";
        fields.place("initial_backoff").report("impossible-value", message, "make the first wait the shortest");
    }
    Some(Policies {
        lease_ttl: fields.duration("lease_ttl")?,
        lease_heartbeat_interval: fields.duration("lease_heartbeat_interval")?,
        takeover_polling_interval: fields.duration("takeover_polling_interval")?,
        retry,
        max_pending: fields.duration("max_pending")?,
    })
}

/// Times that would make a lease useless.
pub(super) fn lease_times_fit(fields: &Fields<'_>) {
    let report =
        |field: &str, message: String, hint: &str| fields.place(field).report("impossible-value", message, hint);
    let ttl = fields.duration("lease_ttl");
    if ttl.is_some_and(|ttl| ttl < TTL_MIN) {
        report("lease_ttl", "`lease_ttl` must be at least 100ms".to_owned(), "30s suits most networks");
    }
    for name in ["lease_heartbeat_interval", "takeover_polling_interval"] {
        if fields.duration(name).is_some_and(|time| time.is_zero()) {
            report(
                name,
                format!("`{name}` must be more than 0"),
                "a third of `lease_ttl`, or less, suits most networks",
            );
        }
    }
    if let (Some(ttl), Some(heartbeat)) = (ttl, fields.duration("lease_heartbeat_interval"))
        && heartbeat > ttl / 3
    {
        let millis = u64::try_from((ttl / 3).as_millis()).unwrap_or(u64::MAX);
        let third = values::write_duration(Duration::from_millis(millis));
        let message = format!("`lease_heartbeat_interval` must be at most a third of `lease_ttl`: {third}");
        let hint = "a holder must be able to miss a renewal and live; change one of the two";
        report("lease_heartbeat_interval", message, hint);
    }
}
