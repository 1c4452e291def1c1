//! What due times of data sources do: look for files, to tell them or to bring them to a transfer, or start a run of a worker of the same
//! process.

use super::action::{Action, ActionError, Done, Firing};
use super::discover::Discovery;
use crate::core::model::data_source::Action as Wanted;
use crate::core::model::names::WorkerId;
use crate::core::model::run::{BusinessDate, RunId};
use crate::core::ports::clock::Clock;
use crate::core::ports::runs::{Requested, RunStore};
use async_trait::async_trait;
use jiff::tz::TimeZone;
use std::sync::Arc;
use tokio::sync::Notify;

/// A worker that due times may start.
#[derive(Clone)]
pub struct Startable {
    /// Which.
    pub worker: WorkerId,
    /// The IANA zone of its business dates.
    pub zone: String,
    /// Where its runs are recorded.
    pub runs: Arc<dyn RunStore>,
    /// Notified when a run is wanted.
    pub wanted: Arc<Notify>,
}

/// Does what a data source wants.
pub struct Starting {
    /// Looks for files.
    pub discovery: Discovery,
    /// The workers of this process.
    pub workers: Vec<Startable>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Action for Starting {
    async fn run(&self, firing: &Firing) -> Result<Done, ActionError> {
        match &firing.schedule.action {
            Wanted::Discover(_) | Wanted::Transfer(_) => self.discovery.run(firing).await,
            Wanted::Run(name) => self.start(name, firing).await,
        }
    }

    fn stalled(&self) -> usize {
        self.discovery.looks.stalled()
    }
}

impl Starting {
    /// Asks for the run of the due time's day. A run is one a date, so the same due time starts it once, however often it is tried.
    async fn start(&self, name: &str, firing: &Firing) -> Result<Done, ActionError> {
        let found = self.workers.iter().find(|it| it.worker.as_str() == name);
        let Startable { worker, zone, runs, wanted } = found.ok_or_else(|| {
            ActionError::failed(format!(
                "no worker {name} is served by this process: name its file beside the scheduler's with `-c`"
            ))
        })?;
        let zone = TimeZone::get(zone).map_err(|_| ActionError::failed(format!("no time zone is called {zone}")))?;
        let date = BusinessDate(firing.execution.due_time.to_zoned_datetime(zone).date());
        let run = RunId { worker: worker.clone(), date };
        let by = format!("execution:{}", firing.execution.id);
        let requested = runs.request(&run, &by, self.clock.now()).await;
        let requested = requested.map_err(|error| ActionError::failed(error.to_string()))?;
        wanted.notify_one();
        let note = match requested {
            Requested::New(_) => format!("asked for the run {run}"),
            Requested::AlreadyThere(_) => format!("the run {run} was asked for before"),
        };
        Ok(Done { note: Some(note), ..Done::default() })
    }
}
