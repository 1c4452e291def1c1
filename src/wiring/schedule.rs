//! The ports of the flow schedule.

use super::{Access, WiringError, clock, state};
use crate::adapters::folders::LocalFolders;
use crate::adapters::host;
use crate::adapters::kafka::{KafkaConsumer, KafkaProducer};
use crate::adapters::local_state::LocalState;
use crate::adapters::memory::schedules::MemorySchedules;
use crate::adapters::memory::state::MemoryState;
use crate::config::calendar::{CalendarError, calendar};
use crate::core::model::database::Database;
use crate::core::model::kafka::KafkaSpec;
use crate::core::ports::admin::StoreAdmin;
use crate::core::ports::audit::AuditLog;
use crate::core::ports::consumer::Consumer;
use crate::core::ports::data_sources::DataSources;
use crate::core::ports::dead_letters::DeadLetters;
use crate::core::ports::folders::Folders;
use crate::core::ports::leases::LeaseStore;
use crate::core::ports::ledger::Ledger;
use crate::core::ports::outbox::Outbox;
use crate::core::ports::producer::Producer;
use crate::core::ports::schedules::ScheduleStore;
use crate::core::schedule::bounds::Bounds;
use crate::core::schedule::data_source::{Others, Rules};
use crate::core::schedule::looks::Looks;
use crate::core::schedule::plan::Settings;
use crate::core::schedule::sources::Sources;
use crate::core::schedule::spec::Scheduler;
use crate::core::schedule::status::Stores;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Notify;

/// The state store of a scheduler: its ports together.
#[derive(Clone)]
pub struct SchedulerState {
    /// Who leads.
    pub leases: Arc<dyn LeaseStore>,
    /// Data sources.
    pub sources: Arc<dyn DataSources>,
    /// Schedules and their history.
    pub schedules: Arc<dyn ScheduleStore>,
    /// Which files were told.
    pub ledger: Arc<dyn Ledger>,
    /// What is to be sent.
    pub outbox: Arc<dyn Outbox>,
    /// Events that could not be used.
    pub dead_letters: Arc<dyn DeadLetters>,
    /// What people changed by hand.
    pub audit: Arc<dyn AuditLog>,
    /// The store's server. `None` where it has none.
    pub admin: Option<Arc<dyn StoreAdmin>>,
}

impl SchedulerState {
    fn of<S>(store: Arc<S>) -> Self
    where
        S: LeaseStore + DataSources + ScheduleStore + Ledger + Outbox + DeadLetters + AuditLog + 'static,
    {
        Self {
            leases: Arc::clone(&store) as Arc<_>,
            sources: Arc::clone(&store) as Arc<_>,
            schedules: Arc::clone(&store) as Arc<_>,
            ledger: Arc::clone(&store) as Arc<_>,
            outbox: Arc::clone(&store) as Arc<_>,
            dead_letters: Arc::clone(&store) as Arc<_>,
            audit: store,
            admin: None,
        }
    }

    /// The ports, as those take them who look at all of it.
    pub fn stores(&self) -> Stores {
        Stores {
            leases: Arc::clone(&self.leases),
            sources: Arc::clone(&self.sources),
            schedules: Arc::clone(&self.schedules),
            outbox: Arc::clone(&self.outbox),
            dead_letters: Arc::clone(&self.dead_letters),
        }
    }

    /// A state that nothing was ever written to.
    pub fn empty() -> Self {
        let store = Arc::new(MemoryState::default());
        Self {
            leases: Arc::clone(&store) as Arc<_>,
            sources: Arc::clone(&store) as Arc<_>,
            schedules: Arc::new(MemorySchedules::default()),
            ledger: Arc::clone(&store) as Arc<_>,
            outbox: Arc::clone(&store) as Arc<_>,
            dead_letters: Arc::clone(&store) as Arc<_>,
            audit: store,
            admin: None,
        }
    }
}

/// The state store at the scheduler's address. Where it is only looked at, a missing file counts as an empty store, and is not made.
///
/// # Errors
/// When it cannot be opened.
pub async fn scheduler_state(scheduler: &Scheduler, access: Access) -> Result<SchedulerState, WiringError> {
    let ttl = scheduler.policies.lease_ttl;
    let address = scheduler.state.reveal();
    match Database::of_address(address) {
        Some(Database::Sqlite) => {
            let path = Path::new(Database::sqlite_path(address).unwrap_or_default());
            let store = match access {
                Access::Change | Access::Serve => Some(LocalState::open(path, ttl).await?),
                Access::Look => LocalState::open_existing(path, ttl).await?,
            };
            Ok(store.map_or_else(SchedulerState::empty, |store| SchedulerState::of(Arc::new(store))))
        }
        Some(Database::Mongo) => {
            let store = Arc::new(state::mongo(&scheduler.state, ttl, access).await?);
            Ok(SchedulerState { admin: Some(Arc::clone(&store) as _), ..SchedulerState::of(store) })
        }
        Some(Database::Postgres | Database::SqlServer) | None => Err(state::foreign().into()),
    }
}

/// This host's folders.
pub fn folders() -> Arc<dyn Folders> {
    Arc::new(LocalFolders)
}

/// A new random id at each call.
pub fn new_ids() -> Arc<dyn Fn() -> String + Send + Sync> {
    Arc::new(host::nonce)
}

/// The producer of a topic. Nothing is connected yet.
///
/// # Errors
/// A property that the client does not take.
pub fn topic_producer(spec: &KafkaSpec) -> Result<Arc<dyn Producer>, WiringError> {
    Ok(Arc::new(KafkaProducer::new(spec)?))
}

/// The consumer of a topic. Nothing is connected yet.
///
/// # Errors
/// As [`topic_producer`].
pub fn topic_consumer(spec: &KafkaSpec) -> Result<Box<dyn Consumer>, WiringError> {
    Ok(Box::new(KafkaConsumer::new(spec)?))
}

/// Data sources, and what they are held against. `others` is what the same daemon serves, `who` is whose changes these are.
/// `changed` is notified of each change.
pub fn sources(
    scheduler: &Scheduler,
    state: &SchedulerState,
    settings: &Settings,
    others: &Others,
    who: String,
    changed: &Arc<Notify>,
) -> Sources {
    Sources {
        store: Arc::clone(&state.sources),
        ledger: Arc::clone(&state.ledger),
        rules: Rules {
            roots: scheduler.roots.clone(),
            defaults: scheduler.defaults.clone(),
            calendars: scheduler.calendars.keys().cloned().collect(),
            others: others.clone(),
        },
        settings: settings.clone(),
        looks: Arc::new(Looks::new(folders(), clock())),
        clock: clock(),
        new_id: new_ids(),
        audit: Arc::clone(&state.audit),
        who,
        wake: Arc::clone(changed),
        bounds: Bounds::new(scheduler.limits.max_sources, scheduler.limits.least_interval),
    }
}

/// What holds for all schedules of a scheduler, its calendars read.
///
/// # Errors
/// When a calendar's file is none of dates.
pub fn schedule_settings(scheduler: &Scheduler) -> Result<Settings, CalendarError> {
    let (defaults, limits) = (&scheduler.defaults, &scheduler.limits);
    let read = |(name, path): (&String, &PathBuf)| {
        let days = calendar(&path.display().to_string(), Path::new(""))?;
        Ok((name.clone(), days))
    };
    Ok(Settings {
        dst: defaults.dst.into(),
        grace: defaults.grace,
        jitter: defaults.jitter,
        catch_up: usize::from(limits.catch_up),
        pause_after_failures: defaults.pause_after_failures,
        concurrency: usize::from(limits.concurrency),
        history: limits.history,
        calendars: scheduler.calendars.iter().map(read).collect::<Result<_, _>>()?,
    })
}
