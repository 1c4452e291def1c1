//! Rows where they lie: found by the lengths of their values, without reading these.

use super::column::{Column, Form, Kind};
use super::value::Value;
use super::{Error, senseless};
use std::borrow::Cow;
use std::sync::Arc;

/// Length of a value that is NULL, where it has eight bytes.
const NO_PIECES: u64 = u64::MAX;

/// Length of a value whose length is told by its pieces alone.
const UNKNOWN_LENGTH: u64 = u64::MAX - 1;

/// Where a value lies in its row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Span {
    start: usize,
    /// `None`: NULL.
    length: Option<usize>,
}

/// A row, as long as its bytes are there.
#[derive(Clone, Copy)]
pub(in super::super) struct RowBytes<'a> {
    pub(super) columns: &'a [Column],
    pub(super) spans: &'a [Span],
    pub(super) bytes: &'a [u8],
}

/// A row that stays.
pub(in super::super) struct Record {
    columns: Arc<[Column]>,
    spans: Vec<Span>,
    bytes: Vec<u8>,
}

impl<'a> RowBytes<'a> {
    /// How a column travels.
    pub(in super::super) fn column(&self, index: usize) -> Option<Column> {
        self.columns.get(index).copied()
    }

    /// A value's bytes. `None` for NULL.
    pub(in super::super) fn bytes(&self, index: usize) -> Option<Cow<'a, [u8]>> {
        let span = self.spans.get(index)?;
        let bytes = self.bytes.get(span.start..span.start + span.length?)?;
        match self.columns.get(index)?.form {
            Form::Pieces => Some(joined(bytes)),
            _ => Some(Cow::Borrowed(bytes)),
        }
    }

    /// A value; an error says why it cannot be read.
    pub(in super::super) fn value(&self, index: usize) -> Result<Value<'a>, &'static str> {
        match (self.columns.get(index), self.bytes(index)) {
            (Some(column), Some(bytes)) => column.read(bytes),
            _ => Ok(Value::Null),
        }
    }

    /// The row, to stay.
    pub(in super::super) fn keep(&self) -> Record {
        Record { columns: self.columns.into(), spans: self.spans.to_vec(), bytes: self.bytes.to_vec() }
    }
}

impl Record {
    /// The row again.
    pub(in super::super) fn row(&self) -> RowBytes<'_> {
        RowBytes { columns: &self.columns, spans: &self.spans, bytes: &self.bytes }
    }

    /// A text. `None` for NULL and for anything else.
    pub(in super::super) fn text(&self, index: usize) -> Option<String> {
        self.row().value(index).ok()?.into_text()
    }

    /// A whole number. `None` for NULL and for anything else.
    pub(in super::super) fn int(&self, index: usize) -> Option<i64> {
        match self.row().value(index).ok()? {
            Value::Int(number) => Some(number),
            _ => None,
        }
    }
}

/// The pieces of a value as one.
fn joined(mut bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut whole: Option<Cow<'_, [u8]>> = None;
    while let Some((length, rest)) = bytes.split_first_chunk() {
        let Some((piece, rest)) = rest.split_at_checked(u32::from_le_bytes(*length) as usize) else { break };
        bytes = rest;
        match &mut whole {
            None => whole = Some(Cow::Borrowed(piece)),
            Some(whole) => whole.to_mut().extend_from_slice(piece),
        }
    }
    whole.unwrap_or_default()
}

/// Finds a row's values in what follows its token; `compressed`: it begins with a bit for each column, set for NULL. The
/// row's length, or `None` when it has not come whole. A value of more than `most` bytes of text or of more than `most` bytes is
/// [`Error::TooLong`] as soon as that is known.
#[inline]
pub(super) fn find(
    columns: &[Column],
    bytes: &[u8],
    compressed: bool,
    most: u64,
    spans: &mut Vec<Span>,
) -> Result<Option<usize>, Error> {
    spans.clear();
    let mut at = if compressed { columns.len().div_ceil(8) } else { 0 };
    let Some(nulls) = bytes.get(..at) else { return Ok(None) };
    for (index, column) in columns.iter().enumerate() {
        let is_null = nulls.get(index / 8).is_some_and(|bits| bits >> (index % 8) & 1 == 1);
        let span = if is_null {
            Span { start: at, length: None }
        } else {
            let found = span(column.form, bytes, at)?;
            if matches!(column.form, Form::Pieces | Form::Pointer) {
                // UTF-16 has two bytes a unit; each unit becomes at least one byte of UTF-8.
                let most = if column.kind == Kind::Wide { most.saturating_mul(2) } else { most };
                let length = length(column.form, bytes, at, found);
                if length > most {
                    return Err(Error::TooLong { column: index, bytes: length });
                }
            }
            match found {
                Some(span) => span,
                None => return Ok(None),
            }
        };
        at = span.start + span.length.unwrap_or_default();
        spans.push(span);
        if column.form == Form::Pieces && span.length.is_some() {
            // The empty piece that ends it.
            at += 4;
        }
    }
    Ok((at <= bytes.len()).then_some(at))
}

/// Where the value lies whose length stands at a place. `None` when it is not there whole.
#[inline]
fn span(form: Form, bytes: &[u8], at: usize) -> Result<Option<Span>, Error> {
    let here = |start: usize, length: usize| {
        Ok((start + length <= bytes.len()).then_some(Span { start, length: Some(length) }))
    };
    let null = |start: usize| Ok(Some(Span { start, length: None }));
    let rest = bytes.get(at..).unwrap_or_default();
    match form {
        Form::Fixed(length) => here(at, length),
        Form::Exact(most) | Form::Short(most) => match rest.first() {
            None => Ok(None),
            Some(0) => null(at + 1),
            Some(length) if *length == most || (*length < most && form == Form::Short(most)) => {
                here(at + 1, usize::from(*length))
            }
            Some(length) => senseless(format!("a value of {length} bytes where {most} belong")),
        },
        Form::Long(most) => match rest.first_chunk().map(|bytes| u16::from_le_bytes(*bytes)) {
            None => Ok(None),
            Some(u16::MAX) => null(at + 2),
            Some(length) if length <= most => here(at + 2, usize::from(length)),
            Some(length) => senseless(format!("a value of {length} bytes where {most} fit")),
        },
        Form::Pieces => match rest.first_chunk().map(|bytes| u64::from_le_bytes(*bytes)) {
            None => Ok(None),
            Some(NO_PIECES) => null(at + 8),
            Some(_) => Ok(pieces(bytes, at + 8)),
        },
        Form::Unknown => senseless("a value of a type that was not asked for"),
        Form::Pointer => {
            let Some(pointer) = rest.first() else { return Ok(None) };
            if *pointer == 0 {
                return null(at + 1);
            }
            // The pointer, and a time stamp of eight bytes.
            let length = at + 1 + usize::from(*pointer) + 8;
            match bytes.get(length..).and_then(|rest| rest.first_chunk()).map(|bytes| u32::from_le_bytes(*bytes)) {
                None => Ok(None),
                Some(count) => here(length + 4, count as usize),
            }
        }
    }
}

/// How long a value is whose length or first piece stands at a place, as far as it has come.
fn length(form: Form, bytes: &[u8], at: usize, found: Option<Span>) -> u64 {
    let rest = bytes.get(at..).unwrap_or_default();
    if found.is_some_and(|span| span.length.is_none()) {
        return 0;
    }
    if form == Form::Pieces {
        let told = rest.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
        // Else what has come of it, with the lengths of its pieces.
        let come = || found.and_then(|span| span.length).unwrap_or(rest.len()) as u64;
        return told.filter(|length| *length < UNKNOWN_LENGTH).unwrap_or_else(come);
    }
    if let Some(span) = found {
        return span.length.unwrap_or_default() as u64;
    }
    let pointer = rest.first().map_or(0, |pointer| usize::from(*pointer));
    let count = rest.get(1 + pointer + 8..).and_then(|rest| rest.first_chunk());
    count.map_or(0, |count| u32::from_le_bytes(*count).into())
}

/// All pieces from a place on, without the empty one that ends them.
fn pieces(bytes: &[u8], start: usize) -> Option<Span> {
    let mut at = start;
    loop {
        let length = u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?) as usize;
        if length == 0 {
            return Some(Span { start, length: Some(at - start) });
        }
        at = at.checked_add(4)?.checked_add(length)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `int NOT NULL`, `int`, `nvarchar(40)`, `nvarchar(max)`, `image`, each with a way of its own to say how long it is.
    const COLUMNS: [Column; 5] = [
        Column { form: Form::Fixed(4), kind: Kind::Int },
        Column { form: Form::Exact(4), kind: Kind::Int },
        Column { form: Form::Long(80), kind: Kind::Wide },
        Column { form: Form::Pieces, kind: Kind::Wide },
        Column { form: Form::Pointer, kind: Kind::Bytes },
    ];

    fn row() -> Vec<u8> {
        let mut row = 7_i32.to_le_bytes().to_vec();
        row.push(4);
        row.extend_from_slice(&(-1_i32).to_le_bytes());
        row.extend_from_slice(&[2, 0, b'x', 0]);
        row.extend_from_slice(&6_u64.to_le_bytes());
        for piece in [b"a\0b".as_slice(), b"\0c\0"] {
            row.extend_from_slice(&u32::try_from(piece.len()).unwrap().to_le_bytes());
            row.extend_from_slice(piece);
        }
        row.extend_from_slice(&[0; 4]);
        row.extend_from_slice(&[1, 0xee, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 5, 6]);
        row
    }

    fn values<'a>(bytes: &'a [u8], compressed: bool, spans: &'a mut Vec<Span>) -> Vec<Value<'a>> {
        assert_eq!(find(&COLUMNS, bytes, compressed, u64::MAX, spans).unwrap(), Some(bytes.len()));
        let row = RowBytes { columns: &COLUMNS, spans, bytes };
        (0..COLUMNS.len()).map(|index| row.value(index).unwrap()).collect()
    }

    #[test]
    fn a_row_is_found_once_its_last_byte_is_here() {
        let bytes = row();
        for length in 0..bytes.len() {
            assert_eq!(
                find(&COLUMNS, &bytes[..length], false, u64::MAX, &mut Vec::new()).unwrap(),
                None,
                "{length} bytes"
            );
        }
        let longer = [&bytes[..], b"next"].concat();
        assert_eq!(find(&COLUMNS, &longer, false, u64::MAX, &mut Vec::new()).unwrap(), Some(bytes.len()));
        let mut spans = Vec::new();
        let values = values(&bytes, false, &mut spans);
        let [Value::Int(7), Value::Int(-1), Value::Wide(x), Value::Wide(abc), Value::Bytes(bytes)] = &values[..] else {
            panic!("{values:?}")
        };
        assert_eq!((&**x, &**abc, &**bytes), (&b"x\0"[..], &b"a\0b\0c\0"[..], &[5, 6][..]));
    }

    #[test]
    fn null_is_told_by_a_length_or_by_a_bit() {
        let mut nulls = 7_i32.to_le_bytes().to_vec();
        nulls.extend_from_slice(&[0, 0xff, 0xff]);
        nulls.extend_from_slice(&[0xff; 8]);
        nulls.push(0);
        let (mut spans, mut others) = (Vec::new(), Vec::new());
        let nulls = values(&nulls, false, &mut spans);
        assert_eq!(nulls[1..], [const { Value::Null }; 4]);
        let mut compressed = vec![0b1_1110];
        compressed.extend_from_slice(&7_i32.to_le_bytes());
        assert_eq!(values(&compressed, true, &mut others), nulls);
    }

    #[test]
    fn a_length_that_the_type_does_not_have_is_refused() {
        let find =
            |column: usize, bytes: &[u8]| find(&COLUMNS[column..=column], bytes, false, u64::MAX, &mut Vec::new());
        assert!(find(1, &[3, 0, 0, 0]).is_err());
        assert!(find(2, &[82, 0]).is_err());
        assert_eq!(find(3, &[[0; 8], [0xff; 8]].concat()).unwrap(), None, "a piece of 4 GiB has not come");
    }
}
