//! Values in fields of fixed width, counted in bytes or in characters. NULL is written as blanks, unless the column names a text for
//! it.

use super::cell::{Bound, Cell};
use super::field::{Fit, Fitted, fixed_literal, too_wide};
use super::records::Records;
use super::rows::Rows;
use super::scan::Scan;
use super::{Columns, TranslateError, Translator};
use crate::core::generate::spec::{
    ColumnSpec, Encoding, FileSpec, FixedWidthSpec, From, OnOverflow, TranslatorSpec, WidthIn,
};
use crate::core::model::column::Column;
use arrow_array::RecordBatch;

/// Writes records of fixed width.
pub(super) struct FixedWidth {
    columns: Columns,
    fields: Vec<Field>,
    newline: String,
}

/// One field of the record.
enum Field {
    /// Ready bytes, padded.
    Literal(Vec<u8>),
    Value(Cell, Fit),
}

/// One field with a page's values.
enum PageField<'a> {
    Literal(&'a [u8]),
    Value {
        bound: Bound<'a>,
        fit: &'a Fit,
        /// Whether no value of the page can hold a line break or NUL.
        clean: bool,
    },
}

impl FixedWidth {
    /// Checks the whole specification.
    ///
    /// # Errors
    /// What cannot work.
    pub(super) fn new(
        spec: &FixedWidthSpec,
        newline: &str,
        encoding: Encoding,
        on_overflow: OnOverflow,
    ) -> Result<Self, TranslateError> {
        // Every other encoding has one byte a character.
        let in_bytes = encoding == Encoding::Utf8 && spec.width_in == WidthIn::Bytes;
        let fit = |column: &ColumnSpec| {
            let fit = Fit::new(column, on_overflow)?;
            if in_bytes { fit.map(Fit::in_bytes).transpose() } else { Ok(fit) }
        };
        if newline.is_empty() && encoding == Encoding::Utf8 && !in_bytes {
            return Err(TranslateError::setting(
                "`newline` is `none`, so records are told apart by their length: write `width_in: bytes`",
            ));
        }
        if spec.columns.is_empty() {
            return Err(TranslateError::setting("`columns` is empty; name at least one"));
        }
        let mut translator = Self { columns: Columns::default(), fields: Vec::new(), newline: newline.to_owned() };
        for (at, column) in spec.columns.iter().enumerate() {
            let field = match &column.from {
                From::Literal(text) => {
                    let wrong = |why: &str| TranslateError::setting(format!("literal {text:?} {why}"));
                    translator.check(text.as_bytes()).map_err(|what| wrong(&format!("holds {what}")))?;
                    let fit = fit(column).map_err(|why| wrong(&why))?;
                    Field::Literal(fixed_literal(text, fit)?)
                }
                From::Column(name) => {
                    let wrong = |why: &str| TranslateError::setting(format!("column `{name}` {why}"));
                    if spec.columns[..at].contains(column) {
                        return Err(wrong("stands in `columns` twice"));
                    }
                    let fit = fit(column).map_err(|why| wrong(&why))?;
                    let fit = fit.ok_or_else(|| wrong("has no width; give it one, as in `width: 12`"))?;
                    if let Some(null) = &column.null {
                        translator.check(null.as_bytes()).map_err(|what| wrong(&format!("writes NULL with {what}")))?;
                    }
                    Field::Value(Cell::new(column, name, translator.columns.place(name))?, fit)
                }
            };
            translator.fields.push(field);
        }
        Ok(translator)
    }

    /// Says what in a value would break the record.
    fn check(&self, value: &[u8]) -> Result<(), &'static str> {
        if value.contains(&0) {
            return Err("a NUL byte");
        }
        let newline = self.newline.as_bytes();
        let broken = value.iter().any(|byte| matches!(byte, b'\r' | b'\n'))
            || value.windows(newline.len().max(1)).any(|part| part == newline);
        if broken { Err("a line break") } else { Ok(()) }
    }

    fn page_fields<'a>(&'a self, batch: &'a RecordBatch) -> Result<Vec<PageField<'a>>, TranslateError> {
        let newline = self.newline.bytes().next().unwrap_or_default();
        let scan = Scan::new([newline; 3]);
        // A line end of letters or digits could even stand in a number.
        let newline_is_control = newline.is_ascii_control();
        let mut fields = Vec::with_capacity(self.fields.len());
        for field in &self.fields {
            fields.push(match field {
                Field::Literal(bytes) => PageField::Literal(bytes),
                Field::Value(cell, fit) => {
                    let bound = cell.values(batch)?;
                    let clean = (cell.is_simple() && newline_is_control)
                        || bound.unchanged_texts().is_some_and(|texts| scan.is_clean(texts));
                    PageField::Value { bound, fit, clean }
                }
            });
        }
        Ok(fields)
    }

    /// Appends one value. Returns whether it was cut.
    #[inline]
    fn push_value(
        &self,
        bound: &Bound<'_>,
        fit: &Fit,
        clean: bool,
        row: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, TranslateError> {
        let start = out.len();
        let cell = bound.cell();
        let is_null = bound.is_null(row);
        if is_null {
            let Some(null) = cell.null() else {
                fit.push_blanks(out);
                return Ok(false);
            };
            out.extend_from_slice(null.as_bytes());
        } else {
            bound.push(row, out)?;
            if !clean {
                self.check(out.get(start..).unwrap_or_default()).map_err(|what| {
                    cell.error(row, &format!("holds {what}, which would break the record; take it out in the view"))
                })?;
            }
        }
        let is_cut = match fit.apply(out, start, cell.fits_as_number(is_null)) {
            Fitted::Whole => false,
            Fitted::Cut => true,
            Fitted::TooWide(chars) => {
                return Err(too_wide(cell, row, out.get(start..).unwrap_or_default(), chars, fit));
            }
        };
        if !is_null && let Some(null) = cell.reserved() {
            let mut field = null.as_bytes().to_vec();
            fit.apply(&mut field, 0, false);
            if out.get(start..) == Some(&field) {
                let advice = "choose another `null`, or say in the view what stands for NULL, as in `COALESCE`";
                return Err(cell.refuse_null(row, &field, advice));
            }
        }
        Ok(is_cut)
    }
}

/// Bytes of every record, for a file without line ends. `None` for a file with line ends.
pub(crate) fn record_bytes(spec: &FileSpec) -> Option<u64> {
    let TranslatorSpec::FixedWidth(fixed) = &spec.translator else { return None };
    if !spec.newline.is_empty() {
        return None;
    }
    let bytes = |column: &ColumnSpec| match (&column.from, column.width) {
        (_, Some(width)) => u64::from(width),
        (From::Literal(text), None) if spec.encoding == Encoding::Utf8 => text.len() as u64,
        (From::Literal(text), None) => text.chars().count() as u64,
        (From::Column(_), None) => 0,
    };
    Some(fixed.columns.iter().map(bytes).sum())
}

impl Translator for FixedWidth {
    fn columns(&self) -> Vec<String> {
        self.columns.names()
    }

    fn bind(&mut self, columns: &[Column]) -> Result<(), TranslateError> {
        self.fields.iter_mut().try_for_each(|field| match field {
            Field::Literal(_) => Ok(()),
            Field::Value(cell, _) => cell.bind(columns),
        })
    }

    fn translate(&mut self, rows: &Rows<'_>, records: &mut Records) -> Result<(), TranslateError> {
        let fields = self.page_fields(rows.batch)?;
        for row in rows.iter() {
            let out = records.text();
            let mut cut: Vec<&str> = Vec::new();
            for field in &fields {
                match field {
                    PageField::Literal(bytes) => out.extend_from_slice(bytes),
                    PageField::Value { bound, fit, clean } => {
                        if self.push_value(bound, fit, *clean, row, out)? {
                            cut.push(bound.cell().name());
                        }
                    }
                }
            }
            for column in cut {
                records.count_cut(column, row);
            }
            records.end(row)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
