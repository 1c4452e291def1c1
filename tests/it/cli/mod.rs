//! The command line as a user meets it: one file per subcommand.

mod asks;
mod causes;
mod changed;
mod completions;
mod config;
mod correct;
mod doctor;
mod doctor_volume;
mod drill;
mod foreign;
mod help;
mod inspect_headers;
mod lease;
mod marker;
mod names;
mod params;
mod permissions;
mod publish_completion;
mod resume;
mod run;
mod schedule;
mod status;
mod totals;
mod usage;
mod verify;
mod window;
