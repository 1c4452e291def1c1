//! FreeTDS, which knows nothing of our client library, against the server of the tests: that keeps the server honest.

use super::forms::forms;
use crate::tds::{Encryption, Options, Server};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs a program of FreeTDS (Debian: `freetds-bin`).
fn freetds(program: &str, args: &[&str], input: &str) -> Output {
    let mut command = Command::new(program);
    command.args(args).env("TDSVER", "7.4").env("LC_ALL", "C.UTF-8");
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{program}: {error}; `tests/run` installs it"));
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn server(folder: &Path, encryption: Encryption) -> Server {
    let user = ("sa".to_owned(), "secret".to_owned());
    Server::start(&folder.join("db"), Options { encryption, user, ..Options::default() }).unwrap()
}

/// What `tsql` prints for statements, each in a batch of its own; errors behind it.
fn tsql(server: &Server, password: &str, statements: &[&str]) -> String {
    let port = server.address().port().to_string();
    let input = statements.iter().fold(String::new(), |input, sql| input + sql + "\ngo\n");
    let args = ["-H", "127.0.0.1", "-p", &port, "-U", "sa", "-P", password, "-o", "fq"];
    let output = freetds("tsql", &args, &input);
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

const TABLE: &[&str] = &[
    "CREATE TABLE t (id int NOT NULL, name nvarchar(20), amount decimal(38,10), pay money, at datetime2(7), \
     who uniqueidentifier, note varchar(max), raw varbinary(8), old text, day date, flag bit NOT NULL, f float)",
    "INSERT INTO t VALUES (1, N'héllo', 1234567890123456789012345678.0123456789, -1.2345, '2026-11-21T10:30:00.1234567', \
     '6F9619FF-8B86-D011-B42D-00C04FC964FF', 'x', 0x0102, 'long ago', '1999-12-31', 1, 0.1e0)",
    "INSERT INTO t VALUES (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL)",
];

#[test]
fn tsql_reads_every_type_with_and_without_tls() {
    for encryption in [Encryption::NotSupported, Encryption::LoginOnly, Encryption::Required] {
        let folder = tempfile::tempdir().unwrap();
        let server = server(folder.path(), encryption);
        let statements = [TABLE, &["SELECT * FROM [dbo].[t] t WHERE t.[id] >= 1 ORDER BY t.[id]"]].concat();
        let printed = tsql(&server, "secret", &statements);
        for value in [
            "héllo",
            "1234567890123456789012345678.0123456789",
            "-1.2345",
            "6F9619FF-8B86-D011-B42D-00C04FC964FF",
            "0102",
            "long ago",
            "0.1",
        ] {
            assert!(printed.contains(value), "{encryption:?} {value}: {printed}");
        }
        assert_eq!(server.logins()[0].encrypted.0, encryption != Encryption::NotSupported);
    }
}

#[test]
fn tsql_reads_the_same_rows_in_whatever_form_the_server_answers() {
    let folder = tempfile::tempdir().unwrap();
    tsql(&server(folder.path(), Encryption::LoginOnly), "secret", TABLE);
    let mut plain = None;
    for (said, form) in forms() {
        let options = Options { user: ("sa".to_owned(), "secret".to_owned()), form, ..Options::default() };
        let server = Server::start(&folder.path().join("db"), options).unwrap();
        let printed = tsql(&server, "secret", &["SELECT * FROM t ORDER BY id"]);
        let rows: Vec<String> =
            printed.lines().filter(|line| line.contains('\t') && !line.starts_with('\t')).map(str::to_owned).collect();
        assert!(rows.len() >= 2 && printed.contains("long ago"), "{said}: {printed}");
        assert_eq!(&rows, plain.get_or_insert_with(|| rows.clone()), "{said}");
    }
}

#[test]
fn tsql_shows_counts_and_errors_in_sql_servers_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path(), Encryption::LoginOnly);
    let statements =
        [TABLE, &["SELECT nope FROM t", "SELECT * FROM nix", "SELECT id FORM t x y", "SELECT TOP (1) id FROM t"]]
            .concat();
    let printed = tsql(&server, "secret", &statements);
    for message in ["Msg 207", "Invalid column name 'nope'.", "Msg 208", "Invalid object name 'nix'.", "Msg 102"] {
        assert!(printed.contains(message), "{message}: {printed}");
    }
    let refused = tsql(&server, "wrong", &["SELECT 1"]);
    assert!(refused.contains("Msg 18456") && refused.contains("Login failed for user 'sa'."), "{refused}");
}

#[test]
fn freebcp_copies_a_view_out() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path(), Encryption::LoginOnly);
    tsql(&server, "secret", &[TABLE, &["CREATE VIEW v AS SELECT id, name, amount, day FROM t"]].concat());
    let out = folder.path().join("v.txt");
    let place = format!("127.0.0.1:{}", server.address().port());
    let args = ["v", "out", out.to_str().unwrap(), "-S", &place, "-U", "sa", "-P", "secret", "-c", "-t", "|"];
    let output = freetds("freebcp", &args, "");
    assert!(String::from_utf8_lossy(&output.stdout).contains("2 rows copied."), "{output:?}");
    let copied = std::fs::read_to_string(&out).unwrap();
    assert_eq!(
        copied.lines().next(),
        Some("1|héllo|1234567890123456789012345678.0123456789|1999-12-31 00:00:00.000"),
        "{copied}"
    );
    assert_eq!(copied.lines().nth(1), Some("2|||"));
}
