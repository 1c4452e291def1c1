//! What holds for any bytes that a SQL Server sends.
//!
//! An input says how it is used: first how many answers of an honest server come before it, and in the highest bit whether
//! it is the stream itself or messages (two bytes of length, then tokens) that are put into packets; then what is asked.

use filegen::adapters::sqlserver::SqlServerSource;
use filegen::core::model::key::{Key, KeyValue};
use filegen::core::model::names::ViewName;
use filegen::core::model::query::{Fetch, Isolation};
use filegen::core::model::secret::Secret;
use filegen::core::ports::source::{PageSource, Position, Query, SourceError};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

/// All that the tests' server sends to a read of [`COLUMNS`] without TLS, from the first byte to the last row.
pub const HONEST: &[u8] = include_bytes!("honest/sqlserver");

/// The view that was read.
pub const COLUMNS: [(&str, &str); 17] = [
    ("id", "int"),
    ("big", "bigint"),
    ("flag", "bit"),
    ("amount", "decimal(15,2)"),
    ("cash", "money"),
    ("half", "real"),
    ("full", "float"),
    ("fixed", "char(5)"),
    ("plain", "varchar(20)"),
    ("name", "nvarchar(40)"),
    ("long", "nvarchar(max)"),
    ("bytes", "varbinary(max)"),
    ("guid", "uniqueidentifier"),
    ("day", "date"),
    ("clock", "time(7)"),
    ("moment", "datetime2(6)"),
    ("zoned", "datetimeoffset(7)"),
];

/// Rows that were read.
pub const ROWS: u64 = 5;

/// Bytes before each packet's payload.
const HEADER: usize = 8;

/// Room of a packet.
const ROOM: usize = 4096 - HEADER;

/// No input takes the adapter longer than its own limits: each is a second, and only one can be waited for to the end.
const PATIENCE: Duration = Duration::from_secs(15);

/// What was asked, and what it made of the answer.
#[derive(PartialEq, Eq, Debug)]
pub enum Seen {
    /// So many columns.
    Columns(usize),
    /// A count.
    Extent,
    /// So many rows to the end.
    Rows(u64),
    /// So many findings.
    Findings(usize),
    /// An error.
    Refused(String),
}

/// Ends of the honest server's messages; the first is before all of them.
pub fn messages() -> Vec<usize> {
    let (mut at, mut ends) = (0, vec![0]);
    while let Some(header) = HONEST.get(at..at + HEADER) {
        at += usize::from(u16::from_be_bytes([header[2], header[3]]));
        if header[1] & 1 == 1 {
            ends.push(at);
        }
    }
    ends
}

/// Tokens as one message in packets.
pub fn packets(tokens: &[u8], out: &mut Vec<u8>) {
    let count = tokens.len().div_ceil(ROOM).max(1);
    for number in 0..count {
        let part = &tokens[(number * ROOM).min(tokens.len())..((number + 1) * ROOM).min(tokens.len())];
        let [high, low] = u16::try_from(part.len() + HEADER).unwrap_or_default().to_be_bytes();
        let number_of_packet = u8::try_from((number + 1) % 256).unwrap_or_default();
        out.extend_from_slice(&[4, u8::from(number + 1 == count), high, low, 0, 51, number_of_packet, 0]);
        out.extend_from_slice(part);
    }
}

/// The server's stream that an input means.
fn stream(how: u8, mut rest: &[u8]) -> Vec<u8> {
    let ends = messages();
    let mut sent = HONEST[..ends[usize::from(how & 0x7f) % ends.len()]].to_vec();
    if how & 0x80 != 0 {
        sent.extend_from_slice(rest);
        return sent;
    }
    while let [low, high, behind @ ..] = rest {
        let (message, next) = behind.split_at(usize::from(u16::from_le_bytes([*low, *high])).min(behind.len()));
        packets(message, &mut sent);
        rest = next;
    }
    sent
}

/// The question; its first column is the key.
fn query(fetch: Fetch) -> Query {
    Query {
        view: ViewName::parse("t").expect("a name").into(),
        key: vec!["id".to_owned()],
        columns: COLUMNS.iter().map(|(name, _)| (*name).to_owned()).collect(),
        predicates: vec!["flag = 1".into()],
        page_size: NonZeroU32::new(2).expect("not zero"),
        page_bytes: 1 << 20,
        value_bytes: 64 << 20,
        fetch,
        isolation: Isolation::Default,
        kinds: None,
    }
}

/// Reads to the end or the first error.
async fn rows(source: &SqlServerSource, fetch: Fetch, from: &Position) -> Result<Seen, SourceError> {
    let query = query(fetch);
    let mut stream = source.open(&query, from, None).await?;
    let mut rows = 0;
    while let Some(page) = stream.next().await? {
        assert!((1..=2).contains(&page.rows()), "{} rows in a page of two", page.rows());
        assert!(page.batch.num_columns() >= COLUMNS.len());
        assert!(stream.columns().is_some_and(|columns| columns.len() == COLUMNS.len()));
        rows += page.rows();
    }
    assert!(stream.next().await?.is_none(), "the end is the end");
    Ok(Seen::Rows(rows))
}

/// Asks one of six questions.
pub async fn asked(source: &SqlServerSource, what: u8) -> Result<Seen, SourceError> {
    let behind = Position { after: Some(Key(vec![KeyValue::Int(3)])), rows: 3 };
    match what % 6 {
        0 => Ok(Seen::Columns(source.columns(&query(Fetch::Stream).view).await?.len())),
        1 => source.extent(&query(Fetch::Stream)).await.map(|_| Seen::Extent),
        2 => rows(source, Fetch::Stream, &Position::default()).await,
        3 => rows(source, Fetch::Paged, &behind).await,
        4 => rows(source, Fetch::Offset, &behind).await,
        _ => Ok(Seen::Findings(source.examine(&query(Fetch::Stream)).await?.len())),
    }
}

/// Sends all at once, and takes whatever it is asked until the client goes.
async fn serve(mut client: TcpStream, sent: Arc<[u8]>) {
    let (mut reader, mut writer) = client.split();
    let send = async {
        // A client that goes early is served.
        if writer.write_all(&sent).await.is_ok() {
            drop(writer.shutdown().await);
        }
    };
    let mut sink = tokio::io::sink();
    let ((), _) = tokio::join!(send, tokio::io::copy(&mut reader, &mut sink));
}

/// Whatever a server sends is rows, or an error that says something; in time, and without a panic.
pub fn sqlserver_reply(bytes: &[u8]) -> Seen {
    let [how, what, rest @ ..] = bytes else { return Seen::Rows(0) };
    let sent: Arc<[u8]> = stream(*how, rest).into();
    // A server may send a login on to any other one, as the protocol has it. A fuzzer shall not call others.
    if sent.windows(4).any(|token| token[0] == 0xe3 && token[3] == 20) {
        return Seen::Rows(0);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound above").port();
        let address = format!(
            "Server=tcp:127.0.0.1,{port};Database=loans;User Id=sa;Password=x;Encrypt=off;Connect Timeout=1;Query Timeout=1;\
             Idle Timeout=1"
        );
        let source = SqlServerSource::new(&Secret::new(address)).expect("an address");
        let serving = async {
            loop {
                if let Ok((client, _)) = listener.accept().await {
                    tokio::spawn(serve(client, Arc::clone(&sent)));
                }
            }
        };
        let seen = tokio::select! {
            seen = tokio::time::timeout(PATIENCE, asked(&source, *what)) => seen.expect("it ends in time"),
            () = serving => unreachable!("it serves without end"),
        };
        seen.unwrap_or_else(|error| {
            let text = error.to_string();
            assert!(!text.is_empty() && !text.contains("ended unexpectedly"), "{text}");
            Seen::Refused(text)
        })
    })
}
