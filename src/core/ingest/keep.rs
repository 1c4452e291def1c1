//! How long the queue keeps dead letters, and how many bytes of them. What is too old leaves, and a line about it stays; where there is no
//! room, letters wait in the sink. None is lost silently.

use super::spec::QueueSpec;
use crate::core::model::amount::counted;
use crate::core::ports::queue::{LetterQueue, QueueAudit, Removed};
use crate::core::ports::store::StoreError;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Time between two looks for letters that are too old.
const LOOK_EVERY: Duration = Duration::from_hours(1);

/// Entries that are looked at in one step.
const STEP: u64 = 500;

/// The limits of a queue, and what is known of it.
pub struct Keeping {
    max_bytes: u64,
    days: u32,
    who: String,
    /// Bytes of the queue when they were last counted, and those that were sent since.
    known: Option<(u64, u64)>,
    looked: Option<Duration>,
}

impl Keeping {
    /// As the file says. `who` stands in the audit trail.
    pub fn new(spec: &QueueSpec, who: &str) -> Self {
        Self { max_bytes: spec.max_bytes, days: spec.keep_days, who: who.to_owned(), known: None, looked: None }
    }

    /// The queue's bytes and its limit, when it has no room. Its bytes are counted when it may be full, and after so many were sent that
    /// others may have sent as many: to count them all is dear.
    pub(super) async fn full(&mut self, queue: &dyn LetterQueue) -> Result<Option<(u64, u64)>, StoreError> {
        let is_fresh = |(counted, sent): &(u64, u64)| counted + sent < self.max_bytes && *sent < self.max_bytes / 16;
        if self.known.as_ref().is_some_and(is_fresh) {
            return Ok(None);
        }
        let bytes = queue.bytes().await?.unwrap_or(0);
        self.known = Some((bytes, 0));
        Ok((bytes >= self.max_bytes).then_some((bytes, self.max_bytes)))
    }

    /// Counts letters that were sent.
    pub(super) fn sent(&mut self, bytes: u64) {
        if let Some((_, sent)) = &mut self.known {
            *sent = sent.saturating_add(bytes);
        }
    }

    /// Takes letters away that are too old, now and then. Gives how many.
    ///
    /// # Errors
    /// When the queue does not answer.
    pub(super) async fn sweep(
        &mut self,
        queue: &dyn LetterQueue,
        (elapsed, now): (Duration, Timestamp),
        stop: &CancellationToken,
    ) -> Result<u64, StoreError> {
        if self.looked.is_some_and(|looked| elapsed < looked + LOOK_EVERY) {
            return Ok(0);
        }
        let age = SignedDuration::from_hours(24 * i64::from(self.days));
        let before = now.checked_sub(age).unwrap_or(Timestamp::MIN);
        let gone = expire(queue, before, (now, &self.who, self.days), stop).await?;
        // One that was broken off is made up for at the next look.
        if !stop.is_cancelled() {
            self.looked = Some(elapsed);
        }
        Ok(gone)
    }
}

/// Takes entries away whose event died before a moment, oldest first: at the time and by whom the tuple says, after so many days. What
/// cannot be read stays, and hides none in front of it. Gives how many.
///
/// # Errors
/// When the queue does not answer.
pub async fn expire(
    queue: &dyn LetterQueue,
    before: Timestamp,
    (now, who, days): (Timestamp, &str, u32),
    stop: &CancellationToken,
) -> Result<u64, StoreError> {
    let (mut gone, mut kept) = (0, 0);
    while !stop.is_cancelled() {
        let end = queue.count().await?.saturating_sub(kept);
        let mut skip = end.saturating_sub(STEP);
        // Newest first, and a page may end early: the oldest stand at the end of the last one.
        let page = loop {
            let page = queue.page(skip, usize::try_from(end - skip).unwrap_or(usize::MAX)).await?;
            skip += page.passed;
            if page.passed == 0 || skip >= end {
                break page;
            }
        };
        if page.passed == 0 {
            break;
        }
        let old: Vec<_> = page.letters.iter().rev().take_while(|letter| letter.timestamp < before).collect();
        if let (Some(first), Some(last)) = (old.first(), old.last()) {
            let detail = format!("{}, {} to {}", counted(old.len() as u64, "dead letter"), first.index(), last.index());
            let reason = format!("older than `dead_letters.keep` ({days}d)");
            // First the trail: what left and nobody can explain is worse than a recorded try.
            let (action, who) = ("expire".to_owned(), who.to_owned());
            queue.audit(&QueueAudit { at: now, who, action, reason, detail }).await?;
        }
        let mut left = 0;
        for letter in &old {
            if queue.remove(&letter.index(), &letter.digest()).await? == Removed::Done {
                left += 1;
            }
        }
        gone += left;
        if old.len() < page.letters.len() {
            break;
        }
        kept += page.passed.saturating_sub(left);
    }
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::memory::queue::MemoryQueue;
    use crate::core::model::letter::{DeadLetter, EventPlace, LetterError, LetterKind, RawEvent};
    use crate::core::model::secret::Secret;

    fn letter(offset: i64, payload: &str) -> DeadLetter {
        let place = EventPlace { topic: "t".to_owned(), topic_id: String::new(), partition: 0, offset };
        let payload = payload.as_bytes().to_vec();
        let event = RawEvent { place, key: None, headers: Vec::new(), payload, event_id: None, kind: None };
        DeadLetter::new(&event, LetterError::new(LetterKind::Missing, "bad"), 1, Timestamp::UNIX_EPOCH, "here")
    }

    fn keeping(max_bytes: u64) -> Keeping {
        let url = Secret::new("memory");
        let (key, outbox_limit, outbox_bytes) = ("q".to_owned(), 9, 9);
        Keeping::new(&QueueSpec { url, password: None, key, outbox_limit, outbox_bytes, max_bytes, keep_days: 2 }, "me")
    }

    #[tokio::test]
    async fn a_full_queue_takes_no_more_until_there_is_room() {
        let (queue, mut keeping) = (MemoryQueue::default(), keeping(4000));
        assert_eq!(keeping.full(&queue).await, Ok(None));
        let (one, two) = (letter(1, &"x".repeat(2000)), letter(2, &"y".repeat(2000)));
        queue.add(&[one.clone(), two]).await.unwrap();
        keeping.sent(4000);
        let full = keeping.full(&queue).await;
        assert!(matches!(full, Ok(Some((4000.., 4000)))), "{full:?}");
        queue.remove(&one.index(), &one.digest()).await.unwrap();
        assert_eq!(keeping.full(&queue).await, Ok(None));
    }

    #[tokio::test]
    async fn letters_of_others_are_counted_before_they_fill_the_queue() {
        let (queue, mut keeping) = (MemoryQueue::default(), keeping(16_000));
        assert_eq!(keeping.full(&queue).await, Ok(None));
        queue.add(&[letter(1, &"x".repeat(16_000))]).await.unwrap();
        keeping.sent(1000);
        assert!(keeping.full(&queue).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn one_that_cannot_be_read_stays_and_hides_none() {
        let queue = MemoryQueue::default();
        queue.add(&[letter(1, "a")]).await.unwrap();
        queue.put("odd", "{");
        queue.add(&[letter(2, "b")]).await.unwrap();
        (0..600).for_each(|number| queue.put(&format!("odd{number}"), "{"));
        let stop = CancellationToken::new();
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(49);
        let mut keeping = keeping(4000);
        let over = CancellationToken::new();
        over.cancel();
        assert_eq!(keeping.sweep(&queue, (Duration::ZERO, now), &over).await, Ok(0), "broken off: it is made up for");
        assert_eq!(keeping.sweep(&queue, (Duration::ZERO, now), &stop).await, Ok(2));
        assert_eq!(queue.count().await, Ok(601));
        queue.add(&[letter(3, "c")]).await.unwrap();
        assert_eq!(keeping.sweep(&queue, (Duration::from_mins(59), now), &stop).await, Ok(0), "not again so soon");
        assert_eq!(keeping.sweep(&queue, (Duration::from_hours(1), now), &stop).await, Ok(1));
    }
}
