//! Ended as if by SIGKILL at each step from a data source that is saved to a file that is told, over SQLite and over MongoDB: the next
//! process loses no change, leaves no due time out, and tells each file under one id.

use crate::support::daemon::{Daemon, stop};
use crate::support::filegen::Filegen;
use crate::support::kafka::Topic;
use crate::support::mongo::Database;
use crate::support::running::until_async;
use filegen::adapters::local_state::LocalState;
use filegen::core::model::data_source::DataSource;
use filegen::core::model::schedule::{Execution, Outcome};
use filegen::core::ports::data_sources::{DataSources, Wanted};
use filegen::core::ports::ledger::Ledger;
use filegen::core::ports::schedules::ScheduleStore;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// The steps in their order: saved, told to the topic, heard, due, looked at, told. `2*off` passes the change's own message.
const CASES: [&[&str]; 20] = [
    &["source.saving=return"],
    &["source.saved=return"],
    &["outbox.sending=return"],
    &["outbox.handed=return"],
    &["outbox.acknowledged=return"],
    &["outbox.marked=return"],
    &["change.applied=return"],
    &["change.heard=return"],
    &["slot.written=return"],
    &["slot.advanced=return"],
    &["discover.read=return"],
    &["discover.read=1*off->return"],
    &["discover.told=return"],
    &["discover.told=1*off->return"],
    &["outbox.sending=1*off->return"],
    &["outbox.acknowledged=2*off->return"],
    &["slot.ending=return"],
    &["slot.ended=return"],
    &["slot.told=return"],
    // What was interrupted is done again, and that is interrupted too.
    &["slot.advanced=return", "slot.again=return", "slot.begun=return"],
];

/// Those that are tried over MongoDB too, by the place of each in [`CASES`]: behind each kind of write. `FILEGEN_KILLED=all` tries all.
const OVER_MONGODB: [usize; 9] = [1, 4, 6, 8, 9, 13, 16, 17, 19];

/// Cases played at once: most of their time they wait for their group.
const LANES: usize = 10;

const CREATE: &str = "datasource create -c intake.yaml --name Loans --path data/in --pattern *.csv --cron";

/// What a case's store keeps.
trait Kept: ScheduleStore + DataSources + Ledger {}

impl<S: ScheduleStore + DataSources + Ledger> Kept for S {}

struct Case {
    filegen: Filegen,
    /// `None`: a file of SQLite.
    database: Option<Database>,
    changes: Topic,
    files: Topic,
}

impl Case {
    async fn new(database: Option<Database>) -> Self {
        let state = database.as_ref().map_or_else(|| "sqlite:intake.db".to_owned(), Database::url);
        let (filegen, changes, files) = (Filegen::empty(), Topic::create(1).await, Topic::create(1).await);
        let door = "{ port: 0, listen: 127.0.0.1 }";
        let (brokers, topic, found) = (&changes.brokers, &changes.name, &files.name);
        let text = format!(
            "scheduler: intake\nroots: [data]\nstate: {{ url: '{state}' }}\napi: {door}\npage: {door}\n\
             defaults: {{ stable_for: 10ms }}\n\
             policies: {{ lease_ttl: 10s, lease_heartbeat_interval: 500ms, takeover_polling_interval: 200ms }}\n\
             changes: {{ kafka: {{ brokers: '{brokers}', topic: {topic}, group: {topic}, properties: {{ session.timeout.ms: '6000' }} }} }}\n\
             discovered: {{ kafka: {{ brokers: '{brokers}', topic: {found} }} }}\n"
        );
        filegen.write("intake.yaml", &text);
        std::fs::create_dir_all(filegen.path("data/in")).unwrap();
        filegen.write("data/in/a.csv", "a");
        filegen.write("data/in/b.csv", "b");
        Self { filegen, database, changes, files }
    }

    /// A process that dies at this point.
    fn killed_at(&self, point: &str) {
        let done = if point.starts_with("source.") {
            Filegen::finish(self.filegen.command(CREATE).arg("* * * * * ?").env("FAILPOINTS", point))
        } else {
            let mut command = self.filegen.command("daemon -c intake.yaml --health-port 0");
            Daemon::of(command.env("FAILPOINTS", point)).running.finish()
        };
        assert_eq!(done.code, None, "it was not killed at {point}:\n{}", done.stderr);
    }

    async fn kept(&self) -> Arc<dyn Kept> {
        if let Some(database) = &self.database {
            return Arc::new(database.open().await);
        }
        let opened = LocalState::open(&self.filegen.path("intake.db"), Duration::from_mins(4)).await;
        Arc::new(opened.unwrap())
    }

    /// The events of a topic that has at least so many different ones: their ids.
    async fn ids(&self, topic: &Topic, least: usize) -> BTreeSet<(String, String)> {
        until_async(&format!("{least} events"), async || {
            let length = usize::try_from(topic.length().await).unwrap();
            let events = topic.read(length).await.into_iter().map(|(_, value)| {
                let event: Value = serde_json::from_str(&value).unwrap();
                let what = if event["path"].is_null() { &event["eventType"] } else { &event["path"] };
                (event["eventId"].as_str().unwrap().to_owned(), what.as_str().unwrap().to_owned())
            });
            Some(events.collect::<BTreeSet<_>>()).filter(|ids| ids.len() >= least)
        })
        .await
    }
}

/// No due time was left out, and none was done twice.
fn each_once(executions: &[Execution], points: &[&str]) {
    let mut succeeded: BTreeMap<Timestamp, usize> = BTreeMap::new();
    for it in executions {
        *succeeded.entry(it.due_time).or_default() += usize::from(it.outcome == Outcome::Succeeded);
    }
    let due: Vec<Timestamp> = succeeded.keys().copied().collect();
    for pair in due.windows(2) {
        assert_eq!(
            pair[1].duration_since(pair[0]),
            SignedDuration::from_secs(1),
            "{points:?}: left out behind {}",
            pair[0]
        );
    }
    for (due, times) in succeeded {
        assert!(times <= 1, "{points:?}: {due} was done {times} times");
    }
}

/// Killed at each of these points in turn, then left alone: as if it never was.
async fn killed(points: &[&str], database: Option<Database>) {
    let case = Case::new(database).await;
    let create = || Filegen::finish(case.filegen.command(CREATE).arg("* * * * * ?"));
    if !points[0].starts_with("source.") {
        create().exits(0);
    }
    for point in points {
        case.killed_at(point);
    }
    if points[0].starts_with("source.") {
        // Whoever got no answer asks again: it is there, or it is not.
        create().exits(i32::from(points[0].starts_with("source.saved")));
    }
    let daemon = Daemon::of(&mut case.filegen.command("daemon -c intake.yaml --health-port 0"));
    let files = case.ids(&case.files, 2).await;
    let mut paths: Vec<&str> = files.iter().filter_map(|(_, path)| path.rsplit('/').next()).collect();
    paths.sort_unstable();
    assert_eq!(paths, ["a.csv", "b.csv"], "{points:?}: each version under one id");
    // It goes on, and no due time was left out.
    case.filegen.write("data/in/c.csv", "c");
    assert_eq!(case.ids(&case.files, 3).await.len(), 3, "{points:?}");
    let kept = case.kept().await;
    let executions = async || kept.history(None, None, 10_000).await.unwrap();
    until_async("the end of what was left", async || {
        let all = executions().await;
        let newest = all.iter().map(|it| it.token).max();
        let is_left = |it: &Execution| it.outcome == Outcome::Running && Some(it.token) < newest;
        (!all.iter().any(is_left)).then_some(())
    })
    .await;
    stop([daemon]);
    let changes = case.ids(&case.changes, 1).await;
    assert_eq!(changes.len(), 1, "{points:?}: {changes:?}");
    let sources = kept.data_sources(&Wanted { most: 9, ..Wanted::default() }).await.unwrap().sources;
    let [DataSource { id, .. }] = &sources[..] else { panic!("{points:?}: {sources:?}") };
    assert_eq!(kept.told(id, "", "~").await.unwrap().len(), 3, "{points:?}");
    each_once(&executions().await, points);
}

/// Some cases side by side, each on a thread of its own: there it waits for its processes.
fn side_by_side(cases: &[&[&'static str]], database: fn() -> Option<Database>) {
    for lanes in cases.chunks(LANES) {
        std::thread::scope(|threads| {
            for points in lanes {
                threads.spawn(|| {
                    // The first one starts a server, which waits for it.
                    let database = database();
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                    runtime.expect("a runtime").block_on(killed(points, database));
                });
            }
        });
    }
}

#[test]
fn a_scheduler_killed_between_any_two_steps_loses_nothing_and_tells_nothing_twice() {
    side_by_side(&CASES, || None);
}

#[test]
fn over_mongodb_a_scheduler_killed_between_two_steps_loses_nothing_and_tells_nothing_twice() {
    let all = std::env::var("FILEGEN_KILLED").is_ok_and(|which| which == "all");
    let chosen: Vec<&[&str]> = if all { CASES.to_vec() } else { OVER_MONGODB.map(|case| CASES[case]).to_vec() };
    side_by_side(&chosen, || {
        let database = Database::new();
        let _ = database.url();
        Some(database)
    });
}
