//! One schedule: pods, faults, the time after the faults, and the verdict.

use crate::data;
use crate::pod::{Clocks, Pod, Then, Trap, Weather};
use crate::process::Process;
use crate::sim::{LATEST, LINES, Line, Sim, TTL, locked, millis};
use filegen::core::generate::spec::Worker;
use filegen::core::model::correction::Correction;
use filegen::core::model::message::{EventId, Received};
use filegen::core::ports::runs::RunStore;
use futures_util::FutureExt;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// After the faults everything must be done within this time.
const SETTLED_WITHIN: Duration = Duration::from_hours(1);

/// How one schedule went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    pub seed: u64,
    pub hash: u64,
    pub wrong: Vec<String>,
    pub takeovers: u64,
    pub terms: u64,
    /// Files that were told as delivered.
    pub told: u64,
    /// Simulated time.
    pub took: Duration,
}

impl Verdict {
    pub fn panicked(seed: u64) -> Self {
        let wrong = vec!["it panicked".to_owned()];
        Self { seed, hash: 0, wrong, takeovers: 0, terms: 0, told: 0, took: Duration::ZERO }
    }
}

/// A pod's place: what stays when its process ends.
struct Slot {
    weather: Arc<Weather>,
    clocks: Clocks,
    lives: u64,
    process: Option<Process>,
    start_at: Duration,
}

pub struct World {
    pub sim: Arc<Sim>,
    worker: Arc<Worker>,
    slots: Vec<Slot>,
    /// Keys that come and go, as far as they were ever there.
    pub passing: BTreeSet<i64>,
}

/// Plays one seed's schedule from start to verdict.
pub fn play(seed: u64, shown: bool) -> Verdict {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let mut world = World::new(seed, shown);
        world.faults().await;
        world.settle().await;
        world.end().await;
        world.verdict()
    })
}

impl World {
    fn new(seed: u64, shown: bool) -> Self {
        let sim = Arc::new(Sim::new(seed, shown));
        if shown {
            println!("{:?}", sim.mix);
        }
        let rows = (0..sim.mix.rows).map(|row| data::cells(data::stable_id(row))).collect();
        sim.view.put(&data::view(), data::columns(), rows);
        let worker = Arc::new(data::worker(&sim.mix));
        let mut slots = Vec::new();
        for _ in 0..sim.mix.pods {
            let clocks = Clocks::new(&mut sim.rng(), sim.mix.rates);
            let start_at = sim.rng().millis(Duration::from_secs(10));
            slots.push(Slot { weather: Arc::default(), clocks, lives: 0, process: None, start_at });
        }
        Self { sim, worker, slots, passing: BTreeSet::new() }
    }

    fn want(&self, day: u32) {
        let mut broker = locked(&self.sim.broker);
        let offset = i64::try_from(broker.log.len()).unwrap_or(0);
        let id = EventId { topic: "wanted".to_owned(), partition: 0, offset };
        let payload = format!(r#"{{"businessDate":"{}"}}"#, data::run(day).date).into_bytes();
        broker.log.push(Received { id, key: None, headers: Vec::new(), payload, at: None });
    }

    /// Starts what is due; buries what has died.
    fn tend(&mut self) {
        let now = self.sim.now();
        for (number, slot) in self.slots.iter_mut().enumerate() {
            let dead = slot.process.as_ref().is_some_and(|process| process.task.is_finished() || process.pod.is_dead());
            if dead {
                if let Some(process) = slot.process.take() {
                    process.bury();
                }
                let most = if self.sim.is_calm() { 1 } else { 60 };
                slot.start_at = now + self.sim.rng().millis(Duration::from_secs(most));
            }
            if slot.process.is_none() && slot.start_at <= now {
                slot.lives += 1;
                let (sim, weather) = (Arc::clone(&self.sim), Arc::clone(&slot.weather));
                let pod = Pod::new(sim, number, slot.lives, slot.clocks, weather);
                slot.process = Some(Process::start(pod, &self.worker));
            }
        }
    }

    async fn faults(&mut self) {
        let end = self.sim.mix.faults;
        let mut wanted = 0;
        while self.sim.now() < end {
            self.tend();
            let step = self.sim.rng().millis(Duration::from_secs(8));
            self.sim.sleep_until(self.sim.now() + step).await;
            self.tend();
            if wanted < self.sim.mix.dates && self.sim.rng().chance(200) || wanted == 0 {
                wanted += 1;
                self.want(wanted);
            }
            if wanted > 0 && self.sim.rng().chance(20) {
                self.want(wanted);
            }
            if self.sim.mix.moving {
                self.move_rows();
            }
            self.correct(wanted);
            locked(&self.sim.transfer).act(false);
            self.strike(end);
            locked(&self.sim.book).check_published(&locked(&self.sim.disk));
        }
        while wanted < self.sim.mix.dates {
            wanted += 1;
            self.want(wanted);
        }
    }

    fn move_rows(&mut self) {
        let mut rng = self.sim.rng();
        if !rng.chance(400) {
            return;
        }
        let row = i64::try_from(rng.below(u64::try_from(self.sim.mix.rows).unwrap_or(0) + 1)).unwrap_or(0);
        let id = data::stable_id(row) - 5;
        let (view, there) = (data::view(), rng.chance(500));
        drop(rng);
        self.sim.view.delete(&view, |cells| *cells == data::cells(id));
        if there {
            self.sim.view.insert(&view, vec![data::cells(id)]);
            self.passing.insert(id);
        }
    }

    /// A published date gets a row more and is wanted as its next version.
    fn correct(&mut self, wanted: u32) {
        let sim = Arc::clone(&self.sim);
        if wanted == 0 || !sim.strikes(sim.mix.corrected) {
            return;
        }
        let run = data::run(1 + u32::try_from(sim.rng().below(wanted.into())).unwrap_or(0));
        let record = sim.state.run(&run).now_or_never().and_then(Result::ok).flatten();
        let Some(record) = record.filter(|record| (1..=2).contains(&record.version())) else { return };
        let version = record.version() + 1;
        // Right behind a stable row, and behind what moves, which is five below one.
        let id = data::stable_id(i64::from(version) - 2) + i64::from(version);
        self.sim.view.delete(&data::view(), |cells| *cells == data::cells(id));
        self.sim.view.insert(&data::view(), vec![data::cells(id)]);
        self.passing.insert(id);
        let correction = Correction {
            version,
            reason: "a row came late".into(),
            by: "a person".into(),
            files: vec![],
            suffix: false,
            stands: None,
            cancelled: None,
        };
        let new = record.reopened(correction, None, "a person", record.requested_at);
        if sim.state.reopen(&record, &new).now_or_never() == Some(Ok(true)) {
            sim.note(99, format_args!("{run} is wanted as version {version}"));
            locked(&sim.book).wanted.insert(run, version);
        }
    }

    /// The pod that leads, more often than another.
    fn victim(&self) -> usize {
        let leader = locked(&self.sim.book).installs.last().map(|(token, _)| *token);
        let lease = filegen::core::ports::leases::LeaseStore::read(&self.sim.state, &data::lease_key()).now_or_never();
        let holder = lease.and_then(Result::ok).flatten().filter(|lease| Some(lease.token) == leader);
        let number =
            holder.and_then(|lease| lease.instance.as_str().strip_prefix("pod-")?.split(':').next()?.parse().ok());
        let mut rng = self.sim.rng();
        match number {
            Some(number) if rng.chance(700) => number,
            _ => rng.index(self.slots.len()),
        }
    }

    fn strike(&mut self, end: Duration) {
        let (sim, now) = (Arc::clone(&self.sim), self.sim.now());
        let mix = &sim.mix;
        let victim = self.victim();
        let slot = &self.slots[victim];
        let until = (now + sim.rng().millis(TTL * 3)).min(end);
        if sim.strikes(mix.kill)
            && let Some(process) = &slot.process
        {
            process.pod.die("killed");
            if sim.rng().chance(500) {
                sim.hold_up(victim, LATEST);
            }
        }
        if sim.strikes(mix.pause) {
            sim.note(victim, format_args!("pauses until {until:?}"));
            slot.weather.pause(until);
            if sim.rng().chance(500) {
                sim.hold_up(victim, until.saturating_sub(now));
            }
        }
        if sim.strikes(mix.cut) {
            let line: Line = LINES[sim.rng().index(LINES.len())];
            sim.note(victim, format_args!("is cut off from {line:?} until {until:?}"));
            slot.weather.cut(line, until);
        }
        if sim.strikes(mix.trap) {
            let mut rng = sim.rng();
            let then = if mix.power > 0 && rng.chance(400) {
                Then::Power
            } else if rng.chance(600) {
                Then::Kill
            } else {
                Then::Pause
            };
            slot.weather.set_trap(Trap { after: rng.below(60), then });
        }
        if sim.strikes(mix.stop)
            && let Some(process) = &slot.process
        {
            sim.note(victim, format_args!("is asked to stop"));
            process.stop.cancel();
        }
        if sim.strikes(mix.node) {
            self.node_fails(victim);
        }
        if sim.power_is_out() || sim.strikes(mix.power) {
            self.power_fails();
        }
    }

    fn node_fails(&mut self, victim: usize) {
        let sim = Arc::clone(&self.sim);
        if !sim.mix.remote {
            return;
        }
        if let Some(process) = &self.slots[victim].process {
            process.pod.die("its node fails");
        }
        sim.catch_up();
        locked(&sim.disk).node_fails(victim, &mut sim.rng());
    }

    fn power_fails(&mut self) {
        let sim = Arc::clone(&self.sim);
        for slot in &self.slots {
            if let Some(process) = &slot.process {
                process.pod.die("all power fails");
            }
        }
        sim.catch_up();
        sim.forget_under_way();
        locked(&sim.disk).power_fails(&mut sim.rng());
        locked(&sim.transfer).power_fails();
        locked(&sim.book).check_published(&locked(&sim.disk));
    }

    async fn settle(&mut self) {
        let sim = Arc::clone(&self.sim);
        sim.calm_down();
        sim.note(99, format_args!("the faults are over"));
        for slot in &mut self.slots {
            slot.weather.clear();
            slot.start_at = slot.start_at.min(sim.now());
        }
        let end = sim.now() + SETTLED_WITHIN;
        while !(self.is_done() && sim.nothing_under_way()) {
            if sim.now() > end {
                sim.wrong(format!("not done after the faults: {}", self.undone()));
                return;
            }
            self.tend();
            locked(&sim.transfer).act(true);
            sim.sleep_until(sim.now() + Duration::from_secs(5)).await;
            if self.is_done() {
                sim.hurry();
            }
            sim.catch_up();
        }
    }

    /// Stops all processes, and lets the power fail once more: what is published and announced must stand.
    async fn end(&mut self) {
        let sim = Arc::clone(&self.sim);
        for slot in &mut self.slots {
            let Some(process) = slot.process.take() else { continue };
            if process.pod.is_dead() {
                process.bury();
                continue;
            }
            process.stop.cancel();
            let timeout_after = Duration::from_mins(5);
            // One that was paused when it lost its term ends itself: its task is then never done.
            if tokio::time::timeout(timeout_after, process.task).await.is_err() && !process.pod.is_dead() {
                sim.wrong(format!("pod {} does not stop", process.pod.number));
            }
        }
        self.check_records();
        self.check_files();
        self.power_fails();
        self.check_files();
    }

    fn verdict(self) -> Verdict {
        let (seed, hash, took) = (self.sim.seed, self.sim.hash(), self.sim.now());
        let mut book = locked(&self.sim.book);
        let terms = book.led.len() as u64;
        let (wrong, told) = (std::mem::take(&mut book.wrong), locked(&self.sim.transfer).told_in_all());
        Verdict { seed, hash, wrong, takeovers: book.takeovers, terms, told, took: Duration::from_millis(millis(took)) }
    }
}
