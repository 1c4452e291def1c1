//! Exact decimal numbers: as whole numbers with a scale, as their digits, and as text. No value passes through a float.

use std::borrow::Cow;
use std::fmt;

/// `unscaled / 10^scale`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Decimal {
    /// All digits as one whole number.
    pub unscaled: i128,
    /// How many of them stand behind the point, up to 38.
    pub scale: u8,
}

/// `i128` holds every number of 38 digits.
const MAX_DIGITS: i32 = 38;
/// `i64` holds every number of 18 digits.
const NARROW_DIGITS: u32 = 18;

impl Decimal {
    /// A whole number.
    pub fn whole(value: i64) -> Self {
        Self { unscaled: value.into(), scale: 0 }
    }

    /// Reads `-12.50`, `+3`, `.5` or `1.5e-7`, whatever an exact number looks like in ASCII. `None` for anything else, and
    /// for numbers of more than 38 digits.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        // The first digits go into half the width, which is twice as fast.
        let (mut narrow, mut unscaled) = (0_i64, 0_i128);
        let (mut digits, mut behind, mut point) = (0_u32, 0_i32, false);
        let mut exponent = 0_i32;
        for (at, byte) in text.iter().enumerate() {
            match byte {
                b'0'..=b'9' => {
                    // Negative numbers are built downwards, because there is one more of them.
                    let digit = i64::from(byte - b'0');
                    let digit = if negative { -digit } else { digit };
                    if digits < NARROW_DIGITS {
                        narrow = narrow * 10 + digit;
                    } else {
                        let before = if digits == NARROW_DIGITS { narrow.into() } else { unscaled };
                        unscaled = before.checked_mul(10)?.checked_add(digit.into())?;
                    }
                    digits += 1;
                    behind += i32::from(point);
                }
                b'.' if !point => point = true,
                b'e' | b'E' if digits > 0 => {
                    exponent = std::str::from_utf8(text.get(at + 1..)?).ok()?.parse().ok()?;
                    break;
                }
                _ => return None,
            }
        }
        if digits == 0 {
            return None;
        }
        if digits <= NARROW_DIGITS {
            unscaled = narrow.into();
        }
        if unscaled == 0 {
            return Some(Self { unscaled, scale: u8::try_from(behind.min(MAX_DIGITS)).ok()? });
        }
        let scale = behind.checked_sub(exponent)?;
        if scale < 0 {
            let factor = power(scale.unsigned_abs())?;
            return Some(Self { unscaled: unscaled.checked_mul(factor)?, scale: 0 });
        }
        let mut number = Self { unscaled, scale: u8::try_from(scale.min(MAX_DIGITS)).ok()? };
        for _ in MAX_DIGITS..scale {
            // More digits behind the point than there may be: fine as long as they are zeros.
            if number.unscaled % 10 != 0 {
                return None;
            }
            number.unscaled /= 10;
        }
        Some(number)
    }

    /// The unscaled number at another scale. `None` when digits would be lost or there is no room.
    pub fn at_scale(self, scale: u8) -> Option<i128> {
        if scale >= self.scale {
            return self.unscaled.checked_mul(power(u32::from(scale - self.scale))?);
        }
        let factor = power(u32::from(self.scale - scale))?;
        (self.unscaled % factor == 0).then(|| self.unscaled / factor)
    }

    /// Whether the unscaled number has at most `precision` digits.
    pub fn fits(unscaled: i128, precision: u8) -> bool {
        power(u32::from(precision)).is_none_or(|limit| unscaled.unsigned_abs() < limit.unsigned_abs())
    }
}

/// A power of ten, as far as `i128` goes.
pub fn power(exponent: u32) -> Option<i128> {
    10_i128.checked_pow(exponent)
}

impl fmt::Display for Decimal {
    /// `-12.50`: as many digits behind the point as the scale says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::new();
        push_scaled(&mut text, self.unscaled, self.scale);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

/// Appends an integer at a scale in plain notation: 1250 at scale 2 is `12.50`, 5 at scale 2 is `0.05`.
#[inline]
pub fn push_scaled(out: &mut Vec<u8>, value: i128, scale: u8) {
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

/// A number as its decimal digits: `-12.50` is negative, `12`, `50`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Digits<'a> {
    /// Whether a minus stands before it.
    pub negative: bool,
    /// ASCII digits before the point; may be empty or start with zeros.
    pub int: &'a [u8],
    /// ASCII digits behind the point.
    pub frac: &'a [u8],
}

impl<'a> Digits<'a> {
    /// Reads `12`, `-12.50`, `+.5`. No exponent, no blanks, at least one digit.
    pub fn parse(text: &'a [u8]) -> Option<Self> {
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
    pub fn scaled(&self) -> Option<(i128, u32)> {
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
pub fn without_commas(text: &str) -> Cow<'_, str> {
    let (int, frac) = text.split_once('.').unwrap_or((text, ""));
    let mut groups = int.trim_start_matches(['+', '-']).split(',');
    let first = groups.next().is_some_and(|group| (1..=3).contains(&group.len()));
    if text.contains(',') && first && groups.all(|group| group.len() == 3) && !frac.contains(',') {
        Cow::Owned(text.replace(',', ""))
    } else {
        Cow::Borrowed(text)
    }
}

/// Whether a text is a number in plain digits, or with commas between its thousands.
pub fn is_plain_number(text: &str) -> bool {
    Digits::parse(without_commas(text.trim()).as_bytes()).is_some()
}

/// Digits that a scaled 128-bit integer can have, with one zero before the point.
const SCALED_DIGITS: usize = 40;

/// The digits of an integer at a scale, as a [`Digits`] can borrow them.
pub struct ScaledDigits {
    digits: [u8; SCALED_DIGITS],
    /// Where the first digit stands.
    first: usize,
    /// Where the first fraction digit stands.
    point: usize,
    negative: bool,
}

impl ScaledDigits {
    /// `value` is the number times ten to the power of `scale`; `scale` is at most 38.
    pub fn new(value: i128, scale: u8) -> Self {
        let mut buffer = itoa::Buffer::new();
        let text = buffer.format(value.unsigned_abs()).as_bytes();
        let mut digits = [b'0'; SCALED_DIGITS];
        let point = SCALED_DIGITS - usize::from(scale).min(SCALED_DIGITS - 1);
        let start = SCALED_DIGITS - text.len().min(SCALED_DIGITS);
        digits[start..].copy_from_slice(text);
        Self { digits, first: start.min(point - 1), point, negative: value < 0 }
    }

    /// The digits.
    pub fn digits(&self) -> Digits<'_> {
        Digits { negative: self.negative, int: &self.digits[self.first..self.point], frac: &self.digits[self.point..] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_is_read_exactly_or_not_at_all() {
        let text = |text: &str| Decimal::parse(text.as_bytes()).map(|number| number.to_string());
        for (given, read) in [
            ("-12.50", "-12.50"),
            ("+3", "3"),
            (".5", "0.5"),
            ("5.", "5"),
            ("-0.07", "-0.07"),
            ("1.5e-7", "0.00000015"),
            ("1.5e3", "1500"),
            ("0e99", "0"),
            ("999999999999999999", "999999999999999999"),
            ("-12345678901234567.89", "-12345678901234567.89"),
            ("99999999999999999999999999999999999999", "99999999999999999999999999999999999999"),
            ("-0.9999999999999999999999999999999999999", "-0.9999999999999999999999999999999999999"),
        ] {
            assert_eq!(text(given).as_deref(), Some(read), "{given}");
        }
        for bad in ["", "-", ".", "1.2.3", "1e", "e5", "1,5", " 1", "0x1", "1e400", "inf", "1e-60"] {
            assert_eq!(text(bad), None, "{bad}");
        }
    }

    #[test]
    fn no_digit_is_lost_between_scales() {
        let number = Decimal::parse(b"12.50").unwrap();
        assert_eq!(number.at_scale(1), Some(125));
        assert_eq!(number.at_scale(0), None);
        assert_eq!(number.at_scale(4), Some(125_000));
        assert!(Decimal::fits(-999, 3) && !Decimal::fits(1000, 3) && Decimal::fits(i128::MAX, 39));
    }

    #[test]
    fn text_that_is_no_plain_number_is_refused() {
        for text in ["", "-", ".", "1e5", " 1", "1,000", "0x1", "--1", "1.2.3", "NaN"] {
            assert_eq!(Digits::parse(text.as_bytes()), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_scaled_integer_reads_back(value in any::<i128>(), scale in 0..=38_u8) {
            let mut out = Vec::new();
            push_scaled(&mut out, value, scale);
            let digits = Digits::parse(&out).unwrap();
            prop_assert_eq!(digits.scaled(), Some((value, u32::from(scale))));
            let scaled = ScaledDigits::new(value, scale);
            prop_assert_eq!(scaled.digits(), digits);
        }
    }
}
