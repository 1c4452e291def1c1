//! Lists and counts of records. Each is asked for by an index, and comes in parts.

use super::documents::{key, read, read_step, shown};
use crate::adapters::mongo::documents::bson_date;
use crate::adapters::mongo::error::MongoError;
use crate::adapters::mongo::lists::{batch, looked_at};
use crate::core::model::transfer::{FileRecord, FileState, FileStep, Side};
use crate::core::ports::store::{Found, OddRecord};
use crate::core::ports::transfer_ledger::{KnownFile, Place, StateCount, Total, Wanted};
use jiff::Timestamp;
use mongodb::Collection;
use mongodb::bson::{Bson, Document, doc};

fn words<const N: usize, T: Copy>(all: [T; N], word: impl Fn(T) -> &'static str) -> Vec<&'static str> {
    all.into_iter().map(word).collect()
}

fn sides() -> Vec<&'static str> {
    words(Side::ALL, Side::as_str)
}

fn states() -> Vec<&'static str> {
    words(FileState::ALL, FileState::as_str)
}

/// Sides and states are always named: so the index gives each of them in order.
fn fitting(transfer: &str, wanted: &Wanted) -> Document {
    let sides = wanted.side.map_or_else(sides, |side| vec![side.as_str()]);
    let states =
        if wanted.states.is_empty() { states() } else { wanted.states.iter().map(|state| state.as_str()).collect() };
    let mut fitting = doc! { "transfer": transfer, "side": { "$in": sides }, "state": { "$in": states } };
    if let Some(since) = wanted.since {
        fitting.insert("changedAt", doc! { "$gte": bson_date(since) });
    }
    if let Some(id) = &wanted.id {
        // No id holds a character behind it.
        fitting.insert("id", doc! { "$gte": id, "$lt": format!("{id}~") });
    }
    fitting
}

pub(super) async fn records(
    files: &Collection<Document>,
    transfer: &str,
    wanted: &Wanted,
) -> Result<Found<FileRecord>, MongoError> {
    let Some(most) = looked_at(wanted.limit) else { return Ok(Found::default()) };
    let mut fitting = fitting(transfer, wanted);
    if let Some(Place { changed_at, id }) = &wanted.behind {
        let at = bson_date(*changed_at);
        let earlier = doc! { "changedAt": { "$lt": at } };
        let tied = doc! { "changedAt": at, "id": { "$gt": id } };
        fitting.insert("$and", vec![doc! { "changedAt": { "$lte": at } }, doc! { "$or": [earlier, tied] }]);
    }
    let asked = files.find(fitting).projection(doc! { "steps": 0 }).sort(doc! { "changedAt": -1, "id": 1 });
    let mut cursor = asked.limit(most).batch_size(batch(wanted.limit)).await?;
    let mut found = Found::default();
    while found.records.len() < wanted.limit && cursor.advance().await? {
        let document = cursor.current();
        found.add(|| shown(document), read(document));
    }
    Ok(found)
}

/// A number that a server has summed up, of values that somebody may have spoilt.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "what is no size is cut off")]
fn sum(value: Option<&Bson>) -> u64 {
    match value {
        Some(Bson::Int32(sum)) => u64::try_from(*sum).unwrap_or(0),
        Some(Bson::Int64(sum)) => u64::try_from(*sum).unwrap_or(0),
        Some(Bson::Double(sum)) => *sum as u64,
        _ => 0,
    }
}

pub(super) async fn total(files: &Collection<Document>, transfer: &str, wanted: &Wanted) -> Result<Total, MongoError> {
    let group = doc! { "_id": Bson::Null, "files": { "$sum": 1 }, "bytes": { "$sum": "$size" } };
    let mut cursor = files.aggregate([doc! { "$match": fitting(transfer, wanted) }, doc! { "$group": group }]).await?;
    if !cursor.advance().await? {
        return Ok(Total::default());
    }
    let found = cursor.deserialize_current()?;
    Ok(Total { files: sum(found.get("files")), bytes: sum(found.get("bytes")) })
}

pub(super) async fn counts(files: &Collection<Document>, transfer: &str) -> Result<Vec<StateCount>, MongoError> {
    let group = doc! {
        "_id": { "side": "$side", "state": "$state" },
        "files": { "$sum": 1 }, "bytes": { "$sum": "$size" }, "oldest": { "$min": "$seenAt" },
    };
    let all = fitting(transfer, &Wanted::default());
    let mut cursor = files.aggregate([doc! { "$match": all }, doc! { "$group": group }]).await?;
    let mut counts = Vec::new();
    while cursor.advance().await? {
        counts.extend(count(&cursor.deserialize_current()?));
    }
    counts.sort_by_key(|count| (count.side.as_str(), count.state.as_str()));
    Ok(counts)
}

fn count(found: &Document) -> Option<StateCount> {
    let of = found.get_document("_id").ok()?;
    let side = of.get_str("side").ok()?;
    let side = Side::ALL.into_iter().find(|it| it.as_str() == side)?;
    let state = FileState::parse(of.get_str("state").ok()?)?;
    let oldest = found.get_datetime("oldest").ok();
    let oldest = oldest.and_then(|oldest| Timestamp::from_millisecond(oldest.timestamp_millis()).ok());
    // A spoilt one is told by its record.
    let oldest = oldest.unwrap_or_else(Timestamp::now);
    Some(StateCount { side, state, files: sum(found.get("files")), bytes: sum(found.get("bytes")), oldest })
}

pub(super) async fn strange(files: &Collection<Document>, transfer: &str) -> Result<Vec<OddRecord>, MongoError> {
    let of_side = doc! { "transfer": transfer, "side": { "$nin": sides() } };
    let of_state = doc! { "transfer": transfer, "side": { "$in": sides() }, "state": { "$nin": states() } };
    let mut found = Found::<FileRecord>::default();
    for odd in [of_side, of_state] {
        let most = i64::try_from(Found::<FileRecord>::ODD_MAX).unwrap_or(i64::MAX);
        let mut cursor = files.find(odd).projection(doc! { "steps": 0 }).limit(most).await?;
        while cursor.advance().await? {
            let document = cursor.current();
            found.add(|| shown(document), read(document));
        }
    }
    Ok(found.odd)
}

pub(super) async fn known(
    files: &Collection<Document>,
    transfer: &str,
    paths: Vec<String>,
) -> Result<Vec<KnownFile>, MongoError> {
    let of_paths = doc! { "transfer": transfer, "side": Side::Collect.as_str(), "path": { "$in": paths } };
    let latest = doc! {
        "_id": "$path", "id": { "$first": "$id" }, "state": { "$first": "$state" }, "stamp": { "$first": "$stamp" },
    };
    let order = doc! { "path": 1, "changedAt": -1 };
    let asked = [doc! { "$match": of_paths }, doc! { "$sort": order }, doc! { "$group": latest }];
    let mut cursor = files.aggregate(asked).await?;
    let mut known = Vec::new();
    while cursor.advance().await? {
        let found = cursor.deserialize_current()?;
        let text = |field| found.get_str(field).map(str::to_owned);
        let Ok(path) = text("_id") else { continue };
        let state = text("state").unwrap_or_default();
        let state = FileState::parse(&state).ok_or_else(|| format!("`{state}` is no state"));
        known.push(KnownFile {
            path,
            id: text("id").unwrap_or_default(),
            state,
            stamp: text("stamp").unwrap_or_default(),
        });
    }
    Ok(known)
}

pub(super) async fn steps(files: &Collection<Document>, transfer: &str, id: &str) -> Result<Vec<FileStep>, MongoError> {
    let mut all: Vec<FileStep> = Vec::new();
    for side in Side::ALL {
        let found = files.find_one(doc! { "_id": key(transfer, side, id) }).projection(doc! { "steps": 1 }).await?;
        let Some(found) = found else { continue };
        let steps = found.get_array("steps").into_iter().flatten().filter_map(|step| read_step(side, step));
        // Each side's own order stays, whatever the clocks of its hosts say.
        let mut at = 0;
        for step in steps {
            at += all.get(at..).into_iter().flatten().take_while(|there| there.at <= step.at).count();
            all.insert(at, step);
            at += 1;
        }
    }
    Ok(all)
}
