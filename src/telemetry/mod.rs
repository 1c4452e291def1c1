//! What is said about the work while it is done: log lines, metrics, and what a worker is doing now. It only listens.

pub mod generate;
pub mod log;
mod logfmt;
pub mod metrics;
