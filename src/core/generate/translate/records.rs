//! Records under construction: text in, the file's bytes out.

use super::encode::Encoder;
use super::{Rows, TranslateError};
use crate::core::generate::model::manifest::{Replaced, ReplacedIn};
use crate::core::generate::spec::{Encoding, OnUnmappable};
use std::collections::BTreeMap;
use std::fmt;

/// Records under construction, in UTF-8 until each is closed.
///
/// Text goes in with [`push_str`](Self::push_str), [`push`](Self::push) or `write!`; [`end`](Self::end) closes a
/// record. In UTF-8 that only appends the line end; in other encodings it transcodes the record in place.
#[derive(Debug)]
pub struct Records {
    bytes: Vec<u8>,
    /// Where the record under construction starts.
    start: usize,
    newline: Vec<u8>,
    encoder: Option<Encoder>,
    scratch: Vec<u8>,
    on_unmappable: OnUnmappable,
    count: u64,
    replaced: Replaced,
    /// The first row of each column in which something was changed.
    first_rows: BTreeMap<String, usize>,
}

impl Default for Records {
    /// UTF-8 with `\n`.
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            start: 0,
            newline: vec![b'\n'],
            encoder: None,
            scratch: Vec::new(),
            on_unmappable: OnUnmappable::Error,
            count: 0,
            replaced: Replaced::default(),
            first_rows: BTreeMap::new(),
        }
    }
}

impl Records {
    /// No records yet, for a file with that encoding and line end.
    ///
    /// # Errors
    /// When the line end is not in the encoding.
    pub fn new(encoding: Encoding, newline: &str, on_unmappable: OnUnmappable) -> Result<Self, TranslateError> {
        let encoder = Encoder::new(encoding);
        let encoded = match &encoder {
            Some(encoder) => encoder.line_end(newline),
            None => Ok(newline.as_bytes().to_vec()),
        };
        let newline =
            encoded.map_err(|unmappable| TranslateError::setting(format!("`newline`: {}", unmappable.reason())))?;
        Ok(Self { newline, encoder, on_unmappable, ..Self::default() })
    }

    /// Appends text to the record under construction.
    pub fn push_str(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// Appends a character to the record under construction.
    pub fn push(&mut self, char: char) {
        self.push_str(char.encode_utf8(&mut [0; 4]));
    }

    /// Closes the record: everything since the last one was closed, and the line end. `row` is the row's index in the
    /// page, for the error.
    ///
    /// # Errors
    /// When a character is not in the file's encoding and is not to be replaced.
    #[inline]
    pub fn end(&mut self, row: usize) -> Result<(), TranslateError> {
        if self.encoder.is_some() {
            self.encode().map_err(|reason| TranslateError::value(row, reason))?;
        }
        match self.newline.as_slice() {
            [one] => self.bytes.push(*one),
            more => self.bytes.extend_from_slice(more),
        }
        self.start = self.bytes.len();
        self.count += 1;
        Ok(())
    }

    fn encode(&mut self) -> Result<(), String> {
        let Some(encoder) = &self.encoder else { return Ok(()) };
        match encoder.encode(&mut self.bytes, self.start, &mut self.scratch, self.on_unmappable) {
            Ok(replaced) => self.replaced.unmappable += replaced,
            Err(unmappable) => return Err(unmappable.reason()),
        }
        Ok(())
    }

    /// Counts values that were cut to fit their fields, without naming a column.
    pub fn count_overflow(&mut self, values: u64) {
        self.replaced.overflow += values;
    }

    /// Counts a value of `column` that was cut to fit its field in `row` of the page.
    pub fn count_cut(&mut self, column: &str, row: usize) {
        self.replaced.overflow += 1;
        self.changed(column, row).overflow += 1;
    }

    fn changed(&mut self, column: &str, row: usize) -> &mut ReplacedIn {
        let first = self.first_rows.entry(column.to_owned()).or_insert(row);
        *first = row.min(*first);
        self.replaced.columns.entry(column.to_owned()).or_default()
    }

    /// Finds the columns that hold the replaced characters. Reads their texts again, which is rarely needed.
    pub(super) fn find_unmappable(&mut self, names: &[String], rows: &Rows<'_>) {
        if self.replaced.unmappable == 0 {
            return;
        }
        let Some(encoder) = self.encoder.take() else { return };
        for (at, name) in names.iter().enumerate() {
            for row in rows.iter() {
                let count = rows.text(at, row).map_or(0, |text| encoder.unmappable_in(&text));
                if count > 0 {
                    self.changed(name, row).unmappable += count;
                }
            }
        }
        self.encoder = Some(encoder);
    }

    /// The first row of each column in which something was changed since [`restart`](Self::restart).
    pub(super) fn take_first_rows(&mut self) -> BTreeMap<String, usize> {
        std::mem::take(&mut self.first_rows)
    }

    /// Everything so far, encoded up to the last record that was closed.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Records closed so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Where the built-in translators write: append UTF-8 only, never touch what is already there.
    #[inline]
    pub(super) fn text(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Starts anew in `buffer`, whose capacity is kept and whose content is not.
    pub(super) fn restart(&mut self, mut buffer: Vec<u8>) {
        buffer.clear();
        self.bytes = buffer;
        self.start = 0;
        self.count = 0;
        self.replaced = Replaced::default();
        self.first_rows.clear();
    }

    /// Takes what was made since [`restart`](Self::restart).
    pub(super) fn take(&mut self) -> (Vec<u8>, u64, Replaced) {
        self.start = 0;
        (std::mem::take(&mut self.bytes), std::mem::take(&mut self.count), std::mem::take(&mut self.replaced))
    }
}

impl fmt::Write for Records {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push_str(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    #[test]
    fn closed_records_are_encoded_and_end_with_the_newline() {
        let mut records = Records::new(Encoding::Ibm037, "\n", OnUnmappable::Replace).unwrap();
        write!(records, "A{}", 1).unwrap();
        records.end(0).unwrap();
        records.push_str("é€");
        records.end(1).unwrap();
        assert_eq!(records.bytes(), [0xC1, 0xF1, 0x25, 0x51, 0x6F, 0x25]);
        assert_eq!((records.count(), records.replaced.unmappable), (2, 1));
    }

    #[test]
    fn the_row_of_an_unmappable_character_is_told() {
        let mut records = Records::new(Encoding::Iso88591, "\r\n", OnUnmappable::Error).unwrap();
        records.push_str("5 €");
        assert_eq!(records.end(7).unwrap_err().row, Some(7));
    }

    #[test]
    fn a_newline_outside_the_encoding_is_refused() {
        assert!(Records::new(Encoding::Iso88591, "€", OnUnmappable::Replace).is_err());
    }
}
