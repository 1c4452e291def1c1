//! What a run tells whoever watches: a terminal's bars, a log, metrics. Watching never changes the run.

use crate::core::model::names::{FileId, InstanceId};
use crate::core::model::run::RunId;
use crate::core::model::term::Token;
use std::time::Duration;

/// Takes news of a run. Must return at once.
pub trait Observer: Send + Sync {
    /// One piece of news.
    fn observe(&self, news: &News);
}

/// What happened.
#[derive(Clone, PartialEq, Debug)]
pub enum News {
    /// Another instance holds the lease; this one waits.
    Waiting {
        /// Who holds it.
        holder: InstanceId,
        /// Its token.
        token: Token,
        /// Longest time until this one may take over.
        at_most: Duration,
    },
    /// The lease is ours.
    Leading {
        /// With this token.
        token: Token,
    },
    /// The holder was seen alive by the store.
    Renewed,
    /// The lease is no longer ours.
    Lost {
        /// Its token.
        token: Token,
        /// How that came.
        why: &'static str,
    },
    /// The lease was given back.
    Released {
        /// Its token.
        token: Token,
    },
    /// The view was counted and pages are about to be read.
    Started {
        /// Which run.
        run: RunId,
        /// Rows the view holds now.
        rows: u64,
        /// Pages expected.
        pages: u64,
        /// Records expected in each file, in the worker file's order.
        files: Vec<(FileId, u64)>,
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
    /// Something a person should know; the run goes on.
    Warning {
        /// What, where, and what was done about it.
        text: String,
    },
    /// A passing fault; the same is tried again.
    Retrying {
        /// What failed.
        reason: String,
        /// Which try comes next, from 1.
        attempt: u32,
        /// After this long.
        after: Duration,
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
    /// A run ended without its files; what is committed stays.
    Failed {
        /// Which run.
        run: RunId,
        /// Why.
        error: String,
        /// When the same holder tries again.
        again_in: Duration,
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
}

/// Watches nothing.
#[derive(Debug, Default, Clone, Copy)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn observe(&self, _: &News) {}
}
