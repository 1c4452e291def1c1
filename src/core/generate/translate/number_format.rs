//! A number's format: `0.00`, `#,##0.00`, `+0000`. Works on decimal digits, so nothing is ever off by a float.
//!
//! | part | means |
//! | --- | --- |
//! | `0`, `9` | a digit, always written; before the point it pads with zeros |
//! | `#` | a digit, written when there is one |
//! | `,` | thousands are set apart by commas |
//! | `.` | the point; `V` in its place counts places but writes nothing (an implied point) |
//! | `+` | the sign, always written; first or last |
//! | `-` | the sign, written when negative (as without it); first or last |
//!
//! What does not fit behind the point is rounded half away from zero, as SQL's ROUND does. Digits before the point are
//! never lost.

use crate::core::model::decimal::Digits;

/// A parsed number format.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct NumberFormat {
    /// Digits before the point, at least.
    int_min: usize,
    grouped: bool,
    /// Digits behind the point, at least and at most.
    frac_min: usize,
    frac_max: usize,
    point: Point,
    /// A plus is written too.
    plus: bool,
    sign_last: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Point {
    Written,
    Implied,
}

/// More places than any number here has digits.
const PLACES_MAX: usize = 60;

impl NumberFormat {
    /// Whether a format is meant for numbers at all.
    pub(super) fn is_one(format: &str) -> bool {
        format.bytes().all(|byte| b"09#,.+-V".contains(&byte)) && format.bytes().any(|byte| b"09#".contains(&byte))
    }

    /// Parses a format.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(super) fn parse(format: &str) -> Result<Self, String> {
        let refuse = |why: &str| Err(format!("number format `{format}` {why}"));
        let (plus, sign_last, body) = match format.as_bytes() {
            [b'+', body @ ..] => (true, false, body),
            [b'-', body @ ..] => (false, false, body),
            [body @ .., b'+'] => (true, true, body),
            [body @ .., b'-'] => (false, true, body),
            body => (false, false, body),
        };
        let point_at = body.iter().position(|byte| matches!(byte, b'.' | b'V'));
        let (int, frac, point) = match point_at {
            Some(at) => (&body[..at], &body[at + 1..], if body[at] == b'V' { Point::Implied } else { Point::Written }),
            None => (body, &body[..0], Point::Written),
        };
        let Some((int_min, int_all)) = places(int.iter().rev().filter(|byte| **byte != b',')) else {
            return refuse("must have its `0`s behind its `#`s before the point, as in `#,##0`");
        };
        let Some((frac_min, frac_max)) = places(frac.iter()) else {
            return refuse("must have its `0`s before its `#`s behind the point, as in `0.00##`");
        };
        if int_all + frac_max == 0 {
            return refuse("has no digit; write `0` or `#` for each");
        }
        if int_all + frac_max > PLACES_MAX {
            return refuse("has more than 60 places");
        }
        if point == Point::Implied && frac_min != frac_max {
            return refuse("must have only `0`s behind an implied point, or the value could not be told");
        }
        let groups = int.split(|byte| *byte == b',');
        if groups.clone().next().is_some_and(<[u8]>::is_empty) && int.contains(&b',')
            || groups.skip(1).any(|group| group.len() != 3)
        {
            return refuse("must have three digits behind each comma, as in `#,##0`");
        }
        Ok(Self { int_min, grouped: int.contains(&b','), frac_min, frac_max, point, plus, sign_last })
    }

    /// Whether a comma can stand in the text.
    pub(super) fn is_grouped(&self) -> bool {
        self.grouped
    }

    /// Digits behind the point that every number has.
    pub(super) fn scale_min(&self) -> u32 {
        u32::try_from(self.frac_min).unwrap_or_default()
    }

    /// Whether numbers with so many digits behind the point keep them, no more and no less.
    pub(super) fn keeps(&self, scale: u32) -> bool {
        let scale = usize::try_from(scale).unwrap_or(usize::MAX);
        self.frac_min == scale && self.frac_max >= scale
    }

    /// Digits behind a point that is not written.
    pub(super) fn implied_scale(&self) -> Option<u32> {
        (self.point == Point::Implied).then(|| self.scale_min())
    }

    /// The number that [`push`](Self::push) writes, as an integer at a scale. `None` beyond what 128 bits hold.
    pub(super) fn rounded(&self, number: Digits<'_>) -> Option<(i128, u32)> {
        let kept = &number.frac[..number.frac.len().min(self.frac_max)];
        let (value, scale) = Digits { frac: kept, ..number }.scaled()?;
        let up = number.frac.get(self.frac_max).is_some_and(|digit| *digit >= b'5');
        let step = if number.negative { -1 } else { 1 };
        Some(self.trimmed(if up { value.checked_add(step)? } else { value }, scale))
    }

    /// As [`rounded`](Self::rounded), for a number that is already an integer at a scale.
    pub(super) fn rounded_scaled(&self, value: i128, scale: u32) -> Option<(i128, u32)> {
        let places = u32::try_from(self.frac_max).ok()?;
        let Some(surplus) = scale.checked_sub(places).filter(|surplus| *surplus > 0) else {
            return Some(self.trimmed(value, scale));
        };
        let unit = 10_i128.checked_pow(surplus)?;
        let (whole, rest) = (value / unit, value % unit);
        // Not doubled: that could outgrow 128 bits.
        let up = rest.unsigned_abs() >= unit.unsigned_abs() / 2;
        Some(self.trimmed(if up { whole + value.signum() } else { whole }, places))
    }

    /// Takes away zeros that the format does not write.
    fn trimmed(&self, mut value: i128, mut scale: u32) -> (i128, u32) {
        while scale > self.scale_min() && value % 10 == 0 {
            value /= 10;
            scale -= 1;
        }
        (value, scale)
    }

    /// Appends the number in this format.
    pub(super) fn push(&self, number: Digits<'_>, out: &mut Vec<u8>) {
        let int = number.int.iter().position(|digit| *digit != b'0').map_or(&[][..], |first| &number.int[first..]);
        let kept = &number.frac[..number.frac.len().min(self.frac_max)];
        let round_up = number.frac.get(self.frac_max).is_some_and(|digit| *digit >= b'5');
        let rounded = Rounded::new(int, kept, round_up);
        let is_zero = rounded.is_zero();
        let sign = match (number.negative && !is_zero, self.plus) {
            (true, _) => Some(b'-'),
            (false, true) => Some(b'+'),
            (false, false) => None,
        };
        if !self.sign_last {
            out.extend(sign);
        }
        let before = rounded.int_len();
        let after = self.frac_len(&rounded, kept.len());
        // A number is at least one digit, whatever its format leaves out.
        let width = before.max(self.int_min).max(usize::from(after == 0));
        for at in 0..width {
            let left = width - at;
            if self.grouped && at > 0 && left % 3 == 0 {
                out.push(b',');
            }
            out.push(if left > before { b'0' } else { rounded.digit(before - left) });
        }
        if after > 0 && self.point == Point::Written {
            out.push(b'.');
        }
        for at in 0..after {
            out.push(if at < kept.len() { rounded.digit(before + at) } else { b'0' });
        }
        if self.sign_last {
            out.extend(sign);
        }
    }

    /// Digits to be written behind the point: optional ones only up to the last that is not zero.
    fn frac_len(&self, rounded: &Rounded<'_>, kept: usize) -> usize {
        let before = rounded.int_len();
        let needed = (0..kept).rev().find(|at| rounded.digit(before + at) != b'0').map_or(0, |last| last + 1);
        needed.max(self.frac_min)
    }
}

/// Counts places, required ones first: `(required, all)`. `None` when a required one follows an optional one.
fn places<'a>(symbols: impl Iterator<Item = &'a u8>) -> Option<(usize, usize)> {
    let (mut required, mut all) = (0, 0);
    for symbol in symbols {
        match symbol {
            b'0' | b'9' if required == all => required += 1,
            b'#' => {}
            _ => return None,
        }
        all += 1;
    }
    Some((required, all))
}

/// Digits with one added at the end of them, digit by digit and without a copy.
struct Rounded<'a> {
    int: &'a [u8],
    frac: &'a [u8],
    /// The digit that grows by one; those behind it were nines and become zeros. `None`: nothing changes.
    grows: Option<usize>,
    /// All digits were nines: a one is put before them.
    carried: bool,
}

impl<'a> Rounded<'a> {
    fn new(int: &'a [u8], frac: &'a [u8], up: bool) -> Self {
        let mut rounded = Self { int, frac, grows: None, carried: false };
        if up {
            rounded.grows = (0..int.len() + frac.len()).rev().find(|at| rounded.source(*at) != b'9');
            rounded.carried = rounded.grows.is_none();
        }
        rounded
    }

    fn source(&self, at: usize) -> u8 {
        match at.checked_sub(self.int.len()) {
            None => self.int[at],
            Some(at) => self.frac[at],
        }
    }

    /// Digits before the point.
    fn int_len(&self) -> usize {
        // A fraction that carries into an empty integer part (0.99 to 1.0) makes it one digit long, as a carry out of
        // the integer part does.
        self.int.len() + usize::from(self.carried)
    }

    /// The digit at a place counted from the first one.
    fn digit(&self, at: usize) -> u8 {
        if self.carried {
            return if at == 0 { b'1' } else { b'0' };
        }
        match self.grows {
            Some(grows) if at == grows => self.source(at) + 1,
            Some(grows) if at > grows => b'0',
            _ => self.source(at),
        }
    }

    fn is_zero(&self) -> bool {
        (0..self.int_len() + self.frac.len()).all(|at| self.digit(at) == b'0')
    }
}

#[cfg(test)]
mod tests;
