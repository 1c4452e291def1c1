//! Fits a value into a width: pads a shorter value, refuses or cuts a longer one. Widths count Unicode scalar values, or bytes of
//! UTF-8.

use super::TranslateError;
use super::cell::Cell;
use crate::core::generate::spec::{Align, ColumnSpec, OnOverflow};

/// A width and how a value is made to fit it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Fit {
    width: usize,
    align: Align,
    pad: char,
    on_overflow: OnOverflow,
    in_bytes: bool,
}

/// What fitting did to a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fitted {
    /// At most padded.
    Whole,
    /// Cut, by policy.
    Cut,
    /// Wider than the field, and refused. Holds the value's width.
    TooWide(usize),
}

impl Fit {
    /// The width that the column asks for. `None` when it asks for none.
    ///
    /// # Errors
    /// A width of zero, or a pad without a width.
    pub(super) fn new(spec: &ColumnSpec, on_overflow: OnOverflow) -> Result<Option<Self>, String> {
        match (spec.width, spec.pad) {
            (Some(0), _) => Err("has width 0; give it at least 1, or leave the column out".to_owned()),
            (None, Some(pad)) => Err(format!("has pad {pad:?} but no width; give it a width")),
            (None, None) => Ok(None),
            (Some(width), pad) => {
                let width = usize::try_from(width).map_err(|_| "has a width beyond this machine".to_owned())?;
                Ok(Some(Self { width, align: spec.align, pad: pad.unwrap_or(' '), on_overflow, in_bytes: false }))
            }
        }
    }

    /// The same field, measured in bytes of UTF-8.
    ///
    /// # Errors
    /// When the pad takes more than one byte.
    pub(super) fn in_bytes(mut self) -> Result<Self, String> {
        self.in_bytes = true;
        match self.pad.len_utf8() {
            1 => Ok(self),
            more => Err(format!(
                "has pad {:?} of {more} bytes; with `width_in: bytes` a field is filled with one byte",
                self.pad
            )),
        }
    }

    /// A text's length in the field's unit.
    fn measure(&self, text: &[u8]) -> usize {
        if self.in_bytes || text.is_ascii() { text.len() } else { chars(text).count() }
    }

    /// What the width counts, for messages.
    fn unit(&self) -> &'static str {
        if self.in_bytes { "bytes" } else { "characters" }
    }

    /// Fits the text `out[start..]`. A number is never cut, whatever the policy. Zeros go behind a number's sign.
    #[inline]
    pub(super) fn apply(&self, out: &mut Vec<u8>, start: usize, is_number: bool) -> Fitted {
        let text = out.get(start..).unwrap_or_default();
        let length = self.measure(text);
        match self.width.checked_sub(length) {
            Some(0) => {}
            Some(missing) => self.pad(out, start, missing, is_number),
            None if is_number || self.on_overflow == OnOverflow::Error => return Fitted::TooWide(length),
            None => {
                self.cut(out, start, length - self.width);
                // A character that is not whole in the field is not there.
                let missing = self.width.saturating_sub(self.measure(out.get(start..).unwrap_or_default()));
                self.pad(out, start, missing, false);
                return Fitted::Cut;
            }
        }
        Fitted::Whole
    }

    /// Fills the whole field with blanks: what NULL is by default.
    pub(super) fn push_blanks(&self, out: &mut Vec<u8>) {
        out.resize(out.len() + self.width, b' ');
    }

    fn pad(&self, out: &mut Vec<u8>, start: usize, missing: usize, is_number: bool) {
        let end = out.len();
        let signed = is_number && self.pad == '0' && matches!(out.get(start), Some(b'+' | b'-'));
        if self.pad.is_ascii() {
            out.resize(end + missing, self.pad as u8);
            if self.align == Align::Right {
                let first = start + usize::from(signed);
                out.copy_within(first..end, first + missing);
                out.iter_mut().skip(first).take(missing).for_each(|byte| *byte = self.pad as u8);
            }
            return;
        }
        for _ in 0..missing {
            out.extend_from_slice(self.pad.encode_utf8(&mut [0; 4]).as_bytes());
        }
        if self.align == Align::Right
            && let Some(text) = out.get_mut(start..)
        {
            let added = missing * self.pad.len_utf8();
            text.rotate_right(added);
        }
    }

    /// Cuts a text. A text aligned left loses its end, a text aligned right its beginning.
    fn cut(&self, out: &mut Vec<u8>, start: usize, surplus: usize) {
        let text = out.get(start..).unwrap_or_default();
        match self.align {
            Align::Left => {
                let kept = if self.in_bytes {
                    chars(text).take_while(|at| *at <= self.width).last().unwrap_or(0)
                } else {
                    chars(text).nth(self.width).unwrap_or(text.len())
                };
                out.truncate(start + kept);
            }
            Align::Right => {
                let lost = if self.in_bytes {
                    chars(text).find(|at| *at >= surplus).unwrap_or(text.len())
                } else {
                    chars(text).nth(surplus).unwrap_or(0)
                };
                out.drain(start..start + lost);
            }
        }
    }
}

/// Where each character of a UTF-8 text starts.
fn chars(text: &[u8]) -> impl Iterator<Item = usize> + '_ {
    text.iter().enumerate().filter(|(_, byte)| (**byte & 0xC0) != 0x80).map(|(at, _)| at)
}

/// The error for a value that is wider than its field.
#[cold]
pub(super) fn too_wide(cell: &Cell, row: usize, text: &[u8], length: usize, fit: &Fit) -> TranslateError {
    let advice = if cell.is_number() {
        "a number is never cut: widen the field or choose a shorter format"
    } else {
        "widen the field, or say `on_overflow: truncate`"
    };
    let value = super::shown(&String::from_utf8_lossy(text));
    cell.error(row, &format!("holds {value}: {length} {} in a field of {}; {advice}", fit.unit(), fit.width))
}

/// A literal, made to fit its width.
///
/// # Errors
/// When it is wider than the width it was given.
pub(super) fn fixed_literal(text: &str, fit: Option<Fit>) -> Result<Vec<u8>, TranslateError> {
    let mut out = text.as_bytes().to_vec();
    if let Some(fit) = fit
        && let Fitted::TooWide(length) = (Fit { on_overflow: OnOverflow::Error, ..fit }).apply(&mut out, 0, false)
    {
        return Err(TranslateError::setting(format!(
            "literal {} has {length} {} and does not fit its width {}",
            super::shown(text),
            fit.unit(),
            fit.width
        )));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(text: &str, width: usize, align: Align, pad: char, is_number: bool) -> (String, Fitted) {
        let mut out = format!("<{text}").into_bytes();
        let fit = Fit { width, align, pad, on_overflow: OnOverflow::Truncate, in_bytes: false };
        let how = fit.apply(&mut out, 1, is_number);
        (String::from_utf8(out).unwrap()[1..].to_owned(), how)
    }

    #[test]
    fn shorter_values_are_padded_in_characters() {
        for (text, align, pad, number, expected) in [
            ("ab", Align::Left, ' ', false, "ab   "),
            ("ab", Align::Right, '*', false, "***ab"),
            ("é日", Align::Right, '·', false, "···é日"),
            ("", Align::Left, 'x', false, "xxxxx"),
            ("-12", Align::Right, '0', true, "-0012"),
            ("+12", Align::Right, '0', true, "+0012"),
            ("-12", Align::Right, ' ', true, "  -12"),
            ("-12", Align::Right, '0', false, "00-12"),
            ("12345", Align::Right, '0', true, "12345"),
        ] {
            assert_eq!(fitted(text, 5, align, pad, number), (expected.to_owned(), Fitted::Whole), "{text}");
        }
    }

    #[test]
    fn wider_texts_are_cut_and_numbers_never() {
        assert_eq!(fitted("aébcd", 2, Align::Left, ' ', false), ("aé".to_owned(), Fitted::Cut));
        assert_eq!(fitted("abcdé", 2, Align::Right, ' ', false), ("dé".to_owned(), Fitted::Cut));
        assert_eq!(fitted("123", 2, Align::Left, ' ', true).1, Fitted::TooWide(3));
    }

    #[test]
    fn in_bytes_a_field_is_as_wide_whatever_it_holds() {
        for (text, align, expected) in [
            ("aé", Align::Left, "aé "),
            ("é", Align::Right, "  é"),
            ("ééé", Align::Left, "éé"),
            ("aéé", Align::Left, "aé "),
            ("aéé", Align::Right, "éé"),
            ("ééa", Align::Right, " éa"),
            ("日本", Align::Left, "日 "),
            ("日本", Align::Right, " 本"),
        ] {
            let mut out = text.as_bytes().to_vec();
            let fit = Fit { width: 4, align, pad: ' ', on_overflow: OnOverflow::Truncate, in_bytes: true };
            fit.apply(&mut out, 0, false);
            assert_eq!((String::from_utf8(out).unwrap().trim_end(), 4), (expected.trim_end(), 4), "{text}");
        }
        let spec = ColumnSpec { width: Some(3), pad: Some('·'), ..ColumnSpec::default() };
        assert!(Fit::new(&spec, OnOverflow::Error).unwrap().unwrap().in_bytes().is_err());
    }
}
