//! A rolling restart while there is work.

use crate::support::daemon::{stop, topics};
use crate::support::fleet::{Fleet, POLICIES, durable_page, events, holder, published};
use crate::support::kafka::Topic;
use crate::support::mongo::Database;
use crate::support::state::run;
use rustix::process::Signal;

/// Slow enough that a restart meets a run.
const SLOW: &str = "commit.begun=sleep(15)";

#[tokio::test(flavor = "multi_thread")]
async fn daemons_restarted_one_by_one_under_load_publish_every_run_as_if_nothing_had_happened() {
    let (trigger, completion) = (Topic::create(3).await, Topic::create(1).await);
    let database = Database::new();
    let state = database.open().await;
    let fleet = Fleet::new(300);
    let sections = format!("state: {{ url: '{}' }}\n{POLICIES}{}", database.url(), topics(&trigger, &completion));
    fleet.worker("worker.yaml", &sections);
    let mut daemons = vec![fleet.daemon("worker.yaml", SLOW)];
    holder(&state, &daemons, 1).await;
    daemons.extend((0..2).map(|_| fleet.daemon("worker.yaml", SLOW)));
    let runs: Vec<_> = (1..=9).map(|day| run("LoanWorker", day)).collect();
    for (index, days) in runs.chunks(3).enumerate() {
        let wanted: Vec<String> = days.iter().map(|run| format!(r#"{{"businessDate": "{}"}}"#, run.date)).collect();
        let partition = i32::try_from(index).unwrap();
        trigger.write(partition, &wanted.iter().map(String::as_str).collect::<Vec<_>>()).await;
        // In the middle of a run; the first to go is the one that makes it.
        let leader = holder(&state, &daemons, 1).await;
        daemons[leader].running.wait_for_line("a durable page", durable_page);
        let next = fleet.daemon("worker.yaml", SLOW);
        daemons[index].running.signal(Signal::TERM);
        std::mem::replace(&mut daemons[index], next).running.finish().exits(0);
    }
    for run in &runs {
        published(&state, run).await;
    }
    let events = events(&completion, &state).await;
    assert_eq!(events.len(), 4 * runs.len(), "{events:?}");
    stop(daemons);
    for run in &runs {
        fleet.is_undisturbed(run);
    }
}
