//! `filegen completions`: a shell's completion script.

use super::context::Context;
use super::exit::CommandEnd;
use clap_complete::Shell;

/// Print a completion script for a shell
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  filegen completions bash > /etc/bash_completion.d/filegen
  filegen completions zsh > \"${fpath[1]}/_filegen\"
  filegen completions fish > ~/.config/fish/completions/filegen.fish")]
pub struct Args {
    /// Whose script
    shell: Shell,
}

/// Prints the script for the command tree.
pub(super) fn run(context: &Context, args: &Args, mut tree: clap::Command) -> CommandEnd {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut tree, "filegen", &mut script);
    context.ui.out(&String::from_utf8_lossy(&script));
    CommandEnd::Done
}
