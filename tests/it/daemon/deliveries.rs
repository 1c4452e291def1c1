//! Thousands of deliveries of one day's event, to daemons that come, go and die meanwhile: one run, and nothing lost.
//!
//! `FILEGEN_DELIVERIES` says how many events are written; what is delivered again comes on top.

use crate::support::chance::{Chance, number};
use crate::support::daemon::{Daemon, stop};
use crate::support::fleet::{Fleet, POLICIES, events, published};
use crate::support::kafka::Topic;
use crate::support::mongo::Database;
use crate::support::running::{PATIENCE, until_async};
use crate::support::state::{key, run};
use filegen::adapters::mongo::MongoState;
use filegen::core::model::run::RunId;
use filegen::core::ports::dead_letters::DeadLetters;
use filegen::core::ports::leases::LeaseStore;
use filegen::core::ports::runs::RunStore;
use rustix::process::Signal;
use std::collections::BTreeSet;
use std::fmt;
use std::time::{Duration, Instant};

/// Events that are written, unless `FILEGEN_DELIVERIES` says otherwise.
const DELIVERIES: u64 = 5000;

const PARTITIONS: i32 = 6;

/// What the events are written in, with a blow behind each.
const BATCHES: u64 = 10;

/// Daemons that serve at a time; now and then a fourth joins.
const DAEMONS: usize = 3;

/// Of a hundred daemons, so many die between an event's record and its mark, or at the record of an odd one.
const MORTAL: u64 = 80;

/// Pages take their time, so that the run is under way for some of the blows.
const SLOW: &str = "commit.begun=sleep(60)";

/// What the processes said.
#[derive(Default, Debug)]
struct Tally {
    written: u64,
    heard: u64,
    by_others: u64,
    rebalances: u64,
    requested: u64,
    processes: u64,
    killed: u64,
    died_unmarked: u64,
}

impl Tally {
    /// Takes in a process's log.
    fn read(&mut self, log: &str) {
        self.processes += 1;
        let mut leads = false;
        for line in log.lines() {
            leads |= line.contains("leadership acquired");
            let is = |text: &str| u64::from(line.contains(text));
            let heard = is("duplicate trigger ignored") + is("run requested") + is("malformed event passed over");
            self.requested += is("run requested");
            self.rebalances += is("partitions came");
            self.heard += heard;
            self.by_others += if leads { 0 } else { heard };
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { written, heard, by_others, rebalances, processes, killed, died_unmarked, .. } = self;
        write!(
            f,
            "{written} events, {heard} deliveries ({by_others} to daemons that did not lead), {processes} processes, \
             {killed} killed, {died_unmarked} of them at an event that they had not marked, partitions came {rebalances} times"
        )
    }
}

struct Storm {
    chance: Chance,
    fleet: Fleet,
    state: MongoState,
    trigger: Topic,
    group: String,
    daemons: Vec<Daemon>,
    odd: BTreeSet<String>,
    tally: Tally,
}

impl Storm {
    async fn begin(completion: &Topic) -> (Self, Database) {
        let (chance, trigger, database) = (Chance::new(), Topic::create(PARTITIONS).await, Database::new());
        let (state, fleet) = (database.open().await, Fleet::new(600));
        let group = format!("{}-group", trigger.name);
        let sections = format!(
            "state: {{ url: '{}' }}\n{POLICIES}\
             trigger: {{ kafka: {{ brokers: '{}', topic: {}, group: {group}, properties: \
             {{ session.timeout.ms: '2000', heartbeat.interval.ms: '500' }} }} }}\n\
             completion: {{ kafka: {{ brokers: '{}', topic: {} }} }}\n",
            database.url(),
            trigger.brokers,
            trigger.name,
            completion.brokers,
            completion.name
        );
        fleet.worker("worker.yaml", &sections);
        let (daemons, odd, tally) = (Vec::new(), BTreeSet::new(), Tally::default());
        (Self { chance, fleet, state, trigger, group, daemons, odd, tally }, database)
    }

    /// Clears away who died by itself, and starts daemons until there are so many.
    fn serve(&mut self, count: usize, mortal: u64) {
        for mut daemon in std::mem::take(&mut self.daemons) {
            if daemon.running.has_ended() {
                self.tally.died_unmarked += 1;
                self.bury(daemon);
            } else {
                self.daemons.push(daemon);
            }
        }
        while self.daemons.len() < count {
            let point = if self.chance.percent(30) { ("trigger.recorded", 50..500) } else { ("trigger.odd", 0..4) };
            let dies = format!("{}={}*off->return", point.0, self.chance.within(point.1));
            let failpoints = if self.chance.percent(mortal) { format!("{SLOW};{dies}") } else { SLOW.to_owned() };
            self.daemons.push(self.fleet.daemon("worker.yaml", &failpoints));
        }
    }

    /// Takes in the log of one that was killed.
    fn bury(&mut self, daemon: Daemon) {
        let done = daemon.running.finish();
        assert_eq!(done.code, None, "it ended by itself:\n{}", done.stderr);
        self.tally.killed += 1;
        self.tally.read(&done.stderr);
    }

    /// Writes events, dealt over the partitions: most ask for one day, a few for another, and some are no JSON.
    async fn write(&mut self, numbers: std::ops::Range<u64>) {
        let mut dealt: Vec<Vec<String>> = vec![Vec::new(); usize::try_from(PARTITIONS).unwrap()];
        for number in numbers {
            let event = if number % 97 == 11 {
                self.odd.insert(format!("{{ {number}"));
                format!("{{ {number}")
            } else if number % 997 == 500 {
                r#"{"businessDate": "2026-11-22"}"#.to_owned()
            } else {
                r#"{"businessDate": "2026-11-21"}"#.to_owned()
            };
            let partition = self.chance.within(0..dealt.len() as u64);
            dealt[usize::try_from(partition).unwrap()].push(event);
            self.tally.written += 1;
        }
        for (partition, events) in (0..).zip(&dealt) {
            self.trigger.write(partition, &events.iter().map(String::as_str).collect::<Vec<_>>()).await;
        }
    }

    /// Waits until at most so many events are not dealt with.
    async fn left(&mut self, most: i64, mortal: u64) {
        let started = Instant::now();
        loop {
            let left = self.trigger.left(&self.group, PARTITIONS, most).await;
            if left <= most {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "{left} events are not dealt with:\n{}", self.logs());
            self.serve(DAEMONS, mortal);
        }
    }

    /// What those say that serve: all but the single events.
    fn logs(&mut self) -> String {
        let mut logs = String::new();
        for daemon in std::mem::take(&mut self.daemons) {
            daemon.running.signal(Signal::KILL);
            let lines = daemon.running.finish().stderr;
            for line in lines.lines().filter(|line| !line.contains("page")) {
                logs.push_str(line);
                logs.push('\n');
            }
            logs.push('\n');
        }
        logs
    }

    /// One that serves: the leader most of the time.
    async fn victim(&mut self) -> Daemon {
        let lease = self.state.read(&key("LoanWorker")).await.ok().flatten();
        let leads = |daemon: &Daemon| lease.as_ref().is_some_and(|lease| daemon.took(lease));
        let leader = self.daemons.iter().position(leads).filter(|_| self.chance.percent(60));
        let any = self.chance.within(0..self.daemons.len() as u64);
        self.daemons.swap_remove(leader.unwrap_or(usize::try_from(any).unwrap()))
    }

    /// Members go, die and come, or all go and what they marked last is delivered again.
    async fn blow(&mut self, number: u64) {
        match number % 4 {
            0 => {
                let victim = self.victim().await;
                victim.running.signal(Signal::KILL);
                self.bury(victim);
            }
            1 => self.serve(DAEMONS + 1, MORTAL),
            2 => {
                let victim = self.victim().await;
                self.part(vec![victim]);
            }
            _ => {
                self.serve(1, 0);
                let all = std::mem::take(&mut self.daemons);
                self.part(all);
                self.rewind(100).await;
            }
        }
        self.serve(DAEMONS, MORTAL);
    }

    /// Lets the last events of each partition be delivered again, once no member is left.
    async fn rewind(&self, events: i64) {
        let rewind = async || self.trigger.rewind(&self.group, PARTITIONS, events).await.then_some(());
        until_async("an empty group", rewind).await;
    }

    /// SIGTERM to some; who died before it came was to die.
    fn part(&mut self, daemons: Vec<Daemon>) {
        for daemon in &daemons {
            daemon.running.signal(Signal::TERM);
        }
        for daemon in daemons {
            let done = daemon.running.finish();
            assert!(matches!(done.code, Some(0) | None), "{:?}\n{}", done.code, done.stderr);
            self.tally.died_unmarked += u64::from(done.code.is_none());
            self.tally.killed += u64::from(done.code.is_none());
            self.tally.read(&done.stderr);
        }
    }

    /// The events that were passed over are those that are no JSON, each once.
    async fn kept_what_is_odd(&self) {
        let kept = self.state.dead_letters(Some(&key("LoanWorker")), 10_000).await.unwrap().records;
        assert_eq!(kept.len(), self.odd.len(), "one for each: {kept:?}");
        let mut payloads = BTreeSet::new();
        for event in kept {
            let whole = self.state.dead_letter(&event.owner, &event.id).await.unwrap().unwrap();
            payloads.insert(whole.payload.unwrap().text);
        }
        assert_eq!(payloads, self.odd);
    }

    fn manifest(&self, run: &RunId) -> String {
        self.fleet.filegen.read(&format!("out/LoanWorker_{}.manifest.json", run.date.compact()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_deliveries_of_a_day_make_one_run_whoever_comes_and_dies() {
    let completion = Topic::create(1).await;
    let (mut storm, _database) = Storm::begin(&completion).await;
    let (one, other) = (run("LoanWorker", 21), run("LoanWorker", 22));
    let events_each = number("FILEGEN_DELIVERIES").unwrap_or(DELIVERIES).max(1000) / BATCHES;
    let started = Instant::now();
    storm.serve(DAEMONS, 0);
    for batch in 0..BATCHES {
        storm.write(batch * events_each..(batch + 1) * events_each).await;
        storm.left(i64::try_from(events_each / 2).unwrap(), MORTAL).await;
        storm.blow(batch).await;
    }
    storm.left(0, 0).await;
    let took = started.elapsed();
    storm.serve(DAEMONS, 0);
    published(&storm.state, &one).await;
    let manifest = storm.manifest(&one);
    published(&storm.state, &other).await;
    // All over again: nothing is made from it.
    let all = std::mem::take(&mut storm.daemons);
    storm.part(all);
    storm.rewind(50).await;
    storm.serve(DAEMONS, 0);
    storm.left(0, 0).await;
    let events = events(&completion, &storm.state).await;
    assert_eq!(events.len(), 8, "one for each file and day: {events:?}");
    for log in stop(std::mem::take(&mut storm.daemons)) {
        storm.tally.read(&log);
    }

    assert_eq!(storm.state.runs(None, 9).await.unwrap().records.len(), 2);
    storm.kept_what_is_odd().await;
    assert!(storm.manifest(&one) == manifest, "it was made once");
    storm.fleet.is_undisturbed(&one);
    storm.fleet.is_undisturbed(&other);
    let Tally { heard, written, requested, by_others, .. } = storm.tally;
    assert!(heard > written && by_others > 0 && requested <= 2, "{:?}", storm.tally);
    println_tally(&storm.tally, took);
}

#[expect(clippy::print_stdout, reason = "what was seen, for whoever runs it with --nocapture")]
fn println_tally(tally: &Tally, took: Duration) {
    println!("{tally}; {took:.0?}");
}
