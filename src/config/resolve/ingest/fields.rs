//! Values that several sections of an ingest file have.

use crate::config::cursor::Fields;
use crate::config::resolve::door::{hosts, tls, token};
use crate::core::ingest::spec::{DoorSpec, Pointer};

/// A JSON pointer. `None` when it is missing or none; that is noted then.
pub(super) fn pointer(fields: &Fields<'_>, name: &str) -> Option<Pointer> {
    let text = fields.text(name)?;
    let pointer = Pointer::parse(&text);
    if pointer.is_none() && !text.is_empty() {
        let hint =
            "a JSON pointer starts with `/`: `/eventId`, `/data/userId`; `~1` in a name is a slash, `~0` a tilde";
        fields.place(name).report("impossible-value", "this is no JSON pointer", hint);
    }
    pointer
}

/// Where a door is.
pub(super) fn door(fields: &Fields<'_>) -> Option<DoorSpec> {
    let listen = match fields.text("listen") {
        None => None,
        Some(text) => {
            let address = text.trim().parse().ok();
            if address.is_none() {
                let hint = "for example `127.0.0.1`, `0.0.0.0` or `::`";
                fields.place("listen").report("impossible-value", "this is no address to listen on", hint);
            }
            Some(address?)
        }
    };
    Some(DoorSpec {
        port: u16::try_from(fields.whole("port")?).ok()?,
        listen,
        hosts: hosts(&fields.at.section("hosts")),
        token: token(fields),
        tls: tls(fields),
    })
}
