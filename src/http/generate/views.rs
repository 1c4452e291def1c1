//! The views behind the status page and its JSON: the state store's report, and what this process does.

use super::{AppState, WorkerHandle};
use crate::core::generate::deadline::{self, Judgement};
use crate::core::generate::spec::DeadlineSpec;
use crate::core::generate::status::view::{FileView, NextDue, PassedOverView, RunView, WorkerView};
use crate::core::generate::status::{StatusReport, WorkerReport};
use crate::core::health::Answer;
use crate::core::model::amount::{counted, thousands};
use crate::core::model::delivery::DeliveryView;
use crate::core::model::moment::moment;
use crate::core::ports::store::StoreError;
use crate::http::panel::PanelView;
use crate::telemetry::generate::status::{RecentEvent, RunProgress};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// Workers that the headline names, at most.
const NAMED: usize = 3;

/// The whole page.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatusPage {
    instance: String,
    version: &'static str,
    started_at: String,
    at: String,
    /// The whole page in a line.
    headline: String,
    /// What is wrong now, a line each. Empty when all is well.
    troubles: Vec<Trouble>,
    workers: Vec<WorkerShown>,
    /// Ingests, as each tells of itself.
    ingests: Vec<serde_json::Value>,
    /// Transfers, as each tells of itself.
    transfers: Vec<serde_json::Value>,
    /// Schedulers, as each tells of itself.
    schedulers: Vec<serde_json::Value>,
}

impl StatusPage {
    pub(super) fn new(
        state: &AppState,
        workers: Vec<WorkerShown>,
        others: Vec<(String, PanelView)>,
        now: Timestamp,
    ) -> Self {
        let (instance, version) = (state.instance.clone(), env!("CARGO_PKG_VERSION"));
        let told =
            workers.iter().flat_map(|worker| worker.troubles().into_iter().map(|what| (&*worker.worker_id, what)));
        let panels =
            others.iter().flat_map(|(name, panel)| panel.troubles.iter().map(|what| (name.as_str(), what.clone())));
        let troubles = troubles(told.chain(panels));
        let (started_at, at) = (moment(state.started), moment(now));
        let bodies: Vec<serde_json::Value> = others.into_iter().map(|(_, panel)| panel.body).collect();
        let of = |key: &str| bodies.iter().filter(|body| body.get(key).is_some()).cloned().collect::<Vec<_>>();
        let (ingests, transfers, schedulers) = (of("ingest"), of("transfer"), of("scheduler"));
        let counts = [
            ("worker", workers.len()),
            ("ingest", ingests.len()),
            ("transfer", transfers.len()),
            ("scheduler", schedulers.len()),
        ];
        let headline = headline(&troubles, &counts);
        Self { instance, version, started_at, at, headline, troubles, workers, ingests, transfers, schedulers }
    }
}

/// Something that a person should know now, and the workers that have it: what all of them miss stands once.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Trouble {
    worker_ids: Vec<String>,
    what: String,
}

fn troubles<'a>(told: impl Iterator<Item = (&'a str, String)>) -> Vec<Trouble> {
    let mut all: Vec<Trouble> = Vec::new();
    for (worker, what) in told {
        match all.iter_mut().find(|trouble| trouble.what == what) {
            Some(trouble) => trouble.worker_ids.push(worker.to_owned()),
            None => all.push(Trouble { worker_ids: vec![worker.to_owned()], what }),
        }
    }
    all
}

/// What is wrong, or that all is well, in one line.
fn headline(troubles: &[Trouble], counts: &[(&str, usize)]) -> String {
    let parts = counts.iter().filter(|(_, count)| *count > 0);
    let parts: Vec<String> = parts.map(|(noun, count)| counted(*count as u64, noun)).collect();
    let all = match parts.as_slice() {
        [] => "nothing to serve".to_owned(),
        [before @ .., last] if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        parts => parts.concat(),
    };
    let mut names: Vec<&str> = Vec::new();
    for name in troubles.iter().flat_map(|trouble| &trouble.worker_ids) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    match names.as_slice() {
        [] => format!("All is well with {all}"),
        [.., _] if names.len() > NAMED => {
            format!("Trouble with {} of {all}", names.len())
        }
        names => format!("Trouble with {} of {all}: {}", names.len(), names.join(", ")),
    }
}

/// One worker.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WorkerShown {
    worker_id: String,
    /// `leading` or `standby`, of this instance.
    role: &'static str,
    /// Who holds the lease, of all instances.
    holder: Option<String>,
    token: Option<u64>,
    lease: &'static str,
    run: Option<RunShown>,
    /// When the files that are expected now are due.
    deadline: Option<DeadlineShown>,
    /// The next due time of its own clock.
    next_due: Option<NextDue>,
    outbox: usize,
    dependencies: BTreeMap<&'static str, Answer>,
    runs: Vec<RecordShown>,
    /// The trigger's latest dead letters, newest first.
    passed_over: Vec<PassedOverView>,
    happened: Vec<RecentShown>,
    /// Why the state store could not be asked.
    error: Option<String>,
}

/// The run under way in this process.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RunShown {
    run_id: String,
    page: u64,
    pages_expected: Option<u64>,
    rows: u64,
    rows_expected: Option<u64>,
    rows_per_second: f64,
    pages_per_second: f64,
    /// When all rows will be durable at the live rate.
    forecast_end: Option<String>,
}

/// A recorded run, as far as this page shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RecordShown {
    business_date: String,
    status: &'static str,
    rows: u64,
    page: u64,
    requested_by: String,
    completed_at: Option<String>,
    error: Option<String>,
    next_try_at: Option<String>,
    /// The published version, where there is one.
    version: Option<u32>,
    /// The correction that is wanted, or that made the published version, in a sentence.
    correction: Option<String>,
    /// Names of published files that are no longer there.
    gone: Vec<String>,
    /// Names of its published files.
    files: Vec<String>,
    /// What policies changed in them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    replaced: Vec<String>,
    /// How they are on their way to their transfer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deliveries: Vec<DeliveryView>,
}

/// A deadline, and whether it will be met.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeadlineShown {
    business_date: String,
    due: String,
    at_risk: bool,
    /// Why it is at risk.
    reason: Option<String>,
}

#[derive(Serialize)]
struct RecentShown {
    at: String,
    what: String,
    /// How often it happened. `at` is the last time.
    times: usize,
}

impl WorkerShown {
    pub(super) fn new(handle: &WorkerHandle, asked: Result<StatusReport, StoreError>, now: Timestamp) -> Self {
        let live = handle.status.now();
        let (report, error) = match asked {
            Ok(report) => (report.workers.into_iter().next(), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let view = report.as_ref().map(WorkerView::new);
        let outbox = view.as_ref().filter(|_| handle.has_outbox).map_or(live.outbox, |view| view.unsent_events.len());
        let lease = view.as_ref().map(|view| &view.lease);
        let rate = live.run.as_ref().map(|run| run.rate.0);
        let judged = handle.deadline.as_ref().and_then(|spec| judged(spec, report.as_ref(), rate, now));
        Self {
            worker_id: handle.status.worker().to_string(),
            role: if live.token.is_some() { "leading" } else { "standby" },
            holder: lease.and_then(|lease| lease.holder.clone()),
            token: lease.and_then(|lease| lease.token),
            lease: lease.map_or("unknown", |lease| lease.state),
            run: live.run.as_ref().map(|run| RunShown::new(run, now)),
            deadline: judged.map(DeadlineShown::new),
            next_due: handle
                .own_times
                .as_ref()
                .and_then(|times| times.next(now))
                .map(|due| NextDue::new(due.at, due.date)),
            outbox,
            dependencies: handle.dependencies.answers(),
            runs: view.iter().flat_map(|view| &view.runs).map(RecordShown::new).collect(),
            happened: recent(&live.recent),
            passed_over: view.map(|view| view.passed_over).unwrap_or_default(),
            error,
        }
    }
}

impl WorkerShown {
    /// What is wrong with it, most urgent first.
    fn troubles(&self) -> Vec<String> {
        let mut all = Vec::new();
        all.extend(self.deadline.as_ref().and_then(|deadline| deadline.reason.clone()));
        all.extend(self.error.clone());
        if self.error.is_none() && self.lease != "held" {
            all.push(format!("nobody leads: the lease is {}", self.lease));
        }
        all.extend(self.failed());
        for run in &self.runs {
            if run.status == "interrupted" {
                let page = thousands(run.page);
                all.push(format!("the run of {} is interrupted at page {page}", run.business_date));
            }
            all.extend(run.gone.iter().map(|path| format!("{path} was published and is no longer there")));
            all.extend(run.deliveries.iter().filter_map(DeliveryView::refusal));
        }
        for (name, answer) in self.dependencies.iter().filter(|(_, answer)| answer.state == "down") {
            let why = answer.last_error.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            all.push(format!("{name} is down{why}"));
        }
        all
    }

    /// Which runs have failed, in one line.
    fn failed(&self) -> Option<String> {
        let failed: Vec<&RecordShown> = self.runs.iter().filter(|run| run.status == "failed").collect();
        // The soonest try: the times have one form, so their order as text is their order in time.
        let next = failed.iter().filter_map(|run| run.next_try_at.as_deref()).min();
        let next = next.map(|at| format!(", next try at {at}")).unwrap_or_default();
        // The newest stands first.
        let why = failed.first().and_then(|run| run.error.as_ref()).map(|why| format!(": {why}")).unwrap_or_default();
        match failed.as_slice() {
            [] => None,
            [one] => Some(format!("the run of {} has failed{next}{why}", one.business_date)),
            [newest, .., oldest] => Some(format!(
                "{} from {} to {} have failed{next}{why}",
                counted(failed.len() as u64, "run"),
                oldest.business_date,
                newest.business_date
            )),
        }
    }
}

/// The deadline of the run that is expected now.
fn judged(spec: &DeadlineSpec, report: Option<&WorkerReport>, rate: Option<f64>, now: Timestamp) -> Option<Judgement> {
    let (date, _) = deadline::expected(spec, now)?;
    let run = report?.runs.iter().find(|run| run.record.id.date == date);
    deadline::judge(spec, run.map(|run| &run.record), rate, now)
}

impl DeadlineShown {
    fn new(judgement: Judgement) -> Self {
        let Judgement { date, due, at_risk, reason, .. } = judgement;
        Self { business_date: date.to_string(), due: moment(due), at_risk, reason }
    }
}

impl RunShown {
    fn new(run: &RunProgress, now: Timestamp) -> Self {
        Self {
            run_id: run.id.clone(),
            page: run.page,
            pages_expected: run.pages_expected,
            rows: run.rows,
            rows_expected: run.rows_expected,
            rows_per_second: run.rate.0,
            pages_per_second: run.rate.1,
            forecast_end: run.seconds_left().and_then(|left| forecast(now, left)),
        }
    }
}

impl RecordShown {
    fn new(run: &RunView) -> Self {
        Self {
            business_date: run.business_date.clone(),
            status: run.status,
            rows: run.rows,
            page: run.last_page,
            requested_by: run.requested_by.clone(),
            completed_at: run.completed_at.clone(),
            error: run.error.clone(),
            next_try_at: run.next_try_at.clone(),
            version: run.version,
            correction: run.correction_words(),
            files: run.files.iter().filter_map(|file| file.path.clone()).collect(),
            replaced: run.files.iter().filter_map(replaced).collect(),
            deliveries: run.deliveries.clone(),
            gone: run.files.iter().filter(|file| file.gone).filter_map(|file| file.path.clone()).collect(),
        }
    }
}

/// What policies changed in a file.
fn replaced(file: &FileView) -> Option<String> {
    Some(format!("{}: {}", file.path.as_ref()?, file.replaced.as_ref()?.describe()?))
}

/// What happened lately, the latest first. What happened several times stands once, at its last time.
fn recent<'a>(events: impl IntoIterator<Item = &'a RecentEvent>) -> Vec<RecentShown> {
    let mut all: Vec<RecentShown> = Vec::new();
    for event in events {
        match all.iter_mut().find(|shown| shown.what == event.what) {
            Some(shown) => shown.times += 1,
            None => all.push(RecentShown { at: moment(event.at), what: event.what.clone(), times: 1 }),
        }
    }
    all
}

fn forecast(now: Timestamp, seconds: f64) -> Option<String> {
    let left = Duration::try_from_secs_f64(seconds).ok()?;
    now.checked_add(left).ok().map(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_repeated_stands_once_with_its_last_time() {
        let event = |second: i64, what: &str| RecentEvent {
            at: Timestamp::from_second(second).unwrap(),
            what: what.to_owned(),
        };
        let shown = recent(&[event(9, "down"), event(5, "down"), event(3, "up"), event(1, "down")]);
        let words: Vec<_> = shown.iter().map(|event| (event.at.as_str(), event.what.as_str(), event.times)).collect();
        assert_eq!(words, [("1970-01-01T00:00:09Z", "down", 3), ("1970-01-01T00:00:03Z", "up", 1)]);
    }

    #[test]
    fn the_headline_says_with_which_workers_there_is_trouble() {
        let trouble = |names: &[&str]| troubles(names.iter().map(|name| (*name, format!("{name} is so"))));
        let of = |workers, ingests| [("worker", workers), ("ingest", ingests), ("scheduler", 0)];
        assert_eq!(headline(&[], &of(1, 0)), "All is well with 1 worker");
        assert_eq!(headline(&[], &of(2, 1)), "All is well with 2 workers and 1 ingest");
        assert_eq!(headline(&[], &of(0, 1)), "All is well with 1 ingest");
        let each = [("worker", 1), ("ingest", 2), ("scheduler", 3)];
        assert_eq!(headline(&[], &each), "All is well with 1 worker, 2 ingests and 3 schedulers");
        assert_eq!(headline(&trouble(&["A", "A", "B"]), &of(5, 0)), "Trouble with 2 of 5 workers: A, B");
        assert_eq!(headline(&trouble(&["A", "B", "C", "D"]), &of(5, 0)), "Trouble with 4 of 5 workers");
        let away = ["A", "B"].map(|name| (name, "the store is away".to_owned()));
        let told = troubles(away.into_iter().chain([("A", "late".to_owned())]));
        assert_eq!(told.len(), 2);
        assert_eq!(told[0].worker_ids, ["A", "B"], "what both miss stands once");
        assert_eq!(headline(&told, &of(5, 0)), "Trouble with 2 of 5 workers: A, B");
    }
}
