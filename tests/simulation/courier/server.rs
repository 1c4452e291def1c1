//! JetStream's side: two streams with one message a subject, a durable consumer of a work queue, and a window in which message ids count
//! as known. A server that is killed keeps what it has acknowledged and forgets who works on what; power that fails takes the last
//! moments of each stream, and their numbers are given again.

use crate::rng::Rng;
use filegen::core::ports::file_broker::{Answer, Parcel};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// A message that nobody acknowledges goes to another after this.
pub const ACK_WAIT: Duration = Duration::from_secs(30);

/// How long a message id counts as known.
const WINDOW: Duration = Duration::from_mins(2);

/// How many former states may come back.
const FORMER: usize = 4;

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Subject {
    Message(String),
    Done(String),
    Error(String),
    Chunk(String, u64),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Body {
    Parcel(Parcel),
    Answer(Answer),
    Chunk(u64, Vec<u8>),
}

#[derive(Clone, Debug)]
pub struct Kept {
    pub sequence: u64,
    pub body: Body,
    pub at: Timestamp,
}

#[derive(Clone, Default)]
struct Stream {
    kept: BTreeMap<Subject, Kept>,
    last: u64,
}

/// What became of a message that was published.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stored {
    Now,
    /// Something has the subject.
    There,
    /// Its id is known.
    Before,
}

/// What a holder says of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Word {
    /// It is done with, well or ill.
    End,
    Later(Duration),
    Working,
}

#[derive(Default)]
pub struct Server {
    messages: Stream,
    chunks: Stream,
    ids: BTreeMap<String, Instant>,
    /// Who has a message may keep it until then.
    pending: BTreeMap<u64, Instant>,
    /// How often each message was given since it was started.
    given: BTreeMap<u64, u64>,
    away_until: Option<Instant>,
    former: Vec<(Stream, Stream)>,
}

impl Server {
    fn stream(&mut self, subject: &Subject) -> &mut Stream {
        if matches!(subject, Subject::Chunk(..)) { &mut self.chunks } else { &mut self.messages }
    }

    pub fn is_away(&self) -> bool {
        self.away_until.is_some_and(|until| until > Instant::now())
    }

    pub fn publish(&mut self, subject: Subject, id: Option<String>, body: Body, at: Timestamp) -> Stored {
        let now = Instant::now();
        if let Some(id) = &id
            && self.ids.get(id).is_some_and(|known| now.duration_since(*known) < WINDOW)
        {
            return Stored::Before;
        }
        let stream = self.stream(&subject);
        if stream.kept.contains_key(&subject) {
            return Stored::There;
        }
        stream.last += 1;
        let sequence = stream.last;
        stream.kept.insert(subject, Kept { sequence, body, at });
        self.ids.extend(id.map(|id| (id, now)));
        Stored::Now
    }

    pub fn last(&mut self, subject: &Subject) -> Option<Kept> {
        self.stream(subject).kept.get(subject).cloned()
    }

    pub fn delete(&mut self, subject: &Subject, sequence: u64) {
        self.stream(subject).kept.retain(|_, kept| kept.sequence != sequence);
    }

    pub fn purge(&mut self, id: &str) {
        self.chunks.kept.retain(|subject, _| !matches!(subject, Subject::Chunk(of, _) if of == id));
    }

    /// The numbers of a version's chunks.
    pub fn numbers(&self, id: &str) -> Vec<u64> {
        let number = |subject: &Subject| match subject {
            Subject::Chunk(of, number) if of == id => Some(*number),
            _ => None,
        };
        self.chunks.kept.keys().filter_map(number).collect()
    }

    /// All answers, with when they were given.
    pub fn answers(&self) -> Vec<(String, Timestamp)> {
        let answer = |(subject, kept): (&Subject, &Kept)| match subject {
            Subject::Done(id) | Subject::Error(id) => Some((id.clone(), kept.at)),
            Subject::Message(_) | Subject::Chunk(..) => None,
        };
        self.messages.kept.iter().filter_map(answer).collect()
    }

    /// Gives messages that nobody has, or whose holder was not heard of for long.
    pub fn pull(&mut self, most: usize) -> Vec<(u64, Parcel)> {
        let now = Instant::now();
        let pending = &self.pending;
        let parcel = |kept: &Kept| match &kept.body {
            Body::Parcel(parcel) if pending.get(&kept.sequence).is_none_or(|until| *until <= now) => {
                Some((kept.sequence, parcel.clone()))
            }
            _ => None,
        };
        let mut free: Vec<(u64, Parcel)> = self.messages.kept.values().filter_map(parcel).collect();
        free.sort_by_key(|(sequence, _)| *sequence);
        free.truncate(most);
        for (sequence, _) in &free {
            *self.given.entry(*sequence).or_default() += 1;
        }
        self.pending.extend(free.iter().map(|(sequence, _)| (*sequence, now + ACK_WAIT)));
        free
    }

    /// Whoever says it: the server does not ask who has the message now. `false`: it knows no such message.
    pub fn told(&mut self, sequence: u64, word: Word) -> bool {
        let is_message =
            |(subject, kept): (&Subject, &Kept)| matches!(subject, Subject::Message(_)) && kept.sequence == sequence;
        if !self.messages.kept.iter().any(is_message) {
            return false;
        }
        let now = Instant::now();
        match word {
            Word::End => self.messages.kept.retain(|subject, kept| !is_message((subject, kept))),
            Word::Later(after) => drop(self.pending.insert(sequence, now + after)),
            Word::Working => drop(self.pending.insert(sequence, now + ACK_WAIT)),
        }
        true
    }

    /// How often it has given a message.
    pub fn given(&self, sequence: u64) -> u64 {
        self.given.get(&sequence).copied().unwrap_or(0)
    }

    /// How many messages wait, whoever has them.
    pub fn waiting(&self) -> usize {
        self.messages.kept.keys().filter(|subject| matches!(subject, Subject::Message(_))).count()
    }

    /// What may come back when power fails.
    pub fn remember(&mut self) {
        if self.former.len() == FORMER {
            self.former.remove(0);
        }
        self.former.push((self.messages.clone(), self.chunks.clone()));
    }

    /// It is killed, and comes back.
    pub fn restart(&mut self, after: Duration) {
        self.pending.clear();
        self.given.clear();
        self.away_until = Some(Instant::now() + after);
        // Of messages that are gone, it has forgotten the ids.
        let there = |id: &String| self.messages.kept.contains_key(&Subject::Message(id.clone()));
        let ids = std::mem::take(&mut self.ids);
        self.ids = ids.into_iter().filter(|(id, _)| there(id)).collect();
    }

    /// Its power fails: each of the two streams loses its last moments, or not.
    pub fn power_fails(&mut self, rng: &mut Rng, after: Duration) {
        let (messages, chunks) = (rng.index(self.former.len() + 1), rng.index(self.former.len() + 1));
        if let Some((former, _)) = self.former.get(messages) {
            self.messages = former.clone();
        }
        if let Some((_, former)) = self.former.get(chunks) {
            self.chunks = former.clone();
        }
        self.former.clear();
        self.restart(after);
    }

    pub fn calm(&mut self) {
        self.away_until = None;
    }
}
