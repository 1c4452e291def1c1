//! Staged pages that do not count any more, and the first page again in the same files.

use super::{JournalFile, Staging};
use crate::core::generate::digest::FileDigest;
use crate::core::generate::model::header::Header;
use crate::core::generate::model::journal::{Begin, Entry, FileCommit, JournalWriter};
use crate::core::generate::plan::pages_of;
use crate::core::generate::{GenerateError, Job};
use crate::core::model::term::Term;

impl JournalFile {
    /// Empties the journal, durably: from then on nothing of what is staged counts, for this holder and for the next.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    async fn discard(&mut self, term: &Term) -> Result<(), GenerateError> {
        self.handle.set_size(term, 0).await?;
        self.handle.sync_data(term).await?;
        (self.bytes, self.writer) = (0, JournalWriter::default());
        Ok(())
    }
}

impl Staging {
    /// Empties the journal, durably: no staged page counts any more, and this holder names none.
    ///
    /// # Errors
    /// As [`JournalFile::append`].
    pub async fn discard(&mut self, term: &Term) -> Result<(), GenerateError> {
        self.journal.discard(term).await?;
        (self.last, self.columns) = (None, None);
        self.tokens.clear();
        for file in &mut self.files {
            file.commit = FileCommit { bytes: file.header_bytes, ..FileCommit::default() };
        }
        Ok(())
    }

    /// Begins again with the first page behind [`discard`](Self::discard), under the same term.
    ///
    /// # Errors
    /// When the volume refuses.
    pub async fn start_over(&mut self, job: &Job, term: &Term, begin: Begin) -> Result<(), GenerateError> {
        let pages = pages_of(begin.rows, job.worker.source.page_size.get());
        for (index, (file, spec)) in self.files.iter_mut().zip(&job.worker.files).enumerate() {
            file.handle.set_size(term, file.header_bytes).await?;
            file.write_header(term, Header { page: 0, rows: 0 }).await?;
            file.handle.sync_data(term).await?;
            let rows = begin.file_rows.get(index).copied().unwrap_or(0);
            file.digest = FileDigest::new(spec.progress_header.then_some(Header { page: pages, rows }));
        }
        self.journal.append(term, &[Entry::Begin(begin.clone())]).await?;
        self.begin = begin;
        Ok(())
    }
}
