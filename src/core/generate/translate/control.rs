//! First and last record: templates with the run's date, the file's rows and its control totals.
//!
//! Variables: `date` (`2026-11-21`), `worker`, `rows`, `sum.COLUMN` or `sum["COLUMN"]` for the exact sum of what the file
//! writes of a column, and `source_sum.COLUMN` for the exact sum of the source's own values.

use super::TranslateError;
use super::exact::{ENDLESS, Number};
use super::record_template::{RecordTemplate, describe, is_lasting};
use crate::core::generate::spec::DecimalSign;
use crate::core::model::run::RunId;
use minijinja::Value;
use minijinja::value::{Enumerator, Object};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// The template of a first or last record.
#[derive(Debug)]
pub(super) struct ControlRecord {
    template: RecordTemplate,
    summed: BTreeSet<Total>,
    needs_totals: bool,
}

/// A total that a control record uses.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Total {
    /// The column.
    pub(super) column: String,
    /// Whether it adds up the source's own values, and not those that the file writes.
    pub(super) of_source: bool,
}

impl Total {
    /// Its name in journal and manifest: the column's, or `source_sum.` and the column's.
    pub(super) fn name(&self) -> String {
        if self.of_source { format!("{SOURCE_SUM}.{}", self.column) } else { self.column.clone() }
    }
}

/// The variable with the sums of what the file writes.
pub(super) const SUM: &str = "sum";

/// The variable with the sums of the source's own values.
const SOURCE_SUM: &str = "source_sum";

/// The variables that a control record may use.
const VARIABLES: [&str; 5] = ["date", "worker", "rows", SUM, SOURCE_SUM];

impl ControlRecord {
    /// Compiles the template and tries it, so that a wrong one is found before the first row is read.
    ///
    /// # Errors
    /// When it is no valid template, fails, or uses an unknown variable.
    pub(super) fn new(which: &'static str, source: &str, decimal: DecimalSign) -> Result<Self, TranslateError> {
        let template = RecordTemplate::new(which, source, decimal)?;
        let variables = template.variables(false);
        if let Some(unknown) = variables.iter().find(|name| !VARIABLES.contains(&name.as_str())) {
            return Err(TranslateError::setting(format!(
                "template `{which}` uses `{unknown}`; it may use date, worker, rows, sum.COLUMN and source_sum.COLUMN"
            )));
        }
        let nested = template.variables(true);
        let total = |name: &String| {
            let (object, rest) = name.split_once('.')?;
            let column = rest.split('.').next()?.to_owned();
            [SUM, SOURCE_SUM].contains(&object).then_some(Total { column, of_source: object == SOURCE_SUM })
        };
        let mut summed: BTreeSet<Total> = nested.iter().filter_map(total).collect();
        // Names in brackets show only when they are asked for. Two numbers of rows, for templates that branch on it.
        for rows in [0, 1] {
            let asked = Arc::new(Mutex::default());
            let rendered = template.render(context("1970-01-01", "worker", rows, &Given::Asking(Arc::clone(&asked))));
            rendered.map_err(|error| template.error(&error))?;
            summed.extend(asked.lock().map(|asked| asked.clone()).unwrap_or_default());
        }
        // What fails for many rows whatever they hold. A value that does not fit a field is for the run to say.
        for rows in [2, 3, 7, 1_000, 1_000_000] {
            let rendered = template.render(context("2026-11-21", "worker", rows, &Given::Sample));
            let lasting = |error: &minijinja::Error| is_lasting(error) || describe(error).contains(ENDLESS);
            rendered.err().filter(lasting).map_or(Ok(()), |error| Err(template.error(&error)))?;
        }
        let needs_totals = ["rows", SUM, SOURCE_SUM].iter().any(|name| variables.contains(*name));
        Ok(Self { template, summed, needs_totals })
    }

    /// The totals that the record uses.
    pub(super) fn summed(&self) -> impl Iterator<Item = Total> {
        self.summed.iter().cloned()
    }

    /// Whether the record needs sums or the number of rows.
    pub(super) fn needs_totals(&self) -> bool {
        self.needs_totals
    }

    /// The record's text, without its line end.
    ///
    /// # Errors
    /// When the template fails.
    pub(super) fn render(
        &self,
        run: &RunId,
        rows: u64,
        totals: &BTreeMap<String, String>,
    ) -> Result<String, TranslateError> {
        let given = Given::Totals(Arc::new(totals.clone()));
        let context = context(&run.date.to_string(), run.worker.as_str(), rows, &given);
        self.template.render(context).map_err(|error| self.template.error(&error))
    }
}

fn context(date: &str, worker: &str, rows: u64, given: &Given) -> Value {
    let object = |of_source| Value::from_object(Sums { of_source, given: given.clone() });
    minijinja::context! { date, worker, rows, sum => object(false), source_sum => object(true) }
}

/// The totals as templates see them.
#[derive(Clone, Debug)]
enum Given {
    /// Name to sum.
    Totals(Arc<BTreeMap<String, String>>),
    /// For a test of the template: every column has a sum, and is noted.
    Asking(Arc<Mutex<BTreeSet<Total>>>),
    /// For a test of the template: every column has the same sum.
    Sample,
}

/// One kind of sums: columns are its attributes.
#[derive(Debug)]
struct Sums {
    of_source: bool,
    given: Given,
}

impl Object for Sums {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let total = Total { column: key.as_str()?.to_owned(), of_source: self.of_source };
        match &self.given {
            Given::Totals(totals) => {
                let sum = totals.get(&total.name())?;
                Some(Number::parse(sum).map_or_else(|| Value::from(sum.as_str()), |number| number.to_value(true)))
            }
            Given::Sample => Some(Number::new(100_125, 2)?.to_value(false)),
            Given::Asking(asked) => {
                asked.lock().ok()?.insert(total);
                Some(Number::new(0, 0)?.to_value(false))
            }
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::names::WorkerId;
    use crate::core::model::run::BusinessDate;
    use jiff::civil::Date;

    fn render(source: &str) -> Result<String, TranslateError> {
        let run =
            RunId { worker: WorkerId::new("LoanWorker").unwrap(), date: BusinessDate(Date::constant(2026, 11, 21)) };
        let totals = [("Amount", "12.50"), ("Loan Total", "7"), ("source_sum.Amount", "12.503")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()));
        ControlRecord::new("last_record", source, DecimalSign::Point)?.render(&run, 1234, &BTreeMap::from(totals))
    }

    #[test]
    fn all_variables_are_there() {
        assert_eq!(
            render(
                "T{{ date | strftime('%d%m%Y') }} {{ worker }} {{ rows | pad(9, '0') }} {{ sum.Amount }} {{ sum['Loan Total'] }} {{ source_sum.Amount }} {{ sum.Amount | number('0000V99') }}"
            ),
            Ok("T21112026 LoanWorker 000001234 12.50 7 12.503 001250".to_owned())
        );
    }

    #[test]
    fn summed_columns_are_found_however_they_are_written() {
        let record = |source| ControlRecord::new("first_record", source, DecimalSign::Point).unwrap();
        let source = "{% if rows > 0 %}{{ sum['Loan Total'] }}{% else %}{{ sum.B }}{% endif %}{{ sum.A | number('0') }}\
             {{ source_sum.B }}";
        let summed: Vec<String> = record(source).summed().map(|total| total.name()).collect();
        assert_eq!(summed, ["A", "B", "source_sum.B", "Loan Total"]);
        assert!(record(source).needs_totals());
        assert!(record("{{ rows }}").needs_totals());
        assert!(!record("H{{ date }}{{ worker }}").needs_totals());
    }

    #[test]
    fn mistakes_are_found_before_any_row() {
        for (source, what) in [
            ("{{ total }}", "`total`"),
            ("{% if rows > 5 %}{{ totals }}{% endif %}", "`totals`"),
            ("{{ date | strftime('%!') }}", "%!"),
            ("{{ sum.Amount.x }}", "undefined"),
            ("{% for x in sum %}{{ x }}{% endfor %}", "not iterable"),
            ("{% if rows > 5 %}{{ sum.Amount[:3] }}{% endif %}", "does not go together"),
            ("{% if rows > 0 %}{{ sum.Amount / rows }}{% endif %}", "divide(b, 2)"),
            ("{% for a in range(300) %}{% for b in range(rows) %}x{% endfor %}{% endfor %}", "steps for one record"),
        ] {
            let reason = ControlRecord::new("last_record", source, DecimalSign::Point).unwrap_err().reason;
            assert!(reason.contains(what) && reason.contains("last_record"), "{source}: {reason}");
        }
    }

    #[test]
    fn numbers_have_the_files_own_decimal_sign() {
        let run =
            RunId { worker: WorkerId::new("LoanWorker").unwrap(), date: BusinessDate(Date::constant(2026, 11, 21)) };
        let totals = BTreeMap::from([("A".to_owned(), "-1234.50".to_owned()), ("B".to_owned(), "7".to_owned())]);
        for (source, text) in [
            ("{{ sum.A }}", "-1234,50"),
            ("{{ sum.A | number('#,##0.00') }}", "-1.234,50"),
            ("{{ sum.A | number('0.00') | pad(10, '0') }}", "-001234,50"),
            ("{{ sum.A | pad(10, '0') }}", "-001234,50"),
            ("{{ sum.A ~ '' }}|{{ '%s' | format(sum.A) }}|{{ sum.A | string }}", "-1234,50|-1234,50|-1234,50"),
            ("{{ sum.A * 2 + 0.25 }}", "-2468,75"),
            ("{% if sum.A < -1234.4 %}less{% endif %} {{ sum.A | abs }}", "less 1234,50"),
            ("{{ sum.B }} {{ rows }} {{ sum.A | number('0000000V00') }}", "7 1234 -000123450"),
        ] {
            let record = ControlRecord::new("last_record", source, DecimalSign::Comma).unwrap();
            assert_eq!(record.render(&run, 1234, &totals).as_deref(), Ok(text), "{source}");
            // Another file's numbers have a point.
            assert_eq!(render("{{ sum.Amount }}").as_deref(), Ok("12.50"));
        }
    }

    #[test]
    fn a_sum_that_nobody_made_is_an_error() {
        assert!(render("{% if rows == 1234 %}{{ sum['Am' ~ 'ountt'] }}{% endif %}").is_err());
    }
}
