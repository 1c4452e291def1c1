//! What carries files from one side of a transfer to the other.

use super::broker::BrokerError;
use crate::core::model::finding::Finding;
use crate::core::model::trace::{TraceId, TraceParent};
use async_trait::async_trait;
use jiff::Timestamp;
use std::time::Duration;

/// What the broker knows of a version of a file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Standing {
    /// Chunks that it has without a gap from the first on.
    pub chunks: u64,
    /// The message that waits under its id: the file exists for the other side. Whether it is this version's shows its envelope:
    /// others may write there.
    pub sent: Option<Parcel>,
    /// What the other side said, or is said to have said.
    pub answer: Option<Answer>,
}

/// What the delivering side says of a version of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// It stands under its final name.
    Delivered {
        /// The digest of what arrived, in hexadecimal digits.
        sha256: String,
    },
    /// It failed for good.
    Refused {
        /// The kind of failure, by its word.
        kind: String,
        /// What is wrong, and what to do.
        reason: String,
    },
}

/// A message: an envelope, and the content where it is small.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parcel {
    /// The id that the message was sent under, whatever its envelope says.
    pub id: String,
    /// The envelope's bytes.
    pub envelope: Vec<u8>,
    /// The content. `None` when it is in chunks.
    pub content: Option<Vec<u8>>,
    /// The trace that its sender keeps. `None` where there is none, or nothing that can be read.
    pub trace: Option<TraceParent>,
}

impl Parcel {
    /// The trace that it belongs to, where that is another than its id says: its sender is of another maker.
    pub fn foreign_trace(&self) -> Option<String> {
        let trace = self.trace?.trace;
        (trace != TraceId::of_file(&self.id)).then(|| trace.to_string())
    }

    /// Whether two messages are of the same file: what is said of its trace changes with settings.
    pub fn is_same(&self, other: &Self) -> bool {
        (&self.id, &self.envelope, &self.content) == (&other.id, &other.envelope, &other.content)
    }
}

/// The collecting side's end. Each call may be repeated: ids and numbers say what is meant.
#[async_trait]
pub trait FileSender: Send + Sync {
    /// Where it is, without secrets.
    fn describe(&self) -> String;

    /// Stores a small message that nobody takes, and takes it away.
    async fn probe(&self, name: &str) -> Result<(), BrokerError>;

    /// What of its settings a person should know: `doctor` tells it.
    async fn settings(&self) -> Result<Vec<Finding>, BrokerError> {
        Ok(Vec::new())
    }

    /// Most bytes of envelope and content together, or of a chunk, that fit one message.
    async fn message_max(&self) -> Result<usize, BrokerError>;

    /// What is known of a version. Chunks of another size are taken away.
    async fn standing(&self, id: &str, chunk_size: u64) -> Result<Standing, BrokerError>;

    /// Hands over a chunk, counted from 0. It may not be durable yet.
    async fn put_chunk(&self, id: &str, number: u64, chunk_size: u64, bytes: Vec<u8>) -> Result<(), BrokerError>;

    /// Answers when all chunks that were handed over are durable.
    async fn settle_chunks(&self, id: &str) -> Result<(), BrokerError>;

    /// Sends the message that makes the file exist for the other side. Durable when it answers. All chunks are settled before.
    async fn send(&self, parcel: Parcel) -> Result<(), BrokerError>;

    /// Those of these versions that something may have been said of. However many answers of others lie there, none of these is missed.
    async fn answered(&self, ids: &[String]) -> Result<Vec<String>, BrokerError>;

    /// At most so many versions that something was said of, whoever's they are, each with when that was.
    async fn answers(&self, most: usize) -> Result<Vec<(String, Timestamp)>, BrokerError>;

    /// What the other side said of a version. `None` when it said nothing yet, and while the message waits: whoever takes one away says
    /// so first, and what is said before is nobody's word.
    async fn answer(&self, id: &str) -> Result<Option<Answer>, BrokerError>;

    /// Takes a message back that is not this version's, whatever its id says. Chunks stay.
    async fn take_back(&self, id: &str) -> Result<(), BrokerError>;

    /// Forgets an answer that was acted upon, and the chunks of a version that was never sent.
    async fn forget(&self, id: &str) -> Result<(), BrokerError>;
}

/// The delivering side's end.
#[async_trait]
pub trait FileReceiver: Send + Sync {
    /// Where it is, without secrets.
    fn describe(&self) -> String;

    /// Up to `most` messages that wait, oldest first, without those in `busy`. A message comes again until it is done with. That there
    /// is none is a hint: one that was stored a moment ago may come with the next question.
    async fn waiting(&self, busy: &[String], most: usize) -> Result<Vec<Parcel>, BrokerError>;

    /// How many messages one process may have at a time, where it has places for so many: each may be as long as the broker lets it be.
    fn places(&self, wanted: usize) -> usize {
        wanted
    }

    /// A chunk. `None` when it is not there.
    async fn chunk(&self, id: &str, number: u64, chunk_size: u64) -> Result<Option<Vec<u8>>, BrokerError>;

    /// Whether all of a version is there: so many chunks with so many bytes. Asked before a version is waited for.
    async fn is_whole(&self, id: &str, chunks: u64, chunk_size: u64, size: u64) -> Result<bool, BrokerError>;

    /// Takes a message away that is no version's, and tells nobody: the version with its id, if there is one, was sent by another message
    /// or will be. Chunks stay.
    async fn end_foreign(&self, id: &str) -> Result<(), BrokerError>;

    /// Tells the other side, then takes the message and its chunks away, in this order. May be repeated. A refusal takes nothing
    /// away from a process that has got the message since: it comes again there.
    async fn answer(&self, id: &str, answer: &Answer) -> Result<(), BrokerError>;

    /// Says that a message is worked on, so that nobody else gets it. Called at each step of the work; answers at once.
    fn working(&self, _id: &str) {}

    /// Gives a message back that this process cannot take to its end now: it comes again, here or elsewhere, not before `after`.
    async fn release(&self, _id: &str, _after: Duration) {}

    /// Waits until a message may have come, at most so long. May be dropped before its end.
    async fn wait(&self, at_most: Duration);
}
