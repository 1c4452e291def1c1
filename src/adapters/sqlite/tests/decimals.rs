//! Decimals, which SQLite keeps as whole numbers, text or floats.

use super::*;
use arrow_array::types::Decimal128Type;

/// A column of decimals as text, whichever kind it has.
async fn decimals(source: &SqliteSource, name: &str) -> (Vec<String>, Kind) {
    let (pages, columns) = read(source, &query(&["id"], &[name])).await.unwrap();
    let mut texts = Vec::new();
    for page in &pages {
        let array = page.batch.column(0);
        texts.extend((0..array.len()).map(|row| match array.as_string_opt::<i32>() {
            Some(text) => text.value(row).to_owned(),
            None => array.as_primitive::<Decimal128Type>().value_as_string(row),
        }));
    }
    (texts, columns[0].kind)
}

#[tokio::test]
async fn decimals_are_those_that_people_see() {
    let (_folder, source) = database(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, c DECIMAL(12,2), d DECIMAL(20,2), m MONEY, s DECIMAL TEXT(38,4));
         INSERT INTO t VALUES (1, 150.5, 0.1, 0.1, '0.1'), (3, -7, -7, -7, '-7'), (4, 0.29, 0.29, NULL, '1e3'),
                              (2, -0.05, 1234567890123.45, 12.50, '9999999999999999999999999999999999.9999');
         CREATE VIEW v AS SELECT * FROM t;",
    );
    let texts = |list: [&str; 4]| list.map(str::to_owned).to_vec();
    let (found, kind) = decimals(&source, "c").await;
    assert_eq!((found, kind), (texts(["150.50", "-0.05", "-7.00", "0.29"]), Kind::Decimal { precision: 12, scale: 2 }));
    let (found, kind) = decimals(&source, "d").await;
    let wide = Kind::DecimalText { precision: 20, scale: 2 };
    assert_eq!((found, kind), (texts(["0.10", "1234567890123.45", "-7.00", "0.29"]), wide));
    let (found, _) = decimals(&source, "s").await;
    assert_eq!(found, ["0.1000", "9999999999999999999999999999999999.9999", "-7.0000", "1000.0000"]);
    assert_eq!(read(&source, &query(&["id"], &["m"])).await.unwrap().1[0].kind, Kind::Number);
}

#[tokio::test]
async fn no_digit_is_made_up_for_a_float_that_may_have_lost_some() {
    let (_folder, source) = database(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, d DECIMAL(38,10));
         INSERT INTO t VALUES (1, 831935287882.7045830593), (2, 1.5), (3, 450359.9627370495), (4, 450359.9627370496),
                              (5, -831935287882.5), (6, 5);
         CREATE VIEW v AS SELECT * FROM t;",
    );
    let (found, _) = decimals(&source, "d").await;
    assert_eq!(
        found,
        [
            "831935287882.7046",
            "1.5000000000",
            "450359.9627370495",
            "450359.9627370496",
            "-831935287882.5",
            "5.0000000000"
        ]
    );
}

#[tokio::test]
async fn floats_in_decimal_columns_are_told_with_a_row() {
    let (_folder, source) = database(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, lossy DECIMAL(38,10), fine NUMERIC(12,2), kept DECIMAL TEXT(38,10), whole NUMERIC(9,2),
                         f REAL);
         INSERT INTO t VALUES (1, 1.5, 3, '0.1', 3, 1e300), (7, 831935287882.7045830593, 150.5, '0.2', 4, 0.1);
         CREATE VIEW v AS SELECT * FROM t;",
    );
    let asked = query(&["id"], &["id", "lossy", "fine", "kept", "whole", "f"]);
    let doubts = source.doubts(&asked).await.unwrap();
    let [lossy, fine] = doubts.as_slice() else { panic!("{doubts:?}") };
    assert!(
        lossy.verdict == CheckVerdict::Warn && lossy.detail.contains("`lossy` is declared DECIMAL(38,10)"),
        "{lossy:?}"
    );
    assert!(lossy.detail.contains("831935287882.7046 in the row with key 7"), "{lossy:?}");
    assert!(fine.verdict == CheckVerdict::Pass && fine.detail.contains("150.5 in the row with key 7"), "{fine:?}");
}
