//! One run of a worker as a process of its own, which may be killed on its way.

use crate::core::kind::{FailureKind, HasKind};
use async_trait::async_trait;

/// What a process of a drill does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Task {
    /// Makes the run, or goes on with it.
    Run,
    /// Makes the published date again, as its next version.
    Correct,
}

impl Task {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Correct => "correct",
        }
    }

    /// What the word stands for.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Run, Self::Correct].into_iter().find(|task| task.as_str() == word)
    }
}

/// Runs processes.
#[async_trait]
pub trait DrillRunner: Send + Sync {
    /// Does the task with `root` as its output root (relative to the worker's own), to its end, or kills it when it is
    /// about to make its `kill_before`th change on the volume, from 1.
    async fn run(&self, task: Task, root: &str, kill_before: Option<u64>) -> Result<ProcessExit, DrillRunnerError>;
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
