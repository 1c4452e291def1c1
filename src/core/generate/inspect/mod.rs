//! Inspects the volume: page and rows of every staged and published file. On request it counts records and checks them against
//! journal and manifest. It changes nothing, needs neither source nor state store, and may run while a holder writes.

pub mod count;
pub mod find;
mod look;
pub mod scan;

use crate::core::generate::GenerateError;
use crate::core::generate::model::header::Header;
use crate::core::generate::spec::Worker;
use crate::core::generate::translate::Registry;
use crate::core::model::run::RunId;
use crate::core::model::term::Token;
use crate::core::ports::volume::{Volume, VolumeError};
use find::Run;
use look::{Target, look, missing, read_header, targets};

/// One file as it stands.
#[derive(Clone, PartialEq, Debug)]
pub struct Looked {
    /// Of which run. `None` when neither journal nor manifest names the file.
    pub run: Option<RunId>,
    /// Its id, under the same condition.
    pub file: Option<String>,
    /// Relative to the root.
    pub path: String,
    /// Being written, or visible.
    pub place: FoundAt,
    /// Its first line.
    pub header: HeaderLine,
    /// Its size.
    pub bytes: u64,
    /// Records counted. `None` when not asked for, or when they cannot be counted.
    pub records: Option<u64>,
    /// What was compared. Only the header against journal or manifest, unless more was asked for.
    pub checks: Vec<Check>,
}

/// Where a file stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FoundAt {
    /// In the folder of the holder with this token.
    Staged(Token),
    /// Under its final name, and in a manifest.
    Published,
    /// Under its final name, but the run's manifest has not appeared: publishing was interrupted.
    Linked,
    /// Kept under this version, whose place a later one has taken.
    Kept(u32),
    /// Somewhere, and nothing speaks of it.
    Alone,
}

impl FoundAt {
    /// For tables and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Staged(_) => "staged",
            Self::Published => "published",
            Self::Linked => "publishing",
            Self::Kept(_) => "kept",
            Self::Alone => "unknown",
        }
    }
}

/// A file's first line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HeaderLine {
    /// Page and rows.
    Read(Header),
    /// The file has none by its worker file, or its journal or manifest leaves no room for one.
    None,
    /// Something else stands there.
    Damaged(String),
}

impl HeaderLine {
    /// Page and rows, when they could be read.
    pub fn read(&self) -> Option<Header> {
        match self {
            Self::Read(header) => Some(*header),
            Self::None | Self::Damaged(_) => None,
        }
    }
}

/// One thing that was compared.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    /// What: `sha256`.
    pub what: &'static str,
    /// How it ended.
    pub outcome: CheckOutcome,
}

/// How a comparison ended. What could not be compared is not a pass.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CheckOutcome {
    /// Both sides are the same.
    Same,
    /// They differ: where, and in what.
    Differs(String),
    /// One side is missing: which, and why.
    Unchecked(String),
}

impl Check {
    /// A comparison of two values of one kind.
    pub fn compare<T: PartialEq + std::fmt::Display>(what: &'static str, found: &T, name: &str, want: &T) -> Self {
        let outcome = if found == want {
            CheckOutcome::Same
        } else {
            CheckOutcome::Differs(format!("{found}, but {name} says {want}"))
        };
        Self { what, outcome }
    }

    /// Something that could not be compared.
    pub fn unchecked(what: &'static str, why: impl Into<String>) -> Self {
        Self { what, outcome: CheckOutcome::Unchecked(why.into()) }
    }

    /// Something that differs.
    pub fn differs(what: &'static str, how: impl Into<String>) -> Self {
        Self { what, outcome: CheckOutcome::Differs(how.into()) }
    }
}

/// What to look at, and how closely.
pub struct Inspection<'a> {
    /// The output root.
    pub volume: &'a dyn Volume,
    /// The worker, where its file is at hand: only its runs, and records can be counted.
    pub worker: Option<&'a Worker>,
    /// Translators that the worker file may name.
    pub registry: &'a Registry,
    /// Whether to read all bytes: count records, check the journal's checksums and the manifest's digests.
    pub deep: bool,
}

/// Looks at every file of every run below the root, by worker, date and file.
///
/// # Errors
/// When the volume cannot be read.
pub async fn all(inspection: &Inspection<'_>) -> Result<Vec<Looked>, GenerateError> {
    let runs = find::runs(inspection.volume, inspection.worker).await?;
    let mut looked = Vec::new();
    for run in &runs {
        looked.extend(one_run(inspection, run).await?);
    }
    Ok(looked)
}

/// Looks at one file, or at all below a folder, whatever run it belongs to.
///
/// # Errors
/// When it is not there, or the volume cannot be read.
pub async fn below(inspection: &Inspection<'_>, path: &str) -> Result<Vec<Looked>, GenerateError> {
    let mut looked = Vec::new();
    for run in &find::runs(inspection.volume, inspection.worker).await? {
        let mut targets = targets(inspection, run);
        targets.retain(|target| target.path == path || target.path.starts_with(&format!("{path}/")));
        looked.extend(look_at(inspection, run, targets).await?);
    }
    if looked.is_empty() {
        let file = inspection.volume.open(path).await?;
        let header = read_header(&file, None).await?;
        let bytes = file.size().await?;
        let checks = vec![Check::unchecked("header", "neither a journal nor a manifest speaks of this file")];
        let (run, path) = (None, path.to_owned());
        looked.push(Looked { run, file: None, path, place: FoundAt::Alone, header, bytes, records: None, checks });
    }
    Ok(looked)
}

/// Looks at every file of one run.
///
/// # Errors
/// When the volume cannot be read.
pub async fn one_run(inspection: &Inspection<'_>, run: &Run) -> Result<Vec<Looked>, GenerateError> {
    look_at(inspection, run, targets(inspection, run)).await
}

async fn look_at(
    inspection: &Inspection<'_>,
    run: &Run,
    targets: Vec<Target<'_>>,
) -> Result<Vec<Looked>, GenerateError> {
    let mut looked = Vec::new();
    for target in targets {
        match look(inspection, run, &target).await {
            Ok(look) => looked.push(look),
            // A holder took the folder away, or gave the file its final name, while we looked.
            Err(VolumeError::NotFound { .. }) if !matches!(target.place, FoundAt::Published) => {}
            Err(VolumeError::NotFound { path }) => looked.push(missing(run, &target, &path)),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(looked)
}
