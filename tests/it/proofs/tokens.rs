//! Tokens only grow, whatever becomes of the store: leases purged, both collections dropped.
//!
//! `FILEGEN_CYCLES=1000` for the whole of it; `FILEGEN_TEST_SEED` deals it again.

use crate::support::chance::{Chance, number, seed};
use crate::support::state::{State, key, on_each, worker};
use filegen::adapters::memory::source::MemorySource;
use filegen::adapters::memory::volume::MemoryVolume;
use filegen::adapters::system_clock::SystemClock;
use filegen::core::election::Candidate;
use filegen::core::generate::Ports;
use filegen::core::generate::fence::{fence, traces};
use filegen::core::generate::layout::staging_dir;
use filegen::core::model::names::InstanceId;
use filegen::core::model::policy::Policies;
use filegen::core::model::run::{BusinessDate, RunId};
use filegen::core::model::term::Token;
use filegen::core::ports::observer::Unobserved;
use filegen::core::ports::volume::{EntryKind, Volume};
use jiff::ToSpan;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Acquisitions for one business date.
const A_DAY: u64 = 25;

fn candidate(state: &State, cycle: u64) -> Candidate {
    static CLAIMS: AtomicU64 = AtomicU64::new(0);
    let policies = Policies { takeover_polling_interval: Duration::from_millis(5), ..Policies::default() };
    Candidate {
        key: key("W"),
        instance: InstanceId::new(format!("pod-{}:7", cycle % 3)),
        policies,
        leases: state.door(usize::try_from(cycle).unwrap()),
        clock: Arc::new(SystemClock),
        observer: Arc::new(Unobserved),
        nonce: Arc::new(|| CLAIMS.fetch_add(1, Ordering::Relaxed).to_string()),
        abort: Arc::new(|| ()),
    }
}

fn run(cycle: u64) -> RunId {
    let day = jiff::civil::date(2026, 1, 1) + i64::try_from(cycle / A_DAY).unwrap().days();
    RunId { worker: worker("W"), date: BusinessDate(day) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_grow_through_purges_and_dropped_collections() {
    let (seed, cycles) = (seed(), number("FILEGEN_CYCLES").unwrap_or(300));
    on_each(|state| async move {
        let mut chance = Chance::of(seed);
        let volume = Arc::new(MemoryVolume::default());
        let (mut last, mut dropped) = (Token(0), 0);
        for cycle in 0..cycles {
            let candidate = candidate(&state, cycle);
            let floor = traces(&*volume, &worker("W")).await.unwrap().highest;
            let leadership = candidate.acquire(floor, true, &CancellationToken::new()).await.unwrap();
            let token = leadership.term().token();
            assert!(token > last, "seed {seed}, cycle {cycle}: {token} after {last}");
            last = token;

            // What a holder does first: it fences the volume, and makes its folder.
            let ports = Ports {
                source: Arc::new(MemorySource::default()),
                volume: volume.clone(),
                state: state.ports(0),
                clock: Arc::new(SystemClock),
            };
            fence(&ports, &run(cycle), leadership.term()).await.unwrap();
            volume.make_dir(leadership.term(), &staging_dir(&run(cycle), token)).await.unwrap();

            let released = chance.percent(60);
            if released {
                assert_eq!(leadership.release("done").await, Ok(true), "seed {seed}, cycle {cycle}");
            }
            if chance.percent(10) {
                state.litter.drop_all().await;
                dropped += 1;
                assert_eq!(state.store().highest_token(&key("W"), Token(u64::MAX)).await, Ok(None));
            } else if !released || chance.percent(40) {
                state.litter.collect(&key("W")).await;
            }
        }
        assert!(dropped > 0, "seed {seed}: no collection was dropped");
        let names = volume.list(&format!(".filegen/W/{}", run(cycles - 1).date.compact())).await.unwrap();
        assert!(names.iter().any(|entry| entry.kind == EntryKind::File), "there are tombstones: {names:?}");
    })
    .await;
}
