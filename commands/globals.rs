//! Options of every command.

use clap::{ArgAction, Args, ValueEnum};
use std::path::PathBuf;

/// Options of every command.
#[derive(Args, Debug, Clone, Default)]
#[command(next_help_heading = "Global options")]
pub struct Globals {
    /// Worker file (YAML)
    #[arg(short, long, global = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub config: Vec<PathBuf>,
    /// Form of the result on stdout
    #[arg(long, global = true, value_name = "table|json", default_value = "table", hide_possible_values = true)]
    pub output: Format,
    /// When to use colour; NO_COLOR turns it off too
    #[arg(long, global = true, value_name = "auto|always|never", default_value = "auto", hide_possible_values = true)]
    pub color: When,
    /// Print results and errors only: no progress
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Log to stderr: -v what happens, -vv more, -vvv all
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Form of log lines: for people, key=value, or JSON [default: text; kv in the daemon]
    #[arg(long, global = true, value_name = "text|kv|json", hide_possible_values = true)]
    pub log_format: Option<LogFormat>,
}

/// Form of a result on stdout.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// One JSON document on one line.
    Json,
}

/// When to do something that depends on a terminal.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum When {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// In any case.
    Always,
    /// In no case.
    Never,
}

/// Form of log lines.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogFormat {
    /// For people.
    Text,
    /// `key=value`, as Splunk reads it.
    Kv,
    /// One JSON object a line.
    Json,
}
