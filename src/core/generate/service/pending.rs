//! Which run comes next: the oldest business date that is wanted and not put off.

use crate::core::backoff::Backoff;
use crate::core::model::policy::RetrySpec;
use crate::core::model::run::{RunId, RunRecord, RunStatus};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::time::Duration;

/// Runs searched. More than this never pile up.
pub(super) const LOOKED_AT: usize = 400;

/// A failed run is tried again for this long after its request. Later, a person decides.
const FAILED_RUNS_FOR: SignedDuration = SignedDuration::from_hours(24);

/// A fault that a person must mend is tried again after this many longest waits.
const SLOWER: u32 = 10;

/// What this holder knows of the runs that it tried.
pub(super) struct Pending {
    retry: RetrySpec,
    tried: HashMap<RunId, Tried>,
}

struct Tried {
    backoff: Backoff,
    not_before: Duration,
}

impl Pending {
    /// Nothing was tried yet.
    pub(super) fn new(retry: &RetrySpec) -> Self {
        Self { retry: *retry, tried: HashMap::new() }
    }

    /// The run to be made now; `elapsed` is time that never goes back, `now` the wall clock.
    pub(super) fn next(&self, records: Vec<RunRecord>, elapsed: Duration, now: Timestamp) -> Option<RunRecord> {
        let wanted = |record: &RunRecord| match record.status {
            RunStatus::Pending | RunStatus::Running => true,
            RunStatus::Failed => now.duration_since(record.requested_at) < FAILED_RUNS_FOR,
            RunStatus::Published => false,
        };
        let due = |record: &RunRecord| self.tried.get(&record.id).is_none_or(|tried| tried.not_before <= elapsed);
        records.into_iter().filter(|record| wanted(record) && due(record)).min_by_key(|record| record.id.date)
    }

    /// The run is published.
    pub(super) fn done(&mut self, run: &RunId) {
        self.tried.remove(run);
    }

    /// The run failed; when it is tried again.
    pub(super) fn failed(&mut self, run: &RunId, passing: bool, elapsed: Duration) -> Duration {
        let first = || Tried { backoff: Backoff::new(self.retry), not_before: elapsed };
        let tried = self.tried.entry(run.clone()).or_insert_with(first);
        let pause = tried.backoff.failed();
        let wait = if passing { pause.after } else { self.retry.max_backoff * SLOWER };
        tried.not_before = elapsed + wait;
        wait
    }
}
