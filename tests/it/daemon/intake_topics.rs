//! A scheduler's two topics over the real Kafka: changes of data sources, and new files.

use crate::support::daemon::{Daemon, stop};
use crate::support::filegen::Filegen;
use crate::support::http::Http;
use crate::support::kafka::{Broker, Topic};
use crate::support::running::{until, until_async};
use serde_json::{Value, json};

struct Intake {
    filegen: Filegen,
    daemon: Daemon,
    api: Http,
}

const SOURCES: &str = "/api/v1/datasource";

impl Intake {
    fn over(changes: &Topic, discovered: &Topic) -> Self {
        Self::with(Filegen::empty(), changes, discovered)
    }

    fn with(filegen: Filegen, changes: &Topic, discovered: &Topic) -> Self {
        let door = "{ port: 0, listen: 127.0.0.1 }";
        let (brokers, changes, discovered) = (&changes.brokers, &changes.name, &discovered.name);
        let text = format!(
            "scheduler: intake\nroots: [data]\napi: {door}\npage: {door}\ndefaults: {{ stable_for: 100ms }}\n\
             policies: {{ lease_ttl: 10s, lease_heartbeat_interval: 500ms, takeover_polling_interval: 200ms }}\n\
             changes: {{ kafka: {{ brokers: '{brokers}', topic: {changes}, group: {changes}, properties: {{ session.timeout.ms: '6000' }} }} }}\n\
             discovered: {{ kafka: {{ brokers: '{brokers}', topic: {discovered} }} }}\n"
        );
        filegen.write("intake.yaml", &text);
        std::fs::create_dir_all(filegen.path("data/in")).unwrap();
        let mut daemon = Daemon::of(&mut filegen.command("daemon -c intake.yaml --health-port 0"));
        let line = daemon.running.wait_for("door=api");
        let api = Http::described_at(line.rsplit("port=").next().unwrap().trim().parse().unwrap());
        Self { filegen, daemon, api }
    }

    fn make(&self, name: &str, cron: &str) -> Value {
        let given = json!({ "name": name, "path": "data/in", "pattern": "*.csv", "cronExpression": cron });
        let made = self.api.post(SOURCES, "application/json", &given.to_string());
        assert_eq!(made.code, 201, "{}", made.body);
        made.json()
    }

    fn schedule(&self, id: &str) -> Option<Value> {
        let answer = self.api.get(&format!("/api/v1/schedule/{id}"));
        (answer.code == 200).then(|| answer.json())
    }

    fn version(&self, id: &str) -> u64 {
        self.schedule(id).and_then(|it| it["version"].as_u64()).unwrap_or_default()
    }
}

/// One column of the state's file, as texts.
fn column(filegen: &Filegen, question: &str) -> Vec<String> {
    let state = rusqlite::Connection::open(filegen.path("intake.db")).unwrap();
    let mut asked = state.prepare(question).unwrap();
    asked.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// Those that are objects.
fn parsed(events: &[(String, String)]) -> Vec<Value> {
    let read = events.iter().filter_map(|(_, value)| serde_json::from_str::<Value>(value).ok());
    read.filter(Value::is_object).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_told_and_heard_whatever_comes_twice_late_or_spoilt() {
    let (changes, discovered) = (Topic::create(1).await, Topic::create(1).await);
    let intake = Intake::over(&changes, &discovered);
    let source = intake.make("Loans", "0 0 6 * * ?");
    let id = source["id"].as_str().unwrap();
    until("a schedule", || (intake.version(id) == 1).then_some(()));
    let told = changes.read(1).await;
    let event = parsed(&told).remove(0);
    assert_eq!((told[0].0.as_str(), &event["dataSourceId"]), (id, &json!(id)));
    assert_eq!((&event["eventType"], &event["version"]), (&json!("DataSourceCreatedEvent"), &json!(1)));
    assert_eq!((&event["eventId"], &event["dataSource"]["name"]), (&json!(format!("{id}:1")), &json!("Loans")));
    assert!(event["occurredAt"].is_string(), "{event}");
    // A version of the future, one before it, what is no event, and the first again.
    let of_version = |version: u64, cron: &str| {
        let mut other = event.clone();
        (other["version"], other["eventType"]) = (json!(version), json!("DataSourceUpdatedEvent"));
        (other["dataSource"]["version"], other["dataSource"]["cronExpression"]) = (json!(version), json!(cron));
        other.to_string()
    };
    let (fifth, fourth) = (of_version(5, "0 0 7 * * ?"), of_version(4, "0 0 8 * * ?"));
    changes.write(0, &[&fifth, &fourth, "{", "[]", &event.to_string(), &of_version(6, "0 0 9 * * ?")]).await;
    until("the last of them", || (intake.version(id) == 6).then_some(()));
    assert_eq!(intake.schedule(id).unwrap()["cronExpression"], "0 0 9 * * ?");
    let metrics = intake.daemon.get("/metrics").1;
    assert!(metrics.contains("schedule_odd_events_total{scheduler=\"intake\"} 2"), "{metrics}");
    let state = rusqlite::Connection::open(intake.filegen.path("intake.db")).unwrap();
    let kept: u64 = state.query_row("SELECT count(*) FROM odd_events", (), |row| row.get(0)).unwrap();
    assert_eq!(kept, 2, "what cannot be read is kept");
    // Deleted: the version is above all others, and a late change brings nothing back.
    let gone = intake.api.send(intake.api.request("DELETE", &format!("{SOURCES}/{id}")).header("if-match", "*"), ());
    assert_eq!(gone.code, 204);
    let all = parsed(&changes.read(8).await);
    let last = all.last().unwrap();
    assert_eq!((&last["eventType"], &last["version"]), (&json!("DataSourceDeletedEvent"), &json!(2)));
    let mut deleted = last.clone();
    (deleted["version"], deleted["dataSource"]["version"]) = (json!(7), json!(7));
    changes.write(0, &[&deleted.to_string(), &of_version(6, "0 0 9 * * ?")]).await;
    until("it is gone", || intake.schedule(id).is_none().then_some(()));
    let other = intake.make("Rates", "0 0 6 * * ?");
    until("behind them all", || (intake.version(other["id"].as_str().unwrap()) == 1).then_some(()));
    assert!(intake.schedule(id).is_none(), "a late change brings nothing back");
    stop([intake.daemon]);
}

/// The door of a daemon that begins.
fn api(daemon: &mut Daemon) -> Http {
    let line = daemon.running.wait_for("door=api");
    Http::described_at(line.rsplit("port=").next().unwrap().trim().parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_changes_of_a_data_source_come_in_their_order_whichever_instance_takes_them() {
    const CHANGES: u64 = 8;
    const NAMES: usize = 12;
    let (changes, discovered) = (Topic::create(1).await, Topic::create(1).await);
    let intake = Intake::over(&changes, &discovered);
    let mut others = [(); 2].map(|()| Daemon::of(&mut intake.filegen.command("daemon -c intake.yaml --health-port 0")));
    let [second, third] = &mut others;
    let doors = [&intake.api, &api(second), &api(third)];
    // Each changes its own ones by all doors in turn.
    let write = |name: String| {
        let given = json!({ "name": name, "path": "data/in", "cronExpression": "0 0 6 1 1 ?" });
        let made = doors[0].post(SOURCES, "application/json", &given.to_string()).json();
        let path = format!("{SOURCES}/{}", made["id"].as_str().unwrap());
        for version in 1..CHANGES {
            let (method, code) = if version + 1 == CHANGES { ("DELETE", 204) } else { ("PUT", 200) };
            let door = doors[usize::try_from(version).unwrap() % doors.len()];
            let request = door.request(method, &path).header("if-match", &format!("\"{version}\""));
            let mut body = given.clone();
            body["description"] = json!(version.to_string());
            let body = if method == "PUT" { body.to_string() } else { String::new() };
            assert_eq!(door.send(request.header("content-type", "application/json"), body.as_str()).code, code);
        }
    };
    tokio::task::block_in_place(|| {
        std::thread::scope(|scope| {
            for name in 0..NAMES {
                scope.spawn(move || write(format!("S{name}")));
            }
        });
    });
    let all = NAMES * usize::try_from(CHANGES).unwrap();
    let events = parsed(&changes.read(all).await);
    let mut last = std::collections::BTreeMap::new();
    for event in &events {
        let version = event["version"].as_u64().unwrap();
        let before = last.insert(event["dataSourceId"].to_string(), version).unwrap_or_default();
        assert_eq!(version, before + 1, "{event}");
    }
    until("nothing waits", || {
        (column(&intake.filegen, "SELECT id FROM outbox WHERE sentAt IS NULL").is_empty()).then_some(())
    });
    assert_eq!(changes.length().await, i64::try_from(all).unwrap(), "each once");
    let [second, third] = others;
    stop([intake.daemon, second, third]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_read_again_from_its_beginning_changes_nothing() {
    let (changes, discovered) = (Topic::create(1).await, Topic::create(1).await);
    let intake = Intake::over(&changes, &discovered);
    let sources: Vec<Value> = ["A", "B", "C"].iter().map(|name| intake.make(name, "0 0 6 1 1 ?")).collect();
    let path = |at: usize| format!("{SOURCES}/{}", sources[at]["id"].as_str().unwrap());
    let ask = |method: &str, path: &str, body: String| {
        let request =
            intake.api.request(method, path).header("if-match", "*").header("content-type", "application/json");
        intake.api.send(request, body.as_str()).code
    };
    let mut edited = sources[1].clone();
    edited["cronExpression"] = json!("0 0 7 1 1 ?");
    assert_eq!(ask("PUT", &path(1), edited.to_string()), 200);
    assert_eq!(ask("DELETE", &path(2), String::new()), 204);
    let pause = format!("/api/v1/schedule/{}/pause", sources[0]["id"].as_str().unwrap());
    until("a schedule", || (intake.version(sources[0]["id"].as_str().unwrap()) == 1).then_some(()));
    assert_eq!(ask("POST", &pause, json!({ "reason": "the folder moves", "by": "ann" }).to_string()), 200);
    until_async("all five are heard", async || {
        (changes.length().await == 5 && changes.left(&changes.name, 1, 0).await == 0).then_some(())
    })
    .await;
    let Intake { filegen, daemon, .. } = intake;
    stop([daemon]);
    // Who changed what stands in the trail.
    let trail =
        column(&filegen, "SELECT action || ' by ' || who || ': ' || detail || ' ' || reason FROM audit ORDER BY id");
    let words =
        ["datasource create", "datasource create", "datasource create", "datasource update", "datasource delete"];
    for (entry, words) in trail.iter().zip(words) {
        assert!(entry.starts_with(&format!("{words} by the API of ")), "{trail:?}");
    }
    assert!(trail[3].contains(": B (") && trail[3].contains("), version 2"), "{trail:?}");
    assert!(trail[5].starts_with("schedule pause by ann: ") && trail[5].ends_with(" the folder moves"), "{trail:?}");
    let known = column(&filegen, "SELECT document FROM ScheduledDataSource ORDER BY id");
    assert_eq!(known.len(), 3);
    until_async("the group is empty", async || changes.rewind(&changes.name, 1, 5).await.then_some(())).await;
    assert!(changes.left(&changes.name, 1, 0).await == 5, "it is rewound");
    let again = Intake::with(filegen, &changes, &discovered);
    until_async("all are heard again", async || (changes.left(&changes.name, 1, 0).await == 0).then_some(())).await;
    stop([again.daemon]);
    assert_eq!(column(&again.filegen, "SELECT document FROM ScheduledDataSource ORDER BY id"), known);
    assert_eq!(column(&again.filegen, "SELECT id FROM ScheduleExecution"), [""; 0], "nothing was fired");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_changed_and_found_while_the_broker_is_away_is_told_once_it_is_back() {
    let mut broker = tokio::task::spawn_blocking(Broker::start).await.unwrap();
    let (changes, discovered) =
        (Topic::create_at(&broker.brokers(), 1).await, Topic::create_at(&broker.brokers(), 1).await);
    let intake = Intake::over(&changes, &discovered);
    let first = intake.make("First", "0 0 6 1 1 ?");
    until("a schedule", || (intake.version(first["id"].as_str().unwrap()) == 1).then_some(()));
    broker.stop();
    intake.filegen.write("data/in/a.csv", "a");
    until("the broker is told to be away", || {
        let told = intake.api.get("/api/v1/attention").json();
        let broker = told["items"].as_array()?.iter().find(|it| it["name"] == "kafka").cloned()?;
        let page: Value = serde_json::from_str(&intake.daemon.get("/status").1).ok()?;
        (broker["what"] == "is down" && page.to_string().contains("kafka is down")).then_some(())
    });
    // The API goes on, and the schedules too: each leader holds them against the data sources.
    let second = intake.make("Second", "* * * * * ?");
    let id = second["id"].as_str().unwrap();
    intake.filegen.run("schedule sync -c intake.yaml").exits(0);
    let found = || {
        let history = intake.api.get(&format!("/api/v1/schedule/{id}/history?limit=1000")).json();
        let new = |one: &Value| one["filesNew"].as_u64();
        history["items"].as_array().map(|all| all.iter().filter_map(new).sum::<u64>())
    };
    until("a file is found without a broker", || (found() == Some(1)).then_some(()));
    let kafka = |up: &str| {
        let line = format!("schedule_dependency_up{{scheduler=\"intake\",dependency=\"kafka\"}} {up}\n");
        until(&line, || intake.daemon.get("/metrics").1.contains(&line).then_some(()));
    };
    kafka("0");
    assert_eq!(intake.daemon.get("/health/ready").0, 200, "nobody is sent elsewhere for it");
    let broker = tokio::task::spawn_blocking(move || {
        broker.again();
        broker
    });
    let broker = broker.await.unwrap();
    kafka("1");
    let told = parsed(&changes.read(2).await);
    assert_eq!((&told[1]["eventId"], &told[1]["dataSource"]["name"]), (&json!(format!("{id}:1")), &json!("Second")));
    let files = discovered.read(1).await;
    let file = parsed(&files).remove(0);
    assert_eq!((files[0].0.as_str(), &file["eventType"]), (id, &json!("FileDiscoveredEvent")));
    let sha256 = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";
    assert_eq!((&file["sha256"], &file["size"]), (&json!(sha256), &json!(1)));
    assert!(file["path"].as_str().unwrap().ends_with("/data/in/a.csv"), "{file}");
    assert!(file["executionId"].as_str().unwrap().starts_with(&format!("{id}:")), "{file}");
    intake.filegen.write("data/in/b.csv", "b");
    let later = parsed(&discovered.read(2).await);
    assert!(later[1]["path"].as_str().unwrap().ends_with("/b.csv"), "each file once: {later:?}");
    stop([intake.daemon]);
    drop(broker);
}
