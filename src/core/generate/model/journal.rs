//! The journal: a run's append-only commit log, one checked JSON line per committed page. It is the truth about a run;
//! headers and state stores only repeat it.
//!
//! Every line ends in a checksum that covers the line and the checksum before it, so a torn, flipped, missing or
//! foreign line ends the readable prefix there, and nothing behind it is believed.

mod follows;

use super::manifest::Replaced;
use crate::core::failpoints::planted::planted;
use crate::core::model::column::Column;
use crate::core::model::correction::Correction;
use crate::core::model::key::Key;
use crate::core::model::param::Params;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use xxhash_rust::xxh3::Xxh3;

/// One line. The first is always [`Entry::Begin`].
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Entry {
    /// What the run set out to do. Holds for every later term of the run.
    Begin(Begin),
    /// A page is durable in every file.
    Page(PageCommit),
    /// A later holder goes on behind the pages above.
    Term {
        /// Its token.
        token: u64,
        /// Unix time in seconds.
        at: i64,
    },
    /// All records are durable, the last record among them; only publishing is left.
    Complete(Complete),
}

/// What the run set out to do.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Begin {
    /// Version of this format; 1.
    pub v: u32,
    /// `LoanWorker:2026-11-21`.
    pub run: String,
    /// The first holder's token.
    pub token: u64,
    /// Unix time in seconds.
    pub at: i64,
    /// File ids, in the order of the lists below.
    pub files: Vec<String>,
    /// Digest of all settings that shape the bytes.
    pub spec: String,
    /// The number of the build's way to write files under the same settings. 0 from builds that had no such number.
    #[serde(skip_serializing_if = "is_default", default)]
    pub writes: u32,
    /// The parameters that the run began with. Every later term has them too.
    #[serde(skip_serializing_if = "Params::is_empty", default)]
    pub params: Params,
    /// Why a published date is made again. `None` for a run's first version.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub correction: Option<Box<Correction>>,
    /// Whether the view was counted. If not, it was asked nothing: there are no rows below, and no range.
    #[serde(skip_serializing_if = "is_true", default = "yes")]
    pub counted: bool,
    /// What was asked of the view: rows in all, then rows of each file.
    pub rows: u64,
    /// Rows expected in each file.
    pub file_rows: Vec<u64>,
    /// First and last key seen at the start.
    pub range: Option<(Key, Key)>,
    /// Totals that first records were written with, per file.
    pub first_totals: Vec<BTreeMap<String, String>>,
}

/// A page that is durable in every file.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PageCommit {
    /// Number of the page, from 1 without a gap.
    pub page: u64,
    /// Rows of the source up to and with this page.
    pub source_rows: u64,
    /// Key of its last row.
    pub key: Key,
    /// Columns and kinds; on the first page only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub columns: Option<Vec<Column>>,
    /// One per file.
    pub files: Vec<FileCommit>,
}

/// One file's state behind a page.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct FileCommit {
    /// Records so far.
    pub rows: u64,
    /// Size of the file so far: header line, first record and all records.
    pub bytes: u64,
    /// XXH3-64 of what this page added to the file (for page 1 with the first record, without the header line), hexadecimal.
    pub sum: String,
    /// Totals so far.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub totals: BTreeMap<String, String>,
    /// Values changed by policy so far.
    #[serde(skip_serializing_if = "is_default", default)]
    pub replaced: Replaced,
}

/// All records are durable.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Complete {
    /// Whether count or key range of the view differ from the start; null when it could not be asked again.
    pub source_moved: Option<bool>,
    /// One per file: final size and digest.
    pub files: Vec<FileComplete>,
}

/// One finished file.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct FileComplete {
    /// Size of the whole file, last record included.
    pub bytes: u64,
    /// Digest of the whole file, lower-case hexadecimal.
    pub sha256: String,
    /// Totals of a file without a page, whose commits cannot tell them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub totals: BTreeMap<String, String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_true(value: &bool) -> bool {
    *value
}

fn yes() -> bool {
    true
}

impl Begin {
    /// Rows counted in all.
    pub fn rows(&self) -> Option<u64> {
        self.counted.then_some(self.rows)
    }

    /// Rows counted for a file, by its place in the lists.
    pub fn rows_of(&self, index: usize) -> Option<u64> {
        self.file_rows.get(index).copied().filter(|_| self.counted)
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Writes lines, each chained to the one before.
#[derive(Clone, Debug, Default)]
pub struct JournalWriter {
    chain: u64,
}

impl JournalWriter {
    /// Starts a new journal; or goes on behind a line whose checksum was `chain`.
    pub fn after(chain: u64) -> Self {
        Self { chain }
    }

    /// Appends one line to `out`.
    ///
    /// # Errors
    /// Only when an entry has no JSON form, which no entry of this module lacks.
    pub fn append(&mut self, entry: &Entry, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        self.append_text(&serde_json::to_vec(entry)?, out);
        Ok(())
    }

    /// Appends one line that says this, whatever it is.
    pub fn append_text(&mut self, text: &[u8], out: &mut Vec<u8>) {
        self.chain = chained(self.chain, text);
        out.extend_from_slice(text);
        out.extend_from_slice(format!("\t{:016x}\n", self.chain).as_bytes());
    }
}

/// What could be read of a journal.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Journal {
    /// The good lines, first to last.
    pub entries: Vec<Entry>,
    /// Bytes that the good lines take.
    pub bytes: u64,
    /// Checksum of the last good line, to go on behind it.
    pub chain: u64,
    /// Why reading stopped before the end, when it did: `line 7 is torn`.
    pub damage: Option<String>,
}

impl Journal {
    /// Reads up to the first line that is torn, flipped, out of order or foreign. Never fails: what cannot be read is
    /// not there.
    pub fn parse(bytes: &[u8]) -> Self {
        let mut journal = Self::default();
        let mut rest = bytes;
        while !rest.is_empty() {
            let line_number = journal.entries.len() + 1;
            match next_line(journal.chain, rest) {
                Ok((entry, chain, length)) => {
                    if let Err(why) = follows::check(&journal, &entry) {
                        journal.damage = Some(format!("line {line_number} {why}"));
                        break;
                    }
                    journal.entries.push(entry);
                    journal.chain = chain;
                    journal.bytes += length as u64;
                    rest = &rest[length..];
                }
                Err(why) => {
                    journal.damage = Some(format!("line {line_number} {why}"));
                    break;
                }
            }
        }
        journal
    }

    /// The first line.
    pub fn begin(&self) -> Option<&Begin> {
        match self.entries.first() {
            Some(Entry::Begin(begin)) => Some(begin),
            _ => None,
        }
    }

    /// All committed pages, in order.
    pub fn pages(&self) -> impl DoubleEndedIterator<Item = &PageCommit> {
        self.entries.iter().filter_map(|entry| if let Entry::Page(page) = entry { Some(page) } else { None })
    }

    /// The last committed page.
    pub fn last_page(&self) -> Option<&PageCommit> {
        self.pages().next_back()
    }

    /// Set when all records are durable; later holders have nothing to add but their names.
    pub fn complete(&self) -> Option<&Complete> {
        match self.entries.iter().rfind(|entry| !matches!(entry, Entry::Term { .. })) {
            Some(Entry::Complete(complete)) => Some(complete),
            _ => None,
        }
    }

    /// Whether the holder with `token` got as far as a line of its own: only then has everything it took over become
    /// durable under its name.
    pub fn was_opened_by(&self, token: u64) -> bool {
        self.entries.iter().any(|entry| match entry {
            Entry::Begin(begin) => begin.token == token,
            Entry::Term { token: of, .. } => *of == token,
            Entry::Page(_) | Entry::Complete(_) => false,
        })
    }

    /// Tokens under which pages were committed, oldest first.
    pub fn tokens(&self) -> Vec<u64> {
        let mut tokens = Vec::new();
        let mut current = 0;
        for entry in &self.entries {
            match entry {
                Entry::Begin(begin) => current = begin.token,
                Entry::Term { token, .. } => current = *token,
                Entry::Page(_) if tokens.last() != Some(&current) => tokens.push(current),
                Entry::Page(_) | Entry::Complete(_) => {}
            }
        }
        tokens
    }

    /// The bytes and chain of the journal cut behind page `page` (0: behind the first line), without `Complete`.
    #[must_use]
    pub fn cut_after(&self, page: u64, bytes: &[u8]) -> Self {
        let last = self.entries.iter().rposition(|entry| match entry {
            Entry::Begin(_) => true,
            Entry::Page(commit) => commit.page <= page,
            Entry::Term { .. } | Entry::Complete(_) => false,
        });
        let kept = self.entries[..last.map_or(0, |last| last + 1)].to_vec();
        let mut length = 0;
        let mut chain = 0;
        for _ in &kept {
            let Some(end) = bytes[length..].iter().position(|&byte| byte == b'\n') else { break };
            let line = &bytes[length..length + end];
            chain = split_sum(line).map_or(chain, |(_, sum)| sum);
            length += end + 1;
        }
        Self { entries: kept, bytes: length as u64, chain, damage: None }
    }
}

/// XXH3-64 of some bytes, as the journal writes it.
pub fn sum_of(bytes: &[u8]) -> String {
    format!("{:016x}", xxhash_rust::xxh3::xxh3_64(bytes))
}

fn chained(chain: u64, line: &[u8]) -> u64 {
    let mut hash = Xxh3::with_seed(chain);
    hash.update(line);
    hash.digest()
}

/// A line without its newline, split into JSON and checksum.
fn split_sum(line: &[u8]) -> Option<(&[u8], u64)> {
    let tab = line.len().checked_sub(17)?;
    let sum = std::str::from_utf8(line.get(tab + 1..)?).ok()?;
    let canonical = sum.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    (line[tab] == b'\t' && canonical).then_some(())?;
    Some((&line[..tab], u64::from_str_radix(sum, 16).ok()?))
}

fn next_line(chain: u64, bytes: &[u8]) -> Result<(Entry, u64, usize), String> {
    let end = bytes.iter().position(|&byte| byte == b'\n').ok_or("is torn")?;
    let (json, sum) = split_sum(&bytes[..end]).ok_or("has no checksum")?;
    if chained(chain, json) != sum && !planted("journal unchecked") {
        return Err("does not match its checksum".to_owned());
    }
    let entry = serde_json::from_slice(json).map_err(|error| format!("is not understood: {error}"))?;
    Ok((entry, sum, end + 1))
}

#[cfg(test)]
mod tests;
