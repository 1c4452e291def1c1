//! The frame of a text `COPY`: where each row and field starts and ends, and what its escapes stand for (PostgreSQL's
//! manual, "COPY", "Text Format").

use super::marks::Marks;
use std::ops::Range;

/// How far a row could be read.
pub(super) enum Found<'a> {
    /// A row, with the line end that closes it.
    Row(&'a str),
    /// A row that is not valid UTF-8.
    Garbled(&'a [u8]),
    /// The row goes on in the next piece.
    Cut,
}

/// Where the fields of one row are; used again for each row.
pub(super) struct Fields {
    expected: usize,
    /// Where each field ends; with [`MARKED`] when it holds a backslash.
    ends: Vec<usize>,
    /// The marked fields' places in `plain`; none for NULL.
    marked: Vec<(usize, Option<Range<usize>>)>,
    /// Values of marked fields, without their escapes, one behind the other.
    plain: String,
}

/// The highest bit: no row is as long.
const MARKED: usize = 1 << (usize::BITS - 1);

impl Fields {
    /// For rows with so many fields.
    pub(super) fn new(expected: usize) -> Self {
        Self { expected, ends: Vec::with_capacity(expected), marked: Vec::new(), plain: String::new() }
    }

    /// Finds the fields of the row that `data` starts with.
    ///
    /// # Errors
    /// When the row has another number of fields than expected.
    pub(super) fn split<'a>(&mut self, data: &'a [u8]) -> Result<Found<'a>, &'static str> {
        self.ends.clear();
        self.marked.clear();
        self.plain.clear();
        let (mut start, mut mark) = (0, 0);
        // A tab or a line end within a value is escaped by a letter, never by itself behind a backslash.
        for at in Marks::of(data) {
            let byte = data.get(at);
            if byte == Some(&b'\\') {
                mark = MARKED;
                continue;
            }
            if mark != 0 {
                self.unescape(data.get(start..at).unwrap_or_default());
            }
            self.ends.push(at | mark);
            (start, mark) = (at + 1, 0);
            if byte == Some(&b'\n') {
                if self.ends.len() != self.expected {
                    return Err("the server sent a row with another number of columns than asked for");
                }
                let row = data.get(..start).unwrap_or_default();
                return Ok(std::str::from_utf8(row).map_or(Found::Garbled(row), Found::Row));
            }
        }
        Ok(Found::Cut)
    }

    /// Keeps the value of the field found next, which has escapes or is NULL.
    #[cold]
    fn unescape(&mut self, field: &[u8]) {
        let index = self.ends.len();
        if field == b"\\N" {
            self.marked.push((index, None));
            return;
        }
        let start = self.plain.len();
        // What is not valid here makes the row garbled, and is not looked at.
        let text = String::from_utf8_lossy(field);
        let mut rest = text.as_ref();
        while let Some((before, behind)) = rest.split_once('\\') {
            self.plain.push_str(before);
            let mut letters = behind.chars();
            self.plain.extend(letters.next().map(|letter| match letter {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'v' => '\u{b}',
                other => other,
            }));
            rest = letters.as_str();
        }
        self.plain.push_str(rest);
        self.marked.push((index, Some(start..self.plain.len())));
    }

    /// A field of the row found last, given that row; none for NULL.
    #[inline]
    pub(super) fn field<'a>(&'a self, index: usize, row: &'a str) -> Option<&'a str> {
        let end = *self.ends.get(index)?;
        if end & MARKED != 0 {
            return self.marked(index);
        }
        let start = index.checked_sub(1).map_or(Some(0), |before| Some((self.ends.get(before)? & !MARKED) + 1))?;
        row.get(start..end)
    }

    fn marked(&self, index: usize) -> Option<&str> {
        let place = self.marked.binary_search_by_key(&index, |(field, _)| *field).ok()?;
        let (_, range) = self.marked.get(place)?;
        self.plain.get(range.clone()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_stand_for_what_would_end_a_field_or_a_row() {
        let row = b"plain\t\\N\t\ta\\tb\\nc\\\\N\\rd\\b\\f\\v\t\\\\N\t\xc3\xa9\\\\\xc3\xa9\n";
        let mut fields = Fields::new(6);
        let Ok(Found::Row(text)) = fields.split(row) else { panic!("no row") };
        assert_eq!(text.len(), row.len());
        let values: Vec<_> = (0..6).map(|index| fields.field(index, text)).collect();
        let escaped = "a\tb\nc\\N\rd\u{8}\u{c}\u{b}";
        assert_eq!(values, [Some("plain"), None, Some(""), Some(escaped), Some("\\N"), Some("é\\é")]);
    }
}
