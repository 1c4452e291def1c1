//! A page: up to `page_size` rows in key order, as an Arrow record batch.

use super::key::Key;
use arrow_array::RecordBatch;

/// Rows as the source delivers them; numbered by the flow.
///
/// The batch holds the columns asked for, in the order asked, each field made by
/// [`Kind::field`](super::column::Kind::field); behind them one `Boolean` column (never null) for each `where`
/// of the query, true where the row belongs to that file.
#[derive(Clone, Debug)]
pub struct Page {
    /// Columns and masks, see above. Never empty.
    pub batch: RecordBatch,
    /// Key of the first row. Empty when the source is read by offset.
    pub first_key: Key,
    /// Key of the last row: a page that follows starts behind it. Empty when the source is read by offset.
    pub last_key: Key,
}

impl Page {
    /// Rows of the source in this page.
    pub fn rows(&self) -> u64 {
        self.batch.num_rows() as u64
    }

    /// Memory that its values take, in bytes.
    pub fn memory(&self) -> usize {
        self.batch.get_array_memory_size()
    }

    /// At most its first so many rows, for a read by row number: where more are left out, the last one's key is not known.
    #[must_use]
    pub fn first(self, rows: u64) -> Self {
        match usize::try_from(rows) {
            Ok(rows) if rows < self.batch.num_rows() => {
                Self { batch: self.batch.slice(0, rows), last_key: Key(Vec::new()), ..self }
            }
            _ => self,
        }
    }
}
