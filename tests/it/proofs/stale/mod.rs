//! What an old holder had under way takes effect late: right behind its successor's fence, while the successor writes, when it
//! has published. Every kind of operation, on every file system that can be had: the build folder's, memory, the
//! folders in `FILEGEN_VOLUMES` (`path:path`), and the NFS server in `FILEGEN_TEST_NFS` (`host:port:mount port:/export`).
//! `tests/volumes` makes them on a Debian machine.

mod kinds;
mod posix;
mod remote;

use crate::flow::rig::Rig;
use crate::support::nfs::{Nfs, NfsVolume};
use crate::support::term;
use async_trait::async_trait;
use filegen::adapters::disk::Disk;
use filegen::adapters::layer::hooked::{Change, Hook};
use filegen::core::model::term::Token;
use filegen::core::ports::volume::{EntryKind, Volume, VolumeError};
use kinds::{EXISTS, Grip, KINDS, NOT_FOUND, STAGED};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

const RUN: &str = ".filegen/LoanWorker/20261121";
const OLD: u64 = 3;

/// When the old holder's operations take effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Fenced,
    Writing,
    Published,
}

const PHASES: [Phase; 3] = [Phase::Fenced, Phase::Writing, Phase::Published];

/// Somewhere to try it.
enum Place {
    Local(PathBuf),
    Remote(Arc<Nfs>, String),
}

impl Place {
    fn volume(&self) -> Arc<dyn Volume> {
        match self {
            Self::Local(root) => Arc::new(Disk::new(root)),
            Self::Remote(nfs, root) => Arc::new(NfsVolume { nfs: Arc::clone(nfs), root: root.clone() }),
        }
    }

    /// All that the old holder has open.
    fn grip(&self, files: &[&str]) -> Box<dyn Grip> {
        match self {
            Self::Local(root) => Box::new(posix::Process::holding(root, RUN, Token(OLD), files).unwrap()),
            Self::Remote(nfs, root) => Box::new(remote::Host::holding(nfs, root, RUN, Token(OLD), files).unwrap()),
        }
    }

    fn expected(&self, kind: &kinds::Kind) -> i32 {
        match self {
            Self::Local(_) => kind.local,
            Self::Remote(..) => kind.remote,
        }
    }
}

/// Every name, and what is in the files.
async fn tree(volume: &dyn Volume) -> BTreeMap<String, Option<Vec<u8>>> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![String::new()]);
    while let Some(folder) = folders.pop() {
        for entry in volume.list(&folder).await.unwrap() {
            let path = if folder.is_empty() { entry.name } else { format!("{folder}/{}", entry.name) };
            let bytes = if entry.kind == EntryKind::Dir {
                folders.push(path.clone());
                None
            } else {
                Some(volume.open(&path).await.unwrap().read_at(0, 1 << 20).await.unwrap())
            };
            found.insert(path, bytes);
        }
    }
    found
}

/// Does all that the old holder had under way; what came of it that must not.
async fn attack(place: &Place, grip: &dyn Grip, phase: Phase, end: End) -> Vec<String> {
    let volume = place.volume();
    let mut wrong = Vec::new();
    let mut before = tree(&*volume).await;
    for kind in KINDS.iter().filter(|kind| end == End::Writing || !kind.needs_open) {
        let heard = (kind.act)(grip).err().map_or(0, |error| error.raw_os_error().unwrap_or(-1));
        let after = tree(&*volume).await;
        if before != after {
            let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            let changed: Vec<_> = names.into_iter().filter(|name| before.get(*name) != after.get(*name)).collect();
            wrong.push(format!("{}: changes {changed:?}", kind.what));
        }
        // A local file system looks at the new name before it looks at what is to get it.
        let taken = phase == Phase::Published && kind.local == NOT_FOUND && heard == EXISTS;
        if heard != place.expected(kind) && !taken {
            wrong.push(format!("{}: hears {heard}, not {}", kind.what, place.expected(kind)));
        }
        before = after;
    }
    wrong
}

/// Where the old holder's own work ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    /// Its second page is written and not committed; all its files are open.
    Writing,
    /// Its first file is published; all its files are closed.
    Publishing,
}

struct Ending {
    end: End,
    seen: AtomicU64,
}

#[async_trait]
impl Hook for Ending {
    async fn before(&self, Change { operation, path, .. }: Change<'_>) -> Result<(), VolumeError> {
        let (counts, most) = match self.end {
            End::Writing => (operation == "write" && path.ends_with("journal.jsonl"), 2),
            End::Publishing => (operation == "link", 1),
        };
        if counts && self.seen.fetch_add(1, Ordering::Relaxed) == most {
            return Err(VolumeError::Io { operation, path: path.to_owned(), reason: "the end".to_owned() });
        }
        Ok(())
    }
}

/// Lets the old holder's operations take effect when their time has come.
struct Delivering {
    phase: Phase,
    end: End,
    place: Arc<Place>,
    grip: Mutex<Option<Box<dyn Grip>>>,
    run_synced: AtomicU64,
    wrong: Mutex<Vec<String>>,
}

impl Delivering {
    async fn deliver(&self) {
        let grip = self.grip.lock().unwrap().take();
        if let Some(grip) = grip {
            let wrong = attack(&self.place, &*grip, self.phase, self.end).await;
            self.wrong.lock().unwrap().extend(wrong);
        }
    }
}

#[async_trait]
impl Hook for Delivering {
    async fn before(&self, Change { operation, path, offset }: Change<'_>) -> Result<(), VolumeError> {
        // The run's folder is synced behind the tombstones, behind the copies, and when the old folder is removed.
        let removed = operation == "sync folder"
            && path.ends_with("20261121")
            && self.run_synced.fetch_add(1, Ordering::Relaxed) == 2;
        // Where nothing is left to be written, it is when the first file is published.
        let writes = operation == "write" && offset > 32 && path.contains("t00000004/Loan1") || operation == "link";
        if self.phase == Phase::Fenced && removed || self.phase == Phase::Writing && writes {
            self.deliver().await;
        }
        Ok(())
    }
}

/// An old holder is replaced at `place`, and comes late in this phase. All that is wrong afterwards.
async fn play(place: Place, phase: Phase, end: End) -> Vec<String> {
    let undisturbed = Rig::new();
    undisturbed.generate(&term(1)).await.unwrap();
    let golden = undisturbed.published().await;

    let mut rig = Rig::new();
    rig.ports.volume = place.volume();
    rig.ports.volume.make_dirs(&term(1), "").await.unwrap();
    rig.generate_hooked(&term(OLD), Arc::new(Ending { end, seen: 0.into() })).await.unwrap_err();
    let manifest = format!("{RUN}/t{OLD:08}/manifest.json");
    let file = rig.ports.volume.create(&term(OLD), &manifest).await.unwrap();
    file.write_at(&term(OLD), 0, b"{\"stale\":true}\n".to_vec()).await.1.unwrap();
    drop(file);

    let (place, grip) = (Arc::new(place), Mutex::default());
    *grip.lock().unwrap() = Some(place.grip(if end == End::Writing { &STAGED } else { &[] }));
    let hook = Delivering { phase, end, place, grip, run_synced: 0.into(), wrong: Mutex::default() };
    let hook = Arc::new(hook);
    let ended = rig.generate_hooked(&term(4), hook.clone()).await;
    if phase == Phase::Published {
        hook.deliver().await;
    }
    let mut wrong = std::mem::take(&mut *hook.wrong.lock().unwrap());
    if let Err(error) = ended {
        wrong.push(format!("the successor fails: {error}"));
    } else if rig.published().await != golden {
        wrong.push("the published files are not the right ones".to_owned());
    }
    if hook.grip.lock().unwrap().is_some() {
        wrong.push("nothing was delivered".to_owned());
    }
    wrong
}

/// What holds a place as long as it is used, and what it is called.
struct Volumes {
    places: Vec<(String, PathBuf)>,
    nfs: Option<Arc<Nfs>>,
}

impl Volumes {
    fn find() -> Self {
        let mut places = vec![("build folder".to_owned(), PathBuf::from(env!("CARGO_TARGET_TMPDIR")))];
        if Path::new("/dev/shm").is_dir() {
            places.push(("memory".to_owned(), PathBuf::from("/dev/shm")));
        }
        let more = std::env::var("FILEGEN_VOLUMES").unwrap_or_default();
        places.extend(more.split(':').filter(|path| !path.is_empty()).map(|path| (path.to_owned(), path.into())));
        let nfs = std::env::var("FILEGEN_TEST_NFS").ok();
        let nfs =
            nfs.map(|address| Arc::new(Nfs::mount(&address).unwrap_or_else(|error| panic!("{address}: {error}"))));
        Self { places, nfs }
    }

    /// Plays each phase everywhere; what was wrong, by place.
    async fn play(&self) -> Vec<(String, Phase, Vec<String>)> {
        let mut all = Vec::new();
        for phase in PHASES {
            for (name, path) in &self.places {
                let folder = tempfile::tempdir_in(path).unwrap();
                all.push((
                    name.clone(),
                    phase,
                    play(Place::Local(folder.path().to_owned()), phase, End::Writing).await,
                ));
            }
            if let Some(nfs) = &self.nfs {
                let folder = tempfile::Builder::new().prefix("stale").tempdir().unwrap();
                let root = folder.path().file_name().unwrap().to_string_lossy().into_owned();
                all.push((
                    "NFS".to_owned(),
                    phase,
                    play(Place::Remote(Arc::clone(nfs), root), phase, End::Writing).await,
                ));
            }
        }
        all
    }
}

#[expect(clippy::print_stderr, reason = "where it was tried, for whoever runs it with --nocapture")]
fn say(what: &str) {
    eprintln!("{what}");
}

#[tokio::test]
async fn what_an_old_holder_had_under_way_changes_nothing() {
    let volumes = Volumes::find();
    let played = volumes.play().await;
    for (name, phase, wrong) in &played {
        say(&format!("{name}, {phase:?}: {} kinds, {} wrong", KINDS.len(), wrong.len()));
    }
    if volumes.nfs.is_none() {
        say("not tried on NFS: FILEGEN_TEST_NFS names no server");
    }
    let wrong: Vec<_> = played.into_iter().filter(|(_, _, wrong)| !wrong.is_empty()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// On local file systems: over NFS, a handle of a published file is the old holder's own, and is closed.
#[tokio::test]
async fn what_it_had_under_way_while_it_published_changes_nothing() {
    for phase in PHASES {
        for (name, path) in &Volumes::find().places {
            let folder = tempfile::tempdir_in(path).unwrap();
            let wrong = play(Place::Local(folder.path().to_owned()), phase, End::Publishing).await;
            assert!(wrong.is_empty(), "{name}, {phase:?}: {wrong:#?}");
        }
    }
}

/// The control: with the old folder renamed and not removed, its open handles still lead to published names.
#[cfg(feature = "failpoints")]
#[tokio::test]
async fn without_the_removal_of_the_old_folder_it_does_harm() {
    let volumes = Volumes::find();
    filegen::core::failpoints::planted::plant("renamed only");
    let played = volumes.play().await;
    filegen::core::failpoints::planted::plant("");
    for (name, phase, wrong) in played {
        say(&format!("{name}, {phase:?}: {} wrong", wrong.len()));
        let harm = wrong.iter().any(|what| what.contains("loan0_20261121.txt") && what.contains("changes"));
        assert!(harm, "{name}, {phase:?}: {wrong:#?}");
    }
}

/// A final name shares its inode with the staged one: who publishes has closed it.
struct Watching {
    root: PathBuf,
    links: AtomicU64,
}

#[async_trait]
impl Hook for Watching {
    async fn before(&self, Change { operation, path, .. }: Change<'_>) -> Result<(), VolumeError> {
        if operation == "link" {
            self.links.fetch_add(1, Ordering::Relaxed);
            for open in std::fs::read_dir("/proc/self/fd").unwrap() {
                let Ok(target) = std::fs::read_link(open.unwrap().path()) else { continue };
                assert!(!target.starts_with(&self.root), "{} is open when {path} is linked", target.display());
            }
        }
        Ok(())
    }
}

#[tokio::test]
async fn nothing_is_open_any_more_when_a_file_is_published() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::new();
    rig.ports.volume = Arc::new(Disk::new(folder.path()));
    let hook = Arc::new(Watching { root: folder.path().to_owned(), links: 0.into() });
    rig.generate_hooked(&term(1), hook.clone()).await.unwrap();
    assert_eq!(hook.links.load(Ordering::Relaxed), 3, "two files and the manifest");
}
