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
