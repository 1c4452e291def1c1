//! Spans as OTLP's messages have them.

use crate::core::model::trace::{Span, SpanKind, SpanValue};
use jiff::Timestamp;
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind as Kind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span as Message, Status};
use prost::Message as _;

/// Its flags: kept, whether the parent is remote is known, and whether it is.
const SAMPLED: u32 = 0x1;
const KNOWN: u32 = 0x100;
const REMOTE: u32 = 0x200;

/// A request with spans of one process. With none, it asks whether the collector is there.
pub(super) fn request(resource: &[(String, String)], spans: &[Span]) -> Vec<u8> {
    let attributes = resource.iter().map(|(name, value)| pair(name, Value::StringValue(value.clone()))).collect();
    let scope = InstrumentationScope {
        name: "filegen".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    };
    let spans = ScopeSpans { scope: Some(scope), spans: spans.iter().map(message).collect(), ..ScopeSpans::default() };
    let all = ResourceSpans {
        resource: Some(Resource { attributes, ..Resource::default() }),
        scope_spans: vec![spans],
        ..ResourceSpans::default()
    };
    let is_empty = all.scope_spans.iter().all(|scope| scope.spans.is_empty());
    ExportTraceServiceRequest { resource_spans: if is_empty { Vec::new() } else { vec![all] } }.encode_to_vec()
}

/// What a collector that answers with success did not take after all: how many spans, and why.
pub(super) fn rejected(answer: &[u8]) -> Option<(u64, String)> {
    let part = ExportTraceServiceResponse::decode(answer).ok()?.partial_success?;
    let count = u64::try_from(part.rejected_spans).ok().filter(|count| *count > 0)?;
    Some((count, part.error_message))
}

fn message(span: &Span) -> Message {
    let kind = match span.kind {
        SpanKind::Internal => Kind::Internal,
        SpanKind::Producer => Kind::Producer,
        SpanKind::Consumer => Kind::Consumer,
    };
    let status = span.failed.as_ref().map(|why| Status { message: why.clone(), code: StatusCode::Error.into() });
    let value = |value: &SpanValue| match value {
        SpanValue::Text(text) => Value::StringValue(text.clone()),
        SpanValue::Number(number) => Value::IntValue(i64::try_from(*number).unwrap_or(i64::MAX)),
    };
    Message {
        trace_id: span.trace.bytes().to_vec(),
        span_id: span.id.bytes().to_vec(),
        parent_span_id: span.parent.map(|parent| parent.bytes().to_vec()).unwrap_or_default(),
        flags: SAMPLED | KNOWN | if span.is_parent_remote { REMOTE } else { 0 },
        name: span.name.to_owned(),
        kind: kind.into(),
        start_time_unix_nano: nanos(span.begun_at),
        end_time_unix_nano: nanos(span.ended_at.max(span.begun_at)),
        attributes: span.values.iter().map(|(name, of)| pair(name, value(of))).collect(),
        status,
        ..Message::default()
    }
}

fn pair(name: &str, value: Value) -> KeyValue {
    KeyValue { key: name.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn nanos(at: Timestamp) -> u64 {
    u64::try_from(at.as_nanosecond()).unwrap_or(0)
}
