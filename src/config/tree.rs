//! YAML as a tree in which every value knows its place. Knows nothing of worker files.

use super::problem::{Problem, Problems, Span};
use super::redact::name_shown;
use super::vars::{VarFault, Vars, expand};
use granit_parser::{Event, Parser, ScalarStyle, options};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Values in one file, aliases counted as often as they are used: keeps a small file from growing without end.
const NODES_MAX: usize = 200_000;

/// Values within values. What is read from a tree recurses, so its depth is bounded.
const DEPTH_MAX: usize = 64;

/// A value and its place.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Node {
    pub(super) span: Span,
    pub(super) value: Value,
}

/// What stands in a place.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Value {
    /// Nothing: an empty place, `~` or `null` without quotes.
    Null,
    /// A text, number or flag: what it is is up to who asks for it.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// Names and values, in order, no name twice.
    Map(Vec<(Name, Node)>),
    /// Something about which a problem is already noted.
    Broken,
}

/// A value in one piece.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Scalar {
    /// With all references filled in.
    pub(super) text: String,
    /// Whether it stands without quotes and references.
    pub(super) plain: bool,
    /// The environment's part in it.
    pub(super) variables: Vec<String>,
}

/// The name before a value.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) span: Span,
}

/// A collection that is not yet closed.
struct Open {
    node: Node,
    size: Size,
    anchor: usize,
    /// The name whose value comes next, in a map.
    name: Option<Name>,
    names: HashMap<String, Span>,
    /// The name in hand is no name: its value is dropped.
    broken_name: bool,
}

/// How many values a value holds, itself among them, and how deep they lie.
#[derive(Clone, Copy)]
struct Size {
    nodes: usize,
    depth: usize,
}

const ONE: Size = Size { nodes: 1, depth: 1 };

struct Builder<'a> {
    text: &'a str,
    vars: &'a dyn Vars,
    problems: Problems,
    open: Vec<Open>,
    anchors: HashMap<usize, (Node, Size)>,
    nodes: usize,
    root: Option<Node>,
}

/// Reads one document. `None` when there is nothing in it, or nothing that can be read.
pub(super) fn parse(text: &str, vars: &dyn Vars) -> (Option<Node>, Problems) {
    let mut builder = Builder {
        text,
        vars,
        problems: Problems::default(),
        open: Vec::new(),
        anchors: HashMap::new(),
        nodes: 0,
        root: None,
    };
    let options = options! { emit_comments: false, flow_nesting_limit: DEPTH_MAX, block_nesting_limit: DEPTH_MAX };
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut documents = 0;
    while let Some(next) = parser.next_event() {
        let (event, span) = match next {
            Ok((event, span)) => {
                let range = span.byte_range().unwrap_or_default();
                (event, Span { start: range.start, end: range.end })
            }
            Err(error) => {
                let start = error.marker().byte_offset().unwrap_or_else(|| byte_of(text, error.marker().index()));
                builder.report(
                    "yaml",
                    Span { start, end: start },
                    format!("this is not YAML: {}", parsers_words(&error.info())),
                    YAML_HINT,
                );
                return (None, builder.problems);
            }
        };
        if matches!(event, Event::DocumentStart(..)) {
            documents += 1;
            if documents > 1 {
                let message = "a second document starts here, but a worker file holds one".to_owned();
                builder.report(
                    "several-documents",
                    span,
                    message,
                    "put each worker into a file of its own, without `---`",
                );
                return (None, builder.problems);
            }
        }
        if !builder.take(event, span) {
            return (None, builder.problems);
        }
    }
    (builder.root, builder.problems)
}

const YAML_HINT: &str = "look at indentation, colons and quotes here and on the line above";

impl Builder<'_> {
    fn report(&mut self, code: &'static str, span: Span, message: String, hint: &str) {
        if !self.problems.is_full() {
            let place = Some(span.place(self.text));
            self.problems.report(Problem { code, message, hint: hint.to_owned(), field: None, place });
        }
    }

    /// Takes one event; false when there is no point in going on.
    fn take(&mut self, event: Event<'_>, span: Span) -> bool {
        if event.tag().is_some_and(granit_parser::Tag::is_custom) {
            // The tag is not named: it may be the beginning of a password without quotes.
            let message = "a tag (`!…`) has no meaning here".to_owned();
            self.report("tag", span, message, "remove it, or put a value that begins with `!` in quotes");
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && tag.is_none();
                let fits = self.count(ONE, span);
                let value = self.scalar(&text, plain, span);
                self.put(Node { span, value }, ONE, anchor);
                fits
            }
            Event::SequenceStart(_, anchor, _) => self.open(Value::List(Vec::new()), span, anchor),
            Event::MappingStart(_, anchor, _) => self.open(Value::Map(Vec::new()), span, anchor),
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    self.put(open.node, open.size, open.anchor);
                }
                true
            }
            Event::Alias(anchor) => self.alias(anchor, span),
            _ => true,
        }
    }

    fn open(&mut self, value: Value, span: Span, anchor: usize) -> bool {
        let fits = self.count(ONE, span);
        self.open.push(Open {
            node: Node { span, value },
            size: ONE,
            anchor,
            name: None,
            names: HashMap::new(),
            broken_name: false,
        });
        fits
    }

    fn alias(&mut self, anchor: usize, span: Span) -> bool {
        let Some(size) = self.anchors.get(&anchor).map(|(_, size)| *size) else {
            let message = "this alias stands inside what it stands for".to_owned();
            self.report("alias", span, message, "write the value out");
            self.put(Node { span, value: Value::Broken }, ONE, 0);
            return true;
        };
        if !self.count(size, span) {
            return false;
        }
        if let Some((node, _)) = self.anchors.get(&anchor) {
            let value = node.value.clone();
            self.put(Node { span, value }, size, 0);
        }
        true
    }

    /// Counts values that come to where we are; false when they break a limit.
    fn count(&mut self, size: Size, span: Span) -> bool {
        self.nodes += size.nodes;
        if self.nodes <= NODES_MAX && self.open.len() + size.depth <= DEPTH_MAX {
            return true;
        }
        let message = format!("more than {NODES_MAX} values, or values more than {DEPTH_MAX} deep");
        self.report("too-large", span, message, "write less, or use fewer aliases");
        false
    }

    fn scalar(&mut self, text: &str, plain: bool, span: Span) -> Value {
        let is_name = matches!(
            self.open.last(),
            Some(Open { node: Node { value: Value::Map(_), .. }, name: None, broken_name: false, .. })
        );
        if is_name || !text.contains("${") {
            return match text {
                "~" | "null" | "Null" | "NULL" | "" if plain && !is_name => Value::Null,
                _ => Value::Scalar(Scalar { text: text.to_owned(), plain, variables: Vec::new() }),
            };
        }
        let expanded = expand(text, self.vars);
        if expanded.faults.is_empty() {
            let plain = plain && expanded.variables.is_empty();
            return Value::Scalar(Scalar { text: expanded.text, plain, variables: expanded.variables });
        }
        for fault in expanded.faults {
            let (code, message, hint) = match fault {
                VarFault::Missing(name) => (
                    "variable-unset",
                    format!("the environment variable `{name}` is not set"),
                    format!("set {name}, or give it a default: `${{{name}:-default}}`"),
                ),
                VarFault::File(name, why) => (
                    "variable-file",
                    format!("the file that {name} names cannot be used: {why}"),
                    format!("correct {name}, or the file's rights"),
                ),
                VarFault::NotText(name) => (
                    "variable-not-text",
                    format!("the environment variable `{name}` is not UTF-8"),
                    format!("set {name} to UTF-8 text"),
                ),
                // Not repeated: it may be part of a password.
                VarFault::Malformed => (
                    "variable-malformed",
                    "what stands behind `${` here does not name an environment variable".to_owned(),
                    "write `${NAME}` or `${NAME:-default}`; for the characters `${` themselves write `$${`".to_owned(),
                ),
            };
            // All of it is ours but the names of variables, and a path that is harmless already.
            if !self.problems.is_full() {
                let place = Some(span.place(self.text));
                self.problems.report_harmless(Problem { code, message, hint, field: None, place });
            }
        }
        Value::Broken
    }

    /// Puts a finished value into the collection around it.
    fn put(&mut self, node: Node, size: Size, anchor: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return;
        };
        open.size.nodes += size.nodes;
        open.size.depth = open.size.depth.max(size.depth + 1);
        if std::mem::take(&mut open.broken_name) {
            return;
        }
        match (&mut open.node.value, open.name.take()) {
            (Value::List(items), _) => items.push(node),
            (Value::Map(entries), Some(name)) => match open.names.entry(name.text.clone()) {
                Entry::Vacant(free) => {
                    free.insert(name.span);
                    entries.push((name, node));
                }
                Entry::Occupied(first) => {
                    let line = first.get().place(self.text).line;
                    let message = format!(
                        "`{}` stands here for the second time; the first is on line {line}",
                        name_shown(&name.text)
                    );
                    self.report("duplicate-field", name.span, message, "keep one of them");
                }
            },
            (Value::Map(_), None) => {
                let span = node.span;
                if let Value::Scalar(scalar) = node.value {
                    open.name = Some(Name { text: scalar.text, span });
                } else {
                    open.broken_name = true;
                    self.report("field-name", span, "a field's name must be a text".to_owned(), YAML_HINT);
                }
            }
            _ => {}
        }
    }
}

/// Why a text is no YAML. Without the one character of it that the parser shows: it may be a password's, and stands where the mark points.
fn parsers_words(said: &str) -> &str {
    const CHARACTER: &str = "unexpected character";
    if said.starts_with(CHARACTER) { CHARACTER } else { said }
}

/// The byte at which a character starts.
fn byte_of(text: &str, character: usize) -> usize {
    text.char_indices().nth(character).map_or(text.len(), |(byte, _)| byte)
}
