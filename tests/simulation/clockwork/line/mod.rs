//! One instance's line to the store, and its clock. A call may be lost, its answer may be, it may take effect long after it was given
//! up; the instance may stand still, be cut off, or be dead.

mod state;

use super::book::Book;
use crate::rng::Rng;
use crate::sim::locked;
use crate::weather::{Fate, Weather, stand};
use async_trait::async_trait;
use filegen::adapters::memory::schedules::MemorySchedules;
use filegen::adapters::memory::state::MemoryState;
use filegen::core::model::names::{InstanceId, LeaseKey};
use filegen::core::model::schedule::{Execution, Outcome, Schedule, ScheduleId};
use filegen::core::model::term::{Term, Token};
use filegen::core::ports::clock::Clock;
use filegen::core::ports::leases::{EpochClaim, LeaseRecord, LeaseStore, Mint};
use filegen::core::ports::schedules::{HistoryPlace, ScheduleStore, Writer};
use filegen::core::ports::store::{Found, Page, StoreError};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// A call is given up after this.
const PATIENCE: Duration = Duration::from_secs(4);

/// The latest that a call takes effect.
const LATEST: Duration = Duration::from_secs(90);

type Told<T> = Result<T, StoreError>;

#[derive(Clone)]
pub struct Line {
    pub weather: Arc<Mutex<Weather>>,
    pub rng: Arc<Mutex<Rng>>,
    pub state: MemoryState,
    pub schedules: MemorySchedules,
    pub start: (Instant, Timestamp),
    pub book: Arc<Mutex<Book>>,
    /// Whether the store has a clock of its own.
    pub tells_time: bool,
}

/// A request that is under way was allowed when it was sent.
fn sent(term: &Term) -> Term {
    Term::new(term.token(), Duration::MAX, Arc::new(|| Duration::ZERO))
}

impl Line {
    /// True time.
    pub fn true_time(&self) -> Timestamp {
        self.start.1.saturating_add(self.start.0.elapsed()).unwrap_or(self.start.1)
    }

    /// Waits while the whole instance stands still.
    pub async fn stand(&self) {
        stand(&self.weather).await;
    }

    pub fn is_cut(&self) -> bool {
        locked(&self.weather).is_cut()
    }

    pub async fn ask<T: Send + 'static, F: Future<Output = Told<T>> + Send + 'static>(
        &self,
        work: impl FnOnce() -> F + Send + 'static,
    ) -> Told<T> {
        self.stand().await;
        let away = || StoreError::Unreachable { store: "simulated".to_owned(), reason: "it was lost".to_owned() };
        let is_cut = self.is_cut();
        let faults = locked(&self.weather).faults;
        let (roll, quick, later) = {
            let mut rng = locked(&self.rng);
            (rng.below(1000), rng.millis(Duration::from_millis(30)), rng.millis(LATEST))
        };
        let answer = match if is_cut { Fate::Lost } else { faults.fate(roll) } {
            Fate::Lost => None,
            Fate::Unanswered => {
                let _ = work().await;
                None
            }
            Fate::Late => {
                tokio::spawn(async move {
                    tokio::time::sleep(later).await;
                    let _ = work().await;
                });
                None
            }
            Fate::Done => {
                tokio::time::sleep(quick).await;
                Some(work().await)
            }
        };
        if answer.is_none() {
            tokio::time::sleep(PATIENCE).await;
        }
        self.stand().await;
        answer.unwrap_or_else(|| Err(away()))
    }
}

#[async_trait]
impl Clock for Line {
    fn now(&self) -> Timestamp {
        let true_time = self.true_time();
        let now = true_time.saturating_add(locked(&self.weather).skew).unwrap_or(true_time);
        let mut book = locked(&self.book);
        book.latest = now.max(book.latest);
        now
    }

    fn elapsed(&self) -> Duration {
        self.start.0.elapsed()
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
        self.stand().await;
    }
}

/// Each call as a request of its own: what it needs goes with it.
macro_rules! asked {
    ($line:expr, $store:ident, [$($name:ident = $value:expr),*] $call:expr) => {{
        let $store = $line.$store.clone();
        $(let $name = $value;)*
        $line.ask(move || async move { $call.await }).await
    }};
}
use asked;

#[async_trait]
impl LeaseStore for Line {
    async fn read(&self, key: &LeaseKey) -> Told<Option<LeaseRecord>> {
        asked!(self, state, [key = key.clone()] state.read(&key))
    }

    async fn list(&self) -> Told<Found<LeaseRecord>> {
        asked!(self, state, [] state.list())
    }

    async fn highest_token(&self, key: &LeaseKey, most: Token) -> Told<Option<Token>> {
        asked!(self, state, [key = key.clone()] state.highest_token(&key, most))
    }

    async fn mint(&self, claim: &EpochClaim) -> Told<Mint> {
        asked!(self, state, [claim = claim.clone()] state.mint(&claim))
    }

    async fn claim(&self, key: &LeaseKey, token: Token) -> Told<Option<EpochClaim>> {
        asked!(self, state, [key = key.clone()] state.claim(&key, token))
    }

    async fn install(&self, record: &LeaseRecord) -> Told<bool> {
        asked!(self, state, [record = record.clone()] state.install(&record))
    }

    async fn renew(
        &self,
        key: &LeaseKey,
        token: Token,
        instance: &InstanceId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Told<bool> {
        asked!(self, state, [key = key.clone(), instance = instance.clone()] state.renew(
            &key, token, &instance, now, expires_at
        ))
    }

    async fn release(&self, key: &LeaseKey, token: Token, now: Timestamp, reason: &str) -> Told<bool> {
        asked!(self, state, [key = key.clone(), reason = reason.to_owned()] state
            .release(&key, token, now, &reason))
    }

    async fn holder_is_gone(&self, _: &LeaseRecord) -> Told<bool> {
        Ok(false)
    }
}

#[async_trait]
impl ScheduleStore for Line {
    async fn schedules_behind(&self, after: &str, most: usize) -> Told<Page<Schedule>> {
        asked!(self, schedules, [after = after.to_owned()] schedules.schedules_behind(&after, most))
    }

    async fn schedule(&self, id: &ScheduleId) -> Told<Option<Schedule>> {
        asked!(self, schedules, [id = id.clone()] schedules.schedule(&id))
    }

    async fn changed_since(&self, since: Timestamp) -> Told<Vec<(ScheduleId, u64)>> {
        asked!(self, schedules, [] schedules.changed_since(since))
    }

    async fn schedules_of(&self, ids: &[ScheduleId]) -> Told<Vec<Schedule>> {
        asked!(self, schedules, [ids = ids.to_vec()] schedules.schedules_of(&ids))
    }

    async fn insert_schedules(&self, given: Vec<Schedule>) -> Told<BTreeSet<ScheduleId>> {
        let (store, line) = (self.schedules.clone(), self.clone());
        self.ask(move || async move {
            let new = store.insert_schedules(given.clone()).await?;
            for schedule in given.iter().filter(|it| new.contains(&it.id)) {
                locked(&line.book).schedule_is(None, schedule, line.true_time());
            }
            Ok(new)
        })
        .await
    }

    async fn replace_schedule(&self, writer: Writer<'_>, schedule: &Schedule) -> Told<bool> {
        let term = match writer {
            Writer::Leader(term) => {
                term.check()?;
                Some(sent(term))
            }
            Writer::Other => None,
        };
        let (store, it, line) = (self.schedules.clone(), schedule.clone(), self.clone());
        self.ask(move || async move {
            let writer = term.as_ref().map_or(Writer::Other, Writer::Leader);
            let before = store.schedule(&it.id).await?;
            let is_written = store.replace_schedule(writer, &it).await?;
            if is_written {
                locked(&line.book).schedule_is(before.as_ref(), &it, line.true_time());
            }
            Ok(is_written)
        })
        .await
    }

    async fn insert_execution(&self, term: Option<&Term>, execution: &Execution) -> Told<bool> {
        term.map_or(Ok(()), Term::check)?;
        let (store, term, it, line) = (self.schedules.clone(), term.map(sent), execution.clone(), self.clone());
        self.ask(move || async move {
            let is_new = store.insert_execution(term.as_ref(), &it).await?;
            if let Some(term) = term.filter(|_| is_new) {
                locked(&line.book).decided.insert(it.id, (term.token(), line.true_time()));
            }
            Ok(is_new)
        })
        .await
    }

    async fn execution(&self, id: &str) -> Told<Option<Execution>> {
        asked!(self, schedules, [id = id.to_owned()] schedules.execution(&id))
    }

    async fn replace_execution(&self, term: Option<&Term>, seen: (Outcome, u64), execution: &Execution) -> Told<bool> {
        term.map_or(Ok(()), Term::check)?;
        asked!(self, schedules, [term = term.map(sent), it = execution.clone()] schedules
            .replace_execution(term.as_ref(), seen, &it))
    }

    async fn open_executions(&self, limit: usize) -> Told<Vec<Execution>> {
        asked!(self, schedules, [] schedules.open_executions(limit))
    }

    async fn history(
        &self,
        schedule: Option<&ScheduleId>,
        behind: Option<&HistoryPlace>,
        limit: usize,
    ) -> Told<Vec<Execution>> {
        asked!(self, schedules, [id = schedule.cloned(), behind = behind.cloned()]
            schedules.history(id.as_ref(), behind.as_ref(), limit))
    }

    async fn executions_due(&self, schedule: &ScheduleId, from: Timestamp, to: Timestamp) -> Told<Vec<Execution>> {
        asked!(self, schedules, [id = schedule.clone()] schedules.executions_due(&id, from, to))
    }

    async fn forget_executions(
        &self,
        schedule: &ScheduleId,
        before: Timestamp,
        keep: &[String],
        most: usize,
    ) -> Told<u64> {
        asked!(self, schedules, [id = schedule.clone(), keep = keep.to_vec()] schedules
            .forget_executions(&id, before, &keep, most))
    }

    async fn time(&self) -> Told<Option<Timestamp>> {
        let line = self.clone();
        self.ask(move || async move { Ok(line.tells_time.then(|| line.true_time())) }).await
    }
}
