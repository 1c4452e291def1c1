//! The sink's books: positions, and dead letters on their way to the queue.

use super::ddl::LETTERS;
use super::fault::SqliteFault;
use super::{Work, fit};
use crate::core::model::letter::{DeadLetter, ENTRY_MAX};
use crate::core::model::rows::sortable;
use crate::core::ports::sql_sink::{Outgoing, PositionMove, SinkCounts, SinkReader, StoredPosition, WAITING_BYTES};
use crate::core::ports::store::Found;
use jiff::Timestamp;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, Row, Transaction};

/// Where the group's readers go on. Nothing keeps others from writing what is no number.
pub(super) fn positions(connection: &Connection, reader: &SinkReader) -> Result<Found<StoredPosition>, SqliteFault> {
    let sql = "SELECT topic, topic_id, partition, next_offset FROM filegen_offsets WHERE source = ?1 AND group_id = ?2
               ORDER BY topic, updated_at, partition";
    let mut asked = connection.prepare_cached(sql)?;
    let (mut rows, mut found) = (asked.query([&reader.source, &reader.group])?, Found::default());
    while let Some(row) = rows.next()? {
        let position = StoredPosition {
            topic: text(row, 0),
            topic_id: text(row, 1),
            partition: row.get(2).unwrap_or(-1),
            next: row.get(3).unwrap_or(-1),
        };
        found.add(|| position.place(), position.clone().checked());
    }
    Ok(found)
}

/// A text of a row that others may have written.
pub(super) fn text(row: &Row<'_>, column: usize) -> String {
    row.get_ref(column).ok().and_then(|value| value.as_str().ok()).unwrap_or_default().to_owned()
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

/// Puts a dead letter into the outbox, once.
pub(super) fn bury(transaction: &Transaction<'_>, reader: &SinkReader, letter: &DeadLetter) -> Result<(), Error> {
    let sql = "INSERT INTO filegen_dead_letters (source, id, topic_id, event_id, type, kind, entry, created_at, number)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (source, id, topic_id) DO NOTHING";
    let values = (
        &reader.source,
        &letter.id,
        &letter.topic_id,
        &letter.event_id,
        &letter.kind,
        letter.error.kind.as_str(),
        letter.to_json(),
        sortable(letter.timestamp),
        LETTERS.next(transaction)?,
    );
    transaction.prepare_cached(sql)?.execute(values).map(drop)
}

/// Refuses a batch that leaves more dead letters in the outbox than there may be.
pub(super) fn check_limit(transaction: &Transaction<'_>, reader: &SinkReader) -> Result<(), SqliteFault> {
    let waiting = waiting(transaction, OUTBOX_COUNT, reader)?;
    let bytes = if waiting < reader.counted_from() { 0 } else { self::waiting(transaction, OUTBOX_BYTES, reader)? };
    let sink = transaction.path().map_or_else(String::new, |path| format!("sqlite:{path}"));
    reader.full(sink, waiting, bytes).map_or(Ok(()), |full| Err(SqliteFault::OutboxFull(full)))
}

const OUTBOX_BYTES: &str = "SELECT coalesce(sum(octet_length(entry)), 0) FROM filegen_dead_letters WHERE source = ?1";

const OUTBOX_COUNT: &str = "SELECT count(*) FROM filegen_dead_letters WHERE source = ?1";

const PARKED_COUNT: &str = "SELECT count(*) FROM filegen_parked WHERE source = ?1";

fn waiting(connection: &Connection, sql: &str, reader: &SinkReader) -> Result<u64, Error> {
    connection.prepare_cached(sql)?.query_row([&reader.source], |row| row.get(0))
}

/// By an index: a sort would write all entries to a temporary file at each step.
pub(super) const OUTBOX: &str = "SELECT CASE WHEN octet_length(entry) <= ?4 THEN entry END, number, id, topic_id
    FROM filegen_dead_letters WHERE source = ?1 AND number > ?2 ORDER BY number LIMIT ?3";

/// Dead letters for the queue, oldest first.
pub(super) fn outbox(
    connection: &Connection,
    reader: &SinkReader,
    after: i64,
    max: usize,
) -> Result<Outgoing, SqliteFault> {
    let mut asked = connection.prepare_cached(OUTBOX)?;
    let limit = i64::try_from(max).unwrap_or(i64::MAX);
    let (mut rows, mut found) = (asked.query((&reader.source, after, limit, ENTRY_MAX))?, Outgoing::default());
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let number: i64 = row.get(1)?;
        found.last = Some(number);
        bytes += row.get_ref(0)?.as_bytes_or_null().ok().flatten().map_or(0, <[u8]>::len);
        found.add(number, letter(row));
        if bytes >= WAITING_BYTES {
            break;
        }
    }
    Ok(found)
}

/// The letter of a row that begins with entry, number, id and topic's id.
pub(super) fn letter(row: &Row<'_>) -> Result<DeadLetter, String> {
    let entry = match row.get_ref(0) {
        Ok(ValueRef::Text(entry)) => Some(entry),
        _ => None,
    };
    DeadLetter::kept(&format!("{}#{}", text(row, 2), text(row, 3)), entry)
}

/// Forgets what the queue has.
pub(super) fn sent(transaction: &Transaction<'_>, reader: &SinkReader, numbers: &[i64]) -> Result<(), SqliteFault> {
    let sql = "DELETE FROM filegen_dead_letters WHERE source = ?1 AND number = ?2";
    let mut gone = transaction.prepare_cached(sql)?;
    for number in numbers {
        gone.execute((&reader.source, number))?;
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
