//! Settings that several receivers share.

use super::Others::{Free, Only};
use super::{Others, Setting};

pub(super) const fn set(name: &'static str, value: &'static str, others: Others) -> Setting {
    Setting { name, value: Some(value), others }
}

pub(super) const fn keep(name: &'static str, others: Others) -> Setting {
    Setting { name, value: None, others }
}

pub(super) const NO_HEADER_LINE: Setting =
    set("progress_header", "false", Only(&["false"], "the header line is no record"));
pub(super) const NOTHING: &[&str] = &[];
pub(super) const NO_LAST: Setting = keep("last_record", Only(NOTHING, "it would be read as a row"));
pub(super) const UTF8: &[&str] = &["UTF-8"];
pub(super) const POINT: Setting = keep("decimal", Only(&["."], "it reads numbers with a point"));
pub(super) const NO_BOM: Setting = keep("bom", Only(&["false"], "the mark would be a part of the first value"));
pub(super) const ANY_BOM: Setting = keep("bom", Free);
pub(super) const LINES: Setting = set("newline", "lf", Only(&["lf", "crlf"], "it tells records apart by these"));
pub(super) const QUOTED: &[&str] = &["minimal", "always", "nonnumeric"];
pub(super) const SOME_QUOTES: Setting =
    set("quote", "minimal", Only(QUOTED, "without quotes it takes values for others"));
pub(super) const DOUBLE: Setting = keep("escape", Only(&["double"], "it knows only doubled quotes inside quotes"));

/// Words that read as they are into a boolean column, true before false.
pub(super) const SQL_BOOLEANS: &[&str] = &["true/false", "t/f", "yes/no", "y/n", "on/off", "1/0"];
pub(super) const DUCKDB_BOOLEANS: &[&str] = &["true/false", "t/f", "yes/no", "y/n", "1/0"];

// Forms of dates and timestamps that read as they are, in the spelling of `check::receivers`: without fractions, `Z` for any offset.

/// Year, month, day, as ISO 8601 and SQL write them.
pub(super) const ISO_DATES: &[&str] =
    &["%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"];
/// Instants with their offset.
pub(super) const INSTANTS: &[&str] = &["iso", "space", "%Y-%m-%d %H:%M:%SZ", "%Y-%m-%dT%H:%M:%SZ"];
pub(super) const PLAIN: &[&str] = &["plain"];
pub(super) const SLASHED: &[&str] = &["%Y/%m/%d", "%Y/%m/%d %H:%M:%S"];
pub(super) const COMPACT_DAY: &[&str] = &["%Y%m%d"];
pub(super) const COMPACT: &[&str] = &["%Y%m%d", "%Y%m%dT%H%M%S"];
pub(super) const COMPACT_SECOND: &[&str] = &["%Y%m%d%H%M%S"];
