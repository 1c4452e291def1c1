//! The errors of every source about names and kinds that do not fit, and the names of its masks.

use crate::core::model::column::{Column, Kind};
use crate::core::ports::source::SourceError;
use arrow_schema::Field;
use std::fmt::Display;

/// How alike a name must be to be suggested (Jaro-Winkler, 0 to 1).
const ALIKE: f64 = 0.8;

/// Names listed in a message at most.
const LISTED: usize = 100;

/// The view has no such column: suggests the nearest one and lists all.
pub fn unknown_column(view: &dyn Display, name: &str, columns: impl IntoIterator<Item = String>) -> SourceError {
    let columns: Vec<String> = columns.into_iter().collect();
    let suggestion = suggestion(name, &columns);
    let reason = format!("view `{view}` has no column `{name}`{suggestion}; its columns are {}", list(&columns));
    SourceError::Refused { reason }
}

/// There is no such view: suggests the nearest one and lists all.
pub fn unknown_view(view: &dyn Display, views: impl IntoIterator<Item = String>) -> SourceError {
    let views: Vec<String> = views.into_iter().collect();
    let suggestion = suggestion(&view.to_string(), &views);
    let there = if views.is_empty() { "there are none".to_owned() } else { format!("there are {}", list(&views)) };
    SourceError::Refused { reason: format!("there is no view or table `{view}`{suggestion}; {there}") }
}

fn suggestion(name: &str, names: &[String]) -> String {
    let score = |other: &String| strsim::jaro_winkler(&name.to_lowercase(), &other.to_lowercase());
    let nearest = names.iter().max_by(|a, b| score(a).total_cmp(&score(b))).filter(|other| score(other) >= ALIKE);
    nearest.map(|other| format!(" (did you mean `{other}`?)")).unwrap_or_default()
}

fn list(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(LISTED).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(LISTED);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

/// Two rows behind each other have one key, as the database compares keys; `names` are the key's columns.
pub fn one_key(before: &str, now: &str, names: &str) -> SourceError {
    let advice = "add a column to the key or make the view unique";
    let reason = if before == now {
        format!("key {now} appears twice; `{names}` does not tell rows apart: {advice}")
    } else {
        format!(
            "keys {before} and {now} are one key to the database, as it compares `{names}` (case, accents, width, blanks), so \
             a page that starts behind the one would miss the other: {advice}, or give the column another collation in it"
        )
    };
    SourceError::Key { reason }
}

/// Passes when the wanted columns still are what an earlier term saw.
///
/// # Errors
/// [`SourceError::Changed`] names the first column that differs, from what to what.
pub fn unchanged<'a>(before: &[Column], now: impl IntoIterator<Item = &'a Column>) -> Result<(), SourceError> {
    let changed = |reason| Err(SourceError::Changed { reason });
    let mut before = before.iter();
    for column in now {
        match before.next() {
            Some(old) if old == column => {}
            Some(old) if old.name == column.name => {
                let (was, is) = (old.kind.describe(), column.kind.describe());
                return changed(format!("column `{}` was {was} and is {is} now", column.name));
            }
            Some(old) => return changed(format!("column `{}` stands where `{}` was", column.name, old.name)),
            None => return changed(format!("column `{}` was not there", column.name)),
        }
    }
    match before.next() {
        Some(old) => changed(format!("column `{}` is gone", old.name)),
        None => Ok(()),
    }
}

/// The field of a page's mask: its number among the query's predicates, from 0.
pub fn mask_field(index: usize) -> Field {
    Kind::Bool.field(&format!("where {index}"))
}

/// Why a value of so many bytes, where that is known, is not read.
pub fn too_long(bytes: Option<u64>, value_bytes: u64) -> String {
    let long = bytes.map_or_else(|| "is longer".to_owned(), |bytes| format!("has {bytes} bytes, more"));
    format!(
        "the value {long} than `source.value_bytes` allows ({value_bytes}); raise it (the memory must hold a few such values), or \
         leave the column out or cut it in the view"
    )
}
