//! A file's values as the core takes them, with every default filled in, and what no single value can tell: names that
//! collide, times that do not fit each other. Single values have been checked before.

mod door;
pub(super) mod generate;
pub(super) mod ingest;
mod kafka;
mod nats;
mod policies;
pub(super) mod schedule;
mod state;
mod steps;
mod target;
pub(super) mod transfer;

use super::address;
use super::calendar::calendar;
use super::cursor::{Cursor, Fields};
use super::grammar::HEALTH_PORT;
use crate::core::model::business_days::BusinessDays;
use crate::core::schedule::cron::Expression;
use std::path::{Path, PathBuf};

/// A path relative to the file. `None` when it was refused; that is noted then.
fn path(fields: &Fields<'_>, name: &str) -> Option<PathBuf> {
    let text = fields.text(name)?;
    path_at(&fields.place(name), &text)
}

/// A path that starts in the file's folder. `None` when it was refused; that is noted then.
fn path_at(at: &Cursor<'_>, text: &str) -> Option<PathBuf> {
    match address::resolved(text, at.context.folder) {
        Ok(path) => Some(path.components().collect()),
        Err((message, hint)) => {
            at.report("impossible-value", message, hint);
            None
        }
    }
}

/// Notes a field that neither the file nor the environment gives.
fn missing(fields: &Fields<'_>, name: &str, variable: &str) {
    let place = fields.place(name);
    if fields.at.field(name).is_none() {
        let hint = format!("add it, or set the environment variable {variable}");
        place.report("missing-field", format!("`{}` is missing", place.path), hint);
    }
}

/// Notes a zone that nobody knows.
fn check_zone(at: &Cursor<'_>, timezone: &str) {
    // UTC needs no look at the system's zones.
    if timezone != "UTC" && jiff::tz::TimeZone::get(timezone).is_err() {
        let message = format!("no time zone is called {}", at.shown());
        let hint = "write an IANA name: `UTC`, `Europe/Berlin`, `America/New_York`";
        at.report("impossible-value", message, hint);
    }
}

/// The calendar that a field names, by its word or its file. `None` where it names none, or none that can be read; that is noted then.
fn days(fields: &Fields<'_>, name: &'static str, folder: &Path) -> Option<BusinessDays> {
    let given = fields.text(name)?;
    calendar(&given, folder)
        .map_err(|error| {
            fields.place(name).report("impossible-value", error.to_string(), &error.hint);
        })
        .ok()
}

/// Notes a cron expression that means nothing, or that is never due again.
fn check_cron(at: &Cursor<'_>, expression: &str) {
    if let Err(error) = Expression::parse(expression) {
        let place = match expression.get(error.at.clone()).filter(|text| !text.is_empty()) {
            Some(text) => format!(" at `{text}`"),
            None => String::new(),
        };
        at.report("impossible-value", format!("{error}{place}"), &error.hint);
    }
}

/// The daemon's health port: the environment's, since worker files have no field for it.
pub(super) fn health_port(root: &Cursor<'_>) -> Option<u16> {
    let text = root.context.vars.get(HEALTH_PORT)?;
    let port = text.to_str().and_then(|text| text.trim().parse().ok()).filter(|port| *port > 0);
    if port.is_none() && !text.is_empty() {
        root.report(
            "impossible-value",
            format!("the environment variable {HEALTH_PORT} is no port"),
            "set it to 1 to 65535",
        );
    }
    port
}
