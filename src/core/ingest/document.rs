//! A JSON document with its numbers as they stand: no digit is lost. Names that come twice and documents that are too deep are
//! refused, so that all readers see the same values.

use super::spec::Pointer;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Objects and lists in each other.
const DEPTH_MAX: usize = 64;

/// A value of a document.
#[derive(Debug)]
pub(super) enum Node<'a> {
    Null,
    Bool(bool),
    /// As it is written.
    Number(&'a str),
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>, &'a str),
    Object(Vec<(Cow<'a, str>, Node<'a>)>, &'a str),
}

/// Reads a whole document.
///
/// # Errors
/// What is wrong with it, without its content.
pub(super) fn parse(payload: &[u8]) -> Result<Node<'_>, String> {
    let text = std::str::from_utf8(payload)
        .map_err(|error| format!("the payload is not UTF-8: byte {} begins no character", error.valid_up_to()))?;
    let whole: &RawValue = serde_json::from_str(text).map_err(|error| format!("the payload is not JSON: {error}"))?;
    node(whole, 0)
}

fn node(raw: &RawValue, depth: usize) -> Result<Node<'_>, String> {
    if depth > DEPTH_MAX {
        return Err(format!("the payload is deeper than {DEPTH_MAX} objects and lists in each other"));
    }
    let text = raw.get();
    let broken = |error: serde_json::Error| format!("the payload is not JSON: {error}");
    Ok(match text.as_bytes().first() {
        Some(b'{') => {
            let pairs: Pairs<'_> = serde_json::from_str(text).map_err(broken)?;
            let mut entries: Vec<(Cow<'_, str>, Node<'_>)> = Vec::with_capacity(pairs.0.len());
            for (name, value) in pairs.0 {
                entries.push((name, node(value, depth + 1)?));
            }
            if let Some(name) = twice(&entries) {
                let name = crate::core::model::shown::name(name);
                return Err(format!("the name `{name}` stands twice in one object"));
            }
            Node::Object(entries, text)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(broken)?;
            Node::List(items.into_iter().map(|item| node(item, depth + 1)).collect::<Result<_, _>>()?, text)
        }
        Some(b'"') => Node::Text(serde_json::from_str::<Borrowed<'_>>(text).map_err(broken)?.0),
        Some(b't') => Node::Bool(true),
        Some(b'f') => Node::Bool(false),
        Some(b'n') => Node::Null,
        _ => Node::Number(text),
    })
}

/// A name that comes twice.
fn twice<'a>(entries: &'a [(Cow<'_, str>, Node<'_>)]) -> Option<&'a str> {
    let mut names: Vec<&str> = entries.iter().map(|(name, _)| &**name).collect();
    names.sort_unstable();
    names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}

impl<'a> Node<'a> {
    /// The value at a pointer. `None` where nothing is.
    pub(super) fn at(&self, pointer: &Pointer) -> Option<&Node<'a>> {
        let mut node = self;
        for name in pointer.names() {
            node = match node {
                Node::Object(entries, _) => &entries.iter().find(|(other, _)| other == name)?.1,
                Node::List(items, _) => {
                    let plain = name == "0" || !name.starts_with('0');
                    items.get(name.parse::<usize>().ok().filter(|_| plain && !name.starts_with('+'))?)?
                }
                _ => return None,
            };
        }
        Some(node)
    }

    /// What it is, for a sentence.
    pub(super) fn what(&self) -> &'static str {
        match self {
            Node::Null => "null",
            Node::Bool(_) => "true or false",
            Node::Number(_) => "a number",
            Node::Text(_) => "a text",
            Node::List(..) => "a list",
            Node::Object(..) => "an object",
        }
    }
}

/// The pairs of an object, in their order, each with its value as it stands.
struct Pairs<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Pairs<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some((name, value)) = map.next_entry::<Borrowed<'de>, &'de RawValue>()? {
                    pairs.push((name.0, value));
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Visit)
    }
}

/// A text, borrowed where it has no escapes.
struct Borrowed<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Borrowed<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Borrowed<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Borrowed(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Borrowed(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Visit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointer(text: &str) -> Pointer {
        Pointer::parse(text).unwrap()
    }

    #[test]
    fn values_are_found_and_numbers_keep_their_digits() {
        let text = br#" {"a":{"b":[1, {"c~/":12345678901234567890.1200e3}]},"e":"\u0000x"} "#;
        let root = parse(text).unwrap();
        assert!(matches!(root.at(&pointer("/a/b/1/c~0~1")), Some(Node::Number("12345678901234567890.1200e3"))));
        assert!(matches!(root.at(&pointer("/e")), Some(Node::Text(text)) if text == "\0x"));
        for nothing in ["/a/b/01", "/a/b/+1", "/a/b/2", "/x", "/e/x", "/a/b/-"] {
            assert!(root.at(&pointer(nothing)).is_none(), "{nothing}");
        }
    }

    #[test]
    fn what_readers_would_see_differently_is_refused() {
        let deep = format!("{}1{}", "[".repeat(65), "]".repeat(65));
        let far = "[".repeat(1 << 20);
        for (bad, why) in [
            ("{\"a\":1,\"\\u0061\":2}", "stands twice"),
            ("{\"x\":{\"a\":1,\"a\":1}}", "stands twice"),
            (deep.as_str(), "deeper"),
            (far.as_str(), "not JSON"),
            ("{\"a\":1} x", "not JSON"),
            ("{\"a\":01}", "not JSON"),
            ("NaN", "not JSON"),
            ("", "not JSON"),
        ] {
            let error = parse(bad.as_bytes()).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
        assert!(parse(b"{\"a\":\"\xff\"}").unwrap_err().contains("not UTF-8"));
        assert!(parse(format!("{}1{}", "[".repeat(64), "]".repeat(64)).as_bytes()).is_ok());
    }
}
