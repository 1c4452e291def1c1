//! The message that makes a file exist for the other side.
//!
//! A later version may add fields: what is not known is passed over. A version that is not known is refused.

use crate::core::failpoints::planted::planted;
use crate::core::model::moment::instant;
use crate::core::model::transfer::{FileRecord, is_id};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// The version that is written and read.
pub const VERSION: u32 = 1;

/// Largest envelope that is read, in bytes.
pub const ENVELOPE_MAX: usize = 64 * 1024;

/// Longest path or other text, in bytes.
const TEXT_MAX: usize = 8192;

/// Longest name, in bytes: what file systems take.
const NAME_MAX: usize = 255;

/// Bytes of an id.
const ID_BYTES: usize = 20;

/// Largest chunk, in bytes.
const CHUNK_MAX: u64 = 64 << 20;

/// What is said of a file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// [`VERSION`].
    pub version: u32,
    /// Made from source, path, size and digest.
    pub id: String,
    /// The path below the folder it was found in.
    pub source_path: String,
    /// The path's last name.
    pub name: String,
    /// Where it came from.
    pub source: String,
    /// By the name's ending.
    pub content_type: String,
    /// In bytes.
    pub size: u64,
    /// Of all of it, in hexadecimal digits.
    pub sha256: String,
    /// When its content was changed, as its writer says.
    #[serde(with = "instant")]
    pub modified_at: Timestamp,
    /// When it was seen.
    #[serde(with = "instant")]
    pub timestamp: Timestamp,
    /// How many chunks. `None` when the content stands behind the envelope.
    pub chunks: Option<u64>,
    /// Bytes of each chunk but the last.
    pub chunk_size: Option<u64>,
    /// Whatever the sender wants to say.
    #[serde(default)]
    pub metadata: Map<String, Value>,
}

/// What is wrong with an envelope.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EnvelopeFault {
    /// It cannot be read, or says what cannot be.
    #[error("the envelope is wrong: {0}")]
    Wrong(String),
    /// It speaks of another version than the one whose id it bears.
    #[error("the envelope is another file's: {0}")]
    Foreign(String),
}

/// Whether an id is of the form that [`id`] makes: such a one proves what its envelope says. Collectors of other makers have ids of their
/// own.
fn is_made(id: &str) -> bool {
    !planted("identity by the beginning")
        && id.len() == 2 * ID_BYTES
        && id.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

/// The id of a version of a file: 40 hexadecimal digits of a SHA-256 over source, path, size and digest, each behind its length.
pub fn id(source: &str, path: &str, size: u64, sha256: &str) -> String {
    let mut digest = Sha256::new();
    // Lengths stand in front, so that no two lists of parts read alike.
    for part in [source, path, &size.to_string(), sha256] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    hex::encode(&digest.finalize()[..ID_BYTES])
}

impl Envelope {
    /// The envelope of a file that is sent. It holds nothing but what the record has: a repeat is the same to the byte.
    pub fn of(record: &FileRecord, chunk_size: Option<u64>) -> Self {
        let name = last_name(&record.path);
        Self {
            version: VERSION,
            id: record.id.clone(),
            source_path: record.path.clone(),
            name: name.to_owned(),
            source: record.source.clone(),
            content_type: content_type(name).to_owned(),
            size: record.size,
            sha256: record.sha256.clone(),
            modified_at: record.modified_at,
            timestamp: record.seen_at,
            chunks: chunk_size.map(|chunk_size| record.size.div_ceil(chunk_size)),
            chunk_size,
            metadata: Map::new(),
        }
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        // A struct of texts and numbers has a JSON form.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads and checks an envelope that came under an id.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(bytes: &[u8], id: &str) -> Result<Self, EnvelopeFault> {
        let wrong = EnvelopeFault::Wrong;
        if bytes.len() > ENVELOPE_MAX {
            return Err(wrong(format!("it is larger than {} KiB", ENVELOPE_MAX >> 10)));
        }
        let version = serde_json::from_slice::<Version>(bytes).map_err(|error| wrong(error.to_string()))?;
        if version.version != VERSION {
            let (its, ours) = (version.version, VERSION);
            return Err(wrong(format!("its version is {its}, and this filegen reads {ours}: use a newer one")));
        }
        let envelope: Self = serde_json::from_slice(bytes).map_err(|error| wrong(error.to_string()))?;
        envelope.check(id).map_err(wrong)?;
        match envelope.foreign() {
            Some(why) => Err(EnvelopeFault::Foreign(why)),
            None => Ok(envelope),
        }
    }

    /// Why it is not the envelope of the version with its id, if it is not. Whoever saw an id could say anything under it.
    fn foreign(&self) -> Option<String> {
        if !is_made(&self.id) {
            return None;
        }
        if self.id != id(&self.source, &self.source_path, self.size, &self.sha256) {
            return Some("its `id` is not the one of its `source`, `sourcePath`, `size` and `sha256`".to_owned());
        }
        (self.name != last_name(&self.source_path))
            .then(|| "its `name` is not the last one of its `sourcePath`".to_owned())
    }

    fn check(&self, id: &str) -> Result<(), String> {
        if !is_id(&self.id) {
            return Err("its `id` holds other characters than letters, digits, `-` and `_`".to_owned());
        }
        if self.id != id {
            return Err("its `id` is not the one that it was sent under".to_owned());
        }
        if self.sha256.len() != 64 || !self.sha256.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
            return Err("its `sha256` is not 64 hexadecimal digits in small letters".to_owned());
        }
        if let Some(fault) = name_fault(&self.name) {
            return Err(format!("its `name` {fault}"));
        }
        for (field, text) in
            [("sourcePath", &self.source_path), ("source", &self.source), ("contentType", &self.content_type)]
        {
            if text.len() > TEXT_MAX {
                return Err(format!("its `{field}` is longer than {TEXT_MAX} bytes"));
            }
        }
        if i64::try_from(self.size).is_err() {
            return Err(format!("its `size` of {} is that of no file", self.size));
        }
        match (self.chunks, self.chunk_size) {
            (Some(_), None | Some(0)) => Err("it has `chunks` and no `chunkSize`".to_owned()),
            (Some(_), Some(size)) if size > CHUNK_MAX => Err(format!("its `chunkSize` is larger than {CHUNK_MAX}")),
            (Some(chunks), Some(size)) if chunks != self.size.div_ceil(size) => {
                Err(format!("{chunks} chunks of {size} bytes are not its `size` of {}", self.size))
            }
            (None, _) | (Some(_), Some(_)) => Ok(()),
        }
    }
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// What is wrong with a file's name, if anything is. It is one name and no path.
pub fn name_fault(name: &str) -> Option<&'static str> {
    match name {
        "" => Some("is empty"),
        "." | ".." => Some("names a folder"),
        _ if name.contains('/') => Some("holds a `/`"),
        _ if name.contains('\0') => Some("holds a NUL character"),
        _ if name.len() > NAME_MAX => Some("is longer than 255 bytes"),
        _ => None,
    }
}

/// The last name of a path.
pub fn last_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The usual name of a content by a file's ending.
fn content_type(name: &str) -> &'static str {
    const TYPES: [(&str, &str); 14] = [
        ("csv", "text/csv"),
        ("tsv", "text/tab-separated-values"),
        ("txt", "text/plain"),
        ("json", "application/json"),
        ("jsonl", "application/x-ndjson"),
        ("xml", "application/xml"),
        ("html", "text/html"),
        ("pdf", "application/pdf"),
        ("zip", "application/zip"),
        ("gz", "application/gzip"),
        ("zst", "application/zstd"),
        ("parquet", "application/vnd.apache.parquet"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("pgp", "application/pgp-encrypted"),
    ];
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let known = TYPES.iter().find(|(known, _)| ending.eq_ignore_ascii_case(known));
    known.map_or("application/octet-stream", |(_, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn whole() -> Value {
        json!({
            "version": 1, "id": "a1", "sourcePath": "x/a.csv", "name": "a.csv", "source": "api", "contentType": "text/csv",
            "size": 10, "sha256": "0".repeat(64), "modifiedAt": "2026-11-28T10:00:00Z", "timestamp": "2026-11-28T10:00:01Z",
            "chunks": null, "chunkSize": null, "metadata": {}, "ofALaterVersion": [1],
        })
    }

    fn read(change: impl Fn(&mut Value)) -> Result<Envelope, String> {
        let mut value = whole();
        change(&mut value);
        Envelope::read(value.to_string().as_bytes(), "a1").map_err(|fault| fault.to_string())
    }

    #[test]
    fn what_a_later_build_adds_is_passed_over_and_its_version_is_refused() {
        let envelope = read(|_| {}).unwrap();
        assert_eq!((envelope.name.as_str(), envelope.size, envelope.chunks), ("a.csv", 10, None));
        assert_eq!(Envelope::read(&envelope.to_bytes(), "a1"), Ok(envelope));
        assert!(read(|value| value["version"] = json!(2)).unwrap_err().contains("version is 2"));
    }

    #[test]
    fn an_envelope_of_another_maker_is_believed_in_nothing() {
        let cases: [(&str, Value, &str); 11] = [
            ("id", json!("../x"), "other characters"),
            ("id", json!("b2"), "sent under"),
            ("sha256", json!("AB"), "64 hexadecimal"),
            ("name", json!("../a"), "`/`"),
            ("name", json!(".."), "folder"),
            ("name", json!("a\0"), "NUL"),
            ("name", json!(""), "empty"),
            ("name", json!("x".repeat(256)), "255"),
            ("size", json!(-1), "invalid value"),
            ("chunks", json!(1), "no `chunkSize`"),
            ("sourcePath", json!("x".repeat(9000)), "8192"),
        ];
        for (field, value, wanted) in cases {
            let fault = read(|envelope| envelope[field] = value.clone()).unwrap_err();
            assert!(fault.contains(wanted), "{field}: {fault}");
        }
        for (chunks, size, fits) in [(1, 10, true), (2, 9, true), (2, 10, false), (u64::MAX, 1, false), (0, 0, false)] {
            let change = |envelope: &mut Value| {
                envelope["chunks"] = json!(chunks);
                envelope["chunkSize"] = json!(size);
            };
            assert_eq!(read(change).is_ok(), fits, "{chunks} × {size}");
        }
        assert!(Envelope::read(b"{", "a1").is_err() && Envelope::read(&vec![b' '; ENVELOPE_MAX + 1], "a1").is_err());
    }

    #[test]
    fn an_envelope_under_a_version_s_id_speaks_of_that_version() {
        let made = id("api", "x/a.csv", 10, &"0".repeat(64));
        let read = |field: &str, value: Value| {
            let mut envelope = whole();
            envelope["id"] = json!(made);
            envelope[field] = value;
            Envelope::read(envelope.to_string().as_bytes(), &made)
        };
        assert!(read("metadata", json!({ "a": 1 })).is_ok());
        for (field, value) in [
            ("name", json!("b.csv")),
            ("sourcePath", json!("y/a.csv")),
            ("source", json!("other")),
            ("size", json!(11)),
            ("sha256", json!("1".repeat(64))),
        ] {
            let fault = read(field, value).unwrap_err();
            assert!(matches!(fault, EnvelopeFault::Foreign(_)), "{field}: {fault}");
        }
    }

    #[test]
    fn an_id_tells_source_path_size_and_content_apart() {
        let one = id("s", "ab", 1, "c");
        assert!(is_id(&one) && one.len() == 40);
        for other in [id("sa", "b", 1, "c"), id("s", "ab", 11, "c"), id("s", "ab", 1, "d"), id("", "sab", 1, "c")] {
            assert_ne!(one, other);
        }
        assert_eq!(one, id("s", "ab", 1, "c"));
    }
}
