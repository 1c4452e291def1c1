//! The transfer that published files are handed over to: its folder, what becomes of what lies there, and what must hold of it. It takes,
//! delivers and refuses when it pleases, and a refused file goes again when somebody asks.

use crate::disk::{Disk, Refusal};
use crate::pod::Pod;
use crate::rng::Rng;
use crate::sim::{Sim, locked};
use crate::store::SimStore;
use crate::volume::operate;
use async_trait::async_trait;
use filegen::core::generate::deliver::{Courier, DeliverEvent};
use filegen::core::generate::model::manifest::Manifest;
use filegen::core::generate::spec::Worker;
use filegen::core::inlet::Inlet;
use filegen::core::model::delivery::Delivery;
use filegen::core::model::event::{CompletionEvent, FileDelivered};
use filegen::core::model::pattern::Pattern;
use filegen::core::model::run::RunId;
use filegen::core::ports::clock::Clock;
use filegen::core::ports::folders::{Content, FolderError};
use filegen::core::ports::handover::{Arrival, Arrivals, Given, Handover};
use filegen::core::ports::state::StateStore;
use filegen::core::ports::store::StoreError;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// What the worker's file calls it.
pub const NAME: &str = "sales";

/// A version of a file: its path and digest.
type Version = (String, String);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    Moving,
    Arrived,
    Failed,
}

pub struct Transfer {
    rng: Rng,
    /// What lies in its folder, by name; and whether the name would be there after a power failure.
    lies: BTreeMap<String, (String, bool)>,
    known: BTreeMap<Version, Fate>,
    /// What the target shows, by name: the digest.
    shows: BTreeMap<String, String>,
    /// Manifests that were ever durable, with their digests.
    manifests: BTreeMap<Version, Manifest>,
    /// All that was ever handed over.
    handed: BTreeSet<Version>,
    /// Arrivals that the broker was told of, by business date, file and version: the correlation id.
    told: BTreeMap<(String, String, u32), String>,
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

impl Transfer {
    pub fn new(seed: u64) -> Self {
        Self {
            rng: Rng::new(seed ^ 0x7a4e_50ff),
            lies: BTreeMap::new(),
            known: BTreeMap::new(),
            shows: BTreeMap::new(),
            manifests: BTreeMap::new(),
            handed: BTreeSet::new(),
            told: BTreeMap::new(),
        }
    }

    /// A while passes.
    pub fn act(&mut self, is_calm: bool) {
        let lies: Vec<Version> = self.lies.iter().map(|(name, (sha256, _))| (name.clone(), sha256.clone())).collect();
        for version in lies {
            let fate = self.known.get(&version).copied();
            match fate {
                None if is_calm || self.rng.chance(500) => drop(self.known.insert(version, Fate::Moving)),
                Some(Fate::Moving) if is_calm || self.rng.chance(400) => self.arrives(version),
                Some(Fate::Moving) if self.rng.chance(60) => {
                    self.lies.remove(&version.0);
                    self.known.insert(version, Fate::Failed);
                }
                _ => {}
            }
        }
        // Somebody lets what was refused go again, where its name is free.
        let failed: Vec<Version> =
            self.known.iter().filter(|(_, fate)| **fate == Fate::Failed).map(|(version, _)| version.clone()).collect();
        for version in failed {
            if !self.lies.contains_key(&version.0) && (is_calm || self.rng.chance(200)) {
                self.lies.insert(version.0.clone(), (version.1.clone(), true));
                self.known.insert(version, Fate::Moving);
            }
        }
    }

    fn arrives(&mut self, version: Version) {
        self.lies.remove(&version.0);
        self.shows.insert(version.0.clone(), version.1.clone());
        self.known.insert(version, Fate::Arrived);
    }

    /// What is in its folder, and was not synced, may be gone.
    pub fn power_fails(&mut self) {
        let rng = &mut self.rng;
        self.lies.retain(|_, (_, is_durable)| *is_durable || rng.chance(500));
    }

    /// How many arrivals the broker was told of.
    pub fn told_in_all(&self) -> u64 {
        self.told.len() as u64
    }

    fn has_arrived(&self, version: &Version) -> bool {
        self.known.get(version) == Some(&Fate::Arrived)
    }

    /// Remembers the manifests that are durable now.
    pub fn remember(&mut self, disk: &Disk, names: impl Iterator<Item = String>) {
        for name in names.filter(|name| disk.is_durable(name)) {
            let Some(bytes) = seen(disk, &name) else { continue };
            if let Ok(manifest) = serde_json::from_slice::<Manifest>(&bytes) {
                self.manifests.insert((name, digest(&bytes)), manifest);
            }
        }
    }

    /// Whether a file, or a manifest, was ever published whole.
    fn was_published(&self, version: &Version) -> bool {
        self.manifests.contains_key(version)
            || self.manifests.values().any(|manifest| place(manifest, version).is_some())
    }

    /// What is wrong with something being due.
    pub fn due(&self, path: &str, sha256: &str) -> Option<String> {
        let version = (path.to_owned(), sha256.to_owned());
        (!self.was_published(&version)).then(|| format!("{path} is to be handed over, and is not published"))
    }

    /// What is wrong with something being handed over now.
    fn handed(&mut self, version: &Version, disk: &Disk) -> Option<String> {
        self.handed.insert(version.clone());
        let path = &version.0;
        if !self.was_published(version) {
            return Some(format!("{path} is handed over, and is not published"));
        }
        if let Some(manifest) = self.manifests.get(version) {
            let lacks = files(manifest).find(|file| !self.has_arrived(file));
            return lacks.map(|(file, _)| format!("the manifest {path} is handed over before {file} has arrived"));
        }
        // What a later version has replaced is not waited for.
        let stands = |(name, sha256): &Version| seen(disk, name).is_some_and(|bytes| digest(&bytes) == *sha256);
        let mut of = self.manifests.values().filter_map(|manifest| Some((manifest, place(manifest, version)?)));
        let (manifest, place) = of.next_back()?;
        let before = files(manifest).take(place).find(|file| !self.handed.contains(file) && stands(file));
        before.map(|(before, _)| format!("{path} is handed over before {before}"))
    }

    /// What is wrong with the broker being told of an arrival.
    pub fn told(&mut self, event: &FileDelivered, is_completed: bool) -> Option<String> {
        let FileDelivered { path, correlation_id, .. } = event;
        let key = (event.business_date.clone(), event.file_id.clone(), event.version);
        let before = self.told.insert(key, correlation_id.clone());
        if !self.has_arrived(&(path.clone(), event.sha256.clone())) {
            return Some(format!("{correlation_id} was told as delivered, and {path} has not arrived"));
        }
        if before.is_some_and(|before| before != *correlation_id) || !is_completed {
            return Some(format!("{correlation_id} was told as delivered, and its completion event was not"));
        }
        None
    }

    /// What is not done for the version that a run ended with.
    pub fn undone(&self, run: &RunId, manifest: &Version) -> Option<String> {
        let Some(published) = self.manifests.get(manifest) else { return Some(format!("{run} has no manifest")) };
        let wanted = files(published).chain([manifest.clone()]);
        let mut wanted =
            wanted.filter(|version| !self.has_arrived(version) || self.shows.get(&version.0) != Some(&version.1));
        if let Some((path, _)) = wanted.next() {
            return Some(format!("{path} of {run} has not arrived, or another version stands there"));
        }
        let is_told = |file: &String| self.told.contains_key(&(run.date.to_string(), file.clone(), published.version));
        let of_it = published.files.iter().filter(|file| file.version == published.version);
        let untold = of_it.map(|file| &file.id).find(|file| !is_told(file));
        untold.map(|file| format!("nobody was told that {file} of {run} has arrived"))
    }
}

/// What has a name on the volume, and its digest.
pub fn version(disk: &Disk, name: &str) -> Option<Version> {
    seen(disk, name).map(|bytes| (name.to_owned(), digest(&bytes)))
}

fn seen(disk: &Disk, name: &str) -> Option<Vec<u8>> {
    let id = disk.resolve(name).ok()?;
    disk.file(id).ok().map(|file| file.seen.clone())
}

fn files(manifest: &Manifest) -> impl Iterator<Item = Version> + '_ {
    manifest.files.iter().filter_map(|file| Some((file.name.clone()?, file.sha256.clone())))
}

/// Which file of a manifest it is.
fn place(manifest: &Manifest, version: &Version) -> Option<usize> {
    files(manifest).position(|file| file == *version)
}

/// One pod's way to the folder, and to the transfer's ledger.
struct Way(Arc<Pod>);

#[async_trait]
impl Handover for Way {
    fn describe(&self) -> String {
        NAME.to_owned()
    }

    async fn give(&self, _: &Path, path: &str, _: &Content, _: &str) -> Result<Given, FolderError> {
        Err(FolderError::Missing { path: path.to_owned() })
    }

    async fn lend(&self, _: &Path, path: &str, (_, sha256): (u64, &str), name: &str) -> Result<Given, FolderError> {
        let (pod, version, name) = (&self.0, (path.to_owned(), sha256.to_owned()), name.to_owned());
        pod.gate().await;
        let (lent, at) = (version.clone(), name.clone());
        let given = operate(pod, "lend", path, move |sim, disk, book| {
            let mut transfer = locked(&sim.transfer);
            if let Some((there, _)) = transfer.lies.get(&at) {
                return Ok(if *there == lent.1 { Given::There } else { Given::Taken });
            }
            let bytes = seen(disk, &lent.0).ok_or(Refusal::NotFound)?;
            if digest(&bytes) != lent.1 {
                return Ok(Given::Changed);
            }
            transfer.remember(disk, sim.manifests());
            book.wrong.extend(transfer.handed(&lent, disk));
            transfer.lies.insert(at, (lent.1, false));
            Ok(Given::There)
        });
        let missing = || FolderError::Missing { path: path.to_owned() };
        let given = given.await.map_err(|_| missing())?;
        if given == Given::There {
            let synced = operate(pod, "sync", path, move |sim, _, _| {
                let mut transfer = locked(&sim.transfer);
                if let Some(there) = transfer.lies.get_mut(&name).filter(|(there, _)| *there == version.1) {
                    there.1 = true;
                }
                Ok(())
            });
            synced.await.map_err(|_| missing())?;
        }
        Ok(given)
    }

    async fn try_out(&self, _: &Path, _: &str) -> Result<bool, FolderError> {
        Ok(true)
    }
}

#[async_trait]
impl Arrivals for SimStore {
    async fn arrival(&self, path: &str, _: u64, sha256: &str) -> Result<Arrival, StoreError> {
        let (version, id) = ((path.to_owned(), sha256.to_owned()), sha256.to_owned());
        self.ask("arrival", false, move |sim| {
            let id = id.clone();
            Ok(match locked(&sim.transfer).known.get(&version) {
                None => Arrival::Unknown,
                Some(Fate::Moving) => Arrival::Moving { id },
                Some(Fate::Arrived) => Arrival::Arrived { id },
                Some(Fate::Failed) => Arrival::Failed { id, reason: "the target said no".to_owned() },
            })
        })
        .await
    }
}

/// Who hands over what a pod publishes.
pub fn courier(pod: &Arc<Pod>, worker: &Arc<Worker>, state: &StateStore) -> Option<Courier> {
    worker.deliver.as_ref()?;
    let inlet = Inlet {
        name: NAME.to_owned(),
        pattern: Pattern::parse("**").expect("a pattern"),
        max_size: 1 << 30,
        folder: Arc::new(Way(Arc::clone(pod))),
        arrivals: Arc::new(SimStore::new(Arc::clone(pod))),
    };
    let told = Arc::clone(pod);
    Some(Courier {
        worker: Arc::clone(worker),
        inlets: vec![inlet],
        runs: Arc::clone(&state.runs),
        deliveries: Arc::clone(&state.deliveries),
        clock: Arc::clone(pod) as Arc<dyn Clock>,
        observer: Arc::new(move |event: &DeliverEvent| match event {
            DeliverEvent::Standing(_) => {}
            DeliverEvent::Failing { reason, .. } => {
                told.sim.note(told.number, format_args!("hands over again: {reason}"));
            }
            DeliverEvent::HandedOver(it)
            | DeliverEvent::Delivered(it)
            | DeliverEvent::Failed(it)
            | DeliverEvent::Replaced(it) => {
                told.sim.note(told.number, format_args!("{} is {}", it.id(), it.state.as_str()));
            }
            DeliverEvent::Odd { .. } => told.sim.wrong("a delivery cannot be read".to_owned()),
        }),
    })
}

/// A pod records what is due, now that it is published.
pub fn due(sim: &Sim, due: &[Delivery]) {
    let disk = locked(&sim.disk);
    let mut transfer = locked(&sim.transfer);
    transfer.remember(&disk, sim.manifests());
    let wrong: Vec<_> = due.iter().filter_map(|it| transfer.due(&it.path, &it.sha256)).collect();
    locked(&sim.book).wrong.extend(wrong);
}

/// An event of an arrival is at the broker.
pub fn arrived(sim: &Sim, event: &FileDelivered) {
    let key = (event.business_date.clone(), event.file_id.clone(), event.version);
    let mut book = locked(&sim.book);
    // The completion event of a version that another one follows may never be sent.
    let mut later = book.wanted.iter().filter(|(run, _)| run.date.to_string() == event.business_date);
    let is_completed = book.events.get(&key).is_some_and(|(id, _)| *id == event.correlation_id)
        || later.any(|(_, version)| *version > event.version);
    let wrong = locked(&sim.transfer).told(event, is_completed);
    book.wrong.extend(wrong);
}

/// The event of a message: of an arrival, or of a published file.
pub fn event_of(payload: &[u8]) -> Result<FileDelivered, Box<CompletionEvent>> {
    serde_json::from_slice(payload)
        .map_err(|_| Box::new(serde_json::from_slice(payload).expect("a completion event, or one of an arrival")))
}
