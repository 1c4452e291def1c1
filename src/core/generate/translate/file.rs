//! One target file's translator: which columns of the page are its own, which rows, totals, first and last record.

use super::control::{ControlRecord, Total};
use super::delimited::{Delimited, names_line};
use super::earlier::{self, Change};
use super::file_forms::{self, BOM, with_forms};
use super::fixed_width::{FixedWidth, record_bytes};
use super::json::Json;
use super::tally::{Tally, mask_of};
use super::template::Template;
use super::totals::Wanted;
use super::written::Written;
use super::{Records, Registry, Rows, TranslateError, Translator};
use crate::core::generate::model::manifest::Replaced;
use crate::core::generate::spec::{FileSpec, TranslatorSpec};
use crate::core::model::column::Column;
use crate::core::model::page::Page;
use crate::core::model::run::RunId;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that makes one target file's bytes: translator, mask, encoding, totals, first and last record.
pub struct FileTranslator {
    spec: FileSpec,
    translator: Box<dyn Translator>,
    /// What the translator asked for.
    columns: Vec<String>,
    /// The control records' totals.
    tally: Tally,
    names_line: Option<String>,
    first: Option<ControlRecord>,
    last: Option<ControlRecord>,
    records: Records,
    places: Places,
}

/// The places of columns in a page's batch. Known from `bind` on.
#[derive(Default)]
struct Places {
    /// The translator's columns, in the order it asked for them.
    columns: Vec<usize>,
    mask: Option<usize>,
}

/// What a page added to one file.
#[derive(Debug, Default)]
pub struct Translated {
    /// The records' bytes, encoded, line ends included.
    pub bytes: Vec<u8>,
    /// How many records.
    pub records: u64,
    /// Values changed by policy in this page.
    pub replaced: Replaced,
    /// The first row of each column in which something was changed, as its index in the page.
    pub first_rows: BTreeMap<String, usize>,
}

impl FileTranslator {
    /// Checks everything that can be checked without rows.
    ///
    /// # Errors
    /// When a template, format or option is wrong.
    pub fn new(spec: &FileSpec, registry: &Registry) -> Result<Self, TranslateError> {
        if spec.newline.is_empty() && !matches!(spec.translator, TranslatorSpec::FixedWidth(_)) {
            return Err(TranslateError::setting(
                "`newline` is `none`, and only records of fixed width are told apart without line ends",
            ));
        }
        file_forms::check(spec)?;
        let records = Records::new(spec.encoding, &spec.newline, spec.on_unmappable)?;
        let mut names = None;
        let formed = with_forms(spec);
        let translator: Box<dyn Translator> = match &formed {
            TranslatorSpec::Delimited(delimited) => {
                names = names_line(delimited, &spec.newline)?;
                Box::new(Delimited::new(delimited, &spec.newline, spec.on_overflow)?)
            }
            TranslatorSpec::FixedWidth(fixed) => {
                Box::new(FixedWidth::new(fixed, &spec.newline, spec.encoding, spec.on_overflow)?)
            }
            TranslatorSpec::Json(json) => Box::new(Json::new(json, &spec.newline, spec.on_overflow)?),
            TranslatorSpec::Template(template) => Box::new(Template::new(template, &spec.newline)?),
            TranslatorSpec::Custom { name, options } => registry.make(name, options)?,
        };
        let control = |which, template: &Option<String>| {
            template.as_deref().map(|template| ControlRecord::new(which, template, spec.forms.decimal)).transpose()
        };
        let first = control("first_record", &spec.first_record)?;
        let last = control("last_record", &spec.last_record)?;
        let summed: BTreeSet<Total> = first.iter().chain(&last).flat_map(ControlRecord::summed).collect();
        Ok(Self {
            spec: spec.clone(),
            columns: translator.columns(),
            translator,
            tally: Tally::new(wanted(summed, &formed)?),
            names_line: names,
            first,
            last,
            records,
            places: Places::default(),
        })
    }

    /// Columns of the view that this file needs, totals included; no name twice.
    pub fn columns(&self) -> Vec<String> {
        let mut columns = super::Columns::default();
        for name in self.columns.iter().chain(&self.tally.columns()) {
            columns.place(name);
        }
        columns.names()
    }

    /// What earlier builds wrote otherwise under these settings.
    pub fn changes(&self) -> Vec<Change> {
        earlier::changes(&self.spec, self.tally.wanted())
    }

    /// The totals of first and last record, with nothing added yet.
    pub fn tally(&self) -> Tally {
        self.tally.anew()
    }

    /// Whether the first record has totals. They must be known before the first row is written.
    pub fn first_sums(&self) -> bool {
        self.first.as_ref().is_some_and(|record| record.summed().next().is_some())
    }

    /// Whether the first record needs totals or the number of rows. Both must be known before the first row is written.
    pub fn first_needs_totals(&self) -> bool {
        self.first.as_ref().is_some_and(ControlRecord::needs_totals)
    }

    /// Fixes the places of the columns in pages whose batch starts with exactly `columns`. `mask` is the index of the
    /// mask column in the batch. Totals start from `totals` (a resumed run's).
    ///
    /// # Errors
    /// When a kind does not fit.
    pub fn bind(
        &mut self,
        columns: &[Column],
        mask: Option<usize>,
        totals: &BTreeMap<String, String>,
    ) -> Result<(), TranslateError> {
        let place = |name: &String| {
            columns.iter().position(|column| column.name == *name).ok_or_else(|| {
                let known: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
                TranslateError::setting(format!("column `{name}` is not among those read: {}", known.join(", ")))
            })
        };
        self.places = Places { columns: self.columns.iter().map(place).collect::<Result<_, _>>()?, mask };
        self.tally.columns().iter().map(place).collect::<Result<Vec<_>, _>>()?;
        let own: Vec<Column> = self.places.columns.iter().filter_map(|at| columns.get(*at).cloned()).collect();
        self.translator.bind(&own)?;
        self.tally.bind(columns, mask, totals)
    }

    /// Binds the columns of a view that gave no page. Its totals are zero, at their columns' scales.
    ///
    /// # Errors
    /// When a column is not there or cannot be added up.
    pub fn bind_empty(&mut self, columns: &[Column]) -> Result<(), TranslateError> {
        self.tally.bind_empty(columns)
    }

    /// Translates one page into `buffer` (emptied first), and adds to the totals.
    ///
    /// # Errors
    /// When a value cannot be written; the row is its index in the page.
    pub fn translate(&mut self, page: &Page, buffer: Vec<u8>) -> Result<Translated, TranslateError> {
        let batch = page.batch.project(&self.places.columns).map_err(|error| {
            TranslateError::setting(format!("the page does not have the columns that were announced: {error}"))
        })?;
        let mask = mask_of(page, self.places.mask)?;
        self.records.restart(buffer);
        self.translator.translate(&Rows { batch: &batch, mask }, &mut self.records)?;
        self.records.find_unmappable(&self.columns, &Rows { batch: &batch, mask });
        self.tally.add(page)?;
        let first_rows = self.records.take_first_rows();
        let (bytes, records, replaced) = self.records.take();
        Ok(Translated { bytes, records, replaced, first_rows })
    }

    /// Totals so far, exact: column name to sum.
    pub fn totals(&self) -> BTreeMap<String, String> {
        self.tally.texts()
    }

    /// The first record's bytes with its line end, behind the byte order mark and the line of column names where there are such.
    /// `None` when the file has none of them.
    ///
    /// # Errors
    /// When the template fails or a character is not in the encoding.
    pub fn first_record(
        &self,
        run: &RunId,
        rows: u64,
        totals: &BTreeMap<String, String>,
    ) -> Result<Option<Vec<u8>>, TranslateError> {
        let first = self.first.as_ref().map(|record| record.render(run, rows, totals)).transpose()?;
        let lines = self.lines([self.names_line.clone(), first])?;
        Ok(if self.spec.bom { Some([BOM, &lines.unwrap_or_default()].concat()) } else { lines })
    }

    /// The last record's bytes with its line end. `None` when the file has none.
    ///
    /// # Errors
    /// When the template fails or a character is not in the encoding.
    pub fn last_record(
        &self,
        run: &RunId,
        rows: u64,
        totals: &BTreeMap<String, String>,
    ) -> Result<Option<Vec<u8>>, TranslateError> {
        let last = self.last.as_ref().map(|record| record.render(run, rows, totals)).transpose()?;
        self.lines([None, last])
    }

    /// Encodes lines as the file's records are.
    fn lines(&self, lines: [Option<String>; 2]) -> Result<Option<Vec<u8>>, TranslateError> {
        let mut records = Records::new(self.spec.encoding, &self.spec.newline, self.spec.on_unmappable)?;
        for line in lines.into_iter().flatten() {
            records.push_str(&line);
            records.end(0).map_err(|error| TranslateError::setting(error.reason))?;
            let bytes = records.bytes().len() as u64;
            if let Some(length) = record_bytes(&self.spec)
                && !bytes.is_multiple_of(length.max(1))
            {
                return Err(TranslateError::setting(format!(
                    "it has {bytes} bytes where each record has {length} and no line end; make it as long, as in \
                     `{{{{ rows | pad({length}, \"0\") }}}}`"
                )));
            }
        }
        Ok((records.count() > 0).then(|| records.take().0))
    }
}

/// The columns to add up for these totals, and how the file writes them.
///
/// # Errors
/// When the total of the written values cannot be known, with what to write instead.
fn wanted(totals: BTreeSet<Total>, translator: &TranslatorSpec) -> Result<Vec<Wanted>, TranslateError> {
    let mut all: Vec<Wanted> = Vec::new();
    for total in totals {
        let wrong = |why| TranslateError::setting(format!("the sum of column `{}` {why}", total.column));
        // A column that the file does not write has no other values than the source's.
        let written = if total.of_source { None } else { Written::of(translator, &total.column).map_err(wrong)? };
        let name = total.name();
        if all.iter().any(|other| other.name == name) {
            return Err(wrong(format!(
                "is named `{name}` like another one; give one of the columns another name in the view"
            )));
        }
        all.push(Wanted { name, column: total.column, written: written.unwrap_or_default() });
    }
    Ok(all)
}

#[cfg(test)]
mod tests;
