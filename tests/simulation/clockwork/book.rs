//! What was seen of all instances: what ran, what became of schedules, which folders were looked at.

use super::people::IDLE;
use filegen::core::model::data_source::DataSource;
use filegen::core::model::schedule::{Execution, Schedule, ScheduleId, ScheduleStatus};
use filegen::core::model::term::Token;
use jiff::Timestamp;
use std::collections::BTreeMap;

pub struct Book {
    pub wrong: Vec<String>,
    /// Executions that ran, by id, with the true time.
    pub ran: BTreeMap<String, (Execution, Timestamp)>,
    /// Which leader has written an execution down first, and the true time.
    pub decided: BTreeMap<String, (Token, Timestamp)>,
    pub terms: u64,
    /// The latest that any instance's clock has said.
    pub latest: Timestamp,
    /// When the idle one was paused, and until when.
    pub pauses: Vec<(Timestamp, Option<Timestamp>)>,
    /// Schedules whose data sources were deleted, and since when they say so.
    pub deleted: BTreeMap<ScheduleId, Timestamp>,
    pub looks: Vec<Look>,
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
            terms: 0,
            latest: now,
            pauses: Vec::new(),
            deleted: BTreeMap::new(),
            looks: Vec::new(),
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
        let paused = |schedule: &Schedule| schedule.status == ScheduleStatus::Paused;
        if id.as_str() == IDLE && paused(before) != paused(after) {
            match self.pauses.last_mut().filter(|_| paused(before)) {
                // What was asked for may take effect much later.
                Some((_, until)) => *until = Some(at.min(after.decided_until)),
                None => self.pauses.push((at, None)),
            }
        }
    }
}
