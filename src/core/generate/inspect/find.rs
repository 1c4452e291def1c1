//! Finds the runs that have left anything on a volume: staging folders, tombstones' neighbours, manifests.

use crate::core::generate::GenerateError;
use crate::core::generate::edition;
use crate::core::generate::fence::{counted_to, read_journal};
use crate::core::generate::layout::{JOURNAL, MANIFEST, Name, parse_name, parse_version, run_dir, version_dir};
use crate::core::generate::model::journal::Journal;
use crate::core::generate::model::manifest::Manifest;
use crate::core::generate::publish::published;
use crate::core::generate::spec::Worker;
use crate::core::model::correction::FIRST_VERSION;
use crate::core::model::names::HIDDEN;
use crate::core::model::names::WorkerId;
use crate::core::model::run::{BusinessDate, RunId};
use crate::core::model::term::Token;
use crate::core::ports::volume::{EntryKind, Volume};
use jiff::civil::Date;

/// What one run has left.
#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    /// Which run.
    pub id: RunId,
    /// Its staging folders, newest version and token first. Older ones are there only while a newer holder takes over.
    pub folders: Vec<Folder>,
    /// The manifest of its newest version, once published.
    pub manifest: Option<Manifest>,
    /// Manifests of versions that a later one has taken the place of, newest first.
    pub kept: Vec<Manifest>,
}

/// A staging folder.
#[derive(Clone, PartialEq, Debug)]
pub struct Folder {
    /// The version that it is of.
    pub version: u32,
    /// Its holder's token.
    pub token: Token,
    /// Relative to the root.
    pub dir: String,
    /// What was committed in it.
    pub journal: Journal,
    /// Names of the staged files in it.
    pub files: Vec<String>,
}

impl Folder {
    /// A file's place in the journal's lists.
    pub fn index_of(&self, file: &str) -> Option<usize> {
        self.journal.begin()?.files.iter().position(|id| id == file)
    }
}

impl Run {
    /// The folder whose journal speaks of the published files.
    pub fn published_from(&self) -> Option<&Folder> {
        let manifest = self.manifest.as_ref()?;
        self.folders.iter().find(|folder| folder.version == manifest.version && folder.token.0 == manifest.token)
    }

    /// The folder whose journal speaks of a file that this version made.
    pub fn made_from(&self, version: u32) -> Option<&Folder> {
        match self.published_from() {
            Some(folder) if folder.version == version => Some(folder),
            // Behind its publication nobody made a folder there any more.
            _ => self.folders.iter().find(|folder| folder.version == version),
        }
    }
}

/// All runs of one worker, or of all, by worker and date.
///
/// # Errors
/// When the volume cannot be read.
pub async fn runs(volume: &dyn Volume, worker: Option<&Worker>) -> Result<Vec<Run>, GenerateError> {
    let mut ids: Vec<RunId> = Vec::new();
    for folder in volume.list(HIDDEN).await? {
        let Ok(id) = WorkerId::new(folder.name.as_str()) else { continue };
        if folder.kind != EntryKind::Dir || worker.is_some_and(|worker| worker.id != id) {
            continue;
        }
        for day in volume.list(&format!("{HIDDEN}/{id}")).await? {
            if let (EntryKind::Dir, Some(date)) = (day.kind, compact_date(&day.name)) {
                ids.push(RunId { worker: id.clone(), date });
            }
        }
    }
    for entry in volume.list("").await? {
        let Some(id) = run_of_manifest(&entry.name) else { continue };
        let wanted = worker.is_none_or(|worker| worker.id == id.worker);
        if wanted && entry.kind == EntryKind::File && !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids.sort_by(|a, b| (&a.worker, a.date).cmp(&(&b.worker, b.date)));
    let mut runs = Vec::new();
    for id in ids {
        runs.push(run(volume, &id).await?);
    }
    Ok(runs)
}

/// What one run has left; empty when it has left nothing.
///
/// # Errors
/// When the volume cannot be read.
pub async fn run(volume: &dyn Volume, id: &RunId) -> Result<Run, GenerateError> {
    let later = volume.list(&run_dir(id)).await?.into_iter().filter_map(|entry| parse_version(&entry.name));
    let mut versions: Vec<u32> = later.chain([FIRST_VERSION]).collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    versions.dedup();
    let (mut folders, mut kept) = (Vec::new(), Vec::new());
    for version in versions {
        folders.extend(folders_of(volume, &version_dir(id, version), version).await?);
        kept.extend(edition::kept(volume, id, version).await?);
    }
    Ok(Run { id: id.clone(), folders, manifest: published(volume, id).await?, kept })
}

/// The staging folders of one version, newest token first.
async fn folders_of(volume: &dyn Volume, parent: &str, version: u32) -> Result<Vec<Folder>, GenerateError> {
    let mut folders = Vec::new();
    let entries = volume.list(parent).await?;
    let newest = counted_to(entries.iter().filter_map(|entry| parse_name(&entry.name)).map(Name::token));
    for entry in entries {
        let Some(Name::Token(token)) = parse_name(&entry.name) else { continue };
        // One above all counting is no holder's.
        if entry.kind == EntryKind::Dir && token <= newest {
            let dir = format!("{parent}/{}", entry.name);
            let names = volume.list(&dir).await?.into_iter().filter(|file| file.kind == EntryKind::File);
            // Names with a dot are of a switch that is under way.
            let is_staged = |name: &str| name != JOURNAL && name != MANIFEST && !name.starts_with('.');
            let files = names.map(|file| file.name).filter(|name| is_staged(name)).collect();
            let journal = Journal::parse(&read_journal(volume, &dir).await?);
            folders.push(Folder { version, token, dir, journal, files });
        }
    }
    folders.sort_by_key(|folder| std::cmp::Reverse(folder.token));
    Ok(folders)
}

/// `20261121`.
fn compact_date(name: &str) -> Option<BusinessDate> {
    let date = Date::strptime("%Y%m%d", name).ok().map(BusinessDate)?;
    (date.compact() == name).then_some(date)
}

/// `LoanWorker_20261121.manifest.json`.
fn run_of_manifest(name: &str) -> Option<RunId> {
    let run = name.strip_suffix(".manifest.json")?;
    let (worker, date) = match run.rsplit_once('_')? {
        // A version that stands beside the one before.
        (rest, version) if parse_version(version).is_some() => rest.rsplit_once('_')?,
        parts => parts,
    };
    Some(RunId { worker: WorkerId::new(worker).ok()?, date: compact_date(date)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_names_its_run() {
        for name in ["Loan_Worker_20261121.manifest.json", "Loan_Worker_20261121_v2.manifest.json"] {
            let run = run_of_manifest(name).unwrap();
            assert_eq!(run.to_string(), "Loan_Worker:2026-11-21");
        }
        for foreign in ["x.json", "Loan_2026112.manifest.json", "20261121.manifest.json", "a_20261301.manifest.json"] {
            assert_eq!(run_of_manifest(foreign), None, "{foreign}");
        }
    }
}
