//! Text `COPY` rows into pages: cut by rows and bytes, each value decoded once, in place. Text, because the server makes it
//! with a sixth less work than its binary form, and it is shorter.

mod civil;
mod column;
mod key;
mod marks;
mod nested;
mod rows;
mod text;
mod value;

pub(super) use key::key_value;
pub(super) use text::{AT_ONCE, Text};

use super::kinds::Wire;
use super::nested::Nested;
use crate::adapters::sql::{mask_field, one_key};
use crate::core::model::column::Column as Named;
use crate::core::model::key::Key;
use crate::core::model::page::Page;
use crate::core::ports::source::SourceError;
use arrow_array::builder::BooleanBuilder;
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{Field, Schema, SchemaRef};
use column::{Column, Strange};
use rows::{Rows, Span};
use std::borrow::Cow;
use std::sync::Arc;

/// What to do about a key that is NULL.
pub(super) const NULL_KEY: &str = "keys must not be NULL: leave such rows out of the view or choose another key";
/// A page never grows beyond this, so that Arrow's 32-bit offsets last: one value has at most 1 GiB.
const MOST_PAGE_BYTES: u64 = 256 << 20;

/// What stands where in a row.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    /// The wanted columns; they come first.
    pub columns: Vec<Named>,
    /// The wire format of each column.
    pub wires: Vec<Wire>,
    /// The parts of each column that has parts, such as an array or a composite type.
    pub nested: Vec<Option<Arc<Nested>>>,
    /// Each key column: its name, its place in the row, and how it comes.
    pub key: Vec<(String, usize, Wire)>,
    /// Place of the first mask.
    pub first_mask: usize,
    /// Number of masks.
    pub masks: usize,
    /// Place of the row's rank in the order of the key, where texts do not tell keys apart.
    pub rank: Option<usize>,
    /// Rows of a full page.
    pub page_size: usize,
    /// A page ends early when its values reach this many bytes.
    pub page_bytes: u64,
}

/// A page under construction, and what is needed to cut the next.
pub(super) struct Cutter {
    shape: Shape,
    schema: SchemaRef,
    columns: Vec<Column>,
    masks: Vec<BooleanBuilder>,
    rows: usize,
    bytes: u64,
    first_key: Option<Key>,
    /// Whether there has been a row.
    seen: bool,
    /// The last row's key as it came, one buffer per column.
    last_key: Vec<String>,
    /// The rows at hand.
    read: Rows,
    /// Rows that this copy may still add. `None`: all it has.
    left: Option<u64>,
    /// Whether the copy had a row more than it may add.
    more: bool,
    /// Rows of this copy so far.
    number: u64,
}

impl Cutter {
    /// Starts without rows.
    pub(super) fn new(shape: Shape) -> Self {
        let mut fields: Vec<Field> = shape.columns.iter().map(|column| column.kind.field(&column.name)).collect();
        fields.extend((0..shape.masks).map(mask_field));
        // A page that is cut by its bytes needs less: no room for a million wide rows beforehand.
        let room = shape.page_size.min(1 << 16);
        Self {
            schema: Arc::new(Schema::new(fields)),
            columns: (shape.wires.iter().zip(&shape.nested))
                .map(|(wire, nested)| Column::new(*wire, nested.clone(), room))
                .collect(),
            masks: (0..shape.masks).map(|_| BooleanBuilder::with_capacity(room)).collect(),
            rows: 0,
            bytes: 0,
            first_key: None,
            seen: false,
            last_key: vec![String::new(); shape.key.len()],
            read: Rows::new((shape.first_mask + shape.masks + usize::from(shape.rank.is_some())).max(1)),
            left: None,
            more: false,
            number: 0,
            shape,
        }
    }

    /// The wanted columns and their kinds.
    pub(super) fn columns(&self) -> &[Named] {
        &self.shape.columns
    }

    /// The last row's key. `None` before the first row.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn last_key(&self) -> Result<Option<Key>, SourceError> {
        if self.shape.key.is_empty() || !self.seen {
            return Ok(None);
        }
        let fields = self.last_key.iter().map(|text| Some(Cow::Borrowed(text.as_str())));
        self.key_of(fields).map(Some)
    }

    /// Expects another `COPY` next, of which at most so many rows are taken. A row behind those is only looked
    /// at: it must not have the key of the one before, which the next copy would pass over in silence.
    pub(super) fn begin_copy(&mut self, rows: Option<u64>) {
        (self.more, self.left, self.number) = (false, rows, 0);
    }

    /// Whether all rows that the copy may add have been taken.
    pub(super) fn has_all(&self) -> bool {
        self.left == Some(0)
    }

    /// Whether the copy had a row more than it may add.
    pub(super) fn has_more(&self) -> bool {
        self.more
    }

    /// Whether the page is as large as it may be.
    pub(super) fn is_full(&self) -> bool {
        self.rows >= self.shape.page_size || self.bytes >= self.shape.page_bytes.min(MOST_PAGE_BYTES) && self.rows > 0
    }

    /// Takes rows until the page is full or none is whole any more; how many bytes were used. Escapes are replaced in place.
    ///
    /// # Errors
    /// A value that cannot be carried, a NULL or repeated key, or what is no row: whichever comes first.
    pub(super) fn fill(&mut self, data: &mut [u8]) -> Result<usize, SourceError> {
        self.read.clear();
        let (mut used, mut fault) = (0, None);
        // The rows to take, and their bytes.
        let (mut rows, mut taken) = (0, 0);
        while used < data.len() && (self.has_all() || !self.is_full()) {
            let length = match self.read.next(data) {
                Ok(Some(length)) => length,
                Ok(None) => break,
                Err(reason) => {
                    fault = Some(broken(reason));
                    break;
                }
            };
            self.number += 1;
            if let Err(error) = self.check_key(data, self.read.len() - 1) {
                fault = Some(error);
                break;
            }
            used += length;
            if self.has_all() {
                self.more = true;
                continue;
            }
            (rows, taken) = (rows + 1, used);
            self.rows += 1;
            self.bytes += length as u64;
            self.left = self.left.map(|left| left - 1);
        }
        self.read.truncate(rows);
        self.take_rows(data.get(..taken).unwrap_or_default())?;
        fault.map_or(Ok(used), Err)
    }

    /// Takes the values of the rows that were just read; `data` is all of them. Column by column, so that the way of each
    /// type is found once for all rows.
    fn take_rows(&mut self, data: &[u8]) -> Result<(), SourceError> {
        let (text, garbled) = match std::str::from_utf8(data) {
            Ok(text) => (text, None),
            Err(error) => {
                let (row, garbled) = self.garbled(data, error.valid_up_to());
                // What is wrong in the rows before comes first.
                self.read.truncate(row);
                let before = std::str::from_utf8(data.get(..error.valid_up_to()).unwrap_or_default());
                (before.unwrap_or_default(), Some(garbled))
            }
        };
        let mut strange: Option<(Strange, usize)> = None;
        for (index, column) in self.columns.iter_mut().enumerate() {
            if let Err(found) = column.extend(self.read.column(index, text))
                && strange.as_ref().is_none_or(|(first, _)| found.row < first.row)
            {
                strange = Some((found, index));
            }
        }
        if let Some((Strange { row, reason }, index)) = strange {
            return Err(self.blame(data, row, index, reason));
        }
        if let Some(garbled) = garbled {
            return Err(garbled);
        }
        for (index, mask) in self.masks.iter_mut().enumerate() {
            self.read
                .column(self.shape.first_mask + index, text)
                .for_each(|field| mask.append_value(field == Some("1")));
        }
        self.note_keys(data)
    }

    /// Keeps the page's first key and the last row's.
    fn note_keys(&mut self, data: &[u8]) -> Result<(), SourceError> {
        let Some(last) = self.read.len().checked_sub(1) else { return Ok(()) };
        if self.first_key.is_none() {
            self.first_key = Some(self.key_at(data, 0)?);
        }
        for ((_, index, _), kept) in self.shape.key.iter().zip(&mut self.last_key) {
            kept.clear();
            kept.push_str(&text_of(self.read.field(last, *index), data).unwrap_or_default());
        }
        self.seen = true;
        Ok(())
    }

    /// Sees that the key of a row has a value and is not that of the row before.
    fn check_key(&self, data: &[u8], row: usize) -> Result<(), SourceError> {
        let is_null = |index| self.bytes_of(data, row, index).is_none();
        let null = self.shape.key.iter().find(|(_, index, _)| !self.has_all() && is_null(*index));
        if let Some((name, ..)) = null {
            let before = if row == 0 { self.last_key()? } else { Some(self.key_at(data, row - 1)?) };
            let behind = before.map(|key| format!(", behind the row with key {key}")).unwrap_or_default();
            return Err(SourceError::Key {
                reason: format!("key column `{name}` is NULL in a row{behind}; {NULL_KEY}"),
            });
        }
        if self.repeats(data, row) {
            return Err(self.repeated(data, row));
        }
        Ok(())
    }

    /// Whether a row has the key of the row before: to us, or to the server, which ranks it with that one.
    fn repeats(&self, data: &[u8], row: usize) -> bool {
        if let Some(rank) = self.shape.rank {
            let rank = self.bytes_of(data, row, rank).and_then(|text| std::str::from_utf8(text).ok()?.parse().ok());
            if rank != Some(self.number) {
                return true;
            }
        }
        let same = |((_, index, wire), kept): (&(String, usize, Wire), &String)| {
            let before = if row == 0 { Some(kept.as_bytes()) } else { self.bytes_of(data, row - 1, *index) };
            let now = self.bytes_of(data, row, *index);
            now.zip(before).is_some_and(|(now, before)| key::same(*wire, now, before))
        };
        (self.seen || row > 0) && !self.shape.key.is_empty() && self.shape.key.iter().zip(&self.last_key).all(same)
    }

    fn repeated(&self, data: &[u8], row: usize) -> SourceError {
        let names: Vec<&str> = self.shape.key.iter().map(|(name, ..)| name.as_str()).collect();
        let before = if row == 0 { self.last_key() } else { self.key_at(data, row - 1).map(Some) };
        match (before, self.key_at(data, row)) {
            (Ok(before), Ok(now)) if self.shape.rank.is_some() => {
                let before = before.map(|key| key.to_string()).unwrap_or_default();
                one_key(&before, &now.to_string(), &names.join(", "))
            }
            // Other texts of one number.
            (Ok(_), Ok(now)) => one_key(&now.to_string(), &now.to_string(), &names.join(", ")),
            (Err(error), _) | (_, Err(error)) => error,
        }
    }

    /// A field of the rows that were just read.
    #[inline]
    fn bytes_of<'a>(&self, data: &'a [u8], row: usize, index: usize) -> Option<&'a [u8]> {
        self.read.field(row, index)?.bytes(data)
    }

    /// The key of one of the rows that were just read.
    fn key_at(&self, data: &[u8], row: usize) -> Result<Key, SourceError> {
        self.key_of(self.shape.key.iter().map(|(_, index, _)| text_of(self.read.field(row, *index), data)))
    }

    fn key_of<'a>(&self, fields: impl Iterator<Item = Option<Cow<'a, str>>>) -> Result<Key, SourceError> {
        let value = |((name, _, wire), text): (&(String, usize, Wire), Option<Cow<'_, str>>)| {
            key_value(*wire, &text.unwrap_or_default())
                .map_err(|why| SourceError::Key { reason: format!("key column `{name}`: {why}") })
        };
        self.shape.key.iter().zip(fields).map(value).collect::<Result<_, _>>().map(Key)
    }

    /// Says which column and row hold a value that cannot be carried.
    fn blame(&self, data: &[u8], row: usize, index: usize, reason: String) -> SourceError {
        let wanted = self.shape.columns.get(index).map(|column| &column.name);
        let key = || self.shape.key.iter().find(|(_, place, _)| *place == index).map(|(name, ..)| name);
        let column = wanted.or_else(key).cloned().unwrap_or_default();
        let key = match self.key_at(data, row) {
            Ok(key) if !key.0.is_empty() => key.to_string(),
            _ => "(none)".to_owned(),
        };
        SourceError::Value { column, key, reason }
    }

    /// Says which value is not text, and its row: in a database with the encoding `SQL_ASCII` it may be anything.
    fn garbled(&self, data: &[u8], place: usize) -> (usize, SourceError) {
        match self.read.place(place) {
            Some((row, index, at)) => {
                let reason = format!("the text is not valid UTF-8 at byte {at}; convert it in the view");
                (row, self.blame(data, row, index, reason))
            }
            None => (0, broken("the server sent a row that is not valid UTF-8")),
        }
    }

    /// Hands the page out. `None` without rows.
    ///
    /// # Errors
    /// When the page cannot be put together.
    pub(super) fn take(&mut self) -> Result<Option<Page>, SourceError> {
        if self.rows == 0 {
            return Ok(None);
        }
        let last_key = self.last_key()?.unwrap_or(Key(Vec::new()));
        let first_key = self.first_key.take().unwrap_or(Key(Vec::new()));
        let rows = std::mem::take(&mut self.rows);
        self.bytes = 0;
        let arrays: Result<Vec<ArrayRef>, _> = self.columns.iter_mut().map(|column| column.take(rows)).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = arrays.and_then(|mut arrays| {
            arrays.extend(self.masks.iter_mut().map(|mask| Arc::new(mask.finish()) as ArrayRef));
            RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
        });
        let batch = batch.map_err(|error| SourceError::Failed {
            source_name: "PostgreSQL".to_owned(),
            reason: format!("a page could not be put together: {error}"),
        })?;
        Ok(Some(Page { batch, first_key, last_key }))
    }
}

fn text_of(field: Option<Span>, data: &[u8]) -> Option<Cow<'_, str>> {
    field?.bytes(data).map(String::from_utf8_lossy)
}

fn broken(reason: &str) -> SourceError {
    SourceError::Failed { source_name: "PostgreSQL".to_owned(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests;
