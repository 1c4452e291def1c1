//! Amounts in sentences for people.

use std::time::Duration;

/// `1,010,328`.
pub fn thousands(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 page`, `1,010,328 pages`: for words whose plural ends in `s`.
pub fn counted(value: u64, what: &str) -> String {
    let plural = if value == 1 { "" } else { "s" };
    format!("{} {what}{plural}", thousands(value))
}

/// A span in whole seconds: `7 s`, `4m 07s`, `2h 05m`, `3d 04h`.
pub fn whole_span(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h {:02}m", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{}d {:02}h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_a_comma_between_thousands_and_words_a_plural() {
        assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0, 1, 1000].map(|n| counted(n, "page")), ["0 pages", "1 page", "1,000 pages"]);
    }

    #[test]
    fn a_span_has_its_two_largest_units() {
        let spans = [7, 247, 7_500, 273_600].map(|seconds| whole_span(Duration::from_secs(seconds)));
        assert_eq!(spans, ["7 s", "4m 07s", "2h 05m", "3d 04h"]);
    }
}
