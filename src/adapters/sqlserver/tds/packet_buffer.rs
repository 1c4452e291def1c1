//! What a server's packets hold, put together into one message.

use super::{Error, senseless};

/// Bytes before each packet's payload.
pub(super) const HEADER: usize = 8;

/// A packet that carries a server's answer.
pub(super) const REPLY: u8 = 0x04;

/// Status bit of a message's last packet.
const LAST: u8 = 0x01;

/// One message as it comes in. Bytes that were used stay until [`PacketBuffer::tidy`].
#[derive(Default)]
pub(super) struct PacketBuffer {
    payload: Vec<u8>,
    used: usize,
    head: [u8; HEADER],
    /// Bytes of the header that are here.
    headed: usize,
    /// Bytes of the packet that are still to come.
    left: usize,
    /// Whether any of the message has come.
    begun: bool,
    last: bool,
    ended: bool,
    /// What came behind the message, packets as they are.
    ahead: Vec<u8>,
}

impl PacketBuffer {
    /// Starts anew, for the answer to another request.
    pub(super) fn restart(&mut self) -> Result<(), Error> {
        if self.begun && !(self.ended && self.rest().is_empty()) {
            return senseless("a request while an answer was not read to its end");
        }
        self.payload.clear();
        (self.used, self.begun, self.last, self.ended) = (0, false, false, false);
        let ahead = std::mem::take(&mut self.ahead);
        self.take(&ahead)
    }

    /// Takes bytes as they came from the network, in pieces of any size.
    pub(super) fn take(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            if self.ended {
                self.ahead.extend_from_slice(bytes);
                return Ok(());
            }
            self.begun = true;
            if self.headed < HEADER {
                let count = bytes.len().min(HEADER - self.headed);
                let (now, later) = bytes.split_at(count);
                self.head[self.headed..self.headed + count].copy_from_slice(now);
                self.headed += count;
                bytes = later;
                if self.headed < HEADER {
                    return Ok(());
                }
                let [kind, status, high, low, ..] = self.head;
                let length = usize::from(u16::from_be_bytes([high, low]));
                if kind != REPLY || length < HEADER {
                    return senseless(format!("a packet of type {kind:#04x} and {length} bytes"));
                }
                (self.left, self.last) = (length - HEADER, status & LAST != 0);
            }
            let (now, later) = bytes.split_at(bytes.len().min(self.left));
            self.payload.extend_from_slice(now);
            self.left -= now.len();
            bytes = later;
            if self.left == 0 {
                (self.headed, self.ended) = (0, self.last);
            }
        }
        Ok(())
    }

    /// What is here and was not used.
    pub(super) fn rest(&self) -> &[u8] {
        self.payload.get(self.used..).unwrap_or_default()
    }

    /// Bytes that were used, from where [`PacketBuffer::used`] said.
    pub(super) fn between(&self, from: usize) -> &[u8] {
        self.payload.get(from..self.used).unwrap_or_default()
    }

    /// How many bytes were used; holds until [`PacketBuffer::tidy`].
    pub(super) fn used(&self) -> usize {
        self.used
    }

    /// These many bytes were used.
    pub(super) fn skip(&mut self, count: usize) {
        self.used = (self.used + count).min(self.payload.len());
    }

    /// Makes room: what was used goes.
    pub(super) fn tidy(&mut self) {
        self.payload.drain(..self.used);
        self.used = 0;
    }

    /// Whether the whole message is here.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(status: u8, payload: &[u8]) -> Vec<u8> {
        let [high, low] = u16::try_from(payload.len() + HEADER).unwrap().to_be_bytes();
        [&[REPLY, status, high, low, 0, 0, 1, 0], payload].concat()
    }

    #[test]
    fn a_message_is_put_together_however_its_bytes_arrive() {
        let message = [packet(0, b"first "), packet(0, b""), packet(LAST, b"second")].concat();
        for size in 1..=message.len() {
            let mut packets = PacketBuffer::default();
            message.chunks(size).for_each(|chunk| packets.take(chunk).unwrap());
            assert!(packets.has_ended());
            assert_eq!(packets.rest(), b"first second");
            packets.skip(6);
            packets.tidy();
            assert_eq!((packets.rest(), packets.used()), (b"second".as_slice(), 0));
        }
    }

    #[test]
    fn packets_that_cannot_be_are_refused() {
        assert!(PacketBuffer::default().take(&[REPLY, 1, 0, 7, 0, 0, 1, 0]).is_err(), "shorter than its header");
        assert!(PacketBuffer::default().take(&[0x12, 1, 0, 8, 0, 0, 1, 0]).is_err(), "no answer");
    }

    #[test]
    fn a_request_waits_until_the_answer_before_was_read() {
        let mut packets = PacketBuffer::default();
        assert!(packets.restart().is_ok());
        packets.take(&packet(0, b"half")).unwrap();
        packets.skip(4);
        packets.tidy();
        assert!(packets.restart().is_err(), "there is more to come");
        packets.take(&packet(LAST, b"whole")).unwrap();
        assert!(packets.restart().is_err(), "there is more to read");
        packets.skip(5);
        assert!(packets.restart().is_ok());
        assert!(!packets.has_ended());
        packets.take(&[packet(LAST, b"one"), packet(LAST, b"two")].concat()).unwrap();
        assert_eq!((packets.rest(), packets.has_ended()), (b"one".as_slice(), true));
        packets.skip(3);
        packets.restart().unwrap();
        assert_eq!(
            (packets.rest(), packets.has_ended()),
            (b"two".as_slice(), true),
            "an answer that is early is not lost"
        );
    }
}
