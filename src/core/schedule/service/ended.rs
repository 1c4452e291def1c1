//! The end of an execution: what became of it is written down, what was interrupted is done again, and what is old goes.

use super::lead::{Ended, Lead};
use super::prune::EXECUTIONS_AT_ONCE;
use crate::core::failpoints::crash::crash_point;
use crate::core::model::data_source::Misfire;
use crate::core::model::schedule::{Cause, Execution, Outcome, ScheduleId, ScheduleStatus};
use crate::core::ports::store::StoreError;
use crate::core::schedule::action::{ActionError, Done};
use crate::core::schedule::event::ScheduleEvent;
use crate::core::schedule::record;
use jiff::SignedDuration;
use tokio::task::{Id, JoinError};

/// Tries of one due time that leaders end in. One that ends them each time is left.
const ATTEMPTS_MAX: u32 = 3;

/// Open executions of a leader before that are read at once.
const LEFT_OVER: usize = 10_000;

/// An execution with what it did. Who asked for it stays, in front of what is to be known besides.
fn having_done(execution: Execution, done: Done) -> Execution {
    let words: Vec<String> = execution.reason.into_iter().chain(done.note).collect();
    let reason = (!words.is_empty()).then(|| words.join("; "));
    Execution { files_seen: done.files_seen, files_new: done.files_new, reason, ..execution }
}

impl Lead<'_> {
    /// Takes the end of a task.
    pub(super) async fn ended(&mut self, ended: Result<(Id, Ended), JoinError>) -> Result<(), StoreError> {
        let (task, result) = match ended {
            Ok((task, (_, result))) => (task, result),
            Err(error) => {
                let reason = "it panicked; the log says where. Please report this".to_owned();
                (error.id(), Err(ActionError::failed(reason)))
            }
        };
        let Some(execution) = self.under_way.remove(&task) else { return Ok(()) };
        let ended_at = Some(self.now());
        let execution = match result {
            Ok(done) => Execution { outcome: Outcome::Succeeded, ended_at, ..having_done(execution, done) },
            Err(ActionError::Failed { reason, done }) => {
                let execution = having_done(execution, done);
                Execution { outcome: Outcome::Failed, error: Some(reason), ended_at, ..execution }
            }
            Err(ActionError::Interrupted) => {
                let ended = Execution { outcome: Outcome::Interrupted, ended_at, ..execution };
                ended.because("the process was stopped in it")
            }
        };
        self.lives.with(&execution.schedule_id, |live| live.running = live.running.saturating_sub(1));
        self.finish(execution, self.term.token().0).await
    }

    /// Writes down how an execution ended that ran under a token. What is to be done again is queued before, and its schedule hears of it
    /// before: whoever leads after a crash in between finds the execution under way, and how it ended in its schedule.
    async fn finish(&mut self, execution: Execution, token: u64) -> Result<(), StoreError> {
        self.known.remove(&execution.id);
        let execution = self.as_heard(execution);
        if execution.outcome == Outcome::Interrupted {
            self.again(&execution).await?;
            crash_point!("slot.again");
        }
        crash_point!("slot.ending");
        let (id, now) = (execution.schedule_id.clone(), self.now());
        let was = self.lives.get(&id).map(|live| live.schedule.status);
        // Once, also where the answer to the first try was lost and somebody has changed the schedule since.
        self.write(&id, |live| {
            let has_heard = record::heard(&live.schedule, &execution.id).is_some();
            (!has_heard).then(|| record::told(&live.schedule, &execution, live.plan.as_ref(), now))
        })
        .await?;
        crash_point!("slot.told");
        // The leader before may have told the schedule in the last moment.
        let execution = self.as_heard(execution);
        let (store, term) = (&self.service.schedules, &self.term);
        let seen = (Outcome::Running, token);
        if !self.persist(|| store.replace_execution(Some(term), seen, &execution)).await? {
            let stored = self.readable(|| store.execution(&execution.id)).await?;
            if stored.as_ref() != Some(&execution) {
                // Somebody else has ended it.
                return Ok(());
            }
        }
        crash_point!("slot.ended");
        let paused = self.lives.get(&id).map(|live| &live.schedule).filter(|it| Some(it.status) != was);
        if let Some(schedule) = paused.filter(|it| it.status == ScheduleStatus::Paused && !it.is_deleted) {
            let reason = schedule.pause_reason.clone().unwrap_or_default();
            self.tell(&ScheduleEvent::Paused { schedule: id.clone(), reason });
        }
        self.tell(&ScheduleEvent::Ended { execution });
        Ok(())
    }

    /// An execution's end as its schedule has heard of it, if it has.
    fn as_heard(&self, execution: Execution) -> Execution {
        let live = self.lives.get(&execution.schedule_id);
        let heard = live.and_then(|live| record::as_heard(&live.schedule, &execution));
        match heard {
            Some(heard) if heard.outcome != execution.outcome => {
                heard.because("its leader ended behind it; this is what its schedule had heard")
            }
            _ => execution,
        }
    }

    /// Ends what a leader before has left under way, and lets it be done again.
    pub(super) async fn end_left_over(&mut self) -> Result<(), StoreError> {
        let store = &self.service.schedules;
        let open = self.persist(|| store.open_executions(LEFT_OVER)).await?;
        // First those that their schedules have heard of: of the last one alone they say how it ended.
        let has_heard = |it: &Execution| {
            self.lives.get(&it.schedule_id).is_some_and(|live| record::heard(&live.schedule, &it.id).is_some())
        };
        let (heard, others): (Vec<_>, Vec<_>) = open.into_iter().partition(has_heard);
        for execution in heard.into_iter().chain(others) {
            self.take_open(execution).await?;
        }
        Ok(())
    }

    /// Takes an execution that has not ended. What is queued waits its turn. What runs under an older token has no leader any more: one
    /// that was written late, too.
    pub(super) async fn take_open(&mut self, execution: Execution) -> Result<(), StoreError> {
        let token = execution.token;
        if execution.outcome == Outcome::Queued {
            self.enqueue(execution);
        } else if token < self.term.token().0 {
            let reason = format!("its leader, with token {token}, ended in it");
            let ended = Execution { outcome: Outcome::Interrupted, ended_at: Some(self.now()), ..execution };
            self.finish(ended.because(reason), token).await?;
        }
        Ok(())
    }

    /// Lets the due time of an interrupted execution be made up for, as the policy says: not with `skip`; with `fire_once` only while
    /// no later one was missed, which is fired for all of them.
    async fn again(&mut self, execution: &Execution) -> Result<(), StoreError> {
        let Some(live) = self.lives.get(&execution.schedule_id) else { return Ok(()) };
        let Some(plan) = live.plan.as_ref().filter(|_| !live.schedule.is_deleted) else { return Ok(()) };
        let now = self.now();
        let is_asked_for = matches!(execution.cause, Cause::Manual | Cause::Backfill);
        let missed_before = now.checked_sub(plan.grace).unwrap_or(now);
        let is_latest = || plan.next_after(execution.due_time).is_none_or(|next| next >= missed_before);
        let is_wanted = match plan.misfire {
            _ if is_asked_for => true,
            Misfire::Skip => false,
            Misfire::FireOnce => is_latest(),
            Misfire::FireAll => true,
        };
        if !is_wanted || execution.attempt >= ATTEMPTS_MAX {
            return Ok(());
        }
        let (id, due) = (&execution.schedule_id, execution.due_time);
        let again = Execution::new(id, due, execution.attempt.saturating_add(1), Cause::Again, Outcome::Queued);
        let again = again.because(format!("attempt {} was interrupted", execution.attempt));
        let (store, term) = (&self.service.schedules, &self.term);
        self.persist(|| store.insert_execution(Some(term), &again)).await?;
        let stored = self.readable(|| store.execution(&again.id)).await?;
        if let Some(stored) = stored.filter(|stored| stored.outcome == Outcome::Queued) {
            self.enqueue(stored);
        }
        Ok(())
    }

    /// Removes executions that are older than the history is kept, of a few schedules.
    pub(super) async fn prune(&mut self) -> Result<(), StoreError> {
        let ids = self.pruning.next(self.service.clock.elapsed(), self.lives.ids());
        for (at, id) in ids.iter().enumerate() {
            if self.forget_old(id).await? {
                self.pruning.again(&ids[at..]);
                break;
            }
        }
        Ok(())
    }

    /// Removes some executions of a schedule. Whether there are more. The last success and the last failure stay, until the data source is
    /// deleted.
    async fn forget_old(&self, id: &ScheduleId) -> Result<bool, StoreError> {
        let Some(schedule) = self.lives.get(id).map(|live| &live.schedule) else { return Ok(false) };
        let last = schedule.last_success_id.iter().chain(&schedule.last_failure_id);
        let keep: Vec<String> = last.filter(|_| !schedule.is_deleted).cloned().collect();
        let history = SignedDuration::try_from(self.service.settings.history).unwrap_or(SignedDuration::MAX);
        let Ok(before) = self.now().checked_sub(history) else { return Ok(false) };
        let store = &self.service.schedules;
        let gone = self.persist(|| store.forget_executions(id, before, &keep, EXECUTIONS_AT_ONCE)).await?;
        Ok(gone >= EXECUTIONS_AT_ONCE as u64)
    }
}
