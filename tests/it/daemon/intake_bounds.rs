//! How many data sources there may be, and how often one may be due.

use super::intake::{Intake, SCHEDULER, SOURCES};
use crate::support::daemon::stop;
use crate::support::filegen::Filegen;
use serde_json::{Value, json};

fn source(name: &str, cron: &str) -> Value {
    json!({ "name": name, "path": "data/in", "cronExpression": cron })
}

fn intake(limits: &str) -> Intake {
    let filegen = Filegen::empty();
    filegen.write("intake.yaml", &SCHEDULER.replace("policies: {", &format!("policies: {{ {limits}")));
    std::fs::create_dir_all(filegen.path("data/in")).unwrap();
    Intake::over(filegen)
}

#[test]
fn more_data_sources_than_the_limit_and_such_that_are_due_too_often_are_refused() {
    let intake = intake("max_sources: 3, least_interval: 30s, ");
    let yearly = "0 0 4 1 1 ?";
    let refused = intake.post(&source("often", "*/10 * * * * ?"));
    assert_eq!(refused.code, 422, "{}", refused.body);
    let fault = &refused.json()["errors"][0];
    assert!(fault["pointer"] == "/cronExpression" && fault["detail"].as_str().unwrap().contains("10 s"), "{fault}");
    for name in ["a", "b"] {
        assert_eq!(intake.post(&source(name, yearly)).code, 201);
    }
    // All or none: two more than there is room for.
    let many = json!([source("a", "0 0 5 1 1 ?"), source("c", yearly), source("d", yearly)]);
    intake.filegen.write("many.json", &many.to_string());
    let told = intake.filegen.run("datasource import -c intake.yaml many.json").exits(3);
    assert!(told.stderr.contains("policies.max_sources"), "{}", told.stderr);
    assert_eq!(intake.api.get(SOURCES).json()["total"], 2);
    assert_eq!(intake.post(&source("c", yearly)).code, 201);
    let refused = intake.post(&source("d", yearly));
    assert!(refused.code == 422 && refused.body.contains("3 data sources already"), "{}", refused.body);
    // Room is made by taking one away.
    let id = intake.api.get(SOURCES).json()["items"][0]["id"].as_str().unwrap().to_owned();
    let gone = intake.api.request("DELETE", &format!("{SOURCES}/{id}")).header("if-match", "*");
    assert_eq!(intake.api.send(gone, ()).code, 204);
    assert_eq!(intake.post(&source("d", yearly)).code, 201);
    stop([intake.daemon]);
}

#[test]
fn one_that_is_due_each_second_is_taken_and_told() {
    let intake = intake("");
    let made = intake.post(&source("often", "* * * * * ?"));
    assert_eq!(made.code, 201, "{}", made.body);
    assert!(made.json()["warnings"][0].as_str().unwrap().contains("60 times an hour"), "{}", made.body);
    let made = intake.post(&source("minutely", "0 * * * * ?"));
    assert!(made.json()["warnings"].is_null(), "{}", made.body);
    stop([intake.daemon]);
}
