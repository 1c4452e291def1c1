//! Which partitions the client fetches: none while the buffer is full, and never those that the reader has paused.

use super::fetch_buffer::BufferState;
use std::collections::BTreeSet;

/// What the client was told last.
#[derive(Default)]
pub(super) struct Fetching {
    /// Whether all partitions are paused, because the buffer is full.
    pub(super) full: bool,
    /// Partitions that the reader has paused, as the client knows them.
    paused: BTreeSet<i32>,
}

/// What the client must be told now.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Change {
    /// Nothing.
    None,
    /// Pause all assigned partitions.
    PauseAll,
    /// Pause and resume these, as far as they are assigned.
    Set {
        /// Those that the reader has paused.
        pause: BTreeSet<i32>,
        /// Those that go on. `None` means all others.
        resume: Option<BTreeSet<i32>>,
    },
}

impl Fetching {
    /// Compares what the client was told with what the buffer says now.
    ///
    /// Cooperative assignment adds partitions while others stay. The client fetches such a fresh partition at once, and has
    /// forgotten its pause if the partition was here before. So whatever is paused is paused again for it.
    pub(super) fn next(&mut self, buffer: &mut BufferState) -> Change {
        let (is_full, is_low, fresh) = (buffer.is_full(), buffer.is_low(), std::mem::take(&mut buffer.fresh));
        if is_full || self.full && !is_low {
            let known = self.full && !fresh;
            self.full = true;
            return if known { Change::None } else { Change::PauseAll };
        }
        let was_full = std::mem::replace(&mut self.full, false);
        if !was_full && !fresh && self.paused == buffer.paused {
            return Change::None;
        }
        let before = std::mem::replace(&mut self.paused, buffer.paused.clone());
        let resume = (!was_full).then(|| before.difference(&self.paused).copied().collect());
        Change::Set { pause: self.paused.clone(), resume }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fetch_buffer::FetchBuffer;
    use super::super::fetch_buffer::tests::{message, of_bytes, parts};
    use super::*;
    use std::collections::HashMap;

    fn none_but(pause: &[i32], resume: Option<&[i32]>) -> Change {
        Change::Set {
            pause: pause.iter().copied().collect(),
            resume: resume.map(|numbers| numbers.iter().copied().collect()),
        }
    }

    #[test]
    fn a_partition_that_comes_while_others_are_paused_is_paused_too() {
        let (buffer, mut epochs, mut fetching) = (FetchBuffer::new(), HashMap::new(), Fetching::default());
        let member = buffer.join();
        buffer.of(member).unwrap().assigned(parts(&[0]));
        assert_eq!(fetching.next(&mut buffer.state()), none_but(&[], Some(&[])));
        for offset in 0..64 {
            buffer.put(member, message(0, offset));
        }
        assert_eq!(fetching.next(&mut buffer.state()), Change::PauseAll);
        assert_eq!(fetching.next(&mut buffer.state()), Change::None, "told once");
        for _ in 0..10 {
            assert!(buffer.take(2, &mut epochs).is_some());
        }
        let is_full = buffer.state().is_full();
        let is_low = buffer.state().is_low();
        assert!(!is_full && !is_low);
        assert_eq!(fetching.next(&mut buffer.state()), Change::None);
        buffer.of(member).unwrap().assigned(parts(&[1]));
        assert_eq!(fetching.next(&mut buffer.state()), Change::PauseAll, "it is between full and low");
        while buffer.take(64, &mut epochs).is_some() {}
        assert_eq!(fetching.next(&mut buffer.state()), none_but(&[], None));
    }

    #[test]
    fn a_partition_that_left_and_came_again_is_paused_again() {
        let (buffer, mut fetching) = (FetchBuffer::new(), Fetching::default());
        let member = buffer.join();
        buffer.of(member).unwrap().assigned(parts(&[0, 1]));
        buffer.state().paused.insert(0);
        assert_eq!(fetching.next(&mut buffer.state()), none_but(&[0], Some(&[])));
        buffer.of(member).unwrap().revoked(parts(&[0]));
        buffer.of(member).unwrap().assigned(parts(&[0]));
        buffer.state().paused.insert(0);
        assert_eq!(fetching.next(&mut buffer.state()), none_but(&[0], Some(&[])), "the client has forgotten it");
        buffer.state().paused.clear();
        assert_eq!(fetching.next(&mut buffer.state()), none_but(&[], Some(&[0])));
    }

    #[test]
    fn one_large_message_pauses_until_it_is_taken() {
        let (buffer, mut epochs, mut fetching) = (FetchBuffer::new(), HashMap::new(), Fetching::default());
        let member = buffer.join();
        buffer.of(member).unwrap().assigned(parts(&[0, 1]));
        buffer.put(member, of_bytes(0, 1, 8 << 20));
        assert_eq!(fetching.next(&mut buffer.state()), Change::PauseAll);
        assert_eq!(fetching.next(&mut buffer.state()), Change::None, "it is few messages, and much to hold");
        while buffer.take(64, &mut epochs).is_some() {}
        assert_eq!(fetching.next(&mut buffer.state()), none_but(&[], None));
        // What waits in a partition that the reader has paused makes no room for more than the limit in another.
        buffer.put(member, message(0, 2));
        buffer.state().paused.insert(0);
        buffer.put(member, of_bytes(1, 1, 8 << 20));
        assert_eq!(fetching.next(&mut buffer.state()), Change::PauseAll);
    }
}
