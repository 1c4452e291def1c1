//! Events that wait for their parent, in the sink. Others may write there too: what cannot be read goes to the outbox as it is, where
//! it is told, and nothing queues behind it.

use super::apply::Parent;
#[cfg(test)]
use super::book::OUTBOX;
use super::book::{bury, check_limit, letter, text};
use super::ddl::{LETTERS, PARKED, name, quoted};
use super::fault::SqliteFault;
use crate::core::model::letter::{DeadLetter, ENTRY_MAX, LetterKind};
use crate::core::model::rows::sortable;
use crate::core::ports::sql_sink::{Parked, SinkReader, WAITING_BYTES};
use jiff::Timestamp;
use rusqlite::{Connection, Error, ErrorCode, OptionalExtension, Row, Transaction, TransactionBehavior};

pub(super) fn has_parked(connection: &Connection) -> Result<bool, Error> {
    connection.prepare_cached("SELECT 1 FROM filegen_parked LIMIT 1")?.exists([])
}

/// The parent that an earlier event of the same row waits for.
pub(super) fn waiting_before(
    connection: &Connection,
    table: &str,
    key: &str,
    own: Option<i64>,
) -> Result<Option<Parent>, Error> {
    let sql = "SELECT parent_tbl, parent_col, parent_value FROM filegen_parked
               WHERE tbl = ?1 AND row_key = ?2 AND number < ?3 ORDER BY number LIMIT 1";
    let parent = |row: &Row<'_>| Ok(Parent { table: text(row, 0), column: text(row, 1), value: row.get(2)? });
    connection.prepare_cached(sql)?.query_row((table, key, own.unwrap_or(i64::MAX)), parent).optional()
}

/// Keeps an event until its parent is there.
pub(super) fn park(
    transaction: &Transaction<'_>,
    reader: &SinkReader,
    letter: &DeadLetter,
    (table, key): (&str, &str),
    parent: &Parent,
) -> Result<(), Error> {
    let sql = "INSERT INTO filegen_parked
               (source, id, topic_id, tbl, row_key, parent_tbl, parent_col, parent_value, entry, attempts, parked_at, number)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, ?10, ?11) ON CONFLICT (source, id, topic_id) DO NOTHING";
    let place = (&reader.source, &letter.id, &letter.topic_id, table, key);
    let (source, id, topic_id, table, key) = place;
    let values: [&dyn rusqlite::ToSql; 11] = [
        source,
        id,
        topic_id,
        &table,
        &key,
        &parent.table,
        &parent.column,
        &parent.value,
        &letter.to_json(),
        &sortable(letter.timestamp),
        &PARKED.next(transaction)?,
    ];
    transaction.prepare_cached(sql)?.execute(values).map(drop)
}

/// Counts a try of a parked event, if it is one, and notes what it waits for now. Gives the tries so far.
pub(super) fn tried_again(
    transaction: &Transaction<'_>,
    number: i64,
    parent: &Parent,
    counts: bool,
) -> Result<u32, Error> {
    let sql = "UPDATE filegen_parked SET attempts = attempts + ?5, parent_tbl = ?2, parent_col = ?3, parent_value = ?4
               WHERE number = ?1 RETURNING attempts";
    let values: [&dyn rusqlite::ToSql; 5] = [&number, &parent.table, &parent.column, &parent.value, &counts];
    let tried = transaction.prepare_cached(sql)?.query_row(values, |row| Ok(tries(row, 0))).optional()?;
    Ok(tried.unwrap_or(0))
}

pub(super) fn unpark(transaction: &Transaction<'_>, number: i64) -> Result<(), Error> {
    transaction.prepare_cached("DELETE FROM filegen_parked WHERE number = ?1")?.execute([number]).map(drop)
}

/// Events that wait for a parent of this table, and have it. Those without a table are to be tried whatever is there.
fn released_of(table: &str, column: &str) -> String {
    let is_there = if table.is_empty() {
        String::new()
    } else {
        format!("AND EXISTS (SELECT 1 FROM {} t WHERE t.{} = p.parent_value)", name(table), quoted(column))
    };
    format!(
        "SELECT CASE WHEN octet_length(p.entry) <= ?5 THEN p.entry END, p.number, p.id, p.topic_id
         FROM filegen_parked p WHERE p.source = ?1 AND p.parent_tbl = ?2 AND p.parent_col = ?3
         {is_there} ORDER BY p.number LIMIT ?4"
    )
}

/// What [`released`] and [`expire`] found: what can be read, and the numbers of what cannot.
type Read<T> = (Vec<T>, Vec<i64>);

/// Parked events whose parent is there, or whose predecessor has expired, oldest first. What cannot be read is dead.
pub(super) fn released(
    connection: &mut Connection,
    reader: &SinkReader,
    max: usize,
) -> Result<Vec<Parked>, SqliteFault> {
    let (mut found, odd) = free(connection, reader, max)?;
    if !odd.is_empty() {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        set_aside(&transaction, &odd)?;
        transaction.commit()?;
    }
    found.sort_by_key(|parked| parked.number);
    found.truncate(max);
    Ok(found)
}

fn free(connection: &Connection, reader: &SinkReader, max: usize) -> Result<Read<Parked>, SqliteFault> {
    let sql = "SELECT DISTINCT parent_tbl, parent_col FROM filegen_parked WHERE source = ?1";
    let mut asked = connection.prepare_cached(sql)?;
    let parents = asked.query_map([&reader.source], |row| Ok((text(row, 0), text(row, 1))))?;
    let parents: Vec<(String, String)> = parents.collect::<Result<_, _>>()?;
    let (mut found, mut odd) = (Vec::new(), Vec::new());
    for (table, column) in parents {
        let mut asked = match connection.prepare_cached(&released_of(&table, &column)) {
            Ok(asked) => asked,
            // No such table, or no such column: as long as that is so, this parent is not there.
            Err(Error::SqlInputError { .. }) => continue,
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::Unknown) => continue,
            Err(error) => return Err(error.into()),
        };
        let limit = i64::try_from(max).unwrap_or(i64::MAX);
        let mut rows = asked.query((&reader.source, &table, &column, limit, ENTRY_MAX))?;
        let mut bytes = 0;
        while let Some(row) = rows.next()? {
            let number: i64 = row.get(1)?;
            match letter(row).ok().and_then(|letter| letter.event()) {
                Some(event) => {
                    bytes += event.payload.len();
                    found.push(Parked { number, event });
                }
                None => odd.push(number),
            }
            if bytes >= WAITING_BYTES {
                break;
            }
        }
    }
    Ok((found, odd))
}

/// Puts parked events into the outbox as they are. What queues behind them is to be tried.
fn set_aside(transaction: &Transaction<'_>, numbers: &[i64]) -> Result<(), Error> {
    for number in numbers {
        transaction.prepare_cached(FREE)?.execute([number])?;
        let sql = "INSERT INTO filegen_dead_letters (source, id, topic_id, kind, entry, created_at, number)
                   SELECT source, id, topic_id, 'json', entry, parked_at, ?2 FROM filegen_parked WHERE number = ?1
                   ON CONFLICT (source, id, topic_id) DO NOTHING";
        transaction.prepare_cached(sql)?.execute([*number, LETTERS.next(transaction)?])?;
        unpark(transaction, *number)?;
    }
    Ok(())
}

/// What queues behind an event is to be tried.
const FREE: &str = "UPDATE filegen_parked SET parent_tbl = '' WHERE number <> ?1
    AND (tbl, row_key) IN (SELECT tbl, row_key FROM filegen_parked WHERE number = ?1)";

/// The first of each row, if it waits for a parent of its own.
const EXPIRED: &str =
    "SELECT CASE WHEN octet_length(p.entry) <= ?3 THEN p.entry END, p.number, p.id, p.topic_id, p.attempts
    FROM filegen_parked p WHERE p.source = ?1 AND p.parked_at < ?2 AND p.parent_tbl <> '' AND NOT EXISTS (
    SELECT 1 FROM filegen_parked e WHERE e.tbl = p.tbl AND e.row_key = p.row_key AND e.number < p.number)
    ORDER BY p.number LIMIT 20";

/// Makes dead letters of what was parked before. What queues behind it is to be tried.
pub(super) fn expire(
    transaction: &Transaction<'_>,
    reader: &SinkReader,
    before: Timestamp,
    now: Timestamp,
    instance: &str,
) -> Result<u64, SqliteFault> {
    let (mut dead, mut odd): Read<(i64, DeadLetter)> = Default::default();
    {
        let mut asked = transaction.prepare_cached(EXPIRED)?;
        let mut rows = asked.query((&reader.source, sortable(before), ENTRY_MAX))?;
        while let Some(row) = rows.next()? {
            let number = row.get(1)?;
            match letter(row) {
                Ok(letter) => dead.push((number, DeadLetter { attempts: tries(row, 4).saturating_add(1), ..letter })),
                Err(_) => odd.push(number),
            }
        }
    }
    let count = dead.len() + odd.len();
    set_aside(transaction, &odd)?;
    for (number, mut letter) in dead {
        transaction.prepare_cached(FREE)?.execute([number])?;
        unpark(transaction, number)?;
        letter.error.kind = LetterKind::Parent;
        letter.timestamp = now;
        instance.clone_into(&mut letter.instance);
        bury(transaction, reader, &letter)?;
    }
    if count > 0 {
        check_limit(transaction, reader)?;
    }
    Ok(count as u64)
}

/// How often an event was tried, from a row that others may have written.
fn tries(row: &Row<'_>, column: usize) -> u32 {
    row.get(column).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::sqlite_sink::ddl;

    #[test]
    fn what_waits_is_read_in_its_order_without_a_sort() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE parents (id TEXT PRIMARY KEY)").unwrap();
        for statement in ddl::BOOKS {
            connection.execute_batch(statement).unwrap();
        }
        for sql in [OUTBOX, EXPIRED, &released_of("parents", "id")] {
            let mut asked = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let (mut found, mut plan) = (asked.raw_query(), Vec::<String>::new());
            while let Some(row) = found.next().unwrap() {
                plan.push(row.get(3).unwrap());
            }
            assert!(!plan.join("\n").contains("TEMP B-TREE"), "{sql}: {plan:?}");
        }
    }
}
