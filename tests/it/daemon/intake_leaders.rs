//! Two instances of a scheduler over MongoDB: a leader that is killed, one that stands still beyond its lease, one that is cut off from
//! the store. Whoever leads, each due time is done once and none is left out.

use crate::support::daemon::{Daemon, stop};
use crate::support::filegen::Filegen;
use crate::support::mongo::Database;
use crate::support::running::until_async;
use crate::support::toxiproxy::Line;
use filegen::adapters::mongo::MongoState;
use filegen::core::model::data_source::DataSourceId;
use filegen::core::model::schedule::{Execution, Outcome};
use filegen::core::ports::ledger::Ledger;
use filegen::core::ports::schedules::ScheduleStore;
use jiff::{SignedDuration, Timestamp};
use rustix::process::Signal;
use std::collections::BTreeMap;

/// The right to lead ends after two thirds of six seconds.
const POLICIES: &str = "policies: { lease_ttl: 6s, lease_heartbeat_interval: 1s, takeover_polling_interval: 200ms }";

struct Rig {
    filegen: Filegen,
    state: MongoState,
    line: Line,
    source: DataSourceId,
    _database: Database,
}

impl Rig {
    /// `near.yaml` reaches the store directly, `far.yaml` by a line. A data source is looked at each second.
    async fn new() -> Self {
        let (database, line) =
            tokio::task::spawn_blocking(|| (Database::new(), Line::to(&Database::host()))).await.unwrap();
        let filegen = Filegen::empty();
        std::fs::create_dir_all(filegen.path("data")).unwrap();
        for (file, url) in [("near.yaml", database.url()), ("far.yaml", database.url_at(&line.host()))] {
            let door = "{ port: 0, listen: 127.0.0.1 }";
            let text = format!(
                "scheduler: intake\nroots: [data]\nstate: {{ url: '{url}' }}\napi: {door}\npage: {door}\n\
                 defaults: {{ stable_for: 10ms, misfire: fire_all, overlap: queue }}\n{POLICIES}\n"
            );
            filegen.write(file, &text);
        }
        let state = database.open().await;
        let create = "datasource create -c near.yaml --name Loans --path data --rate 1s --output json";
        let made = filegen.run(create).exits(0).json();
        let source = made["id"].as_str().and_then(DataSourceId::new).unwrap_or_else(|| panic!("{made}"));
        Self { filegen, state, line, source, _database: database }
    }

    fn daemon(&self, file: &str, failpoints: &str) -> Daemon {
        let command = format!("daemon -c {file} --health-port 0");
        Daemon::of(self.filegen.command(&command).env("FAILPOINTS", failpoints))
    }

    async fn executions(&self) -> Vec<Execution> {
        self.state.history(None, None, 100_000).await.unwrap()
    }

    /// A new file is found, by whoever leads.
    async fn finds(&self, name: &str) {
        self.filegen.write(&format!("data/{name}"), name);
        until_async(&format!("{name} is told"), async || {
            let told = self.state.told(&self.source, name, name).await.unwrap();
            (told.len() == 1).then_some(())
        })
        .await;
    }

    /// So many more due times are done under this token or a later one.
    async fn goes_on(&self, token: u64) {
        until_async(&format!("executions under token {token}"), async || {
            let done = |it: &&Execution| it.token >= token && it.outcome == Outcome::Succeeded;
            (self.executions().await.iter().filter(done).count() >= 3).then_some(())
        })
        .await;
    }

    /// What stands at the end: no due time is left out, none is done twice, and nothing is under way for ever.
    async fn each_once(&self) {
        let mut succeeded: BTreeMap<Timestamp, usize> = BTreeMap::new();
        for it in self.executions().await {
            assert_ne!(it.outcome, Outcome::Running, "{it:?}");
            *succeeded.entry(it.due_time).or_default() += usize::from(it.outcome == Outcome::Succeeded);
        }
        let due: Vec<Timestamp> = succeeded.keys().copied().collect();
        for pair in due.windows(2) {
            assert_eq!(pair[1].duration_since(pair[0]), SignedDuration::from_secs(1), "left out behind {}", pair[0]);
        }
        for (due, times) in succeeded {
            assert!(times <= 1, "{due} was done {times} times");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_killed_is_followed_by_the_other_one() {
    let rig = Rig::new().await;
    // Slow between what is written down and what is decided: it dies in there, as likely as not.
    let mut first = rig.daemon("near.yaml", "slot.written=sleep(300)");
    first.running.wait_for("execution ended");
    let mut second = rig.daemon("near.yaml", "");
    rig.finds("a.csv").await;
    first.running.signal(Signal::KILL);
    rig.filegen.write("data/b.csv", "b");
    second.running.wait_for("leading");
    rig.finds("c.csv").await;
    rig.goes_on(2).await;
    stop([second]);
    rig.each_once().await;
    assert_eq!(rig.state.told(&rig.source, "", "~").await.unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_stands_beyond_its_lease_and_wakes_does_nothing_again() {
    let rig = Rig::new().await;
    let mut first = rig.daemon("near.yaml", "slot.written=sleep(300)");
    first.running.wait_for("execution ended");
    let mut second = rig.daemon("near.yaml", "");
    rig.finds("a.csv").await;
    first.running.signal(Signal::STOP);
    second.running.wait_for("leading");
    rig.finds("b.csv").await;
    rig.goes_on(2).await;
    first.running.signal(Signal::CONT);
    first.running.wait_for("lease lost");
    rig.finds("c.csv").await;
    // It leads again, behind what the other one has decided.
    stop([second]);
    first.running.wait_for("leading");
    rig.goes_on(3).await;
    stop([first]);
    rig.each_once().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_off_from_the_store_a_leader_ends_its_term_and_goes_on_when_it_is_back() {
    let rig = Rig::new().await;
    let mut far = rig.daemon("far.yaml", "slot.written=sleep(100)");
    far.running.wait_for("execution ended");
    // Alone: nobody fires meanwhile, and what was due is made up for.
    rig.line.cut();
    far.running.wait_for("lease lost");
    rig.filegen.write("data/a.csv", "a");
    rig.line.heal();
    far.running.wait_for("leading");
    rig.finds("a.csv").await;
    rig.goes_on(2).await;
    // Beside another one, which leads meanwhile.
    let mut near = rig.daemon("near.yaml", "");
    rig.line.cut();
    near.running.wait_for("leading");
    rig.finds("b.csv").await;
    rig.line.heal();
    far.running.wait_for("lease lost");
    rig.goes_on(3).await;
    stop([near]);
    far.running.wait_for("leading");
    rig.finds("c.csv").await;
    rig.goes_on(4).await;
    stop([far]);
    rig.each_once().await;
}
