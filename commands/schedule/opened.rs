//! A scheduler's file and its store of schedules.

use crate::commands::context::Context;
use crate::commands::exit::Code;
use crate::commands::failure::Failure;
use crate::core::model::schedule::Schedule;
use crate::core::ports::audit::AuditLog;
use crate::core::ports::schedules::ScheduleStore;
use crate::core::schedule::plan::Settings;
use crate::core::schedule::record;
use crate::core::schedule::spec::Scheduler;
use crate::core::schedule::steer::{Asked, SteerError};
use crate::wiring::{self, Access};
use jiff::Timestamp;
use serde::Serialize;
use std::sync::Arc;

/// What a command works on.
pub(super) struct Opened {
    pub(super) scheduler: Scheduler,
    pub(super) store: Arc<dyn ScheduleStore>,
    pub(super) audit: Arc<dyn AuditLog>,
    pub(super) settings: Settings,
    pub(super) now: Timestamp,
}

/// Opens it.
pub(super) async fn open(scheduler: Scheduler, access: Access) -> Result<Opened, Failure> {
    let settings = wiring::schedule_settings(&scheduler)?;
    let (store, state) = wiring::schedules(&scheduler, access).await?;
    Ok(Opened { store, audit: state.audit, settings, now: record::millis(wiring::clock().now()), scheduler })
}

/// The scheduler file that was named.
pub(super) fn scheduler(context: &Context) -> Result<Scheduler, Failure> {
    Ok(context.load()?.into_scheduler()?)
}

/// This command's user, and why.
pub(super) fn asked(why: &str, at: Timestamp) -> Asked {
    Asked { who: wiring::who(), why: why.to_owned(), at }
}

/// A refusal, with what to do next.
pub(super) fn refused(error: SteerError) -> Failure {
    let hint = match &error {
        SteerError::Unknown { .. } => "see `filegen schedule list`",
        SteerError::Ambiguous { .. } => "name it by its id: see `filegen schedule list`",
        SteerError::TooMany => "choose two times that are nearer to each other",
        SteerError::Already { .. } => "see `filegen schedule show`",
        SteerError::Unusable { .. } => "mend the data source",
        SteerError::Store(error) => return Failure::from(error.clone()),
    };
    let code = match &error {
        SteerError::Unknown { .. } | SteerError::Ambiguous { .. } | SteerError::TooMany => Code::Usage,
        SteerError::Already { .. } => Code::Difference,
        _ => Code::Config,
    };
    Failure::new(code, error.to_string()).hint(hint)
}

/// A schedule in lists.
#[derive(Serialize)]
pub(super) struct ScheduleView {
    #[serde(flatten)]
    pub(super) schedule: Schedule,
    /// Seconds since its next due time, where that has passed and nobody has decided it.
    #[serde(rename = "lateSeconds", skip_serializing_if = "Option::is_none")]
    pub(super) late_seconds: Option<i64>,
}
