//! The scheduler file that commands are about, and its state.

use super::context::Context;
use super::exit::Code;
use super::failure::Failure;
use crate::config::{self, Environment, Flow};
use crate::core::ports::audit::AuditEntry;
use crate::core::schedule::data_source::Others;
use crate::core::schedule::plan::Settings;
use crate::core::schedule::record;
use crate::core::schedule::spec::Scheduler;
use crate::core::schedule::steer::{Asked, Steering};
use crate::wiring::{self, Access, SchedulerState};
use jiff::Timestamp;
use std::sync::Arc;

/// The scheduler file among those that were named. Files beside it say which runs a data source may start, and which transfers it may
/// bring files to.
pub(super) fn scheduler(context: &Context) -> Result<(Arc<Scheduler>, Others), Failure> {
    if context.globals.config.is_empty() {
        context.config_path()?;
    }
    let mut flows = Vec::new();
    for path in &context.globals.config {
        flows.push(config::load(path, &Environment, &context.registry)?.flow);
    }
    let others = others(&flows);
    let mut found = None;
    for flow in flows {
        match flow {
            Flow::Schedule(scheduler) if found.is_none() => found = Some(scheduler),
            Flow::Schedule(_) => {
                return Err(Failure::new(Code::Usage, "this command takes one scheduler file, and several are named"));
            }
            Flow::Ingest(_) | Flow::Transfer(_) | Flow::Generate(_) => {}
        }
    }
    let missing = || {
        Failure::new(Code::Usage, "no scheduler file is named")
            .hint("name it with `-c FILE`; `filegen config init --kind scheduler` writes one")
    };
    Ok((found.ok_or_else(missing)?, others))
}

/// What data sources may name of what these files declare.
pub(super) fn others<'a>(flows: impl IntoIterator<Item = &'a Flow>) -> Others {
    let mut others = Others::default();
    for flow in flows {
        match flow {
            Flow::Generate(worker) => drop(others.workers.insert(worker.id.to_string())),
            Flow::Transfer(transfer) => {
                others.transfers.extend(transfer.collect.as_ref().map(|_| transfer.id.to_string()));
            }
            // Nothing of a data source goes there.
            Flow::Ingest(_) | Flow::Schedule(_) => {}
        }
    }
    others
}

/// A scheduler's state, with what holds for all its schedules.
pub(super) struct Opened {
    pub(super) state: SchedulerState,
    pub(super) settings: Settings,
    /// To the millisecond, as stores keep it.
    pub(super) now: Timestamp,
}

impl Opened {
    /// Opens the state of the scheduler file that was named.
    pub(super) async fn of(scheduler: &Scheduler, access: Access) -> Result<Self, Failure> {
        let settings = wiring::schedule_settings(scheduler)?;
        let state = wiring::scheduler_state(scheduler, access).await?;
        Ok(Self { state, settings, now: record::millis(wiring::clock().now()) })
    }

    /// This command's user, and why.
    pub(super) fn asked(&self, why: &str) -> Asked {
        Asked { who: wiring::who(), why: why.to_owned(), at: self.now }
    }

    /// Changes schedules by people's wish, each in the trail.
    pub(super) fn steering(&self) -> Steering<'_> {
        Steering { store: &*self.state.schedules, trail: &*self.state.audit, settings: &self.settings }
    }

    /// Keeps who did what and why.
    pub(super) async fn audit(&self, action: &str, detail: &str, reason: &str) -> Result<(), Failure> {
        let entry = AuditEntry::new(self.now, &wiring::who(), action, detail, reason);
        Ok(self.state.audit.audit(&entry).await?)
    }
}
