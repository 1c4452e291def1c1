//! Checks that several flows share: the output volume, the state store, the topics. Each takes its parts and adds its
//! findings to a `report::Report`. No check knows a flow.

pub(crate) mod doors;
mod fencing;
pub(crate) mod permissions;
mod probe;
pub mod report;
pub(crate) mod state;
#[cfg(test)]
mod tests;
pub mod topics;
pub mod volume;

pub use state::{Fix, INDEXES, fix};
