//! The totals of one file's control records, added up from pages of any query that reads their columns.

use super::totals::{Totals, Wanted};
use super::{Rows, TranslateError};
use crate::core::model::column::{Column, Kind};
use crate::core::model::page::Page;
use arrow_array::BooleanArray;
use arrow_array::cast::AsArray;
use std::collections::BTreeMap;

/// The totals of one file's control records.
#[derive(Debug, Default)]
pub struct Tally {
    wanted: Vec<Wanted>,
    totals: Totals,
    places: Vec<usize>,
    mask: Option<usize>,
}

impl Tally {
    /// A tally that is not bound yet. It adds up nothing before [`bind`](Self::bind).
    pub(super) fn new(wanted: Vec<Wanted>) -> Self {
        Self { wanted, ..Self::default() }
    }

    /// A new tally of the same totals, with nothing added up.
    #[must_use]
    pub fn anew(&self) -> Self {
        Self::new(self.wanted.clone())
    }

    /// What is added up.
    pub(super) fn wanted(&self) -> &[Wanted] {
        &self.wanted
    }

    /// Columns that are added up, no name twice.
    pub fn columns(&self) -> Vec<String> {
        let mut columns = super::Columns::default();
        for wanted in &self.wanted {
            columns.place(&wanted.column);
        }
        columns.names()
    }

    /// Fixes the places of the columns in pages whose batch starts with exactly `columns`, with the mask at `mask`. Goes on
    /// from `start`.
    ///
    /// # Errors
    /// When a column is not there or cannot be added up.
    pub fn bind(
        &mut self,
        columns: &[Column],
        mask: Option<usize>,
        start: &BTreeMap<String, String>,
    ) -> Result<(), TranslateError> {
        self.totals = Totals::new(&self.wanted, columns, start)?;
        let place = |wanted: &Wanted| columns.iter().position(|column| column.name == wanted.column);
        // Totals would have missed a column that is not there.
        self.places = self.wanted.iter().map(|wanted| place(wanted).unwrap_or_default()).collect();
        self.mask = mask;
        Ok(())
    }

    /// As [`bind`](Self::bind), for a view that has given no page, so that a total of nothing has its column's scale.
    ///
    /// # Errors
    /// When a column is not there or cannot be added up.
    pub fn bind_empty(&mut self, columns: &[Column]) -> Result<(), TranslateError> {
        self.bind(&with_unknown_as_numbers(columns), None, &BTreeMap::new())
    }

    /// Adds the page's rows that belong to the file.
    ///
    /// # Errors
    /// When a value is no number, or a sum outgrows 38 digits.
    pub fn add(&mut self, page: &Page) -> Result<(), TranslateError> {
        let mask = mask_of(page, self.mask)?;
        self.totals.add(&Rows { batch: &page.batch, mask }, &self.places)
    }

    /// Totals so far, exact: name to sum.
    pub fn texts(&self) -> BTreeMap<String, String> {
        self.totals.texts()
    }
}

/// Some sources describe a column as text until they have read a value of it.
fn with_unknown_as_numbers(columns: &[Column]) -> Vec<Column> {
    let known = |column: &Column| match column.kind {
        Kind::Text => Column { kind: Kind::Number, ..column.clone() },
        _ => column.clone(),
    };
    columns.iter().map(known).collect()
}

/// The column that says which rows of a page belong to the file.
///
/// # Errors
/// When it is not there.
pub(super) fn mask_of(page: &Page, at: Option<usize>) -> Result<Option<&BooleanArray>, TranslateError> {
    let Some(at) = at else { return Ok(None) };
    let mask = page.batch.columns().get(at).and_then(|array| array.as_boolean_opt());
    mask.map(Some)
        .ok_or_else(|| TranslateError::setting("the page lacks the column that says which rows belong to the file"))
}
