//! What `config check` says to tell a reader, told to it: the reader has the rows then.

use super::{SOURCE, lines, python};
use crate::support::filegen::{Filegen, in_time};
use crate::support::postgres::Database;
use futures_util::SinkExt;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;

/// Makes the file of a receiver from a view with a number, a flag, a day and bytes. Gives the file, and what `config check` warns of.
fn publish(receiver: &str, fields: &str, column: &str) -> (Filegen, PathBuf, String) {
    let filegen = Filegen::empty();
    filegen.sql(
        "CREATE TABLE loans (id INTEGER PRIMARY KEY, b BOOLEAN, day DATE, x BLOB);
         INSERT INTO loans VALUES (1, 1, '2026-04-03', x'00ff41'), (2, 0, '2026-12-31', x'5c780a'), (3, NULL, NULL, NULL);
         CREATE VIEW v AS SELECT * FROM loans;",
    );
    filegen.write(
        "worker.yaml",
        &format!(
            "worker: W\nsource: {{ url: \"sqlite:loans.db\", view: v, key: id }}\noutput: {{ root: out }}\nfiles:\n  - id: A\n    name: \
             \"a_{{date}}.csv\"\n    receiver: {receiver}\n{fields}    translator: {{ delimited: {{ columns: [id, {column}] }} }}\n"
        ),
    );
    let check = filegen.run("config check -c worker.yaml").exits(0);
    filegen.publish();
    let file = filegen.path("out/a_20261121.csv");
    (filegen, file, check.stderr)
}

/// What one of Python's readers has when it is told `options`.
fn load(reader: &str, file: &PathBuf, name: &str, kind: &str, options: &str) -> Vec<Vec<Value>> {
    let script = format!("{SOURCE}/told.py");
    let done = in_time(Command::new(python()).arg("-B").arg(script).arg(reader).arg(file).args([name, kind, options]));
    assert!(done.status.success(), "{reader}: {}", String::from_utf8_lossy(&done.stderr));
    lines(&String::from_utf8_lossy(&done.stdout))
}

#[test]
fn a_first_record_is_skipped_behind_the_names() {
    for (reader, kind, options) in [
        ("pandas", "boolean", "skiprows=[1]"),
        ("polars", "Boolean", "skip_rows_after_header=1"),
        ("duckdb", "BOOLEAN", "header = false, skip = 2"),
    ] {
        let (_folder, file, warned) = publish(reader, "    first_record: \"H{{ date }}\"\n", "b");
        assert!(warned.contains(options), "{reader}: {warned}");
        let rows = load(reader, &file, "b", kind, options);
        assert_eq!(rows, [[json!(1), json!(true)], [json!(2), json!(false)], [json!(3), Value::Null]], "{reader}");
    }
}

#[test]
fn days_in_another_form_are_read_as_they_are_meant() {
    let meant = [[json!(1), json!("2026-04-03")], [json!(2), json!("2026-12-31")], [json!(3), Value::Null]];
    for (reader, kind, warning, options) in [
        ("pandas", "", "date_format={", "parse_dates=[\"day\"], date_format={\"day\": \"%d.%m.%Y\"}"),
        ("duckdb", "DATE", "dateformat = '%d.%m.%Y'", "dateformat = '%d.%m.%Y'"),
    ] {
        let (_folder, file, warned) = publish(reader, "", "{ column: day, format: \"%d.%m.%Y\" }");
        assert!(warned.contains("does not read as it is") && warned.contains(warning), "{reader}: {warned}");
        assert_eq!(load(reader, &file, "day", kind, options), meant, "{reader}");
    }
}

#[test]
fn bytes_are_bytes_to_duckdb() {
    let (_folder, file, warned) = publish("duckdb", "", "x");
    assert!(!warned.contains("warning"), "{warned}");
    let rows = load("duckdb", &file, "x", "BLOB", "");
    assert_eq!(rows, [[json!(1), json!("00ff41")], [json!(2), json!("5c780a")], [json!(3), Value::Null]]);
}

/// Loads a file into PostgreSQL, as docs/receivers.md says, behind a statement. Gives the second column's texts.
async fn copied(file: &PathBuf, kind: &str, column: &str, before: &str) -> Vec<Option<String>> {
    let database = Database::create().await;
    let client = database.client().await;
    client.batch_execute(&format!("CREATE TABLE loans (id bigint, {column} {kind}); {before}")).await.unwrap();
    let sink = client.copy_in(super::COPY).await.unwrap();
    let mut sink = std::pin::pin!(sink);
    sink.send(std::io::Cursor::new(std::fs::read(file).unwrap())).await.unwrap();
    sink.finish().await.unwrap();
    let select = format!("SET datestyle = 'ISO'; SELECT {column}::text FROM loans ORDER BY id");
    let (set, select) = select.split_once("; ").unwrap();
    client.batch_execute(set).await.unwrap();
    client.query(select, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn bytes_are_bytes_to_postgres_and_days_have_their_order() {
    let some = |texts: [&str; 2]| [Some(texts[0].to_owned()), Some(texts[1].to_owned()), None].to_vec();
    let (_folder, file, warned) = publish("postgres-copy", "", "x");
    assert!(!warned.contains("warning"), "{warned}");
    assert_eq!(copied(&file, "bytea", "x", "").await, some(["\\x00ff41", "\\x5c780a"]));
    let (_folder, file, warned) = publish("postgres-copy", "", "{ column: day, format: \"%d.%m.%Y\" }");
    assert!(warned.contains("SET datestyle = 'ISO, DMY'"), "{warned}");
    let before = "SET datestyle = 'ISO, DMY'";
    assert_eq!(copied(&file, "date", "day", before).await, some(["2026-04-03", "2026-12-31"]));
}
