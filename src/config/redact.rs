//! Takes passwords out of texts that people see. Rather too much than too little.

use crate::core::model::secret::SECRET_PROPERTIES;
use std::ops::Range;

/// Names before a `=` whose value is a secret, in lower case.
const SECRET_NAMES: [&str; 3] = ["password", "pwd", "passwd"];

/// A text with every password in it as `***`.
pub(super) fn masked(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut end = 0;
    for range in secrets(text) {
        shown.push_str(&text[end..range.start]);
        shown.push_str("***");
        end = range.end;
    }
    shown.push_str(&text[end..]);
    shown
}

/// A text with every byte of a password as `*`, so that all places in it stay where they are. Line ends stay too.
pub(super) fn masked_in_place(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut end = 0;
    for range in secrets(text) {
        shown.push_str(&text[end..range.start]);
        shown.extend(
            text[range.clone()].bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { byte as char } else { '*' }),
        );
        end = range.end;
    }
    shown.push_str(&text[end..]);
    shown
}

/// An address without its password, for where it may be added later.
pub(super) fn without_secrets(text: &str) -> String {
    let mut rest = String::with_capacity(text.len());
    let mut end = 0;
    for range in secrets(text) {
        let before = &text[end..range.start];
        // `:password` of a URL; else the whole setting with its name, up to and with the mark behind it.
        let kept = match before.strip_suffix(':') {
            Some(kept) => kept,
            None => &before[..before.rfind([';', '&', '?']).map_or(0, |mark| mark + 1)],
        };
        rest.push_str(kept);
        let is_setting = !before.ends_with(':') && text[range.end..].starts_with([';', '&']);
        end = range.end + usize::from(is_setting);
    }
    rest.push_str(&text[end..]);
    rest
}

/// Where the secrets are, in order, not overlapping: what stands between `//user:` and the last `@` of the same word (the
/// slashes may be missing, as in a mistyped address), and what follows `Password=` up to the next `;`, `&` or line end.
fn secrets(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'');
    let mut word_start = 0;
    for word in text.split_inclusive(ends) {
        if let Some(at) = word.rfind('@') {
            let user = word[..at].find("//").map_or(0, |slashes| slashes + 2);
            if let Some(colon) = word[user..at].find(':') {
                found.push(word_start + user + colon + 1..word_start + at);
            }
        }
        word_start += word.len();
    }
    // Bytes of ASCII letters only change, so that places in the copy are places in the text.
    let lower = text.to_ascii_lowercase();
    for name in SECRET_NAMES {
        for (start, _) in lower.match_indices(name) {
            let rest = &text[start + name.len()..];
            let value = rest.trim_start_matches([' ', '\t']);
            if let Some(value) = value.strip_prefix('=') {
                let from = text.len() - value.len();
                let length = secret_length(value);
                found.push(from..from + length);
            }
        }
    }
    // Properties as a worker file has them: `sasl.password: x`. The secret part begins behind a point.
    for part in SECRET_PROPERTIES {
        for (start, _) in lower.match_indices(part).filter(|(start, _)| lower[..*start].ends_with('.')) {
            let name_goes_on = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
            let rest = text[start + part.len()..].trim_start_matches(name_goes_on);
            let rest = rest.trim_start_matches(['"', '\'', ' ', '\t']);
            if let Some(value) = rest.strip_prefix(':').filter(|value| value.starts_with([' ', '\t'])) {
                let blanks = value.len() - value.trim_start_matches([' ', '\t']).len();
                let from = text.len() - value.len() + blanks;
                found.push(from..from + property_length(&text[from..]));
            }
        }
    }
    found.sort_by_key(|range| range.start);
    let mut apart: Vec<Range<usize>> = Vec::with_capacity(found.len());
    for range in found {
        match apart.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => apart.push(range),
        }
    }
    apart
}

/// A value in quotes or braces may hold what would otherwise end it.
fn secret_length(value: &str) -> usize {
    let blanks = value.len() - value.trim_start_matches([' ', '\t']).len();
    let inner = &value[blanks..];
    let close = match inner.chars().next() {
        Some('"') => Some('"'),
        Some('\'') => Some('\''),
        Some('{') => Some('}'),
        _ => None,
    };
    let skip = close.and_then(|close| Some(1 + inner[1..].find(close)? + 1)).unwrap_or(0);
    let from = blanks + skip;
    from + value[from..].find([';', '&', '\n', '\r']).unwrap_or(value.len() - from)
}

/// A value in YAML: up to the quote that closes it, else to what ends it in a line or in braces.
fn property_length(value: &str) -> usize {
    match value.chars().next() {
        Some(quote @ ('"' | '\'')) => value[1..].find(quote).map_or(value.len(), |end| 1 + end + 1),
        _ => value.find(['\n', '\r', ',', '}']).unwrap_or(value.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn passwords_are_masked() {
        for (text, shown) in [
            ("postgres://ann:secret@host/db", "postgres://ann:***@host/db"),
            ("postgres://ann:p@s:s/w@host/db", "postgres://ann:***@host/db"),
            ("postgres://host/db?user=ann&password=secret&x=1", "postgres://host/db?user=ann&password=***&x=1"),
            ("Server=h;User Id=sa;Password=a b\"c;Encrypt=true", "Server=h;User Id=sa;Password=***;Encrypt=true"),
            ("server=h;PWD = 'a;b' ;x=1", "server=h;PWD =***;x=1"),
            ("Server=h;Password={a;b};x=1", "Server=h;Password=***;x=1"),
            ("mongodb://u:p@a,b/filegen", "mongodb://u:***@a,b/filegen"),
            ("postgres:/ann:secret@host/db", "postgres:***@host/db"),
            ("{ sasl.password: a b, acks: all }", "{ sasl.password: ***, acks: all }"),
            ("\"sasl.oauthbearer.client.secret\": 'x, y'\nz: 1", "\"sasl.oauthbearer.client.secret\": ***\nz: 1"),
            ("ssl.key.pem: x\nsasl.jaas.config: y", "ssl.key.pem: ***\nsasl.jaas.config: ***"),
            ("sasl.oauthbearer.config: principal=x", "sasl.oauthbearer.config: ***"),
            ("compression.type: zstd", "compression.type: zstd"),
            ("sqlite:loans.db", "sqlite:loans.db"),
            ("postgres://ann@host/db", "postgres://ann@host/db"),
        ] {
            assert_eq!(masked(text), shown);
        }
    }

    #[test]
    fn an_address_without_its_password_stays_an_address() {
        for (text, rest) in [
            ("postgres://ann:secret@host/db", "postgres://ann@host/db"),
            ("Server=h;Password=a b;Encrypt=true", "Server=h;Encrypt=true"),
            ("Password=x;Server=h", "Server=h"),
            ("Server=h;Password=x", "Server=h;"),
            ("postgres://host/db?password=x&a=1", "postgres://host/db?a=1"),
        ] {
            assert_eq!(without_secrets(text), rest);
        }
    }

    proptest! {
        #[test]
        fn masking_moves_nothing(text in "[a-zé:/@=;'\"{\n ]{0,20}(://|password=|PWD =)?[a-zé:/@=;'\"{\n ]{0,20}") {
            let shown = masked_in_place(&text);
            prop_assert_eq!(shown.len(), text.len());
            let ends = |text: &str| text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect::<Vec<_>>();
            prop_assert_eq!(ends(&shown), ends(&text));
        }
    }
}
