//! What holds for every answer: how long it may take, which hosts a request may name, and the headers that keep a browser from
//! doing more than showing a page.

use super::door::{ANSWER_TIME, ConnectionSlot, Places};
use super::problem;
use crate::core::model::door::is_own;
use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderName, HeaderValue, Request, Version, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;
use std::sync::Arc;

/// Longest body that a request may bring, where a route says nothing else.
const BODY_MAX: usize = 64 * 1024;

/// Most pages that are made at a time. Each asks the state store; probes do not, and so always find a connection.
const PAGES_MAX: usize = 16;

/// A page loads nothing from anywhere, sends nothing, and stands in no frame.
const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    ),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// Which hosts a request may name. A page of another site that reaches a listener by its own name (DNS rebinding) names that.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Hosts {
    /// Any.
    Any,
    /// This machine, any address, and these names.
    Only(Vec<String>),
}

impl Hosts {
    /// Those that somebody listed; without a list, any. A listener that only this machine reaches is asked by this machine's name, or
    /// by its address, whatever is listed.
    pub fn of_door(address: Option<IpAddr>, names: Vec<String>) -> Self {
        if names.is_empty() && !is_own(address) { Self::Any } else { Self::Only(names) }
    }
}

/// Guards every route.
pub(super) fn all(router: Router, hosts: Hosts) -> Router {
    let router = router.layer(middleware::from_fn(in_time));
    let hosts = Arc::new(hosts);
    router.layer(middleware::from_fn_with_state(hosts, known_host)).layer(middleware::map_response(with_headers))
}

/// Guards the pages of the flows: only so many are made at a time, and never on more than half of the connections.
pub(super) fn pages(router: Router, connections: usize) -> Router {
    few(short_bodies(router), PAGES_MAX.min(connections / 2))
}

/// Guards the routes of a flow's own door: a few connections stay for probes.
pub(super) fn door(router: Router, connections: usize) -> Router {
    few(router, (connections - connections / 8).max(1))
}

/// Bodies of at most [`BODY_MAX`] bytes. A request that announces more is refused before they come, and any other as soon as there are
/// more.
pub(super) fn short_bodies<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router.layer(DefaultBodyLimit::max(BODY_MAX)).layer(middleware::from_fn(short))
}

async fn short(request: Request<Body>, next: Next) -> Response {
    match announced_beyond(request.body(), BODY_MAX) {
        Some(length) => problem::announced(BODY_MAX, length),
        None => next.run(request).await,
    }
}

/// How long a body announces to be, if that is more than `most` bytes.
pub(super) fn announced_beyond(body: &Body, most: usize) -> Option<u64> {
    Some(body.size_hint().lower()).filter(|length| *length > most as u64)
}

/// Only so many requests are answered at a time. One whose body does not come gives its place to the next.
fn few(router: Router, places: usize) -> Router {
    router.layer(middleware::from_fn_with_state(Arc::new(Places::new(places)), one_of_few))
}

async fn in_time(request: Request<Body>, next: Next) -> Response {
    match tokio::time::timeout(ANSWER_TIME, next.run(request)).await {
        Ok(answer) => answer,
        Err(_) => problem::late(ANSWER_TIME.as_secs()),
    }
}

async fn one_of_few(State(places): State<Arc<Places>>, request: Request<Body>, next: Next) -> Response {
    let slot = request.extensions().get::<Arc<ConnectionSlot>>().map(Arc::clone).unwrap_or_default();
    match places.take(slot) {
        Some(_place) => next.run(request).await,
        None => ([(header::RETRY_AFTER, "5")], problem::busy()).into_response(),
    }
}

async fn known_host(State(hosts): State<Arc<Hosts>>, request: Request<Body>, next: Next) -> Response {
    match &*hosts {
        Hosts::Only(names) if !is_welcome(&request, names) => problem::unknown_host(),
        _ => next.run(request).await,
    }
}

/// Whether a request is for a host that it may name.
fn is_welcome<B>(request: &Request<B>, hosts: &[String]) -> bool {
    let mut given = request.headers().get_all(header::HOST).iter();
    match (request.uri().authority(), given.next(), given.next()) {
        (_, _, Some(_)) => false,
        (Some(authority), ..) => is_known(authority.as_str(), hosts),
        (None, Some(host), None) => host.to_str().is_ok_and(|host| is_known(host, hosts)),
        // Only HTTP/1.0 allows it: a simple probe.
        (None, None, None) => request.version() < Version::HTTP_11,
    }
}

/// Whether `host`, with or without a port, is an address, this machine, or one of the list. No page of another site can name an
/// address: it is reached by the site's own name.
fn is_known(host: &str, hosts: &[String]) -> bool {
    let name = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.parse::<IpAddr>().is_ok()
        || name.eq_ignore_ascii_case("localhost")
        || hosts.iter().any(|known| known.eq_ignore_ascii_case(name))
}

async fn with_headers(mut answer: Response) -> Response {
    for (name, value) in HEADERS {
        answer.headers_mut().entry(name).or_insert(value);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_of_this_machine_alone_knows_no_other_name() {
        let of = |address: &str, names: &[&str]| {
            Hosts::of_door(address.parse().ok(), names.iter().map(|name| (*name).to_owned()).collect())
        };
        for own in ["127.0.0.1", "::1", "127.8.8.8", "::ffff:127.0.0.1"] {
            assert_eq!(of(own, &[]), Hosts::Only(Vec::new()), "{own}");
        }
        for reached in ["", "0.0.0.0", "::", "10.0.0.1"] {
            assert_eq!(of(reached, &[]), Hosts::Any, "{reached}");
            assert_eq!(of(reached, &["a"]), Hosts::Only(vec!["a".to_owned()]), "{reached}");
        }
    }

    #[test]
    fn a_host_is_an_address_this_machine_or_one_of_the_list() {
        let hosts = ["filegen.bank.example".to_owned()];
        for good in
            ["127.0.0.1", "10.1.2.3:5000", "[::1]:5000", "localhost:80", "LOCALHOST", "Filegen.Bank.Example:5000"]
        {
            assert!(is_known(good, &hosts), "{good}");
        }
        for bad in
            ["", "evil.example", "filegen.bank.example.evil.example", "127.0.0.1.evil.example:5000", "[evil]", "1.2.3"]
        {
            assert!(!is_known(bad, &hosts), "{bad}");
        }
        let welcome = |version: Version, given: &[&str]| {
            let request = Request::builder().version(version);
            let request = given.iter().fold(request, |request, host| request.header("host", *host));
            is_welcome(&request.body(()).unwrap(), &hosts)
        };
        assert!(welcome(Version::HTTP_10, &[]), "a probe of HTTP/1.0 names none");
        assert!(welcome(Version::HTTP_11, &["localhost"]));
        for given in [&[] as &[&str], &["evil.example"], &["localhost", "evil.example"]] {
            assert!(!welcome(Version::HTTP_11, given), "{given:?}");
        }
    }
}
