//! The bytes of JSON values: strings with as few escapes as the grammar allows, numbers and documents taken as they are.

use super::shown;
use crate::core::model::column::Kind;
use serde::de::IgnoredAny;

/// How a value stands in JSON.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// In quotes.
    String,
    /// As it is: whatever the value, its text is JSON.
    Bare,
    /// As it is, if it is a JSON number.
    Number,
    /// As it is, if it is a JSON value.
    Document,
}

impl Shape {
    /// The shape of an unformatted value of that kind.
    pub(super) fn of(kind: Kind) -> Self {
        match kind {
            Kind::Bool | Kind::Int | Kind::Decimal { .. } => Self::Bare,
            Kind::Float32 | Kind::Float64 | Kind::DecimalText { .. } | Kind::Number => Self::Number,
            Kind::Json => Self::Document,
            Kind::Text
            | Kind::Uuid
            | Kind::Bytes
            | Kind::Date
            | Kind::Time { .. }
            | Kind::Timestamp { .. }
            | Kind::TimestampText => Self::String,
        }
    }
}

/// A text as a JSON string, quotes included.
pub(super) fn quoted(text: &str) -> Vec<u8> {
    let mut out = vec![b'"'];
    out.extend_from_slice(text.as_bytes());
    escape(&mut out, 1, &mut Vec::new());
    out.push(b'"');
    out
}

/// Escapes the text `out[start..]` in place: quotes, backslashes and control characters (RFC 8259, section 7).
/// `scratch` is working space.
pub(super) fn escape(out: &mut Vec<u8>, start: usize, scratch: &mut Vec<u8>) {
    let needs_escape = |byte: &u8| *byte < b' ' || *byte == b'"' || *byte == b'\\';
    let Some(first) = out.get(start..).and_then(|text| text.iter().position(needs_escape)) else { return };
    scratch.clear();
    scratch.extend_from_slice(&out[start + first..]);
    out.truncate(start + first);
    for byte in scratch.iter() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0C => out.extend_from_slice(b"\\f"),
            0x00..0x20 => {
                const DIGITS: &[u8; 16] = b"0123456789abcdef";
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 0x0F)]]);
            }
            other => out.push(*other),
        }
    }
}

/// Makes sure that the unquoted text `out[start..]` is JSON, on one line.
///
/// # Errors
/// Behind the column's name: what it holds instead.
#[inline]
pub(super) fn check(shape: Shape, out: &mut Vec<u8>, start: usize, scratch: &mut Vec<u8>) -> Result<(), String> {
    let text = out.get(start..).unwrap_or_default();
    match shape {
        Shape::String | Shape::Bare => Ok(()),
        Shape::Number if is_number(text) => Ok(()),
        Shape::Number => Err(format!(
            "holds {}, which is no JSON number; give the column a `format`, or write it as text in the view",
            shown(&String::from_utf8_lossy(text))
        )),
        Shape::Document => {
            serde_json::from_slice::<IgnoredAny>(text).map_err(|error| {
                format!("holds {}, which is no JSON: {error}", shown(&String::from_utf8_lossy(text)))
            })?;
            if text.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
                compact(out, start, scratch);
            }
            Ok(())
        }
    }
}

/// The grammar of RFC 8259, section 6, without an exponent: `-12.50`, and neither `.5` nor `007`.
fn is_number(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let point = digits.iter().position(|byte| *byte == b'.');
    let (int, frac) = match point {
        Some(at) => (&digits[..at], Some(&digits[at + 1..])),
        None => (digits, None),
    };
    let all_digits = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    all_digits(int) && (int.len() == 1 || int.first() != Some(&b'0')) && frac.is_none_or(all_digits)
}

/// Takes the blanks between the tokens of a valid document away; its strings and numbers stay byte for byte.
fn compact(out: &mut Vec<u8>, start: usize, scratch: &mut Vec<u8>) {
    scratch.clear();
    scratch.extend_from_slice(&out[start..]);
    out.truncate(start);
    let (mut in_string, mut escaped) = (false, false);
    for byte in scratch.iter().copied() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else if matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
            continue;
        } else {
            in_string = byte == b'"';
        }
        out.push(byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn checked(shape: Shape, text: &str) -> Result<String, String> {
        let mut out = format!("{{{text}").into_bytes();
        check(shape, &mut out, 1, &mut Vec::new()).map(|()| String::from_utf8(out).unwrap()[1..].to_owned())
    }

    #[test]
    fn only_json_numbers_are_written_bare() {
        for text in ["0", "-0.0", "12.50", "99999999999999999999999999999999999999", "0.00000015"] {
            assert_eq!(checked(Shape::Number, text).as_deref(), Ok(text));
        }
        for text in ["", "-", ".5", "5.", "007", "+3", "NaN", "Infinity", "1e5", "1,000", " 1", "--1"] {
            let error = checked(Shape::Number, text).unwrap_err();
            assert!(error.contains(&format!("{text:?}")), "{error}");
        }
    }

    #[test]
    fn a_document_stays_as_it_is_but_on_one_line() {
        let same = r#"{"a": [1.10, 1e400, "x\ny"], "b": {}}"#;
        assert_eq!(checked(Shape::Document, same).as_deref(), Ok(same));
        let lines = "{\n  \"a b\": \"c \\\" \\\\\",\r\n\t\"d\": [1, 2.50 ]\n}";
        assert_eq!(checked(Shape::Document, lines).as_deref(), Ok(r#"{"a b":"c \" \\","d":[1,2.50]}"#));
        for text in ["", "{", "nul", "{} {}", "{'a': 1}", "\"\n\""] {
            assert!(checked(Shape::Document, text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn escapes_are_minimal() {
        assert_eq!(quoted("a\"b\\c/é\u{7f}\u{2028}"), "\"a\\\"b\\\\c/é\u{7f}\u{2028}\"".as_bytes());
        assert_eq!(quoted("\0\u{8}\t\n\u{c}\r\u{1f}"), br#""\u0000\b\t\n\f\r\u001f""#);
    }

    proptest! {
        #[test]
        fn any_text_reads_back(text in any::<String>()) {
            let json = quoted(&text);
            prop_assert_eq!(serde_json::from_slice::<Value>(&json).unwrap(), Value::String(text));
            prop_assert!(json.iter().all(|byte| *byte >= b' '));
        }

        #[test]
        fn a_document_over_lines_keeps_its_value(texts in proptest::collection::vec(any::<String>(), 0..4)) {
            let value = serde_json::json!({ "list": texts, "nested": { "a": 1.5, "b": null } });
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            let line = checked(Shape::Document, &pretty).unwrap();
            prop_assert!(!line.contains('\n'));
            prop_assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), value);
        }
    }
}
