//! The text of arrays, composites, ranges and hstores as JSON: the documented form of such values in every file.
//!
//! | PostgreSQL | JSON |
//! | --- | --- |
//! | `{1,NULL,3}` | `[1,null,3]` |
//! | `(1,"a b",)` | `{"id":1,"name":"a b","at":null}` |
//! | `[1,5)` | `{"lower":1,"upper":5,"bounds":"[)"}`; `null` for no bound, `"bounds":"empty"` for the empty range |
//! | `{[1,5),[7,9)}` | a list of ranges |
//! | `"a"=>"1", "b"=>NULL` | `{"a":"1","b":null}` |
//!
//! A single value has the form that it has in a file by itself; where that is no number, boolean or JSON, it is a string.

use super::civil;
use super::value::{boolean, bytes, no_number, strange, whole};
use crate::adapters::postgres::kinds::Wire;
use crate::adapters::postgres::nested::Nested;
use std::fmt::Write as _;

/// Dimensions of an array, at most: PostgreSQL's own limit.
const DIMENSIONS: usize = 6;

/// Appends a value as JSON.
///
/// # Errors
/// Says which part cannot be carried.
pub(super) fn write(nested: &Nested, text: &str, out: &mut String) -> Result<(), String> {
    let mut reader = Reader { rest: text };
    let read = match nested {
        Nested::Leaf(wire) => return leaf(*wire, text, out),
        Nested::Array { of, delimiter } => {
            // `[0:2]={…}`: where the elements' numbers begin is not carried.
            if text.starts_with('[')
                && let Some((_, list)) = text.split_once('=')
            {
                reader.rest = list;
            }
            reader.array(of, *delimiter, DIMENSIONS, out)
        }
        Nested::Composite(fields) => reader.composite(fields, out),
        Nested::Range(of) => reader.range(of, out),
        Nested::Multirange(of) => reader.multirange(of, out),
        Nested::Hstore => reader.hstore(out),
    };
    match read {
        Ok(()) if reader.rest.is_empty() => Ok(()),
        Ok(()) | Err(None) => Err(strange(text, "a value of the column's type")),
        Err(Some(reason)) => Err(reason),
    }
}

/// `None`: the text is not built as it should be. Some: a part cannot be carried.
type Read = Result<(), Option<String>>;

/// What is left of a value's text.
struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    /// Takes a text away, if it stands here.
    fn take(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn need(&mut self, text: &str) -> Read {
        if self.take(text) { Ok(()) } else { Err(None) }
    }

    /// A part up to one of `ends`, without its quotes and escapes. `None` for a part of no characters at all.
    fn part(&mut self, ends: &[char]) -> Result<Option<(String, bool)>, Option<String>> {
        let (mut part, mut quoted, mut inside) = (String::new(), false, false);
        let mut chars = self.rest.char_indices().peekable();
        let end = loop {
            let Some((at, char)) = chars.next() else {
                if inside {
                    return Err(None);
                }
                break self.rest.len();
            };
            match char {
                '\\' => part.push(chars.next().ok_or(None)?.1),
                '"' if inside && chars.next_if(|(_, next)| *next == '"').is_some() => part.push('"'),
                '"' => (quoted, inside) = (true, !inside),
                end if !inside && ends.contains(&end) => break at,
                other => part.push(other),
            }
        };
        self.rest = self.rest.get(end..).unwrap_or_default();
        Ok((quoted || !part.is_empty()).then_some((part, quoted)))
    }

    fn array(&mut self, of: &Nested, delimiter: char, dimensions: usize, out: &mut String) -> Read {
        self.need("{")?;
        out.push('[');
        if self.take("}") {
            out.push(']');
            return Ok(());
        }
        loop {
            if self.rest.starts_with('{') {
                self.array(of, delimiter, dimensions.checked_sub(1).ok_or(None)?, out)?;
            } else {
                match self.part(&[delimiter, '}'])? {
                    None => return Err(None),
                    Some((null, false)) if null.eq_ignore_ascii_case("NULL") => out.push_str("null"),
                    Some((text, _)) => write(of, &text, out)?,
                }
            }
            if self.take("}") {
                out.push(']');
                return Ok(());
            }
            self.need(delimiter.encode_utf8(&mut [0; 4]))?;
            out.push(',');
        }
    }

    fn composite(&mut self, fields: &[(String, Nested)], out: &mut String) -> Read {
        self.need("(")?;
        for (at, (name, of)) in fields.iter().enumerate() {
            if at > 0 {
                self.need(",")?;
            }
            let _ = write!(out, "{}{name}:", if at > 0 { ',' } else { '{' });
            self.value_or_null(of, &[',', ')'], out)?;
        }
        out.push_str(if fields.is_empty() { "{}" } else { "}" });
        self.need(")")
    }

    fn value_or_null(&mut self, of: &Nested, ends: &[char], out: &mut String) -> Read {
        match self.part(ends)? {
            None => out.push_str("null"),
            Some((text, _)) => write(of, &text, out)?,
        }
        Ok(())
    }

    fn range(&mut self, of: &Nested, out: &mut String) -> Read {
        if self.take("empty") {
            out.push_str(r#"{"lower":null,"upper":null,"bounds":"empty"}"#);
            return Ok(());
        }
        let opens = if self.take("[") { '[' } else { '(' };
        if opens == '(' {
            self.need("(")?;
        }
        out.push_str(r#"{"lower":"#);
        self.value_or_null(of, &[','], out)?;
        self.need(",")?;
        out.push_str(r#","upper":"#);
        self.value_or_null(of, &[')', ']'], out)?;
        let closes = if self.take("]") { ']' } else { ')' };
        if closes == ')' {
            self.need(")")?;
        }
        let _ = write!(out, r#","bounds":"{opens}{closes}"}}"#);
        Ok(())
    }

    fn multirange(&mut self, of: &Nested, out: &mut String) -> Read {
        self.need("{")?;
        out.push('[');
        if !self.take("}") {
            loop {
                self.range(of, out)?;
                if self.take("}") {
                    break;
                }
                self.need(",")?;
                out.push(',');
            }
        }
        out.push(']');
        Ok(())
    }

    fn hstore(&mut self, out: &mut String) -> Read {
        out.push('{');
        let mut first = true;
        while !self.rest.is_empty() {
            if !std::mem::take(&mut first) {
                self.need(", ")?;
                out.push(',');
            }
            let (key, _) = self.part(&['='])?.ok_or(None)?;
            string(&key, out);
            self.need("=>")?;
            out.push(':');
            match self.part(&[','])?.ok_or(None)? {
                (null, false) if null == "NULL" => out.push_str("null"),
                (text, _) => string(&text, out),
            }
        }
        out.push('}');
        Ok(())
    }
}

/// One value.
fn leaf(wire: Wire, text: &str, out: &mut String) -> Result<(), String> {
    match wire {
        Wire::Bool => out.push_str(if boolean(text)? { "true" } else { "false" }),
        Wire::Int | Wire::Oid => out.push_str(itoa::Buffer::new().format(whole(text)?)),
        Wire::Float4 => {
            let value: f32 = text.parse().map_err(|_| strange(text, "a number"))?;
            finite(value.is_finite(), text)?;
            out.push_str(zmij::Buffer::new().format(value));
        }
        Wire::Float8 => {
            let value: f64 = text.parse().map_err(|_| strange(text, "a number"))?;
            finite(value.is_finite(), text)?;
            out.push_str(zmij::Buffer::new().format(value));
        }
        Wire::Decimal { .. } | Wire::Number => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            finite(digits.starts_with(|c: char| c.is_ascii_digit()), text)?;
            out.push_str(text);
        }
        Wire::Money => out.extend(text.chars().filter(|c| matches!(c, '-' | '.' | '0'..='9'))),
        Wire::Json => out.push_str(text),
        Wire::Bytes => string(bytes(text).ok_or_else(|| strange(text, "bytes"))?, out),
        Wire::Date => {
            civil::date(text)?;
            string(text, out);
        }
        Wire::Time { digits } => {
            civil::time(text)?;
            iso(text, digits, "", out);
        }
        Wire::Timestamp { digits, utc } => {
            civil::timestamp(text)?;
            // The session's zone is UTC.
            let text = if utc { text.strip_suffix("+00").ok_or_else(|| strange(text, "a time in UTC"))? } else { text };
            iso(&text.replacen(' ', "T", 1), digits, if utc { "Z" } else { "" }, out);
        }
        Wire::Text | Wire::Uuid | Wire::Cast | Wire::Unknown | Wire::Nested => string(text, out),
    }
    Ok(())
}

fn finite(is_finite: bool, text: &str) -> Result<(), String> {
    if is_finite { Ok(()) } else { Err(no_number(text)) }
}

/// A time with all its digits behind the point.
fn iso(text: &str, digits: u8, zone: &str, out: &mut String) {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let point = if digits > 0 { "." } else { "" };
    let _ = write!(out, "\"{seconds}{point}{fraction:0<width$}{zone}\"", width = usize::from(digits));
}

fn string(text: &str, out: &mut String) {
    // A text always has a JSON form.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tokio_postgres::types::{Field, Kind as Made, Type};

    fn json(of_type: &Type, text: &str) -> Result<String, String> {
        let mut out = String::new();
        write(&Nested::of(of_type, -1).unwrap(), text, &mut out).map(|()| out)
    }

    fn pair() -> Type {
        let fields = [("id", Type::INT4), ("the \"name\"", Type::TEXT), ("list", Type::TEXT_ARRAY)];
        let fields = fields.into_iter().map(|(name, of)| Field::new(name.to_owned(), of)).collect();
        Type::new("pair".to_owned(), 90_000, Made::Composite(fields), "public".to_owned())
    }

    fn hstore() -> Type {
        Type::new("hstore".to_owned(), 90_001, Made::Simple, "public".to_owned())
    }

    #[test]
    fn each_value_has_its_json_form() {
        let pairs = Type::new("_pair".to_owned(), 90_002, Made::Array(pair()), "public".to_owned());
        for (of, text, expected) in [
            (Type::INT4_ARRAY, "{1,NULL,3}", "[1,null,3]"),
            (Type::INT4_ARRAY, "{}", "[]"),
            (Type::INT4_ARRAY, "[0:2]={1,2,3}", "[1,2,3]"),
            (Type::INT4_ARRAY, "{{1,2},{3,NULL}}", "[[1,2],[3,null]]"),
            (
                Type::TEXT_ARRAY,
                r#"{a,"NULL",NULL,"","a \"b\" \\ {c},d"}"#,
                r#"["a","NULL",null,"","a \"b\" \\ {c},d"]"#,
            ),
            (Type::BOX_ARRAY, "{(1,1),(0,0);(2,2),(1,1)}", r#"["(1,1),(0,0)","(2,2),(1,1)"]"#),
            (Type::FLOAT8_ARRAY, "{0.1,1,1e+300}", "[0.1,1.0,1e+300]"),
            (Type::NUMERIC_ARRAY, "{1.50,-0.5}", "[1.50,-0.5]"),
            (Type::MONEY_ARRAY, r#"{"$1,234.50",-$0.05}"#, "[1234.50,-0.05]"),
            (Type::BOOL_ARRAY, "{t,f,NULL}", "[true,false,null]"),
            (Type::BYTEA_ARRAY, r#"{"\\x00ff"}"#, r#"["00ff"]"#),
            (Type::JSONB_ARRAY, r#"{"{\"a\": [1.10]}"}"#, r#"[{"a": [1.10]}]"#),
            (Type::TIMESTAMPTZ_ARRAY, r#"{"2026-11-21 10:30:00.5+00"}"#, r#"["2026-11-21T10:30:00.500000Z"]"#),
            (Type::TIME_ARRAY, "{24:00:00}", r#"["24:00:00.000000"]"#),
            (Type::INT4_RANGE, "[1,5)", r#"{"lower":1,"upper":5,"bounds":"[)"}"#),
            (Type::INT4_RANGE, "(,5]", r#"{"lower":null,"upper":5,"bounds":"(]"}"#),
            (Type::INT4_RANGE, "empty", r#"{"lower":null,"upper":null,"bounds":"empty"}"#),
            (
                Type::TSTZ_RANGE,
                r#"["2026-01-01 00:00:00+00",)"#,
                r#"{"lower":"2026-01-01T00:00:00.000000Z","upper":null,"bounds":"[)"}"#,
            ),
            (
                Type::INT4MULTI_RANGE,
                "{[1,2),[5,7)}",
                r#"[{"lower":1,"upper":2,"bounds":"[)"},{"lower":5,"upper":7,"bounds":"[)"}]"#,
            ),
            (Type::INT4MULTI_RANGE, "{}", "[]"),
            (pair(), r#"(1,"a, ""b""","{x,NULL}")"#, r#"{"id":1,"the \"name\"":"a, \"b\"","list":["x",null]}"#),
            (pair(), r#"(,"",)"#, r#"{"id":null,"the \"name\"":"","list":null}"#),
            (pairs, r#"{"(1,a\\\\b,)",NULL}"#, r#"[{"id":1,"the \"name\"":"a\\b","list":null},null]"#),
            (hstore(), "", "{}"),
            (
                hstore(),
                r#""a"=>"1", "b=>"=>NULL, "c"=>"NULL", "\"d\\"=>"""#,
                r#"{"a":"1","b=>":null,"c":"NULL","\"d\\":""}"#,
            ),
        ] {
            assert_eq!(json(&of, text).as_deref(), Ok(expected), "{of} {text}");
        }
    }

    #[test]
    fn what_no_number_or_date_can_be_is_an_error() {
        for (of, text, word) in [
            (Type::FLOAT8_ARRAY, "{NaN}", "NaN"),
            (Type::NUMERIC_ARRAY, "{1,Infinity}", "Infinity"),
            (Type::DATE_ARRAY, "{infinity}", "infinity"),
            (Type::TSTZ_RANGE, "[infinity,)", "infinity"),
        ] {
            let error = json(&of, text).unwrap_err();
            assert!(error.contains(&format!("`{word}`")), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it_and_what_is_taken_is_json(text in r#"[\[{(]?[{}()\[\],"\\=> aN1:.-]{0,30}"#) {
            for of in [Type::INT4_ARRAY, Type::TEXT_ARRAY, Type::INT4_RANGE, Type::INT4MULTI_RANGE, pair(), hstore()] {
                if let Ok(json) = json(&of, &text) {
                    prop_assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{of} {text:?}: {json}");
                }
            }
        }
    }

    #[test]
    fn dimensions_have_an_end() {
        assert!(json(&Type::INT4_ARRAY, &"{".repeat(1 << 20)).is_err());
    }
}
