//! Data sources in memory, with the same refusals as the durable stores.

use super::state::MemoryState;
use crate::core::model::data_source::{DataSource, DataSourceId};
use crate::core::ports::data_sources::{DataSources, Listed, Wanted, Written};
use crate::core::ports::outbox::OutboxEntry;
use crate::core::ports::store::{Page, StoreError};
use async_trait::async_trait;

#[async_trait]
impl DataSources for MemoryState {
    async fn create(&self, source: &DataSource, event: &OutboxEntry) -> Result<Written, StoreError> {
        let mut tables = self.tables();
        if let Some(there) = tables.sources.get(&source.id) {
            return Ok(if there == source { Written::Done } else { Written::Changed(Box::new(there.clone())) });
        }
        if tables.sources.values().any(|other| other.name == source.name) {
            return Ok(Written::NameTaken);
        }
        tables.sources.insert(source.id.clone(), source.clone());
        tables.record(event);
        Ok(Written::Done)
    }

    async fn replace(&self, source: &DataSource, event: &OutboxEntry) -> Result<Written, StoreError> {
        let mut tables = self.tables();
        let Some(there) = tables.sources.get(&source.id) else { return Ok(Written::Gone) };
        if there == source {
            return Ok(Written::Done);
        }
        if there.version + 1 != source.version {
            return Ok(Written::Changed(Box::new(there.clone())));
        }
        if tables.sources.values().any(|other| other.name == source.name && other.id != source.id) {
            return Ok(Written::NameTaken);
        }
        tables.sources.insert(source.id.clone(), source.clone());
        tables.record(event);
        Ok(Written::Done)
    }

    async fn delete(&self, id: &DataSourceId, version: u64, event: &OutboxEntry) -> Result<Written, StoreError> {
        let mut tables = self.tables();
        let Some(there) = tables.sources.get(id) else { return Ok(Written::Gone) };
        if there.version != version {
            return Ok(Written::Changed(Box::new(there.clone())));
        }
        tables.sources.remove(id);
        tables.record(event);
        Ok(Written::Done)
    }

    async fn data_source(&self, id: &DataSourceId) -> Result<Option<DataSource>, StoreError> {
        Ok(self.tables().sources.get(id).cloned())
    }

    async fn named(&self, name: &str) -> Result<Option<DataSource>, StoreError> {
        Ok(self.tables().sources.values().find(|source| source.name == name).cloned())
    }

    async fn sources_behind(
        &self,
        after: &str,
        until: Option<&str>,
        most: usize,
    ) -> Result<Page<DataSource>, StoreError> {
        let tables = self.tables();
        let fits = |it: &&DataSource| it.id.as_str() > after && until.is_none_or(|until| it.id.as_str() <= until);
        let mut behind: Vec<DataSource> = tables.sources.values().filter(fits).cloned().collect();
        behind.sort_by(|a, b| a.id.cmp(&b.id));
        behind.truncate(most);
        Ok(super::page(behind, most, |it| it.id.to_string()))
    }

    async fn data_sources(&self, wanted: &Wanted) -> Result<Listed, StoreError> {
        let tables = self.tables();
        let text = wanted.text.to_lowercase();
        let fits = |source: &&DataSource| {
            let texts = [&source.name, &source.description, &source.path, &source.pattern];
            wanted.active.is_none_or(|active| source.is_active == active)
                && wanted.only.as_ref().is_none_or(|only| only.contains(&source.id))
                && !wanted.but.contains(&source.id)
                && texts.iter().any(|other| other.to_lowercase().contains(&text))
        };
        let mut found: Vec<&DataSource> = tables.sources.values().filter(fits).collect();
        found.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        let skip = usize::try_from(wanted.skip).unwrap_or(usize::MAX);
        let sources = found.iter().skip(skip).take(wanted.most as usize).map(|source| (*source).clone()).collect();
        Ok(Listed { total: found.len() as u64, sources, odd: Vec::new() })
    }
}
