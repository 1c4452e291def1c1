//! Which run comes next: the oldest business date that is wanted, whose date is believed, and that is not put off.

use crate::core::backoff::Backoff;
use crate::core::generate::record::is_tried_again;
use crate::core::generate::spec::BusinessDateSpec;
use crate::core::generate::{walk, window};
use crate::core::model::policy::RetrySpec;
use crate::core::model::run::{RunId, RunRecord, RunStatus};
use crate::core::ports::runs::Behind;
use crate::core::ports::store::OddRecord;
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

/// The limit of new runs counts those of this time.
const HOUR: Duration = Duration::from_hours(1);

/// A fault that a person must mend is tried again after this many longest waits. The wait doubles with each failure.
const SLOWER: u32 = 10;

/// It never exceeds this many longest waits.
const SLOWEST: u32 = 120;

/// Texts that are remembered as told. A store with more oddities than that has them told again.
const TOLD_MAX: usize = 1000;

/// What this process knows of the runs that it tried and began, through all its terms.
pub(super) struct Pending {
    retry: RetrySpec,
    dates: BusinessDateSpec,
    tried: HashMap<RunId, Tried>,
    /// When the counted runs of the last hour were begun.
    begun: VecDeque<Duration>,
    /// Odd records and refused dates that were told: once is enough.
    told: BTreeSet<String>,
    /// Whether the limit holds runs back, as it was told last.
    limited: bool,
    /// Whether the run that was begun last is of an older day than yesterday.
    was_older: bool,
    /// Where the next look begins. `None`: with the oldest.
    behind: Option<Behind>,
    /// What was passed over up to there.
    passed: Look,
    /// The run that the last look came to, and what that look passed over.
    found: Option<(RunId, Look)>,
}

/// Now, on both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// Time that never goes back.
    pub elapsed: Duration,
    /// The wall clock.
    pub now: Timestamp,
}

/// What was passed over in search of the next run.
#[derive(Clone, Default, Debug)]
pub(super) struct Look {
    /// Records that cannot be read: the first of them.
    pub odd: BTreeSet<OddRecord>,
    /// How many runs have dates that are not believed.
    pub refused: u64,
    /// The first and the last of those.
    pub ends: Option<(RunId, RunId)>,
    /// Runs that the limit holds back.
    pub held: u64,
    /// The run whose day begins next, where an event asked for it before.
    pub early: Option<RunId>,
}

impl Look {
    fn refuse(&mut self, run: RunId) {
        self.refused += 1;
        match &mut self.ends {
            Some((_, last)) => *last = run,
            None => self.ends = Some((run.clone(), run)),
        }
    }

    /// The same with what was passed over behind it.
    fn with(mut self, more: Self) -> Self {
        walk::keep_odd(&mut self.odd, more.odd);
        self.refused += more.refused;
        self.ends = match (self.ends, more.ends) {
            (Some((first, _)), Some((_, last))) => Some((first, last)),
            (ends, more) => ends.or(more),
        };
        self.held += more.held;
        self.early = self.early.or(more.early);
        self
    }
}

struct Tried {
    backoff: Backoff,
    /// Failures in a row that a person must mend.
    by_hand: u32,
    not_before: Duration,
}

impl Pending {
    /// Nothing was tried yet.
    pub(super) fn new(retry: &RetrySpec, dates: &BusinessDateSpec) -> Self {
        Self {
            retry: *retry,
            dates: dates.clone(),
            tried: HashMap::new(),
            begun: VecDeque::new(),
            told: BTreeSet::new(),
            limited: false,
            was_older: false,
            behind: None,
            passed: Look::default(),
            found: None,
        }
    }

    /// Where this look begins.
    pub(super) fn behind(&self) -> Option<Behind> {
        self.behind.clone()
    }

    /// A look came to this run. The next one begins where it began: a run that is put off meanwhile goes first again.
    pub(super) fn came_to(&mut self, run: &RunId, look: Look) -> Vec<String> {
        self.found = Some((run.clone(), look.clone()));
        let seen = self.passed.clone().with(look);
        self.news(&seen, false)
    }

    /// A look read its share and found nothing. The next one begins behind it; without such a place, with the oldest again.
    pub(super) fn passed(&mut self, look: Look, behind: Option<Behind>) -> Vec<String> {
        self.found = None;
        let seen = std::mem::take(&mut self.passed).with(look);
        let news = self.news(&seen, behind.is_none());
        if behind.is_some() {
            self.passed = seen;
        }
        self.behind = behind;
        news
    }

    /// The first of these runs, oldest business date first, that is to be made now; `elapsed` is time that never goes back, `now`
    /// the wall clock.
    pub(super) fn next(&mut self, records: Vec<RunRecord>, look: &mut Look, at: Moment) -> Option<RunRecord> {
        self.begun.retain(|begun| at.elapsed.saturating_sub(*begun) < HOUR);
        let limit = self.dates.accept.runs_per_hour as usize;
        for record in records {
            let is_wanted = match record.status {
                RunStatus::Pending | RunStatus::Running => true,
                RunStatus::Failed => is_tried_again(&record, at.now),
                RunStatus::Published => false,
            };
            let is_put_off = self.tried.get(&record.id).is_some_and(|tried| tried.not_before > at.elapsed);
            if !is_wanted || is_put_off {
                continue;
            }
            if !window::admits(&self.dates, &record) {
                look.refuse(record.id);
                continue;
            }
            if window::is_early(&self.dates, &record, at.now) {
                look.early.get_or_insert(record.id);
                continue;
            }
            if self.begun.len() >= limit && window::is_counted(&self.dates, &record, at.now) {
                look.held += 1;
                continue;
            }
            return Some(record);
        }
        None
    }

    /// A run is begun. It counts against the limit when an event asked for an older day.
    pub(super) fn begin(&mut self, record: &RunRecord, at: Moment) {
        self.was_older = window::is_older(&self.dates, record, at.now);
        if window::is_counted(&self.dates, record, at.now) {
            self.begun.push_back(at.elapsed);
        }
    }

    /// Whether a run of yesterday or today goes before this one. Every second run at most is of an older day: however many there are
    /// and however long each takes, the day that is due waits for one of them.
    pub(super) fn recent_first(&self, next: &RunRecord, at: Moment) -> bool {
        self.was_older && window::is_older(&self.dates, next, at.now)
    }

    /// What is to be told of what was passed over, each thing once: records that cannot be read, dates that have not begun, that the
    /// limit holds runs back, and at the end of the list the dates that are not believed.
    fn news(&mut self, look: &Look, is_whole: bool) -> Vec<String> {
        let mut news: Vec<String> = look
            .odd
            .iter()
            .map(|OddRecord { id, reason }| {
                format!(
                    "record {id} of the state store cannot be read, so no run is made of it; the others go on: {reason}"
                )
            })
            .collect();
        if let Some((first, last)) = look.ends.as_ref().filter(|_| is_whole) {
            let runs = look.refused;
            news.push(format!(
                "{runs} recorded runs from {} to {} lie outside `business_date.accept` and are not made; by hand: `filegen run --date \
                 … --force --reason …`",
                first.date, last.date
            ));
        }
        if let Some(run) = &look.early {
            let zone = &self.dates.timezone;
            news.push(format!("run {run} is wanted before its day: it is made once that day has begun in {zone}"));
        }
        if self.told.len() > TOLD_MAX {
            self.told.clear();
        }
        news.retain(|text| self.told.insert(text.clone()));
        let limited = look.held > 0;
        if limited && !self.limited {
            news.push(format!(
                "the limit of {} new runs an hour is reached (`business_date.accept.runs_per_hour`): runs of older dates wait; those \
                 of today and yesterday do not",
                self.dates.accept.runs_per_hour
            ));
        }
        self.limited = limited;
        news
    }

    /// The run is published.
    pub(super) fn done(&mut self, run: &RunId) {
        self.tried.remove(run);
    }

    /// The run failed; when it is tried again. The next look begins behind it: runs that fail hide none behind them, however soon each
    /// comes again.
    pub(super) fn failed(&mut self, run: &RunId, passing: bool, elapsed: Duration) -> Duration {
        if let Some((_, look)) = self.found.take_if(|(found, _)| found == run) {
            self.passed = std::mem::take(&mut self.passed).with(look);
            self.behind = Some(run.date.into());
        }
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
    use crate::core::generate::spec::AcceptSpec;
    use crate::core::model::calendar::Calendar;
    use crate::core::model::names::WorkerId;
    use crate::core::model::run::BusinessDate;

    fn dates() -> BusinessDateSpec {
        BusinessDateSpec {
            timezone: "UTC".to_owned(),
            pointer: String::new(),
            calendar: Calendar::Weekends.into(),
            accept: AcceptSpec { runs_per_hour: 2, ..AcceptSpec::default() },
        }
    }

    #[test]
    fn a_backfill_waits_for_its_hour_and_the_day_that_is_due_does_not() {
        let now: Timestamp = "2026-11-28T08:00:00Z".parse().unwrap();
        let record = |day| {
            let id =
                RunId { worker: WorkerId::new("W").unwrap(), date: BusinessDate(jiff::civil::date(2026, 11, day)) };
            RunRecord::pending(&id, "kafka:t/0/1", now)
        };
        let mut pending = Pending::new(&RetrySpec::default(), &dates());
        let mut wanted: Vec<_> = (1..=5).chain([28]).map(record).collect();
        let mut made = Vec::new();
        let mut elapsed = Duration::ZERO;
        while !wanted.is_empty() {
            let (mut look, at) = (Look::default(), Moment { elapsed, now });
            let next = pending.next(wanted.clone(), &mut look, at);
            // As the service asks again.
            let recent = next.as_ref().filter(|next| pending.recent_first(next, at)).and_then(|_| {
                let recent = window::recent(&dates(), now);
                let recent = wanted.iter().filter(|record| recent.contains(&record.id.date)).cloned().collect();
                pending.next(recent, &mut Look::default(), at)
            });
            if let Some(next) = recent.or(next) {
                pending.begin(&next, at);
                wanted.retain(|record| record.id != next.id);
                made.push((elapsed.as_secs() / 3600, next.id.date.0.day()));
            } else {
                elapsed += HOUR;
            }
            let (held, news) = (look.held, pending.passed(look, None));
            assert!(news.iter().all(|text| text.contains("2 new runs an hour")) && (held > 0 || news.is_empty()));
        }
        assert_eq!(made, [(0, 1), (0, 28), (0, 2), (1, 3), (1, 4), (2, 5)]);
    }

    #[test]
    fn a_day_that_has_not_begun_waits_for_its_rows() {
        let now = |text: &str| text.parse::<Timestamp>().unwrap();
        let run =
            |day| RunId { worker: WorkerId::new("W").unwrap(), date: BusinessDate(jiff::civil::date(2026, 11, day)) };
        let spec = BusinessDateSpec { timezone: "Asia/Tokyo".to_owned(), ..dates() };
        let mut pending = Pending::new(&RetrySpec::default(), &spec);
        let asked = now("2026-11-28T08:00:00Z");
        let mut next = |records: &[RunRecord], at: &str| {
            let mut look = Look::default();
            let found = pending.next(records.to_vec(), &mut look, Moment { elapsed: Duration::ZERO, now: now(at) });
            (found.map(|record| record.id), look.early.clone(), pending.passed(look, None).len())
        };
        let tomorrow = [RunRecord::pending(&run(29), "kafka:t/0/1", asked)];
        assert_eq!(next(&tomorrow, "2026-11-28T14:59:59Z"), (None, Some(run(29)), 1));
        assert_eq!(next(&tomorrow, "2026-11-28T14:59:59Z"), (None, Some(run(29)), 0), "told once");
        assert_eq!(next(&tomorrow, "2026-11-28T15:00:00Z"), (Some(run(29)), None, 0), "its day has begun in Tokyo");
        let by_hand = [RunRecord::pending(&run(29), "command:h:1", asked)];
        assert_eq!(
            next(&by_hand, "2026-11-28T08:00:00Z"),
            (Some(run(29)), None, 0),
            "a person knows what they ask for"
        );
    }

    fn minutes(pending: &mut Pending, run: &RunId, passing: bool) -> u64 {
        pending.failed(run, passing, Duration::ZERO).as_secs() / 60
    }

    #[test]
    fn a_fault_for_a_person_is_tried_ever_more_seldom_up_to_an_hour() {
        let date = BusinessDate(jiff::civil::date(2026, 11, 21));
        let run = RunId { worker: WorkerId::new("LoanWorker").unwrap(), date };
        let mut pending = Pending::new(&RetrySpec::default(), &dates());
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
        let mut pending = Pending::new(&RetrySpec { max_backoff: Duration::MAX, ..RetrySpec::default() }, &dates());
        for _ in 0..3 {
            assert_eq!(pending.failed(&run, false, Duration::from_secs(1)), Duration::MAX);
        }
    }
}
