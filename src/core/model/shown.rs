//! Text from data, servers and people as others may see it: without control characters, on one line, and not too long. The one
//! way of such text to terminal, table, log, page, metric and audit trail.

use std::fmt::{self, Write as _};

/// Longest foreign text in an error, a log line or a table, in characters.
pub const TEXT_MAX: usize = 2000;

/// Longest value, key or name within a sentence, in characters.
pub const NAME_MAX: usize = 200;

/// Foreign text, shown harmlessly: at most [`TEXT_MAX`] characters of it.
pub fn text(text: &str) -> String {
    Shown(text, TEXT_MAX).to_string()
}

/// [`text`] of a text that is given away: itself where nothing is to be changed.
pub fn owned(text: String) -> String {
    let is_harmless = text.len() <= TEXT_MAX && !text.chars().any(is_harmful);
    if is_harmless { text } else { self::text(&text) }
}

/// A foreign value or name within a sentence: at most [`NAME_MAX`] characters of it.
pub fn name(text: &str) -> String {
    Shown(text, NAME_MAX).to_string()
}

/// The first `.1` characters of a foreign text, with what would move a cursor, turn the direction of writing or end a line as
/// an escape. What is cut off is said.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a>(pub &'a str, pub usize);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.0.char_indices().nth(self.1).map_or(self.0.len(), |(at, _)| at);
        self.0[..end].chars().try_for_each(|c| escape(c, f))?;
        if end < self.0.len() {
            write!(f, "… ({} bytes)", self.0.len())?;
        }
        Ok(())
    }
}

/// Escapes a text of several lines that is ours but holds foreign pieces. It is the last step before a stream. Line ends stay.
/// Colour stays too if `colour` says that we set it.
pub fn lines(text: &str, colour: bool) -> String {
    // Tabs part what we print; those of foreign pieces are escapes already.
    escaped(text, colour, |c| matches!(c, '\n' | '\t'))
}

/// The same of one line: it ends where it ends, whatever stands in it.
pub fn line(text: &str, colour: bool) -> String {
    escaped(text, colour, |_| false)
}

fn escaped(text: &str, colour: bool, stays: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = if colour { colour_length(rest) } else { 0 };
        if length > 0 {
            out.push_str(&rest[..length]);
            rest = &rest[length..];
            continue;
        }
        if stays(c) {
            out.push(c);
        } else {
            // Writing into a string cannot fail.
            let _ = escape(c, &mut out);
        }
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// JSON whose texts hold no such character as it is: each as `\u202e`. It reads as the same value.
pub fn json(json: &str) -> String {
    if !json.chars().any(is_harmful) {
        return json.to_owned();
    }
    let mut out = String::with_capacity(json.len() + 16);
    let mut units = [0; 2];
    for c in json.chars() {
        // A serializer has escaped the others of ASCII; what is left of them stands between values.
        if is_harmful(c) && !c.is_ascii_whitespace() {
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// Whether a character does something else than stand for itself.
pub fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Soft hyphen, Arabic letter mark, Mongolian vowel separator, zero width.
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            // Line and paragraph separators, directions, invisible operators, isolates.
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            // Byte order mark, annotations, tags, and what is no character.
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e0fff}')
}

fn escape(c: char, out: &mut impl fmt::Write) -> fmt::Result {
    match c {
        '\n' => out.write_str("\\n"),
        '\r' => out.write_str("\\r"),
        '\t' => out.write_str("\\t"),
        c if is_harmful(c) => write!(out, "\\u{{{:x}}}", u32::from(c)),
        c => out.write_char(c),
    }
}

/// How long the sequence is that sets a colour here: `ESC [`, digits and semicolons, `m`. 0 when there is none.
fn colour_length(text: &str) -> usize {
    let Some(digits) = text.strip_prefix("\x1b[") else { return 0 };
    let end = digits.find(|c: char| !c.is_ascii_digit() && c != ';');
    end.filter(|end| digits[*end..].starts_with('m')).map_or(0, |end| end + 3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_moves_a_cursor_or_turns_a_line_is_an_escape() {
        for (foreign, shown) in [
            ("plain é 漢 🙂", "plain é 漢 🙂"),
            ("\x1b[2J\x07", "\\u{1b}[2J\\u{7}"),
            ("a\r\nb\tc", "a\\r\\nb\\tc"),
            ("\u{202e}evil\u{2066}\u{2028}", "\\u{202e}evil\\u{2066}\\u{2028}"),
            ("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}"),
        ] {
            assert_eq!(text(foreign), shown);
        }
        let long = "x".repeat(1 << 20);
        assert_eq!(text(&long), format!("{}… (1048576 bytes)", "x".repeat(TEXT_MAX)));
        assert_eq!(name(&"é".repeat(300)), format!("{}… (600 bytes)", "é".repeat(NAME_MAX)));
    }

    #[test]
    fn our_own_colour_and_lines_stay() {
        assert_eq!(lines("\x1b[1;31merror:\x1b[0m a\nb\x1b[2J", true), "\x1b[1;31merror:\x1b[0m a\nb\\u{1b}[2J");
        assert_eq!(lines("\x1b[31ma\r", false), "\\u{1b}[31ma\\r");
        assert_eq!(line("\x1b[31ma\nb\tc\x1b[2J", true), "\x1b[31ma\\nb\\tc\\u{1b}[2J");
    }

    proptest! {
        #[test]
        fn json_reads_back_and_holds_nothing_harmful(text in any::<String>()) {
            let written = json(&serde_json::to_string(&text).unwrap());
            prop_assert!(!written.chars().any(is_harmful), "{written}");
            prop_assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
        }

        #[test]
        fn nothing_harmful_is_shown(foreign in any::<String>()) {
            prop_assert!(!text(&foreign).chars().any(is_harmful));
            prop_assert!(!lines(&foreign, true).replace("\x1b[", "").chars().any(|c| is_harmful(c) && c != '\n'));
        }
    }
}
