//! Metrics of the doors' certificates.

use super::metrics::{Late, Scope};
use jiff::Timestamp;
use metrics::Gauge;

/// The certificate of one door.
#[derive(Debug)]
pub struct DoorMetrics {
    ends: Late<Gauge>,
    refused: Gauge,
}

impl DoorMetrics {
    /// Of the door of this name: `status`, `orders/produce`.
    pub fn new(door: &str) -> Self {
        let scope = Scope::new("door", door);
        Self {
            ends: scope.late_gauge(
                "filegen_door_certificate_end_timestamp_seconds",
                "Until when the certificate in use is valid, as Unix time.",
            ),
            refused: scope.gauge(
                "filegen_door_certificate_refused",
                "1 while changed files of a certificate cannot be used, and the one before stays in use.",
            ),
        }
    }

    /// Another certificate is in use.
    #[expect(clippy::cast_precision_loss, reason = "seconds fit a float")]
    pub fn ends(&self, at: Timestamp) {
        self.ends.set(at.as_second() as f64);
    }

    /// Whether the files cannot be used.
    pub fn refused(&self, is_so: bool) {
        self.refused.set(f64::from(u8::from(is_so)));
    }
}
