//! What is SQL Server's own: its types, its keys, its errors, its connections, and FreeTDS against the server of the tests.

mod commands;
mod connect;
mod describe;
mod faults;
mod forms;
mod freetds;
mod keys;
mod one_login;
mod suites;
mod types;
mod writes;

use filegen::core::model::names::ViewName;
use filegen::core::model::page::Page;
use filegen::core::model::query::{Fetch, Isolation};
use filegen::core::ports::source::{PageSource, Position, Query, SourceError};
use std::num::NonZeroU32;

fn query(view: &str, key: &[&str], columns: &[&str]) -> Query {
    let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
    Query {
        view: ViewName::parse(view).unwrap().into(),
        key: names(key),
        columns: names(columns),
        predicates: Vec::new(),
        page_size: NonZeroU32::new(10).unwrap(),
        page_bytes: 1 << 20,
        value_bytes: 64 << 20,
        fetch: Fetch::Stream,
        isolation: Isolation::Default,
        kinds: None,
    }
}

/// All pages up to the end or the first error, and that error.
async fn pages(source: &dyn PageSource, query: &Query, from: &Position) -> (Vec<Page>, Option<SourceError>) {
    let mut pages = Vec::new();
    let mut stream = match source.open(query, from, None).await {
        Ok(stream) => stream,
        Err(error) => return (pages, Some(error)),
    };
    loop {
        match stream.next().await {
            Ok(Some(page)) => pages.push(page),
            Ok(None) => return (pages, None),
            Err(error) => return (pages, Some(error)),
        }
    }
}

/// All rows as text; fails on an error.
async fn rows(source: &dyn PageSource, query: &Query) -> Vec<Vec<Option<String>>> {
    let (pages, error) = pages(source, query, &Position::default()).await;
    assert_eq!(error, None);
    pages.iter().flat_map(|page| crate::support::source::shown(&page.batch)).collect()
}
