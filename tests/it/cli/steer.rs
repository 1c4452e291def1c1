//! `schedule list|show|pause|resume|run|backfill|sync`, on a store that no daemon leads: what people ask for is kept for it.

use crate::support::filegen::{Done, Filegen};
use serde_json::{Value, json};

const FILE: &str = "scheduler: intake\nroots: [data]\nstate: { url: \"sqlite:intake.db\" }\n";

/// A scheduler with one data source, scheduled by `sync`.
struct Intake(Filegen);

impl Intake {
    fn empty() -> Self {
        let filegen = Filegen::empty();
        filegen.write("intake.yaml", FILE);
        std::fs::create_dir(filegen.path("data")).unwrap();
        Self(filegen)
    }

    fn scheduled() -> Self {
        let intake = Self::empty();
        intake.say("datasource create --name Loans --path data --cron", &["0 0 * * * ?"]).exits(0);
        intake.run("schedule sync").exits(0);
        intake
    }

    fn run(&self, args: &str) -> Done {
        self.say(args, &[])
    }

    /// With arguments that hold blanks behind the others.
    fn say(&self, args: &str, more: &[&str]) -> Done {
        Filegen::finish(self.0.command(args).args(more).args(["-c", "intake.yaml"]))
    }

    fn schedule(&self) -> Value {
        self.run("schedule show Loans --output json").exits(0).json()
    }

    fn audits(&self) -> Vec<[String; 3]> {
        let state = rusqlite::Connection::open(self.0.path("intake.db")).unwrap();
        let mut kept = state.prepare("SELECT action, detail, reason FROM audit ORDER BY id").unwrap();
        kept.query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?])).unwrap().map(Result::unwrap).collect()
    }
}

#[test]
fn who_only_looks_makes_no_store() {
    let intake = Intake::empty();
    for args in ["schedule list", "datasource list", "schedule sync --dry-run", "datasource export"] {
        intake.run(args).exits(0);
    }
    assert!(intake.run("schedule list").stderr.contains("no schedule: there is no data source"));
    assert_eq!(intake.run("schedule list --output json").json(), json!({ "total": 0, "items": [] }));
    intake.run("schedule show Loans").exits(1);
    intake.run("schedule pause Loans --reason x --dry-run").exits(1);
    assert!(!intake.0.has("intake.db"));
    let none = Filegen::with_loans(1);
    assert!(none.run("schedule list -c worker.yaml").exits(2).stderr.contains("no scheduler file is named"));
}

#[test]
fn schedules_are_held_against_data_sources_and_mended() {
    let intake = Intake::empty();
    intake.say("datasource create --name Loans --path data --cron", &["0 0 * * * ?"]).exits(0);
    let found = intake.run("schedule sync --dry-run --output json").exits(4).json();
    assert_eq!((&found["differences"][0]["lacks"], &found["mended"]), (&json!("schedule"), &json!(0)));
    assert!(intake.run("schedule sync --dry-run").exits(4).stdout.contains("its schedule"));
    assert_eq!(intake.run("schedule list --output json").json()["total"], 0);
    let mended = intake.run("schedule sync --reason lost").exits(0);
    assert!(mended.stderr.contains("1 of 1 difference mended"), "{}", mended.stderr);
    assert!(intake.run("schedule sync").exits(0).stderr.contains("no difference: 1 data source"));
    intake.say("datasource update Loans --cron", &["0 30 * * * ?"]).exits(0);
    assert_eq!(
        intake.run("schedule sync --dry-run --output json").exits(4).json()["differences"][0]["lacks"],
        "version"
    );
    intake.run("schedule sync").exits(0);
    assert_eq!(intake.schedule()["cronExpression"], "0 30 * * * ?");
    // A table that was restored: each way to differ is told and mended.
    for (field, value, lacks) in [
        ("version", "40", "version"),
        ("version", "1", "version"),
        ("cronExpression", "'0 0 1 1 1 ?'", "rule"),
        ("isActive", "json('false')", "rule"),
        ("nextExecutionTime", "NULL", "nextTime"),
    ] {
        let state = rusqlite::Connection::open(intake.0.path("intake.db")).unwrap();
        let spoil = format!("UPDATE ScheduledDataSource SET document = json_set(document, '$.{field}', {value})");
        assert_eq!(state.execute(&spoil, ()).unwrap(), 1);
        drop(state);
        let found = intake.run("schedule sync --dry-run --output json").exits(4).json();
        assert_eq!(found["differences"][0]["lacks"], lacks, "{field}: {found}");
        intake.run("schedule sync").exits(0);
        let now = intake.schedule();
        assert_eq!((&now["version"], &now["cronExpression"]), (&json!(2), &json!("0 30 * * * ?")), "{now}");
        assert!(now["nextExecutionTime"].is_string(), "{field}: {now}");
    }
    intake.run("datasource delete Loans --yes").exits(0);
    assert!(intake.run("schedule sync --dry-run").exits(4).stdout.contains("its data source"));
    intake.run("schedule sync").exits(0);
    assert_eq!(intake.run("schedule list --output json").json()["total"], 0);
    let lost = ["schedule sync", "1 schedule", "lost"].map(str::to_owned);
    assert!(intake.audits().contains(&lost), "{:?}", intake.audits());
}

#[test]
fn a_schedule_is_paused_with_a_reason_and_resumed_from_now() {
    let intake = Intake::scheduled();
    intake.run("schedule pause Loans").exits(2);
    let before = intake.schedule();
    let would = intake.run("schedule pause Loans --reason moves --dry-run --output json").exits(0).json();
    assert_eq!(
        (&would["status"], &would["dryRun"], &would["nextExecutionTime"]),
        (&json!("Paused"), &json!(true), &Value::Null)
    );
    assert_eq!(intake.schedule(), before, "a dry run changes nothing");
    let paused = intake.say("schedule pause Loans --reason", &["the folder moves"]).exits(0);
    assert!(paused.stdout.starts_with("paused Loans ("), "{}", paused.stdout);
    let now = intake.schedule();
    assert_eq!((&now["status"], &now["pauseReason"]), (&json!("Paused"), &json!("the folder moves")));
    assert!(intake.run("schedule show Loans").stdout.contains("the folder moves"));
    let again = intake.run("schedule pause Loans --reason again").exits(1);
    assert!(again.stderr.contains("is Paused already") && again.stderr.contains("schedule show"), "{}", again.stderr);
    intake.run("schedule pause Loans --reason again --dry-run").exits(1);
    assert_eq!(intake.run("schedule list --status paused --output json").json()["total"], 1);
    let none = intake.run("schedule list --status active").exits(0);
    assert!(none.stdout.is_empty() && none.stderr.contains("no schedule of this status"), "{}", none.stderr);
    // An edit leaves the pause.
    intake.run("datasource update Loans --description edited").exits(0);
    intake.run("schedule sync").exits(0);
    assert_eq!(intake.schedule()["status"], "Paused");
    let would = intake.run("schedule resume Loans --dry-run").exits(0);
    assert!(
        would.stdout.starts_with("would resume Loans (") && would.stdout.contains("; next at "),
        "{}",
        would.stdout
    );
    assert_eq!(intake.schedule()["status"], "Paused");
    let id = now["id"].as_str().unwrap();
    let resumed = intake.run(&format!("schedule resume {id} --output json")).exits(0).json();
    assert_eq!((&resumed["status"], &resumed["dryRun"]), (&json!("Active"), &json!(false)));
    intake.run("schedule resume Loans").exits(1);
    let done: Vec<_> = intake.audits().into_iter().map(|[action, _, reason]| (action, reason)).collect();
    let kept = |action: &str, reason: &str| done.contains(&(action.to_owned(), reason.to_owned()));
    assert!(kept("schedule pause", "the folder moves") && kept("schedule resume", ""), "{done:?}");
}

#[test]
fn a_run_and_missed_due_times_are_asked_for_once() {
    let intake = Intake::scheduled();
    let history = || intake.schedule()["history"].as_array().unwrap().clone();
    let would = intake.run("schedule run Loans --dry-run --output json").exits(0).json();
    assert_eq!((&would["executionId"], history().len()), (&Value::Null, 0));
    let run = intake.run("schedule run Loans --reason late --output json").exits(0).json();
    let [one] = &history()[..] else { panic!("{:?}", history()) };
    assert_eq!((&one["id"], &one["outcome"], &one["cause"]), (&run["executionId"], &json!("Queued"), &json!("Manual")));
    assert!(one["reason"].as_str().unwrap().ends_with(": late"), "{one}");
    let span = "--from 2026-11-20T00:30:00Z --to 2026-11-20T03:00:00Z";
    let would = intake.run(&format!("schedule backfill Loans {span} --dry-run --output json")).exits(0).json();
    let times = json!(["2026-11-20T01:00:00Z", "2026-11-20T02:00:00Z", "2026-11-20T03:00:00Z"]);
    assert_eq!((&would["dueTimes"], &would["asked"], history().len()), (&times, &json!(0), 1));
    let asked = intake.run(&format!("schedule backfill Loans {span} --reason away")).exits(0);
    assert!(asked.stdout.contains("2026-11-20T02:00:00Z") && asked.stderr.contains("asked for 3 due times of Loans"));
    assert_eq!(history().len(), 4);
    let again = intake.run(&format!("schedule backfill Loans {span} --output json")).exits(0).json();
    assert_eq!((&again["dueTimes"], history().len()), (&json!([]), 4), "none is asked for twice");
    intake.run("schedule backfill Loans --from yesterday").exits(2);
    intake.run("schedule backfill Loans --from 2026-11-20T00:00:00Z --to 2026-11-19T00:00:00Z").exits(2);
    let old = intake.run("schedule backfill Loans --from 2020-01-01T00:00:00Z --dry-run").exits(0);
    assert!(old.stderr.contains("the history begins at") && !old.stdout.contains("2020"), "{}", old.stderr);
    let shown = intake.run("schedule show Loans --history 2").exits(0).stdout;
    assert!(shown.contains("Queued") && shown.matches("asked for by").count() + shown.matches(": away").count() <= 2);
    let listed = intake.run("schedule list").exits(0).stdout;
    assert!(listed.contains("0 0 * * * ?") && listed.contains("Active"), "{listed}");
}
