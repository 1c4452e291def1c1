//! Exact decimal numbers as their digits: from text, from scaled integers, from floats. Never computed as floats.

use crate::core::generate::spec::DecimalSign;
use std::borrow::Cow;

/// A number as its decimal digits: `-12.50` is negative, `12`, `50`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Decimal<'a> {
    /// Whether a minus stands before it.
    pub(super) negative: bool,
    /// ASCII digits before the point; may be empty or start with zeros.
    pub(super) int: &'a [u8],
    /// ASCII digits behind the point.
    pub(super) frac: &'a [u8],
}

impl<'a> Decimal<'a> {
    /// Reads `12`, `-12.50`, `+.5`. No exponent, no blanks, at least one digit.
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        let (negative, digits) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            all => (false, all),
        };
        let point = digits.iter().position(|byte| *byte == b'.');
        let (int, frac) = match point {
            Some(at) => (&digits[..at], &digits[at + 1..]),
            None => (digits, &digits[..0]),
        };
        let is_number = int.len() + frac.len() > 0 && int.iter().chain(frac).all(u8::is_ascii_digit);
        is_number.then_some(Self { negative, int, frac })
    }

    /// The number as an integer at its own scale: `12.50` is 1250 at scale 2. `None` beyond what 128 bits hold.
    pub(super) fn scaled(&self) -> Option<(i128, u32)> {
        let mut value = 0_i128;
        for digit in self.int.iter().chain(self.frac) {
            let digit = i128::from(digit - b'0');
            value = value.checked_mul(10)?;
            value = if self.negative { value.checked_sub(digit)? } else { value.checked_add(digit)? };
        }
        Some((value, u32::try_from(self.frac.len()).ok()?))
    }
}

/// A number without the commas between its thousands. Unchanged where one stands elsewhere.
pub(super) fn without_commas(text: &str) -> Cow<'_, str> {
    let (int, frac) = text.split_once('.').unwrap_or((text, ""));
    let mut groups = int.trim_start_matches(['+', '-']).split(',');
    let first = groups.next().is_some_and(|group| (1..=3).contains(&group.len()));
    if text.contains(',') && first && groups.all(|group| group.len() == 3) && !frac.contains(',') {
        Cow::Owned(text.replace(',', ""))
    } else {
        Cow::Borrowed(text)
    }
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

/// Whether a text is a number in plain digits, or with commas between its thousands.
pub(super) fn is_plain_number(text: &str) -> bool {
    Decimal::parse(without_commas(text.trim()).as_bytes()).is_some()
}

/// Digits that a scaled 128-bit integer can have, with one zero before the point.
const SCALED_DIGITS: usize = 40;

/// The digits of an integer at a scale, as a [`Decimal`] can borrow them.
pub(super) struct Scaled {
    digits: [u8; SCALED_DIGITS],
    /// Where the first digit stands.
    first: usize,
    /// Where the first fraction digit stands.
    point: usize,
    negative: bool,
}

impl Scaled {
    /// `value` is the number times ten to the power of `scale`; `scale` is at most 38.
    pub(super) fn new(value: i128, scale: u8) -> Self {
        let mut buffer = itoa::Buffer::new();
        let text = buffer.format(value.unsigned_abs()).as_bytes();
        let mut digits = [b'0'; SCALED_DIGITS];
        let point = SCALED_DIGITS - usize::from(scale).min(SCALED_DIGITS - 1);
        let start = SCALED_DIGITS - text.len().min(SCALED_DIGITS);
        digits[start..].copy_from_slice(text);
        Self { digits, first: start.min(point - 1), point, negative: value < 0 }
    }

    /// The digits.
    pub(super) fn decimal(&self) -> Decimal<'_> {
        Decimal { negative: self.negative, int: &self.digits[self.first..self.point], frac: &self.digits[self.point..] }
    }
}

/// Appends an integer at a scale in plain notation: 1250 at scale 2 is `12.50`, 5 at scale 2 is `0.05`.
#[inline]
pub(super) fn push_scaled(out: &mut Vec<u8>, value: i128, scale: u8) {
    let mut buffer = itoa::Buffer::new();
    let magnitude = value.unsigned_abs();
    // Amounts fit 64 bits, whose division is several times faster.
    let text = match u64::try_from(magnitude) {
        Ok(small) => buffer.format(small),
        Err(_) => buffer.format(magnitude),
    }
    .as_bytes();
    if value < 0 {
        out.push(b'-');
    }
    let scale = usize::from(scale);
    if scale == 0 {
        out.extend_from_slice(text);
    } else if let Some(int) = text.len().checked_sub(scale).filter(|int| *int > 0) {
        out.extend_from_slice(&text[..int]);
        out.push(b'.');
        out.extend_from_slice(&text[int..]);
    } else {
        out.extend_from_slice(b"0.");
        out.resize(out.len() + (scale - text.len()), b'0');
        out.extend_from_slice(text);
    }
}

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
    let Decimal { negative, int, frac } = Decimal::parse(mantissa)?;
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

    #[test]
    fn text_that_is_no_plain_number_is_refused() {
        for text in ["", "-", ".", "1e5", " 1", "1,000", "0x1", "--1", "1.2.3", "NaN"] {
            assert_eq!(Decimal::parse(text.as_bytes()), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_float_reads_back_from_its_plain_text(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            let text = float(value).unwrap();
            prop_assert!(Decimal::parse(text.as_bytes()).is_some(), "{}", text);
            prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), bits);
        }

        #[test]
        fn a_scaled_integer_reads_back(value in any::<i128>(), scale in 0..=38_u8) {
            let mut out = Vec::new();
            push_scaled(&mut out, value, scale);
            let decimal = Decimal::parse(&out).unwrap();
            prop_assert_eq!(decimal.scaled(), Some((value, u32::from(scale))));
            let scaled = Scaled::new(value, scale);
            prop_assert_eq!(scaled.decimal(), decimal);
        }
    }
}
