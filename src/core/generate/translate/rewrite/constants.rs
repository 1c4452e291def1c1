//! Constants of a rewritten template: numbers as exact ones, texts in a form that nothing in a template takes for its own.

use super::{DECIMAL, Text};
use crate::core::generate::translate::float_text::with_float_text;
use minijinja::value::{Value, ValueKind};
use std::fmt::Write as _;

impl Text {
    pub(super) fn constant(&mut self, value: &Value) {
        match (value.as_str(), value.kind()) {
            (Some(text), _) => self.quoted(text),
            (None, ValueKind::None) => self.put("none"),
            (None, ValueKind::Bool) => self.put(if value.is_true() { "true" } else { "false" }),
            (None, ValueKind::Number) if !value.is_integer() => {
                let float = f64::try_from(value.clone()).unwrap_or(f64::NAN);
                let text = with_float_text(float, |text| String::from_utf8_lossy(text).into_owned());
                let _ = write!(self.0, "{DECIMAL}(\"{}\")", text.unwrap_or_default());
            }
            _ => {
                let _ = write!(self.0, "{value}");
            }
        }
    }

    pub(super) fn quoted(&mut self, text: &str) {
        self.put("\"");
        for char in text.chars() {
            match char {
                '"' | '\\' => {
                    let _ = write!(self.0, "\\{char}");
                }
                // What ends a tag or a string is not read as such in another form.
                '\n' | '\r' | '\0' | '{' | '}' | '%' | '#' => {
                    let _ = write!(self.0, "\\x{:02x}", u32::from(char));
                }
                other => self.0.push(other),
            }
        }
        self.put("\"");
    }
}
