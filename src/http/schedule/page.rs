//! The page for people. One template, one style and one script of ours; nothing comes from anywhere else.

use super::Doors;
use super::answers::{json_of, store_error};
use super::problem;
use crate::core::model::data_source::Words;
use crate::http::origin::is_own;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, Method, Request, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use minijinja::Environment;
use minijinja::value::Serde;
use serde::Serialize;
use std::sync::{Arc, LazyLock};

/// The header in which a write of the page carries its token.
const TOKEN: HeaderName = HeaderName::from_static("x-page-token");

/// The page loads its own style and script, asks its own door, and stands in no frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const SCRIPT: &str = include_str!("templates/page.js");
const STYLE: &str = include_str!("templates/page.css");
const ICON: &str = include_str!("templates/icon.svg");

static TEMPLATES: LazyLock<Result<Environment<'static>, minijinja::Error>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    // Its name ends in `.html`, so minijinja escapes every value.
    templates.add_template("page.html", include_str!("templates/page.html"))?;
    Ok(templates)
});

pub(super) fn routes() -> Router<Arc<Doors>> {
    Router::new()
        .route("/", get(page))
        .route("/page-token", get(token))
        .route("/page.js", get(async || file("text/javascript; charset=utf-8", SCRIPT)))
        .route("/page.css", get(async || file("text/css; charset=utf-8", STYLE)))
        .route("/icon.svg", get(async || file("image/svg+xml", ICON)))
}

fn file(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

async fn page(State(doors): State<Arc<Doors>>) -> Response {
    // A page without a token shows what there is, and asks for one when it writes: the store may be back by then.
    let token = doors.page_key.token().await.unwrap_or_default();
    match html(&doors, &token) {
        Ok(text) => {
            let policy = HeaderValue::from_static(POLICY);
            let kind = HeaderValue::from_static("text/html; charset=utf-8");
            ([(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, policy)], text).into_response()
        }
        Err(error) => problem::failed(&error),
    }
}

/// A new token, for a page whose own is over. Pages of other sites can ask for it and not read it.
async fn token(State(doors): State<Arc<Doors>>) -> Response {
    match doors.page_key.token().await {
        Ok(token) => json_of(StatusCode::OK, &serde_json::json!({ "token": token })),
        Err(error) => store_error(&error),
    }
}

fn html(doors: &Doors, token: &str) -> Result<String, minijinja::Error> {
    let templates = TEMPLATES.as_ref().map_err(|error| {
        minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, format!("a template is wrong: {error}"))
    })?;
    let defaults = &doors.sources.rules.defaults;
    let calendars: Vec<&String> = doors.sources.rules.calendars.iter().collect();
    let roots: Vec<String> = doors.sources.rules.roots.roots.iter().map(|root| root.display().to_string()).collect();
    let view = View {
        name: &doors.name,
        token,
        cron: &defaults.cron,
        zone: &defaults.zone,
        dst: defaults.dst.word(),
        stable_for: format!("{:?}", defaults.stable_for),
        pause_after_failures: defaults.pause_after_failures.map_or("never".to_owned(), |count| count.to_string()),
        transfers: doors.sources.rules.others.transfers.iter().collect(),
        workers: doors.sources.rules.others.workers.iter().collect(),
        calendars,
        roots,
    };
    templates.get_template("page.html")?.render(Serde(&view))
}

/// What the template shows.
#[derive(Serialize)]
struct View<'a> {
    name: &'a str,
    token: &'a str,
    cron: &'a str,
    zone: &'a str,
    dst: &'a str,
    stable_for: String,
    pause_after_failures: String,
    transfers: Vec<&'a String>,
    workers: Vec<&'a String>,
    calendars: Vec<&'a String>,
    roots: Vec<String>,
}

/// A write needs a token that only a page of this scheduler shows, whichever instance made it, and comes from no page of another site.
pub(super) async fn with_token(State(doors): State<Arc<Doors>>, request: Request<Body>, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let headers = request.headers();
    let origin = headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
    let token = headers.get(&TOKEN).and_then(|token| token.to_str().ok()).unwrap_or_default().to_owned();
    if origin.is_none_or(|origin| is_own(origin, headers)) {
        match doors.page_key.holds(&token).await {
            Ok(true) => return next.run(request).await,
            Ok(false) => {}
            Err(error) => return store_error(&error),
        }
    }
    let detail =
        "this page is of an earlier day, or of another service: load it again; programs use the door of the API";
    problem::of(StatusCode::FORBIDDEN, detail)
}
