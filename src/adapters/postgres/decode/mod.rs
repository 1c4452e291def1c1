//! Text `COPY` rows into pages: cut by rows and bytes, each value decoded once, in place. Text, because the server makes it
//! with a sixth less work than its binary form, and it is shorter.

mod civil;
mod column;
mod key;
mod marks;
mod rows;

pub(super) use key::key_value;

use super::kinds::Wire;
use crate::adapters::sql::mask_field;
use crate::core::model::column::Column as Named;
use crate::core::model::key::{Key, KeyValue};
use crate::core::model::page::Page;
use crate::core::ports::source::SourceError;
use arrow_array::builder::BooleanBuilder;
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{Field, Schema, SchemaRef};
use column::Column;
use rows::{Fields, Found};
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
    /// How each of them comes.
    pub wires: Vec<Wire>,
    /// Each key column: its name, its place in the row, and how it comes.
    pub key: Vec<(String, usize, Wire)>,
    /// Place of the first mask.
    pub first_mask: usize,
    /// Number of masks.
    pub masks: usize,
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
    row: Fields,
    /// Rows that this copy may still add; none: all it has.
    left: Option<u64>,
    /// Whether the copy had a row more than it may add.
    more: bool,
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
            columns: shape.wires.iter().map(|wire| Column::new(*wire, room)).collect(),
            masks: (0..shape.masks).map(|_| BooleanBuilder::with_capacity(room)).collect(),
            rows: 0,
            bytes: 0,
            first_key: None,
            seen: false,
            last_key: vec![String::new(); shape.key.len()],
            row: Fields::new((shape.first_mask + shape.masks).max(1)),
            left: None,
            more: false,
            shape,
        }
    }

    /// The wanted columns and their kinds.
    pub(super) fn columns(&self) -> &[Named] {
        &self.shape.columns
    }

    /// The last row's key; none before the first row.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn last_key(&self) -> Result<Option<Key>, SourceError> {
        if self.shape.key.is_empty() || !self.seen {
            return Ok(None);
        }
        let fields = self.last_key.iter().map(|text| Some(text.as_str()));
        self.key_of(fields).map(Some)
    }

    /// Expects another `COPY` next, of which at most so many rows are taken. A row behind those is only looked
    /// at: it must not have the key of the one before, which the next copy would pass over in silence.
    pub(super) fn begin_copy(&mut self, rows: Option<u64>) {
        (self.more, self.left) = (false, rows);
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

    /// Takes rows until the page is full or none is whole any more; how many bytes were used.
    ///
    /// # Errors
    /// A value that cannot be carried, a NULL or repeated key, or what is no row.
    pub(super) fn fill(&mut self, data: &[u8]) -> Result<usize, SourceError> {
        let mut used = 0;
        while used < data.len() && (self.has_all() || !self.is_full()) {
            let row = match self.row.split(data.get(used..).unwrap_or_default()).map_err(broken)? {
                Found::Row(row) => row,
                Found::Garbled(row) => return Err(self.garbled(row)),
                Found::Cut => break,
            };
            if self.has_all() {
                if self.repeats(row) {
                    return Err(self.repeated(row));
                }
                self.more = true;
            } else {
                self.take_row(row)?;
                self.bytes += row.len() as u64;
                self.left = self.left.map(|left| left - 1);
            }
            used += row.len();
        }
        Ok(used)
    }

    /// Takes the row that was just found.
    fn take_row(&mut self, row: &str) -> Result<(), SourceError> {
        self.check_key(row)?;
        for (index, column) in self.columns.iter_mut().enumerate() {
            match self.row.field(index, row).map(|text| column.push(text)) {
                None => column.push_null(),
                Some(Ok(())) => {}
                Some(Err(reason)) => return Err(self.blame(row, index, reason)),
            }
        }
        for (index, mask) in self.masks.iter_mut().enumerate() {
            mask.append_value(self.row.field(self.shape.first_mask + index, row) == Some("1"));
        }
        if self.rows == 0 && !self.shape.key.is_empty() {
            self.first_key = Some(self.key_at(row)?);
        }
        self.rows += 1;
        Ok(())
    }

    /// Sees that the row's key has a value and is not that of the row before, and keeps it.
    fn check_key(&mut self, row: &str) -> Result<(), SourceError> {
        let key = self.shape.key.iter();
        if let Some((name, ..)) = key.clone().find(|(_, index, _)| self.row.field(*index, row).is_none()) {
            let behind = self.last_key()?.map(|key| format!(", behind the row with key {key}")).unwrap_or_default();
            return Err(SourceError::Key {
                reason: format!("key column `{name}` is NULL in a row{behind}; {NULL_KEY}"),
            });
        }
        if self.repeats(row) {
            return Err(self.repeated(row));
        }
        for ((_, index, _), last) in self.shape.key.iter().zip(&mut self.last_key) {
            last.clear();
            last.push_str(self.row.field(*index, row).unwrap_or_default());
        }
        self.seen = true;
        Ok(())
    }

    /// Whether the row that was just found has the key of the last one.
    fn repeats(&self, row: &str) -> bool {
        let same = |((_, index, wire), last): (&(String, usize, Wire), &String)| {
            self.row.field(*index, row).is_some_and(|text| key::same(*wire, text, last))
        };
        self.seen && !self.shape.key.is_empty() && self.shape.key.iter().zip(&self.last_key).all(same)
    }

    fn repeated(&self, row: &str) -> SourceError {
        let names: Vec<&str> = self.shape.key.iter().map(|(name, ..)| name.as_str()).collect();
        let advice = "add a column to the key or make the view unique";
        match self.key_at(row) {
            Ok(key) => SourceError::Key {
                reason: format!("key {key} appears twice; `{}` does not tell rows apart: {advice}", names.join(", ")),
            },
            Err(error) => error,
        }
    }

    /// The key of the row that was just found.
    fn key_at(&self, row: &str) -> Result<Key, SourceError> {
        self.key_of(self.shape.key.iter().map(|(_, index, _)| self.row.field(*index, row)))
    }

    fn key_of<'a>(&self, fields: impl Iterator<Item = Option<&'a str>>) -> Result<Key, SourceError> {
        let value = |((name, _, wire), text): (&(String, usize, Wire), Option<&str>)| -> Result<KeyValue, SourceError> {
            key_value(*wire, text.unwrap_or_default())
                .map_err(|why| SourceError::Key { reason: format!("key column `{name}`: {why}") })
        };
        self.shape.key.iter().zip(fields).map(value).collect::<Result<_, _>>().map(Key)
    }

    /// Says which column and row hold a value that cannot be carried.
    fn blame(&self, row: &str, index: usize, reason: String) -> SourceError {
        let wanted = self.shape.columns.get(index).map(|column| &column.name);
        let key = || self.shape.key.iter().find(|(_, place, _)| *place == index).map(|(name, ..)| name);
        let column = wanted.or_else(key).cloned().unwrap_or_default();
        let key = match self.key_at(row) {
            Ok(key) if !key.0.is_empty() => key.to_string(),
            _ => "(none)".to_owned(),
        };
        SourceError::Value { column, key, reason }
    }

    /// Says which value of a row is not text: in a database with the encoding `SQL_ASCII` it may be anything.
    fn garbled(&mut self, row: &[u8]) -> SourceError {
        let mut fields = row.split(|byte| *byte == b'\t').map(std::str::from_utf8).enumerate();
        let bad = fields.find_map(|(index, text)| Some((index, text.err()?.valid_up_to())));
        let readable = String::from_utf8_lossy(row);
        match (bad, self.row.split(readable.as_bytes())) {
            (Some((index, at)), Ok(Found::Row(row))) => {
                self.blame(row, index, format!("the text is not valid UTF-8 at byte {at}; convert it in the view"))
            }
            _ => broken("the server sent a row that is not valid UTF-8"),
        }
    }

    /// Hands the page out; none without rows.
    ///
    /// # Errors
    /// When the page cannot be put together.
    pub(super) fn take(&mut self) -> Result<Option<Page>, SourceError> {
        if self.rows == 0 {
            return Ok(None);
        }
        let last_key = self.last_key()?.unwrap_or(Key(Vec::new()));
        let first_key = self.first_key.clone().unwrap_or(Key(Vec::new()));
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

fn broken(reason: &str) -> SourceError {
    SourceError::Failed { source_name: "PostgreSQL".to_owned(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests;
