//! `datasource list|show|create|update|delete|import|export`: the same as the API, on the same store.

use crate::support::filegen::{Done, Filegen};
use serde_json::{Value, json};

struct Intake(Filegen);

impl Intake {
    fn new() -> Self {
        let filegen = Filegen::empty();
        filegen.write("intake.yaml", "scheduler: intake\nroots: [data]\nstate: { url: \"sqlite:intake.db\" }\n");
        std::fs::create_dir(filegen.path("data")).unwrap();
        Self(filegen)
    }

    fn run(&self, args: &[&str]) -> Done {
        Filegen::finish(self.0.command("datasource -c intake.yaml").args(args))
    }

    fn json(&self, args: &[&str]) -> Value {
        Filegen::finish(self.0.command("datasource -c intake.yaml --output json").args(args)).exits(0).json()
    }
}

#[test]
fn a_data_source_is_made_changed_shown_and_deleted() {
    let intake = Intake::new();
    let loans = ["create", "--name", "Loans", "--path", "data", "--pattern", "*.csv", "--rate", "2m"];
    let would = intake.run(&[&loans[..], &["--dry-run"]].concat()).exits(0);
    assert!(would.stdout.starts_with("would create Loans ("), "{}", would.stdout);
    assert!(!intake.0.has("intake.db"), "a dry run makes nothing");
    let made = intake.json(&loans);
    assert_eq!(
        (&made["cronExpression"], &made["version"], &made["zone"]),
        (&json!("0 */2 * * * ?"), &json!(1), &json!("UTC"))
    );
    let taken = intake.run(&loans).exits(1);
    assert!(taken.stderr.contains("the name Loans is taken"), "{}", taken.stderr);
    intake.run(&[&loans[..], &["--dry-run"]].concat()).exits(1);
    let wrong = intake.run(&["create", "--name", "", "--path", "/etc", "--cron", "0 0 12 * * * *"]).exits(3);
    for field in ["name: ", "path: ", "cronExpression: ", ", at character"] {
        assert!(wrong.stderr.contains(field), "{}", wrong.stderr);
    }
    let shown = intake.json(&["show", "Loans"]);
    assert_eq!((&shown["id"], shown["next"].as_array().unwrap().len()), (&made["id"], 5));
    assert!(intake.run(&["show", "Loans"]).exits(0).stdout.contains("*.csv"));
    intake.run(&["show", "nobody"]).exits(1);
    let cron =
        ["update", "Loans", "--cron", "0 0 6 ? * MON-FRI", "--zone", "Europe/Berlin", "--set", "overlap=\"queue\""];
    assert!(intake.run(&[&cron[..], &["--dry-run"]].concat()).exits(0).stdout.starts_with("would change Loans ("));
    assert_eq!(intake.json(&["show", "Loans"])["version"], 1);
    let changed = intake.json(&cron);
    assert_eq!(
        (&changed["version"], &changed["overlap"], &changed["pattern"]),
        (&json!(2), &json!("queue"), &json!("*.csv"))
    );
    let before = intake.json(&["show", "Loans"]);
    let same = intake.run(&["update", "Loans"]).exits(0);
    assert!(same.stderr.contains("nothing to change: Loans stays at version 2"), "{}", same.stderr);
    intake.run(&["update", "Loans", "--zone", "Europe/Berlin"]).exits(0);
    assert_eq!(intake.json(&["show", "Loans"]), before, "no version, and no event");
    let late = intake.run(&["update", "Loans", "--version", "1", "--description", "late"]).exits(1);
    assert!(late.stderr.contains("somebody was faster"), "{}", late.stderr);
    intake.run(&["delete", "Loans"]).exits(2);
    assert!(intake.run(&["delete", "Loans", "--dry-run"]).exits(0).stdout.starts_with("would delete Loans ("));
    intake.run(&["delete", "Loans", "--version", "1", "--yes"]).exits(1);
    assert_eq!(intake.json(&["delete", "Loans", "--yes"]), json!({ "id": made["id"], "name": "Loans" }));
    intake.run(&["delete", "Loans", "--yes"]).exits(1);
}

#[test]
fn many_are_taken_over_and_written_out_again() {
    let intake = Intake::new();
    intake.0.write("sources.yaml", "- { name: Loans, path: data, cronExpression: \"0 0 6 * * ?\" }\n- { name: Rates, path: data, pollingRate: 2m }\n");
    let became = |done: &Value| done.as_array().unwrap().iter().map(|one| one["became"].clone()).collect::<Vec<_>>();
    assert_eq!(became(&intake.json(&["import", "sources.yaml", "--dry-run"])), ["created", "created"]);
    assert!(!intake.0.has("intake.db"), "a dry run makes nothing");
    assert_eq!(became(&intake.json(&["import", "sources.yaml"])), ["created", "created"]);
    let some = intake.run(&["list", "--limit", "1"]).exits(0);
    assert!(some.stderr.contains("1 of 2 are shown"), "{}", some.stderr);
    assert!(!intake.run(&["list"]).exits(0).stderr.contains("are shown"));
    let missing = intake.run(&["import", "none.yaml"]).exits(3);
    assert!(missing.stderr.contains("there is no such file of data sources"), "{}", missing.stderr);
    intake.run(&["update", "Rates", "--recursive"]).exits(0);
    assert_eq!(became(&intake.json(&["import", "sources.yaml"])), ["unchanged", "updated"]);
    // What was written out is what is there.
    let yaml = intake.run(&["export"]).exits(0).stdout;
    intake.0.write("again.yaml", &yaml);
    assert_eq!(became(&intake.json(&["import", "again.yaml"])), ["unchanged", "unchanged"]);
    intake.0.write("again.json", &intake.json(&["export"]).to_string());
    assert_eq!(became(&intake.json(&["import", "again.json"])), ["unchanged", "unchanged"]);
    // One that is wrong leaves all as they are.
    intake.0.write("wrong.yaml", "- { name: New, path: data }\n- { name: Loans, path: /etc, zone: Mars }\n");
    let wrong = intake.run(&["import", "wrong.yaml"]).exits(3);
    assert!(wrong.stderr.contains("1/path") && wrong.stderr.contains("1/zone"), "{}", wrong.stderr);
    intake.0.write(
        "twice.yaml",
        "- { name: New, path: data }\n- { name: Loans, path: data }\n- { name: ' New', path: data }\n",
    );
    let twice = intake.run(&["import", "twice.yaml"]).exits(3);
    assert!(
        twice.stderr.contains("2/name") && twice.stderr.contains("is the name of entry /0 too"),
        "{}",
        twice.stderr
    );
    let listed = intake.json(&["list"]);
    assert_eq!(listed["total"], 2);
    assert_eq!(intake.json(&["list", "--search", "rat"])["items"][0]["name"], "Rates");
    assert_eq!(intake.json(&["list", "--status", "inactive"])["total"], 0);
    let table = intake.run(&["list", "--limit", "1"]).exits(0).stdout;
    assert!(table.contains("Loans") && !table.contains("Rates"), "{table}");
}
