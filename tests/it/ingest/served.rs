//! An ingest in the daemon: its tables answer requests, and its health, metrics and status say how it is.

use super::{EVENTS_OF_TWO_USERS, READ};
use crate::support::daemon::Daemon;
use crate::support::filegen::Filegen;
use crate::support::http::Http;
use crate::support::running::until;
use rustix::process::Signal;
use serde_json::{Value, json};

/// A daemon of these files, and the door of this name.
pub(super) fn served(filegen: &Filegen, files: &str, door: &str) -> (Daemon, Http) {
    served_with(&mut filegen.command(&format!("daemon {files} --health-port 0 -vv")), door)
}

/// A daemon of this command, and the door of this name; without a name its own.
pub(super) fn served_with(command: &mut std::process::Command, door: &str) -> (Daemon, Http) {
    let mut daemon = Daemon::of(command);
    let port = |line: &str| line.rsplit("port=").next().and_then(|port| port.trim().parse().ok()).expect("a port");
    let line = if door.is_empty() { String::new() } else { daemon.running.wait_for(&format!("door={door}")) };
    let http = if door.is_empty() { Http::at(daemon.http.port()) } else { Http::at(port(&line)) };
    (daemon, http)
}

fn with_door() -> Filegen {
    let filegen = super::with_events(&EVENTS_OF_TWO_USERS);
    filegen.write("events.yaml", &(super::FILE.to_owned() + READ));
    filegen
}

#[test]
fn tables_answer_with_exact_values_and_say_what_is_not_there() {
    let filegen = with_door();
    let (daemon, door) = served(&filegen, "-c events.yaml", "read");
    let user = until("the user", || Some(door.get("/users/u1")).filter(|answer| answer.code == 200));
    assert_eq!(user.header("content-type"), "application/json");
    until("all orders", || Some(()).filter(|()| door.get("/users/u1").body.contains("o3")));
    assert_eq!(
        door.get("/users/u1").body,
        r#"{"user":{"userId":"u1","name":"Ann"},"orders":[{"order_id":"o3","amount":3.00,"big":null,"at":"2026-01-03T10:00:00Z"},{"order_id":"o2","amount":2.00,"big":null,"at":"2026-01-02T10:00:00Z"}]}"#
    );
    assert_eq!(
        door.get("/orders/o1").body,
        r#"{"order":{"order_id":"o1","amount":1234.50,"big":9007199254740993,"at":"2026-01-01T10:00:00.25Z"},"stock":null}"#
    );
    for path in ["/orders/none", "/orders/o1%27%20OR%201=1", "/orders/o1%00"] {
        let absent = door.get(path);
        assert_eq!((absent.code, absent.header("content-type")), (404, "application/problem+json"), "{path}");
    }
    assert_eq!(door.get("/nothing").code, 404);
    let odd = door.get("/orders/%ff");
    assert_eq!((odd.code, odd.header("content-type")), (400, "application/problem+json"));
    assert_eq!(door.post("/orders/o1", "application/json", "{}").code, 405);
    let described = door.get("/openapi.json").json();
    assert!(described["paths"]["/orders/{id}"]["get"]["responses"]["404"].is_object(), "{described}");
    daemon.running.signal(Signal::TERM);
    daemon.running.finish().exits(0);
}

#[test]
fn health_metrics_and_status_tell_of_an_ingest_on_each_port() {
    let filegen = with_door();
    let (daemon, door) = served(&filegen, "-c events.yaml", "read");
    until("readiness", || Some(()).filter(|()| door.get("/health/ready").code == 200));
    assert_eq!((door.get("/health").code, door.get("/health/live").code), (200, 200));
    let ready = door.get("/health/ready").json();
    assert!(ready["ingests"]["orders"]["sink"].is_object() && ready["workers"].is_null(), "{ready}");
    let dead = r#"dlq_count_total{ingest="orders"} 1"#;
    let metrics = until("the dead letter", || Some(door.get("/metrics").body).filter(|text| text.contains(dead)));
    for line in [
        r#"messages_processed_total{ingest="orders",type="Order"} 4"#,
        r#"ingest_dead_letters_total{ingest="orders",kind="wrong_kind"} 1"#,
        r#"db_latency_seconds_count{ingest="orders"}"#,
        r#"ingest_batch_events_count{ingest="orders"}"#,
    ] {
        assert!(metrics.contains(line), "{line} in\n{metrics}");
    }
    door.get("/orders/o1");
    let metrics = daemon.get("/metrics").1;
    assert!(
        metrics.contains(r#"http_requests_total{ingest="orders",route="/orders/{id}",status="200"} 1"#),
        "{metrics}"
    );
    assert!(metrics.contains(r#"http_latency_seconds_count{ingest="orders",route="/orders/{id}"} 1"#), "{metrics}");
    let status = until("the letter in the queue", || {
        let status: Value = serde_json::from_str(&daemon.get("/status").1).unwrap();
        Some(status)
            .filter(|status| status["ingests"][0]["deadLetters"]["inQueue"] == 1 && status["ingests"][0]["lag"] == 0)
    });
    let it = &status["ingests"][0];
    assert_eq!((&it["ingest"], &it["written"], &it["dead"]), (&json!("orders"), &json!(4), &json!(1)), "{it}");
    assert_eq!((&it["deadLetters"]["byReason"], &it["lag"]), (&json!({ "wrong_kind": 1 }), &json!(0)), "{it}");
    let page = daemon.get("/").1;
    assert!(page.contains("All is well with 1 ingest") && page.contains("wrong_kind 1"), "{page}");
    daemon.running.signal(Signal::TERM);
    let log = daemon.running.finish().exits(0).stderr;
    let dead = log.lines().find(|line| line.contains("event is dead")).expect("a line");
    for field in ["eventId=e5", "type=Order", "topic=events.jsonl", "partition=0", "offset=", "reason=wrong_kind"] {
        assert!(dead.contains(field), "{field} in {dead}");
    }
    let done = log.lines().find(|line| line.contains("event is done")).expect("a line");
    assert!(done.contains("outcome=written") && done.contains("took_ms="), "{done}");
}

#[test]
fn a_sink_that_is_away_is_said_and_waited_for() {
    let filegen = with_door();
    filegen.write("events.yaml", &filegen.read("events.yaml").replace("create: missing", "create: never"));
    let (daemon, door) = served(&filegen, "-c events.yaml", "read");
    let answer = door.get("/orders/o1");
    assert_eq!((answer.code, answer.header("content-type")), (503, "application/problem+json"), "{}", answer.body);
    assert!(!answer.header("retry-after").is_empty());
    until("not ready", || Some(()).filter(|()| door.get("/health/ready").code == 503));
    assert_eq!(door.get("/health/live").code, 200, "a restart mends nothing");
    let told =
        until("the reason", || Some(daemon.get("/status").1).filter(|text| text.contains("there is no such file")));
    assert!(told.contains("Trouble with 1 of 1 ingest"), "{told}");
    daemon.running.signal(Signal::TERM);
    daemon.running.finish().exits(0);
}

#[test]
fn a_door_with_a_token_answers_nobody_else() {
    let filegen = with_door();
    let guarded = READ.replace("  port: 0\n", "  port: 0\n  token: not-to-be-guessed\n");
    filegen.write("events.yaml", &(super::FILE.to_owned() + &guarded));
    let (daemon, door) = served(&filegen, "-c events.yaml", "read");
    let with = |token: &str| {
        door.send(door.request("GET", "/orders/o1").header("authorization", format!("Bearer {token}")), ()).code
    };
    until("the order", || Some(()).filter(|()| with("not-to-be-guessed") == 200));
    for other in ["", "not-to-be-guesse", "not-to-be-guessed2"] {
        assert_eq!(with(other), 401, "{other}");
    }
    let none = door.get("/orders/o1");
    assert_eq!((none.code, none.header("www-authenticate")), (401, "Bearer"));
    assert_eq!((door.get("/health/live").code, door.get("/openapi.json").code), (200, 200));
    daemon.running.signal(Signal::TERM);
    daemon.running.finish().exits(0);
}
