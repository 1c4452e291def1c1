//! `filegen doctor`: whether a run would work, and why not; with `--fix`, what can be mended without harm.

use super::context::{Context, ParamArgs};
use super::exit::{Code, CommandEnd};
use super::failure::Failure;
use super::schedule;
use super::ui::table::{self, Tone};
use crate::commands::ui::one_line;
use crate::config::{self, Environment, Flow, Loaded};
use crate::core::doctor::report::{Area, CheckResult};
use crate::core::doctor::{self, Fix};
use crate::core::generate::doctor::{DoctorInput, examine};
use crate::core::generate::params;
use crate::core::generate::spec::Worker;
use crate::core::inlet::Inlet;
use crate::core::kind::FailureKind;
use crate::core::model::door::TlsFiles;
use crate::core::model::finding;
use crate::core::model::shown;
use crate::core::ports::admin::StoreAdmin;
use crate::core::ports::audit::AuditLog;
use crate::core::schedule::spec::Scheduler;
use crate::core::transfer::spec::Transfer;
use crate::wiring::{self, Access};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Check all that a file needs before the work does: source, folders, state store, topics
///
/// Of a worker file: reads the view, translates one page, and writes and removes a few small files in the output folder; with the
/// file of the transfer that it delivers to beside it, tries whether files can be handed over. Of an
/// ingest file: asks topic, tables, rights, clocks and the queue of dead letters. Of a scheduler file: looks into its folders, and
/// at leader, schedules and what waits in the store. Of a transfer file: tries its folders, its target, what carries the files, and
/// the ledger. Takes no event and sends none. When a run would fail, the exit code is that
/// run's: 6 when a dependency cannot be reached, 3 when file, login, rights or a folder are wrong, 7 when key or values are.
///
/// --fix makes the indexes that MongoDB lacks, after asking; who did it and why is kept. Nothing else is changed.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  filegen doctor -c loans.yaml
  filegen doctor -c loans.yaml --output json
  filegen doctor -c loans.yaml -c sales.yaml
  filegen doctor -c events.yaml
  filegen doctor -c intake.yaml
  filegen doctor -c sales.yaml
  filegen doctor -c loans.yaml --param region=EU
  filegen doctor -c loans.yaml --fix --dry-run
  filegen doctor -c loans.yaml --fix --reason \"restored from backup, INC-4711\"")]
pub struct Args {
    #[command(flatten)]
    params: ParamArgs,
    /// Make missing indexes of the state store
    #[arg(long)]
    fix: bool,
    /// Why, for the audit trail
    #[arg(long, value_name = "TEXT", default_value = "", requires = "fix")]
    reason: String,
    /// Do not ask
    #[arg(long, short, requires = "fix")]
    yes: bool,
    /// Show what would be made, and make nothing
    #[arg(long, requires = "fix")]
    dry_run: bool,
}

/// Examines and prints each finding as it comes.
pub(super) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    let tell = |found: &CheckResult| tell(context, found);
    let (loaded, transfers) = subject(context)?;
    refuse_foreign(&loaded.flow, args)?;
    match loaded.flow {
        Flow::Generate(_) => of_worker(context, args, loaded, &transfers),
        Flow::Ingest(_) => super::ingest::doctor::run(context, &tell, |found| end(context, found, None)),
        Flow::Schedule(scheduler) => of_scheduler(context, args, &scheduler),
        Flow::Transfer(ref transfer) => of_transfer(context, args, transfer, &namesakes(context, &loaded)),
    }
}

/// The file that is examined: the first one; and the transfers beside it, which a worker may deliver to.
fn subject(context: &Context) -> Result<(Loaded, Vec<Arc<Transfer>>), Failure> {
    let (first, others) = match context.globals.config.split_first() {
        Some((first, others)) if !others.is_empty() => (first.as_path(), others),
        _ => (context.config_path()?, Default::default()),
    };
    let load = |path: &Path| config::load(path, &Environment, &context.registry);
    let loaded = load(first)?;
    let mut transfers = Vec::new();
    for path in others {
        match load(path)?.flow {
            Flow::Transfer(transfer) if loaded.flow.worker().is_some() => transfers.push(transfer),
            _ => {
                let reason = "this command examines one file: beside a worker's, only those of transfers may be named";
                return Err(Failure::new(Code::Usage, reason));
            }
        }
    }
    Ok((loaded, transfers))
}

/// Refuses what this kind of file does not have: an option that does nothing would be believed.
fn refuse_foreign(flow: &Flow, args: &Args) -> Result<(), Failure> {
    let (has_params, has_indexes) = match flow {
        Flow::Generate(_) => (true, true),
        Flow::Schedule(_) | Flow::Transfer(_) => (false, true),
        Flow::Ingest(_) => (false, false),
    };
    if !has_params && !args.params.is_empty() {
        return Err(Failure::new(
            Code::Usage,
            format!("a file of kind {} has no parameters: `--param` is for a worker file", flow.key()),
        ));
    }
    if !has_indexes && args.fix {
        return Err(Failure::new(
            Code::Usage,
            format!("there is nothing that `--fix` mends for a file of kind {}", flow.key()),
        ));
    }
    Ok(())
}

fn of_scheduler(context: &Context, args: &Args, scheduler: &Scheduler) -> Result<CommandEnd, Failure> {
    let (found, made) = context.block_on(async {
        let (mut found, state) = schedule::doctor::look(scheduler, &|found| tell(context, found)).await?;
        let made = match state.filter(|_| args.fix) {
            Some(state) => fix(context, args, (state.admin.as_deref(), &*state.audit), &mut found).await?,
            None => None,
        };
        Ok((found, made))
    })?;
    Ok(end(context, &found, made))
}

fn of_transfer(
    context: &Context,
    args: &Args,
    transfer: &Transfer,
    namesakes: &[String],
) -> Result<CommandEnd, Failure> {
    let (found, made) = context.block_on(async {
        let (mut found, state) =
            super::transfer::doctor::look(transfer, namesakes, &|found| tell(context, found)).await?;
        let made = match state.filter(|_| args.fix) {
            Some(state) => fix(context, args, (state.admin.as_deref(), &*state.audit), &mut found).await?,
            None => None,
        };
        Ok((found, made))
    })?;
    Ok(end(context, &found, made))
}

fn of_worker(
    context: &Context,
    args: &Args,
    loaded: Loaded,
    transfers: &[Arc<Transfer>],
) -> Result<CommandEnd, Failure> {
    let namesakes = namesakes(context, &loaded);
    let worker = Context::worker_of(loaded, &args.params)?;
    let (found, made) = context.block_on(async {
        let clock = wiring::clock();
        let (state, state_error) = match wiring::state(&worker, Access::Look).await {
            Ok(state) => (state, None),
            Err(wiring::WiringError::Store(error)) => (wiring::empty_state(), Some(error)),
            Err(error) => return Err(error.into()),
        };
        // A person waits: what is away now is said now.
        let source = wiring::source_at(&worker.source.url)?;
        let admin = state.admin.clone();
        let topics = match wiring::topic_probes(&worker) {
            Ok(probes) => Ok(probes),
            Err(wiring::WiringError::Broker(error)) => Err(error),
            Err(error) => return Err(error.into()),
        };
        let ports = wiring::assemble(&worker, source, state, clock);
        let name = (wiring::identity().nonce)();
        let inlet = inlet(&worker, transfers).await?;
        let tell = |found: &CheckResult| tell(context, found);
        let input = DoctorInput {
            ports: &ports,
            worker: &worker,
            registry: &context.registry,
            date: params::today(&worker, wiring::clock().now()),
            name: &name,
            namesakes: &namesakes,
            inlet: inlet.as_ref(),
            state_error,
            output_kept: &wiring::kept_output(&worker.output.root),
            state_kept: &wiring::kept_state(&worker.state),
            state_rights: wiring::state_rights(&worker),
            admin: admin.as_deref(),
            topics: &topics,
            insecure: &wiring::insecure(&worker),
            found: &tell,
        };
        let mut found = examine(&input).await;
        let store = (input.admin, &*ports.state.audit);
        let made = if args.fix { fix(context, args, store, &mut found).await? } else { None };
        Ok((found, made))
    })?;
    Ok(end(context, &found, made))
}

/// What other files beside this one have of it, in words.
fn namesakes(context: &Context, loaded: &Loaded) -> Vec<String> {
    let found = config::namesakes(loaded, &[], &Environment, &context.registry);
    found.iter().map(config::Namesake::describe).collect()
}

/// The way into the transfer that the worker delivers to, if its file is beside the worker's.
async fn inlet(worker: &Worker, transfers: &[Arc<Transfer>]) -> Result<Option<Inlet>, Failure> {
    let named = transfers.iter().find(|transfer| Some(transfer.id.as_str()) == worker.deliver.as_deref());
    let Some(transfer) = named else { return Ok(None) };
    let state = wiring::transfer_state(transfer, Access::Look).await?;
    Ok(wiring::inlet(transfer, &state))
}

/// The certificate of the daemon's own door, where this environment names one as the daemon's does.
fn status_door(context: &Context) -> Vec<CheckResult> {
    let named = ["HEALTH_TLS_CERTIFICATE", "HEALTH_TLS_KEY"].map(|name| std::env::var_os(name).map(PathBuf::from));
    let [Some(certificate), Some(key)] = named else { return Vec::new() };
    let files = TlsFiles { certificate, key };
    let found = wiring::certificates(&[("status", &files)], wiring::clock().now());
    let found = found.into_iter().map(|it| CheckResult::new(Area::Doors, it.finding, FailureKind::Config));
    found.inspect(|found| tell(context, found)).collect()
}

fn tell(context: &Context, found: &CheckResult) {
    if !context.ui.is_json() {
        context.ui.tell(&line(context, found));
    }
}

/// Shows all findings, and what the command ends with.
fn end(context: &Context, found: &[CheckResult], made: Option<Made>) -> CommandEnd {
    let found = [found, &status_door(context)].concat();
    let failed = found.iter().filter(|found| found.finding.verdict == finding::CheckVerdict::Fail).count();
    let warned = found.iter().filter(|found| found.finding.verdict == finding::CheckVerdict::Warn).count();
    let verdict = if failed > 0 { "fail" } else { "pass" };
    let declined = made == Some(Made::Declined);
    let shown = DoctorView { verdict, failed, warned, checks: found.iter().map(CheckRow::new).collect(), fix: made };
    context.ui.result(&shown, |shown| {
        format!("{}, {failed} failed, {warned} to look at\n", table::counted(shown.checks.len() as u64, "check"))
    });
    let code = Code::of_all(found.iter().filter_map(|found| found.failure)).or(declined.then_some(Code::Failed));
    code.map_or(CommandEnd::Done, CommandEnd::Ended)
}

#[derive(Serialize)]
struct DoctorView<'a> {
    verdict: &'static str,
    failed: usize,
    warned: usize,
    checks: Vec<CheckRow<'a>>,
    /// What came of `--fix`.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<Made>,
}

/// How `--fix` ended.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Made {
    /// What was missing is made.
    Done,
    /// Nothing was missing.
    Nothing,
    /// Only shown.
    DryRun,
    /// The person said no.
    Declined,
}

/// Makes missing indexes, once a person agrees, and says how the check ends then. `None`: the store cannot be asked.
async fn fix(
    context: &Context,
    args: &Args,
    (admin, audit): (Option<&dyn StoreAdmin>, &dyn AuditLog),
    found: &mut Vec<CheckResult>,
) -> Result<Option<Made>, Failure> {
    let indexes = |found: &CheckResult| found.area == Area::State && found.finding.check == doctor::INDEXES;
    let Some(admin) = admin else {
        context.ui.status("nothing to fix: this state store keeps its own indexes");
        return Ok(Some(Made::Nothing));
    };
    let missing = match found.iter().find(|found| indexes(found)).map(|found| found.finding.verdict) {
        Some(finding::CheckVerdict::Warn) => admin.missing_indexes().await?,
        Some(finding::CheckVerdict::Pass) => Vec::new(),
        // Why not is told already.
        Some(finding::CheckVerdict::Fail) | None => return Ok(None),
    };
    if missing.is_empty() {
        context.ui.status("nothing to fix: no index is missing");
        return Ok(Some(Made::Nothing));
    }
    let (names, store) = (missing.join(", "), admin.describe());
    if args.dry_run {
        context.ui.status(&format!("would make in {store}: {names}"));
        return Ok(Some(Made::DryRun));
    }
    if !context.confirmed(args.yes, &format!("Make in {store}: {names}?"))? {
        context.ui.status("nothing made");
        return Ok(Some(Made::Declined));
    }
    let fix = Fix { who: &wiring::who(), reason: &args.reason };
    if let Some(after) = doctor::fix(admin, audit, &*wiring::clock(), &fix).await? {
        tell(context, &after);
        found.retain(|found| !indexes(found));
        found.push(after);
    }
    Ok(Some(Made::Done))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CheckRow<'a> {
    area: &'static str,
    check: &'a str,
    verdict: &'static str,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    milliseconds: Option<f64>,
}

impl<'a> CheckRow<'a> {
    fn new(found: &'a CheckResult) -> Self {
        Self {
            area: found.area.as_str(),
            check: &found.finding.check,
            verdict: word(found.finding.verdict).0,
            detail: &found.finding.detail,
            milliseconds: found.took.map(|took| took.as_secs_f64() * 1000.0),
        }
    }
}

fn word(verdict: finding::CheckVerdict) -> (&'static str, Tone) {
    match verdict {
        finding::CheckVerdict::Pass => ("pass", Tone::Good),
        finding::CheckVerdict::Warn => ("warn", Tone::Warn),
        finding::CheckVerdict::Fail => ("fail", Tone::Bad),
    }
}

fn line(context: &Context, found: &CheckResult) -> String {
    let (word, tone) = word(found.finding.verdict);
    let took = found.took.map(|took| format!(" ({})", table::span(took))).unwrap_or_default();
    let (area, check, detail) = (found.area.as_str(), &found.finding.check, &found.finding.detail);
    let detail = shown::text(detail);
    one_line(format_args!("{}  {area:9}  {check:20}  {detail}{took}", context.ui.paint_out(word, tone)))
}
