//! Builds adapters behind ports from a configuration. Only this module sees both. It has a file for each kind of outside system,
//! and one for each flow.

mod doors;
mod generate;
mod ingest;
mod kafka;
mod kept;
mod schedule;
mod security;
mod sql;
mod state;
mod traces;
mod transfer;
mod volume;

pub use doors::{ENDS_SOON, certificates, certificates_in, door_tls, own_door};
pub use generate::{assemble, drill_ports, drill_runner, ports};
pub use ingest::{event_file, event_producer, event_topic_probe, events, jitter, letter_queue, sql_sink, table_reader};
pub use kafka::{consumer, producer, scheduler_probes, topic_probes};
pub use kept::{kept_by_ingest, kept_by_transfer, kept_output, kept_state};
pub use schedule::{
    SchedulerState, folders, new_ids, schedule_settings, scheduler_state, sources, topic_consumer, topic_producer,
};
pub use security::{
    address_shown, has_secret, ignored_keys, insecure, insecure_in, insecure_of_ingest, insecure_of_scheduler,
    insecure_of_transfer, unreadable_in,
};
pub use sql::{source, source_at};
pub use state::{Access, empty_state, rights_of, state, state_rights};
pub use traces::{collector_doubts, collector_shown, spans};
pub use transfer::{
    TransferState, file_sender, file_target, filter_findings, inbox, inlet, redrive_ports, target_shown,
    transfer_sides, transfer_state, work,
};
pub use volume::{VolumePath, place, volume, volume_of};

pub use crate::adapters::door_tls::{DoorTls, Renewal};

use crate::adapters::host;
use crate::adapters::system_clock::SystemClock;
use crate::core::generate::run::Identity;
use crate::core::kind::{FailureKind, HasKind};
use crate::core::ports::broker::BrokerError;
use crate::core::ports::clock::Clock;
use crate::core::ports::file_target::TargetError;
use crate::core::ports::source::SourceError;
use crate::core::ports::store::StoreError;
use std::sync::Arc;

/// Why a worker's ports could not be built.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WiringError {
    /// The source cannot be opened.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The state store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A topic's client does not take its settings.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// A transfer's target has no address that can be read.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// A door's certificate cannot be used.
    #[error("the TLS of `{door}` cannot be set up: {why}")]
    Certificate {
        /// Which door.
        door: String,
        /// Why.
        why: String,
    },
}

impl HasKind for WiringError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Source(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Broker(error) => error.kind(),
            Self::Target(error) => error.kind(),
            Self::Certificate { .. } => FailureKind::Config,
        }
    }
}

/// How many descriptors this process may have open.
pub fn descriptors() -> u64 {
    host::descriptors()
}

/// Keeps what this process has in memory out of core files and from other processes of the same user.
///
/// # Errors
/// What the system says.
pub fn hide_memory() -> std::io::Result<()> {
    host::hide_memory()
}

/// This process, as a candidate for leases.
pub fn identity() -> Identity {
    Identity {
        instance: host::instance(),
        nonce: Arc::new(host::nonce),
        // Not `exit`: what is registered to run at an exit must not run without a lease.
        abort: Arc::new(|| std::process::abort()),
    }
}

/// Who acts, for the audit trail: operating-system user, host and process.
pub fn who() -> String {
    format!("{} at {}", host::user(), host::instance())
}

/// This host's clocks.
pub fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}
