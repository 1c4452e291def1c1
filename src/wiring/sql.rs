//! Sources of rows.

use super::WiringError;
use crate::adapters::layer::retry::Retry;
use crate::adapters::postgres::Postgres;
use crate::adapters::sqlite::SqliteSource;
use crate::adapters::sqlserver::SqlServerSource;
use crate::core::generate::spec::Worker;
use crate::core::model::database::Database;
use crate::core::model::secret::Secret;
use crate::core::ports::clock::Clock;
use crate::core::ports::observer::{Observer, Retrying};
use crate::core::ports::source::{PageSource, SourceError};
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
    match Database::of_address(address) {
        Some(Database::Sqlite) => Ok(Arc::new(SqliteSource::new(Database::sqlite_path(address).unwrap_or_default()))),
        Some(Database::Postgres) => Ok(Arc::new(Postgres::new(url)?)),
        Some(Database::SqlServer) => Ok(Arc::new(SqlServerSource::new(url)?)),
        // The configuration refuses these; a program that links this library may not have asked it.
        Some(Database::Mongo) | None => {
            Err(SourceError::Refused { reason: "this is no address that a source has".to_owned() }.into())
        }
    }
}
