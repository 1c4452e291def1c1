//! `schedule next`: the next times of an expression, with nothing else at hand.

use crate::support::filegen::{Done, Filegen};

fn next(expression: &str, options: &str) -> Done {
    let filegen = Filegen::empty();
    Filegen::finish(filegen.command("schedule next").arg(expression).args(options.split_whitespace()))
}

#[test]
fn the_next_times_are_shown_on_the_zones_clock_and_in_utc() {
    let options = "--zone Europe/Berlin --from 2026-03-26T12:00:00Z --count 2";
    let shown = next("0 30 2 ? * MON-FRI", options).exits(0);
    let lines: Vec<&str> = shown.stdout.lines().collect();
    assert!(lines[1].starts_with("Fri 2026-03-27 02:30:00 +01:00  2026-03-27T01:30:00Z  "), "{}", shown.stdout);
    assert!(lines[2].starts_with("Mon 2026-03-30 02:30:00 +02:00  2026-03-30T00:30:00Z  "), "{}", shown.stdout);
    let json = next("0 30 2 ? * MON-FRI", &format!("{options} --output json")).exits(0).json();
    assert_eq!(json["expression"], "0 30 2 ? * MON-FRI");
    assert_eq!(json["zone"], "Europe/Berlin");
    assert_eq!(json["next"], serde_json::json!(["2026-03-27T02:30:00+01:00", "2026-03-30T02:30:00+02:00"]));
}

#[test]
fn a_calendar_leaves_days_out_and_a_clock_change_is_treated_as_asked() {
    let first = |expression: &str, options: &str| {
        next(expression, &format!("{options} --count 1 --output json")).exits(0).json()["next"].clone()
    };
    let easter = first("0 0 4 * * ?", "--from 2026-04-02T12:00 --calendar target");
    assert_eq!(easter, serde_json::json!(["2026-04-07T04:00:00+00:00"]));
    let skipped = first("0 30 2 * * ?", "--zone Europe/Berlin --from 2026-03-28T12:00 --dst run_missing");
    assert_eq!(skipped, serde_json::json!(["2026-03-29T03:00:00+02:00"]));
}

#[test]
fn a_file_of_dates_is_a_calendar_and_affected_days_are_told() {
    let filegen = Filegen::empty();
    filegen.write("house.yaml", "beside: weekends\ndates: [2026-12-24/2026-12-26]\n");
    let options = ["--from", "2026-12-23T12:00Z", "--count", "1", "--closed-day", "next", "--calendar"];
    let asked = |format: &str| {
        let mut command = filegen.command("schedule next");
        command.arg("0 0 4 ? * THU,SUN").args(options).arg("house.yaml").args(["--output", format]);
        Filegen::finish(&mut command).exits(0)
    };
    let json = asked("json").json();
    assert_eq!(json["next"], serde_json::json!(["2026-12-28T04:00:00+00:00"]));
    let affected = serde_json::json!([{"date": "2026-12-24", "movedTo": "2026-12-28"}, {"date": "2026-12-27", "movedTo": "2026-12-28"}]);
    assert_eq!(json["affected"], affected);
    let told = asked("table").stderr;
    assert!(told.contains("Thu 2026-12-24 is without business: moved to Mon 2026-12-28"), "{told}");
    let wrong = next("0 0 4 * * ?", "--calendar nowhere.ics").exits(2);
    assert!(wrong.stderr.contains("cannot be read"), "{}", wrong.stderr);
}

#[test]
fn what_never_comes_again_is_an_empty_list() {
    let never = next("0 0 0 30 2 ?", "--output json").exits(0);
    assert_eq!(never.json()["next"], serde_json::json!([]));
    assert!(never.stderr.contains("never due again"), "{}", never.stderr);
}

#[test]
fn a_wrong_expression_is_marked_and_says_what_to_write() {
    let wrong = next("0 0 0 ? * MON/2", "").exits(2);
    assert!(wrong.stderr.contains("  0 0 0 ? * MON/2\n            ^^^^^\n"), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("hint: write 2/2"), "{}", wrong.stderr);
    let crontab = next("30 2 * * 1-5", "--output json").exits(2).json_error();
    assert_eq!(crontab["hint"], "write 0 30 2 ? * 2-6");
    for (asked, said) in [
        ("--zone Mars", "IANA name"),
        ("--from tomorrow", "is no moment"),
        ("--calendar moon", "weekends, target, us-federal"),
        ("--dst never", "run_missing"),
        ("--count 0", "1..=10000"),
    ] {
        let wrong = next("0 0 4 * * ?", asked).exits(2);
        assert!(wrong.stderr.contains(said), "{asked}: {}", wrong.stderr);
    }
}
