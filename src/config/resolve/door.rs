//! What a door's section says, whichever flow it is of.

use super::path;
use crate::config::cursor::{Cursor, Fields};
use crate::config::grammar::common::TLS;
use crate::core::model::door::TlsFiles;
use crate::core::model::secret::Secret;

/// Shortest token, in characters. Fewer are soon guessed.
const TOKEN_MIN: usize = 8;

/// Names alone: a request's port is passed over.
pub(super) fn hosts(at: &Cursor<'_>) -> Vec<String> {
    let mut hosts = Vec::new();
    for host in at.items() {
        let Some(text) = host.text() else { continue };
        let fits = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
        if !text.is_empty() && fits(text) {
            hosts.push(text.to_owned());
        } else {
            let message = format!("{} is no host name", host.shown());
            host.report(
                "impossible-value",
                message,
                "write the name alone, without scheme and port: `files.bank.example`",
            );
        }
    }
    hosts
}

/// The files of a door's certificate. Whether they are there and fit is looked at by whoever serves or checks: other commands need
/// no certificate.
pub(super) fn tls(fields: &Fields<'_>) -> Option<TlsFiles> {
    let tls = fields.at.field("tls")?.read(&TLS);
    let (certificate, key) = (path(&tls, "certificate"), path(&tls, "key"));
    Some(TlsFiles { certificate: certificate?, key: key? })
}

/// What a client has to send. Nothing of it is repeated.
pub(super) fn token(fields: &Fields<'_>) -> Option<Secret> {
    let token = fields.text("token")?;
    let why = if token.trim().is_empty() {
        "`token` is empty".to_owned()
    } else if token.trim() != token {
        "`token` begins or ends with a blank, which a client cannot send".to_owned()
    } else if token.chars().count() < TOKEN_MIN {
        format!("`token` has fewer than {TOKEN_MIN} characters, and is soon guessed")
    } else {
        return Some(Secret::new(token.as_ref()));
    };
    fields.place("token").report_harmless("impossible-value", why, "write a long random text, or leave it out");
    None
}
