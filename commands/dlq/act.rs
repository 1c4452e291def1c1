//! `filegen dlq apply` and `drop`: exactly the entries of a plan.

use crate::commands::context::Context;
use crate::commands::exit::{Code, CommandEnd};
use crate::commands::failure::Failure;
use crate::commands::ingest::load;
use crate::commands::stop::{SignalReporter, Signals};
use crate::commands::ui::table;
use crate::core::ingest::plan::{Fate, Plan};
use crate::core::ingest::replay::{Pace, Replay};
use crate::core::ingest::spec::Ingest;
use crate::files;
use crate::wiring;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Largest plan that is written and read, in bytes: some 100,000 entries.
pub(super) const PLAN_MAX: u64 = 48 << 20;

/// Replay exactly the entries of a plan
///
/// In the order in which they came. An entry leaves the queue only when its effect is durable, so a call that was broken off may be
/// given again. Entries that changed or left since the plan was made are named, and not touched. Exits with 4 when entries are left.
#[derive(clap::Args, Debug)]
pub(super) struct ApplyArgs {
    /// The plan
    #[arg(value_name = "PLAN", value_hint = clap::ValueHint::FilePath)]
    plan: PathBuf,
    /// Why, for the audit trail
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
    /// Entries a second [default: as fast as it goes]
    #[arg(long, value_name = "N", value_parser = rate)]
    rate: Option<f64>,
    /// Stop after so many failures of one kind
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    max_failures: u32,
}

/// Remove exactly the entries of a plan
#[derive(clap::Args, Debug)]
pub(super) struct DropArgs {
    /// The plan
    #[arg(value_name = "PLAN", value_hint = clap::ValueHint::FilePath)]
    plan: PathBuf,
    /// Why, for the audit trail
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
}

fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() { Err("say why".to_owned()) } else { Ok(text.to_owned()) }
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 0.0);
    rate.ok_or_else(|| "write entries a second, such as 50 or 0.5".to_owned())
}

/// A plan that was written to a file.
fn read(path: &Path) -> Result<Plan, Failure> {
    let bytes = files::read(path, PLAN_MAX)
        .map_err(|error| Failure::caused(Code::Failed, &error).context(format!("cannot read {}", path.display())))?;
    serde_json::from_slice(&bytes).map_err(|error| {
        Failure::caused(Code::Failed, &error)
            .context(format!("{} is no plan", path.display()))
            .hint("`filegen dlq plan{c} --out plan.json` makes one")
    })
}

/// Entries by what became of them, and those that a person should look at.
#[derive(Default)]
struct Ended {
    fates: BTreeMap<&'static str, u64>,
    odd: Vec<(String, Fate, Option<String>)>,
}

impl Ended {
    fn note(&mut self, id: &str, fate: Fate, why: Option<String>) {
        *self.fates.entry(fate.as_str()).or_default() += 1;
        if matches!(fate, Fate::Dead | Fate::Changed | Fate::Left | Fate::Gone) {
            self.odd.push((id.to_owned(), fate, why));
        }
    }

    /// Entries that are in the queue still.
    fn left(&self) -> u64 {
        [Fate::Dead, Fate::Changed, Fate::Left].iter().filter_map(|fate| self.fates.get(fate.as_str())).sum()
    }

    fn show(&self, context: &Context) -> CommandEnd {
        let odd = self.odd.iter().map(|(id, fate, why)| json!({ "id": id, "fate": fate.as_str(), "reason": why }));
        let shown = json!({ "entries": self.fates, "left": self.left(), "notable": odd.collect::<Vec<_>>() });
        context.ui.result(&shown, |_| {
            let mut rows = context.ui.table(&["id", "fate", "why"]);
            for (id, fate, why) in &self.odd {
                rows.row(vec![table::text(id), table::text(fate.as_str()), table::text(why.as_deref().unwrap_or("-"))]);
            }
            let counts: Vec<String> =
                self.fates.iter().map(|(fate, count)| format!("{} {fate}", table::thousands(*count))).collect();
            let rows = if self.odd.is_empty() { String::new() } else { rows.text() };
            format!("{rows}{}\n", if counts.is_empty() { "nothing to do".to_owned() } else { counts.join(", ") })
        });
        CommandEnd::unless(self.left() > 0)
    }

    fn detail(&self) -> String {
        self.fates.iter().map(|(fate, count)| format!("{fate} {count}")).collect::<Vec<_>>().join(", ")
    }
}

/// Says what a signal does.
struct Quiet;

impl SignalReporter for Quiet {
    fn say(&self, _: &str) {}

    fn finish(&self) {}
}

fn instance() -> String {
    wiring::identity().instance.to_string()
}

pub(super) fn apply(context: &Context, args: &ApplyArgs) -> Result<CommandEnd, Failure> {
    let (ingest, plan): (Arc<Ingest>, Plan) = (load(context)?, read(&args.plan)?);
    let (queue, clock) = (wiring::letter_queue(&ingest)?, wiring::clock());
    let replay = Replay { spec: &ingest, queue: &*queue, clock: &*clock, instance: instance() };
    replay.check(&plan)?;
    context.block_on(async {
        let signals = Signals::watch(Arc::new(Quiet))?;
        let mut sink = wiring::sql_sink(&ingest)?;
        sink.open(ingest.sink.create).await?;
        let who = wiring::who();
        replay
            .audit(&who, "apply", &args.reason, format!("{} entries of {}", plan.entries.len(), args.plan.display()))
            .await?;
        let mut ended = Ended::default();
        let pace = Pace { rate: args.rate, max_failures: args.max_failures };
        let done = replay
            .apply(&plan, &mut *sink, pace, &signals.stop, |entry, (fate, error)| {
                ended.note(
                    &entry.id,
                    *fate,
                    error.as_ref().map(|error| format!("{}: {}", error.kind.as_str(), error.message)),
                );
            })
            .await;
        replay.audit(&who, "apply ended", &args.reason, ended.detail()).await?;
        done?;
        let end = ended.show(context);
        Ok(signals.stopped_by().map_or(end, |by| CommandEnd::Ended(by.code())))
    })
}

pub(super) fn discard(context: &Context, args: &DropArgs) -> Result<CommandEnd, Failure> {
    let (ingest, plan): (Arc<Ingest>, Plan) = (load(context)?, read(&args.plan)?);
    let (queue, clock) = (wiring::letter_queue(&ingest)?, wiring::clock());
    let replay = Replay { spec: &ingest, queue: &*queue, clock: &*clock, instance: instance() };
    replay.check(&plan)?;
    context.block_on(async {
        let who = wiring::who();
        replay
            .audit(&who, "drop", &args.reason, format!("{} entries of {}", plan.entries.len(), args.plan.display()))
            .await?;
        let mut ended = Ended::default();
        let done = replay.discard(&plan, |entry, fate| ended.note(&entry.id, fate, None)).await;
        replay.audit(&who, "drop ended", &args.reason, ended.detail()).await?;
        done?;
        Ok(ended.show(context))
    })
}
