//! One world: instances, what befalls them, the calm behind it, and the verdict.

use super::check;
use super::line::{Faults, Line, Weather};
use super::people::People;
use crate::rng::Rng;
use crate::sim::locked;
use async_trait::async_trait;
use filegen::adapters::memory::schedules::MemorySchedules;
use filegen::adapters::memory::state::MemoryState;
use filegen::core::election::ElectionEvent;
use filegen::core::model::names::{InstanceId, LeaseKey};
use filegen::core::model::policy::Policies;
use filegen::core::model::schedule::Execution;
use filegen::core::ports::clock::Clock;
use filegen::core::ports::observer::{Observer, Retrying};
use filegen::core::ports::schedules::ScheduleStore;
use filegen::core::schedule::action::{Action, ActionError, Done, Firing};
use filegen::core::schedule::event::ScheduleEvent;
use filegen::core::schedule::plan::Settings;
use filegen::core::schedule::service::Service;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How a world went.
#[derive(Debug, Default)]
pub struct Verdict {
    pub wrong: Vec<String>,
    pub fired: u64,
    pub terms: u64,
}

/// What was seen of all instances.
#[derive(Default)]
pub struct Book {
    pub wrong: Vec<String>,
    /// Executions that ran, by id, with the token and the true time.
    pub ran: BTreeMap<String, (Execution, Timestamp)>,
    pub terms: u64,
}

pub struct World {
    pub rng: Arc<Mutex<Rng>>,
    pub leases: MemoryState,
    pub schedules: MemorySchedules,
    pub settings: Arc<Settings>,
    pub start: (Instant, Timestamp),
    latest: Arc<Mutex<Timestamp>>,
    pub book: Arc<Mutex<Book>>,
    pods: Vec<Pod>,
    shown: bool,
}

#[derive(Default)]
struct Pod {
    weather: Arc<Mutex<Weather>>,
    process: Option<(CancellationToken, JoinHandle<()>)>,
    start_at: Option<Instant>,
    lives: u32,
}

struct Watcher {
    book: Arc<Mutex<Book>>,
    name: String,
    shown: bool,
}

impl Watcher {
    fn note(&self, what: &str) {
        if self.shown {
            println!("{}: {what}", self.name);
        }
    }
}

impl Observer<ScheduleEvent> for Watcher {
    fn observe(&self, event: &ScheduleEvent) {
        self.note(&format!("{event:?}"));
    }
}

impl Observer<ElectionEvent> for Watcher {
    fn observe(&self, event: &ElectionEvent) {
        if matches!(event, ElectionEvent::Leading { .. }) {
            locked(&self.book).terms += 1;
        }
        if !matches!(event, ElectionEvent::Renewed) {
            self.note(&format!("{event:?}"));
        }
    }
}

impl Observer<Retrying> for Watcher {
    fn observe(&self, retrying: &Retrying) {
        self.note(&retrying.reason);
    }
}

/// Looks at what it is given, and takes some time.
struct Work {
    line: Line,
    book: Arc<Mutex<Book>>,
}

#[async_trait]
impl Action for Work {
    async fn run(&self, firing: &Firing) -> Result<Done, ActionError> {
        let it = &firing.execution;
        let true_time = self.line.start.1 + self.line.start.0.elapsed();
        // A clock that was ahead may have gone back since the due time was decided.
        let latest = *locked(&self.line.latest);
        let stored = self.line.schedules.execution(&it.id).await.ok().flatten();
        {
            let mut book = locked(&self.book);
            if stored.is_none_or(|stored| stored.token != it.token) {
                book.wrong.push(format!("{} ran under {} and was not written down before", it.id, it.token));
            }
            if it.due_time > latest.max(true_time) {
                book.wrong.push(format!("{} ran before its due time", it.id));
            }
            if book.ran.insert(it.id.clone(), (it.clone(), true_time)).is_some() {
                book.wrong.push(format!("{} ran twice", it.id));
            }
        }
        let (lasts, fails) = {
            let mut rng = locked(&self.line.rng);
            (rng.millis(Duration::from_secs(12)), rng.chance(100))
        };
        self.line.sleep(lasts).await;
        match firing.term.check() {
            Err(_) => Err(ActionError::Interrupted),
            Ok(()) if fails => Err(ActionError::Failed { reason: "by chance".to_owned() }),
            Ok(()) => Ok(Done::default()),
        }
    }
}

/// Plays one seed's world from start to verdict.
pub fn play(seed: u64, shown: bool) -> Verdict {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let mut world = World::new(seed, shown);
        let mut people = People::new(&world).await;
        world.faults(&mut people).await;
        world.settle(&mut people).await;
        check::check(&world, &people).await;
        let book = std::mem::take(&mut *locked(&world.book));
        Verdict { wrong: book.wrong, fired: book.ran.len() as u64, terms: book.terms }
    })
}

impl World {
    fn new(seed: u64, shown: bool) -> Self {
        let mut rng = Rng::new(seed ^ 0x0c10_c4b0);
        let mut some = |most: u64| if rng.chance(500) { rng.below(most) + 1 } else { 0 };
        let faults = Faults { lost: some(40), unanswered: some(40), late: some(40) };
        let jitter = Duration::from_secs(some(9));
        let pods = (0..2 + rng.index(2)).map(|_| {
            let weather = Weather { faults, ..Weather::default() };
            Pod { weather: Arc::new(Mutex::new(weather)), ..Pod::default() }
        });
        let pods = pods.collect();
        let settings = Settings { jitter, catch_up: 5, concurrency: 2 + rng.index(3), ..Settings::default() };
        let wall = "2026-11-29T10:30:00Z".parse().expect("a moment");
        Self {
            rng: Arc::new(Mutex::new(rng)),
            leases: MemoryState::default(),
            schedules: MemorySchedules::default(),
            settings: Arc::new(settings),
            start: (Instant::now(), wall),
            latest: Arc::new(Mutex::new(wall)),
            book: Arc::default(),
            pods,
            shown,
        }
    }

    pub fn chance(&self, per_mille: u64) -> bool {
        locked(&self.rng).chance(per_mille)
    }

    /// True time.
    pub fn now(&self) -> Timestamp {
        self.start.1 + self.start.0.elapsed()
    }

    /// Starts what is due, and buries what has ended.
    fn tend(&mut self) {
        for number in 0..self.pods.len() {
            let is_over = self.pods[number].process.as_ref().is_some_and(|(_, task)| task.is_finished());
            if is_over {
                self.kill(number);
            }
            let pod = &self.pods[number];
            if pod.process.is_none() && pod.start_at.is_none_or(|at| at <= Instant::now()) {
                let process = self.launch(number);
                let pod = &mut self.pods[number];
                (pod.process, pod.start_at, pod.lives) = (Some(process), None, pod.lives + 1);
            }
        }
    }

    fn launch(&self, number: usize) -> (CancellationToken, JoinHandle<()>) {
        let pod = &self.pods[number];
        let name = format!("pod-{number}:{}", pod.lives);
        let line = Line {
            weather: Arc::clone(&pod.weather),
            rng: Arc::clone(&self.rng),
            leases: self.leases.clone(),
            schedules: self.schedules.clone(),
            start: self.start,
            latest: Arc::clone(&self.latest),
        };
        let (book, claims) = (Arc::clone(&self.book), Mutex::new(0_u64));
        let life: Arc<Mutex<Option<AbortHandle>>> = Arc::default();
        let (ended, claimed) = (Arc::clone(&life), name.clone());
        let nonce = move || {
            let mut claims = locked(&claims);
            *claims += 1;
            format!("{claimed}/{claims}")
        };
        let service = Service {
            key: LeaseKey::new("schedule:intake").expect("a key"),
            instance: InstanceId::new(name.clone()),
            policies: Policies::default(),
            leases: Arc::new(line.clone()),
            schedules: Arc::new(line.clone()),
            feed: None,
            clock: Arc::new(line.clone()),
            settings: Arc::clone(&self.settings),
            action: Arc::new(Work { line, book: Arc::clone(&book) }),
            observer: Arc::new(Watcher { book, name, shown: self.shown }),
            nonce: Arc::new(nonce),
            abort: Arc::new(move || {
                if let Some(task) = locked(&ended).as_ref() {
                    task.abort();
                }
            }),
            wanted: Arc::default(),
        };
        let stop = CancellationToken::new();
        let until = stop.clone();
        let task = tokio::spawn(async move { service.serve(&until).await });
        *locked(&life) = Some(task.abort_handle());
        (stop, task)
    }

    fn kill(&mut self, number: usize) {
        let again = locked(&self.rng).millis(Duration::from_secs(30));
        let pod = &mut self.pods[number];
        if let Some((_, task)) = pod.process.take() {
            task.abort();
            pod.start_at = Some(Instant::now() + again);
        }
    }

    async fn faults(&mut self, people: &mut People) {
        let last = locked(&self.rng).millis(Duration::from_mins(4));
        let end = Instant::now() + Duration::from_mins(3) + last;
        while Instant::now() < end {
            self.tend();
            let step = locked(&self.rng).millis(Duration::from_secs(8));
            tokio::time::sleep(step).await;
            self.strike();
            people.act(self).await;
        }
    }

    fn strike(&mut self) {
        let number = locked(&self.rng).index(self.pods.len());
        let until = Instant::now() + locked(&self.rng).millis(Duration::from_secs(100));
        if self.chance(60) {
            self.kill(number);
        }
        let (stands, cut, jumps, stops) = (self.chance(60), self.chance(60), self.chance(40), self.chance(30));
        let mut weather = locked(&self.pods[number].weather);
        if stands {
            weather.stands_until = Some(until);
        }
        if cut {
            weather.cut_until = Some(until);
        }
        if jumps {
            let by = i64::try_from(locked(&self.rng).below(360)).unwrap_or(0) - 180;
            weather.skew = SignedDuration::from_secs(by);
        }
        drop(weather);
        if let Some((stop, _)) = self.pods[number].process.as_ref().filter(|_| stops) {
            stop.cancel();
        }
    }

    /// The time behind the faults.
    async fn settle(&mut self, people: &mut People) {
        for pod in &mut self.pods {
            *locked(&pod.weather) = Weather::default();
            pod.start_at = None;
        }
        people.calm(self).await;
        for step in 0..72 {
            self.tend();
            tokio::time::sleep(Duration::from_secs(5)).await;
            // What was under way takes effect in this time, and a lease runs out.
            if step == 40 {
                people.settled(self).await;
            }
        }
        for pod in &mut self.pods {
            if let Some((stop, task)) = pod.process.take() {
                stop.cancel();
                if tokio::time::timeout(Duration::from_mins(2), task).await.is_err() {
                    locked(&self.book).wrong.push("an instance does not stop".to_owned());
                }
            }
        }
    }
}
