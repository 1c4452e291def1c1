//! What messages and answers look like in their streams.

use crate::core::model::trace::TraceParent;
use crate::core::ports::file_broker::{Answer, Parcel};
use async_nats::HeaderMap;
use serde_json::{Value, json};

/// The version of the envelope, as a consumer may look at it before it reads one.
const VERSION: &str = "Filegen-Version";

/// Bytes of the envelope at the begin of a message.
const LENGTH: &str = "Filegen-Envelope";

/// `inline` or `chunks`.
const CONTENT: &str = "Filegen-Content";

/// Bytes of all chunks of a version but the last.
const CHUNK: &str = "Filegen-Chunk-Size";

/// What the server tells a repeated message by.
const MESSAGE_ID: &str = "Nats-Msg-Id";

/// W3C's name for what a message says of its trace.
const TRACE: &str = "traceparent";

/// Largest envelope that is told apart from its content.
const ENVELOPE_MAX: usize = 64 * 1024;

/// Largest answer that is read.
const ANSWER_MAX: usize = 64 * 1024;

/// Most bytes of headers, of the client's own and the server's too.
pub(super) const HEADERS: usize = 4 * 1024;

/// A message's headers and bytes, sent under an id of its own.
pub(super) fn message(parcel: &Parcel, message_id: &str) -> (HeaderMap, Vec<u8>) {
    let mut headers = HeaderMap::new();
    headers.insert(VERSION, "1");
    headers.insert(LENGTH, parcel.envelope.len().to_string().as_str());
    headers.insert(CONTENT, if parcel.content.is_some() { "inline" } else { "chunks" });
    headers.insert(MESSAGE_ID, message_id);
    if let Some(trace) = parcel.trace {
        headers.insert(TRACE, trace.to_string().as_str());
    }
    let content = parcel.content.as_deref().unwrap_or_default();
    (headers, [&parcel.envelope, content].concat())
}

/// A message as it came. Nothing in it is believed: what is no message of ours is an envelope that cannot be read.
pub(super) fn parcel(id: &str, headers: Option<&HeaderMap>, payload: &[u8]) -> Parcel {
    let text = |name: &str| headers.and_then(|headers| headers.get(name)).map(|value| value.as_str().trim());
    let length = text(LENGTH).and_then(|text| text.parse::<usize>().ok()).filter(|length| *length <= ENVELOPE_MAX);
    // One byte more than is read, so that a larger one is refused as such.
    let length = length.unwrap_or(ENVELOPE_MAX + 1).min(payload.len());
    let (envelope, content) = payload.split_at(length);
    let content = (text(CONTENT) == Some("inline")).then(|| content.to_vec());
    Parcel { id: id.to_owned(), envelope: envelope.to_vec(), content, trace: text(TRACE).and_then(TraceParent::parse) }
}

/// A chunk's headers.
pub(super) fn chunk(chunk_size: u64) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CHUNK, chunk_size.to_string().as_str());
    headers
}

/// The size of chunks that a chunk says it is one of.
pub(super) fn chunk_size(headers: &HeaderMap) -> Option<u64> {
    headers.get(CHUNK)?.as_str().trim().parse().ok()
}

/// An answer's bytes.
pub(super) fn answer(id: &str, answer: &Answer) -> Vec<u8> {
    let value = match answer {
        Answer::Delivered { sha256 } => json!({ "id": id, "sha256": sha256 }),
        Answer::Refused { kind, reason } => {
            json!({ "id": id, "kind": kind, "reason": reason.chars().take(ANSWER_MAX / 16).collect::<String>() })
        }
    };
    value.to_string().into_bytes()
}

/// What an answer says; `None` for what is none.
pub(super) fn answered(payload: &[u8], is_receipt: bool) -> Option<Answer> {
    let value: Value = serde_json::from_slice(payload.get(..payload.len().min(ANSWER_MAX))?).ok()?;
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    Some(if is_receipt {
        Answer::Delivered { sha256: text("sha256")? }
    } else {
        Answer::Refused { kind: text("kind")?, reason: text("reason")? }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_back_as_it_was_sent_and_a_foreign_one_is_no_envelope() {
        let trace = TraceParent::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        for (content, trace) in [(None, None), (Some(Vec::new()), trace), (Some(b"bytes".to_vec()), trace)] {
            let sent = Parcel { id: "a".to_owned(), envelope: b"{}".to_vec(), content, trace };
            let (headers, payload) = message(&sent, "a");
            assert_eq!(parcel("a", Some(&headers), &payload), sent);
        }
        for odd in ["x", "00-0-0-01", "ä", &"0".repeat(3000)] {
            let (mut headers, payload) = message(&foreign_of(5), "a");
            headers.insert(TRACE, odd);
            assert_eq!(parcel("a", Some(&headers), &payload), foreign_of(5), "{odd}");
        }
        let foreign = parcel("a", None, b"bytes");
        assert_eq!((foreign.envelope.as_slice(), foreign.content), (&b"bytes"[..], None));
        for told in ["-1", "x", "99999999999999999999", "70000"] {
            let (mut headers, payload) = message(&foreign_of(5), "a");
            headers.insert(LENGTH, told);
            assert_eq!(parcel("a", Some(&headers), &payload).envelope.len(), 5, "{told}");
        }
        let (mut headers, payload) = message(&foreign_of(ENVELOPE_MAX * 2), "a");
        headers.insert(LENGTH, "131072");
        assert_eq!(parcel("a", Some(&headers), &payload).envelope.len(), ENVELOPE_MAX + 1);
    }

    fn foreign_of(bytes: usize) -> Parcel {
        Parcel { id: "a".to_owned(), envelope: vec![b'x'; bytes], content: None, trace: None }
    }

    #[test]
    fn an_answer_comes_back_as_it_was_given() {
        let delivered = Answer::Delivered { sha256: "00".to_owned() };
        assert_eq!(answered(&answer("a", &delivered), true), Some(delivered));
        let refused = Answer::Refused { kind: "data".to_owned(), reason: "why \"so\"".to_owned() };
        assert_eq!(answered(&answer("a", &refused), false), Some(refused));
        let long = Answer::Refused { kind: "data".to_owned(), reason: "\u{1}".repeat(1 << 20) };
        assert!(answered(&answer("a", &long), false).is_some());
        assert_eq!((answered(b"{}", true), answered(b"x", false)), (None, None));
    }
}
