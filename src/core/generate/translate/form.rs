//! The form of a value: its kind's default text, or a format.

use super::date_format::{DateFormat, Moment};
use super::number_format::NumberFormat;
use crate::core::generate::spec::{BytesForm, Case};
use jiff::tz::TimeZone;

/// What a value is written as.
#[derive(Clone, Debug)]
pub(super) enum Form {
    /// The kind's default text.
    Plain,
    Number(NumberFormat),
    Date(DateFormat),
    /// What true and false are written as.
    Bool(String, String),
    /// A timestamp that is no strftime format.
    Stamp(Stamp),
    /// Bytes with a mark before all, or before each.
    Bytes(BytesForm),
}

/// Whether a format says what true and false are written as.
pub fn is_of_booleans(format: &str) -> bool {
    matches!(Form::parse(format, None), Ok(Form::Bool(..)))
}

impl Form {
    /// Reads a format of any kind.
    ///
    /// # Errors
    /// When it is not valid.
    pub(super) fn parse(format: &str, case: Option<Case>) -> Result<Self, String> {
        if DateFormat::is_one(format) {
            return DateFormat::parse(format).map(Self::Date);
        }
        if NumberFormat::is_one(format) {
            return NumberFormat::parse(format).map(Self::Number);
        }
        if let Some((yes, no)) = format.split_once('/')
            && !no.contains('/')
        {
            let cased = |word: &str| match case {
                None => word.to_owned(),
                Some(Case::Upper) => word.to_uppercase(),
                Some(Case::Lower) => word.to_lowercase(),
            };
            let (yes, no) = (cased(yes), cased(no));
            if yes.trim() == no.trim() {
                return Err(format!("format `{format}` writes true and false alike; write two words, as in `Y/N`"));
            }
            return Ok(Self::Bool(yes, no));
        }
        Err(format!(
            "format `{format}` is neither a number's (`0.00`, `#,##0`), nor a date's (`%Y%m%d`), nor a boolean's (`Y/N`)"
        ))
    }
}

/// A timestamp with a blank in place of `T`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stamp {
    /// Instants with their offset.
    Offset,
    /// Instants without it.
    Plain,
}

impl Stamp {
    /// Appends a timestamp. An instant without its offset stands in UTC.
    ///
    /// # Errors
    /// For an instant outside the years 1 to 9999 there.
    pub(super) fn push(self, moment: Moment, digits: u8, out: &mut Vec<u8>) -> Result<(), String> {
        let moment = if self == Self::Plain { moment.in_zone(&TimeZone::UTC)? } else { moment };
        self.push_as_it_is(&moment, digits, out);
        Ok(())
    }

    /// Appends a timestamp on the clock that it is on.
    pub(super) fn push_as_it_is(self, moment: &Moment, digits: u8, out: &mut Vec<u8>) {
        const DATE_LENGTH: usize = "2026-11-21".len();
        let start = out.len();
        match self {
            Self::Offset => moment.push_with_offset(digits, out),
            Self::Plain => moment.without_offset().push_iso(digits, out),
        }
        if let Some(between @ b'T') = out.get_mut(start + DATE_LENGTH) {
            *between = b' ';
        }
    }
}
