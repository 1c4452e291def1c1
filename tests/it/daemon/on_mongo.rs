//! Daemons and the runbook's commands where production has them: state in MongoDB, events in Kafka.

use crate::support::daemon::{Daemon, listening, stop, worker};
use crate::support::filegen::Filegen;
use crate::support::kafka::Topic;
use crate::support::mongo::Database;
use crate::support::running::{PATIENCE, until};
use mongodb::bson::{Document, doc};
use rustix::process::Signal;
use serde_json::Value;
use std::time::Instant;

/// A worker over MongoDB and Kafka, with the servers' sides of it.
struct Office {
    filegen: Filegen,
    database: Database,
    trigger: Topic,
    completion: Topic,
}

impl Office {
    async fn open(rows: u64) -> Self {
        let (trigger, completion) = (Topic::create(1).await, Topic::create(1).await);
        let database = tokio::task::spawn_blocking(|| {
            let database = Database::new();
            let _ = database.url();
            database
        });
        let database = database.await.expect("a server");
        let filegen = worker(rows);
        filegen.edit("files:", &format!("state: {{ url: \"{}\" }}\nfiles:", database.url()));
        listening(&filegen, &trigger, &completion);
        Self { filegen, database, trigger, completion }
    }

    /// Two daemons, of which the first leads.
    fn two_daemons(&self) -> [Daemon; 2] {
        let mut first = Daemon::start(&self.filegen);
        first.running.wait_for("leadership acquired");
        let mut second = Daemon::start(&self.filegen);
        second.running.wait_for("waiting for the lease");
        [first, second]
    }

    fn status(&self) -> Value {
        self.filegen.run("status -c worker.yaml --output json").exits(0).json()
    }

    /// The status of the latest run, once it is this.
    #[track_caller]
    fn run_becomes(&self, wanted: &str) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            let status = self.status();
            if status["workers"][0]["runs"][0]["status"] == wanted {
                return status;
            }
            assert!(Instant::now() < until, "the run is not {wanted}: {status}");
        }
    }

    /// What people changed, oldest first: action and reason.
    async fn audits(&self) -> Vec<(String, String)> {
        let audit = self.database.client().await.collection::<Document>("audit");
        // Ids of two processes have no order within a second.
        let mut found = audit.find(doc! {}).sort(doc! { "at": 1 }).await.unwrap();
        let mut all = Vec::new();
        while found.advance().await.unwrap() {
            let entry = found.deserialize_current().unwrap();
            assert!(entry.get_str("who").unwrap().contains(" at "), "{entry}");
            all.push((entry.get_str("action").unwrap().to_owned(), entry.get_str("reason").unwrap().to_owned()));
        }
        all
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_makes_one_run_and_the_runbooks_looks_show_it() {
    let office = Office::open(95).await;
    let filegen = &office.filegen;
    let mut leases = filegen.start("lease show --watch -c worker.yaml");
    leases.wait_for("no lease");
    let mut watch = filegen.start("status --watch -c worker.yaml");
    watch.wait_for("nothing has run");
    let daemons = office.two_daemons();
    office.trigger.write(0, &["{", r#"{"businessDate": "2026-11-21"}"#]).await;
    let events = office.completion.read(2).await;
    let status = office.run_becomes("published");
    assert_eq!(status["workers"][0]["lease"]["state"], "held", "{status}");
    assert!(
        status["workers"][0]["runs"][0]["requestedBy"].as_str().unwrap().contains(&office.trigger.name),
        "{status}"
    );
    assert_eq!(status["workers"][0]["passedOver"][0]["offset"], 0, "{status}");
    for daemon in &daemons {
        let shown: Value = serde_json::from_str(&daemon.get("/status").1).unwrap();
        assert_eq!(shown["workers"][0]["passedOver"][0]["topic"], office.trigger.name.as_str(), "{shown}");
    }
    assert!(!filegen.has("out/.filegen/state.db"), "there is one state store");

    let doctor = filegen.run("doctor -c worker.yaml --output json").exits(0).json();
    assert_eq!((doctor["failed"].as_u64(), doctor["warned"].as_u64()), (Some(0), Some(0)), "{doctor}");
    filegen.run("verify -c worker.yaml --date 2026-11-21 --full").exits(0);
    filegen.run("inspect-headers -c worker.yaml --deep").exits(0);
    let send = "publish-completion -c worker.yaml --date 2026-11-21 --file Loan1 --reason lost --yes";
    filegen.run(send).exits(0);
    assert_eq!(office.completion.read(3).await[2], events[1], "the same event, with the same correlation id");
    assert_eq!(office.audits().await, [("publish-completion".to_owned(), "lost".to_owned())]);
    stop(daemons);
    for (running, seen) in [(leases, "held"), (watch, "published")] {
        running.signal(Signal::INT);
        let shown = running.finish().exits(0).stdout;
        assert!(shown.contains("LoanWorker") && shown.contains(seen), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_released_by_force_and_the_other_daemon_leads() {
    let office = Office::open(25).await;
    let filegen = &office.filegen;
    let [mut first, mut second] = office.two_daemons();
    let release = "lease release -c worker.yaml --reason INC-4711";
    let done = filegen.run(&format!("{release} --yes")).exits(5);
    assert!(done.stderr.contains("--force"), "{}", done.stderr);
    filegen.run(&format!("{release} --force")).exits(2);
    let done = filegen.run(&format!("{release} --force --dry-run")).exits(0);
    assert!(done.stdout.starts_with("would release"), "{}", done.stdout);
    assert_eq!(office.audits().await, [], "nothing was changed yet");
    assert_eq!(office.status()["workers"][0]["lease"]["token"], 1);

    filegen.run(&format!("{release} --force --yes")).exits(0);
    first.running.wait_for("leadership lost");
    second.running.wait_for("leadership acquired");
    assert_eq!(office.audits().await, [("lease release".to_owned(), "INC-4711".to_owned())]);
    let lease = filegen.run("lease show -c worker.yaml --output json").exits(0).json();
    assert!(lease["leases"][0]["token"].as_u64() > Some(1), "{lease}");
    office.trigger.write(0, &[r#"{"businessDate": "2026-11-21"}"#]).await;
    assert_eq!(office.completion.read(2).await.len(), 2);
    office.run_becomes("published");
    filegen.run("verify -c worker.yaml --date 2026-11-21 --full").exits(0);
    stop([first, second]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_leader_is_replaced_and_the_run_ends_with_the_same_bytes() {
    let office = Office::open(3000).await;
    let filegen = &office.filegen;
    let [mut first, mut second] = office.two_daemons();
    office.trigger.write(0, &[r#"{"businessDate": "2026-11-21"}"#]).await;
    first.running.wait_for("progress updated");
    first.running.signal(Signal::KILL);
    second.running.wait_for("leadership acquired");
    assert_eq!(office.completion.read(2).await.len(), 2);
    office.run_becomes("published");
    filegen.run("verify -c worker.yaml --date 2026-11-21 --full").exits(0);
    let alone = worker(3000);
    alone.publish();
    for name in ["loan0_20261121.txt", "loan1_20261121.csv"] {
        assert_eq!(filegen.read(&format!("out/{name}")), alone.read(&format!("out/{name}")));
    }
    stop([second]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_is_repeated_from_a_page_once_the_daemons_are_stopped() {
    let office = Office::open(30).await;
    let filegen = &office.filegen;
    filegen.sql("UPDATE loans SET Customer = 'a|b' WHERE LoanId = 23");
    let daemons = office.two_daemons();
    office.trigger.write(0, &[r#"{"businessDate": "2026-11-21"}"#]).await;
    let status = office.run_becomes("failed");
    assert!(status["workers"][0]["runs"][0]["error"].as_str().unwrap().contains("23"), "{status}");
    filegen.run("resume --from-page 2 -c worker.yaml --date 2026-11-21 --no-wait --yes").exits(5);
    stop(daemons);

    filegen.sql("UPDATE loans SET Customer = 'changed ' || LoanId");
    filegen.run("resume --from-page 2 -c worker.yaml --date 2026-11-21 --dry-run").exits(0);
    let resume = "resume --from-page 2 -c worker.yaml --date 2026-11-21 --reason INC-4711";
    filegen.run(resume).exits(2);
    filegen.run(&format!("{resume} --yes")).exits(0);
    let file = filegen.read("out/loan0_20261121.txt");
    assert!(file.contains("10|customer 10|") && file.contains("11|changed 11|"), "page 1 is kept");
    assert_eq!(office.completion.read(2).await.len(), 2, "its events are sent");
    // The one that was refused the lease is on record too: it was a try.
    let resumed = |reason: &str| ("resume".to_owned(), reason.to_owned());
    assert_eq!(office.audits().await, [resumed(""), resumed("INC-4711")]);
    assert_eq!(office.run_becomes("published")["workers"][0]["unsentEvents"], serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduler_over_mongodb_fires_and_is_ready_whichever_words_the_server_knows() {
    let database = tokio::task::spawn_blocking(|| {
        let database = Database::new();
        let _ = database.url();
        database
    });
    let database = database.await.expect("a server");
    let filegen = Filegen::empty();
    std::fs::create_dir_all(filegen.path("data")).unwrap();
    filegen.write("data/a.csv", "1");
    let door = "{ port: 0, listen: 127.0.0.1 }";
    let text = format!(
        "scheduler: intake\nroots: [data]\nstate: {{ url: \"{}\" }}\napi: {door}\npage: {door}\n\
         defaults: {{ stable_for: 100ms }}\n",
        database.url()
    );
    filegen.write("intake.yaml", &text);
    let create = "datasource create -c intake.yaml --name Loans --path data --rate 1s";
    filegen.run(create).exits(0);
    let mut daemon = Daemon::of(&mut filegen.command("daemon -c intake.yaml --health-port 0"));
    daemon.running.wait_for("execution ended");
    until("readiness", || (daemon.get("/health/ready").0 == 200).then_some(()));
    let shown = stop([daemon]).join("\n");
    assert!(!shown.contains("a term as leader has ended"), "{shown}");
}
