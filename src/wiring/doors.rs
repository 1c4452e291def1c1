//! The certificates of our own doors.

use super::WiringError;
use crate::adapters::door_tls::{self, DoorTls};
use crate::adapters::tls;
use crate::config::Flow;
use crate::core::model::door::{DoorCertificate, TlsFiles};
use crate::core::model::finding::{CheckVerdict, Finding};
use crate::core::model::moment::moment;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use tokio_rustls::TlsConnector;

/// A certificate that ends sooner is told.
pub const ENDS_SOON: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The TLS of a door, where it has any.
///
/// # Errors
/// When its files cannot be used.
pub fn door_tls(door: &str, files: Option<&TlsFiles>) -> Result<Option<DoorTls>, WiringError> {
    let wrong = |why| WiringError::Certificate { door: door.to_owned(), why };
    files.map(DoorTls::load).transpose().map_err(wrong)
}

/// What is to be said of the certificates of a file's doors: of each one, as it is.
pub fn certificates_in(flow: &Flow, now: Timestamp) -> Vec<DoorCertificate> {
    match flow {
        Flow::Ingest(ingest) => certificates(&ingest.certificates(), now),
        Flow::Schedule(scheduler) => certificates(&scheduler.certificates(), now),
        // They have no doors.
        Flow::Generate(_) | Flow::Transfer(_) => Vec::new(),
    }
}

/// The same of these doors.
pub fn certificates(doors: &[(&'static str, &TlsFiles)], now: Timestamp) -> Vec<DoorCertificate> {
    let found = |(door, files): &(&'static str, &TlsFiles)| {
        let (verdict, detail) = match door_tls::look(files, now) {
            Err(why) => (CheckVerdict::Fail, format!("`{door}.tls`: {why}")),
            Ok(ends) if ends < now.saturating_add(ENDS_SOON).unwrap_or(Timestamp::MAX) => {
                (CheckVerdict::Warn, format!("`{door}.tls`: the certificate ends at {}", moment(ends)))
            }
            Ok(ends) => (CheckVerdict::Pass, format!("`{door}.tls`: the certificate is valid until {}", moment(ends))),
        };
        DoorCertificate { door, finding: Finding { check: "certificate".to_owned(), verdict, detail } }
    };
    doors.iter().map(found).collect()
}

/// Shakes hands with a door of this host. Nothing is checked: its certificate is made out to the name by which others reach it, and
/// a question about health holds nothing that anybody else could not ask.
///
/// # Errors
/// Never, in a build that has any version of TLS.
pub fn own_door() -> Result<TlsConnector, WiringError> {
    let settings = tls::client(tls::Check::Nothing, None, "", rustls::DEFAULT_VERSIONS);
    let settings = settings.map_err(|why| WiringError::Certificate { door: "health".to_owned(), why })?;
    Ok(TlsConnector::from(Arc::new(settings)))
}
