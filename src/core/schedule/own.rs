//! A worker's own clock: each due time asks for the run of its business date. Every instance has one and none leads: a run is one a
//! date, whoever asks first.

use super::cron::Expression;
use super::decide::{Step, decide};
use super::plan::{Plan, PlanFault};
use super::timetable::{Closed, Timetable};
use crate::core::backoff::{Backoff, Pause};
use crate::core::failpoints::crash::crash_point;
use crate::core::model::business_days::BusinessDays;
use crate::core::model::calendar::Calendar;
use crate::core::model::data_source::Overlap;
use crate::core::model::names::WorkerId;
use crate::core::model::policy::RetrySpec;
use crate::core::model::run::{BusinessDate, RunId};
use crate::core::model::run_schedule::{DueDate, RunSchedule};
use crate::core::ports::clock::Clock;
use crate::core::ports::observer::Observer;
use crate::core::ports::runs::{Requested, RunStore};
use crate::core::ports::store::StoreError;
use crate::core::ports::worker_clocks::{ClockMark, WorkerClocks};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Longest time between two looks at the wall clock, so that one that jumps is noticed.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Time between two marks at the latest: another instance, whose file has no such clock, may have taken the last one away.
const MARK_EVERY: Duration = Duration::from_mins(5);

/// Missed due times that `fire_all` asks for, at most.
const CATCH_UP: usize = 100;

/// Recorded runs among which the last due time is looked for.
const RECORDED: usize = 1000;

/// Hours before a clock's beginning in which a due time is looked for, one span behind the other.
const LOOKED_BACK: [i64; 3] = [1, 24, 24 * 8];

/// How a record names a request by a due time.
const BY_SCHEDULE: &str = "schedule:";

/// When a worker's runs are due, and of which business dates.
#[derive(Clone, PartialEq, Debug)]
pub struct OwnTimes {
    plan: Plan,
    due_date: DueDate,
    calendar: BusinessDays,
    /// What stands behind a due time in a record.
    words: String,
    /// All that decides when it is due, but what a calendar's file lists: a clock that was set otherwise does not go on from here.
    set_as: String,
}

/// A due time, and the business date whose run it asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Due {
    /// When.
    pub at: Timestamp,
    /// Of which date.
    pub date: BusinessDate,
}

impl OwnTimes {
    /// Reads the words of a worker file.
    ///
    /// # Errors
    /// The first of them that means nothing.
    pub fn of(spec: &RunSchedule) -> Result<Self, PlanFault> {
        let RunSchedule { cron, zone, calendar, closed_day, dst, misfire, grace, business_date } = spec;
        let expression = Expression::parse(cron).map_err(|error| PlanFault {
            field: "cron",
            message: error.to_string(),
            hint: error.hint,
        })?;
        let clock = TimeZone::get(zone).map_err(|_| PlanFault {
            field: "zone",
            message: format!("no time zone is called {zone}"),
            hint: "write an IANA name such as Europe/Berlin".to_owned(),
        })?;
        let closed = calendar.clone().map(|calendar| Closed { calendar, goes: *closed_day });
        let days = calendar.as_ref().map_or_else(String::new, |calendar| format!(", {}", calendar.name()));
        let words = format!(" of {cron} in {zone}{days}");
        Ok(Self {
            set_as: format!("{cron} in {zone}{days}, {closed_day:?}, {dst:?}, {business_date:?}"),
            plan: Plan {
                timetable: Timetable { expression, zone: clock, dst: (*dst).into(), closed },
                misfire: *misfire,
                overlap: Overlap::Allow,
                grace: SignedDuration::try_from(*grace).unwrap_or(SignedDuration::MAX),
                offset: SignedDuration::ZERO,
                catch_up: CATCH_UP,
                pause_after: None,
                deadline: None,
            },
            due_date: *business_date,
            calendar: calendar.clone().unwrap_or_else(|| Calendar::Weekends.into()),
            words,
        })
    }

    /// The first due time behind a moment.
    pub fn next(&self, after: Timestamp) -> Option<Due> {
        let slots = self.plan.timetable.slots(after);
        slots.take(CATCH_UP).find_map(|at| Some(Due { at, date: self.date(at)? }))
    }

    /// The business date of a due time. `None` where there is none within a year.
    fn date(&self, at: Timestamp) -> Option<BusinessDate> {
        let day = at.to_zoned_datetime(self.plan.timetable.zone.clone()).date();
        Some(BusinessDate(match self.due_date {
            DueDate::Today => day,
            DueDate::DayBefore => day.yesterday().ok()?,
            DueDate::PreviousBusinessDay => self.calendar.previous(day)?,
        }))
    }

    fn words_of(&self, at: Timestamp) -> String {
        format!("{BY_SCHEDULE}{at}{}", self.words)
    }

    /// The due time that asked for a run, where it was one of this clock as it is set now.
    fn asked_by(&self, requested_by: &str) -> Option<Timestamp> {
        requested_by.strip_prefix(BY_SCHEDULE)?.strip_suffix(self.words.as_str())?.parse().ok()
    }
}

/// What became of a due time, or why due times wait.
#[derive(Clone, PartialEq, Debug)]
pub enum OwnEvent {
    /// It asked for a run that was not there before.
    Requested {
        /// The due time.
        due: Due,
        /// Its run.
        run: RunId,
    },
    /// The run was there already.
    Repeated {
        /// The due time.
        due: Due,
        /// Its run.
        run: RunId,
    },
    /// Nobody was there at its time, and it is not made up for.
    Missed {
        /// The due time.
        at: Timestamp,
        /// Why, and what else this stands for.
        reason: String,
    },
    /// The clock is new, or was set otherwise, and begins now. A due time before that asked for nothing.
    Began {
        /// The latest of them.
        before: Timestamp,
    },
    /// A clock change left due times out.
    LeftOut {
        /// When.
        at: Timestamp,
        /// Which.
        reason: String,
    },
    /// The store failed. The same call is tried again until it works.
    Failing {
        /// What failed.
        reason: String,
        /// Failures in a row, from 1.
        attempt: u32,
        /// Time until the next try.
        after: Duration,
    },
    /// What failed before works again.
    Recovered,
}

/// A worker's own clock.
pub struct OwnClock {
    /// Whose runs.
    pub worker: WorkerId,
    /// When they are due. `None`: the worker has no clock of its own, or no longer.
    pub times: Option<OwnTimes>,
    /// Delay between retries. Retries never stop.
    pub retry: RetrySpec,
    /// Where runs are recorded.
    pub runs: Arc<dyn RunStore>,
    /// Where it is kept how far the clock has come.
    pub marks: Arc<dyn WorkerClocks>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Hears what happens.
    pub observer: Arc<dyn Observer<OwnEvent>>,
}

impl OwnClock {
    /// Asks for a run at each due time, until `stop`.
    ///
    /// It goes on where any instance of it came to. A clock that is new, or was set otherwise, begins now: nothing
    /// is due because somebody edited a file. A due time that is asked for twice does no harm.
    pub async fn keep(&self, stop: &CancellationToken) {
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = self.go() => {}
        }
    }

    async fn go(&self) {
        match &self.times {
            Some(times) => Keeping { own: self, times }.ask_for_all().await,
            None => self.set_aside().await,
        }
    }

    /// Of a clock that was taken out of the file no mark stays: it begins now when it comes again.
    async fn set_aside(&self) {
        let Some(mark) = self.persist(|| self.marks.clock_mark(&self.worker)).await else { return };
        let none = ClockMark { set_as: String::new(), ..mark.clone() };
        if mark != none {
            self.persist(|| self.marks.keep_clock_mark(&self.worker, &none)).await;
        }
    }

    /// Tries until the store answers.
    async fn persist<T, F>(&self, call: impl Fn() -> F) -> T
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut backoff = Backoff::new(self.retry);
        loop {
            match call().await {
                Ok(value) => {
                    if backoff.succeeded() {
                        self.observer.observe(&OwnEvent::Recovered);
                    }
                    return value;
                }
                Err(error) => {
                    let Pause { attempt, after } = backoff.failed();
                    self.observer.observe(&OwnEvent::Failing { reason: error.to_string(), attempt, after });
                    self.clock.sleep(after).await;
                }
            }
        }
    }
}

/// A clock that is kept.
struct Keeping<'a> {
    own: &'a OwnClock,
    times: &'a OwnTimes,
}

impl Keeping<'_> {
    async fn ask_for_all(&self) {
        let begun = self.own.clock.now();
        let last = self.own.persist(|| self.last_decided()).await;
        if last.is_none() {
            self.tell_beginning(begun).await;
        }
        let mut decided_until = last.unwrap_or(begun).min(begun);
        self.mark(decided_until).await;
        let mut marked = self.own.clock.elapsed();
        loop {
            let now = self.own.clock.now();
            let decision = decide(&self.times.plan, decided_until, now);
            // Also a time on a day without business: no other calendar makes it due once it has passed.
            let is_news = self.times.plan.wake(decided_until).is_some_and(|at| at <= now);
            for step in decision.steps {
                self.take(step).await;
            }
            decided_until = decision.decided_until;
            if is_news || self.own.clock.elapsed().saturating_sub(marked) >= MARK_EVERY {
                self.mark(decided_until).await;
                marked = self.own.clock.elapsed();
            }
            let until_next = self.times.plan.wake(decided_until).map(|at| at.duration_since(self.own.clock.now()));
            let wait = until_next.map_or(LOOK_EVERY, |wait| Duration::try_from(wait).unwrap_or(Duration::ZERO));
            self.own.clock.sleep(wait.min(LOOK_EVERY)).await;
        }
    }

    /// Tells a due time before the beginning whose run nobody else has asked for: it may have passed while no instance ran.
    async fn tell_beginning(&self, begun: Timestamp) {
        let before = LOOKED_BACK.into_iter().find_map(|hours| {
            let from = begun.checked_sub(SignedDuration::from_hours(hours)).ok()?;
            self.times.plan.timetable.slots(from).take_while(|at| *at <= begun).last()
        });
        let Some((before, run)) = before.and_then(|before| Some((before, self.run_of(before)?))) else { return };
        if self.own.persist(|| self.own.runs.run(&run)).await.is_none() {
            self.own.observer.observe(&OwnEvent::Began { before });
        }
    }

    /// Keeps how far it has come. Runs alone do not tell: one that an event or a person asked for first names no due time.
    async fn mark(&self, decided_until: Timestamp) {
        let mark = ClockMark { set_as: self.times.set_as.clone(), decided_until };
        self.own.persist(|| self.own.marks.keep_clock_mark(&self.own.worker, &mark)).await;
    }

    /// How far this clock came before, as it is set now.
    async fn last_decided(&self) -> Result<Option<Timestamp>, StoreError> {
        match self.own.marks.clock_mark(&self.own.worker).await? {
            Some(mark) => Ok((mark.set_as == self.times.set_as).then_some(mark.decided_until)),
            // Earlier builds kept no mark.
            None => self.last_asked().await,
        }
    }

    /// The latest due time of this clock that a run was recorded for.
    async fn last_asked(&self) -> Result<Option<Timestamp>, StoreError> {
        let found = self.own.runs.runs(Some(&self.own.worker), RECORDED).await?;
        Ok(found.records.iter().filter_map(|run| self.times.asked_by(&run.requested_by)).max())
    }

    async fn take(&self, step: Step) {
        let event = match step {
            Step::LeftOut(left) => OwnEvent::LeftOut { at: left.at, reason: left.reason() },
            Step::Missed { slot, reason } => {
                let Some(run) = self.run_of(slot) else { return };
                // Made all the same, by an event or by hand.
                if self.own.persist(|| self.own.runs.run(&run)).await.is_some() {
                    return;
                }
                OwnEvent::Missed { at: slot, reason }
            }
            Step::Fire { slot, .. } => {
                let (Some(run), Some(date)) = (self.run_of(slot), self.times.date(slot)) else { return };
                let (due, by) = (Due { at: slot, date }, self.times.words_of(slot));
                let requested = self.own.persist(|| self.own.runs.request(&run, &by, self.own.clock.now())).await;
                crash_point!("own.asked");
                match requested {
                    Requested::New(_) => OwnEvent::Requested { due, run },
                    Requested::AlreadyThere(_) => OwnEvent::Repeated { due, run },
                }
            }
        };
        self.own.observer.observe(&event);
    }

    fn run_of(&self, slot: Timestamp) -> Option<RunId> {
        Some(RunId { worker: self.own.worker.clone(), date: self.times.date(slot)? })
    }
}

#[cfg(test)]
mod tests;
