//! The token of a door: `Authorization: Bearer …`, compared in a time that tells nothing of it.

use super::problem;
use crate::core::model::secret::Secret;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Asks for the token of a door, where it has one.
pub(super) fn asked(methods: MethodRouter, token: Option<&Secret>) -> MethodRouter {
    let Some(token) = token else { return methods };
    methods.route_layer(middleware::from_fn_with_state(digest(token), check))
}

/// The same for each route of a door.
pub(super) fn asked_on_each(routes: Router, token: Option<&Secret>) -> Router {
    let Some(token) = token else { return routes };
    routes.route_layer(middleware::from_fn_with_state(digest(token), check))
}

fn digest(token: &Secret) -> Arc<[u8; 32]> {
    Arc::new(Sha256::digest(token.reveal()).into())
}

async fn check(State(digest): State<Arc<[u8; 32]>>, request: Request<Body>, next: Next) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token =
        given.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    if token.is_some_and(|(_, token)| is_same(&Sha256::digest(token.trim()).into(), &digest)) {
        return next.run(request).await;
    }
    ([(header::WWW_AUTHENTICATE, "Bearer")], problem::no_token()).into_response()
}

/// Looks at every byte: digests of equal length, so that neither length nor prefix of the token is told by the time it takes.
fn is_same(one: &[u8; 32], other: &[u8; 32]) -> bool {
    one.iter().zip(other).fold(0, |differs, (one, other)| differs | (one ^ other)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_the_same_in_all_its_bytes_or_not_at_all() {
        let digest = |text: &str| -> [u8; 32] { Sha256::digest(text).into() };
        assert!(is_same(&digest("a"), &digest("a")));
        let mut last = digest("a");
        last[31] ^= 1;
        assert!(!is_same(&digest("a"), &last) && !is_same(&digest("a"), &digest("b")));
    }
}
