//! `filegen lease`: who holds the right to write, and taking it back by hand.

use super::context::Context;
use super::exit::CommandEnd;
use super::failure::Failure;
use super::ui::table::{self, Tone};
use super::watch;
use crate::commands::ui::one_line;
use crate::core::election::release::{self, Release};
use crate::core::election::report::{LeaseReport, LeaseState, lease_of};
use crate::core::model::moment::moment;
use crate::core::model::names::LeaseKey;
use crate::core::model::shown;
use crate::core::ports::leases::LeaseRecord;
use crate::wiring::{self, Access};
use serde::Serialize;

/// Show or release the right to write
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  filegen lease show -c loans.yaml")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Show who holds the lease, with which token, and how fresh it is
    Show(ShowArgs),
    /// Give the lease back on its holder's behalf
    Release(ReleaseArgs),
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  filegen lease show -c loans.yaml
  filegen lease show --all -c loans.yaml --output json
  filegen lease show --watch -c loans.yaml")]
struct ShowArgs {
    /// Show again every two seconds until Ctrl-C
    #[arg(long)]
    watch: bool,
    /// Show the leases of all workers in this state store
    #[arg(long)]
    all: bool,
}

/// The next contender then takes over without waiting. A holder that is alive is refused unless forced; it stops writing
/// at its next renewal, and its token keeps it from changing anything after that. Who released what and why is kept.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  filegen lease release -c loans.yaml --reason \"pod-3 hangs, INC-4711\"
  filegen lease release -c loans.yaml --reason drill --dry-run")]
struct ReleaseArgs {
    /// Why, for the audit trail
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: String,
    /// Also from a holder that is alive
    #[arg(long)]
    force: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Show what would be released, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Shows or releases.
pub(super) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    match &args.action {
        Action::Show(args) => show(context, args),
        Action::Release(args) => release(context, args),
    }
}

fn show(context: &Context, args: &ShowArgs) -> Result<CommandEnd, Failure> {
    let worker = context.worker()?;
    context.block_on(async {
        let clock = wiring::clock();
        watch::show(args.watch, &*clock, async || {
            let state = wiring::state(&worker, Access::Look).await?;
            let (keys, mut odd) = if args.all {
                let found = state.leases.list().await?;
                (found.records.into_iter().map(|lease| lease.key).collect(), found.odd)
            } else {
                (vec![LeaseKey::from(&worker.id)], Vec::new())
            };
            let mut leases = Vec::new();
            for key in &keys {
                let report = lease_of(&*state.leases, key, clock.now()).await?;
                odd.extend(report.odd.clone());
                leases.extend(LeaseRow::new(report));
            }
            let shown = LeasesView { leases };
            context.ui.result(&shown, |shown| text(context, shown));
            context.ui.unreadable(&odd);
            if shown.leases.is_empty() && odd.is_empty() {
                context.ui.status("no lease: nobody has written here yet");
            }
            Ok(!context.ui.is_closed())
        })
        .await?;
        Ok(CommandEnd::Done)
    })
}

fn release(context: &Context, args: &ReleaseArgs) -> Result<CommandEnd, Failure> {
    let worker = context.worker()?;
    let who = wiring::who();
    let key = LeaseKey::from(&worker.id);
    let asked = Release { key: &key, reason: &args.reason, who: &who, force: args.force };
    context.block_on(async {
        let clock = wiring::clock();
        // Nothing is changed, not even an index, before a person agrees.
        let state = wiring::state(&worker, Access::Look).await?;
        let view = release::releasable(&*state.leases, &*clock, &asked).await?;
        let (instance, token, how) = (&view.record.instance, view.record.token, view.state.as_str());
        let holder = shown::name(instance.as_str());
        if !args.dry_run {
            let question = format!("Release the lease of {}: token {token} of {holder} ({how})?", worker.id);
            if !context.confirmed(args.yes, &question)? {
                context.ui.status("nothing released");
                return Ok(CommandEnd::DECLINED);
            }
            let state = wiring::state(&worker, Access::Change).await?;
            release::release(&*state.leases, &*state.audit, &*clock, &asked).await?;
        }
        let done = Released {
            worker_id: worker.id.to_string(),
            token: token.0,
            holder: instance.to_string(),
            state: how,
            reason: &args.reason,
            dry_run: args.dry_run,
        };
        let verb = if args.dry_run { "would release" } else { "released" };
        context
            .ui
            .result(&done, |_| one_line(format_args!("{verb} lease {}: token {token} of {holder} ({how})", worker.id)));
        Ok(CommandEnd::Done)
    })
}

#[derive(Serialize)]
struct LeasesView {
    leases: Vec<LeaseRow>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LeaseRow {
    worker_id: String,
    state: &'static str,
    holder: String,
    token: u64,
    seq: u64,
    acquired_at: String,
    renewed_at: String,
    expires_at: String,
    age_seconds: Option<f64>,
    released_at: Option<String>,
    reason: Option<String>,
    #[serde(skip)]
    condition: LeaseState,
}

impl LeaseRow {
    /// `None` for a worker that never had a lease.
    fn new(report: LeaseReport) -> Option<Self> {
        let LeaseRecord { key, instance, token, seq, acquired_at, renewed_at, expires_at, released } = report.record?;
        Some(Self {
            worker_id: key.to_string(),
            state: report.state.as_str(),
            holder: instance.to_string(),
            token: token.0,
            seq,
            acquired_at: moment(acquired_at),
            renewed_at: moment(renewed_at),
            expires_at: moment(expires_at),
            age_seconds: report.age.map(|age| age.as_secs_f64()),
            released_at: released.as_ref().map(|(at, _)| at.to_string()),
            reason: released.map(|(_, reason)| reason),
            condition: report.state,
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Released<'a> {
    worker_id: String,
    token: u64,
    holder: String,
    state: &'static str,
    reason: &'a str,
    dry_run: bool,
}

fn text(context: &Context, shown: &LeasesView) -> String {
    if shown.leases.is_empty() {
        return String::new();
    }
    let mut table =
        context.ui.table(&["worker", "state", "holder", "token", "renewed", "renewals", "acquired", "reason"]);
    for row in &shown.leases {
        let tone = match row.condition {
            LeaseState::Held => Tone::Good,
            LeaseState::Expired | LeaseState::Odd => Tone::Warn,
            LeaseState::None | LeaseState::Released => Tone::Faint,
        };
        table.row(vec![
            table::text(&row.worker_id),
            table::toned(row.state, tone),
            table::text(&row.holder),
            table::right(row.token.to_string()),
            table::right(row.age_seconds.map_or_else(|| "-".to_owned(), |age| format!("{age:.1} s ago"))),
            table::number(row.seq),
            table::text(&row.acquired_at),
            table::text(row.reason.as_deref().unwrap_or("-")),
        ]);
    }
    table.text()
}
