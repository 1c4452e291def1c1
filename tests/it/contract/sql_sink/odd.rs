//! Rows in a sink's books that somebody else has written: each is told, and holds up no other.

use super::{batch, child, event, parent, step, tables};
use crate::support::postgres::Database;
use filegen::adapters::memory::queue::MemoryQueue;
use filegen::adapters::memory::sql_sink::MemorySink;
use filegen::adapters::postgres::sink::PostgresSink;
use filegen::adapters::sqlite_sink::SqliteSink;
use filegen::core::ingest::event::IngestEvent;
use filegen::core::ingest::keep::Keeping;
use filegen::core::ingest::relay;
use filegen::core::ingest::spec::QueueSpec;
use filegen::core::model::letter::{DeadLetter, ENTRY_MAX, LetterError, LetterKind};
use filegen::core::model::secret::Secret;
use filegen::core::ports::observer::Observer;
use filegen::core::ports::queue::LetterQueue;
use filegen::core::ports::sql_sink::{Batch, Change, PositionMove, SinkReader, SqlSink};
use jiff::Timestamp;

struct NoObserver;

impl Observer<IngestEvent> for NoObserver {
    fn observe(&self, _: &IngestEvent) {}
}

/// A sink, and ways to write into its books as somebody else would.
struct Open {
    sink: Box<dyn SqlSink>,
    books: Books,
}

enum Books {
    Memory(MemorySink),
    Sqlite(std::path::PathBuf),
    Postgres(tokio_postgres::Client),
}

impl Books {
    /// Statements of both databases; the memory's rows are put by hand.
    async fn run(&self, sql: &str) {
        match self {
            Self::Memory(_) => {}
            Self::Sqlite(path) => rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap(),
            Self::Postgres(client) => client.batch_execute(sql).await.unwrap(),
        }
    }

    /// A row of the outbox.
    async fn letter(&self, index: &str, entry: &str) {
        let (id, topic_id) = index.split_once('#').unwrap();
        if let Self::Memory(sink) = self {
            sink.put_outbox(index, entry);
        }
        let entry = entry.replace('\'', "''");
        self.run(&format!(
            "INSERT INTO filegen_dead_letters (source, id, topic_id, kind, entry, created_at)
             VALUES ('s', '{id}', '{topic_id}', 'json', '{entry}', '2026-01-01T00:00:00Z')"
        ))
        .await;
    }
}

async fn on_each_with_others<F: Future<Output = ()>>(run: impl Fn(Open) -> F) {
    let reader =
        || SinkReader { source: "s".to_owned(), group: "g".to_owned(), outbox_limit: 100, outbox_bytes: 1 << 30 };
    let memory = MemorySink::new(tables(), "g", 100);
    run(Open { sink: Box::new(memory.clone()), books: Books::Memory(memory) }).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sink.db");
    let mut sqlite = SqliteSink::new(&path, tables(), reader());
    sqlite.open(true).await.unwrap();
    run(Open { sink: Box::new(sqlite), books: Books::Sqlite(path) }).await;
    let database = Database::create().await;
    let mut postgres = PostgresSink::new(&Secret::new(database.url()), tables(), reader()).unwrap();
    postgres.open(true).await.unwrap();
    run(Open { sink: Box::new(postgres), books: Books::Postgres(database.client().await) }).await;
}

fn keeping() -> Keeping {
    let spec = QueueSpec {
        url: Secret::new("memory"),
        password: None,
        key: "q".to_owned(),
        outbox_limit: 100,
        outbox_bytes: 1 << 30,
        max_bytes: 1 << 30,
        keep_days: 90,
    };
    Keeping::new(&spec, "here")
}

fn letter(offset: i64) -> DeadLetter {
    let error = LetterError::new(LetterKind::Json, "bad");
    DeadLetter::new(&event(offset, "e"), error, 1, Timestamp::UNIX_EPOCH, "here")
}

#[tokio::test]
async fn a_dead_letter_that_cannot_be_read_is_told_stays_and_hides_no_other() {
    on_each_with_others(|Open { mut sink, books }| async move {
        let dead = |letter| Batch { dead: vec![letter], ..batch(Vec::new()) };
        sink.write(&dead(letter(1))).await.unwrap();
        let other = letter(7).to_json();
        let long = "x".repeat(ENTRY_MAX + 1);
        for (index, entry) in [("t/0@3#x", "{}"), ("t/0@4#x", "no JSON"), ("t/0@5#x", &*other), ("t/0@6#x", &*long)] {
            books.letter(index, entry).await;
        }
        sink.write(&dead(letter(2))).await.unwrap();
        let all = sink.outbox(0, 100).await.unwrap();
        let letters: Vec<DeadLetter> = all.letters.iter().map(|(_, letter)| letter.clone()).collect();
        assert_eq!((letters, all.odd.len()), (vec![letter(1), letter(2)], 4));
        // The real steps of what carries them: they end, and what can be read is gone.
        let queue = MemoryQueue::default();
        let stop = tokio_util::sync::CancellationToken::new();
        relay::drain(&mut *sink, &queue, &NoObserver, &mut keeping(), &stop).await.unwrap();
        assert_eq!(queue.count().await, Ok(2));
        let rest = sink.outbox(0, 100).await.unwrap();
        assert_eq!((rest.letters, rest.odd.len()), (Vec::new(), 4));
        assert_eq!(relay::odd(&mut *sink).await.unwrap().len(), 4);
        // A stop is looked at between steps.
        stop.cancel();
        relay::drain(&mut *sink, &queue, &NoObserver, &mut keeping(), &stop).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_position_that_is_none_is_told_and_hides_no_other() {
    on_each_with_others(|Open { mut sink, books }| async move {
        let moved = |partition| PositionMove { partition, ..step(None, 5) };
        sink.write(&Batch { moves: vec![moved(0), moved(1)], ..batch(Vec::new()) }).await.unwrap();
        if let Books::Memory(memory) = &books {
            memory.put_position(1, -3);
        }
        books.run("UPDATE filegen_offsets SET next_offset = -3 WHERE partition = 1").await;
        let found = sink.positions().await.unwrap();
        assert_eq!((found.records.len(), found.odd.len(), found.odd[0].id.as_str()), (1, 1, "t/1"));
        if let Books::Sqlite(_) = &books {
            // Nothing keeps others from writing what is no number.
            books.run("UPDATE filegen_offsets SET next_offset = 'none' WHERE partition = 1").await;
            let found = sink.positions().await.unwrap();
            assert_eq!((found.records.len(), found.odd[0].id.as_str()), (1, "t/1"));
        }
        assert_eq!(sink.counts().await.unwrap().positions.odd.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn what_is_parked_and_makes_no_sense_holds_up_no_other() {
    on_each_with_others(|Open { mut sink, books }| async move {
        if let Books::Memory(_) = books {
            return;
        }
        let two = vec![child(0, "a", 1, "e0", "p1"), child(1, "b", 1, "e1", "p1"), child(2, "c", 1, "e2", "p1")];
        sink.write(&batch(two)).await.unwrap();
        sink.write(&batch(vec![child(3, "a", 2, "e3", "p1")].into_iter().map(|it| Change { number: 0, ..it }).collect()))
            .await
            .unwrap();
        sink.write(&batch(vec![parent(0, "p1", 1, "e")])).await.unwrap();
        // An unknown table, an unknown column, a value that can be no key, one that cannot be read, and one of another's id.
        for (offset, table, column, entry) in [
            (60, "nowhere", "id", letter(60).to_json()),
            (61, "parents", "nothing", letter(61).to_json()),
            (62, "parents", "v", letter(62).to_json()),
            (63, "parents", "id", "{}".to_owned()),
            (64, "parents", "id", letter(99).to_json()),
        ] {
            let value = if offset == 62 { "no number" } else { "p1" };
            books
                .run(&format!(
                    "INSERT INTO filegen_parked (source, id, topic_id, tbl, row_key, parent_tbl, parent_col, parent_value,
                     entry, attempts, parked_at) VALUES ('s', 't/0@{offset}', 'x', 'children', 'k{offset}', '{table}', '{column}',
                     '{value}', '{entry}', 0, '1970-01-01T00:00:00Z')"
                ))
                .await;
        }
        // The first of a row is spoilt: what queues behind it is tried for itself.
        books.run("UPDATE filegen_parked SET entry = 'spoilt' WHERE row_key = 'a' AND id = 't/0@0'").await;
        let released = sink.released(100).await.unwrap();
        let places: Vec<_> = released.iter().map(|parked| parked.event.place.offset).collect();
        assert!(places.contains(&1) && places.contains(&2), "{places:?}");
        let odd = sink.outbox(0, 100).await.unwrap();
        assert_eq!((odd.letters.len(), odd.odd.len()), (0, 3), "{odd:?}");
        // Those of an unknown parent expire as others do.
        let now = Timestamp::from_second(9).unwrap();
        while sink.expire(now, now, "there").await.unwrap() > 0 {}
        let dead = sink.outbox(0, 100).await.unwrap();
        let ids: Vec<&str> = dead.letters.iter().map(|(_, letter)| letter.id.as_str()).collect();
        for id in ["t/0@60", "t/0@61", "t/0@62"] {
            assert!(ids.contains(&id), "{ids:?}");
        }
        // One that expires and cannot be read is told like the others.
        sink.write(&batch(vec![Change { number: 0, ..child(70, "z", 1, "e9", "p9") }])).await.unwrap();
        books.run("UPDATE filegen_parked SET entry = 'spoilt'").await;
        while sink.expire(now, now, "there").await.unwrap() > 0 {}
        // What was freed waits for nobody: a look at it finds that it cannot be read.
        assert_eq!(sink.released(100).await, Ok(Vec::new()));
        assert_eq!((sink.outbox(0, 100).await.unwrap().odd.len() > 3, sink.counts().await.unwrap().parked), (true, 0));
    })
    .await;
}
