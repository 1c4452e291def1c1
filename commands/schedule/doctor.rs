//! `filegen doctor` for a scheduler file.

use crate::commands::failure::Failure;
use crate::core::doctor::report::CheckResult;
use crate::core::schedule::doctor::{DoctorInput, examine};
use crate::core::schedule::spec::Scheduler;
use crate::wiring::{self, Access, SchedulerState, WiringError};

/// Examines; `tell` prints each finding. With the state, where it can be opened.
pub(in crate::commands) async fn look(
    scheduler: &Scheduler,
    tell: &(dyn Fn(&CheckResult) + Send + Sync),
) -> Result<(Vec<CheckResult>, Option<SchedulerState>), Failure> {
    let settings = wiring::schedule_settings(scheduler)?;
    let opened = match wiring::scheduler_state(scheduler, Access::Look).await {
        Ok(state) => Ok(state),
        Err(WiringError::Store(error)) => Err(error),
        Err(error) => return Err(error.into()),
    };
    let topics = match wiring::scheduler_probes(scheduler) {
        Ok(probes) => Ok(probes),
        Err(WiringError::Broker(error)) => Err(error),
        Err(error) => return Err(error.into()),
    };
    let (clock, folders) = (wiring::clock(), wiring::folders());
    let input = DoctorInput {
        scheduler,
        settings: &settings,
        stores: opened.as_ref().map(SchedulerState::stores).map_err(Clone::clone),
        admin: opened.as_ref().ok().and_then(|state| state.admin.as_deref()),
        state_kept: &wiring::kept_state(&scheduler.state),
        state_rights: wiring::rights_of(&scheduler.state),
        topics: &topics,
        folders: &*folders,
        insecure: &wiring::insecure_of_scheduler(scheduler),
        certificates: &wiring::certificates(&scheduler.certificates(), clock.now()),
        clock: &*clock,
        found: tell,
    };
    let found = examine(&input).await;
    Ok((found, opened.ok()))
}
