//! The commit: bodies, sync, journal line, sync, headers. In this order, always.
//!
//! 1. Every file's new bytes at their own offsets, then `fdatasync` of every file, side by side.
//! 2. One journal line per page, then `fdatasync`: **the commit point**. Before it nothing has happened.
//! 3. Headers, in place. They only ever claim what is already durable.

use super::record::Recorder;
use super::staging::{Staged, Staging};
use super::translate_pages::{FileChunk, Translated};
use super::{GenerateError, Job, Ports};
use crate::core::failpoints::crash::crash_point;
use crate::core::failpoints::planted::planted;
use crate::core::generate::event::GenerateEvent;
use crate::core::generate::model::header::Header;
use crate::core::generate::model::journal::{Entry, FileCommit, PageCommit};
use crate::core::model::term::Term;
use crate::core::ports::volume::VolumeError;
use futures_util::future::try_join_all;
use std::time::Duration;
use tokio::sync::mpsc;

/// Commits pages to the staged files.
pub(super) struct Committer<'a> {
    ports: &'a Ports,
    job: &'a Job,
    term: &'a Term,
    staging: Staging,
    recorder: Recorder<'a>,
}

impl<'a> Committer<'a> {
    /// Goes on behind what is durable in `staging`.
    pub(super) fn new(ports: &'a Ports, job: &'a Job, term: &'a Term, staging: Staging) -> Self {
        Self { ports, job, term, staging, recorder: Recorder::new(ports, job, term) }
    }

    /// Commits pages until no more come. Returns the files, positioned behind the last page.
    ///
    /// # Errors
    /// When a write or sync fails, which ends the term; or when the term has ended.
    pub(super) async fn commit(mut self, mut pages: mpsc::Receiver<Translated>) -> Result<Staging, GenerateError> {
        while let Some(first) = pages.recv().await {
            let group = self.gather(first, &mut pages).await;
            let started = self.ports.clock.elapsed();
            self.commit_group(group).await?;
            let took = self.ports.clock.elapsed().saturating_sub(started);
            self.report(took);
            self.recorder.progress(&self.staging).await?;
        }
        Ok(self.staging)
    }

    /// The pages of one commit: those that are ready, and those that come within the interval, up to the limit.
    async fn gather(&self, first: Translated, pages: &mut mpsc::Receiver<Translated>) -> Vec<Translated> {
        let limit = self.job.worker.commit.pages.get() as usize;
        let interval = self.job.worker.commit.interval;
        let mut group = vec![first];
        if interval > Duration::ZERO {
            let mut time_is_up = self.ports.clock.sleep(interval);
            while group.len() < limit {
                tokio::select! {
                    biased;
                    () = &mut time_is_up => break,
                    page = pages.recv() => match page {
                        Some(page) => group.push(page),
                        None => break,
                    },
                }
            }
        }
        while group.len() < limit {
            match pages.try_recv() {
                Ok(page) => group.push(page),
                Err(_) => break,
            }
        }
        group
    }

    async fn commit_group(&mut self, group: Vec<Translated>) -> Result<(), GenerateError> {
        self.term.check()?;
        let mut commits = Vec::with_capacity(group.len());
        let mut pieces: Vec<Vec<FileChunk>> =
            self.staging.files.iter().map(|_| Vec::with_capacity(group.len())).collect();
        let mut budgets = Vec::with_capacity(group.len());
        let mut before = self.staging.last.clone();
        for page in group {
            let commit = next_commit(&self.staging, before.as_ref(), &page);
            before = Some(commit.clone());
            commits.push(commit);
            for (file, piece) in pieces.iter_mut().zip(page.files) {
                file.push(piece);
            }
            budgets.push(page.budget);
        }
        let Some(last) = before else { return Ok(()) };

        crash_point!("commit.begun");
        let writes = self.staging.files.iter().zip(pieces).map(|(file, pieces)| append(self, file, pieces));
        let took = try_join_all(writes).await?.into_iter().max().unwrap_or_default();
        self.job.observer.observe(&GenerateEvent::Synced { took });
        drop(budgets);
        crash_point!("commit.synced");
        if planted("header first") {
            self.advance(last.clone());
            self.write_headers().await?;
        }
        let entries: Vec<Entry> = commits.into_iter().map(Entry::Page).collect();
        self.staging.journal.append(self.term, &entries).await?;
        crash_point!("journal.synced");
        self.advance(last);
        self.write_headers().await?;
        crash_point!("header.written");
        Ok(())
    }

    async fn write_headers(&self) -> Result<(), VolumeError> {
        let page = self.staging.page();
        let headers = self.staging.files.iter().map(|file| {
            let header = Header { page, rows: file.commit.rows };
            file.write_header(self.term, header)
        });
        try_join_all(headers).await.map(drop)
    }

    fn advance(&mut self, last: PageCommit) {
        let token = self.term.token().0;
        if self.staging.tokens.last() != Some(&token) {
            self.staging.tokens.push(token);
        }
        for (file, commit) in self.staging.files.iter_mut().zip(&last.files) {
            file.commit = commit.clone();
        }
        self.staging.last = Some(last);
    }

    fn report(&self, took: Duration) {
        let staging = &self.staging;
        self.job.observer.observe(&GenerateEvent::Committed {
            page: staging.page(),
            source_rows: staging.source_rows(),
            rows: staging.files.iter().map(|file| file.commit.rows).collect(),
            bytes: staging.files.iter().map(|file| file.commit.bytes).collect(),
            took,
        });
    }
}

/// The journal's line for a page that follows `before`.
fn next_commit(staging: &Staging, before: Option<&PageCommit>, page: &Translated) -> PageCommit {
    let files = page.files.iter().enumerate().map(|(index, piece)| {
        let file = &staging.files[index];
        let so_far = before.and_then(|before| before.files.get(index)).unwrap_or(&file.commit);
        let mut replaced = so_far.replaced.clone();
        replaced.add(&piece.replaced);
        FileCommit {
            rows: so_far.rows + piece.records,
            bytes: so_far.bytes + piece.bytes.len() as u64,
            sum: piece.sum.clone(),
            totals: piece.totals.clone(),
            replaced,
        }
    });
    PageCommit {
        page: before.map_or(1, |before| before.page + 1),
        source_rows: before.map_or(0, |before| before.source_rows) + page.source_rows,
        key: page.key.clone(),
        columns: page.columns.clone(),
        files: files.collect(),
    }
}

/// Writes one file's pieces behind each other and makes them durable; how long the latter took.
async fn append(committer: &Committer<'_>, file: &Staged, pieces: Vec<FileChunk>) -> Result<Duration, VolumeError> {
    let (term, clock) = (committer.term, &committer.ports.clock);
    let mut offset = file.commit.bytes;
    for piece in pieces {
        let length = piece.bytes.len() as u64;
        if length > 0 {
            file.handle.write_at(term, offset, piece.bytes).await.1?;
        }
        offset += length;
    }
    crash_point!("commit.written");
    let written = clock.elapsed();
    let synced = file.handle.sync_data(term).await;
    if planted("sync tried again") && synced.is_err() {
        file.handle.sync_data(term).await?;
        return Ok(Duration::ZERO);
    }
    synced?;
    Ok(clock.elapsed().saturating_sub(written))
}
