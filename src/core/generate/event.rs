//! The events of a run: its steps, and how it ended.

use crate::core::election::ElectionEvent;
use crate::core::model::names::FileId;
use crate::core::model::run::RunId;
use crate::core::model::term::Token;
use crate::core::ports::observer::{Observer, Retrying};
use std::time::Duration;

/// Observes a whole run: the lease that it needs, the source's retries, and the run's own steps.
pub trait RunObserver: Observer<ElectionEvent> + Observer<Retrying> + Observer<GenerateEvent> {}

impl<T: Observer<ElectionEvent> + Observer<Retrying> + Observer<GenerateEvent>> RunObserver for T {}

/// What happened to a run.
#[derive(Clone, PartialEq, Debug)]
pub enum GenerateEvent {
    /// The view was counted, where it is to be, and pages are about to be read.
    Started {
        /// Which run.
        run: RunId,
        /// Rows the view holds now. `None` where it is not counted, here and below.
        rows: Option<u64>,
        /// Pages expected.
        pages: Option<u64>,
        /// Records expected in each file, in the worker file's order.
        files: Vec<(FileId, Option<u64>)>,
    },
    /// Committed pages of an earlier holder were taken over.
    Resumed {
        /// Whose pages.
        from: Token,
        /// Last page kept.
        page: u64,
        /// Records kept in each file.
        rows: Vec<u64>,
        /// Bytes kept in each file.
        bytes: Vec<u64>,
    },
    /// A page arrived from the source.
    Fetched {
        /// Its number, from 1.
        page: u64,
        /// Its rows.
        rows: u64,
        /// Time since it was asked for.
        took: Duration,
    },
    /// Written bytes were made durable.
    Synced {
        /// How long the slowest file took.
        took: Duration,
    },
    /// Pages up to this one are durable.
    Committed {
        /// Last durable page.
        page: u64,
        /// Source rows up to and with it.
        source_rows: u64,
        /// Records in each file so far.
        rows: Vec<u64>,
        /// Bytes of each file so far.
        bytes: Vec<u64>,
        /// How long the commit took.
        took: Duration,
    },
    /// A published file that the state store does not know is read, before its manifest is believed. The first comes with none
    /// of its bytes.
    Checked {
        /// Relative to the output root.
        path: String,
        /// Bytes read so far.
        done: u64,
        /// Its size.
        bytes: u64,
    },
    /// A file is visible under its final name.
    Published {
        /// Which file.
        file: FileId,
        /// Relative to the output root.
        path: String,
        /// Its records.
        rows: u64,
        /// Its size.
        bytes: u64,
    },
    /// All files of a run and its manifest are visible.
    Done {
        /// Which run.
        run: RunId,
        /// Rows of the source.
        rows: u64,
        /// Since the run's first page was begun, by whichever holder.
        took: Duration,
    },
    /// A run ended without its files. Committed pages stay.
    Failed {
        /// Which run.
        run: RunId,
        /// Why.
        error: String,
        /// When the same holder tries again. `None` when it does not.
        again_in: Option<Duration>,
    },
    /// Something a person should know; the run goes on.
    Warning {
        /// What, where, and what was done about it.
        text: String,
    },
}
