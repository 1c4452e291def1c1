//! What every page source promises.

mod keys;
mod long;
mod params;
mod refusals;
mod values;

use crate::support::source::{Row, SqlType, Value, shown, worlds};
use filegen::core::model::key::Key;
use filegen::core::model::names::ViewName;
use filegen::core::model::page::Page;
use filegen::core::model::query::{Fetch, Isolation};
use filegen::core::ports::source::{Extent, PageSource, PageStream, Position, Query, SourceError};
use std::num::NonZeroU32;

const MODES: [Fetch; 3] = [Fetch::Stream, Fetch::Paged, Fetch::Offset];
const KEYSET: [Fetch; 2] = [Fetch::Stream, Fetch::Paged];

fn view(text: &str) -> ViewName {
    ViewName::parse(text).unwrap()
}

fn query(view: &ViewName, key: &[&str], columns: &[&str]) -> Query {
    let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
    Query {
        view: view.clone().into(),
        key: names(key),
        columns: names(columns),
        predicates: Vec::new(),
        page_size: NonZeroU32::new(3).unwrap(),
        page_bytes: 1 << 20,
        value_bytes: 64 << 20,
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

fn rows_of(pages: &[Page]) -> Vec<Vec<Option<String>>> {
    pages.iter().flat_map(|page| shown(&page.batch)).collect()
}

/// The first column of all rows.
fn firsts(pages: &[Page]) -> Vec<String> {
    rows_of(pages).into_iter().map(|row| row[0].clone().unwrap()).collect()
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
        let by_id: Vec<i64> = (0..17).map(|at| at * 3).collect();
        let by_part: Vec<i64> = (0..17).step_by(2).chain((1..17).step_by(2)).map(|at| at * 3).collect();
        let orders: [(&[&str], &[i64]); 3] =
            [(&["id"], &by_id), (&["name", "part"], &by_id), (&["part", "id"], &by_part)];
        for fetch in MODES {
            for isolation in [Isolation::Default, Isolation::Snapshot] {
                for (size, (key, ordered)) in
                    [1, 3, 16, 17, 99].into_iter().flat_map(|size| orders.map(|order| (size, order)))
                {
                    let mut query = query(&view, key, &["id", "name"]);
                    (query.fetch, query.isolation) = (fetch, isolation);
                    query.page_size = NonZeroU32::new(size).unwrap();
                    let pages = read(&*source, &query, &Position::default()).await.unwrap();
                    let what = format!("{} {fetch:?} {isolation:?} {size} {key:?}", world.name());
                    let ids: Vec<String> = ordered.iter().map(ToString::to_string).collect();
                    assert_eq!(firsts(&pages), ids, "{what}");
                    let short = pages.iter().rev().skip(1).find(|page| page.rows() != u64::from(size));
                    assert!(short.is_none(), "{what}: all but the last page are full");
                }
            }
        }
    }
}

#[tokio::test]
async fn an_empty_view_has_no_page_and_still_its_columns() {
    for world in worlds().await {
        let (source, view) = (world.source(), view("v"));
        world.create(&view, &SCRAMBLED, &[]).await;
        for fetch in MODES {
            let mut query = Query { fetch, ..query(&view, &["id"], &["name", "id"]) };
            query.predicates = vec!["\"id\" > 1".into()];
            let mut stream = source.open(&query, &Position::default(), None).await.unwrap();
            assert!(stream.next().await.unwrap().is_none(), "{} {fetch:?}", world.name());
            let columns = vec![SqlType::Text.column("name"), SqlType::Int.column("id")];
            assert_eq!(stream.columns(), Some(columns), "{} {fetch:?}", world.name());
            let extent = source.extent(&query).await.unwrap();
            let nothing = Extent { rows: 0, matching: vec![0], range: None };
            assert_eq!(extent, nothing, "{} {fetch:?}", world.name());
        }
    }
}

#[tokio::test]
async fn a_page_ends_early_when_it_is_heavy() {
    for world in worlds().await {
        let (source, view) = (world.source(), view("v"));
        let rows: Vec<Row> = (0..10).map(|at| vec![Value::Int(at), Value::Text("x".repeat(1000))]).collect();
        world.create(&view, &[("id", SqlType::Int), ("t", SqlType::Text)], &rows).await;
        for fetch in MODES {
            let mut query = Query { fetch, page_bytes: 2500, ..query(&view, &["id"], &["id", "t"]) };
            query.page_size = NonZeroU32::new(100).unwrap();
            let pages = read(&*source, &query, &Position::default()).await.unwrap();
            assert_eq!(pages.iter().map(Page::rows).collect::<Vec<_>>(), [3, 3, 3, 1], "{} {fetch:?}", world.name());
            query.page_bytes = 1;
            let pages = read(&*source, &query, &Position::default()).await.unwrap();
            assert_eq!(pages.len(), 10, "{} {fetch:?}: one row at least", world.name());
            assert_eq!(firsts(&pages), (0..10).map(|at| at.to_string()).collect::<Vec<_>>());
        }
    }
}

#[tokio::test]
async fn a_read_dropped_half_way_leaves_the_source_to_others() {
    for world in worlds().await {
        let (source, view) = (world.source(), view("v"));
        world.create(&view, &SCRAMBLED, &scrambled(40)).await;
        for fetch in KEYSET {
            let query = Query { fetch, isolation: Isolation::Snapshot, ..query(&view, &["id"], &["id"]) };
            for _ in 0..20 {
                let mut stream = source.open(&query, &Position::default(), None).await.unwrap();
                stream.next().await.unwrap();
            }
            let pages = read(&*source, &query, &Position::default()).await.unwrap();
            assert_eq!(rows_of(&pages).len(), 40, "{}", world.name());
        }
    }
}
