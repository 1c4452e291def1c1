//! One instance's lines to all that it needs, and its clock. A call may be lost, its answer may be, it may take effect long after it was
//! given up; the instance may stand still, be cut off, or die before or behind any call.

use super::world::Far;
use crate::sim::locked;
use crate::weather::{Fate, Weather, stand};
use async_trait::async_trait;
use filegen::core::ports::clock::Clock;
use jiff::Timestamp;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// A call over a network is given up after this.
const PATIENCE: Duration = Duration::from_secs(4);

/// The latest that a call takes effect.
const LATEST: Duration = Duration::from_secs(20);

/// The longest that an instance stands still: longer than a message, or a claim, waits for it.
const STANDS: Duration = Duration::from_secs(100);

/// What an instance talks to. A network may lose a call; a folder answers with an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum To {
    Broker,
    Ledger,
    Disk,
    /// A target that is far.
    Target,
}

#[derive(Clone)]
pub struct Line {
    pub name: String,
    pub weather: Arc<Mutex<Weather>>,
    pub far: Arc<Far>,
}

impl Line {
    async fn stand(&self) {
        stand(&self.weather).await;
    }

    /// One more step: the instance may die here, or stand still.
    async fn step(&self) {
        {
            let mut weather = locked(&self.weather);
            weather.calls += 1;
            if weather.dies_at == Some(weather.calls) {
                weather.is_dead = true;
                self.far.note(&self.name, "dies");
            }
            let stands = weather.faults.stands;
            if locked(&self.far.rng).chance(stands) {
                let time = locked(&self.far.rng).millis(STANDS);
                weather.stands_until = Some(Instant::now() + time);
                self.far.note(&self.name, "stands still");
            }
        }
        self.stand().await;
    }

    /// What becomes of a call, and how long it takes or how late it comes.
    fn fate(&self, to: To) -> (Fate, Duration) {
        let weather = locked(&self.weather);
        let mut rng = locked(&self.far.rng);
        let (roll, quick, later) = (rng.below(1000), rng.millis(Duration::from_millis(20)), rng.millis(LATEST));
        let is_away = to == To::Broker && locked(&self.far.server).is_away();
        match weather.faults.fate(roll) {
            _ if (weather.is_cut() && to != To::Disk) || is_away => (Fate::Lost, quick),
            Fate::Late if to == To::Disk => (Fate::Done, quick),
            Fate::Late => (Fate::Late, later),
            fate => (fate, quick),
        }
    }

    /// Does something at the far side. `None`: nobody knows whether it was done.
    pub async fn ask<T: Send + 'static>(&self, to: To, work: impl FnOnce(&Far) -> T + Send + 'static) -> Option<T> {
        self.step().await;
        let (fate, time) = self.fate(to);
        let answer = match fate {
            Fate::Lost => None,
            Fate::Unanswered => {
                work(&self.far);
                None
            }
            Fate::Late => {
                let far = Arc::clone(&self.far);
                tokio::spawn(async move {
                    tokio::time::sleep(time).await;
                    work(&far);
                });
                None
            }
            Fate::Done => {
                tokio::time::sleep(time).await;
                Some(work(&self.far))
            }
        };
        if answer.is_none() && to != To::Disk {
            tokio::time::sleep(PATIENCE).await;
        }
        self.step().await;
        answer
    }
}

#[async_trait]
impl Clock for Line {
    fn now(&self) -> Timestamp {
        let true_time = self.far.now();
        true_time.saturating_add(locked(&self.weather).skew).unwrap_or(true_time)
    }

    fn elapsed(&self) -> Duration {
        self.far.start.0.elapsed()
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
        self.stand().await;
    }
}
