//! The list of runs that are not published, where somebody else has written into it.

use super::{open, place};
use crate::core::model::names::WorkerId;
use crate::core::ports::runs::RunStore;
use rusqlite::Connection;

#[tokio::test]
async fn dates_that_are_no_text_end_no_walk_and_hide_no_run() {
    let (_folder, path) = place();
    let store = open(&path).await;
    let db = Connection::open(&path).unwrap();
    let insert = "INSERT INTO runs (workerId, date, status, requestedBy, requestedAt, lastPage, rows)
        VALUES ('W', CAST(?1 AS TEXT), 'pending', 'x', '2026-11-29T00:00:00Z', 0, 0)";
    for date in ["2026-11-20", "2026-11-21"] {
        db.execute(insert, [date.as_bytes()]).unwrap();
    }
    for number in 0..40_u8 {
        for start in [&b"2026-11-20\xff"[..], b"\x00", b"\xfe", b"1"] {
            db.execute(insert, [[start, &[0x80 + number]].concat()]).unwrap();
        }
    }
    let (mut found, mut odd, mut behind) = (Vec::new(), 0, None);
    for stretches in 0.. {
        assert!(stretches < 30, "it ends: {behind:?}");
        let stretch = store.unpublished(&WorkerId::new("W").unwrap(), behind.as_ref(), 7).await.unwrap();
        assert!(stretch.found.records.len() + stretch.found.odd.len() <= 7);
        odd += stretch.found.odd.len();
        found.extend(stretch.found.records.into_iter().map(|record| record.id.date.to_string()));
        behind = stretch.next;
        if behind.is_none() {
            break;
        }
    }
    assert_eq!((found, odd), (vec!["2026-11-20".to_owned(), "2026-11-21".to_owned()], 160));
}

#[tokio::test]
async fn long_texts_of_others_make_no_stretch_long_and_hide_no_run() {
    let (_folder, path) = place();
    let store = open(&path).await;
    let db = Connection::open(&path).unwrap();
    let insert = "INSERT INTO runs (workerId, date, status, requestedBy, requestedAt, lastPage, rows, error)
        VALUES ('W', ?1, 'failed', ?2, '2026-11-29T00:00:00Z', 0, 0, ?3)";
    let long = "e".repeat(6 << 20);
    for day in 1..=9 {
        db.execute(insert, (format!("2026-10-0{day}"), "x", &long)).unwrap();
    }
    db.execute(insert, ("2026-11-01", &long, "")).unwrap();
    db.execute(insert, ("2026-11-02", "x", "short")).unwrap();
    let (mut stretches, mut behind, mut odd) = (0, None, Vec::new());
    let mut found = Vec::new();
    loop {
        let stretch = store.unpublished(&WorkerId::new("W").unwrap(), behind.as_ref(), 256).await.unwrap();
        assert!(stretch.found.records.len() <= 3, "as many as come to 16 MiB");
        found.extend(stretch.found.records);
        odd.extend(stretch.found.odd);
        (stretches, behind) = (stretches + 1, stretch.next);
        if behind.is_none() {
            break;
        }
    }
    assert!(stretches >= 4 && found.len() == 10, "{stretches} stretches, {} runs", found.len());
    assert!(found.iter().all(|record| record.error.as_ref().is_some_and(|error| error.len() <= 64 << 10)));
    assert!(odd.len() == 1 && odd[0].reason.contains("requestedBy is longer than 1 MiB"), "{odd:?}");
}
