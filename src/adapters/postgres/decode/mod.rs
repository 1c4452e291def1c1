//! Binary `COPY` rows into pages: cut by rows and bytes, each value decoded once, in place.

mod civil;
mod column;
mod key;
mod numeric;

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
use std::sync::Arc;

/// What a binary `COPY` starts with; flags and the length of an extension follow.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
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

/// A field's place in a row; NULL where the length is negative.
#[derive(Clone, Copy)]
struct Place {
    start: usize,
    length: i32,
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
    last_key: Vec<Vec<u8>>,
    places: Vec<Place>,
    begun: bool,
    ended: bool,
    /// Rows that this copy may still add; none: all it has.
    left: Option<u64>,
    /// Whether the copy had a row more than it may add.
    more: bool,
}

/// How far a row could be read.
enum Read {
    /// So many bytes of a row.
    Row(usize),
    /// The row goes on in the next piece.
    Cut,
    /// The end mark.
    End,
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
            last_key: vec![Vec::new(); shape.key.len()],
            places: Vec::new(),
            begun: false,
            ended: false,
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
        let fields = self.last_key.iter().map(|bytes| Some(bytes.as_slice()));
        self.key_of(fields).map(Some)
    }

    /// Expects the head of another `COPY` next, of which at most so many rows are taken. A row behind those is only looked
    /// at: it must not have the key of the one before, which the next copy would pass over in silence.
    pub(super) fn begin_copy(&mut self, rows: Option<u64>) {
        (self.begun, self.ended, self.more) = (false, false, false);
        self.left = rows;
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
        if !self.begun {
            let Some(head) = head(data).map_err(broken)? else { return Ok(0) };
            used = head;
            self.begun = true;
        }
        while !self.ended && (self.has_all() || !self.is_full()) {
            let rest = data.get(used..).unwrap_or_default();
            match self.split(rest).map_err(broken)? {
                Read::Row(length) if self.has_all() => {
                    if self.repeats(rest) {
                        return Err(self.repeated(rest));
                    }
                    self.more = true;
                    used += length;
                }
                Read::Row(length) => {
                    self.row(rest)?;
                    self.bytes += length as u64;
                    self.left = self.left.map(|left| left - 1);
                    used += length;
                }
                Read::Cut => break,
                Read::End => {
                    self.ended = true;
                    used = data.len();
                }
            }
        }
        Ok(used)
    }

    /// Finds the fields of the next row.
    fn split(&mut self, data: &[u8]) -> Result<Read, &'static str> {
        self.places.clear();
        let Some((count, mut rest)) = data.split_first_chunk::<2>() else { return Ok(Read::Cut) };
        let count = i16::from_be_bytes(*count);
        if count == -1 {
            return Ok(Read::End);
        }
        for _ in 0..count {
            let Some((length, behind)) = rest.split_first_chunk::<4>() else { return Ok(Read::Cut) };
            let length = i32::from_be_bytes(*length);
            let start = data.len() - behind.len();
            self.places.push(Place { start, length });
            let Some(next) = behind.get(usize::try_from(length).unwrap_or(0)..) else { return Ok(Read::Cut) };
            rest = next;
        }
        let least = (self.shape.first_mask + self.shape.masks).max(1);
        if self.places.len() != least {
            return Err("the server sent a row with another number of columns than asked for");
        }
        Ok(Read::Row(data.len() - rest.len()))
    }

    /// Takes the row whose places were just found.
    fn row(&mut self, data: &[u8]) -> Result<(), SourceError> {
        self.check_key(data)?;
        for index in 0..self.columns.len() {
            let bytes = self.places.get(index).and_then(|place| place.of(data));
            let Some(column) = self.columns.get_mut(index) else { break };
            match bytes.map(|bytes| column.push(bytes)) {
                None => column.push_null(),
                Some(Ok(())) => {}
                Some(Err(reason)) => return Err(self.blame(data, index, reason)),
            }
        }
        for (mask, place) in self.masks.iter_mut().zip(self.places.get(self.shape.first_mask..).unwrap_or_default()) {
            mask.append_value(place.of(data).is_some_and(|bytes| bytes.iter().any(|byte| *byte != 0)));
        }
        if self.rows == 0 && !self.shape.key.is_empty() {
            self.first_key = Some(self.key_at(data)?);
        }
        self.rows += 1;
        Ok(())
    }

    /// Sees that the row's key has a value and is not that of the row before, and keeps it.
    fn check_key(&mut self, data: &[u8]) -> Result<(), SourceError> {
        let key = self.shape.key.iter();
        let is_null = |index: usize| self.places.get(index).is_none_or(|place| place.length < 0);
        if let Some((name, ..)) = key.clone().find(|(_, index, _)| is_null(*index)) {
            let behind = self.last_key()?.map(|key| format!(", behind the row with key {key}")).unwrap_or_default();
            return Err(SourceError::Key {
                reason: format!("key column `{name}` is NULL in a row{behind}; {NULL_KEY}"),
            });
        }
        if self.repeats(data) {
            return Err(self.repeated(data));
        }
        for ((_, index, _), last) in self.shape.key.iter().zip(&mut self.last_key) {
            let bytes = self.places.get(*index).and_then(|place| place.of(data)).unwrap_or_default();
            last.clear();
            last.extend_from_slice(bytes);
        }
        self.seen = true;
        Ok(())
    }

    /// Whether the row whose places were just found has the key of the last one.
    fn repeats(&self, data: &[u8]) -> bool {
        let same = |((_, index, wire), last): (&(String, usize, Wire), &Vec<u8>)| {
            self.places.get(*index).and_then(|place| place.of(data)).is_some_and(|bytes| key::same(*wire, bytes, last))
        };
        self.seen && !self.shape.key.is_empty() && self.shape.key.iter().zip(&self.last_key).all(same)
    }

    fn repeated(&self, data: &[u8]) -> SourceError {
        let names: Vec<&str> = self.shape.key.iter().map(|(name, ..)| name.as_str()).collect();
        let advice = "add a column to the key or make the view unique";
        match self.key_at(data) {
            Ok(key) => SourceError::Key {
                reason: format!("key {key} appears twice; `{}` does not tell rows apart: {advice}", names.join(", ")),
            },
            Err(error) => error,
        }
    }

    /// The key of the row whose places were just found.
    fn key_at(&self, data: &[u8]) -> Result<Key, SourceError> {
        self.key_of(self.shape.key.iter().map(|(_, index, _)| self.places.get(*index).and_then(|place| place.of(data))))
    }

    fn key_of<'a>(&self, fields: impl Iterator<Item = Option<&'a [u8]>>) -> Result<Key, SourceError> {
        let value =
            |((name, _, wire), bytes): (&(String, usize, Wire), Option<&[u8]>)| -> Result<KeyValue, SourceError> {
                key_value(*wire, bytes.unwrap_or_default())
                    .map_err(|why| SourceError::Key { reason: format!("key column `{name}`: {why}") })
            };
        self.shape.key.iter().zip(fields).map(value).collect::<Result<_, _>>().map(Key)
    }

    /// Says which column and row hold a value that cannot be carried.
    fn blame(&self, data: &[u8], index: usize, reason: String) -> SourceError {
        let column = self.shape.columns.get(index).map(|column| column.name.clone()).unwrap_or_default();
        let key = match self.key_at(data) {
            Ok(key) if !key.0.is_empty() => key.to_string(),
            _ => "(none)".to_owned(),
        };
        SourceError::Value { column, key, reason }
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

impl Place {
    fn of<'a>(&self, data: &'a [u8]) -> Option<&'a [u8]> {
        let length = usize::try_from(self.length).ok()?;
        data.get(self.start..self.start + length)
    }
}

/// Bytes of the head; none while it is not all there.
fn head(data: &[u8]) -> Result<Option<usize>, &'static str> {
    let fixed = SIGNATURE.len() + 8;
    let Some(start) = data.get(..fixed) else { return Ok(None) };
    if !start.starts_with(SIGNATURE) {
        return Err("the server's answer is no binary COPY");
    }
    let extension = start.last_chunk::<4>().map_or(0, |length| u32::from_be_bytes(*length));
    let length = fixed + extension as usize;
    Ok((data.len() >= length).then_some(length))
}

fn broken(reason: &str) -> SourceError {
    SourceError::Failed { source_name: "PostgreSQL".to_owned(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests;
