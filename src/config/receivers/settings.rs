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
