//! The collecting side's end.

use super::fault::Fault;
use super::link::{Link, Stored};
use super::{NatsBroker, Shared, streams, wire};
use crate::core::model::finding::Finding;
use crate::core::ports::broker::BrokerError;
use crate::core::ports::file_broker::{Answer, FileSender, Parcel, Standing};
use async_trait::async_trait;
use futures_util::future::{join, try_join};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Most bytes of chunks that wait for their acknowledgement, of all files together.
const IN_FLIGHT: usize = 16 << 20;

/// So many versions, and no more, are asked about one by one.
const ASKED_ALONE: usize = 32;

/// Most answers of a kind that one look lists.
const LISTED: usize = 100_000;

/// Versions that are asked about at once.
const ASKED_AT_ONCE: usize = 64;

/// How long a probe waits for a stream's answer.
const PROBED: Duration = Duration::from_secs(3);

/// Chunks on their way.
pub(super) struct Outbound {
    window: Arc<Semaphore>,
    flying: Mutex<HashMap<String, JoinSet<Result<(), Fault>>>>,
    /// Versions whose chunks are being sent, the one that began first in front.
    open: Mutex<Vec<String>>,
    /// Messages that were sent under a second id.
    again: AtomicU64,
}

impl Default for Outbound {
    fn default() -> Self {
        Self {
            window: Arc::new(Semaphore::new(IN_FLIGHT)),
            flying: Mutex::default(),
            open: Mutex::default(),
            again: AtomicU64::new(0),
        }
    }
}

impl Outbound {
    fn flying(&self) -> MutexGuard<'_, HashMap<String, JoinSet<Result<(), Fault>>>> {
        self.flying.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> MutexGuard<'_, Vec<String>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begins(&self, id: &str) {
        let mut open = self.open();
        if !open.iter().any(|other| other == id) {
            open.push(id.to_owned());
        }
    }

    fn ends(&self, id: &str) {
        self.open().retain(|other| other != id);
    }

    fn is_first(&self, id: &str) -> bool {
        self.open().first().is_none_or(|first| first == id)
    }
}

impl Shared {
    /// Sends a message under its id. The server may take it for one that it has had and that is gone since: then it is sent under
    /// another id. Nothing but the message itself, read back, says that it was stored before: anybody may have used its id, or its
    /// subject.
    async fn send_message(&self, link: &Link, parcel: &Parcel) -> Result<(), Fault> {
        let subject = self.names.message(&parcel.id);
        let (headers, payload) = wire::message(parcel, &parcel.id);
        if matches!(link.publish(subject.clone(), headers, payload).await?, Stored::Now(_)) {
            return Ok(());
        }
        if self.is_there(link, parcel).await? {
            return Ok(());
        }
        let sent = self.outbound.again.fetch_add(1, Ordering::Relaxed);
        let (headers, payload) = wire::message(parcel, &format!("{}.{}.{sent}", parcel.id, self.nonce));
        match link.publish(subject, headers, payload).await? {
            Stored::Now(_) => Ok(()),
            Stored::There | Stored::Before => {
                Err(Fault::Passing("another message is in this one's place; it is sent again".to_owned()))
            }
        }
    }

    /// Whether this very message is there. Another one in its place is taken away.
    async fn is_there(&self, link: &Link, parcel: &Parcel) -> Result<bool, Fault> {
        let stream = &self.names.messages;
        let Some(kept) = link.last(stream, &self.names.message(&parcel.id)).await? else { return Ok(false) };
        if wire::parcel(&parcel.id, Some(&kept.headers), &kept.payload).is_same(parcel) {
            return Ok(true);
        }
        link.delete(stream, kept.sequence).await?;
        Ok(false)
    }

    /// Those of these versions that have an answer.
    async fn answered_of(&self, link: &Link, ids: &[String]) -> Result<Vec<String>, Fault> {
        let mut answered = HashSet::new();
        let mut is_cut = false;
        if ids.len() > ASKED_ALONE {
            for filter in [self.names.done("*"), self.names.error("*")] {
                let subjects = link.subjects(&self.names.messages, &filter, LISTED).await?;
                is_cut |= subjects.len() == LISTED;
                answered.extend(subjects.iter().filter_map(|subject| subject.rsplit('.').next().map(str::to_owned)));
            }
        }
        let (mut found, open): (Vec<String>, Vec<String>) = ids.iter().cloned().partition(|id| answered.contains(id));
        if is_cut || ids.len() <= ASKED_ALONE {
            // Each by itself: whatever others have put there hides none.
            let mut asked = stream::iter(open.into_iter().map(|id| async move {
                let answer = self.answer_of(link, &id).await;
                answer.map(|answer| answer.map(|_| id))
            }))
            .buffer_unordered(ASKED_AT_ONCE);
            while let Some(answer) = asked.try_next().await? {
                found.extend(answer);
            }
        }
        Ok(found)
    }

    /// What the other side said. It says one thing: where a receipt and a refusal stand side by side, somebody else has written one of
    /// them, and neither counts. Then the file is sent again, and the other side says how it is.
    async fn answer_of(&self, link: &Link, id: &str) -> Result<Option<Answer>, Fault> {
        let (receipt, refusal) = (self.names.done(id), self.names.error(id));
        let both = try_join(self.answer_at(link, &receipt, true), self.answer_at(link, &refusal, false));
        Ok(match both.await? {
            (Some(_), Some(_)) => {
                self.delete_last(link, &receipt).await?;
                self.delete_last(link, &refusal).await?;
                None
            }
            (receipt, refusal) => receipt.or(refusal),
        })
    }

    async fn answer_at(&self, link: &Link, subject: &str, is_receipt: bool) -> Result<Option<Answer>, Fault> {
        let stream = &self.names.messages;
        let Some(kept) = link.last(stream, subject).await? else { return Ok(None) };
        let answer = wire::answered(&kept.payload, is_receipt);
        if answer.is_none() {
            // It is nobody's answer, and would stand in the way of one.
            link.delete(stream, kept.sequence).await?;
        }
        Ok(answer)
    }

    async fn delete_last(&self, link: &Link, subject: &str) -> Result<(), Fault> {
        match link.last(&self.names.messages, subject).await? {
            Some(kept) => link.delete(&self.names.messages, kept.sequence).await,
            None => Ok(()),
        }
    }

    /// Chunks without a gap from the first on. Those of another size are taken away.
    async fn chunks_of(&self, link: &Link, id: &str, chunk_size: u64) -> Result<u64, Fault> {
        let stream = &self.names.chunks;
        let Some(first) = link.last(stream, &self.names.chunk(id, "0")).await? else { return Ok(0) };
        if wire::chunk_size(&first.headers) != Some(chunk_size) {
            link.purge(stream, &self.names.chunk(id, "*")).await?;
            return Ok(0);
        }
        let subjects = link.subjects(stream, &self.names.chunk(id, "*"), usize::MAX).await?;
        let number = |subject: &String| subject.rsplit('.').next()?.parse::<u64>().ok();
        let there: HashSet<u64> = subjects.iter().filter_map(number).collect();
        Ok((0..there.len() as u64).take_while(|number| there.contains(number)).count() as u64)
    }

    /// Stores a chunk. One that is there already has to be the same.
    async fn store_chunk(&self, link: &Link, subject: String, chunk_size: u64, bytes: Vec<u8>) -> Result<(), Fault> {
        let stored = link.publish(subject.clone(), wire::chunk(chunk_size), bytes.clone()).await?;
        if matches!(stored, Stored::Now(_)) {
            return Ok(());
        }
        let stream = &self.names.chunks;
        match link.last(stream, &subject).await? {
            Some(kept) if kept.payload == bytes => Ok(()),
            Some(kept) => {
                link.delete(stream, kept.sequence).await?;
                Err(Fault::Passing("another chunk was in this one's place; it is sent again".to_owned()))
            }
            None => Err(Fault::Passing("a chunk is gone that was there; it is sent again".to_owned())),
        }
    }
}

#[async_trait]
impl FileSender for NatsBroker {
    fn describe(&self) -> String {
        let (names, topic) = (&self.0.names, &self.0.topic);
        format!("{topic} (streams {} and {})", names.messages, names.chunks)
    }

    async fn probe(&self, name: &str) -> Result<(), BrokerError> {
        let own = &self.0;
        own.with(async |link| {
            // Each of the two streams can be dead alone.
            let subject = own.names.probe(&name.replace(['.', '*', '>', ' '], "_"));
            let chunk = own.names.chunk("probe", &own.nonce);
            let headers = || wire::chunk(0);
            let stored = try_join(
                link.publish(subject.clone(), headers(), Vec::new()),
                link.publish(chunk.clone(), headers(), Vec::new()),
            );
            // Whoever asks for health waits no longer than for one answer, and would not hear why.
            let silent = |_| Fault::Silent(format!("no answer within {} s", PROBED.as_secs()));
            tokio::time::timeout(PROBED, stored).await.map_err(silent)??;
            own.delete_last(&link, &subject).await?;
            link.purge(&own.names.chunks, &chunk).await
        })
        .await
    }

    async fn settings(&self) -> Result<Vec<Finding>, BrokerError> {
        let own = &self.0;
        own.with(async |link| streams::findings(&link, &own.spec, &own.names).await).await
    }

    async fn message_max(&self) -> Result<usize, BrokerError> {
        let max = self.0.with(async |link| Ok(link.client.max_payload())).await?;
        Ok(max.saturating_sub(wire::HEADERS))
    }

    async fn standing(&self, id: &str, chunk_size: u64) -> Result<Standing, BrokerError> {
        let own = &self.0;
        // What an earlier try left on its way is nobody's any more.
        drop(own.outbound.flying().remove(id));
        own.with(async |link| {
            // The message first: whoever takes it away has written the answer before.
            let message = link.last(&own.names.messages, &own.names.message(id)).await?;
            let (answer, chunks) = join(own.answer_of(&link, id), own.chunks_of(&link, id, chunk_size)).await;
            let sent = message.map(|kept| wire::parcel(id, Some(&kept.headers), &kept.payload));
            Ok(Standing { chunks: chunks?, sent, answer: answer? })
        })
        .await
    }

    async fn put_chunk(&self, id: &str, number: u64, chunk_size: u64, bytes: Vec<u8>) -> Result<(), BrokerError> {
        let own = Arc::clone(&self.0);
        own.outbound.begins(id);
        let link = own.link().await.map_err(|fault| fault.told(&own.topic))?;
        let weight = u32::try_from(bytes.len().clamp(1, IN_FLIGHT)).unwrap_or(u32::MAX);
        let room = Arc::clone(&own.outbound.window).acquire_many_owned(weight).await;
        let subject = own.names.chunk(id, &number.to_string());
        let shared = Arc::clone(&own);
        let flight = async move {
            let stored = shared.store_chunk(&link, subject, chunk_size, bytes).await;
            drop(room);
            stored
        };
        own.outbound.flying().entry(id.to_owned()).or_default().spawn(flight);
        Ok(())
    }

    async fn settle_chunks(&self, id: &str) -> Result<(), BrokerError> {
        let Some(mut flying) = self.0.outbound.flying().remove(id) else { return Ok(()) };
        let mut first = Ok(());
        while let Some(landed) = flying.join_next().await {
            let stored = landed.unwrap_or_else(|error| Err(Fault::Passing(error.to_string())));
            first = first.and(stored);
        }
        let own = &self.0;
        if first.as_ref().is_err_and(Fault::is_full) && !own.outbound.is_first(id) {
            // Several that fill the stream together would wait for each other for ever: all but one make room.
            own.with(async |link| link.purge(&own.names.chunks, &own.names.chunk(id, "*")).await).await?;
        }
        own.told(first)
    }

    async fn send(&self, parcel: Parcel) -> Result<(), BrokerError> {
        let own = &self.0;
        own.with(async |link| own.send_message(&link, &parcel).await).await?;
        own.outbound.ends(&parcel.id);
        Ok(())
    }

    async fn answered(&self, ids: &[String]) -> Result<Vec<String>, BrokerError> {
        let own = &self.0;
        own.with(async |link| own.answered_of(&link, ids).await).await
    }

    async fn answers(&self, most: usize) -> Result<Vec<(String, Timestamp)>, BrokerError> {
        let own = &self.0;
        own.with(async |link| {
            let mut answers = Vec::new();
            for filter in [own.names.done("*"), own.names.error("*")] {
                for subject in link.subjects(&own.names.messages, &filter, most - answers.len()).await? {
                    let kept = link.last(&own.names.messages, &subject).await?;
                    // One without a time is of now.
                    let at = kept.map(|kept| kept.stored_at().unwrap_or_else(Timestamp::now));
                    answers.extend(at.zip(subject.rsplit('.').next()).map(|(at, id)| (id.to_owned(), at)));
                }
            }
            Ok(answers)
        })
        .await
    }

    async fn answer(&self, id: &str) -> Result<Option<Answer>, BrokerError> {
        let own = &self.0;
        own.with(async |link| {
            let answer = own.answer_of(&link, id).await?;
            // Only asked where there is an answer: most looks find none.
            let waits = answer.is_some() && link.last(&own.names.messages, &own.names.message(id)).await?.is_some();
            Ok(answer.filter(|_| !waits))
        })
        .await
    }

    async fn take_back(&self, id: &str) -> Result<(), BrokerError> {
        let own = &self.0;
        own.with(async |link| own.delete_last(&link, &own.names.message(id)).await).await
    }

    async fn forget(&self, id: &str) -> Result<(), BrokerError> {
        let own = &self.0;
        drop(own.outbound.flying().remove(id));
        own.outbound.ends(id);
        own.with(async |link| {
            if link.last(&own.names.messages, &own.names.message(id)).await?.is_none() {
                link.purge(&own.names.chunks, &own.names.chunk(id, "*")).await?;
            }
            own.delete_last(&link, &own.names.done(id)).await?;
            own.delete_last(&link, &own.names.error(id)).await
        })
        .await
    }
}
