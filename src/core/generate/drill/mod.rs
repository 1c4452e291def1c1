//! A proof on the user's own worker. On a scratch copy of its first pages, runs are killed before each change that they make on the
//! volume, and taken over. The files must be those of a run that nobody disturbed.

mod part;

pub use part::{FirstRows, Part};

use crate::core::generate::digest::of_file;
use crate::core::generate::model::file_name::manifest_name;
use crate::core::generate::run::{Identity, RunError, execute};
use crate::core::generate::{GenerateError, Job, Outcome, Ports};
use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::names::HIDDEN;
use crate::core::model::term::{Term, Token};
use crate::core::ports::drill::{DrillRunner, DrillRunnerError, ProcessExit};
use crate::core::ports::volume::{EntryKind, Volume, VolumeError};
use futures_util::stream::{StreamExt, iter};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// Trials that run at once. Most of the time each waits for the disk.
const AT_ONCE: usize = 4;

/// What a drill needs.
pub struct Drill<'a> {
    /// The worker's own output root.
    pub volume: &'a dyn Volume,
    /// Where in it all happens.
    pub scratch: &'a Scratch,
    /// Ports of the worker in `golden` below the scratch folder.
    pub golden: &'a Ports,
    /// That worker's run.
    pub job: &'a Job,
    /// Who runs it.
    pub identity: &'a Identity,
    /// Runs it as a process.
    pub runner: &'a dyn DrillRunner,
    /// Leave the scratch folder.
    pub keep: bool,
    /// Gets how many trials are done, and of how many.
    pub progress: &'a (dyn Fn(u64, u64) + Sync),
}

/// What a drill found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Drilled {
    /// The changes that were prevented by a kill, by what they are, in the order of a run.
    pub points: Vec<Point>,
    /// Kills of a first run.
    pub runs: u64,
    /// Kills of a run that was taking over.
    pub takeovers: u64,
    /// Each file that was wrong.
    pub differences: Vec<Difference>,
}

/// One kind of change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Point {
    /// `sync journal`.
    pub change: String,
    /// How often a process was killed before one.
    pub kills: u64,
    /// How often the files were not the same after that.
    pub differences: u64,
}

/// A trial that did not end with the same files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// Its folder in the scratch folder.
    pub trial: String,
    /// The change that a kill prevented.
    pub change: String,
    /// What is not the same.
    pub reason: String,
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum DrillError {
    /// The run that nobody disturbs does not work.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The scratch folder cannot be used.
    #[error(transparent)]
    Volume(#[from] VolumeError),
    /// A process could not be run.
    #[error(transparent)]
    Runner(#[from] DrillRunnerError),
    /// Two runs that nobody disturbed made different files.
    #[error("the view moved during the drill, so that files cannot be compared: {reason}")]
    Moved {
        /// What is not the same.
        reason: String,
    },
}

impl HasKind for DrillError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Run(error) => error.kind(),
            Self::Volume(error) => error.kind(),
            Self::Runner(error) => error.kind(),
            Self::Moved { .. } => FailureKind::Conflict,
        }
    }
}

impl From<GenerateError> for DrillError {
    fn from(error: GenerateError) -> Self {
        Self::Run(error.into())
    }
}

/// Size and SHA-256 of each file, by its name.
type Files = BTreeMap<String, (u64, String)>;

/// A folder on the worker's volume. It does not exist before the drill, and is removed after it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scratch {
    /// Relative to the output root: `.filegen/drill-…`.
    pub dir: String,
    /// What of the folders above it has to go with it.
    new: Vec<&'static str>,
}

impl Scratch {
    /// Thinks of one; makes nothing yet.
    ///
    /// # Errors
    /// When the volume cannot be looked at.
    pub async fn plan(volume: &dyn Volume, name: &str) -> Result<Self, VolumeError> {
        let mut new = Vec::new();
        for folder in [HIDDEN, ""] {
            if volume.stat(folder).await?.is_none() {
                new.push(folder);
            }
        }
        Ok(Self { dir: format!("{HIDDEN}/drill-{name}"), new })
    }

    /// Removes it, and the folders above it that were not there before, unless somebody uses them by now.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub async fn remove(&self, volume: &dyn Volume) -> Result<(), VolumeError> {
        let term = scratch_term();
        clear(volume, &term, &self.dir).await?;
        for folder in &self.new {
            match volume.remove_dir(&term, folder).await {
                Ok(()) | Err(VolumeError::NotFound { .. }) => {}
                Err(VolumeError::NotEmpty { .. }) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// No lease stands behind it: nothing else is where it writes.
fn scratch_term() -> Term {
    Term::new(Token(0), Duration::MAX, Arc::new(|| Duration::ZERO))
}

/// One trial: before which changes the processes are killed, one after the other.
struct PlannedDrill {
    name: String,
    kills: Vec<u64>,
}

/// How a trial ended.
struct DrillOutcome {
    name: String,
    change: String,
    takeover: bool,
    reason: Option<String>,
}

impl Drill<'_> {
    /// Runs, kills, takes over and compares.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn run(&self) -> Result<Drilled, DrillError> {
        let golden = self.golden().await?;
        let (first, reason) = self.undisturbed("undisturbed", &[], &golden).await?;
        if let Some(reason) = reason {
            return Err(DrillError::Moved { reason });
        }
        // In the middle of its work: the next run takes committed pages over.
        let middle = first.changes.len() as u64 / 2;
        let (next, _) = self.undisturbed("taken-over", &[middle], &golden).await?;
        let takeover = next.changes.iter().position(|change| change == "write file").unwrap_or(next.changes.len());
        let runs =
            (1..=first.changes.len()).map(|n| PlannedDrill { name: format!("run-{n:03}"), kills: vec![n as u64] });
        let takeovers =
            (1..=takeover).map(|n| PlannedDrill { name: format!("takeover-{n:03}"), kills: vec![middle, n as u64] });
        let plans: Vec<PlannedDrill> = runs.chain(takeovers).collect();

        let all = plans.len() as u64;
        let mut trials = iter(plans).map(|plan| self.try_one(plan, &golden)).buffered(AT_ONCE);
        let mut found = DrillTally::default();
        while let Some(tried) = trials.next().await {
            found.add(tried?);
            (self.progress)(found.drilled.runs + found.drilled.takeovers, all);
        }
        if !found.drilled.differences.is_empty()
            && let (_, Some(reason)) = self.undisturbed("again", &[], &golden).await?
        {
            return Err(DrillError::Moved { reason });
        }
        Ok(found.drilled)
    }

    /// Makes the files that all others are compared with, in this process.
    async fn golden(&self) -> Result<Files, DrillError> {
        let report = execute(self.golden, self.job, self.identity, true).await?;
        let (Outcome::Published(manifest) | Outcome::AlreadyPublished(manifest)) = report.outcome else {
            return Err(DrillRunnerError { reason: "it was asked to stop".to_owned() }.into());
        };
        let mut files = Files::new();
        for name in manifest.files.into_iter().filter_map(|file| file.name) {
            files.insert(name.clone(), of_file(&self.golden.volume.open(&name).await?).await?);
        }
        Ok(files)
    }

    /// Kills runs as planned, then lets one run to its end. Returns that run, and what is wrong after it.
    async fn undisturbed(
        &self,
        name: &str,
        kills: &[u64],
        golden: &Files,
    ) -> Result<(ProcessExit, Option<String>), DrillError> {
        let dir = format!("{}/{name}", self.scratch.dir);
        for kill in kills {
            self.runner.run(&dir, Some(*kill)).await?;
        }
        let ended = self.runner.run(&dir, None).await?;
        let reason = self.judge(&dir, &ended, golden).await?;
        self.tidy(&dir).await?;
        Ok((ended, reason))
    }

    async fn try_one(&self, plan: PlannedDrill, golden: &Files) -> Result<DrillOutcome, DrillError> {
        let dir = format!("{}/{}", self.scratch.dir, plan.name);
        let mut tried =
            DrillOutcome { takeover: plan.kills.len() > 1, name: plan.name, change: String::new(), reason: None };
        for kill in plan.kills {
            let killed = self.runner.run(&dir, Some(kill)).await?;
            let change = killed.changes.get(usize::try_from(kill).unwrap_or(usize::MAX).wrapping_sub(1));
            tried.change = change.cloned().unwrap_or_default();
            if killed.code.is_some() {
                tried.reason = Some(format!("the run ended before it could be killed: {}", last_line(&killed)));
                return Ok(tried);
            }
            // At any moment: what is visible is whole.
            if let Some(reason) = self.compare(&dir, golden, false).await? {
                tried.reason = Some(format!("right after the kill, {reason}"));
                return Ok(tried);
            }
        }
        let ended = self.runner.run(&dir, None).await?;
        tried.reason = self.judge(&dir, &ended, golden).await?;
        self.tidy(&dir).await?;
        Ok(tried)
    }

    /// What is wrong after a run that nobody killed.
    async fn judge(&self, dir: &str, ended: &ProcessExit, golden: &Files) -> Result<Option<String>, DrillError> {
        if ended.code != Some(0) {
            let code = ended.code.map_or("by a signal".to_owned(), |code| format!("with exit code {code}"));
            return Ok(Some(format!("the next run ended {code}: {}", last_line(ended))));
        }
        self.compare(dir, golden, true).await
    }

    /// The first file that is not the same; one that is missing counts when all must be there.
    async fn compare(&self, dir: &str, golden: &Files, all: bool) -> Result<Option<String>, DrillError> {
        for (name, (bytes, sha256)) in golden {
            let file = match self.volume.open(&format!("{dir}/{name}")).await {
                Ok(file) => file,
                Err(VolumeError::NotFound { .. }) if !all => continue,
                Err(VolumeError::NotFound { .. }) => return Ok(Some(format!("`{name}` is not there"))),
                Err(error) => return Err(error.into()),
            };
            let (size, digest) = of_file(&file).await?;
            if (size, &digest) != (*bytes, sha256) {
                return Ok(Some(format!("`{name}` has {size} bytes and sha256 {digest}, not {bytes} and {sha256}")));
            }
        }
        let manifest = format!("{dir}/{}", manifest_name(&self.job.run, 1));
        let missing = all && self.volume.stat(&manifest).await?.is_none();
        Ok(missing.then(|| "the manifest is not there".to_owned()))
    }

    async fn tidy(&self, dir: &str) -> Result<(), VolumeError> {
        if self.keep { Ok(()) } else { clear(self.volume, &scratch_term(), dir).await }
    }
}

/// Collects what was tried.
struct DrillTally {
    drilled: Drilled,
}

impl Default for DrillTally {
    fn default() -> Self {
        Self { drilled: Drilled { points: Vec::new(), runs: 0, takeovers: 0, differences: Vec::new() } }
    }
}

impl DrillTally {
    fn add(&mut self, tried: DrillOutcome) {
        let drilled = &mut self.drilled;
        *(if tried.takeover { &mut drilled.takeovers } else { &mut drilled.runs }) += 1;
        let place = drilled.points.iter().position(|point| point.change == tried.change).unwrap_or_else(|| {
            drilled.points.push(Point { change: tried.change.clone(), kills: 0, differences: 0 });
            drilled.points.len() - 1
        });
        if let Some(point) = drilled.points.get_mut(place) {
            point.kills += 1;
            point.differences += u64::from(tried.reason.is_some());
        }
        if let Some(reason) = tried.reason {
            drilled.differences.push(Difference { trial: tried.name, change: tried.change, reason });
        }
    }
}

/// What a process said last.
fn last_line(ended: &ProcessExit) -> &str {
    ended.said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing")
}

/// Removes a folder with all that is in it.
fn clear<'a>(
    volume: &'a dyn Volume,
    term: &'a Term,
    dir: &'a str,
) -> Pin<Box<dyn Future<Output = Result<(), VolumeError>> + Send + 'a>> {
    Box::pin(async move {
        for entry in volume.list(dir).await? {
            let path = format!("{dir}/{}", entry.name);
            match entry.kind {
                EntryKind::Dir => clear(volume, term, &path).await?,
                EntryKind::File | EntryKind::Other => match volume.unlink(term, &path).await {
                    Ok(()) | Err(VolumeError::NotFound { .. }) => {}
                    Err(error) => return Err(error),
                },
            }
        }
        match volume.remove_dir(term, dir).await {
            Ok(()) | Err(VolumeError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    })
}
