//! A JSON Schema, and what it says of a value: in its own words, never in the value's.

use crate::core::model::shown;
use crate::files;
use jsonschema::error::ValidationErrorKind;
use jsonschema::paths::LocationSegment;
use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value;
use std::collections::HashSet;
use std::path::Path;

/// Largest file of a schema, in bytes.
const SCHEMA_MAX: u64 = 1 << 20;

/// Longest value of a schema that a reason shows, in bytes.
const WORDS_MAX: usize = 120;

pub(super) struct Schema {
    whole: Value,
    validator: Validator,
    /// Names that the schema has: others come from the content, and are not told.
    names: HashSet<String>,
}

impl Schema {
    /// Reads a file.
    ///
    /// # Errors
    /// Why it is no schema that can be used.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let bytes =
            files::read(path, SCHEMA_MAX).map_err(|error| format!("the schema `{shown}` cannot be read: {error}"))?;
        let whole =
            serde_json::from_slice(&bytes).map_err(|error| format!("the schema `{shown}` is no JSON: {error}"))?;
        Self::new(whole).map_err(|why| format!("the schema `{shown}` cannot be used: {why}"))
    }

    /// # Errors
    /// Where it is no schema, or needs what is not in it.
    pub(super) fn new(whole: Value) -> Result<Self, String> {
        // Nothing is fetched, and a pattern takes no longer than the text is long.
        let options =
            jsonschema::options().offline().with_pattern_options(PatternOptions::regex()).should_validate_formats(true);
        let validator = options.build(&whole).map_err(|error| {
            let at = error.instance_path().as_str();
            let at = if at.is_empty() { String::new() } else { format!("at `{}`: ", shown::name(at)) };
            format!("{at}{}", shown::name(&error.to_string()))
        })?;
        let mut names = HashSet::new();
        gather(&whole, &mut names);
        Ok(Self { whole, validator, names })
    }

    /// # Errors
    /// What in the value is not as the schema says.
    pub(super) fn check(&self, value: &Value) -> Result<(), String> {
        self.validator.validate(value).map_err(|error| self.reason(&error))
    }

    fn reason(&self, error: &ValidationError<'_>) -> String {
        let at = self.place(error);
        let by = error.schema_path().as_str();
        match error.kind() {
            ValidationErrorKind::Required { property: Value::String(name) } => {
                format!("{at} lacks `{}`", shown::name(name))
            }
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                format!("{at} has names that the schema does not have: {}", unexpected.len())
            }
            _ => {
                let said = self.whole.pointer(by).map(Value::to_string).filter(|said| said.len() <= WORDS_MAX);
                let said = said.map_or_else(String::new, |said| format!(": {}", shown::name(&said)));
                format!("{at} is not as the schema's `{}` says{said}", shown::name(by))
            }
        }
    }

    /// Where in the value. A name that only the content has is `*`.
    fn place(&self, error: &ValidationError<'_>) -> String {
        let mut place = String::new();
        for segment in error.instance_path().segments() {
            place.push('/');
            match segment {
                LocationSegment::Index(index) => place.push_str(&index.to_string()),
                LocationSegment::Property(name) if self.names.contains(&*name) => {
                    place.push_str(&name.replace('~', "~0").replace('/', "~1"));
                }
                LocationSegment::Property(_) => place.push('*'),
            }
        }
        if place.is_empty() { "it".to_owned() } else { format!("`{}`", shown::name(&place)) }
    }
}

/// All names in a schema, and what its `required` lists.
fn gather(value: &Value, names: &mut HashSet<String>) {
    match value {
        Value::Object(entries) => {
            for (name, value) in entries {
                names.insert(name.clone());
                if let ("required", Value::Array(list)) = (name.as_str(), value) {
                    names.extend(list.iter().filter_map(|name| name.as_str().map(str::to_owned)));
                }
                gather(value, names);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| gather(item, names)),
        _ => {}
    }
}
