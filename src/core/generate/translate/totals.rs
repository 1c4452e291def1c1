//! Control totals: exact sums of columns, page by page. NULL adds nothing.

use super::TranslateError;
use super::decimal::{Decimal, push_scaled, with_float_text};
use super::rows::Rows;
use super::values::Values;
use crate::core::model::column::{Column, Kind};
use std::collections::BTreeMap;

/// The sums of one file.
#[derive(Debug, Default)]
pub(super) struct Totals {
    sums: Vec<Sum>,
}

/// The sum of one column so far. Its scale is the largest of all values', so it does not depend on their order.
#[derive(Debug)]
struct Sum {
    name: String,
    kind: Kind,
    value: i128,
    scale: u32,
}

/// Digits that 128 bits always hold.
const SCALE_MAX: u32 = 38;

impl Totals {
    /// Sums of the columns `names`, going on from `start`.
    ///
    /// # Errors
    /// When a column holds no numbers, or `start` is not one.
    pub(super) fn new(
        names: &[String],
        columns: &[Column],
        start: &BTreeMap<String, String>,
    ) -> Result<Self, TranslateError> {
        let mut sums = Vec::with_capacity(names.len());
        for name in names {
            let wrong = |why: &str| TranslateError::setting(format!("the sum of column `{name}` {why}"));
            let column = columns.iter().find(|column| column.name == *name);
            let kind = column.ok_or_else(|| wrong("needs a column that the view does not have"))?.kind;
            if !kind.is_number() {
                return Err(wrong(&format!("cannot be made: the column is {}", kind.describe())));
            }
            let (value, scale) = match start.get(name) {
                Some(text) => Decimal::parse(text.as_bytes())
                    .and_then(|number| number.scaled())
                    .ok_or_else(|| wrong(&format!("cannot go on from `{text}`, which is no number")))?,
                None => match kind {
                    Kind::Decimal { scale, .. } => (0, u32::try_from(scale).unwrap_or_default()),
                    _ => (0, 0),
                },
            };
            sums.push(Sum { name: name.clone(), kind, value, scale });
        }
        Ok(Self { sums })
    }

    /// Adds the selected rows; the columns stand in `rows` at `places`, in the order of the names.
    ///
    /// # Errors
    /// When a value is no number, or a sum outgrows 38 digits.
    pub(super) fn add(&mut self, rows: &Rows<'_>, places: &[usize]) -> Result<(), TranslateError> {
        for (sum, place) in self.sums.iter_mut().zip(places) {
            let values = rows.batch.columns().get(*place).and_then(|array| Values::of(array, sum.kind));
            let values = values.ok_or_else(|| {
                TranslateError::setting(format!("column `{}` is not of the announced type", sum.name))
            })?;
            for row in rows.iter() {
                if !values.is_null(row) {
                    sum.add(&values, row)
                        .map_err(|why| TranslateError::value(row, format!("the sum of column `{}` {why}", sum.name)))?;
                }
            }
        }
        Ok(())
    }

    /// The sums so far, in plain notation.
    pub(super) fn texts(&self) -> BTreeMap<String, String> {
        self.sums.iter().map(|sum| (sum.name.clone(), sum.text())).collect()
    }
}

impl Sum {
    #[inline]
    fn add(&mut self, values: &Values<'_>, row: usize) -> Result<(), String> {
        match values {
            Values::Int(array) => self.add_scaled(array.value(row).into(), 0),
            Values::Decimal(array, scale) => self.add_scaled(array.value(row), (*scale).into()),
            Values::Float32(array) => with_float_text(array.value(row), |text| self.add_float(text)).unwrap_or(None),
            Values::Float64(array) => with_float_text(array.value(row), |text| self.add_float(text)).unwrap_or(None),
            Values::Text(array) => self.add_text(array.value(row).as_bytes()),
            _ => None,
        }
        .ok_or_else(|| {
            "cannot be made exactly: a value is no finite number, or the sum has more than 38 digits".to_owned()
        })
    }

    fn add_text(&mut self, text: &[u8]) -> Option<()> {
        let (value, scale) = Decimal::parse(text)?.scaled()?;
        self.add_scaled(value, scale)
    }

    /// A whole float's `.0` says nothing about its scale.
    fn add_float(&mut self, text: &[u8]) -> Option<()> {
        self.add_text(text.strip_suffix(b".0").unwrap_or(text))
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
