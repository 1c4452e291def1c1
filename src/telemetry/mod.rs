//! What is said about the work while it is done: log lines, metrics, health, and a page for people.

pub mod deadline;
pub mod dependencies;
pub mod live;
pub mod log;
mod logfmt;
pub mod metrics;
mod page;
pub mod server;
