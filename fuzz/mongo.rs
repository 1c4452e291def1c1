//! What holds for any bytes that a MongoDB answers.
//!
//! An input says how it is used: whether it is a document in a cursor's first batch, the whole answer, or all behind the
//! message's header; then what is asked. Whoever asks for a server's state is told the truth.

use filegen::adapters::mongo::MongoState;
use filegen::core::model::names::{LeaseKey, WorkerId};
use filegen::core::model::run::{BusinessDate, RunId};
use filegen::core::model::secret::Secret;
use filegen::core::model::term::Token;
use filegen::core::ports::audit::AuditLog;
use filegen::core::ports::dead_letters::DeadLetters;
use filegen::core::ports::leases::LeaseStore;
use filegen::core::ports::outbox::Outbox;
use filegen::core::ports::runs::RunStore;
use filegen::core::ports::store::StoreError;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A call is given up after an eighth of it.
const LEASE_TTL: Duration = Duration::from_millis(800);

/// No input takes the adapter longer than a call's own limit, however busy the machine.
const PATIENCE: Duration = Duration::from_secs(15);

/// Bytes before each message's body: length, number, number answered, kind.
const HEADER: usize = 16;

/// The longest request that is read.
const LONGEST: usize = 1 << 20;

/// The kind of every message.
const OP_MSG: u32 = 2013;

/// A number as an input's document may have it: so large that it is cut.
fn long(value: usize) -> [u8; 4] {
    u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes()
}

/// A document of entries that are ready.
fn document(entries: &[Vec<u8>]) -> Vec<u8> {
    let body = entries.concat();
    [long(body.len() + 5).as_slice(), &body, &[0]].concat()
}

/// An entry of a document: its type, its name, its value.
fn entry(kind: u8, name: &str, value: &[u8]) -> Vec<u8> {
    [&[kind], name.as_bytes(), &[0], value].concat()
}

fn ok() -> Vec<u8> {
    entry(1, "ok", &1_f64.to_le_bytes())
}

/// What a server says of itself.
fn hello() -> Vec<u8> {
    let int = |name: &str, value: i32| entry(0x10, name, &value.to_le_bytes());
    document(&[
        entry(8, "isWritablePrimary", &[1]),
        entry(8, "ismaster", &[1]),
        entry(8, "helloOk", &[1]),
        entry(8, "readOnly", &[0]),
        int("maxBsonObjectSize", 16 << 20),
        int("maxMessageSizeBytes", 48_000_000),
        int("maxWriteBatchSize", 100_000),
        int("logicalSessionTimeoutMinutes", 30),
        int("minWireVersion", 0),
        int("maxWireVersion", 21),
        ok(),
    ])
}

/// A cursor whose first batch is one document, given as it is.
fn cursor(first: &[u8]) -> Vec<u8> {
    let batch = document(&[entry(3, "0", first)]);
    let name = b"filegen.any\0";
    let fields = [
        entry(4, "firstBatch", &batch),
        entry(0x12, "id", &0_i64.to_le_bytes()),
        entry(2, "ns", &[long(name.len()).as_slice(), name].concat()),
    ];
    document(&[entry(3, "cursor", &document(&fields)), ok()])
}

/// The answer to a request, behind its header.
fn answer(how: u8, given: &[u8]) -> Vec<u8> {
    // Flags, and a section of one document.
    let plain = [0; 5];
    match how % 3 {
        0 => [&plain, cursor(given).as_slice()].concat(),
        1 => [&plain, given].concat(),
        _ => given.to_vec(),
    }
}

/// Answers one connection's requests.
async fn serve(mut client: TcpStream, given: Arc<[u8]>, how: u8) -> std::io::Result<()> {
    loop {
        let mut header = [0; HEADER];
        client.read_exact(&mut header).await?;
        let [length, number] = [0, 4].map(|at| u32::from_le_bytes(header[at..at + 4].try_into().unwrap_or_default()));
        let length = usize::try_from(length).unwrap_or_default().clamp(HEADER, LONGEST);
        let mut request = vec![0; length - HEADER];
        client.read_exact(&mut request).await?;
        // The first entry's name, behind flags, section, length and type.
        let name = request.get(10..).and_then(|rest| rest.split(|byte| *byte == 0).next()).unwrap_or_default();
        let is_about_it = [b"hello".as_slice(), b"isMaster", b"ismaster", b"ping"].contains(&name);
        let body = if is_about_it { answer(1, &hello()) } else { answer(how, &given) };
        let mut sent = [long(body.len() + HEADER), [0; 4], number.to_le_bytes(), OP_MSG.to_le_bytes()].concat();
        sent.extend_from_slice(&body);
        client.write_all(&sent).await?;
    }
}

/// Asks for something; how much there was.
pub async fn asked(state: &MongoState, what: u8) -> Result<usize, StoreError> {
    let worker = WorkerId::new("LoanWorker").expect("a name");
    let key = LeaseKey::from(&worker);
    let run = RunId { worker, date: BusinessDate(jiff::civil::date(2026, 11, 21)) };
    Ok(match what % 11 {
        0 => LeaseStore::read(state, &key).await?.iter().count(),
        1 => state.list().await?.records.len(),
        2 => state.highest_token(&key, Token(u64::MAX)).await?.iter().count(),
        3 => state.claim(&key, Token(1)).await?.iter().count(),
        4 => RunStore::run(state, &run).await?.iter().count(),
        5 => state.runs(None, 9).await?.records.len(),
        6 => state.files(&run).await?.len(),
        7 => state.pending(&key).await?.records.len(),
        8 => state.dead_letters(None, 9).await?.records.len(),
        9 => state.audits(9).await?.records.len(),
        _ => state.request(&run, "fuzz", jiff::Timestamp::UNIX_EPOCH).await.map(|_| 1)?,
    })
}

/// Whatever a server answers is ours, or an error that says something; in time, and without a panic.
pub fn mongo_reply(bytes: &[u8]) -> Result<usize, String> {
    let [how, what, given @ ..] = bytes else { return Ok(0) };
    let given: Arc<[u8]> = given.into();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound above").port();
        let address = Secret::new(format!("mongodb://127.0.0.1:{port}/filegen?directConnection=true"));
        let state = MongoState::connect(&address, LEASE_TTL).await.expect("an address");
        let how = *how;
        tokio::spawn(async move {
            loop {
                if let Ok((client, _)) = listener.accept().await {
                    // A client that goes is served.
                    tokio::spawn(serve(client, Arc::clone(&given), how));
                }
            }
        });
        let seen = tokio::time::timeout(PATIENCE, asked(&state, *what)).await.expect("it ends in time");
        seen.map_err(|error| {
            let text = error.to_string();
            assert!(!text.is_empty());
            text
        })
    })
}
