//! Sources of rows.

use super::{WiringError, path_of};
use crate::adapters::layer::retry::Retry;
use crate::adapters::postgres::Postgres;
use crate::adapters::sqlite::SqliteSource;
use crate::adapters::sqlserver::SqlServerSource;
use crate::core::generate::spec::Worker;
use crate::core::model::secret::Secret;
use crate::core::ports::clock::Clock;
use crate::core::ports::observer::{Observer, Retrying};
use crate::core::ports::source::PageSource;
use std::sync::Arc;

/// The view's source. Passing faults are tried again as the worker's policies say, and reported to `observer`.
///
/// # Errors
/// As [`source_at`].
pub fn source(
    worker: &Worker,
    observer: Arc<dyn Observer<Retrying>>,
    clock: Arc<dyn Clock>,
) -> Result<Arc<dyn PageSource>, WiringError> {
    let source = source_at(&worker.source.url)?;
    Ok(Arc::new(Retry::new(source, worker.policies.retry, clock, observer)))
}

/// The source at an address, by its scheme.
///
/// # Errors
/// When the address is not understood. Nothing is connected yet.
pub fn source_at(url: &Secret) -> Result<Arc<dyn PageSource>, WiringError> {
    let address = url.reveal();
    let is = |scheme: &str| path_of(address, scheme).is_some();
    if let Some(path) = path_of(address, "sqlite:") {
        Ok(Arc::new(SqliteSource::new(path)))
    } else if is("postgres:") || is("postgresql:") {
        Ok(Arc::new(Postgres::new(url)?))
    } else {
        // A `sqlserver://` URL or an ADO string: the configuration lets nothing else through.
        Ok(Arc::new(SqlServerSource::new(url)?))
    }
}
