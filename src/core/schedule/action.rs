//! What a due time does. The clockwork knows nothing of it but how it ended.

use crate::core::model::schedule::{Execution, Schedule};
use crate::core::model::term::Term;
use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

/// One execution that is under way.
#[derive(Clone, Debug)]
pub struct Firing {
    /// Of which schedule, as it was when it began.
    pub schedule: Schedule,
    /// Which due time.
    pub execution: Execution,
    /// The leader's right to write. Each effect checks it.
    pub term: Term,
    /// Cancelled when the process is to stop: what is in hand is finished, and no more begun.
    pub stop: CancellationToken,
}

/// What an execution did.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Done {
    /// Files that it looked at.
    pub files_seen: u64,
    /// Files that were told.
    pub files_new: u64,
    /// What else people should know.
    pub note: Option<String>,
}

/// Why an execution did not do what it is for.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ActionError {
    /// It failed.
    #[error("{reason}")]
    Failed {
        /// What, where, and what to do.
        reason: String,
        /// What it did all the same.
        done: Done,
    },
    /// It was stopped, or lost its right to write, before its end. Done again by the next leader.
    #[error("it was stopped before its end")]
    Interrupted,
}

impl ActionError {
    /// It failed, and has done nothing.
    pub fn failed(reason: impl Into<String>) -> Self {
        Self::Failed { reason: reason.into(), done: Done::default() }
    }
}

/// What a due time does. An execution may be done twice, after a leader has died in it: the second one does no harm.
#[async_trait]
pub trait Action: Send + Sync {
    /// Does it.
    ///
    /// # Errors
    /// When it did not succeed. Nothing outside of it is harmed by that.
    async fn run(&self, firing: &Firing) -> Result<Done, ActionError>;

    /// How many executions wait for something that does not answer: they keep no place from others.
    fn stalled(&self) -> usize {
        0
    }
}
