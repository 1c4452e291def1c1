//! A worker's published files on their way to a transfer, as metrics and log lines.

use super::status::WorkerStatus;
use crate::core::generate::deliver::DeliverEvent;
use crate::core::model::delivery::Delivery;
use crate::core::model::shown;
use crate::core::ports::observer::Observer;
use tracing::{info, warn};

/// What JSON and text lines call their `target`. People filter by it, so it stays wherever this module stands.
const TARGET: &str = "filegen::telemetry::deliver";

/// A line with the fields that every line about a delivery has.
macro_rules! line {
    ($level:ident, $worker:expr, $it:expr, $($rest:tt)*) => {
        $level!(
            target: TARGET, worker = $worker, run = %$it.run, file = $it.shown(), version = $it.version, path = %$it.path,
            transfer = %$it.to, id = $it.transfer_id.as_deref(), $($rest)*
        )
    };
}

impl Observer<DeliverEvent> for WorkerStatus {
    fn observe(&self, event: &DeliverEvent) {
        let worker = self.worker().as_str();
        let what = |it: &Delivery, became: &str| format!("{} {became} {}", it.path, it.to);
        match event {
            DeliverEvent::HandedOver(it) => {
                self.record_event(what(it, "is handed over to transfer"));
                line!(info, worker, it, "file is handed over to its transfer");
            }
            DeliverEvent::Delivered(it) => {
                self.metrics().delivery("delivered");
                self.record_event(what(it, "is delivered by transfer"));
                line!(info, worker, it, "receipt of the file is there");
            }
            DeliverEvent::Failed(it) => {
                self.metrics().delivery("failed");
                let reason = it.reason.as_deref().unwrap_or_default();
                self.record_event(format!("{}: {reason}", what(it, "is refused by transfer")));
                line!(warn, worker, it, reason, "file is not delivered: it goes on when its reason is mended");
            }
            DeliverEvent::Replaced(it) => {
                self.metrics().delivery("replaced");
                self.record_event(what(it, "is replaced by a later version before it went to transfer"));
                line!(warn, worker, it, "file is not delivered: a later version took its name");
            }
            DeliverEvent::Failing { reason, attempt, after } => {
                self.record_event(format!("deliver: {reason}"));
                let after_seconds = after.as_secs_f64();
                warn!(target: TARGET, worker, reason, attempt, after_seconds, "deliver: trying again");
            }
            DeliverEvent::Odd { record } => {
                let (record, reason) = (&record.id, shown::text(&record.reason));
                self.record_event(format!("delivery {record} cannot be read from the state store: {reason}"));
                warn!(target: TARGET, worker, record, %reason, "a delivery cannot be read from the state store");
            }
            DeliverEvent::Standing(standing) => {
                self.metrics().deliveries(standing);
                self.standing(standing);
            }
        }
    }
}
