//! What a door's section says, whichever flow it is of.

use crate::config::cursor::Cursor;

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
