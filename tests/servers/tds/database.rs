//! SQLite as the server uses it: SQL Server's functions, and its errors in SQL Server's numbers.

use super::reply::Message;
use super::types::{Collation, SqlType};
use super::values::scaled;
use super::{catalog, order, values};
use rusqlite::Connection;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};
use std::path::Path;

/// Opens the file with everything a session needs.
pub fn open(file: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open(file)?;
    db.busy_timeout(std::time::Duration::from_secs(10))?;
    db.execute_batch(
        "PRAGMA journal_mode = wal; PRAGMA synchronous = off; PRAGMA case_sensitive_like = off; \
         PRAGMA foreign_keys = on",
    )?;
    order::install(&db)?;
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    db.create_scalar_function("ts_cast", 2, flags, |context| {
        let kind = context.get::<String>(1)?;
        cast(context.get_raw(0), &kind).map_err(|text| rusqlite::Error::UserFunctionError(text.into()))
    })?;
    db.create_scalar_function("collationproperty", 2, flags, |context| {
        let name = context.get::<Option<String>>(0)?.unwrap_or_default();
        Ok(Collation::named(&name).map(|collation| collation.code_page))
    })?;
    db.create_scalar_function("ts_fits", 3, flags, |context| {
        let (kind, column) = (context.get::<String>(1)?, context.get::<String>(2)?);
        fits(context.get_raw(0), &kind, &column).map_err(|text| rusqlite::Error::UserFunctionError(text.into()))
    })?;
    db.create_scalar_function("ts_plus", 2, flags, |context| {
        plus(context.get_raw(0), context.get_raw(1)).map_err(|text| rusqlite::Error::UserFunctionError(text.into()))
    })?;
    db.create_scalar_function("sysutcdatetime", 0, FunctionFlags::SQLITE_UTF8, |_| {
        Ok(jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%6f0").to_string())
    })?;
    catalog::install(&db)?;
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

/// Whether a column of this type can hold a value; an error is what the server says.
fn fits(value: ValueRef<'_>, kind: &str, column: &str) -> Result<bool, String> {
    let beyond =
        || format!("8115 Arithmetic overflow error converting expression to data type {kind}, column '{column}'.");
    let whole = |least: i64, most: i64| match value {
        ValueRef::Integer(number) if (least..=most).contains(&number) => Ok(true),
        ValueRef::Integer(_) => Err(beyond()),
        _ => Ok(true),
    };
    let long = |length: usize, most: Option<u16>| match most {
        Some(most) if length > usize::from(most) => {
            Err(format!("2628 String or binary data would be truncated in column '{column}'."))
        }
        _ => Ok(true),
    };
    match (SqlType::parse(kind).ok_or_else(|| kind.to_owned())?, value) {
        (_, ValueRef::Null) => Ok(true),
        (SqlType::Bit, _) => whole(0, 1),
        (SqlType::TinyInt, _) => whole(0, 255),
        (SqlType::SmallInt, _) => whole(i64::from(i16::MIN), i64::from(i16::MAX)),
        (SqlType::Int, _) => whole(i64::from(i32::MIN), i64::from(i32::MAX)),
        (SqlType::Decimal(precision, scale) | SqlType::Numeric(precision, scale), ValueRef::Text(bytes)) => {
            let units = scaled(&String::from_utf8_lossy(bytes), scale).ok_or_else(beyond)?;
            if units.unsigned_abs() < 10_u128.pow(u32::from(precision)) { Ok(true) } else { Err(beyond()) }
        }
        (SqlType::NVarChar(most), ValueRef::Text(bytes)) => {
            long(String::from_utf8_lossy(bytes).encode_utf16().count(), most)
        }
        (SqlType::VarChar(most), ValueRef::Text(bytes)) => long(String::from_utf8_lossy(bytes).chars().count(), most),
        (SqlType::VarBinary(most), ValueRef::Blob(bytes)) => long(bytes.len(), most),
        _ => Ok(true),
    }
}

/// A sum without a float in between.
fn plus(left: ValueRef<'_>, right: ValueRef<'_>) -> Result<Value, String> {
    let text = |value: ValueRef<'_>| match value {
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Text(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    };
    match (left, right) {
        (ValueRef::Integer(a), ValueRef::Integer(b)) => {
            let beyond = || "8115 Arithmetic overflow error converting expression to data type bigint.".to_owned();
            a.checked_add(b).map(Value::Integer).ok_or_else(beyond)
        }
        (ValueRef::Real(a), ValueRef::Real(b)) => Ok(Value::Real(a + b)),
        (left, right) => {
            let (Some(a), Some(b)) = (text(left), text(right)) else { return Ok(Value::Null) };
            let digits = |text: &str| text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
            let scale = u8::try_from(digits(&a).max(digits(&b))).unwrap_or(u8::MAX);
            let units = scaled(&a, scale).zip(scaled(&b, scale)).and_then(|(a, b)| a.checked_add(b));
            let units = units.ok_or("8115 Arithmetic overflow error converting expression to data type numeric.")?;
            Ok(Value::Text(values::decimal_text(units >= 0, &units.unsigned_abs().to_le_bytes(), scale)))
        }
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
    } else if let Some(place) = after("NOT NULL constraint failed: ") {
        let (table, column) = place.split_once('.').unwrap_or((place.as_str(), ""));
        let text = format!(
            "Cannot insert the value NULL into column '{column}', table 'loans.dbo.{table}'; column does not allow nulls."
        );
        Message::new(515, 16, text)
    } else if text.contains("FOREIGN KEY constraint failed") {
        Message::new(547, 16, "The statement conflicted with the FOREIGN KEY constraint.")
    } else if let Some(name) = after("CHECK constraint failed: ") {
        Message::new(547, 16, format!("The statement conflicted with the CHECK constraint \"{name}\"."))
    } else if text.contains("database is locked") {
        let text = "Transaction (Process ID 51) was deadlocked on lock resources with another process and has been chosen as the \
                    deadlock victim. Rerun the transaction.";
        Message::new(1205, 13, text)
    } else if text.contains("readonly database") {
        Message::new(3906, 16, "Failed to update database \"loans\" because the database is read-only.")
    } else if text.contains("disk is full") {
        let text =
            "Could not allocate space for object 'dbo.t' in database 'loans' because the 'PRIMARY' filegroup is full.";
        Message::new(1105, 17, text)
    } else if text.contains("already exists") {
        Message::new(2714, 16, text)
    } else if let Some((number, rest)) = text.split_once(' ').and_then(|(n, rest)| Some((n.parse().ok()?, rest))) {
        Message::new(number, 16, rest)
    } else {
        Message::new(50000, 16, text)
    }
}
