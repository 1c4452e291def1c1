//! Config to adapters behind ports; alone sees both.

use crate::adapters::disk::Disk;
use crate::adapters::drill::{Children, Gate};
use crate::adapters::host;
use crate::adapters::kafka::{KafkaEvents, KafkaProbe, KafkaSink};
use crate::adapters::layer::hooked::Hooked;
use crate::adapters::layer::retry::Retry;
use crate::adapters::local_state::LocalState;
use crate::adapters::memory::state::MemoryState;
use crate::adapters::mongo::MongoState;
use crate::adapters::postgres::Postgres;
use crate::adapters::sqlite::SqliteSource;
use crate::adapters::sqlserver::SqlServerSource;
use crate::adapters::system_clock::SystemClock;
use crate::core::generate::Ports;
use crate::core::generate::drill::{FirstRows, Part};
use crate::core::generate::run::Identity;
use crate::core::generate::spec::Worker;
use crate::core::kind::{HasKind, Kind};
use crate::core::model::names::HIDDEN;
use crate::core::model::secret::Secret;
use crate::core::ports::clock::Clock;
use crate::core::ports::events::{BrokerError, EventSink, EventSource, TopicProbe};
use crate::core::ports::leases::{LeaseStore, StoreError};
use crate::core::ports::observer::{Observer, Retrying};
use crate::core::ports::runs::RunStore;
use crate::core::ports::source::{PageSource, SourceError};
use crate::core::ports::trial::{Trial, TrialError};
use crate::core::ports::upkeep::StoreUpkeep;
use crate::core::ports::volume::Volume;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why a worker's ports could not be had.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WiringError {
    /// The source cannot be opened.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The state store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A topic's client does not take its settings.
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

impl HasKind for WiringError {
    fn kind(&self) -> Kind {
        match self {
            Self::Source(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Broker(error) => error.kind(),
        }
    }
}

/// What will be done with a state store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Written to: made where it is missing.
    Change,
    /// As [`Access::Change`], by a service: one on other hosts may be away for now.
    Serve,
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
    /// Its server, where it has one.
    pub upkeep: Option<Arc<dyn StoreUpkeep>>,
}

impl State {
    /// A store that nothing was ever written to.
    pub fn empty() -> Self {
        both(MemoryState::default())
    }
}

/// This process, as a candidate for leases.
pub fn identity() -> Identity {
    Identity {
        instance: host::instance(),
        nonce: Arc::new(host::nonce),
        // Not `exit`: what is registered to run at an exit must not run without a lease.
        abort: Arc::new(|| std::process::abort()),
    }
}

/// Who acts, for the audit trail: operating-system user, host and process.
pub fn who() -> String {
    format!("{} at {}", host::user(), host::instance())
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
/// When it cannot be opened.
pub async fn state(worker: &Worker, access: Access) -> Result<State, WiringError> {
    let ttl = worker.policies.lease_ttl;
    let Some(path) = path_of(worker.state.reveal(), "sqlite:") else {
        // `mongodb://` or `mongodb+srv://`: the configuration lets nothing else through.
        let store = match access {
            Access::Change => MongoState::open(&worker.state, ttl).await?,
            Access::Serve => MongoState::open_for_service(&worker.state, ttl).await?,
            Access::Look => MongoState::connect(&worker.state, ttl).await?,
        };
        return Ok(State { upkeep: Some(Arc::new(store.clone())), ..both(store) });
    };
    let path = Path::new(path);
    let store = match access {
        Access::Change | Access::Serve => Some(LocalState::open(path, ttl).await?),
        Access::Look => LocalState::open_existing(path, ttl).await?,
    };
    Ok(match store {
        Some(store) => both(store),
        None => State::empty(),
    })
}

fn both<S: LeaseStore + RunStore + 'static>(store: S) -> State {
    let store = Arc::new(store);
    State { leases: Arc::clone(&store) as Arc<dyn LeaseStore>, runs: store, upkeep: None }
}

/// The view's source; passing faults are tried again as the worker's policies say, and `observer` is told.
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

/// The topic whose events start the worker's runs; none when it has no trigger. Nothing is connected yet.
///
/// # Errors
/// A property that the client does not take.
pub fn event_source(worker: &Worker) -> Result<Option<Box<dyn EventSource>>, WiringError> {
    let Some(trigger) = &worker.trigger else { return Ok(None) };
    Ok(Some(Box::new(KafkaEvents::new(&trigger.kafka)?)))
}

/// The topic for the worker's completion events; none when it has none. Nothing is connected yet.
///
/// # Errors
/// As [`event_source`].
pub fn event_sink(worker: &Worker) -> Result<Option<Arc<dyn EventSink>>, WiringError> {
    let Some(topic) = &worker.completion else { return Ok(None) };
    Ok(Some(Arc::new(KafkaSink::new(topic)?)))
}

/// A section of the worker file, and its topic's probe.
pub type NamedProbe = (&'static str, Arc<dyn TopicProbe>);

/// Asks for the worker's topics, each with the name of its section: `trigger`, `completion`. Nothing is connected yet.
///
/// # Errors
/// As [`event_source`].
pub fn topic_probes(worker: &Worker) -> Result<Vec<NamedProbe>, WiringError> {
    let trigger = worker.trigger.as_ref().map(|trigger| ("trigger", &trigger.kafka));
    let completion = worker.completion.as_ref().map(|topic| ("completion", topic));
    let probe = |(name, topic)| Ok((name, Arc::new(KafkaProbe::new(topic)?) as Arc<dyn TopicProbe>));
    trigger.into_iter().chain(completion).map(probe).collect()
}

/// A path on this host as a volume sees it.
#[derive(Clone)]
pub struct Place {
    /// The output root that the path lies in.
    pub volume: Arc<dyn Volume>,
    /// What is meant below the root; none: all of it.
    pub path: Option<String>,
}

impl Place {
    /// A whole output root.
    pub fn root(root: &Path) -> Self {
        Self { volume: volume(root), path: None }
    }
}

/// Finds the output root that a path lies in: above `.filegen`, or the nearest folder with a `.filegen` in it, else the
/// path's own folder. A folder that lies in no other root is a root itself.
pub fn place(path: &Path) -> Place {
    // By its components, so that a slash at the end makes no other path.
    let whole: PathBuf = std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).components().collect();
    let hidden = whole.ancestors().find(|part| part.file_name().is_some_and(|name| name == HIDDEN));
    let root = match hidden.and_then(Path::parent) {
        Some(root) => Some(root),
        None => whole.ancestors().find(|folder| folder.join(HIDDEN).is_dir()),
    };
    let root = root.unwrap_or_else(|| if whole.is_dir() { &whole } else { whole.parent().unwrap_or(&whole) });
    let below = whole.strip_prefix(root).ok().and_then(Path::to_str).filter(|below| !below.is_empty());
    Place { volume: volume(root), path: below.map(str::to_owned) }
}

/// Everything a flow may reach.
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

/// What a drill's run may reach: the first rows of the source, and a scratch folder with a state store of its own. With
/// `stepwise` the process that started this one is told of each change on the volume, and must agree to it.
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
        ports.volume = Arc::new(Hooked { volume: ports.volume, hook: Arc::new(Gate::default()) });
    }
    Ok(ports)
}

/// Runs this program with `arguments` for each of a drill's trials; the environment variable `place.0` says `place.1` and
/// then the trial's output root, below `root`.
///
/// # Errors
/// When the system does not tell which file this program is.
pub fn trial(
    arguments: Vec<OsString>,
    place: (&'static str, String),
    root: &Path,
) -> Result<Arc<dyn Trial>, TrialError> {
    Ok(Arc::new(Children::new(arguments, place, root)?))
}

/// Ports of what is at hand.
pub fn assemble(worker: &Worker, source: Arc<dyn PageSource>, state: State, clock: Arc<dyn Clock>) -> Ports {
    let State { leases, runs, upkeep: _ } = state;
    Ports { source, volume: volume(&worker.output.root), leases, runs, clock }
}

/// What stands behind a scheme, which is told in any case.
fn path_of<'a>(url: &'a str, scheme: &str) -> Option<&'a str> {
    let start = url.get(..scheme.len())?;
    start.eq_ignore_ascii_case(scheme).then(|| &url[scheme.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_seen_from_its_output_root() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join(".filegen/W/20261121/t00000001")).unwrap();
        std::fs::create_dir_all(root.join("sub")).unwrap();
        let seen = |path: &str| {
            let place = place(&root.join(path));
            assert_eq!(place.volume.describe(), root.display().to_string(), "{path}");
            place.path
        };
        assert_eq!(seen(""), None);
        assert_eq!(seen("loan0.txt").as_deref(), Some("loan0.txt"));
        assert_eq!(seen("sub/loan0.txt").as_deref(), Some("sub/loan0.txt"));
        assert_eq!(seen(".filegen/W/20261121/t00000001/Loan0").as_deref(), Some(".filegen/W/20261121/t00000001/Loan0"));
    }
}
