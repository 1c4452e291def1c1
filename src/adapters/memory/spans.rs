//! Spans, kept in memory.

use crate::core::model::trace::Span;
use crate::core::ports::spans::SpanSink;
use async_trait::async_trait;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Most spans that are kept.
const SPANS: usize = 100_000;

/// All that were taken, in their order.
#[derive(Debug, Default)]
pub struct MemorySpans(Mutex<Vec<Span>>);

impl MemorySpans {
    /// What was taken so far.
    pub fn taken(&self) -> Vec<Span> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl SpanSink for MemorySpans {
    fn put(&self, span: Span) {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.len() < SPANS {
            taken.push(span);
        }
    }

    async fn probe(&self) -> Result<String, String> {
        Ok("memory".to_owned())
    }

    async fn close(&self, _: Duration) {}
}
