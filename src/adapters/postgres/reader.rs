//! Answers from PostgreSQL: a few connections that only read, each statement ended when its time is over. The server itself writes
//! rows as JSON: numbers with all their digits.

use super::address::Address;
use super::connect::Driven;
use super::error::source_error;
use super::settings;
use crate::core::model::budget::Held;
use crate::core::model::param::ParamValue;
use crate::core::model::secret::Secret;
use crate::core::model::sql::{Part, Sql};
use crate::core::ports::source::SourceError;
use crate::core::ports::table_reader::{ANSWER_MAX, AnswerRow, AnswerValue, ReadError, TableReader, take_value};
use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::collections::HashSet;
use std::error::Error as StdError;
use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_postgres::Error;
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};
use tokio_util::bytes::BytesMut;

/// How much longer than the server's own limit an answer is waited for.
const GRACE: Duration = Duration::from_secs(1);

/// What a message has beside a row's text: an error says more.
const FRAME: usize = 1 << 20;

/// The tables of one database.
pub struct PostgresReader {
    address: Address,
    timeout: Duration,
    free: Mutex<Vec<Driven>>,
    places: Semaphore,
}

impl PostgresReader {
    /// At most `pool` statements at a time, each for at most `timeout`. Nothing is connected yet.
    ///
    /// # Errors
    /// [`SourceError::Refused`] when the address cannot be read.
    pub fn new(url: &Secret, pool: u32, timeout: Duration) -> Result<Self, SourceError> {
        let places = Semaphore::new(usize::try_from(pool).unwrap_or(1).max(1));
        let mut address = Address::parse(url)?;
        address.longest = ANSWER_MAX + FRAME;
        Ok(Self { address, timeout, free: Mutex::default(), places })
    }

    async fn link(&self) -> Result<Driven, ReadError> {
        let kept = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(link) = kept.filter(|link| !link.client.is_closed()) {
            return Ok(link);
        }
        Driven::open(&self.address).await.map_err(|error| {
            let reason = match error {
                SourceError::Unreachable { reason, .. } | SourceError::Denied { reason, .. } => reason,
                other => other.to_string(),
            };
            ReadError::Unreachable { place: self.describe(), reason }
        })
    }

    fn failed(&self, error: &Error) -> ReadError {
        let place = self.address.name.clone();
        let Some(server) = error.as_db_error() else {
            return ReadError::Unreachable { place, reason: source_error(&self.address.name, error).to_string() };
        };
        let reason = format!("{} (SQLSTATE {})", server.message(), server.code().code());
        match server.code().code() {
            "57014" | "25P04" => ReadError::Late { seconds: self.timeout.as_secs() },
            // A statement, or a right, that a person has to mend.
            code if ["0A", "22", "3F", "42", "54", "21"].contains(&code.get(..2).unwrap_or_default()) => {
                ReadError::Refused { place, reason }
            }
            _ => ReadError::Unreachable { place, reason },
        }
    }

    /// The rows of a statement, within a transaction that only reads and is undone. The server sends no row that is longer than an
    /// answer may be, and the next one is read when there is room for it.
    async fn rows(
        &self,
        link: &Driven,
        sql: &Sql,
        (most, room): (usize, &Held),
    ) -> Result<Result<Vec<AnswerRow>, ReadError>, Error> {
        let limit = self.timeout.as_millis();
        let begin = format!("BEGIN READ ONLY; {}; SET LOCAL statement_timeout = {limit}", settings::statements());
        link.client.batch_execute(&begin).await?;
        let (text, values) = bound(sql);
        let described = link.client.prepare(&text).await?;
        let instants: HashSet<&str> = (described.columns().iter())
            .filter(|column| *column.type_() == Type::TIMESTAMPTZ)
            .map(tokio_postgres::Column::name)
            .collect();
        let whole = format!(
            "SELECT CASE WHEN octet_length(filegen_text) <= {ANSWER_MAX} THEN filegen_text END FROM (\
             SELECT row_to_json(filegen_row)::text AS filegen_text FROM (\n{text}\n) AS filegen_row LIMIT {most}\
             ) AS filegen_texts"
        );
        let statement = link.client.prepare(&whole).await?;
        let mut rows = Vec::new();
        let read = async {
            let mut found = pin!(link.client.query_raw(&statement, &values).await?);
            while let Some(row) = found.try_next().await? {
                let Some(json) = row.get::<_, Option<&str>>(0) else {
                    return Ok(Err(ReadError::TooLong { most: ANSWER_MAX }));
                };
                let counted = described.columns().iter().try_for_each(|column| take_value(room, column.name(), 0));
                if let Err(error) = counted.and_then(|()| take_value(room, "", json.len())) {
                    return Ok(Err(error));
                }
                rows.extend(answer(json, &instants));
            }
            Ok(Ok(()))
        };
        match read.await {
            // A value that the column's type does not have: there is no such row.
            Err(error) if is_no_value(&error) => rows.clear(),
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Ok(Err(error)),
            Err(error) => return Err(error),
        }
        link.client.batch_execute("ROLLBACK").await?;
        Ok(Ok(rows))
    }
}

#[async_trait]
impl TableReader for PostgresReader {
    fn describe(&self) -> String {
        self.address.name.clone()
    }

    async fn ask(&self, sql: &Sql, most: usize, room: &Arc<Held>) -> Result<Vec<AnswerRow>, ReadError> {
        let unreachable = |reason: &str| ReadError::Unreachable { place: self.describe(), reason: reason.to_owned() };
        let waited = tokio::time::timeout(self.timeout, self.places.acquire()).await;
        let Ok(Ok(_place)) = waited else { return Err(unreachable("all connections are taken")) };
        let asked = tokio::time::timeout(self.timeout + GRACE, async {
            let link = self.link().await?;
            match self.rows(&link, sql, (most, room)).await {
                // What the server still sends is nobody's: the connection ends with it.
                Ok(Err(error)) => Err(error),
                Ok(Ok(rows)) => {
                    self.free.lock().unwrap_or_else(PoisonError::into_inner).push(link);
                    Ok(rows)
                }
                // A connection on which something failed is not used again.
                Err(error) => Err(self.failed(&error)),
            }
        });
        asked.await.unwrap_or(Err(ReadError::Late { seconds: self.timeout.as_secs() }))
    }
}

/// The statement's text with numbered places, without a semicolon at its end, and their values.
fn bound(sql: &Sql) -> (String, Vec<Words>) {
    let (mut text, mut values) = (String::new(), Vec::new());
    for part in sql.parts() {
        match part {
            Part::Text(plain) => text.push_str(plain),
            Part::Param { value, .. } => {
                values.push(Words(match value {
                    ParamValue::Text(text) | ParamValue::Decimal(text) => text.clone(),
                    ParamValue::Integer(number) => number.to_string(),
                    ParamValue::Boolean(value) => value.to_string(),
                    ParamValue::Date(day) => day.to_string(),
                }));
                text.push('$');
                text.push_str(&values.len().to_string());
            }
        }
    }
    (text.trim_end().trim_end_matches(';').to_owned(), values)
}

/// A value as text, which the server reads as whatever type the place has.
#[derive(Debug)]
struct Words(String);

impl ToSql for Words {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        out.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}

/// Whether a value from outside is none of the type it is compared with: letters for a number, a NUL in a text.
fn is_no_value(error: &Error) -> bool {
    const STATES: [&str; 6] = ["22P02", "22P03", "22003", "22007", "22008", "22021"];
    let is_bound =
        |server: &tokio_postgres::error::DbError| server.where_().is_some_and(|place| place.contains("parameter"));
    error.as_db_error().is_some_and(|server| STATES.contains(&server.code().code()) && is_bound(server))
}

/// A row of JSON. `None` for what is none.
fn answer(json: &str, instants: &HashSet<&str>) -> Option<AnswerRow> {
    let Members(members) = serde_json::from_str(json).ok()?;
    let value = |(name, raw): (String, Box<RawValue>)| {
        let text = raw.get();
        let value = match text.as_bytes().first()? {
            b'n' => AnswerValue::Null,
            b't' | b'f' => AnswerValue::Bool(text == "true"),
            b'{' | b'[' => AnswerValue::Json(text.to_owned()),
            b'"' => {
                let words: String = serde_json::from_str(text).ok()?;
                // As events write it.
                let is_instant = instants.contains(name.as_str());
                AnswerValue::Text(match words.strip_suffix("+00:00").filter(|_| is_instant) {
                    Some(time) => format!("{time}Z"),
                    None => words,
                })
            }
            _ => AnswerValue::Number(text.to_owned()),
        };
        Some((name, value))
    };
    members.into_iter().map(value).collect()
}

/// An object's members in their order.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}
