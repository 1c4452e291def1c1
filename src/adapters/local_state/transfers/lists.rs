//! Lists and counts of records.

use super::{id_of, json, record, word};
use crate::adapters::local_state::error::SqliteStateError;
use crate::adapters::local_state::runs::found;
use crate::adapters::local_state::value::{time, timestamp};
use crate::core::model::transfer::{FileRecord, FileState, Side};
use crate::core::ports::store::{Found, OddRecord};
use crate::core::ports::transfer_ledger::{Place, StateCount, Total, Wanted};
use rusqlite::{Connection, Error, Row};

/// Those of a side or state that nobody knows.
const STRANGE: &str = concat!(
    columns!(),
    " WHERE transfer = ?1 AND (side NOT IN (SELECT value FROM json_each(?2)) OR state NOT IN (SELECT value FROM json_each(?3)))
    LIMIT 20"
);

const COUNTS: &str = "
SELECT side, state, count(*), total(max(size, 0)), min(seenAt) AS oldest FROM TransferFile WHERE transfer = ?1
    AND side IN (SELECT value FROM json_each(?2)) AND state IN (SELECT value FROM json_each(?3))
    GROUP BY side, state ORDER BY side, state";

/// ?5 and ?6: between which ids, where one is begun.
macro_rules! fitting {
    () => {
        " WHERE transfer = ?1 AND side IN (SELECT value FROM json_each(?2))
    AND state IN (SELECT value FROM json_each(?3)) AND changedAt >= ?4 AND (?5 IS NULL OR id BETWEEN ?5 AND ?6)"
    };
}

const RECORDS: &str = concat!(columns!(), fitting!(), " ORDER BY changedAt DESC, id");

/// ?7 and ?8: the place.
const BEHIND: &str =
    concat!(columns!(), fitting!(), " AND changedAt <= ?7 AND (changedAt < ?7 OR id > ?8) ORDER BY changedAt DESC, id");

const TOTAL: &str = concat!("SELECT count(*), total(max(size, 0)) FROM TransferFile", fitting!());

/// A sum of sizes, which somebody else may have written.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "what is no size is cut off")]
fn bytes(total: f64) -> u64 {
    total as u64
}

/// What [`RECORDS`] and [`TOTAL`] ask for, up to the place.
type Fitting = (String, String, String, Option<String>, Option<String>);

fn fitting(wanted: &Wanted) -> Result<Fitting, Error> {
    let sides: Vec<Side> = wanted.side.map_or_else(|| Side::ALL.to_vec(), |side| vec![side]);
    let states = if wanted.states.is_empty() { &FileState::ALL[..] } else { &wanted.states };
    let since = wanted.since.map(time).unwrap_or_default();
    // No id holds a character behind it.
    let last = wanted.id.as_ref().map(|id| format!("{id}~"));
    Ok((json(&sides)?, json(&states)?, since, wanted.id.clone(), last))
}

pub(super) fn records(db: &Connection, transfer: &str, wanted: &Wanted) -> Result<Found<FileRecord>, SqliteStateError> {
    let (sides, states, since, first, last) = fitting(wanted)?;
    let Some(Place { changed_at, id }) = &wanted.behind else {
        let mut asked = db.prepare_cached(RECORDS)?;
        let rows = asked.query((transfer, sides, states, since, first, last))?;
        return Ok(found(rows, wanted.limit, id_of, record)?);
    };
    let mut asked = db.prepare_cached(BEHIND)?;
    let rows = asked.query((transfer, sides, states, since, first, last, time(*changed_at), id))?;
    Ok(found(rows, wanted.limit, id_of, record)?)
}

fn count(row: &Row<'_>) -> rusqlite::Result<StateCount> {
    let (side, state, files, total) = (word(row, 0)?, word(row, 1)?, row.get(2)?, row.get(3)?);
    Ok(StateCount { side, state, files, bytes: bytes(total), oldest: timestamp(row, "oldest")? })
}

pub(super) fn total(db: &Connection, transfer: &str, wanted: &Wanted) -> Result<Total, SqliteStateError> {
    let (sides, states, since, first, last) = fitting(wanted)?;
    let mut asked = db.prepare_cached(TOTAL)?;
    let total = |row: &Row<'_>| Ok(Total { files: row.get(0)?, bytes: bytes(row.get(1)?) });
    Ok(asked.query_row((transfer, sides, states, since, first, last), total)?)
}

pub(super) fn counts(db: &Connection, transfer: &str) -> Result<Vec<StateCount>, SqliteStateError> {
    let mut asked = db.prepare_cached(COUNTS)?;
    let rows = asked.query((transfer, json(&Side::ALL)?, json(&FileState::ALL)?))?;
    // Odd times are told by the records.
    Ok(found(rows, usize::MAX, |_| String::new(), count)?.records)
}

pub(super) fn strange(db: &Connection, transfer: &str) -> Result<Vec<OddRecord>, SqliteStateError> {
    let mut asked = db.prepare_cached(STRANGE)?;
    let rows = asked.query((transfer, json(&Side::ALL)?, json(&FileState::ALL)?))?;
    Ok(found(rows, usize::MAX, id_of, record)?.odd)
}
