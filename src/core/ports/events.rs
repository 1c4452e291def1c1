//! Events in and out: what asks for runs, and what tells that files are published.

use crate::core::kind::{HasKind, Kind};
use crate::core::model::event::CompletionEvent;
use async_trait::async_trait;
use jiff::Timestamp;
use std::fmt;

/// Where an event stands in its log: never that of another event.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct EventId {
    /// The log.
    pub topic: String,
    /// Which part of it.
    pub partition: i32,
    /// Place in the partition, from 0.
    pub offset: i64,
}

impl fmt::Display for EventId {
    /// `loan-data/3@1207`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}@{}", self.topic, self.partition, self.offset)
    }
}

/// An event as it came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// Where it stands.
    pub id: EventId,
    /// Its bytes; whatever the producer wrote.
    pub payload: Vec<u8>,
    /// When it was produced, or appended to the log; none when the log does not say.
    pub at: Option<Timestamp>,
}

/// A log of events that ask for runs, as one member of a group of readers sees it.
#[async_trait]
pub trait EventSource: Send {
    /// The next event; waits for one. Nothing that the group has not marked [`done`](Self::done) is passed over: after a
    /// crash or a change of the group's members it comes again. After an error the call may be made again.
    ///
    /// Safe to drop while it waits.
    async fn next(&mut self) -> Result<Delivery, BrokerError>;

    /// Records durably, for the whole group, that this event and all before it in its partition are dealt with. Where the
    /// partition has gone to another member meanwhile, nothing is recorded: the event comes again there.
    async fn done(&mut self, id: &EventId) -> Result<(), BrokerError>;

    /// Leaves the group, so that the others need not wait until this member is missed. The last call.
    async fn close(&mut self) {}
}

/// Where completion events go.
#[async_trait]
pub trait EventSink: Send + Sync {
    /// Sends one event and waits until the broker has it on all replicas in step. An unknown outcome is an error: the event is
    /// sent again, with the same correlation id.
    async fn send(&self, event: &CompletionEvent) -> Result<(), BrokerError>;
}

/// Asks whether a topic can be reached and is there; for health and `doctor`.
#[async_trait]
pub trait TopicProbe: Send + Sync {
    /// Topic and brokers, without secrets: `loan-data at localhost:9092`.
    fn describe(&self) -> String;

    /// Answers or fails within its own timeout; how many partitions the topic has.
    async fn check(&self) -> Result<usize, BrokerError>;

    /// Whether the broker lets this user do that, as far as it says so while no event is taken or sent.
    async fn may(&self, wanted: TopicUse) -> Result<(), BrokerError>;
}

/// What a topic is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TopicUse {
    /// Its events are taken, as a member of the group.
    Read,
    /// Events are sent to it.
    Write,
}

/// Why a broker did not take or give an event.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BrokerError {
    /// Not reachable, or no answer in time: worth another try.
    #[error("cannot reach {topic}: {reason}")]
    Unreachable {
        /// [`TopicProbe::describe`].
        topic: String,
        /// The client's own words.
        reason: String,
    },
    /// Refused: no such topic, no permission, too large, a setting that the client does not have.
    #[error("{topic} refused: {reason}")]
    Refused {
        /// [`TopicProbe::describe`].
        topic: String,
        /// What to do about it, behind the client's own words.
        reason: String,
    },
}

impl HasKind for BrokerError {
    fn kind(&self) -> Kind {
        match self {
            Self::Unreachable { .. } => Kind::Unreachable,
            Self::Refused { .. } => Kind::Config,
        }
    }
}
