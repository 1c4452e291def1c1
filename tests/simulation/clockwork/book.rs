//! What was seen of all instances: what ran, what became of schedules, which folders were looked at.

use super::people::IDLE;
use filegen::core::model::data_source::{DataSource, Misfire, Overlap};
use filegen::core::model::schedule::{Cause, Execution, Schedule, ScheduleId, ScheduleStatus};
use filegen::core::model::term::Token;
use filegen::core::schedule::record;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

pub struct Book {
    pub wrong: Vec<String>,
    /// Executions that ran, by id, with the true time.
    pub ran: BTreeMap<String, (Execution, Timestamp)>,
    /// Which leader has written an execution down first, and the true time.
    pub decided: BTreeMap<String, (Token, Timestamp)>,
    /// What runs under each leader, and what of each schedule it began last in order.
    running: BTreeMap<(u64, ScheduleId), BTreeSet<String>>,
    begun: BTreeMap<(u64, ScheduleId), Timestamp>,
    pub terms: u64,
    /// The latest that any instance's clock has said.
    pub latest: Timestamp,
    /// When the idle one was paused, and until when.
    pub pauses: Vec<(Timestamp, Option<Timestamp>)>,
    /// Schedules whose data sources were deleted, and since when they say so.
    pub deleted: BTreeMap<ScheduleId, Timestamp>,
    pub looks: Vec<Look>,
    pub edits: Vec<Edit>,
    /// Schedules that fired, as they were and as they were then changed or paused.
    pub left: Vec<(Schedule, Schedule)>,
}

/// A change of when a schedule is due, or its resumption, and the true time when it took effect.
pub struct Edit {
    pub before: Schedule,
    pub after: Schedule,
    pub at: Timestamp,
}

/// A look at a folder that succeeded: for which data source, from when to when.
pub struct Look {
    pub source: DataSource,
    pub from: Timestamp,
    pub until: Timestamp,
}

impl Book {
    pub fn new(now: Timestamp) -> Self {
        Self {
            wrong: Vec::new(),
            ran: BTreeMap::new(),
            decided: BTreeMap::new(),
            running: BTreeMap::new(),
            begun: BTreeMap::new(),
            terms: 0,
            latest: now,
            pauses: Vec::new(),
            deleted: BTreeMap::new(),
            looks: Vec::new(),
            edits: Vec::new(),
            left: Vec::new(),
        }
    }

    /// An execution begins: one at a time and in order, but for what may overlap. What is made up for never does.
    pub fn begins(&mut self, schedule: &Schedule, it: &Execution) {
        let key = (it.token, it.schedule_id.clone());
        let is_alone = schedule.rule.overlap != Overlap::Allow || it.cause == Cause::CatchUp;
        let others = self.running.entry(key.clone()).or_default();
        if is_alone && let Some(other) = others.first() {
            self.wrong.push(format!("{} began beside {other}", it.id));
        }
        others.insert(it.id.clone());
        // What another leader has left comes when it is found.
        let is_own = self.decided.get(&it.id).is_some_and(|(token, _)| token.0 == it.token);
        let in_order = is_own && is_alone && matches!(it.cause, Cause::Due | Cause::CatchUp);
        if in_order && schedule.rule.misfire == Misfire::FireAll {
            let before = self.begun.insert(key, it.due_time);
            if before.is_some_and(|before| before > it.due_time) {
                self.wrong.push(format!("{} began after one that was due later", it.id));
            }
        }
    }

    /// It ended, in whichever way.
    pub fn ends(&mut self, it: &Execution) {
        if let Some(running) = self.running.get_mut(&(it.token, it.schedule_id.clone())) {
            running.remove(&it.id);
        }
    }

    /// A schedule was written, at this true time.
    pub fn schedule_is(&mut self, before: Option<&Schedule>, after: &Schedule, at: Timestamp) {
        let id = &after.id;
        if after.is_deleted {
            self.deleted.entry(id.clone()).or_insert(at);
        } else {
            self.deleted.remove(id);
        }
        let Some(before) = before else { return };
        if before.version > after.version {
            self.wrong.push(format!("{id} fell from version {} to {}", before.version, after.version));
        }
        if before.is_deleted && !after.is_deleted {
            self.wrong.push(format!("{id} came back with version {}", after.version));
        }
        let paused = |schedule: &Schedule| schedule.status == ScheduleStatus::Paused;
        let is_resumed = paused(before) && !paused(after);
        let rule = |it: &Schedule| (it.rule.cron_expression.clone(), it.rule.zone.clone(), it.rule.dst, it.is_active);
        let ends = paused(after) || rule(before) != rule(after);
        if ends && record::fires(before) && !after.is_deleted {
            self.left.push((before.clone(), after.clone()));
        }
        if is_resumed || rule(before) != rule(after) {
            self.edits.push(Edit { before: before.clone(), after: after.clone(), at });
        }
        if id.as_str() == IDLE && paused(before) != paused(after) {
            match self.pauses.last_mut().filter(|_| paused(before)) {
                // What was asked for may take effect much later.
                Some((_, until)) => *until = Some(at.min(after.decided_until)),
                None => self.pauses.push((at, None)),
            }
        }
    }
}
