//! What a scheduler's doors say of themselves: each route and each status is tried, and every answer is held against the description.

use super::intake::{Intake, SCHEDULER, SOURCES};
use crate::support::daemon::stop;
use crate::support::filegen::Filegen;
use crate::support::http::{Answer, Http};
use crate::support::openapi::{Heard, described, description, hold_body, name, operations};
use crate::support::running::until;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;

const SCHEDULES: &str = "/api/v1/schedule";

/// Operations that change something.
const WRITES: [&str; 6] =
    ["createDataSource", "updateDataSource", "deleteDataSource", "pauseSchedule", "resumeSchedule", "runSchedule"];

/// Statuses of operations that no request can bring about here.
fn unseen((operation, code): &Heard) -> bool {
    match code {
        // Too many at once, and a store that does not answer whoever looks: another process keeps only writes from this one.
        503 => !WRITES.contains(&operation.as_str()),
        // The secret is read once.
        500 => operation == "showPageToken",
        _ => false,
    }
}

/// All that a data source can say.
fn whole(name: &str) -> Value {
    json!({
        "name": name, "description": "of the day", "path": "data/in", "pattern": "*.csv", "recursive": true,
        "cronExpression": "0 30 2 ? * MON-FRI", "zone": "Europe/Berlin", "calendar": "target", "isActive": true,
        "overlap": "queue", "misfire": "fire_all", "action": { "discover": { "stableFor": "100ms", "doneFile": "{name}.done" } },
        "dst": "both", "closedDay": "next", "deadline": { "time": "06:30" }, "pauseAfterFailures": 3,
    })
}

/// Sends a request for each operation, at a path that names a data source.
fn each(door: &Http, id: &str, headers: &[(&str, &str)]) -> Vec<(String, u16)> {
    let ask = |(path, method, operation): (&str, &str, &Value)| {
        let at = path.replace("{id}", id);
        let request = door.request(&method.to_uppercase(), &at).header("content-type", "application/json");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let answer = match (method, path) {
            ("get" | "delete", _) => door.send(request, ()),
            (_, path) if path.starts_with(SOURCES) => door.send(request, whole("Other").to_string().as_str()),
            _ => door.send(request, "{}"),
        };
        (name(operation), answer.code)
    };
    operations().filter(|(path, ..)| *path != "/page-token").map(ask).collect()
}

/// What announces a longer body than any request has.
fn announced(door: &Http, method: &str, path: &str) {
    let mut stream = TcpStream::connect(("127.0.0.1", door.port())).unwrap();
    let head =
        "Host: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 70000\r\n\r\n";
    stream.write_all(format!("{method} {path} HTTP/1.1\r\n{head}").as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let code = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut headers = ureq::http::HeaderMap::new();
    headers.insert("content-type", "application/problem+json".parse().unwrap());
    assert_eq!(code, 413, "{method} {path}: {text}");
    door.hold(method, path, &Answer { code, headers, body: body.to_owned() });
}

fn database(filegen: &Filegen) -> rusqlite::Connection {
    rusqlite::Connection::open(filegen.path("intake.db")).unwrap()
}

fn folder() -> Filegen {
    let filegen = Filegen::empty();
    std::fs::create_dir_all(filegen.path("data/in")).unwrap();
    filegen
}

/// What a person does, rightly and wrongly.
fn used(intake: &Intake) {
    let (api, given) = (&intake.api, whole("Loans"));
    hold_body("createDataSource", &given);
    let made = intake.post(&given);
    assert_eq!(made.code, 201, "{}", made.body);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let codes: Vec<u16> =
        ["{", "[]", "{\"name\":1}"].map(|body| api.post(SOURCES, "application/json", body).code).into();
    assert_eq!(codes, [400, 422, 422]);
    assert_eq!((api.post(SOURCES, "text/plain", "{}").code, intake.post(&given).code), (415, 409));
    let other = intake.post(&json!({ "name": "Rates", "path": "data/in", "pollingRate": "1h" })).json();
    assert_eq!(api.get(&format!("{SOURCES}?size=0")).code, 422);
    let (one, bad) = (format!("{SOURCES}/{id}"), format!("{SOURCES}/%ff"));
    assert_eq!((api.get(&one).code, api.get(&bad).code, api.get(&format!("{SOURCES}/none")).code), (200, 400, 404));
    assert_eq!(api.get(&format!("{one}?x=1")).code, 422);
    assert_eq!(intake.put(&id, Some("\"1\""), &whole("Loans")).code, 200);
    let wrong = json!({ "name": "", "path": "data/in" });
    let puts = [(Some("\"1\""), &whole("Loans")), (Some("*"), &wrong), (None, &wrong), (Some("*"), &whole("Rates"))];
    assert_eq!(puts.map(|(tag, value)| intake.put(&id, tag, value).code), [412, 422, 428, 409]);
    let put = |path: &str, kind: &str, body: &str| {
        let request = api.request("PUT", path).header("content-type", kind).header("if-match", "*");
        api.send(request, body).code
    };
    assert_eq!((put(&one, "application/json", "{"), put(&one, "text/plain", "{}")), (400, 415));
    assert_eq!(intake.put("none", Some("*"), &whole("None")).code, 404);
    let rates = other["id"].as_str().unwrap();
    assert_eq!(["%ff", "none", "none?x=1"].map(|id| intake.delete(id, Some("*")).code), [400, 404, 422]);
    let deleted = [None, Some("\"9\""), Some("\"1\"")].map(|tag| intake.delete(rates, tag).code);
    assert_eq!(deleted, [428, 412, 204]);
    steered(intake, &id);
    for path in ["/api/v1/attention", "/api/v1/metrics", "/api/v1/cron?expression=0", "/openapi.json", "/metrics"] {
        assert_eq!(api.get(path).code, 200, "{path}");
    }
    assert_eq!((api.get("/api/v1/attention?x=1").code, api.get("/api/v1/cron?x=1").code), (422, 422));
    let (words, never) =
        ("/api/v1/cron?expression=0+30+2+%3F+*+SAT&calendar=weekends&zone=Europe/Berlin", "&closedDay=next");
    assert_eq!((api.get(words).code, api.get(&format!("{words}{never}")).code), (200, 200));
    assert_eq!(intake.page.get("/page-token").code, 200);
}

/// A schedule, shown and steered.
fn steered(intake: &Intake, id: &str) {
    let api = &intake.api;
    let at = |id: &str, what: &str| format!("{SCHEDULES}/{id}{what}");
    let post = |what: &str, body: &Value| {
        hold_body(&format!("{what}Schedule"), body);
        api.post(&at(id, &format!("/{what}")), "application/json", &body.to_string()).code
    };
    until("it is scheduled", || (api.get(&at(id, "")).code == 200).then_some(()));
    let asked = json!({ "reason": "month end", "by": "ann" });
    assert_eq!((post("run", &asked), post("pause", &asked), post("pause", &json!({}))), (202, 200, 409));
    assert_eq!((post("resume", &json!({ "by": null })), post("resume", &json!({}))), (200, 409));
    until("it has run", || intake.history(id).iter().any(|one| one["endedAt"].is_string()).then_some(()));
    for what in ["/pause", "/resume", "/run"] {
        let codes = [("application/json", "{"), ("text/plain", "{}"), ("application/json", "{\"x\":1}")]
            .map(|(kind, body)| api.post(&at(id, what), kind, body).code);
        let others = ["%ff", "none"].map(|id| api.post(&at(id, what), "application/json", "{}").code);
        assert_eq!((codes, others), ([400, 415, 422], [400, 404]), "{what}");
    }
    for what in ["", "/history"] {
        assert_eq!(["%ff", "none"].map(|id| api.get(&at(id, what)).code), [400, 404], "{what}");
        assert_eq!(api.get(&at(id, &format!("{what}?x=1"))).code, 422);
    }
    assert_eq!(
        (api.get(&format!("{SCHEDULES}?status=active")).code, api.get(&format!("{SCHEDULES}?x=1")).code),
        (200, 422)
    );
    // Two schedules with one name are known by their ids alone.
    let twin =
        "INSERT INTO ScheduledDataSource SELECT 'twin', changedAt, revision, token, json_set(document, '$.id', 'twin')
                FROM ScheduledDataSource WHERE id = ?1";
    assert_eq!(database(&intake.filegen).execute(twin, [id]).unwrap(), 1);
    for what in ["", "/history"] {
        assert_eq!(api.get(&at("Loans", what)).code, 409, "{what}");
    }
    assert_eq!(api.post(&at("Loans", "/run"), "application/json", "{}").code, 409);
}

#[test]
fn every_route_and_status_of_the_doors_is_as_it_is_described() {
    let filegen = folder();
    filegen.write("intake.yaml", SCHEDULER);
    let intake = Intake::over(filegen);
    until("it is ready", || (intake.api.get("/health/ready").code == 200).then_some(()));
    assert_eq!((intake.api.get("/health").code, intake.api.get("/health/live").code), (200, 200));
    used(&intake);
    let foreign = each(&intake.api, "none", &[("host", "evil.example")]);
    assert!(foreign.iter().all(|(_, code)| *code == 421), "{foreign:?}");
    assert_eq!(
        intake.page.send(intake.page.request("GET", "/page-token").header("host", "evil.example"), ()).code,
        421
    );
    each(&intake.api, "none", &[("origin", "http://evil.example")]);
    for (path, method, operation) in operations() {
        if operation["responses"].get("413").is_some() {
            announced(&intake.api, &method.to_uppercase(), &path.replace("{id}", "none"));
        }
    }
    assert_eq!(intake.api.get("/openapi.json").json(), *description());
    let mut heard: BTreeSet<Heard> = intake.api.heard();
    heard.extend(intake.page.heard());
    stop([intake.daemon]);
    heard.extend(without_token());
    heard.extend(over_a_broken_store());
    heard.extend(over_a_store_that_is_kept());
    let unheard: Vec<Heard> = described().difference(&heard).filter(|one| !unseen(one)).cloned().collect();
    assert_eq!(unheard, [], "described, and not met");
}

fn without_token() -> BTreeSet<Heard> {
    let filegen = folder();
    filegen.write("intake.yaml", &SCHEDULER.replace("api: {", "api: { token: s3cret-s3cret,"));
    let intake = Intake::over(filegen);
    each(&intake.api, "none", &[]);
    let heard = intake.api.heard();
    stop([intake.daemon]);
    heard
}

/// What people who looked into the database have left of it.
fn over_a_broken_store() -> BTreeSet<Heard> {
    let filegen = folder();
    filegen.write("intake.yaml", SCHEDULER);
    let intake = Intake::over(filegen);
    until("it is ready", || (intake.api.get("/health/ready").code == 200).then_some(()));
    let tables = ["DataSource", "ScheduledDataSource", "ScheduleExecution"].map(|table| format!("DROP TABLE {table};"));
    database(&intake.filegen).execute_batch(&tables.concat()).unwrap();
    each(&intake.api, "none", &[("if-match", "*")]);
    let heard = intake.api.heard();
    drop(intake.daemon);
    heard
}

/// Another process writes, and does not end.
fn over_a_store_that_is_kept() -> BTreeSet<Heard> {
    let filegen = folder();
    filegen.write("intake.yaml", SCHEDULER);
    let intake = Intake::over(filegen);
    let [active, paused] = ["Loans", "Rates"].map(|name| {
        let made = intake.post(&json!({ "name": name, "path": "data/in", "cronExpression": "0 0 4 1 1 ?" })).json();
        made["id"].as_str().unwrap().to_owned()
    });
    for (id, what) in [(&active, "resume"), (&paused, "pause")] {
        let path = format!("{SCHEDULES}/{id}/{what}");
        let steered = || intake.api.post(&path, "application/json", "{}").code;
        until("it is scheduled", || (steered() != 404).then_some(()));
    }
    let other = database(&intake.filegen);
    until("it has the store", || other.execute_batch("BEGIN IMMEDIATE").ok());
    for id in [&active, &paused] {
        each(&intake.api, id, &[("if-match", "*")]);
    }
    other.execute_batch("ROLLBACK").unwrap();
    let heard = intake.api.heard();
    stop([intake.daemon]);
    heard
}

#[test]
fn the_doors_take_the_parameters_that_are_described_and_no_other() {
    let filegen = folder();
    filegen.write("intake.yaml", SCHEDULER);
    let intake = Intake::over(filegen);
    let id = intake.post(&json!({ "name": "Loans", "path": "data/in" })).json()["id"].as_str().unwrap().to_owned();
    until("it is scheduled", || (intake.api.get(&format!("{SCHEDULES}/{id}")).code == 200).then_some(()));
    let mut tried = 0;
    for (path, method, operation) in operations() {
        if method != "get" || operation["responses"].get("422").is_none() {
            continue;
        }
        let names: BTreeSet<&str> =
            operation["parameters"].as_array().into_iter().flatten().map(|it| it["name"].as_str().unwrap()).collect();
        let refused = intake.api.get(&format!("{}?nonsense=1", path.replace("{id}", &id)));
        let hint = refused.json()["errors"][0]["hint"].as_str().unwrap().to_owned();
        let taken: BTreeSet<&str> = match hint.strip_prefix("it takes ").unwrap() {
            "none" => BTreeSet::new(),
            list => list.split(", ").collect(),
        };
        assert_eq!((refused.code, taken), (422, names), "{path}");
        tried += 1;
    }
    assert_eq!(tried, 7, "lists, shown ones, and what is explained");
    let wrong = format!("{SOURCES}/{id}?nonsense=1");
    assert_eq!(intake.api.send(intake.api.request("DELETE", &wrong).header("if-match", "*"), ()).code, 422);
    let put = intake.api.request("PUT", &wrong).header("if-match", "*").header("content-type", "application/json");
    assert_eq!(intake.api.send(put, whole("Loans").to_string().as_str()).code, 422);
    let post = intake.api.post(&format!("{SOURCES}?nonsense=1"), "application/json", &whole("Rates").to_string());
    assert_eq!((post.code, intake.api.get(&format!("{SOURCES}/{id}")).json()["version"].clone()), (422, json!(1)));
    stop([intake.daemon]);
}
