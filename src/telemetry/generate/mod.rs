//! The flow that makes files, as it is watched: its events as log lines, as metrics, and as what a worker is doing now.

mod health;
pub mod log;
pub mod metrics;
pub mod status;
