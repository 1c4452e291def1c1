//! Text as YAML that every reader takes for that very text.

use crate::core::model::shown::is_harmful;
use std::fmt::Write;

/// Words that some YAML reader takes for something other than text.
const RESERVED: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];

/// A text as a YAML scalar: plain where nobody can mistake it, else in double quotes.
pub(super) fn scalar(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { quoted(text) }
}

/// A text as the name before a value. References are not read there, so nothing is done about them.
pub(super) fn name(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { in_quotes(text) }
}

/// Letters, digits and a few marks, starting with a letter or `/`; a colon only within a word.
fn is_plain(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '/'));
    let marks = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '+' | ':');
    starts
        && text.chars().all(marks)
        && !text.ends_with(':')
        && !RESERVED.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// A text in double quotes. `${` is written so that it is not read as a variable.
pub(super) fn quoted(text: &str) -> String {
    // Twice the dollar sign stands for one before a brace.
    in_quotes(text).replace("${", "$${")
}

fn in_quotes(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            // As YAML writes it: what shows the text would write it in a way that YAML does not read.
            c if is_harmful(c) => push_escape(&mut out, c),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn push_escape(out: &mut String, c: char) {
    let code = u32::from(c);
    // Writing to a string cannot fail.
    let _ = if code > 0xffff { write!(out, "\\U{code:08x}") } else { write!(out, "\\u{code:04x}") };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tree::{self, Value};
    use proptest::prelude::*;

    #[test]
    fn only_what_nobody_can_mistake_stands_without_quotes() {
        for (text, written) in [
            ("LoanId", "LoanId"),
            ("sqlite:/data/loans.db", "sqlite:/data/loans.db"),
            ("a b", "\"a b\""),
            ("", "\"\""),
            ("No", "\"No\""),
            ("0", "\"0\""),
            ("a:", "\"a:\""),
            ("\t", "\"\\t\""),
            ("${A}", "\"$${A}\""),
            ("a\u{202e}\u{e0001}", "\"a\\u202e\\U000e0001\""),
        ] {
            assert_eq!(scalar(text), written);
        }
    }

    proptest! {
        #[test]
        fn every_text_reads_back(text in prop_oneof![any::<String>(), "[a\u{ad}\u{200b}-\u{200f}\u{202a}-\u{202e}\u{2028}\u{2066}\u{feff}\u{e0000}-\u{e0080}\u{85}\u{7f}]{0,6}", "[$]{0,4}[{]{0,2}A[}]{0,2}", "[a-z:/# ,\\[\\]{}\"'\\\\\n]{0,12}"]) {
            let document = format!("[{}, {}, {{ {}: {} }}]", scalar(&text), quoted(&text), name(&text), scalar(&text));
            prop_assert!(!document.chars().any(is_harmful), "{:?}", document);
            let (node, problems) = tree::parse(&document, &());
            prop_assert!(problems.is_empty(), "{:?}", problems);
            let Some(Value::List(items)) = node.map(|node| node.value) else { panic!("{document}") };
            for item in items {
                let item = match item.value {
                    Value::Map(mut entries) => {
                        let (name, value) = entries.remove(0);
                        prop_assert_eq!(&name.text, &text);
                        value
                    }
                    _ => item,
                };
                let Value::Scalar(read) = item.value else { panic!("{document}") };
                prop_assert_eq!(&read.text, &text);
            }
        }
    }
}
