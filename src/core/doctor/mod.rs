//! Checks that several flows share: the output volume, the state store, the topics. Each takes its parts and adds its
//! findings to a `report::Report`. No check knows a flow.

mod fencing;
pub mod report;
pub(crate) mod state;
#[cfg(test)]
mod tests;
pub mod topics;
pub(crate) mod volume;

pub use state::{Fix, INDEXES, fix};

use crate::core::ports::volume::Volume;
use report::{CheckResult, Report};

/// Tries on a volume everything that the commit protocol relies on, in a folder named after `name`, and removes it.
pub async fn examine_volume(volume: &dyn Volume, name: &str) -> Vec<CheckResult> {
    let mut report = Report::new(&|_| {});
    volume::check(volume, name, &mut report).await;
    report.found
}
