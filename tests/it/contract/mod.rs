//! One suite per port, over every adapter.

mod audit;
mod consumer;
mod data_sources;
mod dead_letters;
mod deliveries;
mod due;
mod file_broker;
mod file_target;
mod handover;
mod inbox;
mod leases;
mod ledger;
mod outbox;
mod producer;
mod queue;
mod runs;
mod schedules;
mod source;
mod sql_sink;
pub(crate) mod transfer_ledger;
mod volume;
mod worker_clocks;
