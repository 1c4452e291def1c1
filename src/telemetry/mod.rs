//! Log lines, metrics, and what a worker is doing now. This module only listens to events; it changes nothing.

pub mod doors;
pub mod generate;
pub mod ingest;
pub mod log;
mod logfmt;
pub mod metrics;
pub mod schedule;
pub mod traces;
pub mod transfer;
