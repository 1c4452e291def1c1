//! Runs of the real core over a simulated disk: one that is recorded before each change, and one that goes on from an image.

use crate::data;
use crate::disk::Disk;
use crate::pod::{Clocks, Pod, Weather};
use crate::sim::{Sim, locked};
use crate::volume::SimVolume;
use async_trait::async_trait;
use filegen::Registry;
use filegen::adapters::layer::hooked::{Change, Hook, Hooked};
use filegen::core::election::ElectionEvent;
use filegen::core::generate::event::GenerateEvent;
use filegen::core::generate::{Job, Outcome, Ports, Start, generate};
use filegen::core::model::query::Fetch;
use filegen::core::model::term::{Term, Token};
use filegen::core::ports::observer::{Observer, Retrying};
use filegen::core::ports::state::StateStore;
use filegen::core::ports::volume::{Volume, VolumeError};
use jiff::SignedDuration;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub const PAGES: u64 = 12;
pub const PAGE_SIZE: u32 = 4;
pub const FILES: usize = 3;

/// A run without faults is done within this time, on the simulated clock.
const LONGEST: Duration = Duration::from_mins(10);

/// What the run has said so far.
#[derive(Clone, Copy, Default, Debug)]
pub struct Told {
    /// The last page that it called committed.
    pub page: u64,
    /// The page that it went on behind.
    pub resumed: u64,
    /// Whether it called all files published.
    pub published: bool,
}

/// The disk between two changes.
pub struct Cut {
    pub disk: Disk,
    pub told: Told,
    /// The change that did not come any more.
    pub before: String,
}

struct Recorder {
    sim: Arc<Sim>,
    told: Arc<Mutex<Told>>,
    cuts: Mutex<Vec<Cut>>,
}

impl Recorder {
    fn cut(&self, before: String) {
        // What is due by now has come.
        self.sim.catch_up();
        let cut = Cut { disk: locked(&self.sim.disk).written_back(), told: *locked(&self.told), before };
        locked(&self.cuts).push(cut);
    }
}

#[async_trait]
impl Hook for Recorder {
    async fn before(&self, Change { operation, path, offset }: Change<'_>) -> Result<(), VolumeError> {
        self.cut(format!("{operation} {path} at {offset}"));
        Ok(())
    }
}

/// Hears what is committed.
struct Listener(Arc<Mutex<Told>>);

impl Observer<GenerateEvent> for Listener {
    fn observe(&self, event: &GenerateEvent) {
        match event {
            GenerateEvent::Committed { page, .. } => locked(&self.0).page = *page,
            GenerateEvent::Resumed { page, .. } => locked(&self.0).resumed = *page,
            _ => {}
        }
    }
}

impl Observer<ElectionEvent> for Listener {
    fn observe(&self, _: &ElectionEvent) {}
}

impl Observer<Retrying> for Listener {
    fn observe(&self, _: &Retrying) {}
}

/// A world without faults. `slow` makes what is done side by side take effect in any order.
fn quiet(disk: Disk, slow: bool) -> Arc<Sim> {
    let mut sim = Sim::new(0, false);
    sim.calm_down();
    sim.mix.files = FILES;
    sim.mix.rows = i64::try_from(PAGES).unwrap_or(0) * i64::from(PAGE_SIZE);
    sim.mix.page_size = PAGE_SIZE;
    sim.mix.pages_per_commit = 1;
    sim.mix.fetch = Fetch::Stream;
    sim.mix.remote = disk.remote;
    sim.mix.slow = if slow { 1000 } else { 0 };
    sim.disk = Mutex::new(disk);
    let rows = (0..sim.mix.rows).map(|row| data::cells(data::stable_id(row))).collect();
    sim.view.put(&data::view(), data::columns(), rows);
    Arc::new(sim)
}

async fn run(
    sim: &Arc<Sim>,
    token: u64,
    told: Arc<Mutex<Told>>,
    hook: Option<Arc<dyn Hook>>,
) -> Result<Outcome, String> {
    let clocks = Clocks { rate: 100, base: Duration::ZERO, skew: SignedDuration::ZERO };
    let pod = Arc::new(Pod::new(Arc::clone(sim), 0, 1, clocks, Arc::new(Weather::default())));
    let plain: Arc<dyn Volume> = Arc::new(SimVolume { pod: Arc::clone(&pod) });
    let volume = match hook {
        Some(hook) => Arc::new(Hooked { volume: plain, hook }),
        None => plain,
    };
    let store = Arc::new(sim.state.clone());
    let ports = Ports { source: Arc::new(sim.view.clone()), volume, state: StateStore::of(store), clock: pod };
    let job = Job {
        edition: filegen::core::generate::Edition::default(),
        worker: Arc::new(data::worker(&sim.mix)),
        run: data::run(1),
        registry: Arc::new(Registry::default()),
        start: Start::Resume,
        stop: CancellationToken::new(),
        observer: Arc::new(Listener(told)),
    };
    let term = Term::new(Token(token), Duration::MAX, Arc::new(|| Duration::ZERO));
    match tokio::time::timeout(LONGEST, generate(&ports, &job, &term)).await {
        Ok(ended) => ended.map_err(|error| error.to_string()),
        Err(_) => Err(format!("not done within {LONGEST:?}")),
    }
}

fn in_its_own_time<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(work)
}

/// A whole run on `disk` under `token`: the disk before each change, and at the end.
pub fn record(disk: Disk, token: u64, told: Told) -> Vec<Cut> {
    in_its_own_time(async {
        let sim = quiet(disk, true);
        let told = Arc::new(Mutex::new(told));
        let recorder = Recorder { sim: Arc::clone(&sim), told: Arc::clone(&told), cuts: Mutex::default() };
        let recorder = Arc::new(recorder);
        let hook: Arc<dyn Hook> = recorder.clone();
        let ended = run(&sim, token, Arc::clone(&told), Some(hook)).await;
        locked(&told).published = ended.is_ok();
        recorder.cut(format!("nothing more: {:?}", ended.err()));
        std::mem::take(&mut *locked(&recorder.cuts))
    })
}

/// Lets the next holder go on from an image: the disk that it leaves, or the first thing that is wrong with that.
pub fn resume(image: Disk, before: Told, token: u64) -> Result<Disk, String> {
    in_its_own_time(async {
        let sim = quiet(image, false);
        let told = Arc::new(Mutex::new(Told::default()));
        let outcome = run(&sim, token, Arc::clone(&told), None).await?;
        let resumed = locked(&told).resumed;
        if matches!(outcome, Outcome::Published(_)) && resumed < before.page {
            return Err(format!("it goes on behind page {resumed}, and {} was committed", before.page));
        }
        if let Some(wrong) = locked(&sim.book).wrong.first() {
            return Err(wrong.clone());
        }
        let disk = locked(&sim.disk).clone();
        Ok(disk)
    })
}
