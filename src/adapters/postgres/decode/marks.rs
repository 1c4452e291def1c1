//! Where the bytes are that frame a text `COPY`. They stand a few bytes apart, where a search that is fast over long
//! distances spends its time on starting anew: eight bytes at a time are a third of it.

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = LOW << 7;

/// Places of tabs, line ends and backslashes, in order.
pub(super) struct Marks<'a> {
    words: std::slice::Iter<'a, [u8; 8]>,
    /// What is behind the last whole word.
    rest: &'a [u8],
    /// Place of the word behind the one at hand.
    next: usize,
    /// The high bit of each byte of the word at hand that is a mark, and not yet told.
    found: u64,
}

impl<'a> Marks<'a> {
    /// Those of `data`.
    pub(super) fn of(data: &'a [u8]) -> Self {
        let (words, rest) = data.as_chunks();
        Self { words: words.iter(), rest, next: 0, found: 0 }
    }
}

impl Iterator for Marks<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.found == 0 {
            let word = match self.words.next() {
                Some(word) => *word,
                None if self.rest.is_empty() => return None,
                None => {
                    let mut word = [0; 8];
                    word.iter_mut().zip(std::mem::take(&mut self.rest)).for_each(|(to, from)| *to = *from);
                    word
                }
            };
            let word = u64::from_le_bytes(word);
            self.found = equal(word, b'\t') | equal(word, b'\n') | equal(word, b'\\');
            self.next += 8;
        }
        let at = self.next - 8 + self.found.trailing_zeros() as usize / 8;
        self.found &= self.found - 1;
        Some(at)
    }
}

/// The high bit of each byte that is this one.
fn equal(word: u64, byte: u8) -> u64 {
    let zero_where_equal = word ^ (LOW * u64::from(byte));
    !(((zero_where_equal & !HIGH) + !HIGH) | zero_where_equal | !HIGH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_at_every_place_is_told_or_is_no_mark() {
        for byte in 0..=255_u8 {
            for length in 1..20 {
                for at in 0..length {
                    // Neighbours that a borrow or a carry would confuse with a mark.
                    for around in [0, b'\t' - 1, b'\n' + 1, b'[', b']', 0x89, 0xff] {
                        let mut data = vec![around; length];
                        data[at] = byte;
                        let expected = matches!(byte, b'\t' | b'\n' | b'\\').then_some(at);
                        assert_eq!(Marks::of(&data).collect::<Vec<_>>(), Vec::from_iter(expected), "{data:?}");
                    }
                }
            }
        }
        assert_eq!(Marks::of(b"\t\t\n\\\n\t\\\\\n").collect::<Vec<_>>(), (0..9).collect::<Vec<_>>());
        assert_eq!(Marks::of(b"").next(), None);
    }
}
