//! Waiting, opening anew and going on, over views in memory and a paused clock.

use super::*;
use crate::adapters::memory::clock::MemoryClock;
use crate::adapters::memory::source::{Call, Cell, MemorySource};
use crate::core::model::column::Kind;
use crate::core::model::names::ViewName;
use crate::core::model::query::Fetch;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use std::num::NonZeroU32;
use std::sync::Mutex;
use std::time::Duration;

#[derive(Default)]
struct Heard(Mutex<Vec<(u32, Duration)>>);

impl Observer<Retrying> for Heard {
    fn observe(&self, retrying: &Retrying) {
        self.0.lock().unwrap().push((retrying.attempt, retrying.after));
    }
}

struct World {
    memory: MemorySource,
    clock: MemoryClock,
    heard: Arc<Heard>,
    source: Retry,
}

/// Ids 0 to 9 in a view, three retries, waits of half the backoff.
fn world() -> World {
    let memory = MemorySource::default();
    let columns = vec![Column { name: "id".to_owned(), kind: Kind::Int }];
    memory.put(view().name().unwrap(), columns, (0..10).map(|id| vec![Cell::Int(id)]).collect());
    let clock = MemoryClock::starting_at(jiff::Timestamp::UNIX_EPOCH);
    let heard = Arc::new(Heard::default());
    let policy = RetrySpec {
        max_retries: 3,
        initial_backoff: Duration::from_secs(1),
        backoff_multiplier: 3.0,
        max_backoff: Duration::from_secs(6),
    };
    let observer = Arc::clone(&heard) as Arc<_>;
    let source =
        Retry::new(Arc::new(memory.clone()), policy, Arc::new(clock.clone()), observer).with_jitter(Arc::new(|| 0.0));
    World { memory, clock, heard, source }
}

fn view() -> Relation {
    ViewName::parse("v").unwrap().into()
}

fn query(fetch: Fetch) -> Query {
    Query {
        view: view(),
        key: vec!["id".to_owned()],
        columns: vec!["id".to_owned()],
        predicates: Vec::new(),
        page_size: NonZeroU32::new(3).unwrap(),
        page_bytes: 1 << 20,
        value_bytes: 64 << 20,
        fetch,
        isolation: Isolation::Default,
        kinds: None,
    }
}

fn lost() -> SourceError {
    SourceError::Unreachable { source_name: "memory".to_owned(), reason: "connection lost".to_owned() }
}

async fn ids(source: &dyn PageSource, query: &Query) -> Result<Vec<i64>, SourceError> {
    let mut stream = source.open(query, &Position::default(), None).await?;
    let mut ids = Vec::new();
    while let Some(page) = stream.next().await? {
        ids.extend(page.batch.column(0).as_primitive::<Int64Type>().values());
    }
    assert_eq!(stream.columns().map(|columns| columns.len()), Some(1));
    Ok(ids)
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_doubles_no_row_and_loses_none() {
    for fetch in [Fetch::Stream, Fetch::Paged, Fetch::Offset] {
        for pages in 0..5 {
            let world = world();
            world.memory.fail(Call::Next, pages, lost());
            world.memory.fail(Call::Open, 0, lost());
            assert_eq!(
                ids(&world.source, &query(fetch)).await.unwrap(),
                (0..10).collect::<Vec<_>>(),
                "{fetch:?} {pages}"
            );
            assert!(!world.heard.0.lock().unwrap().is_empty());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn waits_grow_up_to_their_limit_and_then_the_error_stands() {
    let world = world();
    for _ in 0..4 {
        world.memory.fail(Call::Extent, 0, lost());
    }
    assert_eq!(world.source.extent(&query(Fetch::Stream)).await, Err(lost()));
    let seconds = |half: u64| Duration::from_millis(half * 500);
    let expected = vec![(1, seconds(1)), (2, seconds(3)), (3, seconds(6))];
    assert_eq!(*world.heard.0.lock().unwrap(), expected);
    assert_eq!(world.clock.elapsed(), seconds(10), "it waited as long as it said");
    assert_eq!(world.source.extent(&query(Fetch::Stream)).await.unwrap().rows, 10, "the next call is a new one");
}

#[tokio::test(start_paused = true)]
async fn every_call_is_tried_again() {
    let world = world();
    for call in [Call::Columns, Call::Extent, Call::Open, Call::Next] {
        world.memory.fail(call, 0, lost());
    }
    assert_eq!(world.source.columns(&view()).await.unwrap().len(), 1);
    assert_eq!(world.source.extent(&query(Fetch::Stream)).await.unwrap().rows, 10);
    assert_eq!(ids(&world.source, &query(Fetch::Stream)).await.unwrap().len(), 10);
    assert_eq!(world.heard.0.lock().unwrap().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_delivered_page_begins_the_count_anew() {
    let world = world();
    let query = query(Fetch::Stream);
    let mut stream = world.source.open(&query, &Position::default(), None).await.unwrap();
    for page in 0..4 {
        for _ in 0..3 {
            world.memory.fail(Call::Next, 0, lost());
        }
        assert!(stream.next().await.unwrap().is_some(), "page {page}");
    }
    let attempts: Vec<u32> = world.heard.0.lock().unwrap().iter().map(|(attempt, _)| *attempt).collect();
    assert_eq!(attempts, [1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn one_failure_more_in_a_row_than_allowed_ends_a_read() {
    let world = world();
    let mut stream = world.source.open(&query(Fetch::Stream), &Position::default(), None).await.unwrap();
    assert!(stream.next().await.unwrap().is_some());
    world.memory.fail(Call::Next, 0, lost());
    for _ in 0..3 {
        world.memory.fail(Call::Open, 0, lost());
    }
    assert_eq!(stream.next().await.map(|page| page.is_some()), Err(lost()));
    assert!(stream.next().await.unwrap().is_none(), "after an error the stream is done");
}

#[tokio::test(start_paused = true)]
async fn what_will_not_pass_is_said_at_once() {
    let world = world();
    let refused = SourceError::Refused { reason: "no such view".to_owned() };
    world.memory.fail(Call::Open, 0, refused.clone());
    assert_eq!(ids(&world.source, &query(Fetch::Stream)).await, Err(refused));
    assert!(world.heard.0.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_is_not_continued_with_another_one() {
    let snapshot = Query { isolation: Isolation::Snapshot, ..query(Fetch::Stream) };
    let world = world();
    world.memory.fail(Call::Next, 0, lost());
    assert_eq!(ids(&world.source, &snapshot).await.unwrap().len(), 10, "before its first page it may begin anew");
    world.memory.fail(Call::Next, 1, lost());
    assert_eq!(ids(&world.source, &snapshot).await, Err(lost()));
}

#[tokio::test(start_paused = true)]
async fn a_view_that_changed_during_the_wait_is_noticed() {
    let world = world();
    let mut stream = world.source.open(&query(Fetch::Stream), &Position::default(), None).await.unwrap();
    stream.next().await.unwrap();
    let columns = vec![Column { name: "id".to_owned(), kind: Kind::Date }];
    world.memory.put(view().name().unwrap(), columns, (0..10).map(|id| vec![Cell::Int(id)]).collect());
    world.memory.fail(Call::Next, 0, lost());
    let outcome = stream.next().await.map(|page| page.is_some());
    assert!(matches!(outcome, Err(SourceError::Changed { .. })), "{outcome:?}");
}
