//! A server that is away, or that takes everything and answers nothing.

use crate::contract::transfer_ledger as files;
use crate::support::mongo::Database;
use crate::support::running::until_async;
use crate::support::state::{at, claim, key, lease, run};
use crate::support::term;
use filegen::adapters::mongo::MongoState;
use filegen::core::model::names::InstanceId;
use filegen::core::model::run::{RunRecord, RunStatus};
use filegen::core::model::secret::Secret;
use filegen::core::model::term::Token;
use filegen::core::model::transfer::{FileRecord, FileState, Side};
use filegen::core::ports::audit::AuditEntry;
use filegen::core::ports::audit::AuditLog;
use filegen::core::ports::dead_letters::DeadLetters;
use filegen::core::ports::leases::LeaseStore;
use filegen::core::ports::outbox::{Outbox, OutboxId};
use filegen::core::ports::runs::RunStore;
use filegen::core::ports::store::StoreError;
use filegen::core::ports::transfer_ledger::{Claim, TransferLedger, Wanted};
use std::fmt::Debug;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{self, Instant};

/// Each call ends below a sixth of it: on a clock that stands still but for what is waited for, so that no busy machine
/// counts, and long enough that it does not count for calls that are answered either.
const TTL: Duration = Duration::from_mins(1);

/// Passes bytes on to the server while `open` is true; keeps all connections, and takes new ones, while it is not.
async fn gate(open: watch::Receiver<bool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let Ok(server) = TcpStream::connect(Database::host()).await else { continue };
            let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
            tokio::spawn(pass(from_client, to_server, open.clone()));
            tokio::spawn(pass(from_server, to_client, open.clone()));
        }
    });
    host
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut open: watch::Receiver<bool>) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if open.wait_for(|open| *open).await.is_err() || to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

/// The call is given up in time, by the paused clock, without knowing what became of it.
async fn unknown<T: Debug>(what: &str, call: impl Future<Output = Result<T, StoreError>>) {
    let start = Instant::now();
    let answer = call.await;
    assert!(start.elapsed() < TTL / 6, "{what}: {:?}", start.elapsed());
    assert!(matches!(answer, Err(StoreError::Unreachable { .. })), "{what}: {answer:?}");
}

/// Every call of all ports.
async fn all_are_unknown(store: &MongoState) {
    let (name, id, term) = (key("W"), run("W", 21), term(7));
    let record = RunRecord { status: RunStatus::Running, ..RunRecord::pending(&id, "x", at(1)) };
    let entry = AuditEntry { at: at(0), who: "a".into(), action: "b".into(), detail: "c".into(), reason: "d".into() };
    let (claim, lease, instance) = (claim("W", 9, "n"), lease("W", 9, "a"), InstanceId::new("a"));
    let entry_id = OutboxId::new("W:2026-11-21:a");
    tokio::join!(
        unknown("read", store.read(&name)),
        unknown("list", store.list()),
        unknown("highest_token", store.highest_token(&name, Token(u64::MAX))),
        unknown("mint", store.mint(&claim)),
        unknown("claim", LeaseStore::claim(store, &name, Token(9))),
        unknown("install", store.install(&lease)),
        unknown("renew", store.renew(&name, Token(7), &instance, at(1), at(2))),
        unknown("release", store.release(&name, Token(7), at(1), "x")),
        unknown("request", store.request(&id, "x", at(1))),
        unknown("run", store.run(&id)),
        unknown("runs", store.runs(None, 5)),
        unknown("save_run", store.save_run(&term, &record)),
        unknown("files", store.files(&id)),
        unknown("pending", store.pending(&name)),
        unknown("mark_sent", store.mark_sent(&entry_id, at(1))),
        unknown("audit", store.audit(&entry)),
        unknown("audits", store.audits(5)),
        unknown("odd_events", store.dead_letters(None, 5)),
        unknown("make_indexes", store.make_indexes()),
    );
    let (file, holder, all) =
        (files::record(Side::Collect, "1", "x", 0), store.join("a").await.unwrap(), Wanted::default());
    let all = Wanted { limit: 9, ..all };
    tokio::join!(
        unknown("find a file", store.find("sales", Side::Collect, "1")),
        unknown("known", TransferLedger::known(store, "sales", vec!["x".to_owned()])),
        unknown("claim a file", TransferLedger::claim(store, &file, &holder, at(0), at(9))),
        unknown("advance", TransferLedger::advance(store, &file, &holder, None)),
        unknown("forget", store.forget(&file, &holder)),
        unknown("records", store.records("sales", &all)),
        unknown("total", store.total("sales", &all)),
        unknown("counts", store.counts("sales")),
        unknown("strange", store.strange("sales")),
        unknown("steps", store.steps("sales", "1")),
    );
}

#[tokio::test]
async fn no_call_waits_for_a_server_that_takes_connections_and_never_answers() {
    let (_keep, open) = watch::channel(false);
    let database = Database::new();
    let url = Secret::new(database.url_at(&gate(open).await));
    time::pause();
    unknown("open", MongoState::open(&url, TTL)).await;
    let store = MongoState::connect(&url, TTL).await.unwrap();
    all_are_unknown(&store).await;
}

#[tokio::test]
async fn a_lease_survives_a_server_that_stops_answering_and_comes_back() {
    let (door, open) = watch::channel(true);
    let database = Database::new();
    let store = MongoState::open(&Secret::new(database.url_at(&gate(open).await)), TTL).await.unwrap();
    assert_eq!(store.install(&lease("W", 7, "a")).await, Ok(true));
    door.send(false).unwrap();
    time::pause();
    // More calls than the driver has connections: those that were given up must not stand in the way of later ones.
    for _ in 0..2 {
        all_are_unknown(&store).await;
    }
    time::resume();
    door.send(true).unwrap();
    let answer = store.renew(&key("W"), Token(7), &InstanceId::new("a"), at(1), at(2)).await;
    // What was sent in the silence may have been done since: the install of token 9, or not.
    let newest = store.read(&key("W")).await.unwrap().unwrap();
    assert_eq!(answer, Ok(newest.token == Token(7)), "{newest:?}");
}

#[tokio::test]
async fn a_server_that_is_away_is_named_without_the_password() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap();
    drop(listener);
    let url = Secret::new(format!("mongodb://ann:s3cret@{host}/loans?appName=s3cret"));
    let error = MongoState::open(&url, TTL).await.unwrap_err();
    let said = error.to_string();
    assert!(said.starts_with(&format!("cannot reach the state store mongodb://{host}/loans: ")), "{said}");
    assert!(said.contains("refused"), "the driver says why: {said}");
    assert!(!said.contains("s3cret") && !format!("{error:?}").contains("s3cret"), "{said}");
}

/// The record of a version, once it is in this state.
async fn once(store: &MongoState, state: FileState) {
    until_async("the record", async || {
        let found = store.find("sales", Side::Collect, "1").await.unwrap()?.record()?;
        (found.state == state).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_claim_or_a_step_whose_answer_is_lost_is_asked_for_and_not_made_twice() {
    let (door, open) = watch::channel(true);
    let database = Database::new();
    let far = MongoState::open(&Secret::new(database.url_at(&gate(open).await)), TTL).await.unwrap();
    let near = database.open().await;
    let (mine, other) = (far.join("mine").await.unwrap(), near.join("other").await.unwrap());
    // It knows how far the clocks are apart.
    let another = files::record(Side::Collect, "2", "y", 0);
    TransferLedger::claim(&far, &another, &mine, at(0), at(50)).await.unwrap();
    let (file, sent) = (files::record(Side::Collect, "1", "x", 0), FileState::Sent);
    door.send(false).unwrap();
    time::pause();
    unknown("claim", TransferLedger::claim(&far, &file, &mine, at(0), at(50))).await;
    time::resume();
    door.send(true).unwrap();
    // What was sent in the silence is done behind it.
    once(&near, FileState::Seen).await;
    let held = Claim::Held { by: "mine".to_owned() };
    assert_eq!(TransferLedger::claim(&near, &file, &other, at(1), at(50)).await, Ok(held));
    assert_eq!(TransferLedger::claim(&far, &file, &mine, at(1), at(50)).await, Ok(Claim::Yours(file.clone())));
    let after = FileRecord { state: sent, ..file.clone() };
    door.send(false).unwrap();
    time::pause();
    unknown("advance", TransferLedger::advance(&far, &after, &mine, Some(at(50)))).await;
    time::resume();
    door.send(true).unwrap();
    once(&near, sent).await;
    assert_eq!(TransferLedger::claim(&far, &file, &mine, at(2), at(50)).await, Ok(Claim::Yours(after.clone())));
    assert_eq!(TransferLedger::advance(&far, &after, &mine, None).await, Ok(true));
    let steps: Vec<FileState> = near.steps("sales", "1").await.unwrap().iter().map(|step| step.state).collect();
    assert_eq!(steps, [FileState::Seen, sent]);
}
