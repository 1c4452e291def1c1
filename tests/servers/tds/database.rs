//! SQLite as the server uses it: SQL Server's functions, and its errors in SQL Server's numbers.

use super::reply::Message;
use super::types::{Collation, SqlType};
use super::values::scaled;
use super::{order, values};
use rusqlite::Connection;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};
use std::path::Path;

/// Opens the file with everything a session needs.
pub fn open(file: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open(file)?;
    db.busy_timeout(std::time::Duration::from_secs(10))?;
    db.execute_batch("PRAGMA journal_mode = wal; PRAGMA synchronous = off; PRAGMA case_sensitive_like = off")?;
    order::install(&db)?;
    db.execute_batch(
        "CREATE TEMP VIEW \"INFORMATION_SCHEMA.TABLES\" AS SELECT \
         CASE WHEN instr(name, '.') > 1 THEN substr(name, 1, instr(name, '.') - 1) ELSE 'dbo' END AS TABLE_SCHEMA, \
         substr(name, instr(name, '.') + 1) AS TABLE_NAME FROM main.sqlite_schema WHERE type IN ('table', 'view')",
    )?;
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    db.create_scalar_function("ts_cast", 2, flags, |context| {
        let kind = context.get::<String>(1)?;
        cast(context.get_raw(0), &kind).map_err(|text| rusqlite::Error::UserFunctionError(text.into()))
    })?;
    db.create_scalar_function("collationproperty", 2, flags, |context| {
        let name = context.get::<Option<String>>(0)?.unwrap_or_default();
        Ok(Collation::named(&name).map(|collation| collation.code_page))
    })?;
    db.create_aggregate_function("sum", 1, flags, Sum)?;
    Ok(db)
}

/// `CAST(value AS kind)`, as far as anything here asks for it.
fn cast(value: ValueRef<'_>, kind: &str) -> Result<Value, String> {
    let text = match value {
        ValueRef::Null => return Ok(Value::Null),
        ValueRef::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Blob(bytes) => return Ok(Value::Blob(bytes.to_vec())),
    };
    let bad = || format!("8114 Error converting data type nvarchar to {kind}.");
    match SqlType::parse(kind).ok_or_else(|| format!("243 Type {kind} is not a defined system type."))? {
        SqlType::Decimal(_, scale) | SqlType::Numeric(_, scale) => {
            let units = scaled(&text, scale).ok_or_else(bad)?;
            let digits = units.unsigned_abs().to_le_bytes();
            Ok(Value::Text(values::decimal_text(units >= 0, &digits, scale)))
        }
        SqlType::Bit | SqlType::TinyInt | SqlType::SmallInt | SqlType::Int | SqlType::BigInt => {
            text.parse().map(Value::Integer).map_err(|_| bad())
        }
        SqlType::Real | SqlType::Float => text.parse().map(Value::Real).map_err(|_| bad()),
        SqlType::Guid => values::guid_bytes(&text).and_then(|b| values::guid_text(&b)).map(Value::Text).ok_or_else(bad),
        _ => Ok(Value::Text(text)),
    }
}

/// SUM without a float in between, where the values have none.
struct Sum;

/// What is summed so far.
#[derive(Default)]
struct Total {
    units: i128,
    scale: usize,
    float: Option<f64>,
    any: bool,
}

impl Aggregate<Total, Value> for Sum {
    fn init(&self, _: &mut Context<'_>) -> rusqlite::Result<Total> {
        Ok(Total::default())
    }

    fn step(&self, context: &mut Context<'_>, total: &mut Total) -> rusqlite::Result<()> {
        let text = match context.get_raw(0) {
            ValueRef::Integer(number) => number.to_string(),
            ValueRef::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            ValueRef::Real(number) => {
                total.any = true;
                *total.float.get_or_insert(0.0) += number;
                return Ok(());
            }
            _ => return Ok(()),
        };
        let scale = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let finer = scale.max(total.scale);
        total.units *= 10_i128.pow((finer - total.scale) as u32);
        total.units += scaled(&text, finer as u8).unwrap_or(0);
        (total.scale, total.any) = (finer, true);
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, total: Option<Total>) -> rusqlite::Result<Value> {
        let total = total.unwrap_or_default();
        Ok(match (total.any, total.float, total.scale) {
            (false, ..) => Value::Null,
            (_, Some(sum), _) => Value::Real(sum),
            (_, _, 0) => i64::try_from(total.units).map_or(Value::Text(total.units.to_string()), Value::Integer),
            (_, _, scale) => {
                let digits = total.units.unsigned_abs().to_le_bytes();
                Value::Text(values::decimal_text(total.units >= 0, &digits, scale as u8))
            }
        })
    }
}

/// SQLite's complaint in SQL Server's words.
pub fn message(error: &rusqlite::Error) -> Message {
    let text = match error {
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        rusqlite::Error::SqliteFailure(_, Some(text)) => text.clone(),
        other => other.to_string(),
    };
    let after = |start: &str| text.split_once(start).map(|(_, rest)| rest.trim_matches(['"', ' ']).to_owned());
    if let Some(name) = after("no such table: ") {
        Message::new(208, 16, format!("Invalid object name '{name}'."))
    } else if let Some(name) = after("no such column: ") {
        let name = name.rsplit('.').next().unwrap_or_default().trim_matches('"').to_owned();
        Message::new(207, 16, format!("Invalid column name '{name}'."))
    } else if let Some(rest) = after("near \"") {
        let name = rest.split("\": ").next().unwrap_or_default().to_owned();
        Message::new(102, 15, format!("Incorrect syntax near '{name}'."))
    } else if text == "incomplete input" {
        Message::new(102, 15, "Incorrect syntax near the end of the statement.")
    } else if text.contains("UNIQUE constraint failed") {
        Message::new(2627, 14, "Violation of PRIMARY KEY constraint.")
    } else if text.contains("already exists") {
        Message::new(2714, 16, text)
    } else if let Some((number, rest)) = text.split_once(' ').and_then(|(n, rest)| Some((n.parse().ok()?, rest))) {
        Message::new(number, 16, rest)
    } else {
        Message::new(50000, 16, text)
    }
}
