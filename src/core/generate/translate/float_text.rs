//! The text of floats: the shortest that reads back as the same value, in plain notation; and texts with a decimal comma.

use crate::core::generate::spec::DecimalSign;
use crate::core::model::decimal::Digits;
use std::borrow::Cow;

/// Characters of the longest double in plain notation: sign, `0.`, 323 zeros, 17 digits; rounded up.
const FLOAT_CHARS: usize = 352;

/// Gives `use_text` a float's shortest text that reads back as the same value, in plain notation: `0.1`, `2.0`,
/// `1000.0`. `None` for NaN and the infinities.
#[inline]
pub(super) fn with_float_text<F: zmij::Float + Into<f64> + Copy, R>(
    value: F,
    use_text: impl FnOnce(&[u8]) -> R,
) -> Option<R> {
    let double: f64 = value.into();
    if double.abs() < EXACT_WHOLE && double.fract() == 0.0 && !(double == 0.0 && double.is_sign_negative()) {
        return Some(with_whole_text(double, use_text));
    }
    if !double.is_finite() {
        return None;
    }
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value).as_bytes();
    match text.iter().position(|byte| *byte == b'e') {
        None => Some(use_text(text)),
        Some(at) => {
            let mut plain = [0; FLOAT_CHARS];
            let length = expand(&text[..at], &text[at + 1..], &mut plain)?;
            plain.get(..length).map(use_text)
        }
    }
}

/// Every whole number below this is exact in both widths of float, and its digits are its shortest text.
const EXACT_WHOLE: f64 = 16_777_216.0;

/// Whole floats are common (counts and amounts kept as doubles), and as integers several times faster to write.
#[inline]
fn with_whole_text<R>(value: f64, use_text: impl FnOnce(&[u8]) -> R) -> R {
    #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^24")]
    let whole = value as i32;
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(whole).as_bytes();
    let mut text = [0; 16];
    let end = digits.len();
    text[..end].copy_from_slice(digits);
    text[end..end + 2].copy_from_slice(b".0");
    use_text(&text[..end + 2])
}

/// Why a float that is no finite number is not written: one rule for floats and decimals, in every file.
pub(super) fn no_number(value: f64) -> String {
    format!(
        "holds \"{}\", which is no number that a file can hold; give NULL or a text for it in the view",
        not_finite(value)
    )
}

/// The words for NaN and the infinities.
pub(super) fn not_finite(value: f64) -> &'static str {
    match value {
        _ if value.is_nan() => "NaN",
        _ if value > 0.0 => "Infinity",
        _ => "-Infinity",
    }
}

/// Writes `1.5` and `-7` as `0.00000015`; gives the length.
fn expand(mantissa: &[u8], exponent: &[u8], to: &mut [u8; FLOAT_CHARS]) -> Option<usize> {
    let exponent: i32 = std::str::from_utf8(exponent).ok()?.parse().ok()?;
    let Digits { negative, int, frac } = Digits::parse(mantissa)?;
    let frac = if frac == b"0" { &[] } else { frac };
    let digits = || int.iter().chain(frac).copied();
    let count = int.len() + frac.len();
    // Where the point stands, counted from the first digit.
    let point = i32::try_from(int.len()).ok()?.checked_add(exponent)?;
    let mut place = to.iter_mut();
    let mut length = 0;
    let mut put = |byte: u8| {
        let free = place.next()?;
        *free = byte;
        length += 1;
        Some(())
    };
    if negative {
        put(b'-')?;
    }
    if point <= 0 {
        put(b'0')?;
        put(b'.')?;
        for _ in point..0 {
            put(b'0')?;
        }
        digits().try_for_each(&mut put)?;
    } else {
        let point = usize::try_from(point).ok()?;
        for at in 0..point.max(count) {
            if at == point {
                put(b'.')?;
            }
            put(digits().nth(at).unwrap_or(b'0'))?;
        }
        if point >= count {
            put(b'.')?;
            put(b'0')?;
        }
    }
    Some(length)
}

/// A number as it is written where the decimal sign is a point.
pub(super) fn with_point(text: &str, decimal: DecimalSign) -> Cow<'_, str> {
    let swapped = |char| match char {
        '.' => ',',
        ',' => '.',
        other => other,
    };
    match decimal {
        DecimalSign::Point => Cow::Borrowed(text),
        DecimalSign::Comma => Cow::Owned(text.chars().map(swapped).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn float(value: f64) -> Option<String> {
        with_float_text(value, |text| String::from_utf8(text.to_vec()).unwrap())
    }

    #[test]
    fn floats_have_no_exponent() {
        for (value, text) in [
            (2.0, "2.0"),
            (0.1, "0.1"),
            (-0.0, "-0.0"),
            (0.0, "0.0"),
            (-16_777_215.0, "-16777215.0"),
            (16_777_217.0, "16777217.0"),
            (1e21, "1000000000000000000000.0"),
            (1.5e-7, "0.00000015"),
            (123_456_789_012_345_680_000.0, "123456789012345680000.0"),
        ] {
            assert_eq!(float(value).as_deref(), Some(text));
        }
        assert_eq!(float(5e-324).map(|text| text.len()), Some(326));
        assert_eq!(float(f64::MIN).map(|text| text.len()), Some(312));
        assert_eq!((float(f64::NAN), float(f64::INFINITY)), (None, None));
        assert_eq!(with_float_text(0.1_f32, <[u8]>::to_vec), Some(b"0.1".to_vec()));
    }

    proptest! {
        #[test]
        fn every_float_reads_back_from_its_plain_text(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            let text = float(value).unwrap();
            prop_assert!(Digits::parse(text.as_bytes()).is_some(), "{}", text);
            prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), bits);
        }
    }
}
