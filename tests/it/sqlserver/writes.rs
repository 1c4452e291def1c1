//! What the server of the tests does with statements that write, asked by tiberius: what a sink of events relies on.

use crate::tds::{Action, Encryption, Fault, Options, Server};
use std::path::Path;
use tiberius::{Client, ColumnData, Config, Row, TokenRow};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};

type Connection = Client<Compat<TcpStream>>;

fn server(folder: &Path) -> Server {
    Server::start(&folder.join("db"), Options { encryption: Encryption::NotSupported, ..Options::default() }).unwrap()
}

async fn connect(server: &Server) -> Connection {
    let config = Config::from_ado_string(&server.ado("Encrypt=DANGER_PLAINTEXT")).unwrap();
    let tcp = TcpStream::connect(config.get_addr()).await.unwrap();
    Box::pin(Client::connect(config, tcp.compat_write())).await.unwrap()
}

/// All rows of all results.
async fn ask(connection: &mut Connection, sql: &str) -> Vec<Row> {
    let stream = connection.simple_query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let results = stream.into_results().await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    results.into_iter().flatten().collect()
}

/// The number of the error that a batch ends with.
async fn refused(connection: &mut Connection, sql: &str) -> u32 {
    let done = match connection.simple_query(sql).await {
        Ok(stream) => stream.into_results().await.map(drop),
        Err(error) => Err(error),
    };
    match done {
        Err(tiberius::error::Error::Server(token)) => token.code(),
        other => panic!("{sql}: {other:?}"),
    }
}

/// A result of texts, numbers and NULLs as one text.
fn shown(rows: &[Row]) -> Vec<String> {
    let cell = |row: &Row, at: usize| {
        let text = row.try_get::<&str, _>(at).ok().flatten().map(str::to_owned);
        let number = || row.try_get::<i64, _>(at).ok().flatten().map(|number| number.to_string());
        let small = || row.try_get::<i32, _>(at).ok().flatten().map(|number| number.to_string());
        let decimal = || row.try_get::<tiberius::numeric::Numeric, _>(at).ok().flatten().map(|value| value.to_string());
        text.or_else(number).or_else(small).or_else(decimal).unwrap_or_else(|| "NULL".to_owned())
    };
    rows.iter().map(|row| (0..row.len()).map(|at| cell(row, at)).collect::<Vec<_>>().join("|")).collect()
}

/// Users, and orders that refer to them.
const TABLES: &str = "CREATE TABLE dbo.users (id nvarchar(20) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY, name nvarchar(10) NULL, \
    total decimal(10,2) NULL, at datetime2(7) NOT NULL); \
    CREATE TABLE dbo.orders (id bigint NOT NULL, owner nvarchar(20) COLLATE Latin1_General_BIN2 NOT NULL \
    REFERENCES dbo.users (id), CONSTRAINT PK_orders PRIMARY KEY CLUSTERED (id)); \
    INSERT INTO dbo.users (id, name, total, at) VALUES (N'a', N'Ann', 1.50, '2026-01-02T00:00:00'), \
    (N'b', N'Bob', NULL, '2026-01-01T00:00:00')";

/// The session's own rows: one newer, one older, one new.
const ROWS: &str = "CREATE TABLE #rows (id nvarchar(20) COLLATE Latin1_General_BIN2 NOT NULL, name nvarchar(40) NULL, \
    total decimal(10,2) NULL, at datetime2(7) NOT NULL); \
    INSERT INTO #rows (id, name, total, at) VALUES (N'a', N'older', 10.25, '2026-01-01T23:59:59.9999999'), \
    (N'b', N'newer', 0.30, '2026-01-01T00:00:00.0000001'), (N'B', N'new', 7.00, '2026-01-03T00:00:00')";

const MERGE: &str = "MERGE INTO dbo.users WITH (HOLDLOCK) AS t USING #rows AS s ON t.id = s.id \
    WHEN MATCHED AND s.at > t.at THEN UPDATE SET t.name = s.name, t.total = s.total, t.at = s.at \
    WHEN NOT MATCHED BY TARGET THEN INSERT (id, name, total, at) VALUES (s.id, s.name, s.total, s.at)";

#[tokio::test]
async fn merge_changes_what_is_newer_and_adds_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let mut one = connect(&server).await;
    ask(&mut one, TABLES).await;
    ask(&mut one, ROWS).await;
    assert_eq!(refused(&mut one, MERGE).await, 10713, "it ends with a semicolon");
    let said = ask(&mut one, &format!("{MERGE} OUTPUT $action, inserted.id, deleted.name, s.name AS came;")).await;
    assert_eq!(shown(&said), ["UPDATE|b|Bob|newer", "INSERT|B|NULL|new"]);
    let rows = ask(&mut one, "SELECT id, name, total FROM dbo.users ORDER BY at").await;
    assert_eq!(shown(&rows), ["b|newer|0.30", "a|Ann|1.50", "B|new|7.00"]);
    // The very rows again change nothing, and the count of a statement is known behind it.
    let again = ask(&mut one, &format!("{MERGE}; SELECT @@ROWCOUNT AS n")).await;
    assert_eq!(shown(&again), ["0"]);
    // Both statements by themselves do the same.
    ask(&mut one, "UPDATE #rows SET at = '2027-01-01'; DELETE FROM dbo.users WHERE id = N'B'").await;
    let changed = ask(
        &mut one,
        "UPDATE t SET t.name = s.name, total = t.total + s.total FROM dbo.users AS t WITH (UPDLOCK) JOIN #rows AS s ON t.id = s.id \
         WHERE s.at > t.at; SELECT @@ROWCOUNT AS n; \
         INSERT INTO dbo.users (id, name, total, at) SELECT s.id, s.name, s.total, s.at FROM #rows AS s \
         WHERE NOT EXISTS (SELECT 1 FROM dbo.users AS t WITH (HOLDLOCK) WHERE t.id = s.id); SELECT @@ROWCOUNT AS n",
    )
    .await;
    assert_eq!(shown(&changed), ["2", "1"]);
    let rows = ask(&mut one, "SELECT id, name, total FROM dbo.users ORDER BY id").await;
    assert_eq!(shown(&rows), ["B|new|7.00", "a|older|11.75", "b|newer|0.60"], "sums are exact, ids by their bytes");
}

#[tokio::test]
async fn what_a_merge_may_not_do_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let mut one = connect(&server).await;
    ask(&mut one, TABLES).await;
    ask(&mut one, ROWS).await;
    ask(
        &mut one,
        "INSERT INTO #rows (id, name, at) VALUES (N'a', N'twice', '2028-01-01'), (N'a', N'thrice', '2028-01-01')",
    )
    .await;
    assert_eq!(refused(&mut one, &format!("{MERGE};")).await, 8672);
    ask(&mut one, "DELETE FROM #rows WHERE name IN (N'twice', N'thrice')").await;
    ask(&mut one, "UPDATE #rows SET name = N'longer than it' WHERE id = N'B'").await;
    assert_eq!(refused(&mut one, &format!("{MERGE};")).await, 2628);
    ask(&mut one, "UPDATE #rows SET name = N'new', total = 12345678.99 WHERE id = N'B'").await;
    ask(&mut one, "CREATE TABLE #wide (id nvarchar(20) NOT NULL, name nvarchar(9) NULL, total decimal(12,2) NULL, at datetime2(7))").await;
    ask(&mut one, "INSERT INTO #wide (id, total, at) VALUES (N'c', 1234567890.00, '2026-01-01')").await;
    assert_eq!(refused(&mut one, &format!("{};", MERGE.replace("#rows", "#wide"))).await, 8115);
    assert_eq!(refused(&mut one, "INSERT INTO dbo.orders (id, owner) VALUES (1, N'nobody')").await, 547);
    assert_eq!(refused(&mut one, "INSERT INTO dbo.orders (id) VALUES (1)").await, 515);
    assert_eq!(refused(&mut one, "INSERT INTO dbo.users (id, at) VALUES (N'a', '2026-01-01')").await, 2627);
    assert_eq!(refused(&mut one, "UPDATE dbo.users SET missing = 1").await, 207);
    assert_eq!(refused(&mut one, "DELETE FROM dbo.missing").await, 208);
    let rows = ask(&mut one, "SELECT id, name FROM dbo.users ORDER BY id").await;
    assert_eq!(shown(&rows), ["a|Ann", "b|Bob"], "nothing of a statement that fails");
    ask(&mut one, "INSERT INTO dbo.orders (id, owner) VALUES (1, N'a'), (2, N'b')").await;
    let gone = ask(
        &mut one,
        "DELETE o OUTPUT deleted.id FROM dbo.orders AS o JOIN dbo.users AS u ON u.id = o.owner WHERE u.name = N'Bob'",
    );
    assert_eq!(shown(&gone.await), ["2"]);
    assert_eq!(refused(&mut one, "DELETE FROM dbo.users WHERE id = N'a'").await, 547);
}

#[tokio::test]
async fn output_is_refused_where_the_table_has_a_trigger() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let mut one = connect(&server).await;
    ask(&mut one, TABLES).await;
    ask(&mut one, ROWS).await;
    let db = rusqlite::Connection::open(folder.path().join("db")).unwrap();
    db.execute_batch(
        "CREATE TRIGGER guard BEFORE INSERT ON users WHEN NEW.name = 'new' BEGIN SELECT RAISE(ABORT, '50000 not that one'); END",
    )
    .unwrap();
    let mut one = connect(&server).await;
    ask(&mut one, ROWS).await;
    assert_eq!(refused(&mut one, &format!("{MERGE} OUTPUT $action;")).await, 334);
    assert_eq!(
        refused(&mut one, "INSERT INTO dbo.users (id, at) OUTPUT inserted.id VALUES (N'z', '2026-01-01')").await,
        334
    );
    assert_eq!(refused(&mut one, &format!("{MERGE};")).await, 50000);
    assert_eq!(shown(&ask(&mut one, "SELECT name FROM dbo.users ORDER BY id").await), ["Ann", "Bob"]);
}

#[tokio::test]
async fn an_error_ends_the_transaction_where_the_session_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let mut one = connect(&server).await;
    ask(&mut one, TABLES).await;
    let twice = "INSERT INTO dbo.users (id, at) VALUES (N'a', '2026-01-01')";
    let once = "INSERT INTO dbo.users (id, at) VALUES (N'c', '2026-01-01')";
    ask(&mut one, &format!("BEGIN TRAN; {once}; SAVE TRAN rows")).await;
    assert_eq!(refused(&mut one, twice).await, 2627);
    ask(&mut one, "UPDATE dbo.users SET name = N'x' WHERE id = N'c'; ROLLBACK TRAN rows").await;
    let left = ask(&mut one, "SELECT @@TRANCOUNT AS n; COMMIT; SELECT name FROM dbo.users WHERE id = N'c'").await;
    assert_eq!(shown(&left), ["1", "NULL"]);
    ask(&mut one, "DELETE FROM dbo.users WHERE id = N'c'; SET XACT_ABORT ON; BEGIN TRAN").await;
    ask(&mut one, once).await;
    assert_eq!(refused(&mut one, twice).await, 2627);
    let left = ask(&mut one, "SELECT @@TRANCOUNT AS n; SELECT count(*) AS n FROM dbo.users").await;
    assert_eq!(shown(&left), ["0", "2"], "all of it is undone");
    assert_eq!(refused(&mut one, "COMMIT").await, 3902);
    // A rival's rows: an error of the client's own takes everything back.
    ask(&mut one, "BEGIN TRAN").await;
    let rival = "UPDATE dbo.users SET name = N'me' WHERE id = N'nobody'; IF @@ROWCOUNT <> 1 THROW 50001, N'a rival', 1";
    assert_eq!(refused(&mut one, rival).await, 50001);
    // Two who write: the one whose view is old is the victim.
    let mut two = connect(&server).await;
    ask(&mut one, "BEGIN TRAN; SELECT count(*) AS n FROM dbo.users").await;
    ask(&mut two, "UPDATE dbo.users SET name = N'two' WHERE id = N'a'").await;
    assert_eq!(refused(&mut one, "UPDATE dbo.users SET name = N'one' WHERE id = N'a'").await, 1205);
    assert_eq!(shown(&ask(&mut one, "SELECT @@TRANCOUNT AS n").await), ["0"]);
}

/// A row of [`BULK`].
fn row(id: &str, amount: i128, at: Option<i64>) -> TokenRow<'static> {
    let at = at.map(|ticks| {
        tiberius::time::DateTime2::new(
            tiberius::time::Date::new(739_000),
            tiberius::time::Time::new(ticks.cast_unsigned(), 7),
        )
    });
    let mut row = TokenRow::with_capacity(6);
    for value in [
        ColumnData::String(Some(id.to_owned().into())),
        ColumnData::Numeric(Some(tiberius::numeric::Numeric::new_with_scale(amount, 4))),
        ColumnData::I64(Some(7)),
        ColumnData::DateTime2(at),
        ColumnData::Binary(Some(vec![1, 2].into())),
        ColumnData::Bit(Some(true)),
    ] {
        row.push(value);
    }
    row
}

const BULK: &str = "CREATE TABLE #bulk (id nvarchar(12) NOT NULL, amount decimal(20,4) NOT NULL, n bigint NOT NULL, at datetime2(7) NULL, \
    raw varbinary(8) NOT NULL, yes bit NOT NULL)";

#[tokio::test]
async fn rows_that_are_loaded_in_bulk_are_the_rows_that_were_sent() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let mut one = connect(&server).await;
    ask(&mut one, &format!("SET XACT_ABORT ON; BEGIN TRAN; {BULK}")).await;
    let mut load = one.bulk_insert("#bulk").await.unwrap();
    for number in 0..2000 {
        load.send(row(
            &format!("é{number}"),
            i128::from(number) * 10_001,
            (number % 3 > 0).then_some(i64::from(number)),
        ))
        .await
        .unwrap();
    }
    assert_eq!(load.finalize().await.unwrap().total(), 2000);
    let all = ask(
        &mut one,
        "SELECT count(*) AS n FROM #bulk; SELECT id, amount, n FROM #bulk WHERE amount = 1.0001; SELECT count(*) AS n FROM #bulk \
         WHERE at IS NULL; SELECT count(*) AS n FROM #bulk WHERE raw = 0x0102 AND yes = 1; SELECT count(*) AS n FROM #bulk WHERE \
         at > '2024-04-25T00:00:00.0000001'; TRUNCATE TABLE #bulk; SELECT count(*) AS n FROM #bulk; COMMIT",
    )
    .await;
    assert_eq!(shown(&all), ["2000", "é1|1.0001|7", "667", "2000", "1332", "0"]);
    let mut load = one.bulk_insert("#bulk").await.unwrap();
    load.send(row("x", 10_i128.pow(21), None)).await.unwrap();
    let refused = load.finalize().await.unwrap_err();
    assert!(matches!(&refused, tiberius::error::Error::Server(token) if token.code() == 8115), "{refused}");
    // It is the session's own.
    let mut two = connect(&server).await;
    assert_eq!(self::refused(&mut two, "SELECT count(*) AS n FROM #bulk").await, 208);
}

#[tokio::test]
async fn what_the_catalogue_says_is_so() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let mut one = connect(&server).await;
    let made = "IF OBJECT_ID(N'dbo.letters', N'U') IS NULL CREATE TABLE dbo.letters (n bigint IDENTITY(1,1) NOT NULL, at datetimeoffset(7) \
                NOT NULL DEFAULT SYSUTCDATETIME(), note nvarchar(max) NULL, CONSTRAINT PK_letters PRIMARY KEY CLUSTERED (n))";
    for _ in 0..2 {
        ask(&mut one, made).await;
    }
    ask(&mut one, TABLES).await;
    ask(&mut one, "CREATE UNIQUE NONCLUSTERED INDEX by_name ON dbo.users (name, at) INCLUDE (total)").await;
    let number = ask(&mut one, "INSERT INTO dbo.letters (note) OUTPUT inserted.n VALUES (N'x'), (N'y')").await;
    assert_eq!(shown(&number), ["1", "2"]);
    let gone =
        ask(&mut one, "DELETE TOP (1) FROM dbo.letters; SELECT n FROM dbo.letters; DROP TABLE IF EXISTS #none").await;
    assert_eq!(shown(&gone), ["2"]);
    let columns = ask(
        &mut one,
        "SELECT c.name, t.name AS kind, c.max_length, c.precision, c.scale, c.is_nullable, c.collation_name FROM sys.columns AS c \
         JOIN sys.types AS t ON t.user_type_id = c.user_type_id WHERE c.object_id = OBJECT_ID(N'dbo.users') ORDER BY c.column_id",
    )
    .await;
    assert_eq!(
        shown(&columns),
        [
            "id|nvarchar|40|0|0|0|Latin1_General_BIN2",
            "name|nvarchar|20|0|0|1|SQL_Latin1_General_CP1_CI_AS",
            "total|decimal|9|10|2|1|NULL",
            "at|datetime2|8|0|7|0|NULL",
        ]
    );
    let keys = ask(
        &mut one,
        "SELECT c.name, x.is_primary_key, x.is_unique FROM sys.indexes AS x JOIN sys.index_columns AS i ON i.object_id = x.object_id \
         AND i.index_id = x.index_id JOIN sys.columns AS c ON c.object_id = x.object_id AND c.column_id = i.column_id \
         WHERE x.object_id = OBJECT_ID(N'dbo.users') ORDER BY x.is_primary_key, i.key_ordinal",
    )
    .await;
    assert_eq!(shown(&keys), ["name|0|1", "at|0|1", "id|1|1"]);
    let parents = ask(
        &mut one,
        "SELECT pc.name, rt.name AS parent, rc.name AS their FROM sys.foreign_key_columns AS f JOIN sys.columns AS pc ON \
         pc.object_id = f.parent_object_id AND pc.column_id = f.parent_column_id JOIN sys.tables AS rt ON rt.object_id = \
         f.referenced_object_id JOIN sys.columns AS rc ON rc.object_id = f.referenced_object_id AND rc.column_id = \
         f.referenced_column_id WHERE f.parent_object_id = OBJECT_ID(N'dbo.orders')",
    )
    .await;
    assert_eq!(shown(&parents), ["owner|users|id"]);
    assert_eq!(shown(&ask(&mut one, "SELECT COL_LENGTH(N'dbo.users', N'id') AS n").await), ["40"]);
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_was_done() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let mut one = connect(&server).await;
    ask(&mut one, TABLES).await;
    let fault = |row| Fault { statement: "COMMIT".to_owned(), row, action: Action::Drop };
    for (row, left) in [(0, "2"), (1, "3")] {
        ask(&mut one, "BEGIN TRAN; INSERT INTO dbo.users (id, at) VALUES (N'c', '2026-01-01')").await;
        server.inject(fault(row));
        let lost = match one.simple_query("COMMIT").await {
            Ok(stream) => stream.into_results().await.map(drop),
            Err(error) => Err(error),
        };
        assert!(lost.is_err() && server.faults_left() == 0);
        one = connect(&server).await;
        assert_eq!(shown(&ask(&mut one, "SELECT count(*) AS n FROM dbo.users").await), [left]);
    }
}
