//! What a run asks of its view, and whether staged work still fits. Pure.

use super::shape::{Fit, Shape, WRITES};
use super::translate::{FileTranslator, Registry};
use super::{GenerateError, Start};
use crate::core::failpoints::planted::planted;
use crate::core::generate::model::journal::{Begin, Journal};
use crate::core::generate::spec::Worker;
use crate::core::model::column::Column;
use crate::core::model::param::Params;
use crate::core::model::query::ReadMode;
use crate::core::model::query::{Fetch, Isolation};
use crate::core::model::run::RunId;
use crate::core::model::shown;
use crate::core::model::sql::Template;
use crate::core::ports::source::{Extent, Query};
use std::collections::BTreeMap;

/// What is asked of the view, and what each file takes of the answer.
pub struct Plan {
    /// The question.
    pub query: Query,
    /// One per file, in the worker file's order.
    pub files: Vec<FilePlan>,
    /// All settings that shape the bytes.
    pub shape: Shape,
    /// The run's parameters.
    pub params: Params,
}

/// What one file takes of a page.
pub struct FilePlan {
    /// Makes its bytes.
    pub translator: FileTranslator,
    /// Index into the query's predicates.
    pub predicate: Option<usize>,
}

impl Plan {
    /// Checks the worker's translators and gathers what they need: each column once, each predicate once, with the values of
    /// the run's parameters.
    ///
    /// # Errors
    /// When a translator cannot be made, or a parameter has no value.
    pub fn new(worker: &Worker, registry: &Registry, params: &Params) -> Result<Self, GenerateError> {
        let mut columns: Vec<String> = Vec::new();
        let mut predicates: Vec<Template> = Vec::new();
        let mut files = Vec::new();
        for spec in &worker.files {
            let translator = FileTranslator::new(spec, registry).map_err(|error| GenerateError::Data {
                file: spec.id.to_string(),
                row: None,
                reason: error.reason,
            })?;
            for column in translator.columns() {
                if !columns.contains(&column) {
                    columns.push(column);
                }
            }
            let predicate = spec.predicate.as_ref().map(|text| {
                predicates.iter().position(|known| known == text).unwrap_or_else(|| {
                    predicates.push(text.clone());
                    predicates.len() - 1
                })
            });
            files.push(FilePlan { translator, predicate });
        }
        let source = &worker.source;
        // The key is read in any case; as a column it also names the row in an error.
        for column in &source.key {
            if !columns.contains(column) {
                columns.push(column.clone());
            }
        }
        let no_value = |name: String| GenerateError::Parameter {
            reason: format!(
                "run was begun without a value of the parameter `{name}`; start over with `filegen run --restart`"
            ),
        };
        let predicates = predicates.iter().map(|sql| sql.bind(params)).collect::<Result<_, _>>().map_err(no_value)?;
        let query = Query {
            view: source.view.bind(params).map_err(no_value)?,
            key: source.key.clone(),
            columns,
            predicates,
            page_size: source.page_size,
            page_bytes: source.page_bytes,
            value_bytes: source.value_bytes,
            fetch: if planted("offset paging") { Fetch::Offset } else { source.fetch },
            isolation: source.isolation,
            kinds: None,
        };
        let shape = Shape::new(worker, files.iter().map(|file| &file.translator));
        Ok(Self { query, files, shape, params: params.clone() })
    }

    /// The journal's first line for a run that starts now, with what its first records will say. Without an extent the view was not
    /// counted. Nothing is known of its columns.
    pub fn begin(
        &self,
        run: &RunId,
        token: u64,
        at: i64,
        worker: &Worker,
        extent: Option<&Extent>,
        first_totals: Vec<BTreeMap<String, String>>,
    ) -> Begin {
        Begin {
            v: 1,
            run: run.to_string(),
            token,
            at,
            files: worker.files.iter().map(|file| file.id.to_string()).collect(),
            spec: self.shape.digest(None).to_owned(),
            writes: WRITES,
            params: self.params.clone(),
            correction: None,
            counted: extent.is_some(),
            rows: extent.map_or(0, |extent| extent.rows),
            file_rows: self
                .files
                .iter()
                .map(|file| extent.map_or(0, |extent| rows_of(file.predicate, extent)))
                .collect(),
            range: extent.and_then(|extent| extent.range.clone()),
            first_totals,
        }
    }

    /// Why no holder of this run wrote `journal`, whatever its checksums say: it is of another run, or it has the digest of these
    /// settings and contradicts them. A worker file that was changed gives another digest; that is a person's to decide.
    pub fn foreign(&self, journal: &Journal, run: &RunId, worker: &Worker) -> Option<String> {
        let begin = journal.begin()?;
        if begin.run != run.to_string() {
            return Some(format!("is of run {}", shown::name(&begin.run)));
        }
        let columns = columns_of(journal);
        if self.shape.fit(&begin.spec, begin.writes, columns) == Fit::Other {
            return None;
        }
        let files = worker.files.iter().map(|file| file.id.as_str());
        if !files.eq(begin.files.iter().map(String::as_str)) {
            return Some("names other files than its own settings".to_owned());
        }
        // Pages that are counted have no key.
        let (key, is_counted) = (self.query.key.len(), self.query.fetch == Fetch::Offset);
        let range = begin.range.iter().flat_map(|(first, last)| [first, last]);
        let mut keys = range.chain(journal.pages().map(|page| &page.key));
        if keys.any(|found| found.0.len() != key && !(found.0.is_empty() && is_counted)) {
            return Some("has keys of another length than its own settings".to_owned());
        }
        let is_named = |wanted: &String| columns.is_none_or(|columns| columns.iter().any(|it| it.name == *wanted));
        if !self.query.columns.iter().all(is_named) {
            return Some("names other columns than its own settings".to_owned());
        }
        None
    }

    /// Whether `journal` was written for this very run, by settings that give the same bytes.
    ///
    /// # Errors
    /// Says what differs, and what to do.
    pub fn check_fit(
        &self,
        journal: &Journal,
        begin: &Begin,
        run: &RunId,
        worker: &Worker,
    ) -> Result<(), GenerateError> {
        let staged = |reason| Err(GenerateError::Staged { reason });
        if let Some(why) = self.foreign(journal, run, worker) {
            return staged(format!("the staged journal of run {run} {why}; start over with `filegen run --restart`"));
        }
        let columns = columns_of(journal);
        match self.shape.fit(&begin.spec, begin.writes, columns) {
            Fit::Same => Ok(()),
            Fit::Earlier(differences) => staged(format!(
                "run {run} was begun by an earlier version of filegen, which writes some values otherwise: {}; finish the run \
                 with that version, or start over with `filegen run --restart`",
                differences.join("; ")
            )),
            Fit::Other => staged(format!(
                "the worker file has changed since run {run} began, so its committed pages no longer fit; put the old settings \
                 back, or start over with `filegen run --restart`"
            )),
        }
    }
}

/// The columns that the run has read, as far as they are known.
fn columns_of(journal: &Journal) -> Option<&[Column]> {
    journal.pages().next().and_then(|page| page.columns.as_deref())
}

/// Rows of one file in an extent.
pub fn rows_of(predicate: Option<usize>, extent: &Extent) -> u64 {
    predicate.map_or(extent.rows, |index| extent.matching.get(index).copied().unwrap_or(0))
}

/// Pages that `rows` make when every page is full.
pub fn pages_of(rows: u64, page_size: u32) -> u64 {
    rows.div_ceil(u64::from(page_size))
}

/// The last page to keep of what is committed.
///
/// # Errors
/// When a page is asked for that nothing leads up to.
pub fn last_kept(start: Start, journal: &Journal) -> Result<u64, GenerateError> {
    let committed = journal.last_page().map_or(0, |last| last.page);
    match start {
        Start::FromStart => Ok(0),
        Start::Resume => Ok(committed),
        Start::FromPage(page) if page >= 1 && page - 1 <= committed => Ok(page - 1),
        Start::FromPage(page) => Err(GenerateError::Staged {
            reason: format!(
                "cannot go on from page {page}: only {committed} pages are committed; \
                 give a page from 1 to {}",
                committed + 1
            ),
        }),
    }
}

/// How the view was read, for manifest and event.
pub fn read_mode(worker: &Worker, terms: Vec<u64>, source_moved: Option<bool>, counted: bool) -> ReadMode {
    ReadMode {
        fetch: match worker.source.fetch {
            Fetch::Stream => "stream",
            Fetch::Paged => "paged",
            Fetch::Offset => "offset",
        }
        .to_owned(),
        isolation: match worker.source.isolation {
            Isolation::Default => "default",
            Isolation::Snapshot => "snapshot",
        }
        .to_owned(),
        terms,
        source_moved,
        counted,
    }
}
