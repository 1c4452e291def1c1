//! A proof on the user's own worker. On a scratch copy of its first pages, runs are killed before each change that they make on the
//! volume, and taken over. The files must be those of a run that nobody disturbed.

mod part;
mod scratch;

pub use part::{FirstRows, Part};
pub use scratch::Scratch;

use crate::core::generate::digest::of_file;
use crate::core::generate::manifests::manifest_at;
use crate::core::generate::model::file_name::manifest_name;
use crate::core::generate::run::{Identity, RunError, execute};
use crate::core::generate::{GenerateError, Job, Outcome, Ports};
use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::correction::FIRST_VERSION;
use crate::core::ports::drill::{DrillRunner, DrillRunnerError, ProcessExit, Task};
use crate::core::ports::volume::{Volume, VolumeError};
use futures_util::stream::{StreamExt, iter};
use scratch::{clear, scratch_term};
use std::collections::BTreeMap;

/// The version that a correction makes of a run that was never corrected.
const CORRECTED: u32 = FIRST_VERSION + 1;

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
    /// Kills of a correction, while one version took the other's place.
    pub corrections: u64,
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

/// What a trial is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Run,
    Takeover,
    Correction,
}

/// One trial: before which changes the processes are killed, one after the other.
struct PlannedDrill {
    kind: Kind,
    name: String,
    kills: Vec<u64>,
}

impl PlannedDrill {
    fn new(kind: Kind, number: usize, before: &[u64]) -> Self {
        let word = match kind {
            Kind::Run => "run",
            Kind::Takeover => "takeover",
            Kind::Correction => "correction",
        };
        Self { kind, name: format!("{word}-{number:03}"), kills: [before, &[number as u64]].concat() }
    }
}

/// How a trial ended.
struct DrillOutcome {
    kind: Kind,
    name: String,
    change: String,
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
        let corrected = self.corrected().await?;
        // Until its last write a correction is a run like any other.
        let written = corrected.changes.iter().rposition(|change| change == "write file").map_or(0, |at| at + 1);
        let runs = (1..=first.changes.len()).map(|n| PlannedDrill::new(Kind::Run, n, &[]));
        let takeovers = (1..=takeover).map(|n| PlannedDrill::new(Kind::Takeover, n, &[middle]));
        let corrections = (written + 1..=corrected.changes.len()).map(|n| PlannedDrill::new(Kind::Correction, n, &[]));
        let plans: Vec<PlannedDrill> = runs.chain(takeovers).chain(corrections).collect();

        let all = plans.len() as u64;
        let mut trials = iter(plans).map(|plan| self.try_one(plan, &golden)).buffered(AT_ONCE);
        let mut found = DrillTally::default();
        while let Some(tried) = trials.next().await {
            found.add(tried?);
            (self.progress)(found.done(), all);
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
            self.runner.run(Task::Run, &dir, Some(*kill)).await?;
        }
        let ended = self.runner.run(Task::Run, &dir, None).await?;
        let reason = self.judge(&dir, &ended, golden).await?;
        self.tidy(&dir).await?;
        Ok((ended, reason))
    }

    async fn try_one(&self, plan: PlannedDrill, golden: &Files) -> Result<DrillOutcome, DrillError> {
        let dir = format!("{}/{}", self.scratch.dir, plan.name);
        let kind = plan.kind;
        let mut tried = DrillOutcome { kind, name: plan.name, change: String::new(), reason: None };
        let task = if kind == Kind::Correction { Task::Correct } else { Task::Run };
        if kind == Kind::Correction {
            self.runner.run(Task::Run, &dir, None).await?;
        }
        for kill in plan.kills {
            let killed = self.runner.run(task, &dir, Some(kill)).await?;
            let change = killed.changes.get(usize::try_from(kill).unwrap_or(usize::MAX).wrapping_sub(1));
            tried.change = change.cloned().unwrap_or_default();
            if killed.code.is_some() {
                tried.reason = Some(format!("the run ended before it could be killed: {}", last_line(&killed)));
                return Ok(tried);
            }
            // At any moment: what is visible is whole, and a manifest stands beside all of its files.
            let whole = kind == Kind::Correction && self.version(&dir).await?.is_some();
            if let Some(reason) = self.compare(&dir, golden, whole).await? {
                tried.reason = Some(format!("right after the kill, {reason}"));
                return Ok(tried);
            }
        }
        let ended = self.runner.run(Task::Run, &dir, None).await?;
        tried.reason = self.judge(&dir, &ended, golden).await?;
        if kind == Kind::Correction && tried.reason.is_none() {
            let version = self.version(&dir).await?;
            tried.reason =
                (version != Some(CORRECTED)).then(|| format!("version {CORRECTED} is not published, but {version:?}"));
        }
        self.tidy(&dir).await?;
        Ok(tried)
    }

    /// Corrects a run that nobody disturbed, to see the changes that this makes.
    async fn corrected(&self) -> Result<ProcessExit, DrillError> {
        let dir = format!("{}/corrected", self.scratch.dir);
        self.runner.run(Task::Run, &dir, None).await?;
        let ended = self.runner.run(Task::Correct, &dir, None).await?;
        self.tidy(&dir).await?;
        Ok(ended)
    }

    /// The version whose manifest is the newest in a trial's folder. `None` where there is none.
    async fn version(&self, dir: &str) -> Result<Option<u32>, DrillError> {
        for version in [CORRECTED, FIRST_VERSION] {
            let path = format!("{dir}/{}", manifest_name(&self.job.run, version));
            if let Some(manifest) = manifest_at(self.volume, &path).await? {
                return Ok(Some(manifest.version));
            }
        }
        Ok(None)
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
        Self { drilled: Drilled { points: Vec::new(), runs: 0, takeovers: 0, corrections: 0, differences: Vec::new() } }
    }
}

impl DrillTally {
    fn done(&self) -> u64 {
        self.drilled.runs + self.drilled.takeovers + self.drilled.corrections
    }

    fn add(&mut self, tried: DrillOutcome) {
        let drilled = &mut self.drilled;
        *(match tried.kind {
            Kind::Run => &mut drilled.runs,
            Kind::Takeover => &mut drilled.takeovers,
            Kind::Correction => &mut drilled.corrections,
        }) += 1;
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
