//! `filegen datasource`: data sources, as the API has them.

mod files;
mod shown;
mod write;

use super::context::Context;
use super::exit::{Code, CommandEnd};
use super::failure::Failure;
use crate::config::{self, Environment, Flow};
use crate::core::kind::HasKind;
use crate::core::schedule::sources::{SourceError, Sources};
use crate::core::schedule::spec::Scheduler;
use crate::wiring::{self, Access, SchedulerState};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::Notify;

/// List, show, make, change and delete data sources; take them over from files
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  filegen datasource list -c intake.yaml
  filegen datasource create -c intake.yaml --name Loans --path data/loans --pattern '*.csv' --cron '0 */2 * * * ?'
  filegen datasource import -c intake.yaml sources.yaml")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// List data sources
    List(shown::ListArgs),
    /// Show one data source, and its next due times
    Show(shown::ShowArgs),
    /// Make a data source
    Create(write::CreateArgs),
    /// Change a data source: what is not given stays
    Update(write::UpdateArgs),
    /// Delete a data source
    Delete(write::DeleteArgs),
    /// Make or change data sources as a file says, by their names
    Import(files::ImportArgs),
    /// Write all data sources, as import takes them
    Export(files::ExportArgs),
}

/// Acts.
pub(super) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    match &args.action {
        Action::List(args) => shown::list(context, args),
        Action::Show(args) => shown::show(context, args),
        Action::Create(args) => write::create(context, args),
        Action::Update(args) => write::update(context, args),
        Action::Delete(args) => write::delete(context, args),
        Action::Import(args) => files::import(context, args),
        Action::Export(args) => files::export(context, args),
    }
}

/// The scheduler file among those that were named. Worker files beside it say which runs a data source may start.
fn scheduler(context: &Context) -> Result<(Scheduler, BTreeSet<String>), Failure> {
    if context.globals.config.is_empty() {
        context.config_path()?;
    }
    let (mut found, mut workers) = (None, BTreeSet::new());
    for path in &context.globals.config {
        match config::load(path, &Environment, &context.registry)?.flow {
            Flow::Schedule(scheduler) if found.is_none() => found = Some(*scheduler),
            Flow::Schedule(_) => {
                return Err(Failure::new(Code::Usage, "this command takes one scheduler file, and several are named"));
            }
            // No data source starts it.
            Flow::Ingest(_) => {}
            Flow::Generate(worker) => {
                workers.insert(worker.id.to_string());
            }
        }
    }
    let missing = || {
        Failure::new(Code::Usage, "no scheduler file is named")
            .hint("name it with `-c FILE`; `filegen config init --kind scheduler` writes one")
    };
    Ok((found.ok_or_else(missing)?, workers))
}

/// Data sources, ready to be asked.
async fn open(
    scheduler: &Scheduler,
    workers: &BTreeSet<String>,
    access: Access,
) -> Result<(Sources, SchedulerState), Failure> {
    let state = wiring::scheduler_state(scheduler, access).await?;
    let settings = wiring::schedule_settings(scheduler).map_err(|error| Failure::caused(Code::Config, &error))?;
    let sources = wiring::sources(scheduler, &state, &settings, workers, &Arc::new(Notify::new()));
    Ok((sources, state))
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        let code = Code::from(error.kind());
        match &error {
            SourceError::Wrong(faults) => {
                let lines: Vec<String> = faults
                    .0
                    .iter()
                    .map(|fault| {
                        format!("  {}: {} ({})", fault.pointer.trim_start_matches('/'), fault.message, fault.hint)
                    })
                    .collect();
                Self::new(code, format!("the data source cannot be taken:\n{}", lines.join("\n")))
            }
            SourceError::Missing { .. } => {
                Self::caused(code, &error).hint("`filegen datasource list{c}` shows those that there are")
            }
            SourceError::Faster { .. } => Self::caused(code, &error).hint("look at it, and give the command again"),
            SourceError::NameTaken { .. } => Self::caused(code, &error).hint("choose another name"),
            SourceError::Store(store) => store.clone().into(),
        }
    }
}
