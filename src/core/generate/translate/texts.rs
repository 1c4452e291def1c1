//! Texts in templates. NULL is the empty text wherever a text is wanted, as it is where a record writes it. A boolean and a float
//! are there in the form in which records write them. No text outgrows its bound.
//!
//! | filter | does |
//! | --- | --- |
//! | `default(0)` | what stands for NULL |
//! | `upper`, `trim`, `replace`, `join`, `format`, … | what the template engine's do, with NULL as the empty text |

use super::budget::{look, spend};
use super::exact::{MISFIT, NULL_ADVICE, Number, WIDTH_MAX, decimal_sign};
use super::float_text::{not_finite, with_float_text, with_point};
use super::rewrite::{CONCAT, SLICE};
use super::slices::slice;
use minijinja::value::{Kwargs, Rest, Value, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, State, filters};
use std::borrow::Cow;

/// Longest text that a template makes out of others.
const TEXT_MAX: usize = 64 << 20;

#[cold]
fn refuse(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, why.into())
}

/// The text of values that minijinja writes in another form than the other translators: `True`, `1e21`.
pub(super) fn plain_text(value: &Value) -> Option<String> {
    if value.kind() == ValueKind::Bool {
        return Some(value.is_true().to_string());
    }
    if value.kind() != ValueKind::Number || value.is_integer() {
        return None;
    }
    let float = f64::try_from(value.clone()).ok()?;
    let text = with_float_text(float, |text| String::from_utf8_lossy(text).into_owned());
    Some(text.unwrap_or_else(|| not_finite(float).to_owned()))
}

/// A value as a text.
///
/// # Errors
/// When it is a list or an object, which has no text, or not there at all.
pub(super) fn text(value: &Value) -> Result<Cow<'_, str>, Error> {
    match value.kind() {
        ValueKind::None => Ok(Cow::Borrowed("")),
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => Err(refuse(format!(
            "a list or an object and a text {MISFIT}: a list is written with `| join(',')`, a value of an object by its name"
        ))),
        _ => match value.as_str() {
            Some(text) => Ok(Cow::Borrowed(text)),
            None => Ok(match plain_text(value) {
                Some(text) => Cow::Owned(with_point(&text, decimal_sign()).into_owned()),
                None => Cow::Owned(value.to_string()),
            }),
        },
    }
}

/// Makes an environment's texts those that records write.
pub(super) fn install(environment: &mut Environment<'_>) {
    environment.add_function(CONCAT, |left: Value, right: Value| {
        let (left, right) = (text(&left)?, text(&right)?);
        within(left.len().saturating_add(right.len()))?;
        Ok::<_, Error>(Value::from([left, right].concat()))
    });
    environment.add_function(SLICE, slice);
    environment.add_filter("default", default);
    environment.add_filter("d", default);
    for name in ["string", "safe"] {
        environment.add_filter(name, |value: Value| {
            look(&value)?;
            text(&value).map(|text| Value::from(text.as_ref()))
        });
    }
    environment.add_filter("replace", replace);
    environment.add_filter("join", join);
    /// Puts a filter of the engine behind one of the same name that takes `$given` of its value.
    macro_rules! filters_of {
        ($given:expr; $($name:literal: $filter:path),+ $(,)?) => {$(
            let engine = Value::from_function($filter);
            environment.add_filter($name, move |state: &mut State, value: Value, rest: Rest<ValueOrKwargs>| {
                let mut all = vec![$given(value)?];
                look(&all[0])?;
                all.extend(rest.into_values());
                let made = engine.call(state, &all)?;
                look(&made)?;
                Ok::<_, Error>(made)
            });
        )+};
    }
    filters_of!(as_text; "upper": filters::upper, "lower": filters::lower, "title": filters::title,
        "capitalize": filters::capitalize, "trim": filters::trim, "escape": filters::escape, "e": filters::escape);
    filters_of!(null_as_text; "split": filters::split, "lines": filters::lines, "reverse": filters::reverse,
        "length": filters::length, "count": filters::length);
    let engine = Value::from_function(filters::format);
    environment.add_filter("format", move |state: &mut State, form: Value, rest: Rest<ValueOrKwargs>| {
        format(state, &engine, form, rest)
    });
    let engine = Value::from_function(filters::indent);
    environment.add_filter("indent", move |state: &mut State, value: Value, rest: Rest<ValueOrKwargs>| {
        indent(state, &engine, value, rest)
    });
    environment.add_test("startingwith", |value: Value, part: Value| {
        look(&part)?;
        Ok::<_, Error>(text(&value)?.starts_with(text(&part)?.as_ref()))
    });
    environment.add_test("endingwith", |value: Value, part: Value| {
        look(&part)?;
        Ok::<_, Error>(text(&value)?.ends_with(text(&part)?.as_ref()))
    });
}

#[expect(clippy::needless_pass_by_value, reason = "called as a filter is")]
fn as_text(value: Value) -> Result<Value, Error> {
    text(&value).map(|text| Value::from(text.as_ref()))
}

/// NULL as the empty text, and everything else as it is.
#[expect(clippy::unnecessary_wraps, reason = "called as `as_text` is")]
fn null_as_text(value: Value) -> Result<Value, Error> {
    Ok(if value.is_none() { Value::from("") } else { value })
}

/// Refuses a text of so many bytes when no record needs one.
fn within(bytes: usize) -> Result<(), Error> {
    is_short(bytes)?;
    spend(bytes)
}

fn is_short(bytes: usize) -> Result<(), Error> {
    if bytes <= TEXT_MAX {
        return Ok(());
    }
    Err(refuse(format!("a text of {bytes} bytes is longer than a template may make ({TEXT_MAX})")))
}

#[expect(clippy::needless_pass_by_value, reason = "minijinja calls filters with owned values")]
fn default(state: &State, value: Value, args: Rest<Value>) -> Result<Value, Error> {
    match args.first() {
        Some(other) if value.is_none() => Ok(other.clone()),
        _ => filters::default(state, &value, args),
    }
}

/// A part that is NULL is nowhere in the text.
#[expect(clippy::needless_pass_by_value, reason = "minijinja calls filters with owned values")]
fn replace(value: Value, from: Value, to: Value) -> Result<Value, Error> {
    look(&value)?;
    let (value, part, to) = (text(&value)?, text(&from)?, text(&to)?);
    if from.is_none() {
        return Ok(Value::from(value.as_ref()));
    }
    within(value.matches(part.as_ref()).count().saturating_mul(to.len()).saturating_add(value.len()))?;
    Ok(Value::from(value.replace(part.as_ref(), &to)))
}

#[expect(clippy::needless_pass_by_value, reason = "minijinja calls filters with owned values")]
fn join(values: Value, between: Option<Value>, attribute: Option<String>, options: Kwargs) -> Result<Value, Error> {
    let between = between.map_or_else(|| options.get::<Option<Value>>("d"), |between| Ok(Some(between)))?;
    let attribute =
        attribute.map_or_else(|| options.get::<Option<String>>("attribute"), |attribute| Ok(Some(attribute)))?;
    options.assert_all_used()?;
    let between = between.as_ref().map(text).transpose()?.unwrap_or_default();
    let mut joined = String::new();
    for (at, item) in null_as_text(values)?.try_iter()?.enumerate() {
        spend(between.len())?;
        let item = match &attribute {
            Some(path) => path.split('.').try_fold(item, |item, name| item.get_attr(name))?,
            None => item,
        };
        if at > 0 {
            joined.push_str(&between);
        }
        let item = text(&item)?;
        spend(item.len())?;
        joined.push_str(&item);
        is_short(joined.len())?;
    }
    Ok(Value::from(joined))
}

fn indent(state: &mut State, engine: &Value, value: Value, rest: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let value = as_text(value)?;
    let rest = rest.into_values();
    let given = rest.first().filter(|first| !first.is_kwargs()).cloned();
    let named = rest.last().and_then(|last| last.get_attr("width").ok()).filter(|width| !width.is_undefined());
    let width = given.or(named).and_then(|width| usize::try_from(width).ok()).unwrap_or_default();
    let lines = value.as_str().map_or(0, |text| text.split('\n').count());
    within(lines.saturating_mul(width))?;
    engine.call(state, &[vec![value], rest].concat())
}

/// What `%s` writes is given as a text. NULL is refused where a number is wanted.
#[expect(clippy::needless_pass_by_value, reason = "minijinja calls filters with owned values")]
fn format(state: &mut State, engine: &Value, form: Value, rest: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    look(&form)?;
    let form = text(&form)?.into_owned();
    let mut args = rest.into_values();
    let mut next = 0;
    let mut chars = form.char_indices().peekable();
    while let Some((start, char)) = chars.next() {
        if char != '%' {
            continue;
        }
        let mut name = None;
        while let Some((at, part)) = chars.next() {
            match part {
                '(' => {
                    let end = form[at..].find(')').map_or(form.len(), |length| at + length);
                    name = Some(form[at + 1..end].to_owned());
                    while chars.next_if(|(at, _)| *at <= end).is_some() {}
                }
                '*' => next += 1,
                '#' | '0'..='9' | '-' | ' ' | '+' | '.' | ',' | '_' | 'h' | 'l' | 'L' => {}
                '%' => break,
                conversion => {
                    is_narrow(&form[start..at])?;
                    let place = if name.is_some() { 0 } else { next };
                    next += 1;
                    if let Some(arg) = args.get_mut(place) {
                        *arg = formatted(arg, name.as_deref(), conversion)?;
                    }
                    break;
                }
            }
        }
    }
    for width in &args {
        // As `%*d` takes it. Whatever else is so large is no width, and has its own digits in the record.
        if usize::try_from(width.clone()).is_ok_and(|width| width > WIDTH_MAX) && form.contains('*') {
            return Err(too_wide());
        }
    }
    for argument in &args {
        look(argument)?;
    }
    args.insert(0, Value::from(form));
    let made = engine.call(state, &args)?;
    look(&made)?;
    Ok(made)
}

#[cold]
fn too_wide() -> Error {
    refuse(format!("no field is wider than {WIDTH_MAX} characters"))
}

/// Refuses a width or a number of digits that no record needs.
fn is_narrow(conversion: &str) -> Result<(), Error> {
    let parts = conversion.split(|char: char| !char.is_ascii_digit());
    for part in parts.filter(|part| !part.is_empty()) {
        if part.parse::<usize>().map_or(true, |width| width > WIDTH_MAX) {
            return Err(too_wide());
        }
    }
    Ok(())
}

/// An argument of `format` as its conversion takes it. With a name, the argument holds values by name.
fn formatted(arg: &Value, name: Option<&str>, conversion: char) -> Result<Value, Error> {
    if let Some(name) = name {
        let mut all = Vec::new();
        for key in arg.try_iter()? {
            let value = arg.get_item(&key)?;
            let is_it = key.as_str() == Some(name);
            all.push((key.to_string(), if is_it { formatted(&value, None, conversion)? } else { value }));
        }
        return Ok(if arg.is_kwargs() { Kwargs::from_iter(all).into() } else { Value::from_iter(all) });
    }
    match conversion {
        's' | 'r' => Ok(Value::from(text(arg)?.as_ref())),
        _ if arg.is_none() => Err(refuse(format!("NULL and `%{conversion}` of `format` {MISFIT}{NULL_ADVICE}"))),
        _ => match arg.downcast_object_ref::<Number>() {
            Some(_) => Err(refuse(format!(
                "a decimal and `%{conversion}` of `format` {MISFIT}; write it with `| number('0.00')`, or make it whole with `| int`"
            ))),
            None => Ok(arg.clone()),
        },
    }
}
