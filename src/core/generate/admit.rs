//! Whether a person may have a run made now: for a date that the worker file takes, or with force and a reason.

use super::run::RunError;
use super::window::Window;
use super::{Job, Ports, Start};
use crate::core::model::names::InstanceId;
use crate::core::model::run::RunStatus;
use crate::core::ports::audit::AuditEntry;

/// Passes a date within `business_date.accept`, and any other whose run has begun or is published. With force, who does it (the
/// first text) and why (the second) are kept, and a run that was recorded before is asked for anew, so that a service makes it.
///
/// # Errors
/// [`RunError::Outside`], and when the store cannot be read or written.
pub async fn admit(
    ports: &Ports,
    job: &Job,
    instance: &InstanceId,
    force: Option<(&str, &str)>,
) -> Result<(), RunError> {
    let now = ports.clock.now();
    if let Some((who, reason)) = force {
        let entry = AuditEntry::new(now, who, "run --force", &format!("run {}", job.run), reason);
        // First the trail: a change that nobody can explain is worse than a recorded try.
        ports.state.audit.audit(&entry).await?;
        ports.state.runs.ask_again(&job.run, &format!("command:{instance}"), now).await?;
        return Ok(());
    }
    let Some(reason) = Window::at(&job.worker.business_date, now, None).refusal(job.run.date) else { return Ok(()) };
    if job.start != Start::Resume {
        return Err(RunError::Outside { reason });
    }
    let record = ports.state.runs.run(&job.run).await?;
    match record.map(|record| record.status) {
        Some(RunStatus::Running | RunStatus::Failed | RunStatus::Published) => Ok(()),
        Some(RunStatus::Pending) | None => Err(RunError::Outside { reason }),
    }
}
