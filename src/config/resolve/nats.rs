//! A place in NATS as the core takes it.

use super::path;
use crate::config::cursor::{Cursor, Fields};
use crate::config::grammar::transfer::NATS;
use crate::core::model::nats::{NatsLogin, NatsSpec};
use crate::core::model::secret::Secret;
use std::time::Duration;

/// Below, a message would go to another instance while its holder waits for a disk.
const ACK_WAIT_MIN: Duration = Duration::from_secs(1);

/// The streams. `None` when anything is wrong; that is noted then.
pub(super) fn nats(at: &Cursor<'_>) -> Option<NatsSpec> {
    let fields = at.read(&NATS);
    let url = fields.text("url").and_then(|url| address(&fields, &url));
    let (stream, subject) = (stream(&fields), subject(&fields));
    let ack_wait = fields.duration("ack_wait");
    if ack_wait.is_some_and(|wait| wait < ACK_WAIT_MIN) {
        fields.place("ack_wait").report(
            "impossible-value",
            "`ack_wait` is shorter than a second",
            "30s suits most disks",
        );
    }
    let secret = |name: &str| fields.text(name).map(|text| Secret::new(text.as_ref()));
    // Read before anything is given up, so that all that is wrong is noted.
    let (credentials, ca) = (path(&fields, "credentials"), path(&fields, "ca"));
    Some(NatsSpec {
        url: Secret::new(url?),
        stream: stream?,
        subject: subject?,
        max_bytes: fields.size("max_bytes"),
        replicas: fields.whole("replicas")?,
        ack_wait: ack_wait?,
        max_age: fields.duration("max_age")?,
        login: NatsLogin {
            user: fields.owned("user"),
            password: secret("password"),
            token: secret("token"),
            nkey: secret("nkey"),
            credentials,
        },
        ca,
    })
}

/// The address, where its kind is one of these, with the scheme of each server: whoever shows an address, or looks for what is weak
/// about it, knows it by that. The rest is the client's to read: it may hold a password.
fn address(fields: &Fields<'_>, url: &str) -> Option<String> {
    let fits = url.split(',').all(|part| {
        let scheme = part.trim().split_once("://").map_or("nats", |(scheme, _)| scheme);
        scheme.eq_ignore_ascii_case("nats") || scheme.eq_ignore_ascii_case("tls")
    });
    if !fits || url.chars().any(char::is_whitespace) && !url.contains(',') {
        let hint = "write `nats://host:4222`, or `tls://host:4222` with encryption";
        fields.place("url").report("unknown-address", "this is no address of NATS", hint);
        return None;
    }
    let whole = |server: &str| if server.contains("://") { server.to_owned() } else { format!("nats://{server}") };
    Some(url.split(',').map(|server| whole(server.trim())).collect::<Vec<_>>().join(","))
}

/// What names of streams begin with: letters, digits, `-` and `_`.
fn stream(fields: &Fields<'_>) -> Option<String> {
    let text = fields.owned("stream")?;
    if text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) {
        return Some(text);
    }
    let message = "a stream's name has letters, digits, `-` and `_`";
    fields.place("stream").report("impossible-value", message, "for example `FILES`");
    None
}

/// What subjects begin with: words of letters, digits, `-` and `_` with dots between them.
fn subject(fields: &Fields<'_>) -> Option<String> {
    let text = fields.owned("subject")?;
    let is_word =
        |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if text.split('.').all(is_word) && text.len() <= 200 {
        return Some(text);
    }
    let message =
        "a subject has words of letters, digits, `-` and `_`, with a dot between two, and neither `*` nor `>`";
    fields.place("subject").report("impossible-value", message, "for example `files.input`");
    None
}
