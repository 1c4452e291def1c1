//! The page for people. One template, one style and one script of ours; nothing comes from anywhere else.

use super::Doors;
use super::origin::is_own;
use super::problem;
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
        .route("/page.js", get(async || file("text/javascript; charset=utf-8", SCRIPT)))
        .route("/page.css", get(async || file("text/css; charset=utf-8", STYLE)))
        .route("/icon.svg", get(async || file("image/svg+xml", ICON)))
}

fn file(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

async fn page(State(doors): State<Arc<Doors>>) -> Response {
    match html(&doors) {
        Ok(text) => {
            let policy = HeaderValue::from_static(POLICY);
            let kind = HeaderValue::from_static("text/html; charset=utf-8");
            ([(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, policy)], text).into_response()
        }
        Err(error) => problem::failed(&error),
    }
}

fn html(doors: &Doors) -> Result<String, minijinja::Error> {
    let templates = TEMPLATES.as_ref().map_err(|error| {
        minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, format!("a template is wrong: {error}"))
    })?;
    let defaults = &doors.sources.rules.defaults;
    let calendars: Vec<&String> = doors.sources.rules.calendars.iter().collect();
    let roots: Vec<String> = doors.sources.rules.roots.roots.iter().map(|root| root.display().to_string()).collect();
    let view = View {
        name: &doors.name,
        token: &doors.page_token,
        cron: &defaults.cron,
        zone: &defaults.zone,
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
    calendars: Vec<&'a String>,
    roots: Vec<String>,
}

/// A write needs the token that only a page of this process shows, and comes from no page of another site.
pub(super) async fn with_token(State(doors): State<Arc<Doors>>, request: Request<Body>, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let headers = request.headers();
    let origin = headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
    let has_token = headers.get(&TOKEN).is_some_and(|token| is_same(token.as_bytes(), doors.page_token.as_bytes()));
    if has_token && origin.is_none_or(|origin| is_own(origin, headers)) {
        return next.run(request).await;
    }
    let detail = "this page is of an earlier start of the service: load it again; programs use the door of the API";
    problem::of(StatusCode::FORBIDDEN, detail)
}

/// Compares in the same time, wherever the first difference is.
fn is_same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}
