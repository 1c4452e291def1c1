//! Data sources held against their schedules, and the difference mended.

use super::plan::Settings;
use super::record;
use crate::core::model::data_source::DataSource;
use crate::core::model::schedule::{Schedule, ScheduleId};
use crate::core::ports::schedules::{PAGE, ScheduleStore, Writer};
use crate::core::ports::store::{Found, OddRecord, Page, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// Tries of a change whose schedule somebody else changes in between.
const TRIES: usize = 20;

/// New schedules that are kept in one write: a store that is busy takes these, too, in the time that one question has.
const AT_ONCE: usize = 100;

/// Where the data sources are. Each leader holds its schedules against them when it begins, and once a minute; whoever changes a data
/// source [applies](apply) that at once.
#[async_trait]
pub trait Feed: Send + Sync {
    /// Those whose ids come behind `after`, up to and with `until`, and those that cannot be read; at most `most`, by id: what an id is
    /// never changes.
    async fn sources_behind(
        &self,
        after: &str,
        until: Option<&str>,
        most: usize,
    ) -> Result<Page<DataSource>, StoreError>;

    /// All of them, and those that cannot be read.
    async fn sources(&self) -> Result<Found<DataSource>, StoreError> {
        let (mut all, mut after) = (Found::default(), String::new());
        loop {
            let Page { found, next } = self.sources_behind(&after, None, PAGE).await?;
            all.records.extend(found.records);
            all.odd.extend(found.odd);
            match next {
                Some(next) => after = next,
                None => return Ok(all),
            }
        }
    }
}

/// All schedules, and those that cannot be read.
///
/// # Errors
/// When the store fails.
pub async fn schedules(store: &dyn ScheduleStore) -> Result<Found<Schedule>, StoreError> {
    let (mut all, mut after) = (Found::default(), String::new());
    loop {
        let Page { found, next } = store.schedules_behind(&after, PAGE).await?;
        all.records.extend(found.records);
        // Each stretch may tell the same ones.
        for odd in found.odd {
            if !all.odd.contains(&odd) {
                all.odd.push(odd);
            }
        }
        match next {
            Some(next) => after = next,
            None => return Ok(all),
        }
    }
}

/// What a schedule lacks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Lack {
    /// The data source has no schedule.
    Schedule,
    /// The schedule says another version.
    Version,
    /// The schedule says other things, of the same version.
    Rule,
    /// The schedule is due, and says no next time.
    NextTime,
    /// The schedule is of no data source.
    DataSource,
}

/// One difference.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// Of which schedule.
    pub id: ScheduleId,
    /// What people call it.
    pub name: String,
    /// What it lacks.
    pub lacks: Lack,
    /// What is to be written.
    #[serde(skip)]
    pub mended: Schedule,
    /// Whether there is a schedule already.
    #[serde(skip)]
    is_there: bool,
}

/// All differences, by the schedule's id: the data sources are the truth, also of a lower version. The schedules are to be read before the
/// data sources are: the other way round, a data source that was made in between would look like a deleted one, and one that was changed
/// like a restored one. One that cannot be read is there all the same: its schedule stays. So is a schedule among `unreadable`: its record is
/// to be mended or deleted first.
pub fn differences(
    sources: &Found<DataSource>,
    (schedules, unreadable): (&[Schedule], &[OddRecord]),
    settings: &Settings,
    now: Timestamp,
) -> Vec<Difference> {
    let Found { records: sources, odd } = sources;
    // Where not all of these were told, nothing is known to be deleted.
    let is_told = odd.len() < Found::<DataSource>::ODD_MAX;
    let is_odd = |id: &str| odd.iter().any(|record| record.id == id);
    let mut found = BTreeMap::new();
    let there: BTreeMap<&str, &Schedule> = schedules.iter().map(|it| (it.data_source_id.as_str(), it)).collect();
    let named: BTreeMap<&str, &DataSource> = sources.iter().map(|it| (it.id.as_str(), it)).collect();
    for source in sources {
        let schedule = there.get(source.id.as_str()).copied();
        let (lacks, mended) = match schedule {
            None if unreadable.iter().any(|odd| odd.id.rsplit(' ').next() == Some(source.id.as_str())) => continue,
            None => (Lack::Schedule, record::created(source, settings, now)),
            // The store has it, so it is not deleted: it was made again under its old id.
            Some(gone) if gone.is_deleted => {
                let again = record::created(source, settings, now);
                (Lack::Schedule, Schedule { revision: gone.revision + 1, token: gone.token, ..again })
            }
            Some(schedule) => match record::mended(schedule, source, settings, now) {
                Some(mended) if schedule.version != source.version => (Lack::Version, mended),
                Some(mended) if !record::says_the_same(schedule, source) => (Lack::Rule, mended),
                Some(mended) => (Lack::NextTime, mended),
                None => continue,
            },
        };
        let difference = Difference {
            id: mended.id.clone(),
            name: source.name.clone(),
            lacks,
            mended,
            is_there: schedule.is_some(),
        };
        found.insert(difference.id.clone(), difference);
    }
    let is_gone = |it: &&Schedule| {
        let id = it.data_source_id.as_str();
        is_told && !it.is_deleted && !named.contains_key(id) && !is_odd(id)
    };
    for schedule in schedules.iter().filter(is_gone) {
        let mended = record::removed(schedule, now);
        let (id, name) = (schedule.id.clone(), schedule.name.clone());
        let difference = Difference { id: id.clone(), name, lacks: Lack::DataSource, mended, is_there: true };
        found.insert(id, difference);
    }
    found.into_values().collect()
}

/// Writes what is to be written. What somebody else changed meanwhile is left for the next look. Returns what was written.
///
/// # Errors
/// When the store fails.
pub async fn mend(store: &dyn ScheduleStore, differences: Vec<Difference>) -> Result<Vec<Schedule>, StoreError> {
    let (changed, missing): (Vec<_>, Vec<_>) = differences.into_iter().partition(|it| it.is_there);
    let mut written = Vec::new();
    for Difference { mended, .. } in changed {
        if store.replace_schedule(Writer::Other, &mended).await? {
            written.push(mended);
        }
    }
    let mut missing = missing.into_iter().map(|it| it.mended);
    loop {
        let some: Vec<Schedule> = missing.by_ref().take(AT_ONCE).collect();
        if some.is_empty() {
            return Ok(written);
        }
        let new = store.insert_schedules(some.clone()).await?;
        written.extend(some.into_iter().filter(|it| new.contains(&it.id)));
    }
}

/// Applies one change of a data source, as an event tells it. False when it is late: the same or a later version is known.
///
/// # Errors
/// When the store fails, or others keep changing the same schedule.
pub async fn apply(
    store: &dyn ScheduleStore,
    source: &DataSource,
    is_deleted: bool,
    settings: &Settings,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let id = ScheduleId::new(source.id.as_str());
    let now = moment(store, now).await;
    change(store, &id, |there| match there {
        None if is_deleted => {
            let gone = record::created(source, settings, now);
            Some(Schedule { is_deleted: true, next_execution_time: None, ..gone })
        }
        None => Some(record::created(source, settings, now)),
        Some(there) if is_deleted => record::deleted(there, source.version, now),
        Some(there) => record::updated(there, source, settings, now),
    })
    .await
    .map(|written| written.is_some())
}

/// When a schedule is changed by somebody other than the leader: by the store's clock, where it has one, which is nobody's alone. A host
/// whose own clock is behind would else let what it edits fire at once, and one that is ahead would leave due times out.
pub async fn moment(store: &dyn ScheduleStore, own: Timestamp) -> Timestamp {
    // A store that is away says so when it is written to.
    store.time().await.ok().flatten().unwrap_or(own)
}

/// Changes one schedule as somebody other than the leader. `None` from `change`: nothing is to be written.
///
/// # Errors
/// When the store fails, or others keep changing the same schedule.
pub async fn change(
    store: &dyn ScheduleStore,
    id: &ScheduleId,
    change: impl Fn(Option<&Schedule>) -> Option<Schedule>,
) -> Result<Option<Schedule>, StoreError> {
    for _ in 0..TRIES {
        let there = store.schedule(id).await?;
        let Some(changed) = change(there.as_ref()) else { return Ok(None) };
        let is_written = match there {
            Some(_) => store.replace_schedule(Writer::Other, &changed).await?,
            None => store.insert_schedule(&changed).await?,
        };
        if is_written {
            return Ok(Some(changed));
        }
    }
    let reason = format!("others changed schedule {id} at every try; try again");
    Err(StoreError::Unreachable { store: "of schedules".to_owned(), reason })
}
