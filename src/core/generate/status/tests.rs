//! The report over a store in memory.

use super::*;
use crate::adapters::memory::clock::MemoryClock;
use crate::adapters::memory::state::MemoryState;
use crate::core::model::message::EventId;
use crate::core::model::names::InstanceId;
use crate::core::model::run::{BusinessDate, RunId};
use crate::core::model::term::{Term, Token};
use crate::core::ports::dead_letters::DeadLetters;
use crate::core::ports::leases::LeaseRecord;
use crate::core::ports::leases::LeaseStore;
use crate::core::ports::runs::RunStore;
use jiff::SignedDuration;
use jiff::ToSpan;
use std::sync::Arc;
use std::time::Duration;

fn noon() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn run(worker: &str, day: i8) -> RunId {
    RunId { worker: WorkerId::new(worker).unwrap(), date: BusinessDate(jiff::civil::date(2026, 11, day)) }
}

fn lease(worker: &str) -> LeaseRecord {
    LeaseRecord {
        key: LeaseKey::new(worker).unwrap(),
        instance: InstanceId::new("pod-1:7"),
        token: Token(3),
        seq: 9,
        acquired_at: noon() - 1.hour(),
        renewed_at: noon() - 4.seconds(),
        expires_at: noon() + 26.seconds(),
        released: None,
    }
}

async fn of(state: &MemoryState, worker: Option<&str>) -> Vec<WorkerReport> {
    let worker = worker.map(|name| WorkerId::new(name).unwrap());
    report(&StateStore::of(Arc::new(state.clone())), &MemoryClock::starting_at(noon()), worker.as_ref(), None)
        .await
        .unwrap()
        .workers
}

async fn running(state: &MemoryState, id: &RunId) -> RunRecord {
    state.request(id, "command:host:1", noon()).await.unwrap();
    let mut record = state.run(id).await.unwrap().unwrap();
    record.status = RunStatus::Running;
    record.started_at = Some(noon() - 10.seconds());
    record.rows = 5000;
    save(state, &record).await;
    record
}

async fn save(state: &MemoryState, record: &RunRecord) {
    let term = Term::new(Token(3), Duration::MAX, Arc::new(|| Duration::ZERO));
    state.save_run(&term, record).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_worker_shows_with_a_lease_or_a_run_or_when_asked_for() {
    let state = MemoryState::default();
    state.install(&lease("B")).await.unwrap();
    state.request(&run("A", 20), "x", noon()).await.unwrap();
    let names: Vec<_> = of(&state, None).await.into_iter().map(|worker| worker.worker.to_string()).collect();
    assert_eq!(names, ["A", "B"]);
    let unknown = of(&state, Some("C")).await;
    assert_eq!(unknown[0].lease.state, LeaseState::None);
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_held_expired_or_released() {
    let state = MemoryState::default();
    state.install(&lease("B")).await.unwrap();
    let shown = of(&state, Some("B")).await.remove(0).lease;
    assert_eq!((shown.state, shown.age), (LeaseState::Held, Some(SignedDuration::from_secs(4))));
    state.mark_gone(&InstanceId::new("pod-1:7"));
    assert_eq!(of(&state, Some("B")).await[0].lease.state, LeaseState::Expired);

    let old = LeaseRecord { expires_at: noon(), instance: InstanceId::new("pod-2:7"), token: Token(4), ..lease("B") };
    state.install(&old).await.unwrap();
    assert_eq!(of(&state, Some("B")).await[0].lease.state, LeaseState::Expired);
    state.release(&old.key, old.token, noon(), "done").await.unwrap();
    assert_eq!(of(&state, Some("B")).await[0].lease.state, LeaseState::Released);
}

#[tokio::test(start_paused = true)]
async fn a_rate_is_told_only_while_somebody_writes_or_when_all_is_done() {
    let state = MemoryState::default();
    let mut record = running(&state, &run("B", 21)).await;
    let rate = async || of(&state, Some("B")).await[0].runs[0].rows_per_second;
    assert_eq!(rate().await, None, "nobody holds the lease");
    state.install(&lease("B")).await.unwrap();
    assert_eq!(rate().await, Some(500.0));
    record.status = RunStatus::Published;
    record.completed_at = Some(noon() - 5.seconds());
    save(&state, &record).await;
    assert_eq!(rate().await, Some(1000.0));
    record.status = RunStatus::Failed;
    save(&state, &record).await;
    assert_eq!(rate().await, None);
}

#[tokio::test(start_paused = true)]
async fn events_that_were_passed_over_are_told_newest_first_of_their_worker_alone() {
    let state = MemoryState::default();
    let odd = |worker: &str, offset: i64| DeadLetter {
        id: EventId { topic: "loan-data".to_owned(), partition: 3, offset },
        owner: LeaseKey::new(worker).unwrap(),
        at: noon() + offset.seconds(),
        reason: "no JSON".to_owned(),
        payload: None,
    };
    for offset in 1..=12 {
        state.keep_dead_letter(&odd("A", offset)).await.unwrap();
    }
    state.keep_dead_letter(&odd("B", 99)).await.unwrap();
    let told = of(&state, None).await;
    let names: Vec<_> = told.iter().map(|worker| worker.worker.as_str()).collect();
    assert_eq!(names, ["A", "B"], "a worker that has nothing else shows too");
    let offsets: Vec<_> = told[0].odd_events.iter().map(|event| event.id.offset).collect();
    assert_eq!(offsets, [12, 11, 10, 9, 8, 7, 6, 5, 4, 3]);
    assert_eq!(told[1].odd_events, [odd("B", 99)]);
}

#[test]
fn what_becomes_of_a_run_is_its_record_held_against_the_lease() {
    let mut record = RunRecord::pending(&run("B", 21), "x", noon());
    (record.status, record.token) = (RunStatus::Running, Some(Token(3)));
    let of = |record: &RunRecord, state: LeaseState, token: u64| {
        let lease = LeaseRecord { token: Token(token), ..lease("B") };
        RunState::of(record, &LeaseReport { state, record: Some(lease), ..LeaseReport::default() }).as_str()
    };
    assert_eq!(of(&record, LeaseState::Held, 3), "running");
    assert_eq!(of(&record, LeaseState::Released, 3), "stopped");
    assert_eq!(of(&record, LeaseState::Expired, 3), "interrupted");
    assert_eq!(of(&record, LeaseState::Held, 4), "interrupted", "another holder has not taken it over yet");
    assert_eq!(of(&record, LeaseState::Released, 4), "interrupted", "nobody knows how that holder ended");
    let never = LeaseReport::default();
    assert_eq!(RunState::of(&record, &never).as_str(), "interrupted");
    for (status, word) in
        [(RunStatus::Pending, "pending"), (RunStatus::Failed, "failed"), (RunStatus::Published, "published")]
    {
        record.status = status;
        assert_eq!(of(&record, LeaseState::Held, 3), word);
    }
}
