//! The status as it is printed: one view for the tables and JSON of `filegen status`, and for the daemon's pages.

use super::{RunReport, RunState, StatusReport, WorkerReport};
use crate::core::election::report::LeaseState;
use crate::core::generate::completion::Heading;
use crate::core::model::correction::Correction;
use crate::core::model::delivery::DeliveryView;
use crate::core::model::moment::moment;
use crate::core::model::run::BusinessDate;
use crate::core::model::shown;
use crate::core::ports::dead_letters::DeadLetter;
use jiff::Timestamp;
use serde::Serialize;

/// What is going on.
#[derive(Serialize)]
pub struct StatusView {
    /// When it was asked.
    pub at: String,
    /// Each worker.
    pub workers: Vec<WorkerView>,
}

/// One worker.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkerView {
    /// Which.
    pub worker_id: String,
    /// Who writes its files.
    pub lease: LeaseView,
    /// Its latest runs, newest business date first.
    pub runs: Vec<RunView>,
    /// Completion events that no broker has acknowledged, oldest first.
    pub unsent_events: Vec<UnsentView>,
    /// The trigger's latest dead letters, newest first.
    pub passed_over: Vec<PassedOverView>,
    /// Records of the state store that cannot be read; not there when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<UnreadableView>,
    /// The next due time of its own clock, where it has one and its file is at hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_due: Option<NextDue>,
}

/// A due time that is to come.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NextDue {
    /// When.
    pub at: String,
    /// Of which day.
    pub business_date: String,
}

impl NextDue {
    /// Asks for the run of a day at a moment.
    pub fn new(at: Timestamp, date: BusinessDate) -> Self {
        Self { at: moment(at), business_date: date.to_string() }
    }
}

/// A record of the state store that cannot be read.
#[derive(Serialize)]
pub struct UnreadableView {
    /// Its id.
    pub id: String,
    /// What is wrong with it, and what to do.
    pub reason: String,
}

/// A lease.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeaseView {
    /// Its state, as a word.
    pub state: &'static str,
    /// Who has it, or had it last.
    pub holder: Option<String>,
    /// Its token.
    pub token: Option<u64>,
    /// Since it was renewed last.
    pub age_seconds: Option<f64>,
    #[serde(skip)]
    /// Its state.
    pub word: LeaseState,
}

/// A recorded run.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunView {
    /// `LoanWorker:2026-11-21`.
    pub run_id: String,
    /// Its day.
    pub business_date: String,
    /// What becomes of it, as a word.
    pub status: &'static str,
    /// Who asked for it.
    pub requested_by: String,
    /// The token it was last written under.
    pub token: Option<u64>,
    /// When it was first started.
    pub started_at: Option<String>,
    /// When it was published.
    pub completed_at: Option<String>,
    /// Last durable page.
    pub last_page: u64,
    /// Rows of the source up to that page.
    pub rows: u64,
    /// Rows counted at the start.
    pub rows_expected: Option<u64>,
    /// Source rows a second since it was started.
    pub rows_per_second: Option<f64>,
    /// Why it failed last.
    pub error: Option<String>,
    /// When its holder tries it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_try_at: Option<String>,
    /// The published version; not there before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// The correction that is wanted, or that made the published version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correction: Option<Correction>,
    /// Its files, by id.
    pub files: Vec<FileView>,
    /// How they are on their way to their transfer, with the manifests; not there when they have none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deliveries: Vec<DeliveryView>,
    #[serde(skip)]
    /// What becomes of it.
    pub word: RunState,
}

/// A file of a run.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FileView {
    /// Which.
    pub file_id: String,
    /// Its state, as a word.
    pub state: &'static str,
    /// Last durable page.
    pub last_page: u64,
    /// Its records up to that page.
    pub rows: u64,
    /// Its final name, once published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Whether it was published and is no longer there.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub gone: bool,
    /// When the broker acknowledged its completion event.
    pub event_sent_at: Option<String>,
    /// What policies changed in the file, when they did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaced: Option<crate::core::model::replaced::Replaced>,
}

/// A completion event that waits.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UnsentView {
    /// Of which file.
    pub file_id: String,
    /// Of which day.
    pub business_date: String,
    /// Its id, the same at each try.
    pub correlation_id: Option<String>,
}

/// An event on the trigger's topic that asked for no run. Not its payload: that is for whoever may see the data.
#[derive(Serialize)]
pub struct PassedOverView {
    /// When it came.
    pub at: String,
    /// Where it stands.
    pub topic: String,
    /// Where in the topic.
    pub partition: i32,
    /// Where in the partition.
    pub offset: i64,
    /// What is wrong with it.
    pub reason: String,
}

impl PassedOverView {
    fn new(event: &DeadLetter) -> Self {
        let id = event.id.clone();
        Self {
            at: moment(event.at),
            topic: id.topic,
            partition: id.partition,
            offset: id.offset,
            reason: shown::text(&event.reason),
        }
    }
}

impl StatusView {
    /// Of a whole report.
    pub fn new(report: &StatusReport) -> Self {
        Self { at: report.at.to_string(), workers: report.workers.iter().map(WorkerView::new).collect() }
    }
}

impl WorkerView {
    /// Of one worker.
    pub fn new(report: &WorkerReport) -> Self {
        let record = report.lease.record.as_ref();
        Self {
            worker_id: report.worker.to_string(),
            lease: LeaseView {
                state: report.lease.state.as_str(),
                holder: record.map(|record| record.instance.to_string()),
                token: record.map(|record| record.token.0),
                age_seconds: report.lease.age.map(|age| age.as_secs_f64()),
                word: report.lease.state,
            },
            runs: report.runs.iter().map(RunView::new).collect(),
            unsent_events: report
                .unsent
                .iter()
                .filter_map(Heading::of)
                .map(|event| UnsentView {
                    file_id: event.file_id,
                    business_date: event.business_date,
                    correlation_id: Some(event.correlation_id),
                })
                .collect(),
            passed_over: report.odd_events.iter().map(PassedOverView::new).collect(),
            unreadable: report
                .odd
                .iter()
                .map(|odd| UnreadableView { id: odd.id.clone(), reason: odd.reason.clone() })
                .collect(),
            next_due: None,
        }
    }
}

impl RunView {
    fn new(report: &RunReport) -> Self {
        let record = &report.record;
        Self {
            run_id: record.id.to_string(),
            business_date: record.id.date.to_string(),
            status: report.state.as_str(),
            requested_by: record.requested_by.clone(),
            token: record.token.map(|token| token.0),
            started_at: record.started_at.map(moment),
            completed_at: record.completed_at.map(moment),
            last_page: record.last_page,
            rows: record.rows,
            rows_expected: record.rows_expected,
            rows_per_second: report.rows_per_second,
            error: record.error.clone(),
            next_try_at: record.next_try_at.filter(|_| report.state == RunState::Failed).map(moment),
            version: Some(record.version()).filter(|version| *version > 0),
            correction: record.correction.clone(),
            files: report
                .files
                .iter()
                .map(|file| FileView {
                    file_id: file.file.to_string(),
                    state: file.state.as_str(),
                    last_page: file.last_page,
                    rows: file.rows,
                    path: file.event.as_ref().map(|entry| entry.event.path.clone()),
                    gone: report.gone.contains(file.file.as_str()),
                    replaced: file.event.as_ref().and_then(|entry| entry.event.replaced.clone()),
                    event_sent_at: file.event.as_ref().and_then(|entry| entry.sent_at).map(|at| at.to_string()),
                })
                .collect(),
            deliveries: report.deliveries.iter().map(DeliveryView::new).collect(),
            word: report.state,
        }
    }
}

impl RunView {
    /// What becomes of the run, in a few words.
    pub fn words(&self) -> String {
        match self.word {
            RunState::Stopped | RunState::Interrupted if self.last_page > 0 => {
                format!("{} at page {}", self.status, self.last_page)
            }
            _ => self.status.to_owned(),
        }
    }

    /// The correction in a sentence: what is wanted, or why the published version was made.
    pub fn correction_words(&self) -> Option<String> {
        let correction = self.correction.as_ref()?;
        let version = correction.version;
        let by = if correction.by.is_empty() { String::new() } else { format!(" by {}", correction.by) };
        let reason = correction.shown_reason();
        Some(if let Some(why) = &correction.cancelled {
            format!("version {version} was cancelled by {why}; version {} stands", correction.version_before())
        } else if self.word == RunState::Published {
            format!("version {version}, corrected{by}: {reason}")
        } else {
            format!(
                "version {version} is wanted{by}: {reason}; version {} stays until it is whole",
                correction.version_before()
            )
        })
    }

    /// Why it failed last, and when it is tried again.
    pub fn failure(&self) -> Option<String> {
        let error = self.error.clone()?;
        Some(match &self.next_try_at {
            Some(at) => format!("{error}; next try at {at}"),
            None => error,
        })
    }
}
