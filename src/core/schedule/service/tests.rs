//! The clockwork on a paused clock, over stores in memory: who fires what, and when.

mod clocks;
mod edits;
mod firing;
mod leaders;
mod many;
mod overlap;

use super::*;
use crate::adapters::memory::clock::MemoryClock;
use crate::adapters::memory::schedules::MemorySchedules;
use crate::adapters::memory::state::MemoryState;
use crate::core::election::ElectionEvent;
use crate::core::model::data_source::{Action as Does, Misfire, Overlap};
use crate::core::model::schedule::{Execution, Outcome, Rule, Schedule, ScheduleId, ScheduleStatus};
use crate::core::ports::observer::Observer;
use crate::core::schedule::action::{ActionError, Done, Firing};
use crate::core::schedule::event::ScheduleEvent;
use crate::core::schedule::record;
use crate::core::schedule::steer::Steering;
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;
use tokio::task::JoinHandle;

/// Notes what ran, and lasts as long as it is told.
#[derive(Default)]
struct Work {
    began: Mutex<Vec<(String, u64)>>,
    ended: Mutex<Vec<String>>,
    /// Seconds of each schedule's executions.
    lasts: Mutex<BTreeMap<String, u64>>,
    fails: Mutex<bool>,
    at_once: Mutex<(usize, usize)>,
}

struct Worker {
    work: Arc<Work>,
    clock: MemoryClock,
}

#[async_trait]
impl Action for Worker {
    async fn run(&self, firing: &Firing) -> Result<Done, ActionError> {
        let id = firing.execution.id.clone();
        self.work.began.lock().unwrap().push((id.clone(), firing.term.token().0));
        {
            let mut at_once = self.work.at_once.lock().unwrap();
            at_once.0 += 1;
            at_once.1 = at_once.1.max(at_once.0);
        }
        let lasts = self.work.lasts.lock().unwrap().get(firing.schedule.id.as_str()).copied().unwrap_or(0);
        self.clock.sleep(Duration::from_secs(lasts)).await;
        self.work.at_once.lock().unwrap().0 -= 1;
        if firing.stop.is_cancelled() && lasts > 0 {
            return Err(ActionError::Interrupted);
        }
        self.work.ended.lock().unwrap().push(id);
        if *self.work.fails.lock().unwrap() {
            return Err(ActionError::failed("there is no folder data"));
        }
        Ok(Done { files_seen: 3, files_new: 1, note: None })
    }
}

/// Keeps what it is told.
#[derive(Default)]
struct Notes(Mutex<Vec<ScheduleEvent>>);

impl Observer<ScheduleEvent> for Notes {
    fn observe(&self, event: &ScheduleEvent) {
        self.0.lock().unwrap().push(event.clone());
    }
}

impl Observer<ElectionEvent> for Notes {
    fn observe(&self, _: &ElectionEvent) {}
}

impl Observer<Retrying> for Notes {
    fn observe(&self, _: &Retrying) {}
}

/// One store and one clock, and any number of instances.
struct World {
    leases: MemoryState,
    store: MemorySchedules,
    clock: MemoryClock,
    work: Arc<Work>,
    notes: Arc<Notes>,
    settings: Settings,
    feed: Option<Arc<dyn Feed>>,
}

struct Instance {
    stop: CancellationToken,
    wanted: Arc<Notify>,
    task: JoinHandle<()>,
}

impl World {
    fn new() -> Self {
        Self::starting_at("2026-11-29T10:30:00Z")
    }

    fn starting_at(wall: &str) -> Self {
        Self {
            leases: MemoryState::default(),
            store: MemorySchedules::default(),
            clock: MemoryClock::starting_at(wall.parse().unwrap()),
            work: Arc::default(),
            notes: Arc::default(),
            settings: Settings::default(),
            feed: None,
        }
    }

    fn steering(&self) -> Steering<'_> {
        Steering { store: &self.store, trail: &self.leases, settings: &self.settings }
    }

    /// Starts an instance.
    fn start(&self, name: &str) -> Instance {
        self.start_by(name, &self.clock)
    }

    /// Starts an instance that has a clock of its own.
    fn start_by(&self, name: &str, clock: &MemoryClock) -> Instance {
        let (stop, wanted) = (CancellationToken::new(), Arc::new(Notify::new()));
        let nonce = name.to_owned();
        let service = Service {
            key: LeaseKey::new("schedule:intake").unwrap(),
            instance: InstanceId::new(name),
            policies: Policies::default(),
            leases: Arc::new(self.leases.clone()),
            schedules: Arc::new(self.store.clone()),
            feed: self.feed.clone(),
            clock: Arc::new(clock.clone()),
            settings: Arc::new(self.settings.clone()),
            action: Arc::new(Worker { work: Arc::clone(&self.work), clock: clock.clone() }),
            observer: Arc::clone(&self.notes) as Arc<_>,
            nonce: Arc::new(move || nonce.clone()),
            abort: Arc::new(|| {}),
            wanted: Arc::clone(&wanted),
            leading: Leading::default(),
        };
        let stopped = stop.clone();
        let task = tokio::spawn(async move { service.serve(&stopped).await });
        Instance { stop, wanted, task }
    }

    async fn add(&self, id: &str, cron: &str, change: impl FnOnce(&mut Schedule)) {
        let mut schedule = schedule(id, cron, self.clock.now());
        change(&mut schedule);
        assert!(self.store.insert_schedule(&record::settled(schedule, &self.settings)).await.unwrap());
    }

    async fn seconds(&self, seconds: u64) {
        self.clock.sleep(Duration::from_secs(seconds)).await;
    }

    async fn schedule(&self, id: &str) -> Schedule {
        self.store.schedule(&ScheduleId::new(id)).await.unwrap().unwrap()
    }

    /// `11:00 Succeeded`, in the order of due times.
    async fn history(&self, id: &str) -> Vec<String> {
        let mut all = self.store.history(Some(&ScheduleId::new(id)), None, 1000).await.unwrap();
        all.reverse();
        all.iter().map(|it| format!("{} {}", it.due_time.strftime("%H:%M:%S"), it.outcome.as_str())).collect()
    }

    async fn executions(&self, id: &str) -> Vec<Execution> {
        self.store.history(Some(&ScheduleId::new(id)), None, 1000).await.unwrap()
    }

    fn began(&self) -> Vec<String> {
        self.work.began.lock().unwrap().iter().map(|(id, _)| id.clone()).collect()
    }

    fn heard(&self, wanted: impl Fn(&ScheduleEvent) -> bool) -> usize {
        self.notes.0.lock().unwrap().iter().filter(|event| wanted(event)).count()
    }

    fn lasts(&self, id: &str, seconds: u64) {
        self.work.lasts.lock().unwrap().insert(id.to_owned(), seconds);
    }
}

impl Instance {
    /// Ends it without anything being finished, as a kill does.
    fn kill(self) {
        self.task.abort();
    }

    async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

fn schedule(id: &str, cron: &str, now: Timestamp) -> Schedule {
    Schedule {
        id: ScheduleId::new(id),
        data_source_id: id.to_owned(),
        name: id.to_owned(),
        version: 1,
        is_deleted: false,
        is_active: true,
        rule: Rule {
            cron_expression: cron.to_owned(),
            zone: "UTC".to_owned(),
            calendar: None,
            closed_day: crate::core::model::data_source::ClosedDay::Skip,
            dst: None,
            misfire: Misfire::FireOnce,
            overlap: Overlap::Skip,
            deadline: None,
            pause_after_failures: None,
        },
        action: Does::default(),
        status: ScheduleStatus::Active,
        next_execution_time: None,
        decided_until: now,
        undecided: Vec::new(),
        last_execution_time: None,
        last_status: None,
        last_files_seen: None,
        last_files_new: None,
        last_error: None,
        last_success_id: None,
        last_failure_id: None,
        execution_count: 0,
        failure_count: 0,
        failures_in_row: 0,
        paused_by: None,
        pause_reason: None,
        paused_at: None,
        deadline_missed: None,
        deadline_since: None,
        changed_at: now,
        revision: 1,
        token: 0,
    }
}
