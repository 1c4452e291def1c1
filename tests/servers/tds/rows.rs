//! Rows of a result: their columns, and how they are sent.

use super::fault::Action;
use super::form::{Form, Nulls};
use super::reply::{Message, Reply};
use super::request::Request;
use super::session::{End, State};
use super::types::{ColumnType, SqlType};
use super::{lock, values};
use rusqlite::types::{Value, ValueRef};
use std::io;

impl State<'_> {
    pub fn rows(
        &self,
        sql: &str,
        types: &[Option<SqlType>],
        ordered: usize,
        request: &Request,
        reply: &mut Reply<'_>,
    ) -> rusqlite::Result<io::Result<End>> {
        let mut statement = self.db.prepare(sql)?;
        bind(&mut statement, &request.params)?;
        let declared = columns(&statement, types);
        let mut rows = statement.raw_query();
        let mut next = rows.next()?;
        let columns: Vec<(String, ColumnType)> = (declared.into_iter().enumerate())
            .map(|(index, (name, column))| {
                let value = next.and_then(|row| row.get_ref(index).ok());
                // As the description has it, where there is no row to see.
                let guessed = || if next.is_some() { guess(value) } else { SqlType::BigInt };
                (name, column.unwrap_or_else(|| ColumnType::plain(guessed())))
            })
            .collect();
        reply.settings(&self.database);
        metadata(&columns, ordered, reply);
        reply.chatter(0);
        let fault = lock(&self.shared.faults).iter().find(|fault| request.sql.contains(&fault.statement)).cloned();
        let mut count = 0;
        while let Some(row) = next.filter(|_| !self.only_format) {
            if fault.as_ref().is_some_and(|fault| fault.row == count) {
                let mut faults = lock(&self.shared.faults);
                if let Some(at) =
                    faults.iter().position(|fault| fault.row == count && request.sql.contains(&fault.statement))
                {
                    let fault = faults.remove(at);
                    drop(faults);
                    match fault.action {
                        Action::Error(number, class, text) => {
                            return Ok(Ok(End::Error(Message::new(number, class, text))));
                        }
                        Action::Garble => reply.buffer.extend_from_slice(&[0x17; 64]),
                        Action::Drop => {
                            reply.buffer.extend_from_slice(&[0xd1, 1]);
                            return Ok(Ok(End::Cut));
                        }
                        Action::Stall => return Ok(Ok(End::Stall)),
                        Action::Unended => return Ok(Ok(End::Unended)),
                        Action::Lose => {
                            count += 1;
                            next = rows.next()?;
                            continue;
                        }
                    }
                }
            }
            if let Err(message) = write_row(&columns, row, count, &self.shared.options.form, &mut reply.buffer) {
                return Ok(Ok(End::Error(message)));
            }
            reply.chatter(count + 1);
            if let Err(error) = reply.send_full() {
                return Ok(Err(error));
            }
            if reply.attention {
                return Ok(Ok(End::Attention));
            }
            count += 1;
            next = rows.next()?;
        }
        Ok(Ok(End::Done(0xc1, Some(count))))
    }
}

pub fn bind(statement: &mut rusqlite::Statement<'_>, params: &[(String, Value)]) -> rusqlite::Result<()> {
    for (name, value) in params {
        if let Some(index) = statement.parameter_index(name)? {
            statement.raw_bind_parameter(index, value)?;
        }
    }
    Ok(())
}

/// A result's columns: their names, and their types where the statement or a table declares them.
pub fn columns(statement: &rusqlite::Statement<'_>, types: &[Option<SqlType>]) -> Vec<(String, Option<ColumnType>)> {
    (statement.columns().enumerate())
        .map(|(index, column)| {
            let said = types.get(index).copied().flatten().map(ColumnType::plain);
            let name = column.name().to_owned();
            let declared = || column.decl_type().and_then(|text| ColumnType::declared(&text.replace("(-1)", "(max)")));
            (name, said.or_else(declared))
        })
        .collect()
}

/// The type of an expression, from the first row's value.
fn guess(value: Option<ValueRef<'_>>) -> SqlType {
    match value {
        Some(ValueRef::Integer(_)) => SqlType::BigInt,
        Some(ValueRef::Real(_)) => SqlType::Float,
        Some(ValueRef::Blob(_)) => SqlType::VarBinary(None),
        Some(ValueRef::Text(bytes)) if bytes.len() > 4000 => SqlType::NVarChar(None),
        _ => SqlType::NVarChar(Some(4000)),
    }
}

fn metadata(columns: &[(String, ColumnType)], ordered: usize, reply: &mut Reply<'_>) {
    reply.buffer.push(0x81);
    reply.buffer.extend_from_slice(&(columns.len() as u16).to_le_bytes());
    for (name, column) in columns {
        column.metadata(name, &mut reply.buffer);
    }
    if ordered > 0 {
        reply.order(ordered);
    }
}

/// One row: as ROW, or as NBCROW with its bit map.
fn write_row(
    columns: &[(String, ColumnType)],
    row: &rusqlite::Row<'_>,
    number: u64,
    form: &Form,
    out: &mut Vec<u8>,
) -> Result<(), Message> {
    let values: Vec<ValueRef<'_>> =
        (0..columns.len()).map(|index| row.get_ref(index).unwrap_or(ValueRef::Null)).collect();
    let bitmap = match form.nulls {
        Nulls::Bitmap => values.contains(&ValueRef::Null),
        Nulls::InPlace => false,
        Nulls::Mixed => number % 2 == 1,
    };
    out.push(if bitmap { 0xd2 } else { 0xd1 });
    if bitmap {
        let bits = |values: &[ValueRef<'_>]| {
            values.iter().rev().fold(0_u8, |byte, value| (byte << 1) | u8::from(*value == ValueRef::Null))
        };
        out.extend(values.chunks(8).map(bits));
    }
    for ((name, column), value) in columns.iter().zip(values) {
        if value == ValueRef::Null {
            if !bitmap {
                values::write_null(column, out);
            }
            continue;
        }
        values::write(column, value, form.plp, out)
            .map_err(|why| Message::new(8115, 16, format!("Arithmetic overflow error in column {name}: {why}.")))?;
    }
    Ok(())
}
