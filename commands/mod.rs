//! The command line: one file per subcommand, a folder per flow. Parses, calls the library, prints. No logic.
//!
//! A module of the library, so that a binary with translators of its own gets the whole command line:
//! `filegen::commands::main(Registry::default().with("name", make))`.

pub mod cli;
mod completions;
mod config;
pub mod context;
mod daemon;
mod datasource;
mod dlq;
mod doctor;
pub mod exit;
mod failure;
mod generate;
pub mod globals;
mod health;
mod hints;
mod ingest;
mod lease;
mod man;
mod report;
mod schedule;
mod scheduler;
mod status;
mod stop;
mod transfer;
pub mod ui;
mod watch;

use crate::Registry;
use cli::Command;
use context::Context;
use exit::CommandEnd;
use failure::Failure;
use generate::{correct, drill, inspect_headers, publish_completion, resume, run, verify};
use std::process::ExitCode;

/// Set to anything, it leaves core files and debuggers alone.
const CORE_DUMPS: &str = "FILEGEN_CORE_DUMPS";

/// Runs the whole command line with translators of one's own. Parses, acts, prints, and returns the exit code.
pub fn main(registry: Registry) -> ExitCode {
    let cli = match cli::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    // Named crash points are read from the environment only in builds made for crash tests.
    #[cfg(feature = "failpoints")]
    let _scenario = fail::FailScenario::setup();
    let context = Context::new(cli.globals, registry);
    // A debugger and a core file show addresses and their passwords.
    if std::env::var_os(CORE_DUMPS).is_none_or(|value| value.is_empty())
        && let Err(error) = crate::wiring::hide_memory()
    {
        context.ui.status(&format!("{} core files may hold secrets: {error}", context.ui.paint_warning("warning:")));
    }
    // The daemon starts its own log, in a form of its own: a second start changes nothing.
    if !matches!(cli.command, Command::Daemon(_)) {
        context.start_logging();
    }
    let ended = dispatch(&context, &cli.command);
    report::end(&context, ended)
}

fn dispatch(context: &Context, command: &Command) -> Result<CommandEnd, Failure> {
    match command {
        Command::Run(args) => run::run(context, args),
        Command::Daemon(args) => daemon::run(context, args),
        Command::Ingest(args) => ingest::run(context, args),
        Command::Produce(args) => ingest::produce::run(context, args),
        Command::Dlq(args) => dlq::run(context, args),
        Command::Health(args) => health::run(context, args),
        Command::InspectHeaders(args) => inspect_headers::run(context, args),
        Command::Resume(args) => resume::run(context, args),
        Command::Correct(args) => correct::run(context, args),
        Command::Verify(args) => verify::run(context, args),
        Command::Lease(args) => lease::run(context, args),
        Command::PublishCompletion(args) => publish_completion::run(context, args),
        Command::Status(args) => status::run(context, args),
        Command::Doctor(args) => doctor::run(context, args),
        Command::Drill(args) => drill::run(context, args),
        Command::Schedule(args) => schedule::run(context, args),
        Command::Transfer(args) => transfer::run(context, args),
        Command::Datasource(args) => datasource::run(context, args),
        Command::Config(args) => config::run(context, args),
        Command::Completions(args) => Ok(completions::run(context, args, cli::tree())),
        Command::Man(args) => man::run(context, args, cli::tree()),
    }
}
