//! Which business dates are believed. Whoever may write an event names any date: one of 2090 fixes that day's files with today's
//! rows, and ten thousand of them hide the day that is due.

use super::spec::BusinessDateSpec;
use crate::core::model::run::{BusinessDate, RunRecord, RunStatus};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

/// An event that waited in its topic while nobody listened is no older for it, up to this: longer than topics usually keep.
const WAITED_MAX: SignedDuration = SignedDuration::from_hours(31 * 24);

/// The dates that are taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// The first.
    pub first: Date,
    /// The last.
    pub last: Date,
    /// Today, in the zone of the business date.
    pub today: Date,
}

impl Window {
    /// The window at `now`. For an event that was `sent` before, it reaches back as far as it did then.
    pub fn at(dates: &BusinessDateSpec, now: Timestamp, sent: Option<Timestamp>) -> Self {
        let zone = TimeZone::get(&dates.timezone).unwrap_or(TimeZone::UTC);
        let day = |at: Timestamp| at.to_zoned_datetime(zone.clone()).date();
        let earliest = now.saturating_sub(WAITED_MAX).unwrap_or(now);
        let sent = sent.map_or(now, |sent| sent.clamp(earliest, now));
        let days = |count: u32| Span::new().days(i64::from(count.min(DAYS_MAX)));
        Self {
            first: day(sent).saturating_sub(days(dates.accept.past_days)).max(YEARS.0),
            last: day(now).saturating_add(days(dates.accept.future_days)).min(YEARS.1),
            today: day(now),
        }
    }

    /// Whether the date lies in it.
    pub fn holds(&self, date: BusinessDate) -> bool {
        (self.first..=self.last).contains(&date.0)
    }

    /// Why a date is not taken, and what to do. `None` when it is.
    pub fn refusal(&self, date: BusinessDate) -> Option<String> {
        let Self { first, last, today } = self;
        (!self.holds(date)).then(|| {
            format!(
                "its business date {date} lies outside `business_date.accept`, which takes {first} to {last} (today is {today}); \
                 by hand: `filegen run --date {date} --force --reason …`"
            )
        })
    }
}

impl Window {
    /// What a person should know who has a date made before its day has begun. An event would wait; a person is believed.
    pub fn early(&self, dates: &BusinessDateSpec, date: BusinessDate) -> Option<String> {
        (date.0 > self.today).then(|| {
            format!(
                "{date} has not begun in {} (today is {}): its files get the rows that are there now; `filegen correct` makes them anew later",
                dates.timezone, self.today
            )
        })
    }
}

/// More days than a calendar has.
const DAYS_MAX: u32 = 4_000_000;

/// The first and the last day that have a name of eight digits.
const YEARS: (Date, Date) = (Date::constant(1, 1, 1), Date::constant(9999, 12, 31));

/// Whether a recorded run may be made: a person asked for it, or its date was taken when its event was recorded. Builds without a
/// window recorded any date.
pub fn admits(dates: &BusinessDateSpec, record: &RunRecord) -> bool {
    let sent = record.requested_at.saturating_sub(WAITED_MAX).unwrap_or(record.requested_at);
    !is_by_event(record) || Window::at(dates, record.requested_at, Some(sent)).holds(record.id.date)
}

/// Whether an event asked for the run: the record says so, or says nothing that a command, a holder, or a schedule of ours writes.
pub fn is_by_event(record: &RunRecord) -> bool {
    let by = record.requested_by.as_str();
    let is_ours = match by.split_once(':') {
        Some(("command", instance)) => is_instance(instance),
        Some(("schedule", time)) => time.split_once(" of ").is_some_and(|(due, _)| is_moment(due)),
        // `SCHEDULE:DUE TIME`, and behind it which attempt.
        Some(("execution", id)) => {
            let id = id.split_once('#').map_or(id, |(id, _)| id);
            id.match_indices(':').any(|(at, _)| is_moment(&id[at + 1..]))
        }
        _ => by == "holder",
    };
    !is_ours
}

/// Host name and process id.
fn is_instance(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, process)| !host.is_empty() && process.parse::<u32>().is_ok())
}

fn is_moment(text: &str) -> bool {
    text.parse::<Timestamp>().is_ok()
}

/// Since when the run is due: since it was asked for, and not before its day has begun in the zone of the business date.
pub fn due_since(dates: &BusinessDateSpec, record: &RunRecord) -> Timestamp {
    let zone = TimeZone::get(&dates.timezone).unwrap_or(TimeZone::UTC);
    let begins = record.id.date.0.to_zoned_datetime(zone).map(|day| day.timestamp());
    begins.map_or(record.requested_at, |begins| begins.max(record.requested_at))
}

/// Whether an event asked for the run, and its day has not begun. The view has another day's rows until then.
pub fn is_early(dates: &BusinessDateSpec, record: &RunRecord, now: Timestamp) -> bool {
    record.status == RunStatus::Pending && is_by_event(record) && now < due_since(dates, record)
}

/// Whether the run counts against the limit of new runs: an event asked for it, nobody has begun it, and it is of an older day
/// than yesterday. So no backfill hides the day that is due.
pub fn is_counted(dates: &BusinessDateSpec, record: &RunRecord, now: Timestamp) -> bool {
    record.status == RunStatus::Pending && is_by_event(record) && is_older(dates, record, now)
}

/// Yesterday and today, in the zone of the business date.
pub fn recent(dates: &BusinessDateSpec, now: Timestamp) -> [BusinessDate; 2] {
    let today = Window::at(dates, now, None).today;
    [today.saturating_sub(Span::new().days(1)), today].map(BusinessDate)
}

/// Whether the run is of an older day than yesterday, whoever asked for it.
pub fn is_older(dates: &BusinessDateSpec, record: &RunRecord, now: Timestamp) -> bool {
    record.id.date < recent(dates, now)[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::generate::spec::AcceptSpec;
    use crate::core::model::calendar::Calendar;
    use crate::core::model::names::WorkerId;
    use crate::core::model::run::RunId;
    use jiff::civil::date;

    fn dates(timezone: &str, past_days: u32, future_days: u32) -> BusinessDateSpec {
        BusinessDateSpec {
            timezone: timezone.to_owned(),
            pointer: String::new(),
            calendar: Calendar::Weekends.into(),
            accept: AcceptSpec { past_days, future_days, ..AcceptSpec::default() },
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn holds(dates: &BusinessDateSpec, day: Date, now: &str, sent: Option<&str>) -> bool {
        Window::at(dates, at(now), sent.map(at)).holds(BusinessDate(day))
    }

    #[test]
    fn the_window_is_days_of_the_zone() {
        let (utc, tokyo) = (dates("UTC", 2, 0), dates("Asia/Tokyo", 2, 0));
        let now = "2026-11-28T20:00:00Z";
        for (spec, day, wanted) in [
            (&utc, date(2026, 11, 28), true),
            (&utc, date(2026, 11, 29), false),
            (&tokyo, date(2026, 11, 29), true),
            (&tokyo, date(2026, 11, 30), false),
            (&utc, date(2026, 11, 26), true),
            (&utc, date(2026, 11, 25), false),
            (&tokyo, date(2026, 11, 26), false),
        ] {
            assert_eq!(holds(spec, day, now, None), wanted, "{day} in {}", spec.timezone);
        }
        let window = Window::at(&utc, at(now), None);
        assert_eq!(window.early(&utc, BusinessDate(date(2026, 11, 28))), None);
        assert!(window.early(&utc, BusinessDate(date(2026, 11, 29))).is_some_and(|told| told.contains("UTC")));
        let refusal = window.refusal(BusinessDate(date(2090, 1, 1))).unwrap();
        assert!(refusal.contains("2090-01-01") && refusal.contains("2026-11-26 to 2026-11-28"), "{refusal}");
    }

    #[test]
    fn an_event_that_waited_a_week_is_judged_by_the_day_it_was_sent() {
        let spec = dates("UTC", 3, 0);
        let (now, sent) = ("2026-11-28T08:00:00Z", Some("2026-11-21T08:00:00Z"));
        assert!(!holds(&spec, date(2026, 11, 21), now, None));
        assert!(holds(&spec, date(2026, 11, 21), now, sent) && holds(&spec, date(2026, 11, 18), now, sent));
        assert!(!holds(&spec, date(2026, 11, 17), now, sent));
        // A timestamp is as easily made up as a date: it reaches back a month, and never forward.
        assert!(!holds(&spec, date(1971, 1, 1), now, Some("1971-01-01T00:00:00Z")));
        assert!(!holds(&spec, date(2090, 1, 1), now, Some("2090-01-01T00:00:00Z")));
        // An event for tomorrow that is read tomorrow makes tomorrow's file of tomorrow's rows.
        assert!(!holds(&spec, date(2026, 11, 22), "2026-11-21T23:59:59Z", sent));
        assert!(holds(&spec, date(2026, 11, 22), "2026-11-22T00:00:00Z", sent));
    }

    #[test]
    fn no_number_of_days_leaves_the_calendar() {
        let window = Window::at(&dates("UTC", u32::MAX, u32::MAX), at("2026-11-28T08:00:00Z"), None);
        assert_eq!((window.first, window.last), YEARS);
        assert!(!window.holds(BusinessDate(date(0, 12, 31))));
    }

    #[test]
    fn only_what_our_own_commands_and_schedules_write_is_no_request_of_an_event() {
        let record = |by: &str| {
            let id = RunId { worker: WorkerId::new("W").unwrap(), date: BusinessDate(date(2090, 1, 1)) };
            RunRecord::pending(&id, by, at("2026-11-28T08:00:00Z"))
        };
        for ours in [
            "command:pod-1:7",
            "command:fe80::1:7",
            "holder",
            "schedule:2026-11-28T02:00:00Z of 0 0 2 * * ? in UTC",
            "execution:intake-1:2026-11-29T00:02:00Z",
            "execution:intake-1:2026-11-29T00:02:00Z#2",
        ] {
            assert!(!is_by_event(&record(ours)), "{ours}");
        }
        for other in [
            "kafka:t/0/1",
            "",
            "x",
            "Command:pod-1:7",
            "command:",
            "command:pod-1",
            "command::7",
            "command:pod-1:x",
            "holder:",
            "schedule:tonight of x",
            "schedule:2026-11-28T02:00:00Z",
            "execution:intake-1",
            "execution:#2026-11-29T00:02:00Z",
        ] {
            assert!(is_by_event(&record(other)), "{other}");
            assert!(!admits(&dates("UTC", 3, 0), &record(other)), "{other}");
        }
    }

    #[test]
    fn what_was_taken_when_it_was_recorded_stays_wanted_and_a_person_is_believed() {
        let spec = dates("UTC", 3, 0);
        let record = |day: Date, by: &str| {
            let id = RunId { worker: WorkerId::new("W").unwrap(), date: BusinessDate(day) };
            RunRecord::pending(&id, by, at("2026-11-28T08:00:00Z"))
        };
        assert!(admits(&spec, &record(date(2026, 11, 1), "kafka:t/0/1")), "its event may have waited");
        assert!(!admits(&spec, &record(date(2026, 9, 1), "kafka:t/0/1")));
        assert!(!admits(&spec, &record(date(2090, 1, 1), "kafka:t/0/1")));
        assert!(admits(&spec, &record(date(2090, 1, 1), "command:host:1")));
        let (now, later) = (at("2026-11-28T09:00:00Z"), at("2026-11-30T09:00:00Z"));
        assert!(!is_counted(&spec, &record(date(2026, 11, 27), "kafka:t/0/1"), now), "yesterday");
        assert!(is_counted(&spec, &record(date(2026, 11, 27), "kafka:t/0/1"), later));
        assert!(!is_counted(&spec, &record(date(2026, 11, 1), "command:host:1"), now));
    }
}
