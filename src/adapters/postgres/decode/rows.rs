//! The frame of a text `COPY`: where each row and field starts and ends, and what its escapes stand for (PostgreSQL's
//! manual, "COPY", "Text Format").

use memchr::memchr3_iter;

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
    places: Vec<Place>,
    /// Fields that had escapes, without them, one behind the other.
    unescaped: String,
}

/// A field's place.
#[derive(Clone, Copy)]
enum Place {
    Null,
    Row { start: usize, end: usize },
    Unescaped { start: usize, end: usize },
}

impl Fields {
    /// For rows with so many fields.
    pub(super) fn new(expected: usize) -> Self {
        Self { expected, places: Vec::with_capacity(expected), unescaped: String::new() }
    }

    /// Finds the fields of the row that `data` starts with.
    ///
    /// # Errors
    /// When the row has another number of fields than expected.
    pub(super) fn split<'a>(&mut self, data: &'a [u8]) -> Result<Found<'a>, &'static str> {
        self.places.clear();
        self.unescaped.clear();
        let (mut start, mut escaped) = (0, false);
        // A tab or a line end within a value is escaped by a letter, never by itself behind a backslash.
        for at in memchr3_iter(b'\t', b'\n', b'\\', data) {
            let end = match data[at] {
                b'\\' => {
                    escaped = true;
                    continue;
                }
                byte => byte == b'\n',
            };
            self.places.push(Place::Row { start, end: at });
            if escaped {
                self.unescape(&data[start..at]);
                escaped = false;
            }
            start = at + 1;
            if end {
                if self.places.len() != self.expected {
                    return Err("the server sent a row with another number of columns than asked for");
                }
                let row = &data[..start];
                return Ok(std::str::from_utf8(row).map_or(Found::Garbled(row), Found::Row));
            }
        }
        Ok(Found::Cut)
    }

    /// Reads the field found last again: it has escapes, or is NULL.
    #[cold]
    fn unescape(&mut self, field: &[u8]) {
        let Some(place) = self.places.last_mut() else { return };
        // What is not valid here makes the row garbled, and is not looked at.
        let Some(text) = Some(field).filter(|field| *field != b"\\N").map(String::from_utf8_lossy) else {
            *place = Place::Null;
            return;
        };
        let start = self.unescaped.len();
        let mut rest = text.as_ref();
        while let Some((plain, behind)) = rest.split_once('\\') {
            self.unescaped.push_str(plain);
            let mut letters = behind.chars();
            self.unescaped.extend(letters.next().map(|letter| match letter {
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
        self.unescaped.push_str(rest);
        *place = Place::Unescaped { start, end: self.unescaped.len() };
    }

    /// A field of the row found last, given that row; none for NULL.
    #[inline]
    pub(super) fn field<'a>(&'a self, index: usize, row: &'a str) -> Option<&'a str> {
        match *self.places.get(index)? {
            Place::Null => None,
            Place::Row { start, end } => row.get(start..end),
            Place::Unescaped { start, end } => self.unescaped.get(start..end),
        }
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
