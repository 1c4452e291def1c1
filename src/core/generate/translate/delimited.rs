//! Values between delimiters, RFC 4180 when quoted.
//!
//! Without quotes, NULL and an empty text are the same bytes, unless the column names a text for NULL (`null:`). A record that would
//! be an empty line is refused, because readers skip it. A column with `null: ""` allows it.

use super::cell::{Bound, Cell};
use super::field::{Fit, Fitted, fixed_literal, too_wide};
use super::quoting::Quoting;
use super::records::Records;
use super::rows::Rows;
use super::{Columns, TranslateError, Translator};
use crate::core::generate::spec::{ColumnSpec, DelimitedSpec, From, OnOverflow, Quote};
use crate::core::model::column::Column;
use arrow_array::RecordBatch;

/// Writes delimited records.
pub(super) struct Delimited {
    delimiter: String,
    quoting: Quoting,
    /// Of the last value.
    last: Quoting,
    /// For numbers, where they are quoted otherwise than other values.
    number_quoting: Option<Quoting>,
    columns: Columns,
    items: Vec<Item>,
    /// Whether a record may be an empty line.
    may_be_empty: bool,
}

/// One value of the record.
enum Item {
    /// Ready bytes, quoted where that is needed.
    Literal(Vec<u8>),
    Value(Cell, Option<Fit>),
}

/// One value of the record with a page's values.
enum PageItem<'a> {
    Literal(&'a [u8]),
    Value { bound: Bound<'a>, fit: Option<&'a Fit>, quoting: &'a Quoting, care: Care },
}

/// How much care the values of one column need in one page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Care {
    /// No care: no value can hold anything special or be empty.
    None,
    /// Only empty texts.
    Empty,
    /// Each value is looked at.
    Each,
}

impl Delimited {
    /// Checks the whole specification.
    ///
    /// # Errors
    /// What cannot work.
    pub(super) fn new(spec: &DelimitedSpec, newline: &str, on_overflow: OnOverflow) -> Result<Self, TranslateError> {
        let quoting = Quoting::new(spec, newline)?;
        if spec.columns.is_empty() {
            return Err(TranslateError::setting("`columns` is empty; name at least one"));
        }
        let last = quoting.of_last();
        let mut columns = Columns::default();
        let mut items = Vec::new();
        for (at, column) in spec.columns.iter().enumerate() {
            let quoting = if at + 1 == spec.columns.len() { &last } else { &quoting };
            items.push(match &column.from {
                From::Literal(text) => {
                    let fit = Fit::new(column, on_overflow)
                        .map_err(|why| TranslateError::setting(format!("literal {text:?} {why}")))?;
                    Item::Literal(quoting.literal(fixed_literal(text, fit)?)?)
                }
                From::Column(name) => {
                    if spec.columns[..at].contains(column) {
                        return Err(TranslateError::setting(format!("column `{name}` stands in `columns` twice")));
                    }
                    let wrong = |why| TranslateError::setting(format!("column `{name}` {why}"));
                    let fit = Fit::new(column, on_overflow).map_err(wrong)?;
                    column.null.as_deref().map_or(Ok(()), |null| quoting.check_null(null)).map_err(wrong)?;
                    Item::Value(Cell::new(column, name, columns.place(name))?, fit)
                }
            });
        }
        let may_be_empty =
            spec.columns.len() > 1 || spec.columns.iter().any(|column| column.null.as_deref() == Some(""));
        let number_quoting = (spec.quote == Quote::NonNumeric).then(|| quoting.for_numbers());
        Ok(Self { delimiter: spec.delimiter.clone(), quoting, last, number_quoting, columns, items, may_be_empty })
    }

    fn page_items<'a>(&'a self, batch: &'a RecordBatch) -> Result<Vec<PageItem<'a>>, TranslateError> {
        let scan = self.quoting.scan();
        let mut items = Vec::with_capacity(self.items.len());
        for (at, item) in self.items.iter().enumerate() {
            items.push(match item {
                Item::Literal(bytes) => PageItem::Literal(bytes),
                Item::Value(cell, fit) => {
                    let bound = cell.values(batch)?;
                    let of_numbers = self.number_quoting.as_ref().filter(|_| cell.is_number());
                    let of_texts = if at + 1 == self.items.len() { &self.last } else { &self.quoting };
                    let quoting = of_numbers.unwrap_or(of_texts);
                    let as_it_is = fit.is_none() && cell.null().is_none();
                    let clean = |texts| as_it_is && scan.is_clean(texts);
                    let care = if as_it_is && cell.is_simple() && quoting.spares_simple_values() {
                        // A byte string may be empty; everything else has at least one character.
                        if bound.can_be_empty() { Care::Empty } else { Care::None }
                    } else if quoting.spares_clean_texts() && bound.unchanged_texts().is_some_and(clean) {
                        Care::Empty
                    } else {
                        Care::Each
                    };
                    PageItem::Value { bound, fit: fit.as_ref(), quoting, care }
                }
            });
        }
        Ok(items)
    }
}

impl Translator for Delimited {
    fn columns(&self) -> Vec<String> {
        self.columns.names()
    }

    fn bind(&mut self, columns: &[Column]) -> Result<(), TranslateError> {
        self.items.iter_mut().try_for_each(|item| match item {
            Item::Literal(_) => Ok(()),
            Item::Value(cell, _) => cell.bind(columns),
        })
    }

    fn translate(&mut self, rows: &Rows<'_>, records: &mut Records) -> Result<(), TranslateError> {
        let items = self.page_items(rows.batch)?;
        let delimiter = self.delimiter.as_bytes();
        for row in rows.iter() {
            let out = records.text();
            let start = out.len();
            let mut cut: Vec<&str> = Vec::new();
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    match delimiter {
                        [one] => out.push(*one),
                        more => out.extend_from_slice(more),
                    }
                }
                match item {
                    PageItem::Literal(bytes) => out.extend_from_slice(bytes),
                    PageItem::Value { bound, fit, quoting, care } => {
                        if push_value(quoting, bound, *fit, *care, row, out)? {
                            cut.push(bound.cell().name());
                        }
                    }
                }
            }
            if !self.may_be_empty && out.len() == start {
                return Err(TranslateError::value(
                    row,
                    "makes an empty line, which readers skip; give the column a `null`, or say that NULL is nothing with \
                     `null: \"\"`; an empty text needs `quote: minimal`",
                ));
            }
            for column in cut {
                records.count_cut(column, row);
            }
            records.end(row)?;
        }
        Ok(())
    }
}

/// Appends one value. Returns whether it was cut.
#[inline]
fn push_value(
    quoting: &Quoting,
    bound: &Bound<'_>,
    fit: Option<&Fit>,
    care: Care,
    row: usize,
    out: &mut Vec<u8>,
) -> Result<bool, TranslateError> {
    let start = out.len();
    let is_null = bound.is_null(row);
    if is_null {
        let Some(null) = bound.cell().null() else { return Ok(false) };
        out.extend_from_slice(null.as_bytes());
    } else {
        bound.push(row, out)?;
        let value = out.get(start..).unwrap_or_default();
        if care == Care::None || (care == Care::Empty && !value.is_empty() && !quoting.is_odd(value)) {
            return Ok(false);
        }
    }
    let mut cut = false;
    if let Some(fit) = fit {
        match fit.apply(out, start, bound.cell().fits_as_number(is_null)) {
            Fitted::Whole => {}
            Fitted::Cut => cut = true,
            Fitted::TooWide(chars) => {
                return Err(too_wide(bound.cell(), row, out.get(start..).unwrap_or_default(), chars, fit));
            }
        }
    }
    if !is_null {
        let cell = bound.cell();
        // Only quotes tell a number from its like in NULL's place, and where there are none nothing need.
        let null = if quoting.tells_null() { cell.null() } else { cell.reserved() };
        match (null, fit) {
            (Some(null), Some(fit)) => {
                let mut fitted = null.as_bytes().to_vec();
                fit.apply(&mut fitted, 0, false);
                quoting.finish(out, start, Some(&String::from_utf8_lossy(&fitted)))
            }
            (null, _) => quoting.finish(out, start, null),
        }
        .map_err(|why| cell.error(row, &why))?;
    }
    Ok(cut)
}

/// The line of column names, for files that begin with one.
///
/// # Errors
/// When a name stands there twice, or would break the line.
pub(super) fn names_line(spec: &DelimitedSpec, newline: &str) -> Result<Option<String>, TranslateError> {
    if !spec.names {
        return Ok(None);
    }
    let quoting = Quoting::new(spec, newline)?;
    let last = quoting.of_last();
    let mut line = Vec::new();
    let names: Vec<&str> = spec.columns.iter().map(name).collect();
    for (at, name) in names.iter().enumerate() {
        if !name.is_empty() && names[..at].contains(name) {
            return Err(TranslateError::setting(format!(
                "two columns are named `{name}` in the line of names; give one another `name`"
            )));
        }
        if at > 0 {
            line.extend_from_slice(spec.delimiter.as_bytes());
        }
        let quoting = if at + 1 == names.len() { &last } else { &quoting };
        line.extend_from_slice(&quoting.literal(name.as_bytes().to_vec())?);
    }
    Ok(String::from_utf8(line).ok())
}

/// The name of a value: its own, or its column's; a literal has none.
fn name(column: &ColumnSpec) -> &str {
    match (&column.name, &column.from) {
        (Some(name), _) | (None, From::Column(name)) => name,
        (None, From::Literal(_)) => "",
    }
}

#[cfg(test)]
mod tests;
