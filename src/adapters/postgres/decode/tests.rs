//! Rows cut into pages, from bytes made by hand.

use super::*;
use crate::core::model::column::Kind;
use crate::core::model::key::KeyValue;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;

pub(super) fn shape(page_size: usize, page_bytes: u64) -> Shape {
    Shape {
        columns: vec![
            Named { name: "id".to_owned(), kind: Kind::Int },
            Named { name: "name".to_owned(), kind: Kind::Text },
        ],
        wires: vec![Wire::Int, Wire::Text],
        nested: vec![None, None],
        key: vec![("id".to_owned(), 0, Wire::Int)],
        first_mask: 2,
        rank: None,
        masks: 1,
        page_size,
        page_bytes,
    }
}

pub(super) fn row(id: Option<i32>, name: Option<&str>, mask: u8) -> String {
    let id = id.map_or("\\N".to_owned(), |id| id.to_string());
    format!("{id}\t{}\t{mask}\n", name.unwrap_or("\\N"))
}

fn copy(rows: &[String]) -> Vec<u8> {
    rows.concat().into_bytes()
}

#[test]
fn pages_are_cut_by_rows_and_keep_nulls_apart_from_empty_text() {
    let mut data = copy(&[row(Some(1), Some("one"), 1), row(Some(2), None, 0), row(Some(3), Some(""), 1)]);
    let mut cutter = Cutter::new(shape(2, u64::MAX));
    let used = cutter.fill(&mut data).unwrap();
    assert!(cutter.is_full());
    let page = cutter.take().unwrap().unwrap();
    assert_eq!(page.batch.column(0).as_primitive::<Int64Type>().values(), &[1, 2]);
    assert_eq!(page.batch.column(1).as_string::<i32>().iter().collect::<Vec<_>>(), [Some("one"), None]);
    assert_eq!(page.batch.column(2).as_boolean().iter().collect::<Vec<_>>(), [Some(true), Some(false)]);
    assert_eq!((page.first_key.to_string(), page.last_key.to_string()), ("1".to_owned(), "2".to_owned()));
    assert_eq!(used + cutter.fill(&mut data[used..]).unwrap(), data.len());
    let page = cutter.take().unwrap().unwrap();
    assert_eq!(page.batch.column(1).as_string::<i32>().iter().collect::<Vec<_>>(), [Some("")]);
    assert!(cutter.take().unwrap().is_none());
}

#[test]
fn a_page_ends_at_its_bytes_with_at_least_one_row() {
    let wide = "x".repeat(100);
    let mut data = copy(&[row(Some(1), Some(&wide), 1), row(Some(2), Some(&wide), 1)]);
    let mut cutter = Cutter::new(shape(10, 50));
    cutter.fill(&mut data).unwrap();
    assert_eq!(cutter.take().unwrap().unwrap().rows(), 1);
}

#[test]
fn rows_may_be_cut_anywhere() {
    let texts = ["a\tb", "\\N", "é\n\\"];
    let data = copy(&[
        row(Some(1), Some("a\\tb"), 1),
        row(Some(2), Some("\\\\N"), 0),
        row(Some(3), Some("é\\n\\\\"), 0),
        row(Some(4), None, 0),
    ]);
    for size in 1..data.len() {
        let mut cutter = Cutter::new(shape(10, u64::MAX));
        let mut rest = Vec::new();
        for piece in data.chunks(size) {
            rest.extend_from_slice(piece);
            let used = cutter.fill(&mut rest).unwrap();
            rest.drain(..used);
        }
        assert!(rest.is_empty(), "{size}");
        let page = cutter.take().unwrap().unwrap();
        let expected: Vec<_> = texts.into_iter().map(Some).chain([None]).collect();
        assert_eq!(page.batch.column(1).as_string::<i32>().iter().collect::<Vec<_>>(), expected, "{size}");
    }
}

#[test]
fn a_null_or_repeated_key_is_named_even_across_pages() {
    let mut cutter = Cutter::new(shape(1, u64::MAX));
    let mut data = copy(&[row(Some(7), None, 1), row(Some(7), None, 1)]);
    let used = cutter.fill(&mut data).unwrap();
    cutter.take().unwrap();
    let error = cutter.fill(&mut data[used..]).unwrap_err();
    assert!(matches!(&error, SourceError::Key { reason } if reason.contains("key 7 appears twice")), "{error}");
    let error = Cutter::new(shape(1, u64::MAX)).fill(&mut copy(&[row(None, None, 1)])).unwrap_err();
    assert!(matches!(&error, SourceError::Key { reason } if reason.contains("`id` is NULL")), "{error}");
}

#[test]
fn the_row_behind_a_copys_last_is_only_looked_at() {
    let mut cutter = Cutter::new(shape(2, u64::MAX));
    cutter.begin_copy(Some(2));
    let mut data = copy(&[row(Some(1), None, 1), row(Some(2), None, 1), row(Some(3), None, 1)]);
    assert_eq!(cutter.fill(&mut data).unwrap(), data.len());
    assert!(cutter.has_all() && cutter.has_more());
    assert_eq!(cutter.take().unwrap().unwrap().last_key.to_string(), "2");
    cutter.begin_copy(Some(2));
    let mut data = copy(&[row(Some(3), None, 1), row(Some(4), None, 1), row(Some(4), None, 1)]);
    let error = cutter.fill(&mut data).unwrap_err();
    assert!(error.to_string().contains("key 4 appears twice"), "{error}");
}

#[test]
fn a_value_that_cannot_be_carried_names_its_column_and_row() {
    let error = Cutter::new(shape(1, u64::MAX)).fill(&mut b"42\tna\xffme\t1\n".to_vec()).unwrap_err();
    assert!(matches!(&error, SourceError::Value { column, key, .. } if column == "name" && key == "42"), "{error}");
    assert!(error.to_string().contains("at byte 2"), "{error}");
    let error = Cutter::new(shape(1, u64::MAX)).fill(&mut b"42x\tname\t1\n".to_vec()).unwrap_err();
    assert!(error.to_string().contains("`42x` where a number belongs"), "{error}");
}

#[test]
fn what_is_no_row_is_an_error_and_no_panic() {
    for bad in [&b"\n"[..], b"1\t2\n", b"1\t2\t3\t4\n", b"\\\n", b"\xff\n"] {
        let error = Cutter::new(shape(1, u64::MAX)).fill(&mut bad.to_vec()).unwrap_err();
        assert!(error.to_string().contains("another number of columns"), "{error}");
    }
}

#[test]
fn of_several_faults_the_first_row_is_told() {
    let faults = ["2x\tlater\t1\n", "\\N\tlater\t1\n", "1\tlater\t1\n", "1\t2\n", "9\tlat\u{7f}er\t1\n"].map(|row| {
        // No text holds this byte.
        row.bytes().map(|byte| if byte == 0x7f { 0xff } else { byte }).collect::<Vec<_>>()
    });
    let told = |rows: &[&[u8]]| {
        let mut cutter = Cutter::new(shape(10, u64::MAX));
        cutter.fill(&mut rows.concat()).unwrap_err().to_string()
    };
    let good = b"1\tgood\t1\n".as_slice();
    for first in &faults {
        let alone = told(&[good, first]);
        for second in &faults {
            assert_eq!(told(&[good, first, second]), alone);
        }
    }
}

#[test]
fn escapes_are_replaced_in_values_and_keys() {
    let mut shape = shape(2, u64::MAX);
    (shape.wires[0], shape.columns[0].kind, shape.key[0].2) = (Wire::Text, Kind::Text, Wire::Text);
    let mut cutter = Cutter::new(shape);
    let mut data = b"a\\tb\t\\\\N\t1\na\\\\tb\t\xc3\xa9\\n\xc3\xa9\t0\na\\\\tb\tx\t1\n".to_vec();
    let used = cutter.fill(&mut data).unwrap();
    let page = cutter.take().unwrap().unwrap();
    assert_eq!(page.batch.column(0).as_string::<i32>().iter().collect::<Vec<_>>(), [Some("a\tb"), Some("a\\tb")]);
    assert_eq!(page.batch.column(1).as_string::<i32>().iter().collect::<Vec<_>>(), [Some("\\N"), Some("é\né")]);
    let key = |text: &str| Key(vec![KeyValue::Text(text.to_owned())]);
    assert_eq!((page.first_key, page.last_key), (key("a\tb"), key("a\\tb")));
    let error = cutter.fill(&mut data[used..]).unwrap_err();
    assert!(error.to_string().contains("key a\\tb appears twice"), "{error}");
}
