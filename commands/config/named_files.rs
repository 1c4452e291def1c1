//! The files that a scheduler's file names, read as the daemon will read them: calendars, and data sources to begin with.

use crate::commands::context::Context;
use crate::commands::failure::Failure;
use crate::commands::scheduler::others;
use crate::config::{self, Environment, Flow, InFile};
use crate::core::schedule::data_source::Others;
use crate::core::schedule::import::import;
use crate::core::schedule::spec::Scheduler;
use crate::wiring::{self, SchedulerState};
use serde_json::Value;
use std::sync::Arc;

/// Refuses files with which the daemon would not start.
pub(super) fn check(context: &Context, files: &[InFile<'_>]) -> Result<(), Failure> {
    let schedulers = files.iter().filter_map(|(path, flow)| match flow {
        Flow::Schedule(scheduler) => Some((path, scheduler)),
        Flow::Generate(_) | Flow::Ingest(_) | Flow::Transfer(_) => None,
    });
    for (path, scheduler) in schedulers {
        check_one(context, scheduler, files).map_err(|failure| failure.context(path.display().to_string()))?;
    }
    Ok(())
}

fn check_one(context: &Context, scheduler: &Scheduler, files: &[InFile<'_>]) -> Result<(), Failure> {
    let settings = wiring::schedule_settings(scheduler)?;
    let Some(path) = &scheduler.sources else { return Ok(()) };
    let given = config::data_sources(path, &Environment)?;
    let mut others = others(files.iter().map(|(_, flow)| *flow));
    if let [_] = files {
        // Which files the daemon gets beside it nobody knows here.
        allow_all(&given, &mut others);
    }
    // Over a store without anything in it: whatever is there, the names are not looked for.
    let state = SchedulerState::empty();
    let sources = wiring::sources(scheduler, &state, &settings, &others, wiring::who(), &Arc::default());
    let imported = context.block_on(async { Ok(import(&sources, &given, true).await?) });
    imported.map(drop).map_err(|failure: Failure| failure.context(path.display().to_string()))
}

/// Lets data sources name whatever they name.
fn allow_all(given: &[Value], others: &mut Others) {
    let names = |action: &str| {
        let name = |source: &Value| source.get("action")?.get(action)?.as_str().map(str::to_owned);
        given.iter().filter_map(name).collect::<Vec<_>>()
    };
    others.workers.extend(names("run"));
    others.transfers.extend(names("transfer"));
}
