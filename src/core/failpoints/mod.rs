//! Places where a test steps in: named points that end the process, and faults planted on purpose. A release has neither.

pub(crate) mod crash;
pub mod planted;
