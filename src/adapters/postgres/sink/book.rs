//! The sink's books: positions, and dead letters on their way to the queue.

use super::Work;
use super::ddl::name;
use super::link::{Fault, Link};
use crate::core::model::letter::{DeadLetter, ENTRY_MAX};
use crate::core::model::rows::sortable;
use crate::core::ports::sql_sink::{
    Outgoing, PositionMove, SinkCounts, SinkError, SinkReader, StoredPosition, WAITING_BYTES,
};
use crate::core::ports::store::Found;
use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

/// Where the group's readers go on.
pub(super) async fn positions(link: &Link, reader: &SinkReader) -> Result<Found<StoredPosition>, Fault> {
    let sql = "SELECT topic, topic_id, partition, next_offset FROM filegen_offsets WHERE source = $1 AND group_id = $2
               ORDER BY topic, updated_at, partition";
    let rows = link.query(sql, &[(&reader.source, Type::TEXT), (&reader.group, Type::TEXT)]).await?;
    let mut found = Found::default();
    for row in &rows {
        let position =
            StoredPosition { topic: row.get(0), topic_id: row.get(1), partition: row.get(2), next: row.get(3) };
        found.add(|| position.place(), position.clone().checked());
    }
    Ok(found)
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
    let waiting = count(link, OUTBOX_COUNT, reader).await?;
    let bytes = if waiting < reader.counted_from() { 0 } else { count(link, OUTBOX_BYTES, reader).await? };
    reader.full(link.name().to_owned(), waiting, bytes).map_or(Ok(()), |full| Err(full.into()))
}

/// As they are stored: to learn the length of a text that is compressed, all of it would be read.
const OUTBOX_BYTES: &str =
    "SELECT coalesce(sum(pg_column_size(entry)), 0)::bigint FROM filegen_dead_letters WHERE source = $1";

const OUTBOX_COUNT: &str = "SELECT count(*) FROM filegen_dead_letters WHERE source = $1";

const PARKED_COUNT: &str = "SELECT count(*) FROM filegen_parked WHERE source = $1";

async fn count(link: &Link, sql: &str, reader: &SinkReader) -> Result<u64, Fault> {
    let rows = link.query(sql, &[(&reader.source, Type::TEXT)]).await?;
    Ok(rows.first().map_or(0, |row| u64::try_from(row.get::<_, i64>(0)).unwrap_or(0)))
}

/// Dead letters for the queue, oldest first. What is too long to be read is NULL.
pub(super) async fn outbox(link: &Link, reader: &SinkReader, after: i64, max: usize) -> Result<Outgoing, Fault> {
    let sql = format!(
        "SELECT CASE WHEN octet_length(x.entry) <= {ENTRY_MAX} THEN x.entry END, x.number, x.id, x.topic_id
         FROM (SELECT d.*, sum(CASE WHEN octet_length(entry) <= {ENTRY_MAX} THEN octet_length(entry) ELSE 0 END) OVER (ORDER BY number) AS upto
         FROM (SELECT number, entry, id, topic_id FROM filegen_dead_letters WHERE source = $1 AND number > $2
         ORDER BY number LIMIT $3) d) x
         WHERE x.upto - CASE WHEN octet_length(x.entry) <= {ENTRY_MAX} THEN octet_length(x.entry) ELSE 0 END < {WAITING_BYTES} ORDER BY x.number"
    );
    let limit = i64::try_from(max).unwrap_or(i64::MAX);
    let values: [super::link::Bound<'_>; 3] =
        [(&reader.source, Type::TEXT), (&after, Type::INT8), (&limit, Type::INT8)];
    let mut found = Outgoing::default();
    for row in link.query(&sql, &values).await? {
        let number: i64 = row.get(1);
        found.last = Some(number);
        found.add(number, letter(&row));
    }
    Ok(found)
}

/// The letter of a row that begins with entry, number, id and topic's id.
pub(super) fn letter(row: &Row) -> Result<DeadLetter, String> {
    let (entry, id, topic_id): (Option<&str>, &str, &str) = (row.get(0), row.get(2), row.get(3));
    DeadLetter::kept(&format!("{id}#{topic_id}"), entry.map(str::as_bytes))
}

/// Forgets what the queue has.
pub(super) async fn sent(link: &Link, reader: &SinkReader, numbers: &[i64]) -> Result<(), Fault> {
    let sql = "DELETE FROM filegen_dead_letters WHERE source = $1 AND number = ANY($2)";
    link.query(sql, &[(&reader.source, Type::TEXT), (&numbers, Type::INT8_ARRAY)]).await.map(drop)
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
