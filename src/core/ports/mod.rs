//! What the core needs of the world, as traits. Their promises stand in their docs, and `tests/it/contract` holds
//! every adapter to them.

pub mod admin;
pub mod audit;
pub mod broker;
pub mod clock;
pub mod consumer;
pub mod data_sources;
pub mod dead_letters;
pub mod deliveries;
pub mod drill;
pub mod file_broker;
pub mod file_target;
pub mod filters;
pub mod folders;
pub mod handover;
pub mod inbox;
pub mod leases;
pub mod ledger;
pub mod observer;
pub mod outbox;
pub mod probe;
pub mod producer;
pub mod queue;
pub mod runs;
pub mod schedules;
pub mod source;
pub mod spans;
pub mod sql_sink;
pub mod state;
pub mod store;
pub mod table_reader;
pub mod transfer_ledger;
pub mod volume;
pub mod worker_clocks;
