//! Many data sources at once: taken over by their names.

use super::data_source::{Fault, Faults};
use super::sources::{Saved, Seen, SourceError, Sources};
use crate::core::model::data_source::DataSource;
use crate::core::model::shown;
use serde::Serialize;
use serde_json::Value;
use std::collections::HashMap;

/// Fields that say nothing of what people want.
const KEPT: [&str; 5] = ["id", "version", "createdAt", "updatedAt", "warnings"];

/// What became of one data source.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Became {
    /// It was not there.
    Created,
    /// It was there, and differed.
    Updated,
    /// It is there just so.
    Unchanged,
}

/// One data source that was taken over.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Imported {
    /// Its name.
    pub name: String,
    /// Its id; empty where nothing was written.
    pub id: String,
    /// What became of it, or would.
    pub became: Became,
    /// What its owner should know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// A data source as people say it, without what only the store knows.
pub fn said(source: &DataSource) -> Value {
    let mut value = serde_json::to_value(source).unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.retain(|name, _| !KEPT.contains(&name.as_str()));
    }
    value
}

/// Takes data sources over by their names: makes those that are not there, and changes those that differ. All are looked at before the
/// first is written: when one is wrong, none is. With `dry_run`, none is in any case.
///
/// # Errors
/// Everything that is wrong with any of them, each pointer with the data source's place in the list; or what the first write met.
pub async fn import(sources: &Sources, given: &[Value], dry_run: bool) -> Result<Vec<Imported>, SourceError> {
    let mut plans = Vec::with_capacity(given.len());
    let (mut faults, mut names) = (Vec::new(), HashMap::new());
    for (index, value) in given.iter().enumerate() {
        // One name is one data source: the second would be refused behind the first, and half of them be written.
        if let Some(name) = value.get("name").and_then(Value::as_str).map(str::trim)
            && let Some(before) = names.insert(name, index)
        {
            let message = format!("{} is the name of entry /{before} too", shown::name(name));
            let hint = "give each data source a name of its own".to_owned();
            faults.push(Fault { pointer: format!("/{index}/name"), message, hint, at: None });
        }
        match plan(sources, value).await {
            Ok(plan) => plans.push(plan),
            Err(SourceError::Wrong(Faults(found))) => faults.extend(
                found.into_iter().map(|fault| Fault { pointer: format!("/{index}{}", fault.pointer), ..fault }),
            ),
            Err(error) => return Err(error),
        }
    }
    if !faults.is_empty() {
        return Err(Faults(faults).into());
    }
    let new = plans.iter().filter(|(_, there)| there.is_none()).count();
    if new > 0 {
        sources.room(new as u64).await?;
    }
    let mut done = Vec::with_capacity(given.len());
    for (value, (new, there)) in given.iter().zip(plans) {
        let became = match &there {
            None => Became::Created,
            Some(there) if said(there) == said(&new) => Became::Unchanged,
            Some(_) => Became::Updated,
        };
        let saved = match (&there, became) {
            (_, Became::Unchanged) => None,
            _ if dry_run => None,
            (None, _) => Some(sources.create(value).await?),
            (Some(there), _) => {
                Some(sources.update(there.id.as_str(), &Seen::Versions(vec![there.version]), value).await?)
            }
        };
        let id = saved.as_ref().map(|saved| &saved.source).or(there.as_ref()).map(|source| source.id.to_string());
        let warnings = saved.map(|Saved { warnings, .. }| warnings).unwrap_or_default();
        done.push(Imported { name: new.name, id: id.unwrap_or_default(), became, warnings });
    }
    Ok(done)
}

/// A data source as it will be, and as it is now.
async fn plan(sources: &Sources, value: &Value) -> Result<(DataSource, Option<DataSource>), SourceError> {
    let new = sources.check(value)?;
    let there = sources.store.named(&new.name).await?;
    Ok((new, there))
}
