//! `filegen man`: manual pages.

use super::context::Context;
use super::exit::{Code, CommandEnd};
use super::failure::Failure;
use std::path::PathBuf;

/// Print the manual page, or write all of them into a folder
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  filegen man | man -l -
  filegen man --dir /usr/local/share/man/man1")]
pub struct Args {
    /// Write the page of every command into this folder, which is made if it is not there
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    dir: Option<PathBuf>,
}

/// Prints or writes.
pub(super) fn run(context: &Context, args: &Args, tree: clap::Command) -> Result<CommandEnd, Failure> {
    let Some(dir) = &args.dir else {
        let mut page = Vec::new();
        let rendered = clap_mangen::Man::new(tree).render(&mut page);
        rendered.map_err(|error| Failure::caused(Code::Failed, &error))?;
        context.ui.out(&String::from_utf8_lossy(&page));
        return Ok(CommandEnd::Done);
    };
    crate::files::make_folders(dir)
        .and_then(|()| clap_mangen::generate_to(tree, dir))
        .map_err(|error| Failure::caused(Code::Failed, &error).context(format!("cannot write to {}", dir.display())))?;
    context.ui.status(&format!("wrote manual pages to {}", dir.display()));
    Ok(CommandEnd::Done)
}
