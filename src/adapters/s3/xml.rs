//! The few answers of a store that are XML.

use quick_xml::Reader;
use quick_xml::events::Event;

/// Deepest nesting that is read.
const DEPTH_MAX: usize = 16;

/// An element: its name without a prefix, its text, and what is in it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) within: Vec<Self>,
}

impl Element {
    /// Those of a name, right below.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.within.iter().filter(move |one| one.name == name)
    }

    /// The text of the first of a name, however deep.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.within.iter().find_map(|one| if one.name == name { Some(one.text.trim()) } else { one.text_of(name) })
    }
}

/// Reads a document. `None` when it is none.
pub(super) fn read(bytes: &[u8]) -> Option<Element> {
    let mut reader = Reader::from_str(std::str::from_utf8(bytes).ok()?);
    let mut open = vec![Element::default()];
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                open.push(named(start.local_name().as_ref()));
                if open.len() > DEPTH_MAX {
                    return None;
                }
            }
            Event::Empty(start) => open.last_mut()?.within.push(named(start.local_name().as_ref())),
            Event::End(_) => {
                let done = open.pop()?;
                open.last_mut()?.within.push(done);
            }
            Event::Text(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
            Event::CData(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
            Event::GeneralRef(name) => {
                let sign = match name.resolve_char_ref().ok()? {
                    Some(sign) => sign.to_string(),
                    None => quick_xml::escape::resolve_predefined_entity(&name.xml10_content())?.to_owned(),
                };
                open.last_mut()?.text.push_str(&sign);
            }
            Event::Eof => break,
            Event::Decl(_) | Event::PI(_) | Event::DocType(_) | Event::Comment(_) => {}
        }
    }
    let [root] = open.as_mut_slice() else { return None };
    root.within.pop()
}

fn named(name: &str) -> Element {
    Element { name: name.to_owned(), ..Element::default() }
}

/// A text as it stands in an element.
pub(super) fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_with_its_escapes() {
        let text = br#"<?xml version="1.0"?><x:Error xmlns:x="y"><Code>NoSuchKey</Code><Message>a &lt;b&gt; &#65;</Message><Empty/></x:Error>"#;
        let root = read(text).unwrap();
        assert_eq!((root.name.as_str(), root.text_of("Code")), ("Error", Some("NoSuchKey")));
        assert_eq!((root.text_of("Message"), root.text_of("Empty")), (Some("a <b> A"), Some("")));
        for text in [&b""[..], b"no", b"<a>", b"<a></b>", b"<a>&nope;</a>", &b"<a>".repeat(99)] {
            assert_eq!(read(text), None, "{}", String::from_utf8_lossy(text));
        }
        assert_eq!(escaped("<\"a\">"), "&lt;&quot;a&quot;&gt;");
    }
}
