//! Rounds of two and three real processes on one volume, each killed, or stopped and woken, at moments dealt by chance.
//!
//! `FILEGEN_ROUNDS=300` plays so many, else as many as fit into a minute; `FILEGEN_TEST_SEED` deals a round again. The moments
//! are the same then, what the processes do at them is not.

use crate::crash::rig::Rig;
use crate::support::chance::{Chance, number, seed};
use crate::support::running::{PATIENCE, Running, at};
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const TTL: Duration = Duration::from_millis(1200);

const HEARTBEAT: Duration = Duration::from_millis(300);

const POLICIES: &str =
    "{ lease_ttl: 1200ms, lease_heartbeat_interval: 300ms, takeover_polling_interval: 50ms, initial_backoff: 100ms }";

/// All points take their time now and then, so that chance meets each of them.
const SLOW: &str = "fence.buried=50%sleep(20);fence.renamed=50%sleep(20);fence.unlinked=50%sleep(20);\
    staging.created=50%sleep(20);staging.durable=50%sleep(20);adopt.copied=50%sleep(20);adopt.named=50%sleep(20);\
    commit.begun=sleep(25);commit.written=20%sleep(20);commit.synced=20%sleep(20);journal.written=20%sleep(20);\
    journal.synced=20%sleep(20);header.written=20%sleep(20);complete.synced=50%sleep(20);\
    complete.journaled=50%sleep(20);publish.linking=50%sleep(20);publish.linked=50%sleep(20);\
    publish.manifest=50%sleep(20)";

/// Rounds that are played at once: most of the time their processes stand still.
const LANES: u64 = 6;

/// Without `FILEGEN_ROUNDS`, no round begins after this.
const MINUTE: Duration = Duration::from_secs(55);

/// Time between two looks at who has ended.
const LOOK: Duration = Duration::from_millis(5);

type Files = BTreeMap<String, Vec<u8>>;

/// What all rounds saw.
#[derive(Default, Debug)]
struct Tally {
    rounds: u64,
    kills: u64,
    stops: u64,
    highest_token: u64,
    codes: BTreeMap<String, u64>,
    /// From waking a holder that was replaced to its end.
    woken: Vec<Duration>,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rounds, kills, stops, highest_token, codes, .. } = self;
        write!(f, "{rounds} rounds, {kills} kills, {stops} stops, highest token {highest_token}, ends {codes:?}; ")?;
        let (median, last) = (self.woken.get(self.woken.len() / 2), self.woken.last());
        write!(
            f,
            "{} replaced holders woken, their ends after {median:.0?} (median), {last:.0?} (most)",
            self.woken.len()
        )
    }
}

/// One process of a round.
struct Pod {
    running: Running,
    killed: bool,
    stopped: Option<Stop>,
    /// When it was woken as a holder that had been replaced meanwhile.
    outdated: Option<Instant>,
    ended: Option<Instant>,
    /// Whether the run was recorded as published then. `None` until the store can be read.
    recorded: Option<bool>,
}

/// A process that stands still.
struct Stop {
    until: Instant,
    /// Its token, where it held the lease with its run not yet recorded as published.
    token: Option<u64>,
}

/// The lease as the state file has it, and whether the run is recorded as published.
struct Lease {
    token: u64,
    process: u32,
    released: bool,
    published: bool,
}

struct Round<'a> {
    seed: u64,
    golden: &'a Files,
    rig: Rig,
    pods: Vec<Pod>,
    manifest: Option<Vec<u8>>,
    kills: u64,
    stops: u64,
}

impl<'a> Round<'a> {
    fn start(seed: u64, pods: u64, golden: &'a Files) -> Self {
        let rig = Rig::new(4, POLICIES);
        let start = |_| Pod {
            running: rig.start(SLOW),
            killed: false,
            stopped: None,
            outdated: None,
            ended: None,
            recorded: None,
        };
        let pods = (0..pods).map(start).collect();
        Self { seed, golden, rig, pods, manifest: None, kills: 0, stops: 0 }
    }

    /// None when there is none, or when a process that stands still keeps it from being read.
    fn lease(&self) -> Option<Lease> {
        let state = rusqlite::Connection::open(self.rig.path("out/.filegen/state.db")).ok()?;
        state.busy_timeout(Duration::from_millis(50)).ok()?;
        let ask = "SELECT token, instanceId, releasedAt IS NOT NULL,
                   EXISTS (SELECT 1 FROM runs WHERE status = 'published') FROM worker_leases";
        let lease = state.query_row(ask, [], |row| {
            let instance: String = row.get(1)?;
            let process = instance.rsplit_once(':').and_then(|(_, process)| process.parse().ok()).unwrap_or(0);
            Ok(Lease { token: row.get(0)?, process, released: row.get(2)?, published: row.get(3)? })
        });
        lease.ok()
    }

    /// Kills or stops one that runs, the holder most of the time.
    fn blow(&mut self, chance: &mut Chance) {
        let lease = self.lease();
        let free: Vec<usize> = (0..self.pods.len()).filter(|pod| self.pods[*pod].can_be_hit()).collect();
        if free.is_empty() {
            return;
        }
        let holder = lease.filter(|_| chance.percent(75)).map(|lease| lease.process);
        let any = free[usize::try_from(chance.within(0..free.len() as u64)).unwrap()];
        let pod = free.into_iter().find(|pod| Some(self.pods[*pod].running.id()) == holder).unwrap_or(any);
        if chance.percent(30) {
            self.pods[pod].running.signal(Signal::KILL);
            self.pods[pod].killed = true;
            self.kills += 1;
        } else if self.pods[pod].running.stop() {
            let until = Instant::now() + chance.time(TTL / 2..TTL * 3);
            let process = self.pods[pod].running.id();
            let held = |lease: &Lease| lease.process == process && !lease.released && !lease.published;
            let token = self.lease().filter(held).map(|lease| lease.token);
            self.pods[pod].stopped = Some(Stop { until, token });
            self.stops += 1;
        }
    }

    /// Wakes those whose time has come.
    fn wake(&mut self) {
        let now = Instant::now();
        for pod in 0..self.pods.len() {
            let Some(stop) = self.pods[pod].stopped.take_if(|stop| stop.until <= now) else { continue };
            let replaced = stop.token.is_some() && self.lease().map(|lease| lease.token) > stop.token;
            let pod = &mut self.pods[pod];
            pod.outdated = replaced.then(Instant::now);
            pod.running.signal(Signal::CONT);
        }
    }

    /// Notes who has ended, and whether the run was recorded then.
    fn note_ends(&mut self) {
        for pod in self.pods.iter_mut().filter(|pod| pod.ended.is_none()) {
            pod.ended = pod.running.has_ended().then(Instant::now);
        }
        let is_open = |pod: &Pod| pod.ended.is_some() && pod.recorded.is_none();
        if self.pods.iter().any(is_open) {
            let recorded = self.lease().map(|lease| lease.published);
            self.pods.iter_mut().filter(|pod| is_open(pod)).for_each(|pod| pod.recorded = recorded);
        }
    }

    /// What is visible is whole, and what was visible once has not changed.
    fn check_visible(&mut self) {
        for (name, bytes) in self.rig.published() {
            assert!(self.golden.get(&name) == Some(&bytes), "seed {}: {name} is visible and not whole", self.seed);
        }
        let manifest = fs::read(self.rig.path("out/LoanWorker_20261121.manifest.json")).ok();
        if self.manifest.is_some() {
            assert!(self.manifest == manifest, "seed {}: the manifest has changed", self.seed);
        }
        self.manifest = manifest;
    }

    /// Deals blows until there are no more, and waits until all have ended.
    fn play(&mut self, chance: &mut Chance) {
        let mut blows = chance.within(1..5);
        let started = Instant::now();
        let mut next = started + chance.time(Duration::ZERO..Duration::from_millis(800));
        while self.pods.iter().any(|pod| pod.ended.is_none()) {
            assert!(started.elapsed() < PATIENCE, "seed {}: the round does not end", self.seed);
            at(Instant::now() + LOOK);
            self.wake();
            self.note_ends();
            if blows > 0 && next <= Instant::now() {
                blows -= 1;
                self.blow(chance);
                self.check_visible();
                next = Instant::now() + chance.time(Duration::from_millis(50)..Duration::from_millis(1500));
            }
        }
        self.check_visible();
    }

    /// How all ended, then one more run that nobody disturbs.
    fn judge(mut self, tally: &Mutex<Tally>) {
        let mut codes = Vec::new();
        let mut woken = Vec::new();
        for pod in self.pods.drain(..) {
            let done = pod.running.finish();
            let context = format!("seed {}: ended with {:?}\n{}", self.seed, done.code, done.stderr);
            // The last resort where work does not stop in time: here when the machine is busy.
            let aborted = !pod.killed && done.code.is_none() && done.stderr.contains("is lost");
            // Who says that the run is made says the truth, replaced or not.
            let made = done.code == Some(0);
            assert!(!made || pod.recorded == Some(true), "the run was not recorded as published, {context}");
            match (pod.outdated, pod.ended) {
                (Some(at), Some(ended)) if !pod.killed => {
                    // Whoever finds that its successor has recorded the run has nothing more to do: one that had written
                    // nothing, and one that was stopped between its manifest and its record.
                    // `flow::late` has both ends of the latter.
                    // Another that stands still with the state file's lock may keep its last call from an answer.
                    let held_up = done.code == Some(6) && done.stderr.contains("no answer within");
                    assert!(made || aborted || held_up || done.code == Some(5), "a replaced holder, {context}");
                    woken.push(ended - at);
                }
                // Held up by one that stands still with the state file's lock, a process may lose its lease or give up.
                _ => assert!(
                    aborted || pod.killed && done.code.is_none() || matches!(done.code, Some(0 | 5 | 6)),
                    "{context}"
                ),
            }
            let none = if aborted { "aborted" } else { "killed" };
            codes.push(done.code.map_or(none.to_owned(), |code| code.to_string()));
        }
        self.rig.check_headers();
        // With limits as long as they are by default: the machine may be busy.
        let worker = fs::read_to_string(self.rig.path("worker.yaml")).unwrap();
        fs::write(self.rig.path("worker.yaml"), worker.replace(POLICIES, "{}")).unwrap();
        self.rig.run_well();
        self.check_visible();
        assert!(self.rig.published() == *self.golden, "seed {}: the files", self.seed);
        assert!(self.rig.has_manifest(), "seed {}: no manifest", self.seed);

        let mut tally = tally.lock().unwrap();
        tally.rounds += 1;
        tally.kills += self.kills;
        tally.stops += self.stops;
        tally.highest_token = tally.highest_token.max(self.lease().map_or(0, |lease| lease.token));
        for code in codes {
            *tally.codes.entry(code).or_default() += 1;
        }
        tally.woken.extend(woken);
    }
}

impl Pod {
    fn can_be_hit(&self) -> bool {
        !self.killed && self.stopped.is_none() && self.ended.is_none()
    }
}

#[test]
fn killed_and_stopped_at_any_moment_the_files_are_the_same() {
    let golden = {
        let rig = Rig::new(4, "{}");
        rig.run_well();
        rig.published()
    };
    let (seed, rounds, started) = (seed(), number("FILEGEN_ROUNDS"), Instant::now());
    let (dealt, tally) = (AtomicU64::new(0), Mutex::new(Tally::default()));
    std::thread::scope(|lanes| {
        for _ in 0..LANES {
            lanes.spawn(|| {
                loop {
                    let number = dealt.fetch_add(1, Ordering::Relaxed);
                    if rounds.map_or(started.elapsed() > MINUTE, |rounds| number >= rounds) {
                        break;
                    }
                    let seed = seed.wrapping_add(number);
                    let mut chance = Chance::of(seed);
                    let mut round = Round::start(seed, chance.within(2..4), &golden);
                    round.play(&mut chance);
                    round.judge(&tally);
                }
            });
        }
    });
    let mut tally = tally.into_inner().unwrap();
    tally.woken.sort();
    println_tally(&tally, started.elapsed());
    if let Some(median) = tally.woken.get(tally.woken.len() / 2) {
        // One alone may have had to wait for a processor.
        assert!(*median < HEARTBEAT * 2, "woken holders take their time: {tally}");
    }
}

#[expect(clippy::print_stdout, reason = "what was seen, for whoever runs it with --nocapture")]
fn println_tally(tally: &Tally, took: Duration) {
    println!("{tally}; {took:.0?}");
}
