//! Keyset SQL, dialect by dialect.

use super::*;
use crate::core::model::key::Key;
use crate::core::model::spec::{Fetch, Isolation};
use crate::core::ports::source::Query;
use std::num::NonZeroU32;

fn query(view: &str, key: &[&str], columns: &[&str]) -> Query {
    let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
    Query {
        view: ViewName::parse(view).unwrap(),
        key: names(key),
        columns: names(columns),
        predicates: Vec::new(),
        page_size: NonZeroU32::new(10).unwrap(),
        page_bytes: 1 << 20,
        fetch: Fetch::Stream,
        isolation: Isolation::Default,
        kinds: None,
    }
}

fn key(values: &[i64]) -> Key {
    Key(values.iter().map(|value| KeyValue::Int(*value)).collect())
}

fn page_sql(dialect: &Dialect, query: &Query, after: Option<&Key>, until: Option<&Key>, range: Range) -> String {
    page(dialect, &Plain, &PageRequest { query, after, until, range }).unwrap().sql
}

#[test]
fn each_dialect_writes_its_own_names_parameters_and_limits() {
    let query = query("dbo.[v.Loan \"Data]", &["Loan]Id", "Seq"], &["Amount", "Seq"]);
    let (after, until) = (key(&[1, -2]), key(&[9, 9]));
    let sql = |dialect, range| page_sql(&dialect, &query, Some(&after), Some(&until), range);
    assert_eq!(
        sql(Dialect::SQLITE, Range::Rows(10)),
        "SELECT t.\"Amount\", t.\"Seq\", t.\"Loan]Id\" FROM \"dbo\".\"v.Loan \"\"Data\" t \
         WHERE (t.\"Loan]Id\", t.\"Seq\") > (?1, ?2) AND (t.\"Loan]Id\", t.\"Seq\") <= (?3, ?4) \
         ORDER BY t.\"Loan]Id\", t.\"Seq\" LIMIT 10"
    );
    assert!(sql(Dialect::POSTGRES, Range::All).contains("(t.\"Loan]Id\", t.\"Seq\") > ($1, $2)"));
    assert!(sql(Dialect::POSTGRES_COPY, Range::All).contains("(t.\"Loan]Id\", t.\"Seq\") > ('1', '-2')"));
    assert_eq!(
        sql(Dialect::SQL_SERVER, Range::Rows(10)),
        "SELECT TOP (10) t.[Amount], t.[Seq], t.[Loan]]Id] FROM [dbo].[v.Loan \"Data] t \
         WHERE t.[Loan]]Id] >= @P1 AND (t.[Loan]]Id] > @P1 OR (t.[Loan]]Id] = @P1 AND (t.[Seq] > @P2))) \
         AND t.[Loan]]Id] <= @P3 AND (t.[Loan]]Id] < @P3 OR (t.[Loan]]Id] = @P3 AND (t.[Seq] <= @P4))) \
         ORDER BY t.[Loan]]Id], t.[Seq]"
    );
    assert!(
        sql(Dialect::SQL_SERVER, Range::Offset { skip: 20, rows: 10 })
            .ends_with("OFFSET 20 ROWS FETCH NEXT 10 ROWS ONLY")
    );
}
