//! Shapes that only a transfer file has.

use super::{names, section, wrong};
use crate::config::cursor::Cursor;
use crate::config::grammar::Section;
use crate::config::grammar::transfer::{COMPANION, FILTER};
use crate::config::tree::Value;

/// Filters, in order; there may be none.
pub(in crate::config) fn filters(at: &Cursor<'_>) {
    steps(at, &FILTER);
}

/// Companions; there may be none.
pub(in crate::config) fn companions(at: &Cursor<'_>) {
    steps(at, &COMPANION);
}

/// A list of sections with one field each.
fn steps(at: &Cursor<'_>, each: &'static Section) {
    if !matches!(at.value(), Some(Value::List(_))) {
        return wrong(at, "a list", "write `[]`, or a line with `- ` for each");
    }
    for item in at.items() {
        section(&item, each);
        if matches!(item.value(), Some(Value::Map(entries)) if entries.len() > 1) {
            let message = "there are several in one place, and their order counts";
            item.report("impossible-value", message, "write a line with `- ` for each");
        } else if matches!(item.value(), Some(Value::Map(entries)) if entries.is_empty()) {
            item.report("impossible-value", "it is empty", format!("there are {}", names(each)));
        }
    }
}
