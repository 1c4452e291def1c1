//! Finds the runs that have left anything on a volume: staging folders, tombstones' neighbours, manifests.

use crate::core::generate::GenerateError;
use crate::core::generate::layout::{JOURNAL, MANIFEST, Name, parse_name, run_dir};
use crate::core::generate::model::journal::Journal;
use crate::core::generate::model::manifest::Manifest;
use crate::core::generate::publish::published;
use crate::core::generate::spec::Worker;
use crate::core::generate::takeover::read_journal;
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
    /// Its staging folders, newest token first. Older ones are there only while a newer holder takes over.
    pub folders: Vec<Folder>,
    /// Its manifest, once published.
    pub manifest: Option<Manifest>,
}

/// A staging folder.
#[derive(Clone, PartialEq, Debug)]
pub struct Folder {
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
        let token = self.manifest.as_ref()?.token;
        self.folders.iter().find(|folder| folder.token.0 == token)
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
    let parent = run_dir(id);
    let mut folders = Vec::new();
    for entry in volume.list(&parent).await? {
        let Some(Name::Token(token)) = parse_name(&entry.name) else { continue };
        if entry.kind == EntryKind::Dir {
            let dir = format!("{parent}/{}", entry.name);
            let names = volume.list(&dir).await?.into_iter();
            let staged =
                names.filter(|file| file.kind == EntryKind::File && file.name != JOURNAL && file.name != MANIFEST);
            let files = staged.map(|file| file.name).collect();
            let journal = Journal::parse(&read_journal(volume, &dir).await?);
            folders.push(Folder { token, dir, journal, files });
        }
    }
    folders.sort_by_key(|folder| std::cmp::Reverse(folder.token));
    Ok(Run { id: id.clone(), folders, manifest: published(volume, id).await? })
}

/// `20261121`.
fn compact_date(name: &str) -> Option<BusinessDate> {
    let date = Date::strptime("%Y%m%d", name).ok().map(BusinessDate)?;
    (date.compact() == name).then_some(date)
}

/// `LoanWorker_20261121.manifest.json`.
fn run_of_manifest(name: &str) -> Option<RunId> {
    let (worker, date) = name.strip_suffix(".manifest.json")?.rsplit_once('_')?;
    Some(RunId { worker: WorkerId::new(worker).ok()?, date: compact_date(date)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_names_its_run() {
        let run = run_of_manifest("Loan_Worker_20261121.manifest.json").unwrap();
        assert_eq!(run.to_string(), "Loan_Worker:2026-11-21");
        for foreign in ["x.json", "Loan_2026112.manifest.json", "20261121.manifest.json", "a_20261301.manifest.json"] {
            assert_eq!(run_of_manifest(foreign), None, "{foreign}");
        }
    }
}
