//! SQL Server's orders, as SQLite collations.

use super::moment::Moment;
use super::values::{guid_bytes, scaled};
use rusqlite::Connection;
use std::cmp::Ordering;

/// Adds them to a connection.
pub fn install(db: &Connection) -> rusqlite::Result<()> {
    db.create_collation("sql_ci", |a, b| fold(a).cmp(&fold(b)))?;
    db.create_collation("sql_ci_ai", |a, b| fold(&bare(a)).cmp(&fold(&bare(b))))?;
    db.create_collation("sql_bin", |a, b| a.trim_end_matches(' ').cmp(b.trim_end_matches(' ')))?;
    db.create_collation("sql_decimal", |a, b| by(a, b, |text| scaled(text, 10).or_else(|| scaled(text, 0))))?;
    db.create_collation("sql_time", |a, b| by(a, b, |text| Moment::parse(text).map(|moment| moment.instant())))?;
    db.create_collation("sql_guid", |a, b| by(a, b, guid_order))
}

/// Case and trailing blanks do not count; `-` does not either at first, as in a word sort.
fn fold(text: &str) -> (String, String) {
    let lower = text.trim_end_matches(' ').to_lowercase();
    (lower.replace('-', ""), lower)
}

/// Without accents: those of the letters that code page 1252 has, which is enough to see two keys made one.
fn bare(text: &str) -> String {
    let bare = |c: char| match c {
        'à'..='å' => 'a',
        'À'..='Å' => 'A',
        'ç' => 'c',
        'Ç' => 'C',
        'è'..='ë' => 'e',
        'È'..='Ë' => 'E',
        'ì'..='ï' => 'i',
        'Ì'..='Ï' => 'I',
        'ñ' => 'n',
        'Ñ' => 'N',
        'ò'..='ö' => 'o',
        'Ò'..='Ö' => 'O',
        'ù'..='ü' => 'u',
        'Ù'..='Ü' => 'U',
        'ý' | 'ÿ' => 'y',
        'Ý' | 'Ÿ' => 'Y',
        other => other,
    };
    text.chars().map(bare).collect()
}

fn by<K: Ord>(a: &str, b: &str, key: impl Fn(&str) -> Option<K>) -> Ordering {
    match (key(a), key(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => a.cmp(b),
    }
}

/// The last six bytes count most, the first four least.
fn guid_order(text: &str) -> Option<[u8; 16]> {
    let bytes = guid_bytes(text)?;
    Some([10, 11, 12, 13, 14, 15, 8, 9, 6, 7, 4, 5, 0, 1, 2, 3].map(|index: usize| bytes[index]))
}
