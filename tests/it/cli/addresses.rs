//! Addresses that no client can read: `config check` says where they stand and what to write, and shows nothing of them.

use crate::support::filegen::Filegen;
use serde_json::Value;

const TRANSFER: &str = "transfer: sales
collect: { directory: in }
deliver: { to: { directory: out } }
broker:
  nats:
    url: \"ADDRESS\"
";

const INGEST: &str = "ingest: orders
source: { file: events.jsonl }
sink: { url: \"sqlite:orders.db\", create: missing }
dead_letters:
  url: \"ADDRESS\"
envelope: { id: /id, type: /type }
events:
  User: { table: users, identity: [id], columns: { id: { from: /user, type: text(8) }, event_id: { from: /id, type: text(64) } } }
";

const WORKER: &str = "worker: W
source:
  url: \"ADDRESS\"
  view: v
  key: [a]
output: { root: out }
files:
  - { id: F, name: \"f_{date}.txt\", event_type: E, translator: { delimited: { delimiter: \"|\", columns: [a] } } }
state:
  url: \"sqlite:state.db\"
";

const COMPLETION: &str =
    "completion: { kafka: { brokers: \"ADDRESS\", topic: done, properties: { security.protocol: SSL } } }\n";

/// The problems of a file whose address is this one.
fn problems(file: &str, address: &str) -> (Vec<Value>, String) {
    let filegen = Filegen::empty();
    filegen.write("file.yaml", &file.replace("ADDRESS", address));
    let told = filegen.run("config check -c file.yaml");
    let text = format!("{}{}", told.stdout, told.stderr);
    let done = filegen.run("config check -c file.yaml --output json").json();
    let problems = done["problems"].as_array().cloned().unwrap_or_default();
    assert_eq!(told.code, Some(if problems.is_empty() { 0 } else { 3 }), "{text}");
    (problems, text)
}

#[test]
fn an_address_that_no_client_can_read_is_told_with_its_place_and_not_shown() {
    let worker_state = WORKER.replace("ADDRESS", "sqlite:loans.db").replace("sqlite:state.db", "ADDRESS");
    let worker_topic = WORKER.replace("ADDRESS", "sqlite:loans.db") + COMPLETION;
    for (file, line, addresses) in [
        (&worker_topic[..], 11, &["PLAINTEXT://k:9092", "k:9092,SASL_SSL://l:9092", "s3cret://k:9092"][..]),
        (
            TRANSFER,
            6,
            &[
                "nats://h:s3cret",
                "nats://ann:s3/cret@h",
                "nats://h:0",
                "tls://a.bank,nats://s3cret.bank",
                "nats://a,nats://u:s3cret@b",
                "nats://[s3cret]:1",
            ][..],
        ),
        (
            INGEST,
            5,
            &[
                "redis://r/s3cret",
                "redis://r:s3cret",
                "redis://ann:s3/cret@r",
                "host:6379,pass=s3cret",
                "host:6379,s3cret",
                "host:6379,ssl=s3cret",
            ],
        ),
        (WORKER, 3, &["postgres://h:s3cret/d", "sqlserver://ann:pw@h:s3cret/d"]),
        (&worker_state, 10, &["mongodb://ann:s3/cret@h", "mongodb://h:s3cret/d"]),
    ] {
        for address in addresses {
            let (problems, text) = problems(file, address);
            assert_eq!(problems.len(), 1, "{address}: {problems:?}");
            assert_eq!(problems[0]["line"], line, "{address}: {problems:?}");
            assert!(problems[0]["column"].as_u64().is_some_and(|column| column > 0), "{address}: {problems:?}");
            assert!(problems[0]["hint"].as_str().is_some_and(|hint| hint.contains("write")), "{address}: {problems:?}");
            assert!(!text.contains("cret") && !format!("{problems:?}").contains("cret"), "{address}: {text}");
        }
    }
}

#[test]
fn addresses_that_their_clients_can_read_pass() {
    let worker_state = WORKER.replace("ADDRESS", "sqlite:loans.db").replace("sqlite:state.db", "ADDRESS");
    let worker_topic = WORKER.replace("ADDRESS", "sqlite:loans.db") + COMPLETION;
    for (file, addresses) in [
        (&worker_topic[..], &["SSL://k:9092,l:9092", "k:9092"][..]),
        (TRANSFER, &["nats://h", "tls://ann:s3%2Fcret@a.bank:4222,tls://b.bank", "h:4222"][..]),
        (
            INGEST,
            &["redis://r/3", "rediss://ann:s3%2Fcret@r:6380", "host:6379,password=s3cret,ssl=true", "sqlite:x.db"],
        ),
        (WORKER, &["postgres://ann:s3%2Fcret@h/d", "sqlserver://ann:pw@h:1433/d", "sqlite:loans.db"]),
        (&worker_state, &["mongodb://ann:s3%2Fcret@h/d", "sqlite:s.db"]),
    ] {
        for address in addresses {
            let (problems, text) = problems(file, address);
            assert!(problems.is_empty() && !text.contains("cret"), "{address}: {text}");
        }
    }
}
