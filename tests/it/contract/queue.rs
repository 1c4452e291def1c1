//! What every queue of dead letters promises.

use crate::support::redis::Redis;
use filegen::adapters::memory::queue::MemoryQueue;
use filegen::adapters::redis_queue::RedisQueue;
use filegen::adapters::sqlite_queue::SqliteQueue;
use filegen::core::model::letter::{DeadLetter, EventPlace, LetterError, LetterKind, RawEvent};
use filegen::core::model::secret::Secret;
use filegen::core::ports::queue::{LetterQueue, QueueAudit, Removed};
use jiff::Timestamp;

fn letter(offset: i64, topic_id: &str) -> DeadLetter {
    let place = EventPlace { topic: "t".to_owned(), topic_id: topic_id.to_owned(), partition: 0, offset };
    let event = RawEvent { place, key: None, headers: Vec::new(), payload: b"{}".to_vec(), event_id: None, kind: None };
    DeadLetter::new(&event, LetterError::new(LetterKind::Json, "bad"), 1, Timestamp::UNIX_EPOCH, "here")
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
        assert_eq!(queue.page(0, 2).await, Ok(vec![letter(2, "b"), letter(2, "a")]));
        assert_eq!(queue.page(2, 2).await, Ok(vec![letter(1, "a")]));
        assert_eq!(queue.get(&letter(2, "a").index()).await, Ok(Some(letter(2, "a"))));
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
        assert_eq!(queue.audits(1).await, Ok(vec![line("two")]));
        assert_eq!(queue.audits(9).await, Ok(vec![line("two"), line("one")]));
    })
    .await;
}
