//! Looks at JSON on its way: each document, line or element against a schema. Changes nothing. One of them is in memory at a time, of
//! a bounded size, number of values and depth.

use super::schema::Schema;
use super::split::{Part, Splitter};
use crate::core::model::filters::{Each, JsonCheck, RowCount};
use crate::core::ports::filters::Stage;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::cell::Cell;
use std::fmt;

/// Bytes of a text for each value that it may hold: a value in memory takes several times as many.
const BYTES_A_VALUE: u64 = 16;

/// Values that any text may hold.
const VALUES_MIN: u64 = 4096;

pub(super) struct JsonChecker {
    schema: Schema,
    each: Each,
    wanted: Option<RowCount>,
    most: u64,
    /// What is being read.
    held: Vec<u8>,
    /// Lines or elements that are complete.
    seen: u64,
    splitter: Splitter,
}

impl JsonChecker {
    pub(super) fn new(check: &JsonCheck, schema: Schema) -> Self {
        let (each, wanted, most) = (check.each, check.rows, check.max_size);
        Self { schema, each, wanted, most, held: Vec::new(), seen: 0, splitter: Splitter::new() }
    }

    fn hold(&mut self, bytes: &[u8]) -> Result<(), String> {
        if (self.held.len() + bytes.len()) as u64 > self.most {
            return Err(format!("{} has more than {} bytes, `max_size`", self.place(), self.most));
        }
        self.held.extend_from_slice(bytes);
        Ok(())
    }

    fn place(&self) -> String {
        match self.each {
            Each::Document => "it".to_owned(),
            Each::Line => format!("line {}", self.seen + 1),
            Each::Element => format!("element {}", self.seen + 1),
        }
    }

    /// Looks at what is held, and lets go of it.
    fn look(&mut self) -> Result<(), String> {
        let values = (self.most / BYTES_A_VALUE).max(VALUES_MIN);
        let checked = match parsed(&self.held, values) {
            Ok(value) => self.schema.check(&value).map_err(|why| match self.each {
                Each::Document => why,
                Each::Line | Each::Element => format!("{}: {why}", self.place()),
            }),
            Err(error) => Err(self.broken(&error)),
        };
        self.held.clear();
        self.seen += 1;
        checked
    }

    /// Why what is held is no JSON, with its place in the file. The parser's words hold nothing of the text.
    fn broken(&self, error: &serde_json::Error) -> String {
        let (line, column) = (error.line(), error.column());
        let words = error.to_string();
        let why = words.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&words);
        match self.each {
            Each::Document => format!("line {line}, column {column}: {why}"),
            Each::Line => format!("line {}, column {column}: {why}", self.seen + 1),
            Each::Element => format!("element {}: {why}", self.seen + 1),
        }
    }

    fn lines(&mut self, mut piece: &[u8]) -> Result<(), String> {
        while let Some(end) = memchr::memchr(b'\n', piece) {
            self.hold(&piece[..end])?;
            if self.held.trim_ascii().is_empty() {
                return Err(format!("{} is empty", self.place()));
            }
            self.look()?;
            piece = &piece[end + 1..];
        }
        self.hold(piece)
    }

    fn elements(&mut self, piece: &[u8]) -> Result<(), String> {
        // Bytes of one element that stand together are held together.
        let mut begin = None;
        for (at, &byte) in piece.iter().enumerate() {
            match self.splitter.take(byte)? {
                Part::Element => {
                    begin.get_or_insert(at);
                }
                Part::None => {}
                Part::End => {
                    if let Some(begin) = begin.take() {
                        self.hold(&piece[begin..at])?;
                    }
                    self.look()?;
                }
            }
        }
        begin.map_or(Ok(()), |begin| self.hold(&piece[begin..]))
    }
}

impl Stage for JsonChecker {
    fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        out.extend_from_slice(piece);
        match self.each {
            Each::Document => self.hold(piece),
            Each::Line => self.lines(piece),
            Each::Element => self.elements(piece),
        }
    }

    fn finish(&mut self, _: &mut Vec<u8>) -> Result<(), String> {
        match self.each {
            Each::Document => self.look()?,
            Each::Line if !self.held.trim_ascii().is_empty() => self.look()?,
            Each::Line if !self.held.is_empty() => return Err(format!("{} is empty", self.place())),
            Each::Line => {}
            Each::Element => self.splitter.finish()?,
        }
        match self.wanted {
            Some(wanted) if !wanted.fits(self.seen) => {
                Err(format!("it has {} {}s, and `{wanted}` are wanted", self.seen, self.each.as_str()))
            }
            _ => Ok(()),
        }
    }
}

/// A text as a value of so many values at most.
fn parsed(text: &[u8], values: u64) -> Result<Value, serde_json::Error> {
    let left = Cell::new(values);
    // Its depth ends at 128.
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = Bounded { left: &left }.deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// Reads a value, and counts what is in it.
#[derive(Clone, Copy)]
struct Bounded<'a> {
    left: &'a Cell<u64>,
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        match self.left.get().checked_sub(1) {
            Some(left) => self.left.set(left),
            None => return Err(D::Error::custom("it has too many values: raise `max_size`")),
        }
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            // Of two, each reader would take another one.
            if map.insert(name, entries.next_value_seed(self)?).is_some() {
                return Err(A::Error::custom("a name stands twice in one object"));
            }
        }
        Ok(Value::Object(map))
    }
}
