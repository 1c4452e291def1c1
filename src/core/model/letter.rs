//! An event as a consumer sees it, and a dead letter: an event that cannot be a row, with its reason.

use super::shown;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// Largest entry that is read back, in bytes: the largest event, escaped, with room for what is beside it.
pub const ENTRY_MAX: usize = 16 << 20;

/// Bytes that are kept of the payload of an event that nobody can read, and as many of its key and of its headers.
pub const PREFIX: usize = 4096;

/// Where an event stands in its log.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct EventPlace {
    /// The topic, or the file's name.
    pub topic: String,
    /// What tells a topic from another one of the same name.
    pub topic_id: String,
    /// Which part of it.
    pub partition: i32,
    /// Place in the partition.
    pub offset: i64,
}

impl fmt::Display for EventPlace {
    /// `events/3@1207`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}@{}", self.topic, self.partition, self.offset)
    }
}

/// An event as it came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RawEvent {
    /// Where it stands.
    pub place: EventPlace,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Names and values beside the payload.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Its bytes.
    pub payload: Vec<u8>,
    /// Its id, when the envelope could be read.
    pub event_id: Option<String>,
    /// Its type, when the envelope could be read.
    pub kind: Option<String>,
}

/// Why an event cannot be a row, in one word.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LetterKind {
    /// No JSON: not UTF-8, broken, too deep, a name twice in one object, no object.
    Json,
    /// No payload at all: a tombstone.
    Empty,
    /// More bytes than an event may have.
    Size,
    /// A type that the file does not declare.
    Type,
    /// A value that is required is not there.
    Missing,
    /// A value of another kind than its column: a text where a number belongs.
    WrongKind,
    /// A text that is too long.
    Length,
    /// More digits than a decimal has, before or behind the point.
    Precision,
    /// A number that its column cannot hold.
    Range,
    /// A text with a NUL character.
    Nul,
    /// No timestamp, one without a zone, one before 1970, or one too far ahead.
    Timestamp,
    /// A constraint of the sink.
    Constraint,
    /// A trigger of the sink.
    Trigger,
    /// The row that it refers to did not come in time.
    Parent,
}

impl LetterKind {
    /// All kinds.
    pub const ALL: [Self; 14] = [
        Self::Json,
        Self::Empty,
        Self::Size,
        Self::Type,
        Self::Missing,
        Self::WrongKind,
        Self::Length,
        Self::Precision,
        Self::Range,
        Self::Nul,
        Self::Timestamp,
        Self::Constraint,
        Self::Trigger,
        Self::Parent,
    ];

    /// Its word in entries, filters and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Empty => "empty",
            Self::Size => "size",
            Self::Type => "type",
            Self::Missing => "missing",
            Self::WrongKind => "wrong_kind",
            Self::Length => "length",
            Self::Precision => "precision",
            Self::Range => "range",
            Self::Nul => "nul",
            Self::Timestamp => "timestamp",
            Self::Constraint => "constraint",
            Self::Trigger => "trigger",
            Self::Parent => "parent",
        }
    }
}

/// Why an event is dead.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LetterError {
    /// In one word.
    pub kind: LetterKind,
    /// In a sentence.
    pub message: String,
    /// What lies behind it, outermost first.
    #[serde(default)]
    pub causes: Vec<String>,
    /// The table, when one is known.
    pub table: Option<String>,
    /// The column, when one is to blame.
    pub column: Option<String>,
}

impl LetterError {
    /// A reason without a table.
    pub fn new(kind: LetterKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), causes: Vec::new(), table: None, column: None }
    }

    /// The same, of a table's column.
    #[must_use]
    pub fn of(mut self, table: &str, column: Option<&str>) -> Self {
        (self.table, self.column) = (Some(table.to_owned()), column.map(str::to_owned));
        self
    }
}

impl fmt::Display for LetterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown::text(&self.message))
    }
}

/// What is left out of a letter: an event that is no JSON, or too long, can never be a row, and costs no more than its beginning.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Cut {
    /// Bytes of the whole payload.
    pub bytes: u64,
    /// Their SHA-256, in hexadecimal.
    pub sha256: String,
}

/// A dead letter, as the queue keeps it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// `topic/partition@offset`.
    pub id: String,
    /// The event's id, when it could be read.
    pub event_id: Option<String>,
    /// Its type, when it could be read.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Its key, as text.
    pub key: Option<String>,
    /// The topic, or the file's name.
    pub topic: String,
    /// What tells a topic from another one of the same name.
    #[serde(default)]
    pub topic_id: String,
    /// Which part of it.
    pub partition: i32,
    /// Place in the partition.
    pub offset: i64,
    /// The bytes as text, or in base64 where `encoding` says so.
    pub payload: String,
    /// `base64`, where the payload is no UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// Of which payload only the beginning is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
    /// Names and values beside the payload.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// Why it is dead.
    pub error: LetterError,
    /// How often it was tried.
    pub attempts: u32,
    /// When it died.
    #[serde(with = "crate::core::model::moment::instant")]
    pub timestamp: Timestamp,
    /// Where it died.
    pub instance: String,
    /// Who changed its payload since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_by: Option<String>,
}

impl DeadLetter {
    /// The letter of an event that died. One that nobody can read is cut to its first [`PREFIX`] bytes.
    pub fn new(event: &RawEvent, error: LetterError, attempts: u32, at: Timestamp, instance: &str) -> Self {
        let cut = is_cut(event, error.kind);
        let most = if cut { PREFIX } else { usize::MAX };
        let (payload, encoding) = match as_text(&event.payload, most) {
            Some(text) => (text.to_owned(), None),
            None => (BASE64.encode(beginning(&event.payload, most)), Some("base64".to_owned())),
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(beginning(bytes, most)).into_owned();
        let mut room = most;
        let fits = |(name, value): &&(String, Vec<u8>)| {
            room = room.saturating_sub(name.len() + value.len());
            room > 0
        };
        let headers = event.headers.iter().take_while(fits).map(|(name, value)| (name.clone(), text(value))).collect();
        Self {
            id: event.place.to_string(),
            event_id: event.event_id.clone(),
            kind: event.kind.clone(),
            key: event.key.as_deref().map(text),
            topic: event.place.topic.clone(),
            topic_id: event.place.topic_id.clone(),
            partition: event.place.partition,
            offset: event.place.offset,
            payload,
            encoding,
            cut: cut.then(|| Cut {
                bytes: event.payload.len() as u64,
                sha256: hex::encode(Sha256::digest(&event.payload)),
            }),
            headers,
            error,
            attempts,
            timestamp: at,
            instance: instance.to_owned(),
            edited_by: None,
        }
    }

    /// The event that it was. `None` when its base64 is damaged, or only its beginning is kept.
    pub fn event(&self) -> Option<RawEvent> {
        if self.cut.is_some() {
            return None;
        }
        let payload = match self.encoding.as_deref() {
            Some("base64") => BASE64.decode(&self.payload).ok()?,
            _ => self.payload.clone().into_bytes(),
        };
        Some(RawEvent {
            place: self.place(),
            key: self.key.clone().map(String::into_bytes),
            headers: self.headers.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect(),
            payload,
            event_id: self.event_id.clone(),
            kind: self.kind.clone(),
        })
    }

    /// Where the event stands.
    pub fn place(&self) -> EventPlace {
        EventPlace {
            topic: self.topic.clone(),
            topic_id: self.topic_id.clone(),
            partition: self.partition,
            offset: self.offset,
        }
    }

    /// What no other record has: the id, with the topic's own.
    pub fn index(&self) -> String {
        format!("{}#{}", self.id, self.topic_id)
    }

    /// The entry as the queue keeps it.
    pub fn to_json(&self) -> String {
        // A struct of texts and numbers has a JSON form.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads an entry back that is kept under this index. `None` for one that is too long to be read.
    ///
    /// # Errors
    /// What is wrong with it. Others may have written there.
    pub fn kept(index: &str, entry: Option<&[u8]>) -> Result<Self, String> {
        let letter = Self::read(entry)?;
        if letter.index() == index {
            return Ok(letter);
        }
        let own = shown::name(&letter.index());
        Err(format!("its entry says otherwise than its other columns: it is of {own}; remove the row, or mend it"))
    }

    /// Reads an entry back, as [`Self::kept`] does, where nothing else says which it is.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(entry: Option<&[u8]>) -> Result<Self, String> {
        let Some(entry) = entry else {
            return Err(format!("it is no text of at most {ENTRY_MAX} bytes; remove it, or mend it"));
        };
        let letter: Self = serde_json::from_slice(entry)
            .map_err(|error| format!("{error}; use the filegen that wrote it, mend it, or remove it"))?;
        if letter.id == letter.place().to_string() {
            return Ok(letter);
        }
        Err("its id is not that of its topic, partition and offset; mend it, or remove it".to_owned())
    }

    /// What changes when anything of the entry does.
    pub fn digest(&self) -> String {
        hex::encode(Sha256::digest(self.to_json().as_bytes()))
    }
}

/// Whether only the beginning of an event is kept: it can never be a row, whatever the file says, and it is long.
fn is_cut(event: &RawEvent, kind: LetterKind) -> bool {
    let is_read = event.event_id.is_some() || event.kind.is_some();
    let headers: usize = event.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    let longest = event.payload.len().max(event.key.as_ref().map_or(0, Vec::len)).max(headers);
    !is_read && matches!(kind, LetterKind::Json | LetterKind::Size) && longest > PREFIX
}

fn beginning(bytes: &[u8], most: usize) -> &[u8] {
    &bytes[..bytes.len().min(most)]
}

/// The beginning of a text, without a character that the cut goes through. `None` for what is no text.
fn as_text(bytes: &[u8], most: usize) -> Option<&str> {
    let there = beginning(bytes, most);
    match std::str::from_utf8(there) {
        Ok(text) => Some(text),
        // A character of which the end is behind the cut.
        Err(error) if there.len() < bytes.len() && error.error_len().is_none() => {
            std::str::from_utf8(&there[..error.valid_up_to()]).ok()
        }
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests;
