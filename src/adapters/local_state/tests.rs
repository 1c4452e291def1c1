//! What is particular to the embedded store: its file, its locks, its limits. The ports' promises are held elsewhere.

mod numbers;
mod odd;
mod plans;
mod stretches;

use super::schema::{Home, settle};
use super::{LocalState, error, name};
use crate::core::model::message::EventId;
use crate::core::model::names::{InstanceId, LeaseKey, WorkerId};
use crate::core::model::payload::Payload;
use crate::core::model::run::{BusinessDate, RunId};
use crate::core::model::term::Token;
use crate::core::ports::dead_letters::DeadLetters;
use crate::core::ports::leases::{EpochClaim, LeaseRecord, LeaseStore, Mint};
use crate::core::ports::runs::RunStore;
use crate::core::ports::store::StoreError;
use jiff::Timestamp;
use rusqlite::{Connection, ffi};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const TTL: Duration = Duration::from_mins(1);

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out/.filegen/state.db");
    (folder, path)
}

fn key() -> LeaseKey {
    LeaseKey::new("LoanWorker").unwrap()
}

fn claim(token: u64) -> EpochClaim {
    EpochClaim {
        key: key(),
        token: Token(token),
        instance: InstanceId::new("a"),
        nonce: "n".to_owned(),
        claimed_at: Timestamp::UNIX_EPOCH,
    }
}

fn lease(token: u64) -> LeaseRecord {
    let now = Timestamp::UNIX_EPOCH;
    LeaseRecord {
        key: key(),
        instance: InstanceId::new("a"),
        token: Token(token),
        seq: 1,
        acquired_at: now,
        renewed_at: now,
        expires_at: now,
        released: None,
    }
}

async fn open(path: &Path) -> LocalState {
    LocalState::open(path, TTL).await.unwrap()
}

async fn refusal(path: &Path) -> String {
    LocalState::open(path, TTL).await.unwrap_err().to_string()
}

async fn gone(store: &LocalState) -> bool {
    let lease = store.read(&key()).await.unwrap().unwrap();
    store.holder_is_gone(&lease).await.unwrap()
}

async fn renew(store: &LocalState, token: u64) -> bool {
    let now = Timestamp::UNIX_EPOCH;
    store.renew(&key(), Token(token), &InstanceId::new("a"), now, now).await.unwrap()
}

#[tokio::test]
async fn looking_makes_nothing() {
    let (folder, path) = place();
    assert!(LocalState::open_existing(&path, TTL).await.unwrap().is_none());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "").unwrap();
    assert!(LocalState::open_existing(&path, TTL).await.unwrap().is_none(), "an empty file is no store yet");
    assert_eq!(fs::metadata(&path).unwrap().len(), 0);
}

#[tokio::test]
async fn what_one_process_wrote_the_next_one_reads() {
    let (_folder, path) = place();
    assert_eq!(open(&path).await.mint(&claim(7)).await, Ok(Mint::Won));
    let store = LocalState::open_existing(&path, TTL).await.unwrap().unwrap();
    assert_eq!(store.highest_token(&key(), Token(u64::MAX)).await, Ok(Some(Token(7))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_may_open_a_new_store_at_once() {
    for _ in 0..10 {
        let (_folder, path) = place();
        let mut opening = tokio::task::JoinSet::new();
        for token in 0..8 {
            let path = path.clone();
            opening.spawn(async move { open(&path).await.mint(&claim(token)).await });
        }
        let all = opening.join_all().await;
        assert!(all.iter().all(|mint| *mint == Ok(Mint::Won)), "{all:?}");
    }
}

#[tokio::test]
async fn a_commit_is_durable_when_it_answers_wherever_the_file_lies() {
    let (_folder, path) = place();
    let store = open(&path).await;
    let pragma = |db: &Connection, name| db.pragma_query_value(None, name, |row| row.get::<_, String>(0)).unwrap();
    let synchronous = |db: &Connection| db.pragma_query_value(None, "synchronous", |row| row.get::<_, i64>(0)).unwrap();
    {
        let db = store.connection.lock().await;
        assert_eq!((pragma(&db, "journal_mode").as_str(), synchronous(&db)), ("wal", 3));
    }
    drop(store);
    let db = Connection::open(&path).unwrap();
    settle(&db, Home::Remote).unwrap();
    assert_eq!((pragma(&db, "journal_mode").as_str(), synchronous(&db)), ("delete", 3));
}

#[tokio::test]
async fn a_newer_format_is_refused() {
    let (_folder, path) = place();
    drop(open(&path).await);
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 2).unwrap();
    assert_eq!(
        refusal(&path).await,
        format!(
            "the state store sqlite:{} refuses: its format is 2 and this filegen knows 1: \
             use the newer filegen that made it, or another state file",
            path.display()
        )
    );
}

#[tokio::test]
async fn another_programs_database_is_refused_and_left_as_it_was() {
    let (_folder, path) = place();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE loans (id INTEGER)").unwrap();
    let before = fs::read(&path).unwrap();
    assert!(refusal(&path).await.contains("another program's database"));
    assert!(LocalState::open_existing(&path, TTL).await.is_err());
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn what_is_no_database_or_a_damaged_one_is_said() {
    let (_folder, path) = place();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "worker: LoanWorker\n".repeat(100)).unwrap();
    assert!(refusal(&path).await.contains("it is not a state file"), "{}", refusal(&path).await);

    fs::remove_file(&path).unwrap();
    drop(open(&path).await);
    let mut bytes = fs::read(&path).unwrap();
    bytes[4096..].fill(0xff);
    fs::write(&path, bytes).unwrap();
    // As soon as the damaged part is looked at: the list of tables reaches beyond the first page.
    let error = match LocalState::open(&path, TTL).await {
        Ok(store) => store.read(&key()).await.unwrap_err().to_string(),
        Err(error) => error.to_string(),
    };
    assert!(error.contains("it is damaged"), "{error}");
}

#[tokio::test]
async fn a_place_that_cannot_be_is_said() {
    let (folder, path) = place();
    fs::write(folder.path().join("out"), "a file").unwrap();
    assert!(refusal(&path).await.contains("its folder"), "{}", refusal(&path).await);
    assert!(refusal(folder.path()).await.contains("it cannot be opened"), "{}", refusal(folder.path()).await);
}

#[test]
fn each_failure_says_what_to_do() {
    let path = Path::new("out/state.db");
    let said = |code| error::failed(path, &rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
    for (code, words) in [
        (ffi::SQLITE_READONLY, "may only be read; check the permissions"),
        (ffi::SQLITE_CANTOPEN, "check that the folder is there"),
        (ffi::SQLITE_PERM, "check that the folder is there"),
    ] {
        let error = said(code);
        assert!(matches!(&error, StoreError::Denied { reason, .. } if reason.contains(words)), "{error}");
    }
    for (code, words) in [
        (ffi::SQLITE_FULL, "free some space"),
        (ffi::SQLITE_CORRUPT, "move it away"),
        (ffi::SQLITE_IOERR, "check its disk"),
    ] {
        let error = said(code);
        assert!(matches!(&error, StoreError::Failed { reason, .. } if reason.contains(words)), "{error}");
    }
    assert!(matches!(said(ffi::SQLITE_BUSY), StoreError::Unreachable { .. }), "worth another try");
    assert_eq!(name(path), "sqlite:out/state.db");
}

#[tokio::test]
async fn a_locked_file_is_given_up_in_time() {
    let (_folder, path) = place();
    let ttl = Duration::from_millis(1200);
    let store = LocalState::open(&path, ttl).await.unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let start = Instant::now();
    let error = store.mint(&claim(1)).await.unwrap_err();
    assert!(matches!(&error, StoreError::Unreachable { .. }), "{error}");
    assert!(start.elapsed() < ttl / 6, "{:?}", start.elapsed());
    assert_eq!(store.highest_token(&key(), Token(u64::MAX)).await, Ok(None), "reading goes on");
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(store.mint(&claim(1)).await, Ok(Mint::Won));
}

#[tokio::test]
async fn a_holder_is_gone_when_its_store_is_closed_and_not_before() {
    let (_folder, path) = place();
    let (holder, contender, third) = (open(&path).await, open(&path).await, open(&path).await);
    holder.install(&lease(1)).await.unwrap();
    assert!(!gone(&contender).await);
    assert!(!gone(&holder).await, "nor does it take itself for dead");
    drop(holder);
    assert!(gone(&contender).await);
    assert!(gone(&third).await, "looking takes nothing away");
    contender.install(&lease(2)).await.unwrap();
    assert!(!gone(&third).await);
}

#[tokio::test]
async fn a_released_lease_has_no_holder_to_be_gone() {
    let (_folder, path) = place();
    let (holder, contender) = (open(&path).await, open(&path).await);
    holder.install(&lease(1)).await.unwrap();
    holder.release(&key(), Token(1), Timestamp::UNIX_EPOCH, "done").await.unwrap();
    assert!(!gone(&contender).await);
    contender.install(&lease(2)).await.unwrap();
    assert!(!gone(&holder).await, "the lock went to the next holder");
}

/// A stopped holder keeps the lock. Whoever takes over after the time to live cannot have it, and must not be taken
/// for dead when the stopped one dies.
#[tokio::test]
async fn a_holder_without_the_lock_is_not_taken_for_dead() {
    let (_folder, path) = place();
    let (stopped, holder, contender) = (open(&path).await, open(&path).await, open(&path).await);
    stopped.install(&lease(1)).await.unwrap();
    holder.install(&lease(2)).await.unwrap();
    drop(stopped);
    assert!(!gone(&contender).await, "nothing is known of this one");
    assert!(renew(&holder, 2).await);
    drop(holder);
    assert!(gone(&contender).await, "a renewal took the lock");
}

#[tokio::test]
async fn a_holder_that_lost_its_lease_lets_go_of_the_lock() {
    let (_folder, path) = place();
    let (woken, holder, contender) = (open(&path).await, open(&path).await, open(&path).await);
    woken.install(&lease(1)).await.unwrap();
    holder.install(&lease(2)).await.unwrap();
    assert!(!renew(&woken, 1).await);
    assert!(renew(&holder, 2).await);
    drop(holder);
    assert!(gone(&contender).await);
}

#[tokio::test]
async fn an_older_terms_end_does_not_drop_the_lock_of_a_newer_one_in_the_same_process() {
    let (_folder, path) = place();
    let (holder, contender) = (open(&path).await, open(&path).await);
    holder.install(&lease(1)).await.unwrap();
    holder.install(&lease(2)).await.unwrap();
    holder.release(&key(), Token(1), Timestamp::UNIX_EPOCH, "late").await.unwrap();
    assert!(!renew(&holder, 1).await);
    assert!(!gone(&contender).await);
}

#[tokio::test]
async fn a_lock_of_an_earlier_start_of_the_host_proves_nothing() {
    let (_folder, path) = place();
    let (holder, contender) = (open(&path).await, open(&path).await);
    holder.install(&lease(1)).await.unwrap();
    Connection::open(&path).unwrap().execute("UPDATE worker_leases SET guardedBy = 'another boot'", []).unwrap();
    drop(holder);
    assert!(!gone(&contender).await, "perhaps another host's");
}

/// As the builds before made it: without the columns that came later.
#[tokio::test]
async fn a_file_of_an_earlier_build_is_read_as_it_is_and_gets_what_it_lacks_when_it_is_opened_to_write() {
    let (_folder, path) = place();
    let id =
        RunId { worker: WorkerId::new("LoanWorker").unwrap(), date: BusinessDate(jiff::civil::date(2026, 11, 21)) };
    let event = EventId { topic: "t".to_owned(), partition: 0, offset: 7 };
    open(&path).await.request(&id, "x", Timestamp::UNIX_EPOCH).await.unwrap();
    Connection::open(&path)
        .unwrap()
        .execute_batch(
            "ALTER TABLE runs DROP COLUMN failure;
             ALTER TABLE runs DROP COLUMN nextTryAt;
             ALTER TABLE odd_events DROP COLUMN payloadBytes;
             ALTER TABLE odd_events DROP COLUMN payloadSha256;
             INSERT INTO odd_events (workerId, topic, partition, eventOffset, at, reason, payload)
             VALUES ('LoanWorker', 't', 0, 7, '2026-11-21T00:00:00Z', 'no JSON', '{\u{fffd}');",
        )
        .unwrap();
    for store in [LocalState::open_existing(&path, TTL).await.unwrap().unwrap(), open(&path).await] {
        assert_eq!(store.run(&id).await.unwrap().unwrap().failure, None);
        let kept = store.dead_letter(&key(), &event).await.unwrap().unwrap();
        assert_eq!(kept.payload, Some(Payload::of_text("{\u{fffd}".to_owned())), "the bytes are not known");
        assert_eq!(store.dead_letters(None, 9).await.unwrap().records.len(), 1);
    }
    let columns = "SELECT failure, nextTryAt, payloadBytes, payloadSha256 FROM runs, odd_events";
    Connection::open(&path).unwrap().query_row(columns, [], |_| Ok(())).unwrap();
}
