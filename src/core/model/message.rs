//! A message of a broker, on its way out and as it came.

use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt;

/// An event's place in its log. Unique to the event.
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

/// A message to be sent.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Message {
    /// Where it goes. `None` for the producer's own topic.
    pub topic: Option<String>,
    /// Messages of one key keep their order.
    pub key: Option<Vec<u8>>,
    /// Names and values beside the payload, in their order. A name may come twice.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Its bytes.
    pub payload: Vec<u8>,
    /// Its timestamp. `None` for the moment of sending.
    pub timestamp: Option<Timestamp>,
}

/// A message as it came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Received {
    /// Where it stands.
    pub id: EventId,
    /// Its key. `None` when it has none.
    pub key: Option<Vec<u8>>,
    /// Names and values beside the payload, in their order. A name may come twice.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Its bytes, whatever the producer wrote; empty for a message without a value.
    pub payload: Vec<u8>,
    /// When it was produced, or appended to the log. `None` when the log does not say.
    pub at: Option<Timestamp>,
}

/// One part of a topic.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Partition {
    /// The topic.
    pub topic: String,
    /// Which part of it, from 0.
    pub number: i32,
}

/// Where a reader of a partition goes on.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TopicPosition {
    /// Where.
    pub partition: Partition,
    /// Offset of the next message to be read.
    pub offset: i64,
}

impl TopicPosition {
    /// The positions of a reader that has dealt with all of these messages: behind the last one of each partition.
    pub fn behind(messages: &[Received]) -> Vec<Self> {
        let mut next: BTreeMap<(&str, i32), i64> = BTreeMap::new();
        for EventId { topic, partition, offset } in messages.iter().map(|message| &message.id) {
            let behind = next.entry((topic, *partition)).or_insert(0);
            *behind = (*behind).max(offset.saturating_add(1));
        }
        let position = |((topic, number), offset): ((&str, i32), i64)| Self {
            partition: Partition { topic: topic.to_owned(), number },
            offset,
        };
        next.into_iter().map(position).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_goes_on_behind_the_last_message_of_each_partition() {
        let message = |partition, offset| Received {
            id: EventId { topic: "t".to_owned(), partition, offset },
            key: None,
            headers: Vec::new(),
            payload: Vec::new(),
            at: None,
        };
        let position =
            |number, offset| TopicPosition { partition: Partition { topic: "t".to_owned(), number }, offset };
        assert_eq!(TopicPosition::behind(&[]), []);
        let batch = [message(1, 7), message(0, 3), message(1, 9), message(0, 4)];
        assert_eq!(TopicPosition::behind(&batch), [position(0, 5), position(1, 10)]);
    }
}
