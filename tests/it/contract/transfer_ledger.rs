//! What every ledger of transfers promises: a version is claimed by one process at a time, and what is written stands.

use crate::support::mongo::Database;
use filegen::adapters::local_state::LocalState;
use filegen::adapters::memory::transfers::MemoryTransfers;
use filegen::core::model::transfer::{FileRecord, FileState, Side};
use filegen::core::ports::store::Found;
use filegen::core::ports::transfer_ledger::{Claim, Entry, Place, Total, TransferLedger, Wanted};
use futures_util::future::BoxFuture;
use jiff::{Timestamp, ToSpan};
use mongodb::bson::{Bson, Document, doc};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_796_000_000 + second).unwrap()
}

pub(crate) fn record(side: Side, id: &str, path: &str, second: i64) -> FileRecord {
    FileRecord {
        transfer: "sales".to_owned(),
        side,
        id: id.to_owned(),
        state: FileState::Seen,
        path: path.to_owned(),
        source: "api".to_owned(),
        size: 3,
        sha256: "ba7816bf".to_owned(),
        modified_at: at(0),
        stamp: "1".to_owned(),
        durable: 0,
        made: None,
        writers: Vec::new(),
        upload: None,
        tries: 0,
        place: None,
        failure: None,
        trace: None,
        seen_at: at(second),
        changed_at: at(second),
    }
}

/// Two doors of one ledger, as two processes have them.
pub(crate) async fn on_each<F: Future<Output = ()>>(run: impl Fn([Arc<dyn TransferLedger>; 2]) -> F) {
    let memory = MemoryTransfers::default();
    run([Arc::new(memory.clone()), Arc::new(memory)]).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let open = || LocalState::open(&path, Duration::from_mins(4));
    let doors = [Arc::new(open().await.unwrap()) as Arc<dyn TransferLedger>, Arc::new(open().await.unwrap())];
    run(doors).await;
    let database = Database::new();
    run([Arc::new(database.open().await), Arc::new(database.open().await)]).await;
}

#[tokio::test]
async fn a_version_is_one_process_s_until_its_claim_ends() {
    on_each(|[one, two]| async move {
        let (a, b) = (one.join("a").await.unwrap(), two.join("b").await.unwrap());
        assert_ne!(a.name, b.name);
        let file = record(Side::Collect, "1", "x.csv", 0);
        assert_eq!(one.claim(&file, &a, at(0), at(10)).await, Ok(Claim::Yours(file.clone())));
        assert_eq!(two.claim(&file, &b, at(9), at(19)).await, Ok(Claim::Held { by: "a".to_owned() }));
        assert_eq!(one.claim(&file, &a, at(9), at(12)).await, Ok(Claim::Yours(file.clone())), "again");
        let sending = FileRecord { state: FileState::Sending, durable: 7, changed_at: at(1), ..file.clone() };
        assert_eq!(two.advance(&sending, &b, None).await, Ok(false), "not its own");
        assert_eq!(one.advance(&sending, &a, Some(at(15))).await, Ok(true));
        assert_eq!(two.claim(&file, &b, at(14), at(19)).await, Ok(Claim::Held { by: "a".to_owned() }));
        // The claim has ended: whoever comes next goes on where the record stands.
        assert_eq!(two.claim(&file, &b, at(16), at(30)).await, Ok(Claim::Yours(sending.clone())));
        let sent = FileRecord { state: FileState::Sent, ..sending.clone() };
        assert_eq!(one.advance(&sent, &a, None).await, Ok(false), "the one before changes nothing");
        assert_eq!(one.find("sales", Side::Collect, "1").await, Ok(Some(Entry::Record(Box::new(sending.clone())))));
        assert_eq!(two.advance(&sent, &b, None).await, Ok(true));
        assert_eq!(two.advance(&sent, &b, None).await, Ok(false), "the claim was given back");
        assert_eq!(one.claim(&file, &a, at(17), at(30)).await, Ok(Claim::Yours(sent)));
        assert_eq!(one.find("sales", Side::Deliver, "1").await, Ok(None));
        assert_eq!(one.find("other", Side::Collect, "1").await, Ok(None));
    })
    .await;
}

#[tokio::test]
async fn what_a_process_that_ended_had_claimed_is_free_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let open = || LocalState::open(&path, Duration::from_mins(4));
    let file = record(Side::Deliver, "1", "x.csv", 0);
    let far = at(0).checked_add(100.hours()).unwrap();
    {
        let gone = open().await.unwrap();
        let holder = gone.join("gone").await.unwrap();
        gone.claim(&file, &holder, at(0), far).await.unwrap();
        let other = open().await.unwrap();
        let next = other.join("next").await.unwrap();
        assert!(matches!(other.claim(&file, &next, at(1), far).await, Ok(Claim::Held { .. })));
    }
    let other = open().await.unwrap();
    let next = other.join("next").await.unwrap();
    assert!(matches!(other.claim(&file, &next, at(1), far).await, Ok(Claim::Yours(_))));
}

#[tokio::test]
async fn records_are_found_by_path_state_and_time_and_each_step_is_kept() {
    on_each(|[one, two]| async move {
        let a = one.join("a").await.unwrap();
        for (id, path, second) in [("1", "x", 1), ("2", "x", 2), ("3", "y", 3)] {
            let file = record(Side::Collect, id, path, second);
            one.claim(&file, &a, at(0), at(99)).await.unwrap();
        }
        let delivered = FileRecord { state: FileState::Delivered, ..record(Side::Deliver, "1", "x", 4) };
        one.claim(&delivered, &a, at(0), at(99)).await.unwrap();
        let known = two.known("sales", vec!["x".to_owned(), "z".to_owned(), "y".to_owned()]).await.unwrap();
        let pairs: Vec<(&str, &str)> = known.iter().map(|file| (file.path.as_str(), file.id.as_str())).collect();
        assert_eq!(pairs, [("x", "2"), ("y", "3")]);
        let ids = |found: Found<FileRecord>| found.records.into_iter().map(|record| record.id).collect::<Vec<_>>();
        let wanted = |side, states, since, limit| Wanted { side, states, since, limit, ..Wanted::default() };
        let door = &one;
        let asked = |wanted: Wanted| async move { ids(door.records("sales", &wanted).await.unwrap()) };
        assert_eq!(asked(wanted(None, Vec::new(), None, 3)).await, ["1", "3", "2"]);
        assert_eq!(asked(wanted(Some(Side::Collect), vec![FileState::Seen], Some(at(2)), 9)).await, ["3", "2"]);
        assert_eq!(asked(wanted(Some(Side::Collect), vec![FileState::Sent], None, 9)).await, Vec::<String>::new());
        let counts = two.counts("sales").await.unwrap();
        let rows: Vec<_> = counts.iter().map(|count| (count.side, count.state, count.files, count.bytes)).collect();
        assert_eq!(rows, [(Side::Collect, FileState::Seen, 3, 9), (Side::Deliver, FileState::Delivered, 1, 3)]);
        assert_eq!(counts[0].oldest, at(1));
        let again = FileRecord { state: FileState::Sending, changed_at: at(5), ..record(Side::Collect, "1", "x", 1) };
        assert_eq!(one.advance(&again, &a, None).await, Ok(true));
        let steps = two.steps("sales", "1").await.unwrap();
        let steps: Vec<_> = steps.iter().map(|step| (step.side, step.state, step.by.as_str())).collect();
        let wanted = [
            (Side::Collect, FileState::Seen, "a"),
            (Side::Deliver, FileState::Delivered, "a"),
            (Side::Collect, FileState::Sending, "a"),
        ];
        assert_eq!(steps, wanted);
        let three = record(Side::Collect, "3", "y", 3);
        assert_eq!(one.forget(&three, &a).await, Ok(true));
        assert_eq!(one.forget(&three, &a).await, Ok(false));
        assert_eq!(one.find("sales", Side::Collect, "3").await, Ok(None));
    })
    .await;
}

#[tokio::test]
async fn lists_come_in_pages_and_are_asked_for_by_the_beginning_of_an_id() {
    on_each(|[one, two]| async move {
        let a = one.join("a").await.unwrap();
        // Several of one time, so that a page may end among them.
        for number in 0..23_i64 {
            let id = format!("{}{number:02}", if number % 2 == 0 { "a" } else { "b" });
            let file = record(Side::Deliver, &id, &format!("p{number}"), number / 5);
            one.claim(&file, &a, at(0), at(99)).await.unwrap();
            one.claim(&FileRecord { side: Side::Collect, ..file }, &a, at(0), at(99)).await.unwrap();
        }
        let ids = |found: &Found<FileRecord>| found.records.iter().map(|it| it.id.clone()).collect::<Vec<_>>();
        let all = Wanted::of(Side::Deliver, FileState::Seen, 99);
        let whole = ids(&two.records("sales", &all).await.unwrap());
        assert_eq!(whole.len(), 23);
        let (mut pages, mut wanted) = (Vec::new(), Wanted { limit: 4, ..all.clone() });
        loop {
            let page = two.records("sales", &wanted).await.unwrap();
            pages.extend(ids(&page));
            let Some(last) = page.records.last() else { break };
            wanted.behind = Some(Place::of(last));
        }
        assert_eq!(pages, whole);
        let begun = Wanted { id: Some("b0".to_owned()), limit: 99, ..Wanted::default() };
        let found = ids(&two.records("sales", &begun).await.unwrap());
        assert_eq!(found, ["b05", "b05", "b07", "b07", "b09", "b09", "b01", "b01", "b03", "b03"]);
        assert_eq!(two.total("sales", &begun).await, Ok(Total { files: 10, bytes: 30 }));
        let late = Wanted { since: Some(at(4)), ..Wanted::of(Side::Collect, FileState::Seen, 0) };
        assert_eq!(two.total("sales", &late).await, Ok(Total { files: 3, bytes: 9 }));
        assert_eq!(two.total("other", &late).await, Ok(Total::default()));
    })
    .await;
}

#[tokio::test]
async fn of_two_that_claim_one_version_at_once_one_has_it() {
    on_each(|doors| async move {
        let holders = [doors[0].join("a").await.unwrap(), doors[1].join("b").await.unwrap()];
        for number in 0..50 {
            let (file, mut all) = (record(Side::Collect, &number.to_string(), "x", 0), JoinSet::new());
            for (door, holder) in doors.iter().cloned().zip(holders.clone()) {
                let file = file.clone();
                all.spawn(async move {
                    let claim = door.claim(&file, &holder, at(0), at(50)).await.unwrap();
                    (claim, holder, door)
                });
            }
            let all = all.join_all().await;
            let (won, lost): (Vec<_>, Vec<_>) = all.into_iter().partition(|it| matches!(it.0, Claim::Yours(_)));
            assert_eq!(won.len(), 1, "{:?}", won.iter().map(|it| &it.1).collect::<Vec<_>>());
            let sent = FileRecord { state: FileState::Sent, ..file };
            for (_, holder, door) in &lost {
                assert_eq!(door.advance(&sent, holder, None).await, Ok(false));
                assert_eq!(door.forget(&sent, holder).await, Ok(false));
            }
            assert_eq!(won[0].2.advance(&sent, &won[0].1, None).await, Ok(true));
        }
    })
    .await;
}

/// Spoils a version's record: how, side and id.
type Spoil = Box<dyn Fn(&str, Side, &str) -> BoxFuture<'static, ()>>;

/// A door, and a way to spoil the record of a version as somebody else would: how, side and id.
struct Spoilt {
    door: Arc<dyn TransferLedger>,
    spoil: Spoil,
}

/// What somebody may have done to a row; the memory's knows only that it is odd.
const SPOILT: [&str; 12] = [
    "record = '{}'",
    "record = 'no JSON'",
    "record = replace(record, '\"seen\"', '\"zzz\"')",
    "record = replace(record, '\"size\":3', '\"size\":-3')",
    "record = replace(record, '\"size\":3', '\"size\":18446744073709551615')",
    "record = replace(record, '\"source\"', '\"origin\"')",
    "record = replace(record, '}', ',\"x\":\"' || hex(zeroblob(600000)) || '\"}')",
    "path = 'other'",
    "size = -1",
    "size = 9223372036854775807",
    "seenAt = 'never'",
    "stamp = 'other'",
];

/// The same of a document. A number instead of a text takes it away.
fn spoilt_documents() -> Vec<Document> {
    let long = "x".repeat(1 << 20);
    vec![
        doc! { "$unset": { "size": 1 } },
        doc! { "$set": { "size": -3_i64 } },
        doc! { "$set": { "size": "3" } },
        doc! { "$rename": { "source": "origin" } },
        doc! { "$set": { "stamp": long } },
        doc! { "$set": { "path": 7 } },
        doc! { "$set": { "seenAt": "never" } },
        doc! { "$set": { "changedAt": Bson::Null } },
        doc! { "$set": { "holder": 7 } },
        doc! { "$set": { "heldUntil": "never" } },
        doc! { "$set": { "failure": { "kind": "refused" } } },
    ]
}

async fn spoil_document(database: mongodb::Database, how: Document, side: Side, id: String) {
    let key = doc! { "_id": format!("sales:{}:{id}", side.as_str()) };
    let done = database.collection::<Document>("TransferFile").update_one(key, how).await.unwrap();
    assert_eq!(done.modified_count, 1);
}

async fn on_each_spoilt<F: Future<Output = ()>>(
    how: &[&str],
    documents: Vec<Document>,
    run: impl Fn(Spoilt, String) -> F,
) {
    for how in documents {
        let database = Database::new();
        let (door, client, told) = (Arc::new(database.open().await), database.client().await, format!("{how:.200}"));
        let spoil = move |_: &str, side: Side, id: &str| -> BoxFuture<'static, ()> {
            Box::pin(spoil_document(client.clone(), how.clone(), side, id.to_owned()))
        };
        run(Spoilt { door, spoil: Box::new(spoil) }, told).await;
    }
    let memory = MemoryTransfers::default();
    let spoilt = memory.clone();
    let spoil = move |_: &str, side, id: &str| -> BoxFuture<'static, ()> {
        spoilt.spoil("sales", side, id, "spoilt");
        Box::pin(async {})
    };
    run(Spoilt { door: Arc::new(memory), spoil: Box::new(spoil) }, "memory".to_owned()).await;
    for how in how {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let door = Arc::new(LocalState::open(&path, Duration::from_mins(4)).await.unwrap());
        let spoil = move |how: &str, side: Side, id: &str| -> BoxFuture<'static, ()> {
            let sql = format!("UPDATE TransferFile SET {how} WHERE side = ?1 AND id = ?2");
            let changed = rusqlite::Connection::open(&path).unwrap().execute(&sql, (side.as_str(), id)).unwrap();
            assert_eq!(changed, 1);
            Box::pin(async {})
        };
        run(Spoilt { door, spoil: Box::new(spoil) }, (*how).to_owned()).await;
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_told_takes_no_claim_and_hides_no_other() {
    on_each_spoilt(&SPOILT, spoilt_documents(), |Spoilt { door, spoil }, how| async move {
        let holder = door.join("a").await.unwrap();
        for (id, path, second) in [("1", "x", 1), ("2", "y", 2), ("3", "z", 3)] {
            let file = record(Side::Collect, id, path, second);
            door.claim(&file, &holder, at(0), at(9)).await.unwrap();
        }
        spoil(&how, Side::Collect, "2").await;
        assert!(matches!(door.find("sales", Side::Collect, "2").await, Ok(Some(Entry::Odd(_)))), "{how}");
        let again = door.claim(&record(Side::Collect, "2", "y", 2), &holder, at(1), at(9)).await;
        assert!(matches!(again, Ok(Claim::Odd { .. })), "{how}: {again:?}");
        let all = door.records("sales", &Wanted { limit: 9, ..Wanted::default() }).await.unwrap();
        let ids: Vec<&str> = all.records.iter().map(|record| record.id.as_str()).collect();
        assert_eq!((ids, all.odd.len(), all.odd[0].id.as_str()), (vec!["3", "1"], 1, "collect 2"), "{how}");
        // A limit counts those that can be read.
        let two = door.records("sales", &Wanted { limit: 2, ..Wanted::default() }).await.unwrap();
        assert_eq!(two.records.len(), 2, "{how}");
        assert!(door.counts("sales").await.is_ok(), "{how}");
        assert!(door.known("sales", vec!["x".to_owned(), "y".to_owned(), "z".to_owned()]).await.is_ok(), "{how}");
        let sent = FileRecord { state: FileState::Sent, changed_at: at(4), ..record(Side::Collect, "3", "z", 3) };
        assert_eq!(door.advance(&sent, &holder, None).await, Ok(true), "{how}: others go on");
    })
    .await;
}

#[tokio::test]
async fn a_state_that_nobody_knows_is_told_by_the_path_and_by_the_counts() {
    let document = doc! { "$set": { "state": "zzz" } };
    on_each_spoilt(&["state = 'zzz'"], vec![document], |Spoilt { door, spoil }, how| async move {
        let holder = door.join("a").await.unwrap();
        let file = record(Side::Collect, "1", "x", 1);
        door.claim(&file, &holder, at(0), at(9)).await.unwrap();
        door.claim(&record(Side::Collect, "2", "y", 1), &holder, at(0), at(9)).await.unwrap();
        spoil(&how, Side::Collect, "1").await;
        let known = door.known("sales", vec!["x".to_owned(), "y".to_owned()]).await.unwrap();
        assert_eq!((known.len(), known[0].state.is_err(), known[1].state.clone()), (2, true, Ok(FileState::Seen)));
        let strange = door.strange("sales").await.unwrap();
        assert_eq!((strange.len(), strange[0].id.as_str()), (1, "collect 1"));
        assert!(door.counts("sales").await.is_ok());
        assert!(matches!(door.claim(&file, &holder, at(1), at(9)).await, Ok(Claim::Odd { .. })));
    })
    .await;
}
