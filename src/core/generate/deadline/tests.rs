//! Deadlines over clock changes, weekends, and what runs can be in.

use super::*;
use crate::core::model::business_days::BusinessDays;
use crate::core::model::calendar::Calendar;
use crate::core::model::names::WorkerId;
use crate::core::model::run::RunId;
use jiff::civil::{Weekday, date, time};
use std::time::Duration;

const ALL: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

fn spec() -> DeadlineSpec {
    DeadlineSpec {
        time: time(6, 30, 0, 0),
        days_after: 1,
        timezone: "Europe/Berlin".to_owned(),
        weekdays: ALL.to_vec(),
        warn_before: Duration::from_mins(30),
        calendar: None,
    }
}

fn weekdays_only() -> DeadlineSpec {
    DeadlineSpec { weekdays: ALL[..5].to_vec(), ..spec() }
}

fn day(month: i8, day: i8) -> BusinessDate {
    BusinessDate(date(2026, month, day))
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The run of 2026-11-21, due at 2026-11-22T05:30Z.
fn run(status: RunStatus) -> RunRecord {
    RunRecord {
        id: RunId { worker: WorkerId::new("LoanWorker").unwrap(), date: day(11, 21) },
        status,
        requested_by: "command:host:1".to_owned(),
        requested_at: at("2026-11-21T23:00:00Z"),
        token: None,
        instance: None,
        started_at: None,
        completed_at: None,
        last_page: 40,
        rows: 400_000,
        rows_expected: Some(1_000_000),
        error: None,
        failure: None,
        next_try_at: None,
        given: None,
        correction: None,
    }
}

/// The judgement at a time of 2026-11-22, in UTC.
fn judged(run: &RunRecord, rate: Option<f64>, clock: &str) -> Judgement {
    judge(&spec(), Some(run), rate, at(&format!("2026-11-22T{clock}Z"))).unwrap()
}

fn reason(run: &RunRecord, rate: Option<f64>, clock: &str) -> Option<String> {
    let judgement = judged(run, rate, clock);
    assert_eq!(judgement.at_risk, judgement.reason.is_some());
    judgement.reason
}

#[test]
fn a_deadline_keeps_its_time_on_the_zones_clock_when_clocks_change() {
    let due = |day| due(&spec(), day).unwrap();
    assert_eq!(due(day(3, 27)), at("2026-03-28T05:30:00Z"));
    assert_eq!(due(day(3, 28)), at("2026-03-29T04:30:00Z"));
    assert_eq!(due(day(10, 23)), at("2026-10-24T04:30:00Z"));
    assert_eq!(due(day(10, 24)), at("2026-10-25T05:30:00Z"));
}

#[test]
fn a_time_that_clocks_skip_is_that_much_later_and_one_that_comes_twice_is_the_first() {
    let night = DeadlineSpec { time: time(2, 30, 0, 0), ..spec() };
    assert_eq!(due(&night, day(3, 28)), Some(at("2026-03-29T03:30:00+02:00")));
    assert_eq!(due(&night, day(10, 24)), Some(at("2026-10-25T02:30:00+02:00")));
}

#[test]
fn days_after_count_on_the_calendar() {
    let same_day = DeadlineSpec { days_after: 0, time: time(22, 0, 0, 0), ..spec() };
    assert_eq!(due(&same_day, day(11, 21)), Some(at("2026-11-21T21:00:00Z")));
    let week = DeadlineSpec { days_after: 7, ..spec() };
    assert_eq!(due(&week, day(12, 28)), Some(at("2027-01-04T05:30:00Z")));
    assert_eq!(expected(&week, at("2027-01-04T05:00:00Z")).unwrap().0, day(12, 28));
}

#[test]
fn there_is_no_deadline_where_no_run_is_expected_or_the_zone_is_unknown() {
    assert_eq!(due(&weekdays_only(), day(11, 21)), None);
    assert_eq!(judge(&weekdays_only(), Some(&run(RunStatus::Pending)), None, at("2026-11-22T05:20:00Z")), None);
    let nowhere = DeadlineSpec { timezone: "Mars/Olympus".to_owned(), ..spec() };
    assert_eq!((due(&nowhere, day(11, 20)), expected(&nowhere, at("2026-11-22T05:20:00Z"))), (None, None));
    assert_eq!(due(&spec(), BusinessDate(Date::MAX)), None);
    assert_eq!(expected(&spec(), Timestamp::MAX), None);
    let never = DeadlineSpec { weekdays: Vec::new(), ..spec() };
    assert_eq!(expected(&never, at("2026-11-22T05:20:00Z")), None);
}

#[test]
fn a_deadline_that_passed_is_looked_at_for_twelve_hours_and_then_the_next_one() {
    let looked_at = |clock: &str| expected(&spec(), at(clock)).unwrap();
    let (last, next) = (at("2026-11-22T05:30:00Z"), at("2026-11-23T05:30:00Z"));
    assert_eq!(looked_at("2026-11-21T17:30:00Z"), (day(11, 21), last));
    assert_eq!(looked_at("2026-11-22T05:30:00Z"), (day(11, 21), last));
    assert_eq!(looked_at("2026-11-22T17:29:59Z"), (day(11, 21), last));
    assert_eq!(looked_at("2026-11-22T17:30:00Z"), (day(11, 22), next));
    // Yesterday's, in the morning.
    let evening = DeadlineSpec { time: time(23, 59, 0, 0), ..spec() };
    assert_eq!(expected(&evening, at("2026-11-22T06:00:00Z")), Some((day(11, 20), at("2026-11-21T22:59:00Z"))));
    // The clock of the zone is a day ahead of UTC's.
    let far = DeadlineSpec { timezone: "Pacific/Kiritimati".to_owned(), time: time(0, 15, 0, 0), ..spec() };
    assert_eq!(expected(&far, at("2026-11-21T22:30:00Z")), Some((day(11, 22), at("2026-11-22T10:15:00Z"))));
}

#[test]
fn over_a_weekend_the_next_deadline_is_mondays() {
    let looked_at = |clock: &str| expected(&weekdays_only(), at(clock)).unwrap();
    // Friday's files are due on Saturday, Monday's on Tuesday.
    assert_eq!(looked_at("2026-11-21T17:29:59Z").0, day(11, 20));
    let monday = (day(11, 23), at("2026-11-24T05:30:00Z"));
    assert_eq!(looked_at("2026-11-21T17:30:00Z"), monday);
    assert_eq!(looked_at("2026-11-23T05:20:00Z"), monday);
    let mondays = DeadlineSpec { weekdays: vec![Weekday::Monday], ..spec() };
    assert_eq!(expected(&mondays, at("2026-11-24T18:00:00Z")).unwrap().0, day(11, 30));
}

#[test]
fn at_every_hour_of_a_year_a_deadline_is_looked_at_that_matters() {
    for weekdays in [ALL.to_vec(), ALL[..5].to_vec(), vec![Weekday::Sunday]] {
        for clock in [time(0, 0, 0, 0), time(2, 30, 0, 0), time(23, 59, 0, 0)] {
            let spec = DeadlineSpec { weekdays: weekdays.clone(), time: clock, ..spec() };
            let mut before = None;
            for hour in 0..24 * 366 {
                let now = at("2026-01-01T00:00:00Z") + SignedDuration::from_hours(hour);
                let (date, due_at) = expected(&spec, now).unwrap();
                assert_eq!(due(&spec, date), Some(due_at));
                assert!(now.duration_since(due_at) < STAYS, "{now} {date}");
                assert!(before <= Some(date), "{now}: back from {before:?} to {date}");
                // None is passed over: the new one is the first behind the one before.
                let mut between = before.filter(|before| *before < date).unwrap_or(date);
                while between.0.tomorrow().unwrap() < date.0 {
                    between = BusinessDate(between.0.tomorrow().unwrap());
                    assert_eq!(due(&spec, between), None, "{now}");
                }
                before = Some(date);
            }
        }
    }
}

#[test]
fn a_run_that_nobody_asked_for_or_started_is_at_risk_when_the_warning_time_begins() {
    let none = |clock: &str| judge(&spec(), None, None, at(clock)).unwrap();
    let early = none("2026-11-22T05:00:00Z");
    assert_eq!((early.date, early.at_risk, early.seconds_left), (day(11, 21), false, 1800.0));
    let missing = none("2026-11-22T05:10:30Z").reason.unwrap();
    assert_eq!(
        missing,
        "the run for 2026-11-21 is due at 2026-11-22T06:30:00+01:00, in 19m, and has not been asked for"
    );
    let pending = run(RunStatus::Pending);
    assert_eq!(reason(&pending, None, "05:00:00"), None);
    assert_eq!(
        reason(&pending, None, "05:00:01").unwrap(),
        "run LoanWorker:2026-11-21 is due at 2026-11-22T06:30:00+01:00, in 29m, and has not started"
    );
}

#[test]
fn a_running_run_is_at_risk_as_soon_as_its_rate_is_too_low() {
    let running = run(RunStatus::Running);
    // 600,000 rows left.
    assert_eq!(reason(&running, Some(100.0), "03:50:00"), None);
    assert_eq!(
        reason(&running, Some(100.0), "04:30:00").unwrap(),
        "run LoanWorker:2026-11-21 is due at 2026-11-22T06:30:00+01:00 and will end at about 07:10 by its present rate"
    );
    assert!(reason(&running, Some(10.0), "00:00:00").unwrap().contains("will end at about 17:40 by"));
    assert!(reason(&running, Some(5.0), "00:00:00").unwrap().contains("will end at about 2026-11-23 10:20 by"));
    for crawling in [0.1, f64::MIN_POSITIVE] {
        assert!(reason(&running, Some(crawling), "00:00:00").unwrap().contains("will take more than 7 days by"));
    }
}

#[test]
fn a_running_run_without_progress_is_at_risk_when_the_warning_time_begins() {
    let running = run(RunStatus::Running);
    for rate in [None, Some(0.0), Some(-1.0), Some(f64::NAN), Some(f64::INFINITY)] {
        assert_eq!(reason(&running, rate, "05:00:00"), None, "{rate:?}");
        assert!(reason(&running, rate, "05:00:01").is_some(), "{rate:?}");
    }
    assert!(
        reason(&running, None, "05:10:00")
            .unwrap()
            .ends_with("in 20m, and makes no progress, with 400,000 of 1,000,000 rows")
    );
    // All rows are read; only publishing is left.
    let done = RunRecord { rows: 1_000_000, ..running.clone() };
    assert_eq!(reason(&done, Some(0.0), "05:29:00"), None);
    // A source that does not count.
    let uncounted = RunRecord { rows_expected: None, ..running };
    assert_eq!(reason(&uncounted, Some(1.0), "05:29:00"), None);
    assert!(reason(&uncounted, None, "05:29:00").is_some());
}

#[test]
fn a_failed_run_is_at_risk_when_the_warning_time_begins() {
    let failed = RunRecord { error: Some("the disk is full".to_owned()), ..run(RunStatus::Failed) };
    // Its rate is of no account any more.
    assert_eq!(reason(&failed, Some(1.0), "05:00:00"), None);
    assert!(reason(&failed, Some(1e9), "05:29:15").unwrap().ends_with("in 45s, and has failed: the disk is full"));
}

#[test]
fn what_is_not_published_in_time_is_late() {
    let running = run(RunStatus::Running);
    let late = judged(&running, Some(1e9), "07:42:10");
    assert_eq!((late.at_risk, late.seconds_left), (true, -7930.0));
    assert_eq!(
        late.reason.unwrap(),
        "run LoanWorker:2026-11-21 was due at 2026-11-22T06:30:00+01:00 and is 2h 12m late: it is running, with 400,000 of 1,000,000 rows"
    );
    assert!(reason(&run(RunStatus::Pending), None, "05:30:00").unwrap().ends_with("is 0s late: it has not started"));
    let days_later = judge(&spec(), Some(&running), None, at("2026-11-25T05:30:00Z")).unwrap();
    assert!(days_later.reason.unwrap().contains("is 72h late"));
    let nobody = judge(&spec(), None, None, at("2026-11-22T12:00:00Z")).unwrap();
    assert!(nobody.seconds_left < 0.0 && nobody.reason.unwrap().ends_with("6h 30m late: it has not been asked for"));
}

#[test]
fn a_published_run_is_never_late_nor_at_risk() {
    let published = run(RunStatus::Published);
    let judgement = judged(&published, None, "05:20:00");
    assert_eq!((judgement.date, judgement.due), (day(11, 21), at("2026-11-22T05:30:00Z")));
    assert_eq!((judgement.seconds_left, judgement.at_risk, judgement.reason), (600.0, false, None));
    let judgement = judged(&published, None, "09:00:00");
    assert_eq!((judgement.seconds_left, judgement.at_risk, judgement.reason), (0.0, false, None));
}

#[test]
fn no_run_is_expected_for_a_date_without_business() {
    let closed = [24, 25, 28].map(|day| date(2026, 12, day));
    let calendar = BusinessDays::without("house.yaml", Some(Calendar::Weekends), closed.into_iter().collect());
    let house = DeadlineSpec { calendar: Some(calendar), ..spec() };
    for closed in [24, 26, 28] {
        assert_eq!(due(&house, day(12, closed)), None, "{closed}");
    }
    let expected_at = |spec: &DeadlineSpec, now: &str| expected(spec, at(now)).map(|(date, _)| date);
    assert_eq!(expected_at(&house, "2026-12-26T12:00:00Z"), Some(day(12, 29)));
    let august = BusinessDays::without("august.yaml", None, (1..=31).map(|day| date(2026, 8, day)).collect());
    let august = DeadlineSpec { calendar: Some(august), ..spec() };
    assert_eq!(expected_at(&august, "2026-08-05T12:00:00Z"), Some(day(9, 1)), "it may close for weeks");
}
