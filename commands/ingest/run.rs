//! `filegen ingest run`: events into tables, in the foreground.

use super::load;
use crate::commands::context::Context;
use crate::commands::exit::CommandEnd;
use crate::commands::failure::Failure;
use crate::commands::stop::{SignalReporter, Signals};
use crate::commands::ui::ingest::IngestProgress;
use crate::commands::ui::table;
use crate::core::backoff::Backoff;
use crate::core::ingest::event::{IngestEvent, Tally};
use crate::core::ingest::keep::Keeping;
use crate::core::ingest::relay;
use crate::core::ingest::service::{IngestPorts, Service};
use crate::core::ingest::spec::SourceSpec;
use crate::core::ports::observer::Observer;
use crate::wiring;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Write events into tables, in the foreground
///
/// Reads the file's topic until it is stopped, or a file of events to its end. Positions are written with the rows, so a run that
/// is killed goes on where it stopped. Events that cannot be rows go to the queue of dead letters with their reason. Exits with 4 when
/// records in the sink cannot be read: they are told, and passed over.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  filegen ingest run -c events.yaml
  filegen ingest run -c events.yaml --from more.jsonl
  zcat events.jsonl.gz | filegen ingest run -c events.yaml --from -
  filegen ingest run -c events.yaml --until-end --output json")]
pub(super) struct Args {
    /// File of events, one a line, in place of the source; `-` reads stdin
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    from: Option<PathBuf>,
    /// Stop where the topic ended at the start [default for files]
    #[arg(long)]
    until_end: bool,
}

impl SignalReporter for IngestProgress {
    fn say(&self, text: &str) {
        self.line(text);
    }

    fn finish(&self) {
        Self::finish(self);
    }
}

/// How a run ended.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ended<'a> {
    ingest: &'a str,
    events: u64,
    #[serde(flatten)]
    tally: Tally,
    seconds: f64,
    events_per_second: u64,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    let ingest = load(context)?;
    let is_file = args.from.is_some() || matches!(ingest.source, SourceSpec::File(_));
    context.block_on(async {
        let clock = wiring::clock();
        let progress = Arc::new(IngestProgress::new(&context.ui, context.globals.quiet));
        let signals = Signals::watch(Arc::clone(&progress) as Arc<dyn SignalReporter>)?;
        let letters = Arc::new(Notify::new());
        let instance = wiring::identity().instance.to_string();
        let mut keeping = Keeping::new(&ingest.dead_letters, &instance);
        let observer: Arc<dyn Observer<IngestEvent>> = Arc::clone(&progress) as _;
        let ports = IngestPorts {
            consumer: wiring::events(&ingest, args.from.as_deref(), false)?,
            sink: wiring::sql_sink(&ingest)?,
            clock: Arc::clone(&clock),
            observer: Arc::clone(&observer),
            jitter: wiring::jitter(),
            letters: Arc::clone(&letters),
        };
        let begun = clock.elapsed();
        let (queue, mut sink) = (wiring::letter_queue(&ingest)?, wiring::sql_sink(&ingest)?);
        let service = Service::new(Arc::clone(&ingest), instance, ports);
        let reading = service.run(args.until_end || is_file, &signals.stop);
        let over = signals.stop.child_token();
        let backoff = Backoff::new(ingest.policies.retry).with_jitter(wiring::jitter());
        let sending = relay::run(&mut *sink, &*queue, &*clock, &*observer, (letters, backoff, &mut keeping), &over);
        let ended = async {
            let ended = reading.await;
            over.cancel();
            ended
        };
        let (ended, ()) = tokio::join!(ended, sending);
        let took = clock.elapsed().saturating_sub(begun);
        progress.finish();
        let tally = ended?;
        // What died last goes now, and what is too old, however short the run was; the rest waits in the sink for the next run.
        let last = relay::send_and_sweep(&mut *sink, &*queue, &*clock, &*observer, &mut keeping, &signals.stop);
        if let Err(error) = last.await {
            context
                .ui
                .status(&format!("{} {error}; dead letters wait in the sink", context.ui.paint_warning("warning:")));
        }
        show(context, ingest.id.as_str(), tally, took);
        let end = CommandEnd::unless(progress.is_odd());
        Ok(signals.stopped_by().map_or(end, |by| CommandEnd::Ended(by.code())))
    })
}

fn show(context: &Context, ingest: &str, tally: Tally, took: Duration) {
    let events = tally.all();
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
    let ended = Ended {
        ingest,
        events,
        tally,
        seconds: took.as_secs_f64(),
        events_per_second: events.saturating_mul(1000) / millis,
    };
    context.ui.result(&ended, |ended| {
        let mut shown =
            context.ui.table(&["events", "written", "stale", "folded", "parked", "dead", "time", "events/s"]);
        shown.row(vec![
            table::number(ended.events),
            table::number(tally.written),
            table::number(tally.stale),
            table::number(tally.folded),
            table::number(tally.parked),
            table::number(tally.dead),
            table::right(table::span(took)),
            table::number(ended.events_per_second),
        ]);
        shown.text()
    });
}
