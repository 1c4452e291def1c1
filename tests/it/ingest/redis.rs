//! Dead letters in a real Redis: as people look at them there, through its death, and without a word of its password.

use super::{EVENTS_OF_TWO_USERS, counts, ingested, letters, with_events};
use crate::support::filegen::Filegen;
use crate::support::redis::{PASSWORD, Redis};
use crate::support::running::Running;
use serde_json::Value;

/// A file whose dead letters go there.
fn to(redis: &Redis, events: &[&str]) -> Filegen {
    let filegen = with_events(events);
    let queue = format!("dead_letters: {{ url: 'redis://{}', password: '{PASSWORD}' }}\n", redis.place());
    filegen.write("events.yaml", &(filegen.read("events.yaml") + &queue));
    filegen
}

/// Events that are dead, of these numbers.
fn dead(numbers: std::ops::Range<u32>) -> Vec<String> {
    let event = |at| {
        format!(r#"{{"type":"User","id":"d{at}","user":"u{at}","name":"longer than ten","at":"2026-01-01T10:00:00Z"}}"#)
    };
    numbers.map(event).collect()
}

#[test]
fn people_find_the_newest_in_front_and_an_entry_leaves_when_it_is_replayed_or_dropped() {
    let redis = Redis::start();
    let events = dead(0..3);
    let filegen = to(&redis, &events.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(counts(&ingested(&filegen)), [0, 0, 0, 0, 3]);
    let entries: Vec<String> = redis.ask(&["LRANGE", "dlq:events", "0", "10"]).unwrap();
    let ids = |entries: &[String]| {
        let id = |entry: &String| serde_json::from_str::<Value>(entry).unwrap()["eventId"].as_str().unwrap().to_owned();
        entries.iter().map(id).collect::<Vec<_>>()
    };
    assert_eq!(ids(&entries), ["d2", "d1", "d0"]);
    let others: Vec<String> = redis.ask(&["KEYS", "*"]).unwrap();
    assert!(others.iter().all(|key| key == "dlq:events" || key.starts_with("dlq:events:")), "{others:?}");
    assert_eq!(letters(&filegen, "").len(), 3);
    filegen.run("dlq plan -c events.yaml --contains d1 --out plan.json").exits(0);
    filegen.run("dlq drop plan.json -c events.yaml --reason tried").exits(0);
    assert_eq!(redis.ask::<u64>(&["LLEN", "dlq:events"]).unwrap(), 2);
    // A column that is wide enough by now.
    filegen.write(
        "events.yaml",
        &filegen
            .read("events.yaml")
            .replace("name: { from: /name, type: text(10)", "name: { from: /name, type: text(20)"),
    );
    rusqlite::Connection::open(filegen.path("orders.db")).unwrap().execute_batch("DROP TABLE users").unwrap();
    filegen.run("dlq plan -c events.yaml --out rest.json").exits(0);
    // What somebody took away by hand meanwhile is told, and not touched.
    redis.ask::<String>(&["LTRIM", "dlq:events", "1", "-1"]).unwrap();
    let applied = filegen.run("dlq apply rest.json -c events.yaml --reason wider --output json").exits(0);
    assert!(applied.stdout.contains("gone") && applied.stdout.contains("written"), "{}", applied.stdout);
    assert_eq!(redis.ask::<u64>(&["LLEN", "dlq:events"]).unwrap(), 0);
}

#[test]
fn letters_wait_while_redis_is_away_and_come_once_after_it_was_killed() {
    let mut redis = Redis::start();
    let events = dead(0..2000);
    let filegen = to(&redis, &events.iter().map(String::as_str).collect::<Vec<_>>());
    let quick = "policies: { batch: 50, initial_backoff: 5ms, max_backoff: 50ms }\n";
    filegen.write("events.yaml", &(filegen.read("events.yaml") + quick));
    redis.kill();
    let running = Running::start(&mut filegen.command("ingest run -c events.yaml --output json"));
    redis.again();
    assert_eq!(counts(&running.finish().exits(0).json()), [0, 0, 0, 0, 2000]);
    filegen.run("ingest run -c events.yaml").exits(0);
    // Killed while they come, and all sent again.
    for _ in 0..3 {
        redis.kill();
        redis.again();
        filegen.run("ingest run -c events.yaml").exits(0);
    }
    assert_eq!(redis.ask::<u64>(&["LLEN", "dlq:events"]).unwrap(), 2000);
    assert_eq!(redis.ask::<u64>(&["HLEN", "dlq:events:ids"]).unwrap(), 2000);
}

#[test]
fn the_environment_names_the_queue_and_no_secret_is_shown() {
    let redis = Redis::start();
    let filegen = with_events(&EVENTS_OF_TWO_USERS);
    let mut command = filegen.command("ingest run -c events.yaml --output json -v");
    command.env("REDIS_ADDR", redis.place()).env("REDIS_PASSWORD", PASSWORD);
    let done = Running::start(&mut command).finish().exits(0);
    assert_eq!(redis.ask::<u64>(&["LLEN", "dlq:events"]).unwrap(), 1, "{}", done.stderr);
    let mut command = filegen.command("config show -c events.yaml");
    command.env("REDIS_CONNECTION", format!("{},password={PASSWORD}", redis.place()));
    let shown = Running::start(&mut command).finish().exits(0);
    for text in [&done.stdout, &done.stderr, &shown.stdout, &shown.stderr] {
        assert!(!text.contains(PASSWORD) && !text.contains("s3cret"), "{text}");
    }
    assert!(shown.stdout.contains("redis://:***@127.0.0.1"), "{}", shown.stdout);
    // A wrong password is said, and what to do.
    let mut command = filegen.command("dlq list -c events.yaml");
    command.env("REDIS_ADDR", redis.place()).env("REDIS_PASSWORD", "wrong");
    let refused = Running::start(&mut command).finish().exits(3);
    assert!(refused.stderr.contains("check user and password"), "{}", refused.stderr);
}
