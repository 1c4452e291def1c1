//! The holder's own folder: staged files and journal, new or filled with what older holders committed.

mod start_over;

use super::digest::FileDigest;
use super::fence::{FencedTerm, read_journal};
use super::layout::JOURNAL;
use super::plan::{Plan, last_kept, pages_of};
use super::{GenerateError, Job, Ports, Start};
use crate::core::failpoints::crash::crash_point;
use crate::core::failpoints::planted::planted;
use crate::core::generate::event::GenerateEvent;
use crate::core::generate::model::header::{HEADER_BYTES, Header};
use crate::core::generate::model::journal::{Begin, Complete, Entry, FileCommit, Journal, JournalWriter, PageCommit};
use crate::core::generate::spec::FileSpec;
use crate::core::model::term::{Term, TermEnded};
use crate::core::ports::volume::{VolumeError, VolumeFile};
use std::sync::Arc;

/// Open files of the holder's own folder, each with the place where its next byte goes.
pub struct Staging {
    /// `.filegen/LoanWorker/20261121/t00000007`.
    pub dir: String,
    /// One per file, in the worker file's order.
    pub files: Vec<Staged>,
    /// The journal.
    pub journal: JournalFile,
    /// What the run set out to do.
    pub begin: Begin,
    /// The last durable page and what stands behind it. `None` before the first.
    pub last: Option<PageCommit>,
    /// Columns and kinds of the first page, once there was one.
    pub columns: Option<Vec<crate::core::model::column::Column>>,
    /// Tokens under which pages were committed so far.
    pub tokens: Vec<u64>,
    /// Set when an older holder had everything durable.
    pub complete: Option<Complete>,
}

/// One staged file.
pub struct Staged {
    /// Open for writing.
    pub handle: Arc<dyn VolumeFile>,
    /// Its path.
    pub path: String,
    /// Bytes of the header line: 32 or 0.
    pub header_bytes: u64,
    /// State behind the last durable page.
    pub commit: FileCommit,
    /// Digest of all bytes so far.
    pub digest: FileDigest,
}

/// The open journal.
pub struct JournalFile {
    handle: Arc<dyn VolumeFile>,
    bytes: u64,
    writer: JournalWriter,
}

impl JournalFile {
    /// Appends lines and makes them durable: the commit point.
    ///
    /// # Errors
    /// Any error ends the term's trust in this descriptor; see [`Staging::distrust`].
    pub async fn append(&mut self, term: &Term, entries: &[Entry]) -> Result<(), GenerateError> {
        let mut lines = Vec::new();
        for entry in entries {
            self.writer.append(entry, &mut lines).map_err(|error| GenerateError::Staged {
                reason: format!("a journal line cannot be written: {error}"),
            })?;
        }
        let length = lines.len() as u64;
        let (_, written) = self.handle.write_at(term, self.bytes, lines).await;
        written?;
        crash_point!("journal.written");
        self.handle.sync_data(term).await?;
        self.bytes += length;
        Ok(())
    }
}

impl Staged {
    /// Rewrites the header line in place, in one write. Durable with the next sync.
    ///
    /// # Errors
    /// When the volume refuses.
    pub async fn write_header(&self, term: &Term, header: Header) -> Result<(), VolumeError> {
        if self.header_bytes == 0 {
            return Ok(());
        }
        self.handle.write_at(term, 0, header.encode().to_vec()).await.1
    }
}

/// Bytes of a file's header line.
pub(super) fn header_bytes(spec: &FileSpec) -> u64 {
    if spec.progress_header { HEADER_BYTES as u64 } else { 0 }
}

/// Makes the folder and its files, takes over what is committed, and leaves everything in it durable.
///
/// `begin` asks the source what the view holds. It is only called for a run that starts from nothing. Returns `None` when `begin`
/// does.
///
/// # Errors
/// When staged work does not fit the worker file, or the volume or source refuses.
pub(super) async fn open<F, Fut>(
    ports: &Ports,
    job: &Job,
    term: &Term,
    plan: &Plan,
    dead: &[FencedTerm],
    begin: F,
) -> Result<Option<Staging>, GenerateError>
where
    F: FnOnce() -> Fut,
    Fut: Future<Output = Result<Option<Begin>, GenerateError>>,
{
    let best = choose(job, plan, dead)?;
    let kept = match &best {
        Some(dead) => last_kept(job.start, &dead.journal)?,
        None => last_kept(job.start, &Journal::default())?,
    };
    let begin = match best.and_then(|dead| dead.journal.begin()) {
        Some(begin) => begin.clone(),
        None => match begin().await? {
            Some(begin) => begin,
            None => return Ok(None),
        },
    };
    let mut staging = create(ports, job, term, begin, best.is_some()).await?;
    crash_point!("staging.created");
    if let Some(dead) = best {
        adopt(ports, job, term, &mut staging, dead, kept).await?;
    } else {
        let first = Entry::Begin(staging.begin.clone());
        staging.journal.append(term, &[first]).await?;
    }
    for file in &staging.files {
        let header = Header { page: staging.page(), rows: file.commit.rows };
        file.write_header(term, header).await?;
        file.handle.sync_data(term).await?;
    }
    ports.volume.sync_dir(term, &staging.dir).await?;
    ports.volume.sync_dir(term, &job.dir()).await?;
    crash_point!("staging.durable");
    Ok(Some(staging))
}

impl Staging {
    /// The last durable page; 0 before the first.
    pub fn page(&self) -> u64 {
        self.last.as_ref().map_or(0, |last| last.page)
    }

    /// Source rows behind the last durable page.
    pub fn source_rows(&self) -> u64 {
        self.last.as_ref().map_or(0, |last| last.source_rows)
    }
}

/// Ends the term when a write or sync has failed, or when a panic has left work under way in an unknown state. The kernel may have
/// dropped what it could not write. So nothing on these descriptors is trusted, and nothing is tried again. A later term starts from
/// the journal.
pub(super) fn distrust(term: &Term, error: &GenerateError) {
    if let GenerateError::Volume(VolumeError::Io { .. } | VolumeError::Full { .. }) | GenerateError::Panicked { .. } =
        error
    {
        term.end();
    }
}

/// What a holder set out to do that got as far as a journal of its own.
fn begin_of(dead: &FencedTerm) -> Option<&Begin> {
    dead.journal.begin().filter(|_| dead.journal.was_opened_by(dead.token.0))
}

/// What the newest of them set out to do: the run has begun.
pub(super) fn begun(dead: &[FencedTerm]) -> Option<&Begin> {
    dead.iter().find_map(begin_of)
}

/// The newest dead folder whose holder got as far as a journal of its own: that holder took over everything older that
/// was worth it. Says on the way what was found damaged.
fn choose<'a>(job: &Job, plan: &Plan, dead: &'a [FencedTerm]) -> Result<Option<&'a FencedTerm>, GenerateError> {
    if job.start == Start::FromStart {
        return Ok(None);
    }
    for dead in dead {
        let warn = |text| job.observer.observe(&GenerateEvent::Warning { text });
        let Some(begin) = begin_of(dead) else {
            if let Some(damage) = &dead.journal.damage {
                warn(format!("the journal of token {} cannot be used: {damage}", dead.token));
            } else if dead.has_files {
                // The key to go on behind stands in the journal alone; a guess could lose or double rows.
                warn(format!("token {} left files without a journal; they are not used", dead.token));
            }
            continue;
        };
        if let Some(damage) = &dead.journal.damage {
            let page = dead.journal.last_page().map_or(0, |last| last.page);
            warn(format!("the journal of token {} is damaged: {damage}; pages up to {page} are kept", dead.token));
        }
        plan.check_fit(&dead.journal, begin, &job.run, &job.worker)?;
        return Ok(Some(dead));
    }
    if dead.iter().any(|dead| dead.has_files) {
        let text = "nothing that was staged can be used; starting over with page 1".to_owned();
        job.observer.observe(&GenerateEvent::Warning { text });
    }
    Ok(None)
}

async fn create(ports: &Ports, job: &Job, term: &Term, begin: Begin, adopting: bool) -> Result<Staging, GenerateError> {
    let dir = job.staging_dir(term);
    match ports.volume.make_dir(term, &dir).await {
        Ok(()) => {}
        Err(VolumeError::Exists { .. }) => {
            // Only a newer holder puts a name there: our tombstone.
            term.end();
            return Err(TermEnded { token: term.token() }.into());
        }
        Err(error) => return Err(error.into()),
    }
    let pages = pages_of(begin.rows, job.worker.source.page_size.get());
    let mut files = Vec::new();
    for (index, spec) in job.worker.files.iter().enumerate() {
        let path = format!("{dir}/{}", spec.id);
        let handle = ports.volume.create(term, &if adopting { copy_of(&path) } else { path.clone() }).await?;
        let rows = begin.file_rows.get(index).copied().unwrap_or(0);
        let expected = spec.progress_header.then_some(Header { page: pages, rows });
        let header_bytes = header_bytes(spec);
        files.push(Staged {
            handle,
            path,
            header_bytes,
            commit: FileCommit { bytes: header_bytes, ..FileCommit::default() },
            digest: FileDigest::new(expected),
        });
    }
    let handle = ports.volume.create(term, &format!("{dir}/{JOURNAL}")).await?;
    let journal = JournalFile { handle, bytes: 0, writer: JournalWriter::default() };
    Ok(Staging { dir, files, journal, begin, last: None, columns: None, tokens: Vec::new(), complete: None })
}

/// Copies the committed prefix, journal first, and checks the copy: what does not match the journal's checksums is
/// not kept, in any file.
async fn adopt(
    ports: &Ports,
    job: &Job,
    term: &Term,
    staging: &mut Staging,
    dead: &FencedTerm,
    keep: u64,
) -> Result<(), GenerateError> {
    let mut cut = dead.journal.cut_after(keep, &dead.journal_bytes);
    let mut complete = dead.journal.complete().filter(|_| job.start == Start::Resume).cloned();
    for (index, file) in staging.files.iter().enumerate() {
        let from = format!("{}/{}", dead.dir, job.worker.files[index].id);
        let bytes = match (&complete, cut.last_page()) {
            _ if planted("copied too far") => u64::MAX,
            (Some(complete), _) => complete.files[index].bytes,
            (None, Some(last)) => last.files[index].bytes,
            (None, None) => break,
        };
        match ports.volume.copy_prefix(term, &from, &copy_of(&file.path), bytes).await {
            Ok(()) | Err(VolumeError::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    crash_point!("adopt.copied");
    let good = check_copies(staging, &cut).await?;
    if good < cut.last_page().map_or(0, |last| last.page) {
        job.observer.observe(&GenerateEvent::Warning {
            text: format!("staged bytes behind page {good} do not match the journal; going on from page {}", good + 1),
        });
        cut = dead.journal.cut_after(good, &dead.journal_bytes);
        check_copies(staging, &cut).await?;
    }
    for (index, file) in staging.files.iter_mut().enumerate() {
        if let Some(last) = cut.last_page() {
            file.commit = last.files[index].clone();
        }
    }
    staging.last = cut.last_page().cloned();
    if good < keep || !ends_are_whole(staging, complete.as_ref()).await? {
        complete = None;
    }
    if complete.is_some() && !planted("end forgotten") {
        // Files may be visible already: whoever comes after us must end with the very same bytes.
        cut = dead.journal.clone();
    }
    for (index, file) in staging.files.iter_mut().enumerate() {
        if planted("copied too far") {
            file.commit.bytes = file.handle.size().await?;
        }
        let bytes = complete.as_ref().map_or(file.commit.bytes, |complete| complete.files[index].bytes);
        file.handle.set_size(term, bytes).await?;
    }
    staging.complete = complete;
    name_copies(ports, term, staging).await?;
    write_adopted_journal(ports, term, staging, dead, &cut).await?;
    staging.columns = cut.pages().next().and_then(|page| page.columns.clone());
    staging.tokens = cut.tokens();
    report(job, dead, staging);
    Ok(())
}

/// Whether each copy, with the header that it is to end with, is the finished file that the journal speaks of.
async fn ends_are_whole(staging: &Staging, complete: Option<&Complete>) -> Result<bool, VolumeError> {
    let Some(complete) = complete else { return Ok(true) };
    for (file, end) in staging.files.iter().zip(&complete.files) {
        let header = (file.header_bytes > 0).then_some(Header { page: staging.page(), rows: file.commit.rows });
        let mut digest = FileDigest::new(header);
        let length = end.bytes.saturating_sub(file.header_bytes);
        let whole = digest.read(&file.handle, file.header_bytes, length).await?.is_some();
        if !whole || digest.finish(header).as_ref() != Some(&end.sha256) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The name of a copy that is not checked yet, so that no header stands ahead of its own folder's journal.
fn copy_of(path: &str) -> String {
    format!("{path}.copy")
}

/// Gives the checked copies their names, with headers that claim nothing yet. All of it is durable before the journal
/// is written: it must not speak of bytes that a crash could still take away.
async fn name_copies(ports: &Ports, term: &Term, staging: &Staging) -> Result<(), GenerateError> {
    for file in &staging.files {
        file.write_header(term, Header::default()).await?;
        file.handle.sync_data(term).await?;
        ports.volume.rename(term, &copy_of(&file.path), &file.path).await?;
    }
    ports.volume.sync_dir(term, &staging.dir).await?;
    crash_point!("adopt.named");
    Ok(())
}

async fn write_adopted_journal(
    ports: &Ports,
    term: &Term,
    staging: &mut Staging,
    dead: &FencedTerm,
    cut: &Journal,
) -> Result<(), GenerateError> {
    let length = usize::try_from(cut.bytes).unwrap_or(usize::MAX).min(dead.journal_bytes.len());
    let (_, written) = staging.journal.handle.write_at(term, 0, dead.journal_bytes[..length].to_vec()).await;
    written?;
    staging.journal.bytes = cut.bytes;
    staging.journal.writer = JournalWriter::after(cut.chain);
    let entry = Entry::Term { token: term.token().0, at: ports.clock.now().as_second() };
    staging.journal.append(term, &[entry]).await?;
    let copied = Journal::parse(&read_journal(&*ports.volume, &staging.dir).await?);
    if copied.damage.is_some() || copied.entries.len() != cut.entries.len() + 1 {
        return Err(GenerateError::Staged {
            reason: "the copied journal does not read back as it was written; the volume cannot be trusted".to_owned(),
        });
    }
    Ok(())
}

fn report(job: &Job, dead: &FencedTerm, staging: &Staging) {
    if staging.last.is_some() {
        job.observer.observe(&GenerateEvent::Resumed {
            from: dead.token,
            page: staging.page(),
            rows: staging.files.iter().map(|file| file.commit.rows).collect(),
            bytes: staging.files.iter().map(|file| file.commit.bytes).collect(),
        });
    }
}

/// Reads every copied file once, checks each page against the journal, and leaves its digest behind the last good page.
/// Returns the last page that is good in all files.
async fn check_copies(staging: &mut Staging, journal: &Journal) -> Result<u64, GenerateError> {
    let mut good = journal.last_page().map_or(0, |last| last.page);
    for (index, file) in staging.files.iter_mut().enumerate() {
        file.digest.restart();
        let mut at = file.header_bytes;
        for page in journal.pages().take_while(|page| page.page <= good) {
            let commit = &page.files[index];
            let sum = file.digest.read(&file.handle, at, commit.bytes.saturating_sub(at)).await?;
            if sum.as_deref() != Some(commit.sum.as_str()) && !planted("journal unchecked") {
                good = page.page - 1;
                break;
            }
            at = commit.bytes;
        }
    }
    Ok(good)
}
