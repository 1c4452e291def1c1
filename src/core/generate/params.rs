//! The parameters of a run: which a worker's SQL may name, and their values.

use super::GenerateError;
use super::spec::{PARAMS_OF_EVERY_RUN, Worker};
use crate::core::model::param::{ParamKind, ParamValue, Params, listed};
use crate::core::model::run::{BusinessDate, RunId};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;

/// The names of the parameters that a worker's SQL names.
fn named(worker: &Worker) -> BTreeSet<&str> {
    let predicates = worker.files.iter().filter_map(|file| file.predicate.as_ref());
    worker.source.view.sql().into_iter().chain(predicates).flat_map(|sql| sql.names()).collect()
}

/// The values for a run that begins now, of the parameters that the worker's SQL names.
///
/// # Errors
/// When one has no value.
pub fn of(worker: &Worker, run: &RunId) -> Result<Params, GenerateError> {
    let value = |name: &str| {
        value(worker, run, name).ok_or_else(|| GenerateError::Parameter {
            reason: format!(
                "the parameter `{name}` has no value; give it with `--param {name}=VALUE`, or in the worker file under `params`"
            ),
        })
    };
    named(worker).into_iter().map(|name| Ok((name.to_owned(), value(name)?))).collect()
}

/// Values for looking at the source on a day: a parameter without a value has the simplest one of its kind.
pub fn for_looking(worker: &Worker, date: BusinessDate) -> Params {
    let run = RunId { worker: worker.id.clone(), date };
    let simplest = |name: &str| match kind(worker, name) {
        Some(ParamKind::Date) => ParamValue::Date(date.0),
        Some(ParamKind::Integer) => ParamValue::Integer(0),
        Some(ParamKind::Decimal) => ParamValue::Decimal("0".to_owned()),
        Some(ParamKind::Boolean) => ParamValue::Boolean(false),
        Some(ParamKind::Text) | None => ParamValue::Text(String::new()),
    };
    let value = |name: &str| value(worker, &run, name).unwrap_or_else(|| simplest(name));
    named(worker).into_iter().map(|name| (name.to_owned(), value(name))).collect()
}

/// The day that it is now on the clock of the worker's zone; in UTC where that zone is not known here.
pub fn today(worker: &Worker, now: Timestamp) -> BusinessDate {
    let zone = TimeZone::get(&worker.business_date.timezone).unwrap_or(TimeZone::UTC);
    BusinessDate(now.to_zoned(zone).date())
}

/// Parameters that the worker's SQL names and that have no value in the file: each run is to be given one.
pub fn without_value(worker: &Worker) -> Vec<&str> {
    let named = named(worker);
    let missing = worker.params.iter().filter(|param| param.value.is_none() && named.contains(param.name.as_str()));
    missing.map(|param| param.name.as_str()).collect()
}

/// Sees that the values given for one run are those that it has.
///
/// # Errors
/// [`GenerateError::Staged`] names what it has and what was given.
pub fn check_given(worker: &Worker, run: &RunId, has: &Params) -> Result<(), GenerateError> {
    for param in worker.params.iter().filter(|param| param.is_given) {
        let (Some(given), name) = (&param.value, &param.name) else { continue };
        if has.get(name).is_some_and(|value| value != given) {
            let (has, given) = (listed(has), given.to_string());
            let reason = format!(
                "run {run} has the parameters {has}, and {name} = {given} was given; leave `--param` out, or start over with \
                 `filegen run --restart` where it is not published"
            );
            return Err(GenerateError::Staged { reason });
        }
    }
    Ok(())
}

fn kind(worker: &Worker, name: &str) -> Option<ParamKind> {
    let own = worker.params.iter().find(|param| param.name == name).map(|param| param.kind);
    own.or_else(|| PARAMS_OF_EVERY_RUN.into_iter().find(|(other, _)| *other == name).map(|(_, kind)| kind))
}

fn value(worker: &Worker, run: &RunId, name: &str) -> Option<ParamValue> {
    match name {
        "date" | "run.date" => Some(ParamValue::Date(run.date.0)),
        "previous_business_date" => worker.business_date.calendar.previous(run.date.0).map(ParamValue::Date),
        "run.id" => Some(ParamValue::Text(run.to_string())),
        "run.worker" => Some(ParamValue::Text(run.worker.to_string())),
        _ => worker.params.iter().find(|param| param.name == name)?.value.clone(),
    }
}
