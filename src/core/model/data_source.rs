//! A data source: a folder that somebody describes, and when it is looked at.

use super::as_text;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// The id of a data source: a UUID of its own, or what an import says.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DataSourceId(String);

impl DataSourceId {
    /// Takes letters, digits, `-` and `_`, at most 64 of them: it stands in addresses and in keys of messages. `None` for anything else.
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        let fits = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        (fits && (1..=64).contains(&text.len())).then_some(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DataSourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Due times that passed while nobody led.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Misfire {
    /// The latest one is fired, under its own due time; the others are recorded as missed.
    #[default]
    FireOnce,
    /// Each is fired, in order.
    FireAll,
    /// None is fired.
    Skip,
}

/// A due time that comes while the one before still runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// It is left out, and recorded with its reason.
    #[default]
    Skip,
    /// One waits.
    Queue,
    /// They run side by side.
    Allow,
}

/// Local times that a clock change skips or repeats.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockChange {
    /// As Quartz: a skipped time is not due, a repeated time is due once, in the later pass.
    Quartz,
    /// A skipped time is due right behind the gap.
    RunMissing,
    /// A repeated time is due in the earlier pass.
    First,
    /// A repeated time is due in both passes.
    Both,
}

/// A due time on a day without business.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosedDay {
    /// It is left out.
    #[default]
    Skip,
    /// It moves to the business day before.
    Previous,
    /// It moves to the next business day.
    Next,
}

/// The words of a choice in files and JSON, in the order in which people read them.
pub trait Words: Sized + Copy + PartialEq + 'static {
    /// Each with its word, the default first.
    const ALL: &'static [(Self, &'static str)];

    /// The word.
    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(choice, _)| *choice == self).map_or("", |(_, word)| word)
    }

    /// Reads a word back.
    fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, other)| *other == word).map(|(choice, _)| *choice)
    }
}

impl Words for Misfire {
    const ALL: &'static [(Self, &'static str)] =
        &[(Self::FireOnce, "fire_once"), (Self::FireAll, "fire_all"), (Self::Skip, "skip")];
}

impl Words for Overlap {
    const ALL: &'static [(Self, &'static str)] =
        &[(Self::Skip, "skip"), (Self::Queue, "queue"), (Self::Allow, "allow")];
}

impl Words for ClockChange {
    const ALL: &'static [(Self, &'static str)] =
        &[(Self::Quartz, "quartz"), (Self::RunMissing, "run_missing"), (Self::First, "first"), (Self::Both, "both")];
}

impl Words for ClosedDay {
    const ALL: &'static [(Self, &'static str)] =
        &[(Self::Skip, "skip"), (Self::Previous, "previous"), (Self::Next, "next")];
}

/// What a due time does.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Looks for new files.
    Discover(Discover),
    /// Starts a transfer of the same daemon, by its name.
    Transfer(String),
    /// Starts a run of a worker of the same daemon, by its name.
    Run(String),
}

impl Default for Action {
    fn default() -> Self {
        Self::Discover(Discover::default())
    }
}

/// How files are looked for.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Discover {
    /// A file is ready when it held still for so long. `None`: what the scheduler file says.
    #[serde(with = "as_text::duration", skip_serializing_if = "Option::is_none", default)]
    pub stable_for: Option<Duration>,
    /// A file is ready when this one stands beside it: `{name}.done`. `None`: no other file is asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub done_file: Option<String>,
}

/// When one execution is to have succeeded, each day.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DeadlineTime {
    /// Hours and minutes on the clock of the data source's zone: `06:30`.
    pub time: String,
}

/// A data source, as it is kept and shown.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataSource {
    /// Which.
    pub id: DataSourceId,
    /// Unique among the data sources of a store.
    pub name: String,
    /// What it is for. May be empty.
    #[serde(default)]
    pub description: String,
    /// The folder, as its owner wrote it; below one of the scheduler's roots.
    pub path: String,
    /// Which files: a glob, held against the path below the folder.
    pub pattern: String,
    /// Whether folders below count too.
    pub recursive: bool,
    /// When it is looked at, as Quartz reads it.
    pub cron_expression: String,
    /// The IANA zone whose clock the expression reads.
    pub zone: String,
    /// Days without business on which nothing is due: a calendar by its name.
    pub calendar: Option<String>,
    /// Whether it is looked at at all.
    pub is_active: bool,
    /// A due time that comes while the one before still runs.
    pub overlap: Overlap,
    /// Due times that passed while nobody led.
    pub misfire: Misfire,
    /// What a due time does.
    pub action: Action,
    /// Local times that a clock change skips or repeats. `None`: what the scheduler file says.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dst: Option<ClockChange>,
    /// A due time on a day that the calendar closes. `None`: it is left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub closed_day: Option<ClosedDay>,
    /// When an execution of the day is to have succeeded.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub deadline: Option<DeadlineTime>,
    /// It pauses by itself after so many failures in a row. `None`: what the scheduler file says.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pause_after_failures: Option<u32>,
    /// Counts its changes, from 1.
    #[serde(deserialize_with = "super::counted::deserialize")]
    pub version: u64,
    /// When it was made.
    #[serde(with = "as_text::moment")]
    pub created_at: Timestamp,
    /// When it was changed last.
    #[serde(with = "as_text::moment")]
    pub updated_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_source_reads_back_from_its_json() {
        let json = r#"{"id":"a1","name":"Loans","description":"","path":"data","pattern":"*.csv","recursive":false,"cronExpression":"0 */2 * * * ?","zone":"UTC","calendar":null,"isActive":true,"overlap":"skip","misfire":"fire_once","action":{"discover":{}},"version":3,"createdAt":"2026-11-29T00:00:00Z","updatedAt":"2026-11-29T00:00:01Z"}"#;
        let source: DataSource = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&source).unwrap(), json);
        let run = Action::Run("LoanWorker".to_owned());
        assert_eq!(serde_json::to_string(&run).unwrap(), r#"{"run":"LoanWorker"}"#);
    }

    #[test]
    fn an_id_is_safe_in_an_address() {
        assert!(DataSourceId::new("3f2c-A_1").is_some());
        for bad in ["", "a/b", "a b", "ä", "..", &"x".repeat(65)] {
            assert_eq!(DataSourceId::new(bad), None, "{bad}");
        }
    }

    #[test]
    fn words_read_back() {
        assert!(Misfire::ALL.iter().all(|(misfire, word)| Misfire::parse(word) == Some(*misfire)));
        assert_eq!(
            (Overlap::Queue.word(), ClosedDay::Next.word(), ClockChange::Both.word()),
            ("queue", "next", "both")
        );
        assert_eq!(Overlap::parse("Skip"), None);
    }
}
