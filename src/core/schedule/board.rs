//! All schedules in short, for lists and for what needs a look: in memory, and read anew when it is old. What a list shows in full is asked
//! of the store, row by row; this only says which rows, so a page that is left open costs next to nothing, however many there are.

use super::plan::Settings;
use super::record::BY_ITSELF;
use super::status::{self, Trouble};
use crate::core::model::schedule::{Outcome, Schedule, ScheduleId, ScheduleStatus};
use crate::core::model::shown;
use crate::core::ports::clock::Clock;
use crate::core::ports::schedules::{PAGE, ScheduleStore};
use crate::core::ports::store::{OddRecord, Page, StoreError};
use jiff::Timestamp;
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;

/// Readings take at most one part of so many of the time: with ten thousand schedules there is one each quarter of a minute or so.
const SHARE: u32 = 200;

/// A look that is younger than this counts as new.
const NEW: Duration = Duration::from_millis(250);

/// Schedules that need a look and are told one by one, at most.
pub const WRONG_MAX: usize = 50;

/// All schedules in short.
pub struct Board {
    schedules: Arc<dyn ScheduleStore>,
    settings: Settings,
    clock: Arc<dyn Clock>,
    kept: Mutex<Option<Kept>>,
    is_old: AtomicBool,
}

struct Kept {
    /// When it was read, and how long that took, by the clock that only goes forward.
    at: Duration,
    took: Duration,
    look: Arc<Look>,
}

/// What was seen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Look {
    /// Schedules of data sources that are there, by name and id.
    pub lines: Vec<Line>,
    /// What needs a look, the worst first, at most [`WRONG_MAX`].
    pub wrong: Vec<Wrong>,
    /// How much needs a look.
    pub wrong_total: usize,
}

/// One schedule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// What people call it.
    pub name: String,
    /// Which.
    pub id: ScheduleId,
    /// Whether its data source is looked at at all.
    pub is_active: bool,
    /// Whether it fires.
    pub status: ScheduleStatus,
}

/// Something that needs a look.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Wrong {
    /// Of which schedule, or which record.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What is wrong, in a few words.
    pub what: &'static str,
    /// In a sentence.
    pub detail: String,
}

/// Which schedules are wanted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// Part of the name or the id, in any case; here in small letters. Empty for all.
    pub text: String,
    /// Of data sources that are active, or are not. `None` for both.
    pub active: Option<bool>,
    /// With this status.
    pub status: Option<ScheduleStatus>,
}

impl Filter {
    /// Whether a schedule is wanted.
    pub fn takes(&self, name: &str, id: &ScheduleId, (is_active, status): (bool, ScheduleStatus)) -> bool {
        self.active.is_none_or(|active| active == is_active)
            && self.status.is_none_or(|wanted| wanted == status)
            && (self.text.is_empty()
                || name.to_lowercase().contains(&self.text)
                || id.as_str().to_lowercase().contains(&self.text))
    }
}

impl Board {
    /// A board that has seen nothing yet.
    pub fn new(schedules: Arc<dyn ScheduleStore>, settings: Settings, clock: Arc<dyn Clock>) -> Self {
        Self { schedules, settings, clock, kept: Mutex::new(None), is_old: AtomicBool::new(false) }
    }

    /// Something was changed here: the next look reads anew.
    pub fn forget(&self) {
        self.is_old.store(true, Ordering::Relaxed);
    }

    /// What is there. Of many who ask at once, one reads.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn look(&self) -> Result<Arc<Look>, StoreError> {
        self.look_where(is_young).await
    }

    /// What is there now: nothing that was read before this was asked for.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn look_anew(&self) -> Result<Arc<Look>, StoreError> {
        let asked = self.clock.elapsed();
        self.look_where(|kept, _| kept.at.saturating_sub(kept.took) > asked).await
    }

    async fn look_where(&self, is_new: impl Fn(&Kept, Duration) -> bool) -> Result<Arc<Look>, StoreError> {
        let mut kept = self.kept.lock().await;
        let begun = self.clock.elapsed();
        let is_old = self.is_old.swap(false, Ordering::Relaxed);
        if let Some(kept) = kept.as_ref().filter(|kept| !is_old && is_new(kept, begun)) {
            return Ok(Arc::clone(&kept.look));
        }
        match self.read(self.clock.now()).await {
            Ok(look) => {
                let (look, ended) = (Arc::new(look), self.clock.elapsed());
                *kept = Some(Kept { at: ended, took: ended.saturating_sub(begun), look: Arc::clone(&look) });
                Ok(look)
            }
            Err(error) => {
                self.is_old.store(is_old, Ordering::Relaxed);
                Err(error)
            }
        }
    }

    /// Reads page by page, and keeps a line of each: what is read and not kept is never much.
    async fn read(&self, now: Timestamp) -> Result<Look, StoreError> {
        let (mut lines, mut wrong, mut after) = (Vec::new(), Vec::new(), String::new());
        loop {
            let Page { found, next } = self.schedules.schedules_behind(&after, PAGE).await?;
            wrong.extend(found.odd.into_iter().map(|odd| (None, unreadable(odd))));
            for schedule in found.records.into_iter().filter(|it| !it.is_deleted) {
                let worst = troubles(&schedule, &self.settings, now);
                wrong.extend(worst.map(|(trouble, wrong)| (Some(trouble), wrong)));
                let Schedule { name, id, is_active, status, .. } = schedule;
                lines.push(Line { name, id, is_active, status });
            }
            match next {
                Some(next) => after = next,
                None => break,
            }
        }
        lines.sort_unstable_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        let wrong_total = wrong.len();
        wrong.sort_by(|(a, one), (b, other)| (a, &one.name, &one.id).cmp(&(b, &other.name, &other.id)));
        let wrong = wrong.into_iter().map(|(_, wrong)| wrong).take(WRONG_MAX).collect();
        Ok(Look { lines, wrong, wrong_total })
    }
}

fn is_young(kept: &Kept, now: Duration) -> bool {
    now.saturating_sub(kept.at) < NEW.max(kept.took.saturating_mul(SHARE))
}

fn unreadable(odd: OddRecord) -> Wrong {
    Wrong { name: odd.id.clone(), id: odd.id, what: "cannot be read", detail: shown::text(&odd.reason) }
}

/// The worst that is wrong with a schedule. A pause is somebody's will, unless it paused by itself; what is not active is nobody's worry.
fn troubles(schedule: &Schedule, settings: &Settings, now: Timestamp) -> Option<(Trouble, Wrong)> {
    if !schedule.is_active {
        return None;
    }
    let wrong = |what, detail| Wrong { id: schedule.id.to_string(), name: schedule.name.clone(), what, detail };
    let reason = |text: &Option<String>| text.as_deref().map(shown::text).unwrap_or_default();
    if schedule.status == ScheduleStatus::Paused {
        // That it paused says more than the failures which it paused for.
        let by_itself = schedule.paused_by.as_deref() == Some(BY_ITSELF);
        return by_itself.then(|| (Trouble::LastFailed, wrong("paused by itself", reason(&schedule.pause_reason))));
    }
    let worst = status::troubles(schedule, settings, now).into_iter().min_by_key(|(trouble, _)| *trouble);
    match worst {
        Some((trouble, detail)) if trouble <= Trouble::LastFailed => Some((trouble, wrong(trouble.words(), detail))),
        // One that was due once and ran has done what it is for.
        Some((trouble @ Trouble::NeverAgain, detail)) if schedule.last_execution_time.is_none() => {
            Some((trouble, wrong(trouble.words(), detail)))
        }
        _ if schedule.last_status == Some(Outcome::Interrupted) => {
            Some((Trouble::LastFailed, wrong("interrupted last", reason(&schedule.last_error))))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
