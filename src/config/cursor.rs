//! A place in the worker file's tree: its value, its name for people, and where to point when something is wrong.

use super::grammar::{Presence, Section};
use super::problem::{Problem, Problems, Span};
use super::receivers::Setting;
use super::redact::looks_secret;
use super::tree::{Name, Node, Scalar, Value};
use super::values;
use super::vars::{VarFault, Vars, value};
use crate::core::generate::translate::Registry;
use crate::core::model::peer::MASK;
use crate::core::model::shown::Shown;
use std::borrow::Cow;
use std::cell::RefCell;
use std::path::Path;
use std::time::Duration;

/// Longest piece of a value that a message repeats, in characters.
const SHOWN_MAX: usize = 60;

/// A shape of values that only one kind of file has.
#[derive(Debug)]
pub(super) struct OwnShape {
    /// As the grammar and the JSON Schema call it.
    pub(super) name: &'static str,
    /// Notes everything that is wrong with a value.
    pub(super) check: fn(&Cursor<'_>),
}

/// What all places of one file share.
pub(super) struct Context<'a> {
    /// The whole file.
    pub(super) text: &'a str,
    pub(super) vars: &'a dyn Vars,
    /// The worker file's folder: relative paths start here.
    pub(super) folder: &'a Path,
    pub(super) registry: &'a Registry,
    /// What people call a file of this kind.
    pub(super) noun: &'static str,
    /// The shapes that only this kind of file has.
    pub(super) shapes: &'static [OwnShape],
    pub(super) problems: RefCell<Problems>,
    /// Fields whose value is an environment variable's because the file leaves them out.
    pub(super) fallbacks: RefCell<Vec<(String, &'static str)>>,
    /// Fields whose value is a receiver's because the file leaves them out.
    pub(super) presets: RefCell<Vec<(String, &'static str)>>,
}

/// A place; it may hold nothing, where defaults apply.
#[derive(Clone)]
pub(super) struct Cursor<'a> {
    pub(super) context: &'a Context<'a>,
    node: Option<&'a Node>,
    /// `files[0].name`; empty for the whole file.
    pub(super) path: String,
    span: Span,
}

impl<'a> Cursor<'a> {
    /// The whole file.
    pub(super) fn root(context: &'a Context<'a>, node: &'a Node) -> Self {
        Self { context, node: Some(node), path: String::new(), span: first_span(node) }
    }

    /// Notes what is wrong here.
    pub(super) fn report(&self, code: &'static str, message: impl Into<String>, hint: impl Into<String>) {
        self.report_at(self.span, code, message, hint);
    }

    /// Notes what is wrong with a name in this section.
    pub(super) fn report_at(
        &self,
        span: Span,
        code: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let mut problems = self.context.problems.borrow_mut();
        if !problems.is_full() {
            problems.report(self.problem(span, code, message.into(), hint.into()));
        }
    }

    /// Notes what is wrong here, in a message whose foreign parts are harmless already, such as an address without its login.
    pub(super) fn report_harmless(&self, code: &'static str, message: String, hint: &str) {
        let mut problems = self.context.problems.borrow_mut();
        if !problems.is_full() {
            problems.report_harmless(self.problem(self.span, code, message, hint.to_owned()));
        }
    }

    fn problem(&self, span: Span, code: &'static str, message: String, hint: String) -> Problem {
        let field = (!self.path.is_empty()).then(|| self.path.clone());
        Problem { code, message, hint, field, place: Some(span.place(self.context.text)) }
    }

    /// What stands here. `None` also where a problem is already noted.
    pub(super) fn value(&self) -> Option<&'a Value> {
        self.node.map(|node| &node.value)
    }

    /// The names and values here. Empty when this is no section.
    pub(super) fn entries(&self) -> &'a [(Name, Node)] {
        match self.value() {
            Some(Value::Map(entries)) => entries,
            _ => &[],
        }
    }

    /// The value of a name, when the file gives one.
    pub(super) fn field(&self, name: &str) -> Option<Cursor<'a>> {
        let (name, node) = self.entries().iter().find(|(other, _)| other.text == name)?;
        Some(self.below(name, node))
    }

    /// The place of one entry.
    pub(super) fn below(&self, name: &Name, node: &'a Node) -> Cursor<'a> {
        let span = if matches!(node.value, Value::Scalar(_) | Value::Broken) { node.span } else { name.span };
        Cursor { context: self.context, node: Some(node), path: self.join(&name.text), span }
    }

    /// The place of one entry whose name is another program's: one without a value is shown nowhere.
    pub(super) fn foreign(&self, name: &Name, node: &'a Node) -> Cursor<'a> {
        let at = self.below(name, node);
        if matches!(node.value, Value::Null) { Cursor { path: self.join(MASK), ..at } } else { at }
    }

    /// The place of a path with names and numbers in it: `deliver.filters[0].age`.
    pub(super) fn place(&self, path: &str) -> Cursor<'a> {
        path.split('.').fold(self.clone(), |at, part| {
            let (name, index) = part.strip_suffix(']').and_then(|part| part.split_once('[')).unwrap_or((part, ""));
            let at = at.section(name);
            let item = index.parse::<usize>().ok().and_then(|index| at.items().into_iter().nth(index));
            item.unwrap_or(at)
        })
    }

    /// The value of a name, or a place without a value, where defaults apply.
    pub(super) fn section(&self, name: &str) -> Cursor<'a> {
        match self.field(name) {
            Some(at) if at.value() != Some(&Value::Null) => at,
            _ => Cursor { context: self.context, node: None, path: self.join(name), span: self.span },
        }
    }

    /// The values of a list; a single value counts as a list of one.
    pub(super) fn items(&self) -> Vec<Cursor<'a>> {
        match self.node {
            Some(Node { value: Value::List(items), .. }) => {
                let item = |(index, node): (usize, &'a Node)| Cursor {
                    context: self.context,
                    node: Some(node),
                    path: format!("{}[{index}]", self.path),
                    span: first_span(node),
                };
                items.iter().enumerate().map(item).collect()
            }
            Some(Node { value: Value::Scalar(_), .. }) => vec![self.clone()],
            _ => Vec::new(),
        }
    }

    /// The path of a name in this section.
    pub(super) fn join(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// The line that it stands on.
    pub(super) fn line(&self) -> usize {
        self.span.place(self.context.text).line
    }

    /// The last part of the path, for messages.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or_default()
    }

    /// The value in one piece.
    pub(super) fn scalar(&self) -> Option<&'a Scalar> {
        match self.value() {
            Some(Value::Scalar(scalar)) => Some(scalar),
            _ => None,
        }
    }

    /// The value as text.
    pub(super) fn text(&self) -> Option<&'a str> {
        self.scalar().map(|scalar| scalar.text.as_str())
    }

    /// The value for a message: short, and without text from the environment, which may be a secret.
    pub(super) fn shown(&self) -> String {
        let text = match self.value() {
            Some(Value::Scalar(scalar)) if !scalar.variables.is_empty() => {
                return format!("the value of `${{{}}}`", scalar.variables.join("}`, `${"));
            }
            Some(Value::Scalar(scalar)) if looks_secret(&scalar.text) => MASK,
            Some(Value::Scalar(scalar)) => scalar.text.as_str(),
            Some(Value::List(_)) => return "a list".to_owned(),
            Some(Value::Map(_)) => return "a section".to_owned(),
            _ => return "nothing".to_owned(),
        };
        // A backslash of the text is no escape.
        format!("`{}`", Shown(&text.replace('\\', "\\\\"), SHOWN_MAX))
    }

    /// Reads the fields of a section. Environment variables and defaults stand in for missing fields.
    pub(super) fn read(&self, section: &'static Section) -> Fields<'a> {
        Fields { at: self.clone(), section, receiver: None }
    }

    /// The same. What the receiver says comes before the defaults.
    pub(super) fn read_for(
        &self,
        section: &'static Section,
        receiver: Option<(&'static str, &'static [Setting])>,
    ) -> Fields<'a> {
        Fields { at: self.clone(), section, receiver }
    }
}

/// A collection's first piece: what to point at, since a collection itself may be many lines long.
fn first_span(node: &Node) -> Span {
    match &node.value {
        Value::Map(entries) => entries.first().map_or(node.span, |(name, _)| name.span),
        Value::List(items) => items.first().map_or(node.span, first_span),
        _ => node.span,
    }
}

/// A section under the rules of its grammar. Whatever is wrong with a single value is already noted, so a value that
/// does not fit is simply `None` here.
pub(super) struct Fields<'a> {
    pub(super) at: Cursor<'a>,
    section: &'static Section,
    /// A receiver's name, and what it says of these fields.
    receiver: Option<(&'static str, &'static [Setting])>,
}

impl<'a> Fields<'a> {
    /// The value's text: the file's, the receiver's, the environment's or the default.
    pub(super) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        if let Some(at) = self.at.field(name) {
            return at.text().map(Cow::Borrowed);
        }
        if let Some(value) = self.preset(name) {
            return Some(Cow::Borrowed(value));
        }
        match self.section.field(name)?.presence {
            Presence::Default(default) => Some(Cow::Borrowed(default)),
            Presence::Environment(variable, default) => {
                self.fallback(name, variable).map(Cow::Owned).or(default.map(Cow::Borrowed))
            }
            Presence::EnvironmentAny(variables, default) => {
                let set = variables.iter().find_map(|variable| self.fallback(name, variable));
                set.map(Cow::Owned).or(default.map(Cow::Borrowed))
            }
            Presence::EnvironmentOrComputed(variables) => {
                variables.iter().find_map(|variable| self.fallback(name, variable)).map(Cow::Owned)
            }
            Presence::Required | Presence::RequiredInSection | Presence::RequiredUnless(_) | Presence::Optional => None,
        }
    }

    /// What the receiver says of a field that the file leaves out.
    fn preset(&self, name: &str) -> Option<&'static str> {
        let (receiver, settings) = self.receiver?;
        let value = settings.iter().find(|setting| setting.name == name)?.value?;
        self.at.context.presets.borrow_mut().push((self.at.join(name), receiver));
        Some(value)
    }

    /// An environment variable that stands in for a field.
    fn fallback(&self, name: &str, variable: &'static str) -> Option<String> {
        let value = self.variable(name, variable)?;
        self.at.context.fallbacks.borrow_mut().push((self.at.join(name), variable));
        Some(value)
    }

    /// An environment variable, perhaps from the file that its `_FILE` names; empty counts as not set, as deployments often mean it. What
    /// is wrong with that file is noted at a field.
    pub(super) fn variable(&self, name: &str, variable: &str) -> Option<String> {
        match value(variable, self.at.context.vars) {
            Ok(value) => value?.into_string().ok().filter(|value| !value.is_empty()),
            Err(VarFault::File(file_variable, why)) => {
                let message = format!("the file that {file_variable} names cannot be used: {why}");
                let hint = format!("correct {file_variable}, or the file's rights");
                self.place(name).report_harmless("variable-file", message, &hint);
                None
            }
            Err(_) => None,
        }
    }

    /// Where to point for a field: its value, or the section when the file leaves it out.
    pub(super) fn place(&self, name: &str) -> Cursor<'a> {
        self.at.section(name)
    }

    pub(super) fn owned(&self, name: &str) -> Option<String> {
        self.text(name).map(Cow::into_owned)
    }

    pub(super) fn whole(&self, name: &str) -> Option<u64> {
        values::whole(&self.text(name)?)
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        values::flag(&self.text(name)?)
    }

    pub(super) fn size(&self, name: &str) -> Option<u64> {
        values::size(&self.text(name)?)
    }

    pub(super) fn days(&self, name: &str) -> Option<u32> {
        values::days(&self.text(name)?)
    }

    pub(super) fn duration(&self, name: &str) -> Option<Duration> {
        values::duration(&self.text(name)?)
    }
}
