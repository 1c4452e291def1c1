//! A connection, and calls over it. Each call has its deadline: the client itself waits without bound in places.

use super::fault::Fault;
use async_nats::connection::State;
use async_nats::{Client, HeaderMap, Message, Request, RequestErrorKind, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Longest wait for an answer to a small request.
pub(super) const ANSWER: Duration = Duration::from_secs(5);

/// Longest wait until a message is stored, or a large one is here.
pub(super) const STORED: Duration = Duration::from_secs(15);

/// Beside the client's own time-out: it does not count the wait for its queue.
const BESIDE: Duration = Duration::from_secs(1);

/// What the server said last that belongs to no call.
#[derive(Clone, Debug, Default)]
pub(super) struct Said(Arc<Mutex<Option<String>>>);

impl Said {
    pub(super) fn put(&self, words: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
    }

    fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What became of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stored {
    /// It is stored, under this sequence number.
    Now(u64),
    /// The server takes it for one that it has had, which may be gone.
    Before,
    /// Its subject has a message already.
    There,
}

/// A message of a stream.
pub(super) struct Kept {
    pub(super) sequence: u64,
    pub(super) headers: HeaderMap,
    pub(super) payload: Vec<u8>,
}

impl Kept {
    /// When the server stored it, as it says.
    pub(super) fn stored_at(&self) -> Option<Timestamp> {
        self.headers.get("Nats-Time-Stamp")?.as_str().trim().parse().ok()
    }
}

/// A connection. Clones are the same.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) client: Client,
    pub(super) said: Said,
    /// Whether any of several servers may answer a reading.
    pub(super) has_replicas: bool,
}

impl Link {
    /// Sends a message and gives its answer.
    pub(super) async fn request(
        &self,
        subject: String,
        headers: Option<HeaderMap>,
        payload: Vec<u8>,
        within: Duration,
    ) -> Result<Message, Fault> {
        if self.client.connection_state() != State::Connected {
            return Err(Fault::Passing("the connection is lost; it is made anew".to_owned()));
        }
        let request = Request { payload: Some(payload.into()), headers, timeout: Some(Some(within)), inbox: None };
        let asked = tokio::time::timeout(within + BESIDE, self.client.send_request(subject, request)).await;
        let silent = || {
            let said = self.said.take().map_or_else(String::new, |said| format!("; the server said: {said}"));
            format!("no answer within {} s{said}", within.as_secs())
        };
        let Ok(answered) = asked else { return Err(Fault::Silent(silent())) };
        answered.map_err(|error| match error.kind() {
            RequestErrorKind::TimedOut => Fault::Silent(silent()),
            RequestErrorKind::NoResponders => Fault::Missing("nobody answers there".to_owned()),
            RequestErrorKind::MaxPayloadExceeded => Fault::TooLarge(error.to_string()),
            RequestErrorKind::InvalidSubject => Fault::Refused(error.to_string()),
            RequestErrorKind::Other => Fault::Passing(error.to_string()),
        })
    }

    /// A call of JetStream's API.
    pub(super) async fn api(&self, call: &str, body: &Value) -> Result<Value, Fault> {
        let answered = self.request(format!("$JS.API.{call}"), None, body.to_string().into_bytes(), ANSWER).await;
        let message = answered.map_err(|fault| match fault {
            // So it is in a server's first moments, too.
            Fault::Missing(_) => {
                Fault::Passing("JetStream does not answer; was the server started with `-js`?".to_owned())
            }
            other => other,
        })?;
        let answer: Value = serde_json::from_slice(&message.payload)
            .map_err(|error| Fault::Passing(format!("{call} gave an answer that cannot be read: {error}")))?;
        match Fault::of_answer(&answer) {
            Some(fault) => Err(fault),
            None => Ok(answer),
        }
    }

    /// Stores a message. A failure may be stored all the same.
    pub(super) async fn publish(&self, subject: String, headers: HeaderMap, payload: Vec<u8>) -> Result<Stored, Fault> {
        let message = self.request(subject, Some(headers), payload, STORED).await?;
        let answer: Value = serde_json::from_slice(&message.payload)
            .map_err(|error| Fault::Passing(format!("an acknowledgement cannot be read: {error}")))?;
        match Fault::of_answer(&answer) {
            Some(fault) if fault.is_subject_taken() => Ok(Stored::There),
            Some(fault) => Err(fault),
            None if answer["duplicate"].as_bool() == Some(true) => Ok(Stored::Before),
            None => Ok(Stored::Now(answer["seq"].as_u64().unwrap_or(0))),
        }
    }

    /// The last message of a subject.
    pub(super) async fn last(&self, stream: &str, subject: &str) -> Result<Option<Kept>, Fault> {
        let message = self.request(format!("$JS.API.DIRECT.GET.{stream}.{subject}"), None, Vec::new(), STORED).await?;
        match message.status.map(|status| status.as_u16()) {
            None | Some(200) => {}
            Some(404) if self.has_replicas => return self.surely_none(stream, subject).await,
            Some(404) => return Ok(None),
            Some(code) => {
                let words = message.description.unwrap_or_default();
                return Err(Fault::Passing(format!("reading a message gave {code} {words}")));
            }
        }
        let headers = message.headers.unwrap_or_default();
        let sequence = headers.get("Nats-Sequence").and_then(|text| text.as_str().parse().ok()).unwrap_or(0);
        Ok(Some(Kept { sequence, headers, payload: message.payload.to_vec() }))
    }

    /// Asks the stream's leader: another server may not have a message yet.
    async fn surely_none(&self, stream: &str, subject: &str) -> Result<Option<Kept>, Fault> {
        match self.api(&format!("STREAM.MSG.GET.{stream}"), &json!({ "last_by_subj": subject })).await {
            Err(fault) if fault.is_gone() => Ok(None),
            Err(fault) => Err(fault),
            Ok(_) => Err(Fault::Passing("a server of the cluster does not have a message yet".to_owned())),
        }
    }

    /// Takes a message away. One that is gone is as well.
    pub(super) async fn delete(&self, stream: &str, sequence: u64) -> Result<(), Fault> {
        let body = json!({ "seq": sequence, "no_erase": true });
        match self.api(&format!("STREAM.MSG.DELETE.{stream}"), &body).await {
            Err(fault) if fault.is_gone() => Ok(()),
            other => other.map(drop),
        }
    }

    /// Takes all messages of subjects away.
    pub(super) async fn purge(&self, stream: &str, subjects: &str) -> Result<(), Fault> {
        self.api(&format!("STREAM.PURGE.{stream}"), &json!({ "filter": subjects })).await.map(drop)
    }

    /// The subjects that have messages, at most so many.
    pub(super) async fn subjects(&self, stream: &str, filter: &str, most: usize) -> Result<Vec<String>, Fault> {
        let mut found = Vec::new();
        loop {
            let body = json!({ "subjects_filter": filter, "offset": found.len() });
            let info = self.api(&format!("STREAM.INFO.{stream}"), &body).await?;
            let Some(page) = info["state"]["subjects"].as_object().filter(|page| !page.is_empty()) else { break };
            found.extend(page.keys().take(most - found.len()).cloned());
            let total = info["total"].as_u64().and_then(|total| usize::try_from(total).ok()).unwrap_or(0);
            if found.len() >= most.min(total) {
                break;
            }
        }
        Ok(found)
    }
}

/// Whether a status says that there is no message now, or no more of them.
pub(super) fn is_end(status: StatusCode) -> bool {
    matches!(status.as_u16(), 404 | 408)
}
