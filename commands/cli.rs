//! The root parser: global options and the subcommands, in the order of the help text.

use super::generate::{correct, drill, inspect_headers, publish_completion, resume, run, verify};
use super::globals::Globals;
use super::{
    completions, config, daemon, datasource, dlq, doctor, health, ingest, lease, man, report, schedule, status,
    transfer,
};
use clap::{CommandFactory, Parser, Subcommand};
use std::ffi::OsString;
use std::process::ExitCode;

/// Turn a SQL view into all of a worker's files in one read: durable, resumable, exactly once
///
/// A worker file (YAML) names a view, the files to make of it and where they go. `filegen run` makes them; whatever is
/// interrupted goes on where it stopped, and a file appears under its final name complete or not at all.
#[derive(Parser, Debug)]
#[command(name = "filegen", version, max_term_width = 100, after_help = AFTER_HELP, disable_help_subcommand = true)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub globals: Globals,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  filegen config init --from sqlite:loans.db --view v_LoanData > loans.yaml
  filegen doctor -c loans.yaml
  filegen run -c loans.yaml --date 2026-11-21

Exit codes:
  0 done   1 failed   2 wrong usage   3 configuration   4 difference, or a part left out
  5 lease held by another, or lost   6 a dependency cannot be reached   7 data cannot be translated
  130, 143 stopped by Ctrl-C or SIGTERM";

/// The subcommands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Make a worker's files for one business date
    Run(run::Args),
    /// Serve any mixture of files: workers, ingests, transfers and schedulers
    Daemon(daemon::Args),
    /// Write events into tables, each effect once
    Ingest(ingest::Args),
    /// Send events to the topic of an ingest file: from a file, from stdin, or made up
    Produce(ingest::produce::Args),
    /// Search, plan, replay and drop events that cannot be rows
    Dlq(dlq::Args),
    /// Ask the daemon of this host whether it is well
    Health(health::Args),
    /// Show page and rows of every staged and published file
    InspectHeaders(inspect_headers::Args),
    /// Roll a run's staged files back to a page, and go on from there
    Resume(resume::Args),
    /// Make a published date again, as its next version
    Correct(correct::Args),
    /// Compare a run's files with journal, state store and source
    Verify(verify::Args),
    /// Show or release the right to write
    Lease(lease::Args),
    /// Send a run's completion events again, always with the same correlation ids
    PublishCompletion(publish_completion::Args),
    /// Show leases, runs, files and unsent events
    Status(status::Args),
    /// Check source, key, output folder and state store before a run does
    Doctor(doctor::Args),
    /// Prove on your own worker that a killed run loses nothing
    Drill(drill::Args),
    /// Show, steer and make up for schedules
    Schedule(schedule::Args),
    /// Move files from here to there, each version once
    Transfer(transfer::Args),
    /// List, show, make, change and delete data sources; take them over from files
    Datasource(datasource::Args),
    /// Write, check, show and explain worker files
    Config(config::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
    /// Print the manual page, or write all of them into a folder
    Man(man::Args),
}

/// Parses the arguments; for `--help`, `--version` and wrong usage it prints and gives the exit code.
///
/// # Errors
/// The exit code, when there is nothing left to do.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Cli, ExitCode> {
    let args: Vec<OsString> = args.into_iter().collect();
    Cli::try_parse_from(&args).map_err(|error| report::usage(&error, wants_json(&args)))
}

/// The whole command tree, for completions and manual pages.
pub fn tree() -> clap::Command {
    Cli::command()
}

/// Whether the arguments ask for JSON, as far as that is known when they do not parse.
fn wants_json(args: &[OsString]) -> bool {
    let mut pairs = args.windows(2);
    pairs.any(|pair| pair[0] == "--output" && pair[1] == "json") || args.iter().any(|arg| arg == "--output=json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_tree_is_sound() {
        tree().debug_assert();
    }

    #[test]
    fn json_is_recognised_in_arguments_that_do_not_parse() {
        let args = |words: &str| words.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert!(wants_json(&args("filegen run --output json --nope")));
        assert!(wants_json(&args("filegen run --output=json --nope")));
        assert!(!wants_json(&args("filegen run --output table json")));
    }
}
