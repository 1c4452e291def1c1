//! The state store.

use super::WiringError;
use crate::adapters::local_state::{LocalState, rights};
use crate::adapters::memory::state::MemoryState;
use crate::adapters::mongo::MongoState;
use crate::core::generate::spec::Worker;
use crate::core::model::database::Database;
use crate::core::model::finding::Finding;
use crate::core::model::names::HIDDEN;
use crate::core::model::secret::Secret;
use crate::core::ports::state::StateStore;
use crate::core::ports::store::StoreError;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// What will be done with a state store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// It is written to, and made where it is missing.
    Change,
    /// As [`Access::Change`], for a service. A server may be away for now.
    Serve,
    /// It is only read. A missing store counts as empty, and is not made.
    Look,
}

/// A store that nothing was ever written to.
pub fn empty_state() -> StateStore {
    StateStore::of(Arc::new(MemoryState::default()))
}

/// Who may write the worker's state file and the folders around it. `None` where the state is a server's.
pub fn state_rights(worker: &Worker) -> Option<Finding> {
    let state = Database::sqlite_path(worker.state.reveal())?;
    let (root, hidden) = (&worker.output.root, worker.output.root.join(HIDDEN));
    Some(rights(Path::new(state), root, &[hidden.clone(), hidden.join(worker.id.as_str())]))
}

/// Who may write a state file and its folder. `None` where the state is a server's.
pub fn rights_of(state: &Secret) -> Option<Finding> {
    let path = Path::new(Database::sqlite_path(state.reveal())?);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Some(rights(path, folder, &[]))
}

/// The state store at the worker's address.
///
/// # Errors
/// When it cannot be opened.
pub async fn state(worker: &Worker, access: Access) -> Result<StateStore, WiringError> {
    let ttl = worker.policies.lease_ttl;
    let address = worker.state.reveal();
    match Database::of_address(address) {
        Some(Database::Sqlite) => {
            let path = Path::new(Database::sqlite_path(address).unwrap_or_default());
            let store = match access {
                Access::Change | Access::Serve => Some(LocalState::open(path, ttl).await?),
                Access::Look => LocalState::open_existing(path, ttl).await?,
            };
            Ok(store.map_or_else(empty_state, |store| StateStore::of(Arc::new(store))))
        }
        Some(Database::Mongo) => {
            let store = Arc::new(mongo(&worker.state, ttl, access).await?);
            Ok(StateStore { admin: Some(Arc::clone(&store) as _), ..StateStore::of(store) })
        }
        Some(Database::Postgres | Database::SqlServer) | None => Err(foreign().into()),
    }
}

/// The MongoDB store at an address.
pub(super) async fn mongo(url: &Secret, ttl: Duration, access: Access) -> Result<MongoState, StoreError> {
    match access {
        Access::Change => MongoState::open(url, ttl).await,
        Access::Serve => MongoState::open_for_service(url, ttl).await,
        Access::Look => MongoState::connect(url, ttl).await,
    }
}

/// The configuration refuses such an address; a program that links this library may not have asked it.
pub(super) fn foreign() -> StoreError {
    StoreError::Failed { store: "at this address".to_owned(), reason: "no state store has such an address".to_owned() }
}
