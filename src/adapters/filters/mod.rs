//! Filters that are made of files of this host. The files are read anew for each content.

mod age;
mod certificate;
mod json;
mod openpgp;
mod schema;
mod split;
#[cfg(test)]
mod tests;

use crate::core::model::amount::counted;
use crate::core::model::filters::{OpenPgpSpec, ToolFinding, ToolSpec};
use crate::core::model::finding::{CheckVerdict, Finding};
use crate::core::model::moment::moment;
use crate::core::ports::filters::{FilterError, FilterTools, Stage};
use certificate::Unfit;
use jiff::{SignedDuration, Timestamp};
use std::path::Path;

/// A key that ends sooner is told.
const ENDS_SOON: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Filters by the files that their section names.
#[derive(Clone, Copy, Debug)]
pub struct LocalFilters;

impl FilterTools for LocalFilters {
    fn begin(&self, spec: &ToolSpec, now: Timestamp) -> Result<Box<dyn Stage>, FilterError> {
        match spec {
            ToolSpec::Json(check) => match schema::Schema::read(&check.schema) {
                Ok(schema) => Ok(Box::new(json::JsonChecker::new(check, schema))),
                Err(reason) => Err(FilterError::Unusable { filter: "check", reason }),
            },
            ToolSpec::Age(spec) => match age::recipients(spec).and_then(|to| age::Age::new(&to)) {
                Ok(stage) => Ok(Box::new(stage)),
                Err(reason) => Err(FilterError::Unusable { filter: "age", reason }),
            },
            ToolSpec::OpenPgp(spec) => match openpgp::Keys::read(spec, now) {
                Ok(keys) => Ok(Box::new(openpgp::OpenPgp::new(keys))),
                Err(Unfit::Ended(reason)) => Err(FilterError::Ended { filter: "openpgp", reason }),
                Err(Unfit::Wrong(reason)) => Err(FilterError::Unusable { filter: "openpgp", reason }),
            },
        }
    }

    fn look(&self, spec: &ToolSpec, now: Timestamp) -> Vec<ToolFinding> {
        match spec {
            ToolSpec::Json(check) => {
                let told = schema::Schema::read(&check.schema)
                    .map(|_| format!("{}: a schema that contents are held against", check.schema.display()));
                vec![found("check.json.schema", "schema", told)]
            }
            ToolSpec::OpenPgp(spec) => look_openpgp(spec, now),
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

/// What there is to say of the keys of a section: each file by itself.
fn look_openpgp(spec: &OpenPgpSpec, now: Timestamp) -> Vec<ToolFinding> {
    let mut all = Vec::new();
    for (index, path) in spec.recipients.iter().enumerate() {
        let field = format!("openpgp.recipients[{index}]");
        match openpgp::recipients(path, now) {
            Ok(keys) => all.extend(keys.iter().map(|(_, found)| of_key(&field, "recipient", found, path, now))),
            Err(unfit) => all.push(found(field, "recipient", Err(unfit.why()))),
        }
    }
    if let Some(sign) = &spec.sign {
        let (field, check) = ("openpgp.sign.key", "signing key");
        all.push(match openpgp::signer_found(sign, now) {
            Ok(signer) => of_key(field, check, &signer, &sign.key, now),
            Err(unfit) => found(field, check, Err(unfit.why())),
        });
    }
    all
}

/// A key that may be used: for how long is told, and told as a doubt where that is soon.
fn of_key(field: &str, check: &str, key: &openpgp::Found, path: &Path, now: Timestamp) -> ToolFinding {
    let shown = format!("{} in `{}`", key.name, path.display());
    let detail = match key.until {
        None => format!("{shown}: may be used, and has no end"),
        Some(until) => format!("{shown}: may be used until {}", moment(until)),
    };
    let ends_soon = key.until.is_some_and(|until| until < now.saturating_add(ENDS_SOON).unwrap_or(Timestamp::MAX));
    let verdict = if ends_soon { CheckVerdict::Warn } else { CheckVerdict::Pass };
    let detail = if ends_soon { format!("{detail}: get the renewed key before") } else { detail };
    ToolFinding { field: field.to_owned(), finding: Finding { check: check.to_owned(), verdict, detail } }
}

/// A finding that passes or fails.
fn found(field: impl Into<String>, check: &str, told: Result<String, String>) -> ToolFinding {
    let verdict = if told.is_ok() { CheckVerdict::Pass } else { CheckVerdict::Fail };
    let detail = told.unwrap_or_else(|why| why);
    ToolFinding { field: field.into(), finding: Finding { check: check.to_owned(), verdict, detail } }
}
