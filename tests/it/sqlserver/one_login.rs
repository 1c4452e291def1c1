//! What a run asks before, while and after it reads: one login, one description, and a count only where it is wanted.

use crate::support::filegen::Filegen;
use crate::support::sqlserver::Database;
use crate::tds::Options;
use serde_json::Value;

/// What a statement is, in a word.
fn word(sql: &str) -> &'static str {
    match sql {
        sql if sql.contains("SET LANGUAGE") => "settings",
        sql if sql.contains("WHERE 1 = 0") => "description",
        sql if sql.contains("COUNT_BIG") => "count",
        sql if sql.contains("ORDER BY") => "read",
        sql if sql.contains("ROLLBACK") => "undo",
        _ => "other",
    }
}

/// Runs a worker with these settings of its source; gives the words of its statements, the number of its logins and the manifest.
fn run(database: &Database, worker: &str, settings: &str) -> (Vec<&'static str>, usize, Value) {
    let filegen = Filegen::empty();
    filegen.write(
        "worker.yaml",
        &format!(
            "worker: {worker}\nsource: {{ view: loans, key: id, {settings} }}\noutput: {{ root: out }}\n\
             files:\n  - id: A\n    name: \"a_{{date}}.txt\"\n    \
             translator: {{ delimited: {{ delimiter: \"|\", columns: [id, name] }} }}\n"
        ),
    );
    let server = database.server();
    let (logins, statements) = (server.logins().len(), server.statements().len());
    let mut command = filegen.command("run -c worker.yaml --date 2026-11-21");
    command.env("SQL_CONNECTION_STRING", database.ado());
    Filegen::finish(&mut command).exits(0);
    let asked = server.statements().split_off(statements);
    let words = asked.iter().map(|sql| word(sql)).collect();
    assert_eq!(filegen.read("out/a_20261121.txt").lines().count(), 31, "a header and all rows");
    let manifest = filegen.read(&format!("out/{worker}_20261121.manifest.json"));
    (words, server.logins().len() - logins, serde_json::from_str(&manifest).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_logs_in_once_describes_once_and_counts_only_where_it_is_to() {
    let database = Database::here(Options::default());
    database.execute("CREATE TABLE loans (id int NOT NULL, name nvarchar(40))").await;
    let rows: Vec<String> = (1..=30).map(|id| format!("({id}, N'customer {id}')")).collect();
    database.execute(&format!("INSERT INTO loans VALUES {}", rows.join(", "))).await;

    let (words, logins, manifest) = run(&database, "Counted", "page_size: 10");
    assert_eq!((words.as_slice(), logins), (&["settings", "description", "count", "read", "count"][..], 1));
    assert_eq!((&manifest["readMode"]["sourceMoved"], manifest["readMode"].get("counted")), (&false.into(), None));

    let (words, logins, manifest) = run(&database, "Uncounted", "page_size: 10, count: false");
    assert_eq!((words.as_slice(), logins), (&["settings", "description", "read"][..], 1));
    assert_eq!((&manifest["readMode"]["sourceMoved"], &manifest["readMode"]["counted"]), (&Value::Null, &false.into()));
    assert_eq!(manifest["sourceRows"], 30);

    let (words, logins, _) = run(&database, "Snapshot", "page_size: 10, isolation: snapshot");
    assert_eq!(
        (words.as_slice(), logins),
        (&["settings", "description", "count", "read", "undo", "count", "undo"][..], 1)
    );
}
