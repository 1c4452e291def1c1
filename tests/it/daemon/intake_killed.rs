//! Ended as if by SIGKILL at each step from a data source that is saved to a file that is told: the next process loses no change, leaves
//! no due time out, and tells each file under one id.

use crate::support::daemon::{Daemon, stop};
use crate::support::filegen::Filegen;
use crate::support::kafka::Topic;
use crate::support::running::{until, until_async};
use serde_json::Value;
use std::collections::BTreeSet;

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

/// Cases played at once: most of their time they wait for their group.
const LANES: usize = 10;

const CREATE: &str = "datasource create -c intake.yaml --name Loans --path data/in --pattern *.csv --cron";

struct Case {
    filegen: Filegen,
    changes: Topic,
    files: Topic,
}

impl Case {
    async fn new() -> Self {
        let (filegen, changes, files) = (Filegen::empty(), Topic::create(1).await, Topic::create(1).await);
        let door = "{ port: 0, listen: 127.0.0.1 }";
        let (brokers, topic, found) = (&changes.brokers, &changes.name, &files.name);
        let text = format!(
            "scheduler: intake\nroots: [data]\nstate: {{ url: 'sqlite:intake.db' }}\napi: {door}\npage: {door}\n\
             defaults: {{ stable_for: 10ms }}\n\
             policies: {{ lease_ttl: 10s, lease_heartbeat_interval: 500ms, takeover_polling_interval: 200ms }}\n\
             changes: {{ kafka: {{ brokers: '{brokers}', topic: {topic}, group: {topic}, properties: {{ session.timeout.ms: '6000' }} }} }}\n\
             discovered: {{ kafka: {{ brokers: '{brokers}', topic: {found} }} }}\n"
        );
        filegen.write("intake.yaml", &text);
        std::fs::create_dir_all(filegen.path("data/in")).unwrap();
        filegen.write("data/in/a.csv", "a");
        filegen.write("data/in/b.csv", "b");
        Self { filegen, changes, files }
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

    fn sql<T: rusqlite::types::FromSql>(&self, question: &str) -> Vec<T> {
        let state = rusqlite::Connection::open(self.filegen.path("intake.db")).unwrap();
        state.busy_timeout(std::time::Duration::from_secs(30)).unwrap();
        let mut asked = state.prepare(question).unwrap();
        asked.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
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

/// Killed at each of these points in turn, then left alone: as if it never was.
async fn killed(points: &[&str]) {
    let case = Case::new().await;
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
    until("the end of what was left", || {
        let open = "SELECT count(*) FROM ScheduleExecution WHERE outcome = 'Running' AND token < (SELECT max(token) FROM worker_epochs)";
        (case.sql::<i64>(open) == [0]).then_some(())
    });
    stop([daemon]);
    let changes = case.ids(&case.changes, 1).await;
    assert_eq!(changes.len(), 1, "{points:?}: {changes:?}");
    assert_eq!(case.sql::<i64>("SELECT count(*) FROM DataSource"), [1], "{points:?}");
    assert_eq!(case.sql::<i64>("SELECT count(*) FROM DiscoveredFile"), [3], "{points:?}");
    let gaps = "WITH due AS (SELECT DISTINCT unixepoch(dueTime) AS at FROM ScheduleExecution)
                SELECT count(*) FROM due WHERE at > (SELECT min(at) FROM due) AND at - 1 NOT IN (SELECT at FROM due)";
    assert_eq!(case.sql::<i64>(gaps), [0], "{points:?}: a due time was left out");
    let twice =
        "SELECT count(*) FROM (SELECT dueTime FROM ScheduleExecution WHERE outcome = 'Succeeded' GROUP BY dueTime
                 HAVING count(*) > 1)";
    assert_eq!(case.sql::<i64>(twice), [0], "{points:?}: a due time was done twice");
}

#[test]
fn a_scheduler_killed_between_any_two_steps_loses_nothing_and_tells_nothing_twice() {
    for lanes in CASES.chunks(LANES) {
        // Each on a thread of its own: there it waits for its processes.
        std::thread::scope(|threads| {
            for points in lanes {
                threads.spawn(|| {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                    runtime.expect("a runtime").block_on(killed(points));
                });
            }
        });
    }
}
