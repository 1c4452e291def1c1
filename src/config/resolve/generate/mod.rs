//! A worker file's values as the core takes them.

mod columns;
mod deadline;
mod files;
mod marks;
mod params;
mod predicates;
mod schedule;
mod source;
mod topics;
mod translator;

pub(in crate::config) use files::blamed;

use super::{check_zone, days, policies, state};
use crate::config::cursor::{Cursor, Fields};
use crate::config::grammar::generate::{ACCEPT, BUSINESS_DATE, COMMIT, WORKER};
use crate::core::generate::spec::{AcceptSpec, BusinessDateSpec, CommitSpec, Corrections, Worker};
use crate::core::model::database::Database;
use crate::core::model::names::{TransferId, WorkerId};
use crate::core::model::sql::Lexicon;
use std::num::NonZeroU32;

/// The whole worker. `None` when anything is wrong; that is noted then.
pub(in crate::config) fn worker(root: &Cursor<'_>) -> Option<Worker> {
    let fields = root.read(&WORKER);
    let id = fields.text("worker").and_then(|text| match WorkerId::new(text) {
        Ok(id) => Some(id),
        Err(error) => {
            fields.place("worker").report("impossible-value", error.to_string(), "for example `LoanWorker`");
            None
        }
    });
    let params = params::params(&root.section("params"));
    let source = source::source(&root.section("source"), &params);
    let output = source::output(&root.section("output"));
    let lexicon = source.as_ref().and_then(|source| Database::of_address(source.url.reveal())).and_then(Lexicon::of);
    let sql = marks::SqlContext { params: &params, lexicon };
    let suffixed = output.as_ref().is_some_and(|output| output.corrections == Corrections::Suffix);
    let files = files::files(&root.section("files"), id.as_ref(), &sql, suffixed);
    if source.as_ref().is_some_and(|source| !source.count) {
        files::refuse_counted_records(&root.section("files"), files.as_deref().unwrap_or_default());
    }
    let business_date = business_date(&root.section("business_date"));
    let state = state::state(&root.section("state"), output.as_ref().map(|output| &*output.root));
    let trigger = topics::trigger(root, id.as_ref());
    let schedule = schedule::schedule(&root.section("trigger").section("schedule"), business_date.as_ref());
    let clock = schedule.as_ref().and_then(Option::as_ref);
    let deadline = deadline::deadline(&root.section("deadline"), business_date.as_ref(), clock);
    let completion = topics::completion(root);
    let deliver = deliver(&fields);
    let commit = commit(&root.section("commit"));
    let policies = policies::policies(&root.section("policies"));
    Some(Worker {
        id: id?,
        source: source?,
        params,
        output: output?,
        files: files?,
        business_date: business_date?,
        deadline: deadline?,
        state: state?,
        trigger: trigger?,
        schedule: schedule?,
        completion: completion?,
        deliver: deliver?,
        commit: commit?,
        policies: policies?,
    })
}

/// The transfer's name. `Some(None)` when the file names none.
#[expect(clippy::option_option, reason = "the outer none is a noted problem, the inner one is no transfer")]
fn deliver(fields: &Fields<'_>) -> Option<Option<String>> {
    let Some(text) = fields.owned("deliver") else { return Some(None) };
    match TransferId::new(text) {
        Ok(id) => Some(Some(id.to_string())),
        Err(error) => {
            fields.place("deliver").report("impossible-value", error.to_string(), "for example `sales`");
            None
        }
    }
}

fn business_date(at: &Cursor<'_>) -> Option<BusinessDateSpec> {
    let fields = at.read(&BUSINESS_DATE);
    let timezone = fields.owned("timezone")?;
    let pointer = fields.owned("pointer")?;
    check_zone(&fields.place("timezone"), &timezone);
    if !pointer.is_empty() && !pointer.starts_with('/') {
        let hint = "a JSON pointer starts with `/`: `/businessDate`, `/payload/date`";
        fields.place("pointer").report("impossible-value", "this is no JSON pointer", hint);
    }
    let calendar = days(&fields, "calendar", at.context.folder)?;
    let accept = accept(&at.section("accept"))?;
    Some(BusinessDateSpec { timezone, pointer, calendar, accept })
}

fn accept(at: &Cursor<'_>) -> Option<AcceptSpec> {
    let fields = at.read(&ACCEPT);
    Some(AcceptSpec {
        past_days: fields.days("past")?,
        future_days: fields.days("future")?,
        runs_per_hour: u32::try_from(fields.whole("runs_per_hour")?).ok()?,
    })
}

fn commit(at: &Cursor<'_>) -> Option<CommitSpec> {
    let fields = at.read(&COMMIT);
    Some(CommitSpec {
        pages: NonZeroU32::new(u32::try_from(fields.whole("pages")?).ok()?)?,
        interval: fields.duration("interval")?,
    })
}
