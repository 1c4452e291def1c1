//! Which pages of other sites may use a door from a browser (CORS). A page that may not can neither read nor write.

use super::problem;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// Seconds for which a browser need not ask again.
const REMEMBERED: &str = "600";

/// The origins whose pages may use a door.
#[derive(Clone, Debug, Default)]
pub struct Origins(pub Vec<String>);

impl Origins {
    fn allow(&self, origin: &str) -> bool {
        self.0.iter().any(|known| known == "*" || known.eq_ignore_ascii_case(origin))
    }
}

/// Answers a browser's question beforehand, and says of each answer whether its page may read it. A write of a page that is not
/// allowed is refused: a form needs no question beforehand.
pub(super) async fn guard(State(origins): State<Arc<Origins>>, request: Request<Body>, next: Next) -> Response {
    let Some(origin) = request.headers().get(header::ORIGIN).cloned() else { return next.run(request).await };
    let is_allowed = origin.to_str().is_ok_and(|text| origins.allow(text) || is_own(text, request.headers()));
    let asks =
        request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if asks {
        let mut answer = StatusCode::NO_CONTENT.into_response();
        if is_allowed {
            allow(answer.headers_mut(), origin);
            let headers = answer.headers_mut();
            let methods = HeaderValue::from_static("GET, POST, PUT, DELETE");
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
            let names = HeaderValue::from_static("content-type, if-match, authorization");
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names);
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(REMEMBERED));
        }
        return answer;
    }
    let only_looks = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if !is_allowed && !only_looks {
        return problem::refused("pages of this origin may not write here; `api.cors` lists those that may");
    }
    let mut answer = next.run(request).await;
    answer.headers_mut().append(header::VARY, HeaderValue::from_static("origin"));
    if is_allowed {
        allow(answer.headers_mut(), origin);
    }
    answer
}

/// Refuses what a page of another site sends, for a door that has no pages of its own: a text or a form needs no question beforehand.
pub(super) async fn none(request: Request<Body>, next: Next) -> Response {
    let headers = request.headers();
    let is_foreign = |origin: &HeaderValue| !origin.to_str().is_ok_and(|origin| is_own(origin, headers));
    if headers.get(header::ORIGIN).is_some_and(is_foreign) {
        return problem::refused("pages of other sites may not write here");
    }
    next.run(request).await
}

fn allow(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("etag, location"));
}

/// Whether a page is this door's own.
pub(super) fn is_own(origin: &str, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let named = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    matches!((host, named), (Some(host), Some(named)) if host.eq_ignore_ascii_case(named))
}
