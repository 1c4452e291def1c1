//! What every ledger promises: a version of a file is told once, with its event in the same write.

use crate::support::state::{at, key, on_each};
use filegen::core::model::data_source::DataSourceId;
use filegen::core::ports::ledger::{Home, ToldFile};
use filegen::core::ports::outbox::{OutboxEntry, OutboxId};

const OWNER: &str = "schedule:discovered";

fn told(id: &str, source: &str, path: &str) -> ToldFile {
    ToldFile {
        id: id.to_owned(),
        source: DataSourceId::new(source).unwrap(),
        path: path.to_owned(),
        size: 3,
        sha256: "ba7816bf".to_owned(),
        stamp: "1".to_owned(),
        modified_at: at(1),
        discovered_at: at(2),
        execution: "s:2026-11-29T00:02:00Z".to_owned(),
    }
}

fn event(file: &ToldFile) -> OutboxEntry {
    let payload = format!("{{\"eventId\":\"{}\"}}", file.id).into_bytes();
    OutboxEntry { id: OutboxId::new(format!("{OWNER}/{}", file.id)), key: file.source.to_string(), payload }
}

#[tokio::test]
async fn a_version_of_a_file_is_told_once_with_its_event() {
    on_each(|state| async move {
        let store = state.store();
        let (a, b, other) = (told("1", "s", "in/a.csv"), told("2", "s", "in/b.csv"), told("3", "t", "in/a.csv"));
        for file in [&a, &b, &other] {
            assert_eq!(store.tell(file, Some(&event(file))).await, Ok(true));
        }
        let moved = ToldFile { stamp: "2".to_owned(), execution: "later".to_owned(), ..a.clone() };
        assert_eq!(state.door(1).tell(&moved, Some(&event(&moved))).await, Ok(false));
        let waiting: Vec<_> = [&a, &b, &other].map(event).to_vec();
        assert_eq!(state.door(1).pending(&key(OWNER)).await.map(|found| found.records), Ok(waiting));
        let source = DataSourceId::new("s").unwrap();
        let mut known = state.door(2).told(&source, "in/a.csv", "in/b.csv").await.unwrap();
        known.sort();
        let pair = |path: &str, stamp: &str| (path.to_owned(), stamp.to_owned());
        assert_eq!(known, [pair("in/a.csv", "2"), pair("in/b.csv", "1")], "the stamp that was seen last");
        assert_eq!(state.door(2).told(&source, "in/b", "in/c").await, Ok(vec![pair("in/b.csv", "1")]));
        store.mark_sent(&event(&a).id, at(9)).await.unwrap();
        assert_eq!(state.door(1).pending(&key(OWNER)).await.unwrap().records.len(), 2);
        // Sent or not, it was told.
        assert_eq!(store.tell(&a, Some(&event(&a))).await, Ok(false));
        assert_eq!((state.door(2).is_told(&a.id).await, store.is_told("9").await), (Ok(true), Ok(false)));
        assert_eq!(state.door(1).pending(&key(OWNER)).await.unwrap().records.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn without_a_topic_nothing_waits() {
    on_each(|state| async move {
        let file = told("1", "s", "a.csv");
        assert_eq!(state.store().tell(&file, None).await, Ok(true));
        assert_eq!(state.store().tell(&file, None).await, Ok(false));
        assert_eq!(state.store().pending(&key(OWNER)).await.map(|found| found.records), Ok(vec![]));
    })
    .await;
}

#[tokio::test]
async fn the_folder_that_was_looked_in_first_stays() {
    on_each(|state| async move {
        let home = |words: &str, place: &str| Home { words: words.to_owned(), place: place.to_owned() };
        let id = |id: &str| DataSourceId::new(id).unwrap();
        let (first, other) = (home("./data/in", "0/in"), home("/data/out", ""));
        assert_eq!(state.store().home(&id("s"), &first).await, Ok(first.clone()));
        assert_eq!(state.door(1).home(&id("s"), &other).await, Ok(first));
        assert_eq!(state.door(1).home(&id("t"), &other).await, Ok(other));
        let doors = (0..8_usize).map(|number| (state.door(number), home(&format!("./{number}"), "")));
        let homes =
            doors.map(|(door, folder)| tokio::spawn(async move { door.home(&id("u"), &folder).await.unwrap() }));
        let homes = futures_util::future::try_join_all(homes).await.unwrap();
        assert!(homes.iter().all(|home| *home == homes[0]), "{homes:?}");
    })
    .await;
}

#[tokio::test]
async fn of_many_that_tell_at_once_one_is_first() {
    on_each(|state| async move {
        let file = told("1", "s", "a.csv");
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..8_usize {
            let (door, file) = (state.door(number), file.clone());
            tasks.spawn(async move { door.tell(&file, Some(&event(&file))).await.unwrap() });
        }
        assert_eq!(tasks.join_all().await.iter().filter(|first| **first).count(), 1);
        assert_eq!(state.store().pending(&key(OWNER)).await.unwrap().records.len(), 1);
    })
    .await;
}
