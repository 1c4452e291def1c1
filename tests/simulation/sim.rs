//! What all pods of one schedule share: time, chance, the far sides, the trace, and the book of what must hold.

use crate::book::Book;
use crate::broker::Broker;
use crate::data;
use crate::disk::Disk;
use crate::handover::{self, Transfer};
use crate::mix::Mix;
use crate::rng::Rng;
use filegen::adapters::memory::source::MemorySource;
use filegen::adapters::memory::state::MemoryState;
use filegen::core::generate::model::file_name::manifest_name;
use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// A holder not seen alive for this long may be replaced.
pub const TTL: Duration = Duration::from_secs(30);

/// The longest that an operation under way may still take.
pub const LATEST: Duration = Duration::from_mins(5);

pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a pod talks to; each can be cut off alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Line {
    Volume,
    Store,
    Source,
    Broker,
}

pub const LINES: [Line; 4] = [Line::Volume, Line::Store, Line::Source, Line::Broker];

/// An operation under way: it takes effect when it is due, whatever has become of its caller.
struct UnderWay {
    pod: usize,
    due: Arc<AtomicU64>,
    run: Box<dyn FnOnce(&Sim) + Send>,
}

/// All of them, by the time when they are due and the order in which they were sent; and how many there were.
type Traffic = (u64, BTreeMap<(Duration, u64), UnderWay>);

pub struct Sim {
    pub seed: u64,
    pub mix: Mix,
    start: Instant,
    rng: Mutex<Rng>,
    trace: Mutex<Trace>,
    under_way: Mutex<Traffic>,
    pub disk: Mutex<Disk>,
    pub state: MemoryState,
    pub view: MemorySource,
    pub broker: Mutex<Broker>,
    pub transfer: Mutex<Transfer>,
    pub book: Mutex<Book>,
    calm: AtomicBool,
    power_out: AtomicBool,
}

/// The hash of all that happened, in order: equal for two runs of one seed.
struct Trace {
    hash: u64,
    line: String,
    shown: bool,
}

impl Sim {
    pub fn new(seed: u64, shown: bool) -> Self {
        let mut rng = Rng::new(seed);
        let mix = Mix { deliver: (seed % 4 == 3).then_some(handover::NAME), ..Mix::new(&mut rng) };
        Self {
            seed,
            start: Instant::now(),
            rng: Mutex::new(rng),
            trace: Mutex::new(Trace { hash: seed, line: String::new(), shown }),
            under_way: Mutex::default(),
            disk: Mutex::new(Disk::new(mix.remote)),
            state: MemoryState::default(),
            view: MemorySource::default(),
            broker: Mutex::default(),
            transfer: Mutex::new(Transfer::new(seed)),
            book: Mutex::default(),
            calm: AtomicBool::new(false),
            power_out: AtomicBool::new(false),
            mix,
        }
    }

    /// The names of all manifests.
    pub fn manifests(&self) -> impl Iterator<Item = String> {
        (1..=self.mix.dates).map(|day| manifest_name(&data::run(day), 1))
    }

    /// True time, on nobody's clock.
    pub fn now(&self) -> Duration {
        self.start.elapsed()
    }

    pub async fn sleep_until(&self, at: Duration) {
        tokio::time::sleep_until(self.start + at).await;
    }

    pub fn rng(&self) -> MutexGuard<'_, Rng> {
        locked(&self.rng)
    }

    /// Whether faults are over.
    pub fn is_calm(&self) -> bool {
        self.calm.load(Ordering::Relaxed)
    }

    pub fn calm_down(&self) {
        self.calm.store(true, Ordering::Relaxed);
    }

    /// True this often in a thousand, as long as there are faults.
    pub fn strikes(&self, per_mille: u64) -> bool {
        per_mille > 0 && !self.is_calm() && self.rng().chance(per_mille)
    }

    /// Adds to the trace.
    pub fn note(&self, who: usize, what: fmt::Arguments<'_>) {
        let mut trace = locked(&self.trace);
        let now = self.now().as_millis();
        trace.line.clear();
        // Writing to a text never fails.
        let _ = write!(trace.line, "{now:>8} pod {who}: {what}");
        trace.hash = xxhash_rust::xxh3::xxh3_64_with_seed(trace.line.as_bytes(), trace.hash);
        if trace.shown {
            println!("{}", trace.line);
        }
    }

    pub fn hash(&self) -> u64 {
        locked(&self.trace).hash
    }

    /// Something that must never happen has happened.
    pub fn wrong(&self, what: String) {
        self.note(99, format_args!("WRONG {what}"));
        locked(&self.book).wrong.push(what);
    }

    /// Sends an operation on its way; `due` says when it will have taken effect, and may still grow.
    pub fn send(&self, pod: usize, at: Duration, run: impl FnOnce(&Self) + Send + 'static) -> Arc<AtomicU64> {
        let due = Arc::new(AtomicU64::new(millis(at)));
        let mut under_way = locked(&self.under_way);
        under_way.0 += 1;
        let key = (at, under_way.0);
        under_way.1.insert(key, UnderWay { pod, due: Arc::clone(&due), run: Box::new(run) });
        due
    }

    /// Lets take effect what is due.
    pub fn catch_up(&self) {
        let now = self.now();
        loop {
            let next = {
                let mut under_way = locked(&self.under_way);
                match under_way.1.first_key_value() {
                    Some(((at, _), _)) if *at <= now => under_way.1.pop_first(),
                    _ => None,
                }
            };
            let Some(((at, _), operation)) = next else { break };
            locked(&self.disk).catch_up(at);
            (operation.run)(self);
        }
        locked(&self.disk).catch_up(now);
    }

    /// A pod's operations under way are held up, each for up to `most`.
    pub fn hold_up(&self, pod: usize, most: Duration) {
        let mut under_way = locked(&self.under_way);
        let keys: Vec<_> = under_way.1.iter().filter(|(_, one)| one.pod == pod).map(|(key, _)| *key).collect();
        for key in keys {
            if let Some(one) = under_way.1.remove(&key) {
                let at = key.0 + self.rng().millis(most);
                one.due.store(millis(at), Ordering::Relaxed);
                under_way.1.insert((at, key.1), one);
            }
        }
    }

    /// What is still under way arrives now, in order: when nothing else is left to wait for.
    pub fn hurry(&self) {
        let now = self.now();
        let mut under_way = locked(&self.under_way);
        for ((_, number), one) in std::mem::take(&mut under_way.1) {
            one.due.store(millis(now), Ordering::Relaxed);
            under_way.1.insert((now, number), one);
        }
    }

    /// Power will fail at the world's next step.
    pub fn cut_power(&self) {
        self.power_out.store(true, Ordering::Relaxed);
    }

    pub fn power_is_out(&self) -> bool {
        self.power_out.swap(false, Ordering::Relaxed)
    }

    /// Operations under way at a power failure never arrive.
    pub fn forget_under_way(&self) {
        locked(&self.under_way).1.clear();
    }

    pub fn nothing_under_way(&self) -> bool {
        locked(&self.under_way).1.is_empty()
    }
}

pub fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
