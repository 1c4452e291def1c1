//! One term as leader: schedules are loaded, what a leader before left is ended, and then each due time is decided when it comes.

use super::Service;
use super::live::{Live, Lives};
use super::prune::Pruning;
use crate::core::backoff::{Backoff, Pause};
use crate::core::kind::HasKind;
use crate::core::model::data_source::DataSource;
use crate::core::model::schedule::{Execution, Schedule, ScheduleId};
use crate::core::model::term::Term;
use crate::core::ports::observer::Retrying;
use crate::core::ports::schedules::{PAGE, Writer};
use crate::core::ports::store::{Found, OddRecord, StoreError};
use crate::core::schedule::action::{ActionError, Done};
use crate::core::schedule::event::ScheduleEvent;
use crate::core::schedule::stretch::Stretch;
use crate::core::schedule::sync;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::pin::Pin;
use std::time::Duration;
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

/// Time between two looks at what others have changed or asked for. A wall clock that jumps is noticed as soon.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Changes are looked for so far back: other hosts write their own clock's time.
const OVERLAP: SignedDuration = SignedDuration::from_secs(5);

/// Once in this time they are looked for further back. Not each second: behind a change of many, each look is told all of them.
const LOOK_FURTHER_EVERY: Duration = Duration::from_secs(10);

/// How much further.
const FURTHER: SignedDuration = SignedDuration::from_mins(2);

/// Time between two looks at all schedules and data sources: a change by a host whose clock is far behind, and a change of a data source
/// that nobody told, are found by nothing else.
const LOOK_AT_ALL_EVERY: Duration = Duration::from_mins(1);

/// Open executions that are read at once, beside those that are known.
const OPEN_AT_ONCE: usize = 1_000;

/// Decisions about one schedule in one look: each but the first follows another's write. A record that takes no change holds up no
/// other.
const DECISIONS_MAX: u32 = 20;

/// Tries to write one change, each behind somebody else's write.
const WRITES_MAX: u32 = 20;

/// How a term ended.
pub(super) enum LeadEnd {
    /// Asked to stop.
    Stopped,
    /// The lease is lost, or the store refuses: why.
    Term(String),
}

/// What an execution's task gives.
pub(super) type Ended = (Execution, Result<Done, ActionError>);

type Answer<'f, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'f>>;

/// One term.
pub(super) struct Lead<'a> {
    pub(super) service: &'a Service,
    pub(super) term: Term,
    pub(super) stop: CancellationToken,
    pub(super) lives: Lives,
    /// Executions that run or wait here.
    pub(super) known: HashSet<String>,
    pub(super) tasks: JoinSet<Ended>,
    /// What runs in which task, for one that panics.
    pub(super) under_way: HashMap<Id, Execution>,
    pub(super) pruning: Pruning,
    /// What the store's clock said, and when, by the clock that only goes forward.
    pub(super) set: Option<(Timestamp, Duration)>,
    /// Changes up to here are known.
    heard: Timestamp,
    /// Executions under way that keep no place from others.
    pub(super) stalled: usize,
    began: Duration,
    looked: Option<Duration>,
    looked_further: Duration,
    looked_at_all: Duration,
    counted: [usize; 3],
    /// Records that cannot be read, as they were told last.
    odd: Vec<OddRecord>,
}

impl<'a> Lead<'a> {
    pub(super) fn new(service: &'a Service, term: Term, stop: CancellationToken) -> Self {
        Self {
            service,
            term,
            stop,
            lives: Lives::default(),
            known: HashSet::new(),
            tasks: JoinSet::new(),
            under_way: HashMap::new(),
            pruning: Pruning::default(),
            set: None,
            heard: Timestamp::MIN,
            stalled: 0,
            began: service.clock.elapsed(),
            looked: None,
            looked_further: Duration::ZERO,
            looked_at_all: Duration::ZERO,
            counted: [usize::MAX; 3],
            odd: Vec::new(),
        }
    }

    /// Leads until `stop`, or until the lease is lost.
    pub(super) async fn run(mut self, lost: &CancellationToken) -> LeadEnd {
        let ended = tokio::select! {
            biased;
            // What is under way is dropped: nothing of it would be accepted any more.
            () = lost.cancelled() => return LeadEnd::Term("the lease is lost".to_owned()),
            ended = self.lead() => ended,
        };
        match ended {
            Ok(()) => LeadEnd::Stopped,
            Err(error) => LeadEnd::Term(error.to_string()),
        }
    }

    async fn lead(&mut self) -> Result<(), StoreError> {
        self.set_clock().await;
        self.load().await?;
        self.end_left_over().await?;
        loop {
            if self.stop.is_cancelled() {
                return self.drain().await;
            }
            self.turn().await?;
            let wait = self.wait();
            let service = self.service;
            let ended = tokio::select! {
                biased;
                () = self.stop.cancelled() => None,
                Some(ended) = self.tasks.join_next_with_id() => Some(ended),
                () = service.wanted.notified() => {
                    self.looked = None;
                    None
                }
                () = service.clock.sleep(wait) => None,
            };
            if let Some(ended) = ended {
                self.ended(ended).await?;
            }
        }
    }

    /// Looks at everything once.
    async fn turn(&mut self) -> Result<(), StoreError> {
        let elapsed = self.service.clock.elapsed();
        self.stalled = self.service.action.stalled();
        if self.looked.is_none_or(|looked| elapsed.saturating_sub(looked) >= LOOK_EVERY) {
            self.looked = Some(elapsed);
            self.listen().await?;
            self.prune().await?;
        }
        let now = self.now();
        while let Some((at, id)) = self.lives.past_deadline(now) {
            self.look_at_deadline(&id, at).await?;
        }
        let mut decided: BTreeMap<ScheduleId, u32> = BTreeMap::new();
        while let Some(id) = self.lives.due(now) {
            self.decide(&id, now).await?;
            self.tell_looked();
            let times = decided.entry(id.clone()).or_default();
            *times += 1;
            if *times >= DECISIONS_MAX {
                self.lives.put_off(&id);
                let reason = "its record takes no change".to_owned();
                self.tell(&ScheduleEvent::Unusable { schedule: id, reason });
            }
        }
        self.begin_waiting().await?;
        self.tell_looked();
        let counts = self.lives.counts();
        if std::mem::replace(&mut self.counted, counts) != counts {
            self.tell(&ScheduleEvent::Counted { counts });
        }
        Ok(())
    }

    /// Until something is to be decided, and never longer than until the next look at the store.
    fn wait(&self) -> Duration {
        let now = self.now();
        let until = self.lives.next_look().and_then(|at| Duration::try_from(at.duration_since(now)).ok());
        until.map_or(LOOK_EVERY, |until| until.min(LOOK_EVERY))
    }

    /// Waits for what is in hand.
    async fn drain(&mut self) -> Result<(), StoreError> {
        while let Some(ended) = self.tasks.join_next_with_id().await {
            self.ended(ended).await?;
        }
        Ok(())
    }

    /// All schedules, and those that data sources lack, page by page: each question is a short one, however many there are, and what
    /// is due is not kept waiting by what is read.
    async fn load(&mut self) -> Result<(), StoreError> {
        let (service, now) = (self.service, self.now());
        (self.heard, self.looked_at_all) = (now, service.clock.elapsed());
        let (mut odd, mut after) = (Vec::new(), String::new());
        loop {
            let read =
                || Box::pin(Stretch::behind(&*service.schedules, service.feed.as_deref(), &after)) as Answer<'_, _>;
            let stretch: Stretch = self.persist(read).await?;
            stretch.add_odd_to(&mut odd);
            let Stretch { schedules: mut stored, sources, odd: unreadable, next } = stretch;
            if service.feed.is_some() {
                self.mend(&sources, &mut stored, &unreadable).await?;
            }
            // What somebody has dropped is fired no more.
            for gone in self.lives.not_among(&after, next.as_deref(), &stored) {
                self.adopt(Schedule { is_deleted: true, ..gone });
            }
            for schedule in stored {
                self.adopt_changed(schedule);
            }
            match next {
                Some(next) => after = next,
                None => break,
            }
        }
        odd.extend(self.persist(|| service.schedules.odd_executions()).await?);
        if self.odd != odd {
            self.odd.clone_from(&odd);
            self.tell(&ScheduleEvent::Odd { records: odd });
        }
        Ok(())
    }

    /// Holds the stored schedules of a stretch against its data sources. What was mended is among `stored` then.
    async fn mend(
        &self,
        sources: &Found<DataSource>,
        stored: &mut Vec<Schedule>,
        unreadable: &[OddRecord],
    ) -> Result<(), StoreError> {
        let service = self.service;
        let differences = sync::differences(sources, (stored, unreadable), &service.settings, self.now());
        if !differences.is_empty() {
            let mended = sync::mend(&*service.schedules, differences).await?;
            let written: HashSet<&ScheduleId> = mended.iter().map(|it| &it.id).collect();
            stored.retain(|it| !written.contains(&it.id));
            stored.extend(mended);
        }
        Ok(())
    }

    /// What others have changed or asked for since the last look.
    async fn listen(&mut self) -> Result<(), StoreError> {
        let (service, elapsed) = (self.service, self.service.clock.elapsed());
        let is_at_all = elapsed.saturating_sub(self.looked_at_all) >= LOOK_AT_ALL_EVERY;
        if self.set.is_none() || is_at_all {
            self.set_clock().await;
        }
        let now = self.now();
        if is_at_all {
            self.load().await?;
        } else {
            let is_further = elapsed.saturating_sub(self.looked_further) >= LOOK_FURTHER_EVERY;
            if is_further {
                self.looked_further = elapsed;
            }
            let back = if is_further { FURTHER } else { OVERLAP };
            let since = self.heard.min(now).checked_sub(back).unwrap_or(self.heard);
            let mut changed = self.persist(|| service.schedules.changed_since(since)).await?;
            changed.retain(|(id, revision)| self.lives.get(id).is_none_or(|live| live.schedule.revision != *revision));
            // Only what is new is read: for a while after many changes, all of them are told each time.
            let changed: Vec<ScheduleId> = changed.into_iter().map(|(id, _)| id).collect();
            for ids in changed.chunks(PAGE) {
                for schedule in self.persist(|| service.schedules.schedules_of(ids)).await? {
                    self.adopt_changed(schedule);
                }
            }
        }
        self.heard = now;
        let limit = self.known.len() + OPEN_AT_ONCE;
        for execution in self.persist(|| service.schedules.open_executions(limit)).await? {
            self.take_open(execution).await?;
        }
        Ok(())
    }

    /// An execution that waits.
    pub(super) fn enqueue(&mut self, execution: Execution) {
        let id = execution.schedule_id.clone();
        if self.lives.get(&id).is_some() && self.known.insert(execution.id.clone()) {
            self.lives.with(&id, |live| live.waiting.push_back(execution));
        }
    }

    /// Takes a schedule as it is stored now, if that is another than the known one.
    fn adopt_changed(&mut self, schedule: Schedule) {
        let known = self.lives.get(&schedule.id).map(|live| live.schedule.revision);
        if known != Some(schedule.revision) {
            self.adopt(schedule);
        }
    }

    /// Takes a schedule as it is stored now.
    pub(super) fn adopt(&mut self, schedule: Schedule) {
        let id = schedule.id.clone();
        let settings = &self.service.settings;
        if let Some(fault) = self.lives.adopt(schedule, settings, self.now()) {
            self.tell(&ScheduleEvent::Unusable { schedule: id, reason: fault.to_string() });
        }
    }

    /// Writes a change of a schedule. What somebody else wrote meanwhile is adopted instead, and the change is made on that; `None`
    /// from `change` leaves it at that.
    pub(super) async fn write(
        &mut self,
        id: &ScheduleId,
        change: impl Fn(&Live) -> Option<Schedule>,
    ) -> Result<(), StoreError> {
        let service = self.service;
        for _ in 0..WRITES_MAX {
            let Some(changed) = self.lives.get(id).and_then(&change) else { break };
            let term = self.term.clone();
            let writer = || service.schedules.replace_schedule(Writer::Leader(&term), &changed);
            let written = match self.persist(writer).await {
                Err(fault @ StoreError::Uncounted { .. }) => {
                    self.lives.put_off(id);
                    self.tell(&ScheduleEvent::Unusable { schedule: id.clone(), reason: fault.to_string() });
                    return Ok(());
                }
                answer => answer?,
            };
            if written {
                self.adopt(Schedule { token: term.token().0, ..changed });
                return Ok(());
            }
            match self.readable(|| service.schedules.schedule(id)).await? {
                Some(stored) => {
                    // By our own first try, whose answer was lost.
                    let is_ours = stored == Schedule { token: term.token().0, ..changed };
                    self.adopt(stored);
                    if is_ours {
                        return Ok(());
                    }
                }
                None => return Ok(()),
            }
        }
        Ok(())
    }

    fn tell_looked(&self) {
        let (at, settings) = (self.service.clock.elapsed(), &self.service.settings);
        let overdue = self.lives.behind(self.now()).filter(|behind| *behind > settings.grace);
        let is_steady = at.saturating_sub(self.began) > self.service.policies.lease_ttl;
        self.tell(&ScheduleEvent::Looked { at, overdue, is_steady });
    }

    pub(super) fn tell(&self, event: &ScheduleEvent) {
        self.service.observer.observe(event);
    }

    /// As [`persist`](Self::persist), for one record. One that cannot be read is as if it were not there: it ends no term, and is told
    /// with all others.
    pub(super) async fn readable<'f, T>(
        &self,
        ask: impl Fn() -> Answer<'f, Option<T>>,
    ) -> Result<Option<T>, StoreError> {
        match self.persist(ask).await {
            Err(StoreError::Odd { .. }) => Ok(None),
            answer => answer,
        }
    }

    /// Asks until the store answers, while the term lasts. Only for questions that may be asked twice.
    pub(super) async fn persist<'f, T>(&self, ask: impl Fn() -> Answer<'f, T>) -> Result<T, StoreError> {
        let mut backoff = Backoff::new(self.service.policies.retry);
        loop {
            let error = match ask().await {
                Ok(answer) => return Ok(answer),
                Err(error) if error.kind().is_transient() => error,
                Err(error) => return Err(error),
            };
            self.term.check()?;
            let Pause { attempt, after } = backoff.failed();
            self.service.observer.observe(&Retrying { reason: error.to_string(), attempt, after });
            self.service.clock.sleep(after).await;
        }
    }
}
