//! Slices in templates: `text[:4]`, `list[::-1]`.
//!
//! The template engine's own slices are not used, since it does not find the variables in them.

use super::budget::look;
use super::exact::{MISFIT, Number};
use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind};

#[cold]
fn refuse(why: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, why)
}

/// Part of a text or a list. A bound that is `false` is left out. NULL is the empty text.
#[expect(clippy::needless_pass_by_value, reason = "minijinja calls functions with owned values")]
pub(super) fn slice(value: Value, start: Value, stop: Value, step: Value) -> Result<Value, Error> {
    let bounds = Bounds { start: bound(&start)?, stop: bound(&stop)?, step: bound(&step)?.unwrap_or(1) };
    if bounds.step == 0 {
        return Err(refuse("a slice cannot go in steps of 0".to_owned()));
    }
    look(&value)?;
    match value.kind() {
        ValueKind::None => Ok(Value::from("")),
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::String => {
            let chars: Vec<char> = value.as_str().unwrap_or_default().chars().collect();
            Ok(Value::from(bounds.places(chars.len()).filter_map(|at| chars.get(at)).collect::<String>()))
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let items: Vec<Value> = value.try_iter()?.collect();
            Ok(bounds.places(items.len()).filter_map(|at| items.get(at).cloned()).collect())
        }
        _ => {
            let what = if Number::of(&value).is_some() { "number" } else { "value" };
            Err(refuse(format!(
                "a {what} and a slice {MISFIT}: {} is no text; make it one with `| string`",
                super::shown(&value.to_string())
            )))
        }
    }
}

/// A bound. `None` when it is left out.
fn bound(value: &Value) -> Result<Option<i64>, Error> {
    match value.kind() {
        ValueKind::Bool => Ok(None),
        ValueKind::Number if value.is_integer() => i64::try_from(value.clone()).map(Some),
        _ => Err(refuse(format!(
            "{} and a slice {MISFIT}: its bounds are whole numbers",
            super::shown(&value.to_string())
        ))),
    }
}

struct Bounds {
    start: Option<i64>,
    stop: Option<i64>,
    step: i64,
}

impl Bounds {
    /// The places that are taken of so many.
    fn places(&self, length: usize) -> impl Iterator<Item = usize> + use<> {
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        let forward = self.step > 0;
        let (first, last) = if forward { (0, length) } else { (-1, length - 1) };
        let place = |bound: i64| if bound < 0 { bound.saturating_add(length).max(first) } else { bound.min(last) };
        let start = self.start.map_or(if forward { first } else { last }, place);
        let stop = self.stop.map_or(if forward { last } else { first }, place);
        let step = self.step;
        std::iter::successors(Some(start), move |at| at.checked_add(step))
            .take_while(move |at| if forward { *at < stop } else { *at > stop })
            .filter_map(|at| usize::try_from(at).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_those_of_python() {
        let none = || Value::from(false);
        let at = |bound: i64| Value::from(bound);
        for (start, stop, step, taken) in [
            (none(), at(4), none(), "2026"),
            (at(5), at(7), none(), "11"),
            (at(-2), none(), none(), "21"),
            (none(), none(), at(-1), "12-11-6202"),
            (at(20), none(), none(), ""),
            (none(), at(-6), none(), "2026"),
            (at(3), none(), at(-1), "6202"),
            (at(3), at(0), at(-2), "60"),
            (none(), at(99), at(3), "2611"),
            (at(-99), at(2), none(), "20"),
            (at(i64::MIN), at(i64::MAX), at(i64::MAX), "2"),
            (none(), none(), at(i64::MIN), "1"),
            (at(7), at(5), none(), ""),
        ] {
            let shown = format!("{start}:{stop}:{step}");
            assert_eq!(slice(Value::from("2026-11-21"), start, stop, step).unwrap().as_str(), Some(taken), "{shown}");
        }
        assert_eq!(slice(Value::from(()), none(), at(4), none()).unwrap().as_str(), Some(""));
        assert!(slice(Value::from("abc"), Value::from(()), none(), none()).is_err());
        assert!(slice(Value::from("abc"), none(), none(), at(0)).is_err());
    }
}
