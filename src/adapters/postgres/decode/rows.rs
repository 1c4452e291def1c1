//! The frame of a text `COPY`: where the fields of its rows are, and what their escapes stand for (PostgreSQL's manual,
//! "COPY", "Text Format").

use super::marks::Marks;

/// Where one field is in the text it came in.
#[derive(Clone, Copy)]
pub(super) struct Span {
    start: u32,
    /// [`NULL`] when there is no value.
    length: u32,
}

/// No field is as long: a row has at most 1 GiB.
const NULL: u32 = u32::MAX;

impl Span {
    /// The field's bytes, escapes replaced. `None` for NULL.
    #[inline]
    pub(super) fn bytes(self, data: &[u8]) -> Option<&[u8]> {
        (self.length != NULL).then(|| data.get(self.start as usize..self.end()).unwrap_or_default())
    }

    /// The field's text, escapes replaced. `None` for NULL.
    #[inline]
    pub(super) fn text(self, data: &str) -> Option<&str> {
        (self.length != NULL).then(|| data.get(self.start as usize..self.end()).unwrap_or_default())
    }

    /// How far into the field a place is. `None` outside.
    pub(super) fn at(self, place: usize) -> Option<usize> {
        place.checked_sub(self.start as usize).filter(|_| self.length != NULL && place < self.end())
    }

    fn end(self) -> usize {
        self.start as usize + self.length as usize
    }
}

/// Fields of rows that came together, row behind row; used again for the next.
pub(super) struct Rows {
    expected: usize,
    spans: Vec<Span>,
    /// Fields of the row at hand that have escapes, or are NULL.
    escaped: Vec<usize>,
    marks: Marks,
    /// Where the next row starts.
    next: usize,
}

impl Rows {
    /// For rows with so many fields.
    pub(super) fn new(expected: usize) -> Self {
        Self { expected, spans: Vec::new(), escaped: Vec::new(), marks: Marks::default(), next: 0 }
    }

    /// Starts anew, at the first byte of another text.
    pub(super) fn clear(&mut self) {
        self.spans.clear();
        (self.marks, self.next) = (Marks::default(), 0);
    }

    /// Finds the fields of the next row in `data`, and replaces their escapes there; how many bytes the row has. `None` when it
    /// goes on behind them: then nothing is changed.
    ///
    /// # Errors
    /// When the row has another number of fields than expected.
    pub(super) fn next(&mut self, data: &mut [u8]) -> Result<Option<usize>, &'static str> {
        let row = self.spans.len();
        let (mut start, mut escaped) = (self.next, false);
        self.escaped.clear();
        // A tab or a line end within a value is escaped by a letter, never by itself behind a backslash.
        while let Some(at) = self.marks.next(data) {
            let mark = data.get(at).copied().unwrap_or_default();
            match mark {
                b'\t' | b'\n' => {}
                b'\\' => {
                    escaped = true;
                    continue;
                }
                _ => continue,
            }
            if escaped {
                self.escaped.push(self.spans.len());
            }
            let (Ok(place), Ok(length)) = (u32::try_from(start), u32::try_from(at - start)) else {
                return Err("the server sent a row that is too long");
            };
            self.spans.push(Span { start: place, length });
            (start, escaped) = (at + 1, false);
            if mark == b'\n' {
                if self.spans.len() - row != self.expected {
                    return Err("the server sent a row with another number of columns than asked for");
                }
                self.unescape(data);
                let length = start - self.next;
                self.next = start;
                return Ok(Some(length));
            }
        }
        self.spans.truncate(row);
        Ok(None)
    }

    /// Replaces the escapes of the row at hand.
    fn unescape(&mut self, data: &mut [u8]) {
        for index in &self.escaped {
            let Some(span) = self.spans.get_mut(*index) else { continue };
            let field = data.get_mut(span.start as usize..span.end()).unwrap_or_default();
            // No longer than before.
            span.length = unescape(field).map_or(NULL, |length| u32::try_from(length).unwrap_or(span.length));
        }
    }

    /// How many rows were read, and not dropped.
    pub(super) fn len(&self) -> usize {
        self.spans.len() / self.expected
    }

    /// Drops all rows behind the first so many.
    pub(super) fn truncate(&mut self, rows: usize) {
        self.spans.truncate(rows * self.expected);
    }

    /// A field of a row.
    pub(super) fn field(&self, row: usize, column: usize) -> Option<Span> {
        self.spans.get(row * self.expected + column).copied()
    }

    /// The row and column that hold a place of the text, and how far it is into the field.
    pub(super) fn place(&self, place: usize) -> Option<(usize, usize, usize)> {
        let found = self.spans.iter().enumerate().find_map(|(index, span)| Some((index, span.at(place)?)));
        found.map(|(index, at)| (index / self.expected, index % self.expected, at))
    }

    /// The texts of a column, row by row.
    #[inline]
    pub(super) fn column<'a>(&'a self, column: usize, text: &'a str) -> impl Iterator<Item = Option<&'a str>> {
        self.spans.iter().skip(column).step_by(self.expected).map(|span| span.text(text))
    }
}

/// Replaces a field's escapes in place, spaces behind them; the value's length, and `None` when it is NULL.
fn unescape(field: &mut [u8]) -> Option<usize> {
    if field == b"\\N" {
        return None;
    }
    let (mut to, mut from) = (0, 0);
    while let Some(byte) = field.get(from).copied() {
        let (byte, width) = match (byte, field.get(from + 1)) {
            (b'\\', Some(letter)) => (plain(*letter), 2),
            _ => (byte, 1),
        };
        if let Some(place) = field.get_mut(to) {
            *place = byte;
        }
        (to, from) = (to + 1, from + width);
    }
    // A part of a character would not be text.
    field.iter_mut().skip(to).for_each(|byte| *byte = b' ');
    Some(to)
}

/// What a letter behind a backslash stands for.
fn plain(letter: u8) -> u8 {
    match letter {
        b'b' => 8,
        b'f' => 0xc,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0xb,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_stand_for_what_would_end_a_field_or_a_row() {
        let mut data =
            b"plain\t\\N\t\ta\\tb\\nc\\\\N\\rd\\b\\f\\v\t\\\\N\t\xc3\xa9\\\\\xc3\xa9\n1\t2\t3\t4\t5\t6\nrest\\"
                .to_vec();
        let mut rows = Rows::new(6);
        assert_eq!(rows.next(&mut data), Ok(Some(data.len() - 17)));
        assert_eq!((rows.next(&mut data), rows.next(&mut data)), (Ok(Some(12)), Ok(None)));
        let text = std::str::from_utf8(&data).unwrap();
        let row = |row| (0..6).map(|column| rows.field(row, column).unwrap().text(text)).collect::<Vec<_>>();
        let escaped = "a\tb\nc\\N\rd\u{8}\u{c}\u{b}";
        assert_eq!(row(0), [Some("plain"), None, Some(""), Some(escaped), Some("\\N"), Some("é\\é")]);
        assert_eq!(row(1), ["1", "2", "3", "4", "5", "6"].map(Some));
        assert_eq!(rows.column(4, text).collect::<Vec<_>>(), [Some("\\N"), Some("5")]);
        assert_eq!((rows.len(), rows.place(1), rows.place(5)), (2, Some((0, 0, 1)), None));
    }
}
