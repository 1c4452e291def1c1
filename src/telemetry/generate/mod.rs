//! The flow generate, observed: its events as log lines, as metrics, and as the state of each worker.

mod deliver;
mod health;
pub mod log;
pub mod metrics;
pub mod status;
