//! Control totals: exact sums of columns, page by page, of the values as the file writes them. NULL adds nothing, unless the file
//! writes a number in its place. The total of a boolean is the number of its true values.

use super::TranslateError;
use super::float_text::with_float_text;
use super::rows::Rows;
use super::values::Values;
use super::written::Written;
use crate::core::model::column::{Column, Kind};
use crate::core::model::decimal::{Digits, push_scaled};
use std::collections::BTreeMap;

/// What is to be added up.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// The total's name: the column's, or `source_sum.` and the column's.
    pub(super) name: String,
    /// The column.
    pub(super) column: String,
    /// How the file writes it. The default stands for the source's own values.
    pub(super) written: Written,
}

/// The sums of one file.
#[derive(Debug, Default)]
pub(super) struct Totals {
    sums: Vec<Sum>,
}

/// The sum of one column so far. Its scale is the largest of all values', so it does not depend on their order.
#[derive(Debug)]
struct Sum {
    wanted: Wanted,
    kind: Kind,
    value: i128,
    scale: u32,
}

/// Digits that 128 bits always hold.
const SCALE_MAX: u32 = 38;

impl Totals {
    /// Sums that go on from `start`.
    ///
    /// # Errors
    /// When a column holds nothing that can be added up, or `start` is no number.
    pub(super) fn new(
        wanted: &[Wanted],
        columns: &[Column],
        start: &BTreeMap<String, String>,
    ) -> Result<Self, TranslateError> {
        let mut sums = Vec::with_capacity(wanted.len());
        for wanted in wanted {
            let name = &wanted.column;
            let wrong = |why: &str| TranslateError::setting(format!("the sum of column `{name}` {why}"));
            let column = columns.iter().find(|column| column.name == *name);
            let kind = column.ok_or_else(|| wrong("needs a column that the view does not have"))?.kind;
            let is_number = kind.is_number() || kind == Kind::Text && wanted.written.format.is_some();
            if !is_number && kind != Kind::Bool {
                return Err(wrong(&format!("cannot be made: {}", refusal(kind))));
            }
            let mut sum = Sum { wanted: wanted.clone(), kind, value: 0, scale: scale_min(kind, &wanted.written) };
            if let Some(text) = start.get(&wanted.name) {
                Digits::parse(text.as_bytes())
                    .and_then(|number| number.scaled())
                    .and_then(|(value, scale)| sum.add_scaled(value, scale))
                    .ok_or_else(|| wrong(&format!("cannot go on from `{text}`, which is no number")))?;
            }
            sums.push(sum);
        }
        Ok(Self { sums })
    }

    /// Adds the selected rows; the columns stand in `rows` at `places`, in the order of what is wanted.
    ///
    /// # Errors
    /// When a value is no number, or a sum outgrows 38 digits.
    pub(super) fn add(&mut self, rows: &Rows<'_>, places: &[usize]) -> Result<(), TranslateError> {
        for (sum, place) in self.sums.iter_mut().zip(places) {
            let values = rows.batch.columns().get(*place).and_then(|array| Values::of(array, sum.kind));
            let values = values.ok_or_else(|| {
                TranslateError::setting(format!("column `{}` is not of the announced type", sum.wanted.column))
            })?;
            for row in rows.iter() {
                let added = if values.is_null(row) { sum.add_null() } else { sum.add(&values, row) };
                added.ok_or_else(|| {
                    let why = "cannot be made exactly: a value is no finite number, or the sum has more than 38 digits";
                    TranslateError::value(row, format!("the sum of column `{}` {why}", sum.wanted.column))
                })?;
            }
        }
        Ok(())
    }

    /// The sums so far, in plain notation.
    pub(super) fn texts(&self) -> BTreeMap<String, String> {
        self.sums.iter().map(|sum| (sum.wanted.name.clone(), sum.text())).collect()
    }
}

/// Digits behind the point of a total of nothing.
fn scale_min(kind: Kind, written: &Written) -> u32 {
    match (&written.format, kind) {
        (_, Kind::Bool) => 0,
        (Some(format), _) => format.scale_min(),
        (None, Kind::Decimal { scale, .. } | Kind::DecimalText { scale, .. }) => {
            u32::try_from(scale).unwrap_or_default()
        }
        (None, _) => 0,
    }
}

/// Why a kind cannot be added up, and what to write instead.
fn refusal(kind: Kind) -> String {
    let advice = match kind {
        Kind::Text => {
            "; cast it to a number in the view (an interval with `extract(epoch from …)`), or give the column a number's \
             format, as in `format: \"0.00\"`"
        }
        _ => "; only numbers are added up, and of a boolean the true ones are counted",
    };
    format!("the column is {}{advice}", kind.describe())
}

impl Sum {
    #[inline]
    fn add(&mut self, values: &Values<'_>, row: usize) -> Option<()> {
        match values {
            Values::Bool(array) => self.add_scaled(array.value(row).into(), 0),
            Values::Int(array) => self.add_written(array.value(row).into(), 0),
            Values::Decimal(array, scale) => self.add_written(array.value(row), (*scale).into()),
            Values::Float32(array) => with_float_text(array.value(row), |text| self.add_float(text)).flatten(),
            Values::Float64(array) => with_float_text(array.value(row), |text| self.add_float(text)).flatten(),
            Values::Text(array) => self.add_text(self.wanted.written.text(array, row)),
            _ => None,
        }
    }

    fn add_null(&mut self) -> Option<()> {
        let written = &self.wanted.written;
        match (self.kind, written.null) {
            (Kind::Bool, _) => self.add_scaled(written.null_is_true.into(), 0),
            (_, Some((value, scale))) => self.add_scaled(value, scale),
            (_, None) => Some(()),
        }
    }

    fn add_text(&mut self, text: &[u8]) -> Option<()> {
        let (value, scale) = self.wanted.written.number(Digits::parse(text)?)?;
        self.add_scaled(value, scale)
    }

    /// A whole float's `.0` says nothing about its scale.
    fn add_float(&mut self, text: &[u8]) -> Option<()> {
        self.add_text(text.strip_suffix(b".0").unwrap_or(text))
    }

    #[inline]
    fn add_written(&mut self, value: i128, scale: u32) -> Option<()> {
        let (value, scale) = self.wanted.written.scaled(value, scale)?;
        self.add_scaled(value, scale)
    }

    #[inline]
    fn add_scaled(&mut self, value: i128, scale: u32) -> Option<()> {
        if scale > SCALE_MAX {
            return None;
        }
        let mut value = value;
        if scale > self.scale {
            self.value = self.value.checked_mul(10_i128.checked_pow(scale - self.scale)?)?;
            self.scale = scale;
        } else if scale < self.scale {
            value = value.checked_mul(10_i128.checked_pow(self.scale - scale)?)?;
        }
        self.value = self.value.checked_add(value)?;
        Some(())
    }

    fn text(&self) -> String {
        let mut out = Vec::new();
        push_scaled(&mut out, self.value, self.scale.try_into().unwrap_or_default());
        String::from_utf8(out).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
