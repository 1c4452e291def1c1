//! What every page source promises.

use crate::support::source::{Row, SourceWorld, SqlType, Value, shown, strings, worlds};
use filegen::core::model::column::Column;
use filegen::core::model::key::Key;
use filegen::core::model::names::ViewName;
use filegen::core::model::page::Page;
use filegen::core::model::spec::{Fetch, Isolation};
use filegen::core::ports::source::{PageSource, PageStream, Position, Query, SourceError, Sum};
use std::num::NonZeroU32;

const MODES: [Fetch; 3] = [Fetch::Stream, Fetch::Paged, Fetch::Offset];
const KEYSET: [Fetch; 2] = [Fetch::Stream, Fetch::Paged];

fn view(text: &str) -> ViewName {
    ViewName::parse(text).unwrap()
}

fn query(view: &ViewName, key: &[&str], columns: &[&str]) -> Query {
    let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
    Query {
        view: view.clone(),
        key: names(key),
        columns: names(columns),
        predicates: Vec::new(),
        page_size: NonZeroU32::new(3).unwrap(),
        page_bytes: 1 << 20,
        fetch: Fetch::Stream,
        isolation: Isolation::Default,
        kinds: None,
    }
}

fn after(key: &Key) -> Position {
    Position { after: Some(key.clone()), rows: 0 }
}

async fn rest(stream: &mut dyn PageStream) -> Result<Vec<Page>, SourceError> {
    let mut pages = Vec::new();
    while let Some(page) = stream.next().await? {
        pages.push(page);
    }
    assert!(stream.next().await.unwrap().is_none(), "behind the end there is nothing");
    Ok(pages)
}

async fn read(source: &dyn PageSource, query: &Query, from: &Position) -> Result<Vec<Page>, SourceError> {
    rest(&mut *source.open(query, from, None).await?).await
}

fn rows(pages: &[Page]) -> Vec<Vec<Option<String>>> {
    pages.iter().flat_map(|page| shown(&page.batch)).collect()
}

/// The first column of all rows.
fn firsts(pages: &[Page]) -> Vec<String> {
    rows(pages).into_iter().map(|row| row[0].clone().unwrap()).collect()
}

/// `count` rows in a scrambled order: `id` (every third number), `name`, `part`.
fn scrambled(count: i64) -> Vec<Row> {
    (0..count)
        .map(|at| (at * 7) % count)
        .map(|at| vec![Value::Int(at * 3), Value::Text(format!("n{:02}", at / 2)), Value::Int(at % 2)])
        .collect()
}

const SCRAMBLED: [(&str, SqlType); 3] = [("id", SqlType::Int), ("name", SqlType::Text), ("part", SqlType::Int)];

#[tokio::test]
async fn pages_in_a_row_are_the_ordered_view() {
    for world in worlds().await {
        let (source, view) = (world.source(), view("v"));
        world.create(&view, &SCRAMBLED, &scrambled(17)).await;
        let ids: Vec<String> = (0..17).map(|at| (at * 3).to_string()).collect();
        for fetch in MODES {
            for isolation in [Isolation::Default, Isolation::Snapshot] {
                for (size, key) in
                    [(1, &["id"][..]), (3, &["name", "part"]), (16, &["id"]), (17, &["part", "id"]), (99, &["id"])]
                {
                    let mut query = query(&view, key, &["id", "name"]);
                    (query.fetch, query.isolation) = (fetch, isolation);
                    query.page_size = NonZeroU32::new(size).unwrap();
                    let pages = read(&*source, &query, &Position::default()).await.unwrap();
                    let what = format!("{} {fetch:?} {isolation:?} {size} {key:?}", world.name());
                    let mut read = firsts(&pages);
                    if key[0] == "part" {
                        read.sort_by_key(|id| id.parse::<u32>().unwrap());
                    }
                    assert_eq!(read, ids, "{what}");
                    let short = pages.iter().rev().skip(1).find(|page| page.rows() != u64::from(size));
                    assert!(short.is_none(), "{what}: all but the last page are full");
                }
            }
        }
    }
}
