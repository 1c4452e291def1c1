//! Ended as if by SIGKILL at each step from a file's link to its event's acknowledgement: the next process sends what is
//! left, each event at least once and under one correlation id.

use crate::support::daemon::{Daemon, stop};
use crate::support::filegen::Filegen;
use crate::support::fleet::{POLICIES, events, published};
use crate::support::kafka::Topic;
use crate::support::mongo::Database;
use crate::support::running::until_async;
use crate::support::state::Store;
use crate::support::state::run;
use filegen::adapters::local_state::LocalState;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// The steps in their order, with the two files' passes. `outbox.handed` is before the broker's word, and
/// `outbox.acknowledged` before the outbox is told of it.
const POINTS: [&str; 13] = [
    "publish.linked=return",
    "publish.linked=1*off->return",
    "publish.manifest=return",
    "record.file=return",
    "record.file=1*off->return",
    "record.run=return",
    "outbox.sending=return",
    "outbox.handed=return",
    "outbox.handed=1*off->return",
    "outbox.acknowledged=return",
    "outbox.acknowledged=1*off->return",
    "outbox.marked=return",
    "outbox.marked=1*off->return",
];

/// Cases played at once: most of their time they wait for a lease.
const LANES: usize = 8;

const RUN: &str = "run -c worker.yaml --date 2026-11-21";

/// How the run is made.
#[derive(Clone, Copy)]
enum By {
    DaemonOnEmbedded,
    DaemonOnMongo,
    Command,
}

struct Case {
    by: By,
    filegen: Filegen,
    completion: Topic,
    runs: Arc<dyn Store>,
    _database: Database,
}

impl Case {
    async fn new(by: By) -> Self {
        let (filegen, completion, database) = (Filegen::with_loans(25), Topic::create(1).await, Database::new());
        let completes =
            format!("completion: {{ kafka: {{ brokers: '{}', topic: {} }} }}\n", completion.brokers, completion.name);
        filegen.write("worker.yaml", &(filegen.read("worker.yaml") + POLICIES + &completes));
        let runs: Arc<dyn Store> = if let By::DaemonOnMongo = by {
            filegen.edit("files:", &format!("state: {{ url: \"{}\" }}\nfiles:", database.url()));
            Arc::new(database.open().await)
        } else {
            let path = filegen.path("out/.filegen/state.db");
            Arc::new(LocalState::open(&path, Duration::from_mins(4)).await.expect("a store"))
        };
        runs.request(&run("LoanWorker", 21), "command:test:1", Timestamp::now()).await.expect("the run is recorded");
        Self { by, filegen, completion, runs, _database: database }
    }

    /// A process that dies at this point.
    fn killed_at(&self, point: &str) {
        let done = if let By::Command = self.by {
            Filegen::finish(self.filegen.command(RUN).env("FAILPOINTS", point))
        } else {
            let mut command = self.filegen.command("daemon -c worker.yaml --health-port 0");
            Daemon::of(command.env("FAILPOINTS", point)).running.finish()
        };
        assert_eq!(done.code, None, "it was not killed at {point}:\n{}", done.stderr);
    }

    /// One that is left alone, until nothing is left to do. How often the events were sent.
    async fn ends_well(&self, point: &str) -> i64 {
        let daemon = if let By::Command = self.by {
            self.filegen.run(RUN).exits(0);
            None
        } else {
            Some(Daemon::start(&self.filegen))
        };
        let record = published(&*self.runs, &run("LoanWorker", 21)).await;
        let events = events(&self.completion, &*self.runs).await;
        let files: Vec<&str> = events.keys().map(|(file, _)| file.as_str()).collect();
        assert_eq!(files, ["Loan0", "Loan1"], "{point}");
        // The id is that of the business date's first version, whenever it was sent.
        for ((file, _), id) in &events {
            assert_eq!(*id, format!("LoanWorker:{file}:{}01", record.id.date.compact()), "{point}");
        }
        stop(daemon);
        self.completion.length().await
    }
}

/// Killed at each of these points in turn, then left alone.
async fn killed(by: By, points: &[&str]) {
    let case = Case::new(by).await;
    for point in points {
        case.killed_at(point);
        let manifest = case.filegen.has("out/LoanWorker_20261121.manifest.json");
        assert!(manifest || case.completion.length().await == 0, "{point}: an event of what is not published");
        // So that an id that were made anew would be another.
        let died = Timestamp::now().as_second();
        until_async("another second", async || (Timestamp::now().as_second() > died).then_some(())).await;
    }
    let sent = case.ends_well(&points.join(", ")).await;
    assert!((2..=4).contains(&sent), "{points:?}: sent {sent} times");
    // The broker had it, and nobody had noted so.
    let unnoted = points.iter().filter(|point| point.starts_with("outbox.acknowledged")).count();
    assert!(sent >= 2 + i64::try_from(unnoted).unwrap(), "{points:?}: sent {sent} times");
}

fn killed_at_every_point(by: By) {
    let twice: [&[&str]; 3] = [
        &["publish.manifest=return", "outbox.handed=return"],
        &["record.file=return", "outbox.acknowledged=return"],
        &["outbox.acknowledged=return", "outbox.acknowledged=return"],
    ];
    let cases: Vec<&[&str]> = POINTS.iter().map(std::slice::from_ref).chain(twice).collect();
    for lanes in cases.chunks(LANES) {
        // Each on a thread of its own: there it waits for its processes.
        std::thread::scope(|threads| {
            for points in lanes {
                threads.spawn(|| {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                    runtime.expect("a runtime").block_on(killed(by, points));
                });
            }
        });
    }
}

#[test]
fn a_daemon_killed_at_every_step_to_the_acknowledgement_leaves_no_event_unsent() {
    killed_at_every_point(By::DaemonOnEmbedded);
}

#[test]
fn on_mongo_a_daemon_killed_at_every_step_to_the_acknowledgement_leaves_no_event_unsent() {
    killed_at_every_point(By::DaemonOnMongo);
}

#[test]
fn a_run_by_hand_killed_at_every_step_to_the_acknowledgement_leaves_no_event_unsent() {
    killed_at_every_point(By::Command);
}
