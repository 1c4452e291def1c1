//! The flow ingest: events into tables, each effect once; what cannot be a row goes to a queue of dead letters with its reason.
//!
//! `document` reads JSON, `convert` makes typed values of it, `decode` makes a row of an event, `fold` makes one change of several
//! events of one row, `service` moves batches from the log to the sink, `relay` moves dead letters from the sink's outbox to the
//! queue, and `replay` plans and applies what a person wants done with the queue.

pub mod convert;
pub mod decode;
pub mod doctor;
mod document;
pub mod error;
pub mod event;
pub mod fold;
pub mod health;
pub mod keep;
pub mod plan;
pub mod relay;
pub mod replay;
pub mod sample;
pub mod service;
pub mod spec;
