//! What the database says of its tables: `INFORMATION_SCHEMA`, the views of `sys`, and functions that ask for one.

use super::tsql::{Node, render_one};
use super::types::{ColumnType, SqlType};
use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::Value;

/// The views, each in the words of SQLite's own catalogue. A name with a dot in it is a table of another schema.
const VIEWS: &str = r#"
CREATE TEMP VIEW "INFORMATION_SCHEMA.TABLES" AS SELECT
  CASE WHEN instr(name, '.') > 1 THEN substr(name, 1, instr(name, '.') - 1) ELSE 'dbo' END AS TABLE_SCHEMA,
  substr(name, instr(name, '.') + 1) AS TABLE_NAME FROM main.sqlite_schema WHERE type IN ('table', 'view');
CREATE TEMP VIEW ts_columns AS SELECT s.rowid AS object_id, s.name AS tbl, c.cid + 1 AS column_id, c.name AS name,
  c.type AS decl, c."notnull" = 0 AND c.pk = 0 AS is_nullable, c.dflt_value AS dflt
  FROM main.sqlite_schema AS s, pragma_table_info(s.name) AS c WHERE s.type IN ('table', 'view') AND s.name NOT LIKE 'sqlite_%';
CREATE TEMP VIEW "INFORMATION_SCHEMA.COLUMNS" AS SELECT
  CASE WHEN instr(tbl, '.') > 1 THEN substr(tbl, 1, instr(tbl, '.') - 1) ELSE 'dbo' END AS TABLE_SCHEMA,
  substr(tbl, instr(tbl, '.') + 1) AS TABLE_NAME, name AS COLUMN_NAME, column_id AS ORDINAL_POSITION, dflt AS COLUMN_DEFAULT,
  CASE WHEN is_nullable THEN 'YES' ELSE 'NO' END AS IS_NULLABLE, ts_type(decl, 'name') AS DATA_TYPE,
  ts_type(decl, 'units') AS CHARACTER_MAXIMUM_LENGTH, ts_type(decl, 'precision') AS NUMERIC_PRECISION,
  ts_type(decl, 'scale') AS NUMERIC_SCALE, ts_type(decl, 'fraction') AS DATETIME_PRECISION,
  ts_type(decl, 'collation') AS COLLATION_NAME FROM ts_columns;
CREATE TEMP VIEW "sys.schemas" AS SELECT 1 AS schema_id, 'dbo' AS name;
CREATE TEMP VIEW "sys.objects" AS SELECT s.rowid AS object_id, s.name AS name, 1 AS schema_id,
  CASE s.type WHEN 'table' THEN 'U ' ELSE 'V ' END AS type FROM main.sqlite_schema AS s
  WHERE s.type IN ('table', 'view') AND s.name NOT LIKE 'sqlite_%';
CREATE TEMP VIEW "sys.tables" AS SELECT object_id, name, schema_id, type FROM "sys.objects" WHERE type = 'U ';
CREATE TEMP VIEW "sys.types" AS SELECT DISTINCT ts_type(decl, 'name') AS name, ts_type(decl, 'id') AS system_type_id,
  ts_type(decl, 'id') AS user_type_id FROM ts_columns;
CREATE TEMP VIEW "sys.columns" AS SELECT object_id, name, column_id, ts_type(decl, 'id') AS system_type_id,
  ts_type(decl, 'id') AS user_type_id, ts_type(decl, 'bytes') AS max_length, coalesce(ts_type(decl, 'precision'), 0) AS precision,
  coalesce(ts_type(decl, 'scale'), ts_type(decl, 'fraction'), 0) AS scale, ts_type(decl, 'collation') AS collation_name,
  is_nullable, decl = 'INTEGER' AS is_identity, 0 AS is_computed,
  CASE WHEN dflt IS NULL THEN 0 ELSE object_id * 1000 + column_id END AS default_object_id FROM ts_columns;
CREATE TEMP VIEW "sys.indexes" AS SELECT s.rowid AS object_id, i.seq + 1 AS index_id, i.name AS name, i."unique" AS is_unique,
  i.origin = 'pk' AS is_primary_key, i.origin = 'u' AS is_unique_constraint, i.partial AS has_filter, 0 AS is_disabled
  FROM main.sqlite_schema AS s, pragma_index_list(s.name) AS i WHERE s.type = 'table'
  UNION ALL SELECT object_id, 1000, 'PK', 1, 1, 0, 0, 0 FROM ts_columns WHERE decl = 'INTEGER';
CREATE TEMP VIEW "sys.index_columns" AS SELECT x.object_id AS object_id, x.index_id AS index_id, c.cid + 1 AS column_id,
  c.seqno + 1 AS key_ordinal, c.seqno + 1 AS index_column_id, 0 AS is_included_column FROM "sys.indexes" AS x,
  pragma_index_info(x.name) AS c
  UNION ALL SELECT object_id, 1000, column_id, 1, 1, 0 FROM ts_columns WHERE decl = 'INTEGER';
CREATE TEMP VIEW "sys.foreign_keys" AS SELECT DISTINCT s.rowid * 1000 + f.id AS object_id, 'FK_' || s.name || '_' || f.id AS name,
  s.rowid AS parent_object_id, r.rowid AS referenced_object_id, 0 AS is_disabled, 0 AS is_not_trusted
  FROM main.sqlite_schema AS s, pragma_foreign_key_list(s.name) AS f JOIN main.sqlite_schema AS r
  ON r.name = f."table" COLLATE NOCASE AND r.type = 'table' WHERE s.type = 'table';
CREATE TEMP VIEW "sys.foreign_key_columns" AS SELECT s.rowid * 1000 + f.id AS constraint_object_id,
  f.seq + 1 AS constraint_column_id, s.rowid AS parent_object_id, p.cid + 1 AS parent_column_id, r.rowid AS referenced_object_id,
  q.cid + 1 AS referenced_column_id FROM main.sqlite_schema AS s, pragma_foreign_key_list(s.name) AS f
  JOIN main.sqlite_schema AS r ON r.name = f."table" COLLATE NOCASE AND r.type = 'table'
  JOIN pragma_table_info(s.name) AS p ON p.name = f."from" COLLATE NOCASE
  JOIN pragma_table_info(r.name) AS q ON q.name = coalesce(f."to", (SELECT name FROM pragma_table_info(r.name) WHERE pk = f.seq + 1))
  COLLATE NOCASE WHERE s.type = 'table';
CREATE TEMP VIEW "sys.triggers" AS SELECT g.rowid AS object_id, g.name AS name, s.rowid AS parent_id, 0 AS is_disabled
  FROM main.sqlite_schema AS g JOIN main.sqlite_schema AS s ON s.name = g.tbl_name AND s.type = 'table' WHERE g.type = 'trigger';
CREATE TEMP VIEW "sys.databases" AS SELECT 'loans' AS name, 5 AS database_id, 0 AS is_read_only,
  'SQL_Latin1_General_CP1_CI_AS' AS collation_name, 0 AS is_read_committed_snapshot_on, 150 AS compatibility_level;
"#;

/// Adds them to a connection.
pub fn install(db: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    db.create_scalar_function("ts_type", 2, flags, |context| {
        let (decl, what) = (context.get::<String>(0)?, context.get::<String>(1)?);
        // The one spelling that makes a column SQLite's own number of its row.
        let decl = if decl == "INTEGER" { "bigint".to_owned() } else { decl.replace("(-1)", "(max)") };
        Ok(ColumnType::declared(&decl).map_or(Value::Null, |column| said(&column, &what)))
    })?;
    db.create_scalar_function("has_perms_by_name", 3, flags, |_| Ok(1))?;
    db.execute_batch(VIEWS)
}

fn said(column: &ColumnType, what: &str) -> Value {
    let number = |number: Option<i64>| number.map_or(Value::Null, Value::Integer);
    let kind = column.kind;
    match what {
        "name" => Value::Text(kind.name().split('(').next().unwrap_or_default().to_owned()),
        "id" => number(Some(type_id(kind))),
        "units" => number(length(kind)),
        "bytes" => number(Some(bytes(kind))),
        "precision" => number(precision(kind)),
        "scale" => number(match kind {
            SqlType::Decimal(_, scale) | SqlType::Numeric(_, scale) => Some(i64::from(scale)),
            SqlType::Money | SqlType::SmallMoney => Some(4),
            SqlType::TinyInt | SqlType::SmallInt | SqlType::Int | SqlType::BigInt => Some(0),
            _ => None,
        }),
        "fraction" => number(match kind {
            SqlType::Time(scale) | SqlType::DateTime2(scale) | SqlType::DateTimeOffset(scale) => Some(i64::from(scale)),
            SqlType::DateTime => Some(3),
            SqlType::Date | SqlType::SmallDateTime => Some(0),
            _ => None,
        }),
        _ => column.collation_name().map_or(Value::Null, |name| Value::Text(name.to_owned())),
    }
}

/// Characters of a text, or bytes of a binary; -1 for `max`.
fn length(kind: SqlType) -> Option<i64> {
    match kind {
        SqlType::Char(n) | SqlType::NChar(n) | SqlType::Binary(n) => Some(i64::from(n)),
        SqlType::VarChar(n) | SqlType::NVarChar(n) | SqlType::VarBinary(n) => Some(n.map_or(-1, i64::from)),
        _ => None,
    }
}

fn bytes(kind: SqlType) -> i64 {
    match (kind, length(kind)) {
        (SqlType::NChar(_) | SqlType::NVarChar(Some(_)), Some(units)) => units * 2,
        (_, Some(length)) => length,
        (SqlType::Bit | SqlType::TinyInt, _) => 1,
        (SqlType::SmallInt, _) => 2,
        (SqlType::Date, _) => 3,
        (SqlType::Int | SqlType::Real | SqlType::SmallMoney | SqlType::SmallDateTime, _) => 4,
        (SqlType::Guid, _) => 16,
        (SqlType::Decimal(p, _) | SqlType::Numeric(p, _), _) => i64::from(super::types::decimal_bytes(p)),
        (SqlType::DateTimeOffset(_), _) => 10,
        _ => 8,
    }
}

fn precision(kind: SqlType) -> Option<i64> {
    Some(match kind {
        SqlType::Decimal(p, _) | SqlType::Numeric(p, _) => i64::from(p),
        SqlType::TinyInt => 3,
        SqlType::SmallInt => 5,
        SqlType::Int | SqlType::SmallMoney => 10,
        SqlType::BigInt | SqlType::Money => 19,
        SqlType::Real => 24,
        SqlType::Float => 53,
        _ => return None,
    })
}

/// `system_type_id`.
fn type_id(kind: SqlType) -> i64 {
    match kind {
        SqlType::Image => 34,
        SqlType::Text => 35,
        SqlType::Guid => 36,
        SqlType::Date => 40,
        SqlType::Time(_) => 41,
        SqlType::DateTime2(_) => 42,
        SqlType::DateTimeOffset(_) => 43,
        SqlType::TinyInt => 48,
        SqlType::SmallInt => 52,
        SqlType::Int => 56,
        SqlType::SmallDateTime => 58,
        SqlType::Real => 59,
        SqlType::Money => 60,
        SqlType::DateTime => 61,
        SqlType::Float => 62,
        SqlType::Variant => 98,
        SqlType::NText => 99,
        SqlType::Bit => 104,
        SqlType::Decimal(..) => 106,
        SqlType::Numeric(..) => 108,
        SqlType::SmallMoney => 122,
        SqlType::BigInt => 127,
        SqlType::VarBinary(_) => 165,
        SqlType::VarChar(_) => 167,
        SqlType::Binary(_) => 173,
        SqlType::Char(_) => 175,
        SqlType::NVarChar(_) => 231,
        SqlType::NChar(_) => 239,
        SqlType::Xml => 241,
    }
}

/// `OBJECT_ID(name, …)` or `COL_LENGTH(table, column)` as a question to the catalogue.
pub fn lookup(is_object: bool, inner: &[Node]) -> String {
    let mut args = inner.split(|node| *node == Node::Symbol(',')).filter_map(|arg| arg.first());
    let name = args.next().map(table_of).unwrap_or_default();
    if is_object {
        return format!(
            "(SELECT rowid FROM (SELECT rowid, name FROM main.sqlite_schema WHERE type IN ('table', 'view') UNION ALL \
             SELECT -rowid, name FROM temp.sqlite_schema WHERE type = 'table') WHERE name = {name} COLLATE NOCASE)"
        );
    }
    let column = args.next().map(render_one).unwrap_or_default();
    format!(
        "(SELECT ts_type(decl, 'bytes') FROM ts_columns WHERE tbl = {name} COLLATE NOCASE AND name = {column} COLLATE NOCASE)"
    )
}

/// A table's name in a text, as the table is called here. A parameter has no schema.
fn table_of(node: &Node) -> String {
    let Node::Text(text) = node else { return render_one(node) };
    let parts: Vec<&str> = text.split('.').map(|part| part.trim_matches(['[', ']', '"'])).collect();
    let name = match parts.as_slice() {
        [.., schema, name] if schema.is_empty() || schema.eq_ignore_ascii_case("dbo") => (*name).to_owned(),
        [.., schema, name] => format!("{schema}.{name}"),
        _ => parts.join("."),
    };
    format!("'{}'", name.replace('\'', "''"))
}
