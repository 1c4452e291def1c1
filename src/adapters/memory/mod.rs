//! The ports in memory: real adapters, always compiled, for tests, smoke runs and the simulation. `tests/it/tidy/ports.rs` lists the
//! ports that have none.

pub mod admin;
pub mod broker;
pub mod clock;
mod data_sources;
pub mod file_broker;
pub mod file_target;
pub mod folders;
pub mod inbox;
mod ledger;
pub mod queue;
pub mod schedules;
pub mod source;
pub mod sql_sink;
pub mod state;
pub mod table_reader;
pub mod transfers;
pub mod volume;
