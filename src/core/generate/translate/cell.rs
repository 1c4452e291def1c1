//! One value of a record: which column, which form, what NULL is. The only place that knows what a value looks like.

use super::date_format::Moment;
use super::file_forms::FileForms;
use super::float_text::{no_number, with_float_text, with_point};
use super::form::Form;
use super::number_format::NumberFormat;
use super::short::push_int;
use super::values::{Values, push_bytes, push_text};
use super::{TranslateError, shown};
use crate::core::generate::spec::{Case, ColumnSpec, DecimalSign, Trim};
use crate::core::model::column::{Column, Kind};
use crate::core::model::decimal::{Digits, ScaledDigits, is_plain_number};
use arrow_array::{RecordBatch, StringArray};
use arrow_buffer::NullBuffer;
use jiff::tz::TimeZone;

/// How one column is written, as far as that is known before the column's kind.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    /// Place of the column among those the translator asked for.
    column: usize,
    name: String,
    form: Form,
    /// The file's own forms, for a column without one.
    file_forms: Box<FileForms>,
    case: Option<Case>,
    trim: Trim,
    null: Option<String>,
    /// Whether that text is a number.
    null_is_number: bool,
    /// On whose clock instants are written.
    zone: Option<TimeZone>,
    /// Known from [`Cell::bind`] on.
    kind: Kind,
}

impl Cell {
    /// A value from the column `name`, which is the translator's `column`th.
    ///
    /// # Errors
    /// When the format is not valid.
    pub(super) fn new(spec: &ColumnSpec, name: &str, column: usize) -> Result<Self, TranslateError> {
        let form = match &spec.format {
            None => Form::Plain,
            Some(format) => Form::parse(format, spec.case)
                .map_err(|why| TranslateError::setting(format!("column `{name}`: {why}")))?,
        };
        let file_forms = Box::new(FileForms::new(&spec.forms, spec.case)?);
        let zone = spec.zone.as_deref().map(TimeZone::get).transpose();
        Ok(Self {
            column,
            name: name.to_owned(),
            form,
            file_forms,
            zone: zone.map_err(|error| TranslateError::setting(format!("`zone`: {error}")))?,
            case: spec.case,
            trim: spec.trim,
            null: spec.null.clone(),
            null_is_number: (spec.null.as_deref())
                .is_some_and(|null| is_plain_number(&with_point(null, spec.forms.decimal))),
            kind: Kind::Text,
        })
    }

    /// Learns the column's kind.
    ///
    /// # Errors
    /// When the format does not fit it.
    pub(super) fn bind(&mut self, columns: &[Column]) -> Result<(), TranslateError> {
        let column = columns.get(self.column).ok_or_else(|| self.misfit("is not among the columns of the page"))?;
        self.kind = column.kind;
        if let (Form::Plain, Some(form)) = (&self.form, self.file_forms.form(self.kind)) {
            self.form = form;
        }
        let why = match &self.form {
            Form::Plain | Form::Stamp(_) | Form::Bytes(_) => return Ok(()),
            Form::Number(_) if self.kind.is_number() || self.kind == Kind::Text => return Ok(()),
            Form::Bool(..) if self.kind == Kind::Bool => return Ok(()),
            Form::Number(_) => format!("is {}, and only numbers have a number format", self.kind.describe()),
            Form::Bool(..) => format!("is {}, and only a boolean has a format like `Y/N`", self.kind.describe()),
            Form::Date(format) => match format.check(self.kind) {
                Ok(()) => return Ok(()),
                Err(why) => why,
            },
        };
        Err(self.misfit(&why))
    }

    /// Takes the column out of a page.
    ///
    /// # Errors
    /// When the page's array is of another type than the column's kind.
    pub(super) fn values<'a>(&'a self, batch: &'a RecordBatch) -> Result<Bound<'a>, TranslateError> {
        let values = batch.columns().get(self.column).and_then(|array| Values::of(array, self.kind));
        let values = values.ok_or_else(|| {
            self.misfit(&format!("was announced as {}, but its values are of another type", self.kind.describe()))
        })?;
        let array = values.array();
        let (is_plain, has_comma, zone) = (self.is_plain(), self.has_comma(), self.zone());
        Ok(Bound { cell: self, values, is_plain, has_comma, zone, rows: array.len(), nulls: array.nulls() })
    }

    /// The column's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The column's kind.
    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// The text that stands for NULL, if the worker file names one.
    pub(super) fn null(&self) -> Option<&str> {
        self.null.as_deref()
    }

    /// Whether the value is the kind's default text, unchanged.
    pub(super) fn is_plain(&self) -> bool {
        let as_it_is = self.case.is_none() && self.trim == Trim::None && self.zone().is_none() && !self.has_comma();
        matches!(self.form, Form::Plain) && as_it_is
    }

    /// Whether a number's point is written as a comma.
    fn has_comma(&self) -> bool {
        self.file_forms.decimal == DecimalSign::Comma && self.is_number()
    }

    /// The zone, where the values are instants.
    fn zone(&self) -> Option<&TimeZone> {
        let instants = matches!(self.kind, Kind::Timestamp { utc: true, .. } | Kind::TimestampText);
        self.zone.as_ref().filter(|_| instants)
    }

    /// Whether the worker file gives the value a form of its own.
    pub(super) fn is_formatted(&self) -> bool {
        !matches!(self.form, Form::Plain)
    }

    /// Whether the text is a number's, so that cutting it would change the number.
    pub(super) fn is_number(&self) -> bool {
        self.kind.is_number() || matches!(self.form, Form::Number(_))
    }

    /// Whether a row's text is padded as a number and never cut. NULL's is where a number stands for it.
    pub(super) fn fits_as_number(&self, is_null: bool) -> bool {
        self.is_number() && (!is_null || self.null_is_number)
    }

    /// The text for NULL that no value may equal. A number or a truth value in NULL's place is meant to be one, and blanks are
    /// what NULL is without such a text.
    pub(super) fn reserved(&self) -> Option<&str> {
        let is_own = !self.is_number() && self.kind != Kind::Bool;
        self.null().filter(|null| is_own && !null.trim().is_empty())
    }

    /// Refuses a value that is written as NULL is.
    #[cold]
    pub(super) fn refuse_null(&self, row: usize, text: &[u8], advice: &str) -> TranslateError {
        let value = shown(&String::from_utf8_lossy(text));
        self.error(row, &format!("holds {value}, which is what NULL is written as; {advice}"))
    }

    /// Whether the text has only digits, letters, and `+-.:`, whatever the value.
    pub(super) fn is_simple(&self) -> bool {
        let text = matches!(
            self.kind,
            Kind::Text | Kind::Json | Kind::Uuid | Kind::DecimalText { .. } | Kind::Number | Kind::TimestampText
        );
        match &self.form {
            _ if self.has_comma() => false,
            Form::Plain => !text,
            Form::Number(format) => !format.is_grouped(),
            Form::Date(_) | Form::Bool(..) | Form::Stamp(_) | Form::Bytes(_) => false,
        }
    }

    /// An error that names the column and its row.
    #[cold]
    pub(super) fn error(&self, row: usize, why: &str) -> TranslateError {
        TranslateError::value(row, format!("column `{}` {why}", self.name))
    }

    #[cold]
    fn misfit(&self, why: &str) -> TranslateError {
        TranslateError::setting(format!("column `{}` {why}", self.name))
    }

    #[inline]
    fn push_text(&self, text: &str, out: &mut Vec<u8>) -> Result<(), String> {
        let text = match self.trim {
            Trim::None => text,
            Trim::Left => text.trim_start(),
            Trim::Right => text.trim_end(),
            Trim::Both => text.trim(),
        };
        match &self.form {
            Form::Number(format) => format.push(number(text)?, out),
            Form::Date(format) => {
                let start = out.len();
                format.push(&Moment::parse(text)?, out)?;
                self.change_ascii_case(&mut out[start..]);
            }
            Form::Stamp(stamp) => stamp.push(Moment::parse(text)?, fraction_digits(text), out)?,
            Form::Plain | Form::Bool(..) | Form::Bytes(_) => push_case(text, self.case, out),
        }
        Ok(())
    }

    fn change_ascii_case(&self, text: &mut [u8]) {
        match self.case {
            None => {}
            Some(Case::Upper) => text.make_ascii_uppercase(),
            Some(Case::Lower) => text.make_ascii_lowercase(),
        }
    }
}

fn number(text: &str) -> Result<Digits<'_>, String> {
    Digits::parse(text.as_bytes())
        .ok_or_else(|| format!("holds {}, which is no plain number, so its format cannot be applied", shown(text)))
}

/// A cell with the values of one page.
pub(super) struct Bound<'a> {
    cell: &'a Cell,
    values: Values<'a>,
    /// [`Cell::is_plain`], asked once a page.
    is_plain: bool,
    /// [`Cell::has_comma`], asked once a page.
    has_comma: bool,
    /// [`Cell::zone`], asked once a page.
    zone: Option<&'a TimeZone>,
    rows: usize,
    nulls: Option<&'a NullBuffer>,
}

impl<'a> Bound<'a> {
    /// The cell itself.
    pub(super) fn cell(&self) -> &'a Cell {
        self.cell
    }

    /// The values themselves.
    pub(super) fn values(&self) -> Values<'a> {
        self.values
    }

    /// The page's texts, when they are written as they are.
    pub(super) fn unchanged_texts(&self) -> Option<&'a StringArray> {
        match self.values {
            Values::Text(array) if self.cell.is_plain() => Some(array),
            _ => None,
        }
    }

    /// Whether a value that is not NULL may have no characters.
    pub(super) fn can_be_empty(&self) -> bool {
        matches!(self.values, Values::Text(_) | Values::Bytes(_))
    }

    /// Whether the row's value is NULL.
    #[inline]
    pub(super) fn is_null(&self, row: usize) -> bool {
        row >= self.rows || self.nulls.is_some_and(|nulls| nulls.is_null(row))
    }

    /// Appends a value that is not NULL, in its form.
    ///
    /// # Errors
    /// Names the column and the value that cannot be written.
    #[expect(clippy::inline_always, reason = "measured: a call per value costs as much as the value")]
    #[inline(always)]
    pub(super) fn push(&self, row: usize, out: &mut Vec<u8>) -> Result<(), TranslateError> {
        // Most values are these; small enough to stand in the loop over a record's values.
        match &self.values {
            Values::Int(array) if self.is_plain => {
                push_int(out, array.value(row));
                Ok(())
            }
            Values::Text(array) if self.is_plain => {
                push_text(array, row, out);
                Ok(())
            }
            _ => self.push_any(row, out),
        }
    }

    #[inline(never)]
    fn push_any(&self, row: usize, out: &mut Vec<u8>) -> Result<(), TranslateError> {
        let start = out.len();
        let pushed = match (&self.cell.form, &self.values) {
            _ if let Some(zone) = self.zone => self.push_in_zone(zone, row, out),
            (_, Values::Text(array)) => self.cell.push_text(array.value(row), out),
            (Form::Plain, values) if self.cell.case.is_none() => values.push(row, out),
            _ => self.push_formatted(row, out),
        };
        pushed.map_err(|why| self.cell.error(row, &why))?;
        if self.has_comma {
            out.iter_mut().skip(start).for_each(|byte| *byte = with_comma(*byte));
        }
        Ok(())
    }

    /// Appends an instant on the clock of a zone; a timestamp without an offset as it is.
    fn push_in_zone(&self, zone: &TimeZone, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
        let start = out.len();
        let (moment, digits) = match &self.values {
            Values::Timestamp(array, digits, utc) => (Moment::from_micros(array.value(row), *utc)?, *digits),
            Values::Text(array) => {
                let text = array.value(row).trim();
                (Moment::parse(text)?, fraction_digits(text))
            }
            values => return values.push(row, out),
        };
        let moment = moment.in_zone(zone)?;
        match &self.cell.form {
            Form::Date(format) => format.push(&moment, out)?,
            Form::Stamp(stamp) => stamp.push_as_it_is(&moment, digits, out),
            _ if *zone == TimeZone::UTC => moment.push_iso(digits, out),
            _ => moment.push_with_offset(digits, out),
        }
        self.cell.change_ascii_case(&mut out[start..]);
        Ok(())
    }

    fn push_formatted(&self, row: usize, out: &mut Vec<u8>) -> Result<(), String> {
        let start = out.len();
        match (&self.cell.form, &self.values) {
            (Form::Number(format), Values::Int(array)) => {
                format.push(ScaledDigits::new(array.value(row).into(), 0).digits(), out);
            }
            (Form::Number(format), Values::Decimal(array, scale)) => {
                format.push(ScaledDigits::new(array.value(row), *scale).digits(), out);
            }
            (Form::Number(format), Values::Float32(array)) => push_float(format, array.value(row), out)?,
            (Form::Number(format), Values::Float64(array)) => push_float(format, array.value(row), out)?,
            (Form::Bool(yes, no), Values::Bool(array)) => {
                out.extend_from_slice(if array.value(row) { yes } else { no }.as_bytes());
                return Ok(());
            }
            (Form::Bytes(form), Values::Bytes(array)) => {
                push_bytes(*form, array.value(row), self.cell.case == Some(Case::Upper), out);
                return Ok(());
            }
            (Form::Stamp(stamp), Values::Timestamp(array, digits, utc)) => {
                stamp.push(Moment::from_micros(array.value(row), *utc)?, *digits, out)?;
            }
            (Form::Date(format), values) if let Some(moment) = values.moment(row) => format.push(&moment?, out)?,
            (_, values) => values.push(row, out)?,
        }
        self.cell.change_ascii_case(&mut out[start..]);
        Ok(())
    }
}

fn push_float<F: zmij::Float + Into<f64> + Copy>(
    format: &NumberFormat,
    value: F,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    let pushed = with_float_text(value, |text| Digits::parse(text).map(|number| format.push(number, out)));
    pushed.flatten().ok_or_else(|| no_number(value.into()))
}

/// A byte of a number whose point is a comma, and whose commas are points.
fn with_comma(byte: u8) -> u8 {
    match byte {
        b'.' => b',',
        b',' => b'.',
        other => other,
    }
}

/// Digits behind the point of a timestamp's text.
fn fraction_digits(text: &str) -> u8 {
    let fraction = text.split_once('.').map_or("", |(_, rest)| rest);
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    u8::try_from(digits).unwrap_or(u8::MAX)
}

fn push_case(text: &str, case: Option<Case>, out: &mut Vec<u8>) {
    let mut push = |char: char| out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
    match case {
        None => out.extend_from_slice(text.as_bytes()),
        Some(Case::Upper) => text.chars().flat_map(char::to_uppercase).for_each(&mut push),
        Some(Case::Lower) => text.chars().flat_map(char::to_lowercase).for_each(&mut push),
    }
}

#[cfg(test)]
mod tests;
