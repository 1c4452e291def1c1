//! Compares one run's header, counted records, state and SQL count. On request it reads pages from the source again, translates them
//! again and compares byte for byte. It changes nothing. What could not be compared is not a pass.

mod difference;
mod reread;

use crate::core::generate::inspect::find::{self, Run};
use crate::core::generate::inspect::{self, Check, CheckOutcome, FoundAt, HeaderLine, Inspection, Looked};
use crate::core::generate::marker;
use crate::core::generate::plan::{Plan, rows_of};
use crate::core::generate::spec::Worker;
use crate::core::generate::translate::Registry;
use crate::core::generate::{GenerateError, Ports, params};
use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::amount::{counted, thousands};
use crate::core::model::param::Params;
use crate::core::model::run::RunId;
use crate::core::ports::runs::{FileState, FileStatus};
use crate::core::ports::source::{Extent, SourceError};
use crate::core::ports::store::StoreError;
use std::num::NonZeroU64;

/// What to verify, and how closely.
pub struct Verification<'a> {
    /// Source, volume and state store.
    pub ports: &'a Ports,
    /// The worker.
    pub worker: &'a Worker,
    /// Translators that the worker file may name.
    pub registry: &'a Registry,
    /// Which run.
    pub run: &'a RunId,
    /// Pages to read again.
    pub reread: Reread,
    /// Called after each page that was read again, with its number and how many there are to read.
    pub progress: &'a (dyn Fn(u64, u64) + Send + Sync),
}

/// Which pages are read from the source again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reread {
    /// None.
    None,
    /// So many, spread over the run, the first and the last among them.
    Pages(NonZeroU64),
    /// All.
    All,
}

/// What was found.
#[derive(Clone, PartialEq, Debug)]
pub struct Verified {
    /// Which run.
    pub run: RunId,
    /// Whether the run is published.
    pub published: bool,
    /// One per file.
    pub files: Vec<FileVerified>,
    /// Pages that were read again and compared.
    pub pages_compared: u64,
    /// Why source or state store gave no answer.
    pub unanswered: Vec<Unanswered>,
}

/// A question that was not answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unanswered {
    /// What can be done about it.
    pub kind: FailureKind,
    /// Why.
    pub reason: String,
}

impl<E: HasKind> From<&E> for Unanswered {
    fn from(error: &E) -> Self {
        Self { kind: error.kind(), reason: error.to_string() }
    }
}

/// One file's numbers side by side.
#[derive(Clone, PartialEq, Debug)]
pub struct FileVerified {
    /// Which file.
    pub file: String,
    /// Relative to the root.
    pub path: String,
    /// Staged or published.
    pub place: FoundAt,
    /// Page and rows of its first line.
    pub header: HeaderLine,
    /// Records counted in it.
    pub records: Option<u64>,
    /// Records by the state store.
    pub state_rows: Option<u64>,
    /// Rows of the view that belong to it now.
    pub sql_rows: Option<u64>,
    /// Everything that was compared.
    pub checks: Vec<Check>,
}

impl Verified {
    /// Whether any comparison found a difference.
    pub fn differs(&self) -> bool {
        self.checks().any(|check| matches!(check.outcome, CheckOutcome::Differs(_)))
    }

    /// Whether any comparison could not be made.
    pub fn is_incomplete(&self) -> bool {
        self.checks().any(|check| matches!(check.outcome, CheckOutcome::Unchecked(_)))
    }

    fn checks(&self) -> impl Iterator<Item = &Check> {
        self.files.iter().flat_map(|file| &file.checks)
    }
}

/// Verifies one run.
///
/// # Errors
/// When the run has left nothing, or the volume cannot be read. Source and state store may be away: their parts are then unchecked.
pub async fn verify(verification: &Verification<'_>) -> Result<Verified, GenerateError> {
    let Verification { ports, worker, registry, run: id, .. } = verification;
    let volume = &*ports.volume;
    let run = find::run(volume, id).await?;
    let plan = Plan::new(worker, registry, &parameters(worker, &run)?)?;
    let inspection = Inspection { volume, worker: Some(worker), registry, deep: true };
    let looked = newest_places(&run, inspect::one_run(&inspection, &run).await?);
    // A view without rows may rightly give no file at all: then the manifest names none.
    let named = run.manifest.as_ref().is_none_or(|manifest| manifest.files.iter().any(|file| file.name.is_some()));
    if looked.is_empty() && named {
        let reason = format!("run {id} has left no file below {}", volume.describe());
        return Err(GenerateError::Staged { reason });
    }
    let extent = ports.source.extent(&plan.query).await;
    let states = ports.state.runs.files(id).await;
    let mut verified = Verified {
        run: (*id).clone(),
        published: run.manifest.is_some(),
        files: Vec::new(),
        pages_compared: 0,
        unanswered: Vec::new(),
    };
    verified.unanswered.extend(extent.as_ref().err().map(Unanswered::from));
    verified.unanswered.extend(states.as_ref().err().map(Unanswered::from));
    for look in looked {
        let Some(file) = look.file.clone() else { continue };
        let predicate = file_index(worker, &file).and_then(|index| plan.files.get(index)?.predicate);
        verified.files.push(side_by_side(&run, file, look, &states, &extent, predicate));
    }
    missing_files(verification, &run, &mut verified);
    held_against_its_original(verification, &run, &mut verified).await?;
    if verification.reread != Reread::None {
        reread::compare(verification, &run, &mut verified).await?;
    }
    ports.source.rest().await;
    Ok(verified)
}

/// Totals, token and times of a manifest stand nowhere else than in the original that its holder left.
async fn held_against_its_original(
    verification: &Verification<'_>,
    run: &Run,
    verified: &mut Verified,
) -> Result<(), GenerateError> {
    let Some(manifest) = &run.manifest else { return Ok(()) };
    let volume = &*verification.ports.volume;
    // A run without files has no line to say it in.
    let Some(file) = verified.files.first_mut() else { return marker::is_no_other(volume, &run.id, manifest).await };
    if let Some(why) = marker::differs(volume, &run.id, manifest).await? {
        file.checks.push(Check::differs("manifest", why));
    }
    Ok(())
}

/// The parameters that the run was read with: those of its manifest, else of its journal.
fn parameters(worker: &Worker, run: &Run) -> Result<Params, GenerateError> {
    let begun = run.folders.first().and_then(|folder| folder.journal.begin());
    let has = match (&run.manifest, begun) {
        (Some(manifest), _) => &manifest.parameters,
        (None, Some(begin)) => &begin.params,
        (None, None) => return params::of(worker, &run.id),
    };
    params::check_given(worker, &run.id, has)?;
    Ok(has.clone())
}

fn file_index(worker: &Worker, file: &str) -> Option<usize> {
    worker.files.iter().position(|spec| spec.id.as_str() == file)
}

/// The published files of a published run; else what the newest holder has staged.
fn newest_places(run: &Run, looked: Vec<Looked>) -> Vec<Looked> {
    let newest = run.folders.first().map(|folder| folder.token);
    let wanted = |place: FoundAt| match place {
        FoundAt::Published => true,
        FoundAt::Staged(token) => run.manifest.is_none() && Some(token) == newest,
        FoundAt::Linked | FoundAt::Kept(_) | FoundAt::Alone => false,
    };
    looked.into_iter().filter(|look| wanted(look.place)).collect()
}

fn side_by_side(
    run: &Run,
    file: String,
    look: Looked,
    states: &Result<Vec<FileStatus>, StoreError>,
    extent: &Result<Extent, SourceError>,
    predicate: Option<usize>,
) -> FileVerified {
    let expected = expected_rows(run, &file);
    let state = states.as_ref().map(|states| states.iter().find(|state| state.file.as_str() == file));
    let sql_rows = extent.as_ref().ok().map(|extent| rows_of(predicate, extent));
    let mut checks = look.checks.clone();
    checks.push(match (&state, &look.header) {
        (Err(error), _) => Check::unchecked("state", error.to_string()),
        (Ok(None), _) => Check::unchecked("state", "the state store has no record of this file"),
        (Ok(Some(state)), header) => check_state(run, state, header),
    });
    checks.push(match (extent, sql_rows, expected) {
        (Err(error), _, _) => Check::unchecked("sql count", error.to_string()),
        (Ok(_), Some(now), Some((name, want))) if now != want => Check::differs(
            "sql count",
            format!("the view holds {} now, but {name} says {}", counted(now, "row"), thousands(want)),
        ),
        (Ok(_), Some(_), Some(_)) => Check { what: "sql count", outcome: CheckOutcome::Same },
        (Ok(_), _, _) => Check::unchecked("sql count", "neither manifest nor journal says how many rows there were"),
    });
    FileVerified {
        file,
        path: look.path,
        place: look.place,
        header: look.header,
        records: look.records,
        state_rows: state.ok().flatten().map(|state| state.rows),
        sql_rows,
        checks,
    }
}

/// Rows of the finished file: by the manifest, else by the count at the start.
fn expected_rows(run: &Run, file: &str) -> Option<(&'static str, u64)> {
    if let Some(manifest) = &run.manifest {
        let entry = manifest.files.iter().find(|entry| entry.id == file)?;
        return Some(("the manifest", entry.rows));
    }
    let folder = run.folders.first()?;
    let begin = folder.journal.begin()?;
    Some(("the run's start", begin.rows_of(folder.index_of(file)?)?))
}

fn check_state(run: &Run, state: &FileStatus, header: &HeaderLine) -> Check {
    let what = "state";
    if let Some(manifest) = &run.manifest {
        let rows = manifest.files.iter().find(|entry| entry.id == state.file.as_str()).map_or(0, |entry| entry.rows);
        return if state.state == FileState::Published {
            Check::compare(what, &state.rows, "the manifest", &rows)
        } else {
            Check::differs(what, format!("the file is published, but the state store says {}", state.state.as_str()))
        };
    }
    // Progress is stored now and then, so it may be behind what is durable, never ahead of it.
    match header.read() {
        Some(header) if state.rows > header.rows || state.last_page > header.page => Check::differs(
            what,
            format!("it has page {} with {}, ahead of the file's header", state.last_page, counted(state.rows, "row")),
        ),
        Some(_) | None => Check { what, outcome: CheckOutcome::Same },
    }
}

/// The result of a file that is nowhere: a difference, not a missing line.
fn missing_files(verification: &Verification<'_>, run: &Run, verified: &mut Verified) {
    for spec in &verification.worker.files {
        let id = spec.id.as_str();
        let skipped = run.manifest.iter().flat_map(|manifest| &manifest.files).any(|f| f.id == id && f.name.is_none());
        if skipped || verified.files.iter().any(|file| file.file == id) {
            continue;
        }
        verified.files.push(FileVerified {
            file: id.to_owned(),
            path: spec.name.render(&run.id, &spec.id),
            place: if run.manifest.is_some() { FoundAt::Published } else { FoundAt::Linked },
            header: HeaderLine::None,
            records: None,
            state_rows: None,
            sql_rows: None,
            checks: vec![Check::differs("file", "it is not there")],
        });
    }
}
