//! How many data sources there may be, and how often one may be due: what nobody bounds costs without end.

use super::data_source::{Fault, Faults};
use crate::core::model::amount::counted;
use jiff::{SignedDuration, Timestamp};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Due times that are looked at.
pub(super) const LOOKED_AT: usize = 100;

/// More due times within an hour are worth a word.
const OFTEN: usize = 60;

/// Data sources that are made between two counts, at most. So many more than the limit each instance may make, while others make some.
const BETWEEN_COUNTS: u64 = 1000;

/// The limits, and what is left of them.
pub struct Bounds {
    /// Data sources, at most.
    pub sources: u64,
    /// Least time between two due times of one.
    pub least_interval: Duration,
    /// So many may be made before they are counted again.
    left: AtomicU64,
}

impl Bounds {
    /// Nothing is counted yet.
    pub fn new(sources: u64, least_interval: Duration) -> Self {
        Self { sources, least_interval, left: AtomicU64::new(0) }
    }

    /// Takes one of those that may be made before they are counted again. False when there is none.
    pub(super) fn take(&self) -> bool {
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }

    /// They were counted: there is room for so many, one of which is taken.
    pub(super) fn counted(&self, room: u64) {
        self.left.store(room.min(BETWEEN_COUNTS).saturating_sub(1), Ordering::Relaxed);
    }

    /// How many more there may be beside those that are there, where that is room for so many.
    ///
    /// # Errors
    /// Where there is none.
    pub(super) fn room(&self, there: u64, more: u64) -> Result<u64, Faults> {
        let room = self.sources.saturating_sub(there);
        if room >= more {
            return Ok(room);
        }
        let message = format!(
            "there are {} already, and `policies.max_sources` allows {}",
            counted(there, "data source"),
            self.sources
        );
        let hint = "delete some, or raise `policies.max_sources` in the scheduler file".to_owned();
        Err(Faults(vec![Fault { pointer: String::new(), message, hint, at: None }]))
    }

    /// What a person should know of how often something is due, by its next times, [`LOOKED_AT`] of them.
    ///
    /// # Errors
    /// When it is due more often than a data source may be.
    pub(super) fn pace(&self, due: &[Timestamp]) -> Result<Option<String>, Faults> {
        let least = SignedDuration::try_from(self.least_interval).unwrap_or(SignedDuration::MAX);
        let gap = due.iter().zip(due.iter().skip(1)).map(|(one, next)| next.duration_since(*one)).min();
        if let Some(gap) = gap.filter(|gap| *gap < least) {
            let (gap, least) = (gap.as_secs(), least.as_secs());
            let message = format!("it is due again after {gap} s, and `policies.least_interval` is {least} s");
            let hint = "write an expression that is due less often".to_owned();
            return Err(Faults(vec![Fault { pointer: "/cronExpression".to_owned(), message, hint, at: None }]));
        }
        let within = due.first().zip(due.get(OFTEN)).map(|(first, last)| last.duration_since(*first));
        let word = "it is due more than 60 times an hour: each time is a look at its folder, and a line in the history for as long as \
                    `policies.history` says";
        Ok(within.filter(|within| *within < SignedDuration::from_hours(1)).map(|_| word.to_owned()))
    }
}
