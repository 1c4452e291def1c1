//! Shapes that only a transfer file has.

use super::wrong;
use crate::config::cursor::Cursor;
use crate::config::tree::Value;

/// A list of steps, which may be empty. None of them is in force yet.
pub(in crate::config) fn steps(at: &Cursor<'_>) {
    match at.value() {
        Some(Value::List(items)) if items.is_empty() => {}
        Some(Value::List(_)) => {
            let message = format!("`{}` are not yet supported", at.name());
            at.report("not-yet", message, "leave them out, or write `[]`");
        }
        _ => wrong(at, "a list", "write `[]`"),
    }
}
