//! Reading messages, as one member of a consumer group.

use super::broker::BrokerError;
use crate::core::model::message::{Partition, Received, TopicPosition};
use async_trait::async_trait;
use std::time::Duration;

/// A batch ends early when its payloads reach this many bytes: however large events are, few of them are in memory.
pub const BATCH_BYTES: usize = 8 << 20;

/// What a consumer has to say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Polled {
    /// Messages, those of a partition in their order. Empty when nothing came in time.
    Messages(Vec<Received>),
    /// These partitions are assigned to this member from now on. Nothing of them was delivered yet. A reader that keeps its own
    /// positions calls [`Consumer::seek`] now. Without a seek, a partition begins where the group stands, or at its first message.
    Assigned(Vec<Partition>),
    /// These partitions are revoked from this member. Messages that were delivered and not committed come again, to their new
    /// member.
    Revoked(Vec<Partition>),
}

/// The first message that a partition still has, and the place behind its last one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Watermarks {
    /// Offset of the first message.
    pub first: i64,
    /// Offset that the next message will have. A reader's lag is this offset less the reader's position.
    pub next: i64,
}

/// A topic, read by one member of a group. It joins the group at the first [`next_batch`](Self::next_batch) and stays in it
/// while it lives, however slowly its messages are taken.
#[async_trait]
pub trait Consumer: Send {
    /// The next messages, at most `max` and about [`BATCH_BYTES`], or a change of the assignment. Waits up to `wait` for the first message. A change is
    /// reported before any message that came after it. No message that the group has not committed is skipped: after a crash or
    /// a change of the group's members it comes again. After an error the call may be repeated.
    ///
    /// Safe to drop while it waits.
    async fn next_batch(&mut self, max: usize, wait: Duration) -> Result<Polled, BrokerError>;

    /// Records durably, for the whole group, where its next member goes on. There is one answer for all positions. A partition
    /// that went to another member since its last message was delivered is left out. That is no error: its messages come again
    /// there.
    async fn commit(&mut self, positions: &[TopicPosition]) -> Result<(), BrokerError>;

    /// Goes on from these positions, in partitions of this member. Other partitions do not change. Messages that were fetched and
    /// not delivered are dropped.
    async fn seek(&mut self, positions: &[TopicPosition]) -> Result<(), BrokerError>;

    /// Delivers nothing of these partitions until they are resumed or revoked. The member stays in its group.
    async fn pause(&mut self, partitions: &[Partition]) -> Result<(), BrokerError>;

    /// Ends a pause.
    async fn resume(&mut self, partitions: &[Partition]) -> Result<(), BrokerError>;

    /// Asks the broker where a partition begins and ends.
    async fn watermarks(&mut self, partition: &Partition) -> Result<Watermarks, BrokerError>;

    /// What tells the topic from another one of the same name, made after it was deleted. Empty where nobody tells.
    async fn topic_id(&mut self) -> Result<String, BrokerError> {
        Ok(String::new())
    }

    /// Why nothing comes although something is there. `None` when nothing holds up what comes next.
    fn held_up(&self) -> Option<String> {
        None
    }

    /// Leaves the group. The other members then need not wait for a time-out. This is the last call.
    async fn close(&mut self) {}
}
