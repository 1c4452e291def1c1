//! Both ends of the broker, as `adapters::nats` has them: each call is several requests, and any of them may be lost.

use super::line::{Line, To};
use super::server::{ACK_WAIT, Body, Kept, Server, Stored, Subject, Word};
use crate::sim::locked;
use async_trait::async_trait;
use filegen::core::failpoints::planted::planted;
use filegen::core::ports::broker::BrokerError;
use filegen::core::ports::clock::Clock;
use filegen::core::ports::file_broker::{Answer, FileReceiver, FileSender, Parcel, Standing};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

type Told<T> = Result<T, BrokerError>;

/// Bytes that fit one message: an envelope, and a content of one chunk.
const MESSAGE: usize = 32 * 1024 + 1024;

/// What this instance has got.
#[derive(Clone, Copy)]
struct Held {
    sequence: u64,
    /// When the server was last heard to count from.
    since: Instant,
    told: Instant,
    is_inline: bool,
    /// Which of its deliveries it was.
    number: u64,
}

#[derive(Default)]
struct Own {
    held: BTreeMap<String, Held>,
    /// Chunks that were handed over: the first error of each version.
    flying: BTreeMap<String, Told<()>>,
    again: u64,
}

/// This instance's end.
#[derive(Clone)]
pub struct Broker {
    line: Line,
    own: Arc<Mutex<Own>>,
}

fn away(reason: &str) -> BrokerError {
    BrokerError::Unreachable { topic: "simulated".to_owned(), reason: reason.to_owned() }
}

impl Broker {
    pub fn new(line: &Line) -> Self {
        Self { line: line.clone(), own: Arc::default() }
    }

    async fn ask<T: Send + 'static>(&self, work: impl FnOnce(&mut Server) -> T + Send + 'static) -> Told<T> {
        self.line.ask(To::Broker, move |far| work(&mut locked(&far.server))).await.ok_or_else(|| away("no answer"))
    }

    async fn publish(&self, subject: Subject, id: Option<String>, body: Body) -> Told<Stored> {
        let at = self.line.far.now();
        self.ask(move |server| server.publish(subject, id, body, at)).await
    }

    async fn last(&self, subject: Subject) -> Told<Option<Kept>> {
        self.ask(move |server| server.last(&subject)).await
    }

    async fn delete(&self, subject: Subject, sequence: u64) -> Told<()> {
        self.ask(move |server| server.delete(&subject, sequence)).await
    }

    async fn delete_last(&self, subject: Subject) -> Told<()> {
        match self.last(subject.clone()).await? {
            Some(kept) => self.delete(subject, kept.sequence).await,
            None => Ok(()),
        }
    }

    async fn purge(&self, id: &str) -> Told<()> {
        let id = id.to_owned();
        self.ask(move |server| server.purge(&id)).await
    }

    async fn answer_at(&self, subject: Subject) -> Told<Option<Answer>> {
        Ok(match self.last(subject).await?.map(|kept| kept.body) {
            Some(Body::Answer(answer)) => Some(answer),
            _ => None,
        })
    }

    async fn answer_of(&self, id: &str) -> Told<Option<Answer>> {
        let (receipt, refusal) = (Subject::Done(id.to_owned()), Subject::Error(id.to_owned()));
        Ok(match (self.answer_at(receipt.clone()).await?, self.answer_at(refusal.clone()).await?) {
            (Some(_), Some(_)) => {
                self.delete_last(receipt).await?;
                self.delete_last(refusal).await?;
                None
            }
            (receipt, refusal) => receipt.or(refusal),
        })
    }

    async fn chunks_of(&self, id: &str, chunk_size: u64) -> Told<u64> {
        let first = self.last(Subject::Chunk(id.to_owned(), 0)).await?;
        match first.map(|kept| kept.body) {
            Some(Body::Chunk(size, _)) if size == chunk_size => {}
            Some(_) => {
                self.purge(id).await?;
                return Ok(0);
            }
            None => return Ok(0),
        }
        let of = id.to_owned();
        let there: BTreeSet<u64> = self.ask(move |server| server.numbers(&of)).await?.into_iter().collect();
        Ok((0..there.len() as u64).take_while(|number| there.contains(number)).count() as u64)
    }

    async fn store_chunk(&self, subject: Subject, body: Body) -> Told<()> {
        if self.publish(subject.clone(), None, body.clone()).await? == Stored::Now {
            return Ok(());
        }
        match self.last(subject.clone()).await? {
            Some(kept) if kept.body == body => Ok(()),
            Some(kept) => {
                self.delete(subject, kept.sequence).await?;
                Err(away("another chunk was in this one's place"))
            }
            None => Err(away("a chunk is gone that was there")),
        }
    }

    /// Whether this instance surely has the newest delivery.
    fn is_newest(held: &Held) -> bool {
        planted("term by an old holder") || held.since.elapsed() < ACK_WAIT / 3 * 2
    }

    async fn say(&self, held: Held, word: Word) -> Told<()> {
        let is_known = self.ask(move |server| server.told(held.sequence, word)).await?;
        if is_known { Ok(()) } else { Err(away("no such message")) }
    }

    /// Writes an answer in place of whatever was said.
    async fn tell(&self, id: &str, answer: &Answer) -> Told<()> {
        let (receipt, refusal) = (Subject::Done(id.to_owned()), Subject::Error(id.to_owned()));
        let is_delivered = matches!(answer, Answer::Delivered { .. });
        let (subject, other) = if is_delivered { (receipt, refusal) } else { (refusal, receipt) };
        self.delete_last(other).await?;
        let body = Body::Answer(answer.clone());
        if self.publish(subject.clone(), None, body.clone()).await? == Stored::Now {
            return Ok(());
        }
        let Some(kept) = self.last(subject.clone()).await? else { return Err(away("an answer is gone")) };
        if kept.body == body {
            return Ok(());
        }
        self.delete(subject.clone(), kept.sequence).await?;
        match self.publish(subject, None, body).await? {
            Stored::Now => Ok(()),
            Stored::There | Stored::Before => Err(away("another answer is in this one's place")),
        }
    }

    async fn take_away(&self, id: &str, held: Option<Held>, is_delivered: bool) -> Told<bool> {
        let subject = Subject::Message(id.to_owned());
        if let Some(held) = held.filter(|held| !is_delivered && Self::is_newest(held)) {
            let given = locked(&self.line.far.server).given(held.sequence);
            if given > held.number {
                locked(&self.line.far.book)
                    .wrong
                    .push(format!("{id} is ended by who had it, and another has it by now"));
            }
        }
        match held {
            Some(held) if is_delivered || Self::is_newest(&held) => match self.say(held, Word::End).await {
                Err(_) if self.last(subject).await?.is_none() => {}
                said => said?,
            },
            _ if !is_delivered => return Ok(false),
            _ => self.delete_last(subject).await?,
        }
        Ok(true)
    }
}

#[async_trait]
impl FileSender for Broker {
    fn describe(&self) -> String {
        "simulated".to_owned()
    }

    async fn probe(&self, _: &str) -> Told<()> {
        Ok(())
    }

    async fn message_max(&self) -> Told<usize> {
        Ok(MESSAGE)
    }

    async fn standing(&self, id: &str, chunk_size: u64) -> Told<Standing> {
        locked(&self.own).flying.remove(id);
        let message = self.last(Subject::Message(id.to_owned())).await?;
        let answer = self.answer_of(id).await?;
        let chunks = self.chunks_of(id, chunk_size).await?;
        let sent = message.and_then(|kept| if let Body::Parcel(parcel) = kept.body { Some(parcel) } else { None });
        Ok(Standing { chunks, sent, answer })
    }

    async fn put_chunk(&self, id: &str, number: u64, chunk_size: u64, bytes: Vec<u8>) -> Told<()> {
        let stored = self.store_chunk(Subject::Chunk(id.to_owned(), number), Body::Chunk(chunk_size, bytes)).await;
        let mut own = locked(&self.own);
        let first = own.flying.entry(id.to_owned()).or_insert(Ok(()));
        if first.is_ok() {
            *first = stored;
        }
        Ok(())
    }

    async fn settle_chunks(&self, id: &str) -> Told<()> {
        locked(&self.own).flying.remove(id).unwrap_or(Ok(()))
    }

    async fn send(&self, parcel: Parcel) -> Told<()> {
        let (id, body) = (parcel.id.clone(), Body::Parcel(parcel));
        let subject = Subject::Message(id.clone());
        if self.publish(subject.clone(), Some(id.clone()), body.clone()).await? == Stored::Now {
            return Ok(());
        }
        match self.last(subject.clone()).await? {
            Some(kept) if kept.body == body => return Ok(()),
            Some(kept) => self.delete(subject.clone(), kept.sequence).await?,
            None => {}
        }
        let again = {
            let mut own = locked(&self.own);
            own.again += 1;
            format!("{id}.{}.{}", self.line.name, own.again)
        };
        match self.publish(subject, Some(again), body).await? {
            Stored::Now => Ok(()),
            Stored::There | Stored::Before => Err(away("another message is in this one's place")),
        }
    }

    async fn answered(&self, ids: &[String]) -> Told<Vec<String>> {
        let mut found = Vec::new();
        for id in ids {
            if self.answer_of(id).await?.is_some() {
                found.push(id.clone());
            }
        }
        Ok(found)
    }

    async fn answers(&self, most: usize) -> Told<Vec<(String, Timestamp)>> {
        self.ask(move |server| server.answers().into_iter().take(most).collect()).await
    }

    async fn answer(&self, id: &str) -> Told<Option<Answer>> {
        let answer = self.answer_of(id).await?;
        let waits = answer.is_some() && self.last(Subject::Message(id.to_owned())).await?.is_some();
        Ok(answer.filter(|_| !waits))
    }

    async fn take_back(&self, id: &str) -> Told<()> {
        self.delete_last(Subject::Message(id.to_owned())).await
    }

    async fn forget(&self, id: &str) -> Told<()> {
        locked(&self.own).flying.remove(id);
        if self.last(Subject::Message(id.to_owned())).await?.is_none() {
            self.purge(id).await?;
        }
        self.delete_last(Subject::Done(id.to_owned())).await?;
        self.delete_last(Subject::Error(id.to_owned())).await
    }
}

#[async_trait]
impl FileReceiver for Broker {
    fn describe(&self) -> String {
        "simulated".to_owned()
    }

    async fn waiting(&self, busy: &[String], most: usize) -> Told<Vec<Parcel>> {
        let asked = Instant::now();
        locked(&self.own).held.retain(|id, held| busy.contains(id) || held.since.elapsed() < ACK_WAIT * 4);
        let pulled = self.ask(move |server| {
            let came = server.pull(most);
            came.into_iter().map(|(sequence, parcel)| (sequence, server.given(sequence), parcel)).collect::<Vec<_>>()
        });
        let came = pulled.await?;
        let mut own = locked(&self.own);
        for (sequence, number, parcel) in &came {
            let (is_inline, sequence, number) = (parcel.content.is_some(), *sequence, *number);
            own.held.insert(parcel.id.clone(), Held { sequence, since: asked, told: asked, is_inline, number });
        }
        Ok(came.into_iter().map(|(_, _, parcel)| parcel).filter(|parcel| !busy.contains(&parcel.id)).collect())
    }

    async fn chunk(&self, id: &str, number: u64, _: u64) -> Told<Option<Vec<u8>>> {
        let kept = self.last(Subject::Chunk(id.to_owned(), number)).await?;
        Ok(kept.and_then(|kept| if let Body::Chunk(_, bytes) = kept.body { Some(bytes) } else { None }))
    }

    async fn is_whole(&self, id: &str, chunks: u64, _: u64, _: u64) -> Told<bool> {
        let id = id.to_owned();
        Ok(self.ask(move |server| server.numbers(&id).len() as u64).await? >= chunks)
    }

    async fn end_foreign(&self, id: &str) -> Told<()> {
        locked(&self.line.far.book).wrong.push(format!("the message of {id} was taken for a foreign one"));
        let held = locked(&self.own).held.get(id).copied();
        self.take_away(id, held, false).await?;
        locked(&self.own).held.remove(id);
        Ok(())
    }

    async fn answer(&self, id: &str, answer: &Answer) -> Told<()> {
        locked(&self.line.far.book).answers(id, answer);
        let held = locked(&self.own).held.get(id).copied();
        self.tell(id, answer).await?;
        if self.take_away(id, held, matches!(answer, Answer::Delivered { .. })).await? {
            locked(&self.own).held.remove(id);
            if held.is_none_or(|held| !held.is_inline) {
                self.purge(id).await?;
            }
        }
        Ok(())
    }

    fn working(&self, id: &str) {
        let held = match locked(&self.own).held.get_mut(id) {
            Some(held) if held.told.elapsed() >= ACK_WAIT / 3 && Self::is_newest(held) => {
                held.told = Instant::now();
                *held
            }
            _ => return,
        };
        let (broker, id) = (self.clone(), id.to_owned());
        tokio::spawn(async move {
            if broker.say(held, Word::Working).await.is_ok()
                && let Some(kept) = locked(&broker.own).held.get_mut(&id)
            {
                kept.since = kept.since.max(held.told);
            }
        });
    }

    async fn release(&self, id: &str, after: Duration) {
        let Some(held) = locked(&self.own).held.remove(id) else { return };
        if Self::is_newest(&held) {
            let _ = self.say(held, Word::Later(after)).await;
        }
    }

    async fn wait(&self, at_most: Duration) {
        self.line.sleep(at_most).await;
    }
}
