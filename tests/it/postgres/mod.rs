//! What PostgreSQL as a source must do beyond the contract of all sources.

mod errors;
mod faults;
mod keys;
mod one_login;
mod safety;
mod settings;
mod silence;
mod types;

use crate::support::postgres::Database;
use filegen::adapters::postgres::Postgres;
use filegen::core::model::names::ViewName;
use filegen::core::model::page::Page;
use filegen::core::model::query::{Fetch, Isolation};
use filegen::core::model::secret::Secret;
use filegen::core::ports::source::{PageSource, Position, Query, SourceError};
use std::num::NonZeroU32;

fn source(database: &Database) -> Postgres {
    Postgres::new(&Secret::new(database.url())).unwrap()
}

/// Asks for columns of a view by key, streamed in pages of 1000.
fn query(view: &str, key: &[&str], columns: &[&str]) -> Query {
    let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
    Query {
        view: ViewName::parse(view).unwrap().into(),
        key: names(key),
        columns: names(columns),
        predicates: Vec::new(),
        page_size: NonZeroU32::new(1000).unwrap(),
        page_bytes: 64 << 20,
        value_bytes: 64 << 20,
        fetch: Fetch::Stream,
        isolation: Isolation::Default,
        kinds: None,
    }
}

async fn read(source: &Postgres, query: &Query, from: &Position) -> Result<Vec<Page>, SourceError> {
    let mut stream = source.open(query, from, None).await?;
    let mut pages = Vec::new();
    while let Some(page) = stream.next().await? {
        pages.push(page);
    }
    Ok(pages)
}
