//! The pages of the flow that makes files: the status page at `/`, and the same as JSON at `/status`.

mod views;

use super::panel::Panel;
use super::problem;
use crate::core::generate::spec::DeadlineSpec;
use crate::core::generate::status::{Known, report};
use crate::core::health::Dependencies;
use crate::core::model::amount::{counted, thousands, whole_span};
use crate::core::model::shown;
use crate::core::ports::clock::Clock;
use crate::core::ports::state::StateStore;
use crate::core::ports::volume::Volume;
use crate::core::schedule::own::OwnTimes;
use crate::telemetry::generate::status::WorkerStatus;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::Timestamp;
use minijinja::Environment;
use minijinja::value::Serde;
use serde::Serialize;
use std::sync::{Arc, LazyLock};
use views::{StatusPage, WorkerShown};

/// One worker of this process.
pub struct WorkerHandle {
    /// What it is doing.
    pub status: Arc<WorkerStatus>,
    /// What it needs.
    pub dependencies: Arc<Dependencies>,
    /// Leases and runs of all instances.
    pub state: StateStore,
    /// Its output root.
    pub volume: Arc<dyn Volume>,
    /// Whether completion events have a topic. Without one, no event waits for a broker.
    pub has_outbox: bool,
    /// When its files are due.
    pub deadline: Option<DeadlineSpec>,
    /// When its runs are due without an event.
    pub own_times: Option<OwnTimes>,
}

/// Everything that the pages show.
pub struct AppState {
    /// Host name and process id.
    pub instance: String,
    /// When the process started.
    pub started: Timestamp,
    /// Its workers.
    pub workers: Vec<WorkerHandle>,
    /// What else it serves.
    pub panels: Vec<Arc<dyn Panel>>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// The flow's routes.
pub fn routes(state: AppState) -> Router {
    Router::new().route("/", get(page)).route("/status", get(json)).with_state(Arc::new(state))
}

async fn json(State(state): State<Arc<AppState>>) -> Response {
    match serde_json::to_string(&look(&state).await) {
        Ok(text) => ([(header::CONTENT_TYPE, "application/json")], shown::json(&text)).into_response(),
        Err(error) => problem::failed(&error),
    }
}

/// The query of a page that stays as it is: for whoever reads slowly, or goes through it by keyboard.
const STILL: &str = "refresh=off";

async fn page(State(state): State<Arc<AppState>>, RawQuery(asked): RawQuery) -> Response {
    let refreshes = asked.as_deref() != Some(STILL);
    match html(&look(&state).await, refreshes) {
        Ok(text) => ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response(),
        Err(error) => problem::failed(&error),
    }
}

async fn look(state: &AppState) -> StatusPage {
    let now = state.clock.now();
    let mut workers = Vec::with_capacity(state.workers.len());
    for handle in &state.workers {
        let worker = handle.status.worker();
        let known = Known { worker, volume: &*handle.volume, has_outbox: handle.has_outbox };
        let asked = report(&handle.state, &*state.clock, Some(worker), Some(known)).await;
        workers.push(WorkerShown::new(handle, asked, now));
    }
    let mut others = Vec::with_capacity(state.panels.len());
    for panel in &state.panels {
        others.push((panel.name().to_owned(), panel.look().await));
    }
    StatusPage::new(state, workers, others, now)
}

/// The templates. Their names end in `.html`, so minijinja escapes every value.
static TEMPLATES: LazyLock<Result<Environment<'static>, minijinja::Error>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    // Texts are foreign: what would turn a line or a cursor is shown as an escape.
    templates.set_formatter(|out, state, value| {
        match value.as_str().filter(|text| text.chars().any(shown::is_harmful)) {
            Some(text) if !value.is_safe() => {
                minijinja::escape_formatter(out, state, &minijinja::Value::from(shown::text(text)))
            }
            _ => minijinja::escape_formatter(out, state, value),
        }
    });
    templates.add_filter("fixed", |value: f64, digits: usize| format!("{value:.digits$}"));
    templates.add_filter("from", |at: String, now: String| from_moment(&at, &now));
    templates.add_filter("grouped", thousands);
    templates.add_filter("counted", |value: u64, what: String| counted(value, &what));
    templates.add_template("style.css", include_str!("templates/style.css"))?;
    templates.add_template("status.html", include_str!("templates/status.html"))?;
    templates.add_template("ingest.html", include_str!("templates/ingest.html"))?;
    templates.add_template("transfer.html", include_str!("templates/transfer.html"))?;
    templates.add_template("scheduler.html", include_str!("templates/scheduler.html"))?;
    templates.add_template("worker.html", include_str!("templates/worker.html"))?;
    Ok(templates)
});

/// The page as the template gets it.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    page: &'a StatusPage,
    refreshes: bool,
}

/// How far off a moment is, from another one: `in 4m 07s`, `2h 05m ago`. Nothing where one of them is no moment.
fn from_moment(at: &str, now: &str) -> String {
    let (Ok(at), Ok(now)) = (at.parse::<Timestamp>(), now.parse::<Timestamp>()) else { return String::new() };
    let away = at.duration_since(now);
    let text = whole_span(away.unsigned_abs());
    if away.is_negative() { format!("{text} ago") } else { format!("in {text}") }
}

fn html(page: &StatusPage, refreshes: bool) -> Result<String, minijinja::Error> {
    let templates = TEMPLATES.as_ref().map_err(|error| {
        minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, format!("a template is wrong: {error}"))
    })?;
    templates.get_template("status.html")?.render(Serde(Shown { page, refreshes }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::memory::clock::MemoryClock;
    use crate::core::generate::event::GenerateEvent;
    use crate::core::model::names::WorkerId;
    use crate::core::model::run::{BusinessDate, RunId};
    use crate::core::ports::observer::Observer;
    use crate::core::ports::store::StoreError;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn text_from_outside_stays_text() {
        let clock: Arc<dyn Clock> = Arc::new(MemoryClock::starting_at(Timestamp::UNIX_EPOCH));
        let worker = WorkerId::new("LoanWorker").unwrap();
        let status = Arc::new(WorkerStatus::new(worker.clone(), "host:1", Duration::from_secs(30), Arc::clone(&clock)));
        let run = RunId { worker, date: BusinessDate("2026-11-21".parse().unwrap()) };
        status.observe(&GenerateEvent::Started { run, rows: Some(4), pages: Some(2), files: Vec::new() });
        status.record_event("<b>\"a\" & b</b>\u{202e}\u{1b}[2J".to_owned());
        let state = Arc::new(crate::adapters::memory::state::MemoryState::default());
        let handle = WorkerHandle {
            dependencies: Arc::new(Dependencies::new(Vec::new(), Arc::clone(&clock), Arc::clone(&status) as Arc<_>)),
            status,
            state: StateStore::of(state),
            volume: Arc::new(crate::adapters::memory::volume::MemoryVolume::default()),
            has_outbox: false,
            deadline: None,
            own_times: None,
        };
        let app = AppState {
            instance: "host:1".to_owned(),
            started: clock.now(),
            workers: Vec::new(),
            panels: Vec::new(),
            clock,
        };
        let away = StoreError::Unreachable { store: "<i>".to_owned(), reason: "away".to_owned() };
        let shown = WorkerShown::new(&handle, Err(away), app.started);
        let html = html(&StatusPage::new(&app, vec![shown], Vec::new(), app.started), true).unwrap();
        assert!(html.contains("&lt;b&gt;&quot;a&quot; &amp; b&lt;&#x2f;b&gt;\\u{202e}\\u{1b}[2J"), "{html}");
        assert!(!html.chars().any(|c| shown::is_harmful(c) && c != '\n'), "{html}");
        let on_top = "<a href=\"#LoanWorker\">LoanWorker</a>: cannot reach the state store &lt;i&gt;: away";
        assert!(html.contains(on_top) && html.contains(">Trouble with 1 of 1 worker: LoanWorker<"), "{html}");
        assert!(html.contains("page 0 of 2, 0 of 4 rows, 0 rows/s, 0.0 pages/s"), "{html}");
        assert_eq!(from_moment("2026-11-21T10:00:07Z", "2026-11-21T10:00:00Z"), "in 7 s");
        assert_eq!(from_moment("2026-11-21T10:00:00Z", "2026-11-21T12:05:00Z"), "2h 05m ago");
        assert_eq!(from_moment("<b>", "2026-11-21T12:05:00Z"), "");
        assert!(!html.contains("<b>\"a\"") && !html.contains("<i>"), "{html}");
    }
}
