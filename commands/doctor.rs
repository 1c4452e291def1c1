//! `filegen doctor`: whether a run would work, and why not.

use super::context::Context;
use super::exit::{Code, Failure, Verdict};
use super::ui::table::{self, Tone};
use crate::core::doctor::{self, Examination, Found};
use crate::core::ports::source;
use crate::wiring::{self, Access, State};
use serde::Serialize;

/// Check source, key, output folder and state store before a run does
///
/// Reads the view, translates one page, and writes and removes a few small files in the output folder. Exit code 1 when a
/// run would fail, 6 when a dependency cannot be reached.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  filegen doctor -c loans.yaml
  filegen doctor -c loans.yaml --output json")]
pub struct Args {}

/// Examines and prints each finding as it comes.
pub(super) fn run(context: &Context, _args: &Args) -> Result<Verdict, Failure> {
    let worker = context.worker()?;
    let found = context.block_on(async {
        let clock = wiring::clock();
        let (state, state_error) = match wiring::state(&worker, Access::Look).await {
            Ok(state) => (state, None),
            Err(wiring::WiringError::Store(error)) => (State::empty(), Some(error)),
            Err(error) => return Err(error.into()),
        };
        // A person waits: what is away now is said now.
        let source = wiring::source_at(&worker.source.url)?;
        let ports = wiring::assemble(&worker, source, state, clock);
        let name = (wiring::identity().nonce)();
        let tell = |found: &Found| {
            if !context.ui.is_json() {
                context.ui.out(&line(context, found));
            }
        };
        let examination = Examination {
            ports: &ports,
            worker: &worker,
            registry: &context.registry,
            name: &name,
            state_error,
            found: &tell,
        };
        Ok(doctor::examine(&examination).await)
    })?;
    let failed = found.iter().filter(|found| found.finding.verdict == source::Verdict::Fail).count();
    let warned = found.iter().filter(|found| found.finding.verdict == source::Verdict::Warn).count();
    let verdict = if failed > 0 { "fail" } else { "pass" };
    let shown = Shown { verdict, failed, warned, checks: found.iter().map(Row::new).collect() };
    context.ui.result(&shown, |shown| format!("{} checks, {failed} failed, {warned} to look at\n", shown.checks.len()));
    Ok(if found.iter().any(|found| found.unreachable) {
        Verdict::Ended(Code::Unreachable)
    } else if failed > 0 {
        Verdict::Ended(Code::Failed)
    } else {
        Verdict::Done
    })
}

#[derive(Serialize)]
struct Shown<'a> {
    verdict: &'static str,
    failed: usize,
    warned: usize,
    checks: Vec<Row<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    area: &'static str,
    check: &'a str,
    verdict: &'static str,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    milliseconds: Option<f64>,
}

impl<'a> Row<'a> {
    fn new(found: &'a Found) -> Self {
        Self {
            area: found.area.as_str(),
            check: &found.finding.check,
            verdict: word(found.finding.verdict).0,
            detail: &found.finding.detail,
            milliseconds: found.took.map(|took| took.as_secs_f64() * 1000.0),
        }
    }
}

fn word(verdict: source::Verdict) -> (&'static str, Tone) {
    match verdict {
        source::Verdict::Pass => ("pass", Tone::Good),
        source::Verdict::Warn => ("warn", Tone::Warn),
        source::Verdict::Fail => ("fail", Tone::Bad),
    }
}

fn line(context: &Context, found: &Found) -> String {
    let (word, tone) = word(found.finding.verdict);
    let took = found.took.map(|took| format!(" ({})", table::span(took))).unwrap_or_default();
    let (area, check, detail) = (found.area.as_str(), &found.finding.check, &found.finding.detail);
    format!("{}  {area:6}  {check:20}  {detail}{took}\n", context.ui.paint_out(word, tone))
}
