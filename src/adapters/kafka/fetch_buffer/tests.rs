//! The buffer, without a broker.

use super::*;
use crate::core::model::message::EventId;

pub(in crate::adapters::kafka) fn message(partition: i32, offset: i64) -> Received {
    of_bytes(partition, offset, 3)
}

pub(in crate::adapters::kafka) fn of_bytes(partition: i32, offset: i64, bytes: usize) -> Received {
    let id = EventId { topic: "t".to_owned(), partition, offset };
    Received { id, key: None, headers: Vec::new(), payload: vec![b'1'; bytes], at: None }
}

pub(in crate::adapters::kafka) fn parts(numbers: &[i32]) -> Vec<Partition> {
    numbers.iter().map(|&number| Partition { topic: "t".to_owned(), number }).collect()
}

/// Takes everything from the buffer, in short words.
fn taken(buffer: &FetchBuffer, epochs: &mut HashMap<i32, AssignmentEpoch>) -> Vec<String> {
    let mut all = Vec::new();
    while let Some(polled) = buffer.take(2, epochs) {
        all.push(match polled {
            Ok(Polled::Messages(batch)) => batch
                .iter()
                .map(|message| format!("{}@{}", message.id.partition, message.id.offset))
                .collect::<Vec<_>>()
                .join(" "),
            Ok(Polled::Assigned(parts)) => format!("+{}", parts.len()),
            Ok(Polled::Revoked(parts)) => format!("-{}", parts.len()),
            Err(_) => "error".to_owned(),
        });
    }
    all
}

#[test]
fn what_was_fetched_of_a_partition_goes_with_it() {
    let (buffer, mut epochs) = (FetchBuffer::new(), HashMap::new());
    let member = buffer.join();
    buffer.put(member, message(0, 1));
    assert_eq!(taken(&buffer, &mut epochs), [""; 0], "not ours");
    buffer.state().assigned(parts(&[0, 1]));
    for (partition, offset) in [(0, 1), (1, 7), (0, 2)] {
        buffer.put(member, message(partition, offset));
    }
    buffer.state().revoked(parts(&[0]));
    assert_eq!(taken(&buffer, &mut epochs), ["+2", "1@7", "-1"]);
    assert!(buffer.state().is_ours(1, epochs[&1]));
    buffer.state().revoked(parts(&[1]));
    buffer.state().assigned(parts(&[1]));
    assert!(!buffer.state().is_ours(1, epochs[&1]), "it came back, and its messages come again");
    let state = buffer.state();
    assert_eq!((state.messages, state.bytes), (0, 0));
}

#[test]
fn messages_are_taken_before_an_error_and_at_most_so_many() {
    let (buffer, mut epochs) = (FetchBuffer::new(), HashMap::new());
    let member = buffer.join();
    buffer.state().assigned(parts(&[0]));
    buffer.fail(member, BrokerError::Unreachable { topic: "t".to_owned(), reason: "gone".to_owned() });
    for offset in 1..=3 {
        buffer.put(member, message(0, offset));
    }
    assert_eq!(taken(&buffer, &mut epochs), ["+1", "0@1 0@2", "0@3", "error"]);
}

#[test]
fn a_paused_partition_waits_and_takes_no_room() {
    let (buffer, mut epochs) = (FetchBuffer::new(), HashMap::new());
    let member = buffer.join();
    buffer.state().assigned(parts(&[0, 1]));
    for offset in 0..100 {
        buffer.put(member, message(0, offset));
    }
    assert!(buffer.state().is_full());
    buffer.state().paused.insert(0);
    assert!(!buffer.state().is_full());
    buffer.put(member, message(1, 7));
    assert_eq!(taken(&buffer, &mut epochs), ["+2", "1@7"]);
    buffer.state().paused.clear();
    assert_eq!(taken(&buffer, &mut epochs).first().map(String::as_str), Some("0@0 0@1"), "in order");
}

#[test]
fn a_client_on_its_way_out_changes_nothing_of_the_next_one() {
    let (buffer, mut epochs) = (FetchBuffer::new(), HashMap::new());
    let old = buffer.join();
    buffer.of(old).unwrap().assigned(parts(&[0]));
    buffer.put(old, message(0, 1));
    let new = buffer.join();
    assert_eq!(taken(&buffer, &mut epochs), [""; 0], "it is fetched again");
    buffer.of(new).unwrap().assigned(parts(&[0, 1]));
    buffer.put(new, message(0, 1));
    assert!(buffer.of(old).is_none());
    buffer.put(old, message(1, 7));
    buffer.fail(old, BrokerError::Unreachable { topic: "t".to_owned(), reason: "gone".to_owned() });
    buffer.clear(old);
    assert_eq!(taken(&buffer, &mut epochs), ["+2", "0@1"]);
    assert!(buffer.state().is_ours(0, epochs[&0]));
    buffer.clear(new);
    assert!(!buffer.state().has(0));
}

#[test]
fn low_is_few_messages_and_few_bytes_and_never_full() {
    let (buffer, mut epochs) = (FetchBuffer::new(), HashMap::new());
    let member = buffer.join();
    buffer.state().assigned(parts(&[0, 1]));
    let of = |buffer: &FetchBuffer| {
        let state = buffer.state();
        (state.is_full(), state.is_low())
    };
    assert_eq!(of(&buffer), (false, true));
    buffer.put(member, of_bytes(0, 1, (8 << 20) / 8));
    assert_eq!(of(&buffer), (false, true), "the mark itself is low");
    buffer.put(member, of_bytes(0, 2, 1));
    assert_eq!(of(&buffer), (false, false));
    buffer.put(member, of_bytes(0, 3, 8 << 20));
    assert_eq!(of(&buffer), (true, false));
    buffer.state().paused.insert(0);
    assert_eq!(of(&buffer), (false, true), "nothing of it can be taken");
    buffer.put(member, of_bytes(1, 1, 8 << 20));
    assert_eq!(of(&buffer), (true, false));
    buffer.state().paused.clear();
    assert_eq!(taken(&buffer, &mut epochs), ["+2", "0@1 0@2", "0@3", "1@1"], "a batch ends with its bytes");
    assert_eq!(of(&buffer), (false, true));
}
