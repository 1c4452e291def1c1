//! Which dead letters, and a frozen set of them.

use crate::core::model::letter::DeadLetter;
use crate::core::ports::queue::LetterQueue;
use crate::core::ports::store::{Found, OddRecord, StoreError};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Entries that are read at a time.
const PAGE: usize = 500;

/// Which entries.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Filter {
    /// Of this type.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Of this kind of error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Of this key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// That died then or later.
    #[serde(skip)]
    pub since: Option<Timestamp>,
    /// With this text in payload, message or id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// At most so many, the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

impl Filter {
    /// Whether an entry is one of them, but for the limit.
    pub fn takes(&self, letter: &DeadLetter) -> bool {
        let same = |wanted: &Option<String>, found: Option<&str>| wanted.is_none() || wanted.as_deref() == found;
        let contains = |text: &String| {
            [&letter.payload, &letter.error.message, &letter.id].into_iter().any(|place| place.contains(text))
                || letter.event_id.as_ref().is_some_and(|id| id.contains(text))
        };
        same(&self.event, letter.kind.as_deref())
            && same(&self.kind, Some(letter.error.kind.as_str()))
            && same(&self.key, letter.key.as_deref())
            && self.since.is_none_or(|since| letter.timestamp >= since)
            && self.contains.as_ref().is_none_or(contains)
    }
}

/// Gives each entry that the filter takes to `each`, newest first. Returns those that cannot be read: the first of them.
///
/// # Errors
/// When the queue does not answer.
pub async fn find(
    queue: &dyn LetterQueue,
    filter: &Filter,
    mut each: impl FnMut(DeadLetter),
) -> Result<Vec<OddRecord>, StoreError> {
    let (mut skip, mut taken, mut odd) = (0, 0, Vec::new());
    let limit = filter.limit.unwrap_or(u64::MAX);
    while taken < limit {
        let page = queue.page(skip, PAGE).await?;
        if page.passed == 0 {
            break;
        }
        skip += page.passed;
        odd.extend(page.odd);
        odd.truncate(Found::<DeadLetter>::ODD_MAX);
        for letter in page.letters.into_iter().filter(|letter| filter.takes(letter)) {
            if taken < limit {
                taken += 1;
                each(letter);
            }
        }
    }
    Ok(odd)
}

/// What a replay of an entry would do, or did.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Its effect is in the table.
    Written,
    /// The row is as new, or newer.
    Stale,
    /// It waits for its parent, in the sink.
    Parked,
    /// It is still dead.
    Dead,
    /// It is no longer in the queue.
    Gone,
    /// It is no longer what the plan has.
    Changed,
    /// It was not tried: the replay stopped before.
    Left,
    /// It was dropped.
    Dropped,
}

impl Fate {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Stale => "stale",
            Self::Parked => "parked",
            Self::Dead => "dead",
            Self::Gone => "gone",
            Self::Changed => "changed",
            Self::Left => "left",
            Self::Dropped => "dropped",
        }
    }
}

/// An entry of a plan.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Planned {
    /// `topic/partition@offset`.
    pub id: String,
    /// The topic's own id.
    pub topic_id: String,
    /// Of the whole entry.
    pub digest: String,
    /// The event's id.
    pub event_id: Option<String>,
    /// Its type.
    #[serde(rename = "type")]
    pub event: Option<String>,
    /// Its key.
    pub key: Option<String>,
    /// What a replay would have done when the plan was made.
    pub forecast: Fate,
    /// Why, where it would still be dead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Planned {
    /// What no other entry of the queue has.
    pub fn index(&self) -> String {
        format!("{}#{}", self.id, self.topic_id)
    }
}

/// A frozen set of entries, in the order in which they came.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Of the form.
    pub version: u32,
    /// The ingest.
    pub ingest: String,
    /// The queue.
    pub queue: String,
    /// When it was made.
    #[serde(with = "crate::core::model::moment::instant")]
    pub created_at: Timestamp,
    /// What was asked for.
    pub filter: Filter,
    /// The entries.
    pub entries: Vec<Planned>,
}
