//! The ports of the flow schedule.

use super::{Access, WiringError, empty_state, path_of};
use crate::adapters::local_state::LocalState;
use crate::adapters::memory::schedules::MemorySchedules;
use crate::adapters::mongo::MongoState;
use crate::config::calendar;
use crate::core::model::data_source::DataSource;
use crate::core::ports::data_sources::{DataSources, Listed, Wanted};
use crate::core::ports::schedules::ScheduleStore;
use crate::core::ports::state::StateStore;
use crate::core::ports::store::StoreError;
use crate::core::schedule::plan::Settings;
use crate::core::schedule::spec::Scheduler;
use crate::core::schedule::sync::Feed;
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The schedules at a scheduler's address, and the rest of its state.
///
/// # Errors
/// When the store cannot be opened.
pub async fn schedules(
    scheduler: &Scheduler,
    access: Access,
) -> Result<(Arc<dyn ScheduleStore>, StateStore), WiringError> {
    let ttl = scheduler.policies.lease_ttl;
    let Some(path) = path_of(scheduler.state.reveal(), "sqlite:") else {
        let store = match access {
            Access::Change => MongoState::open(&scheduler.state, ttl).await?,
            Access::Serve => MongoState::open_for_service(&scheduler.state, ttl).await?,
            Access::Look => MongoState::connect(&scheduler.state, ttl).await?,
        };
        let store = Arc::new(store);
        let state = StateStore { admin: Some(Arc::clone(&store) as _), ..StateStore::of(Arc::clone(&store)) };
        return Ok((store, state));
    };
    let path = Path::new(path);
    let store = match access {
        Access::Change | Access::Serve => Some(LocalState::open(path, ttl).await?),
        Access::Look => LocalState::open_existing(path, ttl).await?,
    };
    Ok(match store.map(Arc::new) {
        Some(store) => (Arc::clone(&store) as _, StateStore::of(store)),
        None => (Arc::new(MemorySchedules::default()), empty_state()),
    })
}

/// What holds for all schedules, with the calendars that the scheduler file names.
///
/// # Errors
/// When a calendar cannot be used.
pub fn schedule_settings(scheduler: &Scheduler) -> Result<Settings, WiringError> {
    let Scheduler { defaults, limits, .. } = scheduler;
    let mut calendars = BTreeMap::new();
    for (name, path) in &scheduler.calendars {
        let path = path.display().to_string();
        calendars.insert(name.clone(), calendar::calendar(&path, Path::new(""))?);
    }
    Ok(Settings {
        dst: defaults.dst.into(),
        grace: defaults.grace,
        jitter: defaults.jitter,
        catch_up: usize::from(limits.catch_up),
        pause_after_failures: defaults.pause_after_failures,
        concurrency: usize::from(limits.concurrency),
        history: limits.history,
        calendars,
    })
}

/// The data sources of a store, as schedules are held against them.
pub struct Described(pub Arc<dyn DataSources>);

#[async_trait]
impl Feed for Described {
    /// In one answer: between two pages, one could slip through, and its schedule would look like that of a deleted one.
    async fn sources(&self) -> Result<Vec<DataSource>, StoreError> {
        let Listed { sources, .. } = self.0.list(&Wanted { most: u32::MAX, ..Wanted::default() }).await?;
        Ok(sources)
    }
}
