//! The parameters of a run: which a worker's SQL may name, and their values.

use super::spec::{PARAMS_OF_EVERY_RUN, Worker};
use super::{GenerateError, Job, Ports, Start, record};
use crate::core::failpoints::crash::crash_point;
use crate::core::model::param::{ParamKind, ParamValue, Params, listed};
use crate::core::model::run::{BusinessDate, RunId, RunRecord};
use crate::core::model::sql::{Relation, Sql};
use crate::core::model::term::Term;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The names of the parameters that a worker's SQL names.
pub fn named(worker: &Worker) -> BTreeSet<&str> {
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

/// What health asks the source for: the view's columns, with the parameters of today. A view with a parameter that has no value
/// can be asked for nothing that a run would ask; then it is only whether the source answers.
pub fn for_health(worker: &Worker, now: Timestamp) -> Relation {
    let view = &worker.source.view;
    let date = today(worker, now);
    let run = RunId { worker: worker.id.clone(), date };
    let has_values = view.sql().is_none_or(|sql| sql.names().iter().all(|name| value(worker, &run, name).is_some()));
    let bound = has_values.then(|| view.bind(&for_looking(worker, date)).ok()).flatten();
    bound.unwrap_or_else(|| Relation::Query(Sql::from("SELECT 1 AS answers")))
}

/// The day that it is now on the clock of the worker's zone; in UTC where that zone is not known here.
pub fn today(worker: &Worker, now: Timestamp) -> BusinessDate {
    let zone = TimeZone::get(&worker.business_date.timezone).unwrap_or(TimeZone::UTC);
    BusinessDate(now.to_zoned_datetime(zone).date())
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
        // One that it lacks is another one too: its rows were chosen without it.
        if has.get(name) != Some(given) {
            let has =
                if has.is_empty() { "no parameters".to_owned() } else { format!("the parameters {}", listed(has)) };
            let reason = format!(
                "run {run} has {has}, and {name} = {given} was given; leave `--param` out, start over with `filegen \
                 run --restart`, or, where it is published, make its next version with `filegen correct`"
            );
            return Err(GenerateError::Staged { reason });
        }
    }
    Ok(())
}

/// The values that were given for one run.
pub fn given(worker: &Worker) -> Params {
    let given = worker.params.iter().filter(|param| param.is_given);
    given.filter_map(|param| Some((param.name.clone(), param.value.clone()?))).collect()
}

/// The values that an earlier call gave for this run. A restart begins without them.
///
/// # Errors
/// When the store is away.
pub(super) async fn kept(ports: &Ports, job: &Job) -> Result<Params, GenerateError> {
    if job.start == Start::FromStart {
        return Ok(Params::new());
    }
    // Asked for as wanted, the record is the newest that there is; a run that is not there yet has no values.
    if ports.state.runs.run(&job.run).await?.is_none() {
        return Ok(Params::new());
    }
    let record = record::run_record(ports, job, ports.clock.now()).await?;
    Ok(record.given.unwrap_or_default())
}

/// The same job, with the values that an earlier call gave where this one gives none.
pub(super) fn with(job: &Job, kept: &Params) -> Job {
    let mut worker = Arc::clone(&job.worker);
    if kept.keys().any(|name| worker.params.iter().any(|param| param.name == *name && !param.is_given)) {
        fill(Arc::make_mut(&mut worker), kept);
    }
    let (registry, observer) = (Arc::clone(&job.registry), Arc::clone(&job.observer));
    let (stop, edition) = (job.stop.clone(), job.edition.clone());
    Job { worker, run: job.run.clone(), registry, start: job.start, stop, observer, edition }
}

/// The same job, without the values that were given for it.
pub(super) fn without_given(job: &Job) -> Job {
    let mut worker = Arc::clone(&job.worker);
    if worker.params.iter().any(|param| param.is_given) {
        for param in &mut Arc::make_mut(&mut worker).params {
            param.is_given = false;
        }
    }
    let (registry, observer) = (Arc::clone(&job.registry), Arc::clone(&job.observer));
    let (stop, edition) = (job.stop.clone(), job.edition.clone());
    Job { worker, run: job.run.clone(), registry, start: Start::Resume, stop, observer, edition }
}

/// Gives a worker the values that an earlier call gave, where this one gives none.
pub(super) fn fill(worker: &mut Worker, kept: &Params) {
    for param in worker.params.iter_mut().filter(|param| !param.is_given) {
        if let Some(value) = kept.get(&param.name) {
            (param.value, param.is_given) = (Some(value.clone()), true);
        }
    }
}

/// Keeps the values given for this run in its record, in the one write that records the run where it is new. So whoever makes the
/// run, and however often its journal is lost or thrown away, makes it with these values.
///
/// # Errors
/// When the store refuses or is away.
pub(super) async fn keep(ports: &Ports, job: &Job, term: &Term, kept: &Params) -> Result<(), GenerateError> {
    let given = given(&job.worker);
    if given == *kept && job.start != Start::FromStart {
        return Ok(());
    }
    let record = if ports.state.runs.run(&job.run).await?.is_some() {
        record::run_record(ports, job, ports.clock.now()).await?
    } else {
        let claim = ports.state.leases.claim(&(&job.run.worker).into(), term.token()).await?;
        let by = claim.map_or_else(|| "holder".to_owned(), |claim| format!("command:{}", claim.instance));
        RunRecord::pending(&job.run, &by, ports.clock.now())
    };
    if record.given.clone().unwrap_or_default() == given {
        return Ok(());
    }
    ports.state.runs.save_run(term, &RunRecord { given: Some(given), ..record }).await?;
    crash_point!("params.kept");
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
