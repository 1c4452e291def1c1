//! Copied text on its way to the page: whole rows, and the beginning of one.

use super::{Cutter, broken};
use crate::core::ports::source::SourceError;

/// No row of a PostgreSQL server is longer: it puts each one together in one buffer, a `StringInfo`, and no allocation of
/// that kind is larger than `MaxAllocSize`, 1 GiB less a byte (`src/include/utils/memutils.h` there; its manual's appendix
/// "PostgreSQL Limits" has 1 GB for a single field).
const LONGEST_ROW: usize = 0x3fff_ffff;

/// Bytes that are cut into rows together: so many that their columns are worth a loop each, and few enough to stay in the
/// processor's first caches.
pub(in super::super) const AT_ONCE: usize = 32 << 10;

/// Copied, not yet used.
pub(in super::super) struct Text {
    bytes: Vec<u8>,
    /// How many of them are known to hold no row's end.
    endless: usize,
    longest: usize,
}

impl Default for Text {
    fn default() -> Self {
        Self { bytes: Vec::new(), endless: 0, longest: LONGEST_ROW }
    }
}

impl Text {
    /// Where more is to be added.
    pub(in super::super) fn end(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Whether all of it is used.
    pub(in super::super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Gives rows to the page, until it is full or none is whole any more.
    ///
    /// # Errors
    /// As [`Cutter::fill`]; and when a row is longer than any.
    pub(in super::super) fn give(&mut self, cutter: &mut Cutter) -> Result<(), SourceError> {
        // A line end within a value is escaped.
        if self.bytes.get(self.endless..).unwrap_or_default().contains(&b'\n') {
            self.endless = 0;
            let used = cutter.fill(&mut self.bytes)?;
            self.bytes.drain(..used);
            // A row that was larger than most leaves no trace.
            self.bytes.shrink_to(2 * AT_ONCE);
            return Ok(());
        }
        self.endless = self.bytes.len();
        if self.endless <= self.longest {
            return Ok(());
        }
        let (sent, longest) = (self.endless, self.longest);
        Err(broken(&format!(
            "the server sent {sent} bytes without the end of a row, and PostgreSQL's rows have {longest} at most; see what \
             answers at this address"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{row, shape};
    use super::*;

    #[test]
    fn a_row_without_an_end_is_refused_at_its_bound_and_a_shorter_one_taken() {
        let whole = row(Some(1), Some(&"x".repeat(50)), 1);
        for (longest, fits) in [(whole.len() - 1, true), (whole.len() - 2, false)] {
            let (mut text, mut cutter) = (Text { longest, ..Text::default() }, Cutter::new(shape(10, u64::MAX)));
            let mut given = Ok(());
            for byte in whole.bytes() {
                text.end().push(byte);
                given = given.and_then(|()| text.give(&mut cutter));
            }
            assert_eq!(given.is_ok(), fits, "{given:?}");
            assert_eq!((text.is_empty(), cutter.take().unwrap().is_some()), (fits, fits));
            if let Err(error) = given {
                let told = format!("the server sent {} bytes without the end of a row", longest + 1);
                assert!(error.to_string().contains(&told) && !error.is_transient(), "{error}");
            }
        }
    }

    #[test]
    fn rows_behind_a_full_page_wait_for_the_next() {
        let (mut text, mut cutter) = (Text { longest: 9, ..Text::default() }, Cutter::new(shape(2, u64::MAX)));
        for id in 1..=5 {
            text.end().extend(row(Some(id), Some("a"), 1).into_bytes());
        }
        text.end().extend(b"6\ta");
        let mut pages = Vec::new();
        for _ in 0..3 {
            text.give(&mut cutter).unwrap();
            pages.push(cutter.take().unwrap().unwrap().rows());
        }
        assert_eq!(pages, [2, 2, 1], "only a row's own length counts");
        text.end().extend(b"\t1\n");
        text.give(&mut cutter).unwrap();
        assert_eq!((cutter.take().unwrap().unwrap().last_key.to_string(), text.is_empty()), ("6".to_owned(), true));
    }
}
