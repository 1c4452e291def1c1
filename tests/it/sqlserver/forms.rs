//! One awkward view in every form that the protocol allows an answer to have: the files hold the same bytes each time.

use crate::support::filegen::Filegen;
use crate::support::sqlserver::Database;
use crate::tds::{Encryption, Form, Nulls, Options, Plp, Talk};
use std::collections::BTreeMap;

/// Each way that the server words its answers, one at a time, then together. The first is the plain one.
pub(super) fn forms() -> Vec<(&'static str, Form)> {
    let plain = || Form { nulls: Nulls::InPlace, ..Form::default() };
    let plp = |counted, chunk| Form { plp: Plp { counted, chunk }, ..plain() };
    let cut = |packet_size, payload, write| Form { packet_size, payload, write, ..plain() };
    let all = |payload, write| Form {
        nulls: Nulls::Mixed,
        plp: Plp { counted: false, chunk: 3 },
        talk: Talk::Chatty,
        packet_size: 512,
        payload,
        write,
    };
    vec![
        ("plain", plain()),
        ("NBCROW where a row has a NULL", Form { nulls: Nulls::Bitmap, ..plain() }),
        ("NBCROW and ROW in turn", Form { nulls: Nulls::Mixed, ..plain() }),
        ("PLP of unknown length in one chunk", plp(false, usize::MAX)),
        ("PLP of unknown length in chunks of one byte", plp(false, 1)),
        ("PLP of known length in chunks of three bytes", plp(true, 3)),
        ("neither INFO nor ORDER", Form { talk: Talk::Terse, ..plain() }),
        ("INFO between rows, ENVCHANGE and ORDER", Form { talk: Talk::Chatty, ..plain() }),
        ("packets of the smallest size", cut(512, usize::MAX, usize::MAX)),
        ("one byte in a packet", cut(32767, 1, usize::MAX)),
        ("seven bytes in a packet", cut(512, 7, usize::MAX)),
        ("one byte written at a time", cut(32767, usize::MAX, 1)),
        ("all of it", all(usize::MAX, usize::MAX)),
        ("all of it, one byte in a packet", all(1, usize::MAX)),
        ("all of it, one byte written at a time", all(5, 1)),
    ]
}

/// The columns beside the key, and two values of each; every one may be NULL.
const COLUMNS: [(&str, &str, &str, &str); 24] = [
    ("flag", "bit", "0", "1"),
    ("tiny", "tinyint", "0", "255"),
    ("small", "smallint", "-32768", "32767"),
    ("whole", "int", "-2147483648", "2147483647"),
    ("big", "bigint", "-9223372036854775808", "9223372036854775807"),
    ("amount", "decimal(38,10)", "'-0.0000000001'", "'1234567890123456789012345678.0123456789'"),
    ("pay", "money", "'-922337203685477.5808'", "'922337203685477.5807'"),
    ("coins", "smallmoney", "'-214748.3648'", "'0.01'"),
    ("ratio", "float", "-0.1e0", "1.7976931348623157e308"),
    ("part", "real", "1.5e0", "-0.1e0"),
    ("day", "date", "'0001-01-01'", "'9999-12-31'"),
    ("hour", "time(7)", "'00:00:00'", "'23:59:59.9999999'"),
    ("moment", "datetime", "'1753-01-01T00:00:00'", "'9999-12-31T23:59:59.997'"),
    ("minute", "smalldatetime", "'1900-01-01T00:00:00'", "'2079-06-06T23:59:00'"),
    ("precise", "datetime2(7)", "'0001-01-01T00:00:00.0000001'", "'9999-12-31T23:59:59.9999999'"),
    ("zoned", "datetimeoffset(3)", "'2026-11-21T00:30:00.123+14:00'", "'2026-11-21T23:30:00-12:00'"),
    ("who", "uniqueidentifier", "'6F9619FF-8B86-D011-B42D-00C04FC964FF'", "'00000000-0000-0000-0000-000000000001'"),
    ("code", "char(3)", "''", "'ab'"),
    ("name", "nvarchar(30)", "N''", "N'日本, \"😀\"|'"),
    ("word", "varchar(20) COLLATE Japanese_CI_AS", "N'日本語ｱ'", "''"),
    ("note", "nvarchar(max)", "N''", "N'ß😀"),
    ("mail", "varchar(max) COLLATE Latin1_General_100_CI_AS_SC_UTF8", "N'é日😀", "''"),
    ("raw", "varbinary(max)", "0x", "0x00ff"),
    ("old", "ntext", "N'old ß'", "N''"),
];

/// A text that is cut with its quote open goes on for so many characters; one of bytes as it is.
fn literal(text: &str) -> String {
    if text.starts_with("N'") && !text.ends_with('\'') {
        format!("{text}{}'", "ü😀x".repeat(20))
    } else {
        text.to_owned()
    }
}

/// The awkward table: rows that are full, that are NULL throughout, and that are NULL in every second or third column.
async fn fill(database: &Database) {
    let declared: Vec<String> = COLUMNS.iter().map(|(name, kind, ..)| format!("[{name}] {kind} NULL")).collect();
    database.execute(&format!("CREATE TABLE t (id int NOT NULL, {}, last bit NOT NULL)", declared.join(", "))).await;
    for id in 0..11_usize {
        let value = |(at, (_, _, low, high)): (usize, &(&str, &str, &str, &str))| {
            let null = match id {
                0 | 1 => false,
                2 => true,
                3..=6 => (at + id).is_multiple_of(2),
                _ => !(at + id).is_multiple_of(3),
            };
            if null { "NULL".to_owned() } else { literal(if id.is_multiple_of(2) { low } else { high }) }
        };
        let values: Vec<String> = COLUMNS.iter().enumerate().map(value).collect();
        database.execute(&format!("INSERT INTO t VALUES ({id}, {}, {})", values.join(", "), id % 2)).await;
    }
    database.execute("CREATE VIEW v AS SELECT * FROM t").await;
}

/// A worker with the view's columns in two files.
fn worker(fetch: &str) -> Filegen {
    let filegen = Filegen::empty();
    let names: Vec<&str> = COLUMNS.iter().map(|(name, ..)| *name).collect();
    let fields: Vec<String> = names.iter().map(|name| format!("{name}: {name}")).collect();
    filegen.write(
        "worker.yaml",
        &format!(
            "worker: Forms\nsource: {{ view: v, key: id, page_size: 4, fetch: {fetch} }}\noutput: {{ root: out }}\nfiles:\n  \
             - id: A\n    name: a.csv\n    progress_header: false\n    translator: {{ delimited: {{ delimiter: \",\", \
             quote: minimal, columns: [id, {}, last] }} }}\n  - id: B\n    name: b.jsonl\n    progress_header: false\n    \
             translator: {{ json: {{ fields: {{ id: id, {}, last: last }} }} }}\n",
            names.join(", "),
            fields.join(", ")
        ),
    );
    filegen
}

/// The two files of a run against a server.
fn files(ado: &str, fetch: &str) -> BTreeMap<&'static str, String> {
    let filegen = worker(fetch);
    let mut command = filegen.command("run -c worker.yaml --date 2026-11-21");
    Filegen::finish(command.env("SQL_CONNECTION_STRING", ado)).exits(0);
    ["a.csv", "b.jsonl"].into_iter().map(|name| (name, filegen.read(&format!("out/{name}")))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_the_same_in_whatever_form_the_server_answers() {
    let database = Database::here(Options { encryption: Encryption::LoginOnly, ..Options::default() });
    fill(&database).await;
    for fetch in ["stream", "paged"] {
        let mut plain = None;
        for (said, form) in forms() {
            let server = database.worded(form);
            let read = files(&server.ado("Encrypt=false"), fetch);
            let plain = plain.get_or_insert_with(|| read.clone());
            assert_eq!((plain["a.csv"].lines().count(), plain["b.jsonl"].lines().count()), (11, 11), "{plain:?}");
            assert_eq!(&read, plain, "{fetch}, {said}");
            assert!(server.logins().iter().all(|login| login.features.is_empty()), "{:?}", server.logins());
        }
        let server = database.worded(forms().pop().unwrap().1);
        let encrypted = files(&server.ado("Encrypt=true;TrustServerCertificate=true"), fetch);
        assert_eq!(Some(encrypted), plain, "{fetch}, all of it within TLS");
    }
}
