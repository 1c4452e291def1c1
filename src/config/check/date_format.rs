//! Strftime formats in the one spelling that the receivers' table uses.

/// Whether a format is strftime's, and writes more than a time of the day.
pub(super) fn has_date(format: &str) -> bool {
    const OF_TIME: &[u8] = b"HIMSTRLfNpPkl%nt";
    let mut bytes = format.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            continue;
        }
        // Flags, widths and a point stand before the letter.
        let letter = bytes.by_ref().find(|byte| byte.is_ascii_alphabetic() || *byte == b'%');
        if letter.is_some_and(|letter| !OF_TIME.contains(&letter)) {
            return true;
        }
    }
    false
}

/// A format with short forms written out, without fractions of a second, and with `Z` for any offset behind it. Anything else as it is.
pub(super) fn canonical(format: &str) -> String {
    if !format.contains('%') {
        return format.to_owned();
    }
    let mut text = format.replace("%F", "%Y-%m-%d").replace("%T", "%H:%M:%S").replace("%R", "%H:%M");
    if let Some(at) = text.find("%S").map(|at| at + 2)
        && let Some(length) = fraction(&text[at..])
    {
        text.replace_range(at..at + length, "");
    }
    for offset in ["%:z", "%z"] {
        if let Some(local) = text.strip_suffix(offset) {
            text = format!("{}Z", local.trim_end());
        }
    }
    text
}

/// The length of a fraction's directive at the beginning: `%.f`, `%.3f`, `.%f`, `.%6f`.
fn fraction(text: &str) -> Option<usize> {
    let (start, rest) = match text.strip_prefix("%.") {
        Some(rest) => (2, rest),
        None => (2, text.strip_prefix(".%")?),
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    (rest.as_bytes().get(digits) == Some(&b'f')).then_some(start + digits + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_has_one_spelling() {
        for (format, spelling) in [
            ("%F %T", "%Y-%m-%d %H:%M:%S"),
            ("%FT%T%.f%:z", "%Y-%m-%dT%H:%M:%SZ"),
            ("%Y-%m-%d %H:%M:%S.%3f %z", "%Y-%m-%d %H:%M:%SZ"),
            ("%Y-%m-%dT%H:%M:%S%.6fZ", "%Y-%m-%dT%H:%M:%SZ"),
            ("%d.%m.%Y", "%d.%m.%Y"),
            ("plain", "plain"),
        ] {
            assert_eq!(canonical(format), spelling, "{format}");
        }
    }

    #[test]
    fn a_time_of_the_day_is_no_date() {
        for format in ["%H:%M", "%T%.3f", "%H%M%S", "at %H:%M:%S.%6f", "100%%"] {
            assert!(!has_date(format), "{format}");
        }
        for format in ["%d.%m.%Y", "%H:%M %d.%m.", "%-d/%m", "%s", "%F", "%j"] {
            assert!(has_date(format), "{format}");
        }
    }
}
