//! The ledger of transfers in memory.

use crate::core::model::transfer::{FileRecord, FileState, FileStep, Side};
use crate::core::ports::store::{Found, OddRecord, StoreError};
use crate::core::ports::transfer_ledger::{
    Claim, Entry, Holder, KnownFile, Place, StateCount, Total, TransferLedger, Wanted,
};
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
    /// What is wrong with it; nothing for most.
    odd: Option<String>,
    by: Option<(Holder, Timestamp)>,
}

fn fits(record: &FileRecord, transfer: &str, wanted: &Wanted) -> bool {
    record.transfer == transfer
        && wanted.side.is_none_or(|side| record.side == side)
        && (wanted.states.is_empty() || wanted.states.contains(&record.state))
        && wanted.since.is_none_or(|since| record.changed_at >= since)
        && wanted.id.as_ref().is_none_or(|id| record.id.starts_with(id.as_str()))
}

fn key(record: &FileRecord) -> Key {
    (record.transfer.clone(), record.side, record.id.clone())
}

impl MemoryTransfers {
    /// Spoils a record, as somebody else would.
    pub fn spoil(&self, transfer: &str, side: Side, id: &str, reason: &str) {
        if let Some(held) = self.kept().records.get_mut(&(transfer.to_owned(), side, id.to_owned())) {
            held.odd = Some(reason.to_owned());
        }
    }

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

    async fn find(&self, transfer: &str, side: Side, id: &str) -> Result<Option<Entry>, StoreError> {
        let key = (transfer.to_owned(), side, id.to_owned());
        let entry = |held: &Held| match &held.odd {
            Some(reason) => Entry::Odd(reason.clone()),
            None => Entry::Record(Box::new(held.record.clone())),
        };
        Ok(self.kept().records.get(&key).map(entry))
    }

    async fn known(&self, transfer: &str, paths: Vec<String>) -> Result<Vec<KnownFile>, StoreError> {
        let kept = self.kept();
        let latest = |path: String| {
            let is_of_path = |held: &&Held| {
                let record = &held.record;
                record.transfer == transfer && record.side == Side::Collect && record.path == path
            };
            let held = kept.records.values().filter(is_of_path).max_by_key(|held| held.record.changed_at)?;
            let (id, stamp) = (held.record.id.clone(), held.record.stamp.clone());
            let state = held.odd.clone().map_or(Ok(held.record.state), Err);
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
            if let Some(reason) = &held.odd {
                return Ok(Claim::Odd { reason: reason.clone() });
            }
            if let Some((other, ends)) = &held.by
                && other.name != holder.name
                && *ends > now
            {
                return Ok(Claim::Held { by: other.shown.clone() });
            }
            held.by = by;
            return Ok(Claim::Yours(held.record.clone()));
        }
        kept.records.insert(key(record), Held { record: record.clone(), odd: None, by });
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
        let before = kept.records.insert(key(record), Held { record: record.clone(), odd: None, by });
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

    async fn records(&self, transfer: &str, wanted: &Wanted) -> Result<Found<FileRecord>, StoreError> {
        let kept = self.kept();
        let is_behind = |record: &FileRecord, Place { changed_at, id }: &Place| {
            record.changed_at < *changed_at || (record.changed_at == *changed_at && record.id > *id)
        };
        let is_wanted = |held: &&Held| {
            fits(&held.record, transfer, wanted)
                && wanted.behind.as_ref().is_none_or(|place| is_behind(&held.record, place))
        };
        let mut all: Vec<&Held> = kept.records.values().filter(is_wanted).collect();
        all.sort_by(|a, b| (b.record.changed_at, &a.record.id).cmp(&(a.record.changed_at, &b.record.id)));
        let mut found = Found::default();
        for Held { record, odd, .. } in all {
            if found.records.len() == wanted.limit {
                break;
            }
            let id = || format!("{} {}", record.side.as_str(), record.id);
            found.add(id, odd.clone().map_or_else(|| Ok(record.clone()), Err));
        }
        Ok(found)
    }

    async fn total(&self, transfer: &str, wanted: &Wanted) -> Result<Total, StoreError> {
        let kept = self.kept();
        let fitting = kept.records.values().map(|held| &held.record).filter(|record| fits(record, transfer, wanted));
        Ok(fitting.fold(Total::default(), |total, record| Total {
            files: total.files + 1,
            bytes: total.bytes.saturating_add(record.size),
        }))
    }

    async fn strange(&self, transfer: &str) -> Result<Vec<OddRecord>, StoreError> {
        let kept = self.kept();
        let of = |held: &&Held| held.record.transfer == transfer;
        let odd = kept.records.values().filter(of).filter_map(|held| {
            let id = format!("{} {}", held.record.side.as_str(), held.record.id);
            Some(OddRecord { id, reason: held.odd.clone()? })
        });
        Ok(odd.take(Found::<FileRecord>::ODD_MAX).collect())
    }

    async fn counts(&self, transfer: &str) -> Result<Vec<StateCount>, StoreError> {
        let kept = self.kept();
        let mut counts: BTreeMap<(&str, &str, Side, FileState), (u64, u64, Timestamp)> = BTreeMap::new();
        for record in kept.records.values().map(|held| &held.record).filter(|record| record.transfer == transfer) {
            let key = (record.side.as_str(), record.state.as_str(), record.side, record.state);
            let count = counts.entry(key).or_insert((0, 0, record.seen_at));
            *count = (count.0 + 1, count.1.saturating_add(record.size), count.2.min(record.seen_at));
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
