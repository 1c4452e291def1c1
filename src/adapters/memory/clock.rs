//! Tokio's clock as the [`Clock`]: a test that pauses it decides how time passes.

use crate::core::ports::clock::Clock;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Both clocks from tokio's timer: real unless the runtime is paused. Clones share the wall clock's setting.
#[derive(Clone, Debug)]
pub struct MemoryClock {
    start: Instant,
    wall_at_start: Arc<Mutex<Timestamp>>,
}

impl MemoryClock {
    /// A clock whose wall time begins at `wall`, now. Needs a tokio runtime, for its timer.
    pub fn starting_at(wall: Timestamp) -> Self {
        Self { start: Instant::now(), wall_at_start: Arc::new(Mutex::new(wall)) }
    }

    /// Sets the wall clock forward or back, as an operator or NTP does. Elapsed time does not notice.
    pub fn jump_wall(&self, by: SignedDuration) {
        let mut wall = self.wall_at_start.lock().unwrap_or_else(PoisonError::into_inner);
        *wall = wall.saturating_add(by).unwrap_or(*wall);
    }
}

#[async_trait]
impl Clock for MemoryClock {
    fn now(&self) -> Timestamp {
        let wall = *self.wall_at_start.lock().unwrap_or_else(PoisonError::into_inner);
        wall.saturating_add(self.elapsed()).unwrap_or(wall)
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}
