//! Events that wait for their parent, in the sink. Others may write there too: what cannot be read goes to the outbox as it is, where
//! it is told, and nothing queues behind it.

use super::Parent;
use super::book::{bury, check_limit, letter};
use super::ddl::{name, quoted};
use super::facts::type_of;
use super::link::{Fault, Link};
use super::states::{self, Class};
use crate::core::model::letter::{DeadLetter, ENTRY_MAX, LetterKind};
use crate::core::model::rows::sortable;
use crate::core::ports::sql_sink::{Parked, SinkReader, WAITING_BYTES};
use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

pub(super) async fn has_parked(link: &Link) -> Result<bool, Fault> {
    Ok(!link.query("SELECT 1 FROM filegen_parked LIMIT 1", &[]).await?.is_empty())
}

/// For each row the parent that an earlier event of it waits for: its place among the keys, and the parent. `own` is the number that
/// an event is parked under itself.
pub(super) async fn waiting_before(
    link: &Link,
    table: &str,
    keys: &[&str],
    own: &[i64],
) -> Result<Vec<(usize, Parent)>, Fault> {
    let sql = "SELECT DISTINCT ON (x.i) x.i, p.parent_tbl, p.parent_col, p.parent_value
        FROM unnest($2::text[], $3::bigint[]) WITH ORDINALITY AS x(k, own, i)
        JOIN filegen_parked p ON p.tbl = $1 AND left(p.row_key, 200) = left(x.k, 200) AND p.row_key = x.k AND p.number < x.own
        ORDER BY x.i, p.number";
    let rows = link.query(sql, &[(&table, Type::TEXT), (&keys, Type::TEXT_ARRAY), (&own, Type::INT8_ARRAY)]).await?;
    Ok(rows
        .iter()
        .map(|row| (place(row.get(0)), Parent { table: row.get(1), column: row.get(2), value: row.get(3) }))
        .collect())
}

/// A number from 1 as a place from 0.
pub(super) fn place(number: i64) -> usize {
    usize::try_from(number - 1).unwrap_or(usize::MAX)
}

/// An event to be parked.
pub(super) struct Waiting {
    pub(super) letter: DeadLetter,
    pub(super) table: String,
    pub(super) key: String,
    pub(super) parent: Parent,
}

/// Keeps events until their parents are there.
pub(super) async fn park(link: &Link, reader: &SinkReader, waiting: &[Waiting]) -> Result<(), Fault> {
    if waiting.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO filegen_parked
        (source, id, topic_id, tbl, row_key, parent_tbl, parent_col, parent_value, entry, attempts, parked_at)
        SELECT $1, x.id, x.tid, x.tbl, x.k, x.pt, x.pc, x.pv, x.entry, 0, x.at::timestamptz
        FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[])
        WITH ORDINALITY AS x(id, tid, tbl, k, pt, pc, pv, entry, at, i) ORDER BY x.i ON CONFLICT (source, id, topic_id) DO NOTHING";
    let all = |part: fn(&Waiting) -> String| waiting.iter().map(part).collect::<Vec<String>>();
    let columns = [
        all(|one| one.letter.id.clone()),
        all(|one| one.letter.topic_id.clone()),
        all(|one| one.table.clone()),
        all(|one| one.key.clone()),
        all(|one| one.parent.table.clone()),
        all(|one| one.parent.column.clone()),
        all(|one| one.parent.value.clone()),
        all(|one| one.letter.to_json()),
        all(|one| sortable(one.letter.timestamp)),
    ];
    let mut values: Vec<super::link::Bound<'_>> = vec![(&reader.source, Type::TEXT)];
    values.extend(columns.iter().map(|column| (column as _, Type::TEXT_ARRAY)));
    link.query(sql, &values).await.map(drop)
}

/// Counts a try of parked events, of each that is one, and notes what they wait for now. Gives number and tries so far.
pub(super) async fn tried_again(link: &Link, tried: &[(i64, Parent, bool)]) -> Result<Vec<(i64, u32)>, Fault> {
    let sql =
        "UPDATE filegen_parked p SET attempts = p.attempts + x.a, parent_tbl = x.t, parent_col = x.c, parent_value = x.v
        FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::integer[]) AS x(n, t, c, v, a) WHERE p.number = x.n
        RETURNING p.number, p.attempts";
    let numbers: Vec<i64> = tried.iter().map(|(number, ..)| *number).collect();
    let counts: Vec<i32> = tried.iter().map(|(.., counts)| i32::from(*counts)).collect();
    let all = |part: fn(&Parent) -> &str| tried.iter().map(|(_, parent, _)| part(parent)).collect::<Vec<&str>>();
    let (tables, columns, values) =
        (all(|parent| &parent.table), all(|parent| &parent.column), all(|parent| &parent.value));
    let text = Type::TEXT_ARRAY;
    let bound: [super::link::Bound<'_>; 5] = [
        (&numbers, Type::INT8_ARRAY),
        (&tables, text.clone()),
        (&columns, text.clone()),
        (&values, text),
        (&counts, Type::INT4_ARRAY),
    ];
    let rows = link.query(sql, &bound).await?;
    Ok(rows.iter().map(|row| (row.get(0), u32::try_from(row.get::<_, i32>(1)).unwrap_or(0))).collect())
}

/// Parked events that wait no longer.
pub(super) async fn unpark(link: &Link, numbers: &[i64]) -> Result<(), Fault> {
    if numbers.is_empty() {
        return Ok(());
    }
    link.query("DELETE FROM filegen_parked WHERE number = ANY($1)", &[(&numbers, Type::INT8_ARRAY)]).await.map(drop)
}

/// Parked events whose parent is there, or whose predecessor has expired, oldest first. What cannot be read is dead.
pub(super) async fn released(link: &Link, reader: &SinkReader, max: usize) -> Result<Vec<Parked>, Fault> {
    let sql = "SELECT DISTINCT parent_tbl, parent_col FROM filegen_parked WHERE source = $1";
    let parents = link.query(sql, &[(&reader.source, Type::TEXT)]).await?;
    let (mut found, mut odd) = (Vec::new(), Vec::new());
    for row in parents {
        let (table, column): (String, String) = (row.get(0), row.get(1));
        for row in free(link, reader, (&table, &column), max).await? {
            let number: i64 = row.get(1);
            match letter(&row).ok().and_then(|letter| letter.event()) {
                Some(event) => found.push(Parked { number, event }),
                None => odd.push(number),
            }
        }
    }
    set_aside(link, &odd).await?;
    found.sort_by_key(|parked| parked.number);
    found.truncate(max);
    Ok(found)
}

/// Rows of events that wait for a parent of this table and have it. Those without a table are to be tried whatever is there; a table
/// or column that is not there, or may not be read, has no parent.
async fn free(link: &Link, reader: &SinkReader, (table, column): (&str, &str), max: usize) -> Result<Vec<Row>, Fault> {
    let pair: [super::link::Bound<'_>; 3] = [(&reader.source, Type::TEXT), (&table, Type::TEXT), (&column, Type::TEXT)];
    let limit = i64::try_from(max).unwrap_or(i64::MAX);
    if table.is_empty() {
        return entries(link, "", &pair, limit).await;
    }
    let Some(cast) = type_of(link, table, column).await? else { return Ok(Vec::new()) };
    let is_there =
        |value: &str| format!("EXISTS (SELECT 1 FROM {} t WHERE t.{} = {value}::{cast})", name(table), quoted(column));
    match entries(link, &format!("AND {}", is_there("p.parent_value")), &pair, limit).await {
        Err(fault) if is_of_row(&fault) => {}
        found => return found,
    }
    // One of the values cannot be a key: each is asked for by itself.
    let sql = "SELECT p.number, p.parent_value FROM filegen_parked p WHERE p.source = $1 AND p.parent_tbl = $2
        AND p.parent_col = $3 ORDER BY p.number";
    let mut numbers: Vec<i64> = Vec::new();
    for row in link.query(sql, &pair).await? {
        let value: &str = row.get(1);
        match link.query(&format!("SELECT 1 WHERE {}", is_there("$1::text")), &[(&value, Type::TEXT)]).await {
            Ok(found) if found.is_empty() => {}
            Ok(_) => numbers.push(row.get(0)),
            Err(fault) if is_of_row(&fault) => {}
            Err(fault) => return Err(fault),
        }
        if numbers.len() >= max {
            break;
        }
    }
    let [source, table, column] = pair;
    let pair = [source, table, column, (&limit, Type::INT8), (&numbers, Type::INT8_ARRAY)];
    link.query(&entries_sql("AND p.number = ANY($5)"), &pair).await
}

/// Whether a value, a missing right or a missing table is to blame, and not the server.
fn is_of_row(fault: &Fault) -> bool {
    let Fault::Client(error) = fault else { return false };
    let state = error.as_db_error().map(|error| error.code().code());
    state.is_some_and(|state| matches!(states::class(state), Class::Row(_) | Class::Wrong))
}

async fn entries(link: &Link, wanted: &str, pair: &[super::link::Bound<'_>; 3], limit: i64) -> Result<Vec<Row>, Fault> {
    let [source, table, column] = pair.clone();
    link.query(&entries_sql(wanted), &[source, table, column, (&limit, Type::INT8)]).await
}

/// Entries until they have as many bytes as are read at once. One that is too long to be read is NULL.
fn entries_sql(wanted: &str) -> String {
    format!(
        "SELECT CASE WHEN octet_length(x.entry) <= {ENTRY_MAX} THEN x.entry END, x.number, x.id, x.topic_id
         FROM (SELECT p.number, p.entry, p.id, p.topic_id, sum(CASE WHEN octet_length(p.entry) <= {ENTRY_MAX} THEN octet_length(p.entry) ELSE 0 END)
         OVER (ORDER BY p.number) AS upto FROM filegen_parked p
         WHERE p.source = $1 AND p.parent_tbl = $2 AND p.parent_col = $3
         {wanted} ORDER BY p.number LIMIT $4) x
         WHERE x.upto - CASE WHEN octet_length(x.entry) <= {ENTRY_MAX} THEN octet_length(x.entry) ELSE 0 END < {WAITING_BYTES} ORDER BY x.number"
    )
}

/// Puts parked events into the outbox as they are. What queues behind them is to be tried.
async fn set_aside(link: &Link, numbers: &[i64]) -> Result<(), Fault> {
    if numbers.is_empty() {
        return Ok(());
    }
    let bound = [(&numbers as _, Type::INT8_ARRAY)];
    link.query(FREE, &bound).await?;
    let sql = "WITH gone AS (DELETE FROM filegen_parked WHERE number = ANY($1) RETURNING source, id, topic_id, entry, parked_at)
        INSERT INTO filegen_dead_letters (source, id, topic_id, kind, entry, created_at)
        SELECT source, id, topic_id, 'json', entry, parked_at FROM gone ON CONFLICT (source, id, topic_id) DO NOTHING";
    link.query(sql, &bound).await.map(drop)
}

/// What queues behind these events is to be tried.
const FREE: &str = "UPDATE filegen_parked p SET parent_tbl = '' FROM filegen_parked x
    WHERE x.number = ANY($1) AND p.tbl = x.tbl AND left(p.row_key, 200) = left(x.row_key, 200) AND p.row_key = x.row_key
    AND p.number <> ALL($1)";

/// Makes dead letters of what was parked before: the first of each row, if it waits for a parent of its own. What queues behind it is
/// to be tried.
pub(super) async fn expire(
    link: &Link,
    reader: &SinkReader,
    before: Timestamp,
    now: Timestamp,
    instance: &str,
) -> Result<u64, Fault> {
    let sql = format!(
        "SELECT CASE WHEN octet_length(p.entry) <= {ENTRY_MAX} THEN p.entry END, p.number, p.id, p.topic_id, p.attempts
        FROM filegen_parked p
        WHERE p.source = $1 AND p.parked_at < $2::timestamptz AND p.parent_tbl <> '' AND NOT EXISTS (SELECT 1 FROM filegen_parked e
        WHERE e.tbl = p.tbl AND left(e.row_key, 200) = left(p.row_key, 200) AND e.row_key = p.row_key AND e.number < p.number)
        ORDER BY p.number LIMIT 20 FOR UPDATE OF p"
    );
    let rows = link.query(&sql, &[(&reader.source, Type::TEXT), (&sortable(before), Type::TEXT)]).await?;
    let (mut letters, mut dead, mut odd): (Vec<DeadLetter>, Vec<i64>, Vec<i64>) = Default::default();
    for row in &rows {
        let number = row.get(1);
        let Ok(mut letter) = letter(row) else {
            odd.push(number);
            continue;
        };
        letter.error.kind = LetterKind::Parent;
        (letter.timestamp, letter.attempts) = (now, u32::try_from(row.get::<_, i32>(4)).unwrap_or(0).saturating_add(1));
        instance.clone_into(&mut letter.instance);
        letters.push(letter);
        dead.push(number);
    }
    if !rows.is_empty() {
        set_aside(link, &odd).await?;
        link.query(FREE, &[(&dead, Type::INT8_ARRAY)]).await?;
        unpark(link, &dead).await?;
        bury(link, reader, &letters).await?;
        check_limit(link, reader).await?;
    }
    Ok(rows.len() as u64)
}
