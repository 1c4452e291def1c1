//! The ports in memory: real adapters, always compiled, for tests, smoke runs and the simulation. `tests/it/tidy/ports.rs` lists the
//! ports that have none.

pub mod admin;
pub mod arrivals;
pub mod broker;
pub mod clock;
mod data_sources;
mod deliveries;
pub mod file_broker;
pub mod file_target;
pub mod filters;
pub mod folders;
pub mod handover;
pub mod inbox;
mod ledger;
pub mod queue;
pub mod schedules;
pub mod source;
pub mod spans;
pub mod sql_sink;
pub mod state;
pub mod table_reader;
pub mod transfers;
pub mod volume;
mod worker_clocks;

use crate::core::ports::store::{Found, Page};

/// The first `most` records in the order of their ids, as a page.
fn page<T>(records: Vec<T>, most: usize, id: impl Fn(&T) -> String) -> Page<T> {
    let next = records.last().filter(|_| records.len() >= most).map(id);
    Page { found: Found { records, odd: Vec::new() }, next }
}
