//! A worker file's values as the core takes them, with every default filled in, and what no single value can tell:
//! names that collide, times that do not fit each other. Single values have been checked before.

mod deadline;
mod files;
mod rest;
mod source;
mod topics;
mod translator;

use super::at::At;
use super::grammar::{HEALTH_PORT, WORKER};
use crate::core::generate::spec::Worker;
use crate::core::model::names::WorkerId;

/// The whole worker; none when anything is wrong, which is noted then.
pub(super) fn worker(root: &At<'_>) -> Option<Worker> {
    let fields = root.read(&WORKER);
    let id = fields.text("worker").and_then(|text| match WorkerId::new(text) {
        Ok(id) => Some(id),
        Err(error) => {
            fields.place("worker").note("impossible-value", error.to_string(), "for example `LoanWorker`");
            None
        }
    });
    let source = source::source(&root.section("source"));
    let output = source::output(&root.section("output"));
    let files = files::files(&root.section("files"), id.as_ref());
    let business_date = rest::business_date(&root.section("business_date"));
    let deadline = deadline::deadline(&root.section("deadline"), business_date.as_ref());
    let state = source::state(&root.section("state"), output.as_ref());
    let trigger = topics::trigger(root, id.as_ref());
    let completion = topics::completion(root);
    let commit = rest::commit(&root.section("commit"));
    let policies = rest::policies(&root.section("policies"));
    Some(Worker {
        id: id?,
        source: source?,
        output: output?,
        files: files?,
        business_date: business_date?,
        deadline: deadline?,
        state: state?,
        trigger: trigger?,
        completion: completion?,
        commit: commit?,
        policies: policies?,
    })
}

/// The daemon's health port: the environment's, since worker files have no field for it.
pub(super) fn health_port(root: &At<'_>) -> Option<u16> {
    let text = root.context.vars.get(HEALTH_PORT)?;
    let port = text.to_str().and_then(|text| text.trim().parse().ok()).filter(|port| *port > 0);
    if port.is_none() && !text.is_empty() {
        root.note(
            "impossible-value",
            format!("the environment variable {HEALTH_PORT} is no port"),
            "set it to 1 to 65535",
        );
    }
    port
}
