//! What the database says of the tables: types, keys, parents, rights.

use super::ddl::name;
use super::link::{Fault, Link};
use crate::core::model::rows::TableSet;
use tokio_postgres::types::Type;

/// A column as the database has it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Found {
    pub(super) name: String,
    /// The type's name, of a domain that of what it is made of.
    pub(super) base: String,
    /// The type as a cast has it.
    pub(super) cast: String,
    pub(super) modifier: Option<i32>,
    pub(super) is_enum: bool,
    /// It is required, and nothing stands for it.
    pub(super) must_be_set: bool,
    /// It is generated.
    pub(super) is_fixed: bool,
}

impl Found {
    pub(super) fn shown(&self) -> &str {
        &self.cast
    }
}

/// A table as the database has it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct TableFacts {
    pub(super) columns: Vec<Found>,
    /// Columns of each unique index that holds for all rows at once.
    pub(super) unique: Vec<Vec<String>>,
    /// Foreign keys of one column: column, parent's table, parent's column.
    pub(super) parents: Vec<(String, String, String)>,
    /// Rights that are missing.
    pub(super) rights: Vec<String>,
}

/// A column that refers to another row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Reference {
    /// The column, by index in its table.
    pub(super) column: usize,
    pub(super) table: String,
    pub(super) key: String,
    /// The parent column's type, as a cast has it. `None` where there is no such column.
    pub(super) cast: Option<String>,
}

/// What writing needs to know, by index of the file's tables.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Facts {
    tables: Vec<TableFacts>,
    references: Vec<Vec<Reference>>,
}

impl Facts {
    /// Puts together what was found, and asks for the types of parents.
    pub(super) async fn learn(link: &Link, set: &TableSet, tables: Vec<TableFacts>) -> Result<Self, Fault> {
        let mut references = Vec::with_capacity(tables.len());
        for (table, found) in set.tables.iter().zip(&tables) {
            let own = table.columns.iter().enumerate().filter_map(|(at, own)| Some((at, own.references.clone()?)));
            let mut all: Vec<(usize, (String, String))> = own.collect();
            for (column, parent, key) in &found.parents {
                let Some(at) = table.column(column) else { continue };
                if all.iter().all(|(known, _)| *known != at) {
                    all.push((at, (parent.clone(), key.clone())));
                }
            }
            let mut learned = Vec::with_capacity(all.len());
            for (column, (table, key)) in all {
                let cast = type_of(link, &table, &key).await?;
                learned.push(Reference { column, table, key, cast });
            }
            references.push(learned);
        }
        Ok(Self { tables, references })
    }

    /// The type that a column's text is cast to.
    pub(super) fn cast(&self, set: &TableSet, table: usize, column: usize) -> &str {
        let wanted = &set.tables[table].columns[column].name;
        self.tables[table]
            .columns
            .iter()
            .find(|found| found.name == *wanted)
            .map_or("text", |found| found.cast.as_str())
    }

    /// Columns that are in no key of their row but in another unique index. A statement that names one of them in its SET locks the
    /// row against children.
    pub(super) fn is_unique(&self, set: &TableSet, table: usize, column: usize) -> bool {
        self.tables[table].unique.iter().flatten().any(|name| *name == set.tables[table].columns[column].name)
    }

    pub(super) fn references(&self, table: usize) -> &[Reference] {
        &self.references[table]
    }
}

const COLUMNS: &str = "SELECT a.attname::text, b.typname::text, pg_catalog.format_type(b.oid, NULL),
    CASE WHEN t.typtype = 'd' AND a.atttypmod < 0 THEN t.typtypmod ELSE a.atttypmod END, b.typtype = 'e',
    a.attnotnull AND NOT a.atthasdef AND a.attidentity = '', a.attgenerated <> '' OR a.attidentity = 'a'
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    JOIN pg_catalog.pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
    WHERE a.attrelid = pg_catalog.to_regclass($1)::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";

const UNIQUE: &str = "SELECT ARRAY(SELECT a.attname::text FROM generate_series(0, i.indnkeyatts - 1) g
    JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[g] ORDER BY g)
    FROM pg_catalog.pg_index i WHERE i.indrelid = pg_catalog.to_regclass($1)::oid
    AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL";

const PARENTS: &str = "SELECT a.attname::text, CASE WHEN pg_catalog.pg_table_is_visible(p.oid) THEN p.relname::text
    ELSE n.nspname || '.' || p.relname END, k.attname::text
    FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_class p ON p.oid = c.confrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    JOIN pg_catalog.pg_attribute k ON k.attrelid = c.confrelid AND k.attnum = c.confkey[1]
    WHERE c.conrelid = pg_catalog.to_regclass($1)::oid AND c.contype = 'f' AND cardinality(c.conkey) = 1";

const RIGHTS: &str = "SELECT p FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE']) p
    WHERE NOT pg_catalog.has_table_privilege(pg_catalog.to_regclass($1)::oid, p)";

/// What is there of each table. `None` for one that is not.
pub(super) async fn tables(link: &Link, set: &TableSet) -> Result<Vec<Option<TableFacts>>, Fault> {
    let mut all = Vec::with_capacity(set.tables.len());
    for table in &set.tables {
        let name = name(&table.name);
        let ask = async |sql| link.query(sql, &[(&name, Type::TEXT)]).await;
        let columns: Vec<Found> = ask(COLUMNS)
            .await?
            .iter()
            .map(|row| Found {
                name: row.get(0),
                base: row.get(1),
                cast: row.get(2),
                modifier: row.get(3),
                is_enum: row.get(4),
                must_be_set: row.get(5),
                is_fixed: row.get(6),
            })
            .collect();
        if columns.is_empty() {
            all.push(None);
            continue;
        }
        let unique = ask(UNIQUE).await?.iter().map(|row| row.get(0)).collect();
        let parents = ask(PARENTS).await?.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
        let rights = ask(RIGHTS).await?.iter().map(|row| row.get(0)).collect();
        all.push(Some(TableFacts { columns, unique, parents, rights }));
    }
    Ok(all)
}

/// The type of a parent's column, as a cast has it. `None` when it is not there.
pub(super) async fn type_of(link: &Link, table: &str, column: &str) -> Result<Option<String>, Fault> {
    let sql = "SELECT pg_catalog.format_type(CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END, NULL)
               FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
               WHERE a.attrelid = pg_catalog.to_regclass($1)::oid AND a.attname = $2 AND NOT a.attisdropped";
    let rows = link.query(sql, &[(&name(table), Type::TEXT), (&column, Type::TEXT)]).await?;
    Ok(rows.first().map(|row| row.get(0)))
}
