//! What to do next about an error of the flow that takes events.

use crate::commands::hints::Hint;
use crate::core::ingest::error::IngestError;
use crate::core::ingest::relay::RelayError;
use crate::core::ingest::replay::ReplayError;
use crate::core::ports::sql_sink::SinkError;

impl Hint for SinkError {
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unreachable { .. } => Some("nothing is lost: run it again when the database answers"),
            Self::OutboxFull { .. } => Some("`filegen dlq stats{c}` shows what is in the queue"),
            Self::Rival { .. } => Some("another instance reads the same events; stop one of them"),
            Self::Refused { .. } | Self::Failed { .. } => None,
        }
    }
}

impl Hint for IngestError {
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Broker(error) => error.hint(),
            Self::Sink(error) => error.hint(),
            Self::Recreated { .. } => Some("`filegen ingest status{c}` shows the positions"),
        }
    }
}

impl Hint for RelayError {
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Sink(error) => error.hint(),
            Self::Queue(_) => Some("dead letters wait in the sink until the queue is back; nothing is lost"),
            Self::Full { .. } => Some("`filegen dlq stats{c}` shows what is in the queue"),
        }
    }
}

impl Hint for ReplayError {
    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Sink(error) => error.hint(),
            Self::Queue(_) => Some("check `dead_letters` in the file; the same command may be given again"),
            Self::Foreign(_) => Some("make a plan with this file: `filegen dlq plan{c} --out plan.json`"),
        }
    }
}
