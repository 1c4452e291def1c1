//! One run of a worker as a process of its own, which may be killed on its way.

use crate::core::kind::{FailureKind, HasKind};
use async_trait::async_trait;

/// Runs processes.
#[async_trait]
pub trait DrillRunner: Send + Sync {
    /// Runs the worker with `root` as its output root (relative to the worker's own), to its end, or kills it when it is
    /// about to make its `kill_before`th change on the volume, from 1.
    async fn run(&self, root: &str, kill_before: Option<u64>) -> Result<ProcessExit, DrillRunnerError>;
}

/// How a process ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProcessExit {
    /// The changes it was about to make, in order; all but the last are made. Each in two words: `sync journal`.
    pub changes: Vec<String>,
    /// Its exit code. `None` when it was killed.
    pub code: Option<i32>,
    /// What it said on stderr.
    pub said: String,
}

/// Why a process could not be run, or not watched to its end.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a run could not be tried: {reason}")]
pub struct DrillRunnerError {
    /// What went wrong.
    pub reason: String,
}

impl HasKind for DrillRunnerError {
    fn kind(&self) -> FailureKind {
        FailureKind::Failed
    }
}
