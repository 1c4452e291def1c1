//! The delivering side's end: one durable consumer that all deliverers share.

use super::fault::Fault;
use super::link::{ANSWER, Link, Stored, is_end};
use super::streams::CONSUMER;
use super::{NatsBroker, Shared, wire};
use crate::adapters::system_clock::SystemClock;
use crate::core::model::shown;
use crate::core::model::transfer::is_id;
use crate::core::ports::broker::BrokerError;
use crate::core::ports::clock::Clock;
use crate::core::ports::file_broker::{Answer, FileReceiver, Parcel};
use async_nats::{HeaderMap, Message, StatusCode};
use async_trait::async_trait;
use futures_util::StreamExt;
use serde_json::json;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tracing::warn;

/// How long a pull waits for a message.
const PULL: Duration = Duration::from_secs(5);

/// Most MiB of chunks that are read at a time, and of messages that are worked on, each taken for as long as the server lets one be.
const READ_MIB: u32 = 64;

/// What the longest message of a server is taken for, in MiB.
fn longest(link: &Link) -> u32 {
    u32::try_from(link.client.server_info().max_payload >> 20).unwrap_or(READ_MIB).clamp(1, READ_MIB)
}

/// A message that this process has.
#[derive(Clone, Debug)]
struct Held {
    /// Where acknowledgements go.
    reply: String,
    /// When the server was last heard to count from, on a clock that goes on in suspend.
    since: Duration,
    /// When the server was last told that it is worked on.
    told: Duration,
    is_inline: bool,
}

/// What this process has got.
pub(super) struct Inbound {
    held: Mutex<HashMap<String, Held>>,
    /// Came while somebody waited; nobody has taken them yet.
    waiting: Mutex<Vec<Parcel>>,
    came: Notify,
    is_pulling: AtomicBool,
    /// Room for chunks that are read.
    reading: Semaphore,
}

impl Default for Inbound {
    fn default() -> Self {
        Self {
            held: Mutex::default(),
            waiting: Mutex::default(),
            came: Notify::default(),
            is_pulling: AtomicBool::default(),
            reading: Semaphore::new(READ_MIB as usize),
        }
    }
}

impl Inbound {
    fn held(&self) -> MutexGuard<'_, HashMap<String, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Parcel>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn one(&self, id: &str) -> Option<Held> {
        self.held().get(id).cloned()
    }
}

fn now() -> Duration {
    SystemClock.elapsed()
}

/// The id in a message's subject. `None`: no collector sent it. Anybody may publish to a subject whose last part is a wildcard, and what
/// is taken away by such an id is every file's.
fn id_of(subject: &str) -> Option<&str> {
    subject.rsplit('.').next().filter(|id| is_id(id))
}

/// Takes a message away that can be no file's: there is nobody to tell.
async fn end_foreign(link: &Link, message: &Message) {
    let subject = shown::name(&message.subject);
    warn!(subject, "a message whose subject is no file's is taken away");
    if let Some(reply) = &message.reply {
        // One that stays comes again.
        let _ = link.request(reply.to_string(), None, b"+TERM".to_vec(), ANSWER).await;
    }
}

impl Shared {
    /// Whether this process surely has the newest delivery: the server cannot have given the message to another one yet.
    fn is_newest(&self, held: &Held) -> bool {
        now().saturating_sub(held.since) < self.spec.ack_wait / 3 * 2
    }

    /// Asks for messages. `waits` is how long the server may hold the request; without, it answers at once.
    async fn pull(&self, link: &Link, most: usize, waits: Option<Duration>) -> Result<Vec<Parcel>, Fault> {
        let asked_at = now();
        let inbox = link.client.new_inbox();
        let failed = |error: &dyn std::fmt::Display| Fault::Passing(error.to_string());
        let subscribing = tokio::time::timeout(ANSWER, link.client.subscribe(inbox.clone())).await;
        let mut came = subscribing.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?;
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let body = match waits {
            None => json!({ "batch": most, "no_wait": true }),
            Some(waits) => json!({ "batch": most, "expires": nanos(waits) }),
        };
        let subject = format!("$JS.API.CONSUMER.MSG.NEXT.{}.{CONSUMER}", self.names.messages);
        let sending = link.client.publish_with_reply(subject, inbox, body.to_string().into_bytes().into());
        let sent = tokio::time::timeout(ANSWER, sending).await;
        sent.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?;
        let deadline = tokio::time::Instant::now() + waits.unwrap_or_default() + ANSWER;
        let (mut parcels, mut came_here) = (Vec::new(), 0);
        while came_here < most {
            let message = match tokio::time::timeout_at(deadline, came.next()).await {
                Ok(Some(message)) => message,
                Err(_) if parcels.is_empty() => {
                    return Err(Fault::Silent("no answer to a request for messages".to_owned()));
                }
                Ok(None) | Err(_) => break,
            };
            match message.status {
                None | Some(StatusCode::OK) => {
                    came_here += 1;
                    match id_of(&message.subject) {
                        Some(id) => parcels.push(self.take(id, &message, asked_at)),
                        None => end_foreign(link, &message).await,
                    }
                }
                Some(status) if is_end(status) => break,
                Some(StatusCode::NO_RESPONDERS) if parcels.is_empty() => {
                    return Err(Fault::Missing("the consumer is not there".to_owned()));
                }
                // The consumer was deleted, or its server steps back.
                Some(status) if parcels.is_empty() => {
                    let words = message.description.unwrap_or_default();
                    return Err(Fault::Missing(format!("the consumer says {status} {words}")));
                }
                Some(_) => break,
            }
        }
        Ok(parcels)
    }

    /// Keeps where a message is acknowledged. The newest delivery counts.
    fn take(&self, id: &str, message: &Message, since: Duration) -> Parcel {
        let parcel = wire::parcel(id, message.headers.as_ref(), &message.payload);
        let reply = message.reply.as_ref().map(ToString::to_string).unwrap_or_default();
        let held = Held { reply, since, told: since, is_inline: parcel.content.is_some() };
        self.inbound.held().insert(id.to_owned(), held);
        parcel
    }

    /// Acknowledges a message, and waits for the server's word.
    async fn acknowledge(&self, link: &Link, held: &Held, word: &str) -> Result<(), Fault> {
        link.request(held.reply.clone(), None, word.as_bytes().to_vec(), ANSWER).await.map(drop)
    }

    async fn answer_with(&self, link: &Link, id: &str, answer: &Answer) -> Result<(), Fault> {
        let held = self.inbound.one(id);
        let is_delivered = matches!(answer, Answer::Delivered { .. });
        // An answer that is there already says the same.
        let is_done = match self.tell(link, id, answer).await {
            Ok(()) => self.take_away(link, id, held.as_ref(), is_delivered).await?,
            // The message makes the room. Whoever dies in between leaves it to the other side, which misses its answer and sends again.
            Err(fault) if fault.is_full() => {
                let is_done = self.take_away(link, id, held.as_ref(), is_delivered).await?;
                self.tell(link, id, answer).await?;
                is_done
            }
            Err(fault) => return Err(fault),
        };
        if is_done {
            self.inbound.held().remove(id);
            if held.is_none_or(|held| !held.is_inline) {
                link.purge(&self.names.chunks, &self.names.chunk(id, "*")).await?;
            }
        }
        Ok(())
    }

    /// Writes an answer. Another one in its place is nobody's word, and gives way.
    async fn tell(&self, link: &Link, id: &str, answer: &Answer) -> Result<(), Fault> {
        let is_delivered = matches!(answer, Answer::Delivered { .. });
        let (subject, other) = (self.names.done(id), self.names.error(id));
        let (subject, other) = if is_delivered { (subject, other) } else { (other, subject) };
        let stream = &self.names.messages;
        // What was said otherwise counts no more, whoever said it. Whoever dies behind this says it again: the message waits.
        if let Some(kept) = link.last(stream, &other).await? {
            link.delete(stream, kept.sequence).await?;
        }
        if link.publish(subject.clone(), HeaderMap::new(), wire::answer(id, answer)).await? != Stored::There {
            return Ok(());
        }
        let Some(kept) = link.last(stream, &subject).await? else {
            return Err(Fault::Passing("an answer is gone that was there; it is written again".to_owned()));
        };
        if kept.payload == wire::answer(id, answer) {
            return Ok(());
        }
        link.delete(stream, kept.sequence).await?;
        match link.publish(subject, HeaderMap::new(), wire::answer(id, answer)).await? {
            Stored::Now(_) | Stored::Before => Ok(()),
            Stored::There => {
                Err(Fault::Passing("another answer is in this one's place; it is written again".to_owned()))
            }
        }
    }

    /// Takes a message away. `false`: a refused one may be another's by now, who will see in the ledger how it stands.
    async fn take_away(&self, link: &Link, id: &str, held: Option<&Held>, is_delivered: bool) -> Result<bool, Fault> {
        let subject = self.names.message(id);
        match held {
            Some(held) if is_delivered || self.is_newest(held) => {
                let word = if is_delivered { "+ACK" } else { "+TERM" };
                match self.acknowledge(link, held, word).await {
                    // Its outcome is asked for: what is gone is acknowledged.
                    Err(_) if link.last(&self.names.messages, &subject).await?.is_none() => {}
                    acknowledged => acknowledged?,
                }
            }
            _ if !is_delivered => return Ok(false),
            _ => {
                if let Some(kept) = link.last(&self.names.messages, &subject).await? {
                    link.delete(&self.names.messages, kept.sequence).await?;
                }
            }
        }
        Ok(true)
    }

    /// Waits for a message in the background: one that comes when nobody waits any more is kept for the next who asks.
    fn start_pulling(self: &Arc<Self>) {
        if self.inbound.is_pulling.swap(true, Ordering::AcqRel) {
            return;
        }
        let own = Arc::clone(self);
        tokio::spawn(async move {
            if let Ok(link) = own.consuming().await {
                // What went wrong shows at the next look.
                let came = own.told(own.pull(&link, 1, Some(PULL)).await).unwrap_or_default();
                own.inbound.waiting().extend(came);
            }
            own.inbound.is_pulling.store(false, Ordering::Release);
            own.inbound.came.notify_one();
        });
    }

    async fn waiting_now(&self, busy: &[String], most: usize) -> Result<Vec<Parcel>, Fault> {
        let mut found: Vec<Parcel> = {
            let mut waiting = self.inbound.waiting();
            let take = waiting.len().min(most);
            waiting.drain(..take).collect()
        };
        // While a pull waits at the server there is no message for another one.
        if found.len() < most && !self.inbound.is_pulling.load(Ordering::Acquire) {
            let link = self.consuming().await?;
            found.extend(self.pull(&link, most - found.len(), None).await?);
        }
        // One that comes again while it is worked on here has a new place for its acknowledgement, and no more.
        found.retain(|parcel| !busy.contains(&parcel.id));
        Ok(found)
    }
}

#[async_trait]
impl FileReceiver for NatsBroker {
    fn describe(&self) -> String {
        self.0.topic.clone()
    }

    async fn waiting(&self, busy: &[String], most: usize) -> Result<Vec<Parcel>, BrokerError> {
        let own = &self.0;
        // What was left to another process is not remembered for ever.
        own.inbound
            .held()
            .retain(|id, held| busy.contains(id) || now().saturating_sub(held.since) < own.spec.ack_wait * 4);
        own.told(own.waiting_now(busy, most).await)
    }

    fn places(&self, wanted: usize) -> usize {
        let link = self.0.known().link.clone();
        // Without a connection there is no message either, but for those that came before.
        wanted.min(link.map_or(1, |link| (READ_MIB / longest(&link)) as usize))
    }

    async fn chunk(&self, id: &str, number: u64, chunk_size: u64) -> Result<Option<Vec<u8>>, BrokerError> {
        let own = &self.0;
        own.with(async |link| {
            // Whatever lies there may be as long as any message of this server.
            let _room = own.inbound.reading.acquire_many(longest(&link)).await.ok();
            let kept = link.last(&own.names.chunks, &own.names.chunk(id, &number.to_string())).await?;
            // A longer one is no chunk of this version: its first byte too many shows that.
            let most = usize::try_from(chunk_size).unwrap_or(usize::MAX).saturating_add(1);
            Ok(kept.map(|mut kept| {
                kept.payload.truncate(most);
                kept.payload.shrink_to_fit();
                kept.payload
            }))
        })
        .await
    }

    async fn answer(&self, id: &str, answer: &Answer) -> Result<(), BrokerError> {
        let own = &self.0;
        own.with(async |link| own.answer_with(&link, id, answer).await).await
    }

    async fn is_whole(&self, id: &str, chunks: u64, _: u64, _: u64) -> Result<bool, BrokerError> {
        let own = &self.0;
        let most = usize::try_from(chunks).unwrap_or(usize::MAX);
        let subjects =
            own.with(async |link| link.subjects(&own.names.chunks, &own.names.chunk(id, "*"), most).await).await?;
        Ok(subjects.len() >= most)
    }

    async fn end_foreign(&self, id: &str) -> Result<(), BrokerError> {
        let own = &self.0;
        let held = own.inbound.one(id);
        own.with(async |link| own.take_away(&link, id, held.as_ref(), false).await.map(drop)).await?;
        own.inbound.held().remove(id);
        Ok(())
    }

    fn working(&self, id: &str) {
        let own = &self.0;
        let told_at = now();
        let held = match own.inbound.held().get_mut(id) {
            // The server believes everybody: one that stood still for long must not take what is another's by now for its own.
            Some(held) if told_at.saturating_sub(held.told) >= own.spec.ack_wait / 3 && own.is_newest(held) => {
                held.told = told_at;
                held.clone()
            }
            _ => return,
        };
        // Told once in a while, in the background: the work does not wait for it.
        let (own, id) = (Arc::clone(own), id.to_owned());
        tokio::spawn(async move {
            let Ok(link) = own.link().await else { return };
            if own.acknowledge(&link, &held, "+WPI").await.is_ok()
                && let Some(kept) = own.inbound.held().get_mut(&id)
            {
                kept.since = kept.since.max(told_at);
            }
        });
    }

    async fn release(&self, id: &str, after: Duration) {
        let own = &self.0;
        let Some(held) = own.inbound.held().remove(id) else { return };
        if own.is_newest(&held)
            && let Ok(link) = own.link().await
        {
            // Without it the message comes again a little later.
            let word = match after.as_nanos() {
                0 => "-NAK".to_owned(),
                nanos => format!("-NAK {}", json!({ "delay": u64::try_from(nanos).unwrap_or(u64::MAX) })),
            };
            let _ = own.acknowledge(&link, &held, &word).await.is_ok();
        }
    }

    async fn wait(&self, at_most: Duration) {
        if !self.0.inbound.waiting().is_empty() {
            return;
        }
        self.0.start_pulling();
        let _ = tokio::time::timeout(at_most, self.0.inbound.came.notified()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_no_wildcard() {
        assert_eq!(id_of("files.input.m.0a1b-_Z"), Some("0a1b-_Z"));
        for foreign in
            ["files.input.m.*", "files.input.m.>", "files.input.m.", "files.input.m.a b", "", "files.input.m.ä"]
        {
            assert_eq!(id_of(foreign), None, "{foreign}");
        }
    }
}
