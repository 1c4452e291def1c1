//! The ledger of transfers in memory.

use crate::core::model::transfer::{FileRecord, FileState, FileStep, Side};
use crate::core::ports::store::StoreError;
use crate::core::ports::transfer_ledger::{Claim, Holder, KnownFile, StateCount, TransferLedger, Wanted};
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Records and steps. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct MemoryTransfers(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    records: BTreeMap<Key, Held>,
    steps: Vec<(String, String, FileStep)>,
    holders: u64,
}

type Key = (String, Side, String);

#[derive(Debug)]
struct Held {
    record: FileRecord,
    by: Option<(Holder, Timestamp)>,
}

fn key(record: &FileRecord) -> Key {
    (record.transfer.clone(), record.side, record.id.clone())
}

impl MemoryTransfers {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn step(&mut self, record: &FileRecord, by: &str) {
        let step = FileStep { side: record.side, state: record.state, at: record.changed_at, by: by.to_owned() };
        self.steps.push((record.transfer.clone(), record.id.clone(), step));
    }

    fn is_of(&self, record: &FileRecord, holder: &Holder) -> bool {
        let held = self.records.get(&key(record)).and_then(|held| held.by.as_ref());
        held.is_some_and(|(by, _)| by.name == holder.name)
    }
}

#[async_trait]
impl TransferLedger for MemoryTransfers {
    async fn join(&self, shown: &str) -> Result<Holder, StoreError> {
        let mut kept = self.kept();
        kept.holders += 1;
        Ok(Holder { name: kept.holders.to_string(), shown: shown.to_owned() })
    }

    async fn find(&self, transfer: &str, side: Side, id: &str) -> Result<Option<FileRecord>, StoreError> {
        let key = (transfer.to_owned(), side, id.to_owned());
        Ok(self.kept().records.get(&key).map(|held| held.record.clone()))
    }

    async fn known(&self, transfer: &str, paths: Vec<String>) -> Result<Vec<KnownFile>, StoreError> {
        let kept = self.kept();
        let latest = |path: String| {
            let of_path =
                kept.records.values().map(|held| &held.record).filter(|record| {
                    record.transfer == transfer && record.side == Side::Collect && record.path == path
                });
            let record = of_path.max_by_key(|record| record.changed_at)?;
            let (id, state, stamp) = (record.id.clone(), record.state, record.stamp.clone());
            Some(KnownFile { path, id, state, stamp })
        };
        Ok(paths.into_iter().filter_map(latest).collect())
    }

    async fn claim(
        &self,
        record: &FileRecord,
        holder: &Holder,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Claim, StoreError> {
        let mut kept = self.kept();
        let by = Some((holder.clone(), until));
        if let Some(held) = kept.records.get_mut(&key(record)) {
            if let Some((other, ends)) = &held.by
                && other.name != holder.name
                && *ends > now
            {
                return Ok(Claim::Held { by: other.shown.clone() });
            }
            held.by = by;
            return Ok(Claim::Yours(held.record.clone()));
        }
        kept.records.insert(key(record), Held { record: record.clone(), by });
        kept.step(record, &holder.shown);
        Ok(Claim::Yours(record.clone()))
    }

    async fn advance(
        &self,
        record: &FileRecord,
        holder: &Holder,
        until: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let mut kept = self.kept();
        if !kept.is_of(record, holder) {
            return Ok(false);
        }
        let by = until.map(|until| (holder.clone(), until));
        let before = kept.records.insert(key(record), Held { record: record.clone(), by });
        if before.is_none_or(|before| before.record.state != record.state) {
            kept.step(record, &holder.shown);
        }
        Ok(true)
    }

    async fn forget(&self, record: &FileRecord, holder: &Holder) -> Result<bool, StoreError> {
        let mut kept = self.kept();
        if !kept.is_of(record, holder) {
            return Ok(false);
        }
        kept.records.remove(&key(record));
        Ok(true)
    }

    async fn records(&self, transfer: &str, wanted: &Wanted) -> Result<Vec<FileRecord>, StoreError> {
        let kept = self.kept();
        let fits = |record: &&FileRecord| {
            record.transfer == transfer
                && wanted.side.is_none_or(|side| record.side == side)
                && (wanted.states.is_empty() || wanted.states.contains(&record.state))
                && wanted.since.is_none_or(|since| record.changed_at >= since)
        };
        let mut found: Vec<FileRecord> = kept.records.values().map(|held| &held.record).filter(fits).cloned().collect();
        found.sort_by(|a, b| (b.changed_at, &a.id).cmp(&(a.changed_at, &b.id)));
        found.truncate(wanted.limit);
        Ok(found)
    }

    async fn counts(&self, transfer: &str) -> Result<Vec<StateCount>, StoreError> {
        let kept = self.kept();
        let mut counts: BTreeMap<(&str, &str, Side, FileState), (u64, u64, Timestamp)> = BTreeMap::new();
        for record in kept.records.values().map(|held| &held.record).filter(|record| record.transfer == transfer) {
            let key = (record.side.as_str(), record.state.as_str(), record.side, record.state);
            let count = counts.entry(key).or_insert((0, 0, record.seen_at));
            *count = (count.0 + 1, count.1 + record.size, count.2.min(record.seen_at));
        }
        let count = |((_, _, side, state), (files, bytes, oldest))| StateCount { side, state, files, bytes, oldest };
        Ok(counts.into_iter().map(count).collect())
    }

    async fn steps(&self, transfer: &str, id: &str) -> Result<Vec<FileStep>, StoreError> {
        let kept = self.kept();
        let own = kept.steps.iter().filter(|(of, own, _)| of == transfer && own == id);
        Ok(own.map(|(_, _, step)| step.clone()).collect())
    }
}
