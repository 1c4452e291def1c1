//! A scheduler as a service: data sources by REST, found files, and the page in a real browser.

use crate::support::daemon::{Daemon, all_are_watched, has_metrics, stop};
use crate::support::filegen::Filegen;
use crate::support::http::{Answer, Http};
use crate::support::running::until;
use serde_json::{Value, json};
use std::os::unix::fs::symlink;
use std::process::Command;

pub(super) const SCHEDULER: &str = "scheduler: intake\nroots: [data]\napi: { port: 0, listen: 127.0.0.1, cors: [\"http://app.example\"] }\n\
                         page: { port: 0, listen: 127.0.0.1 }\ndefaults: { stable_for: 100ms }\n\
                         policies: { lease_ttl: 10s, lease_heartbeat_interval: 500ms, takeover_polling_interval: 200ms }\n";

pub(super) const SOURCES: &str = "/api/v1/datasource";

/// A scheduler with its doors.
pub(super) struct Intake {
    pub(super) filegen: Filegen,
    pub(super) daemon: Daemon,
    pub(super) api: Http,
    pub(super) page: Http,
}

impl Intake {
    pub(super) fn start() -> Self {
        let filegen = Filegen::empty();
        filegen.write("intake.yaml", SCHEDULER);
        std::fs::create_dir_all(filegen.path("data/in")).unwrap();
        Self::over(filegen)
    }

    pub(super) fn over(filegen: Filegen) -> Self {
        Self::by(filegen, "daemon -c intake.yaml --health-port 0")
    }

    pub(super) fn by(filegen: Filegen, command: &str) -> Self {
        let mut command = filegen.command(command);
        Self::of(filegen, &mut command)
    }

    pub(super) fn of(filegen: Filegen, command: &mut Command) -> Self {
        let mut daemon = Daemon::of(command);
        let mut door = |name: &str| {
            let line = daemon.running.wait_for(&format!("door={name}"));
            let port = line.rsplit("port=").next().and_then(|port| port.trim().parse().ok());
            Http::described_at(port.unwrap_or_else(|| panic!("no port in {line}")))
        };
        let (api, page) = (door("api"), door("page"));
        Self { filegen, daemon, api, page }
    }

    pub(super) fn post(&self, value: &Value) -> Answer {
        self.api.post(SOURCES, "application/json", &value.to_string())
    }

    pub(super) fn put(&self, id: &str, tag: Option<&str>, value: &Value) -> Answer {
        let request = self.api.request("PUT", &format!("{SOURCES}/{id}")).header("content-type", "application/json");
        let request = tag.into_iter().fold(request, |request, tag| request.header("if-match", tag));
        self.api.send(request, value.to_string().as_str())
    }

    pub(super) fn delete(&self, id: &str, tag: Option<&str>) -> Answer {
        let request = self.api.request("DELETE", &format!("{SOURCES}/{id}"));
        let request = tag.into_iter().fold(request, |request, tag| request.header("if-match", tag));
        self.api.send(request, ())
    }

    pub(super) fn history(&self, id: &str) -> Vec<Value> {
        let answer = self.api.get(&format!("/api/v1/schedule/{id}/history"));
        if answer.code == 404 { Vec::new() } else { answer.json()["items"].as_array().unwrap().clone() }
    }
}

#[test]
fn a_data_source_is_made_changed_and_taken_away_by_whoever_saw_it() {
    let intake = Intake::start();
    let given = json!({ "name": "Loans", "path": "data/in", "pattern": "*.csv", "pollingRate": "00:02:00" });
    let made = intake.post(&given);
    assert_eq!((made.code, made.header("etag")), (201, "\"1\""), "{}", made.body);
    let source = made.json();
    let id = source["id"].as_str().unwrap();
    assert_eq!(made.header("location"), format!("{SOURCES}/{id}"));
    assert_eq!((&source["cronExpression"], &source["version"]), (&json!("0 */2 * * * ?"), &json!(1)));
    assert_eq!(intake.api.get(&format!("{SOURCES}/{id}")).json(), source);
    let listed = intake.api.get(SOURCES).body;
    assert!(listed.contains(&made.body), "one order of fields: {listed} {}", made.body);
    assert_eq!(intake.post(&given).code, 409);
    assert_eq!(intake.put(id, None, &source).code, 428);
    let mut changed = source.clone();
    changed["description"] = json!("of the day");
    let saved = intake.put(id, Some("\"1\""), &changed);
    assert_eq!((saved.code, saved.header("etag")), (200, "\"2\""), "{}", saved.body);
    let late = intake.put(id, Some("\"1\""), &source);
    assert_eq!((late.code, &late.json()["current"]["description"]), (412, &json!("of the day")));
    assert_eq!(intake.delete(id, None).code, 428);
    assert_eq!(intake.delete(id, Some("\"1\"")).code, 412);
    assert_eq!(intake.delete(id, Some("\"2\"")).code, 204);
    assert_eq!(intake.delete(id, Some("\"2\"")).code, 404);
    assert_eq!(intake.api.get(&format!("{SOURCES}/{id}")).code, 404);
    assert_eq!(intake.post(&given).code, 201, "the name is free again");
    stop([intake.daemon]);
}

#[test]
fn what_is_wrong_is_refused_with_every_fields_fault() {
    let intake = Intake::start();
    symlink("/etc", intake.filegen.path("data/link")).unwrap();
    let answer =
        intake.post(&json!({ "name": "", "path": "/etc", "cronExpression": "0 0 12 * * * *", "zone": "Mars" }));
    let problem = answer.json();
    assert_eq!((answer.code, answer.header("content-type")), (422, "application/problem+json"));
    let pointers: Vec<&str> =
        problem["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    for pointer in ["/name", "/path", "/cronExpression", "/zone"] {
        assert!(pointers.contains(&pointer), "{problem}");
    }
    let both = intake.post(&json!({ "name": "", "path": "data/link" })).json();
    assert_eq!(both["errors"].as_array().unwrap().len(), 2, "{both}");
    for path in ["data/../../etc", "data/link", "/etc/passwd"] {
        assert_eq!(intake.post(&json!({ "name": "a", "path": path })).code, 422, "{path}");
    }
    for (kind, body, code) in [
        ("application/json", "{", 400),
        ("text/plain", "{}", 415),
        ("application/json", "[]", 422),
        ("application/json", &format!("{{\"name\":\"{}\"}}", "x".repeat(70_000)), 413),
    ] {
        let answer = intake.api.post(SOURCES, kind, body);
        assert_eq!((answer.code, answer.header("content-type")), (code, "application/problem+json"), "{}", answer.body);
    }
    assert_eq!(intake.api.get("/api/v1/nothing").code, 404);
    assert_eq!(intake.api.send(intake.api.request("DELETE", SOURCES), ()).code, 405);
    assert_eq!(intake.api.get(&format!("{SOURCES}?page=0")).code, 422);
    assert_eq!(intake.api.get("/openapi.json").json()["openapi"], "3.1.0");
    // Pages of other origins.
    let from = |origin: &str| {
        let request = intake.api.request("POST", SOURCES).header("content-type", "application/json");
        intake.api.send(request.header("origin", origin), "{}")
    };
    assert_eq!(from("http://evil.example").code, 403);
    let answer = from("http://app.example");
    assert_eq!((answer.code, answer.header("access-control-allow-origin")), (422, "http://app.example"));
    // A browser asks beforehand, with a method that no route takes.
    let asked = |origin: &str| {
        let request = intake.api.request("OPTIONS", SOURCES).header("access-control-request-method", "PUT");
        intake.api.send(request.header("origin", origin), ())
    };
    let (known, other) = (asked("http://app.example"), asked("http://evil.example"));
    assert_eq!((known.code, known.header("access-control-allow-origin")), (204, "http://app.example"));
    assert!(known.header("access-control-allow-headers").contains("if-match"));
    assert_eq!(other.header("access-control-allow-origin"), "");
    // The page's door wants the page's token.
    assert_eq!(intake.page.post(SOURCES, "application/json", "{}").code, 403);
    stop([intake.daemon]);
}

#[test]
fn a_schedule_that_pauses_by_itself_is_counted_and_the_leader_says_that_it_leads() {
    let intake = Intake::start();
    std::fs::create_dir_all(intake.filegen.path("data/gone")).unwrap();
    let frail =
        json!({ "name": "Frail", "path": "data/gone", "cronExpression": "* * * * * ?", "pauseAfterFailures": 2 });
    let id = intake.post(&frail).json()["id"].as_str().unwrap().to_owned();
    std::fs::remove_dir(intake.filegen.path("data/gone")).unwrap();
    let status = || intake.api.get(&format!("/api/v1/schedule/{id}"));
    until("it pauses", || (status().code == 200 && status().json()["status"] == "Paused").then_some(()));
    for line in ["schedule_paused_total{scheduler=\"intake\"} 1\n", "schedule_leader{scheduler=\"intake\"} 1\n"] {
        until(line, || intake.daemon.get("/metrics").1.contains(line).then_some(()));
    }
    stop([intake.daemon]);
}

#[test]
fn each_door_answers_probes_and_the_api_asks_for_its_token() {
    let filegen = Filegen::empty();
    filegen.write("intake.yaml", &SCHEDULER.replace("api: {", "api: { token: s3cret-s3cret,"));
    std::fs::create_dir_all(filegen.path("data/in")).unwrap();
    let intake = Intake::over(filegen);
    for door in [&intake.api, &intake.page] {
        until("ready", || (door.get("/health/ready").code == 200).then_some(()));
        assert_eq!((door.get("/health/live").code, door.get("/health").code), (200, 200));
        assert!(door.get("/metrics").body.contains("schedules{"), "metrics of the process");
        assert_eq!(door.get("/openapi.json").code, 200);
    }
    let with = |token: Option<&str>, path: &str| {
        let request = intake.api.request("GET", path);
        let request = token.into_iter().fold(request, |request, token| request.header("authorization", token));
        intake.api.send(request, ())
    };
    for path in [SOURCES, "/api/v1/schedule", "/api/v1/metrics", "/api/v1/cron?expression=x"] {
        for token in [None, Some("Bearer s3cre"), Some("Basic s3cret"), Some("Bearer s3cret-s3cret2")] {
            let answer = with(token, path);
            assert_eq!((answer.code, answer.header("www-authenticate")), (401, "Bearer"), "{path} {token:?}");
        }
        assert_eq!(with(Some("Bearer s3cret-s3cret"), path).code, 200, "{path}");
    }
    let metrics = with(Some("Bearer s3cret-s3cret"), "/api/v1/metrics").json();
    let items = metrics["items"].as_array().unwrap();
    let active = items.iter().find(|it| it["name"] == "schedules" && it["labels"]["status"] == "Active").unwrap();
    assert_eq!((&active["type"], &metrics["total"]), (&json!("gauge"), &json!(items.len())));
    assert!(active["value"].is_number() && active["help"].as_str().unwrap().contains("status"), "{active}");
    // A browser's question beforehand carries none.
    let asked = intake.api.request("OPTIONS", SOURCES).header("access-control-request-method", "GET");
    assert_eq!(intake.api.send(asked.header("origin", "http://app.example"), ()).code, 204);
    assert!(!intake.filegen.run("config show -c intake.yaml").exits(0).stdout.contains("s3cret"));
    intake.filegen.write("empty.yaml", &SCHEDULER.replace("api: {", "api: { token: \"\","));
    intake.filegen.run("config check -c empty.yaml").exits(3);
    intake.filegen.write("cron.yaml", &SCHEDULER.replace("defaults: {", "defaults: { cron: \"0 0 * * *\","));
    intake.filegen.run("config check -c cron.yaml").exits(3);
    stop([intake.daemon]);
}

#[test]
fn data_sources_that_a_file_brings_along_are_made_to_the_last_by_whichever_process() {
    let filegen = Filegen::empty();
    filegen.write("intake.yaml", &format!("{SCHEDULER}sources: sources.yaml\n"));
    let entry = |name: &str| format!("- {{ name: {name}, path: data/in, cronExpression: '0 0 4 1 1 ?' }}\n");
    filegen.write("sources.yaml", &["A", "B", "C"].map(entry).concat());
    std::fs::create_dir_all(filegen.path("data/in")).unwrap();
    let mut first = filegen.command("daemon -c intake.yaml --health-port 0");
    Daemon::of(first.env("FAILPOINTS", "source.saved=return")).running.finish();
    let intake = Intake::over(filegen);
    let names = || intake.api.get(SOURCES).json()["items"].as_array().unwrap().len();
    until("all are made", || (names() == 3).then_some(()));
    // What people delete stays deleted.
    let id = intake.api.get(SOURCES).json()["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(intake.delete(&id, Some("*")).code, 204);
    let Intake { filegen, daemon, .. } = intake;
    stop([daemon]);
    let intake = Intake::over(filegen);
    assert_eq!(intake.api.get(SOURCES).json()["total"], 2);
    stop([intake.daemon]);
}

#[test]
fn a_schedule_that_cannot_be_read_holds_up_no_others_change_and_no_others_times() {
    let filegen = Filegen::empty();
    filegen.write("intake.yaml", &SCHEDULER.replace("api: {", "state: { url: \"sqlite:intake.db\" }\napi: {"));
    std::fs::create_dir_all(filegen.path("data/in")).unwrap();
    let intake = Intake::over(filegen);
    let given = |name: &str| json!({ "name": name, "path": "data/in", "cronExpression": "* * * * * ?" });
    let make = |name: &str| intake.post(&given(name)).json()["id"].as_str().unwrap().to_owned();
    let fires = |id: &str| {
        let count = intake.history(id).len();
        until("it fires", || (intake.history(id).len() > count + 1).then_some(()));
    };
    let (loans, rates) = (make("Loans"), make("Rates"));
    fires(&loans);
    let state = rusqlite::Connection::open(intake.filegen.path("intake.db")).unwrap();
    state.busy_timeout(std::time::Duration::from_secs(30)).unwrap();
    // It stays so: the end of a fire that is under way would write it anew.
    let spoil = format!("UPDATE ScheduledDataSource SET document = '{{}}' WHERE id = '{loans}'");
    let again = format!(
        "CREATE TRIGGER spoils AFTER UPDATE ON ScheduledDataSource WHEN NEW.id = '{loans}' BEGIN {spoil}; END; {spoil};"
    );
    state.execute_batch(&again).unwrap();
    let changed = intake.put(&loans, Some("*"), &given("Loans of today"));
    assert_eq!(changed.code, 200, "{}", changed.body);
    let later = make("Later");
    fires(&later);
    fires(&rates);
    let Intake { filegen, daemon, .. } = intake;
    let log = stop([daemon]).concat();
    assert!(!log.contains("has ended by a fault") && log.contains("schedule cannot be used"), "{log}");
    // With a new leader, too.
    let intake = Intake::over(filegen);
    let count = intake.history(&rates).len();
    until("it fires", || (intake.history(&rates).len() > count + 1).then_some(()));
    stop([intake.daemon]);
}

#[test]
fn records_that_make_no_sense_and_endless_files_stop_nobody_else() {
    let filegen = Filegen::empty();
    let small = SCHEDULER.replace("defaults: {", "defaults: { max_size: 1MiB,");
    filegen.write("intake.yaml", &small.replace("api: {", "state: { url: \"sqlite:intake.db\" }\napi: {"));
    std::fs::create_dir_all(filegen.path("data/in")).unwrap();
    std::fs::create_dir_all(filegen.path("data/large")).unwrap();
    std::fs::File::create(filegen.path("data/large/a.bin")).unwrap().set_len(3 << 40).unwrap();
    filegen.write("data/large/b.csv", "b");
    let intake = Intake::over(filegen);
    let make = |name: &str, path: &str| {
        let given = json!({ "name": name, "path": path, "cronExpression": "* * * * * ?" });
        intake.post(&given).json()["id"].as_str().unwrap().to_owned()
    };
    let (loans, rates, large) = (make("Loans", "data/in"), make("Rates", "data/in"), make("Large", "data/large"));
    let told = |id: &str, words: &str| {
        until(words, || intake.history(id).iter().any(|one| one.to_string().contains(words)).then_some(()));
    };
    told(&large, "1 file passed over, larger than `defaults.max_size`: a.bin");
    told(&large, "\"filesNew\":1");
    let state = rusqlite::Connection::open(intake.filegen.path("intake.db")).unwrap();
    state.busy_timeout(std::time::Duration::from_secs(30)).unwrap();
    let broken = format!(
        "INSERT INTO ScheduledDataSource VALUES ('bogus', '9999', -1, -1, '{{}}');
         INSERT INTO ScheduledDataSource SELECT 'third', changedAt, -1, token, json_set(document, '$.id', 'third')
             FROM ScheduledDataSource WHERE id = '{rates}';
         INSERT INTO ScheduleExecution VALUES ('bogus', 'x', 'nope', 'Running', 1, '{{}}');
         UPDATE DataSource SET document = 'not json' WHERE id = '{loans}';"
    );
    state.execute_batch(&broken).unwrap();
    let run = |id: &str| intake.api.post(&format!("/api/v1/schedule/{id}/run"), "application/json", "{}").code;
    assert_eq!(run(&rates), 202);
    intake.filegen.write("data/in/new.csv", "new");
    told(&rates, "\"filesNew\":1");
    told(&loans, "\"outcome\":\"Failed\"");
    let (sources, schedules) = (intake.api.get(SOURCES), intake.api.get("/api/v1/schedule"));
    assert_eq!((sources.code, schedules.code), (200, 200), "{} {}", sources.body, schedules.body);
    assert_eq!(sources.json()["items"].as_array().unwrap().len(), 2, "{}", sources.body);
    assert_eq!(schedules.json()["total"], 3, "none is lost: {}", schedules.body);
    assert!(
        intake
            .filegen
            .run("datasource list -c intake.yaml")
            .exits(0)
            .stderr
            .contains(&format!("data source {loans} cannot be read"))
    );
    let listed = intake.filegen.run("schedule list -c intake.yaml").exits(0).stderr;
    assert!(
        listed.contains("ScheduledDataSource bogus cannot be read") && listed.contains("ScheduleExecution bogus"),
        "{listed}"
    );
    // Told by whoever leads: at its start, and once a minute.
    let Intake { filegen, daemon, .. } = intake;
    stop([daemon]);
    let again = Intake::over(filegen);
    let count = again.history(&rates).len();
    until("it goes on", || (again.history(&rates).len() > count).then_some(()));
    let ready = || Some(again.daemon.get("/health/ready")).filter(|(code, _)| *code == 503);
    let (_, why) = until("not ready", ready);
    assert!(why.contains("cannot be read"), "{why}");
    let metrics = again.daemon.get("/metrics").1;
    let odd = metrics.lines().find_map(|line| line.strip_prefix("schedule_unreadable_records{scheduler=\"intake\"} "));
    assert_eq!(odd, Some("4"), "a data source, two schedules and an execution: {metrics}");
    assert_eq!(
        again.api.get("/api/v1/schedule").json()["total"],
        3,
        "a data source that cannot be read is not deleted"
    );
    let log = stop([again.daemon]).concat();
    assert!(log.contains("a record cannot be read, and is passed over"), "{log}");
}

#[test]
fn files_are_found_once_also_after_a_restart() {
    let intake = Intake::start();
    for name in ["a.csv", "b.csv", "c.txt"] {
        intake.filegen.write(&format!("data/in/{name}"), name);
    }
    let given = json!({ "name": "Loans", "path": "data/in", "pattern": "*.csv", "cronExpression": "* * * * * ?" });
    let id = intake.post(&given).json()["id"].as_str().unwrap().to_owned();
    let found = |intake: &Intake| {
        let news: Vec<u64> = intake.history(&id).iter().filter_map(|one| one["filesNew"].as_u64()).collect();
        news.iter().sum::<u64>()
    };
    until("both files are told", || (found(&intake) == 2).then_some(()));
    let metrics = intake.daemon.get("/metrics").1;
    assert!(metrics.contains("files_discovered_total{scheduler=\"intake\"} 2"), "{metrics}");
    has_metrics(&metrics, &["scheduler"], None);
    all_are_watched(&metrics, "scheduler");
    let Intake { filegen, daemon, .. } = intake;
    stop([daemon]);
    let again = Intake::over(filegen);
    let count = again.history(&id).len();
    until("it goes on", || (again.history(&id).len() > count + 1).then_some(()));
    assert_eq!(found(&again), 2, "nothing is told twice");
    again.filegen.write("data/in/a.csv", "new content");
    until("new content is told", || (found(&again) == 3).then_some(()));
    stop([again.daemon]);
}
