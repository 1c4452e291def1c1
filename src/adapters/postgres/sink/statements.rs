//! The statements of one shape: many rows at once, and the same row by row.
//!
//! An upsert's SET names neither the row's key nor a column of another unique index: PostgreSQL then locks the row as for a change of
//! its key, and children wait though nothing changes. Such columns are changed by a statement of their own, where they differ.

use super::ddl::{name, quoted};
use super::facts::Facts;
use super::states;
use super::value::sent_as;
use crate::core::model::rows::{SqlType, Table, TableSet};
use std::fmt::Write as _;

/// One shape's statements.
#[derive(Debug)]
pub(super) struct Statements {
    /// Upserts rows given as an array a column. Gives the number of each row that was written, from 1, and what each sum is now.
    pub(super) upsert: String,
    /// Changes unique columns, for rows given in the same way. `None`: there are none.
    pub(super) unique: Option<String>,
    /// Does the same for rows in the setting [`ROWS`], one by one, and leaves what became of each in [`OUT`].
    pub(super) one_by_one: String,
}

/// Rows for [`Statements::one_by_one`]: a JSON array of arrays of texts, each with row key, event's id, topic's id, partition and
/// offset behind its values.
pub(super) const ROWS: &str = "filegen.rows";

/// A JSON array: `w` for written, `s` for stale, or SQLSTATE, message and detail.
pub(super) const OUT: &str = "filegen.out";

/// What the statements are made from.
struct Parts<'a> {
    table: &'a Table,
    /// `(column, type to cast to, kind)` of each value, sums last.
    columns: Vec<(usize, &'a str, SqlType)>,
    sums: &'a [usize],
    unique: Vec<usize>,
}

impl Statements {
    pub(super) fn new(set: &TableSet, facts: &Facts, shape: usize) -> Self {
        let shape = &set.shapes[shape];
        let table = &set.tables[shape.table];
        let all = shape.columns.iter().chain(&shape.sums);
        let columns = all.map(|at| (*at, facts.cast(set, shape.table, *at), table.columns[*at].kind)).collect();
        let is_unique = |at: &usize| !table.identity.contains(at) && facts.is_unique(set, shape.table, *at);
        let unique = shape.columns.iter().copied().filter(is_unique).collect();
        let parts = Parts { table, columns, sums: &shape.sums, unique };
        Self { upsert: parts.upsert(), unique: parts.change_unique(), one_by_one: parts.one_by_one() }
    }
}

impl Parts<'_> {
    fn name(&self, column: usize) -> String {
        quoted(&self.table.columns[column].name)
    }

    fn key(&self) -> Vec<String> {
        self.table.identity.iter().map(|at| self.name(*at)).collect()
    }

    /// The rows of a statement's arrays, typed, with their numbers.
    fn rows(&self) -> String {
        let (mut arrays, mut names, mut typed) = (Vec::new(), Vec::new(), Vec::new());
        for (at, (column, cast, kind)) in self.columns.iter().enumerate() {
            arrays.push(format!("${}::{}[]", at + 1, sent_as(*kind)));
            names.push(format!("v{at}"));
            typed.push(format!("x.v{at}::{cast} AS {}", self.name(*column)));
        }
        format!(
            "SELECT {}, x.i AS filegen_i FROM unnest({}) WITH ORDINALITY AS x({}, i)",
            typed.join(", "),
            arrays.join(", "),
            names.join(", ")
        )
    }

    /// Whether the event is newer than the row: by version, then by the event's id, texts by their bytes, no value before any.
    fn is_newer(&self) -> String {
        let Some(version) = self.table.version else { return "true".to_owned() };
        let sides = |column: usize| {
            let bytes =
                if matches!(self.table.columns[column].kind, SqlType::Text(_)) { "::text COLLATE \"C\"" } else { "" };
            let name = self.name(column);
            (format!("EXCLUDED.{name}{bytes}"), format!("t.{name}{bytes}"))
        };
        let is_set = |column: usize| self.columns.iter().any(|(set, ..)| *set == column);
        if !is_set(version) {
            return "true".to_owned();
        }
        let greater =
            |(new, old): &(String, String)| format!("({new} > {old} OR ({old} IS NULL AND {new} IS NOT NULL))");
        let versions = sides(version);
        let mut text = greater(&versions);
        if let Some(id) = self.table.event_id.filter(|id| is_set(*id)) {
            let same = format!("({0} = {1} OR ({0} IS NULL AND {1} IS NULL))", versions.0, versions.1);
            let _ = write!(text, " OR ({same} AND {})", greater(&sides(id)));
        }
        format!("({text})")
    }

    /// From `ON CONFLICT` to its end.
    fn conflict(&self) -> String {
        let newer = self.is_newer();
        let mut set = Vec::new();
        for (column, ..) in &self.columns {
            if self.table.identity.contains(column) || self.unique.contains(column) {
                continue;
            }
            let name = self.name(*column);
            set.push(if self.sums.contains(column) {
                format!("{name} = CASE WHEN EXCLUDED.{name} IS NULL THEN t.{name} ELSE coalesce(t.{name}, 0) + EXCLUDED.{name} END")
            } else if self.sums.is_empty() {
                format!("{name} = EXCLUDED.{name}")
            } else {
                format!("{name} = CASE WHEN {newer} THEN EXCLUDED.{name} ELSE t.{name} END")
            });
        }
        let key = self.key().join(", ");
        if set.is_empty() {
            return format!("ON CONFLICT ({key}) DO NOTHING");
        }
        let only = if self.sums.is_empty() { format!(" WHERE {newer}") } else { String::new() };
        format!("ON CONFLICT ({key}) DO UPDATE SET {}{only}", set.join(", "))
    }

    fn names(&self) -> String {
        self.columns.iter().map(|(column, ..)| self.name(*column)).collect::<Vec<_>>().join(", ")
    }

    fn upsert(&self) -> String {
        let (table, names, key) = (name(&self.table.name), self.names(), self.key());
        let kept: Vec<String> = key
            .iter()
            .cloned()
            .chain(self.sums.iter().enumerate().map(|(at, sum)| format!("{}::text AS filegen_s{at}", self.name(*sum))))
            .collect();
        let sums: String = (0..self.sums.len()).fold(String::new(), |text, at| text + &format!(", w.filegen_s{at}"));
        let same: Vec<String> = key.iter().map(|name| format!("u.{name} = w.{name}")).collect();
        format!(
            "WITH u AS MATERIALIZED ({rows}), w AS (INSERT INTO {table} AS t ({names}) SELECT {names} FROM u ORDER BY {order} \
             {conflict} RETURNING {kept}) SELECT u.filegen_i{sums} FROM u JOIN w ON {same}",
            rows = self.rows(),
            order = key.join(", "),
            conflict = self.conflict(),
            kept = kept.iter().map(|kept| format!("t.{kept}")).collect::<Vec<_>>().join(", "),
            same = same.join(" AND "),
        )
    }

    fn change_unique(&self) -> Option<String> {
        (!self.unique.is_empty()).then(|| {
            let set = self.unique.iter().map(|at| format!("{0} = u.{0}", self.name(*at)));
            let differ = self.unique.iter().map(|at| format!("t.{0} IS DISTINCT FROM u.{0}", self.name(*at)));
            format!(
                "UPDATE {} t SET {} FROM ({}) u WHERE {} AND ({})",
                name(&self.table.name),
                set.collect::<Vec<_>>().join(", "),
                self.rows(),
                self.is_row("u."),
                differ.collect::<Vec<_>>().join(" OR ")
            )
        })
    }

    /// Whether a row of the table is the one at hand.
    fn is_row(&self, of: &str) -> String {
        self.key().iter().map(|name| format!("t.{name} = {of}{name}")).collect::<Vec<_>>().join(" AND ")
    }

    /// A value of the JSON array of one row.
    fn value(&self, column: usize) -> String {
        let at = self.columns.iter().position(|(set, ..)| *set == column).unwrap_or_default();
        format!("(filegen_row ->> {at})::{}", self.columns[at].1)
    }

    /// A block with a sub-transaction a row: what refuses one row undoes that row alone. What is not the row's fault ends it all.
    fn one_by_one(&self) -> String {
        let values: Vec<String> = self.columns.iter().map(|(column, ..)| self.value(*column)).collect();
        let behind = self.columns.len();
        let seen = self.seen(behind);
        let table = name(&self.table.name);
        let mut text = format!(
            "DO $filegen_do$ #variable_conflict use_column
DECLARE filegen_row json; filegen_out text[] := '{{}}'; filegen_n bigint; filegen_is_new boolean;
  found_state text; filegen_message text; filegen_detail text;
BEGIN
  FOR filegen_row IN SELECT value FROM json_array_elements(current_setting('{ROWS}')::json) LOOP
    BEGIN
      filegen_n := 0;
{seen}      IF filegen_is_new THEN
        INSERT INTO {table} AS t ({names}) VALUES ({values}) {conflict};
        GET DIAGNOSTICS filegen_n = ROW_COUNT;
",
            names = self.names(),
            values = values.join(", "),
            conflict = self.conflict(),
        );
        let is_row = self.table.identity.iter().map(|at| format!("t.{} = {}", self.name(*at), self.value(*at)));
        let is_row = is_row.collect::<Vec<_>>().join(" AND ");
        if !self.unique.is_empty() {
            let set = self.unique.iter().map(|at| format!("{} = {}", self.name(*at), self.value(*at)));
            let differ =
                self.unique.iter().map(|at| format!("t.{} IS DISTINCT FROM {}", self.name(*at), self.value(*at)));
            let _ = writeln!(
                text,
                "        IF filegen_n > 0 THEN UPDATE {table} t SET {} WHERE {is_row} AND ({}); END IF;",
                set.collect::<Vec<_>>().join(", "),
                differ.collect::<Vec<_>>().join(" OR ")
            );
        }
        for sum in self.sums {
            let (name, most) = (self.name(*sum), most(self.table.columns[*sum].kind));
            let _ = writeln!(
                text,
                "        IF (SELECT abs(t.{name}::numeric) > {most} FROM {table} t WHERE {is_row}) THEN
          RAISE EXCEPTION 'the sum is beyond {}' USING ERRCODE = '22003'; END IF;",
                self.table.columns[*sum].kind
            );
        }
        let _ = write!(
            text,
            "      END IF;
      filegen_out := filegen_out || CASE WHEN filegen_n > 0 THEN '\"w\"' ELSE '\"s\"' END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS found_state = RETURNED_SQLSTATE, filegen_message = MESSAGE_TEXT, filegen_detail = PG_EXCEPTION_DETAIL;
      IF {} THEN RAISE; END IF;
      filegen_out := filegen_out || json_build_array(found_state, filegen_message, filegen_detail)::text;
    END;
  END LOOP;
  PERFORM set_config('{OUT}', '[' || array_to_string(filegen_out, ',') || ']', true);
END $filegen_do$",
            states::is_no_row("found_state")
        );
        text
    }

    /// Whether the event has not been seen: by the ledger of a table with sums, by the row's position where nothing else orders.
    fn seen(&self, behind: usize) -> String {
        let tbl = format!("'{}'", self.table.name.replace('\'', "''"));
        let of = |at: usize| format!("filegen_row ->> {}", behind + at);
        if self.table.has_sums {
            return format!(
                "      INSERT INTO filegen_ledger (tbl, event_id) VALUES ({tbl}, {}) ON CONFLICT DO NOTHING;
      filegen_is_new := FOUND;\n",
                of(1)
            );
        }
        if self.table.version.is_none() {
            return format!(
                "      INSERT INTO filegen_rows AS r (tbl, row_key, topic_id, partition, log_offset)
        VALUES ({tbl}, {}, {}, ({})::integer, ({})::bigint) {AHEAD};
      filegen_is_new := FOUND;\n",
                of(0),
                of(2),
                of(3),
                of(4)
            );
        }
        "      filegen_is_new := true;\n".to_owned()
    }
}

/// A row takes what comes from another log, or later in its own.
pub(super) const AHEAD: &str = "ON CONFLICT (tbl, row_key) DO UPDATE
    SET topic_id = EXCLUDED.topic_id, partition = EXCLUDED.partition, log_offset = EXCLUDED.log_offset
    WHERE r.topic_id <> EXCLUDED.topic_id OR r.partition <> EXCLUDED.partition OR r.log_offset < EXCLUDED.log_offset";

/// The largest sum of a column.
fn most(kind: SqlType) -> String {
    match kind {
        SqlType::Decimal { precision, scale } => {
            let nines = |digits: u8| "9".repeat(digits.into());
            format!("0{}.{}0", nines(precision - scale), nines(scale))
        }
        SqlType::Integer => i32::MAX.to_string(),
        _ => i64::MAX.to_string(),
    }
}
