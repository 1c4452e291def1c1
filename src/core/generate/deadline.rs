//! Deadlines: when a business date's files are due, and whether its run will be late. Judged before it is late, from the
//! run's record and its live rate alone.

mod watch;

pub use watch::{DeadlineEvent, watch};

use crate::core::generate::spec::DeadlineSpec;
use crate::core::model::amount::{counted, thousands};
use crate::core::model::run::{BusinessDate, RunRecord, RunStatus};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

/// How long a deadline that has passed is looked at before the next one.
const STAYS: SignedDuration = SignedDuration::from_hours(12);

/// Days that are searched for one with business.
const DAYS_MAX: i64 = 60;

/// A forecast further off is not worth a time of the day.
const FORECAST_MAX_SECONDS: f64 = 7.0 * 86_400.0;

/// What is to be said of a deadline.
#[derive(Clone, PartialEq, Debug)]
pub struct Judgement {
    /// The business date.
    pub date: BusinessDate,
    /// When its files are due.
    pub due: Timestamp,
    /// Seconds until then: negative when the files are late; never negative once they are published.
    pub seconds_left: f64,
    /// Whether the files are late, or will be unless something changes.
    pub at_risk: bool,
    /// Why, as a sentence for log and status page; there exactly when the run is at risk.
    pub reason: Option<String>,
}

/// When the files of a business date are due. `None` where no run is expected on its weekday or by its calendar, and where zone or calendar
/// do not have that time.
///
/// Where clocks go forward over the time, it counts by the clock as it was before (02:30 is 03:30 then); where they go
/// back over it, the first of the two counts.
pub fn due(spec: &DeadlineSpec, date: BusinessDate) -> Option<Timestamp> {
    due_in(spec, &zone(spec)?, date.0)
}

/// The business date to look at now, and when its files are due: the one that was due last, from its deadline until 12
/// hours later, so that files that are missing stay in sight; else the one that is due next.
///
/// Deadlines are a day apart or more (23 hours where clocks change), so the next one is always looked at for 11 hours
/// before it passes; a longer `warn_before` does not bring it forward. Whether the last one's files came is not asked
/// here: [`judge`] finds nothing to say of a published run. `None` as with [`due`].
pub fn expected(spec: &DeadlineSpec, now: Timestamp) -> Option<(BusinessDate, Timestamp)> {
    let zone = zone(spec)?;
    let today = now.to_zoned_datetime(zone.clone()).date();
    // From yesterday's deadline to that of today in a week, and one day more for odd changes of clocks. A calendar may close for weeks.
    let last = if spec.calendar.is_some() { DAYS_MAX } else { 8 };
    (-1..=last).find_map(|days| {
        let date = today.checked_add(Span::new().days(days - i64::from(spec.days_after))).ok()?;
        let due = due_in(spec, &zone, date)?;
        (now.duration_since(due) < STAYS).then_some((BusinessDate(date), due))
    })
}

/// Judges a run, or, where none is recorded, the lack of one for the date that is [`expected`] now. `None` when there is
/// no deadline for it.
///
/// A run that is not published is at risk
/// - once it is due;
/// - not started, failed, or without progress (`rows_per_second` is `None` or zero while it runs): when less than
///   `warn_before` is left;
/// - running: when the rows left take longer than the time left, at `rows_per_second`.
pub fn judge(
    spec: &DeadlineSpec,
    run: Option<&RunRecord>,
    rows_per_second: Option<f64>,
    now: Timestamp,
) -> Option<Judgement> {
    let (date, due) = match run {
        Some(run) => (run.id.date, due(spec, run.id.date)?),
        None => expected(spec, now)?,
    };
    let left = due.duration_since(now);
    // Files that are made again were there in time or not, whatever becomes of their next version.
    let is_published = run.is_some_and(|run| run.version() > 0);
    let least = if is_published { SignedDuration::ZERO } else { SignedDuration::MIN };
    let case = Case { spec, run, date, due, now, left };
    let reason = if is_published { None } else { case.reason(rows_per_second) };
    Some(Judgement { date, due, seconds_left: left.max(least).as_secs_f64(), at_risk: reason.is_some(), reason })
}

fn zone(spec: &DeadlineSpec) -> Option<TimeZone> {
    if spec.timezone == "UTC" { Some(TimeZone::UTC) } else { TimeZone::get(&spec.timezone).ok() }
}

fn due_in(spec: &DeadlineSpec, zone: &TimeZone, date: Date) -> Option<Timestamp> {
    let is_open = spec.calendar.as_ref().is_none_or(|calendar| calendar.is_open(date));
    if !is_open || !spec.weekdays.contains(&date.weekday()) {
        return None;
    }
    let day = date.checked_add(Span::new().days(i64::from(spec.days_after))).ok()?;
    zone.to_timestamp(day.to_datetime(spec.time)).ok()
}

/// A run that is not published, and its deadline.
struct Case<'a> {
    spec: &'a DeadlineSpec,
    run: Option<&'a RunRecord>,
    date: BusinessDate,
    due: Timestamp,
    now: Timestamp,
    left: SignedDuration,
}

impl Case<'_> {
    /// Why it is at risk, if it is.
    fn reason(&self, rate: Option<f64>) -> Option<String> {
        let name = self.run.map_or_else(|| format!("the run for {}", self.date), |run| format!("run {}", run.id));
        let due = self.clock(self.due, "%Y-%m-%dT%H:%M:%S%:z");
        if self.left.is_negative() || self.left.is_zero() {
            let late = rounded(self.left.abs());
            return Some(format!("{name} was due at {due} and is {late} late: it {}", self.state(rate)));
        }
        if let Some(seconds) = self.run.and_then(|run| seconds_to_end(run, rate)) {
            let end = self.end(seconds);
            return (seconds > self.left.as_secs_f64())
                .then(|| format!("{name} is due at {due} and will {end} by its present rate"));
        }
        let is_soon = self.left.unsigned_abs() < self.spec.warn_before;
        is_soon.then(|| format!("{name} is due at {due}, in {}, and {}", rounded(self.left), self.state(rate)))
    }

    /// What the run does, behind "it".
    fn state(&self, rate: Option<f64>) -> String {
        let Some(run) = self.run else { return "has not been asked for".to_owned() };
        match run.status {
            RunStatus::Pending => "has not started".to_owned(),
            RunStatus::Failed => {
                let why = run.error.as_deref().map_or_else(String::new, |error| format!(": {error}"));
                format!("has failed{why}")
            }
            RunStatus::Running if rate.is_some_and(|rate| rate > 0.0) => format!("is running, with {}", rows(run)),
            RunStatus::Running => format!("makes no progress, with {}", rows(run)),
            RunStatus::Published => "is published".to_owned(),
        }
    }

    /// When it will be done, behind "will".
    fn end(&self, seconds: f64) -> String {
        let far = "take more than 7 days".to_owned();
        if seconds > FORECAST_MAX_SECONDS {
            return far;
        }
        let Some(end) =
            SignedDuration::try_from_secs_f64(seconds).ok().and_then(|time| self.now.checked_add(time).ok())
        else {
            return far;
        };
        let is_same_day = self.clock(end, "%F") == self.clock(self.due, "%F");
        format!("end at about {}", self.clock(end, if is_same_day { "%H:%M" } else { "%F %H:%M" }))
    }

    /// A time on the clock of the deadline's zone.
    fn clock(&self, at: Timestamp, form: &str) -> String {
        at.to_zoned_datetime(zone(self.spec).unwrap_or(TimeZone::UTC)).strftime(form).to_string()
    }
}

/// How long a running run still takes. `None` when that cannot be told, or when it does not get on.
#[expect(clippy::cast_precision_loss, reason = "a forecast; rows above 2^53 are not countable anyway")]
fn seconds_to_end(run: &RunRecord, rate: Option<f64>) -> Option<f64> {
    let rate = rate.filter(|_| run.status == RunStatus::Running)?;
    match run.rows_expected.map(|rows| rows.saturating_sub(run.rows)) {
        Some(0) => Some(0.0),
        _ if !rate.is_finite() || rate <= 0.0 => None,
        Some(left) => Some(left as f64 / rate),
        // A source that does not count its rows: as long as they come, nothing is known to be wrong.
        None => Some(0.0),
    }
}

fn rows(run: &RunRecord) -> String {
    match run.rows_expected {
        Some(expected) => format!("{} of {}", thousands(run.rows), counted(expected, "row")),
        None => counted(run.rows, "row"),
    }
}

/// `2h 5m`; below a minute, seconds.
fn rounded(time: SignedDuration) -> String {
    let seconds = time.as_secs();
    let whole = if seconds < 60 { seconds } else { seconds - seconds % 60 };
    format!("{:#}", SignedDuration::from_secs(whole))
}

#[cfg(test)]
mod tests;
