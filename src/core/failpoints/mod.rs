//! Places where a test steps in: named points that end the process, and faults planted on purpose. None is in a release.

pub(crate) mod crash;
pub mod planted;
