//! The sink's books: positions, dead letters on their way to the queue, and events that wait for their parent.

use super::ddl::{name, quoted};
use super::facts::type_of;
use super::link::{Fault, Link};
use super::{Parent, Work};
use crate::core::model::letter::{DeadLetter, LetterKind};
use crate::core::model::rows::sortable;
use crate::core::ports::sql_sink::{
    Parked, PositionMove, SinkCounts, SinkError, SinkReader, StoredPosition, WAITING_BYTES,
};
use jiff::Timestamp;
use tokio_postgres::types::Type;

/// Where the group's readers go on.
pub(super) async fn positions(link: &Link, reader: &SinkReader) -> Result<Vec<StoredPosition>, Fault> {
    let sql = "SELECT topic, topic_id, partition, next_offset FROM filegen_offsets WHERE source = $1 AND group_id = $2
               ORDER BY topic, updated_at, partition";
    let rows = link.query(sql, &[(&reader.source, Type::TEXT), (&reader.group, Type::TEXT)]).await?;
    let position = |row: &tokio_postgres::Row| StoredPosition {
        topic: row.get(0),
        topic_id: row.get(1),
        partition: row.get(2),
        next: row.get(3),
    };
    Ok(rows.iter().map(position).collect())
}

/// Moves positions that stand where the batch began, and refuses to move any other.
pub(super) async fn advance(
    link: &Link,
    reader: &SinkReader,
    moves: &[PositionMove],
    now: Timestamp,
) -> Result<(), Fault> {
    let first = "INSERT INTO filegen_offsets (source, group_id, topic, topic_id, partition, next_offset, updated_at)
        SELECT $1, $2, m.topic, m.id, m.part, m.next, $3::timestamptz FROM unnest($4::text[], $5::text[], $6::integer[], $7::bigint[],
        $8::bigint[]) AS m(topic, id, part, next, held) ORDER BY 3, 4, 5 ON CONFLICT DO NOTHING RETURNING topic, topic_id, partition";
    let next = "UPDATE filegen_offsets o SET next_offset = m.next, updated_at = $3::timestamptz FROM unnest($4::text[], $5::text[],
        $6::integer[], $7::bigint[], $8::bigint[]) AS m(topic, id, part, next, held) WHERE o.source = $1 AND o.group_id = $2
        AND o.topic = m.topic AND o.topic_id = m.id AND o.partition = m.part AND o.next_offset = m.held
        RETURNING o.topic, o.topic_id, o.partition";
    for (sql, is_first) in [(first, true), (next, false)] {
        let moves: Vec<&PositionMove> = moves.iter().filter(|step| step.from.is_none() == is_first).collect();
        if moves.is_empty() {
            continue;
        }
        let topics: Vec<&str> = moves.iter().map(|step| step.topic.as_str()).collect();
        let ids: Vec<&str> = moves.iter().map(|step| step.topic_id.as_str()).collect();
        let partitions: Vec<i32> = moves.iter().map(|step| step.partition).collect();
        let to: Vec<i64> = moves.iter().map(|step| step.to).collect();
        let from: Vec<i64> = moves.iter().map(|step| step.from.unwrap_or_default()).collect();
        let rows = link
            .query(
                sql,
                &[
                    (&reader.source, Type::TEXT),
                    (&reader.group, Type::TEXT),
                    (&sortable(now), Type::TEXT),
                    (&topics, Type::TEXT_ARRAY),
                    (&ids, Type::TEXT_ARRAY),
                    (&partitions, Type::INT4_ARRAY),
                    (&to, Type::INT8_ARRAY),
                    (&from, Type::INT8_ARRAY),
                ],
            )
            .await?;
        let moved: Vec<(String, String, i32)> = rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
        let is_moved = |step: &PositionMove| {
            moved
                .iter()
                .any(|(topic, id, partition)| (topic, id, *partition) == (&step.topic, &step.topic_id, step.partition))
        };
        if let Some(step) = moves.into_iter().find(|step| !is_moved(step)) {
            return Err(SinkError::Rival { place: format!("{}/{}", step.topic, step.partition) }.into());
        }
    }
    Ok(())
}

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

/// Parked events whose parent is there, or whose predecessor has expired, oldest first.
pub(super) async fn released(link: &Link, reader: &SinkReader, max: usize) -> Result<Vec<Parked>, Fault> {
    let sql = "SELECT DISTINCT parent_tbl, parent_col FROM filegen_parked WHERE source = $1";
    let parents = link.query(sql, &[(&reader.source, Type::TEXT)]).await?;
    let limit = i64::try_from(max).unwrap_or(i64::MAX);
    let mut found = Vec::new();
    for row in parents {
        let (table, column): (String, String) = (row.get(0), row.get(1));
        // Those without a table are to be tried whatever is there.
        let is_there = if table.is_empty() {
            String::new()
        } else {
            let Some(cast) = type_of(link, &table, &column).await? else { continue };
            format!(
                "AND EXISTS (SELECT 1 FROM {} t WHERE t.{} = p.parent_value::{cast})",
                name(&table),
                quoted(&column)
            )
        };
        let sql = format!(
            "SELECT x.number, x.entry FROM (SELECT p.number, p.entry,
             sum(octet_length(p.entry)) OVER (ORDER BY p.number) - octet_length(p.entry) AS before FROM filegen_parked p
             WHERE p.source = $1 AND p.parent_tbl = $2 AND p.parent_col = $3
             {is_there} ORDER BY p.number LIMIT $4) x
             WHERE x.before < {WAITING_BYTES} ORDER BY x.number"
        );
        let values: [super::link::Bound<'_>; 4] =
            [(&reader.source, Type::TEXT), (&table, Type::TEXT), (&column, Type::TEXT), (&limit, Type::INT8)];
        for row in link.query(&sql, &values).await? {
            let event = letter(link, row.get(1))?.event().ok_or_else(|| damaged(link))?;
            found.push(Parked { number: row.get(0), event });
        }
    }
    found.sort_by_key(|parked| parked.number);
    found.truncate(max);
    Ok(found)
}

fn damaged(link: &Link) -> Fault {
    let reason = "a parked event or dead letter in the sink cannot be read".to_owned();
    SinkError::Failed { sink: link.name().to_owned(), reason }.into()
}

fn letter(link: &Link, entry: &str) -> Result<DeadLetter, Fault> {
    serde_json::from_str(entry).map_err(|_| damaged(link))
}

/// Makes dead letters of what was parked before: the first of each row, if it waits for a parent of its own. What queues behind it is
/// to be tried.
pub(super) async fn expire(
    link: &Link,
    reader: &SinkReader,
    before: Timestamp,
    now: Timestamp,
    instance: &str,
) -> Result<u64, Fault> {
    let sql = "DELETE FROM filegen_parked WHERE number IN (SELECT p.number FROM filegen_parked p
        WHERE p.source = $1 AND p.parked_at < $2::timestamptz AND p.parent_tbl <> '' AND NOT EXISTS (SELECT 1 FROM filegen_parked e
        WHERE e.tbl = p.tbl AND left(e.row_key, 200) = left(p.row_key, 200) AND e.row_key = p.row_key AND e.number < p.number)
        ORDER BY p.number LIMIT 20) RETURNING number, entry, attempts, tbl, row_key";
    let rows = link.query(sql, &[(&reader.source, Type::TEXT), (&sortable(before), Type::TEXT)]).await?;
    let mut dead: Vec<(i64, String, i32)> = rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    dead.sort_unstable_by_key(|(number, ..)| *number);
    let mut letters = Vec::with_capacity(dead.len());
    for (_, entry, attempts) in &dead {
        let mut letter = letter(link, entry)?;
        letter.error.kind = LetterKind::Parent;
        (letter.timestamp, letter.attempts) = (now, u32::try_from(*attempts).unwrap_or(0) + 1);
        instance.clone_into(&mut letter.instance);
        letters.push(letter);
    }
    if !letters.is_empty() {
        let tables: Vec<String> = rows.iter().map(|row| row.get(3)).collect();
        let keys: Vec<String> = rows.iter().map(|row| row.get(4)).collect();
        let free = "UPDATE filegen_parked p SET parent_tbl = '' FROM unnest($1::text[], $2::text[]) AS x(t, k)
            WHERE p.tbl = x.t AND left(p.row_key, 200) = left(x.k, 200) AND p.row_key = x.k";
        link.query(free, &[(&tables, Type::TEXT_ARRAY), (&keys, Type::TEXT_ARRAY)]).await?;
        bury(link, reader, &letters).await?;
        check_limit(link, reader).await?;
    }
    Ok(dead.len() as u64)
}

/// Puts dead letters into the outbox, each once.
pub(super) async fn bury(link: &Link, reader: &SinkReader, letters: &[DeadLetter]) -> Result<(), Fault> {
    if letters.is_empty() {
        return Ok(());
    }
    let sql = "INSERT INTO filegen_dead_letters (source, id, topic_id, event_id, type, kind, entry, created_at)
        SELECT $1, x.id, x.tid, x.e, x.t, x.kind, x.entry, x.at::timestamptz
        FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
        WITH ORDINALITY AS x(id, tid, e, t, kind, entry, at, i) ORDER BY x.i ON CONFLICT (source, id, topic_id) DO NOTHING";
    // PostgreSQL's texts have no NUL; the entry has it escaped, as JSON has.
    let plain = |text: &Option<String>| text.as_ref().map(|text| text.replace('\0', "\u{fffd}"));
    let all = |part: &dyn Fn(&DeadLetter) -> Option<String>| letters.iter().map(part).collect::<Vec<Option<String>>>();
    let columns = [
        all(&|letter| Some(letter.id.clone())),
        all(&|letter| Some(letter.topic_id.clone())),
        all(&|letter| plain(&letter.event_id)),
        all(&|letter| plain(&letter.kind)),
        all(&|letter| Some(letter.error.kind.as_str().to_owned())),
        all(&|letter| Some(letter.to_json())),
        all(&|letter| Some(sortable(letter.timestamp))),
    ];
    let mut values: Vec<super::link::Bound<'_>> = vec![(&reader.source, Type::TEXT)];
    values.extend(columns.iter().map(|column| (column as _, Type::TEXT_ARRAY)));
    link.query(sql, &values).await.map(drop)
}

/// Refuses a batch that leaves more dead letters in the outbox than there may be.
pub(super) async fn check_limit(link: &Link, reader: &SinkReader) -> Result<(), Fault> {
    let (waiting, limit) = (count(link, OUTBOX_COUNT, reader).await?, reader.outbox_limit);
    if waiting > limit {
        return Err(SinkError::OutboxFull { sink: link.name().to_owned(), waiting, limit }.into());
    }
    Ok(())
}

const OUTBOX_COUNT: &str = "SELECT count(*) FROM filegen_dead_letters WHERE source = $1";

const PARKED_COUNT: &str = "SELECT count(*) FROM filegen_parked WHERE source = $1";

async fn count(link: &Link, sql: &str, reader: &SinkReader) -> Result<u64, Fault> {
    let rows = link.query(sql, &[(&reader.source, Type::TEXT)]).await?;
    Ok(rows.first().map_or(0, |row| u64::try_from(row.get::<_, i64>(0)).unwrap_or(0)))
}

/// Dead letters for the queue, oldest first.
pub(super) async fn outbox(link: &Link, reader: &SinkReader, max: usize) -> Result<Vec<DeadLetter>, Fault> {
    let sql = format!(
        "SELECT x.entry FROM (SELECT number, entry, sum(octet_length(entry)) OVER (ORDER BY number) - octet_length(entry) AS before
         FROM (SELECT number, entry FROM filegen_dead_letters WHERE source = $1 ORDER BY number LIMIT $2) d) x
         WHERE x.before < {WAITING_BYTES} ORDER BY x.number"
    );
    let limit = i64::try_from(max).unwrap_or(i64::MAX);
    let rows = link.query(&sql, &[(&reader.source, Type::TEXT), (&limit, Type::INT8)]).await?;
    rows.iter().map(|row| letter(link, row.get(0))).collect()
}

/// Forgets what the queue has.
pub(super) async fn sent(link: &Link, reader: &SinkReader, indexes: &[String]) -> Result<(), Fault> {
    let sql = "DELETE FROM filegen_dead_letters d USING unnest($2::text[], $3::text[]) AS x(id, tid)
        WHERE d.source = $1 AND d.id = x.id AND d.topic_id = x.tid";
    let (ids, topic_ids): (Vec<&str>, Vec<&str>) =
        indexes.iter().map(|index| index.rsplit_once('#').unwrap_or((index, ""))).unzip();
    let values: [super::link::Bound<'_>; 3] =
        [(&reader.source, Type::TEXT), (&ids, Type::TEXT_ARRAY), (&topic_ids, Type::TEXT_ARRAY)];
    link.query(sql, &values).await.map(drop)
}

pub(super) async fn counts(link: &Link, work: &Work) -> Result<SinkCounts, Fault> {
    let mut tables = Vec::with_capacity(work.tables.tables.len());
    for table in &work.tables.tables {
        let rows = link.query(&format!("SELECT count(*) FROM {}", name(&table.name)), &[]).await?;
        let count = rows.first().map_or(0, |row| u64::try_from(row.get::<_, i64>(0)).unwrap_or(0));
        tables.push((table.name.clone(), count));
    }
    Ok(SinkCounts {
        positions: positions(link, &work.reader).await?,
        parked: count(link, PARKED_COUNT, &work.reader).await?,
        outbox: count(link, OUTBOX_COUNT, &work.reader).await?,
        tables,
    })
}
