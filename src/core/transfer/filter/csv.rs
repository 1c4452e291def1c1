//! Looks at a CSV on its way: its header, the width of each row, and how many rows there are. Changes nothing.

use crate::core::model::shown;
use crate::core::ports::filters::Stage;
use crate::core::transfer::steps::{CsvCheck, RowCount};
use csv_core::{ReadFieldResult, Reader, ReaderBuilder};

/// Longest header, in bytes.
const HEADER_MAX: usize = 256 * 1024;

/// Bytes of a field that are looked at together.
const FIELD: usize = 4096;

/// Bytes in front of some UTF-8 texts.
const MARK: &[u8] = b"\xef\xbb\xbf";

pub(super) struct CsvChecker {
    columns: Vec<String>,
    wanted: Option<RowCount>,
    reader: Reader,
    /// The fields of the header so far, the last one unfinished.
    header: Vec<Vec<u8>>,
    held: usize,
    /// Fields of the row so far.
    fields: usize,
    /// Rows that are complete; the header is the first.
    rows: u64,
    buffer: Vec<u8>,
}

impl CsvChecker {
    pub(super) fn new(check: &CsvCheck) -> Self {
        Self {
            columns: check.columns.clone(),
            wanted: check.rows,
            reader: ReaderBuilder::new().delimiter(check.delimiter).build(),
            header: vec![Vec::new()],
            held: 0,
            fields: 0,
            rows: 0,
            buffer: vec![0; FIELD],
        }
    }

    /// Reads fields until the piece is at its end. An empty one is the end of the content.
    fn read(&mut self, mut piece: &[u8]) -> Result<(), String> {
        let is_end = piece.is_empty();
        // Nothing left of a piece is no end of the content.
        while is_end || !piece.is_empty() {
            let (result, taken, made) = self.reader.read_field(piece, &mut self.buffer);
            piece = &piece[taken..];
            if self.rows == 0 {
                self.held += made;
                if self.held > HEADER_MAX {
                    return Err(format!("its first line is longer than {HEADER_MAX} bytes"));
                }
                if let Some(field) = self.header.last_mut() {
                    field.extend_from_slice(&self.buffer[..made]);
                }
            }
            match result {
                ReadFieldResult::OutputFull => {}
                ReadFieldResult::InputEmpty | ReadFieldResult::End => return Ok(()),
                ReadFieldResult::Field { record_end } => self.field(record_end)?,
            }
        }
        Ok(())
    }

    fn field(&mut self, is_last: bool) -> Result<(), String> {
        self.fields += 1;
        if !is_last {
            if self.rows == 0 {
                self.header.push(Vec::new());
            }
            return Ok(());
        }
        if self.rows == 0 {
            self.check_header()?;
        } else if self.fields != self.header.len() {
            let (row, fields, columns) = (self.rows, self.fields, self.header.len());
            return Err(format!("row {row} has {fields} fields, and the header {columns}"));
        }
        self.rows += 1;
        self.fields = 0;
        Ok(())
    }

    fn check_header(&mut self) -> Result<(), String> {
        if self.columns.is_empty() {
            return Ok(());
        }
        let name = |(index, field): (usize, &Vec<u8>)| {
            let field = if index == 0 { field.strip_prefix(MARK).unwrap_or(field) } else { field };
            String::from_utf8_lossy(field).into_owned()
        };
        let there: Vec<String> = self.header.iter().enumerate().map(name).collect();
        if there == self.columns {
            return Ok(());
        }
        let listed = |names: &[String]| names.iter().map(|name| shown::name(name)).collect::<Vec<_>>().join(", ");
        Err(format!("its columns are {}, and {} are wanted, in this order", listed(&there), listed(&self.columns)))
    }
}

impl Stage for CsvChecker {
    fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        out.extend_from_slice(piece);
        if piece.is_empty() { Ok(()) } else { self.read(piece) }
    }

    fn finish(&mut self, _: &mut Vec<u8>) -> Result<(), String> {
        self.read(&[])?;
        let Some(rows) = self.rows.checked_sub(1) else { return Err("it has no header".to_owned()) };
        match self.wanted {
            Some(wanted) if !wanted.fits(rows) => Err(format!("it has {rows} rows, and `{wanted}` are wanted")),
            _ => Ok(()),
        }
    }
}
