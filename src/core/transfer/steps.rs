//! Filters and companions, as a transfer file declares them.

use super::naming::NameTemplate;
pub use crate::core::model::filters::RowCount;
use crate::core::model::filters::ToolSpec;

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
    /// What is made of files of this host.
    Tool(ToolSpec),
}

impl Filter {
    /// The word in the file.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Gzip { .. } => "gzip",
            Self::Zstd { .. } => "zstd",
            Self::Gunzip => "gunzip",
            Self::CheckCsv(_) | Self::Tool(ToolSpec::Json(_)) => "check",
            Self::Tool(ToolSpec::Age(_)) => "age",
            Self::Tool(ToolSpec::OpenPgp(_)) => "openpgp",
        }
    }

    /// Whether other bytes come out than go in.
    pub fn changes(&self) -> bool {
        match self {
            Self::Gzip { .. }
            | Self::Zstd { .. }
            | Self::Gunzip
            | Self::Tool(ToolSpec::Age(_) | ToolSpec::OpenPgp(_)) => true,
            Self::CheckCsv(_) | Self::Tool(ToolSpec::Json(_)) => false,
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
            Self::Tool(ToolSpec::Age(_)) => format!("{template}.age"),
            Self::Tool(ToolSpec::OpenPgp(spec)) => {
                format!("{template}.{}", if spec.is_armored { "asc" } else { "pgp" })
            }
            Self::CheckCsv(_) | Self::Tool(ToolSpec::Json(_)) => template.to_owned(),
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
