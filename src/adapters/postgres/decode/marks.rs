//! Where the bytes are that frame a text `COPY`. They stand a few bytes apart, where a search that is fast over long
//! distances spends its time on starting anew: eight bytes at a time are a third of it.

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = LOW << 7;

/// Finds tabs, line ends and backslashes, in order, and bytes 8 and 11 with them. The bytes are given with each question: what lies before the mark found
/// last may have changed meanwhile.
#[derive(Default)]
pub(super) struct Marks {
    /// Place of the word behind the one at hand.
    next: usize,
    /// The high bit of each byte of the word at hand that is a mark, and not yet told.
    found: u64,
}

impl Marks {
    /// The place of the next mark in `data`. `None` at its end.
    #[inline]
    pub(super) fn next(&mut self, data: &[u8]) -> Option<usize> {
        while self.found == 0 {
            let word = match data.get(self.next..).unwrap_or_default() {
                [] => return None,
                rest => rest.first_chunk().copied().unwrap_or_else(|| padded(rest)),
            };
            let word = u64::from_le_bytes(word);
            // Tab and line end are 9 and 10. Their neighbours come as letters behind a backslash, so they cost nothing.
            self.found = equal(word & !(LOW * 3), 8) | equal(word, b'\\');
            self.next += 8;
        }
        let at = self.next - 8 + self.found.trailing_zeros() as usize / 8;
        self.found &= self.found - 1;
        Some(at)
    }
}

/// Less than a word, with zeros behind it.
#[cold]
fn padded(rest: &[u8]) -> [u8; 8] {
    let mut word = [0; 8];
    word.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    word
}

/// The high bit of each byte that is this one.
fn equal(word: u64, byte: u8) -> u64 {
    let zero_where_equal = word ^ (LOW * u64::from(byte));
    !(((zero_where_equal & !HIGH) + !HIGH) | zero_where_equal | !HIGH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(data: &[u8]) -> Vec<usize> {
        let mut marks = Marks::default();
        std::iter::from_fn(|| marks.next(data)).collect()
    }

    #[test]
    fn every_byte_at_every_place_is_told_or_is_no_mark() {
        for byte in 0..=255_u8 {
            for length in 1..20 {
                for at in 0..length {
                    // Neighbours that a borrow or a carry would confuse with a mark.
                    for around in [0, 7, 12, b'[', b']', 0x88, 0x89, 0xff] {
                        let mut data = vec![around; length];
                        data[at] = byte;
                        let expected = matches!(byte, 8..=11 | b'\\').then_some(at);
                        assert_eq!(all(&data), Vec::from_iter(expected), "{data:?}");
                    }
                }
            }
        }
        assert_eq!(all(b"\t\t\n\\\n\t\\\\\n"), (0..9).collect::<Vec<_>>());
        assert_eq!(all(b""), Vec::<usize>::new());
    }
}
