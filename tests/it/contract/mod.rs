//! One suite per port, over every adapter.

mod audit;
mod consumer;
mod dead_letters;
mod due;
mod leases;
mod outbox;
mod producer;
mod queue;
mod runs;
mod schedules;
mod source;
mod sql_sink;
mod volume;
