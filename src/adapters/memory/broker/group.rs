//! A consumer group of one topic: which member has which partition, and where the next member goes on.

use super::part;
use crate::core::model::message::Partition;
use crate::core::ports::consumer::Polled;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

#[derive(Default)]
pub(super) struct Group {
    /// In the order in which they came.
    pub(super) members: Vec<Member>,
    /// Offset of the next message, by partition.
    pub(super) committed: BTreeMap<i32, i64>,
}

/// One reader.
pub(super) struct Member {
    pub(super) number: u64,
    /// What it has not been told yet.
    pub(super) changes: VecDeque<Polled>,
    /// Offset of the next message, of each partition that is its own.
    pub(super) positions: BTreeMap<i32, i64>,
    /// Partitions of which it got messages since they were assigned.
    pub(super) handed: BTreeSet<i32>,
    pub(super) paused: BTreeSet<i32>,
}

impl Group {
    pub(super) fn member(&mut self, number: u64) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.number == number)
    }

    pub(super) fn join(&mut self, number: u64, topic: &str, partitions: usize) {
        self.members.push(Member {
            number,
            changes: VecDeque::new(),
            positions: BTreeMap::new(),
            handed: BTreeSet::new(),
            paused: BTreeSet::new(),
        });
        self.assign(topic, partitions);
    }

    pub(super) fn leave(&mut self, number: u64, topic: &str, partitions: usize) {
        let before = self.members.len();
        self.members.retain(|member| member.number != number);
        if self.members.len() < before {
            self.assign(topic, partitions);
        }
    }

    /// Takes all partitions from all members and deals them anew, as Kafka's eager protocol does: each begins where the
    /// group stands.
    pub(super) fn assign(&mut self, topic: &str, partitions: usize) {
        let named =
            |numbers: Vec<i32>| -> Vec<Partition> { numbers.into_iter().map(|number| part(topic, number)).collect() };
        let count = self.members.len();
        for (turn, member) in self.members.iter_mut().enumerate() {
            let gone: Vec<i32> = std::mem::take(&mut member.positions).into_keys().collect();
            member.handed.clear();
            member.paused.clear();
            if !gone.is_empty() {
                member.changes.push_back(Polled::Revoked(named(gone)));
            }
            let numbers = (turn..partitions).step_by(count).filter_map(|number| i32::try_from(number).ok());
            member.positions =
                numbers.map(|number| (number, self.committed.get(&number).copied().unwrap_or(0))).collect();
            if !member.positions.is_empty() {
                member.changes.push_back(Polled::Assigned(named(member.positions.keys().copied().collect())));
            }
        }
    }
}
