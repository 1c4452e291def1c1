//! Where the spans of traces go. Nothing waits for it, and nothing fails of it.

use crate::core::model::trace::Span;
use async_trait::async_trait;
use std::time::Duration;

/// What becomes of spans.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SpanEvent {
    /// The collector has so many.
    Sent(u64),
    /// It does not answer, for this reason; what it was given is kept, and given again. Told once, until it answers.
    Away(String),
    /// It answers again.
    Back,
    /// It takes so many not, for this reason; they are gone.
    Refused(u64, String),
    /// So many had no place any more, and are gone.
    Dropped(u64),
}

/// Takes spans that have ended.
#[async_trait]
pub trait SpanSink: Send + Sync {
    /// Takes one. Returns at once; where there is no place for it, it is dropped and counted.
    fn put(&self, span: Span);

    /// Asks the collector whether it takes spans: where it is, or what is wrong.
    async fn probe(&self) -> Result<String, String>;

    /// Gives the collector what it has not got yet, within a time; the rest is dropped and counted. Nothing is taken afterwards.
    async fn close(&self, within: Duration);
}
