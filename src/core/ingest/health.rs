//! What an ingest needs from outside, asked for health.

use crate::core::health::Probe;
use crate::core::model::budget::Budget;
use crate::core::model::sql::Sql;
use crate::core::ports::table_reader::{ANSWER_MAX, TableReader};
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
        let room = Arc::new(Budget::new(ANSWER_MAX).share(ANSWER_MAX));
        self.reader.ask(&Sql::from("SELECT 1"), 1, &room).await.map(drop).map_err(|error| error.to_string())
    }
}
