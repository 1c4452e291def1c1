//! What a scheduler needs, asked for health.

use crate::core::health::Probe;
use async_trait::async_trait;

/// Whether all records can be read: one that cannot stops its own schedule, and a person should know.
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
