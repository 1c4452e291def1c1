//! The certificates of the doors: their files are read again and again, and a change is taken without a restart. What cannot be used is
//! told, and the certificate before it stays. Readiness says nothing of it: all instances have the same files, and none of them would be
//! left to ask.

use super::TARGET;
use crate::core::model::moment::moment;
use crate::core::ports::clock::Clock;
use crate::telemetry::doors::DoorMetrics;
use crate::wiring::{self, DoorTls, Renewal};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Time between two looks at the files.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Time between two lines about what is wrong.
const TELL_EVERY: SignedDuration = SignedDuration::from_hours(12);

/// Looks at one door's files until `stop`.
pub(super) async fn renew(door: String, mut tls: DoorTls, clock: &dyn Clock, stop: &CancellationToken) {
    let metrics = DoorMetrics::new(&door);
    metrics.ends(tls.ends());
    let mut told = None;
    loop {
        let now = clock.now();
        let look = tokio::task::spawn_blocking(move || {
            let found = tls.renew(now);
            (tls, found)
        });
        let found;
        match look.await {
            Ok(looked) => (tls, found) = looked,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
        metrics.refused(matches!(found, Renewal::Refused(_)));
        let wrong = match found {
            Renewal::Taken => {
                metrics.ends(tls.ends());
                info!(target: TARGET, door, until = moment(tls.ends()), "another certificate is in use");
                ends_soon(tls.ends(), now)
            }
            Renewal::Same => ends_soon(tls.ends(), now),
            Renewal::Refused(why) => {
                Some(format!("the certificate's files cannot be used, the one before stays: {why}"))
            }
        };
        if let Some(wrong) = wrong {
            tell(&door, wrong, now, &mut told);
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = clock.sleep(LOOK_EVERY) => {}
        }
    }
}

fn ends_soon(ends: Timestamp, now: Timestamp) -> Option<String> {
    let word = if ends < now { "ended" } else { "ends" };
    (ends.duration_since(now) < wiring::ENDS_SOON).then(|| format!("the certificate in use {word} at {}", moment(ends)))
}

/// Tells what was not told lately.
fn tell(door: &str, wrong: String, now: Timestamp, told: &mut Option<(String, Timestamp)>) {
    let is_told = told.as_ref().is_some_and(|(text, at)| *text == wrong && now.duration_since(*at) < TELL_EVERY);
    if !is_told {
        warn!(target: TARGET, door, "{wrong}");
        *told = Some((wrong, now));
    }
}
