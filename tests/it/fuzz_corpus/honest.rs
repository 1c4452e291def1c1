//! What the fuzzed claims begin with: the answers of an honest server. `FILEGEN_WRITE_HONEST=1` keeps them anew.

use super::claims::mongo::mongo_reply;
use super::claims::mongo_document;
use super::claims::sqlserver::{COLUMNS, HONEST, ROWS, Seen, asked, messages, packets, sqlserver_reply};
use crate::support::mongo;
use crate::support::outbox;
use crate::support::sqlserver::Database;
use crate::support::state::{at, key, run, take};
use crate::support::term;
use crate::tds::Options;
use filegen::adapters::sqlserver::SqlServerSource;
use filegen::core::model::message::EventId;
use filegen::core::model::payload::Payload;
use filegen::core::model::run::RunStatus;
use filegen::core::model::secret::Secret;
use filegen::core::model::term::Token;
use filegen::core::ports::audit::AuditEntry;
use filegen::core::ports::audit::AuditLog;
use filegen::core::ports::dead_letters::DeadLetter;
use filegen::core::ports::dead_letters::DeadLetters;
use filegen::core::ports::leases::LeaseStore;
use filegen::core::ports::runs::RunStore;
use mongodb::bson::{RawDocumentBuf, doc};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Bytes before each packet's payload.
const HEADER: usize = 8;

fn place(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
}

fn keep(name: &str, bytes: &[u8]) {
    if std::env::var_os("FILEGEN_WRITE_HONEST").is_some() {
        fs::create_dir_all(place(name).parent().unwrap()).unwrap();
        fs::write(place(name), bytes).unwrap();
    }
}

/// Passes everything on, both ways, and keeps what the server sends.
async fn record(client: TcpStream, server: u16, kept: Arc<Mutex<Vec<u8>>>) {
    let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    tokio::spawn(async move { drop(tokio::io::copy(&mut from_client, &mut to_server).await) });
    let mut buffer = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from_server.read(&mut buffer).await {
        kept.lock().unwrap().extend_from_slice(&buffer[..count]);
        if to_client.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}

async fn database() -> Database {
    let database = Database::here(Options::default());
    let columns = COLUMNS.map(|(name, of)| format!("[{name}] {of}")).join(", ");
    database.execute(&format!("CREATE TABLE t ({columns})")).await;
    for id in 1..=ROWS {
        let values = if id % 3 == 0 {
            format!("{id}{}", ", NULL".repeat(COLUMNS.len() - 1))
        } else {
            format!(
                "{id}, {id}000000000, 1, {id}.25, {id}.5, 1.5, 2.25, 'abc', 'plain {id}', N'name {id}', N'{}', 0x00ff{id:02x}, \
                 '6f9619ff-8b86-d011-b42d-00c04fc964ff', '2026-11-21', '10:30:00.1234567', '2026-11-21T10:30:00.123456', \
                 '2026-11-21T10:30:00.1234567+01:00'",
                "long ".repeat(20)
            )
        };
        database.execute(&format!("INSERT INTO t VALUES ({values})")).await;
    }
    database
}

/// The tokens of a message.
fn tokens(mut packets: &[u8]) -> Vec<u8> {
    let mut tokens = Vec::new();
    while let Some(header) = packets.get(..HEADER) {
        let end = usize::from(u16::from_be_bytes([header[2], header[3]]));
        tokens.extend_from_slice(&packets[HEADER..end]);
        packets = &packets[end..];
    }
    tokens
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_tests_sql_server_sends_is_read_to_the_end_when_it_is_sent_again() {
    let database = database().await;
    let server = database.server().address().port();
    for what in 0..6 {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let recorder = tokio::spawn({
            let kept = Arc::clone(&kept);
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    tokio::spawn(record(client, server, Arc::clone(&kept)));
                }
            }
        });
        let address = database.ado().replace(&format!(",{server};"), &format!(",{port};"));
        let source = SqlServerSource::new(&Secret::new(format!("{address};Encrypt=off"))).unwrap();
        let seen = asked(&source, what).await.unwrap();
        recorder.abort();
        let kept = kept.lock().unwrap().clone();
        if what == 2 {
            assert_eq!(seen, Seen::Rows(ROWS));
            keep("honest/sqlserver", &kept);
        }
        let input = [&[0x80, what], kept.as_slice()].concat();
        keep(&format!("corpus/sqlserver_reply/honest_{what}"), &input);
        let again = tokio::task::spawn_blocking(move || sqlserver_reply(&input)).await.unwrap();
        assert_eq!(again, seen, "question {what}");
    }
}

/// The message that comes behind some of the honest server's, as tokens that can be changed.
#[tokio::test(flavor = "multi_thread")]
async fn each_answer_of_the_honest_server_can_be_replaced() {
    let ends = messages();
    assert_eq!((ends.len(), ends.last()), (6, Some(&HONEST.len())), "five answers");
    for count in 0..ends.len() - 1 {
        let message = tokens(&HONEST[ends[count]..ends[count + 1]]);
        let length = u16::try_from(message.len()).unwrap().to_le_bytes();
        let mut input = [&[u8::try_from(count).unwrap(), 2], length.as_slice(), &message].concat();
        for later in count + 1..ends.len() - 1 {
            let message = tokens(&HONEST[ends[later]..ends[later + 1]]);
            input.extend_from_slice(&u16::try_from(message.len()).unwrap().to_le_bytes());
            input.extend_from_slice(&message);
        }
        keep(&format!("corpus/sqlserver_reply/behind_{count}"), &input);
        let seen = tokio::task::spawn_blocking(move || sqlserver_reply(&input)).await.unwrap();
        assert_eq!(seen, Seen::Rows(ROWS), "behind {count}");
    }
}

#[test]
fn a_server_that_does_not_end_its_answer_is_given_up() {
    // A row of NULLs, where the view is described by an answer without rows.
    let (ends, row) = (messages(), b"\xd2\xff\xff\x01");
    let described = tokens(&HONEST[ends[3]..ends[4]]);
    // Ends of the statement and of the procedure, and its status between them.
    let rows = described.len() - (13 + 5 + 13);
    assert_eq!(described[rows], 0xff, "the end of a statement");
    let endless = [&described[..rows], row.repeat(100_001).as_slice()].concat();
    let mut input = vec![0x80 | 3, 0];
    packets(&endless, &mut input);
    let Seen::Refused(reason) = sqlserver_reply(&input) else { panic!("it was believed") };
    assert!(reason.contains("more than 100000 rows"), "{reason}");
}

/// The state store's collections, in the claim's order.
const COLLECTIONS: [&str; 6] = ["worker_leases", "worker_epochs", "runs", "file_status", "audit", "odd_events"];

/// Something in each collection.
async fn fill(database: &mongo::Database) {
    let state = database.open().await;
    let run = run("LoanWorker", 21);
    take(&state, "LoanWorker").await;
    state.release(&key("LoanWorker"), Token(1), at(9), "handed over").await.unwrap();
    outbox::fill(&state, &run, &["Loan0"]).await;
    let mut record = state.run(&run).await.unwrap().unwrap();
    record.status = RunStatus::Published;
    (record.started_at, record.completed_at) = (Some(at(1)), Some(at(2)));
    (record.last_page, record.rows, record.rows_expected) = (7, 70, Some(70));
    record.error = Some("once".to_owned());
    state.save_run(&term(1), &record).await.unwrap();
    let text = |text: &str| text.to_owned();
    let (action, detail, reason) = (text("lease release"), text("token 1"), text("INC-4711"));
    state.audit(&AuditEntry { at: at(3), who: text("me at pod-1:7"), action, detail, reason }).await.unwrap();
    let id = EventId { topic: text("loan-data"), partition: 2, offset: 11 };
    let event = DeadLetter {
        id,
        owner: key("LoanWorker"),
        at: at(4),
        reason: text("no object"),
        payload: Some(Payload::of(b"[]")),
    };
    state.keep_dead_letter(&event).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_tests_mongodb_sends_is_read() {
    let database = mongo::Database::new();
    fill(&database).await;
    for (number, name) in (0_u8..).zip(COLLECTIONS) {
        let collection = database.client().await.collection::<RawDocumentBuf>(name);
        let found = collection.find_one(doc! {}).await.unwrap().unwrap_or_else(|| panic!("nothing in {name}"));
        let read = filegen::adapters::mongo::rewritten(name, found.as_bytes());
        assert!(read.is_ok(), "{name}: {read:?}");
        let input = [&[number], found.as_bytes()].concat();
        keep(&format!("corpus/mongo_document/{name}"), &input);
        mongo_document(&input);
        // In an honest server's cursor, to whoever asks that collection.
        let what = [0, 2, 4, 6, 9, 8][usize::from(number)];
        let input = [&[0, what], found.as_bytes()].concat();
        keep(&format!("corpus/mongo_reply/{name}"), &input);
        let read = tokio::task::spawn_blocking(move || mongo_reply(&input)).await.unwrap();
        assert_eq!(read, Ok(1), "{name}");
    }
}
