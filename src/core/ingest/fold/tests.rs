//! Wherever a log is cut into batches, the same rows and the same dead letters come of it.

use super::fold;
use crate::adapters::memory::sql_sink::{MemoryRow, MemorySink};
use crate::core::model::letter::{EventPlace, RawEvent};
use crate::core::model::rows::{RowShape, SqlType, SqlValue, Table, TableColumn, TableSet};
use crate::core::ports::sql_sink::{Batch, Change, RowChange, SqlSink, WriteMode};
use jiff::Timestamp;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Parents, and children that refer to them.
fn tables() -> Arc<TableSet> {
    let column = |name: &str, kind, references: Option<&str>| TableColumn {
        name: name.to_owned(),
        kind,
        nullable: false,
        references: references.map(|parent| (parent.to_owned(), "id".to_owned())),
    };
    let text = SqlType::Text(20);
    let parents = vec![column("id", text, None), column("v", SqlType::Bigint, None), column("e", text, None)];
    let children = [parents.as_slice(), &[column("parent", text, Some("parents"))]].concat();
    let table = |name: &str, columns| Table {
        name: name.to_owned(),
        columns,
        identity: vec![0],
        version: Some(1),
        event_id: Some(2),
        has_sums: false,
    };
    let shape = |event: &str, table, columns: &[usize]| RowShape {
        event: event.to_owned(),
        table,
        columns: columns.to_vec(),
        sums: Vec::new(),
    };
    Arc::new(TableSet {
        tables: vec![table("parents", parents), table("children", children)],
        shapes: vec![shape("P", 0, &[0, 1, 2]), shape("C", 1, &[0, 1, 2, 3])],
    })
}

/// What an event is about: a parent, or a child with its version, its id and its parent.
#[derive(Clone, Copy, Debug)]
enum Made {
    Parent(u8),
    Child(u8, u8, u8, u8),
}

fn event(number: usize, made: Made) -> (usize, Vec<SqlValue>, RawEvent) {
    let text = |of: &str, number: u8| SqlValue::Text(format!("{of}{number}"));
    let (shape, values) = match made {
        Made::Parent(key) => (0, vec![text("p", key), SqlValue::Int(1), text("e", 0)]),
        Made::Child(key, version, id, parent) => {
            (1, vec![text("c", key), SqlValue::Int(version.into()), text("e", id), text("p", parent)])
        }
    };
    let place = EventPlace {
        topic: "t".to_owned(),
        topic_id: "x".to_owned(),
        partition: 0,
        offset: i64::try_from(number).unwrap(),
    };
    let event_id = Some(values[2].canonical());
    (shape, values, RawEvent { place, key: None, headers: Vec::new(), payload: vec![1], event_id, kind: None })
}

fn batch(rows: Vec<RowChange>, numbers: usize) -> Batch {
    Batch {
        rows,
        dead: Vec::new(),
        unpark: Vec::new(),
        moves: Vec::new(),
        numbers,
        mode: WriteMode::Apply,
        now: Timestamp::UNIX_EPOCH,
        instance: "here".to_owned(),
        attempts: u32::MAX,
    }
}

struct Played {
    sink: MemorySink,
    set: Arc<TableSet>,
    all: Vec<Made>,
}

impl Played {
    async fn take(&mut self, from: usize, to: usize) {
        let change = |(number, at): (usize, usize)| {
            let (shape, values, event) = event(at, self.all[at]);
            Change { number, shape, values, event: Arc::new(event), parked: None }
        };
        let changes: Vec<Change> = (from..to).enumerate().map(change).collect();
        let numbers = changes.len();
        self.sink.write(&batch(fold(&self.set, changes), numbers)).await.unwrap();
        self.release().await;
    }

    async fn release(&mut self) {
        loop {
            let before = self.sink.counts().await.unwrap().parked;
            let released = self.sink.released(100).await.unwrap();
            let row = |(number, parked): (usize, crate::core::ports::sql_sink::Parked)| {
                let at = usize::try_from(parked.event.place.offset).unwrap();
                let (shape, values, event) = event(at, self.all[at]);
                let last = Change { number, shape, values, event: Arc::new(event), parked: Some(parked.number) };
                RowChange { last, covered: Vec::new() }
            };
            let rows: Vec<RowChange> = released.into_iter().enumerate().map(row).collect();
            let numbers = rows.len();
            self.sink.write(&batch(rows, numbers)).await.unwrap();
            if self.sink.counts().await.unwrap().parked == before {
                return;
            }
        }
    }
}

/// The children in the end, and which events are dead, when the log is cut into batches of these sizes.
async fn played(all: &[Made], cuts: &[usize]) -> (BTreeMap<String, MemoryRow>, BTreeSet<String>) {
    let set = tables();
    let mut played = Played { sink: MemorySink::new(Arc::clone(&set), "g", 1000), set, all: all.to_vec() };
    let (mut from, mut sizes) = (0, cuts.iter().cycle());
    while from < all.len() {
        let to = all.len().min(from + sizes.next().copied().unwrap_or(1));
        played.take(from, to).await;
        from = to;
    }
    let later = Timestamp::from_second(9).unwrap();
    while played.sink.expire(later, later, "there").await.unwrap() > 0 {
        played.release().await;
    }
    assert_eq!(played.sink.counts().await.unwrap().parked, 0);
    let dead = played.sink.outbox(0, 1000).await.unwrap().letters.iter().map(|(_, letter)| letter.id.clone()).collect();
    (played.sink.rows("children"), dead)
}

fn made() -> impl Strategy<Value = Made> {
    prop_oneof![
        1 => (0..3_u8).prop_map(Made::Parent),
        6 => (0..2_u8, 0..4_u8, 0..3_u8, 0..4_u8).prop_map(|(key, version, id, parent)| Made::Child(key, version, id, parent)),
    ]
}

proptest! {
    #[test]
    fn rows_and_dead_letters_are_the_same_wherever_the_log_is_cut(
        all in prop::collection::vec(made(), 1..14),
        cuts in prop::collection::vec(1..6_usize, 1..4),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (one_by_one, cut) = runtime.block_on(async { (played(&all, &[1]).await, played(&all, &cuts).await) });
        prop_assert_eq!(one_by_one, cut);
    }
}
