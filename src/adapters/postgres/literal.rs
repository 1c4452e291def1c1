//! A key or a text as a literal inside a statement.

use crate::core::model::key::KeyValue;

/// A string literal with escapes, which means the same whatever `standard_conforming_strings` is.
pub(super) fn literal(value: &KeyValue) -> String {
    match value {
        KeyValue::Int(value) => format!("E'{value}'"),
        KeyValue::Text(text) | KeyValue::Typed(text) | KeyValue::Float(text) => {
            format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
        }
        KeyValue::Bytes(hex) => format!("E'\\\\x{}'", hex.replace('\\', "\\\\").replace('\'', "''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_cannot_be_left() {
        let text = |text: &str| literal(&KeyValue::Text(text.to_owned()));
        assert_eq!(text("O'Brien"), "E'O''Brien'");
        assert_eq!(text(r"\' OR 1=1 --"), r"E'\\'' OR 1=1 --'");
        assert_eq!(literal(&KeyValue::Bytes("00ff".to_owned())), r"E'\\x00ff'");
        assert_eq!(literal(&KeyValue::Bytes("' OR".to_owned())), r"E'\\x'' OR'");
    }
}
