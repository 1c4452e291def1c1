//! A worker's own clock, and due times that start runs: the real daemon, no broker.

use crate::support::daemon::{Daemon, stop};
use crate::support::filegen::Filegen;
use crate::support::http::Http;
use crate::support::running::until;
use serde_json::{Value, json};

/// `out` is made, so that both sides of the test see the same store.
fn with_clock(cron: &str, more: &str) -> Filegen {
    let filegen = Filegen::with_loans(30);
    filegen.edit("output:", &format!("trigger: {{ schedule: {{ cron: \"{cron}\"{more} }} }}\noutput:"));
    filegen
}

fn runs(filegen: &Filegen) -> Vec<Value> {
    let status = filegen.run("status -c worker.yaml --output json").exits(0).json();
    status["workers"][0]["runs"].as_array().cloned().unwrap_or_default()
}

#[test]
fn a_due_time_starts_the_run_of_its_date_once_and_the_next_one_is_shown() {
    let filegen = with_clock("* * * * * ?", ", business_date: day_before");
    let daemons = [Daemon::start(&filegen), Daemon::start(&filegen)];
    let published = until("a published run", || runs(&filegen).into_iter().find(|run| run["status"] == "published"));
    let yesterday = published["businessDate"].as_str().unwrap();
    let by = published["requestedBy"].as_str().unwrap();
    assert!(by.starts_with("schedule:") && by.ends_with(" of * * * * * ? in UTC"), "{by}");
    let due: jiff::Timestamp = by["schedule:".len()..].split(' ').next().unwrap().parse().unwrap();
    let day = due.to_zoned_datetime(jiff::tz::TimeZone::UTC).date().yesterday().unwrap();
    assert_eq!(yesterday, day.to_string());
    let name = format!("out/loan0_{}.txt", yesterday.replace('-', ""));
    assert!(filegen.has(&name), "{name}");
    for daemon in &daemons {
        let shown: Value = serde_json::from_str(&daemon.get("/status").1).unwrap();
        assert!(shown["workers"][0]["nextDue"]["at"].is_string(), "{shown}");
        assert!(daemon.get("/").1.contains("<dt>next</dt><dd>run of "));
    }
    let logs = stop(daemons).concat();
    assert_eq!(logs.matches("run requested by the worker's own clock").count(), runs(&filegen).len(), "{logs}");
}

#[test]
fn the_next_due_time_is_told_before_anything_ran_and_a_wrong_clock_is_refused() {
    let filegen = with_clock(
        "0 30 2 ? * MON-FRI",
        ", zone: Europe/Berlin, calendar: target, business_date: previous_business_day",
    );
    let told = filegen.run("status -c worker.yaml").exits(0).stderr;
    assert!(told.contains("nothing has run here yet; the run of ") && told.contains(" is due at "), "{told}");
    let shown = filegen.run("config show -c worker.yaml").exits(0).stdout;
    for words in
        ["business_date: previous_business_day", "calendar: target", "misfire: fire_once", "zone: Europe/Berlin"]
    {
        assert!(shown.contains(words), "{shown}");
    }
    filegen.publish();
    let status = filegen.run("status -c worker.yaml --output json").exits(0).json();
    let next = &status["workers"][0]["nextDue"];
    assert!(
        next["at"].as_str().unwrap() > "2026" && next["businessDate"].as_str().unwrap() < next["at"].as_str().unwrap()
    );
    assert!(filegen.run("status -c worker.yaml").exits(0).stdout.contains(", run of "));
    // In the topic's place: the environment's brokers make no trigger.
    let mut show = filegen.command("config show -c worker.yaml");
    assert!(!Filegen::finish(show.env("KAFKA_BROKERS", "k:9092")).exits(0).stdout.contains("loan-data"));
    for (from, to, words) in [
        ("0 30 2 ? * MON-FRI", "30 2 * * 1-5", "five fields"),
        ("Europe/Berlin", "Mars", "no time zone is called"),
        ("calendar: target", "calendar: none.ics", "cannot be read"),
        ("previous_business_day", "tomorrow", "today"),
    ] {
        let wrong = with_clock(
            "0 30 2 ? * MON-FRI",
            ", zone: Europe/Berlin, calendar: target, business_date: previous_business_day",
        );
        wrong.edit(from, to);
        let told = wrong.run("config check -c worker.yaml").exits(3).stderr;
        assert!(told.contains(words), "{to}: {told}");
    }
}

#[test]
fn a_data_source_starts_a_run_of_a_worker_of_the_same_daemon() {
    let filegen = Filegen::with_loans(30);
    std::fs::create_dir(filegen.path("data")).unwrap();
    let door = "{ port: 0, listen: 127.0.0.1 }";
    filegen.write("intake.yaml", &format!("scheduler: intake\nroots: [data]\napi: {door}\npage: {door}\n"));
    let mut daemon = Daemon::of(&mut filegen.command("daemon -c intake.yaml -c worker.yaml --health-port 0"));
    let line = daemon.running.wait_for("door=api");
    let api = Http::described_at(line.rsplit("port=").next().unwrap().trim().parse().unwrap());
    let source = |worker: &str| {
        let given =
            json!({ "name": "Nightly", "path": "data", "cronExpression": "* * * * * ?", "action": { "run": worker } });
        api.post("/api/v1/datasource", "application/json", &given.to_string())
    };
    let refused = source("Nobody");
    assert_eq!(
        (refused.code, &refused.json()["errors"][0]["pointer"]),
        (422, &json!("/action/run")),
        "{}",
        refused.body
    );
    let made = source("LoanWorker");
    assert_eq!(made.code, 201, "{}", made.body);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let run = until("a published run", || runs(&filegen).into_iter().find(|run| run["status"] == "published"));
    assert!(run["requestedBy"].as_str().unwrap().starts_with(&format!("execution:{id}:")), "{run}");
    let history = api.get(&format!("/api/v1/schedule/{id}/history")).json();
    let notes = history["items"].to_string();
    assert!(notes.contains("asked for the run LoanWorker:"), "{notes}");
    stop([daemon]);
}
