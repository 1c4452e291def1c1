//! Every port in memory: real adapters, always compiled, for tests, smoke runs and the simulation.

pub mod admin;
pub mod broker;
pub mod clock;
pub mod source;
pub mod state;
pub mod volume;
