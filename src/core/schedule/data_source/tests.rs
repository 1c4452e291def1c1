//! Data sources, right and wrong.

use super::*;
use serde_json::json;
use std::time::Duration;

fn rules() -> Rules {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Rules {
        roots: Roots { base: "/srv".into(), roots: vec!["/srv/data".into()] },
        defaults: Defaults {
            cron: "0 */2 * * * ?".to_owned(),
            zone: "UTC".to_owned(),
            misfire: Misfire::FireOnce,
            overlap: Overlap::Skip,
            dst: ClockChange::Quartz,
            grace: Duration::from_mins(1),
            jitter: Duration::ZERO,
            stable_for: Duration::from_secs(2),
            max_size: 1 << 30,
            look_within: Duration::from_hours(1),
            pause_after_failures: None,
        },
        calendars: names(&["house"]),
        others: Others { workers: names(&["LoanWorker"]), transfers: names(&[]) },
    }
}

fn read(given: &Value) -> Result<DataSource, Faults> {
    let stamp = Stamp {
        id: DataSourceId::new("a1").unwrap(),
        version: 1,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    };
    rules().read(given, stamp)
}

#[test]
fn what_is_left_out_has_the_schedulers_defaults() {
    let source = read(&json!({ "name": " Loans ", "path": "data/loans" })).unwrap();
    assert_eq!((source.name.as_str(), source.pattern.as_str(), source.recursive), ("Loans", "*", false));
    assert_eq!((source.cron_expression.as_str(), source.zone.as_str()), ("0 */2 * * * ?", "UTC"));
    assert_eq!((source.is_active, source.calendar, source.action), (true, None, Action::default()));
    // What was read can be sent back.
    let whole = serde_json::to_value(read(&json!({ "name": "a", "path": "data", "calendar": "house" })).unwrap());
    assert_eq!(serde_json::to_value(read(whole.as_ref().unwrap()).unwrap()).unwrap(), whole.unwrap());
}

#[test]
fn a_zone_is_kept_as_its_database_writes_it() {
    for (given, kept) in [("utc", "UTC"), ("europe/berlin", "Europe/Berlin"), ("Europe/Berlin", "Europe/Berlin")] {
        let source = read(&json!({ "name": "a", "path": "data", "zone": given })).unwrap();
        assert_eq!(source.zone, kept);
    }
}

#[test]
fn a_number_of_failures_may_be_none_never_or_so_many() {
    for (given, kept) in [(json!(null), None), (json!(0), Some(0)), (json!(3), Some(3))] {
        let source = read(&json!({ "name": "a", "path": "data", "pauseAfterFailures": given })).unwrap();
        assert_eq!(source.pause_after_failures, kept);
    }
}

#[test]
fn a_deadline_has_hours_and_minutes_of_two_digits() {
    let with = |time: &str| json!({ "name": "a", "path": "data", "deadline": { "time": time } });
    for time in ["00:00", "06:30", "23:59"] {
        assert_eq!(read(&with(time)).unwrap().deadline.unwrap().time, time);
    }
    for time in
        ["6:30", "06:3", "6:3", "0:0", " 6:30", " 06:30", "24:00", "06:60", "06:30:15", "T0630", "0630", "06.30", ""]
    {
        let Faults(faults) = read(&with(time)).unwrap_err();
        assert_eq!(faults.iter().map(|it| it.pointer.as_str()).collect::<Vec<_>>(), ["/deadline"], "{time}");
    }
}

#[test]
fn a_polling_rate_stands_for_an_expression() {
    for rate in ["00:02:00", "2m"] {
        let source = read(&json!({ "name": "a", "path": "data", "pollingRate": rate })).unwrap();
        assert_eq!(source.cron_expression, "0 */2 * * * ?");
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let wrong = json!({
        "name": "", "description": 7, "path": "/etc", "pattern": "[a", "recursive": "yes",
        "cronExpression": "0 0 12 * * * *", "zone": "Mars/Base", "calendar": "lunar", "isActive": 1,
        "overlap": "pile_up", "misfire": "later", "action": { "run": "Nobody" }, "dst": "twice", "closedDay": "maybe",
        "deadline": { "time": "25:00" }, "pauseAfterFailures": -1, "cronExpresion": "x",
    });
    let Faults(faults) = read(&wrong).unwrap_err();
    let mut fields: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    fields.sort_unstable();
    let expected = [
        "/action/run",
        "/calendar",
        "/closedDay",
        "/cronExpresion",
        "/cronExpression",
        "/deadline",
        "/description",
        "/dst",
        "/isActive",
        "/misfire",
        "/name",
        "/overlap",
        "/path",
        "/pattern",
        "/pauseAfterFailures",
        "/recursive",
        "/zone",
    ];
    assert_eq!(fields, expected);
    let fault = |pointer: &str| faults.iter().find(|fault| fault.pointer == pointer).unwrap();
    assert_eq!(fault("/cronExpression").at, Some(7..12), "the place in the expression");
    assert_eq!(fault("/cronExpresion").hint, "did you mean cronExpression?");
    assert!(fault("/path").hint.contains("/srv/data"));
    assert!(fault("/action/run").hint.contains("LoanWorker"));
}

#[test]
fn each_field_alone_is_told_with_its_own_fault() {
    for (field, value) in [
        ("name", json!("a\u{0}b")),
        ("name", json!("rates\u{202e}vsc")),
        ("path", json!("data/../../etc")),
        ("path", json!("data/a\u{0}b")),
        ("path", json!(["data"])),
        ("name", json!("a\nb")),
        ("name", json!("x".repeat(101))),
        ("pattern", json!("/etc/*")),
        ("pollingRate", json!("7m")),
        ("cronExpression", json!("*/5 * * * *")),
        ("action", json!({ "discover": {}, "run": "LoanWorker" })),
        ("action", json!("discover")),
        ("action/transfer", json!({ "transfer": "Out" })),
        ("action/discover/stableFor", json!({ "discover": { "stableFor": 2 } })),
        ("action/discover/doneFile", json!({ "discover": { "doneFile": "../x" } })),
        ("action/discover/stable", json!({ "discover": { "stable": "2s" } })),
    ] {
        let mut given = json!({ "name": "a", "path": "data" });
        given[field.split('/').next().unwrap()] = value;
        let Faults(faults) = read(&given).unwrap_err();
        let pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, [format!("/{field}")], "{given}");
        assert!(faults.iter().all(|fault| !fault.hint.is_empty() && !fault.message.is_empty()));
    }
    for missing in ["name", "path"] {
        let mut given = json!({ "name": "a", "path": "data" });
        given.as_object_mut().unwrap().remove(missing);
        assert_eq!(read(&given).unwrap_err().0[0].pointer, format!("/{missing}"));
    }
    assert_eq!(read(&json!([])).unwrap_err().0[0].pointer, "");
    assert!(read(&json!({ "name": "a", "path": "data", "action": { "run": "LoanWorker" } })).is_ok());
}
