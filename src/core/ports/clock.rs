//! Time, so that tests and the simulation can move it.

use async_trait::async_trait;
use std::time::Duration;

/// Two clocks: one for people, one for promises.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Wall-clock time: for names, logs and tables. May jump. No right to write hangs on it; claims of a transfer and parked events end by it.
    fn now(&self) -> jiff::Timestamp;

    /// Time since an arbitrary start that never goes back and goes on in suspend (`CLOCK_BOOTTIME`).
    fn elapsed(&self) -> Duration;

    /// Waits.
    async fn sleep(&self, time: Duration);
}
