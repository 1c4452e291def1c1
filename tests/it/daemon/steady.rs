//! A daemon that has made many runs is as small as one that has made few.

use crate::support::daemon::{Daemon, stop, topics};
use crate::support::filegen::Filegen;
use crate::support::fleet::{Fleet, POLICIES, all_sent, published};
use crate::support::kafka::Topic;
use crate::support::running::until;
use crate::support::size::Size;
use crate::support::state::{Store, run};
use crate::support::{mongo, postgres};
use filegen::adapters::local_state::LocalState;
use filegen::core::model::run::{BusinessDate, RunId};
use jiff::{Timestamp, ToSpan};
use std::time::Duration;

/// What resident memory may grow by between the tenth and the fiftieth run: the allocator's pools are still filling then.
/// (Of a thousand runs, the last five hundred took 0.4 MiB in all.) It is what forty leaks of 128 KiB would take: less
/// than a connection to Kafka with its threads, or the pages of one run.
const RSS_GROWTH_KIB: usize = 5 * 1024;

/// What threads and descriptors may grow by: pools of threads for blocking calls and of connections are as large as the
/// busiest moment so far has needed, and a busier one may come late. Forty runs that leave one each leave more.
const MORE: usize = 8;

/// The same for threads. The pool for blocking calls wakes its threads in turn, so that a call a second keeps ten of them from
/// ending when a busy moment has begun them.
const MORE_THREADS: usize = 24;

/// Asks for all of these at once, and waits for one after the other: what is slow goes on, and only what hangs fails.
async fn make(runs: &dyn Store, days: &[RunId]) {
    for day in days {
        // As a command asks: what an event asks for waits until its day begins, and some of these days are to come.
        runs.request(day, "command:test:1", Timestamp::now()).await.unwrap();
    }
    for day in days {
        published(runs, day).await;
    }
}

/// Fifty runs in a row.
async fn stays_small(daemon: &Daemon, runs: &dyn Store, announces: bool) {
    let first = run("LoanWorker", 1).date.0;
    let days: Vec<RunId> =
        (0..50).map(|day| RunId { date: BusinessDate(first + day.days()), ..run("LoanWorker", 1) }).collect();
    make(runs, &days[..10]).await;
    if announces {
        all_sent(runs).await;
    }
    let tenth = Size::of(daemon.running.id());
    make(runs, &days[10..]).await;
    if announces {
        all_sent(runs).await;
    }
    let now = || Size::of(daemon.running.id());
    // Threads that a busy moment took end when they have been idle for some seconds; those that are left behind do not.
    until("no more threads than after ten runs", || (now().threads <= tenth.threads + MORE_THREADS).then_some(()));
    let fiftieth = now();
    assert!(fiftieth.descriptors <= tenth.descriptors + MORE, "{tenth:?} has become {fiftieth:?}");
    assert!(fiftieth.threads <= tenth.threads + MORE_THREADS, "{tenth:?} has become {fiftieth:?}");
    assert!(fiftieth.rss_kib <= tenth.rss_kib + RSS_GROWTH_KIB, "{tenth:?} has become {fiftieth:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_runs_leave_nothing_behind_on_embedded_defaults() {
    let fleet = Fleet::new(30);
    fleet.worker("worker.yaml", POLICIES);
    let daemon = fleet.daemon("worker.yaml", "");
    let state = LocalState::open(&fleet.filegen.path("out/.filegen/state.db"), Duration::from_mins(4)).await.unwrap();
    stays_small(&daemon, &state, false).await;
    stop(vec![daemon]);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_runs_leave_nothing_behind_on_real_servers() {
    let (trigger, completion) = (Topic::create(1).await, Topic::create(1).await);
    let (loans, states) = (postgres::Database::create().await, mongo::Database::new());
    let rows = "CREATE VIEW \"v_Loans\" AS SELECT i AS \"LoanId\", 'customer ' || i AS \"Customer\", \
        (i * 10.25)::numeric(10, 2) AS \"Amount\" FROM generate_series(1, 30) AS i";
    loans.run(rows).await;
    let fleet = Fleet::over(&loans.url(), Filegen::empty());
    let sections = format!("state: {{ url: '{}' }}\n{POLICIES}{}", states.url(), topics(&trigger, &completion));
    fleet.worker("worker.yaml", &sections);
    let daemon = fleet.daemon("worker.yaml", "");
    stays_small(&daemon, &states.open().await, true).await;
    stop(vec![daemon]);
}
