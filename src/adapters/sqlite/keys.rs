//! Keys as SQLite stores them: into the port's form and back, and the check that no key comes twice.

use crate::core::model::key::{Key, KeyValue};
use rusqlite::Row;
use rusqlite::types::{Value, ValueRef};

/// The value of a stored key. `None` for NULL and for text that is not UTF-8.
pub(super) fn key_value(value: ValueRef<'_>) -> Option<KeyValue> {
    Some(match value {
        ValueRef::Null => return None,
        ValueRef::Integer(value) => KeyValue::Int(value),
        // Rust's debug form of a float is its shortest text, and `inf` is read back.
        ValueRef::Real(value) => KeyValue::Float(format!("{value:?}")),
        ValueRef::Text(text) => KeyValue::Text(std::str::from_utf8(text).ok()?.to_owned()),
        ValueRef::Blob(bytes) => KeyValue::Bytes(hex::encode(bytes)),
    })
}

/// A key's value as it is bound. `None` when it was not written by [`key_value`].
pub(super) fn stored(value: &KeyValue) -> Option<Value> {
    Some(match value {
        KeyValue::Int(value) => Value::Integer(*value),
        KeyValue::Text(text) | KeyValue::Typed(text) => Value::Text(text.clone()),
        KeyValue::Float(text) => Value::Real(text.parse().ok()?),
        KeyValue::Bytes(digits) => Value::Blob(hex::decode(digits).ok()?),
    })
}

/// Follows the keys of a read.
pub(super) struct Keys {
    /// For each key column, its index in the row.
    at: Vec<usize>,
    last: Vec<Value>,
    /// For each key column, whether the database has shown that it tells upper from lower case there, and one number of
    /// trailing spaces from another.
    tells_apart: Vec<[bool; 2]>,
}

/// How a row's key stands to the one before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// Another key.
    Forward,
    /// The same key.
    Same,
    /// The same except for case, trailing spaces or what follows a NUL. Such keys may be equal under the collations NOCASE and RTRIM, so
    /// the database must decide.
    Unclear,
    /// The column with this index among the key's is NULL.
    Null(usize),
    /// The column with this index among the key's holds text that is not UTF-8.
    NotText(usize),
}

/// Whether NOCASE may not see a difference for it stands behind a NUL, where that collation ends to compare.
fn ends_early(a: &[u8], b: &[u8]) -> bool {
    let Some(nul) = a.iter().position(|byte| *byte == 0) else { return false };
    b.get(..=nul).is_some_and(|b| b.eq_ignore_ascii_case(a.get(..=nul).unwrap_or_default()))
}

/// The text differs in nothing, in case only, in trailing spaces only, in both, or otherwise.
fn alike(a: &[u8], b: &[u8]) -> Option<[bool; 2]> {
    let end = |text: &[u8]| text.iter().rposition(|byte| *byte != b' ').map_or(0, |at| at + 1);
    let (trimmed_a, trimmed_b) = (a.get(..end(a))?, b.get(..end(b))?);
    trimmed_a.eq_ignore_ascii_case(trimmed_b).then(|| [trimmed_a != trimmed_b, a.len() != b.len()])
}

impl Keys {
    /// Keys whose columns stand at these places of each row.
    pub(super) fn new(at: Vec<usize>) -> Self {
        let count = at.len();
        Self { at, last: Vec::with_capacity(count), tells_apart: vec![[false; 2]; count] }
    }

    /// Looks at the next row, which then is the last one, unless the step is unclear: then [`Keys::told_apart`] or an error
    /// must follow.
    #[inline]
    pub(super) fn step(&mut self, row: &Row<'_>) -> rusqlite::Result<Step> {
        if let ([at], [Value::Integer(last)]) = (self.at.as_slice(), self.last.as_mut_slice())
            && let ValueRef::Integer(value) = row.get_ref(*at)?
        {
            let step = if value == *last { Step::Same } else { Step::Forward };
            *last = value;
            return Ok(step);
        }
        let step = self.compare(row)?;
        if step != Step::Unclear {
            self.remember(row)?;
        }
        Ok(step)
    }

    fn compare(&self, row: &Row<'_>) -> rusqlite::Result<Step> {
        let mut same = self.last.len() == self.at.len();
        let mut unclear = false;
        for (index, at) in self.at.iter().enumerate() {
            let value = row.get_ref(*at)?;
            match value {
                ValueRef::Null => return Ok(Step::Null(index)),
                ValueRef::Text(text) if std::str::from_utf8(text).is_err() => return Ok(Step::NotText(index)),
                _ => {}
            }
            if !same {
                continue;
            }
            match (value, self.last.get(index).map(ValueRef::from)) {
                (ValueRef::Text(a), Some(ValueRef::Text(b))) if a != b => {
                    let events = self.tells_apart.get(index).copied().unwrap_or_default();
                    match alike(a, b) {
                        _ if ends_early(a, b) => unclear = true,
                        Some([case, spaces]) if !(case && events[0] || spaces && events[1]) => unclear = true,
                        _ => same = false,
                    }
                }
                (ValueRef::Integer(whole), Some(ValueRef::Real(float)))
                | (ValueRef::Real(float), Some(ValueRef::Integer(whole))) => same = is_whole(float, whole),
                (a, b) => same = Some(a) == b,
            }
        }
        Ok(match (same, unclear) {
            (false, _) => Step::Forward,
            (true, true) => Step::Unclear,
            (true, false) => Step::Same,
        })
    }

    fn remember(&mut self, row: &Row<'_>) -> rusqlite::Result<()> {
        self.last.resize(self.at.len(), Value::Null);
        for (at, last) in self.at.iter().zip(&mut self.last) {
            match (row.get_ref(*at)?, last) {
                (ValueRef::Text(text), Value::Text(last)) => {
                    last.clear();
                    last.push_str(std::str::from_utf8(text).unwrap_or_default());
                }
                (value, last) => *last = Value::try_from(value).unwrap_or(Value::Null),
            }
        }
        Ok(())
    }

    /// The database has shown that the row's key is not the last one: learns how it tells them apart, where one column alone
    /// differs, and goes on.
    pub(super) fn told_apart(&mut self, row: &Row<'_>) -> rusqlite::Result<()> {
        let mut differing = Vec::new();
        for (index, (at, last)) in self.at.iter().zip(&self.last).enumerate() {
            if let (ValueRef::Text(text), Value::Text(last)) = (row.get_ref(*at)?, last)
                && text != last.as_bytes()
            {
                differing.push((index, alike(text, last.as_bytes())));
            }
        }
        if let [(index, Some([case, spaces]))] = differing.as_slice()
            && case != spaces
            && let Some(events) = self.tells_apart.get_mut(*index)
        {
            *events = [events[0] || *case, events[1] || *spaces];
        }
        self.remember(row)
    }

    /// The next row comes from another statement, which leaves out everything up to a key by itself.
    pub(super) fn forget(&mut self) {
        self.last.clear();
    }

    /// The key last seen.
    pub(super) fn last(&self) -> Key {
        Key(self.last.iter().filter_map(|value| key_value(value.into())).collect())
    }

    /// A row's key. `None` when a part of it is NULL or not UTF-8.
    pub(super) fn of(&self, row: &Row<'_>) -> Option<Key> {
        self.at.iter().map(|at| key_value(row.get_ref(*at).ok()?)).collect::<Option<Vec<_>>>().map(Key)
    }
}

fn is_whole(float: f64, whole: i64) -> bool {
    // Whole numbers beyond 2^53 may lie between two floats: compared as the float's exact value.
    #[expect(clippy::cast_possible_truncation, reason = "floats of this size are whole, and i128 holds them")]
    let exact = (float.fract() == 0.0 && float.abs() < 1e30).then_some(float as i128);
    exact == Some(i128::from(whole))
}
