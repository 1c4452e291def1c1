//! The flow, in the order data moves: plan, read, translate, write, publish, announce.

pub mod translate;

use crate::core::model::manifest::Manifest;
use crate::core::model::run::RunId;
use crate::core::model::spec::Worker;
use crate::core::model::term::{Term, TermEnded};
use crate::core::ports::clock::Clock;
use crate::core::ports::leases::{LeaseStore, StoreError};
use crate::core::ports::observer::Observer;
use crate::core::ports::runs::RunStore;
use crate::core::ports::source::{PageSource, SourceError};
use crate::core::ports::volume::{Volume, VolumeError};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use translate::Registry;

/// Everything a flow may reach. Built once per worker, in `wiring`.
#[derive(Clone)]
pub struct Ports {
    /// The view.
    pub source: Arc<dyn PageSource>,
    /// The output root.
    pub volume: Arc<dyn Volume>,
    /// Who may write.
    pub leases: Arc<dyn LeaseStore>,
    /// What has been done.
    pub runs: Arc<dyn RunStore>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// One generation to be made.
pub struct Job {
    /// What to make.
    pub worker: Arc<Worker>,
    /// For which day.
    pub run: RunId,
    /// Translators that worker files may name.
    pub registry: Arc<Registry>,
    /// Where to begin.
    pub start: Start,
    /// Looked at between pages: finish the commit in hand and return [`Outcome::Stopped`].
    pub stop: CancellationToken,
    /// Who watches.
    pub observer: Arc<dyn Observer>,
}

/// Where to begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Start {
    /// Behind the last committed page.
    #[default]
    Resume,
    /// With this page, from 1: later ones are rolled back. An error when fewer pages are committed.
    FromPage(u64),
    /// With page 1: whatever is staged is thrown away.
    Anew,
}

/// How a generation ended without an error.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// All files and the manifest are visible.
    Published(Manifest),
    /// They were already; nothing was done.
    AlreadyPublished(Manifest),
    /// Asked to stop; this page is the last durable one.
    Stopped {
        /// Last durable page; 0 when none is.
        page: u64,
    },
}

/// Why a generation ended.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum GenerateError {
    /// The source did not deliver.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The volume did not do as told.
    #[error(transparent)]
    Volume(#[from] VolumeError),
    /// The state store did not do as told.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The right to write has ended.
    #[error(transparent)]
    TermEnded(#[from] TermEnded),
    /// A value cannot be written as the file demands.
    #[error("file {file}{}: {reason}", row.as_ref().map(|key| format!(", row with key {key}")).unwrap_or_default())]
    Data {
        /// Which file.
        file: String,
        /// The key of the row to blame.
        row: Option<String>,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A file of another content is already there under the final name.
    #[error("`{path}` is already there and differs from what this run would publish: {reason}")]
    Conflict {
        /// Relative to the output root.
        path: String,
        /// In what.
        reason: String,
    },
    /// What is staged does not fit what is asked.
    #[error("{reason}")]
    Staged {
        /// What does not fit, and what to do.
        reason: String,
    },
}

/// Makes all files of one run under `term`: takes over what older holders committed, goes on behind it, publishes.
///
/// # Errors
/// What ended it; everything committed so far stays and is taken over by the next call.
pub async fn generate(ports: &Ports, job: &Job, term: &Term) -> Result<Outcome, GenerateError> {
    let _ = (ports, job, term);
    todo!()
}
