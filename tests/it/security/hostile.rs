//! Texts that would move a terminal's cursor, turn the direction of writing, begin a new line or fill a screen: from keys, servers,
//! events, names and reasons to every place where text comes out.

use crate::support::daemon::{Daemon, worker};
use crate::support::filegen::{Done, Filegen};
use filegen::adapters::local_state::LocalState;
use filegen::adapters::postgres::Postgres;
use filegen::core::model::message::EventId;
use filegen::core::model::names::ViewName;
use filegen::core::model::payload::Payload;
use filegen::core::model::secret::Secret;
use filegen::core::model::shown::is_harmful;
use filegen::core::ports::dead_letters::{DeadLetter, DeadLetters};
use filegen::core::ports::source::PageSource;
use jiff::Timestamp;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

/// A bell, a cleared screen, a new line of a log, a turned line, a separator of lines.
const HOSTILE: &str = "\u{1b}[2J\u{7}x\r\ntime=now level=ERROR\u{202e}\u{2066}\u{2028}\u{9b}1m\u{feff}";

/// How much of a foreign text may come out at one place, with all that stands around it.
const MUCH: usize = 200_000;

#[track_caller]
fn harmless(place: &str, text: &str) {
    let found = text.chars().find(|c| is_harmful(*c) && *c != '\n');
    assert_eq!(found, None, "{place}: {}", text.escape_debug());
    assert!(!text.lines().any(|line| line.starts_with("time=now")), "{place}: {text}");
    assert!(text.len() < MUCH, "{place}: {} bytes", text.len());
}

#[track_caller]
fn both(place: &str, done: &Done) {
    harmless(place, &done.stdout);
    harmless(place, &done.stderr);
}

/// A worker whose fourth row has a hostile key, a megabyte long, and a value that its file cannot hold.
fn hostile_rows() -> Filegen {
    let filegen = worker(0);
    let key = format!("{HOSTILE}{}", "y".repeat(1 << 20));
    let source = rusqlite::Connection::open(filegen.path("loans.db")).unwrap();
    source
        .execute_batch(
            "DROP VIEW v_Loans; CREATE TABLE h (LoanId TEXT PRIMARY KEY, Customer TEXT, Amount DECIMAL(10,2));",
        )
        .unwrap();
    source.execute("INSERT INTO h VALUES (?1, 'a|b' || ?1, 1)", [&key]).unwrap();
    source.execute_batch("CREATE VIEW v_Loans AS SELECT * FROM h").unwrap();
    filegen
}

#[test]
fn keys_and_values_of_a_failing_row_are_shown_as_escapes() {
    let filegen = hostile_rows();
    for command in ["run -c worker.yaml --date 2026-11-21", "-v run -c worker.yaml --date 2026-11-21"] {
        let done = filegen.run(command).exits(7);
        both(command, &done);
        assert!(done.stderr.contains("\\u{1b}[2J"), "{}", done.stderr);
        both(command, &filegen.run(&format!("{command} --output json")));
    }
    for command in ["status -c worker.yaml", "doctor -c worker.yaml", "run -c worker.yaml --dry-run"] {
        both(command, &filegen.run(command));
        both(command, &filegen.run(&format!("{command} --output json")));
    }
    for form in ["text", "json", "kv"] {
        both(form, &filegen.run(&format!("-vv run -c worker.yaml --date 2026-11-21 --log-format {form}")));
    }
    let daemon = Daemon::start(&filegen);
    for path in ["/", "/status", "/metrics", "/health/ready", "/nothing%0d%0a%1b"] {
        harmless(path, &daemon.get(path).1);
    }
    daemon.running.signal(rustix::process::Signal::TERM);
    both("log", &daemon.running.finish());
}

#[tokio::test]
async fn events_reasons_and_names_are_shown_as_escapes() {
    let filegen = worker(3);
    std::fs::create_dir_all(filegen.path("out/.filegen")).unwrap();
    let state = LocalState::open(&filegen.path("out/.filegen/state.db"), Duration::from_secs(10)).await.unwrap();
    let letter = DeadLetter {
        id: EventId { topic: format!("t{HOSTILE}"), partition: 0, offset: 1 },
        owner: (&filegen::core::model::names::WorkerId::new("LoanWorker").unwrap()).into(),
        at: Timestamp::now(),
        reason: format!("{HOSTILE}{}", "z".repeat(1 << 20)),
        payload: Some(Payload::of(HOSTILE.as_bytes())),
    };
    state.keep_dead_letter(&letter).await.unwrap();
    drop(state);
    filegen.run("run -c worker.yaml --date 2026-11-21").exits(0);
    let mut command = filegen.command("run -c worker.yaml --date 2026-11-20 --restart --yes --reason");
    Filegen::finish(command.arg(HOSTILE));
    for command in ["status -c worker.yaml", "status -c worker.yaml --output json", "lease show -c worker.yaml"] {
        both(command, &filegen.run(command));
    }
    let daemon = Daemon::start(&filegen);
    for path in ["/", "/status"] {
        harmless(path, &daemon.get(path).1);
    }
    // A view's name, and what the file says of it.
    filegen.edit("view: v_Loans", &format!("view: {}", serde_json::to_string(&format!("v{HOSTILE}")).unwrap()));
    for command in [
        "run -c worker.yaml --date 2026-11-22",
        "doctor -c worker.yaml",
        "config show -c worker.yaml",
        "config check --source -c worker.yaml",
    ] {
        both(command, &filegen.run(command));
        both(command, &filegen.run(&format!("{command} --output json")));
    }
}

/// Writes a hostile text into a column of each row, with a value of its own for each.
fn spoil(filegen: &Filegen, store: &str, table: &str, column: &str) {
    let store = rusqlite::Connection::open(filegen.path(store)).unwrap();
    let mut names = store.prepare(&format!("SELECT DISTINCT {column} FROM {table}")).unwrap();
    let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert!(!names.is_empty(), "{table}.{column}");
    for (number, name) in names.iter().enumerate() {
        let text = format!("x\ntime=now {number}{HOSTILE}");
        store.execute(&format!("UPDATE {table} SET {column} = ?1 WHERE {column} = ?2"), [&text, name]).unwrap();
    }
}

/// Both forms of a command's result.
fn each(filegen: &Filegen, commands: &[&str]) {
    for command in commands {
        both(command, &filegen.run(command));
        both(command, &filegen.run(&format!("{command} --output json")));
    }
}

#[test]
fn names_of_files_that_are_moved_and_what_others_wrote_into_the_ledger_are_shown_as_escapes() {
    let filegen = Filegen::empty();
    filegen.write(
        "t.yaml",
        "transfer: sales
collect: { directory: in, stable_for: 0s, max_size: 10B, archive: archive, error: error }
broker: { local: spool }
deliver: { to: { directory: out } }
state: { url: \"sqlite:ledger.db\" }
",
    );
    std::fs::create_dir(filegen.path("in")).unwrap();
    filegen.write(&format!("in/{HOSTILE}"), "1");
    filegen.write(&format!("in/{HOSTILE}large"), &"1".repeat(11));
    filegen.write("in/plain", "2");
    let done = filegen.run("transfer run -c t.yaml").exits(4);
    assert!(done.stdout.contains("failed: \\u{1b}[2J"), "{}", done.stdout);
    both("transfer run", &done);
    let listed = filegen.run("transfer list -c t.yaml --output json").exits(0).json();
    for file in listed["files"].as_array().unwrap() {
        let show = format!("transfer show {} -c t.yaml", file["id"].as_str().unwrap());
        both(&show, &filegen.run(&show).exits(0));
    }
    let looks = [
        "transfer list -c t.yaml",
        "transfer verify -c t.yaml",
        "status -c t.yaml",
        "doctor -c t.yaml",
        "transfer redrive --all --dry-run -c t.yaml",
        "transfer run -c t.yaml",
    ];
    each(&filegen, &looks);
    spoil(&filegen, "ledger.db", "TransferFile", "id");
    each(&filegen, &looks);
}

#[test]
fn what_others_wrote_into_leases_queues_and_schedules_is_shown_as_escapes() {
    let filegen = worker(3);
    filegen.run("run -c worker.yaml --date 2026-11-21").exits(0);
    spoil(&filegen, "out/.filegen/state.db", "worker_leases", "instanceId");
    spoil(&filegen, "out/.filegen/state.db", "worker_epochs", "instanceId");
    spoil(&filegen, "out/.filegen/state.db", "file_status", "fileId");
    let looks =
        ["status -c worker.yaml", "lease show -c worker.yaml", "run -c worker.yaml --date 2026-11-20 --dry-run"];
    each(&filegen, &looks);
    each(
        &filegen,
        &[
            "doctor -c worker.yaml",
            "run -c worker.yaml --date 2026-11-21",
            "lease release -c worker.yaml --yes --reason x",
        ],
    );
    std::fs::create_dir(filegen.path("in")).unwrap();
    filegen.write("s.yaml", "scheduler: intake\nstate: { url: \"sqlite:s.db\" }\nroots: [in]\n");
    let mut command = filegen.command("datasource create -c s.yaml --name Loans --path in --cron");
    Filegen::finish(command.arg("0 0 4 1 1 ?")).exits(0);
    filegen.run("schedule sync -c s.yaml --reason x").exits(0);
    let looks = [
        "schedule list -c s.yaml",
        "datasource list -c s.yaml",
        "status -c s.yaml",
        "doctor -c s.yaml",
        "schedule sync --dry-run -c s.yaml",
    ];
    for (table, column) in [("ScheduledDataSource", "document"), ("DataSource", "id"), ("ScheduledDataSource", "id")] {
        spoil(&filegen, "s.db", table, column);
        each(&filegen, &looks);
    }
    filegen.write("i.yaml", INGEST);
    filegen.write("events.jsonl", "{ \n[]\n");
    filegen.run("ingest run -c i.yaml").exits(0);
    let looks = ["dlq list -c i.yaml", "dlq stats -c i.yaml", "status -c i.yaml", "doctor -c i.yaml"];
    each(&filegen, &looks);
    spoil(&filegen, "events.db", "filegen_queue", "id");
    each(&filegen, &looks);
}

const INGEST: &str = "ingest: users
source: { file: events.jsonl }
sink: { url: \"sqlite:events.db\", create: missing }
dead_letters: { key: dlq }
envelope: { id: /id, type: /type, time: /time }
events:
  U:
    key: /user
    table: users
    identity: [user]
    version: at
    columns:
      user: { from: /user, type: text(64) }
      event_id: { from: /id, type: text(64) }
      at: { from: /time, type: timestamp }
";

/// A server that answers everything with these bytes.
fn server(answer: Vec<u8>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 1024];
            if stream.read(&mut request).is_ok() {
                let _ = stream.write_all(&answer);
                let _ = stream.read(&mut request);
            }
        }
    });
    port
}

#[tokio::test]
async fn a_servers_words_are_shown_as_escapes_and_cut() {
    let columns = async |words: String| {
        let fields = [b"SERROR\0VERROR\0C28000\0M".as_slice(), words.as_bytes(), b"\0\0"].concat();
        let length = u32::try_from(fields.len() + 4).unwrap().to_be_bytes();
        let port = server([b"E".as_slice(), &length, &fields].concat());
        let source = Postgres::new(&Secret::new(format!("postgres://u@127.0.0.1:{port}/db?sslmode=disable"))).unwrap();
        let view = ViewName::parse("v").unwrap().into();
        source.columns(&view).await.unwrap_err().to_string()
    };
    let error = columns(format!("{HOSTILE}{}", "w".repeat(200 << 10))).await;
    harmless("an error", &error);
    assert!(error.contains("\\u{1b}[2J") && error.len() < 10_000, "{error}");
    let endless = columns("w".repeat(1 << 20)).await;
    assert!(endless.contains("more than 256 KiB") && endless.len() < 10_000, "{endless}");
}

#[tokio::test]
async fn a_server_without_encryption_is_refused_in_words_that_say_what_to_write() {
    let port = server(b"N".to_vec());
    let view = ViewName::parse("v").unwrap().into();
    let source =
        |settings: &str| Postgres::new(&Secret::new(format!("postgres://u@127.0.0.1:{port}/db{settings}"))).unwrap();
    let error = source("?sslmode=verify-full").columns(&view).await.unwrap_err();
    assert!(!error.is_transient() && error.to_string().contains("offers no encryption"), "{error}");
}
