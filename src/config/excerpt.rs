//! The text of a file as errors quote it: what is known to be harmless by its place stays, all else is `*`, byte for byte, so that
//! every place in it stays where it is.

use super::grammar::generate::TRANSLATORS;
use super::grammar::transfer::FILTERS;
use super::grammar::{Field, Section, Shape};
use super::redact::{is_plain_name, looks_secret};
use super::suggest::nearest;
use super::tree::{Node, Value};
use std::ops::Range;

/// What stands between values and names without being part of them.
const STRUCTURE: &[char] = &['-', ':', ',', '[', ']', '{', '}', '"', '\'', '|', '>', '?'];

/// What a place may show.
#[derive(Clone, Copy)]
enum Place {
    /// A section, by its own grammar.
    Section(&'static Section),
    /// A value of this shape.
    Value(Shape),
    /// A value that only its kind of file knows: names and what looks harmless.
    Own,
    /// Named values which are secrets, and their names are not.
    Named,
    /// Nothing.
    Nothing,
}

/// The text of a file of this kind; `tree` is what it was read as. Without one, it is looked at line by line.
pub(super) fn excerpt(text: &str, tree: Option<&Node>, section: &'static Section) -> String {
    let Some(tree) = tree else { return by_line(text, section) };
    let mut spans = Spans { text, seen: Vec::new() };
    spans.node(tree, Place::Section(section));
    spans.masked()
}

/// Bytes of the text that are part of a value or a name, and whether they stay.
struct Spans<'a> {
    text: &'a str,
    seen: Vec<(Range<usize>, bool)>,
}

impl Spans<'_> {
    fn add(&mut self, start: usize, end: usize, stays: bool) {
        if self.text.get(start..end).is_some() {
            self.seen.push((start..end, stays));
        }
    }

    fn node(&mut self, node: &Node, place: Place) {
        match &node.value {
            Value::Map(entries) => {
                for (name, child) in entries {
                    let (stays, inner) = below(place, &name.text);
                    // The end of a password without quotes reads as a name without a value.
                    let is_odd = matches!((place, &child.value), (Place::Named, Value::Null));
                    self.add(name.span.start, name.span.end, stays && !is_odd && is_plain_name(&name.text));
                    self.node(child, inner);
                }
            }
            Value::List(items) => {
                let place = match place {
                    Place::Value(Shape::List(inner) | Shape::OneOrMore(inner)) => of_shape(*inner),
                    Place::Own | Place::Value(_) => Place::Own,
                    _ => Place::Nothing,
                };
                for item in items {
                    self.node(item, place);
                }
            }
            Value::Null => {}
            Value::Scalar(_) | Value::Broken => {
                let raw = self.text.get(node.span.start..node.span.end).unwrap_or_default();
                let stays = is_reference(raw)
                    || match place {
                        Place::Value(_) | Place::Own => !looks_secret(raw),
                        Place::Section(_) | Place::Named | Place::Nothing => false,
                    };
                self.add(node.span.start, node.span.end, stays);
            }
        }
    }

    fn masked(mut self) -> String {
        self.seen.sort_by_key(|(range, _)| (range.start, range.end));
        let mut out = String::with_capacity(self.text.len());
        let mut end = 0;
        for (range, stays) in self.seen {
            if range.start < end {
                // An alias stands for a value that was seen already.
                continue;
            }
            between(&self.text[end..range.start], &mut out);
            let piece = &self.text[range.clone()];
            if stays {
                out.push_str(piece);
            } else {
                stars(piece, &mut out);
            }
            end = range.end;
        }
        between(&self.text[end..], &mut out);
        out
    }
}

/// Whether the name of an entry may be shown, and what is below it.
fn below(place: Place, name: &str) -> (bool, Place) {
    match place {
        Place::Section(section) => match section.field(name) {
            Some(field) => (true, of_field(field)),
            None => (true, misspelt(section, name)),
        },
        Place::Value(Shape::Names(inner)) => (true, of_shape(*inner)),
        Place::Value(_) | Place::Own if looks_secret(&format!("{name}:")) => (true, Place::Nothing),
        Place::Value(_) | Place::Own => match TRANSLATORS.iter().find(|(known, _)| *known == name) {
            Some((_, section)) => (true, Place::Section(section)),
            None => (true, Place::Own),
        },
        Place::Named => (true, Place::Nothing),
        Place::Nothing => (false, Place::Nothing),
    }
}

/// What is below a name that is not known: as much as below the name that was probably meant.
fn misspelt(section: &'static Section, name: &str) -> Place {
    let meant = nearest(name, section.fields.iter().map(|field| field.name)).and_then(|meant| section.field(meant));
    match meant {
        Some(field) if !field.is_secret => Place::Own,
        _ => Place::Nothing,
    }
}

fn of_field(field: &Field) -> Place {
    match (field.is_secret, field.shape) {
        (true, Shape::Foreign(_)) => Place::Named,
        (true, _) => Place::Nothing,
        (false, shape) => of_shape(shape),
    }
}

fn of_shape(shape: Shape) -> Place {
    match shape {
        Shape::Section(section) => Place::Section(section),
        Shape::Own("filters") => Place::Value(FILTERS),
        Shape::Own(_) => Place::Own,
        other => Place::Value(other),
    }
}

/// `${NAME}` alone tells nothing but the variable's name.
fn is_reference(raw: &str) -> bool {
    let inner = raw.trim().trim_matches(['"', '\'']);
    let name = inner.strip_prefix("${").and_then(|inner| inner.strip_suffix('}'));
    name.is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    })
}

/// What stands between values: structure stays, comments do not.
fn between(text: &str, out: &mut String) {
    for line in text.split_inclusive('\n') {
        let (plain, comment) = line.split_at(line.find('#').unwrap_or(line.len()));
        for word in plain.split_inclusive(char::is_whitespace) {
            let (word, blank) = word.split_at(word.trim_end().len());
            if is_structure(word) {
                out.push_str(word);
            } else {
                stars(word, out);
            }
            out.push_str(blank);
        }
        let stays = |c: char| c == '#' || c.is_whitespace();
        comment.chars().for_each(|c| if stays(c) { out.push(c) } else { star(c, out) });
    }
}

/// Whether a word between values is nothing but YAML's own signs. A password that begins as an anchor or a tag does may end in some.
fn is_structure(word: &str) -> bool {
    let is_block = matches!(word, "|" | "|-" | ">" | ">-" | "?");
    is_block || word.chars().all(|c| STRUCTURE.contains(&c) && !matches!(c, '|' | '>' | '?'))
}

fn stars(text: &str, out: &mut String) {
    text.chars().for_each(|c| if matches!(c, '\n' | '\r') { out.push(c) } else { star(c, out) });
}

fn star(c: char, out: &mut String) {
    out.extend(std::iter::repeat_n('*', c.len_utf8()));
}

/// A text that is not YAML: in each line, a known name and what follows it, if that looks harmless.
fn by_line(text: &str, section: &'static Section) -> String {
    let mut known = Vec::new();
    gather(section, &mut known);
    for (_, section) in TRANSLATORS {
        gather(section, &mut known);
    }
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let body = line.trim_start_matches([' ', '-']);
        out.push_str(&line[..line.len() - body.len()]);
        let name = body.split_once(':').filter(|(name, _)| known.iter().any(|(known, _)| known == name));
        match name {
            Some((name, value)) => {
                out.push_str(name);
                out.push(':');
                let is_secret = known.iter().any(|(known, is_secret)| known == &name && *is_secret);
                let harmless = !is_secret && !looks_secret(value) && !value.contains("url") && !value.contains('#');
                if harmless { out.push_str(value) } else { stars(value, &mut out) }
            }
            None => stars(body, &mut out),
        }
    }
    out
}

/// The names of all fields, and whether their values are secrets.
fn gather(section: &'static Section, into: &mut Vec<(&'static str, bool)>) {
    for field in section.fields {
        if into.contains(&(field.name, field.is_secret)) {
            continue;
        }
        into.push((field.name, field.is_secret));
        match field.shape {
            Shape::Section(inner) | Shape::List(&Shape::Section(inner)) | Shape::Names(&Shape::Section(inner)) => {
                gather(inner, into);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::grammar::generate::WORKER;
    use crate::config::tree;

    fn quoted(text: &str) -> String {
        let (tree, _) = tree::parse(text, &());
        let shown = excerpt(text, tree.as_ref(), &WORKER);
        assert_eq!(shown.len(), text.len());
        shown
    }

    #[test]
    fn what_is_no_secret_by_its_place_stays() {
        for (text, shown) in [
            ("worker: A\nsource: { url: postgres://a, view: v }", "worker: A\nsource: { url: ************, view: v }"),
            ("source:\n  url: \"a b\"  # c: d\n", "source:\n  url: *****  # ** *\n"),
            ("source: { url: \"${SQL_CONNECTION_STRING}\" }", "source: { url: \"${SQL_CONNECTION_STRING}\" }"),
            ("pasword: x\nwroker: y", "pasword: *\nwroker: y"),
            ("source: { ulr: x, veiw: v }", "source: { ulr: *, veiw: v }"),
            ("worker: x://a:b@c", "worker: *********"),
            (
                "completion: { kafka: { topic: t, properties: { sasl.password: x } } }",
                "completion: { kafka: { topic: t, properties: { sasl.password: * } } }",
            ),
            (
                "completion: { kafka: { topic: t, properties: { sasl.password: a!b,cde } } }",
                "completion: { kafka: { topic: t, properties: { sasl.password: ***,*** } } }",
            ),
            ("source:\n  url: { a: b }\n", "source:\n  url: { *: * }\n"),
            (
                "files: [{ translator: { mine: { api_key: k, n: 5 } } }]",
                "files: [{ translator: { mine: { api_key: *, n: 5 } } }]",
            ),
        ] {
            assert_eq!(quoted(text), shown);
        }
    }

    #[test]
    fn a_text_that_is_not_yaml_shows_less() {
        let text = "worker: A\nsource:\n  url: postgres://u: \"p\"w\n  view: v\n hunter2\nkey: [\n";
        let shown = quoted(text);
        assert!(shown.starts_with("worker: A\nsource:\n  url:****"), "{shown}");
        assert!(shown.contains("\n  view: v\n *******\n") && !shown.contains("postgres"), "{shown}");
    }
}
