//! Filters that are made of files of this host. The files are read anew for each content.

mod age;
mod json;
mod schema;
mod split;
#[cfg(test)]
mod tests;

use crate::core::model::amount::counted;
use crate::core::model::filters::{ToolFinding, ToolSpec};
use crate::core::model::finding::{CheckVerdict, Finding};
use crate::core::ports::filters::{FilterError, FilterTools, Stage};
use jiff::Timestamp;

/// Filters by the files that their section names.
#[derive(Clone, Copy, Debug)]
pub struct LocalFilters;

impl FilterTools for LocalFilters {
    fn begin(&self, spec: &ToolSpec, _: Timestamp) -> Result<Box<dyn Stage>, FilterError> {
        match spec {
            ToolSpec::Json(check) => match schema::Schema::read(&check.schema) {
                Ok(schema) => Ok(Box::new(json::JsonChecker::new(check, schema))),
                Err(reason) => Err(FilterError::Unusable { filter: "check", reason }),
            },
            ToolSpec::Age(spec) => match age::recipients(spec).and_then(|to| age::Age::new(&to)) {
                Ok(stage) => Ok(Box::new(stage)),
                Err(reason) => Err(FilterError::Unusable { filter: "age", reason }),
            },
        }
    }

    fn look(&self, spec: &ToolSpec, _: Timestamp) -> Vec<ToolFinding> {
        match spec {
            ToolSpec::Json(check) => {
                let told = schema::Schema::read(&check.schema)
                    .map(|_| format!("{}: a schema that contents are held against", check.schema.display()));
                vec![found("check.json.schema", "schema", told)]
            }
            ToolSpec::Age(spec) => {
                let field = if spec.recipients_file.is_some() { "age.recipients_file" } else { "age.recipients" };
                // The keys are tried: one that nothing can be encrypted to is told.
                let tried = age::recipients(spec).and_then(|to| age::Age::new(&to).map(|_| to.len() as u64));
                vec![found(
                    field,
                    "recipients",
                    tried.map(|count| format!("encrypts to {}", counted(count, "recipient"))),
                )]
            }
        }
    }
}

/// A finding that passes or fails.
fn found(field: impl Into<String>, check: &str, told: Result<String, String>) -> ToolFinding {
    let verdict = if told.is_ok() { CheckVerdict::Pass } else { CheckVerdict::Fail };
    let detail = told.unwrap_or_else(|why| why);
    ToolFinding { field: field.into(), finding: Finding { check: check.to_owned(), verdict, detail } }
}
