//! The receivers, in the order of the document.

use super::Receiver;
use super::{databases, frames, people};

/// Their names, for the grammar.
pub(in crate::config) const NAMES: [&str; 11] = [
    "postgres-copy",
    "mysql-load",
    "sqlserver-bulk",
    "oracle-sqlldr",
    "spark",
    "pandas",
    "polars",
    "duckdb",
    "clickhouse",
    "excel",
    "cobol",
];

pub(in crate::config) const RECEIVERS: &[Receiver] = &[
    databases::POSTGRES_COPY,
    databases::MYSQL_LOAD,
    databases::SQLSERVER_BULK,
    databases::ORACLE_SQLLDR,
    frames::SPARK,
    frames::PANDAS,
    frames::POLARS,
    frames::DUCKDB,
    frames::CLICKHOUSE,
    people::EXCEL,
    people::COBOL,
];
