//! The rows of one page, as a translator sees them.

use super::values::Values;
use arrow_array::{Array as _, BooleanArray, RecordBatch};
use std::borrow::Cow;

/// The rows of one page that belong to one file.
#[derive(Debug)]
pub struct Rows<'a> {
    /// The columns asked for, in the order asked.
    pub batch: &'a RecordBatch,
    /// True where the row belongs to the file. `None`: every row does.
    pub mask: Option<&'a BooleanArray>,
}

impl Rows<'_> {
    /// The rows that belong to the file, in order, as their index in the page.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.batch.num_rows()).filter(|row| self.has(*row))
    }

    /// Whether the row belongs to the file.
    #[inline]
    pub fn has(&self, row: usize) -> bool {
        self.mask.is_none_or(|mask| row < mask.len() && mask.is_valid(row) && mask.value(row))
    }

    /// The value of the `column`th column asked for, in its default text form: `12.50`, `2026-11-21`, `true`. `None` for
    /// NULL, and for a column, row or value that there is no text for.
    pub fn text(&self, column: usize, row: usize) -> Option<Cow<'_, str>> {
        let values =
            Values::of_field(self.batch.columns().get(column)?, self.batch.schema_ref().fields().get(column)?)?;
        if values.is_null(row) {
            return None;
        }
        if let Values::Text(texts) = values {
            return Some(Cow::Borrowed(texts.value(row)));
        }
        let mut text = Vec::new();
        values.push(row, &mut text).ok()?;
        String::from_utf8(text).ok().map(Cow::Owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::column::Kind;
    use arrow_array::{ArrayRef, StringArray, Time64NanosecondArray};
    use arrow_schema::Schema;
    use std::sync::Arc;

    #[test]
    fn values_are_read_as_text_and_never_panic() {
        let schema = Schema::new(vec![Kind::Text.field("name"), Kind::Time { digits: 3 }.field("at")]);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(vec![Some("Ann"), None, Some("Bob")])),
            Arc::new(Time64NanosecondArray::from(vec![Some(1_500_000), Some(-1), None])),
        ];
        let batch = RecordBatch::try_new(Arc::new(schema), columns).unwrap();
        let mask = BooleanArray::from(vec![Some(true), None, Some(true)]);
        let rows = Rows { batch: &batch, mask: Some(&mask) };
        assert_eq!(rows.iter().collect::<Vec<_>>(), [0, 2]);
        assert_eq!(rows.text(0, 0).as_deref(), Some("Ann"));
        assert_eq!(rows.text(1, 0).as_deref(), Some("00:00:00.001"));
        for (column, row) in [(0, 1), (1, 1), (1, 2), (0, 3), (2, 0)] {
            assert_eq!(rows.text(column, row), None, "{column} {row}");
        }
    }
}
