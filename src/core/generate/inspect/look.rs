//! One file on the volume: found, its header read, and on request all of its bytes.

use super::count::{self, Frame};
use super::find::{Folder, Run};
use super::scan::Scan;
use super::{Check, CheckOutcome, FoundAt, HeaderLine, Inspection, Looked};
use crate::core::generate::layout::kept_dir;
use crate::core::generate::model::header::{HEADER_BYTES, Header};
use crate::core::generate::model::journal::{FileCommit, Journal, PageCommit};
use crate::core::generate::model::manifest::ManifestFile;
use crate::core::generate::spec::FileSpec;
use crate::core::model::amount::counted;
use crate::core::ports::volume::{VolumeError, VolumeFile};
use std::sync::Arc;

/// A file to look at.
pub(super) struct Target<'a> {
    id: String,
    /// Relative to the root.
    pub path: String,
    /// Where it stands.
    pub place: FoundAt,
    spec: Option<&'a FileSpec>,
    /// The folder whose journal speaks of it.
    folder: Option<&'a Folder>,
    /// Its place in that journal.
    index: Option<usize>,
    entry: Option<&'a ManifestFile>,
}

/// All files of a run, staged and visible.
pub(super) fn targets<'a>(inspection: &'a Inspection<'_>, run: &'a Run) -> Vec<Target<'a>> {
    let spec_of = |id: &str| inspection.worker?.files.iter().find(|file| file.id.as_str() == id);
    let mut targets = Vec::new();
    for folder in &run.folders {
        for id in &folder.files {
            let index = folder.index_of(id);
            let path = format!("{}/{id}", folder.dir);
            let place = FoundAt::Staged(folder.token);
            let folder = Some(folder);
            targets.push(Target { spec: spec_of(id), id: id.clone(), path, place, folder, index, entry: None });
        }
    }
    if let Some(manifest) = &run.manifest {
        for entry in &manifest.files {
            let Some(name) = &entry.name else { continue };
            let folder = run.made_from(entry.version);
            let (id, path, place) = (entry.id.clone(), name.clone(), FoundAt::Published);
            let index = folder.and_then(|folder| folder.index_of(&id));
            targets.push(Target { spec: spec_of(&id), id, path, place, folder, index, entry: Some(entry) });
        }
    } else {
        let folder = run.folders.first();
        for spec in inspection.worker.iter().flat_map(|worker| &worker.files) {
            let (id, path) = (spec.id.to_string(), spec.name.render(&run.id, &spec.id));
            let index = folder.and_then(|folder| folder.index_of(&id));
            targets.push(Target { spec: Some(spec), id, path, place: FoundAt::Linked, folder, index, entry: None });
        }
    }
    for kept in &run.kept {
        let dir = kept_dir(&run.id, kept.version);
        for entry in kept.files.iter().filter(|entry| entry.name.is_some()) {
            let (id, path, place) = (entry.id.clone(), format!("{dir}/{}", entry.id), FoundAt::Kept(kept.version));
            let folder = run.made_from(entry.version);
            let index = folder.and_then(|folder| folder.index_of(&id));
            targets.push(Target { spec: spec_of(&id), id, path, place, folder, index, entry: Some(entry) });
        }
    }
    targets
}

/// Opens and looks.
///
/// # Errors
/// When the volume cannot be read, or the file is not there.
pub(super) async fn look(inspection: &Inspection<'_>, run: &Run, target: &Target<'_>) -> Result<Looked, VolumeError> {
    let file = inspection.volume.open(&target.path).await?;
    let header = read_header(&file, target.spec).await?;
    let bytes = file.size().await?;
    let mut looked = Looked {
        run: Some(run.id.clone()),
        file: Some(target.id.clone()),
        path: target.path.clone(),
        place: target.place,
        header,
        bytes,
        records: None,
        checks: Vec::new(),
    };
    check_header(&mut looked, run, target);
    if inspection.deep {
        read_all(inspection, run, target, &file, &mut looked).await?;
    }
    Ok(looked)
}

/// A file that the manifest names and nobody finds.
pub(super) fn missing(run: &Run, target: &Target<'_>, path: &str) -> Looked {
    Looked {
        run: Some(run.id.clone()),
        file: Some(target.id.clone()),
        path: target.path.clone(),
        place: target.place,
        header: HeaderLine::Damaged("the file is gone".to_owned()),
        bytes: 0,
        records: None,
        checks: vec![Check::differs("file", format!("the manifest names `{path}`, which is not there"))],
    }
}

/// Reads the first line. Without a worker file, a line that is no header means that the file has no header.
///
/// # Errors
/// When the volume cannot be read.
pub(super) async fn read_header(
    file: &Arc<dyn VolumeFile>,
    spec: Option<&FileSpec>,
) -> Result<HeaderLine, VolumeError> {
    if spec.is_some_and(|spec| !spec.progress_header) {
        return Ok(HeaderLine::None);
    }
    let line = file.read_at(0, HEADER_BYTES).await?;
    Ok(match Header::parse(&line) {
        Ok(header) => HeaderLine::Read(header),
        // Without the worker file nobody can say whether the file was to have a header.
        Err(error) if spec.is_some() => HeaderLine::Damaged(error.to_string()),
        Err(_) => HeaderLine::None,
    })
}

fn check_header(looked: &mut Looked, run: &Run, target: &Target<'_>) {
    let header = match &looked.header {
        HeaderLine::Read(header) => *header,
        HeaderLine::None => return,
        HeaderLine::Damaged(why) => {
            let check = Check::differs("header", why.clone());
            return looked.checks.push(check);
        }
    };
    // A file that a correction left alone has the pages of the version that made it.
    let manifests = run.manifest.iter().chain(&run.kept);
    let pages = |version: u32| manifests.clone().find(|manifest| manifest.version == version).map(|it| it.pages);
    let published = target.entry.and_then(|entry| Some((pages(entry.version)?, entry)));
    let check = if let Some((page, entry)) = published {
        let want = Header { page, rows: entry.rows };
        Check::compare("header", &shown(header), "the manifest", &shown(want))
    } else if let Some((journal, index)) = target.journal() {
        let last = journal.last_page();
        let page = last.map_or(0, |last| last.page);
        let rows = committed(last, index).map_or(0, |commit| commit.rows);
        header_against_journal(header, Header { page, rows })
    } else {
        Check::unchecked("header", "no readable journal stands beside it")
    };
    looked.checks.push(check);
}

/// A header is written behind the journal's line, so it may be behind; it must never be ahead.
fn header_against_journal(header: Header, journal: Header) -> Check {
    if header.page < journal.page || header == journal {
        Check { what: "header", outcome: CheckOutcome::Same }
    } else {
        Check::differs("header", format!("{}, but the journal has {} committed", shown(header), shown(journal)))
    }
}

fn shown(header: Header) -> String {
    format!("page {} with {}", header.page, counted(header.rows, "row"))
}

fn committed(page: Option<&PageCommit>, index: usize) -> Option<&FileCommit> {
    page.and_then(|page| page.files.get(index))
}

impl Target<'_> {
    fn journal(&self) -> Option<(&Journal, usize)> {
        let folder = self.folder?;
        folder.journal.begin()?;
        Some((&folder.journal, self.index?))
    }
}

/// Reads all bytes once: counts records, and compares checksums and digest.
async fn read_all(
    inspection: &Inspection<'_>,
    run: &Run,
    target: &Target<'_>,
    file: &Arc<dyn VolumeFile>,
    looked: &mut Looked,
) -> Result<(), VolumeError> {
    let header_bytes = if looked.header == HeaderLine::None { 0 } else { HEADER_BYTES as u64 };
    let marks: Vec<u64> = match target.journal() {
        Some((journal, index)) => journal.pages().filter_map(|page| Some(page.files.get(index)?.bytes)).collect(),
        None => Vec::new(),
    };
    let frame = frame(inspection, run, target, header_bytes, looked.bytes, &marks);
    let upto = worth_reading(target, &marks, looked.bytes);
    let scan = Scan::of(file, upto, header_bytes, &marks, frame.as_ref().ok()).await?;
    let whole = upto == looked.bytes;
    looked.records = scan.records.filter(|_| whole || matches!(target.place, FoundAt::Staged(_)));
    check_sums(target, &scan, looked);
    if let Some(entry) = target.entry {
        looked.checks.push(Check::compare("bytes", &looked.bytes, "the manifest", &entry.bytes));
        looked.checks.push(if whole {
            Check::compare("sha256", &scan.sha256, "the manifest", &entry.sha256)
        } else {
            Check::unchecked("sha256", "the file is longer than the manifest says")
        });
    }
    let why_not = frame.err().or_else(|| (!whole).then(|| format!("only its first {upto} bytes were read")));
    check_records(target, why_not, looked);
    Ok(())
}

/// How much of a file is read: what manifest and journal speak of, and a last record behind it. More can only be a difference, and
/// a sparse file may claim terabytes of it.
fn worth_reading(target: &Target<'_>, marks: &[u64], bytes: u64) -> u64 {
    /// For a last record.
    const MORE: u64 = 1 << 20;
    /// Of a file that nothing speaks of but its own header.
    const ALONE_MAX: u64 = 4 << 30;
    let end = target.journal().and_then(|(journal, index)| Some(journal.complete()?.files.get(index)?.bytes));
    let known = [target.entry.map(|entry| entry.bytes), end, marks.last().copied()];
    let most = known.into_iter().flatten().max().map_or(ALONE_MAX, |known| known.saturating_add(MORE));
    bytes.min(most)
}

/// Which bytes of the file are records, and how to tell where one ends.
fn frame(
    inspection: &Inspection<'_>,
    run: &Run,
    target: &Target<'_>,
    header_bytes: u64,
    bytes: u64,
    marks: &[u64],
) -> Result<Frame, String> {
    let spec = target.spec.ok_or("no worker file says how its records end")?;
    let begin = target.journal().and_then(|(journal, index)| Some((journal.begin()?, index)));
    let known = count::Known {
        rows: match (target.entry, begin) {
            (_, Some((begin, index))) => begin.file_rows.get(index).copied().unwrap_or(0),
            (Some(entry), None) => entry.rows,
            (None, None) => 0,
        },
        first_totals: begin.and_then(|(begin, index)| begin.first_totals.get(index).cloned()).unwrap_or_default(),
        last_rows: target.entry.map(|entry| (entry.rows, entry.control_totals.clone())),
    };
    let staged_end = matches!(target.place, FoundAt::Staged(_)).then(|| marks.last().copied().unwrap_or(header_bytes));
    Frame::new(spec, inspection.registry, &run.id, &known, header_bytes, bytes, staged_end)
}

fn check_sums(target: &Target<'_>, scan: &Scan, looked: &mut Looked) {
    let Some((journal, index)) = target.journal() else {
        return looked.checks.push(Check::unchecked("journal", "no readable journal stands beside it"));
    };
    for (page, sum) in journal.pages().zip(&scan.sums) {
        let Some(commit) = page.files.get(index) else { continue };
        match sum {
            Some(sum) if *sum == commit.sum => {}
            Some(_) => {
                let how = format!("page {} (up to offset {}) does not match its checksum", page.page, commit.bytes);
                return looked.checks.push(Check::differs("journal", how));
            }
            None => {
                let how = format!(
                    "page {} is committed up to offset {}, where the file ends earlier",
                    page.page, commit.bytes
                );
                return looked.checks.push(Check::differs("journal", how));
            }
        }
    }
    let outcome = match &journal.damage {
        Some(damage) => CheckOutcome::Unchecked(format!("the journal is damaged: {damage}")),
        None => CheckOutcome::Same,
    };
    looked.checks.push(Check { what: "journal", outcome });
}

fn check_records(target: &Target<'_>, why_not: Option<String>, looked: &mut Looked) {
    let check = match (looked.records, want_rows(target, looked)) {
        (None, _) => Check::unchecked("records", why_not.unwrap_or_else(|| "they cannot be counted".to_owned())),
        (Some(_), None) => {
            Check::unchecked("records", "neither journal nor manifest nor header says how many there are")
        }
        (Some(found), Some((name, want))) if found == want => {
            let _ = name;
            Check { what: "records", outcome: CheckOutcome::Same }
        }
        (Some(found), Some((name, want))) if target.spec.is_some_and(count::is_exact) => {
            Check::compare("records", &found, name, &want)
        }
        (Some(found), Some((name, want))) => Check::unchecked(
            "records",
            format!("{found} line ends for {want} records by {name}: its translator may write several lines a record"),
        ),
    };
    looked.checks.push(check);
}

fn want_rows(target: &Target<'_>, looked: &Looked) -> Option<(&'static str, u64)> {
    if let Some(entry) = target.entry {
        return Some(("the manifest", entry.rows));
    }
    if let Some((journal, index)) = target.journal() {
        return Some(("the journal", committed(journal.last_page(), index).map_or(0, |commit| commit.rows)));
    }
    looked.header.read().map(|header| ("the header", header.rows))
}
