//! One process on its node: its clock, its pauses, its way to the far sides, its death.

use crate::rng::Rng;
use crate::sim::{LATEST, Line, Sim, TTL, locked};
use async_trait::async_trait;
use filegen::core::model::term::{Term, TermEnded};
use filegen::core::ports::clock::Clock;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Wall time at the start of every world.
const WALL: i64 = 1_795_500_000;

/// What can happen to a pod from outside; stays when its process is started again.
#[derive(Default)]
pub struct Weather {
    paused_until: Mutex<Duration>,
    cut_until: Mutex<BTreeMap<usize, Duration>>,
    trap: Mutex<Option<Trap>>,
}

/// What happens after some more operations.
#[derive(Clone, Copy)]
pub struct Trap {
    pub after: u64,
    pub then: Then,
}

/// What a trap does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Then {
    Kill,
    Pause,
    /// The process is dead, and all power fails before anybody can do anything about it.
    Power,
}

impl Weather {
    pub fn pause(&self, until: Duration) {
        *locked(&self.paused_until) = until;
    }

    pub fn cut(&self, line: Line, until: Duration) {
        locked(&self.cut_until).insert(line as usize, until);
    }

    pub fn set_trap(&self, trap: Trap) {
        *locked(&self.trap) = Some(trap);
    }

    pub fn clear(&self) {
        *locked(&self.paused_until) = Duration::ZERO;
        *locked(&self.trap) = None;
        locked(&self.cut_until).clear();
    }

    /// How much longer a line is cut; none when it is not.
    pub fn is_cut(&self, line: Line, now: Duration) -> Option<Duration> {
        let until = locked(&self.cut_until).get(&(line as usize)).copied();
        until.map(|until| until.saturating_sub(now)).filter(|left| !left.is_zero())
    }
}

/// A node's clocks: they are wrong, each in its own way.
#[derive(Clone, Copy, Debug)]
pub struct Clocks {
    /// Hundredths of true speed.
    pub rate: u32,
    /// What the monotonic clock shows at the start.
    pub base: Duration,
    /// How wrong the wall clock is.
    pub skew: SignedDuration,
}

impl Clocks {
    pub fn new(rng: &mut Rng, rates: bool) -> Self {
        let skew = i64::try_from(rng.below(1201)).unwrap_or(0) - 600;
        Self {
            rate: if rates { 50 + u32::try_from(rng.below(151)).unwrap_or(0) } else { 100 },
            base: Duration::from_secs(rng.below(1_000_000)),
            skew: SignedDuration::from_secs(skew),
        }
    }

    /// A time on this clock in true time.
    pub fn true_time(&self, time: Duration) -> Duration {
        time.saturating_mul(100) / self.rate
    }
}

/// One process; a restarted one is another.
pub struct Pod {
    pub sim: Arc<Sim>,
    pub number: usize,
    /// Counts the pod's processes.
    pub life: u64,
    pub clocks: Clocks,
    pub weather: Arc<Weather>,
    dead: AtomicBool,
    nonces: AtomicU64,
}

impl Pod {
    pub fn new(sim: Arc<Sim>, number: usize, life: u64, clocks: Clocks, weather: Arc<Weather>) -> Self {
        let (dead, nonces) = (AtomicBool::new(false), AtomicU64::new(0));
        Self { sim, number, life, clocks, weather, dead, nonces }
    }

    /// Whose cache it writes to: on a local volume all pods share one kernel.
    pub fn node(&self) -> usize {
        if self.sim.mix.remote { self.number } else { 0 }
    }

    pub fn nonce(&self) -> String {
        format!("{}-{}-{}", self.number, self.life, self.nonces.fetch_add(1, Ordering::Relaxed))
    }

    pub fn die(&self, why: &str) {
        if !self.dead.swap(true, Ordering::Relaxed) {
            self.sim.note(self.number, format_args!("dies: {why}"));
        }
    }

    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    /// What it would show if it were asked.
    pub fn own_time(&self) -> Duration {
        self.clocks.base + self.sim.now().saturating_mul(self.clocks.rate) / 100
    }

    /// Goes on when the process may.
    pub async fn gate(&self) {
        loop {
            if self.is_dead() {
                std::future::pending::<()>().await;
            }
            let until = *locked(&self.weather.paused_until);
            if until <= self.sim.now() {
                return;
            }
            self.sim.sleep_until(until).await;
        }
    }

    /// Passes while the term lasts, and tells the book that an effect begins.
    pub fn begin(&self, term: &Term) -> Result<(), TermEnded> {
        term.check()?;
        let (sim, own) = (&self.sim, self.own_time());
        let wrong = locked(&sim.book).effect(term.token(), sim.now(), own, self.clocks.rate);
        if let Some(wrong) = wrong {
            sim.wrong(format!("pod {}: {wrong}", self.number));
        }
        Ok(())
    }

    /// Springs the trap when its time has come.
    fn spring(&self) {
        let mut trap = locked(&self.weather.trap);
        let Some(set) = trap.as_mut() else { return };
        if set.after > 0 {
            set.after -= 1;
            return;
        }
        let then = set.then;
        *trap = None;
        drop(trap);
        let sim = &self.sim;
        let late = sim.rng().chance(500);
        let kills = then != Then::Pause;
        if then == Then::Power {
            sim.cut_power();
        }
        if kills {
            self.die("trapped");
        } else {
            let until = sim.now() + sim.rng().millis(TTL * 3);
            sim.note(self.number, format_args!("trapped, pauses until {until:?}"));
            self.weather.pause(until);
        }
        if late {
            sim.hold_up(self.number, if kills { LATEST } else { TTL * 3 });
        }
    }

    /// Does `work` at the far side after a time, and hears of it after another. It is done even if this is dropped; none
    /// when there is no answer within `timeout_after`.
    pub async fn far<T: Send + 'static>(
        &self,
        there: Duration,
        back: Duration,
        timeout_after: Option<Duration>,
        work: impl FnOnce(&Sim) -> T + Send + 'static,
    ) -> Option<T> {
        let sim = &self.sim;
        let deadline = timeout_after.map(|timeout_after| sim.now() + timeout_after);
        let slot = Arc::new(Mutex::new(None));
        let answer = Arc::clone(&slot);
        let due = sim.send(self.number, sim.now() + there, move |sim| {
            let done = work(sim);
            *locked(&answer) = Some(done);
        });
        self.spring();
        loop {
            let at = Duration::from_millis(due.load(Ordering::Relaxed));
            if let Some(deadline) = deadline
                && at + back >= deadline
            {
                sim.sleep_until(deadline).await;
                self.gate().await;
                return None;
            }
            if at > sim.now() {
                sim.sleep_until(at).await;
            }
            sim.catch_up();
            let done = locked(&slot).take();
            if let Some(done) = done {
                if !back.is_zero() {
                    sim.sleep_until(sim.now() + back).await;
                }
                self.gate().await;
                return Some(done);
            }
        }
    }
}

/// The pod's clock port.
#[async_trait]
impl Clock for Pod {
    fn now(&self) -> Timestamp {
        let wall = Timestamp::from_second(WALL).unwrap_or_default();
        let wall = wall.saturating_add(self.sim.now()).unwrap_or(wall);
        wall.saturating_add(self.clocks.skew).unwrap_or(wall)
    }

    fn elapsed(&self) -> Duration {
        self.own_time()
    }

    async fn sleep(&self, time: Duration) {
        // Never too short: whole milliseconds, rounded up by the timer.
        let until = self.sim.now() + self.clocks.true_time(time) + Duration::from_millis(1);
        self.sim.sleep_until(until).await;
        self.gate().await;
    }
}
