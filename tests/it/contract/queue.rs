//! What every queue of dead letters promises.

use crate::support::redis::Redis;
use filegen::adapters::memory::queue::MemoryQueue;
use filegen::adapters::redis_queue::RedisQueue;
use filegen::adapters::sqlite_queue::SqliteQueue;
use filegen::core::ingest::keep;
use filegen::core::ingest::plan::{Filter, find};
use filegen::core::model::letter::{DeadLetter, ENTRY_MAX, EventPlace, LetterError, LetterKind, RawEvent};
use filegen::core::model::secret::Secret;
use filegen::core::ports::queue::{Entry, LetterPage, LetterQueue, QueueAudit, Removed};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

fn letter(offset: i64, topic_id: &str) -> DeadLetter {
    let place = EventPlace { topic: "t".to_owned(), topic_id: topic_id.to_owned(), partition: 0, offset };
    let event = RawEvent { place, key: None, headers: Vec::new(), payload: b"{}".to_vec(), event_id: None, kind: None };
    DeadLetter::new(&event, LetterError::new(LetterKind::Json, "bad"), 1, Timestamp::UNIX_EPOCH, "here")
}

fn page(letters: &[DeadLetter]) -> LetterPage {
    LetterPage { letters: letters.to_vec(), odd: Vec::new(), passed: letters.len() as u64 }
}

async fn on_each<F: Future<Output = ()>>(run: impl Fn(Box<dyn LetterQueue>) -> F) {
    run(Box::new(MemoryQueue::default())).await;
    let folder = tempfile::tempdir().unwrap();
    run(Box::new(SqliteQueue::new(&folder.path().join("q.db"), "dlq"))).await;
    let redis = Redis::start();
    run(Box::new(RedisQueue::new(&Secret::new(redis.url()), None, "dlq").unwrap())).await;
}

#[tokio::test]
async fn an_entry_is_there_once_and_the_newest_stands_in_front() {
    on_each(|queue| async move {
        queue.add(&[letter(1, "a"), letter(2, "a")]).await.unwrap();
        queue.add(&[letter(2, "a"), letter(1, "a"), letter(2, "b")]).await.unwrap();
        assert_eq!(queue.count().await, Ok(3));
        assert_eq!(queue.page(0, 2).await, Ok(page(&[letter(2, "b"), letter(2, "a")])));
        assert_eq!(queue.page(2, 2).await, Ok(page(&[letter(1, "a")])));
        let entry = Entry::Letter(Box::new(letter(2, "a")));
        assert_eq!(queue.get(&letter(2, "a").index()).await, Ok(Some(entry)));
        assert_eq!(queue.get("none").await, Ok(None));
    })
    .await;
}

#[tokio::test]
async fn an_entry_leaves_only_as_it_was_and_may_die_again() {
    on_each(|queue| async move {
        let (one, index) = (letter(1, "a"), letter(1, "a").index());
        queue.add(&[one.clone(), letter(2, "a")]).await.unwrap();
        assert_eq!(queue.remove(&index, "other").await, Ok(Removed::Changed));
        assert_eq!(queue.remove(&index, &one.digest()).await, Ok(Removed::Done));
        assert_eq!(queue.remove(&index, &one.digest()).await, Ok(Removed::Gone));
        assert_eq!(queue.count().await, Ok(1));
        queue.add(&[one]).await.unwrap();
        assert_eq!(queue.count().await, Ok(2));
    })
    .await;
}

#[tokio::test]
async fn what_was_done_is_kept() {
    on_each(|queue| async move {
        let line = |reason: &str| QueueAudit {
            at: Timestamp::UNIX_EPOCH,
            who: "ann".to_owned(),
            action: "drop".to_owned(),
            reason: reason.to_owned(),
            detail: "3 entries".to_owned(),
        };
        queue.audit(&line("one")).await.unwrap();
        queue.audit(&line("two")).await.unwrap();
        assert_eq!(queue.audits(1).await.unwrap().records, [line("two")]);
        assert_eq!(queue.audits(9).await.unwrap().records, [line("two"), line("one")]);
    })
    .await;
}

/// Puts an entry there under an index.
type Put = Box<dyn Fn(&str, &[u8])>;

/// A queue, and a way to put something there as somebody else would: index and entry.
struct Open {
    queue: Box<dyn LetterQueue>,
    put: Put,
}

async fn on_each_with_others<F: Future<Output = ()>>(run: impl Fn(Open) -> F) {
    let memory = MemoryQueue::default();
    let queue = Box::new(memory.clone());
    run(Open { queue, put: Box::new(move |index, entry| memory.put(index, &String::from_utf8_lossy(entry))) }).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q.db");
    let queue = Box::new(SqliteQueue::new(&path, "dlq"));
    queue.count().await.unwrap();
    let put = move |index: &str, entry: &[u8]| {
        let sql = "INSERT INTO filegen_queue (queue, id, entry) VALUES ('dlq', ?1, CAST(?2 AS TEXT))";
        rusqlite::Connection::open(&path).unwrap().execute(sql, (index, entry)).unwrap();
    };
    run(Open { queue, put: Box::new(put) }).await;
    let redis = Redis::start();
    let queue = Box::new(RedisQueue::new(&Secret::new(redis.url()), None, "dlq").unwrap());
    let put = move |index: &str, entry: &[u8]| {
        redis.ask_bytes::<i64>(&[b"HSET", b"dlq:ids", index.as_bytes(), entry]).unwrap();
        redis.ask_bytes::<i64>(&[b"LPUSH", b"dlq", entry]).unwrap();
    };
    run(Open { queue, put: Box::new(put) }).await;
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_is_told_and_hides_no_other() {
    on_each_with_others(|Open { queue, put }| async move {
        queue.add(&[letter(1, "a")]).await.unwrap();
        let entry = |offset| letter(offset, "a").to_json();
        let moved = entry(3).replace("t/0@3", "t/0@4");
        let unknown = entry(3).replace("\"json\"", "\"new\"");
        let long = vec![b'x'; ENTRY_MAX + 1];
        let odd: [(&str, &[u8]); 7] = [
            ("t/0@21#a", b"{}"),
            ("t/0@22#a", b"no JSON"),
            ("t/0@23#a", b"\xff\xfe"),
            ("t/0@3#a", moved.as_bytes()),
            ("t/0@5#a", unknown.as_bytes()),
            ("t/0@6#a", b"null"),
            ("t/0@7#a", &long),
        ];
        for (index, entry) in odd {
            put(index, entry);
        }
        queue.add(&[letter(2, "a")]).await.unwrap();
        assert_eq!(queue.count().await, Ok(9));
        let all = queue.page(0, 100).await.unwrap();
        assert_eq!((all.letters, all.odd.len(), all.passed), (vec![letter(2, "a"), letter(1, "a")], 7, 9));
        assert!(all.odd.iter().all(|odd| !odd.id.is_empty() && !odd.reason.is_empty()), "{:?}", all.odd);
        let middle = queue.page(1, 7).await.unwrap();
        assert_eq!((middle.letters.len(), middle.passed), (0, 7));
        for (index, _) in odd {
            assert!(matches!(queue.get(index).await, Ok(Some(Entry::Odd(_)))), "{index}");
            assert_eq!(queue.remove(index, "digest").await, Ok(Removed::Changed), "{index}");
        }
        // One whose index is another's.
        put("t/0@9#a", entry(8).as_bytes());
        assert!(matches!(queue.get("t/0@9#a").await, Ok(Some(Entry::Odd(_)))));
        assert_eq!(queue.remove("t/0@9#a", &letter(8, "a").digest()).await, Ok(Removed::Changed));
        let found = std::sync::Mutex::new(0);
        let told = find(&*queue, &Filter::default(), |_| *found.lock().unwrap() += 1).await.unwrap();
        assert!(*found.lock().unwrap() >= 2 && told.len() >= 7, "{told:?}");
    })
    .await;
}

#[tokio::test]
async fn what_is_kept_long_enough_leaves_with_a_line_about_it_and_the_younger_stay() {
    on_each(|queue| async move {
        let second = |second| Timestamp::from_second(second).unwrap();
        let aged = |offset: i64| DeadLetter { timestamp: second(offset), ..letter(offset, "a") };
        let all: Vec<DeadLetter> = (1..=1201).map(aged).collect();
        assert_eq!(queue.bytes().await, Ok(Some(0)));
        queue.add(&all).await.unwrap();
        assert!(queue.bytes().await.unwrap().unwrap() > 1201 * 100);
        let stop = CancellationToken::new();
        assert_eq!(keep::expire(&*queue, second(1), (second(9), "me", 90), &stop).await, Ok(0));
        assert_eq!(queue.audits(9).await.unwrap().records, []);
        assert_eq!(keep::expire(&*queue, second(1101), (second(9), "me", 90), &stop).await, Ok(1100));
        assert_eq!(queue.count().await, Ok(101));
        assert_eq!(queue.page(100, 9).await, Ok(page(&[aged(1101)])), "the oldest that is left");
        let told = queue.audits(9).await.unwrap().records;
        assert!(told.len() == 3 && told.iter().all(|line| line.action == "expire" && line.who == "me"), "{told:?}");
        assert!(told[2].detail.contains(&aged(1).index()) && told[2].reason.contains("keep"), "{told:?}");
    })
    .await;
}
