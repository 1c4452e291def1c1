//! Holds a worker file's columns against those that the view really has.

use super::Loaded;
use super::at::At;
use super::problem::ConfigError;
use super::redact::masked_in_place;
use super::suggest::{listed, nearest};
use super::tree::Value;
use crate::core::model::column::Column;

/// More names than this are no help in a hint.
const LISTED_MAX: usize = 12;

impl Loaded {
    /// Whether the view has every column that the worker file names, in just that spelling.
    ///
    /// # Errors
    /// Every column that it does not have, with its place and the nearest that it has.
    pub fn check_columns(&self, view: &[Column]) -> Result<(), ConfigError> {
        let problems = self.with_root(|root| {
            let check = Check { view };
            root.section("source").section("key").items().iter().for_each(|at| check.name(at));
            for file in root.section("files").items() {
                check.translator(&file.section("translator"));
            }
            root.context.problems.take()
        });
        if problems.is_empty() {
            return Ok(());
        }
        let problems = problems.into_sorted();
        Err(ConfigError { path: self.path.clone(), problems, masked_text: Some(masked_in_place(&self.text)) })
    }
}

struct Check<'a> {
    view: &'a [Column],
}

impl Check<'_> {
    /// The built-in translators; one that is registered by name looks at its columns itself, when it is bound.
    fn translator(&self, at: &At<'_>) {
        for name in ["delimited", "fixed_width", "template"] {
            at.section(name).section("columns").items().iter().for_each(|at| self.column(at));
        }
        self.fields(&at.section("json").section("fields"));
    }

    fn column(&self, at: &At<'_>) {
        match at.field("column") {
            Some(name) => self.name(&name),
            None => self.name(at),
        }
    }

    fn fields(&self, at: &At<'_>) {
        at.entries().iter().for_each(|(name, node)| self.node(&at.below(name, node)));
    }

    fn node(&self, at: &At<'_>) {
        match at.value() {
            Some(Value::Map(_)) if at.field("column").is_none() && at.field("literal").is_none() => self.fields(at),
            Some(Value::List(_)) => at.items().iter().for_each(|at| self.node(at)),
            _ => self.column(at),
        }
    }

    fn name(&self, at: &At<'_>) {
        let Some(name) = at.text() else { return };
        if self.view.iter().any(|column| column.name == name) {
            return;
        }
        let names = || self.view.iter().map(|column| column.name.as_str());
        let hint = match nearest(name, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if self.view.len() <= LISTED_MAX => format!("it has {}", listed(names())),
            None => format!("it has {} and {} more", listed(names().take(LISTED_MAX)), self.view.len() - LISTED_MAX),
        };
        at.note("unknown-column", format!("the view has no column {}", at.shown()), hint);
    }
}
