//! The collecting side: which files of its folder may be sent now.

use super::error::TransferError;
use super::event::TransferEvent;
use super::ready::{Ready, Stillness};
use super::spec::{Collect, Transfer};
use crate::core::kind::{FailureKind, HasKind};
use crate::core::model::pattern::Pattern;
use crate::core::model::trace::Sampler;
use crate::core::model::transfer::{FileFailure, FileRecord, FileState, Side};
use crate::core::ports::clock::Clock;
use crate::core::ports::file_broker::FileSender;
use crate::core::ports::folders::FoundFile;
use crate::core::ports::inbox::{Inbox, OddEntry};
use crate::core::ports::observer::Observer;
use crate::core::ports::store::OddRecord;
use crate::core::ports::transfer_ledger::{Entry, Holder, TransferLedger};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a claim lasts without news of its holder.
pub const CLAIM: SignedDuration = SignedDuration::from_secs(60);

/// Paths that the ledger is asked about at once.
const PATHS: usize = 1000;

/// What the collecting side needs of the world.
pub struct CollectPorts {
    /// The folder.
    pub inbox: Arc<dyn Inbox>,
    /// The broker.
    pub sender: Arc<dyn FileSender>,
    /// The ledger.
    pub ledger: Arc<dyn TransferLedger>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Whoever watches.
    pub observer: Arc<dyn Observer<TransferEvent>>,
    /// This process.
    pub holder: Holder,
    /// Whose traces are kept. `None`: nobody's, and messages say nothing of them.
    pub traces: Option<Sampler>,
}

/// The collecting side.
pub struct Collector {
    pub(super) transfer: Arc<Transfer>,
    pub(super) collect: Collect,
    pub(super) ports: CollectPorts,
    pattern: Pattern,
    looks: tokio::sync::Mutex<Looks>,
    /// When answers that nobody waits for were looked for.
    swept: Mutex<Option<Duration>>,
    /// Versions whose record cannot be read, by path: stamp and id.
    left: Mutex<HashMap<String, (String, String)>>,
    /// Records that cannot be read, and were told.
    odd: Mutex<BTreeSet<OddRecord>>,
    /// Since when what is ready has held still, by path. Only where traces are kept.
    pub(super) still: Mutex<HashMap<String, Timestamp>>,
}

/// What is remembered from one look to the next.
#[derive(Default)]
struct Looks {
    still: Stillness,
    /// Versions that arrived and lie there still, by path: their stamp.
    kept: HashMap<String, String>,
    /// What can never be sent, and was told.
    told: HashSet<String>,
    /// When versions without a file were looked for.
    vanished: Option<Duration>,
}

impl Collector {
    /// The collecting side of a transfer that has one. `None` when it has none, or a pattern that nobody checked.
    pub fn new(transfer: Arc<Transfer>, ports: CollectPorts) -> Option<Self> {
        let collect = transfer.collect.clone()?;
        let pattern = Pattern::parse(&collect.pattern).ok()?;
        Some(Self {
            transfer,
            collect,
            ports,
            pattern,
            looks: tokio::sync::Mutex::default(),
            swept: Mutex::default(),
            left: Mutex::default(),
            odd: Mutex::default(),
            still: Mutex::default(),
        })
    }

    /// Looks at the folder: which files may be sent now, oldest first, without those whose path is in `in_flight`. What can never be sent
    /// is set aside.
    ///
    /// # Errors
    /// When the folder or the ledger does not answer.
    pub async fn look(&self, in_flight: &HashSet<String>) -> Result<Ready, TransferError> {
        let mut looks = self.looks.lock().await;
        let looks = &mut *looks;
        let deep = self.pattern.has_folders();
        let listing = self.ports.inbox.list(deep).await?;
        let odd: HashSet<String> = listing.odd.iter().map(OddEntry::shown).collect();
        looks.told.retain(|shown| odd.contains(shown));
        for odd in &listing.odd {
            if looks.told.insert(odd.shown()) {
                self.set_aside(odd).await?;
            }
        }
        self.forget_vanished(&listing.files, &mut looks.vanished).await?;
        let there: HashSet<&str> = listing.files.iter().map(|file| file.path.as_str()).collect();
        looks.kept.retain(|path, _| there.contains(path.as_str()));
        let mut known = self.known(&mut looks.kept, &listing.files).await?;
        known.extend(self.still_odd(&listing.files).await?);
        let now = self.ports.clock.elapsed();
        let kept = &looks.kept;
        let is_known = |file: &FoundFile| {
            known.contains(&file.path) || in_flight.contains(&file.path) || kept.get(&file.path) == Some(&file.stamp)
        };
        let ready = looks.still.ready(&listing.files, (&self.collect, &self.pattern), now, is_known);
        self.remember_still(&ready, &looks.still);
        if !ready.files.is_empty() {
            let (files, bytes) = (ready.files.len() as u64, ready.files.iter().map(|file| file.size).sum());
            self.ports.observer.observe(&TransferEvent::Found { files, bytes });
        }
        Ok(ready)
    }

    /// Paths whose file, as it is now, was dealt with. What lies there for good is asked about once.
    async fn known(
        &self,
        kept: &mut HashMap<String, String>,
        files: &[FoundFile],
    ) -> Result<HashSet<String>, TransferError> {
        let ask: Vec<&FoundFile> = files
            .iter()
            .filter(|file| self.pattern.fits(&file.path) && kept.get(&file.path) != Some(&file.stamp))
            .collect();
        let mut known = HashSet::new();
        for part in ask.chunks(PATHS) {
            let stamps: HashMap<&str, &str> =
                part.iter().map(|file| (file.path.as_str(), file.stamp.as_str())).collect();
            let paths = part.iter().map(|file| file.path.clone()).collect();
            for found in self.ports.ledger.known(self.transfer.id.as_str(), paths).await? {
                if stamps.get(found.path.as_str()) != Some(&found.stamp.as_str()) {
                    continue;
                }
                match found.state {
                    Ok(FileState::Archived) => drop(kept.insert(found.path, found.stamp)),
                    Ok(FileState::Sent | FileState::Failed) => drop(known.insert(found.path)),
                    Err(reason) => {
                        self.unreadable(Side::Collect, &found.id, reason);
                        known.insert(found.path);
                    }
                    Ok(
                        FileState::Seen
                        | FileState::Sending
                        | FileState::Receiving
                        | FileState::Writing
                        | FileState::Delivered,
                    ) => {}
                }
            }
        }
        Ok(known)
    }

    /// Paths whose version was left because its record could not be read, and still cannot.
    async fn still_odd(&self, files: &[FoundFile]) -> Result<HashSet<String>, TransferError> {
        let left = std::mem::take(&mut *self.left.lock().unwrap_or_else(PoisonError::into_inner));
        let mut odd = HashSet::new();
        for (path, (stamp, id)) in left {
            let is_there = files.iter().any(|file| file.path == path && file.stamp == stamp);
            let found = self.ports.ledger.find(self.transfer.id.as_str(), Side::Collect, &id).await?;
            if is_there && matches!(found, Some(Entry::Odd(_))) {
                odd.insert(path.clone());
                self.leave(path, stamp, id);
            }
        }
        Ok(odd)
    }

    /// Leaves a version whose record cannot be read.
    pub(super) fn leave(&self, path: String, stamp: String, id: String) {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).insert(path, (stamp, id));
    }

    /// Tells of a record that cannot be read, once.
    pub(super) fn unreadable(&self, side: Side, id: &str, reason: String) {
        self.told_odd(OddRecord { id: format!("{} {id}", side.as_str()), reason });
    }

    pub(super) fn told_odd(&self, record: OddRecord) {
        /// Most records that are remembered as told.
        const TOLD: usize = 10_000;
        let mut told = self.odd.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() < TOLD && told.insert(record.clone()) {
            drop(told);
            let OddRecord { id: record, reason } = record;
            self.ports.observer.observe(&TransferEvent::Unreadable { record, reason });
        }
    }

    async fn set_aside(&self, odd: &OddEntry) -> Result<(), TransferError> {
        let (mut what, mut is_set_aside) = (odd.what.clone(), false);
        if odd.is_file {
            match self.ports.inbox.set_aside(&self.today(), odd).await {
                Ok(_) => {
                    what.push_str("; it was set aside");
                    is_set_aside = true;
                }
                Err(error) if error.kind().is_passing() => return Err(error.into()),
                Err(error) => what = format!("{what}; it cannot be set aside: {error}"),
            }
        }
        self.ports.observer.observe(&TransferEvent::Odd { path: odd.shown(), what, is_set_aside });
        Ok(())
    }

    /// When answers that nobody waits for were looked for.
    pub(super) fn swept(&self) -> MutexGuard<'_, Option<Duration>> {
        self.swept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The day for folders on the shelves.
    pub(super) fn today(&self) -> String {
        self.ports.clock.now().strftime("%Y-%m-%d").to_string()
    }

    pub(super) fn drop_event(&self, path: &str, why: &str, record: Option<&FileRecord>) {
        let (path, why, record) = (path.to_owned(), why.to_owned(), record.cloned().map(Box::new));
        self.ports.observer.observe(&TransferEvent::Dropped { path, why, record });
    }

    /// Writes a record; with `keeps`, the claim lasts on.
    pub(super) async fn advance(
        &self,
        record: &mut FileRecord,
        state: FileState,
        keeps: bool,
    ) -> Result<(), TransferError> {
        let now = self.ports.clock.now();
        (record.state, record.changed_at) = (state, now);
        let until = keeps.then(|| claim_until(now));
        if self.ports.ledger.advance(record, &self.ports.holder, until).await? {
            return Ok(());
        }
        Err(TransferError::TakenOver { id: record.id.clone() })
    }

    /// The failure of a version, after those before.
    pub(super) fn failure(&self, record: &FileRecord, kind: FailureKind, reason: String) -> FileFailure {
        let now = self.ports.clock.now();
        FileFailure::after(record.failure.as_ref(), kind, reason, now, &self.ports.holder.shown)
    }
}

/// When a claim of now ends.
pub fn claim_until(now: Timestamp) -> Timestamp {
    now.saturating_add(CLAIM).unwrap_or(Timestamp::MAX)
}
