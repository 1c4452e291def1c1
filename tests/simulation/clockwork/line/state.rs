//! The line to the other tables: data sources, what was told, what waits to be sent.

use super::{Line, Told, asked};
use async_trait::async_trait;
use filegen::core::model::data_source::{DataSource, DataSourceId};
use filegen::core::model::message::EventId;
use filegen::core::model::names::LeaseKey;
use filegen::core::ports::audit::{AuditEntry, AuditLog};
use filegen::core::ports::data_sources::{DataSources, Listed, Wanted, Written};
use filegen::core::ports::dead_letters::{DeadLetter, DeadLetters};
use filegen::core::ports::ledger::{Home, Ledger, ToldFile};
use filegen::core::ports::outbox::{Outbox, OutboxEntry, OutboxId};
use filegen::core::ports::store::{Found, Page};
use jiff::Timestamp;

#[async_trait]
impl DataSources for Line {
    async fn create(&self, source: &DataSource, event: &OutboxEntry) -> Told<Written> {
        asked!(self, state, [it = source.clone(), event = event.clone()] state.create(&it, &event))
    }

    async fn replace(&self, source: &DataSource, event: &OutboxEntry) -> Told<Written> {
        asked!(self, state, [it = source.clone(), event = event.clone()] state.replace(&it, &event))
    }

    async fn delete(&self, id: &DataSourceId, version: u64, event: &OutboxEntry) -> Told<Written> {
        asked!(self, state, [id = id.clone(), event = event.clone()] state.delete(&id, version, &event))
    }

    async fn data_source(&self, id: &DataSourceId) -> Told<Option<DataSource>> {
        asked!(self, state, [id = id.clone()] state.data_source(&id))
    }

    async fn named(&self, name: &str) -> Told<Option<DataSource>> {
        asked!(self, state, [name = name.to_owned()] state.named(&name))
    }

    async fn sources_behind(&self, after: &str, until: Option<&str>, most: usize) -> Told<Page<DataSource>> {
        asked!(self, state, [after = after.to_owned(), until = until.map(str::to_owned)] state
            .sources_behind(&after, until.as_deref(), most))
    }

    async fn data_sources(&self, wanted: &Wanted) -> Told<Listed> {
        asked!(self, state, [wanted = wanted.clone()] state.data_sources(&wanted))
    }
}

#[async_trait]
impl Ledger for Line {
    async fn tell(&self, file: &ToldFile, event: Option<&OutboxEntry>) -> Told<bool> {
        asked!(self, state, [file = file.clone(), event = event.cloned()] state.tell(&file, event.as_ref()))
    }

    async fn is_told(&self, id: &str) -> Told<bool> {
        asked!(self, state, [id = id.to_owned()] state.is_told(&id))
    }

    async fn home(&self, source: &DataSourceId, folder: &Home) -> Told<Home> {
        asked!(self, state, [id = source.clone(), folder = folder.clone()] state.home(&id, &folder))
    }

    async fn told(&self, source: &DataSourceId, first: &str, last: &str) -> Told<Vec<(String, String)>> {
        asked!(self, state, [id = source.clone(), first = first.to_owned(), last = last.to_owned()] state
            .told(&id, &first, &last))
    }
}

#[async_trait]
impl Outbox for Line {
    async fn pending(&self, owner: &LeaseKey) -> Told<Found<OutboxEntry>> {
        asked!(self, state, [owner = owner.clone()] state.pending(&owner))
    }

    async fn mark_sent(&self, id: &OutboxId, at: Timestamp) -> Told<()> {
        asked!(self, state, [id = id.clone()] state.mark_sent(&id, at))
    }
}

#[async_trait]
impl DeadLetters for Line {
    async fn keep_dead_letter(&self, letter: &DeadLetter) -> Told<()> {
        asked!(self, state, [letter = letter.clone()] state.keep_dead_letter(&letter))
    }

    async fn dead_letter(&self, owner: &LeaseKey, id: &EventId) -> Told<Option<DeadLetter>> {
        asked!(self, state, [owner = owner.clone(), id = id.clone()] state.dead_letter(&owner, &id))
    }

    async fn drop_dead_letters(&self, owner: &LeaseKey, before: Timestamp, most: usize) -> Told<u64> {
        asked!(self, state, [owner = owner.clone()] state.drop_dead_letters(&owner, before, most))
    }

    async fn dead_letters(&self, owner: Option<&LeaseKey>, limit: usize) -> Told<Found<DeadLetter>> {
        asked!(self, state, [owner = owner.cloned()] state.dead_letters(owner.as_ref(), limit))
    }
}

#[async_trait]
impl AuditLog for Line {
    async fn audit(&self, entry: &AuditEntry) -> Told<()> {
        asked!(self, state, [entry = entry.clone()] state.audit(&entry))
    }

    async fn audits(&self, limit: usize) -> Told<Found<AuditEntry>> {
        asked!(self, state, [] state.audits(limit))
    }
}
