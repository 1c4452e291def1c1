//! Exact decimal numbers between text and whole numbers with a scale. No value passes through a float.

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

    /// The exact sum, with the larger scale of the two. `None` when there is no room.
    pub fn plus(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        Some(Self { unscaled: self.at_scale(scale)?.checked_add(other.at_scale(scale)?)?, scale })
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
        let scale = usize::from(self.scale);
        let digits = format!("{:0width$}", self.unscaled.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let sign = if self.unscaled < 0 { "-" } else { "" };
        if fraction.is_empty() { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{fraction}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(number.plus(Decimal::whole(-13)).unwrap().to_string(), "-0.50");
        assert!(Decimal::fits(-999, 3) && !Decimal::fits(1000, 3) && Decimal::fits(i128::MAX, 39));
    }
}
