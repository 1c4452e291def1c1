//! What must hold at the end.

use super::book::{id_of, is_companion, origin};
use super::people::FOREIGN;
use super::world::{Far, records};
use crate::sim::locked;
use filegen::core::model::transfer::{FileRecord, FileState, Side};
use filegen::core::transfer::spec::{After, OnExists};
use std::collections::BTreeSet;

/// What still waits for something.
pub fn undone(far: &Far) -> Vec<String> {
    let collected = records(far, Side::Collect);
    let mut undone = Vec::new();
    for record in collected.iter().filter(|record| !record.state.is_final()) {
        undone.push(format!("{} of {} is {} for ever", record.id, record.path, record.state.as_str()));
    }
    // What the broker has lost may never come again.
    let received = records(far, Side::Deliver);
    for record in received.iter().filter(|record| !record.state.is_final() && !is_excused(far, &record.id)) {
        undone.push(format!("{} of {} is {} for ever", record.id, record.path, record.state.as_str()));
    }
    let waiting = locked(&far.server).waiting();
    if waiting > 0 {
        undone.push(format!("{waiting} messages wait for ever"));
    }
    let folder = locked(&far.folder);
    for (path, inode) in &folder.names {
        let id = id_of(path, folder.content(*inode));
        // An instance remembers what a ledger had that is lost.
        let stamp = folder.stamp(*inode);
        let is_dealt_with =
            collected.iter().any(|record| record.id == id && record.state.is_final() && record.stamp == stamp)
                || locked(&far.book).delivered.contains_key(&id);
        if far.mix.after != After::Keep || !is_dealt_with {
            undone.push(format!("{path} lies there for ever, {id}"));
        }
    }
    undone
}

/// Whether the broker may have lost a message, or one that slept may have gone on with what another had refused meanwhile.
fn is_excused(far: &Far, id: &str) -> bool {
    let book = locked(&far.book);
    book.forgot || book.was_refused(id)
}

pub fn check(far: &Far) {
    let mut wrong = Vec::new();
    let delivered = records(far, Side::Deliver);
    for record in records(far, Side::Collect).iter().filter(|record| record.state == FileState::Failed) {
        failed(far, record, &delivered, &mut wrong);
    }
    // What counts as delivered is there, also when power would fail now.
    let mut host = locked(far.target()).clone();
    host.disk.power_fails(&mut locked(&far.rng));
    let book = locked(&far.book);
    for (id, place) in book.delivered.iter().filter(|(id, _)| !book.is_taken(id)) {
        let name = format!("out/{place}");
        let Some(bytes) = host.content(&name) else {
            wrong.push(format!("{id} was delivered as {name}, and is not there"));
            continue;
        };
        let (path, content) = origin(&name, &bytes);
        let shows = id_of(&path, &content);
        let is_replaced = far.mix.on_exists == OnExists::Replace && book.delivered.contains_key(&shows);
        if shows != *id && !is_replaced {
            wrong.push(format!("{id} was delivered as {name}, which shows {shows}"));
        }
        if far.mix.companions && ["done", "sha256"].iter().any(|kind| host.content(&format!("{name}.{kind}")).is_none())
        {
            wrong.push(format!("{id} was delivered as {name} without its companions"));
        }
    }
    let places: BTreeSet<String> = book.delivered.values().map(|place| format!("out/{place}")).collect();
    for name in host.names().iter().filter(|name| !is_companion(name) && !places.contains(*name)) {
        // Of a version that the broker has lost nobody knows whether it has a name.
        if !book.foreign.contains(name) && !book.forgot && !book.lost.contains(&Side::Deliver) {
            wrong.push(format!("{name} stands there, and was never delivered"));
        }
    }
    let replaces = far.mix.on_exists == OnExists::Replace;
    for name in book.foreign.iter().filter(|name| !replaces && host.content(name).as_deref() != Some(FOREIGN)) {
        wrong.push(format!("{name} was somebody else's, and is gone"));
    }
    drop(book);
    locked(&far.book).wrong.extend(wrong);
}

/// A file that failed says why, stands on its shelf, and nowhere else.
fn failed(far: &Far, record: &FileRecord, delivered: &[FileRecord], wrong: &mut Vec<String>) {
    let (id, book, folder) = (&record.id, locked(&far.book), locked(&far.folder));
    let (kind, reason) = record.failure.as_ref().map_or(("", ""), |failure| (&failure.kind, &failure.reason));
    let is_expected = match kind {
        // Another version has the name.
        "conflict" => far.mix.on_exists == OnExists::Error,
        // The broker has lost what it had acknowledged.
        // One that slept may go on with what another had refused, and whose chunks are gone.
        "data" | "absent" if book.was_refused(id) => true,
        "data" => book.forgot,
        // What a ledger had before it was lost may be begun again by who has not heard of it.
        "absent" => book.forgot || book.lost.contains(&Side::Collect),
        _ => false,
    };
    if !is_expected {
        wrong.push(format!("{id} of {} failed: {kind}: {reason}", record.path));
    }
    let is_there =
        record.place.as_ref().is_some_and(|place| folder.notes.contains_key(place) && folder.error.contains_key(place));
    let lies = folder.names.get(&record.path).is_some_and(|inode| id_of(&record.path, folder.content(*inode)) == *id);
    if !is_there && lies {
        wrong.push(format!("{id} of {} failed, and its file is not set aside with the reason", record.path));
    }
    let arrived = delivered.iter().any(|other| other.id == *id && other.state == FileState::Delivered);
    if arrived && !book.forgot && book.lost.is_empty() && !book.was_refused(id) {
        wrong.push(format!("{id} of {} counts as failed, and was delivered", record.path));
    }
}
