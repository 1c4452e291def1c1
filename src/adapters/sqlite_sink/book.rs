//! The sink's books: positions, dead letters on their way to the queue, and events that wait for their parent.

use super::apply::Parent;
use super::ddl::{name, quoted};
use super::fault::SqliteFault;
use super::{Work, fit};
use crate::core::model::letter::{DeadLetter, LetterKind};
use crate::core::model::rows::sortable;
use crate::core::ports::sql_sink::{Parked, PositionMove, SinkCounts, SinkReader, StoredPosition, WAITING_BYTES};
use jiff::Timestamp;
use rusqlite::{Connection, Error, OptionalExtension, Transaction};

/// Where the group's readers go on.
pub(super) fn positions(connection: &Connection, reader: &SinkReader) -> Result<Vec<StoredPosition>, SqliteFault> {
    let sql = "SELECT topic, topic_id, partition, next_offset FROM filegen_offsets WHERE source = ?1 AND group_id = ?2
               ORDER BY topic, updated_at, partition";
    let mut asked = connection.prepare_cached(sql)?;
    let found = asked.query_map([&reader.source, &reader.group], |row| {
        Ok(StoredPosition { topic: row.get(0)?, topic_id: row.get(1)?, partition: row.get(2)?, next: row.get(3)? })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Moves a position that stands where the batch began, and refuses to move any other.
pub(super) fn advance(
    transaction: &Transaction<'_>,
    reader: &SinkReader,
    step: &PositionMove,
    now: Timestamp,
) -> Result<(), SqliteFault> {
    let row = (&reader.source, &reader.group, &step.topic, &step.topic_id, step.partition, step.to, sortable(now));
    let changed = match step.from {
        None => {
            let sql =
                "INSERT INTO filegen_offsets (source, group_id, topic, topic_id, partition, next_offset, updated_at)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";
            transaction.prepare_cached(sql)?.execute(row)?
        }
        Some(from) => {
            let sql = "UPDATE filegen_offsets SET next_offset = ?6, updated_at = ?7
                       WHERE source = ?1 AND group_id = ?2 AND topic = ?3 AND topic_id = ?4 AND partition = ?5 AND next_offset = ?8";
            let (source, group, topic, id, partition, to, at) = row;
            transaction.prepare_cached(sql)?.execute((source, group, topic, id, partition, to, at, from))?
        }
    };
    if changed == 0 { Err(SqliteFault::Rival(format!("{}/{}", step.topic, step.partition))) } else { Ok(()) }
}

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
    let parent = |row: &rusqlite::Row<'_>| Ok(Parent { table: row.get(0)?, column: row.get(1)?, value: row.get(2)? });
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
               (source, id, topic_id, tbl, row_key, parent_tbl, parent_col, parent_value, entry, attempts, parked_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, ?10) ON CONFLICT (source, id, topic_id) DO NOTHING";
    let place = (&reader.source, &letter.id, &letter.topic_id, table, key);
    let (source, id, topic_id, table, key) = place;
    let values: [&dyn rusqlite::ToSql; 10] = [
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
    let tries = transaction.prepare_cached(sql)?.query_row(values, |row| row.get(0)).optional()?;
    Ok(tries.unwrap_or(0))
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
        "SELECT p.number, p.entry FROM filegen_parked p WHERE p.source = ?1 AND p.parent_tbl = ?2 AND p.parent_col = ?3
         {is_there} ORDER BY p.number LIMIT ?4"
    )
}

/// Parked events whose parent is there, or whose predecessor has expired, oldest first.
pub(super) fn released(connection: &Connection, reader: &SinkReader, max: usize) -> Result<Vec<Parked>, SqliteFault> {
    let sql = "SELECT DISTINCT parent_tbl, parent_col FROM filegen_parked WHERE source = ?1";
    let mut asked = connection.prepare_cached(sql)?;
    let parents: Vec<(String, String)> =
        asked.query_map([&reader.source], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    let mut found = Vec::new();
    for (table, column) in parents {
        let mut asked = connection.prepare_cached(&released_of(&table, &column))?;
        let limit = i64::try_from(max).unwrap_or(i64::MAX);
        let rows = asked.query_map((&reader.source, &table, &column, limit), |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut bytes = 0;
        for row in rows {
            let (number, entry): (i64, String) = row?;
            bytes += entry.len();
            found.push(Parked { number, event: letter(&entry)?.event().ok_or_else(damaged)? });
            if bytes >= WAITING_BYTES {
                break;
            }
        }
    }
    found.sort_by_key(|parked| parked.number);
    found.truncate(max);
    Ok(found)
}

fn damaged() -> SqliteFault {
    SqliteFault::Damaged("a parked event or dead letter in the sink cannot be read".to_owned())
}

fn letter(entry: &str) -> Result<DeadLetter, SqliteFault> {
    serde_json::from_str(entry).map_err(|_| damaged())
}

/// The first of each row, if it waits for a parent of its own.
const EXPIRED: &str = "DELETE FROM filegen_parked WHERE number IN (SELECT p.number FROM filegen_parked p
    WHERE p.source = ?1 AND p.parked_at < ?2 AND p.parent_tbl <> '' AND NOT EXISTS (SELECT 1 FROM filegen_parked e
    WHERE e.tbl = p.tbl AND e.row_key = p.row_key AND e.number < p.number)
    ORDER BY p.number LIMIT 20) RETURNING number, entry, attempts, tbl, row_key";

/// Makes dead letters of what was parked before. What queues behind it is to be tried.
pub(super) fn expire(
    transaction: &Transaction<'_>,
    reader: &SinkReader,
    before: Timestamp,
    now: Timestamp,
    instance: &str,
) -> Result<u64, SqliteFault> {
    let mut asked = transaction.prepare_cached(EXPIRED)?;
    let rows = asked.query_map((&reader.source, sortable(before)), |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
    })?;
    let mut dead: Vec<(i64, String, u32, String, String)> = rows.collect::<Result<_, _>>()?;
    dead.sort_unstable_by_key(|(number, ..)| *number);
    let free = "UPDATE filegen_parked SET parent_tbl = '' WHERE tbl = ?1 AND row_key = ?2";
    for (_, entry, attempts, table, key) in &dead {
        transaction.prepare_cached(free)?.execute((table, key))?;
        let mut letter = letter(entry)?;
        letter.error.kind = LetterKind::Parent;
        (letter.timestamp, letter.attempts) = (now, attempts + 1);
        instance.clone_into(&mut letter.instance);
        bury(transaction, reader, &letter)?;
    }
    if !dead.is_empty() {
        check_limit(transaction, reader)?;
    }
    Ok(dead.len() as u64)
}

/// Puts a dead letter into the outbox, once.
pub(super) fn bury(transaction: &Transaction<'_>, reader: &SinkReader, letter: &DeadLetter) -> Result<(), Error> {
    let sql = "INSERT INTO filegen_dead_letters (source, id, topic_id, event_id, type, kind, entry, created_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (source, id, topic_id) DO NOTHING";
    let values = (
        &reader.source,
        &letter.id,
        &letter.topic_id,
        &letter.event_id,
        &letter.kind,
        letter.error.kind.as_str(),
        letter.to_json(),
        sortable(letter.timestamp),
    );
    transaction.prepare_cached(sql)?.execute(values).map(drop)
}

/// Refuses a batch that leaves more dead letters in the outbox than there may be.
pub(super) fn check_limit(transaction: &Transaction<'_>, reader: &SinkReader) -> Result<(), SqliteFault> {
    let (waiting, limit) = (waiting(transaction, OUTBOX_COUNT, reader)?, reader.outbox_limit);
    if waiting > limit { Err(SqliteFault::OutboxFull { waiting, limit }) } else { Ok(()) }
}

const OUTBOX_COUNT: &str = "SELECT count(*) FROM filegen_dead_letters WHERE source = ?1";

const PARKED_COUNT: &str = "SELECT count(*) FROM filegen_parked WHERE source = ?1";

fn waiting(connection: &Connection, sql: &str, reader: &SinkReader) -> Result<u64, Error> {
    connection.prepare_cached(sql)?.query_row([&reader.source], |row| row.get(0))
}

/// By an index: a sort would write all entries to a temporary file at each step.
const OUTBOX: &str = "SELECT entry FROM filegen_dead_letters WHERE source = ?1 ORDER BY number LIMIT ?2";

/// Dead letters for the queue, oldest first.
pub(super) fn outbox(connection: &Connection, reader: &SinkReader, max: usize) -> Result<Vec<DeadLetter>, SqliteFault> {
    let mut asked = connection.prepare_cached(OUTBOX)?;
    let limit = i64::try_from(max).unwrap_or(i64::MAX);
    let (mut letters, mut bytes) = (Vec::new(), 0);
    for entry in asked.query_map((&reader.source, limit), |row| row.get::<_, String>(0))? {
        let entry = entry?;
        bytes += entry.len();
        letters.push(letter(&entry)?);
        if bytes >= WAITING_BYTES {
            break;
        }
    }
    Ok(letters)
}

/// Forgets what the queue has.
pub(super) fn sent(transaction: &Transaction<'_>, reader: &SinkReader, indexes: &[String]) -> Result<(), SqliteFault> {
    let sql = "DELETE FROM filegen_dead_letters WHERE source = ?1 AND id || '#' || topic_id = ?2 AND id = ?3";
    let mut gone = transaction.prepare_cached(sql)?;
    for index in indexes {
        let id = index.rsplit_once('#').map_or(index.as_str(), |(id, _)| id);
        gone.execute((&reader.source, index, id))?;
    }
    Ok(())
}

pub(super) fn counts(connection: &Connection, work: &Work) -> Result<SinkCounts, SqliteFault> {
    let count = |table: &String| Ok((table.clone(), connection.query_row(&fit::count(table), [], |row| row.get(0))?));
    let tables = work.tables.tables.iter().map(|table| &table.name);
    Ok(SinkCounts {
        positions: positions(connection, &work.reader)?,
        parked: waiting(connection, PARKED_COUNT, &work.reader)?,
        outbox: waiting(connection, OUTBOX_COUNT, &work.reader)?,
        tables: tables.map(count).collect::<Result<_, Error>>()?,
    })
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
