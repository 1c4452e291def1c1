//! A file's first line: `{page},{rows}`, padded to 32 bytes, so that it can be rewritten in place.

/// Bytes of the header line, its newline included.
pub const HEADER_BYTES: usize = 32;

/// Last durable page of a file and the records written so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Header {
    /// Last durable page; 0 before the first.
    pub page: u64,
    /// Records of this file up to and with that page; first and last record do not count.
    pub rows: u64,
}

/// A line that is no header.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the first {HEADER_BYTES} bytes are no header line `page,rows`: {found:?}")]
pub struct NoHeader {
    found: String,
}

impl Header {
    /// The 32 bytes of the line: digits, comma, digits, spaces to 31 characters, `\n`. Always ASCII,
    /// whatever the file's encoding, so that tools can read it without the worker file.
    pub fn encode(self) -> [u8; HEADER_BYTES] {
        let mut line = [b' '; HEADER_BYTES];
        let mut buffer = itoa::Buffer::new();
        let page = buffer.format(self.page).as_bytes();
        let comma = page.len();
        line[..comma].copy_from_slice(page);
        line[comma] = b',';
        // Two u64 could need 41 characters; a file with 10^15 pages of 10^15 rows is out of reach,
        // and `min` keeps even that from a panic.
        let rows = buffer.format(self.rows).as_bytes();
        let end = (comma + 1 + rows.len()).min(HEADER_BYTES - 1);
        line[comma + 1..end].copy_from_slice(&rows[..end - comma - 1]);
        line[HEADER_BYTES - 1] = b'\n';
        line
    }

    /// Reads the line back; anything that `encode` does not write is refused.
    ///
    /// # Errors
    /// When the bytes are not exactly such a line.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoHeader> {
        let refuse =
            || NoHeader { found: String::from_utf8_lossy(&bytes[..bytes.len().min(HEADER_BYTES)]).into_owned() };
        let line = bytes.get(..HEADER_BYTES).ok_or_else(refuse)?;
        let text = std::str::from_utf8(line).map_err(|_| refuse())?;
        let (page, rows) =
            text.strip_suffix('\n').ok_or_else(refuse)?.trim_end_matches(' ').split_once(',').ok_or_else(refuse)?;
        let header = Self { page: page.parse().map_err(|_| refuse())?, rows: rows.parse().map_err(|_| refuse())? };
        if header.encode() == *line { Ok(header) } else { Err(refuse()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_line_is_padded_to_32_bytes() {
        assert_eq!(&Header { page: 12, rows: 120_000 }.encode(), b"12,120000                      \n");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(page in 0..10_u64.pow(14), rows in 0..10_u64.pow(15)) {
            let header = Header { page, rows };
            prop_assert_eq!(Header::parse(&header.encode()), Ok(header));
        }

        #[test]
        fn any_other_bytes_are_refused_or_are_a_header(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(header) = Header::parse(&bytes) {
                prop_assert_eq!(&header.encode()[..], &bytes[..HEADER_BYTES]);
            }
        }

        #[test]
        fn one_changed_byte_never_passes_for_the_same_header(page in 0..1_000_000_u64, rows in 0..1_000_000_000_u64, at in 0..HEADER_BYTES, to in any::<u8>()) {
            let header = Header { page, rows };
            let mut line = header.encode();
            prop_assume!(line[at] != to);
            line[at] = to;
            prop_assert_ne!(Header::parse(&line).ok(), Some(header));
        }
    }
}
