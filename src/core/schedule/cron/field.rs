//! One field of an expression: numbers, names, lists, ranges that may wrap, and steps.

use super::word::{ExpressionError, Word};
use super::{YEAR_MAX, YEAR_MIN};

/// What a field counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    /// As in a message: "the minute".
    pub(super) name: &'static str,
    pub(super) min: u32,
    pub(super) max: u32,
    /// The largest step that says anything.
    pub(super) step_max: u32,
    /// The names for `min`, `min + 1` and so on. Their first three letters do, too.
    pub(super) names: &'static [&'static str],
}

pub(super) const SECOND: Field = Field { name: "second", min: 0, max: 59, step_max: 59, names: &[] };
pub(super) const MINUTE: Field = Field { name: "minute", min: 0, max: 59, step_max: 59, names: &[] };
pub(super) const HOUR: Field = Field { name: "hour", min: 0, max: 23, step_max: 23, names: &[] };
pub(super) const DAY: Field = Field { name: "day of the month", min: 1, max: 31, step_max: 31, names: &[] };
pub(super) const MONTH: Field = Field { name: "month", min: 1, max: 12, step_max: 12, names: &MONTHS };
pub(super) const WEEKDAY: Field = Field { name: "day of the week", min: 1, max: 7, step_max: 7, names: &WEEKDAYS };
pub(super) const YEAR: Field = Field { name: "year", min: YEAR_MIN, max: YEAR_MAX, step_max: 99, names: &[] };

const MONTHS: [&str; 12] = [
    "JANUARY",
    "FEBRUARY",
    "MARCH",
    "APRIL",
    "MAY",
    "JUNE",
    "JULY",
    "AUGUST",
    "SEPTEMBER",
    "OCTOBER",
    "NOVEMBER",
    "DECEMBER",
];
const WEEKDAYS: [&str; 7] = ["SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY"];

impl Field {
    /// A field of numbers up to 63, as a set of bits.
    ///
    /// # Errors
    /// An element that is none.
    pub(super) fn set(&self, word: Word<'_>) -> Result<u64, ExpressionError> {
        let mut set = 0;
        for element in word.elements() {
            self.each(element, &mut |value| set |= 1_u64 << value)?;
        }
        if set == 0 { Err(self.no_element(word)) } else { Ok(set) }
    }

    /// Hands each value of one element to `take`.
    ///
    /// # Errors
    /// What the element lacks, or has too much of.
    pub(super) fn each(&self, element: Word<'_>, take: &mut dyn FnMut(u32)) -> Result<(), ExpressionError> {
        let (base, step) = match element.split_once('/') {
            Some((base, step)) => (base, Some(self.step(step)?)),
            None => (element, None),
        };
        let (first, last) = if matches!(base.text, "*" | "") {
            (self.min, self.max)
        } else if let Some((first, last)) = base.split_once('-') {
            (self.value(first, element)?, self.value(last, element)?)
        } else {
            let value = self.value(base, element)?;
            // A step of 0 is none, as Quartz has it.
            (value, if step.is_some_and(|step| step > 0) { self.max } else { value })
        };
        if step.is_some() && base.text.contains(|char: char| char.is_ascii_alphabetic()) {
            let base =
                if first == last || !base.text.contains('-') { first.to_string() } else { format!("{first}-{last}") };
            let step = step.unwrap_or_default();
            return Err(element.error(
                format!("\"{}\" has a step behind a name, which Quartz drops without a word", element.text),
                format!("write {base}/{step}"),
            ));
        }
        self.range(first, last, step.unwrap_or(1).max(1), element, take)
    }

    /// Each value from `first` to `last`; a range that ends before it begins goes on at the lowest value.
    fn range(
        &self,
        first: u32,
        last: u32,
        step: u32,
        element: Word<'_>,
        take: &mut dyn FnMut(u32),
    ) -> Result<(), ExpressionError> {
        let count = self.max - self.min + 1;
        let end = if last >= first {
            last
        } else if count > 100 {
            return Err(element.error(
                format!("\"{}\" ends before it begins", element.text),
                format!("write {last}-{first}, or two ranges"),
            ));
        } else {
            last + count
        };
        for value in (first..=end).step_by(step as usize) {
            take(if value > self.max { value - count } else { value });
        }
        Ok(())
    }

    fn step(&self, step: Word<'_>) -> Result<u32, ExpressionError> {
        match step.number() {
            Some(value) if value <= self.step_max => Ok(value),
            Some(value) => Err(step.error(
                format!("a step of {value} is too large for the {}", self.name),
                format!("write at most {}, or name the values", self.step_max),
            )),
            None => Err(step.error(
                format!("\"{}\" is no step", step.text),
                format!("write a number from 1 to {} behind the slash", self.step_max),
            )),
        }
    }

    /// One value: a number, or a name. `element` is what it stands in.
    ///
    /// # Errors
    /// A text that is neither, or a number outside the range.
    pub(super) fn value(&self, word: Word<'_>, element: Word<'_>) -> Result<u32, ExpressionError> {
        if let Some(value) = word.number() {
            if (self.min..=self.max).contains(&value) {
                return Ok(value);
            }
            let hint = match (self.name, value) {
                ("day of the week", 0 | 8) => "write 1 to 7: 1 is SUN, 7 is SAT".to_owned(),
                _ => format!("write {} to {}", self.min, self.max),
            };
            return Err(word.error(format!("there is no {} {value}", self.name), hint));
        }
        let is = |name: &&str| word.text.eq_ignore_ascii_case(name) || word.text.eq_ignore_ascii_case(&name[..3]);
        match (self.min..).zip(self.names).find(|(_, name)| is(name)) {
            Some((value, _)) => Ok(value),
            None if word.text.is_empty() => Err(self.no_element(element)),
            None => Err(self.no_element(word)),
        }
    }

    fn no_element(&self, word: Word<'_>) -> ExpressionError {
        let text = word.text;
        let near = self.names.iter().map(|name| &name[..3]).find(|name| {
            text.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(name))
                && text.chars().all(char::is_alphanumeric)
        });
        let hint = match near {
            Some(name) => format!("write {name}"),
            None if self.names.is_empty() => {
                format!("write {} to {}, a list (1,3), a range (1-3), a step (1/3) or *", self.min, self.max)
            }
            None => format!(
                "write {} to {}, {} to {}, a list, a range or *",
                self.min,
                self.max,
                &self.names[0][..3],
                &self.names[self.names.len() - 1][..3]
            ),
        };
        word.error(format!("\"{text}\" is no {}", self.name), hint)
    }
}
