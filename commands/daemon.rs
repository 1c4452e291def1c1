//! `filegen daemon`: files of every kind in one long-running process.

use super::config::refuse_misfits;
use super::context::Context;
use super::exit::{Code, CommandEnd};
use super::failure::Failure;
use super::globals::LogFormat;
use super::stop::{self, SignalReporter, Signals};
use crate::config::{self, Environment};
use crate::core::model::door::TlsFiles;
use crate::daemon::{self, Daemon, DaemonError, Door, IngestParts, Served, ServedFile};
use crate::telemetry::log::{self, Level};
use crate::telemetry::metrics;
use crate::wiring;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::signal::unix::SignalKind;
use tracing::info;

/// Serve any mixture of files: workers make files, ingests write events into tables, transfers move files, schedulers
/// keep data sources
///
/// Any number of instances may serve the same workers: of each worker, one instance leads and writes, the others stand by and
/// take over when it is gone. Each event of the trigger's topic asks for a run, recorded once a business date; the leader
/// makes it, whichever instance heard of it. SIGTERM finishes the commit in hand, gives the leases back and exits 0; SIGHUP
/// checks the worker files again and says what a restart would change. Ingests read their topic in one consumer group, each instance
/// its share of the partitions, and open the doors that their file has: `produce`, `read`, or both.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  filegen daemon -c loan.yaml -c customer.yaml
  filegen daemon -c loan.yaml -c events.yaml -c intake.yaml
  filegen daemon -c loan.yaml --log-format json --health-port 5001
  filegen daemon -c events.yaml --serve produce
  filegen daemon -c examples/intake.yaml

Answers at http://HOST:5000: / (status page), /status (JSON), /health/live, /health/ready, /metrics")]
pub struct Args {
    /// Port for health, metrics and the status page; 0 takes any that is free
    #[arg(long = "health-port", env = "HEALTH_PORT", value_name = "PORT", default_value_t = 5000)]
    port: u16,
    /// Address to listen on, such as 127.0.0.1 [default: all]
    #[arg(long = "health-address", env = "HEALTH_ADDRESS", value_name = "IP")]
    address: Option<IpAddr>,
    /// What this instance serves of its ingests [default: all that their files have]
    #[arg(long, env = "FILEGEN_SERVE", value_name = "PART", value_delimiter = ',')]
    serve: Vec<Part>,
    /// Host name that requests may carry, besides localhost and addresses; may be given many times [default: any]
    #[arg(long = "health-host", env = "HEALTH_HOSTS", value_name = "NAME", value_delimiter = ',')]
    hosts: Vec<String>,
    /// File of a certificate (PEM): health, metrics and pages are then answered with TLS only; a changed file is taken at once
    #[arg(long = "health-tls-certificate", env = "HEALTH_TLS_CERTIFICATE", value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
    /// File of its key (PEM)
    #[arg(long = "health-tls-key", env = "HEALTH_TLS_KEY", value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
}

/// A part of an ingest.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    /// The door for events.
    Produce,
    /// Reading events into tables.
    Ingest,
    /// The door for readers.
    Read,
}

fn parts(wanted: &[Part]) -> IngestParts {
    let has = |part| wanted.is_empty() || wanted.contains(&part);
    IngestParts { produce: has(Part::Produce), ingest: has(Part::Ingest), read: has(Part::Read) }
}

/// Serves until a signal.
pub(super) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    let served = load_all(context, parts(&args.serve))?;
    let level = match context.globals.verbose {
        0 | 1 => Level::Info,
        2 => Level::Debug,
        _ => Level::Trace,
    };
    log::start(level, context.log_form(LogFormat::Kv));
    let metrics =
        metrics::start().map_err(|error| Failure::caused(Code::Failed, &error).context("cannot record metrics"))?;
    context.block_on(async {
        let hangups = stop::listen(SignalKind::hangup())?;
        let stop = Signals::watch(Arc::new(Logged))?.stop;
        let (registry, identity) = (Arc::clone(&context.registry), wiring::identity());
        let tls = args.certificate.clone().zip(args.key.clone());
        let tls = tls.map(|(certificate, key)| TlsFiles { certificate, key });
        let door = Door { address: args.address, port: args.port, hosts: args.hosts.clone(), tls };
        let traces = config::traces(&Environment);
        let daemon = Daemon { served, registry, identity, door, metrics, traces, stop, hangups };
        daemon::serve(daemon).await?;
        Ok(CommandEnd::Done)
    })
}

fn load_all(context: &Context, parts: IngestParts) -> Result<Served, Failure> {
    if context.globals.config.is_empty() {
        return Err(Failure::new(Code::Usage, "no file is named").hint("name one or more with `-c FILE`"));
    }
    let mut files = Vec::with_capacity(context.globals.config.len());
    for path in &context.globals.config {
        let flow = config::load(path, &Environment, &context.registry)?.flow;
        files.push(ServedFile { path: path.clone(), flow });
    }
    let together: Vec<_> = files.iter().map(|file| (file.path.as_path(), &file.flow)).collect();
    refuse_misfits(&together)?;
    Ok(Served { files, parts })
}

impl From<DaemonError> for Failure {
    fn from(error: DaemonError) -> Self {
        match error {
            DaemonError::Wiring(error) => error.into(),
            DaemonError::Config(error) => error.into(),
            DaemonError::Sources { error, path } => Self::from(error).context(path.display().to_string()),
            DaemonError::Calendar(error) => error.into(),
            DaemonError::Clock(_) => Self::caused(Code::Config, &error),
            DaemonError::Listen { .. } => Self::caused(Code::Failed, &error)
                .hint("another process has it, or the address is not this host's; choose others: in its file, or with --health-port and --health-address"),
        }
    }
}

/// Says into the log what a signal does.
struct Logged;

impl SignalReporter for Logged {
    fn say(&self, text: &str) {
        info!("{text}");
    }

    fn finish(&self) {}
}
