//! What must hold of data sources and files at the end.

use super::book::Look;
use super::files::Files;
use super::world::World;
use crate::sim::locked;
use filegen::core::model::names::LeaseKey;
use filegen::core::model::pattern::Pattern;
use filegen::core::model::schedule::ScheduleId;
use filegen::core::ports::data_sources::{DataSources, Wanted};
use filegen::core::ports::outbox::Outbox;
use filegen::core::ports::schedules::ScheduleStore;
use filegen::core::schedule::change::CHANGES;
use filegen::core::schedule::discover::{DISCOVERED, FileDiscovered};
use filegen::core::schedule::record;
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet};

/// A leader that did not hear yet that a data source was deleted may fire for so long.
const UNHEARD: SignedDuration = SignedDuration::from_secs(120);

/// By which data source, which path, which content.
type Version = (String, String, String);

/// Returns how many versions of files were told.
pub async fn check(world: &World, files: &Files) -> u64 {
    let mut wrong = Vec::new();
    for owner in [CHANGES, DISCOVERED] {
        let waiting = world.state.pending(&LeaseKey::new(owner).expect("a key")).await.unwrap_or_default().records;
        wrong.extend(waiting.iter().map(|entry| format!("{} was never sent", entry.id)));
    }
    sources(world, &mut wrong).await;
    let told = versions(world, files, &mut wrong);
    let mut book = locked(&world.book);
    for look in &book.looks {
        seen(look, files, &told, &mut wrong);
    }
    book.wrong.extend(wrong);
    told.len() as u64
}

/// Each accepted change is in the store, and each data source in its schedule.
async fn sources(world: &World, wrong: &mut Vec<String>) {
    let all = world.state.data_sources(&Wanted { most: 1000, ..Wanted::default() }).await.unwrap_or_default().sources;
    let there: BTreeMap<&str, _> = all.iter().map(|source| (source.id.as_str(), source)).collect();
    for (id, (version, is_deleted)) in locked(&world.accepted).iter() {
        match there.get(id.as_str()) {
            Some(source) if *is_deleted => wrong.push(format!("{id} was deleted, and is there: {source:?}")),
            Some(source) if source.version < *version => {
                wrong.push(format!("version {version} of {id} was accepted, and {} is there", source.version));
            }
            _ => {}
        }
    }
    for source in &all {
        match world.schedules.schedule(&ScheduleId::new(source.id.as_str())).await.ok().flatten() {
            Some(schedule) if schedule.version == source.version && record::says_the_same(&schedule, source) => {}
            Some(schedule) => wrong.push(format!("{source:?} is not what its schedule says: {schedule:?}")),
            None => wrong.push(format!("{} has no schedule", source.id)),
        }
    }
    for schedule in world.schedules.schedules().await.unwrap_or_default() {
        if !schedule.is_deleted && !there.contains_key(schedule.data_source_id.as_str()) {
            wrong.push(format!("{} is a schedule of no data source: {schedule:?}", schedule.id));
        }
    }
    let book = locked(&world.book);
    for (it, ran_at) in book.ran.values() {
        let since = book.deleted.get(&it.schedule_id);
        let decided_at = book.decided.get(&it.id).map_or(*ran_at, |(_, at)| *at);
        if since.is_some_and(|since| it.due_time.min(decided_at) > *since + UNHEARD) {
            wrong.push(format!("{} ran after its data source was deleted", it.id));
        }
    }
}

/// Each version under one id, with the same words each time it was sent; and it was there.
fn versions(world: &World, files: &Files, wrong: &mut Vec<String>) -> BTreeSet<Version> {
    let there: BTreeSet<(&str, &str)> = files.lay.iter().map(|lay| (lay.path.as_str(), lay.sha256.as_str())).collect();
    let (mut words, mut ids) = (BTreeMap::new(), BTreeMap::new());
    for message in world.found.messages() {
        let Ok(file) = serde_json::from_slice::<FileDiscovered>(&message.payload) else {
            wrong.push(format!("{} is no event of a file", message.id));
            continue;
        };
        if !there.contains(&(file.path.as_str(), file.sha256.as_str())) {
            wrong.push(format!("{} was told, and was never there", file.path));
        }
        let version: Version = (file.data_source_id, file.path, file.sha256);
        if ids.entry(version).or_insert_with(|| file.event_id.clone()) != &file.event_id {
            wrong.push(format!("{} is a second id of one version", file.event_id));
        }
        if words.entry(file.event_id.clone()).or_insert_with(|| message.payload.clone()) != &message.payload {
            wrong.push(format!("{} was told twice, in other words", file.event_id));
        }
    }
    if ids.len() != words.len() {
        wrong.push(format!("{} versions have {} ids", ids.len(), words.len()));
    }
    ids.into_keys().collect()
}

/// What lay in a folder while it was looked at was told.
fn seen(look: &Look, files: &Files, told: &BTreeSet<Version>, wrong: &mut Vec<String>) {
    let source = &look.source;
    let fits = |path: &str| {
        let below = path.strip_prefix(source.path.as_str()).and_then(|below| below.strip_prefix('/'));
        below.zip(Pattern::parse(&source.pattern).ok()).is_some_and(|(below, pattern)| pattern.fits(below))
    };
    for lay in files.lay.iter().filter(|lay| fits(&lay.path)) {
        let lay_there = lay.from <= look.from && lay.until.is_none_or(|until| until > look.until);
        let version = (source.id.to_string(), lay.path.clone(), lay.sha256.clone());
        if lay_there && !told.contains(&version) {
            wrong.push(format!("{} lay there at {}, and {} never told it", lay.path, look.from, source.id));
        }
    }
}
