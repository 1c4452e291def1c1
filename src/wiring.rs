//! Config to adapters behind ports; alone sees both.

use crate::adapters::disk::Disk;
use crate::adapters::local_state::LocalState;
use crate::adapters::memory::state::MemoryState;
use crate::adapters::system_clock::SystemClock;
use crate::core::generate::Ports;
use crate::core::model::spec::Worker;
use crate::core::ports::clock::Clock;
use crate::core::ports::leases::{LeaseStore, StoreError};
use crate::core::ports::observer::Observer;
use crate::core::ports::runs::RunStore;
use crate::core::ports::source::{PageSource, SourceError};
use crate::core::ports::volume::Volume;
use std::path::Path;
use std::sync::Arc;

/// Why a worker's ports could not be had.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WiringError {
    /// An address of a kind that this build has no client for.
    #[error("{what} is {kind}, and this build has no client for it yet")]
    NotInBuild {
        /// `source.url`.
        what: &'static str,
        /// `SQL Server`.
        kind: &'static str,
    },
    /// The source cannot be opened.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The state store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What will be done with a state store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Written to: made where it is missing.
    Change,
    /// Only looked at: a store that is not there is empty, and stays away.
    Look,
}

/// A state store's two sides.
#[derive(Clone)]
pub struct State {
    /// Who may write.
    pub leases: Arc<dyn LeaseStore>,
    /// What has been done.
    pub runs: Arc<dyn RunStore>,
}

/// This host's clocks.
pub fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// The output root.
pub fn volume(root: &Path) -> Arc<dyn Volume> {
    Arc::new(Disk::new(root))
}

/// The state store at the worker's address.
///
/// # Errors
/// When it cannot be opened, or its kind is not in this build.
pub async fn state(worker: &Worker, access: Access) -> Result<State, WiringError> {
    let Some(path) = path_of(worker.state.reveal(), "sqlite:") else {
        return Err(WiringError::NotInBuild { what: "state.url", kind: "MongoDB" });
    };
    let (path, ttl) = (Path::new(path), worker.policies.lease_ttl);
    let store = match access {
        Access::Change => Some(LocalState::open(path, ttl).await?),
        Access::Look => LocalState::open_existing(path, ttl).await?,
    };
    Ok(match store {
        Some(store) => both(store),
        None => both(MemoryState::default()),
    })
}

fn both<S: LeaseStore + RunStore + 'static>(store: S) -> State {
    let store = Arc::new(store);
    State { leases: Arc::clone(&store) as Arc<dyn LeaseStore>, runs: store }
}

/// The view's source, by the address's scheme; passing faults are tried again as the worker's policies say.
///
/// # Errors
/// When the address is not understood, or its kind is not in this build. Nothing is connected yet.
pub fn source(
    worker: &Worker,
    observer: Arc<dyn Observer>,
    clock: Arc<dyn Clock>,
) -> Result<Arc<dyn PageSource>, WiringError> {
    let _ = (worker, observer, clock);
    Err(WiringError::NotInBuild { what: "source.url", kind: "SQL Server" })
}

/// Everything a flow may reach.
///
/// # Errors
/// As [`source`] and [`state`].
pub async fn ports(worker: &Worker, access: Access, observer: Arc<dyn Observer>) -> Result<Ports, WiringError> {
    let clock = clock();
    let source = source(worker, observer, Arc::clone(&clock))?;
    let State { leases, runs } = state(worker, access).await?;
    Ok(Ports { source, volume: volume(&worker.output.root), leases, runs, clock })
}

/// What stands behind a scheme, which is told in any case.
fn path_of<'a>(url: &'a str, scheme: &str) -> Option<&'a str> {
    let start = url.get(..scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then(|| &url[scheme.len()..])
}
