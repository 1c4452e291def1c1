//! `filegen datasource import` and `export`.

use super::{open, scheduler};
use crate::commands::context::Context;
use crate::commands::exit::CommandEnd;
use crate::commands::failure::Failure;
use crate::commands::ui::one_line;
use crate::config::{self, Environment};
use crate::core::model::shown;
use crate::core::ports::data_sources::Wanted;
use crate::core::schedule::import::{self, Became};
use crate::wiring::Access;
use std::path::PathBuf;

/// Make or change data sources as a file says, by their names
///
/// All are looked at before the first is written: when one is wrong, none is. Data sources that the file does not name stay.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  filegen datasource import -c intake.yaml sources.yaml --dry-run")]
pub(super) struct ImportArgs {
    /// A list of data sources, in YAML or JSON
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
    /// Show what would be done, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Write all data sources, as import takes them
#[derive(clap::Args, Debug)]
#[command(after_help = "Without --output json it is YAML.

Example:
  filegen datasource export -c intake.yaml > sources.yaml")]
pub(super) struct ExportArgs {}

pub(super) fn import(context: &Context, args: &ImportArgs) -> Result<CommandEnd, Failure> {
    let given = config::data_sources(&args.file, &Environment)?;
    let (scheduler, others) = scheduler(context)?;
    context.block_on(async {
        let sources = open(&scheduler, &others, if args.dry_run { Access::Look } else { Access::Change }).await?;
        let done = import::import(&sources, &given, args.dry_run).await?;
        for warning in done.iter().flat_map(|one| one.warnings.iter().map(move |text| format!("{}: {text}", one.name)))
        {
            context.ui.status(&format!("{} {warning}", context.ui.paint_warning("warning:")));
        }
        context.ui.result(&done, |done| {
            let verb = |became| match (became, args.dry_run) {
                (Became::Created, false) => "created",
                (Became::Updated, false) => "changed",
                (Became::Created, true) => "would create",
                (Became::Updated, true) => "would change",
                (Became::Unchanged, _) => "unchanged",
            };
            let lines =
                done.iter().map(|one| one_line(format_args!("{} {}", verb(one.became), shown::name(&one.name))));
            lines.collect::<Vec<_>>().concat()
        });
        Ok(CommandEnd::Done)
    })
}

pub(super) fn export(context: &Context, _: &ExportArgs) -> Result<CommandEnd, Failure> {
    let (scheduler, others) = scheduler(context)?;
    context.block_on(async {
        let sources = open(&scheduler, &others, Access::Look).await?;
        let all = sources.list(&Wanted { most: u32::MAX, ..Wanted::default() }).await?;
        let said: Vec<_> = all.sources.iter().map(import::said).collect();
        context.ui.result(&said, |said| config::data_sources_to_yaml(said));
        Ok(CommandEnd::Done)
    })
}
