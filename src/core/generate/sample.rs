//! What the first rows of a view hold, so that a new worker file fits them. Only reads.

use super::translate::text_of;
use crate::core::model::column::{Column, Observed};
use crate::core::model::query::{Fetch, Isolation};
use crate::core::model::sql::Relation;
use crate::core::ports::source::{PageSource, Position, Query, SourceError};
use arrow_array::RecordBatch;
use std::collections::HashSet;
use std::num::NonZeroU32;

/// Most rows that are looked at.
// A thousand is not zero.
const ROWS: NonZeroU32 = NonZeroU32::new(1000).unwrap();

/// Most bytes of them.
const BYTES: u64 = 4 << 20;

/// Looks at the declared lengths of a view's columns, and at the values of its first rows. One answer for each column.
///
/// # Errors
/// When the view cannot be read.
pub async fn sample(
    source: &dyn PageSource,
    view: &Relation,
    columns: &[Column],
) -> Result<Vec<Observed>, SourceError> {
    let lengths = source.lengths(view).await?;
    let query = Query {
        view: view.clone(),
        key: Vec::new(),
        columns: columns.iter().map(|column| column.name.clone()).collect(),
        predicates: Vec::new(),
        page_size: ROWS,
        page_bytes: BYTES,
        value_bytes: 64 << 20,
        fetch: Fetch::Offset,
        isolation: Isolation::Default,
        kinds: None,
    };
    let page = source.open(&query, &Position::default(), None).await?.next().await?;
    let mut observed = Vec::with_capacity(columns.len());
    for (index, column) in columns.iter().enumerate() {
        let mut seen = Observed { length: lengths.get(&column.name).copied(), ..Observed::default() };
        let batch = page.as_ref().map(|page| &page.batch);
        let rows = batch.map_or(0, RecordBatch::num_rows);
        let mut distinct = HashSet::new();
        for text in (0..rows).filter_map(|row| text_of(batch?, index, row)) {
            seen.longest = seen.longest.max(text.len());
            seen.widest = text.chars().map(char::len_utf8).fold(seen.widest, usize::max);
            seen.breaks |= text.contains(['\n', '\r', '\0']);
            distinct.insert(text);
        }
        // NULL has no text.
        seen.repeats = distinct.len() < rows;
        observed.push(seen);
    }
    Ok(observed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::memory::source::{Cell, MemorySource};
    use crate::core::model::column::Kind;

    #[tokio::test]
    async fn values_say_how_long_they_are_and_whether_they_hold_line_breaks() {
        let columns = [("id", Kind::Int), ("name", Kind::Text), ("note", Kind::Text)];
        let columns: Vec<Column> =
            columns.into_iter().map(|(name, kind)| Column { name: name.to_owned(), kind }).collect();
        let row = |id, name: &str, note: Cell| vec![Cell::Int(id), Cell::Text(name.to_owned()), note];
        let source = MemorySource::default();
        let view = crate::core::model::names::ViewName::parse("v").unwrap();
        source.put(
            &view,
            columns.clone(),
            vec![row(1, "Zoë", Cell::Null), row(-1_000, "A", Cell::Text("two\nlines".to_owned()))],
        );
        let [id, name, note] = sample(&source, &view.clone().into(), &columns).await.unwrap().try_into().unwrap();
        assert_eq!(id, Observed { length: None, longest: 5, widest: 1, breaks: false, repeats: false });
        assert_eq!(name, Observed { length: None, longest: 4, widest: 2, breaks: false, repeats: false });
        assert_eq!(note, Observed { length: None, longest: 9, widest: 1, breaks: true, repeats: true });
        source.put(&view, columns.clone(), Vec::new());
        assert_eq!(sample(&source, &view.clone().into(), &columns).await.unwrap(), vec![Observed::default(); 3]);
    }
}
