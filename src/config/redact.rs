//! Texts that people see, where they may hold a password although no address belongs there. Rather too much is masked than too
//! little: what is no address by its place is searched for what looks like one, and then masked as a whole.

use crate::core::model::peer::MASK;
use crate::core::model::secret::SECRET_PROPERTIES;
use crate::core::model::shown;

/// Names before a `=` or `:` whose value is a secret, in lower case, without signs between their words.
const SECRET_NAMES: [&str; 9] =
    ["password", "passwd", "passphrase", "pwd", "secret", "token", "apikey", "accesskey", "credential"];

/// Longest name that is repeated, in characters.
const NAME_MAX: usize = 64;

/// Whether a text holds an address with a login, or a setting that is a secret: `x://user:password@host`, with one slash or two,
/// or `Password=…`.
pub(super) fn holds_login(text: &str) -> bool {
    let has_login = |mark| text.split_once(mark).is_some_and(|(_, rest)| rest.contains('@'));
    has_login("//") || has_login(":/") || sets_secret(text, &['='])
}

/// Whether a text may be part of an address, of whatever form, or of a secret's setting.
pub(super) fn looks_secret(text: &str) -> bool {
    let is_ado = text.contains(';') && text.contains('=');
    text.contains("//") || text.contains('@') || is_ado || sets_secret(text, &['=', ':'])
}

/// Whether the name of a secret stands before one of these marks, with whatever signs between and behind its words. The name may
/// be percent-encoded.
fn sets_secret(text: &str, marks: &[char]) -> bool {
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8_lossy();
    let plain: String = decoded.chars().filter(|c| !matches!(c, ' ' | '_' | '-' | '\t' | '"' | '\'')).collect();
    let plain = plain.to_lowercase();
    let names = SECRET_NAMES.iter().chain(&SECRET_PROPERTIES);
    names.into_iter().any(|name| {
        plain.match_indices(name).any(|(at, _)| {
            let behind = plain[at + name.len()..].trim_start_matches(|c: char| c.is_alphanumeric() || c == '.');
            behind.starts_with(marks)
        })
    })
}

/// A message, with all from its first backquote to its last as [`MASK`] if a piece of that may be a secret. The pieces are not
/// masked one by one: a password may hold backquotes itself, and then its pieces alone look harmless.
pub(super) fn masked(message: &str) -> String {
    let quoted = message.find('`').zip(message.rfind('`')).filter(|(first, last)| first < last);
    let (before, inside, behind) = match quoted {
        Some((first, last)) => (&message[..=first], &message[first + 1..last], &message[last..]),
        None => ("", message, ""),
    };
    let inside = if inside.split('`').any(looks_secret) { MASK.to_owned() } else { shown::text(inside) };
    let around = |text: &str| if looks_secret(text) { MASK.to_owned() } else { shown::text(text) };
    format!("{}{inside}{}", around(before), around(behind))
}

/// A value that is shown unless it holds a login.
pub(super) fn without_login(text: &str) -> &str {
    if holds_login(text) { MASK } else { text }
}

/// Whether a text can be the name of a field, so that it may be repeated.
pub(super) fn is_plain_name(text: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ');
    text.chars().all(fits) && text.chars().count() <= NAME_MAX
}

/// A field's name for a message.
pub(super) fn name_shown(text: &str) -> &str {
    if is_plain_name(text) { text } else { MASK }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_secret_is_masked_as_a_whole() {
        for text in [
            "postgres://ann:secret@host/db",
            "postgres:/ann:secret@host/db",
            "Server=h;User Id=sa;Password=a b\"c;Encrypt=true",
            "Pass_word = x",
            "PWD='a;b'",
            "postgres://host/db?pass%77ord=secret",
            "sasl.oauthbearer.client.secret: x",
            "AWS_SESSION_TOKEN:abc",
            "Server=h;x=y",
        ] {
            assert!(looks_secret(text), "{text}");
            assert_eq!(masked(&format!("`{text}` is wrong")), "`***` is wrong");
        }
        for text in ["sqlite:loans.db", "loan0_{date}.txt", "a = 1 AND b < 2", "the password", "LoanId", "{{ a }}"] {
            assert!(!looks_secret(text), "{text}");
        }
        assert_eq!(without_login("SELECT * FROM t WHERE a = @b"), "SELECT * FROM t WHERE a = @b");
        assert_eq!(without_login("SELECT f('x://a:b@c')"), MASK);
    }
}
