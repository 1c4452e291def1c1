//! Which run comes next: the oldest business date that is wanted and not put off.

use crate::core::backoff::Backoff;
use crate::core::generate::record::is_tried_again;
use crate::core::model::policy::RetrySpec;
use crate::core::model::run::{RunId, RunRecord, RunStatus};
use jiff::Timestamp;
use std::collections::HashMap;
use std::time::Duration;

/// Runs searched. More than this never pile up.
pub(super) const LOOKED_AT: usize = 400;

/// A fault that a person must mend is tried again after this many longest waits. The wait doubles with each failure.
const SLOWER: u32 = 10;

/// It never exceeds this many longest waits.
const SLOWEST: u32 = 120;

/// What this holder knows of the runs that it tried.
pub(super) struct Pending {
    retry: RetrySpec,
    tried: HashMap<RunId, Tried>,
}

struct Tried {
    backoff: Backoff,
    /// Failures in a row that a person must mend.
    by_hand: u32,
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
            RunStatus::Failed => is_tried_again(record, now),
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
        let first = || Tried { backoff: Backoff::new(self.retry), by_hand: 0, not_before: elapsed };
        let tried = self.tried.entry(run.clone()).or_insert_with(first);
        let pause = tried.backoff.failed();
        let longest = self.retry.max_backoff;
        tried.by_hand = if passing { 0 } else { tried.by_hand.saturating_add(1) };
        let wait = match tried.by_hand {
            0 => pause.after,
            failures => longest.saturating_mul(SLOWER.saturating_mul(1 << (failures - 1).min(8)).min(SLOWEST)),
        };
        tried.not_before = elapsed.saturating_add(wait);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::names::WorkerId;
    use crate::core::model::run::BusinessDate;

    fn minutes(pending: &mut Pending, run: &RunId, passing: bool) -> u64 {
        pending.failed(run, passing, Duration::ZERO).as_secs() / 60
    }

    #[test]
    fn a_fault_for_a_person_is_tried_ever_more_seldom_up_to_an_hour() {
        let date = BusinessDate(jiff::civil::date(2026, 11, 21));
        let run = RunId { worker: WorkerId::new("LoanWorker").unwrap(), date };
        let mut pending = Pending::new(&RetrySpec::default());
        let waits: Vec<_> = (0..7).map(|_| minutes(&mut pending, &run, false)).collect();
        assert_eq!(waits, [5, 10, 20, 40, 60, 60, 60]);
        assert_eq!(minutes(&mut pending, &run, true), 0, "another fault passes by itself");
        assert_eq!(minutes(&mut pending, &run, false), 5, "and the count begins again");
        pending.done(&run);
        assert_eq!(minutes(&mut pending, &run, false), 5);
    }

    #[test]
    fn the_longest_wait_that_there_is_ends_no_service() {
        let date = BusinessDate(jiff::civil::date(2026, 11, 21));
        let run = RunId { worker: WorkerId::new("LoanWorker").unwrap(), date };
        let mut pending = Pending::new(&RetrySpec { max_backoff: Duration::MAX, ..RetrySpec::default() });
        for _ in 0..3 {
            assert_eq!(pending.failed(&run, false, Duration::from_secs(1)), Duration::MAX);
        }
    }
}
