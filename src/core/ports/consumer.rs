//! Messages in, as one member of a group of readers sees them.

use super::broker::BrokerError;
use crate::core::model::message::{Partition, Position, Received};
use async_trait::async_trait;
use std::time::Duration;

/// What a consumer has to say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Polled {
    /// Messages, those of a partition in their order. Empty when nothing came in time.
    Messages(Vec<Received>),
    /// These partitions are this member's from now on. Nothing of them was delivered yet: whoever keeps positions of their
    /// own calls [`Consumer::seek`] now. The others begin where the group stands, or with the first message.
    Assigned(Vec<Partition>),
    /// These partitions are this member's no more. What was delivered of them and not committed comes again, to whoever has
    /// them now.
    Revoked(Vec<Partition>),
}

/// The first message that a partition still has, and the place behind its last one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Watermarks {
    /// Offset of the first message.
    pub first: i64,
    /// Offset that the next message will have. Less a reader's position it is the reader's lag.
    pub next: i64,
}

/// A topic, read by one member of a group. It joins the group at the first [`next_batch`](Self::next_batch) and stays in it
/// while it lives, however slowly its messages are taken.
#[async_trait]
pub trait Consumer: Send {
    /// The next messages, at most `max`, or a change of the assignment; waits up to `wait` for the first. A change is told
    /// before any message that came after it. Nothing that the group has not committed is passed over: after a crash or a
    /// change of the group's members it comes again. After an error the call may be made again.
    ///
    /// Safe to drop while it waits.
    async fn next_batch(&mut self, max: usize, wait: Duration) -> Result<Polled, BrokerError>;

    /// Records durably, for the whole group, where its next member goes on: one answer for all positions. Of a partition
    /// that has gone to another member since its last message was delivered nothing is recorded, and that is no error: its
    /// messages come again there.
    async fn commit(&mut self, positions: &[Position]) -> Result<(), BrokerError>;

    /// Goes on from these positions, in partitions that are this member's; the others are left alone. What was fetched of
    /// them and not delivered is forgotten.
    async fn seek(&mut self, positions: &[Position]) -> Result<(), BrokerError>;

    /// Delivers nothing of these partitions until they are resumed or go. The member stays in its group.
    async fn pause(&mut self, partitions: &[Partition]) -> Result<(), BrokerError>;

    /// Ends a pause.
    async fn resume(&mut self, partitions: &[Partition]) -> Result<(), BrokerError>;

    /// Asks the broker where a partition begins and ends.
    async fn watermarks(&mut self, partition: &Partition) -> Result<Watermarks, BrokerError>;

    /// Leaves the group, so that the others need not wait until this member is missed. The last call.
    async fn close(&mut self) {}
}
