//! `filegen doctor`: the checklist, its JSON, and what makes it fail.

use crate::support::filegen::Filegen;
use crate::support::kafka::Topic;
use crate::support::mongo::Database;
use crate::support::ports::free_port;
use mongodb::bson::{Document, doc};
use serde_json::Value;

fn check<'a>(json: &'a Value, area: &str, check: &str) -> &'a Value {
    let checks = json["checks"].as_array().unwrap();
    checks.iter().find(|entry| entry["area"] == area && entry["check"] == check).unwrap_or(&Value::Null)
}

#[test]
fn a_sound_worker_passes_and_nothing_is_left_behind() {
    let filegen = Filegen::with_loans(95);
    let done = filegen.run("doctor -c worker.yaml").exits(0);
    assert!(done.stdout.lines().filter(|line| line.starts_with("pass")).count() >= 10, "{}", done.stdout);
    assert!(done.stdout.ends_with("to look at\n") && done.stdout.contains(" 0 failed"), "{}", done.stdout);
    let json = filegen.run("doctor -c worker.yaml --output json").exits(0).json();
    assert_eq!(json["verdict"], "pass");
    assert!(check(&json, "source", "reachable")["milliseconds"].is_number());
    let fencing = check(&json, "output", "fencing");
    assert_eq!(fencing["verdict"], "pass");
    assert!(fencing["detail"].as_str().unwrap().contains("only two hosts can show"), "{fencing}");
    assert!(check(&json, "output", "free space")["detail"].as_str().unwrap().contains("a run needs about"));
    assert_eq!(std::fs::read_dir(filegen.path("out/.filegen")).unwrap().count(), 0);
}

#[test]
fn a_column_that_is_not_in_the_view_exits_3_and_a_near_one_is_named() {
    let filegen = Filegen::with_loans(5);
    filegen.edit("columns: [LoanId, Customer, Amount] }\n  - id: Loan1", "columns: [LoanId, Custmer] }\n  - id: Loan1");
    let json = filegen.run("doctor -c worker.yaml --output json").exits(3).json();
    let found = check(&json, "source", "columns");
    assert_eq!(found["verdict"], "fail");
    assert!(found["detail"].as_str().unwrap().contains("did you mean `Customer`?"), "{found}");
}

#[test]
fn a_key_that_is_not_unique_exits_7() {
    let filegen = Filegen::with_loans(5);
    filegen.sql("DROP VIEW v_Loans; CREATE VIEW v_Loans AS SELECT 1 AS LoanId, Customer, Amount FROM loans");
    let done = filegen.run("doctor -c worker.yaml").exits(7);
    assert!(done.stdout.lines().any(|line| line.starts_with("fail") && line.contains("key")), "{}", done.stdout);
}

#[test]
fn a_value_that_cannot_be_written_exits_7() {
    let filegen = Filegen::with_loans(5);
    filegen.sql("UPDATE loans SET Customer = 'a|b'");
    let json = filegen.run("doctor -c worker.yaml --output json").exits(7).json();
    assert_eq!(check(&json, "files", "Loan0")["verdict"], "fail");
}

#[test]
fn a_folder_that_cannot_be_written_exits_3() {
    let filegen = Filegen::with_loans(5);
    filegen.write("file", "");
    filegen.edit("root: out", "root: file/out");
    filegen.edit("files:", "state: { url: \"sqlite:state.db\" }\nfiles:");
    let json = filegen.run("doctor -c worker.yaml --output json").exits(3).json();
    assert_eq!(check(&json, "output", "writable")["verdict"], "fail");
}

#[test]
fn a_source_that_cannot_be_reached_exits_6_and_the_rest_is_still_looked_at() {
    let filegen = Filegen::with_loans(5);
    filegen.edit("sqlite:loans.db", "postgres://u@127.0.0.1:1/x");
    let json = filegen.run("doctor -c worker.yaml --output json").exits(6).json();
    assert_eq!(check(&json, "source", "reachable")["verdict"], "fail");
    assert_eq!(check(&json, "output", "link")["verdict"], "pass");
}

#[test]
fn a_state_store_of_another_program_exits_3() {
    let filegen = Filegen::with_loans(5);
    filegen.write("state.db", "this is no database at all, but it is long enough to have a header");
    filegen.edit("files:", "state: { url: \"sqlite:state.db\" }\nfiles:");
    let json = filegen.run("doctor -c worker.yaml --output json").exits(3).json();
    assert_eq!(check(&json, "state", "reachable")["verdict"], "fail");
}

/// A worker over MongoDB.
fn on_mongo(database: &Database) -> Filegen {
    let filegen = Filegen::with_loans(25);
    filegen.edit("files:", &format!("state: {{ url: \"{}\" }}\nfiles:", database.url()));
    filegen
}

fn detail<'a>(json: &'a Value, area: &str, name: &str) -> &'a str {
    check(json, area, name)["detail"].as_str().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_indexes_are_told_and_made_only_when_a_person_agrees() {
    let database = Database::new();
    let filegen = on_mongo(&database);
    filegen.publish();
    let client = database.client().await;
    client.collection::<Document>("runs").drop_index("by_date").await.unwrap();
    let json = filegen.run("doctor -c worker.yaml --output json").exits(0).json();
    assert_eq!(check(&json, "state", "indexes")["verdict"], "warn");
    assert!(detail(&json, "state", "indexes").contains("runs.by_date"), "{json}");
    assert!(detail(&json, "state", "clock").contains("this host's"), "{json}");
    assert_eq!((json["warned"].as_u64(), json.get("fix")), (Some(1), None));

    let done = filegen.run("doctor -c worker.yaml --fix --dry-run --output json").exits(0);
    assert!(done.stderr.contains("would make in") && done.stderr.contains("runs.by_date"), "{}", done.stderr);
    assert_eq!((done.json()["fix"].as_str(), done.json()["warned"].as_u64()), (Some("dryRun"), Some(1)));
    let done = filegen.run("doctor -c worker.yaml --fix").exits(2);
    assert!(done.stderr.contains("--yes"), "{}", done.stderr);
    let audit = client.collection::<Document>("audit");
    assert_eq!(audit.count_documents(doc! {}).await.unwrap(), 0, "nothing was changed yet");

    let done = filegen.run("doctor -c worker.yaml --fix --yes --reason INC-4711 --output json").exits(0);
    assert_eq!((done.json()["fix"].as_str(), done.json()["warned"].as_u64()), (Some("done"), Some(0)));
    assert_eq!(detail(&done.json(), "state", "indexes"), "made: runs.by_date");
    assert_eq!(database.open().await.missing_indexes().await, Ok(vec![]));
    let kept = audit.find_one(doc! {}).await.unwrap().unwrap();
    assert_eq!((kept.get_str("action").unwrap(), kept.get_str("reason").unwrap()), ("doctor --fix", "INC-4711"));
    assert!(kept.get_str("who").unwrap().contains(" at ") && kept.get_datetime("at").is_ok(), "{kept}");

    let done = filegen.run("doctor -c worker.yaml --fix --yes").exits(0);
    assert!(done.stderr.contains("no index is missing"), "{}", done.stderr);
    assert_eq!(audit.count_documents(doc! {}).await.unwrap(), 1, "nothing was done the second time");
}

#[test]
fn looking_at_an_empty_mongodb_makes_nothing_and_fix_options_need_fix() {
    let database = Database::new();
    let filegen = on_mongo(&database);
    let done = filegen.run("doctor -c worker.yaml").exits(0);
    assert!(done.stdout.contains("missing: worker_epochs.highest_token"), "{}", done.stdout);
    let again = filegen.run("doctor -c worker.yaml").exits(0);
    assert!(again.stdout.contains("missing: worker_epochs.highest_token"), "{}", again.stdout);
    filegen.run("doctor -c worker.yaml --yes").exits(2);
    filegen.run("doctor -c worker.yaml --dry-run").exits(2);
    let done = Filegen::with_loans(1).run("doctor -c worker.yaml --fix --yes").exits(0);
    assert!(done.stderr.contains("keeps its own indexes"), "{}", done.stderr);
}

#[test]
fn a_mongodb_that_is_away_exits_6_within_its_time() {
    let filegen = Filegen::with_loans(5);
    let port = free_port();
    filegen.edit("files:", &format!("state: {{ url: \"mongodb://127.0.0.1:{port}/filegen\" }}\nfiles:"));
    let json = filegen.run("doctor -c worker.yaml --fix --yes --output json").exits(6).json();
    assert_eq!(check(&json, "state", "reachable")["verdict"], "fail");
    assert_eq!((json.get("fix"), check(&json, "state", "indexes")), (None, &Value::Null));
}

fn with_topics(trigger: (&str, &str), completion: (&str, &str)) -> Filegen {
    let filegen = Filegen::with_loans(5);
    let kafka = |(brokers, topic): (&str, &str)| format!("{{ kafka: {{ brokers: \"{brokers}\", topic: {topic} }} }}");
    let text = format!("trigger: {}\ncompletion: {}\nfiles:", kafka(trigger), kafka(completion));
    filegen.edit("files:", &text);
    filegen
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_are_asked_for_and_no_event_is_taken_or_sent() {
    let (trigger, completion) = (Topic::create(3).await, Topic::create(1).await);
    trigger.write(0, &["{}"]).await;
    let filegen = with_topics((&trigger.brokers, &trigger.name), (&completion.brokers, &completion.name));
    let json = filegen.run("doctor -c worker.yaml --output json").exits(0).json();
    for name in ["trigger topic", "trigger read", "completion topic", "completion write"] {
        assert_eq!(check(&json, "kafka", name)["verdict"], "pass", "{name}: {json}");
    }
    assert!(detail(&json, "kafka", "trigger topic").ends_with("3 partitions"), "{json}");
    assert!(check(&json, "kafka", "trigger topic")["milliseconds"].is_number());
    assert_eq!((trigger.length().await, completion.length().await), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_not_there_exits_3_and_a_broker_that_is_away_6() {
    let there = Topic::create(1).await;
    let missing = format!("{}-missing", there.name);
    let filegen = with_topics((&there.brokers, &there.name), (&there.brokers, &missing));
    let json = filegen.run("doctor -c worker.yaml --output json").exits(3).json();
    assert_eq!(check(&json, "kafka", "trigger read")["verdict"], "pass", "{json}");
    assert!(detail(&json, "kafka", "completion topic").contains("create the topic"), "{json}");
    assert_eq!(check(&json, "kafka", "completion write"), &Value::Null, "there is nothing to ask for");

    let away = format!("127.0.0.1:{}", free_port());
    let filegen = with_topics((&there.brokers, &there.name), (&away, "file-events"));
    let json = filegen.run("doctor -c worker.yaml --output json").exits(6).json();
    assert_eq!(check(&json, "kafka", "completion topic")["verdict"], "fail", "{json}");
    assert_eq!(check(&json, "output", "link")["verdict"], "pass", "the rest is still looked at");
}
