//! How open the doors of a file are, and how their certificates stand.

use super::report::{Area, CheckResult, Report};
use crate::core::kind::FailureKind;
use crate::core::model::door::DoorCertificate;
use crate::core::model::finding::CheckVerdict;

/// Doors with something about them, and what that means.
pub(crate) struct Openness {
    /// They take a request for any host.
    pub for_any_host: Vec<(&'static str, String)>,
    /// They ask for no token.
    pub for_anybody: Vec<(&'static str, String)>,
    /// Their token goes in clear.
    pub in_clear: Vec<(&'static str, String)>,
}

/// Tells of each.
pub(crate) fn examine(open: &Openness, certificates: &[DoorCertificate], report: &mut Report<'_>) {
    for (door, message) in &open.for_any_host {
        let detail = format!("{message}; list the names in `{door}.hosts`, or give `--health-host`");
        report.add(Area::Doors, "host names", CheckVerdict::Warn, detail);
    }
    for (door, message) in &open.for_anybody {
        let detail = format!("{message}; give `{door}` a `token`, or let it listen on `127.0.0.1`");
        report.add(Area::Doors, "token", CheckVerdict::Warn, detail);
    }
    for (door, message) in &open.in_clear {
        let detail =
            format!("{message}; give `{door}` `tls`, or let it listen on `127.0.0.1` behind a proxy that encrypts");
        report.add(Area::Doors, "encryption", CheckVerdict::Warn, detail);
    }
    for found in certificates {
        report.push(CheckResult::new(Area::Doors, found.finding.clone(), FailureKind::Config));
    }
}
