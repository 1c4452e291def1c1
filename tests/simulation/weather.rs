//! What befalls an instance and its calls, in the worlds of schedules and of files.

use crate::sim::locked;
use jiff::SignedDuration;
use std::sync::Mutex;
use tokio::time::Instant;

/// How often, per mille, something becomes of a call.
#[derive(Clone, Copy, Default, Debug)]
pub struct Faults {
    pub lost: u64,
    pub unanswered: u64,
    pub late: u64,
    /// Of each step: the instance stands still.
    pub stands: u64,
}

/// What becomes of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    Done,
    Lost,
    /// It is done, and nobody hears of it.
    Unanswered,
    /// It is done when nobody waits for it any more.
    Late,
}

impl Faults {
    /// What a throw below a thousand means.
    pub fn fate(&self, roll: u64) -> Fate {
        let fates = [(self.lost, Fate::Lost), (self.unanswered, Fate::Unanswered), (self.late, Fate::Late)];
        let mut below = 0;
        for (chance, fate) in fates {
            below += chance;
            if roll < below {
                return fate;
            }
        }
        Fate::Done
    }
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

impl Weather {
    pub fn is_cut(&self) -> bool {
        self.cut_until.is_some_and(|until| until > Instant::now())
    }
}

/// Waits while the whole instance stands still; for ever, when it is dead.
pub async fn stand(weather: &Mutex<Weather>) {
    loop {
        let until = {
            let weather = locked(weather);
            if weather.is_dead { None } else { Some(weather.stands_until.filter(|until| *until > Instant::now())) }
        };
        match until {
            None => std::future::pending::<()>().await,
            Some(None) => return,
            Some(Some(until)) => tokio::time::sleep_until(until).await,
        }
    }
}
