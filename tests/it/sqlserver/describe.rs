//! What a view's columns are, by the server's answer to a statement without rows.

use super::{query, rows};
use crate::support::sqlserver::Database;
use crate::tds::{Action, Fault, Options};
use filegen::core::model::query::Fetch;
use filegen::core::ports::source::{PageSource, SourceError};
use std::num::NonZeroU32;

/// What names collations, on servers that have it.
const NAMES: &str = "dm_exec_describe_first_result_set";

async fn shops() -> Database {
    let database = Database::here(Options::default());
    database
        .execute(
            "CREATE TABLE shops (LoanId int NOT NULL, Code varchar(20) COLLATE Greek_CI_AS NOT NULL, Odd sql_variant, \
             Long varchar(max), Price decimal(38,10))",
        )
        .await;
    database.execute("INSERT INTO shops (LoanId, Code, Price) VALUES (1, N'αβγ', '1.5'), (2, N'δεζ', '2.5')").await;
    database
}

#[tokio::test]
async fn names_are_the_servers_to_match() {
    let database = shops().await;
    let source = database.source("");
    for fetch in [Fetch::Stream, Fetch::Paged] {
        let mut query = query("shops", &["loanid"], &["LOANID", "code", "Price"]);
        (query.page_size, query.fetch) = (NonZeroU32::MIN, fetch);
        let expected = [["1", "αβγ", "1.5000000000"], ["2", "δεζ", "2.5000000000"]];
        let expected = expected.map(|row| row.map(|value| Some(value.to_owned())).to_vec());
        assert_eq!(rows(&source, &query).await, expected, "{fetch:?}");
        assert_eq!(source.extent(&query).await.unwrap().rows, 2);
    }
    let statements = database.server().statements();
    assert!(statements.iter().any(|sql| sql.contains("t.[loanid] > @P1")), "as the worker file has it: {statements:?}");
    assert!(!statements.iter().any(|sql| sql.contains(NAMES)), "one description is enough: {statements:?}");
    let error = source.extent(&query("shops", &["loan"], &["loan"])).await.unwrap_err();
    assert!(matches!(&error, SourceError::Refused { reason } if reason.contains("`LoanId`")), "{error:?}");
    let error = source.extent(&query("shops", &["LoanId"], &["Odd"])).await.unwrap_err();
    assert!(error.to_string().contains("sql_variant"), "{error}");
}

#[tokio::test]
async fn a_server_that_cannot_name_collations_is_read_all_the_same() {
    let database = shops().await;
    let mut query = query("shops", &["code"], &["LoanId"]);
    query.page_size = NonZeroU32::MIN;
    for lacks in [false, true] {
        if lacks {
            let text = format!("Invalid object name 'sys.{NAMES}'.");
            let action = Action::Error(208, 16, text);
            database.server().inject(Fault { statement: NAMES.to_owned(), row: 0, action });
        }
        assert_eq!(rows(&database.source(""), &query).await.len(), 2, "{lacks}");
    }
    assert_eq!(database.server().faults_left(), 0);
}

#[tokio::test]
async fn declared_lengths_are_those_of_texts() {
    let database = Database::here(Options::default());
    database
        .execute(
            "CREATE TABLE t (id int NOT NULL, a char(3), b varchar(20), c nvarchar(5), d varchar(max), e decimal(9,2))",
        )
        .await;
    let lengths = database.source("").lengths(&query("t", &["id"], &["id"]).view).await.unwrap();
    let lengths: Vec<(&str, u32)> = lengths.iter().map(|(name, length)| (name.as_str(), *length)).collect();
    assert_eq!(lengths, [("a", 3), ("b", 20), ("c", 5)]);
}
