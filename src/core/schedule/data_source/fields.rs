//! The fields of a JSON object, taken one by one; what is wrong with each is kept.

use super::fault::{Fault, Faults};
use crate::core::model::as_text::read_duration;
use crate::core::model::data_source::Words;
use crate::core::model::shown;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

/// Most faults that are told: what has more of them is no data source.
const FAULTS_MAX: usize = 50;

/// A JSON object that is read field by field.
pub(super) struct Fields<'a> {
    given: &'a Map<String, Value>,
    /// Its place in the whole: `action/discover`. Empty for the whole.
    at: &'static str,
    known: BTreeSet<&'static str>,
    faults: Vec<Fault>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(given: &'a Map<String, Value>) -> Self {
        Self::below("", given)
    }

    pub(super) fn below(at: &'static str, given: &'a Map<String, Value>) -> Self {
        Self { given, at, known: BTreeSet::new(), faults: Vec::new() }
    }

    /// A field's value. `null` counts as left out.
    pub(super) fn take(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.insert(name);
        self.given.get(name).filter(|value| !value.is_null())
    }

    /// A text of at most so many characters.
    pub(super) fn text(&mut self, name: &'static str, most: usize) -> Option<String> {
        let Some(text) = self.take(name)?.as_str() else {
            self.refuse(name, format!("{name} is no text"), "write it in double quotes");
            return None;
        };
        if text.chars().count() > most {
            self.refuse(name, format!("{name} is longer than {most} characters"), "write less");
            return None;
        }
        Some(text.to_owned())
    }

    /// As [`text`](Self::text); left out, it is a fault.
    pub(super) fn required(&mut self, name: &'static str, most: usize) -> Option<String> {
        if self.take(name).is_none() {
            self.refuse(name, format!("{name} is missing"), "give it");
        }
        self.text(name, most)
    }

    pub(super) fn flag(&mut self, name: &'static str) -> Option<bool> {
        let flag = self.take(name)?.as_bool();
        if flag.is_none() {
            self.refuse(name, format!("{name} is neither true nor false"), "write true or false without quotes");
        }
        flag
    }

    pub(super) fn whole(&mut self, name: &'static str, most: u32) -> Option<u32> {
        let number = self.take(name)?.as_u64().and_then(|number| u32::try_from(number).ok());
        let number = number.filter(|number| *number <= most);
        if number.is_none() {
            self.refuse(name, format!("{name} is no whole number up to {most}"), "write digits without quotes");
        }
        number
    }

    pub(super) fn choice<T: Words>(&mut self, name: &'static str) -> Option<T> {
        let choice = self.take(name)?.as_str().and_then(T::parse);
        if choice.is_none() {
            let words: Vec<&str> = T::ALL.iter().map(|(_, word)| *word).collect();
            self.refuse(name, format!("{name} has no such choice"), format!("write {}", words.join(", ")));
        }
        choice
    }

    pub(super) fn duration(&mut self, name: &'static str) -> Option<Duration> {
        let time = self.take(name)?.as_str().and_then(read_duration);
        if time.is_none() {
            self.refuse(name, format!("{name} is no time with its unit"), "write 2s, 500ms or 1m");
        }
        time
    }

    pub(super) fn refuse(&mut self, name: &str, message: impl Into<String>, hint: impl Into<String>) {
        self.refuse_at(name, message, hint, None);
    }

    pub(super) fn refuse_at(
        &mut self,
        name: &str,
        message: impl Into<String>,
        hint: impl Into<String>,
        at: Option<Range<usize>>,
    ) {
        let between = if self.at.is_empty() { "" } else { "/" };
        let pointer = format!("{between}{}/{name}", self.at);
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(Fault { pointer, message: message.into(), hint: hint.into(), at });
        }
    }

    /// Refuses what is none of the fields that were taken, and none of `kept`.
    pub(super) fn refuse_others(&mut self, kept: &[&str]) {
        let given = self.given;
        let is_other = |name: &&String| !kept.contains(&name.as_str()) && !self.known.contains(name.as_str());
        let others: Vec<&String> = given.keys().filter(is_other).collect();
        for name in others {
            let near = self
                .known
                .iter()
                .max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)));
            let hint = match near {
                Some(near) if strsim::jaro_winkler(near, name) > 0.8 => format!("did you mean {near}?"),
                _ => format!("there are {}", self.known.iter().copied().collect::<Vec<_>>().join(", ")),
            };
            let shown = shown::text(&name.chars().take(60).collect::<String>());
            // In a JSON pointer, these two are written otherwise.
            self.refuse(&shown.replace('~', "~0").replace('/', "~1"), format!("there is no field {shown}"), hint);
        }
    }

    /// Takes over what is wrong with a part.
    pub(super) fn absorb(&mut self, part: Fields<'_>) {
        self.faults.extend(part.faults);
    }

    /// The value, if nothing was wrong.
    pub(super) fn end<T>(self, value: T) -> Result<T, Faults> {
        if self.faults.is_empty() { Ok(value) } else { Err(Faults(self.faults)) }
    }
}
