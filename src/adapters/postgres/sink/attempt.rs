//! Changes of one shape onto their rows: who has to wait is told apart first, then all at once, then, where the server refuses one,
//! row by row within one statement.

use super::ddl::{name, quoted};
use super::facts::Reference;
use super::link::{Bound, Fault};
use super::parked::{place, waiting_before};
use super::rows::{Applied, Rows};
use super::statements::{AHEAD, OUT, ROWS, Statements};
use super::states::{self, Class};
use super::sums;
use super::value::text;
use super::{Open, Parent, Work};
use crate::core::model::letter::{LetterError, LetterKind};
use crate::core::model::rows::{SqlValue, TableSet};
use crate::core::ports::sql_sink::Change;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use tokio_postgres::types::Type;

/// Changes of one shape.
pub(super) struct Attempt<'a> {
    rows: Rows<'a>,
    references: &'a [Reference],
    has_parked: bool,
}

impl<'a> Attempt<'a> {
    pub(super) fn new(open: &'a mut Open, work: &'a Work, shape: usize, has_parked: bool) -> Self {
        let set: &TableSet = &work.tables;
        let made = || Arc::new(Statements::new(set, &open.facts, shape));
        let statements = Arc::clone(open.statements.entry(shape).or_insert_with(made));
        let references = open.facts.references(set.shapes[shape].table);
        Self { rows: Rows { link: &open.link, set, shape, statements }, references, has_parked }
    }

    /// Whether a row of the table may be the parent of the next one.
    pub(super) fn is_own_parent(&self) -> bool {
        self.references.iter().any(|reference| reference.table == self.rows.table().name)
    }

    /// What becomes of each, all at once. `None` when the server refuses a row: then nothing has changed.
    pub(super) async fn at_once(&self, changes: &[&Change]) -> Result<Option<Vec<Applied>>, Fault> {
        if self.is_own_parent() && changes.len() > 1 {
            return Ok(None);
        }
        let (mut applied, open) = self.looked_at(changes).await?;
        let tried: Vec<&Change> = open.iter().map(|at| changes[*at]).collect();
        let Some(written) = self.write(&tried).await? else { return Ok(None) };
        for (at, done) in open.into_iter().zip(written) {
            applied[at] = Some(done);
        }
        Ok(Some(applied.into_iter().map(|applied| applied.unwrap_or(Applied::Stale)).collect()))
    }

    /// What becomes of each, one after the other. Rows may come more than once.
    pub(super) async fn in_turn(&self, changes: &[&Change]) -> Result<Vec<Applied>, Fault> {
        let (mut applied, open) = self.looked_at(changes).await?;
        let tried: Vec<&Change> = open.iter().map(|at| changes[*at]).collect();
        if !tried.is_empty() {
            for (at, done) in open.into_iter().zip(self.one_by_one(&tried).await?) {
                applied[at] = Some(done);
            }
        }
        Ok(applied.into_iter().map(|applied| applied.unwrap_or(Applied::Stale)).collect())
    }

    /// Those that need not be tried, and the places of the others.
    async fn looked_at(&self, changes: &[&Change]) -> Result<(Vec<Option<Applied>>, Vec<usize>), Fault> {
        let keys: Vec<String> =
            changes.iter().map(|change| self.rows.set.row_key(self.rows.shape, &change.values)).collect();
        let mut applied: Vec<Option<Applied>> =
            changes.iter().map(|change| self.inexact(change).map(Applied::Dead)).collect();
        if self.has_parked {
            let texts: Vec<&str> = keys.iter().map(String::as_str).collect();
            let own: Vec<i64> = changes.iter().map(|change| change.parked.unwrap_or(i64::MAX)).collect();
            for (at, parent) in waiting_before(self.rows.link, &self.rows.table().name, &texts, &own).await? {
                applied[at] = Some(Applied::Queues(parent));
            }
        }
        self.orphans(changes, &mut applied).await?;
        queue(&keys, &mut applied);
        let open: Vec<usize> = (0..changes.len()).filter(|at| applied[*at].is_none()).collect();
        Ok((applied, open))
    }

    /// The columns that refer to other rows, by index in the table.
    pub(super) fn referring(&self) -> Vec<usize> {
        self.references.iter().map(|reference| reference.column).collect()
    }

    /// The places of those whose parent is not there.
    pub(super) async fn orphaned(&self, changes: &[&Change]) -> Result<Vec<usize>, Fault> {
        let mut applied = vec![None; changes.len()];
        self.orphans(changes, &mut applied).await?;
        Ok((0..changes.len()).filter(|at| applied[*at].is_some()).collect())
    }

    /// A value that a column would round.
    fn inexact(&self, change: &Change) -> Option<LetterError> {
        let shape = &self.rows.set.shapes[self.rows.shape];
        shape.columns.iter().zip(&change.values).find_map(|(column, value)| match value {
            SqlValue::Timestamp(at) if at.subsec_nanosecond() % 1000 != 0 => {
                let message = format!("{at} has more than 6 digits of a second, and PostgreSQL would round it");
                let column = &self.rows.table().columns[*column].name;
                Some(LetterError::new(LetterKind::Timestamp, message).of(&self.rows.table().name, Some(column)))
            }
            _ => None,
        })
    }

    /// Finds those whose parent is not there.
    async fn orphans(&self, changes: &[&Change], applied: &mut [Option<Applied>]) -> Result<(), Fault> {
        let shape = &self.rows.set.shapes[self.rows.shape];
        for reference in self.references {
            let Some(at) = shape.columns.iter().chain(&shape.sums).position(|column| *column == reference.column)
            else {
                continue;
            };
            let values: Vec<Option<Cow<'_, str>>> = changes
                .iter()
                .zip(applied.iter())
                .map(|(change, applied)| if applied.is_some() { None } else { text(&change.values[at]) })
                .collect();
            if values.iter().all(Option::is_none) {
                continue;
            }
            let (table, key) = (name(&reference.table), quoted(&reference.key));
            let Some(cast) = &reference.cast else { continue };
            let sql = format!(
                "SELECT x.i FROM unnest($1::text[]) WITH ORDINALITY AS x(v, i) WHERE x.v IS NOT NULL
                 AND NOT EXISTS (SELECT 1 FROM {table} p WHERE p.{key} = x.v::{cast})"
            );
            for row in self.rows.link.query(&sql, &[(&values, Type::TEXT_ARRAY)]).await? {
                let missing = place(row.get(0));
                let Some(Some(value)) = values.get(missing) else { continue };
                applied[missing] = Some(Applied::Waits(Parent {
                    table: reference.table.clone(),
                    column: reference.key.clone(),
                    value: value.to_string(),
                }));
            }
        }
        Ok(())
    }

    /// All at once, unless a row is at fault.
    async fn write(&self, changes: &[&Change]) -> Result<Option<Vec<Applied>>, Fault> {
        if changes.is_empty() {
            return Ok(Some(Vec::new()));
        }
        if self.rows.table().has_sums && self.rows.set.shapes[self.rows.shape].sums.is_empty() {
            return Ok(None);
        }
        self.rows.link.run("SAVEPOINT filegen_rows").await?;
        let done = if self.rows.table().has_sums {
            sums::add(&self.rows, changes).await
        } else {
            self.all(changes).await.map(Some)
        };
        match done {
            Ok(Some(applied)) => {
                self.rows.link.run("RELEASE SAVEPOINT filegen_rows").await?;
                return Ok(Some(applied));
            }
            Ok(None) => {}
            Err(Fault::Client(error))
                if error.code().is_some_and(|state| matches!(states::class(state.code()), Class::Row(_))) => {}
            Err(fault) => return Err(fault),
        }
        self.rows.link.run("ROLLBACK TO SAVEPOINT filegen_rows; RELEASE SAVEPOINT filegen_rows").await?;
        Ok(None)
    }

    /// All at once.
    async fn all(&self, changes: &[&Change]) -> Result<Vec<Applied>, Fault> {
        let ahead = if self.rows.table().version.is_none() { Some(self.ahead(changes).await?) } else { None };
        let open: Vec<usize> =
            (0..changes.len()).filter(|at| ahead.as_ref().is_none_or(|ahead| ahead.contains(at))).collect();
        let rows: Vec<&[SqlValue]> = open.iter().map(|at| changes[*at].values.as_slice()).collect();
        let mut applied = vec![Applied::Stale; changes.len()];
        for row in self.rows.upsert(&rows).await? {
            if let Some(at) = open.get(place(row.get(0))) {
                applied[*at] = Applied::Written;
            }
        }
        // What the position lets through is written, though there may be nothing to change.
        if ahead.is_some() {
            for at in open {
                applied[at] = Applied::Written;
            }
        }
        Ok(applied)
    }

    /// Notes the events' positions as those of their rows. Gives the places of events that come behind what the rows have seen.
    async fn ahead(&self, changes: &[&Change]) -> Result<HashSet<usize>, Fault> {
        let sql = format!(
            "WITH x AS MATERIALIZED (SELECT * FROM unnest($2::text[], $3::text[], $4::integer[], $5::bigint[]) WITH ORDINALITY AS
             x(k, id, part, at, i)), w AS (INSERT INTO filegen_rows AS r (tbl, row_key, topic_id, partition, log_offset)
             SELECT $1, x.k, x.id, x.part, x.at FROM x ORDER BY x.k {AHEAD} RETURNING r.row_key)
             SELECT x.i FROM x JOIN w ON w.row_key = x.k"
        );
        let keys: Vec<String> =
            changes.iter().map(|change| self.rows.set.row_key(self.rows.shape, &change.values)).collect();
        let ids: Vec<&str> = changes.iter().map(|change| change.event.place.topic_id.as_str()).collect();
        let partitions: Vec<i32> = changes.iter().map(|change| change.event.place.partition).collect();
        let offsets: Vec<i64> = changes.iter().map(|change| change.event.place.offset).collect();
        let bound: [Bound<'_>; 5] = [
            (&self.rows.table().name, Type::TEXT),
            (&keys, Type::TEXT_ARRAY),
            (&ids, Type::TEXT_ARRAY),
            (&partitions, Type::INT4_ARRAY),
            (&offsets, Type::INT8_ARRAY),
        ];
        Ok(self.rows.link.query(&sql, &bound).await?.iter().map(|row| place(row.get(0))).collect())
    }

    /// Row by row, each with a sub-transaction of its own, in one statement.
    async fn one_by_one(&self, changes: &[&Change]) -> Result<Vec<Applied>, Fault> {
        let row = |change: &&Change| {
            let mut row: Vec<Value> = change
                .values
                .iter()
                .map(|value| text(value).map_or(Value::Null, |text| Value::from(text.into_owned())))
                .collect();
            let place = &change.event.place;
            row.push(self.rows.set.row_key(self.rows.shape, &change.values).into());
            row.push(change.event.event_id.as_deref().unwrap_or_default().into());
            row.push(place.topic_id.as_str().into());
            row.push(place.partition.to_string().into());
            row.push(place.offset.to_string().into());
            Value::from(row)
        };
        let rows = Value::from(changes.iter().map(row).collect::<Vec<Value>>()).to_string();
        self.rows
            .link
            .query("SELECT set_config($1, $2, true) IS NULL", &[(&ROWS, Type::TEXT), (&rows, Type::TEXT)])
            .await?;
        self.rows.link.run(&self.rows.statements.one_by_one).await?;
        let out = self.rows.link.query("SELECT current_setting($1)", &[(&OUT, Type::TEXT)]).await?;
        let out: Vec<Value> = out.first().and_then(|row| serde_json::from_str(row.get(0)).ok()).unwrap_or_default();
        let mut applied: Vec<Option<Applied>> = Vec::with_capacity(changes.len());
        let mut lost = Vec::new();
        for (at, done) in out.iter().enumerate() {
            applied.push(Some(match (done.as_str(), done.as_array()) {
                (Some("w"), _) => Applied::Written,
                (_, Some(error)) => {
                    let part = |at: usize| error.get(at).and_then(Value::as_str).unwrap_or_default().to_owned();
                    // The parent has gone meanwhile, if it is one that is known.
                    if part(0) == "23503" {
                        lost.push(at);
                    }
                    let error = states::data_error(&part(0), &part(1), &part(2));
                    let unknown = || LetterError::new(LetterKind::Constraint, part(1));
                    Applied::Dead(error.unwrap_or_else(unknown).of(&self.rows.table().name, None))
                }
                _ => Applied::Stale,
            }));
        }
        if !lost.is_empty() {
            let again: Vec<&Change> = lost.iter().filter_map(|at| changes.get(*at).copied()).collect();
            let mut waits = vec![None; again.len()];
            self.orphans(&again, &mut waits).await?;
            for (at, waits) in lost.into_iter().zip(waits) {
                if waits.is_some() {
                    applied[at] = waits;
                }
            }
        }
        Ok(applied.into_iter().map(|applied| applied.unwrap_or(Applied::Stale)).collect())
    }
}

/// Behind an event that waits, those of the same row wait too.
fn queue(keys: &[String], applied: &mut [Option<Applied>]) {
    let mut waiting: HashMap<&str, Parent> = HashMap::new();
    for (key, applied) in keys.iter().zip(applied) {
        let own = match applied {
            Some(Applied::Waits(parent) | Applied::Queues(parent)) => Some(parent.clone()),
            Some(_) => continue,
            None => None,
        };
        if let Some(first) = waiting.get(key.as_str()) {
            *applied = Some(Applied::Queues(first.clone()));
        } else if let Some(parent) = own {
            waiting.insert(key, parent);
        }
    }
}
