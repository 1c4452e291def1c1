//! Leaders that die in the middle of a run.

use crate::support::chance::Chance;
use crate::support::daemon::{Daemon, stop, topics};
use crate::support::fleet::{Fleet, POLICIES, durable_page, events, holder, published};
use crate::support::kafka::Topic;
use crate::support::mongo::Database;
use crate::support::state::run;
use filegen::core::ports::runs::RunStore;
use rustix::process::Signal;

#[tokio::test(flavor = "multi_thread")]
async fn one_trigger_sent_five_times_and_two_dead_leaders_make_one_run_with_the_bytes_of_an_undisturbed_one() {
    let mut chance = Chance::new();
    let (trigger, completion) = (Topic::create(3).await, Topic::create(1).await);
    let database = Database::new();
    let (state, run) = (database.open().await, run("LoanWorker", 21));
    let fleet = Fleet::new(600);
    let sections = format!("state: {{ url: '{}' }}\n{POLICIES}{}", database.url(), topics(&trigger, &completion));
    fleet.worker("worker.yaml", &sections);
    let mut daemons: Vec<Daemon> = (0..3).map(|_| fleet.daemon("worker.yaml", "commit.begun=sleep(40)")).collect();
    let event = r#"{"businessDate": "2026-11-21"}"#;
    trigger.write(0, &[event, event]).await;
    for (token, partition, pages) in [(1, 1, 1..25), (2, 2, 30..50)] {
        let leader = holder(&state, &daemons, token).await;
        let page = chance.within(pages);
        let reached = |line: &str| durable_page(line).filter(|durable| *durable >= page);
        daemons[leader].running.wait_for_line(&format!("page {page}"), reached);
        daemons[leader].running.signal(Signal::KILL);
        drop(daemons.swap_remove(leader));
        trigger.write(partition, &[event]).await;
    }
    trigger.write(0, &[event]).await;
    published(&state, &run).await;
    let events = events(&completion, &state).await;
    assert_eq!(events.len(), 4, "one for each file: {events:?}");
    // The five events are dealt with, and made no other run.
    daemons[0].running.wait_for_line("all events", |line| line.contains("/0@2").then_some(()));
    stop(daemons);
    assert_eq!(state.runs(None, 9).await.unwrap().records.len(), 1);
    let terms = fleet.terms(&run);
    assert!(terms.len() == 3 && terms.is_sorted(), "two went on behind another's pages: {terms:?}");
    fleet.is_undisturbed(&run);
    fleet.filegen.run("verify -c worker.yaml --date 2026-11-21 --full").exits(0);
}
