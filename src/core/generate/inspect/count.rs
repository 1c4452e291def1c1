//! Counts a file's records by their line ends, as an independent reader would.

use crate::core::generate::spec::{Encoding, FileSpec, Quote, TranslatorSpec};
use crate::core::generate::translate::{FileTranslator, Registry, record_bytes};
use crate::core::model::run::RunId;
use std::collections::BTreeMap;

/// Which bytes of a file are records, and how one ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    /// Offset of the first record.
    pub from: u64,
    /// Offset behind the last record.
    pub to: u64,
    /// How one ends.
    pub ends: Ends,
}

/// How a file's records end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ends {
    /// What ends a record, as it stands in the file; not empty.
    newline: Vec<u8>,
    /// The quote, where line ends inside quotes are part of a value.
    quote: Option<u8>,
    /// Bytes of each record, where no line end tells one from the next.
    length: Option<u64>,
}

impl Ends {
    /// Takes them from the worker file. `None` when no line end tells one record from the next.
    pub fn of(spec: &FileSpec) -> Option<Self> {
        if let Some(length) = record_bytes(spec).filter(|length| *length > 0) {
            return Some(Self { newline: Vec::new(), quote: None, length: Some(length) });
        }
        let newline = plain_bytes(&spec.newline, spec.encoding).filter(|newline| !newline.is_empty())?;
        let quote = match &spec.translator {
            TranslatorSpec::Delimited(delimited) if delimited.quote != Quote::Never => {
                plain_bytes("\"", spec.encoding).and_then(|bytes| bytes.first().copied())
            }
            _ => None,
        };
        Some(Self { newline, quote, length: None })
    }

    /// Records that end within `bytes`, which start with a record.
    pub fn count(&self, bytes: &[u8]) -> u64 {
        let mut counter = Counter::new(self);
        counter.take(bytes);
        counter.records()
    }
}

/// What is known of a run, to tell its first and last record from the others.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Known {
    /// Rows that the first record was written with.
    pub rows: u64,
    /// Totals that the first record was written with.
    pub first_totals: BTreeMap<String, String>,
    /// Rows and totals that the last record was written with. `None` while there is no last record.
    pub last_rows: Option<(u64, BTreeMap<String, String>)>,
}

impl Frame {
    /// Finds the records of a file of `bytes` bytes, whose header line takes `header_bytes`. A staged file is looked at
    /// up to `staged_end`: what stands behind is not committed, or is the last record.
    ///
    /// # Errors
    /// Why its records cannot be counted.
    pub fn new(
        spec: &FileSpec,
        registry: &Registry,
        run: &RunId,
        known: &Known,
        header_bytes: u64,
        bytes: u64,
        staged_end: Option<u64>,
    ) -> Result<Self, String> {
        let ends = Ends::of(spec).ok_or("its records do not end in a line end")?;
        let translator = FileTranslator::new(spec, registry).map_err(|error| error.reason)?;
        let first = translator
            .first_record(run, known.rows, &known.first_totals)
            .map_err(|error| format!("first_record: {}", error.reason))?;
        let last = match (&known.last_rows, staged_end) {
            (Some((rows, totals)), None) => {
                translator.last_record(run, *rows, totals).map_err(|error| format!("last_record: {}", error.reason))?
            }
            _ => None,
        };
        let length = |record: Option<Vec<u8>>| record.map_or(0, |record| record.len() as u64);
        let end = staged_end.unwrap_or(bytes).min(bytes).saturating_sub(length(last));
        Ok(Self { from: (header_bytes + length(first)).min(end), to: end, ends })
    }
}

/// Whether one line end stands for one record, come what may. Templates and translators of one's own may write several.
pub fn is_exact(spec: &FileSpec) -> bool {
    match spec.translator {
        TranslatorSpec::Delimited(_) | TranslatorSpec::FixedWidth(_) | TranslatorSpec::Json(_) => true,
        TranslatorSpec::Template(_) | TranslatorSpec::Custom { .. } => false,
    }
}

/// Text of ASCII characters as it stands in a file. `None` when a character's place in the encoding is not known here.
fn plain_bytes(text: &str, encoding: Encoding) -> Option<Vec<u8>> {
    match encoding {
        Encoding::Utf8 | Encoding::Windows1252 | Encoding::Iso88591 => {
            text.is_ascii().then(|| text.as_bytes().to_vec())
        }
        Encoding::Ibm037 => text
            .chars()
            .map(|c| match c {
                '\n' => Some(0x25),
                '\r' => Some(0x0D),
                '\u{85}' => Some(0x15),
                '"' => Some(0x7F),
                _ => None,
            })
            .collect(),
    }
}

/// Counts line ends that pass by in chunks.
#[derive(Debug)]
pub struct Counter {
    newline: Vec<u8>,
    quote: Option<u8>,
    matched: usize,
    quoted: bool,
    records: u64,
    length: Option<u64>,
    bytes: u64,
}

impl Counter {
    /// Nothing counted yet.
    pub fn new(ends: &Ends) -> Self {
        Self {
            newline: ends.newline.clone(),
            quote: ends.quote,
            matched: 0,
            quoted: false,
            records: 0,
            length: ends.length,
            bytes: 0,
        }
    }

    /// Takes the next bytes of the records.
    pub fn take(&mut self, bytes: &[u8]) {
        if let Some(length) = self.length {
            self.bytes += bytes.len() as u64;
            self.records = self.bytes / length;
            return;
        }
        for &byte in bytes {
            // A doubled quote inside quotes leaves and enters again.
            if self.quote == Some(byte) {
                self.quoted = !self.quoted;
            }
            if self.quoted {
                self.matched = 0;
            } else if self.newline.get(self.matched) == Some(&byte) {
                self.matched += 1;
                if self.matched == self.newline.len() {
                    self.records += 1;
                    self.matched = 0;
                }
            } else {
                self.matched = usize::from(self.newline.first() == Some(&byte));
            }
        }
    }

    /// Records so far.
    pub fn records(&self) -> u64 {
        self.records
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &[u8], newline: &str, quote: Option<u8>, chunk: usize) -> u64 {
        let mut counter = Counter::new(&Ends { newline: newline.into(), quote, length: None });
        text.chunks(chunk).for_each(|chunk| counter.take(chunk));
        counter.records()
    }

    #[test]
    fn line_ends_inside_quotes_end_no_record() {
        let text = b"1,\"a\nb\"\n2,\"say \"\"\n\"\"\"\n3,\n";
        for chunk in [1, 2, 5, 100] {
            assert_eq!(count(text, "\n", Some(b'"'), chunk), 3);
            assert_eq!(count(text, "\n", None, chunk), 5);
        }
    }

    #[test]
    fn a_line_end_of_two_bytes_may_be_cut_by_a_chunk() {
        for chunk in [1, 2, 3, 100] {
            assert_eq!(count(b"a\rb\r\nc\r\r\n", "\r\n", None, chunk), 2);
        }
    }

    #[test]
    fn ebcdic_has_its_own_line_end() {
        assert_eq!(plain_bytes("\r\n", Encoding::Ibm037), Some(vec![0x0D, 0x25]));
        assert_eq!(plain_bytes("x", Encoding::Ibm037), None);
        assert_eq!(plain_bytes("\r\n", Encoding::Windows1252), Some(vec![0x0D, 0x0A]));
    }
}
