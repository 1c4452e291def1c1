//! What an ingest needs from outside, asked for health.

use crate::core::health::Probe;
use crate::core::model::sql::Sql;
use crate::core::ports::table_reader::TableReader;
use async_trait::async_trait;
use std::sync::Arc;

/// The sink, asked for a row of nothing.
pub struct SinkProbe {
    /// Who asks it.
    pub reader: Arc<dyn TableReader>,
}

#[async_trait]
impl Probe for SinkProbe {
    fn name(&self) -> &'static str {
        "sink"
    }

    async fn check(&self) -> Result<(), String> {
        self.reader.ask(&Sql::from("SELECT 1"), 1).await.map(drop).map_err(|error| error.to_string())
    }
}

/// Whether all records in the sink can be read: one that cannot is passed over, and a person should know.
pub struct RecordsProbe {
    /// The first that cannot be read; `None` where there is none.
    pub odd: Box<dyn Fn() -> Option<String> + Send + Sync>,
}

#[async_trait]
impl Probe for RecordsProbe {
    fn name(&self) -> &'static str {
        "records"
    }

    async fn check(&self) -> Result<(), String> {
        (self.odd)().map_or(Ok(()), Err)
    }
}

/// Whether events are written: the sink may answer readers and take no rows.
pub struct WritingProbe {
    /// Why they are not; `None` when they are.
    pub halted: Box<dyn Fn() -> Option<String> + Send + Sync>,
}

#[async_trait]
impl Probe for WritingProbe {
    fn name(&self) -> &'static str {
        "writing"
    }

    async fn check(&self) -> Result<(), String> {
        (self.halted)().map_or(Ok(()), Err)
    }
}
