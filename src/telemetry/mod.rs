//! What is said about the work while it is done: log lines, metrics, health, and a page for people.

pub mod deadline;
pub mod dependencies;
pub mod generate;
pub mod log;
mod logfmt;
pub mod metrics;
mod page;
pub mod server;

/// A moment to the second, in UTC: `2026-11-21T14:09:08Z`, as tables, status page and health show it.
pub fn moment(at: jiff::Timestamp) -> String {
    at.strftime("%FT%TZ").to_string()
}
