//! Tables in a real PostgreSQL: the same rows as in SQLite, rows that the server refuses, locks, lost connections, and answers.

use super::{EVENTS_OF_TWO_USERS, FILE, READ, counts, ingested, letters, rows, served::served, with_events};
use crate::support::chance::Chance;
use crate::support::filegen::Filegen;
use crate::support::postgres::Database;
use crate::support::running::{Running, until_async};
use rustix::process::Signal;

/// Points the file at the database; dead letters stay in a file.
fn into(filegen: &Filegen, database: &Database) {
    let url = format!("url: '{}'", database.url());
    let file = filegen.read("events.yaml").replace("url: \"sqlite:orders.db\"", &url);
    filegen.write("events.yaml", &(file + "dead_letters: { url: \"sqlite:letters.db\" }\n"));
}

/// Rows of a query, each as JSON.
async fn found(database: &Database, sql: &str) -> Vec<String> {
    let sql = format!("SELECT row_to_json(r)::text FROM ({sql}) r");
    let client = database.client().await;
    client.query(&sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

fn below(chance: &mut Chance, end: u64) -> usize {
    usize::try_from(chance.within(0..end)).unwrap()
}

/// Events of a few rows: late, early, twice, equal times, without parents, and some that cannot be.
fn any_events(chance: &mut Chance, many: usize) -> Vec<String> {
    let event = |at: usize, chance: &mut Chance| {
        let (id, key, second) = (at - below(chance, 3).min(at), below(chance, 6), below(chance, 40));
        let time = format!("2026-01-01T10:00:{second:02}.{}Z", below(chance, 3));
        match below(chance, 3) {
            0 => format!(r#"{{"type":"User","id":"u{id}","user":"p{key}","name":"n{at}","at":"{time}"}}"#),
            1 => {
                let (user, amount) = (below(chance, 8), below(chance, 11_000));
                format!(
                    r#"{{"type":"Order","id":"o{id}","order":"o{key}","user":"p{user}","amount":"{amount}.25","at":"{time}"}}"#
                )
            }
            _ => {
                let change = [1, -2, 3, i32::MAX][if below(chance, 20) == 0 { 3 } else { below(chance, 3) }];
                format!(r#"{{"type":"Stock","id":"s{id}","sku":"k{key}","change":{change},"at":"{time}"}}"#)
            }
        }
    };
    (0..many).map(|at| event(at, chance)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_events_make_the_same_rows_as_in_sqlite() {
    let mut chance = Chance::new();
    let events = any_events(&mut chance, 400);
    let lines: Vec<&str> = events.iter().map(String::as_str).collect();
    let tables = [
        "SELECT user_id, name, event_id FROM users ORDER BY 1",
        "SELECT order_id, user_id, amount, event_id FROM orders ORDER BY 1",
        "SELECT sku, quantity, event_id FROM stock ORDER BY 1",
        "SELECT tbl, row_key, parent_value, id FROM filegen_parked ORDER BY 4",
    ];
    for batch in [3, 1000] {
        let of_sqlite = with_events(&lines);
        of_sqlite.write("events.yaml", &format!("{}policies: {{ batch: {batch} }}\n", of_sqlite.read("events.yaml")));
        let (database, of_postgres) = (Database::create().await, with_events(&lines));
        of_postgres.write("events.yaml", &of_sqlite.read("events.yaml"));
        into(&of_postgres, &database);
        let (one, other) = (counts(&ingested(&of_sqlite)), counts(&ingested(&of_postgres)));
        // What a newer event covers may count as written first; what is dead or waits does not depend on that.
        assert_eq!((one.iter().sum::<u64>(), &one[3..]), (other.iter().sum(), &other[3..]), "batches of {batch}");
        for sql in tables {
            let expected: Vec<String> = rows(&of_sqlite, sql)
                .into_iter()
                .map(|row| row.into_iter().flatten().collect::<Vec<_>>().join("|"))
                .collect();
            let found: Vec<serde_json::Value> =
                found(&database, sql).await.iter().map(|row| serde_json::from_str(row).unwrap()).collect();
            assert_eq!(found.len(), expected.len(), "{sql}");
            let text = sql.split(" FROM ").next().unwrap().trim_start_matches("SELECT ");
            for (row, expected) in found.iter().zip(expected) {
                let value = |name: &str| match &row[name] {
                    serde_json::Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                // JSON's numbers lose the zeros behind the point here; amounts all end with 25.
                assert_eq!(text.split(", ").map(value).collect::<Vec<_>>().join("|"), expected, "{sql}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_refuses_harms_only_itself() {
    let database = Database::create().await;
    database
        .run(
            "CREATE TABLE users (user_id text PRIMARY KEY, name varchar(20) UNIQUE CHECK (name <> 'bad'), event_id text, at timestamptz);
             CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
               IF new.name = 'raised' THEN RAISE EXCEPTION 'not this one'; END IF;
               IF new.name = 'own' THEN RAISE EXCEPTION 'nor this' USING ERRCODE = 'OWN01'; END IF;
               RETURN new; END $$;
             CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON users FOR EACH ROW EXECUTE FUNCTION refuse()",
        )
        .await;
    let user = |id: &str, user: &str, name: &str, at: &str| {
        format!(r#"{{"type":"User","id":"{id}","user":"{user}","name":"{name}","at":"2026-01-01T{at}Z"}}"#)
    };
    let events = [
        user("e1", "a", "one", "10:00:00"),
        user("e2", "b", "bad", "10:00:00"),
        user("e3", "c", "raised", "10:00:00"),
        user("e4", "d", "own", "10:00:00"),
        user("e5", "e", "one", "10:00:00"),
        user("e6", "a", "first", "10:00:01"),
        user("e7", "a", "bad", "10:00:02"),
        user("e8", "f", "last", "10:00:00.123456"),
        user("e9", "g", "exact", "10:00:00.1234567"),
    ];
    let filegen = with_events(&events.iter().map(String::as_str).collect::<Vec<_>>());
    into(&filegen, &database);
    let ended = counts(&ingested(&filegen));
    assert_eq!((ended[3], ended[4]), (0, 6), "{ended:?}");
    let names = found(&database, "SELECT user_id, name FROM users ORDER BY 1").await;
    let expected = [("a", "first"), ("f", "last")];
    assert_eq!(names, expected.map(|(user, name)| format!(r#"{{"user_id":"{user}","name":"{name}"}}"#)));
    let kinds = |kind: &str| letters(&filegen, &format!("--kind {kind}")).len();
    assert_eq!((kinds("trigger"), kinds("constraint"), kinds("timestamp")), (2, 3, 1));
    // Again, nothing changes.
    assert_eq!(counts(&ingested(&filegen)), [0; 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_do_not_fit_are_refused_with_what_to_do() {
    let (database, filegen) = (Database::create().await, with_events(&[]));
    into(&filegen, &database);
    filegen.write("events.yaml", &filegen.read("events.yaml").replace(", create: missing", ""));
    let failed = filegen.run("ingest run -c events.yaml").exits(3);
    assert!(failed.stderr.contains("ingest schema --apply"), "{}", failed.stderr);
    database
        .run(
            "CREATE TABLE users (user_id text, name varchar(5), event_id integer, extra text NOT NULL);
             CREATE TABLE orders (order_id text PRIMARY KEY, user_id text, amount real, big int, event_id text, at timestamptz(3))",
        )
        .await;
    let failed = filegen.run("ingest run -c events.yaml").exits(3);
    for part in [
        "is shorter than text(10)",
        "has no column `at`",
        "`users.extra` is required",
        "(user_id) of table `users` is no primary key",
        "declare it numeric(6,2)",
        "would round to 3 digits",
        "there is no table `stock`",
    ] {
        assert!(failed.stderr.contains(part), "{part}: {}", failed.stderr);
    }
    database.run("DROP TABLE users; DROP TABLE orders").await;
    filegen.run("ingest schema -c events.yaml --apply").exits(0);
    filegen.run("ingest run -c events.yaml").exits(0);
    // What it prints is what it makes.
    let printed = filegen.run("ingest schema -c events.yaml").exits(0).stdout;
    let other = Database::create().await;
    other.run(&printed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_a_parent_waits_for_no_child_and_a_lock_is_waited_for() {
    let database = Database::create().await;
    let filegen = with_events(&EVENTS_OF_TWO_USERS[..2]);
    into(&filegen, &database);
    ingested(&filegen);
    let child = database.client().await;
    child.batch_execute("BEGIN; INSERT INTO orders SELECT 'x', user_id, 1, 1, 'x', at FROM users").await.unwrap();
    let newer =
        EVENTS_OF_TWO_USERS[0].replace("\"e1\"", "\"e9\"").replace("Ann", "Eve").replace("10:00:00", "11:00:00");
    filegen.write("events.jsonl", &format!("{}{newer}\n", filegen.read("events.jsonl")));
    // The other transaction holds the parent's key, and goes on holding it.
    assert_eq!(counts(&ingested(&filegen))[0], 1);
    child.batch_execute("ROLLBACK; BEGIN; SELECT 1 FROM users FOR UPDATE").await.unwrap();
    let newest = newer.replace("\"e9\"", "\"f9\"").replace("Eve", "Zoe").replace("11:00:00", "12:00:00");
    filegen.write("events.jsonl", &format!("{}{newest}\n", filegen.read("events.jsonl")));
    let running = Running::start(&mut filegen.command("ingest run -c events.yaml --output json"));
    let watcher = database.client().await;
    until_async("a writer that waits", async || {
        let waits = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        watcher.query_opt(waits, &[]).await.unwrap()
    })
    .await;
    child.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(counts(&running.finish().exits(0).json()), [1, 0, 0, 0, 0]);
    assert_eq!(found(&database, "SELECT name FROM users").await, [r#"{"name":"Zoe"}"#]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_loses_and_repeats_nothing() {
    let database = Database::create().await;
    let stock = |at: usize| {
        format!(r#"{{"type":"Stock","id":"s{at}","sku":"k{}","change":1,"at":"2026-01-01T10:00:00Z"}}"#, at % 7)
    };
    let events: Vec<String> = (0..3000).map(stock).collect();
    let filegen = with_events(&events.iter().map(String::as_str).collect::<Vec<_>>());
    let quick = "policies: { batch: 10, initial_backoff: 1ms, max_backoff: 20ms }\n";
    filegen.write("events.yaml", &(filegen.read("events.yaml") + quick));
    into(&filegen, &database);
    filegen.run("ingest schema -c events.yaml --apply").exits(0);
    let mut running = Running::start(&mut filegen.command("ingest run -c events.yaml --output json"));
    let watcher = database.client().await;
    let mut ended = 0;
    until_async("the end", async || {
        let others = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'filegen'
                      AND datname = current_database() AND xact_start IS NOT NULL";
        if ended < 20 {
            ended += watcher.query_one(others, &[]).await.unwrap().get::<_, i64>(0);
        }
        running.has_ended().then_some(())
    })
    .await;
    let done = running.finish().exits(0);
    assert!(ended > 0, "no connection was ended: {}", done.stderr);
    let sums = "SELECT sum(quantity) AS all, (SELECT count(*) FROM filegen_ledger) AS events FROM stock";
    assert_eq!(found(&database, sums).await, [r#"{"all":3000,"events":3000}"#]);
    assert_eq!(letters(&filegen, "").len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_server_is_waited_for_and_a_column_that_is_gone_is_said() {
    let database = Database::create().await;
    let filegen = with_events(&EVENTS_OF_TWO_USERS[..1]);
    filegen.write(
        "events.yaml",
        &(filegen.read("events.yaml") + "policies: { initial_backoff: 10ms, max_backoff: 20ms }\n"),
    );
    into(&filegen, &database);
    filegen.run("ingest schema -c events.yaml --apply").exits(0);
    database.run(&format!("ALTER DATABASE {} SET default_transaction_read_only = on", database.name())).await;
    let mut running = Running::start(&mut filegen.command("ingest run -c events.yaml --output json -v"));
    running.wait_for("read-only transaction");
    database
        .run(&format!(
            "BEGIN READ WRITE; ALTER DATABASE {} RESET default_transaction_read_only; COMMIT",
            database.name()
        ))
        .await;
    assert_eq!(counts(&running.finish().exits(0).json())[0], 1);
    assert_eq!(letters(&filegen, "").len(), 0);
    database.run("ALTER TABLE users DROP COLUMN name").await;
    filegen.write("events.jsonl", &format!("{}{}\n", filegen.read("events.jsonl"), EVENTS_OF_TWO_USERS[0]));
    let failed = filegen.run("ingest run -c events.yaml").exits(3);
    assert!(failed.stderr.contains("has no column `name`"), "{}", failed.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_answer_with_exact_values() {
    let database = Database::create().await;
    let filegen = with_events(&EVENTS_OF_TWO_USERS);
    filegen.write("events.yaml", &(FILE.to_owned() + READ));
    into(&filegen, &database);
    ingested(&filegen);
    let (daemon, door) = served(&filegen, "-c events.yaml", "read");
    let answer = tokio::task::spawn_blocking(move || {
        let bodies = ["/users/u1", "/orders/o1"].map(|path| door.get(path).body);
        let codes = ["/orders/none", "/orders/o1%27%20OR%201=1", "/orders/o1%00"].map(|path| door.get(path).code);
        (bodies, codes)
    });
    let (bodies, codes) = answer.await.unwrap();
    assert_eq!(
        bodies[0],
        r#"{"user":{"userId":"u1","name":"Ann"},"orders":[{"order_id":"o3","amount":3.00,"big":null,"at":"2026-01-03T10:00:00Z"},{"order_id":"o2","amount":2.00,"big":null,"at":"2026-01-02T10:00:00Z"}]}"#
    );
    assert_eq!(
        bodies[1],
        r#"{"order":{"order_id":"o1","amount":1234.50,"big":9007199254740993,"at":"2026-01-01T10:00:00.25Z"},"stock":null}"#
    );
    assert_eq!(codes, [404; 3]);
    daemon.running.signal(Signal::TERM);
    daemon.running.finish().exits(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_has_an_end_and_its_session_changes_nothing() {
    let database = Database::create().await;
    let filegen = with_events(&EVENTS_OF_TWO_USERS);
    let routes = r#"    "/fat/{n}":
      rows: { many: "SELECT repeat('x', 1000000) AS t FROM generate_series(1, {n}::int)", limit: 100 }
    "/one/{n}":
      row: { one: "SELECT repeat('x', {n}::int) AS t" }
    "/session/{n}":
      row: { one: "SELECT txid_current()::text AS id, {n} AS n" }
"#;
    filegen.write("events.yaml", &(FILE.to_owned() + READ + routes));
    into(&filegen, &database);
    ingested(&filegen);
    let (daemon, door) = served(&filegen, "-c events.yaml", "read");
    let answers = tokio::task::spawn_blocking(move || {
        ["/fat/7", "/fat/60", "/one/9000000", "/one/8000000", "/session/1"].map(|path| door.get(path))
    });
    let [fits, many, fat, one, session] = answers.await.unwrap();
    assert_eq!((fits.code, one.code), (200, 200), "{} {}", fits.body, one.body);
    assert!(fits.body.len() > 7_000_000 && one.body.len() > 8_000_000);
    for long in [many, fat] {
        assert!(long.code == 500 && long.body.contains("longer than 8388608 bytes"), "{}", long.body);
    }
    let session = session.json();
    let id: u64 = session["row"]["id"].as_str().unwrap().parse().unwrap();
    let ended = format!("SELECT txid_status({id}) AS s");
    assert_eq!(found(&database, &ended).await, [r#"{"s":"aborted"}"#]);
    daemon.running.signal(Signal::TERM);
    daemon.running.finish().exits(0);
}
