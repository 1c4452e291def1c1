//! What is kept of bytes from outside that could not be used: their beginning, their length and their digest.

use sha2::{Digest, Sha256};

/// Most bytes of text that are kept. More would let a sender fill the store, or exceed what a store takes as one document.
pub const KEPT_MAX: usize = 4096;

/// The beginning of a payload, and what tells the whole of it from any other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Payload {
    /// Its first bytes as UTF-8, as far as they are UTF-8; at most [`KEPT_MAX`].
    pub text: String,
    /// Length of the whole in bytes.
    pub bytes: u64,
    /// 795efb8f8bdc87cd47c4172660bae252ef12fee17b0ef931eb542feb0b83a19a-256 of the whole, in hexadecimal digits.
    pub sha256: String,
}

impl Payload {
    /// Keeps the beginning of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let start = &bytes[..bytes.len().min(KEPT_MAX)];
        let mut text = String::from_utf8_lossy(start).into_owned();
        if start.len() < bytes.len() && std::str::from_utf8(start).is_err_and(|error| error.error_len().is_none()) {
            // The cut went through a character.
            text.pop();
        }
        // What is no UTF-8 takes three bytes for one.
        text.truncate(text.floor_char_boundary(KEPT_MAX));
        Self { text, bytes: bytes.len() as u64, sha256: hex::encode(Sha256::digest(bytes)) }
    }

    /// Whether text is missing at the end.
    pub fn is_cut(&self) -> bool {
        self.bytes > self.text.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_payload_is_kept_whole() {
        let kept = Payload::of(b"{\"a\": 1");
        assert_eq!((kept.text.as_str(), kept.bytes, kept.is_cut()), ("{\"a\": 1", 7, false));
        assert_eq!(kept.sha256, "795efb8f8bdc87cd47c4172660bae252ef12fee17b0ef931eb542feb0b83a19a");
    }

    #[test]
    fn a_long_one_is_cut_between_two_characters() {
        let long = "\u{20ac}".repeat(3000);
        let kept = Payload::of(long.as_bytes());
        assert_eq!((kept.text.len(), kept.bytes, kept.is_cut()), (4095, 9000, true));
        assert!(long.starts_with(&kept.text));
        let other = Payload::of(format!("{long}x").as_bytes());
        assert!(other.text == kept.text && other.sha256 != kept.sha256);
    }

    #[test]
    fn bytes_that_are_no_text_take_no_more_room() {
        let kept = Payload::of(&[0xff; 5000]);
        assert!(kept.text.len() <= KEPT_MAX && kept.text.chars().all(|char| char == '\u{fffd}'), "{}", kept.text.len());
    }
}
