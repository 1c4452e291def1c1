//! Marks between values and records, as people write them: `tab`, `crlf`, `\t`, `U+001F`. A text that looks like a name or an escape
//! means what it says, or is refused. So letters are never a mark by accident.

/// Names of marks, in lower case.
const NAMES: [(&str, &str); 9] = [
    ("lf", "\n"),
    ("unix", "\n"),
    ("crlf", "\r\n"),
    ("windows", "\r\n"),
    ("dos", "\r\n"),
    ("cr", "\r"),
    ("nel", "\u{85}"),
    ("tab", "\t"),
    ("none", ""),
];

/// What ends a record; empty for `none`.
///
/// # Errors
/// Why the text cannot be meant.
pub(super) fn line_end(text: &str) -> Result<String, String> {
    match mark(text)? {
        tab if tab == "\t" => Err("a tab ends no record".to_owned()),
        end if end.is_empty() && !text.eq_ignore_ascii_case("none") => {
            Err("records without line ends are `none`".to_owned())
        }
        end => Ok(end),
    }
}

/// What stands between values.
///
/// # Errors
/// Why the text cannot be meant.
pub(super) fn delimiter(text: &str) -> Result<String, String> {
    match mark(text)? {
        none if none.is_empty() => Err("values could not be told apart".to_owned()),
        mark => Ok(mark),
    }
}

/// A mark as [`line_end`] and [`delimiter`] read it back.
pub(super) fn write(mark: &str) -> String {
    let named = |(_, known): &&(&str, &str)| *known == mark;
    match NAMES.iter().find(named) {
        Some((name, _)) => (*name).to_owned(),
        // One alone is itself.
        None if mark == "\\" => mark.to_owned(),
        None => mark.replace('\\', "\\\\"),
    }
}

fn mark(text: &str) -> Result<String, String> {
    if let Some((_, mark)) = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
        return Ok((*mark).to_owned());
    }
    if let Some(points) = code_points(text) {
        return points;
    }
    if text == "\\" {
        return Ok(text.to_owned());
    }
    let mark = unescaped(text)?;
    let letters = mark.chars().count() > 1 && mark.chars().all(|char| char.is_ascii_alphanumeric());
    if letters {
        return Err(format!(
            "`{}` would be these letters themselves; write `lf`, `crlf`, `cr`, `tab`, a code point as in `U+001F`, or signs",
            mark.escape_debug()
        ));
    }
    Ok(mark)
}

/// Code points as `U+000D U+000A` or `0x1F`. `None` for a text that does not begin as one.
fn code_points(text: &str) -> Option<Result<String, String>> {
    let parts = || text.split([' ', ',']).filter(|part| !part.is_empty());
    let digits =
        |part: &str| ["U+", "u+", "0x", "0X"].iter().find_map(|prefix| part.strip_prefix(prefix)).map(str::to_owned);
    parts().next().and_then(digits)?;
    let point = |part: &str| {
        let code = digits(part).and_then(|digits| u32::from_str_radix(&digits, 16).ok());
        code.and_then(char::from_u32)
            .ok_or_else(|| format!("`{}` is no code point such as `U+001F`", part.escape_debug()))
    };
    Some(parts().map(point).collect())
}

/// A text whose escapes stand for characters: `\t`, `\x1f`, `\u001f`, `\\`.
fn unescaped(text: &str) -> Result<String, String> {
    let mut mark = String::new();
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            mark.push(char);
            continue;
        }
        let escape = chars.next();
        let mut code = |digits: usize| {
            let hex: String = chars.by_ref().take(digits).collect();
            let whole = hex.len() == digits && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
            whole.then(|| u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32)).flatten()
        };
        let meant = match escape {
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('\\') => Some('\\'),
            Some('x') => code(2),
            Some('u') => code(4),
            _ => None,
        };
        let refused = || {
            format!(
                "`\\{}` is no escape; there are `\\n`, `\\r`, `\\t`, `\\x1f`, `\\u001f` and `\\\\`",
                escape.unwrap_or(' ')
            )
        };
        mark.push(meant.ok_or_else(refused)?);
    }
    Ok(mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_escapes_mean_what_people_mean() {
        for (text, mark) in [
            ("lf", "\n"),
            ("CRLF", "\r\n"),
            ("crlf", "\r\n"),
            ("CR", "\r"),
            ("unix", "\n"),
            ("\\r\\n", "\r\n"),
            ("\\n", "\n"),
            ("\n", "\n"),
            ("nel", "\u{85}"),
            ("U+0085", "\u{85}"),
            ("U+000D U+000A", "\r\n"),
            ("none", ""),
            ("~\\n", "~\n"),
            ("'", "'"),
        ] {
            assert_eq!(line_end(text).as_deref(), Ok(mark), "{text:?}");
        }
        for (text, mark) in [
            ("tab", "\t"),
            ("TAB", "\t"),
            ("\\t", "\t"),
            ("\t", "\t"),
            ("U+001F", "\u{1f}"),
            ("0x1f", "\u{1f}"),
            ("\\x1f", "\u{1f}"),
            ("\\u001F", "\u{1f}"),
            ("|", "|"),
            ("||", "||"),
            ("\\", "\\"),
            ("\\\\", "\\"),
            ("þ", "þ"),
            ("x", "x"),
            ("<>", "<>"),
        ] {
            assert_eq!(delimiter(text).as_deref(), Ok(mark), "{text:?}");
        }
    }

    #[test]
    fn letters_are_never_a_mark_by_accident() {
        for text in ["EOL", "newline", "x1f", "CRCR", "\\q", "a\\", "\\x1", "\\xzz", "U+", "U+110000", "0x"] {
            assert!(line_end(text).is_err(), "{text:?}");
            assert!(delimiter(text).is_err(), "{text:?}");
        }
        assert!(line_end("").is_err() && line_end("tab").is_err());
        assert!(delimiter("").is_err() && delimiter("none").is_err());
    }

    #[test]
    fn what_is_written_reads_back() {
        for mark in ["\n", "\r\n", "\r", "\u{85}", "|", "\\", "\\\\", "\\n", "a\\", "~\n", "\u{1f}"] {
            assert_eq!(line_end(&write(mark)).as_deref(), Ok(mark), "{mark:?}");
            assert_eq!(delimiter(&write(mark)).as_deref(), Ok(mark), "{mark:?}");
        }
        assert_eq!(line_end(&write("")).as_deref(), Ok(""));
        assert_eq!(delimiter(&write("\t")).as_deref(), Ok("\t"));
    }
}
