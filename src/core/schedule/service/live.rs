//! What the leader knows of its schedules: their plans, what runs, what waits, and when to look again.

use crate::core::model::data_source::Overlap;
use crate::core::model::schedule::{Cause, Execution, Schedule, ScheduleId, ScheduleStatus};
use crate::core::schedule::deadline;
use crate::core::schedule::plan::{Plan, PlanFault, Settings};
use crate::core::schedule::record;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;
use std::time::Duration;

/// One schedule.
pub(super) struct Live {
    pub(super) schedule: Schedule,
    /// `None`: its words mean nothing.
    pub(super) plan: Option<Plan>,
    /// How many of its executions run here.
    pub(super) running: usize,
    /// Those that wait, in order.
    pub(super) waiting: VecDeque<Execution>,
    /// When something is to be decided.
    wake: Option<Timestamp>,
    /// When its deadline passes that was not looked at.
    deadline: Option<Timestamp>,
    /// Deadlines up to here were looked at.
    looked_at: Timestamp,
}

/// All of them.
#[derive(Default)]
pub(super) struct Lives {
    all: BTreeMap<ScheduleId, Live>,
    wakes: BTreeSet<(Timestamp, ScheduleId)>,
    deadlines: BTreeSet<(Timestamp, ScheduleId)>,
    /// Those whose first waiting execution may begin, by its due time.
    ready: BTreeSet<(Timestamp, ScheduleId)>,
    /// How many there are of each status, as [`ScheduleStatus::ALL`] has them.
    counts: [usize; 3],
}

impl Live {
    /// Whether one more of its executions may begin now. What is made up for begins one at a time, in order, whatever else may overlap.
    fn has_room(&self) -> bool {
        let is_made_up_for = |it: &Execution| matches!(it.cause, Cause::CatchUp | Cause::Backfill);
        let may_overlap = self.plan.as_ref().is_some_and(|plan| plan.overlap == Overlap::Allow);
        self.running == 0 || (may_overlap && !self.waiting.front().is_some_and(is_made_up_for))
    }

    /// Whether an execution of it runs or waits.
    pub(super) fn is_busy(&self) -> bool {
        self.running > 0 || !self.waiting.is_empty()
    }

    fn first_waiting(&self) -> Option<Timestamp> {
        self.waiting.front().filter(|_| self.has_room()).map(|execution| execution.due_time)
    }
}

impl Lives {
    pub(super) fn get(&self, id: &ScheduleId) -> Option<&Live> {
        self.all.get(id)
    }

    /// All of them, those of deleted data sources too.
    pub(super) fn ids(&self) -> impl Iterator<Item = ScheduleId> {
        self.all.keys().cloned()
    }

    /// Takes a schedule as it is stored now. What runs and waits goes on. Returns why its words mean nothing, if they do not.
    pub(super) fn adopt(&mut self, schedule: Schedule, settings: &Settings, now: Timestamp) -> Option<PlanFault> {
        let id = schedule.id.clone();
        let (plan, fault) = match Plan::of(&schedule, settings) {
            Ok(plan) => (Some(plan), None),
            Err(fault) => (None, (!schedule.is_deleted).then_some(fault)),
        };
        let old = self.all.remove(&id);
        if let Some(count) = old.as_ref().and_then(|old| self.count_of(&old.schedule)) {
            *count = count.saturating_sub(1);
        }
        if let Some(count) = self.count_of(&schedule) {
            *count += 1;
        }
        let looked_at = old.as_ref().map_or(Timestamp::MIN, |old| old.looked_at);
        let (running, waiting) = old.map(|old| self.forget_times(&id, old)).unwrap_or_default();
        let fires = record::fires(&schedule);
        let wake = plan.as_ref().filter(|_| fires).and_then(|plan| plan.wake(schedule.decided_until));
        let wake = if schedule.undecided.is_empty() { wake } else { Some(now) };
        let pending = |plan: &Plan| deadline::pending(plan, &schedule, looked_at, now);
        // Also of one that is paused: then nothing succeeds, and that is what a deadline tells.
        let deadline = plan.as_ref().filter(|_| schedule.is_active && !schedule.is_deleted).and_then(pending);
        let live = Live { schedule, plan, running, waiting, wake, deadline, looked_at };
        self.wakes.extend(wake.map(|at| (at, id.clone())));
        self.deadlines.extend(deadline.map(|at| (at, id.clone())));
        self.ready.extend(live.first_waiting().map(|at| (at, id.clone())));
        self.all.insert(id, live);
        fault
    }

    /// Where a schedule is counted. `None`: it is deleted.
    fn count_of(&mut self, schedule: &Schedule) -> Option<&mut usize> {
        let at = ScheduleStatus::ALL.iter().position(|status| *status == schedule.status)?;
        self.counts.get_mut(at).filter(|_| !schedule.is_deleted)
    }

    fn forget_times(&mut self, id: &ScheduleId, old: Live) -> (usize, VecDeque<Execution>) {
        for (set, at) in
            [(&mut self.wakes, old.wake), (&mut self.deadlines, old.deadline), (&mut self.ready, old.first_waiting())]
        {
            if let Some(at) = at {
                set.remove(&(at, id.clone()));
            }
        }
        (old.running, old.waiting)
    }

    /// Changes what runs and waits.
    pub(super) fn with(&mut self, id: &ScheduleId, change: impl FnOnce(&mut Live)) {
        let Some(live) = self.all.get_mut(id) else { return };
        if let Some(at) = live.first_waiting() {
            self.ready.remove(&(at, id.clone()));
        }
        change(live);
        self.ready.extend(live.first_waiting().map(|at| (at, id.clone())));
    }

    /// The schedule of the waiting execution that begins next.
    pub(super) fn next_ready(&self) -> Option<ScheduleId> {
        self.ready.first().map(|(_, id)| id.clone())
    }

    /// A schedule for which something is to be decided by now.
    pub(super) fn due(&self, now: Timestamp) -> Option<ScheduleId> {
        self.wakes.first().filter(|(at, _)| *at <= now).map(|(_, id)| id.clone())
    }

    /// Leaves a schedule alone until it is read again with all others.
    pub(super) fn put_off(&mut self, id: &ScheduleId) {
        let Some(live) = self.all.get_mut(id) else { return };
        if let Some(at) = live.wake.take() {
            self.wakes.remove(&(at, id.clone()));
        }
        // No stored one has it: whatever is read next is taken.
        live.schedule.revision = 0;
    }

    /// A deadline that has passed by now. It counts as looked at.
    pub(super) fn past_deadline(&mut self, now: Timestamp) -> Option<(Timestamp, ScheduleId)> {
        let (at, id) = self.deadlines.first().filter(|(at, _)| *at <= now).cloned()?;
        self.deadlines.remove(&(at, id.clone()));
        if let Some(live) = self.all.get_mut(&id) {
            live.looked_at = at;
            live.deadline = live.plan.as_ref().and_then(|plan| deadline::pending(plan, &live.schedule, at, now));
            self.deadlines.extend(live.deadline.map(|next| (next, id.clone())));
        }
        Some((at, id))
    }

    /// When to look again at the latest.
    pub(super) fn next_look(&self) -> Option<Timestamp> {
        [&self.wakes, &self.deadlines].into_iter().filter_map(|set| set.first()).map(|(at, _)| *at).min()
    }

    /// How long the first due time has waited that could begin and has not: decided or not. What is made up for is not late.
    pub(super) fn behind(&self, now: Timestamp) -> Option<Duration> {
        let undecided = self.wakes.first().map(|(at, _)| *at);
        let waits = |(at, id): &(Timestamp, ScheduleId)| {
            let live = self.all.get(id)?;
            let is_due = live.waiting.front().is_some_and(|execution| execution.cause == Cause::Due);
            let offset = live.plan.as_ref().map(|plan| plan.offset).unwrap_or_default();
            is_due.then(|| at.checked_add(offset).unwrap_or(*at))
        };
        let since = undecided.into_iter().chain(self.ready.iter().find_map(waits)).min()?;
        Duration::try_from(now.duration_since(since)).ok()
    }

    /// Those behind `after`, up to and with `until`, that are not deleted and not among these.
    pub(super) fn not_among(&self, after: &str, until: Option<&str>, stored: &[Schedule]) -> Vec<Schedule> {
        let there: BTreeSet<&ScheduleId> = stored.iter().map(|it| &it.id).collect();
        let until = until.map_or(Bound::Unbounded, |until| Bound::Included(ScheduleId::new(until)));
        let range = self.all.range((Bound::Excluded(ScheduleId::new(after)), until));
        let gone = range.filter(|(id, it)| !it.schedule.is_deleted && !there.contains(id));
        gone.map(|(_, it)| it.schedule.clone()).collect()
    }

    /// How many there are of each status. Kept with each change: to count them all again would cost as much as there are.
    pub(super) fn counts(&self) -> [usize; 3] {
        self.counts
    }
}
