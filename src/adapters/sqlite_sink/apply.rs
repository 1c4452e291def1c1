//! One event onto one row.

use super::ddl::{name, quoted};
use super::fault::data_error;
use super::value::{bound, read};
use crate::core::model::letter::{LetterError, LetterKind};
use crate::core::model::rows::{SqlValue, Table, TableSet};
use crate::core::ports::sql_sink::Change;
use rusqlite::types::Value;
use rusqlite::{Connection, Error, OptionalExtension, params_from_iter};
use std::cmp::Ordering;

/// What an event does, or would do.
#[derive(Debug)]
pub(super) enum Applied {
    Written,
    Stale,
    /// The parent that is not there yet.
    Waits(Parent),
    /// The parent that an earlier event of its row waits for.
    Queues(Parent),
    Dead(LetterError),
}

/// A row that another one refers to.
#[derive(Clone, Debug)]
pub(super) struct Parent {
    pub(super) table: String,
    pub(super) column: String,
    pub(super) value: Value,
}

/// A change, with what is to be known of it.
pub(super) struct Row<'a> {
    pub(super) table: &'a Table,
    /// Each column's value that the event sets, by index in the table.
    set: Vec<(usize, &'a SqlValue)>,
    /// Each column's value that the event adds, by index in the table.
    add: Vec<(usize, &'a SqlValue)>,
    /// The row's key as one text.
    pub(super) key: String,
    change: &'a Change,
}

impl<'a> Row<'a> {
    pub(super) fn new(tables: &'a TableSet, change: &'a Change) -> Self {
        let shape = &tables.shapes[change.shape];
        let table = &tables.tables[shape.table];
        let mut values = change.values.iter();
        let set: Vec<_> = shape.columns.iter().copied().zip(values.by_ref()).collect();
        let add: Vec<_> = shape.sums.iter().copied().zip(values).collect();
        let key = tables.row_key(change.shape, &change.values);
        Self { table, set, add, key, change }
    }

    fn value(&self, index: usize) -> Option<&'a SqlValue> {
        self.set.iter().find(|(column, _)| *column == index).map(|(_, value)| *value)
    }

    fn key_values(&self) -> Vec<Value> {
        self.table.identity.iter().map(|index| self.value(*index).map_or(Value::Null, bound)).collect()
    }

    fn key_condition(&self) -> String {
        let part = |(at, index): (usize, &usize)| format!("{} = ?{}", quoted(&self.table.columns[*index].name), at + 1);
        self.table.identity.iter().enumerate().map(part).collect::<Vec<_>>().join(" AND ")
    }

    /// The first parent that is not there.
    pub(super) fn missing_parent(&self, connection: &Connection) -> Result<Option<Parent>, Error> {
        for (index, value) in &self.set {
            let Some((table, column)) = &self.table.columns[*index].references else { continue };
            if **value == SqlValue::Null {
                continue;
            }
            let sql = format!("SELECT 1 FROM {} WHERE {} = ?1", name(table), quoted(column));
            let value = bound(value);
            if !connection.prepare_cached(&sql)?.exists([&value])? {
                return Ok(Some(Parent { table: table.clone(), column: column.clone(), value }));
            }
        }
        Ok(None)
    }

    /// What the row holds of what decides: version, event's id, and each sum. `None` when there is no row.
    fn found(&self, connection: &Connection) -> Result<Option<Vec<SqlValue>>, Error> {
        let decisive: Vec<usize> = self
            .table
            .version
            .into_iter()
            .chain(self.table.event_id)
            .chain(self.add.iter().map(|(index, _)| *index))
            .collect();
        let mut columns: Vec<String> = decisive.iter().map(|index| quoted(&self.table.columns[*index].name)).collect();
        columns.push("1".to_owned());
        let sql =
            format!("SELECT {} FROM {} WHERE {}", columns.join(", "), name(&self.table.name), self.key_condition());
        let mut statement = connection.prepare_cached(&sql)?;
        statement
            .query_row(params_from_iter(self.key_values()), |row| {
                let value = |(at, index): (usize, &usize)| Ok(read(row.get_ref(at)?, self.table.columns[*index].kind));
                decisive.iter().enumerate().map(value).collect::<Result<Vec<_>, Error>>()
            })
            .optional()
    }

    /// Whether the event is newer than the row.
    fn is_newer(&self, found: &[SqlValue]) -> bool {
        let Some(version) = self.table.version else { return true };
        let mut found = found.iter();
        let versions = match (self.value(version), found.next()) {
            (Some(own), Some(theirs)) => own.version_cmp(theirs),
            _ => Ordering::Greater,
        };
        let ids = match (self.table.event_id.and_then(|index| self.value(index)), self.table.event_id.and(found.next()))
        {
            (Some(own), Some(theirs)) => own.version_cmp(theirs),
            _ => Ordering::Equal,
        };
        versions.then(ids) == Ordering::Greater
    }

    /// Applies the event within the transaction that runs. A statement that fails leaves nothing behind.
    pub(super) fn apply(&self, connection: &Connection) -> Result<Applied, Error> {
        if self.table.has_sums || self.table.version.is_none() {
            return in_savepoint(connection, || self.attempt(connection));
        }
        self.attempt(connection)
    }

    fn attempt(&self, connection: &Connection) -> Result<Applied, Error> {
        if let Some(parent) = self.missing_parent(connection)? {
            return Ok(Applied::Waits(parent));
        }
        if self.table.has_sums && !self.enter(connection)? {
            return Ok(Applied::Stale);
        }
        if self.table.version.is_none() && !self.table.has_sums && !self.is_ahead(connection)? {
            return Ok(Applied::Stale);
        }
        let done = match self.found(connection)? {
            None => self.insert(connection),
            Some(found) => {
                let is_newer = self.is_newer(&found);
                if !is_newer && self.add.is_empty() {
                    return Ok(Applied::Stale);
                }
                match self.sums(&found) {
                    Ok(sums) => self.update(connection, is_newer, &sums),
                    Err(error) => return Ok(Applied::Dead(error)),
                }
            }
        };
        match done {
            Ok(()) => Ok(Applied::Written),
            Err(error) => data_error(&error, &self.table.name).map(Applied::Dead).ok_or(error),
        }
    }

    /// Enters the event into the ledger. `false` when it is there already.
    fn enter(&self, connection: &Connection) -> Result<bool, Error> {
        let sql = "INSERT INTO filegen_ledger (tbl, event_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        let id = self.change.event.event_id.as_deref().unwrap_or_default();
        Ok(connection.prepare_cached(sql)?.execute([self.table.name.as_str(), id])? > 0)
    }

    /// Notes the event's position as the row's. `false` when the row has seen it or a later one of the same partition.
    fn is_ahead(&self, connection: &Connection) -> Result<bool, Error> {
        let sql = "INSERT INTO filegen_rows (tbl, row_key, topic_id, partition, offset) VALUES (?1, ?2, ?3, ?4, ?5)
                   ON CONFLICT DO UPDATE SET topic_id = excluded.topic_id, partition = excluded.partition, offset = excluded.offset
                   WHERE topic_id <> excluded.topic_id OR partition <> excluded.partition OR offset < excluded.offset";
        let place = &self.change.event.place;
        let position = (&self.table.name, &self.key, &place.topic_id, place.partition, place.offset);
        Ok(connection.prepare_cached(sql)?.execute(position)? > 0)
    }

    fn insert(&self, connection: &Connection) -> Result<(), Error> {
        let all = || self.set.iter().chain(&self.add);
        let columns: Vec<String> = all().map(|(index, _)| quoted(&self.table.columns[*index].name)).collect();
        let places: Vec<String> = (1..=columns.len()).map(|at| format!("?{at}")).collect();
        let sql =
            format!("INSERT INTO {} ({}) VALUES ({})", name(&self.table.name), columns.join(", "), places.join(", "));
        connection.prepare_cached(&sql)?.execute(params_from_iter(all().map(|(_, value)| bound(value)))).map(drop)
    }

    /// The sums with the event's parts added.
    fn sums(&self, found: &[SqlValue]) -> Result<Vec<(usize, SqlValue)>, LetterError> {
        let before =
            found.iter().skip(usize::from(self.table.version.is_some()) + usize::from(self.table.event_id.is_some()));
        self.add
            .iter()
            .zip(before)
            .map(|((index, part), before)| {
                let column = &self.table.columns[*index];
                before.plus(part, column.kind).map(|sum| (*index, sum)).ok_or_else(|| {
                    let message =
                        format!("the sum of {} and {} is beyond {}", before.canonical(), part.canonical(), column.kind);
                    LetterError::new(LetterKind::Range, message).of(&self.table.name, Some(&column.name))
                })
            })
            .collect()
    }

    fn update(&self, connection: &Connection, is_newer: bool, sums: &[(usize, SqlValue)]) -> Result<(), Error> {
        let own = self.set.iter().filter(|(index, _)| is_newer && !self.table.identity.contains(index));
        let changes: Vec<(usize, Value)> = own
            .map(|(index, value)| (*index, bound(value)))
            .chain(sums.iter().map(|(index, value)| (*index, bound(value))))
            .collect();
        if changes.is_empty() {
            return Ok(());
        }
        let keys = self.key_values();
        let part = |(at, (index, _)): (usize, &(usize, Value))| {
            format!("{} = ?{}", quoted(&self.table.columns[*index].name), keys.len() + at + 1)
        };
        let set: Vec<String> = changes.iter().enumerate().map(part).collect();
        let sql = format!("UPDATE {} SET {} WHERE {}", name(&self.table.name), set.join(", "), self.key_condition());
        let values = keys.into_iter().chain(changes.into_iter().map(|(_, value)| value));
        connection.prepare_cached(&sql)?.execute(params_from_iter(values)).map(drop)
    }
}

/// Undoes what was done unless the event was written.
fn in_savepoint(connection: &Connection, attempt: impl FnOnce() -> Result<Applied, Error>) -> Result<Applied, Error> {
    connection.prepare_cached("SAVEPOINT filegen_event")?.execute([])?;
    let done = attempt();
    // A trigger may have ended the whole transaction, and the savepoint with it.
    if connection.is_autocommit() {
        return done;
    }
    if !matches!(done, Ok(Applied::Written)) {
        connection.prepare_cached("ROLLBACK TO filegen_event")?.execute([])?;
    }
    connection.prepare_cached("RELEASE filegen_event")?.execute([])?;
    done
}
