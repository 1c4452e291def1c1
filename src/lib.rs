//! `filegen` turns a SQL view into all of a worker's files in one read: durable, resumable, exactly once.

pub mod adapters;
#[path = "../commands/mod.rs"]
pub mod commands;
pub mod config;
pub mod core;
pub mod telemetry;
pub mod wiring;

pub use core::generate::translate::{Records, Registry, Rows, TranslateError, Translator};
