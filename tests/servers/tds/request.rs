//! What a client asks for: a batch of SQL text, or `sp_executesql` with its typed parameters.

use super::incoming;
use rusqlite::types::Value;

/// The header that every request has.
const TRANSACTION_DESCRIPTOR: u16 = 2;

/// A statement to run.
#[derive(Debug)]
pub struct Request {
    /// The transaction that the client believes to be in; zero for none.
    pub transaction: u64,
    pub sql: String,
    /// `@P1 nvarchar(4000), @P2 bigint`, as the client declares them.
    pub declared: String,
    /// Name (`@P1`) and value.
    pub params: Vec<(String, Value)>,
}

/// Reads little-endian values; none where the bytes end.
pub struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    pub fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub fn utf16(&mut self, units: usize) -> Option<String> {
        let units: Vec<u16> =
            self.bytes(units * 2)?.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        String::from_utf16(&units).ok()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Reads ALL_HEADERS, which stand before every request since TDS 7.2; returns the transaction that the client believes to be in.
    /// Each header has its length and type in front, and all of them together make up the whole. Without that of the transaction
    /// there is no request.
    fn headers(&mut self) -> Option<u64> {
        let total = self.u32()? as usize;
        let mut all = Cursor::new(self.bytes(total.checked_sub(4)?)?);
        let mut transaction = None;
        while !all.is_empty() {
            let length = all.u32()? as usize;
            let kind = all.u16()?;
            let mut header = Cursor::new(all.bytes(length.checked_sub(6)?)?);
            if kind == TRANSACTION_DESCRIPTOR {
                let descriptor = header.u64()?;
                // One request at a time: the session has no others under way.
                (header.u32()? == 1 && header.is_empty()).then_some(())?;
                transaction = Some(descriptor);
            }
        }
        transaction
    }
}

/// Reads a batch.
pub fn batch(payload: &[u8]) -> Option<Request> {
    let mut cursor = Cursor::new(payload);
    let transaction = cursor.headers()?;
    let units = cursor.len() / 2;
    Some(Request { transaction, sql: cursor.utf16(units)?, declared: String::new(), params: Vec::new() })
}

/// Reads a call of `sp_executesql` (by number or by name); an error names any other procedure.
pub fn rpc(payload: &[u8]) -> Option<Result<Request, String>> {
    let mut cursor = Cursor::new(payload);
    let transaction = cursor.headers()?;
    let procedure = match cursor.u16()? {
        0xffff => match cursor.u16()? {
            10 => "sp_executesql".to_owned(),
            other => format!("procedure number {other}"),
        },
        units => cursor.utf16(usize::from(units))?,
    };
    if !procedure.eq_ignore_ascii_case("sp_executesql") {
        return Some(Err(procedure));
    }
    let _options = cursor.u16()?;
    let mut values = Vec::new();
    while !cursor.is_empty() {
        let units = usize::from(cursor.u8()?);
        let name = cursor.utf16(units)?;
        let _status = cursor.u8()?;
        values.push((name, incoming::parameter(&mut cursor)?));
    }
    let mut values = values.into_iter();
    let mut text = || match values.next()? {
        (_, Value::Text(text)) => Some(text),
        _ => Some(String::new()),
    };
    let (sql, declared) = (text()?, text().unwrap_or_default());
    Some(Ok(Request { transaction, sql, declared, params: values.collect() }))
}

/// What a transaction manager request asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Transaction {
    Begin,
    Commit,
    Rollback,
}

/// Reads a transaction manager request; returns the transaction that the client believes to be in beside it.
pub fn transaction(payload: &[u8]) -> Option<(u64, Transaction)> {
    let mut cursor = Cursor::new(payload);
    let transaction = cursor.headers()?;
    let what = match cursor.u16()? {
        5 => Transaction::Begin,
        7 => Transaction::Commit,
        8 => Transaction::Rollback,
        _ => return None,
    };
    Some((transaction, what))
}
