//! The ports of the flow generate.

use super::{Access, WiringError, clock, source, state, volume_of};
use crate::adapters::drill::{Children, ParentHook};
use crate::adapters::layer::hooked::Hooked;
use crate::core::generate::Ports;
use crate::core::generate::drill::{FirstRows, Part};
use crate::core::generate::spec::Worker;
use crate::core::ports::clock::Clock;
use crate::core::ports::drill::{DrillRunner, DrillRunnerError};
use crate::core::ports::observer::{Observer, Retrying};
use crate::core::ports::source::PageSource;
use crate::core::ports::state::StateStore;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

/// All ports of a worker.
///
/// # Errors
/// As [`source`] and [`state`].
pub async fn ports(
    worker: &Worker,
    access: Access,
    observer: Arc<dyn Observer<Retrying>>,
) -> Result<Ports, WiringError> {
    let clock = clock();
    let source = source(worker, observer, Arc::clone(&clock))?;
    let state = state(worker, access).await?;
    Ok(assemble(worker, source, state, clock))
}

/// The ports of a drill's run: the first rows of the source, and a scratch folder with a state store of its own. With `stepwise`
/// this process reports each change on the volume to its parent process and waits for the parent's consent.
///
/// # Errors
/// As [`ports`].
pub async fn drill_ports(
    worker: &Worker,
    part: Part,
    stepwise: bool,
    observer: Arc<dyn Observer<Retrying>>,
) -> Result<Ports, WiringError> {
    let mut ports = ports(worker, Access::Change, observer).await?;
    ports.source = Arc::new(FirstRows { source: ports.source, rows: part.rows });
    if stepwise {
        ports.volume = Arc::new(Hooked { volume: ports.volume, hook: Arc::new(ParentHook::default()) });
    }
    Ok(ports)
}

/// Runs this program with `arguments` for each run of a drill; the environment variable `place.0` says `place.1` and
/// then the run's output root, below `root`.
///
/// # Errors
/// When the system does not tell which file this program is.
pub fn drill_runner(
    arguments: Vec<OsString>,
    place: (&'static str, String),
    root: &Path,
) -> Result<Arc<dyn DrillRunner>, DrillRunnerError> {
    Ok(Arc::new(Children::new(arguments, place, root)?))
}

/// Ports of what is at hand.
pub fn assemble(worker: &Worker, source: Arc<dyn PageSource>, state: StateStore, clock: Arc<dyn Clock>) -> Ports {
    Ports { source, volume: volume_of(&worker.output), state, clock }
}
