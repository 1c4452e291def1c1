//! How a scheduler stands: who leads, what comes next, what is late, and what a person should look at.

use super::change::CHANGES;
use super::discover::DISCOVERED;
use super::feed::StoreFeed;
use super::plan::Settings;
use super::stretch::Stretch;
use super::sync::{self, Lack};
use super::{record, steer};
use crate::core::election::report::{LeaseState, lease_of};
use crate::core::model::names::LeaseKey;
use crate::core::model::schedule::{Outcome, Schedule, ScheduleStatus};
use crate::core::model::{as_text, shown};
use crate::core::ports::data_sources::{DataSources, Wanted};
use crate::core::ports::dead_letters::DeadLetters;
use crate::core::ports::leases::LeaseStore;
use crate::core::ports::outbox::Outbox;
use crate::core::ports::schedules::ScheduleStore;
use crate::core::ports::store::{OddRecord, StoreError};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Events that were passed over, at most so many of the latest.
const PASSED_OVER: usize = 20;

/// Open executions that are counted, at most.
const OPEN_MAX: usize = 1_000;

/// The ports of a scheduler's state.
#[derive(Clone)]
pub struct Stores {
    /// Who leads.
    pub leases: Arc<dyn LeaseStore>,
    /// Data sources.
    pub sources: Arc<dyn DataSources>,
    /// Schedules and their history.
    pub schedules: Arc<dyn ScheduleStore>,
    /// What is to be sent.
    pub outbox: Arc<dyn Outbox>,
    /// Events that could not be used.
    pub dead_letters: Arc<dyn DeadLetters>,
}

/// How a scheduler stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Overview {
    /// Its name.
    pub scheduler: String,
    /// Who leads.
    pub leader: Leader,
    /// How many there are.
    pub data_sources: u64,
    /// Schedules by status.
    pub schedules: BTreeMap<&'static str, usize>,
    /// Executions that are under way, at most a thousand.
    pub running: usize,
    /// Executions that wait for their turn, at most a thousand.
    pub queued: usize,
    /// The due time that comes next.
    pub next: Option<Next>,
    /// Changes of data sources that no broker, or no schedule, has yet.
    pub changes_waiting: usize,
    /// New files that no broker has yet.
    pub files_waiting: usize,
    /// What a person should look at, the worst first.
    pub attention: Vec<Attention>,
    /// The latest events that could not be used.
    pub passed_over: Vec<PassedOver>,
    /// Records that cannot be read.
    pub unreadable: Vec<Unreadable>,
}

/// Who leads.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Leader {
    /// `held` while somebody leads; else `none`, `expired`, `released` or `unreadable`.
    pub state: &'static str,
    /// The state.
    #[serde(skip)]
    pub word: LeaseState,
    /// The last instance that led.
    pub holder: Option<String>,
    /// Its token.
    pub token: Option<u64>,
    /// Seconds since it renewed its lease.
    pub age_seconds: Option<i64>,
}

/// A due time to come.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Next {
    /// Of which schedule.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// When.
    #[serde(with = "as_text::moment")]
    pub at: Timestamp,
}

/// Something that a person should look at.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Attention {
    /// Of which schedule.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What is wrong.
    pub what: Trouble,
    /// In a sentence.
    pub detail: String,
}

/// What may be wrong with a schedule, the worst first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Trouble {
    /// A due time has passed, and nobody has decided it.
    Overdue,
    /// Its words mean nothing.
    Unusable,
    /// No execution had succeeded by its deadline.
    DeadlineMissed,
    /// Its last execution failed.
    LastFailed,
    /// A data source has no schedule, or an old one; or a schedule has no data source.
    OutOfStep,
    /// It is never due again.
    NeverAgain,
    /// It is paused.
    Paused,
}

impl Trouble {
    /// The words in tables.
    pub fn words(self) -> &'static str {
        match self {
            Self::Overdue => "overdue",
            Self::Unusable => "cannot be used",
            Self::DeadlineMissed => "deadline missed",
            Self::LastFailed => "failed last",
            Self::OutOfStep => "out of step",
            Self::NeverAgain => "never due again",
            Self::Paused => "paused",
        }
    }
}

/// An event that could not be used.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PassedOver {
    /// Its place in the log.
    pub event: String,
    /// When it was kept.
    #[serde(with = "as_text::moment")]
    pub at: Timestamp,
    /// What is wrong with it.
    pub reason: String,
}

/// A record of the store that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Unreadable {
    /// Which.
    pub record: String,
    /// Why not.
    pub reason: String,
}

/// Looks at everything that the store knows.
///
/// # Errors
/// When the store fails.
pub async fn status(
    scheduler: &LeaseKey,
    stores: &Stores,
    settings: &Settings,
    now: Timestamp,
) -> Result<Overview, StoreError> {
    let (leader, odd_lease) = leader(&*stores.leases, scheduler, now).await?;
    let Census { schedules, next, mut attention, odd } = census(stores, settings, now).await?;
    attention.sort_by(|a, b| (a.what, &a.name, &a.id).cmp(&(b.what, &b.name, &b.id)));
    let total = stores.sources.data_sources(&Wanted { most: 1, ..Wanted::default() }).await?.total;
    let open = stores.schedules.open_executions(OPEN_MAX).await?;
    let count = |outcome| open.iter().filter(|it| it.outcome == outcome).count();
    let odd_records = odd_lease.into_iter().chain(odd).chain(stores.schedules.odd_executions().await?);
    let letters = stores.dead_letters.dead_letters(Some(scheduler), PASSED_OVER).await?;
    let odd_records = odd_records.chain(letters.odd);
    Ok(Overview {
        scheduler: scheduler.to_string(),
        leader,
        data_sources: total,
        schedules,
        running: count(Outcome::Running),
        queued: count(Outcome::Queued),
        next,
        changes_waiting: waiting(&*stores.outbox, CHANGES).await?,
        files_waiting: waiting(&*stores.outbox, DISCOVERED).await?,
        attention,
        passed_over: letters
            .records
            .into_iter()
            .map(|it| PassedOver { event: it.id.to_string(), at: it.at, reason: it.reason })
            .collect(),
        unreadable: odd_records.map(|it| Unreadable { record: it.id, reason: it.reason }).collect(),
    })
}

async fn leader(
    leases: &dyn LeaseStore,
    scheduler: &LeaseKey,
    now: Timestamp,
) -> Result<(Leader, Option<OddRecord>), StoreError> {
    let lease = lease_of(leases, scheduler, now).await?;
    let leader = Leader {
        state: lease.state.as_str(),
        word: lease.state,
        holder: lease.record.as_ref().map(|record| record.instance.to_string()),
        token: lease.record.as_ref().map(|record| record.token.0),
        age_seconds: lease.age.map(|age| age.as_secs()),
    };
    Ok((leader, lease.odd))
}

async fn waiting(outbox: &dyn Outbox, owner: &str) -> Result<usize, StoreError> {
    let Ok(owner) = LeaseKey::new(owner) else { return Ok(0) };
    Ok(outbox.pending(&owner).await?.records.len())
}

/// Whether a day is today's or yesterday's, somewhere on earth.
fn is_recent(day: &str, now: Timestamp) -> bool {
    let since = now.checked_sub(SignedDuration::from_hours(48)).unwrap_or(now);
    day.parse::<Date>().is_ok_and(|day| day >= since.to_zoned_datetime(TimeZone::UTC).date())
}

/// What all schedules and data sources say together.
#[derive(Default)]
struct Census {
    schedules: BTreeMap<&'static str, usize>,
    next: Option<Next>,
    attention: Vec<Attention>,
    odd: Vec<OddRecord>,
}

/// Looks at all of them, and keeps what is told alone.
async fn census(stores: &Stores, settings: &Settings, now: Timestamp) -> Result<Census, StoreError> {
    let feed = StoreFeed(Arc::clone(&stores.sources));
    let mut census = Census { schedules: ScheduleStatus::ALL.map(|it| (it.as_str(), 0)).into(), ..Census::default() };
    let mut after = String::new();
    loop {
        let stretch = Stretch::behind(&*stores.schedules, Some(&feed), &after).await?;
        for schedule in stretch.schedules.iter().filter(|it| !it.is_deleted) {
            *census.schedules.entry(schedule.status.as_str()).or_default() += 1;
            if let Some(at) = schedule.next_execution_time
                && census.next.as_ref().is_none_or(|next| (at, schedule.id.as_str()) < (next.at, &next.id))
            {
                census.next = Some(Next { id: schedule.id.to_string(), name: schedule.name.clone(), at });
            }
        }
        census.attention.extend(attention(&stretch, settings, now));
        stretch.add_odd_to(&mut census.odd);
        match stretch.next {
            Some(next) => after = next,
            None => return Ok(census),
        }
    }
}

/// What a person should look at.
fn attention(stretch: &Stretch, settings: &Settings, now: Timestamp) -> Vec<Attention> {
    let mut found = Vec::new();
    for schedule in stretch.schedules.iter().filter(|it| !it.is_deleted) {
        let add = |(what, detail)| Attention { id: schedule.id.to_string(), name: schedule.name.clone(), what, detail };
        found.extend(troubles(schedule, settings, now).into_iter().map(add));
    }
    for difference in sync::differences(&stretch.sources, (&stretch.schedules, &stretch.odd), settings, now) {
        let detail = match difference.lacks {
            Lack::Schedule => "the data source has no schedule yet",
            Lack::Version => "the schedule says another version than the data source",
            Lack::Rule => "the schedule says other things than the data source",
            Lack::NextTime => "the schedule is due, and says no next time",
            Lack::DataSource => "the schedule is of no data source",
        };
        found.push(Attention {
            id: difference.id.to_string(),
            name: difference.name,
            what: Trouble::OutOfStep,
            detail: detail.to_owned(),
        });
    }
    found
}

pub(super) fn troubles(schedule: &Schedule, settings: &Settings, now: Timestamp) -> Vec<(Trouble, String)> {
    let mut found = Vec::new();
    let reason = |text: &Option<String>| text.as_deref().map_or_else(|| "no reason was given".to_owned(), shown::text);
    let late = steer::late_by(schedule, settings, now).and_then(|late| Duration::try_from(late).ok());
    if let (Some(late), Some(due)) = (late.filter(|late| *late > settings.grace), schedule.next_execution_time) {
        found.push((Trouble::Overdue, format!("due at {due}, {} s ago, and nobody has decided it", late.as_secs())));
    }
    if schedule.status == ScheduleStatus::Failed {
        found.push((Trouble::Unusable, reason(&schedule.last_error)));
    }
    if schedule.status == ScheduleStatus::Paused {
        let who = schedule.paused_by.as_deref().map_or_else(|| "somebody".to_owned(), shown::name);
        let why = schedule.pause_reason.as_deref().filter(|why| !why.is_empty()).map(shown::text);
        found.push((Trouble::Paused, format!("by {who}{}", why.map(|why| format!(": {why}")).unwrap_or_default())));
    }
    if let Some(day) = schedule.deadline_missed.as_deref().filter(|day| is_recent(day, now)) {
        let day = shown::text(day);
        found.push((Trouble::DeadlineMissed, format!("no execution had succeeded by the deadline of {day}")));
    }
    if schedule.last_status == Some(Outcome::Failed) {
        let times = schedule.failures_in_row;
        found.push((Trouble::LastFailed, format!("{times} in a row: {}", reason(&schedule.last_error))));
    }
    if record::fires(schedule) && schedule.next_execution_time.is_none() {
        let expression = shown::text(&schedule.rule.cron_expression);
        found.push((Trouble::NeverAgain, format!("{expression} names no time that is still to come")));
    }
    found
}
