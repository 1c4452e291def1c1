//! What is kept of bytes from outside that could not be used: their beginning, their length and their digest.

use sha2::{Digest, Sha256};

/// Most bytes of text that are kept. More would let a sender fill the store, or exceed what a store takes as one document.
pub const KEPT_MAX: usize = 4096;

/// The beginning of a payload, and what tells the whole of it from any other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Payload {
    /// Its first bytes as UTF-8, as far as they are UTF-8; at most [`KEPT_MAX`].
    pub text: String,
    /// Length of the whole in bytes. `None` where a store has kept only the text.
    pub bytes: Option<u64>,
    /// SHA-256 of the whole, in hexadecimal digits. `None` where a store has kept only the text.
    pub sha256: Option<String>,
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
        shorten(&mut text);
        Self { text, bytes: Some(bytes.len() as u64), sha256: Some(hex::encode(Sha256::digest(bytes))) }
    }

    /// What a store has kept of a payload without its length and its digest. The text may differ from the bytes that came.
    pub fn of_text(mut text: String) -> Self {
        shorten(&mut text);
        Self { text, bytes: None, sha256: None }
    }

    /// Whether text is missing at the end. Text that is not just the bytes that came is taken for cut when it is as long as text
    /// may be.
    pub fn is_cut(&self) -> bool {
        let kept = self.text.len() as u64;
        match self.bytes {
            Some(bytes) if bytes > kept => true,
            Some(bytes) if bytes == kept && !self.text.contains(char::REPLACEMENT_CHARACTER) => false,
            _ => self.text.len() > KEPT_MAX - char::MAX_LEN_UTF8,
        }
    }
}

fn shorten(text: &mut String) {
    text.truncate(text.floor_char_boundary(KEPT_MAX));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_payload_is_kept_whole() {
        let kept = Payload::of(b"{\"a\": 1");
        assert_eq!((kept.text.as_str(), kept.bytes, kept.is_cut()), ("{\"a\": 1", Some(7), false));
        let digest = "795efb8f8bdc87cd47c4172660bae252ef12fee17b0ef931eb542feb0b83a19a";
        assert_eq!(kept.sha256.as_deref(), Some(digest));
        assert!(!Payload::of(&[b'x'; KEPT_MAX]).is_cut() && Payload::of(&[b'x'; KEPT_MAX + 1]).is_cut());
    }

    #[test]
    fn a_long_one_is_cut_between_two_characters() {
        let long = "\u{20ac}".repeat(3000);
        let kept = Payload::of(long.as_bytes());
        assert_eq!((kept.text.len(), kept.bytes, kept.is_cut()), (4095, Some(9000), true));
        assert!(long.starts_with(&kept.text));
        let other = Payload::of(format!("{long}x").as_bytes());
        assert!(other.text == kept.text && other.sha256 != kept.sha256);
    }

    #[test]
    fn bytes_that_are_no_text_take_no_more_room() {
        let kept = Payload::of(&[0xff; 5000]);
        assert!(kept.text.len() <= KEPT_MAX && kept.text.chars().all(|char| char == '\u{fffd}'), "{}", kept.text.len());
        // The kept text is longer than the bytes, and yet not all of it.
        let (cut, whole) = (Payload::of(&[0xff; 2000]), Payload::of(&[0xff; 1000]));
        assert!(cut.bytes == Some(2000) && cut.text.len() > 2000 && cut.is_cut());
        assert!(whole.bytes == Some(1000) && whole.text.len() == 3000 && !whole.is_cut());
        // As long as the bytes by chance.
        let mut chance = [b'x'; KEPT_MAX - 1];
        chance[KEPT_MAX - 2] = 0xff;
        chance[KEPT_MAX - 3] = 0xff;
        assert!(Payload::of(&chance).is_cut());
    }

    #[test]
    fn a_text_without_its_bytes_has_no_digest() {
        let kept = Payload::of_text("\u{fffd}".repeat(5));
        assert_eq!((kept.bytes, kept.sha256.as_deref(), kept.is_cut()), (None, None, false));
        assert!(Payload::of_text("x".repeat(5000)).is_cut());
    }
}
