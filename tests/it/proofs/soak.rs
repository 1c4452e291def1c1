//! A fleet at work for long: three daemons over MongoDB, Kafka and PostgreSQL, a run a minute, and faults dealt by chance.
//!
//! `FILEGEN_SOAK_MINUTES=60` makes it an hour, else a few runs follow each other; `FILEGEN_TEST_SEED` deals the faults again.

use crate::support::chance::{Chance, number};
use crate::support::daemon::{Daemon, stop, topics};
use crate::support::filegen::Filegen;
use crate::support::fleet::{Fleet, all_sent, events, line_to, loans_in_postgres, patient, published};
use crate::support::kafka::{Broker, Topic};
use crate::support::running::{at_async, until_async};
use crate::support::size::Size;
use crate::support::state::{key, run};
use crate::support::toxiproxy::Line;
use crate::support::{mongo, postgres};
use filegen::adapters::mongo::MongoState;
use filegen::core::model::run::{BusinessDate, RunId, RunStatus};
use filegen::core::ports::dead_letters::DeadLetters;
use filegen::core::ports::leases::LeaseStore;
use filegen::core::ports::runs::RunStore;
use jiff::ToSpan;
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, Instant};

/// `lease_ttl` of the policies.
const TTL: Duration = Duration::from_secs(6);

/// The daemon that is stopped and cut off, but never ended: its size is watched over the whole time.
const SPARED: usize = 0;

/// Long enough a run that faults meet it.
const SLOW: &str = "commit.begun=sleep(40)";

/// What is played.
struct Pace {
    runs: u64,
    /// Of a run, ten a page.
    rows: u64,
    /// From one run to the next; none: one after the other.
    period: Option<Duration>,
    /// Least faults of a run, and less than how many.
    faults: Range<u64>,
    /// They begin within this, and last no longer than that.
    within: Duration,
    most: Duration,
}

impl Pace {
    fn asked() -> Self {
        match number("FILEGEN_SOAK_MINUTES") {
            Some(minutes) => Self {
                runs: minutes,
                rows: 2000,
                period: Some(Duration::from_mins(1)),
                faults: 0..3,
                within: Duration::from_secs(10),
                most: TTL * 2,
            },
            None => Self { runs: 3, rows: 600, period: None, faults: 1..2, within: Duration::from_secs(2), most: TTL },
        }
    }
}

/// No daemon is ever larger: half of what a deployment's limit is, and a run of these has few and small pages.
const MOST: Size = Size { descriptors: 160, threads: 80, rss_kib: 128 * 1024 };

/// What threads and descriptors may have grown by from the second quarter to the last: pools are as large as the busiest
/// moment so far has needed.
const MORE: usize = 8;

/// What resident memory may have grown by, beside a seventh of it: pools of the allocator.
const MORE_KIB: usize = 4 * 1024;

/// Samples from which growth can be told from chance.
const ENOUGH: usize = 20;

/// Of the trigger's topic.
const PARTITIONS: i32 = 3;

const GROUP: &str = "filegen-LoanWorker";

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Fault {
    Killed,
    Terminated,
    Stopped,
    WithoutStore,
    WithoutSource,
    WithoutBroker,
}

const FAULTS: [Fault; 6] =
    [Fault::Killed, Fault::Terminated, Fault::Stopped, Fault::WithoutStore, Fault::WithoutSource, Fault::WithoutBroker];

/// A fault that is not over.
struct Open {
    fault: Fault,
    pod: usize,
    until: Instant,
}

/// One daemon, and the lines that it alone uses.
struct Pod {
    file: String,
    store: Line,
    source: Line,
    /// None while it is dead.
    daemon: Option<Daemon>,
    /// After each run, since it was started.
    sizes: Vec<Size>,
}

struct Soak {
    pace: Pace,
    fleet: Fleet,
    state: MongoState,
    trigger: Topic,
    completion: Topic,
    /// All daemons' line to the broker: it tells them to come back by this one.
    broker_line: Line,
    pods: Vec<Pod>,
    open: Vec<Open>,
    chance: Chance,
    /// How often, and how often of these it met the holder.
    faults: BTreeMap<Fault, (u64, u64)>,
    /// Holders that ended themselves, since their work did not stop in time.
    aborts: u64,
    /// Servers that go with the soak.
    _servers: (Broker, mongo::Database, postgres::Database),
}

impl Drop for Soak {
    #[expect(clippy::print_stderr, reason = "shown with the test that has failed")]
    fn drop(&mut self) {
        for pod in self.pods.iter_mut().filter(|_| std::thread::panicking()) {
            let Some(daemon) = pod.daemon.take() else { continue };
            daemon.running.signal(Signal::KILL);
            let log = daemon.running.finish().stderr;
            let last: Vec<_> = log.lines().rev().take(60).collect();
            eprintln!("{}:\n{}", pod.file, last.into_iter().rev().collect::<Vec<_>>().join("\n"));
        }
    }
}

/// By chance a black hole, or refused.
fn break_line(line: &Line, chance: &mut Chance) {
    if chance.percent(50) { line.cut() } else { line.close() }
}

impl Soak {
    async fn start(pace: Pace) -> Self {
        let broker = tokio::task::spawn_blocking(Broker::start).await.expect("a server");
        let (trigger, completion) =
            (Topic::create_at(&broker.brokers(), PARTITIONS).await, Topic::create_at(&broker.brokers(), 1).await);
        let (loans, states) = (loans_in_postgres(pace.rows).await, mongo::Database::new());
        let fleet = Fleet::over(&loans.url(), Filegen::empty());
        let broker_line = broker.line();
        let far = |topic: &Topic| topic.by(broker_line.host());
        let policies = patient();
        let pods = (0..3).map(|number| {
            let file = format!("worker{number}.yaml");
            let store = Line::to(&mongo::Database::host());
            let (source, by_line) = line_to(&loans);
            let sections = format!(
                "state: {{ url: '{}' }}\n{policies}{}",
                states.url_at(&store.host()),
                topics(&far(&trigger), &far(&completion))
            );
            fleet.worker_over(&file, &by_line, &sections);
            let daemon = Some(fleet.daemon(&file, SLOW));
            Pod { file, store, source, daemon, sizes: Vec::new() }
        });
        Self {
            pace,
            pods: pods.collect(),
            state: states.open().await,
            trigger,
            completion,
            broker_line,
            open: Vec::new(),
            chance: Chance::new(),
            faults: BTreeMap::new(),
            aborts: 0,
            fleet,
            _servers: (broker, states, loans),
        }
    }

    /// Who holds the lease, of those that live.
    async fn holder(&self) -> Option<usize> {
        let lease = self.state.read(&key("LoanWorker")).await.expect("the server answers")?;
        let is_it = |pod: &Pod| pod.daemon.as_ref().is_some_and(|daemon| daemon.took(&lease));
        self.pods.iter().position(is_it).filter(|_| lease.released.is_none())
    }

    /// Deals one fault, most of the time to the holder.
    async fn strike(&mut self) {
        let fault = FAULTS[usize::try_from(self.chance.within(0..FAULTS.len() as u64)).unwrap()];
        if fault == Fault::WithoutBroker && self.open.iter().any(|open| open.fault == fault) {
            return;
        }
        let free: Vec<usize> = (0..self.pods.len())
            .filter(|pod| self.open.iter().all(|open| open.pod != *pod))
            .filter(|pod| *pod != SPARED || !matches!(fault, Fault::Killed | Fault::Terminated))
            .collect();
        let holder = self.holder().await;
        let any = free[usize::try_from(self.chance.within(0..free.len() as u64)).unwrap()];
        let pod = holder.filter(|holder| free.contains(holder) && self.chance.percent(70)).unwrap_or(any);
        let dealt = self.faults.entry(fault).or_default();
        dealt.0 += 1;
        dealt.1 += u64::from(holder == Some(pod));
        let (victim, chance) = (&mut self.pods[pod], &mut self.chance);
        match fault {
            Fault::Killed => {
                let daemon = victim.daemon.take().expect("it lives");
                daemon.running.signal(Signal::KILL);
            }
            Fault::Terminated => drop(stop(victim.daemon.take())),
            Fault::Stopped => assert!(victim.daemon.as_mut().expect("it lives").running.stop(), "it has ended"),
            Fault::WithoutStore => break_line(&victim.store, chance),
            Fault::WithoutSource => break_line(&victim.source, chance),
            Fault::WithoutBroker => break_line(&self.broker_line, chance),
        }
        let until = Instant::now() + chance.time(TTL / 12..self.pace.most);
        self.open.push(Open { fault, pod, until });
    }

    /// Ends a fault.
    fn mend(&mut self, open: &Open) {
        let pod = &mut self.pods[open.pod];
        match open.fault {
            Fault::Killed | Fault::Terminated => {
                pod.daemon = Some(self.fleet.daemon(&pod.file, SLOW));
                pod.sizes.clear();
            }
            Fault::Stopped => pod.daemon.as_ref().expect("it stands still").running.signal(Signal::CONT),
            Fault::WithoutStore => pod.store.heal(),
            Fault::WithoutSource => pod.source.heal(),
            Fault::WithoutBroker => self.broker_line.heal(),
        }
    }

    /// Deals faults at moments within a time, one beside the other as chance has it, until all are over.
    async fn storm(&mut self) {
        let start = Instant::now();
        let (faults, within) = (self.chance.within(self.pace.faults.clone()), self.pace.within);
        let mut blows: Vec<Instant> = (0..faults).map(|_| start + self.chance.time(Duration::ZERO..within)).collect();
        blows.sort();
        blows.reverse();
        loop {
            let ends = (0..self.open.len()).min_by_key(|open| self.open[*open].until);
            match (blows.last().copied(), ends.map(|open| (open, self.open[open].until))) {
                (Some(blow), end) if end.is_none_or(|(_, end)| blow < end) => {
                    blows.pop();
                    at_async(blow).await;
                    self.strike().await;
                }
                (_, Some((open, end))) => {
                    at_async(end).await;
                    let over = self.open.swap_remove(open);
                    self.mend(&over);
                }
                (_, None) => return,
            }
        }
    }

    /// Asks for a run, disturbs it, and looks at what it has made.
    async fn play(&mut self, run: &RunId) {
        let event = format!(r#"{{"businessDate": "{}"}}"#, run.date);
        let partition = i32::try_from(self.chance.within(0..3)).unwrap();
        self.trigger.write(partition, &[&event]).await;
        self.storm().await;
        if self.chance.percent(30) {
            self.trigger.write((partition + 1) % PARTITIONS, &[&event]).await;
        }
        published(&self.state, run).await;
        all_sent(&self.state).await;
        self.fleet.is_undisturbed(run);
        assert!(!self.fleet.terms(run).is_empty(), "{run}: no manifest");
        for pod in &mut self.pods {
            if pod.daemon.as_mut().is_some_and(|daemon| daemon.running.has_ended()) {
                let done = pod.daemon.take().expect("it ended").running.finish();
                assert!(done.code.is_none() && done.stderr.contains("is lost"), "{:?}: {}", done.code, done.stderr);
                self.aborts += 1;
                pod.daemon = Some(self.fleet.daemon(&pod.file, SLOW));
                pod.sizes.clear();
            }
            let size = Size::of(pod.daemon.as_ref().expect("it lives").running.id());
            pod.sizes.push(size);
        }
    }

    /// Nothing is lost and nothing is there twice.
    async fn judge(&mut self, runs: &[RunId]) {
        until_async("all offsets", async || (self.trigger.left(GROUP, PARTITIONS, 0).await == 0).then_some(())).await;
        stop(self.pods.iter_mut().filter_map(|pod| pod.daemon.take()));
        let mut made = self.state.runs(None, runs.len() + 9).await.unwrap().records;
        made.sort_by_key(|record| record.id.date);
        assert_eq!(made.iter().map(|record| &record.id).collect::<Vec<_>>(), runs.iter().collect::<Vec<_>>());
        assert!(made.iter().all(|record| record.status == RunStatus::Published), "{made:?}");
        assert_eq!(self.state.dead_letters(None, 9).await.unwrap().records, []);
        let events = events(&self.completion, &self.state).await;
        assert_eq!(events.len(), 4 * runs.len(), "one for each file of each run: {events:?}");
        for pod in &self.pods {
            match growth(&pod.sizes) {
                Ok(quarters) => quarters.into_iter().for_each(|both| println_growth(both, pod.sizes.len())),
                Err(fault) => panic!("{}: {fault}", pod.file),
            }
        }
    }

    #[expect(clippy::print_stdout, reason = "what was seen, for whoever runs it with --nocapture")]
    async fn tell(&self, run: &RunId, took: Duration) {
        let token = self.state.read(&key("LoanWorker")).await.unwrap().map_or(0, |lease| lease.token.0);
        let terms = self.fleet.terms(run).len();
        println!("{run} after {took:.1?} in {terms} terms, token {token}; faults (holder's) {:?}", self.faults);
        let sizes: Vec<_> = self.pods.iter().map(|pod| (pod.sizes.len(), pod.sizes.last())).collect();
        println!("  aborts {}, sizes {sizes:?}", self.aborts);
    }
}

fn median(values: impl Iterator<Item = usize>) -> usize {
    let mut values: Vec<usize> = values.collect();
    values.sort_unstable();
    values[values.len() / 2]
}

/// A daemon is never large; and one that lives long has not grown from its second quarter to its last. What is wrong, else
/// the two quarters' medians where there are enough samples.
fn growth(sizes: &[Size]) -> Result<Option<[Size; 2]>, String> {
    let large = |size: &&Size| {
        size.descriptors > MOST.descriptors || size.threads > MOST.threads || size.rss_kib > MOST.rss_kib
    };
    if let Some(size) = sizes.iter().find(large) {
        return Err(format!("{size:?} is more than {MOST:?}"));
    }
    if sizes.len() < ENOUGH {
        return Ok(None);
    }
    let quarter = sizes.len() / 4;
    let [early, late] = [&sizes[quarter..2 * quarter], &sizes[3 * quarter..]].map(|sizes| Size {
        descriptors: median(sizes.iter().map(|size| size.descriptors)),
        threads: median(sizes.iter().map(|size| size.threads)),
        rss_kib: median(sizes.iter().map(|size| size.rss_kib)),
    });
    let has_grown = late.descriptors > early.descriptors + MORE
        || late.threads > early.threads + MORE
        || late.rss_kib > early.rss_kib + early.rss_kib / 7 + MORE_KIB;
    if has_grown { Err(format!("{early:?} has become {late:?}")) } else { Ok(Some([early, late])) }
}

#[expect(clippy::print_stdout, reason = "what was seen, for whoever runs it with --nocapture")]
fn println_growth([early, late]: [Size; 2], samples: usize) {
    println!("of {samples} samples, medians of the second quarter {early:?}, of the last {late:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_befalls_a_fleet_nothing_is_lost_and_no_daemon_grows() {
    let mut soak = Soak::start(Pace::asked()).await;
    let first = run("LoanWorker", 1).date.0;
    let day = |day: u64| BusinessDate(first + i64::try_from(day).unwrap().days());
    let runs: Vec<RunId> =
        (0..soak.pace.runs).map(|number| RunId { date: day(number), ..run("LoanWorker", 1) }).collect();
    let mut next = Instant::now();
    for run in &runs {
        let begun = Instant::now();
        soak.play(run).await;
        soak.tell(run, begun.elapsed()).await;
        if let Some(period) = soak.pace.period {
            next += period;
            at_async(next).await;
        }
    }
    soak.judge(&runs).await;
}

#[test]
fn growth_is_noticed() {
    let of = |rss_kib, descriptors, threads| Size { descriptors, threads, rss_kib };
    let grows = |size: &dyn Fn(usize) -> Size| growth(&(0..60).map(size).collect::<Vec<_>>()).is_err();
    assert!(!grows(&|run| of(36_000 + run % 7 * 500, 25 + run % 5, 12)));
    assert!(grows(&|run| of(36_000 + run * 400, 25, 12)), "400 KiB a run");
    assert!(grows(&|run| of(36_000, 25 + run / 3, 12)), "a descriptor every third run");
    assert!(grows(&|run| of(36_000, 25, 12 + run / 3)), "a thread every third run");
    assert!(grows(&|run| of(36_000, if run == 40 { 500 } else { 25 }, 12)), "for a moment");
}
