//! What filters need of files of this host, as a transfer file declares it.

use super::finding::Finding;
use super::secret::Secret;
use std::fmt;
use std::path::PathBuf;

/// A filter that an adapter makes, because it reads files of this host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ToolSpec {
    /// Refuses what does not fit a JSON Schema.
    Json(JsonCheck),
    /// Encrypts with age.
    Age(AgeSpec),
    /// Encrypts, and signs, as OpenPGP.
    OpenPgp(OpenPgpSpec),
}

/// Whom OpenPGP encrypts to, and who signs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenPgpSpec {
    /// Files of certificates, as text or packets: each has one or several.
    pub recipients: Vec<PathBuf>,
    /// The key that signs, if any.
    pub sign: Option<OpenPgpSign>,
    /// Whether it is written as text.
    pub is_armored: bool,
}

/// A key that signs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenPgpSign {
    /// Its file.
    pub key: PathBuf,
    /// What it is encrypted with.
    pub passphrase: Option<Secret>,
}

/// Whom age encrypts to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AgeSpec {
    /// `age1…`, `ssh-ed25519 …`.
    pub recipients: Vec<String>,
    /// A file with more of them, a line each.
    pub recipients_file: Option<PathBuf>,
}

/// What is to be said of a file that a filter is made of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ToolFinding {
    /// The field that names it: below the filter, `check.json.schema`, or below the file's root.
    pub field: String,
    /// What of it.
    pub finding: Finding,
}

/// What JSON must be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JsonCheck {
    /// The file of the schema.
    pub schema: PathBuf,
    /// What is held against it.
    pub each: Each,
    /// How many lines or elements there are. `None`: any number.
    pub rows: Option<RowCount>,
    /// Most bytes of a document, line or element.
    pub max_size: u64,
}

/// What is held against a schema.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Each {
    /// The whole content.
    Document,
    /// Each of its lines.
    Line,
    /// Each element of the array that it is.
    Element,
}

impl Each {
    /// The word in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Line => "line",
            Self::Element => "element",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Document, Self::Line, Self::Element].into_iter().find(|each| each.as_str() == word)
    }
}

/// A number of rows: `>0`, `>=10`, `<5`, `<=5`, `=3` or `3`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RowCount {
    sign: &'static str,
    number: u64,
}

impl RowCount {
    /// Reads it. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let sign = [">=", "<=", ">", "<", "="].into_iter().find(|sign| text.starts_with(sign)).unwrap_or_default();
        let digits = text[sign.len()..].trim_start();
        let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        Some(Self { sign, number: digits.parse().ok().filter(|_| is_number)? })
    }

    /// Whether there are as many rows.
    pub fn fits(self, rows: u64) -> bool {
        match self.sign {
            ">=" => rows >= self.number,
            "<=" => rows <= self.number,
            ">" => rows > self.number,
            "<" => rows < self.number,
            _ => rows == self.number,
        }
    }
}

impl fmt::Display for RowCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.sign, self.number)
    }
}
