//! The core, shared by the daemon and by every command. It has no vendor type, no terminal, no environment and no clock of its own.

pub mod backoff;
pub mod doctor;
pub mod election;
pub mod failpoints;
pub mod generate;
pub mod health;
pub mod ingest;
pub mod inlet;
pub mod kind;
pub mod model;
pub mod outbox;
pub mod ports;
pub mod schedule;
pub mod transfer;
