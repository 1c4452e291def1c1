//! First and last record: templates with the run's date, the file's rows and its control totals.
//!
//! Variables: `date` (`2026-11-21`), `worker`, `rows`, and `sum.COLUMN` or `sum["COLUMN"]` for exact sums.

use super::TranslateError;
use super::record_template::RecordTemplate;
use crate::core::model::run::RunId;
use minijinja::Value;
use minijinja::value::{Enumerator, Object};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// The template of a first or last record.
#[derive(Debug)]
pub(super) struct ControlRecord {
    template: RecordTemplate,
    summed: BTreeSet<String>,
    needs_totals: bool,
}

/// What a control record may use.
const VARIABLES: [&str; 4] = ["date", "worker", "rows", "sum"];

impl ControlRecord {
    /// Compiles the template and tries it, so that a wrong one is found before the first row is read.
    ///
    /// # Errors
    /// When it is no template, fails, or uses a variable that there is not.
    pub(super) fn new(which: &'static str, source: &str) -> Result<Self, TranslateError> {
        let template = RecordTemplate::new(which, source)?;
        let variables = template.variables(false);
        if let Some(unknown) = variables.iter().find(|name| !VARIABLES.contains(&name.as_str())) {
            return Err(TranslateError::setting(format!(
                "template `{which}` uses `{unknown}`; it may use date, worker, rows and sum.COLUMN"
            )));
        }
        let mut summed: BTreeSet<String> = template
            .variables(true)
            .iter()
            .filter_map(|name| name.strip_prefix("sum.")?.split('.').next())
            .map(str::to_owned)
            .collect();
        // Names in brackets show only when they are asked for. Two numbers of rows, for templates that branch on it.
        for rows in [0, 1] {
            let sums = Arc::new(Sums::asking());
            let rendered = template.render(context("1970-01-01", "worker", rows, &sums));
            rendered.map_err(|error| template.error(&error))?;
            summed.extend(sums.asked());
        }
        let needs_totals = variables.contains("rows") || variables.contains("sum");
        Ok(Self { template, summed, needs_totals })
    }

    /// Columns whose sums the record uses.
    pub(super) fn summed(&self) -> Vec<String> {
        self.summed.iter().cloned().collect()
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
        let sums = Arc::new(Sums { totals: totals.clone(), asked: None });
        let context = context(&run.date.to_string(), run.worker.as_str(), rows, &sums);
        self.template.render(context).map_err(|error| self.template.error(&error))
    }
}

fn context(date: &str, worker: &str, rows: u64, sums: &Arc<Sums>) -> Value {
    minijinja::context! { date, worker, rows, sum => Value::from_dyn_object(Arc::clone(sums)) }
}

/// The sums as templates see them; in a trial, every column has one and is noted.
#[derive(Debug)]
struct Sums {
    totals: BTreeMap<String, String>,
    asked: Option<Mutex<BTreeSet<String>>>,
}

impl Sums {
    fn asking() -> Self {
        Self { totals: BTreeMap::new(), asked: Some(Mutex::default()) }
    }

    fn asked(&self) -> BTreeSet<String> {
        self.asked.as_ref().and_then(|asked| asked.lock().ok().map(|asked| asked.clone())).unwrap_or_default()
    }
}

impl Object for Sums {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        match &self.asked {
            None => self.totals.get(name).map(|sum| Value::from(sum.as_str())),
            Some(asked) => {
                asked.lock().ok()?.insert(name.to_owned());
                Some(Value::from("0"))
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
        let totals = [("Amount", "12.50"), ("Loan Total", "7")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        ControlRecord::new("last_record", source)?.render(&run, 1234, &BTreeMap::from(totals))
    }

    #[test]
    fn all_variables_are_there() {
        assert_eq!(
            render(
                "T{{ date | strftime('%d%m%Y') }} {{ worker }} {{ rows | pad(9, '0') }} {{ sum.Amount }} {{ sum['Loan Total'] }}"
            ),
            Ok("T21112026 LoanWorker 000001234 12.50 7".to_owned())
        );
    }

    #[test]
    fn summed_columns_are_found_however_they_are_written() {
        let record = |source| ControlRecord::new("first_record", source).unwrap();
        let source =
            "{% if rows > 0 %}{{ sum['Loan Total'] }}{% else %}{{ sum.B }}{% endif %}{{ sum.A | number('0') }}";
        assert_eq!(record(source).summed(), ["A", "B", "Loan Total"]);
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
        ] {
            let reason = ControlRecord::new("last_record", source).unwrap_err().reason;
            assert!(reason.contains(what) && reason.contains("last_record"), "{source}: {reason}");
        }
    }

    #[test]
    fn a_sum_that_nobody_made_is_an_error() {
        assert!(render("{% if rows == 1234 %}{{ sum['Am' ~ 'ountt'] }}{% endif %}").is_err());
    }
}
