//! Due times into executions: written down first, then run.

use super::lead::Lead;
use super::live::Live;
use crate::core::failpoints::crash::crash_point;
use crate::core::failpoints::planted::planted;
use crate::core::model::data_source::{Misfire, Overlap};
use crate::core::model::schedule::{Cause, Execution, Outcome, Schedule, ScheduleId, ScheduleStatus, Undecided};
use crate::core::ports::store::StoreError;
use crate::core::schedule::action::Firing;
use crate::core::schedule::decide::{self, Step};
use crate::core::schedule::event::ScheduleEvent;
use crate::core::schedule::plan::Plan;
use crate::core::schedule::{deadline, record};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// What becomes of a due time beside those that run and wait.
enum Turn {
    Begin,
    Wait,
    Skip(String),
}

impl Lead<'_> {
    /// Decides all due times of a schedule that have come.
    ///
    /// First the leader looks whether somebody has paused or edited the schedule. Then each due time is written down, and only then the
    /// schedule says that it is decided. Whoever leads after a crash in between decides the same, and finds the due times written.
    pub(super) async fn decide(&mut self, id: &ScheduleId, now: Timestamp) -> Result<(), StoreError> {
        let (store, known) = (&self.service.schedules, self.lives.get(id).map(|live| live.schedule.revision));
        match self.persist(|| store.schedule(id)).await {
            Ok(Some(stored)) if Some(stored.revision) != known => {
                self.adopt(stored);
                return Ok(());
            }
            // It alone stands still until somebody mends it.
            Err(error @ StoreError::Odd { .. }) => {
                self.lives.put_off(id);
                self.tell(&ScheduleEvent::Unusable { schedule: id.clone(), reason: error.to_string() });
                return Ok(());
            }
            answer => answer.map(|_| ())?,
        }
        if self.account_for(id, now).await? {
            return Ok(());
        }
        let Some((plan, decided_until)) =
            self.lives.get(id).and_then(|live| Some((live.plan.clone()?, live.schedule.decided_until)))
        else {
            return Ok(());
        };
        let decision = decide::decide(&plan, decided_until, now);
        let mut begun = Vec::new();
        for step in decision.steps {
            self.take(id, step, now, &mut begun).await?;
        }
        crash_point!("slot.written");
        let (until, next) = (decision.decided_until, decision.next);
        // An edit or a pause in between decides by itself what is due next.
        self.write(id, |live| {
            (live.schedule.decided_until == decided_until && record::fires(&live.schedule))
                .then(|| record::advanced(&live.schedule, until, next))
        })
        .await?;
        crash_point!("slot.advanced");
        for execution in begun {
            self.spawn(execution);
        }
        Ok(())
    }

    /// Writes down the due times that a change or a pause has left undecided. False when there are none.
    async fn account_for(&mut self, id: &ScheduleId, now: Timestamp) -> Result<bool, StoreError> {
        let Some(schedule) = self.lives.get(id).map(|live| &live.schedule).filter(|it| !it.undecided.is_empty()) else {
            return Ok(false);
        };
        let schedule = schedule.clone();
        for Undecided { rule, after, until, why } in &schedule.undecided {
            let before = Schedule { rule: rule.clone(), ..schedule.clone() };
            // What meant nothing was never due.
            let Ok(plan) = Plan::of(&before, &self.service.settings) else { continue };
            let left = decide::left(&plan, *after, *until, why);
            for step in left.passed {
                self.take(id, step, now, &mut Vec::new()).await?;
            }
            for slot in left.waited {
                let skipped = Execution::new(id, slot, 1, Cause::Due, Outcome::Skipped);
                self.told(skipped.because(format!("{why} before it began")), now).await?;
            }
        }
        self.write(id, |live| {
            let lacks = live.schedule.undecided.iter().any(|it| schedule.undecided.contains(it));
            lacks.then(|| record::accounted_for(&live.schedule, &schedule.undecided))
        })
        .await?;
        Ok(true)
    }

    async fn take(
        &mut self,
        id: &ScheduleId,
        step: Step,
        now: Timestamp,
        begun: &mut Vec<Execution>,
    ) -> Result<(), StoreError> {
        match step {
            Step::LeftOut(left) => {
                let execution = Execution::new(id, left.at, 1, Cause::Due, Outcome::Skipped).because(left.reason());
                // The moment of the change may be a due time by itself.
                self.told(Execution { id: format!("{}~clocks", execution.id), ..execution }, now).await
            }
            Step::Missed { slot, reason } => {
                self.told(Execution::new(id, slot, 1, Cause::Due, Outcome::Missed).because(reason), now).await
            }
            Step::Fire { slot, cause } => {
                let busy_before = begun.len();
                let Some(turn) = self.lives.get(id).map(|live| turn(live, cause, busy_before)) else { return Ok(()) };
                let execution = Execution::new(id, slot, 1, cause, Outcome::Queued);
                match turn {
                    Turn::Begin if self.has_room(busy_before) => self.begin(execution, now, begun).await,
                    Turn::Begin | Turn::Wait => self.queue(execution).await,
                    Turn::Skip(reason) => {
                        self.told(Execution { outcome: Outcome::Skipped, ..execution }.because(reason), now).await
                    }
                }
            }
        }
    }

    /// Writes down what ended without having begun.
    async fn told(&mut self, execution: Execution, now: Timestamp) -> Result<(), StoreError> {
        let execution = Execution { ended_at: Some(now), token: self.term.token().0, ..execution };
        if self.insert(&execution).await? {
            self.tell(&ScheduleEvent::Ended { execution });
        }
        Ok(())
    }

    async fn insert(&self, execution: &Execution) -> Result<bool, StoreError> {
        let (store, term) = (&self.service.schedules, &self.term);
        self.persist(|| store.insert_execution(Some(term), execution)).await
    }

    async fn begin(
        &mut self,
        execution: Execution,
        now: Timestamp,
        begun: &mut Vec<Execution>,
    ) -> Result<(), StoreError> {
        let execution = execution.begun(now, &self.service.instance, self.term.token().0);
        if planted("insert after the run") {
            begun.push(execution);
            return Ok(());
        }
        let is_ours = self.insert(&execution).await? || self.is_ours(&execution).await?;
        if is_ours && !self.known.contains(&execution.id) {
            begun.push(execution);
        }
        Ok(())
    }

    /// Whether an insert that found the execution there found our own, whose answer was lost.
    async fn is_ours(&self, execution: &Execution) -> Result<bool, StoreError> {
        let store = &self.service.schedules;
        let stored = self.readable(|| store.execution(&execution.id)).await?;
        Ok(stored.is_some_and(|stored| (stored.outcome, stored.token) == (Outcome::Running, execution.token)))
    }

    async fn queue(&mut self, execution: Execution) -> Result<(), StoreError> {
        self.insert(&execution).await?;
        let store = &self.service.schedules;
        let stored = self.readable(|| store.execution(&execution.id)).await?;
        if let Some(stored) = stored.filter(|stored| stored.outcome == Outcome::Queued) {
            self.enqueue(stored);
        }
        Ok(())
    }

    /// Whether one more execution may begin beside those that run and those that are about to.
    fn has_room(&self, about_to: usize) -> bool {
        // What waits for a disk that does not answer leaves its place to others.
        self.tasks.len().saturating_sub(self.stalled) + about_to < self.service.settings.concurrency
    }

    /// Begins what waits, as long as there is room.
    pub(super) async fn begin_waiting(&mut self) -> Result<(), StoreError> {
        while self.has_room(0)
            && !self.stop.is_cancelled()
            && let Some(id) = self.lives.next_ready()
        {
            let mut first = None;
            self.lives.with(&id, |live| first = live.waiting.pop_front());
            let Some(queued) = first else { return Ok(()) };
            let (store, term, now) = (&self.service.schedules, &self.term, self.now());
            let seen = (Outcome::Queued, queued.token);
            let needless = self.needless(&queued).await?;
            let is_needless = needless.is_some();
            let changed = match needless {
                Some(reason) => {
                    Execution { outcome: Outcome::Skipped, ended_at: Some(now), ..queued.clone() }.because(reason)
                }
                None => queued.clone().begun(now, &self.service.instance, term.token().0),
            };
            let is_written = self.persist(|| store.replace_execution(Some(term), seen, &changed)).await?;
            crash_point!("slot.begun");
            let is_ours = is_written || self.is_ours(&changed).await?;
            self.known.remove(&queued.id);
            if is_ours && !is_needless {
                self.spawn(changed);
            }
        }
        Ok(())
    }

    /// Why an execution that waited is not to begin.
    async fn needless(&self, queued: &Execution) -> Result<Option<&'static str>, StoreError> {
        let Some(live) = self.lives.get(&queued.schedule_id).filter(|live| !live.schedule.is_deleted) else {
            return Ok(Some("the data source was deleted"));
        };
        if !record::fires(&live.schedule) && !self.is_asked_for(queued).await? {
            return Ok(Some(match live.schedule.status {
                ScheduleStatus::Paused => "its schedule was paused before its turn came",
                ScheduleStatus::Failed => "its schedule could not be used any more when its turn came",
                ScheduleStatus::Active => "its data source was not active any more when its turn came",
            }));
        }
        if is_one_too_many(live, queued) {
            return Ok(Some("a leader before had queued it, and more than `catch_up` were missed since"));
        }
        if queued.cause != Cause::Again {
            return Ok(None);
        }
        // Its leader's last word may have come after all.
        let before = Execution::id_of(&queued.schedule_id, queued.due_time, queued.attempt.saturating_sub(1));
        let store = &self.service.schedules;
        let before = self.readable(|| store.execution(&before)).await?;
        let has_ended = before.is_some_and(|it| matches!(it.outcome, Outcome::Succeeded | Outcome::Failed));
        Ok(has_ended.then_some("the attempt before has ended after all"))
    }

    /// Whether people asked for it, or for the attempt that it repeats.
    async fn is_asked_for(&self, queued: &Execution) -> Result<bool, StoreError> {
        let by_people = |cause| matches!(cause, Cause::Manual | Cause::Backfill);
        if queued.cause != Cause::Again {
            return Ok(by_people(queued.cause));
        }
        let (store, first) = (&self.service.schedules, Execution::id_of(&queued.schedule_id, queued.due_time, 1));
        Ok(self.readable(|| store.execution(&first)).await?.is_some_and(|it| by_people(it.cause)))
    }

    fn spawn(&mut self, execution: Execution) {
        let Some(live) = self.lives.get(&execution.schedule_id) else { return };
        let firing = Firing {
            schedule: live.schedule.clone(),
            execution: execution.clone(),
            term: self.term.clone(),
            stop: self.stop.clone(),
        };
        let now = self.now();
        // A jitter is no lateness.
        let offset = live.plan.as_ref().map(|plan| plan.offset).unwrap_or_default();
        let late = Duration::try_from(now.duration_since(execution.due_time) - offset).unwrap_or_default();
        self.tell(&ScheduleEvent::Began { execution: execution.clone(), late });
        self.known.insert(execution.id.clone());
        self.lives.with(&execution.schedule_id, |live| live.running += 1);
        let (action, ran) = (Arc::clone(&self.service.action), execution.clone());
        let task = self.tasks.spawn(async move {
            let result = action.run(&firing).await;
            (ran, result)
        });
        self.under_way.insert(task.id(), execution);
    }

    /// Tells a deadline by which nothing has succeeded.
    pub(super) async fn look_at_deadline(&mut self, id: &ScheduleId, at: Timestamp) -> Result<(), StoreError> {
        let Some(plan) = self.lives.get(id).and_then(|live| live.plan.clone()) else { return Ok(()) };
        let (day, midnight) = deadline::day_of(&plan, at);
        let store = &self.service.schedules;
        // An execution that was due the day before may end on this one.
        let from = midnight.checked_sub(jiff::SignedDuration::from_hours(24)).unwrap_or(midnight);
        let executions = self.persist(|| store.executions_due(id, from, at)).await?;
        if deadline::is_kept(&executions, midnight, at) {
            return Ok(());
        }
        self.write(id, |live| Some(record::past_deadline(&live.schedule, &day.to_string()))).await?;
        self.tell(&ScheduleEvent::DeadlineMissed { schedule: id.clone(), day });
        Ok(())
    }
}

/// Whether enough is made up for behind this one. A leader that dies between what it queues and what it says of that is followed by
/// one that queues anew, what became due since among it.
fn is_one_too_many(live: &Live, queued: &Execution) -> bool {
    let is_made_up_for = |it: &&Execution| it.cause == Cause::CatchUp && it.due_time > queued.due_time;
    let most = live.plan.as_ref().map_or(usize::MAX, |plan| plan.catch_up);
    queued.cause == Cause::CatchUp && live.waiting.iter().filter(is_made_up_for).count() >= most
}

/// What becomes of a due time beside what runs and waits of the same schedule. `about_to`: of it, too, this many begin just now.
fn turn(live: &Live, cause: Cause, about_to: usize) -> Turn {
    let Some(plan) = &live.plan else { return Turn::Wait };
    let is_free = !live.is_busy() && about_to == 0;
    if is_free || (plan.overlap == Overlap::Allow && cause != Cause::CatchUp) {
        return Turn::Begin;
    }
    let waits = live.waiting.len();
    // Behind what is made up for, in order; no further: then it is as late as anything else.
    let is_made_up_for = live.waiting.iter().any(|it| matches!(it.cause, Cause::CatchUp | Cause::Again));
    let before = match (about_to, live.running) {
        (1.., _) => "began at the same moment, both late",
        (0, 1..) => "still ran",
        (0, 0) => "still waited for its turn",
    };
    match (cause, plan.overlap) {
        // One at a time, in order.
        (Cause::CatchUp, _) => Turn::Wait,
        (_, _) if plan.misfire == Misfire::FireAll && is_made_up_for && waits < plan.catch_up => Turn::Wait,
        (_, Overlap::Queue) if waits == 0 => Turn::Wait,
        (_, Overlap::Queue) => Turn::Skip(format!("the execution before {before}, and one waited already")),
        (_, Overlap::Skip | Overlap::Allow) => Turn::Skip(format!("the execution before {before}")),
    }
}
