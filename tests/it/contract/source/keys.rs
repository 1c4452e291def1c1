//! Keys: resuming behind any of them, and those that a run must not be given.

use super::{KEYSET, after, firsts, query, read, rest, view};
use crate::support::source::{Row, SqlType, Value, worlds};
use filegen::core::model::query::Fetch;
use filegen::core::ports::source::{Position, Query, SourceError};
use std::num::NonZeroU32;

#[tokio::test]
async fn every_sort_of_key_resumes_where_it_stopped() {
    let keys: [(SqlType, &[&str]); 6] = [
        (SqlType::Text, &["", " ", "'", "A", "O'Neill", "a\\b", "b", "ä", "日本"]),
        (SqlType::Int, &["-9223372036854775808", "-1", "0", "2", "1000000000000", "9223372036854775807"]),
        (SqlType::Decimal(12, 2), &["-1000.50", "-0.01", "0.00", "0.10", "9.99", "10.00", "9999999999.99"]),
        (SqlType::Date, &["0001-01-01", "1582-10-04", "1999-12-31", "2026-11-21"]),
        (
            SqlType::Uuid,
            &[
                "00000000-0000-0000-0000-000000000001",
                "7f000000-0000-0000-0000-00000000000a",
                "ffffffff-ffff-ffff-ffff-ffffffffffff",
            ],
        ),
        (
            SqlType::Timestamp(6),
            &["1969-12-31 23:59:59.999999", "2026-11-21 10:30:00.000001", "2026-11-21 10:30:00.000002"],
        ),
    ];
    for world in worlds().await {
        for (index, (of, values)) in keys.iter().enumerate() {
            let (source, view) = (world.source(), view(&format!("v{index}")));
            let value = |text: &str| match of {
                SqlType::Int => Value::Int(text.parse().unwrap()),
                _ => text.into(),
            };
            let values: Vec<&str> =
                values.iter().copied().filter(|text| *text != " " || world.blanks_count()).collect();
            let rows: Vec<Row> = values
                .iter()
                .rev()
                .enumerate()
                .map(|(at, text)| vec![Value::Int(i64::try_from(at).unwrap()), value(text)])
                .collect();
            world.create(&view, &[("n", SqlType::Int), ("k", *of)], &rows).await;
            for fetch in KEYSET {
                let what = format!("{} {of:?} {fetch:?}", world.name());
                let query = Query { fetch, page_size: NonZeroU32::MIN, ..query(&view, &["k"], &["n"]) };
                let pages = read(&*source, &query, &Position::default()).await.unwrap();
                let whole = firsts(&pages);
                assert_eq!(whole.len(), values.len(), "{what}");
                if *of != SqlType::Text {
                    // Text is for the database's collation to order.
                    assert!(
                        whole.iter().rev().eq(&{
                            let mut n = whole.clone();
                            n.sort();
                            n
                        }),
                        "{what}: {whole:?}"
                    );
                }
                for (at, page) in pages.iter().enumerate() {
                    assert_eq!(page.first_key, page.last_key, "{what}");
                    let tail = read(&*source, &query, &after(&page.last_key)).await.unwrap();
                    assert_eq!(firsts(&tail), whole[at + 1..], "{what} behind {}", page.last_key);
                    let mut upto = source.open(&query, &Position::default(), Some(&page.last_key)).await.unwrap();
                    assert_eq!(
                        firsts(&rest(&mut *upto).await.unwrap()),
                        whole[..=at],
                        "{what} up to {}",
                        page.last_key
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn a_composite_key_is_compared_as_a_whole() {
    for world in worlds().await {
        let (source, view) = (world.source(), view("v"));
        let rows: Vec<Row> = (0..4)
            .flat_map(|a| {
                (0..3).map(move |b| vec![Value::Int(a * 10 + b), Value::Text(format!("k{a}")), Value::Int(b)])
            })
            .collect();
        world.create(&view, &[("id", SqlType::Int), ("a", SqlType::Text), ("b", SqlType::Int)], &rows).await;
        for fetch in KEYSET {
            let query = Query { fetch, page_size: NonZeroU32::MIN, ..query(&view, &["a", "b"], &["id"]) };
            let pages = read(&*source, &query, &Position::default()).await.unwrap();
            let whole = firsts(&pages);
            for (from, until) in [(0, 11), (2, 5), (4, 4), (5, 9)] {
                let (from_key, until_key) = (after(&pages[from].last_key), &pages[until].last_key);
                let mut stream = source.open(&query, &from_key, Some(until_key)).await.unwrap();
                assert_eq!(firsts(&rest(&mut *stream).await.unwrap()), whole[from + 1..=until], "{}", world.name());
            }
        }
    }
}

#[tokio::test]
async fn a_null_key_ends_the_run() {
    for world in worlds().await {
        let view = [view("first"), view("second")];
        let columns = [("a", SqlType::Int), ("b", SqlType::Text)];
        let good = (1..8).map(|at| vec![Value::Int(at), "x".into()]);
        world
            .create(&view[0], &columns, &good.clone().chain([vec![Value::Null, "x".into()]]).collect::<Vec<_>>())
            .await;
        world.create(&view[1], &columns, &good.chain([vec![Value::Int(8), Value::Null]]).collect::<Vec<_>>()).await;
        for view in &view {
            for fetch in KEYSET {
                let query = Query { fetch, ..query(view, &["a", "b"], &["a"]) };
                let counted = world.source().extent(&query).await;
                assert!(
                    matches!(counted, Err(SourceError::Key { .. })),
                    "{} {fetch:?} {view}: {counted:?}",
                    world.name()
                );
                let read = read(&*world.source(), &query, &Position::default()).await.map(|pages| firsts(&pages));
                // A database that sorts NULL last may leave such rows out of a page by page read.
                let ids: Vec<String> = (1..9).map(|id| id.to_string()).collect();
                let unharmed = read.as_ref().is_ok_and(|read| ids.starts_with(read));
                let refused = matches!(read, Err(SourceError::Key { .. }));
                assert!(refused || unharmed, "{} {fetch:?} {view}: {read:?}", world.name());
            }
        }
    }
}

#[tokio::test]
async fn a_key_that_comes_twice_ends_the_run() {
    for world in worlds().await {
        for double in 0..7 {
            let (source, view) = (world.source(), view(&format!("v{double}")));
            let rows: Vec<Row> =
                (0..7).chain([double]).map(|at| vec![Value::Int(at), Value::Text(format!("t{at}"))]).collect();
            world.create(&view, &[("id", SqlType::Int), ("t", SqlType::Text)], &rows).await;
            for (fetch, key) in
                KEYSET.into_iter().flat_map(|fetch| [&["id"][..], &["t"], &["t", "id"]].map(|key| (fetch, key)))
            {
                let query = Query { fetch, ..query(&view, key, &["id"]) };
                let outcome = read(&*source, &query, &Position::default()).await.map(|pages| firsts(&pages));
                let Err(SourceError::Key { reason }) = &outcome else {
                    panic!("{} {fetch:?} {key:?} {double}: {outcome:?}", world.name())
                };
                assert!(reason.contains(&double.to_string()), "{}: {reason}", world.name());
            }
        }
    }
}

#[tokio::test]
async fn keys_that_the_database_holds_equal_end_the_run_wherever_a_page_ends() {
    for world in worlds().await {
        for (number, (declared, values)) in world.equals().iter().enumerate() {
            for (order, [one, other]) in [*values, [values[1], values[0]]].into_iter().enumerate() {
                let (source, view) = (world.source(), view(&format!("v{number}{order}")));
                let columns = [("id", SqlType::Int), ("k", SqlType::Declared(declared)), ("n", SqlType::Int)];
                let row = |id: i64, k: &str| vec![Value::Int(id), k.into(), Value::Int(7)];
                world.create(&view, &columns, &[row(1, one), row(2, other)]).await;
                for (fetch, key) in
                    KEYSET.into_iter().flat_map(|fetch| [&["k"][..], &["n", "k"]].map(|key| (fetch, key)))
                {
                    for size in [1, 2, 9] {
                        let page_size = NonZeroU32::new(size).unwrap();
                        let query = Query { fetch, page_size, ..query(&view, key, &["id"]) };
                        let outcome = read(&*source, &query, &Position::default()).await.map(|pages| firsts(&pages));
                        let what = format!("{} {declared} {fetch:?} {key:?} {size}", world.name());
                        assert!(matches!(outcome, Err(SourceError::Key { .. })), "{what}: {outcome:?}");
                    }
                    // Told apart by a further column, they are two keys.
                    let query = Query { fetch, page_size: NonZeroU32::MIN, ..query(&view, &["k", "id"], &["id"]) };
                    let pages = read(&*source, &query, &Position::default()).await.unwrap();
                    assert_eq!(firsts(&pages), ["1", "2"], "{} {declared} {fetch:?}", world.name());
                }
            }
        }
    }
}

#[tokio::test]
async fn rows_that_come_and_go_never_double_a_key_nor_lose_one_that_stayed() {
    for world in worlds().await {
        for fetch in KEYSET {
            let (source, view) = (world.source(), view(if fetch == Fetch::Paged { "p" } else { "s" }));
            let row = |id: i64| vec![Value::Int(id)];
            world.create(&view, &[("id", SqlType::Int)], &(0..60).map(|at| row(at * 10)).collect::<Vec<_>>()).await;
            let query = Query { fetch, ..query(&view, &["id"], &["id"]) };
            let mut stream = source.open(&query, &Position::default(), None).await.unwrap();
            let mut ids: Vec<i64> = Vec::new();
            let mut round = 0;
            while let Some(page) = stream.next().await.unwrap() {
                ids.extend(firsts(&[page]).iter().map(|id| id.parse::<i64>().unwrap()));
                // Behind the position, ahead of it, and gone ahead of it.
                world.insert(&view, &[row(round * 10 + 1), row(590 - round * 10 + 3)]).await;
                world.delete(&view, &Value::Int(580 - round * 20)).await;
                round += 1;
            }
            assert!(ids.is_sorted_by(|a, b| a < b), "{} {fetch:?}: {ids:?}", world.name());
            let stayed = (0..60).map(|at| at * 10).filter(|id| !(0..round).any(|round| 580 - round * 20 == *id));
            for id in stayed {
                assert!(ids.contains(&id), "{} {fetch:?}: {id} was there all the time", world.name());
            }
            if fetch == Fetch::Stream {
                assert_eq!(
                    ids,
                    (0..60).map(|at| at * 10).collect::<Vec<_>>(),
                    "{}: a stream is one point in time",
                    world.name()
                );
            }
        }
    }
}

#[tokio::test]
async fn what_is_counted_behind_a_read_is_what_is_there_then() {
    for world in worlds().await {
        let (source, view) = (world.source(), view("v"));
        let row = |id: i64| vec![Value::Int(id)];
        world.create(&view, &[("id", SqlType::Int)], &[row(1), row(2)]).await;
        let asked = query(&view, &["id"], &["id"]);
        for added in 3..6_u64 {
            let before = source.extent(&asked).await.unwrap();
            let last = before.range.as_ref().map(|(_, last)| last);
            let same = source.extent_after(&asked, last).await.unwrap();
            assert_eq!((same.within, &same.extent), (before.rows, &before), "{}", world.name());
            let before = source.extent(&asked).await.unwrap();
            world.insert(&view, &[row(added.cast_signed())]).await;
            let after = source.extent_after(&asked, last).await.unwrap();
            assert_eq!((before.rows, after.extent.rows), (added - 1, added), "{}", world.name());
            assert_eq!(after.within, before.rows, "{}: what came behind the range is none of the run's", world.name());
            assert_ne!(before.range, after.extent.range, "{}", world.name());
        }
        let other = Query { predicates: vec!["id > 4".into()], ..asked.clone() };
        source.extent(&asked).await.unwrap();
        assert_eq!(source.extent_after(&other, None).await.unwrap().extent.matching, [1], "{}", world.name());
    }
}

#[tokio::test]
async fn text_may_hold_nul() {
    for world in worlds().await.into_iter().filter(|world| world.nul_in_text()) {
        let (source, view) = (world.source(), view("v"));
        world
            .create(&view, &[("k", SqlType::Text)], &[vec!["a\0b".into()], vec!["a\0c".into()], vec!["a".into()]])
            .await;
        for fetch in KEYSET {
            let query = Query { fetch, page_size: NonZeroU32::MIN, ..query(&view, &["k"], &["k"]) };
            let pages = read(&*source, &query, &Position::default()).await.unwrap();
            assert_eq!(firsts(&pages), ["a", "a\0b", "a\0c"], "{}", world.name());
            let tail = read(&*source, &query, &after(&pages[1].last_key)).await.unwrap();
            assert_eq!(firsts(&tail), ["a\0c"], "{}", world.name());
        }
    }
}
