//! What is wrong with a data source: every field's fault at once.

use std::fmt;
use std::ops::Range;

/// What is wrong with one field.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The field, as a JSON pointer: `/cronExpression`. Empty for the whole.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: String,
    /// Which characters of the field's text, counted from 0.
    pub at: Option<Range<usize>>,
}

impl Fault {
    /// `, at character 4`, counted from 1 as people do. Empty where it is about the whole field.
    pub fn place(&self) -> String {
        match &self.at {
            Some(at) if at.end > at.start + 1 => format!(", at characters {} to {}", at.start + 1, at.end),
            Some(at) => format!(", at character {}", at.start + 1),
            None => String::new(),
        }
    }
}

/// Everything that is wrong. Never empty.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    /// A line for people: each field with its fault.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            let between = if index == 0 { "" } else { "; " };
            let field = fault.pointer.trim_start_matches('/');
            write!(
                f,
                "{between}{field}{}{}{} ({})",
                if field.is_empty() { "" } else { ": " },
                fault.message,
                fault.place(),
                fault.hint
            )?;
        }
        Ok(())
    }
}
