//! Filters and companions, as a transfer file declares them.

use super::naming::NameTemplate;
use std::fmt;

/// Something that is done with a content on its way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Filter {
    /// Packs it as gzip.
    Gzip {
        /// 1 is fast, 9 is small.
        level: u32,
    },
    /// Packs it as zstd.
    Zstd {
        /// 1 is fast, 22 is small.
        level: i32,
    },
    /// Unpacks gzip.
    Gunzip,
    /// Refuses what is no such CSV.
    CheckCsv(CsvCheck),
}

impl Filter {
    /// The word in the file.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Gzip { .. } => "gzip",
            Self::Zstd { .. } => "zstd",
            Self::Gunzip => "gunzip",
            Self::CheckCsv(_) => "check",
        }
    }

    /// Whether other bytes come out than go in.
    pub fn changes(&self) -> bool {
        match self {
            Self::Gzip { .. } | Self::Zstd { .. } | Self::Gunzip => true,
            Self::CheckCsv(_) => false,
        }
    }

    /// The template of a name for what comes out, by the template for what goes in.
    #[must_use]
    pub fn renamed(&self, template: &str) -> String {
        match self {
            Self::Gzip { .. } => format!("{template}.gz"),
            Self::Zstd { .. } => format!("{template}.zst"),
            Self::Gunzip => match template.strip_suffix(".gz") {
                Some(before) => before.to_owned(),
                None => "{{ name|without('.gz') }}".to_owned(),
            },
            Self::CheckCsv(_) => template.to_owned(),
        }
    }
}

/// What a CSV must be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CsvCheck {
    /// Its header, in this order. Empty: any.
    pub columns: Vec<String>,
    /// How many rows it has without the header. `None`: any number.
    pub rows: Option<RowCount>,
    /// What stands between fields.
    pub delimiter: u8,
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

/// A file that follows each delivered one, in the same folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Companion {
    /// What stands in it.
    pub kind: CompanionKind,
    /// Its name. `name` in it is the delivered file's.
    pub name: NameTemplate,
}

/// What stands in a companion.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CompanionKind {
    /// Nothing: it says that the file is whole.
    Done,
    /// The file's SHA-256, as `sha256sum --check` reads it.
    Sha256,
}

impl CompanionKind {
    /// The word in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Sha256 => "sha256",
        }
    }

    /// The content beside a file of that name and digest.
    pub fn content(self, name: &str, sha256: &str) -> Vec<u8> {
        match self {
            Self::Done => Vec::new(),
            Self::Sha256 => {
                // As coreutils write names that would end a line or look like an escape.
                let escaped = name.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r");
                let mark = if escaped == name { "" } else { "\\" };
                format!("{mark}{sha256}  {escaped}\n").into_bytes()
            }
        }
    }
}
