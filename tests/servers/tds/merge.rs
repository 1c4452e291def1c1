//! MERGE: SQLite has none. Each row of the source finds its rows of the target first, then each pair is worked on by itself.

use super::rows::bind;
use super::types::ColumnType;
use super::writes::{Action, Merge, Side};
use rusqlite::types::Value;
use rusqlite::{Connection, Error, OptionalExtension};
use std::collections::HashSet;

/// Values for the statement's parameters.
type Params<'a> = &'a [(String, Value)];

/// The SELECT that gives what OUTPUT says, behind [`run`].
pub fn output(merge: &Merge) -> String {
    let Merge { target, source_alias, output, .. } = merge;
    format!(
        "SELECT {output} FROM temp.merge_done LEFT JOIN {target} AS inserted ON inserted.rowid = merge_done.t AND \
         merge_done.\"$action\" <> 'DELETE' LEFT JOIN temp.merge_deleted AS deleted ON deleted.merge_t = merge_done.t \
         LEFT JOIN {} AS {source_alias} ON {source_alias}.rowid = merge_done.s ORDER BY merge_done.rowid",
        source(merge)
    )
}

/// Where the source's rows are: in their own table, or in a copy of what a SELECT gives.
fn source(merge: &Merge) -> &str {
    if merge.source.starts_with('(') { "temp.merge_source" } else { &merge.source }
}

/// Does it; returns how many rows were changed. What a failure leaves behind is undone by whoever calls it.
pub fn run(db: &Connection, merge: &Merge, params: Params<'_>) -> rusqlite::Result<u64> {
    db.execute_batch(&format!(
        "PRAGMA defer_foreign_keys = ON; DROP TABLE IF EXISTS temp.merge_source; DROP TABLE IF EXISTS temp.merge_done; \
         DROP TABLE IF EXISTS temp.merge_deleted; \
         CREATE TEMP TABLE merge_done (\"$action\" TEXT_ nvarchar(10), t bigint, s bigint); \
         CREATE TEMP TABLE merge_deleted AS SELECT rowid AS merge_t, * FROM {} WHERE 0",
        merge.target
    ))?;
    if merge.source.starts_with('(') {
        copy_source(db, merge, params)?;
    }
    let mut work = Work { db, merge, params, changed: HashSet::new() };
    // What is to be done is decided before any of it is.
    let mut plan = Vec::new();
    let pairs = work.pairs()?;
    let met: HashSet<i64> = pairs.iter().map(|(_, s)| *s).collect();
    let hit: HashSet<i64> = pairs.iter().map(|(t, _)| *t).collect();
    for (t, s) in pairs {
        plan.extend(work.decided(Side::Matched, Some(t), Some(s))?);
    }
    for s in ids(db, source(merge))?.into_iter().filter(|s| !met.contains(s)) {
        plan.extend(work.decided(Side::NotByTarget, None, Some(s))?);
    }
    if merge.whens.iter().any(|when| when.side == Side::NotBySource) {
        for t in ids(db, &merge.target)?.into_iter().filter(|t| !hit.contains(t)) {
            plan.extend(work.decided(Side::NotBySource, Some(t), None)?);
        }
    }
    for Step { action, t, s } in plan {
        work.act(action, t, s)?;
    }
    let odd =
        db.query_row("SELECT count(*) FROM pragma_foreign_key_check(?1)", [merge.target.trim_matches('"')], |row| {
            row.get::<_, i64>(0)
        })?;
    if odd > 0 {
        return Err(user("547 The MERGE statement conflicted with the FOREIGN KEY constraint."));
    }
    db.execute_batch("PRAGMA defer_foreign_keys = OFF")?;
    db.query_row("SELECT count(*) FROM temp.merge_done", [], |row| row.get(0))
}

fn user(text: &str) -> Error {
    Error::UserFunctionError(text.into())
}

fn ids(db: &Connection, table: &str) -> rusqlite::Result<Vec<i64>> {
    db.prepare(&format!("SELECT rowid FROM {table} ORDER BY rowid"))?.query_map([], |row| row.get(0))?.collect()
}

/// A SELECT's rows, in a table whose columns compare as those of the SELECT do.
fn copy_source(db: &Connection, merge: &Merge, params: Params<'_>) -> rusqlite::Result<()> {
    let select = format!("SELECT * FROM {}", merge.source);
    let mut statement = db.prepare(&select)?;
    let declared = |(at, column): (usize, rusqlite::Column<'_>)| {
        let name = merge.source_columns.get(at).cloned().unwrap_or_else(|| format!("\"{}\"", column.name()));
        let decl = column.decl_type().unwrap_or_default();
        let known = ColumnType::declared(&decl.replace("(-1)", "(max)"));
        let order = known.and_then(|known| known.kind.order(known.collation));
        format!("{name} {decl}{}", order.map_or_else(String::new, |order| format!(" COLLATE {order}")))
    };
    let columns: Vec<String> = statement.columns().enumerate().map(declared).collect();
    db.execute_batch(&format!("CREATE TEMP TABLE merge_source ({})", columns.join(", ")))?;
    bind(&mut statement, params)?;
    let places: Vec<&str> = columns.iter().map(|_| "?").collect();
    let mut into = db.prepare(&format!("INSERT INTO temp.merge_source VALUES ({})", places.join(", ")))?;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        let values: Vec<Value> = (0..columns.len()).map(|at| row.get(at)).collect::<rusqlite::Result<_>>()?;
        into.execute(rusqlite::params_from_iter(values))?;
    }
    Ok(())
}

struct Work<'a> {
    db: &'a Connection,
    merge: &'a Merge,
    params: Params<'a>,
    /// Rows of the target that were made or changed.
    changed: HashSet<i64>,
}

/// One row's change: its row in the target, and in the source.
struct Step<'a> {
    action: &'a Action,
    t: Option<i64>,
    s: Option<i64>,
}

impl<'a> Work<'a> {
    /// Rows of target and source that belong together.
    fn pairs(&self) -> rusqlite::Result<Vec<(i64, i64)>> {
        let Merge { target, alias, source_alias, on, .. } = self.merge;
        let sql = format!(
            "SELECT {alias}.rowid, {source_alias}.rowid FROM {target} AS {alias} JOIN {} AS {source_alias} ON {on} \
             ORDER BY {source_alias}.rowid",
            source(self.merge)
        );
        let mut statement = self.db.prepare(&sql)?;
        bind(&mut statement, self.params)?;
        let mut rows = statement.raw_query();
        let mut pairs = Vec::new();
        while let Some(row) = rows.next()? {
            pairs.push((row.get(0)?, row.get(1)?));
        }
        Ok(pairs)
    }

    /// What the first fitting WHEN does with a row.
    fn decided(&self, side: Side, t: Option<i64>, s: Option<i64>) -> rusqlite::Result<Option<Step<'a>>> {
        for when in self.merge.whens.iter().filter(|when| when.side == side) {
            let holds = when.condition.as_ref().map_or(Ok(true), |condition| self.holds(condition, t, s))?;
            if holds {
                return Ok(Some(Step { action: &when.action, t, s }));
            }
        }
        Ok(None)
    }

    /// The tables that a condition or value may name, each as its one row.
    fn tables(&self, t: Option<i64>, s: Option<i64>) -> (String, String) {
        let Merge { target, alias, source_alias, .. } = self.merge;
        let mut from = Vec::new();
        let mut at = Vec::new();
        if let Some(t) = t {
            from.push(format!("{target} AS {alias}"));
            at.push(format!("{alias}.rowid = {t}"));
        }
        if let Some(s) = s {
            from.push(format!("{} AS {source_alias}", source(self.merge)));
            at.push(format!("{source_alias}.rowid = {s}"));
        }
        (from.join(", "), at.join(" AND "))
    }

    fn holds(&self, condition: &str, t: Option<i64>, s: Option<i64>) -> rusqlite::Result<bool> {
        let (from, at) = self.tables(t, s);
        let mut statement = self.db.prepare(&format!("SELECT 1 FROM {from} WHERE {at} AND ({condition})"))?;
        bind(&mut statement, self.params)?;
        let holds = statement.raw_query().next()?.is_some();
        Ok(holds)
    }

    fn act(&mut self, action: &Action, t: Option<i64>, s: Option<i64>) -> rusqlite::Result<()> {
        let Merge { target, alias, .. } = self.merge;
        if let Some(t) = t {
            if !self.changed.insert(t) {
                return Err(user(
                    "8672 The MERGE statement attempted to UPDATE or DELETE the same row more than once. This happens when a \
                     target row matches more than one source row. A MERGE statement cannot UPDATE/DELETE the same row of the \
                     target table multiple times.",
                ));
            }
            self.db.execute(
                &format!("INSERT INTO temp.merge_deleted SELECT rowid, * FROM {target} WHERE rowid = ?1"),
                [t],
            )?;
        }
        let (name, sql) = match action {
            Action::Update(set) => {
                let (from, at) = self.tables(None, s);
                let (from, at) = match s {
                    Some(_) => (format!(" FROM {from}"), format!(" AND {at}")),
                    None => (String::new(), String::new()),
                };
                let t = t.unwrap_or_default();
                ("UPDATE", format!("UPDATE {target} AS {alias} SET {set}{from} WHERE {alias}.rowid = {t}{at}"))
            }
            Action::Delete => ("DELETE", format!("DELETE FROM {target} WHERE rowid = {}", t.unwrap_or_default())),
            Action::Insert(columns, values) => {
                let (from, at) = self.tables(None, s);
                ("INSERT", format!("INSERT INTO {target} {columns} SELECT {values} FROM {from} WHERE {at}"))
            }
        };
        let mut statement = self.db.prepare(&sql)?;
        bind(&mut statement, self.params)?;
        statement.raw_execute()?;
        let t = match t {
            Some(t) => t,
            None => self.db.last_insert_rowid(),
        };
        self.changed.insert(t);
        self.db.execute("INSERT INTO temp.merge_done VALUES (?1, ?2, ?3)", (name, t, s)).map(drop)
    }
}

/// Whether a table has a trigger: OUTPUT without INTO is refused there.
pub fn has_trigger(db: &Connection, table: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM main.sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE";
    Ok(db.query_row(sql, [table.trim_matches('"')], |_| Ok(())).optional()?.is_some())
}
