//! One world: instances, what befalls them, the calm behind it, and the verdict.

use super::book::Book;
use super::files::Files;
use super::line::Line;
use super::office::{self, Accepted};
use super::people::People;
use super::pod::{Desk, Pod};
use super::topic::Topic;
use super::{check, told};
use crate::rng::Rng;
use crate::sim::locked;
use crate::weather::{Faults, Weather};
use filegen::adapters::memory::folders::MemoryFolders;
use filegen::adapters::memory::schedules::MemorySchedules;
use filegen::adapters::memory::state::MemoryState;
use filegen::core::schedule::plan::Settings;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// How a world went.
#[derive(Debug, Default)]
pub struct Verdict {
    pub wrong: Vec<String>,
    pub fired: u64,
    pub terms: u64,
    pub told: u64,
}

/// How schedules hear of changes, and whose time counts. What a topic has acknowledged it may lose only where leaders look at the data
/// sources themselves.
#[derive(Clone, Copy)]
pub struct Ways {
    pub topic: bool,
    pub feed: bool,
    /// The store tells its time, and clocks of instances may differ. Else all instances are on one host.
    pub clock: bool,
    /// Clocks jump by so many seconds at most.
    pub jump: u64,
}

/// An ordinary day, and a few minutes before each change of summer time in Berlin.
const STARTS: [&str; 4] =
    ["2026-11-29T10:30:00Z", "2026-11-29T10:30:00Z", "2026-03-29T00:57:00Z", "2026-10-25T00:57:00Z"];

pub struct World {
    pub rng: Arc<Mutex<Rng>>,
    pub state: MemoryState,
    pub schedules: MemorySchedules,
    pub files: MemoryFolders,
    pub settings: Arc<Settings>,
    pub start: (Instant, Timestamp),
    pub book: Arc<Mutex<Book>>,
    pub ways: Ways,
    pub changes: Topic,
    pub found: Topic,
    pub accepted: Accepted,
    pub pods: Vec<Pod>,
    pub shown: bool,
}

/// Plays one seed's world from start to verdict.
pub fn play(seed: u64, shown: bool) -> Verdict {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let mut world = World::new(seed, shown);
        let mut people = People::new(&world).await;
        let mut files = Files::new(&world.files, world.now());
        world.faults(&mut files).await;
        world.settle(&mut people, &mut files).await;
        check::check(&world, &people).await;
        let told = told::check(&world, &files).await;
        let book = std::mem::replace(&mut *locked(&world.book), Book::new(world.now()));
        Verdict { wrong: book.wrong, fired: book.ran.len() as u64, terms: book.terms, told }
    })
}

impl World {
    fn new(seed: u64, shown: bool) -> Self {
        let mut rng = Rng::new(seed ^ 0x0c10_c4b0);
        let mut some = |most: u64| if rng.chance(500) { rng.below(most) + 1 } else { 0 };
        let faults = Faults { lost: some(40), unanswered: some(40), late: some(40), stands: 0 };
        let jitter = Duration::from_secs(some(9));
        let pods = (0..2 + rng.index(2)).map(|_| {
            let weather = Weather { faults, ..Weather::default() };
            Pod { weather: Arc::new(Mutex::new(weather)), ..Pod::default() }
        });
        let pods = pods.collect();
        let settings = Settings { jitter, catch_up: 5, concurrency: 2 + rng.index(3), ..Settings::default() };
        let jump = if rng.chance(250) { 3600 } else { 180 };
        let ways = Ways { topic: rng.chance(750), feed: rng.chance(600), clock: rng.chance(700), jump };
        if shown {
            println!("topic: {}, feed: {}, clock: {}, jump: {}", ways.topic, ways.feed, ways.clock, ways.jump);
        }
        let forgets = if ways.feed { 100 } else { 0 };
        let wall = STARTS[rng.index(STARTS.len())].parse().expect("a moment");
        Self {
            rng: Arc::new(Mutex::new(rng)),
            state: MemoryState::default(),
            schedules: MemorySchedules::default(),
            files: MemoryFolders::default(),
            settings: Arc::new(settings),
            start: (Instant::now(), wall),
            book: Arc::new(Mutex::new(Book::new(wall))),
            ways,
            changes: Topic::new("datasource-events", forgets),
            found: Topic::new("file-discovered", 0),
            accepted: Arc::default(),
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

    /// The line of one instance.
    pub fn line(&self, number: usize) -> Line {
        Line {
            weather: Arc::clone(&self.pods[number].weather),
            rng: Arc::clone(&self.rng),
            state: self.state.clone(),
            schedules: self.schedules.clone(),
            start: self.start,
            book: Arc::clone(&self.book),
            tells_time: self.ways.clock,
        }
    }

    /// Somebody comes to an instance, if it lives, and waits for what they came for.
    pub fn visit<F: Future<Output = ()> + Send + 'static>(&mut self, visit: impl FnOnce(Arc<Desk>) -> F) {
        let number = locked(&self.rng).index(self.pods.len());
        let pod = &mut self.pods[number];
        if let Some(desk) = &pod.desk {
            pod.visits.spawn(visit(Arc::clone(desk)));
        }
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
                let (stop, task, desk) = self.launch(number);
                let pod = &mut self.pods[number];
                (pod.process, pod.start_at, pod.desk) = (Some((stop, task)), None, Some(Arc::new(desk)));
                pod.lives += 1;
            }
        }
    }

    fn kill(&mut self, number: usize) {
        let again = Instant::now() + locked(&self.rng).millis(Duration::from_secs(30));
        self.pods[number].kill(again);
    }

    async fn faults(&mut self, files: &mut Files) {
        let last = locked(&self.rng).millis(Duration::from_mins(4));
        let end = Instant::now() + Duration::from_mins(3) + last;
        while Instant::now() < end {
            self.tend();
            let step = locked(&self.rng).millis(Duration::from_secs(8));
            tokio::time::sleep(step).await;
            self.strike();
            People::act(self);
            office::act(self);
            files.act(self);
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
        drop(weather);
        if jumps {
            self.jump(number);
        }
        if let Some((stop, _)) = self.pods[number].process.as_ref().filter(|_| stops) {
            stop.cancel();
        }
        for topic in [&self.changes, &self.found] {
            if self.chance(30) {
                topic.be_away(until);
            }
        }
        if self.chance(30) {
            self.changes.replay();
        }
    }

    /// A clock jumps: an instance's own, or that of the host of all of them.
    fn jump(&self, number: usize) {
        let most = self.ways.jump;
        let by = i64::try_from(locked(&self.rng).below(2 * most)).unwrap_or(0) - i64::try_from(most).unwrap_or(0);
        for (other, pod) in self.pods.iter().enumerate() {
            if other == number || !self.ways.clock {
                locked(&pod.weather).skew = SignedDuration::from_secs(by);
            }
        }
    }

    /// The time behind the faults.
    async fn settle(&mut self, people: &mut People, files: &mut Files) {
        for pod in &mut self.pods {
            *locked(&pod.weather) = Weather::default();
            pod.start_at = None;
        }
        self.changes.calm();
        self.found.calm();
        People::calm(self).await;
        for step in 0..72 {
            self.tend();
            tokio::time::sleep(Duration::from_secs(5)).await;
            if step < 30 {
                files.act(self);
            }
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
