//! Bulk load: `INSERT BULK`, then rows in the form in which a server sends them.

use super::incoming::Incoming;
use super::request::Cursor;
use rusqlite::types::Value;

const COLUMNS: u8 = 0x81;
const ROW: u8 = 0xd1;
const ROW_WITH_NULLS: u8 = 0xd2;
const ENDED: u8 = 0xfd;

/// The rows of a bulk load. `None` where they cannot be read.
pub fn rows(payload: &[u8]) -> Option<Vec<Vec<Value>>> {
    let mut cursor = Cursor::new(payload);
    (cursor.u8()? == COLUMNS).then_some(())?;
    let mut columns = Vec::new();
    for _ in 0..cursor.u16()? {
        let (_user_type, _flags) = (cursor.u32()?, cursor.u16()?);
        columns.push(Incoming::read(&mut cursor)?);
        let units = usize::from(cursor.u8()?);
        cursor.utf16(units)?;
    }
    let mut rows = Vec::new();
    loop {
        let is_null: Vec<bool> = match cursor.u8()? {
            ROW => vec![false; columns.len()],
            ROW_WITH_NULLS => {
                let bits = cursor.bytes(columns.len().div_ceil(8))?;
                (0..columns.len()).map(|at| bits[at / 8] >> (at % 8) & 1 == 1).collect()
            }
            // Status, command and count follow; a client of before 7.2 counts with four bytes.
            ENDED => return (cursor.len() >= 8).then_some(rows),
            _ => return None,
        };
        let mut row = Vec::with_capacity(columns.len());
        for (column, is_null) in columns.iter().zip(is_null) {
            row.push(if is_null { Value::Null } else { column.value(&mut cursor)? });
        }
        rows.push(row);
    }
}
