//! `filegen` turns a SQL view into all of a worker's files in one read: durable, resumable, exactly once.
//!
//! # Architecture
//!
//! ```text
//!  a run is wanted (a command, an event of a trigger, or a due time)
//!     └─> run (worker + business date, once)
//!           └─> source ──> page ──> translators ──> staged files ──> published files ──> completion event (outbox)
//!               SQL view   Arrow    one per file    header+journal   all or nothing
//!                                         ▲                  ▲
//!                                    lease + fencing token, checked before every effect
//! ```
//!
//! Data flows one way, left to right; nothing to the right calls back to the left.
//!
//! ## Where things are, in reading order
//!
//! What all flows share:
//!
//! - [`core::model`]: plain values that a port or two flows speak of: names, a key, a page, a run, a day of the calendar, a
//!   term (the right to write, and its token).
//! - [`core::ports`]: what the core needs of the world, as traits, with their promises in the docs: page source, volume,
//!   state store (leases, runs, outbox, audit trail, dead letters), broker (consumer, producer, probe), clock, observer.
//!   `tests/it/contract` holds every adapter to them, and `tests/simulation` plays the core over ports that delay, lose,
//!   tear and repeat.
//! - [`core::kind`]: what a caller can do about an error. Each error says its kind, and the kind alone picks the exit code
//!   (`commands/exit.rs`) and whether something is tried again.
//! - [`core::backoff`]: how long to wait between tries.
//! - [`core::election`]: who may write; a lease, and how it is shown and released. [`core::outbox`]: recorded events go to
//!   the broker. [`core::inlet`]: a flow that takes files gets them from another one. [`core::health`]: whether what is needed from outside answers. [`core::doctor`]: checks of volume, state store
//!   and topics. [`core::failpoints`]: places where tests step in.
//!
//! The flow **generate** ([`core::generate`]), in the order data moves:
//!
//! - [`run`](core::generate::run): one run from wanting to done: request, lease, generation, release.
//!   [`service`](core::generate::service): the same for as long as the process lives: stand by, lead, make whatever is
//!   wanted. [`trigger`](core::generate::trigger) turns events into wanted runs. [`deadline`](core::generate::deadline): whether
//!   a run will be in time.
//! - `edition` finds out which version of a date is made; [`correct`](core::generate::correct) asks for a later one.
//!   `plan` decides, `fence` shuts older holders out, `staging` fills the holder's own folder with what they committed,
//!   `read_all` reads until what was read can be published, `pipeline` reads, translates and commits at the same time, `write`
//!   commits a page, `publish` makes the files visible, `switch` takes the version before away,
//!   `record` tells the state store. Each is a file of that name. `translate` turns pages into bytes and knows nothing of files.
//! - [`spec`](core::generate::spec) is a worker file, resolved; [`model`](core::generate::model) what a run leaves on the
//!   volume: header line, journal, manifest.
//! - [`verify`](core::generate::verify), [`inspect`](core::generate::inspect), [`status`](core::generate::status),
//!   [`doctor`](core::generate::doctor), [`drill`](core::generate::drill), [`preview`](core::generate::preview),
//!   [`completion`](core::generate::completion): the questions of the on-call engineer, one module each.
//!
//! The flow **schedule** ([`core::schedule`]), in the order a due time comes: [`cron`](core::schedule::cron) reads expressions as Quartz
//! does. [`timetable`](core::schedule::timetable) finds their times. [`plan`](core::schedule::plan) turns a schedule's words into a timetable.
//! [`decide`](core::schedule::decide) says what becomes of the times that have come. [`service`](core::schedule::service) leads and fires.
//! [`record`](core::schedule::record) computes each change of a schedule. [`sync`](core::schedule::sync) makes schedules follow the data
//! sources. [`steer`](core::schedule::steer) does what people ask.
//!
//! The flow **ingest** ([`core::ingest`]) takes events into tables: [`decode`](core::ingest::decode) makes a row of an event.
//! [`fold`](core::ingest::fold) makes one change of several events of a row. [`service`](core::ingest::service) writes batches with their
//! positions. [`relay`](core::ingest::relay) sends dead letters to their queue. [`replay`](core::ingest::replay) replays or drops them.
//!
//! The flow **transfer** ([`core::transfer`]) moves files: [`collect`](core::transfer::collect) picks and sends them.
//! [`deliver`](core::transfer::deliver) writes them at the target and acknowledges. [`settle`](core::transfer::settle) archives, deletes
//! or sets aside the sources once the receipts have come.
//!
//! Around the core:
//!
//! - [`adapters`]: the only place that names a client crate. `memory` is a real adapter of every port that speaks to the outside,
//!   always compiled. Tests of the flow run on it; its broker has groups and rebalances as Kafka has. `layer` adds behaviour to a
//!   port by wrapping it.
//! - `files`: every opening of a file or folder of this host, without waiting for what is no plain file.
//! - [`config`]: YAML to a checked file of its kind, such as a [`core::generate::spec::Worker`], or all that is wrong with it at
//!   once. `kinds.rs` is the table of kinds.
//! - [`telemetry`]: log lines, metrics, spans of traces, and what a worker is doing now. It only listens. A flow has a folder here:
//!   `metrics.rs` in it declares the flow's metrics.
//! - [`http`]: the daemon's HTTP listener: health, metrics, and the pages of each flow. Only it names the web framework.
//! - [`daemon`]: the long-running process: tasks, files, stop. A file for each flow builds its tasks, routes and probes.
//! - [`wiring`]: config to adapters behind ports; alone sees both.
//! - [`commands`] (the folder beside `src`): one file per subcommand: parse, one library call, print. A flow has a folder here too.
//!   `exit.rs` picks the exit code by the error's kind, `hints.rs` says what to do next. Only `commands` knows a
//!   terminal or an exit code; `config::Environment` and clap read the environment.
//!
//! Imports go one way: commands → core → ports → model; adapters → ports, model. A flow names no other flow, and what
//! flows share names none. `tests/it/tidy.rs` checks this.
//!
//! ## What must stay true
//!
//! 1. **The journal is the truth about a run.** Headers and state store repeat it. A page is committed when its line is
//!    durable, and the line is written when all files' bytes are.
//! 2. **Each effect takes the holder's term** and is refused when it has ended. Time decides only who *tries*: each
//!    resource refuses an older token itself, the store by its filter, the volume by tombstones in place of folders.
//! 3. **Nobody opens a published file for writing**, and a final name is given once, by `link`.
//! 4. **The same page gives the same bytes.** Translators see no clock, no environment and no earlier page; so a resumed
//!    run's files are those of an uninterrupted one.
//! 5. **After a failed write or sync nothing on that descriptor is trusted.** The term ends, the next one starts from the
//!    journal.
//! 6. **Memory is bounded by bytes in flight,** not by rows: short queues between reading, translating and committing.
//! 7. **Whatever comes from outside is a `Result`.** Each error says what, where and what to do; its kind alone picks the
//!    exit code.
//!
//! ## Using it as a library
//!
//! Implement [`Translator`], register it by name in a [`Registry`], and call [`commands::main`]: a binary of your own in ten
//! lines, with every command; `examples/custom_translator.rs` is one.

pub mod adapters;
#[path = "../commands/mod.rs"]
pub mod commands;
pub mod config;
pub mod core;
pub mod daemon;
mod files;
pub mod http;
pub mod telemetry;
pub mod wiring;

pub use core::generate::translate::{Records, Registry, Rows, TranslateError, Translator};
