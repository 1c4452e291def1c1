//! What every sink of events promises.

mod odd;

use crate::support::postgres::Database;
use filegen::adapters::memory::sql_sink::MemorySink;
use filegen::adapters::postgres::sink::PostgresSink;
use filegen::adapters::sqlite_sink::SqliteSink;
use filegen::core::model::letter::{DeadLetter, EventPlace, LetterError, LetterKind, RawEvent};
use filegen::core::model::rows::{RowShape, SqlType, SqlValue, Table, TableColumn, TableSet};
use filegen::core::model::secret::Secret;
use filegen::core::ports::sql_sink::{
    Batch, Change, Outcome, PositionMove, RowChange, SinkError, SinkReader, SqlSink, StoredPosition, WriteMode,
};
use jiff::Timestamp;
use std::sync::Arc;

/// Parents, and children that add something up.
fn tables() -> Arc<TableSet> {
    let column = |name: &str, kind, references: Option<&str>| TableColumn {
        name: name.to_owned(),
        kind,
        nullable: false,
        references: references.map(|parent| (parent.to_owned(), "id".to_owned())),
    };
    let text = SqlType::Text(20);
    let table = |name: &str, columns| Table {
        name: name.to_owned(),
        columns,
        identity: vec![0],
        version: Some(1),
        event_id: Some(2),
        has_sums: false,
    };
    let parents =
        table("parents", vec![column("id", text, None), column("v", SqlType::Bigint, None), column("e", text, None)]);
    let mut children = parents.columns.clone();
    children.push(column("parent", text, Some("parents")));
    let mut sums = parents.columns.clone();
    sums.push(column("total", SqlType::Decimal { precision: 4, scale: 2 }, None));
    let sums = Table { has_sums: true, ..table("sums", sums) };
    let shape = |event: &str, table, columns: &[usize], sums: &[usize]| RowShape {
        event: event.to_owned(),
        table,
        columns: columns.to_vec(),
        sums: sums.to_vec(),
    };
    Arc::new(TableSet {
        tables: vec![parents, table("children", children), sums],
        shapes: vec![
            shape("P", 0, &[0, 1, 2], &[]),
            shape("C", 1, &[0, 1, 2, 3], &[]),
            shape("S", 2, &[0, 1, 2], &[3]),
        ],
    })
}

fn event(offset: i64, id: &str) -> RawEvent {
    let place = EventPlace { topic: "t".to_owned(), topic_id: "x".to_owned(), partition: 0, offset };
    let payload = id.as_bytes().to_vec();
    RawEvent { place, key: None, headers: Vec::new(), payload, event_id: Some(id.to_owned()), kind: None }
}

fn change(number: usize, shape: usize, key: &str, version: i64, id: &str, last: Option<SqlValue>) -> Change {
    let text = |text: &str| SqlValue::Text(text.to_owned());
    let mut values = vec![text(key), SqlValue::Int(version), text(id)];
    values.extend(last);
    Change { number, shape, values, event: Arc::new(event(i64::try_from(number).unwrap(), id)), parked: None }
}

fn parent(number: usize, key: &str, version: i64, id: &str) -> Change {
    change(number, 0, key, version, id, None)
}

fn child(number: usize, key: &str, version: i64, id: &str, parent: &str) -> Change {
    change(number, 1, key, version, id, Some(SqlValue::Text(parent.to_owned())))
}

fn part(number: usize, id: &str, version: i64, cents: i128) -> Change {
    let total = filegen::core::model::decimal::Decimal { unscaled: cents, scale: 2 };
    change(number, 2, "s", version, id, Some(SqlValue::Decimal(total)))
}

fn batch(changes: Vec<Change>) -> Batch {
    let numbers = changes.len();
    Batch {
        rows: changes.into_iter().map(|last| RowChange { last, covered: Vec::new() }).collect(),
        dead: Vec::new(),
        unpark: Vec::new(),
        moves: Vec::new(),
        numbers,
        mode: WriteMode::Apply,
        now: Timestamp::UNIX_EPOCH,
        instance: "here".to_owned(),
        attempts: 3,
    }
}

fn step(from: Option<i64>, to: i64) -> PositionMove {
    PositionMove { topic: "t".to_owned(), topic_id: "x".to_owned(), partition: 0, from, to }
}

async fn on_each<F: Future<Output = ()>>(run: impl Fn(Box<dyn SqlSink>) -> F) {
    let mut memory = MemorySink::new(tables(), "g", 2).with_outbox_bytes(1_000_000);
    memory.open(true).await.unwrap();
    run(Box::new(memory)).await;
    let folder = tempfile::tempdir().unwrap();
    let reader = SinkReader { source: "s".to_owned(), group: "g".to_owned(), outbox_limit: 2, outbox_bytes: 1_000_000 };
    let mut sqlite = SqliteSink::new(&folder.path().join("sink.db"), tables(), reader);
    sqlite.open(true).await.unwrap();
    run(Box::new(sqlite)).await;
    let database = Database::create().await;
    let reader = SinkReader { source: "s".to_owned(), group: "g".to_owned(), outbox_limit: 2, outbox_bytes: 1_000_000 };
    let mut postgres = PostgresSink::new(&Secret::new(database.url()), tables(), reader).unwrap();
    postgres.open(true).await.unwrap();
    run(Box::new(postgres)).await;
}

async fn letters(sink: &mut dyn SqlSink) -> Vec<DeadLetter> {
    sink.outbox(0, 9).await.unwrap().letters.into_iter().map(|(_, letter)| letter).collect()
}

async fn count(sink: &mut dyn SqlSink, table: usize) -> u64 {
    sink.counts().await.unwrap().tables[table].1
}

#[tokio::test]
async fn only_what_is_strictly_newer_changes_a_row() {
    on_each(|mut sink| async move {
        use Outcome::{Stale, Written};
        let changes = vec![
            parent(0, "k", 5, "b"),
            parent(1, "k", 5, "b"),
            parent(2, "k", 5, "a"),
            parent(3, "k", 4, "z"),
            parent(4, "k", 5, "bb"),
            parent(5, "k", 6, "A"),
        ];
        let expected = vec![Written, Stale, Stale, Stale, Written, Written];
        assert_eq!(sink.write(&batch(changes.clone())).await, Ok(expected));
        assert_eq!(sink.write(&batch(changes)).await, Ok(vec![Stale; 6]));
        assert_eq!(count(&mut *sink, 0).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_sum_has_each_event_once_in_any_order_and_never_more_than_its_column() {
    on_each(|mut sink| async move {
        let outcomes = sink
            .write(&batch(vec![
                part(0, "b", 2, 150),
                part(1, "a", 1, -50),
                part(2, "b", 2, 150),
                part(3, "c", 3, 9950),
            ]))
            .await;
        let outcomes = outcomes.unwrap();
        assert_eq!(outcomes[..3], [Outcome::Written, Outcome::Written, Outcome::Stale]);
        let Outcome::Dead(error) = &outcomes[3] else { panic!("{outcomes:?}") };
        assert_eq!(error.kind, LetterKind::Range);
        // What died was not counted as seen.
        assert_eq!(sink.write(&batch(vec![part(0, "c", 3, 100)])).await, Ok(vec![Outcome::Written]));
    })
    .await;
}

#[tokio::test]
async fn a_position_moves_only_from_where_the_batch_began_and_with_its_rows() {
    on_each(|mut sink| async move {
        let moved = |change, from, to| Batch { moves: vec![step(from, to)], ..batch(vec![change]) };
        sink.write(&moved(parent(0, "a", 1, "e"), None, 5)).await.unwrap();
        let rival = Err(SinkError::Rival { place: "t/0".to_owned() });
        assert_eq!(sink.write(&moved(parent(0, "b", 1, "e"), None, 9)).await, rival);
        assert_eq!(sink.write(&moved(parent(0, "b", 1, "e"), Some(4), 9)).await, rival);
        assert_eq!(count(&mut *sink, 0).await, 1);
        sink.write(&moved(parent(0, "b", 1, "e"), Some(5), 9)).await.unwrap();
        let at = StoredPosition { topic: "t".to_owned(), topic_id: "x".to_owned(), partition: 0, next: 9 };
        assert_eq!(sink.positions().await.unwrap().records, [at]);
        let judged = Batch { mode: WriteMode::Judge, ..moved(parent(0, "c", 1, "e"), Some(9), 10) };
        assert_eq!(sink.write(&judged).await, Ok(vec![Outcome::Written]));
        assert_eq!((count(&mut *sink, 0).await, sink.positions().await.unwrap().records[0].next), (2, 9));
    })
    .await;
}

#[tokio::test]
async fn children_wait_for_their_parent_in_the_order_of_their_row() {
    on_each(|mut sink| async move {
        sink.write(&batch(vec![parent(0, "p0", 1, "e")])).await.unwrap();
        let waiting = vec![child(0, "c", 1, "e1", "p1"), child(1, "c", 2, "e2", "p0"), child(2, "d", 1, "e3", "p0")];
        let outcomes = sink.write(&batch(waiting)).await.unwrap();
        assert_eq!(outcomes, [Outcome::Parked, Outcome::Parked, Outcome::Written]);
        assert_eq!(sink.released(9).await, Ok(Vec::new()));
        sink.write(&batch(vec![parent(0, "p1", 1, "e")])).await.unwrap();
        let released = sink.released(9).await.unwrap();
        assert_eq!(released.iter().map(|parked| parked.event.place.offset).collect::<Vec<_>>(), [0, 1]);
        let again = |number: usize, change| Change { parked: Some(released[number].number), ..change };
        let changes = vec![again(0, child(0, "c", 1, "e1", "p1")), again(1, child(1, "c", 2, "e2", "p0"))];
        assert_eq!(sink.write(&batch(changes)).await, Ok(vec![Outcome::Written, Outcome::Written]));
        assert_eq!((sink.counts().await.unwrap().parked, sink.released(9).await), (0, Ok(Vec::new())));
    })
    .await;
}

#[tokio::test]
async fn who_waits_too_long_is_dead() {
    on_each(|mut sink| async move {
        sink.write(&batch(vec![child(0, "c", 1, "e1", "p1")])).await.unwrap();
        let (before, now) = (Timestamp::UNIX_EPOCH, Timestamp::from_second(9).unwrap());
        assert_eq!(sink.expire(before, now, "there").await, Ok(0));
        assert_eq!(sink.expire(now, now, "there").await, Ok(1));
        let letters = letters(&mut *sink).await;
        assert_eq!(
            (letters[0].error.kind, letters[0].timestamp, &*letters[0].instance),
            (LetterKind::Parent, now, "there")
        );
        assert_eq!(letters[0].event().unwrap().payload, b"e1");
    })
    .await;
}

#[tokio::test]
async fn what_queues_behind_an_event_that_expires_is_tried_for_itself() {
    on_each(|mut sink| async move {
        let now = Timestamp::from_second(9).unwrap();
        sink.write(&batch(vec![parent(0, "p0", 1, "e")])).await.unwrap();
        let all = [("e0", "p1"), ("e1", "p2"), ("e2", "p3"), ("e3", "p0")];
        let made = |at: usize| child(at, "c", i64::try_from(at).unwrap(), all[at].0, all[at].1);
        let outcomes = sink.write(&batch((0..4).map(made).collect())).await.unwrap();
        assert_eq!(outcomes, [Outcome::Parked, Outcome::Parked, Outcome::Parked, Outcome::Parked]);
        for first in 1..4 {
            // Only the first waits for its own parent.
            assert_eq!(sink.expire(now, now, "there").await, Ok(1));
            assert_eq!(sink.expire(now, now, "there").await, Ok(0));
            let released = sink.released(9).await.unwrap();
            let places: Vec<_> = released.iter().map(|parked| parked.event.place.offset).collect();
            assert_eq!(places, (first..4).collect::<Vec<i64>>());
            let again = released.iter().enumerate().map(|(number, parked)| {
                let change = made(usize::try_from(parked.event.place.offset).unwrap());
                Change { number, parked: Some(parked.number), ..change }
            });
            // Two tries for its own parent would be the last.
            let outcomes = sink.write(&Batch { attempts: 2, ..batch(again.collect()) }).await.unwrap();
            let expected = if first == 3 { Outcome::Written } else { Outcome::Parked };
            assert!(outcomes.iter().all(|outcome| *outcome == expected), "{outcomes:?}");
            let sent: Vec<i64> = sink.outbox(0, 9).await.unwrap().letters.iter().map(|(number, _)| *number).collect();
            assert_eq!(sent.len(), 1);
            sink.sent(&sent).await.unwrap();
        }
        assert_eq!((sink.counts().await.unwrap().parked, count(&mut *sink, 1).await), (0, 1));
    })
    .await;
}

#[tokio::test]
async fn an_event_that_a_newer_one_covers_waits_for_its_parent_as_if_it_had_come_alone() {
    on_each(|mut sink| async move {
        use Outcome::{Folded, Parked, Stale, Written};
        sink.write(&batch(vec![parent(0, "p0", 1, "e"), parent(1, "p2", 1, "e")])).await.unwrap();
        let row = |last, covered, outcome| RowChange { last, covered: vec![(covered, outcome)] };
        let rows = vec![
            row(child(1, "a", 2, "e1", "p0"), child(0, "a", 1, "e0", "p1"), Folded),
            row(child(2, "b", 2, "e2", "p0"), child(3, "b", 1, "e3", "p1"), Stale),
            row(child(5, "c", 2, "e5", "p0"), child(4, "c", 1, "e4", "p2"), Folded),
        ];
        let outcomes = sink.write(&Batch { rows, numbers: 6, ..batch(Vec::new()) }).await;
        assert_eq!(outcomes, Ok(vec![Parked, Parked, Written, Parked, Folded, Written]));
        let alone = |changes| Batch { numbers: 10, ..batch(changes) };
        let outcomes = sink.write(&alone(vec![child(6, "d", 1, "e0", "p1"), child(7, "d", 2, "e1", "p0")])).await;
        assert_eq!(outcomes.unwrap()[6..8], [Parked, Parked]);
        let outcomes = sink.write(&alone(vec![child(8, "f", 2, "e2", "p0"), child(9, "f", 1, "e3", "p1")])).await;
        assert_eq!(outcomes.unwrap()[8..], [Written, Parked]);
    })
    .await;
}

#[tokio::test]
async fn the_outbox_keeps_a_letter_once_until_the_queue_has_it_and_no_more_than_its_limit() {
    on_each(|mut sink| async move {
        let error = || LetterError::new(LetterKind::Json, "bad");
        let letter = |offset| DeadLetter::new(&event(offset, "e"), error(), 1, Timestamp::UNIX_EPOCH, "here");
        let dead = |letters: Vec<DeadLetter>| Batch { dead: letters, ..batch(Vec::new()) };
        sink.write(&dead(vec![letter(1), letter(1), letter(2)])).await.unwrap();
        let first = sink.outbox(0, 1).await.unwrap();
        let number = first.letters[0].0;
        assert_eq!((first.letters, first.last), (vec![(number, letter(1))], Some(number)));
        assert_eq!(letters(&mut *sink).await, [letter(1), letter(2)]);
        let full = sink.write(&Batch { rows: batch(vec![parent(0, "x", 1, "e")]).rows, ..dead(vec![letter(3)]) }).await;
        assert!(matches!(full, Err(SinkError::OutboxFull { waiting: 3, limit: 2, .. })), "{full:?}");
        assert_eq!(count(&mut *sink, 0).await, 0);
        sink.sent(&[number]).await.unwrap();
        assert_eq!(letters(&mut *sink).await, [letter(2)]);
        let last = sink.outbox(number, 9).await.unwrap().last;
        assert_eq!(sink.outbox(last.unwrap(), 9).await.unwrap().last, None);
        sink.write(&dead(vec![letter(3)])).await.unwrap();
        sink.sent(&[last.unwrap()]).await.unwrap();
        // One alone, of more bytes than there may be.
        let mut long = letter(4);
        long.payload = (0..1_500_000).map(|_| fastrand::alphanumeric()).collect();
        let full = sink.write(&dead(vec![long])).await;
        assert!(matches!(full, Err(SinkError::OutboxFull { waiting: 2, bytes: 1_000_001.., .. })), "{full:?}");
        assert_eq!(letters(&mut *sink).await, [letter(3)], "nothing of the batch stays");
    })
    .await;
}
