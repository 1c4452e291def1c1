//! A minijinja template a record. For records that no other translator makes; slower than they are.
//!
//! Columns are variables under their names; `row["Loan Id"]` reads a column whose name is no identifier. Numbers and booleans are
//! values to compute with, exactly. Everything else is text in its default form; dates in that form compare in their order. NULL is
//! `none`, and neither less nor more than anything. It is the empty text where a text is wanted, and refused where a number is.

use super::budget::SPENT_UP;
use super::cell::{Bound, Cell};
use super::exact::Number;
use super::record_template::{RecordTemplate, is_lasting};
use super::records::Records;
use super::rows::Rows;
use super::values::Values;
use super::{Columns, TranslateError, Translator};
use crate::core::generate::spec::{ColumnSpec, DecimalSign, TemplateSpec};
use crate::core::model::column::{Column, Kind};
use minijinja::value::{Enumerator, Object, Value};
use minijinja::{Error, ErrorKind, context};
use std::sync::Arc;

/// Writes a record by rendering a template.
pub(super) struct Template {
    record: RecordTemplate,
    cells: Vec<Cell>,
    names: Arc<[String]>,
    newline: String,
}

/// Most rows of sample values that are tried before the kinds are known: those of three columns.
const CHOICES_MAX: usize = 6 * 6 * 6;

/// The variable that holds all columns.
const ROW: &str = "row";

impl Template {
    /// Compiles the template; only the columns that it uses will be read.
    ///
    /// # Errors
    /// When it is no template, or uses a variable that is no column.
    pub(super) fn new(spec: &TemplateSpec, newline: &str) -> Result<Self, TranslateError> {
        let template = RecordTemplate::new("record", &spec.record, DecimalSign::Point)?;
        let variables = template.variables(false);
        let is_known = |name: &String| spec.columns.contains(name);
        if let Some(unknown) = variables.iter().find(|name| !is_known(name) && *name != ROW) {
            return Err(TranslateError::setting(unknown_column(unknown, &spec.columns)));
        }
        let uses_row = variables.contains(ROW) && !spec.columns.iter().any(|name| name == ROW);
        let mut columns = Columns::default();
        for name in spec.columns.iter().filter(|name| uses_row || variables.contains(*name)) {
            columns.place(name);
        }
        let names = columns.names();
        let as_it_comes = ColumnSpec { zone: spec.zone.clone(), ..ColumnSpec::default() };
        let cell = |(at, name): (usize, &String)| Cell::new(&as_it_comes, name, at);
        let cells = names.iter().enumerate().map(cell).collect::<Result<_, _>>()?;
        let translator = Self { record: template, cells, names: names.into(), newline: newline.to_owned() };
        translator.check_calls()?;
        Ok(translator)
    }

    /// Finds filters, tests and functions that there are not, and loops without a bound, by rendering a row of NULLs. Whatever else fails may
    /// well work with real values.
    fn check_calls(&self) -> Result<(), TranslateError> {
        let nulls = vec![Value::from(()); self.names.len()];
        match self.record.render(self.row(nulls)) {
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::UnknownFilter
                        | ErrorKind::UnknownTest
                        | ErrorKind::UnknownFunction
                        | ErrorKind::OutOfFuel
                ) =>
            {
                Err(self.record.error(&error))
            }
            // What is too much for a row of NULLs is too much for each.
            Err(error) if super::record_template::describe(&error).contains(SPENT_UP) => Err(self.record.error(&error)),
            _ => self.check_any_kinds(),
        }
    }

    /// Finds what works for no kinds of columns, which are not known yet: an error of the template with every choice. A template of many
    /// columns has too many choices: each of its parts is tried that has few. What is left is looked at when the kinds are known.
    fn check_any_kinds(&self) -> Result<(), TranslateError> {
        self.check_choices(&self.names, |row| self.record.render(row).map(drop))?;
        for (part, names) in self.record.parts(&self.names) {
            let names: Arc<[String]> = names.into();
            self.check_choices(&names, |row| self.record.render_part(&part, row))?;
        }
        Ok(())
    }

    /// Renders with each choice of kinds of a few columns.
    fn check_choices(
        &self,
        names: &Arc<[String]>,
        render: impl Fn(Value) -> Result<(), Error>,
    ) -> Result<(), TranslateError> {
        let samples = [
            Value::from(12),
            Number::new(125, 2).map_or(Value::from(1), |number| number.to_value(false)),
            Value::from("text"),
            Value::from("2026-11-21"),
            Value::from(true),
            Value::from(()),
        ];
        let Some(choices) = u32::try_from(names.len()).ok().and_then(|count| samples.len().checked_pow(count)) else {
            return Ok(());
        };
        if choices > CHOICES_MAX {
            return Ok(());
        }
        let mut found = None;
        for choice in 0..choices {
            let mut rest = choice;
            let values = names.iter().filter_map(|_| {
                let sample = samples.get(rest % samples.len());
                rest /= samples.len();
                sample.cloned()
            });
            match render(row(names, values.collect())) {
                Err(error) if error.kind() == ErrorKind::OutOfFuel => return Err(self.record.error(&error)),
                // What has no values does not fail for them.
                Err(error) if names.is_empty() || is_lasting(&error) => found = found.or(Some(error)),
                _ => return Ok(()),
            }
        }
        found.map_or(Ok(()), |error| Err(self.record.error(&error)))
    }

    fn row(&self, values: Vec<Value>) -> Value {
        row(&self.names, values)
    }

    /// Says what in a text would break the record.
    fn broken_by(&self, text: &str) -> Option<&'static str> {
        if text.contains('\0') {
            return Some("a NUL byte");
        }
        (text.contains(['\r', '\n']) || text.contains(&self.newline)).then_some("a line break")
    }

    fn value(&self, bound: &Bound<'_>, row: usize) -> Result<Value, TranslateError> {
        if bound.is_null(row) {
            return Ok(Value::from(()));
        }
        let value = match bound.values() {
            Values::Bool(array) => Value::from(array.value(row)),
            Values::Int(array) => Value::from(array.value(row)),
            Values::Decimal(array, 0) => Value::from(array.value(row)),
            Values::Decimal(array, scale) if let Some(number) = Number::new(array.value(row), scale.into()) => {
                number.to_value(false)
            }
            Values::Float64(array) if array.value(row).is_finite() => Value::from(array.value(row)),
            _ => {
                let mut text = Vec::new();
                bound.push(row, &mut text)?;
                let text = String::from_utf8_lossy(&text);
                // In a template of several lines, a line break of a value could not be told from its own.
                if self.record.has_line_break()
                    && let Some(what) = self.broken_by(&text)
                {
                    return Err(bound.cell().error(row, &format!("holds {what}, which would break the record")));
                }
                let number = if bound.cell().kind().is_number() { Number::parse(&text) } else { None };
                // Its own text where the number's would be another: `-0.0`.
                match number.filter(|number| number.to_string() == text) {
                    Some(number) => number.to_value(false),
                    None => Value::from(text.as_ref()),
                }
            }
        };
        Ok(value)
    }

    /// Finds what does not go together, whatever the rows hold, by rendering a value of each column's kind.
    fn check_kinds(&self) -> Result<(), TranslateError> {
        let sample = |cell: &Cell| match cell.kind() {
            Kind::Bool => Value::from(true),
            Kind::Int | Kind::Decimal { scale: 0, .. } => Value::from(1),
            kind if kind.is_number() => Number::new(125, 2).map_or(Value::from(1), |number| number.to_value(false)),
            Kind::Date => Value::from("2026-11-21"),
            _ => Value::from("text"),
        };
        match self.record.render(self.row(self.cells.iter().map(sample).collect())) {
            Err(error) if is_lasting(&error) => Err(self.record.error(&error)),
            _ => Ok(()),
        }
    }
}

fn row(names: &Arc<[String]>, values: Vec<Value>) -> Value {
    let row = Value::from_object(TemplateRow { names: Arc::clone(names), values });
    if names.iter().any(|name| name == ROW) {
        row
    } else {
        context! { row => row.clone(), ..row }
    }
}

fn unknown_column(unknown: &str, columns: &[String]) -> String {
    let known = columns.join(", ");
    let nearest =
        columns.iter().max_by(|a, b| strsim::jaro_winkler(a, unknown).total_cmp(&strsim::jaro_winkler(b, unknown)));
    match nearest {
        Some(nearest) if strsim::jaro_winkler(nearest, unknown) > 0.8 => {
            format!("template `record` uses `{unknown}`, which is no column of this file; did you mean `{nearest}`?")
        }
        _ => format!("template `record` uses `{unknown}`, which is no column of this file; it has {known}"),
    }
}

impl Translator for Template {
    fn columns(&self) -> Vec<String> {
        self.names.to_vec()
    }

    fn bind(&mut self, columns: &[Column]) -> Result<(), TranslateError> {
        self.cells.iter_mut().try_for_each(|cell| cell.bind(columns))?;
        self.check_kinds()
    }

    fn translate(&mut self, rows: &Rows<'_>, records: &mut Records) -> Result<(), TranslateError> {
        let bound: Vec<Bound<'_>> = self.cells.iter().map(|cell| cell.values(rows.batch)).collect::<Result<_, _>>()?;
        for row in rows.iter() {
            let values = bound.iter().map(|bound| self.value(bound, row)).collect::<Result<_, _>>()?;
            let record = self
                .record
                .render(self.row(values))
                .map_err(|error| TranslateError { row: Some(row), ..self.record.error(&error) })?;
            if !self.record.has_line_break()
                && let Some(what) = self.broken_by(&record)
            {
                return Err(TranslateError::value(
                    row,
                    format!(
                        "template `record` made a record that holds {what}; take it out with a filter, as in \
                         `replace('\\n', ' ')`, or in the view"
                    ),
                ));
            }
            records.push_str(&record);
            records.end(row)?;
        }
        Ok(())
    }
}

/// The values of one row under their columns' names.
#[derive(Debug)]
struct TemplateRow {
    names: Arc<[String]>,
    values: Vec<Value>,
}

impl Object for TemplateRow {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        let at = self.names.iter().position(|known| known == name)?;
        self.values.get(at).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.names.iter().map(|name| Value::from(name.as_str())).collect())
    }
}

#[cfg(test)]
mod tests;
