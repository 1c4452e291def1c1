//! The lease protocol on a paused clock, over a store in memory that can lose replies.

mod acquiring;
mod faulty;
mod holding;

use super::*;
use crate::adapters::memory::clock::MemoryClock;
use crate::adapters::memory::state::MemoryState;
use faulty::{Call, Fault, Faulty};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const TTL: Duration = Duration::from_secs(30);
const BEFORE_RIGHT_ENDS: Duration = Duration::from_millis(19_999);

/// Keeps what it is told.
#[derive(Default)]
struct Notes(Mutex<Vec<ElectionEvent>>);

impl Observer<ElectionEvent> for Notes {
    fn observe(&self, event: &ElectionEvent) {
        self.0.lock().unwrap().push(event.clone());
    }
}

/// One store and one clock, and any number of candidates.
struct World {
    state: MemoryState,
    faulty: Arc<Faulty>,
    clock: MemoryClock,
    notes: Arc<Notes>,
    aborted: Arc<AtomicUsize>,
    stop: CancellationToken,
}

impl World {
    fn new() -> Self {
        let state = MemoryState::default();
        Self {
            faulty: Arc::new(Faulty::over(state.clone())),
            state,
            clock: MemoryClock::starting_at("2026-11-21T00:00:00Z".parse().unwrap()),
            notes: Arc::default(),
            aborted: Arc::default(),
            stop: CancellationToken::new(),
        }
    }

    fn candidate(&self, name: &str) -> Candidate {
        let aborted = Arc::clone(&self.aborted);
        let claims = AtomicUsize::new(0);
        let name = name.to_owned();
        Candidate {
            key: key(),
            instance: InstanceId::new(name.clone()),
            policies: Policies::default(),
            leases: Arc::clone(&self.faulty) as Arc<dyn LeaseStore>,
            clock: Arc::new(self.clock.clone()),
            observer: Arc::clone(&self.notes) as Arc<_>,
            nonce: Arc::new(move || format!("{name}-{}", claims.fetch_add(1, Ordering::Relaxed))),
            abort: Arc::new(move || {
                aborted.fetch_add(1, Ordering::Relaxed);
            }),
        }
    }

    async fn acquire(&self, name: &str) -> LeaderGuard {
        self.candidate(name).acquire(Token(0), true, &self.stop).await.unwrap()
    }

    async fn lease(&self) -> LeaseRecord {
        self.state.read(&key()).await.unwrap().unwrap()
    }

    async fn seconds(&self, seconds: u64) {
        self.clock.sleep(Duration::from_secs(seconds)).await;
    }

    fn heard(&self, wanted: impl Fn(&ElectionEvent) -> bool) -> usize {
        self.notes.0.lock().unwrap().iter().filter(|event| wanted(event)).count()
    }
}

fn key() -> LeaseKey {
    LeaseKey::new("LoanWorker").unwrap()
}
