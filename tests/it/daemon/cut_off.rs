//! Daemons that are cut off from one of their servers, and what they do when it is back.

use crate::support::daemon::{Daemon, stop, topics};
use crate::support::filegen::Filegen;
use crate::support::fleet::{
    Fleet, POLICIES, Watched, durable_page, events, holder, line_to, loans_in_postgres, patient, published,
};
use crate::support::kafka::{Broker, Topic};
use crate::support::running::{until, until_async};
use crate::support::state::{key, run};
use crate::support::toxiproxy::Line;
use crate::support::{mongo, sqlserver};
use crate::tds::Options;
use filegen::adapters::local_state::LocalState;
use filegen::adapters::mongo::MongoState;
use filegen::core::model::secret::Secret;
use filegen::core::ports::leases::{LeaseRecord, LeaseStore};
use filegen::core::ports::runs::RunStore;
use jiff::{Timestamp, ToSpan};
use serde_json::Value;
use std::any::Any;
use std::time::Duration;

/// Slow enough that a cut meets the run.
const SLOW: &str = "commit.begun=sleep(60)";

/// What a daemon says of one thing that it depends on, in all places; waited for.
fn is_said(daemon: &Daemon, dependency: &str, state: &str) {
    until(&format!("{dependency} {state}"), || {
        let (code, body) = daemon.get("/health/ready");
        let said: Value = serde_json::from_str(&body).unwrap();
        let found = &said["workers"]["LoanWorker"][dependency]["state"];
        (found == state && (code == 200) == (said["state"] == "ready")).then_some(())
    });
    let up = u8::from(state == "up");
    let metric = format!("filegen_dependency_up{{worker=\"LoanWorker\",dependency=\"{dependency}\"}} {up}");
    assert!(daemon.get("/metrics").1.contains(&metric), "{metric}");
    assert_eq!(daemon.get("/health/live").0, 200, "no reason to start over");
}

/// Waits until a metric of the worker has this value.
fn metric(daemon: &Daemon, name: &str, value: &str) {
    let line = format!("{name}{{worker=\"LoanWorker\"}} {value}\n");
    until(line.trim_end(), || daemon.get("/metrics").1.contains(&line).then_some(()));
}

fn reach(daemon: &mut Daemon, page: u64) {
    let reached = |line: &str| durable_page(line).filter(|durable| *durable >= page);
    daemon.running.wait_for_line(&format!("page {page}"), reached);
}

/// SIGTERM ends it by its own way out, however silent its server is: one that waits for the server hangs, and fails.
fn ends(daemon: Daemon) {
    stop([daemon]);
}

/// A run that is cut off from MongoDB in its middle.
struct CutOff {
    database: mongo::Database,
    line: Line,
    fleet: Fleet,
}

impl CutOff {
    /// `cut_off.yaml` reaches the state store by a line, `worker.yaml` directly.
    fn new() -> Self {
        let database = mongo::Database::new();
        let line = Line::to(&mongo::Database::host());
        let fleet = Fleet::new(1200);
        fleet.worker("worker.yaml", &format!("state: {{ url: '{}' }}\n{POLICIES}", database.url()));
        fleet.worker("cut_off.yaml", &format!("state: {{ url: '{}' }}\n{POLICIES}", database.url_at(&line.host())));
        Self { database, line, fleet }
    }

    async fn lease(&self) -> LeaseRecord {
        self.database.open().await.read(&key("LoanWorker")).await.unwrap().unwrap()
    }
}

/// Two thirds of the time to live.
fn end_of_right(lease: &LeaseRecord) -> Timestamp {
    lease.renewed_at + 4.seconds()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_state_store_a_holder_stops_writing_within_its_right_and_goes_on_when_it_is_back() {
    let cut_off = CutOff::new();
    let (fleet, run) = (&cut_off.fleet, run("LoanWorker", 21));
    let state = cut_off.database.open().await;
    let mut daemon = fleet.daemon("cut_off.yaml", SLOW);
    state.request(&run, "command:test:1", Timestamp::now()).await.unwrap();
    reach(&mut daemon, 5);
    is_said(&daemon, "state", "up");
    let watched = Watched::folder(&fleet.staging(&run, 1));
    let cut = Timestamp::now();
    cut_off.line.cut();
    daemon.running.wait_for("leadership lost");
    let end = end_of_right(&cut_off.lease().await);
    metric(&daemon, "filegen_leader", "0");
    is_said(&daemon, "state", "down");
    let last = watched.written();
    assert!(last > cut, "it has the right to go on for a while: cut off at {cut}, last written at {last}");
    assert!(last <= end, "last written at {last}, and the right ended at {end}");
    cut_off.line.heal();
    daemon.running.wait_for("leadership acquired");
    published(&state, &run).await;
    is_said(&daemon, "state", "up");
    metric(&daemon, "filegen_leader", "1");
    stop(vec![daemon]);
    assert_eq!(watched.written(), last, "the old folder is never written to again");
    assert_eq!(fleet.terms(&run).len(), 2, "it went on behind its own pages");
    fleet.is_undisturbed(&run);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_starts_without_its_state_store_serves_once_it_is_there() {
    let cut_off = CutOff::new();
    cut_off.line.close();
    let mut daemon = cut_off.fleet.daemon("cut_off.yaml", "");
    is_said(&daemon, "state", "down");
    cut_off.line.heal();
    daemon.running.wait_for("leadership acquired");
    let state = MongoState::connect(&Secret::new(cut_off.database.url()), Duration::from_mins(4)).await.unwrap();
    until_async("all indexes", async || state.missing_indexes().await.ok().filter(Vec::is_empty)).await;
    state.request(&run("LoanWorker", 21), "command:test:1", Timestamp::now()).await.unwrap();
    published(&state, &run("LoanWorker", 21)).await;
    stop(vec![daemon]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_takes_over_from_a_holder_that_is_cut_off_and_has_stopped_before() {
    let cut_off = CutOff::new();
    let (fleet, run) = (&cut_off.fleet, run("LoanWorker", 21));
    let state = cut_off.database.open().await;
    let mut first = fleet.daemon("cut_off.yaml", SLOW);
    first.running.wait_for("leadership acquired");
    let mut second = fleet.daemon("worker.yaml", "");
    second.running.wait_for("waiting for the lease");
    state.request(&run, "command:test:1", Timestamp::now()).await.unwrap();
    reach(&mut first, 5);
    let watched = Watched::folder(&fleet.staging(&run, 1));
    cut_off.line.cut();
    let mut before = cut_off.lease().await;
    let after = until_async("another holder", async || {
        let lease = state.read(&key("LoanWorker")).await.unwrap().unwrap();
        if lease.token == before.token {
            before = lease;
            return None;
        }
        Some(lease)
    });
    let after = after.await;
    let (last, end) = (watched.written(), end_of_right(&before));
    assert!(last <= end, "last written at {last}, and the right ended at {end}");
    assert!(after.acquired_at > end, "none may take over before: {after:?}");
    published(&state, &run).await;
    first.running.wait_for("leadership lost");
    cut_off.line.heal();
    first.running.wait_for("waiting for the lease");
    let daemons = vec![first, second];
    assert_eq!(holder(&state, &daemons, after.token.0).await, 1);
    stop(daemons);
    assert_eq!(watched.written(), last, "who was cut off wrote nothing more");
    assert_eq!(state.runs(None, 9).await.unwrap().records.len(), 1);
    assert_eq!(fleet.terms(&run).len(), 2);
    fleet.is_undisturbed(&run);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_kafka_files_are_published_and_their_events_wait() {
    let broker = tokio::task::spawn_blocking(Broker::start).await.unwrap();
    let line = broker.line();
    let (trigger, completion) =
        (Topic::create_at(&broker.brokers(), 1).await, Topic::create_at(&broker.brokers(), 1).await);
    let far = |topic: &Topic| topic.by(line.host());
    let fleet = Fleet::new(300);
    fleet.worker("worker.yaml", &format!("{POLICIES}{}", topics(&far(&trigger), &far(&completion))));
    let daemon = fleet.daemon("worker.yaml", "");
    is_said(&daemon, "kafka", "up");
    line.cut();
    is_said(&daemon, "kafka", "down");
    let state = LocalState::open(&fleet.filegen.path("out/.filegen/state.db"), Duration::from_mins(4)).await.unwrap();
    let (first, second) = (run("LoanWorker", 21), run("LoanWorker", 22));
    state.request(&first, "command:test:1", Timestamp::now()).await.unwrap();
    published(&state, &first).await;
    fleet.is_undisturbed(&first);
    metric(&daemon, "filegen_outbox_depth", "4");
    assert_eq!(completion.length().await, 0);
    trigger.write(0, &[r#"{"businessDate": "2026-11-22"}"#]).await;
    line.heal();
    assert_eq!(completion.read(4).await.len(), 4);
    published(&state, &second).await;
    let events = events(&completion, &state).await;
    assert_eq!(events.len(), 8, "{events:?}");
    metric(&daemon, "filegen_outbox_depth", "0");
    is_said(&daemon, "kafka", "up");
    fleet.is_undisturbed(&second);
    line.cut();
    state.request(&run("LoanWorker", 23), "command:test:1", Timestamp::now()).await.unwrap();
    metric(&daemon, "filegen_outbox_depth", "4");
    ends(daemon);
}

/// Loans in a server, behind a line.
struct Far {
    line: Line,
    fleet: Fleet,
    /// Goes with its tests.
    _loans: Box<dyn Any>,
}

impl Far {
    async fn postgres() -> Self {
        let loans = loans_in_postgres(2000).await;
        let (line, by_line) = line_to(&loans);
        Self::over(line, &loans.url(), &by_line, Box::new(loans))
    }

    /// The tests' own TDS server: a real one is not to be told that it is cut off.
    async fn sql_server() -> Self {
        let loans = sqlserver::Database::here(Options::default());
        loans
            .execute("CREATE TABLE loans (LoanId bigint NOT NULL, Customer nvarchar(100), Amount decimal(10, 2))")
            .await;
        for hundred in 0..20 {
            let row = |id: u32| format!("({id}, N'customer {id:.<91}', {}.25)", id * 10);
            let rows: Vec<String> = (1..=100).map(|id| row(hundred * 100 + id)).collect();
            loans.execute(&format!("INSERT INTO loans (LoanId, Customer, Amount) VALUES {}", rows.join(", "))).await;
        }
        loans.execute("CREATE VIEW v_Loans AS SELECT LoanId, Customer, Amount FROM loans").await;
        let address = loans.server().address();
        let line = Line::to(&address.to_string());
        let by_line = loans.ado().replace(&format!(",{}", address.port()), &format!(",{}", line.port));
        let ado = loans.ado().to_owned();
        Self::over(line, &ado, &by_line, Box::new(loans))
    }

    fn over(line: Line, address: &str, by_line: &str, loans: Box<dyn Any>) -> Self {
        let fleet = Fleet::over(address, Filegen::empty());
        fleet.worker_over("worker.yaml", by_line, &patient());
        Self { line, fleet, _loans: loans }
    }

    async fn state(&self) -> LocalState {
        LocalState::open(&self.fleet.filegen.path("out/.filegen/state.db"), Duration::from_mins(4)).await.unwrap()
    }
}

async fn a_run_is_tried_again_and_goes_on_behind_its_last_page(far: Far) {
    let (line, fleet, run) = (&far.line, &far.fleet, run("LoanWorker", 21));
    line.slow(100);
    let mut daemon = fleet.daemon("worker.yaml", "");
    let state = far.state().await;
    state.request(&run, "command:test:1", Timestamp::now()).await.unwrap();
    reach(&mut daemon, 20);
    line.close();
    // Refused more than once.
    daemon.running.wait_for_line("a second try", |line| {
        (line.contains("msg=\"trying again\"") && line.contains("attempt=2")).then_some(())
    });
    is_said(&daemon, "source", "down");
    line.heal();
    line.slow(100);
    reach(&mut daemon, 60);
    line.cut();
    is_said(&daemon, "source", "down");
    metric(&daemon, "filegen_leader", "1");
    line.heal();
    published(&state, &run).await;
    is_said(&daemon, "source", "up");
    let log = stop(vec![daemon]).remove(0);
    let read = |line: &str| {
        line.contains("msg=\"processing page\"")
            .then(|| line.split(" page=").nth(1)?.split(' ').next()?.parse::<u64>().ok())?
    };
    let pages: Vec<u64> = log.lines().filter_map(read).collect();
    assert_eq!(pages, (1..=200).collect::<Vec<_>>(), "each page is read once, in order");
    assert_eq!(fleet.terms(&run), [1]);
    fleet.is_undisturbed(&run);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_postgresql_a_run_is_tried_again_and_goes_on_behind_its_last_page() {
    a_run_is_tried_again_and_goes_on_behind_its_last_page(Far::postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_sql_server_a_run_is_tried_again_and_goes_on_behind_its_last_page() {
    a_run_is_tried_again_and_goes_on_behind_its_last_page(Far::sql_server().await).await;
}

async fn a_silent_source_holds_up_no_stop_before_the_first_page_or_behind_it(far: Far) {
    far.line.slow(100);
    let mut daemon = far.fleet.daemon("worker.yaml", "");
    far.state().await.request(&run("LoanWorker", 21), "command:test:1", Timestamp::now()).await.unwrap();
    reach(&mut daemon, 20);
    far.line.cut();
    is_said(&daemon, "source", "down");
    ends(daemon);
    let daemon = far.fleet.daemon("worker.yaml", "");
    far.state().await.request(&run("LoanWorker", 20), "command:test:1", Timestamp::now()).await.unwrap();
    is_said(&daemon, "source", "down");
    ends(daemon);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_postgresql_holds_up_no_stop() {
    a_silent_source_holds_up_no_stop_before_the_first_page_or_behind_it(Far::postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_sql_server_holds_up_no_stop() {
    a_silent_source_holds_up_no_stop_before_the_first_page_or_behind_it(Far::sql_server().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_state_store_holds_up_no_stop() {
    let cut_off = CutOff::new();
    let mut daemon = cut_off.fleet.daemon("cut_off.yaml", SLOW);
    let state = cut_off.database.open().await;
    state.request(&run("LoanWorker", 21), "command:test:1", Timestamp::now()).await.unwrap();
    reach(&mut daemon, 5);
    cut_off.line.cut();
    ends(daemon);
}
