//! The run's progress in the state store: for people and other commands. The journal alone decides what is durable.

use super::staging::Staging;
use super::{GenerateError, Job, Ports, deliver};
use crate::core::failpoints::crash::crash_point;
use crate::core::failpoints::planted::planted;
use crate::core::generate::event::GenerateEvent;
use crate::core::generate::model::manifest::Manifest;
use crate::core::kind::HasKind;
use crate::core::model::correction::{Correction, FIRST_VERSION};
use crate::core::model::event::CompletionEvent;
use crate::core::model::run::{RunId, RunRecord, RunStatus};
use crate::core::model::term::Term;
use crate::core::ports::runs::{Announcement, FileState, FileStatus};
use crate::core::ports::store::StoreError;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// Shortest time between two writes of the progress. Progress is for people, and a write each page would cost as much as the
/// commit.
const EVERY: Duration = Duration::from_secs(1);

/// A service tries a failed run again for this long after its request. Later, a person decides.
const FAILED_RUNS_FOR: SignedDuration = SignedDuration::from_hours(24);

/// Stores progress now and then.
pub struct Recorder<'a> {
    ports: &'a Ports,
    job: &'a Job,
    term: &'a Term,
    next: Duration,
    failing: bool,
}

impl<'a> Recorder<'a> {
    /// Nothing is stored before the first call.
    pub fn new(ports: &'a Ports, job: &'a Job, term: &'a Term) -> Self {
        let next = ports.clock.elapsed() + EVERY;
        Self { ports, job, term, next, failing: false }
    }

    /// Stores how far the run is, once a second. A store that is away is reported once and does not stop the files.
    ///
    /// # Errors
    /// When the store has seen a newer holder.
    pub async fn progress(&mut self, staging: &Staging) -> Result<(), GenerateError> {
        let now = self.ports.clock.elapsed();
        if now < self.next {
            return Ok(());
        }
        self.next = now + EVERY;
        match self.store(staging).await {
            Ok(()) => {
                self.failing = false;
                Ok(())
            }
            Err(error @ (StoreError::Stale { .. } | StoreError::TermEnded(_))) => Err(error.into()),
            Err(error) => {
                if !self.failing {
                    self.failing = true;
                    let text = format!("progress is not recorded for now, the files go on: {error}");
                    self.job.observer.observe(&GenerateEvent::Warning { text });
                }
                Ok(())
            }
        }
    }

    async fn store(&self, staging: &Staging) -> Result<(), StoreError> {
        let Some(mut record) = self.ports.state.runs.run(&self.job.run).await? else { return Ok(()) };
        record.last_page = staging.page();
        record.rows = staging.source_rows();
        self.ports.state.runs.save_run(self.term, &record).await?;
        if self.job.edition.correction.is_some() {
            // Until the switch the files are those of the version before, whose events may still be waiting.
            return Ok(());
        }
        let started_at = record.started_at.unwrap_or(record.requested_at);
        for (spec, file) in self.job.worker.files.iter().zip(&staging.files) {
            let status = FileStatus {
                run: self.job.run.clone(),
                file: spec.id.clone(),
                state: FileState::Writing,
                last_page: staging.page(),
                rows: file.commit.rows,
                started_at,
                completed_at: None,
                token: self.term.token(),
                event: None,
            };
            self.ports.state.runs.save_file(self.term, &status).await?;
        }
        Ok(())
    }
}

/// Records that this holder works on the run.
///
/// # Errors
/// When the store refuses or is away.
pub async fn started(ports: &Ports, job: &Job, term: &Term, rows_expected: Option<u64>) -> Result<(), GenerateError> {
    let now = ports.clock.now();
    let mut record = run_record(ports, job, now).await?;
    record.status = RunStatus::Running;
    record.started_at.get_or_insert(now);
    record.rows_expected = rows_expected;
    (record.error, record.failure, record.next_try_at) = (None, None, None);
    Ok(ports.state.runs.save_run(term, &record).await?)
}

/// Records a published run: each file's status with its completion event in one write, then the run itself.
/// A repeat changes nothing: the event, with its correlation id, follows from the manifest.
///
/// # Errors
/// When the store refuses or is away.
pub async fn published(ports: &Ports, job: &Job, term: &Term, manifest: &Manifest) -> Result<(), GenerateError> {
    let completed_at: Timestamp = manifest.completed_at.parse().unwrap_or_else(|_| ports.clock.now());
    let mut record = run_record(ports, job, completed_at).await?;
    // First what is due: whoever dies behind it leaves a run that is recorded once more.
    deliver::record_due(ports, &job.worker, &job.run, manifest).await?;
    crash_point!("record.due");
    let known = ports.state.runs.files(&job.run).await?;
    for spec in &job.worker.files {
        let Some(event) = completion_event(manifest, spec.id.as_str(), spec.event_type.as_deref()) else { continue };
        let is_announced = |status: &FileStatus| {
            status.file == spec.id && status.event.as_ref().is_some_and(|entry| entry.event.version == event.version)
        };
        if known.iter().any(is_announced) {
            continue;
        }
        let status = FileStatus {
            run: job.run.clone(),
            file: spec.id.clone(),
            state: FileState::Published,
            last_page: manifest.pages,
            rows: event.total_rows,
            started_at: record.started_at.unwrap_or(record.requested_at),
            completed_at: Some(completed_at),
            token: term.token(),
            event: (!planted("outbox apart")).then_some(Announcement { event, sent_at: None }),
        };
        ports.state.runs.save_file(term, &status).await?;
        crash_point!("record.file");
    }
    let is_newer = manifest.version > record.correction.as_ref().map_or(FIRST_VERSION, |it| it.version);
    if record.status != RunStatus::Published || is_newer {
        if is_newer {
            // The store has lost who asked for it.
            let reason = manifest.reason.clone().unwrap_or_default();
            let (version, by) = (manifest.version, String::new());
            record.correction = Some(Correction {
                version,
                reason,
                by,
                files: Vec::new(),
                suffix: false,
                stands: None,
                cancelled: None,
            });
        }
        record.status = RunStatus::Published;
        record.started_at.get_or_insert(completed_at);
        record.completed_at = Some(completed_at);
        record.last_page = manifest.pages;
        record.rows = manifest.source_rows;
        (record.error, record.failure, record.next_try_at) = (None, None, None);
        ports.state.runs.save_run(term, &record).await?;
        crash_point!("record.run");
    }
    if planted("outbox apart") {
        for mut status in ports.state.runs.files(&job.run).await? {
            let event = completion_event(manifest, status.file.as_str(), None);
            status.event = event.map(|event| Announcement { event, sent_at: None });
            ports.state.runs.save_file(term, &status).await?;
        }
    }
    Ok(())
}

/// Records that a correction was cancelled, and that the version before it stands, as its manifest says.
///
/// # Errors
/// When the store refuses or is away.
pub async fn cancelled(
    ports: &Ports,
    term: &Term,
    mut record: RunRecord,
    why: String,
    manifest: &Manifest,
) -> Result<(), GenerateError> {
    let stands = Some(manifest.version);
    record.correction = record.correction.map(|it| Correction { stands, cancelled: Some(why), ..it });
    record.status = RunStatus::Published;
    record.completed_at = manifest.completed_at.parse().ok();
    record.last_page = manifest.pages;
    record.rows = manifest.source_rows;
    // Values given for the cancelled version alone are not the next one's.
    let made = |name: &String| manifest.parameters.get(name).map(|value| (name.clone(), value.clone()));
    record.given = record.given.map(|given| given.keys().filter_map(made).collect());
    (record.error, record.failure, record.next_try_at) = (None, None, None);
    Ok(ports.state.runs.save_run(term, &record).await?)
}

/// Records why a run ended. Does nothing if the store itself is what failed, and to a run that it knows as published: that stays
/// so, whatever stands on the volume now.
pub async fn failed(ports: &Ports, job: &Job, term: &Term, error: &GenerateError) {
    if let Ok(mut record) = run_record(ports, job, ports.clock.now()).await
        && record.status != RunStatus::Published
    {
        record.status = RunStatus::Failed;
        record.error = Some(RunRecord::kept(&error.to_string()));
        record.failure = Some(error.kind());
        record.next_try_at = None;
        if let Err(error) = ports.state.runs.save_run(term, &record).await {
            let text = format!("the run's end could not be recorded: {error}");
            job.observer.observe(&GenerateEvent::Warning { text });
        }
    }
}

/// Whether a service makes a failed run once more at that time.
pub fn is_tried_again(record: &RunRecord, at: Timestamp) -> bool {
    at.duration_since(record.requested_at) < FAILED_RUNS_FOR
}

/// Records when a failed run is tried again; `None` when it is not. For people, so a store that refuses changes nothing.
pub async fn put_off(ports: &Ports, run: &RunId, term: &Term, until: Option<Timestamp>) {
    if let Ok(Some(mut record)) = ports.state.runs.run(run).await
        && record.status == RunStatus::Failed
    {
        record.next_try_at = until;
        let _ = ports.state.runs.save_run(term, &record).await;
    }
}

pub(super) async fn run_record(ports: &Ports, job: &Job, now: Timestamp) -> Result<RunRecord, StoreError> {
    use crate::core::ports::runs::Requested;
    let mut record = match ports.state.runs.request(&job.run, "holder", now).await? {
        Requested::New(record) | Requested::AlreadyThere(record) => record,
    };
    if let Some(correction) = &job.edition.correction {
        record.correction = Some(correction.clone());
    }
    Ok(record)
}

/// The completion event of one file, as its manifest entry makes it. `None` for a file that was not published.
pub fn completion_event(manifest: &Manifest, file: &str, event_type: Option<&str>) -> Option<CompletionEvent> {
    let entry = manifest.files.iter().find(|entry| entry.id == file)?;
    Some(CompletionEvent {
        worker_id: manifest.worker_id.clone(),
        file_id: entry.id.clone(),
        event_type: event_type.map(str::to_owned),
        completed_at: manifest.completed_at.clone(),
        total_rows: entry.rows,
        correlation_id: format!(
            "{}:{}:{}",
            manifest.worker_id,
            entry.id,
            correlation_digits(&manifest.business_date, entry.version)
        ),
        path: entry.name.clone()?,
        bytes: entry.bytes,
        sha256: entry.sha256.clone(),
        business_date: manifest.business_date.clone(),
        read_mode: manifest.read_mode.clone(),
        version: entry.version,
        reason: manifest.reason.clone().filter(|_| entry.version == manifest.version),
        replaced: Some(entry.replaced.clone()).filter(|replaced| !replaced.is_nothing()),
    })
}

/// The last part of a correlation id: the business date's eight digits, then the version with at least two digits. Days that are
/// published in one second have different ids. An event that is made again has the same id.
fn correlation_digits(business_date: &str, version: u32) -> String {
    let date: String = business_date.chars().filter(char::is_ascii_digit).collect();
    format!("{date}{version:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_date_and_version_has_digits_of_its_own() {
        assert_eq!(correlation_digits("2026-11-21", 1), "2026112101");
        let mut seen = std::collections::BTreeSet::new();
        for date in ["2026-11-21", "2026-11-22", "2026-01-12", "2027-11-21"] {
            for version in (1..=20).chain([99, 100, 101, 1000, u32::MAX]) {
                assert!(seen.insert(correlation_digits(date, version)), "{date} {version}");
            }
        }
    }
}
