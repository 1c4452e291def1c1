//! One world: instances, what befalls them, the calm behind it, and the verdict.

use super::book::Book;
use super::broker::Broker;
use super::bucket::{Bucket, Uploads};
use super::check;
use super::folder::{Desk, Folder};
use super::ledger::now;
use super::line::Line;
use super::mix::{At, Mix};
use super::people;
use super::server::Server;
use super::sftp::Sftp;
use super::target::{Door, Host};
use crate::rng::Rng;
use crate::sim::locked;
use crate::weather::{Faults, Weather};
use filegen::adapters::memory::filters::MemoryFilters;
use filegen::adapters::memory::transfers::MemoryTransfers;
use filegen::core::model::transfer::Side;
use filegen::core::ports::file_target::FileTarget;
use filegen::core::ports::observer::Observer;
use filegen::core::ports::transfer_ledger::{Holder, TransferLedger};
use filegen::core::transfer::collect::{CollectPorts, Collector};
use filegen::core::transfer::deliver::{DeliverPorts, Deliverer};
use filegen::core::transfer::error::TransferError;
use filegen::core::transfer::event::TransferEvent;
use filegen::core::transfer::service::{self, Until};
use filegen::core::transfer::spec::OnExists;
use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// After the faults everything must be done within this time.
const SETTLED_WITHIN: Duration = Duration::from_mins(30);

/// A request that nobody waits for may come so late to an object store: its process may have stood still in front of it.
pub const UNDER_WAY: Duration = Duration::from_secs(150);

/// How a world went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    pub wrong: Vec<String>,
    pub hash: u64,
    pub delivered: u64,
    pub lives: u64,
    pub redriven: u64,
}

/// What all instances share.
pub struct Far {
    pub rng: Mutex<Rng>,
    pub mix: Mix,
    pub server: Mutex<Server>,
    pub folder: Mutex<Folder>,
    /// The delivering host's disk.
    pub host: Mutex<Host>,
    /// That of a target that is far.
    pub there: Mutex<Host>,
    pub uploads: Mutex<Uploads>,
    ledgers: [Mutex<MemoryTransfers>; 2],
    pub book: Mutex<Book>,
    pub start: (Instant, Timestamp),
    /// The hash of all that was noted, and whether it is shown.
    trace: Mutex<(u64, bool)>,
}

impl Far {
    fn new(seed: u64, shown: bool) -> Self {
        let (rng, mix) = Mix::of(seed);
        if shown {
            println!("{mix:?}");
        }
        Self {
            rng: Mutex::new(rng),
            server: Mutex::default(),
            folder: Mutex::default(),
            host: Mutex::new(Host::new()),
            there: Mutex::new(Host::new()),
            uploads: Mutex::default(),
            ledgers: Default::default(),
            book: Mutex::new(Book::new(mix.on_exists == OnExists::Replace)),
            mix,
            start: (Instant::now(), "2026-11-29T10:30:00Z".parse().expect("a moment")),
            trace: Mutex::new((seed, shown)),
        }
    }

    /// True time.
    pub fn now(&self) -> Timestamp {
        self.start.1.saturating_add(self.start.0.elapsed()).unwrap_or(self.start.1)
    }

    /// Where the target's files are.
    pub fn target(&self) -> &Mutex<Host> {
        if self.mix.at == At::Folder { &self.host } else { &self.there }
    }

    pub fn ledger(&self, side: Side) -> MemoryTransfers {
        locked(&self.ledgers[usize::from(side == Side::Deliver)]).clone()
    }

    /// Somebody restores a ledger from nothing.
    fn lose(&self, side: Side) {
        self.note("disk", &format!("the ledger of the side {} is lost", side.as_str()));
        *locked(&self.ledgers[usize::from(side == Side::Deliver)]) = MemoryTransfers::default();
        locked(&self.book).lost.insert(side);
    }

    pub fn note(&self, who: &str, what: &str) {
        let mut trace = locked(&self.trace);
        let line = format!("{:>8} {who}: {what}", self.start.0.elapsed().as_millis());
        trace.0 = xxhash_rust::xxh3::xxh3_64_with_seed(line.as_bytes(), trace.0);
        if trace.1 {
            println!("{line}");
        }
    }

    pub fn chance(&self, per_mille: u64) -> bool {
        locked(&self.rng).chance(per_mille)
    }

    fn millis(&self, most: Duration) -> Duration {
        locked(&self.rng).millis(most)
    }
}

/// A place of an instance: what stays when its process ends.
#[derive(Default)]
struct Pod {
    sides: Vec<Side>,
    weather: Arc<Mutex<Weather>>,
    process: Option<(CancellationToken, JoinHandle<Result<(), TransferError>>)>,
    start_at: Option<Instant>,
    skew: SignedDuration,
    lives: u64,
}

pub struct World {
    pub far: Arc<Far>,
    pods: Vec<Pod>,
    is_calm: bool,
    /// How many people came to let failed files go again.
    came: u64,
}

/// Plays one seed's world from start to verdict.
pub fn play(seed: u64, shown: bool) -> Verdict {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let mut world = World::new(seed, shown);
        world.faults().await;
        world.settle().await;
        check::check(&world.far);
        let mut book = locked(&world.far.book);
        Verdict {
            wrong: std::mem::take(&mut book.wrong),
            hash: locked(&world.far.trace).0,
            delivered: book.delivered.len() as u64,
            lives: world.pods.iter().map(|pod| pod.lives).sum(),
            redriven: book.redriven,
        }
    })
}

impl World {
    fn new(seed: u64, shown: bool) -> Self {
        let far = Arc::new(Far::new(seed, shown));
        let pods = far.mix.pods.iter().map(|sides| Pod { sides: sides.clone(), ..Pod::default() }).collect();
        Self { far, pods, is_calm: false, came: 0 }
    }

    /// Starts what is due, and buries what has ended.
    fn tend(&mut self) {
        for number in 0..self.pods.len() {
            let pod = &mut self.pods[number];
            let is_dead = locked(&pod.weather).is_dead;
            if let Some((_, task)) = pod.process.as_mut().filter(|(_, task)| is_dead || task.is_finished()) {
                if task.is_finished() && matches!(task.now_or_never(), Some(Err(error)) if error.is_panic()) {
                    locked(&self.far.book).wrong.push(format!("instance {number} panicked"));
                }
                self.kill(number);
            }
            let pod = &self.pods[number];
            if pod.process.is_none() && pod.start_at.is_none_or(|at| at <= Instant::now()) {
                self.launch(number);
            }
        }
    }

    fn kill(&mut self, number: usize) {
        let most = if self.is_calm { 1 } else { 40 };
        let again = Instant::now() + self.far.millis(Duration::from_secs(most));
        let pod = &mut self.pods[number];
        locked(&pod.weather).is_dead = true;
        if let Some((_, task)) = pod.process.take() {
            task.abort();
            self.far.note(&number.to_string(), "is ended");
        }
        pod.start_at = Some(again);
    }

    fn launch(&mut self, number: usize) {
        let (far, pod) = (Arc::clone(&self.far), &mut self.pods[number]);
        pod.lives += 1;
        let mut weather = Weather::default();
        if !self.is_calm {
            weather.faults = far.mix.faults;
            weather.skew = pod.skew;
            let (dies, call) = (far.chance(far.mix.dies), locked(&far.rng).below(400) + 1);
            weather.dies_at = dies.then_some(call);
        }
        pod.weather = Arc::new(Mutex::new(weather));
        let line = Line { name: format!("{number}.{}", pod.lives), weather: Arc::clone(&pod.weather), far };
        let stop = CancellationToken::new();
        let task = tokio::spawn(serve(line, number, pod.sides.clone(), stop.clone()));
        pod.process = Some((stop, task));
    }

    async fn faults(&mut self) {
        let last = self.far.millis(Duration::from_mins(2));
        let end = Instant::now() + Duration::from_mins(2) + last;
        let loses_at = Instant::now() + self.far.millis(Duration::from_mins(3));
        let mut loses = self.far.mix.loses;
        while Instant::now() < end {
            self.tend();
            let step = self.far.millis(Duration::from_secs(4));
            tokio::time::sleep(step).await;
            if let Some(side) = loses.take_if(|_| loses_at <= Instant::now()) {
                self.far.lose(side);
            }
            self.strike();
            self.act();
        }
    }

    fn strike(&mut self) {
        let (far, number) = (Arc::clone(&self.far), locked(&self.far.rng).index(self.pods.len()));
        let mix = &far.mix;
        let (until, back) = (Instant::now() + far.millis(Duration::from_mins(1)), far.millis(Duration::from_secs(15)));
        if far.chance(mix.kills) {
            self.kill(number);
        }
        if far.chance(mix.cuts) {
            locked(&self.pods[number].weather).cut_until = Some(until);
        }
        if far.chance(30) {
            let by = i64::try_from(locked(&far.rng).below(2 * mix.skew + 1)).unwrap_or(0);
            self.pods[number].skew = SignedDuration::from_secs(by - i64::try_from(mix.skew).unwrap_or(0));
            locked(&self.pods[number].weather).skew = self.pods[number].skew;
        }
        if let Some((stop, _)) = self.pods[number].process.as_ref().filter(|_| far.chance(20)) {
            stop.cancel();
        }
        if far.chance(mix.broker_dies) {
            far.note("broker", "is killed");
            locked(&far.server).restart(back);
        }
        if far.chance(mix.broker_power) {
            far.note("broker", "has no power");
            locked(&far.server).power_fails(&mut locked(&far.rng), back);
            locked(&far.book).forgot = true;
        }
        locked(&far.server).remember();
        if far.chance(mix.power) {
            self.power_fails();
        }
        // What an object store has said yes to stays.
        if mix.at == At::Sftp && far.chance(mix.power) {
            far.note("target", "has no power");
            locked(&far.there).power_fails(&mut locked(&far.rng));
        }
    }

    /// The power of the delivering host fails: of all its processes and of its disk.
    fn power_fails(&mut self) {
        self.far.note("host", "has no power");
        for number in 0..self.pods.len() {
            if self.pods[number].sides.contains(&Side::Deliver) {
                self.kill(number);
            }
        }
        locked(&self.far.host).power_fails(&mut locked(&self.far.rng));
    }

    fn act(&mut self) {
        let far = Arc::clone(&self.far);
        if far.chance(350) {
            people::write(self);
        }
        if far.chance(far.mix.takes) {
            people::take(&far);
        }
        if far.chance(far.mix.foreign) {
            people::put_foreign(self);
        }
        if far.chance(far.mix.redrives) {
            self.came += 1;
            tokio::spawn(people::redrive_all(Arc::clone(&far), self.came, false));
        }
    }

    /// The time behind the faults: what is there arrives; then the names are free again, and what failed goes again.
    async fn settle(&mut self) {
        self.is_calm = true;
        for pod in &mut self.pods {
            let mut weather = locked(&pod.weather);
            (weather.faults, weather.cut_until, weather.dies_at) = (Faults::default(), None, None);
            weather.skew = SignedDuration::ZERO;
            (pod.skew, pod.start_at) = (SignedDuration::ZERO, None);
        }
        locked(&self.far.server).calm();
        self.far.note("world", "is calm");
        self.wait().await;
        // What is still under way to a store that nobody waits for arrives.
        tokio::time::sleep(UNDER_WAY).await;
        check::check(&self.far);
        people::clear(&self.far);
        self.came += 1;
        people::redrive_all(Arc::clone(&self.far), self.came, true).await;
        self.wait().await;
        for (number, pod) in self.pods.iter_mut().enumerate() {
            let Some((stop, task)) = pod.process.take() else { continue };
            stop.cancel();
            if tokio::time::timeout(Duration::from_mins(2), task).await.is_err() {
                locked(&self.far.book).wrong.push(format!("instance {number} does not stop"));
            }
        }
    }

    /// Waits until nothing waits any more.
    async fn wait(&mut self) {
        let until = Instant::now() + SETTLED_WITHIN;
        while Instant::now() < until {
            self.tend();
            tokio::time::sleep(Duration::from_secs(5)).await;
            if check::undone(&self.far).is_empty() {
                return;
            }
        }
        let undone = check::undone(&self.far);
        locked(&self.far.book).wrong.extend(undone);
    }
}

/// One instance's life.
async fn serve(line: Line, number: usize, sides: Vec<Side>, stop: CancellationToken) -> Result<(), TransferError> {
    let far = Arc::clone(&line.far);
    let level = if far.chance(500) { 1 } else { 9 };
    let transfer = Arc::new(far.mix.transfer(level));
    let (noted, name) = (Arc::clone(&far), line.name.clone());
    let observer: Arc<dyn Observer<TransferEvent>> = Arc::new(move |event: &TransferEvent| match event {
        TransferEvent::Looked { .. }
        | TransferEvent::Moved { .. }
        | TransferEvent::Begun { .. }
        | TransferEvent::Taken { .. }
        | TransferEvent::Stepped { .. }
        | TransferEvent::LetGo { .. } => {}
        event => noted.note(&name, &format!("{event:?}")),
    });
    let holder = Holder { name: line.name.clone(), shown: line.name.clone() };
    let (broker, ledger, clock) = (Arc::new(Broker::new(&line)), Arc::new(line.clone()), Arc::new(line.clone()));
    let collector = sides.contains(&Side::Collect).then(|| {
        let ports = CollectPorts {
            inbox: Arc::new(Desk(line.clone())),
            sender: broker.clone(),
            ledger: ledger.clone(),
            clock: clock.clone(),
            observer: Arc::clone(&observer),
            holder: holder.clone(),
            traces: None,
        };
        Collector::new(Arc::clone(&transfer), ports)
    });
    let deliverer = sides.contains(&Side::Deliver).then(|| {
        let (target, work): (Arc<dyn FileTarget>, _) = match far.mix.at {
            At::Folder => (Arc::new(Door { line: line.clone(), root: "out".to_owned() }), "work".to_owned()),
            // Each instance is on a host of its own.
            At::Sftp => (Sftp::target(&line), format!("work{number}")),
            At::Bucket => (Bucket::target(&line), format!("work{number}")),
        };
        let work = Arc::new(Door { line: line.clone(), root: work });
        let filters = Arc::new(MemoryFilters::default());
        let ports = DeliverPorts { receiver: broker, target, work, filters, ledger, clock, observer, holder };
        Deliverer::new(Arc::clone(&transfer), ports)
    });
    service::run(collector.flatten(), deliverer.flatten(), Until::Stopped, Arc::new(|| 1.0), &stop).await
}

/// All records of a side.
pub fn records(far: &Far, side: Side) -> Vec<filegen::core::model::transfer::FileRecord> {
    let wanted =
        filegen::core::ports::transfer_ledger::Wanted { side: Some(side), limit: 10_000, ..Default::default() };
    now(far.ledger(side).records(super::mix::NAME, &wanted)).map(|found| found.records).unwrap_or_default()
}
