//! `produce`, `doctor` and `status` of an ingest file, by the real binary.

use super::{FILE, produced};
use crate::support::filegen::Filegen;
use crate::support::foreign::Thing;
use crate::support::kafka::Topic;
use crate::support::postgres::Database;
use filegen::core::ingest::decode::read;
use filegen::core::ingest::sample::Sampler;
use jiff::Timestamp;
use std::path::Path;

#[test]
fn made_up_events_fit_their_columns_and_have_their_parents() {
    let loaded = filegen::config::parse(FILE, Path::new("/events.yaml"), &(), &filegen::Registry::default()).unwrap();
    let ingest = loaded.into_ingest().unwrap();
    let mut chance = fastrand::Rng::with_seed(7);
    let mut sampler = Sampler::new(&ingest, move || chance.u64(..));
    let now: Timestamp = "2026-01-01T10:00:00Z".parse().unwrap();
    let (mut users, mut types) = (Vec::new(), std::collections::BTreeSet::new());
    for _ in 0..600 {
        let event = sampler.make(now);
        let (labels, made) = read(&ingest, &event, now);
        assert!(made.is_ok(), "{}: {made:?}", String::from_utf8_lossy(&event));
        let event: serde_json::Value = serde_json::from_slice(&event).unwrap();
        types.insert(labels.kind.unwrap());
        if event["type"] == "User" {
            users.push(event["user"].clone());
        } else if event["type"] == "Order" {
            assert!(users.contains(&event["user"]), "{event} before its user");
        }
    }
    assert_eq!(types.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_a_file_and_made_up_ones_are_sent_and_what_is_none_is_left_out() {
    let topic = Topic::create(1).await;
    let filegen = produced::file(&topic, "");
    filegen.write(
        "more.jsonl",
        &format!("{}\nno event\n{}\n", produced::order("e1", "o", "1"), produced::order("e2", "o", "2")),
    );
    let sent = filegen.run("produce -c events.yaml more.jsonl --output json").exits(4).json();
    assert_eq!((&sent["sent"], &sent["leftOut"][0]["line"]), (&2.into(), &2.into()), "{sent}");
    assert_eq!(topic.length().await, 2);
    filegen.run("produce -c events.yaml --sample --rate 1000 --count 7").exits(0);
    assert_eq!(topic.length().await, 9);
    let found = topic.read(9).await;
    assert!(found.iter().any(|(key, _)| key == "o"), "{found:?}");
    for usage in [
        "produce -c events.yaml",
        "produce -c events.yaml more.jsonl --sample",
        "produce -c events.yaml --sample --rate 0",
    ] {
        filegen.run(usage).exits(2);
    }
}

#[test]
fn a_file_of_events_is_no_place_to_send_to() {
    let filegen = Filegen::empty();
    filegen.write("events.yaml", FILE);
    let failed = filegen.run("produce -c events.yaml --sample").exits(3);
    assert!(failed.stderr.contains("sends to a topic"), "{}", failed.stderr);
    filegen.write("events.yaml", &(FILE.to_owned() + "produce: { port: 8080 }\n"));
    let refused = filegen.run("config check -c events.yaml").exits(3);
    assert!(refused.stderr.contains("remove `produce`"), "{}", refused.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_says_what_would_keep_events_out_and_changes_nothing() {
    let (database, topic) = (Database::create().await, Topic::create(3).await);
    let filegen = produced::file(&topic, "");
    let url = format!("url: '{}'", database.url());
    let file = filegen.read("events.yaml").replace("url: \"sqlite:orders.db\", create: missing", &url);
    filegen.write("events.yaml", &(file + "dead_letters: { url: \"sqlite:letters.db\" }\n"));
    let found = filegen.run("doctor -c events.yaml --output json").exits(3).json();
    let detail = |found: &serde_json::Value, check: &str| {
        let row = found["checks"].as_array().unwrap().iter().find(|row| row["check"] == check);
        row.map(|row| format!("{} {}", row["verdict"].as_str().unwrap(), row["detail"].as_str().unwrap()))
            .unwrap_or_default()
    };
    assert!(detail(&found, "tables").contains("there is no table `users`"), "{found}");
    assert!(detail(&found, "topic").contains("3 partitions"), "{found}");
    filegen.run("ingest schema -c events.yaml --apply").exits(0);
    let found = filegen.run("doctor -c events.yaml --output json").exits(0).json();
    assert!(
        detail(&found, "tables fit").starts_with("pass") && detail(&found, "clocks agree").starts_with("pass"),
        "{found}"
    );
    database.run("DROP TABLE filegen_parked").await;
    filegen.run("doctor -c events.yaml").exits(0);
    let left = database.client().await.query_one("SELECT to_regclass('filegen_parked') IS NULL", &[]).await.unwrap();
    assert!(left.get::<_, bool>(0), "doctor has made a table");
    // `status` is the ingest's.
    filegen.run("ingest schema -c events.yaml --apply").exits(0);
    let status = filegen.run("status -c events.yaml --output json").exits(0).json();
    assert_eq!((&status["ingest"], &status["parked"]), (&"orders".into(), &0.into()), "{status}");
}

#[test]
fn what_everybody_may_write_and_a_file_of_events_that_is_none_are_told() {
    use std::os::unix::fs::PermissionsExt;
    let filegen = super::with_events(&super::EVENTS_OF_TWO_USERS);
    super::ingested(&filegen);
    let set = |name: &str, mode| {
        std::fs::set_permissions(filegen.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let doctor = |code| {
        let found = filegen.run("doctor -c events.yaml --output json").exits(code).json();
        let line = |row: &serde_json::Value| {
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            format!("{} {} {}: {}", text("verdict"), text("area"), text("check"), text("detail"))
        };
        found["checks"].as_array().unwrap().iter().map(line).collect::<Vec<_>>()
    };
    let wrong = |code| doctor(code).into_iter().filter(|line| !line.starts_with("pass ")).collect::<Vec<_>>();
    assert_eq!(wrong(0), [""; 0]);
    for (name, mode, open, start, words) in [
        ("orders.db", 0o600, 0o666, "warn sink permissions: ", "orders.db` is open to everybody (0666)"),
        ("events.jsonl", 0o644, 0o666, "warn source permissions: ", "events.jsonl` (0666), and who writes to it"),
    ] {
        set(name, open);
        let found = wrong(0);
        assert!(found.len() == 1 && found[0].starts_with(start) && found[0].contains(words), "{found:?}");
        set(name, mode);
    }
    // Nothing waits for the other end of a pipe.
    for thing in [Thing::Pipe, Thing::Socket, Thing::Device] {
        thing.put(&filegen.path("events.jsonl"), &filegen.path("orders.db"));
        let found = wrong(3);
        assert!(found.len() == 1 && found[0].starts_with("fail source events: "), "{thing:?}: {found:?}");
        let refused = filegen.run("ingest run -c events.yaml").exits(3);
        assert!(refused.stderr.contains("events.jsonl"), "{thing:?}: {}", refused.stderr);
        std::fs::remove_file(filegen.path("events.jsonl")).unwrap();
    }
}
