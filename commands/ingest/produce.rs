//! `filegen produce`: events of a file onto the topic, or made-up ones at a rate.

use super::load;
use crate::commands::context::Context;
use crate::commands::exit::{Code, CommandEnd};
use crate::commands::failure::Failure;
use crate::commands::stop::{SignalReporter, Signals};
use crate::commands::ui::ingest::IngestProgress;
use crate::commands::ui::one_line;
use crate::core::ingest::decode::read;
use crate::core::ingest::sample::Sampler;
use crate::core::ingest::spec::Ingest;
use crate::core::model::letter::LetterKind;
use crate::core::model::message::Message;
use crate::core::model::shown;
use crate::core::ports::clock::Clock;
use crate::core::ports::consumer::Polled;
use crate::core::ports::producer::Producer;
use crate::wiring;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Events that are sent at a time.
const STEP: usize = 500;

/// How long the next event is waited for before a stop is looked at.
const LOOK_AROUND: Duration = Duration::from_millis(200);

/// Send events to the topic of an ingest file: from a file, from stdin, or made up
///
/// An event is sent when the broker has it on all replicas in step. What is no JSON object is left out and told; with `check: strict`
/// under `produce`, so is an event that would die. A command that broke off may be repeated: an event's id makes a repeat harmless.
/// Exits with 4 when events were left out.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  filegen produce -c events.yaml events.jsonl
  zcat events.jsonl.gz | filegen produce -c events.yaml -
  filegen produce -c events.yaml --sample --rate 2
  filegen produce -c events.yaml --sample --rate 500 --count 10000 --output json")]
pub struct Args {
    /// File of events, one a line; `-` reads stdin
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath, required_unless_present = "sample", conflicts_with = "sample")]
    file: Option<PathBuf>,
    /// Make up events of the declared types, until Ctrl-C or --count
    #[arg(long)]
    sample: bool,
    /// Events a second
    #[arg(long, value_name = "N", default_value_t = 1.0, value_parser = rate, requires = "sample")]
    rate: f64,
    /// Stop after so many
    #[arg(long, value_name = "N", requires = "sample")]
    count: Option<u64>,
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| (0.001..=1_000_000.0).contains(rate));
    rate.ok_or_else(|| "a number from 0.001 to 1000000".to_owned())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    ingest: &'a str,
    sent: u64,
    left_out: Vec<LeftOut>,
}

#[derive(Serialize)]
struct LeftOut {
    line: u64,
    why: String,
}

struct Sender<'a> {
    ingest: &'a Ingest,
    producer: Arc<dyn Producer>,
    clock: Arc<dyn Clock>,
    line: u64,
    sent: u64,
    left_out: Vec<LeftOut>,
}

pub(in crate::commands) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    let ingest = load(context)?;
    let Some(producer) = wiring::event_producer(&ingest)? else {
        return Err(Failure::new(
            Code::Config,
            "the events of this file come from a file, and `produce` sends to a topic",
        )
        .hint("write `source: { kafka: { brokers: …, topic: … } }`"));
    };
    let mut sender =
        Sender { ingest: &ingest, producer, clock: wiring::clock(), line: 0, sent: 0, left_out: Vec::new() };
    context.block_on(async {
        let progress = Arc::new(IngestProgress::new(&context.ui, context.globals.quiet));
        let signals = Signals::watch(Arc::clone(&progress) as Arc<dyn SignalReporter>)?;
        let ended = match &args.file {
            Some(path) => sender.file(path.clone(), &signals.stop).await,
            None => sender.sample(args, &signals.stop).await,
        };
        progress.finish();
        if let Err(failure) = ended {
            context.ui.status(&format!("{} events were sent; the same command again does no harm", sender.sent));
            return Err(failure);
        }
        let shown = Report { ingest: ingest.id.as_str(), sent: sender.sent, left_out: sender.left_out };
        context.ui.result(&shown, |shown| {
            let lines = shown
                .left_out
                .iter()
                .map(|out| one_line(format_args!("line {} was left out: {}", out.line, shown::text(&out.why))));
            format!("{}{} events sent\n", lines.collect::<String>(), shown.sent)
        });
        if let Some(by) = signals.stopped_by().filter(|_| args.file.is_some()) {
            return Ok(CommandEnd::Ended(by.code()));
        }
        Ok(CommandEnd::unless(!shown.left_out.is_empty()))
    })
}

impl Sender<'_> {
    async fn file(&mut self, path: PathBuf, stop: &CancellationToken) -> Result<(), Failure> {
        let mut events = wiring::events(self.ingest, Some(&path), false)?;
        let (mut partition, mut next) = (None, 0);
        while !stop.is_cancelled() {
            match events.next_batch(STEP, LOOK_AROUND).await? {
                Polled::Assigned(partitions) => partition = partitions.into_iter().next(),
                Polled::Messages(messages) => {
                    if let Some(last) = messages.last() {
                        next = last.id.offset + 1;
                        self.send(messages.into_iter().map(|message| message.payload).collect()).await?;
                    } else if let Some(partition) = &partition
                        && next >= events.watermarks(partition).await?.next
                    {
                        break;
                    }
                }
                Polled::Revoked(_) => {}
            }
        }
        Ok(())
    }

    async fn sample(&mut self, args: &Args, stop: &CancellationToken) -> Result<(), Failure> {
        let (ingest, clock) = (self.ingest, Arc::clone(&self.clock));
        let mut sampler = Sampler::new(ingest, || fastrand::u64(..));
        let begun = clock.elapsed();
        let most = args.count.unwrap_or(u64::MAX);
        let mut made = 0_u64;
        while made < most && !stop.is_cancelled() {
            // The first at once, then as many as are due.
            let wait = Duration::from_secs_f64(made_after(made, args.rate))
                .saturating_sub(clock.elapsed().saturating_sub(begun));
            tokio::select! {
                () = clock.sleep(wait) => {}
                () = stop.cancelled() => return Ok(()),
            }
            let passed = clock.elapsed().saturating_sub(begun).as_secs_f64();
            let mut step = Vec::new();
            while made < most && step.len() < STEP && made_after(made, args.rate) <= passed {
                step.push(sampler.make(clock.now()));
                made += 1;
            }
            self.send(step).await?;
        }
        Ok(())
    }

    /// Sends what is an event. All arrive, or the first that did not is the error.
    async fn send(&mut self, payloads: Vec<Vec<u8>>) -> Result<(), Failure> {
        let now = self.clock.now();
        let is_strict = self.ingest.produce.as_ref().is_some_and(|door| door.strict);
        let mut messages = Vec::with_capacity(payloads.len());
        for payload in payloads {
            self.line += 1;
            let (labels, made) = read(self.ingest, &payload, now);
            let errors = made.err().unwrap_or_default();
            let is_none = |kind| matches!(kind, LetterKind::Json | LetterKind::Empty | LetterKind::Size);
            if let Some(error) = errors.iter().find(|error| is_strict || is_none(error.kind)) {
                self.left_out.push(LeftOut { line: self.line, why: error.to_string() });
                continue;
            }
            messages.push(Message { key: labels.key.map(String::into_bytes), payload, ..Message::default() });
        }
        for answer in self.producer.send_all(&messages).await {
            answer?;
            self.sent += 1;
        }
        Ok(())
    }
}

/// Seconds from the start to an event.
fn made_after(made: u64, rate: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a moment to wait for")]
    let made = made as f64;
    made / rate
}
