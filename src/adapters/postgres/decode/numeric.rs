//! PostgreSQL's `numeric` on the wire: base-10000 digits, exactly into a scaled integer or text.

use std::fmt::Write;

/// Ten thousand to the power of the group's place; digits are groups of four.
const BASE: i128 = 10_000;

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const MINUS_INFINITY: u16 = 0xF000;

/// A number as the server sends it (`numeric_send`): groups of four digits, the first worth `10000^weight`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numeric<'a> {
    weight: i16,
    sign: u16,
    /// Fraction digits shown.
    scale: u16,
    groups: &'a [u8],
}

impl<'a> Numeric<'a> {
    /// Reads the eight bytes of head and the groups behind it; none when they do not fit together.
    pub(super) fn read(wire: &'a [u8]) -> Option<Self> {
        let (head, groups) = wire.split_at_checked(8)?;
        let half = |at: usize| Some(u16::from_be_bytes([*head.get(at)?, *head.get(at + 1)?]));
        let count = usize::from(half(0)?);
        let weight = half(2)?.cast_signed();
        let number = Self { weight, sign: half(4)?, scale: half(6)?, groups };
        (groups.len() == count * 2 && number.groups().all(|group| group < 10_000)).then_some(number)
    }

    /// The word for what is no number; none for a number.
    pub(super) fn special(self) -> Option<&'static str> {
        match self.sign {
            NAN => Some("NaN"),
            INFINITY => Some("Infinity"),
            MINUS_INFINITY => Some("-Infinity"),
            _ => None,
        }
    }

    fn groups(self) -> impl Iterator<Item = u16> {
        self.groups.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
    }

    /// The value times `10^scale`; none when it has more digits behind the point than that, or does not fit.
    pub(super) fn scaled(self, scale: u8) -> Option<i128> {
        let mut value: i128 = 0;
        // Power of ten of the last digit of the group at hand, once the value is scaled.
        let mut power = (i32::from(self.weight) + 1) * 4 + i32::from(scale);
        for group in self.groups() {
            power -= 4;
            let group = i128::from(group);
            if power >= 0 {
                value = value.checked_mul(BASE)?.checked_add(group)?;
                continue;
            }
            // The group reaches behind the last digit kept: what would be cut off must be zero.
            let kept = 10_i128.pow(u32::try_from((power + 4).max(0)).ok()?);
            let cut = BASE / kept;
            if group % cut != 0 {
                return None;
            }
            value = value.checked_mul(kept)?.checked_add(group / cut)?;
        }
        let zeros = u32::try_from(power.max(0)).ok()?;
        if value != 0 {
            value = value.checked_mul(10_i128.checked_pow(zeros)?)?;
        }
        Some(if self.sign == NEGATIVE { -value } else { value })
    }

    /// Appends the server's own text form, with all its fraction digits.
    pub(super) fn write(self, text: &mut String) {
        if let Some(word) = self.special() {
            text.push_str(word);
            return;
        }
        if self.sign == NEGATIVE {
            text.push('-');
        }
        let mut groups = self.groups();
        if self.weight < 0 {
            text.push('0');
        }
        for place in 0..=i32::from(self.weight) {
            let group = groups.next().unwrap_or(0);
            // Writing to a string cannot fail.
            let _ = if place == 0 { write!(text, "{group}") } else { write!(text, "{group:04}") };
        }
        if self.scale == 0 {
            return;
        }
        text.push('.');
        let whole = text.len();
        for _ in i32::from(self.weight)..-1 {
            text.push_str("0000");
        }
        while text.len() - whole < usize::from(self.scale) {
            let _ = write!(text, "{:04}", groups.next().unwrap_or(0));
        }
        text.truncate(whole + usize::from(self.scale));
    }

    /// Whether both are the same number, however many zeros each shows behind its point.
    pub(super) fn equals(self, other: Self) -> bool {
        self.weight == other.weight && self.sign == other.sign && self.groups == other.groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(weight: i16, sign: u16, scale: u16, groups: &[u16]) -> Vec<u8> {
        let count = u16::try_from(groups.len()).unwrap();
        let head = [count, weight.cast_unsigned(), sign, scale];
        head.iter().chain(groups).flat_map(|half| half.to_be_bytes()).collect()
    }

    fn text(wire: &[u8]) -> String {
        let mut text = String::new();
        Numeric::read(wire).unwrap().write(&mut text);
        text
    }

    #[test]
    fn text_has_every_digit_the_server_would_show() {
        assert_eq!(text(&wire(0, 0, 0, &[])), "0");
        assert_eq!(text(&wire(0, 0, 3, &[])), "0.000");
        assert_eq!(text(&wire(1, 0, 2, &[1, 2345, 6700])), "12345.67");
        assert_eq!(text(&wire(-1, NEGATIVE, 4, &[1])), "-0.0001");
        assert_eq!(text(&wire(-2, 0, 6, &[1200])), "0.000012");
        assert_eq!(text(&wire(-3, 0, 10, &[1200])), "0.0000000012");
        assert_eq!(text(&wire(2, 0, 0, &[1])), "100000000");
        assert_eq!(text(&wire(0, NAN, 0, &[])), "NaN");
    }

    #[test]
    fn a_scaled_value_is_exact_or_none() {
        let scaled = |bytes: &[u8], scale| Numeric::read(bytes).unwrap().scaled(scale);
        assert_eq!(scaled(&wire(1, 0, 2, &[1, 2345, 6700]), 2), Some(1_234_567));
        assert_eq!(scaled(&wire(1, 0, 2, &[1, 2345, 6700]), 4), Some(123_456_700));
        assert_eq!(scaled(&wire(1, 0, 2, &[1, 2345, 6700]), 1), None);
        assert_eq!(scaled(&wire(2, NEGATIVE, 0, &[1]), 0), Some(-100_000_000));
        assert_eq!(scaled(&wire(-2, 0, 6, &[1200]), 6), Some(12));
        assert_eq!(scaled(&wire(-2, 0, 8, &[12]), 8), Some(12));
        assert_eq!(scaled(&wire(-3, 0, 12, &[12]), 4), None);
        assert_eq!(scaled(&wire(0, 0, 2, &[]), 2), Some(0));
        // 38 nines with one fraction digit: the last group holds three digits too many for 128 bits.
        let mut groups = vec![9];
        groups.extend([9999; 9]);
        groups.push(9000);
        assert_eq!(scaled(&wire(9, 0, 1, &groups), 1), Some(10_i128.pow(38) - 1));
        assert_eq!(scaled(&wire(20, 0, 0, &[1]), 0), None);
    }

    #[test]
    fn what_does_not_fit_together_is_no_number() {
        assert!(Numeric::read(&[0; 7]).is_none());
        assert!(Numeric::read(&wire(0, 0, 0, &[10_000])).is_none());
        let mut short = wire(0, 0, 0, &[1, 2]);
        short.pop();
        assert!(Numeric::read(&short).is_none());
    }
}
