//! Whether a line may stand where it stands. A checksum says that a line is as it was written, not who wrote it: so a list of
//! another length, a number that goes back and a number that no run reaches end the readable prefix too.

use super::{Begin, Complete, Entry, FileComplete, Journal, PageCommit};
use crate::core::model::correction::FIRST_VERSION;

/// The format that this build reads and writes.
const FORMAT: u32 = 1;

/// No run comes to more rows, bytes or pages: the state store cannot keep more.
const COUNT_MAX: u64 = i64::MAX as u64;

/// Checks a line against those before it.
pub(super) fn check(journal: &Journal, entry: &Entry) -> Result<(), String> {
    let begin = journal.begin();
    match (entry, begin) {
        (Entry::Begin(begin), None) if journal.entries.is_empty() => first(begin),
        (Entry::Begin(_), _) => Err("begins a second run".to_owned()),
        (_, None) => Err("does not begin a run".to_owned()),
        (Entry::Term { token, .. }, Some(begin)) => term(journal, begin, *token),
        _ if journal.complete().is_some() => Err("stands behind the end".to_owned()),
        (Entry::Page(commit), Some(begin)) => page(begin, journal.last_page(), commit),
        (Entry::Complete(complete), Some(begin)) => end(begin, journal.last_page(), complete),
    }
}

fn first(begin: &Begin) -> Result<(), String> {
    if begin.v != FORMAT {
        return Err(format!("has format {}, and this build reads {FORMAT}", begin.v));
    }
    let files = begin.files.len();
    has(begin.file_rows.len(), files, "counts of rows")?;
    has(begin.first_totals.len(), files, "totals of first records")?;
    if begin.files.iter().enumerate().any(|(index, file)| begin.files[..index].contains(file)) {
        return Err("names a file twice".to_owned());
    }
    if begin.range.as_ref().is_some_and(|(from, to)| from.0.len() != to.0.len()) {
        return Err("has a first and a last key of other lengths".to_owned());
    }
    if begin.correction.as_ref().is_some_and(|correction| correction.version <= FIRST_VERSION) {
        return Err("corrects nothing".to_owned());
    }
    begin.file_rows.iter().chain([&begin.rows, &begin.token]).try_for_each(|count| within(*count))
}

fn term(journal: &Journal, begin: &Begin, token: u64) -> Result<(), String> {
    let earlier = journal.entries.iter().rev().find_map(|entry| match entry {
        Entry::Term { token, .. } => Some(*token),
        Entry::Begin(_) | Entry::Page(_) | Entry::Complete(_) => None,
    });
    let earlier = earlier.unwrap_or(begin.token);
    if token <= earlier {
        return Err(format!("is of token {token}, behind token {earlier}"));
    }
    within(token)
}

fn page(begin: &Begin, last: Option<&PageCommit>, commit: &PageCommit) -> Result<(), String> {
    let expected = last.map_or(1, |last| last.page + 1);
    if commit.page != expected {
        return Err(format!("is page {}, not page {expected}", commit.page));
    }
    has(commit.files.len(), begin.files.len(), "files")?;
    let range = begin.range.as_ref().map(|(_, key)| key.0.len());
    if let Some(length) = last.map(|last| last.key.0.len()).or(range) {
        has(commit.key.0.len(), length, "values of a key")?;
    }
    let rows = last.map_or(0, |last| last.source_rows);
    grows(rows, commit.source_rows, "rows")?;
    for (index, file) in commit.files.iter().enumerate() {
        let before = last.and_then(|last| last.files.get(index));
        grows(before.map_or(0, |before| before.rows), file.rows, "rows of a file")?;
        grows(before.map_or(0, |before| before.bytes), file.bytes, "bytes of a file")?;
        let columns = file.replaced.columns.values().map(|changed| (changed.unmappable, changed.overflow));
        let changed = columns.chain([(file.replaced.unmappable, file.replaced.overflow)]);
        changed.flat_map(|(unmappable, overflow)| [unmappable, overflow]).try_for_each(within)?;
    }
    Ok(())
}

fn end(begin: &Begin, last: Option<&PageCommit>, complete: &Complete) -> Result<(), String> {
    has(complete.files.len(), begin.files.len(), "files")?;
    for (index, FileComplete { bytes, .. }) in complete.files.iter().enumerate() {
        let before = last.and_then(|last| last.files.get(index));
        grows(before.map_or(0, |before| before.bytes), *bytes, "bytes of a file")?;
    }
    Ok(())
}

fn has(found: usize, wanted: usize, what: &str) -> Result<(), String> {
    if found == wanted { Ok(()) } else { Err(format!("speaks of {found} {what}, not of {wanted}")) }
}

fn grows(before: u64, now: u64, what: &str) -> Result<(), String> {
    if now < before {
        return Err(format!("has {now} {what}, less than the {before} before it"));
    }
    within(now)
}

fn within(count: u64) -> Result<(), String> {
    if count > COUNT_MAX {
        return Err(format!("holds {count}, which no run comes to"));
    }
    Ok(())
}
