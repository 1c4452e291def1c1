//! `filegen datasource`: data sources, as the API has them.

mod files;
mod shown;
mod write;

use super::context::Context;
use super::exit::{Code, CommandEnd};
use super::failure::Failure;
use super::scheduler::{Opened, scheduler};
use crate::core::kind::HasKind;
use crate::core::schedule::data_source::Others;
use crate::core::schedule::sources::{SourceError, Sources};
use crate::core::schedule::spec::Scheduler;
use crate::wiring::{self, Access};
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

/// Data sources, ready to be asked.
async fn open(scheduler: &Scheduler, others: &Others, access: Access) -> Result<Sources, Failure> {
    let Opened { state, settings, .. } = Opened::of(scheduler, access).await?;
    Ok(wiring::sources(scheduler, &state, &settings, others, wiring::who(), &Arc::new(Notify::new())))
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
                        let field = fault.pointer.trim_start_matches('/');
                        format!("  {field}: {}{} ({})", fault.message, fault.place(), fault.hint)
                    })
                    .collect();
                Self::new(code, "the data source cannot be taken:").details(lines)
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
