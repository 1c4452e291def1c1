//! Templates of records: strict variables, exact numbers, and filters for fields.
//!
//! | filter | does |
//! | --- | --- |
//! | `strftime('%Y%m%d')` | a date or timestamp in another form |
//! | `number('0.00')` | a number in a format of `number_format` |
//! | `pad(9, '0')` | fills up before the value (behind it with `align='left'`); wider values are an error |
//!
//! NULL is written as nothing, and the filters above pass it on. Operators, `abs`, `round` and the like are exact: see `calculus`. What
//! other filters take NULL for: see `texts`. One record takes a bounded number of steps and bytes.

use super::TranslateError;
use super::budget;
use super::calculus::{self, Formatted};
use super::date_format::{DateFormat, Moment};
use super::exact::{MISFIT, WIDTH_MAX, decimal_sign, set_decimal};
use super::field::{Fit, Fitted};
use super::float_text::with_point;
use super::number_format::NumberFormat;
use super::rewrite;
use super::texts;
use crate::core::generate::spec::{Align, ColumnSpec, DecimalSign, OnOverflow};
use crate::core::model::decimal::Digits;
use minijinja::value::{Kwargs, Value};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// A compiled template.
#[derive(Debug)]
pub(super) struct RecordTemplate {
    environment: Environment<'static>,
    /// `first_record`, `last_record` or `record`: the template's name in errors.
    which: &'static str,
    source: String,
    /// What stands before the fraction of the numbers that it writes.
    decimal: DecimalSign,
}

/// Steps of the template engine that one record may take. A record of a thousand columns takes some ten thousand.
const STEPS_MAX: u64 = 1_000_000;

/// The name of the template as it was given. The template that is rendered has exact operators.
const GIVEN: &str = "given";

impl RecordTemplate {
    /// Compiles a template.
    ///
    /// # Errors
    /// When it is not valid.
    pub(super) fn new(which: &'static str, source: &str, decimal: DecimalSign) -> Result<Self, TranslateError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.set_fuel(Some(STEPS_MAX));
        environment.set_formatter(|out, _, value| {
            let text = texts::text(value)?;
            budget::spend(text.len())?;
            out.write_str(&text).map_err(Error::from)
        });
        // It would show every value of the row, and of the process what the engine holds.
        environment.remove_global("debug");
        environment.add_filter("strftime", strftime);
        environment.add_filter("number", number);
        environment.add_filter("pad", pad);
        budget::install(&mut environment);
        calculus::install(&mut environment);
        texts::install(&mut environment);
        let wrong = |why: String| TranslateError::setting(format!("template `{which}`: {why}"));
        let exact = rewrite::exact(source).map_err(wrong)?;
        environment
            .add_template_owned(GIVEN, source.to_owned())
            .map_err(|error| wrong(describe(&error).replace(&format!("in {GIVEN}:"), &format!("in {which}:"))))?;
        environment.add_template_owned(which, exact).map_err(|error| wrong(describe(&error)))?;
        Ok(Self { environment, which, source: source.to_owned(), decimal })
    }

    /// Whether the template itself spans lines.
    pub(super) fn has_line_break(&self) -> bool {
        // One line break at the end does not count: minijinja takes it away.
        let body = self.source.strip_suffix('\n').unwrap_or(&self.source);
        body.strip_suffix('\r').unwrap_or(body).contains(['\r', '\n'])
    }

    /// Variables that the template does not define itself: `rows`, and with `nested` also `sum.Amount`.
    pub(super) fn variables(&self, nested: bool) -> BTreeSet<String> {
        // Not the one that was given: the engine does not look into slices, which are calls here.
        let Ok(template) = self.environment.get_template(self.which) else { return BTreeSet::new() };
        let globals: BTreeSet<&str> = self.environment.globals().map(|(name, _)| name).collect();
        template.undeclared_variables(nested).into_iter().filter(|name| !globals.contains(name.as_str())).collect()
    }

    /// Renders one record.
    ///
    /// # Errors
    /// What failed, with the template's name and line.
    pub(super) fn render(&self, context: Value) -> Result<String, Error> {
        budget::begin();
        set_decimal(self.decimal);
        self.environment.get_template(self.which)?.render(context)
    }

    /// The parts that each record meets, each with the columns that it needs. Those that need anything else are left out.
    pub(super) fn parts(&self, columns: &[String]) -> Vec<(String, Vec<String>)> {
        let globals: BTreeSet<&str> = self.environment.globals().map(|(name, _)| name).collect();
        let (parts, given) = rewrite::parts(&self.source);
        let needs = |part: &String| {
            let names = self.environment.template_from_str(part).ok()?.undeclared_variables(false);
            let mut names: Vec<String> = names.into_iter().filter(|name| !globals.contains(name.as_str())).collect();
            names.sort();
            names.iter().all(|name| columns.contains(name) && !given.contains(name)).then_some(names)
        };
        parts.into_iter().filter_map(|part| needs(&part).map(|names| (part, names))).collect()
    }

    /// Renders a part.
    pub(super) fn render_part(&self, part: &str, context: Value) -> Result<(), Error> {
        budget::begin();
        set_decimal(self.decimal);
        self.environment.render_named_str(self.which, part, context).map(drop)
    }

    /// An error of this template as the flow reports it.
    pub(super) fn error(&self, error: &Error) -> TranslateError {
        if error.kind() == ErrorKind::OutOfFuel {
            let why = format!("takes more than {STEPS_MAX} steps for one record; write it with fewer or shorter loops");
            return TranslateError::setting(format!("template `{}` {why}", self.which));
        }
        TranslateError::setting(format!("template `{}`: {}", self.which, describe(error)))
    }
}

/// Whether an error is one of the template, and not of the values that it met.
pub(super) fn is_lasting(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::UnknownFilter
        | ErrorKind::UnknownTest
        | ErrorKind::UnknownFunction
        | ErrorKind::UnknownMethod
        | ErrorKind::OutOfFuel => true,
        _ => {
            let text = describe(error);
            [MISFIT, "is not iterable"].iter().any(|part| text.contains(part))
        }
    }
}

/// The error and its causes in one line.
pub(super) fn describe(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

fn refuse(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, why.into())
}

fn written(value: &Value, write: impl FnOnce(&str, &mut Vec<u8>) -> Result<(), String>) -> Result<Value, Error> {
    if value.is_none() {
        return Ok(Value::from(()));
    }
    let mut out = Vec::new();
    budget::look(value)?;
    write(&texts::text(value)?, &mut out).map_err(refuse)?;
    budget::spend(out.len())?;
    Ok(Value::from(String::from_utf8_lossy(&out).into_owned()))
}

#[expect(clippy::needless_pass_by_value, reason = "minijinja calls filters with owned values")]
fn strftime(value: Value, format: &str) -> Result<Value, Error> {
    written(&value, |text, out| DateFormat::parse(format)?.push(&Moment::parse(text)?, out))
}

#[expect(clippy::needless_pass_by_value, reason = "minijinja calls filters with owned values")]
fn number(value: Value, format: &str) -> Result<Value, Error> {
    let is_text = value.as_str().is_some();
    let text = written(&value, |text, out| {
        // A text is what the template or the source says. A number is written as the file writes it.
        let plain = if is_text { Cow::Borrowed(text) } else { with_point(text, decimal_sign()) };
        let number = Digits::parse(plain.as_bytes());
        let number = number.ok_or_else(|| format!("{} is no plain number", super::shown(text)))?;
        NumberFormat::parse(format)?.push(number, out);
        Ok(())
    })?;
    // Still a number to whoever pads it.
    let formatted = |text: &str| Value::from_object(Formatted(with_point(text, decimal_sign()).into_owned()));
    Ok(text.as_str().map(formatted).unwrap_or(text))
}

#[expect(clippy::needless_pass_by_value, reason = "minijinja calls filters with owned values")]
fn pad(value: Value, width: u32, with: Option<char>, options: Kwargs) -> Result<Value, Error> {
    let align = match options.get::<Option<&str>>("align")? {
        None | Some("right") => Align::Right,
        Some("left") => Align::Left,
        Some(other) => return Err(refuse(format!("align is `left` or `right`, not `{other}`"))),
    };
    options.assert_all_used()?;
    if width as usize > WIDTH_MAX {
        return Err(refuse(format!("no field is wider than {WIDTH_MAX} characters")));
    }
    let spec = ColumnSpec { width: Some(width), pad: with, align, ..ColumnSpec::default() };
    let fit = Fit::new(&spec, OnOverflow::Error).map_err(refuse)?;
    if value.is_none() && with.is_some_and(|with| with.is_ascii_digit()) {
        return Err(refuse("NULL has no digits to fill up: write `default(0)` before `pad`".to_owned()));
    }
    // A field keeps its width without a value too.
    let value = if value.is_none() { Value::from("") } else { value };
    written(&value, |text, out| {
        out.extend_from_slice(text.as_bytes());
        // A text stays a text whatever it looks like: in `+49170` the plus is no sign.
        let is_number =
            calculus::is_number(&value) && Digits::parse(with_point(text, decimal_sign()).as_bytes()).is_some();
        match fit.map(|fit| fit.apply(out, 0, is_number)) {
            Some(Fitted::TooWide(chars)) => {
                Err(format!("{} has {chars} characters and does not fit {width}", super::shown(text)))
            }
            _ => Ok(()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use minijinja::context;

    fn render(source: &str) -> Result<String, TranslateError> {
        let template = RecordTemplate::new("record", source, DecimalSign::Point)?;
        let context = context! {
            date => "2026-11-21", amount => "-1234.565", none => (), big => 1e21, n => 42, at => "2026-11-21T10:30:00Z",
        };
        template.render(context).map_err(|error| template.error(&error))
    }

    #[test]
    fn filters_write_fields() {
        for (source, text) in [
            ("{{ date }}", "2026-11-21"),
            ("{{ date | strftime('%Y%m%d') }}", "20261121"),
            ("{{ at | strftime('%H%M') }}", "1030"),
            ("{{ amount | number('#,##0.00') }}", "-1,234.57"),
            ("{{ amount | number('0') | pad(8, '0') }}", "-0001235"),
            ("{{ n | pad(5) }}|{{ n | pad(5, align='left') }}|{{ n | pad(5, '0') }}", "   42|42   |00042"),
            ("{{ none }}{{ none | number('0.00') }}{{ none | strftime('%Y') }}", ""),
            ("[{{ none | pad(3) }}|{{ none | number('0.00') | pad(4, '*') }}]", "[   |****]"),
            ("{{ big }}", "1000000000000000000000.0"),
            ("<{{ date }}>\n", "<2026-11-21>"),
        ] {
            assert_eq!(render(source).as_deref(), Ok(text), "{source}");
        }
    }

    #[test]
    fn what_cannot_be_written_is_an_error_with_its_template() {
        for (source, what) in [
            ("{{ datte }}", "undefined"),
            ("{{ date | strtime('%Y') }}", "filter strtime is unknown"),
            ("{{ date", "syntax error"),
            ("{{ n | strftime('%Y') }}", "no date"),
            ("{{ date | number('0') }}", "no plain number"),
            ("{{ n | pad(1) }}", "does not fit"),
            ("{{ n | pad(3, ' ', align='middle') }}", "middle"),
        ] {
            let reason = render(source).unwrap_err().reason;
            assert!(reason.contains(what) && reason.contains("`record`"), "{source}: {reason}");
        }
    }
}
