//! Pages read again, translated again, and compared with what stands in the files.

use super::difference::{first_difference, record_at};
use super::{Reread, Unanswered, Verification, Verified};
use crate::core::generate::GenerateError;
use crate::core::generate::inspect::find::{Folder, Run};
use crate::core::generate::inspect::{Check, CheckOutcome, FoundAt};
use crate::core::generate::model::header::HEADER_BYTES;
use crate::core::generate::model::journal::{Begin, Complete, FileCommit, PageCommit};
use crate::core::generate::plan::Plan;
use crate::core::generate::spec::FileSpec;
use crate::core::model::page::Page;
use crate::core::model::param::Params;
use crate::core::model::query::Fetch;
use crate::core::ports::source::{PageStream, Position, SourceError};
use crate::core::ports::volume::{VolumeError, VolumeFile};
use std::sync::Arc;

/// What is checked, in tables and JSON.
const WHAT: &str = "pages";

/// Compares the pages that were asked for, and what stands around them: first and last record. A correction of some files leaves the
/// others as an earlier version made them: each is compared by the journal of its own version.
///
/// # Errors
/// When the volume cannot be read, or a translator cannot be made.
pub(super) async fn compare(
    verification: &Verification<'_>,
    run: &Run,
    verified: &mut Verified,
) -> Result<(), GenerateError> {
    let Some(manifest) = &run.manifest else {
        let all: Vec<String> = verified.files.iter().map(|file| file.file.clone()).collect();
        return by_journal(verification, run, run.folders.first(), &all, verified).await;
    };
    let made =
        |id: &str| manifest.files.iter().find(|file| file.id == id).map_or(manifest.version, |file| file.version);
    let mut versions: Vec<u32> = verified.files.iter().map(|file| made(&file.file)).collect();
    versions.sort_unstable();
    versions.dedup();
    for version in versions {
        let ids = verified
            .files
            .iter()
            .filter(|file| made(&file.file) == version)
            .map(|file| file.file.clone())
            .collect::<Vec<_>>();
        let folder = if version == manifest.version { run.published_from() } else { run.made_from(version) };
        by_journal(verification, run, folder, &ids, verified).await?;
    }
    Ok(())
}

/// Compares some files by the journal that speaks of them.
async fn by_journal(
    verification: &Verification<'_>,
    run: &Run,
    folder: Option<&Folder>,
    ids: &[String],
    verified: &mut Verified,
) -> Result<(), GenerateError> {
    let Some((folder, begin)) = folder.and_then(|folder| Some((folder, folder.journal.begin()?))) else {
        unchecked(verified, ids, "the run's journal, which says where each page stands, is not there or not readable");
        return Ok(());
    };
    let mut worker = verification.worker.clone();
    if begin.correction.is_some() {
        // Of some files, perhaps: its journal speaks of these alone.
        worker.files.retain(|file| begin.files.iter().any(|made| made == file.id.as_str()));
    }
    let mut plan = Plan::new(&worker, verification.registry, &begin.params)?;
    let verification = &Verification { worker: &worker, ..*verification };
    if let Err(error) = plan.check_fit(&folder.journal, begin, &run.id, verification.worker) {
        unchecked(verified, ids, &error.to_string());
        return Ok(());
    }
    let commits: Vec<&PageCommit> = folder.journal.pages().collect();
    plan.query.kinds = commits.first().and_then(|first| first.columns.clone());
    let mut again = Again::open(verification, run, &plan, (folder, begin), ids, verified).await?;
    let chosen = chosen(verification.reread, commits.len());
    for (done, &index) in chosen.iter().enumerate() {
        let (before, commit) = (index.checked_sub(1).and_then(|before| commits.get(before)).copied(), commits[index]);
        match again.page(before, commit).await? {
            Ok(()) => verified.pages_compared += 1,
            Err(error) => {
                verified.unanswered.push(Unanswered::from(&error));
                again.not_read(commit.page, &error);
                break;
            }
        }
        (verification.progress)(done as u64 + 1, chosen.len() as u64);
    }
    if let Some(complete) = folder.journal.complete() {
        again.tails(commits.last().copied(), complete).await?;
    }
    again.finish(verified);
    Ok(())
}

/// Indices of the pages to compare: spread evenly, the first and the last among them.
fn chosen(reread: Reread, pages: usize) -> Vec<usize> {
    let wanted = match reread {
        Reread::None => 0,
        Reread::Pages(wanted) => usize::try_from(wanted.get()).unwrap_or(usize::MAX).min(pages),
        Reread::All => pages,
    };
    match wanted {
        0 => Vec::new(),
        // One page cannot be both; the last one stands on all before it.
        1 => vec![pages - 1],
        _ => (0..wanted).map(|index| index * (pages - 1) / (wanted - 1)).collect(),
    }
}

fn unchecked(verified: &mut Verified, ids: &[String], why: &str) {
    for file in verified.files.iter_mut().filter(|file| ids.contains(&file.file)) {
        file.checks.push(Check::unchecked(WHAT, why));
    }
}

/// The files under comparison.
struct Again<'a> {
    verification: &'a Verification<'a>,
    params: Params,
    query: crate::core::ports::source::Query,
    run: &'a Run,
    begin: &'a Begin,
    files: Vec<Compared<'a>>,
}

struct Compared<'a> {
    spec: &'a FileSpec,
    index: usize,
    handle: Option<Arc<dyn VolumeFile>>,
    outcome: CheckOutcome,
}

impl<'a> Again<'a> {
    async fn open(
        verification: &'a Verification<'a>,
        run: &'a Run,
        plan: &Plan,
        (folder, begin): (&Folder, &'a Begin),
        ids: &[String],
        verified: &Verified,
    ) -> Result<Self, GenerateError> {
        let mut files = Vec::new();
        for spec in verification.worker.files.iter().filter(|spec| ids.iter().any(|id| id == spec.id.as_str())) {
            let Some(index) = folder.index_of(spec.id.as_str()) else { continue };
            let path =
                verified.files.iter().find(|file| file.file == spec.id.as_str() && file.place != FoundAt::Linked);
            let handle = match path {
                Some(file) => match verification.ports.volume.open(&file.path).await {
                    Ok(handle) => Some(handle),
                    Err(VolumeError::NotFound { .. }) => None,
                    Err(error) => return Err(error.into()),
                },
                None => None,
            };
            files.push(Compared { spec, index, handle, outcome: CheckOutcome::Same });
        }
        Ok(Self { verification, params: plan.params.clone(), query: plan.query.clone(), run, begin, files })
    }

    /// Reads one page again and compares it with what every file holds. Returns the source's error when it does not deliver.
    async fn page(
        &mut self,
        before: Option<&PageCommit>,
        commit: &PageCommit,
    ) -> Result<Result<(), SourceError>, GenerateError> {
        let rows = commit.source_rows.saturating_sub(before.map_or(0, |before| before.source_rows));
        let pages = match self.read(before, commit, rows).await {
            Ok(pages) => pages,
            Err(error) => return Ok(Err(error)),
        };
        let mut plan = Plan::new(self.verification.worker, self.verification.registry, &self.params)?;
        for file in &mut self.files {
            let Some(handle) = file.handle.clone().filter(|_| file.outcome == CheckOutcome::Same) else { continue };
            let Some(pipeline) = plan.files.get_mut(file.index) else { continue };
            let stood = before.and_then(|before| before.files.get(file.index));
            let Some(stands) = commit.files.get(file.index) else { continue };
            let mut bytes = Vec::new();
            let mut first = 0;
            if before.is_none() {
                match first_record(pipeline, self.run, self.begin, file.index) {
                    Ok(record) => {
                        first = record.len();
                        bytes.extend(record);
                    }
                    Err(reason) => {
                        file.outcome =
                            CheckOutcome::Differs(format!("the first record cannot be made again: {reason}"));
                        continue;
                    }
                }
            }
            match translated(pipeline, &self.query, &pages, stood) {
                Ok(again) => bytes.extend(again),
                Err(reason) => {
                    let text = format!("page {} cannot be translated again: {reason}", commit.page);
                    file.outcome = CheckOutcome::Differs(text);
                    continue;
                }
            }
            let from = stood.map_or_else(|| header_bytes(file.spec), |stood| stood.bytes);
            let length = usize::try_from(stands.bytes.saturating_sub(from)).unwrap_or(usize::MAX);
            // A little more than there should be: a journal made by hand may speak of terabytes.
            let found = handle.read_at(from, length.min(bytes.len() + 4096)).await?;
            if let Some(difference) = first_difference(&found, &bytes) {
                let record = record_at(file.spec, &bytes, first, stood.map_or(0, |stood| stood.rows), difference.at);
                file.outcome =
                    CheckOutcome::Differs(difference.describe(&format!("page {}", commit.page), from, &record));
            }
        }
        Ok(Ok(()))
    }

    /// The rows that a page was made of; a little more where the view has grown among them, which is then a difference. By
    /// row number, what has come behind the last of them is none.
    async fn read(
        &self,
        before: Option<&PageCommit>,
        commit: &PageCommit,
        rows: u64,
    ) -> Result<Vec<Page>, SourceError> {
        let key = |commit: &PageCommit| Some(commit.key.clone()).filter(|key| !key.0.is_empty());
        let from = Position { after: before.and_then(key), rows: before.map_or(0, |before| before.source_rows) };
        let until = key(commit);
        let mut stream: Box<dyn PageStream> =
            self.verification.ports.source.open(&self.query, &from, until.as_ref()).await?;
        let mut pages = Vec::new();
        let mut seen = 0;
        while seen < rows || until.is_some() && self.query.fetch != Fetch::Offset && seen <= rows {
            let Some(page) = stream.next().await? else { break };
            let page = if self.query.fetch == Fetch::Offset { page.first(rows - seen) } else { page };
            seen += page.rows();
            pages.push(page);
        }
        Ok(pages)
    }

    /// Compares what stands behind the last page: the last record, and the first where there was no page.
    async fn tails(&mut self, last: Option<&PageCommit>, complete: &Complete) -> Result<(), GenerateError> {
        let plan = Plan::new(self.verification.worker, self.verification.registry, &self.params)?;
        for file in &mut self.files {
            let Some(handle) = file.handle.clone().filter(|_| file.outcome == CheckOutcome::Same) else { continue };
            let Some(pipeline) = plan.files.get(file.index) else { continue };
            let none = FileCommit { bytes: header_bytes(file.spec), ..FileCommit::default() };
            let commit = last.and_then(|last| last.files.get(file.index)).unwrap_or(&none);
            let ended = complete.files.get(file.index).filter(|_| last.is_none());
            let totals = ended.map_or(&commit.totals, |ended| &ended.totals);
            let first =
                if last.is_none() { first_record(pipeline, self.run, self.begin, file.index) } else { Ok(Vec::new()) };
            let record =
                pipeline.translator.last_record(&self.run.id, commit.rows, totals).map_err(|error| error.reason);
            let bytes = match first.and_then(|first| Ok([first, record?.unwrap_or_default()].concat())) {
                Ok(bytes) => bytes,
                Err(reason) => {
                    file.outcome = CheckOutcome::Differs(format!("the last record cannot be made again: {reason}"));
                    continue;
                }
            };
            let size = handle.size().await?;
            let length = usize::try_from(size.saturating_sub(commit.bytes)).unwrap_or(usize::MAX);
            let found = handle.read_at(commit.bytes, length.min(bytes.len() + 4096)).await?;
            if let Some(difference) = first_difference(&found, &bytes) {
                file.outcome = CheckOutcome::Differs(difference.describe(
                    "behind the last page",
                    commit.bytes,
                    "in the last record",
                ));
            }
        }
        Ok(())
    }

    fn not_read(&mut self, page: u64, error: &SourceError) {
        for file in self.files.iter_mut().filter(|file| file.outcome == CheckOutcome::Same) {
            let text = format!("page {page} could not be read again: {error}");
            file.outcome = match error {
                SourceError::Changed { .. } | SourceError::Key { .. } | SourceError::Value { .. } => {
                    CheckOutcome::Differs(text)
                }
                SourceError::Unreachable { .. }
                | SourceError::Absent { .. }
                | SourceError::Denied { .. }
                | SourceError::Refused { .. }
                | SourceError::Failed { .. } => CheckOutcome::Unchecked(text),
            };
        }
    }

    fn finish(self, verified: &mut Verified) {
        for file in self.files {
            let Some(entry) = verified.files.iter_mut().find(|entry| entry.file == file.spec.id.as_str()) else {
                continue;
            };
            if file.handle.is_some() {
                entry.checks.push(Check { what: WHAT, outcome: file.outcome });
            }
        }
    }
}

fn header_bytes(spec: &FileSpec) -> u64 {
    if spec.progress_header { HEADER_BYTES as u64 } else { 0 }
}

fn first_record(
    pipeline: &crate::core::generate::plan::FilePlan,
    run: &Run,
    begin: &Begin,
    index: usize,
) -> Result<Vec<u8>, String> {
    let rows = begin.file_rows.get(index).copied().unwrap_or(0);
    let totals = begin.first_totals.get(index).cloned().unwrap_or_default();
    let record = pipeline.translator.first_record(&run.id, rows, &totals);
    record.map(Option::unwrap_or_default).map_err(|error| error.reason)
}

fn translated(
    pipeline: &mut crate::core::generate::plan::FilePlan,
    query: &crate::core::ports::source::Query,
    pages: &[Page],
    stood: Option<&FileCommit>,
) -> Result<Vec<u8>, String> {
    let columns = query.kinds.clone().unwrap_or_default();
    let mask = pipeline.predicate.map(|index| columns.len() + index);
    let totals = stood.map(|stood| stood.totals.clone()).unwrap_or_default();
    pipeline.translator.bind(&columns, mask, &totals).map_err(|error| error.reason)?;
    let mut bytes = Vec::new();
    for page in pages {
        let again = pipeline.translator.translate(page, Vec::new()).map_err(|error| error.reason)?;
        bytes.extend(again.bytes);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU64;

    #[test]
    fn chosen_pages_are_spread_and_hold_the_first_and_the_last() {
        let pages = |wanted: u64, pages| chosen(Reread::Pages(NonZeroU64::new(wanted).unwrap()), pages);
        assert_eq!(pages(3, 101), [0, 50, 100]);
        assert_eq!(pages(2, 10), [0, 9]);
        assert_eq!(pages(1, 10), [9]);
        assert_eq!(pages(7, 3), [0, 1, 2]);
        assert_eq!(pages(7, 0), [] as [usize; 0]);
        assert_eq!(chosen(Reread::All, 3), [0, 1, 2]);
    }
}
