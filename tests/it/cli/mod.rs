//! The command line as a user meets it: one file per subcommand.

mod completions;
mod config;
mod doctor_volume;
mod help;
mod usage;
