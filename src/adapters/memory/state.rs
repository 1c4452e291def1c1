//! The state store in memory: all its ports over a few maps, with the same refusals as the durable stores.

use crate::core::failpoints::planted::planted;
use crate::core::model::data_source::{DataSource, DataSourceId};
use crate::core::model::delivery::Delivery;
use crate::core::model::message::EventId;
use crate::core::model::names::{FileId, InstanceId, LeaseKey, WorkerId};
use crate::core::model::run::{BusinessDate, RunId, RunRecord, RunStatus};
use crate::core::model::term::{Term, Token};
use crate::core::ports::audit::{AuditEntry, AuditLog};
use crate::core::ports::dead_letters::{DeadLetter, DeadLetters};
use crate::core::ports::leases::{EpochClaim, LeaseRecord, LeaseStore, Mint};
use crate::core::ports::ledger::{Home, ToldFile};
use crate::core::ports::outbox::{Outbox, OutboxEntry, OutboxId};
use crate::core::ports::runs::{Behind, FileStatus, Requested, RunStore, Stretch};
use crate::core::ports::store::{Found, OddRecord, StoreError};
use crate::core::ports::worker_clocks::ClockMark;
use async_trait::async_trait;
use jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Leases, epochs, runs and file statuses for as long as the process lives. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct MemoryState {
    tables: Arc<Mutex<Tables>>,
}

#[derive(Debug, Default)]
pub(super) struct Tables {
    leases: BTreeMap<LeaseKey, LeaseRecord>,
    /// Leases that cannot be read, with the reason. The records are those that they were.
    odd_leases: BTreeMap<LeaseKey, String>,
    epochs: BTreeMap<(LeaseKey, Token), EpochClaim>,
    gone: HashSet<InstanceId>,
    runs: HashMap<RunId, RunRecord>,
    pub(super) clocks: HashMap<WorkerId, ClockMark>,
    files: BTreeMap<(WorkerId, BusinessDate, FileId), FileStatus>,
    audits: Vec<AuditEntry>,
    dead_letters: Vec<DeadLetter>,
    odd: Vec<OddRecord>,
    /// What is to be handed over, by id.
    pub(super) deliveries: BTreeMap<String, Delivery>,
    pub(super) sources: BTreeMap<DataSourceId, DataSource>,
    pub(super) told: BTreeMap<String, ToldFile>,
    pub(super) homes: BTreeMap<DataSourceId, Home>,
    /// Outbox entries of flows that keep no record of their own. An entry is removed once it is sent.
    outbox: Vec<OutboxEntry>,
}

impl Tables {
    /// Records a message with its effect. Its id begins with its owner and a slash.
    pub(super) fn record(&mut self, event: &OutboxEntry) {
        if !self.outbox.iter().any(|entry| entry.id == event.id) {
            self.outbox.push(event.clone());
        }
    }
}

impl MemoryState {
    pub(super) fn tables(&self) -> MutexGuard<'_, Tables> {
        // Every change below is one assignment, so what a panicking thread left behind is whole.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes a lease as litter collection does. Epochs stay.
    pub fn forget_lease(&self, key: &LeaseKey) {
        self.tables().leases.remove(key);
    }

    /// From now on this lease cannot be read, for this reason, until another one is installed.
    pub fn spoil_lease(&self, key: &LeaseKey, reason: &str) {
        self.tables().odd_leases.insert(key.clone(), reason.to_owned());
    }

    /// Removes all leases and epochs, as dropping their collections does.
    pub fn forget_claims(&self) {
        let mut tables = self.tables();
        tables.leases.clear();
        tables.odd_leases.clear();
        tables.epochs.clear();
    }

    /// From now on this run's record cannot be read, for this reason.
    pub fn spoil(&self, run: &RunId, reason: &str) {
        let mut tables = self.tables();
        tables.runs.remove(run);
        tables.odd.push(OddRecord { id: run.to_string(), reason: reason.to_owned() });
    }

    /// From now on [`LeaseStore::holder_is_gone`] knows that this instance's process has ended.
    pub fn mark_gone(&self, instance: &InstanceId) {
        self.tables().gone.insert(instance.clone());
    }
}

#[async_trait]
impl LeaseStore for MemoryState {
    async fn read(&self, key: &LeaseKey) -> Result<Option<LeaseRecord>, StoreError> {
        let tables = self.tables();
        let lease = tables.leases.get(key);
        if let (Some(reason), Some(lease)) = (tables.odd_leases.get(key), lease) {
            let record = Box::new(OddRecord { id: format!("worker_leases {key}"), reason: reason.clone() });
            let (store, mark) = ("memory".to_owned(), format!("{lease:?}").into());
            return Err(StoreError::Odd { store, record, token: Some(lease.token), mark });
        }
        Ok(lease.cloned())
    }

    async fn list(&self) -> Result<Found<LeaseRecord>, StoreError> {
        let (tables, mut found) = (self.tables(), Found::default());
        for (key, lease) in &tables.leases {
            let read = tables.odd_leases.get(key).map_or_else(|| Ok(lease.clone()), |reason| Err(reason.clone()));
            found.add(|| format!("worker_leases {key}"), read);
        }
        Ok(found)
    }

    async fn highest_token(&self, key: &LeaseKey, most: Token) -> Result<Option<Token>, StoreError> {
        let tables = self.tables();
        let range = (key.clone(), Token(0))..=(key.clone(), most);
        Ok(tables.epochs.range(range).next_back().map(|((_, token), _)| *token))
    }

    async fn mint(&self, claim: &EpochClaim) -> Result<Mint, StoreError> {
        let mut tables = self.tables();
        let claimed = (claim.key.clone(), claim.token);
        if tables.epochs.contains_key(&claimed) && !planted("token from the lease") {
            return Ok(Mint::Taken);
        }
        tables.epochs.insert(claimed, claim.clone());
        Ok(Mint::Won)
    }

    async fn claim(&self, key: &LeaseKey, token: Token) -> Result<Option<EpochClaim>, StoreError> {
        Ok(self.tables().epochs.get(&(key.clone(), token)).cloned())
    }

    async fn install(&self, record: &LeaseRecord) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        match tables.leases.get(&record.key) {
            Some(lease) if lease.token > record.token && record.token.reaches(lease.token) => Ok(false),
            // The same install again, after a lost reply: in place unless it was given back meanwhile.
            Some(lease) if lease.token == record.token => {
                Ok(lease.instance == record.instance && lease.released.is_none())
            }
            _ => {
                tables.odd_leases.remove(&record.key);
                tables.leases.insert(record.key.clone(), record.clone());
                Ok(true)
            }
        }
    }

    async fn renew(
        &self,
        key: &LeaseKey,
        token: Token,
        instance: &InstanceId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let is_odd = tables.odd_leases.contains_key(key);
        let ours = |lease: &&mut LeaseRecord| {
            let ours = lease.token == token && lease.instance == *instance && lease.released.is_none() && !is_odd;
            ours || planted("renewal by worker")
        };
        let Some(lease) = tables.leases.get_mut(key).filter(ours) else { return Ok(false) };
        lease.seq += 1;
        lease.renewed_at = now;
        lease.expires_at = expires_at;
        Ok(true)
    }

    async fn release(&self, key: &LeaseKey, token: Token, now: Timestamp, reason: &str) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let theirs = |lease: &&mut LeaseRecord| lease.token == token || planted("release by worker");
        let Some(lease) = tables.leases.get_mut(key).filter(theirs) else { return Ok(false) };
        if planted("token from the lease") {
            tables.leases.remove(key);
            return Ok(true);
        }
        lease.released.get_or_insert_with(|| (now, reason.to_owned()));
        Ok(true)
    }

    async fn holder_is_gone(&self, lease: &LeaseRecord) -> Result<bool, StoreError> {
        Ok(self.tables().gone.contains(&lease.instance))
    }
}

/// The highest token that has written to a run or to one of its files.
fn newest(tables: &Tables, run: &RunId) -> Option<Token> {
    let of_files = tables.files.values().filter(|status| status.run == *run).map(|status| status.token);
    of_files.chain(tables.runs.get(run).and_then(|record| record.token)).max()
}

/// Passes when `term` lasts and no newer holder has written to the run.
fn may_write(tables: &Tables, term: &Term, run: &RunId) -> Result<(), StoreError> {
    term.check()?;
    match newest(tables, run) {
        Some(newer) if newer > term.token() => {
            Err(StoreError::above(term.token(), newer, || format!("run {run}, or one of its files,")))
        }
        _ => Ok(()),
    }
}

#[async_trait]
impl RunStore for MemoryState {
    async fn request(&self, id: &RunId, requested_by: &str, now: Timestamp) -> Result<Requested, StoreError> {
        let mut tables = self.tables();
        if let Some(record) = tables.runs.get(id) {
            return Ok(Requested::AlreadyThere(record.clone()));
        }
        let record = RunRecord::pending(id, requested_by, now);
        tables.runs.insert(id.clone(), record.clone());
        Ok(Requested::New(record))
    }

    async fn run(&self, id: &RunId) -> Result<Option<RunRecord>, StoreError> {
        Ok(self.tables().runs.get(id).cloned())
    }

    async fn runs(&self, worker: Option<&WorkerId>, limit: usize) -> Result<Found<RunRecord>, StoreError> {
        let tables = self.tables();
        let wanted = |record: &&RunRecord| worker.is_none_or(|worker| record.id.worker == *worker);
        let mut runs: Vec<_> = tables.runs.values().filter(wanted).cloned().collect();
        runs.sort_by(|a, b| (b.id.date, &a.id.worker).cmp(&(a.id.date, &b.id.worker)));
        runs.truncate(limit);
        let is_asked = |odd: &&OddRecord| worker.is_none_or(|worker| odd.id.starts_with(&format!("{worker}:")));
        let odd = tables.odd.iter().filter(is_asked).cloned().collect();
        Ok(Found { records: runs, odd })
    }

    async fn unpublished(
        &self,
        worker: &WorkerId,
        after: Option<&Behind>,
        limit: usize,
    ) -> Result<Stretch, StoreError> {
        let tables = self.tables();
        let is_due = |record: &&RunRecord| {
            record.id.worker == *worker
                && record.status != RunStatus::Published
                && after.is_none_or(|after| Behind::from(record.id.date) > *after)
        };
        let mut records: Vec<_> = tables.runs.values().filter(is_due).cloned().collect();
        records.sort_by_key(|record| record.id.date);
        records.truncate(limit);
        let next = records.last().filter(|_| records.len() >= limit).map(|last| last.id.date.into());
        let ours = format!("{worker}:");
        let odd = tables.odd.iter().filter(|odd| odd.id.starts_with(&ours)).cloned().collect();
        Ok(Stretch { found: Found { records, odd }, next })
    }

    async fn ask_again(&self, id: &RunId, requested_by: &str, now: Timestamp) -> Result<(), StoreError> {
        let mut tables = self.tables();
        if let Some(record) = tables.runs.get_mut(id).filter(|record| record.status != RunStatus::Published) {
            (record.requested_by, record.requested_at) = (requested_by.to_owned(), now);
        }
        Ok(())
    }

    async fn save_run(&self, term: &Term, record: &RunRecord) -> Result<(), StoreError> {
        let mut tables = self.tables();
        may_write(&tables, term, &record.id)?;
        if tables.runs.get(&record.id).is_some_and(|stored| stored.newest_version() > record.newest_version()) {
            return Ok(());
        }
        let record = RunRecord { token: Some(term.token()), ..record.clone() };
        tables.runs.insert(record.id.clone(), record);
        Ok(())
    }

    async fn reopen(&self, old: &RunRecord, new: &RunRecord) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let Some(record) = tables.runs.get_mut(&old.id) else { return Ok(false) };
        if record.status != RunStatus::Published || record.correction != old.correction {
            return Ok(false);
        }
        *record = RunRecord { token: record.token, ..new.clone() };
        Ok(true)
    }

    async fn save_file(&self, term: &Term, status: &FileStatus) -> Result<(), StoreError> {
        let mut tables = self.tables();
        may_write(&tables, term, &status.run)?;
        let key = (status.run.worker.clone(), status.run.date, status.file.clone());
        let announced = |old: &FileStatus| old.event.is_some() && old.token == term.token();
        let late = status.event.is_none() && !planted("late progress counts");
        if late && tables.files.get(&key).is_some_and(announced) {
            return Ok(());
        }
        let version = |status: &FileStatus| status.event.as_ref().map_or(0, |entry| entry.event.version);
        let older = |old: &FileStatus| status.event.is_some() && version(old) > version(status);
        if tables.files.get(&key).is_some_and(older) {
            return Ok(());
        }
        let mut status = FileStatus { token: term.token(), ..status.clone() };
        // An acknowledgement outlives a repeat of the write that announced the event.
        if let (Some(new), Some(old)) = (&mut status.event, tables.files.get(&key).and_then(|old| old.event.as_ref()))
            && new.event == old.event
        {
            new.sent_at = new.sent_at.or(old.sent_at);
        }
        tables.files.insert(key, status);
        Ok(())
    }

    async fn files(&self, run: &RunId) -> Result<Vec<FileStatus>, StoreError> {
        Ok(self.tables().files.values().filter(|status| status.run == *run).cloned().collect())
    }
}

#[async_trait]
impl Outbox for MemoryState {
    async fn pending(&self, owner: &LeaseKey) -> Result<Found<OutboxEntry>, StoreError> {
        let tables = self.tables();
        let waits = |status: &&FileStatus| {
            status.run.worker.as_str() == owner.as_str()
                && status.event.as_ref().is_some_and(|event| event.sent_at.is_none())
        };
        let mut waiting: Vec<_> = tables.files.values().filter(waits).collect();
        waiting.sort_by_key(|status| status.completed_at);
        let ours =
            |entry: &&OutboxEntry| entry.id.as_str().split_once('/').is_some_and(|(key, _)| key == owner.as_str());
        let others = tables.outbox.iter().filter(ours).cloned();
        let completed = waiting.into_iter().filter_map(FileStatus::outbox_entry);
        Ok(Found { records: completed.chain(tables.arrived(owner)).chain(others).collect(), odd: Vec::new() })
    }

    async fn mark_sent(&self, id: &OutboxId, at: Timestamp) -> Result<(), StoreError> {
        let mut tables = self.tables();
        tables.outbox.retain(|entry| entry.id != *id);
        tables.mark_arrival_sent(id, at);
        let status =
            tables.files.values_mut().find(|status| status.outbox_entry().is_some_and(|entry| entry.id == *id));
        if let Some(event) = status.and_then(|status| status.event.as_mut()) {
            event.sent_at.get_or_insert(at);
        }
        Ok(())
    }
}

#[async_trait]
impl AuditLog for MemoryState {
    async fn audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        self.tables().audits.push(entry.clone());
        Ok(())
    }

    async fn audits(&self, limit: usize) -> Result<Found<AuditEntry>, StoreError> {
        let mut audits: Vec<_> = self.tables().audits.iter().rev().cloned().collect();
        audits.sort_by_key(|entry| Reverse(entry.at));
        audits.truncate(limit);
        Ok(Found { records: audits, odd: Vec::new() })
    }
}

#[async_trait]
impl DeadLetters for MemoryState {
    async fn keep_dead_letter(&self, event: &DeadLetter) -> Result<(), StoreError> {
        let mut tables = self.tables();
        if tables.dead_letters.iter().all(|kept| kept.id != event.id || kept.owner != event.owner) {
            tables.dead_letters.push(event.clone());
        }
        Ok(())
    }

    async fn dead_letter(&self, owner: &LeaseKey, id: &EventId) -> Result<Option<DeadLetter>, StoreError> {
        let tables = self.tables();
        Ok(tables.dead_letters.iter().find(|kept| kept.id == *id && kept.owner == *owner).cloned())
    }

    async fn drop_dead_letters(&self, owner: &LeaseKey, before: Timestamp, most: usize) -> Result<u64, StoreError> {
        let kept = &mut self.tables().dead_letters;
        let all = kept.len();
        let mut too_many = kept.iter().filter(|event| event.owner == *owner).count().saturating_sub(most);
        kept.retain(|event| {
            if event.owner != *owner {
                return true;
            }
            let is_oldest = too_many > 0;
            too_many = too_many.saturating_sub(1);
            !is_oldest && event.at >= before
        });
        Ok((all - kept.len()) as u64)
    }

    async fn dead_letters(&self, owner: Option<&LeaseKey>, limit: usize) -> Result<Found<DeadLetter>, StoreError> {
        let tables = self.tables();
        let wanted = tables.dead_letters.iter().rev().filter(|event| owner.is_none_or(|owner| event.owner == *owner));
        let records = wanted.take(limit).map(|event| DeadLetter { payload: None, ..event.clone() }).collect();
        Ok(Found { records, odd: Vec::new() })
    }
}
