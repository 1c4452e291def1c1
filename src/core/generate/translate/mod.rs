//! Pages into bytes, one translator per file. Pure: no I/O, no clock; the same page always gives the same bytes.
//!
//! A [`FileTranslator`] owns everything that makes one file's bytes. Inside it, a [`Translator`] writes records
//! from [`Rows`] into [`Records`]; the built-in ones are `delimited`, `fixed_width`, `json` and `template`, others
//! come from the [`Registry`]. What a single value looks like is decided in `cell`, and nowhere else.

mod budget;
mod calculus;
mod cell;
mod control;
mod date_format;
mod delimited;
mod doubts;
mod earlier;
mod encode;
mod exact;
mod field;
mod file;
mod file_forms;
mod fixed_width;
#[cfg(test)]
mod fixtures;
mod float_text;
mod form;
mod json;
mod json_text;
mod number_format;
mod pictures;
mod quoting;
mod record_template;
mod records;
mod registry;
mod rewrite;
mod rows;
mod scan;
mod short;
mod slices;
mod tally;
mod template;
mod texts;
mod totals;
mod values;
mod written;

pub use doubts::doubts;
pub use earlier::Change;
pub use file::{FileTranslator, Translated};
pub(crate) use fixed_width::record_bytes;
pub use form::is_of_booleans;
pub use records::Records;
pub use registry::Registry;
pub use rows::Rows;
pub use tally::Tally;

use crate::core::model::column::Column;
use arrow_array::RecordBatch;

/// Turns rows into records. Implement it to write a format of your own, and register it by name.
pub trait Translator: Send + Sync {
    /// Columns of the view that the records need, in the order in which `translate` will find them.
    fn columns(&self) -> Vec<String>;

    /// Called once when the columns' kinds are known, before the first page.
    ///
    /// # Errors
    /// When a column's kind does not fit what is to be done with it.
    fn bind(&mut self, columns: &[Column]) -> Result<(), TranslateError> {
        let _ = columns;
        Ok(())
    }

    /// Appends one record for each selected row, each closed by [`Records::end`].
    ///
    /// # Errors
    /// When a value cannot be written as the format demands; nothing of the page is kept then.
    fn translate(&mut self, rows: &Rows<'_>, records: &mut Records) -> Result<(), TranslateError>;
}

/// A value or setting that a translator cannot work with.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{reason}")]
pub struct TranslateError {
    /// Row of the page, when one is to blame; the flow puts the row's key in its place.
    pub row: Option<usize>,
    /// What is wrong, naming the column, and what to do.
    pub reason: String,
}

impl TranslateError {
    /// A setting that cannot work, whatever the rows hold.
    pub fn setting(reason: impl Into<String>) -> Self {
        Self { row: None, reason: reason.into() }
    }

    /// A value in `row` of the page that cannot be written.
    pub fn value(row: usize, reason: impl Into<String>) -> Self {
        Self { row: Some(row), reason: reason.into() }
    }
}

/// A value of a page in its default text form, for messages. `None` for NULL and for a value that has no text.
pub(super) fn text_of(batch: &RecordBatch, column: usize, row: usize) -> Option<String> {
    Rows { batch, mask: None }.text(column, row).map(std::borrow::Cow::into_owned)
}

/// The columns that a translator asks for, no name twice.
#[derive(Clone, Debug, Default)]
struct Columns(Vec<String>);

impl Columns {
    /// Where the column stands; at the end when it is new.
    fn place(&mut self, name: &str) -> usize {
        self.0.iter().position(|known| known == name).unwrap_or_else(|| {
            self.0.push(name.to_owned());
            self.0.len() - 1
        })
    }

    fn names(&self) -> Vec<String> {
        self.0.clone()
    }
}

/// A value as an error shows it: quoted, and cut where it is long.
fn shown(value: &str) -> String {
    const CHARS_SHOWN: usize = 40;
    match value.char_indices().nth(CHARS_SHOWN) {
        None => format!("{value:?}"),
        Some((cut, _)) => format!("{:?}… ({} characters)", &value[..cut], value.chars().count()),
    }
}
