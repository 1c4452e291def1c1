//! One instance's lines to all that it needs, and its clock. A call may be lost, its answer may be, it may take effect long after it was
//! given up; the instance may stand still, be cut off, or die before or behind any call.

use super::world::Far;
use crate::sim::locked;
use async_trait::async_trait;
use filegen::core::ports::clock::Clock;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// A call over a network is given up after this.
const PATIENCE: Duration = Duration::from_secs(4);

/// The latest that a call takes effect.
const LATEST: Duration = Duration::from_secs(20);

/// The longest that an instance stands still: longer than a message, or a claim, waits for it.
const STANDS: Duration = Duration::from_secs(100);

/// How often, per mille, something becomes of a call.
#[derive(Clone, Copy, Default, Debug)]
pub struct Faults {
    pub lost: u64,
    pub unanswered: u64,
    pub late: u64,
    pub stands: u64,
}

/// What an instance talks to. A network may lose a call; a folder answers with an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum To {
    Broker,
    Ledger,
    Disk,
}

/// What befalls one life of an instance.
#[derive(Default, Debug)]
pub struct Weather {
    pub faults: Faults,
    pub stands_until: Option<Instant>,
    pub cut_until: Option<Instant>,
    pub skew: SignedDuration,
    pub calls: u64,
    /// It dies at this call.
    pub dies_at: Option<u64>,
    pub is_dead: bool,
}

#[derive(Clone)]
pub struct Line {
    pub name: String,
    pub weather: Arc<Mutex<Weather>>,
    pub far: Arc<Far>,
}

/// What becomes of a call.
enum Fate {
    Done(Duration),
    Lost,
    Unanswered,
    Late(Duration),
}

impl Line {
    /// Waits while the whole instance stands still; for ever, when it is dead.
    async fn stand(&self) {
        loop {
            let until = {
                let weather = locked(&self.weather);
                if weather.is_dead { None } else { Some(weather.stands_until.filter(|until| *until > Instant::now())) }
            };
            match until {
                None => std::future::pending::<()>().await,
                Some(None) => return,
                Some(Some(until)) => tokio::time::sleep_until(until).await,
            }
        }
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

    fn fate(&self, to: To) -> Fate {
        let weather = locked(&self.weather);
        let is_cut = weather.cut_until.is_some_and(|until| until > Instant::now());
        let faults = weather.faults;
        let mut rng = locked(&self.far.rng);
        let (roll, quick, later) = (rng.below(1000), rng.millis(Duration::from_millis(20)), rng.millis(LATEST));
        let is_away = to == To::Broker && locked(&self.far.server).is_away();
        if (is_cut && to != To::Disk) || is_away || roll < faults.lost {
            Fate::Lost
        } else if roll < faults.lost + faults.unanswered {
            Fate::Unanswered
        } else if roll < faults.lost + faults.unanswered + faults.late && to != To::Disk {
            Fate::Late(later)
        } else {
            Fate::Done(quick)
        }
    }

    /// Does something at the far side. `None`: nobody knows whether it was done.
    pub async fn ask<T: Send + 'static>(&self, to: To, work: impl FnOnce(&Far) -> T + Send + 'static) -> Option<T> {
        self.step().await;
        let answer = match self.fate(to) {
            Fate::Lost => None,
            Fate::Unanswered => {
                work(&self.far);
                None
            }
            Fate::Late(later) => {
                let far = Arc::clone(&self.far);
                tokio::spawn(async move {
                    tokio::time::sleep(later).await;
                    work(&far);
                });
                None
            }
            Fate::Done(quick) => {
                tokio::time::sleep(quick).await;
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
