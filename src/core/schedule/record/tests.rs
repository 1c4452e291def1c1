//! What an edit, a pause and an execution make of a schedule.

use super::*;
use crate::core::model::data_source::{Action, DataSourceId, Misfire, Overlap};
use crate::core::model::schedule::Cause;

fn at(time: &str) -> Timestamp {
    format!("2026-11-29T{time}Z").parse().unwrap()
}

fn source(version: u64, cron: &str) -> DataSource {
    DataSource {
        id: DataSourceId::new("a1").unwrap(),
        name: "Loans".to_owned(),
        description: String::new(),
        path: "data".to_owned(),
        pattern: "*.csv".to_owned(),
        recursive: false,
        cron_expression: cron.to_owned(),
        zone: "UTC".to_owned(),
        calendar: None,
        is_active: true,
        overlap: Overlap::Skip,
        misfire: Misfire::FireOnce,
        action: Action::default(),
        dst: None,
        closed_day: None,
        deadline: None,
        pause_after_failures: None,
        version,
        created_at: at("00:00:00"),
        updated_at: at("00:00:00"),
    }
}

fn hourly() -> Schedule {
    created(&source(3, "0 0 * * * ?"), &Settings::default(), at("10:30:00"))
}

#[test]
fn a_new_schedule_waits_for_its_first_time_and_a_broken_one_says_why() {
    assert_eq!((hourly().status, hourly().next_execution_time), (ScheduleStatus::Active, Some(at("11:00:00"))));
    let broken = created(&source(1, "0 0 * * *"), &Settings::default(), at("10:30:00"));
    assert_eq!((broken.status, broken.next_execution_time), (ScheduleStatus::Failed, None));
    assert!(broken.last_error.clone().unwrap().starts_with("cronExpression: "), "{:?}", broken.last_error);
    let mended = updated(&broken, &source(2, "0 0 * * * ?"), &Settings::default(), at("12:30:00")).unwrap();
    assert_eq!((mended.status, mended.next_execution_time), (ScheduleStatus::Active, Some(at("13:00:00"))));
}

#[test]
fn a_number_that_nobody_counted_up_to_is_no_version_and_no_revision() {
    let reads = |field: &str, number: u64| {
        let mut values =
            [serde_json::to_value(source(3, "0 0 * * * ?")).unwrap(), serde_json::to_value(hourly()).unwrap()];
        for value in &mut values {
            value[field] = number.into();
        }
        let [source, schedule] = values;
        (serde_json::from_value::<DataSource>(source).is_ok(), serde_json::from_value::<Schedule>(schedule).is_ok())
    };
    assert_eq!(reads("version", 1 << 53), (true, true));
    // A source has no revision, and takes no offence.
    assert!(reads("revision", 1 << 53).1);
    for odd in [u64::MAX, i64::MAX.unsigned_abs(), (1 << 53) + 1] {
        assert_eq!(reads("version", odd), (false, false), "{odd}");
        assert!(!reads("revision", odd).1, "{odd}");
    }
}

#[test]
fn only_a_later_version_is_applied() {
    let settings = Settings::default();
    for version in [1, 2, 3] {
        assert_eq!(updated(&hourly(), &source(version, "0 30 * * * ?"), &settings, at("12:00:00")), None, "{version}");
        assert_eq!(deleted(&hourly(), version, at("12:00:00")), None);
    }
    let gone = deleted(&hourly(), 5, at("12:00:00")).unwrap();
    assert!(gone.is_deleted && gone.next_execution_time.is_none() && !fires(&gone));
    assert_eq!(updated(&gone, &source(4, "0 0 * * * ?"), &settings, at("13:00:00")), None, "a late update");
    assert_eq!(gone.status, ScheduleStatus::Paused, "no tool counts it as active");
    let back = updated(&gone, &source(6, "0 0 * * * ?"), &settings, at("13:00:00")).unwrap();
    assert_eq!((back.status, back.next_execution_time), (ScheduleStatus::Active, Some(at("14:00:00"))));
}

#[test]
fn a_name_moves_no_time_an_edit_of_the_times_starts_from_now_and_a_pause_stays() {
    let settings = Settings::default();
    let named = DataSource { name: "Others".to_owned(), ..source(4, "0 0 * * * ?") };
    // Long after the next due time: it is still due.
    let renamed = updated(&hourly(), &named, &settings, at("11:30:00")).unwrap();
    assert_eq!((renamed.name.as_str(), renamed.next_execution_time), ("Others", Some(at("11:00:00"))));
    let edited = updated(&hourly(), &source(4, "0 15 * * * ?"), &settings, at("11:30:00")).unwrap();
    assert_eq!((edited.next_execution_time, edited.decided_until), (Some(at("12:15:00")), at("11:30:00")));
    // By a host whose clock is behind: what was decided is not decided again.
    let early = updated(&hourly(), &source(4, "0 15 * * * ?"), &settings, at("09:00:00")).unwrap();
    assert_eq!((early.next_execution_time, early.decided_until), (Some(at("11:15:00")), at("10:30:00")));
    let idle = paused(&hourly(), ("ann", "moving house"), &Settings::default(), at("11:10:00")).unwrap();
    let early = resumed(&idle, &settings, at("09:00:00")).unwrap();
    assert_eq!((early.next_execution_time, early.decided_until), (Some(at("11:00:00")), at("10:30:00")));
    let edited = updated(&idle, &source(4, "0 15 * * * ?"), &settings, at("11:30:00")).unwrap();
    assert_eq!((edited.status, edited.next_execution_time), (ScheduleStatus::Paused, None));
    assert_eq!((edited.paused_by.as_deref(), edited.pause_reason.as_deref()), (Some("ann"), Some("moving house")));
    assert_eq!(paused(&idle, ("bob", "too"), &Settings::default(), at("11:20:00")), None);
    let resumed = resumed(&edited, &settings, at("14:30:00")).unwrap();
    assert_eq!((resumed.next_execution_time, resumed.paused_by), (Some(at("15:15:00")), None));
}

#[test]
fn what_the_last_execution_found_stands_in_the_schedule() {
    let found = |outcome, files_seen, files_new| Execution {
        files_seen,
        files_new,
        ..Execution::new(&hourly().id, at("11:00:00"), 1, Cause::Due, outcome)
    };
    let files = |schedule: &Schedule| (schedule.last_files_seen, schedule.last_files_new);
    assert_eq!(files(&hourly()), (None, None));
    let one = told(&hourly(), &found(Outcome::Succeeded, 7, 2), None, at("11:00:05"));
    assert_eq!(files(&one), (Some(7), Some(2)));
    let waits = told(&one, &found(Outcome::Skipped, 0, 0), None, at("12:00:00"));
    assert_eq!(files(&waits), (Some(7), Some(2)), "one that did not look says nothing of files");
    // A record of an earlier build has neither.
    let mut json = serde_json::to_value(&one).unwrap();
    json.as_object_mut().unwrap().retain(|name, _| !name.starts_with("lastFiles"));
    assert_eq!(files(&serde_json::from_value(json).unwrap()), (None, None));
}

#[test]
fn the_deadlines_of_a_schedule_begin_when_it_is_given_them() {
    let settings = Settings::default();
    let begins = |schedule: &Schedule| schedule.deadline_since;
    assert_eq!(begins(&hourly()), Some(at("10:30:00")));
    let renamed = DataSource { name: "Others".to_owned(), ..source(4, "0 0 * * * ?") };
    let edited = |it: &DataSource| updated(&hourly(), it, &settings, at("11:30:00")).unwrap();
    assert_eq!(begins(&edited(&renamed)), Some(at("10:30:00")));
    assert_eq!(begins(&edited(&source(4, "0 15 * * * ?"))), Some(at("11:30:00")));
    let deadline = Some(crate::core::model::data_source::DeadlineTime { time: "06:30".to_owned() });
    assert_eq!(begins(&edited(&DataSource { deadline, ..renamed })), Some(at("11:30:00")));
    let idle = paused(&hourly(), ("ann", ""), &Settings::default(), at("11:10:00")).unwrap();
    assert_eq!(begins(&resumed(&idle, &settings, at("12:00:00")).unwrap()), Some(at("10:30:00")));
}

#[test]
fn failures_in_a_row_pause_it() {
    let settings = Settings { pause_after_failures: Some(2), ..Settings::default() };
    let plan = Plan::of(&hourly(), &settings).unwrap();
    let ended = |schedule: &Schedule, outcome, hour: &str| {
        let due = at(&format!("{hour}:00:00"));
        let execution = Execution::new(&schedule.id, due, 1, Cause::Due, outcome);
        told(schedule, &Execution { error: Some("no folder".to_owned()), ..execution }, Some(&plan), due)
    };
    let one = ended(&hourly(), Outcome::Failed, "11");
    let well = ended(&one, Outcome::Succeeded, "12");
    let two = ended(&well, Outcome::Failed, "13");
    assert_eq!((two.status, two.failure_count, two.execution_count), (ScheduleStatus::Active, 2, 3));
    let three = ended(&two, Outcome::Failed, "14");
    assert_eq!((three.status, three.paused_by.as_deref()), (ScheduleStatus::Paused, Some(BY_ITSELF)));
    assert_eq!(three.pause_reason.as_deref(), Some("2 failures in a row, the last one: no folder"));
    assert_eq!(three.last_success_id.as_deref(), Some("a1:2026-11-29T12:00:00Z"));
    let resumed = resumed(&three, &settings, at("14:30:00")).unwrap();
    assert_eq!(ended(&resumed, Outcome::Failed, "15").status, ScheduleStatus::Active, "the count begins again");
}

#[test]
fn a_data_source_in_the_store_is_the_truth_whatever_its_schedule_says() {
    let (settings, now) = (Settings::default(), at("11:30:00"));
    let truth = source(3, "0 0 * * * ?");
    assert_eq!(mended(&hourly(), &truth, &settings, now), None);
    // A table that was restored, or another's event: later, and earlier.
    for version in [90, 2] {
        let odd = Schedule { version, ..hourly() };
        let back = mended(&odd, &truth, &settings, now).unwrap();
        assert_eq!(back, Schedule { changed_at: now, revision: 2, ..hourly() }, "{version}: nothing fires at once");
    }
    let renamed = Schedule { name: "Other".to_owned(), ..hourly() };
    let off = Schedule { is_active: false, ..hourly() };
    let silent = Schedule { next_execution_time: None, ..hourly() };
    let failed = Schedule { status: ScheduleStatus::Failed, ..silent.clone() };
    let mut other = hourly();
    other.rule.cron_expression = "0 30 * * * ?".to_owned();
    for odd in [renamed, off, silent, failed, other] {
        let back = mended(&odd, &truth, &settings, now).unwrap();
        assert_eq!((&back.name, back.is_active, &back.rule), (&truth.name, true, &hourly().rule));
        assert!(back.status == ScheduleStatus::Active && back.next_execution_time.is_some(), "{back:?}");
        assert_eq!(mended(&back, &truth, &settings, now), None, "once");
    }
    // These have no next time, and that is right.
    let idle = paused(&hourly(), ("ann", "moving house"), &Settings::default(), now).unwrap();
    assert_eq!(mended(&idle, &truth, &settings, now), None);
    let never = source(3, "0 0 0 1 1 ? 2020");
    assert_eq!(mended(&created(&never, &settings, now), &never, &settings, now), None);
    let gone = removed(&hourly(), now);
    assert!(gone.is_deleted && gone.version == COUNTED_MAX, "{gone:?}");
    // Behind it, an update from before the deletion, which nobody heard of.
    assert_eq!(updated(&gone, &source(9, "0 0 * * * ?"), &settings, now), None);
}

#[test]
fn an_interrupted_execution_counts_and_pauses_nothing() {
    let interrupted =
        Execution::new(&hourly().id, at("11:00:00"), 1, Cause::Due, Outcome::Interrupted).because("killed");
    let plan = Plan { pause_after: Some(1), ..Plan::of(&hourly(), &Settings::default()).unwrap() };
    let told = told(&hourly(), &interrupted, Some(&plan), at("11:00:05"));
    assert_eq!((told.execution_count, told.failure_count, told.status), (1, 1, ScheduleStatus::Active));
    assert_eq!((told.last_failure_id, told.last_error.as_deref()), (Some(interrupted.id), Some("killed")));
}
