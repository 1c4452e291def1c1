//! Fencing: what an older holder can still reach once a newer one has been there.

use crate::support::term;
use async_trait::async_trait;
use filegen::adapters::memory::clock::MemoryClock;
use filegen::adapters::memory::state::MemoryState;
use filegen::adapters::memory::volume::MemoryVolume;
use filegen::core::generate::fence::{FencedTerm, fence, remove, traces};
use filegen::core::generate::{GenerateError, Ports};
use filegen::core::model::column::Column;
use filegen::core::model::finding::Finding;
use filegen::core::model::key::Key;
use filegen::core::model::names::WorkerId;
use filegen::core::model::run::{BusinessDate, RunId};
use filegen::core::model::sql::Relation;
use filegen::core::model::term::Token;
use filegen::core::ports::source::{Extent, PageSource, PageStream, Position, Query, SourceError};
use filegen::core::ports::state::StateStore;
use filegen::core::ports::volume::{EntryKind, Volume};
use std::sync::Arc;

const RUN: &str = ".filegen/LoanWorker/20261121";

/// Fencing never asks the source.
struct NoSource;

#[async_trait]
impl PageSource for NoSource {
    fn describe(&self) -> String {
        "nothing".to_owned()
    }
    async fn columns(&self, _: &Relation) -> Result<Vec<Column>, SourceError> {
        unreachable!()
    }
    async fn extent(&self, _: &Query) -> Result<Extent, SourceError> {
        unreachable!()
    }
    async fn open(&self, _: &Query, _: &Position, _: Option<&Key>) -> Result<Box<dyn PageStream>, SourceError> {
        unreachable!()
    }
    async fn examine(&self, _: &Query) -> Result<Vec<Finding>, SourceError> {
        unreachable!()
    }
}

fn ports() -> Ports {
    let state = Arc::new(MemoryState::default());
    Ports {
        source: Arc::new(NoSource),
        volume: Arc::new(MemoryVolume::default()),
        state: StateStore::of(state),
        clock: Arc::new(MemoryClock::starting_at(jiff::Timestamp::UNIX_EPOCH)),
    }
}

fn run() -> RunId {
    let date = BusinessDate(jiff::civil::Date::constant(2026, 11, 21));
    RunId { worker: WorkerId::new("LoanWorker").unwrap(), date }
}

async fn names(volume: &dyn Volume) -> Vec<(String, EntryKind)> {
    volume.list(RUN).await.unwrap().into_iter().map(|entry| (entry.name, entry.kind)).collect()
}

async fn take_over(ports: &Ports, token: u64) -> Result<Vec<FencedTerm>, GenerateError> {
    let dead = fence(ports, &run(), &term(token)).await?;
    for dead in &dead {
        remove(ports, dead, &term(token)).await?;
    }
    Ok(dead)
}

#[tokio::test]
async fn an_older_folder_becomes_a_plain_file_and_an_absent_one_too() {
    let ports = ports();
    let volume = &*ports.volume;
    take_over(&ports, 2).await.unwrap();
    volume.make_dir(&term(2), &format!("{RUN}/t00000002")).await.unwrap();
    volume.create(&term(2), &format!("{RUN}/t00000002/Loan0")).await.unwrap();
    let dead = take_over(&ports, 4).await.unwrap();
    assert_eq!(dead.iter().map(|dead| dead.token).collect::<Vec<_>>(), [Token(2)]);
    let tombstones = ["t00000001", "t00000002", "t00000003"].map(|name| (name.to_owned(), EntryKind::File));
    assert_eq!(names(volume).await, tombstones);
    assert!(volume.make_dir(&term(3), &format!("{RUN}/t00000003")).await.is_err(), "a late mkdir fails");
}

#[tokio::test]
async fn an_older_holder_that_comes_late_learns_that_its_term_is_over() {
    let ports = ports();
    take_over(&ports, 5).await.unwrap();
    ports.volume.make_dir(&term(5), &format!("{RUN}/t00000005")).await.unwrap();
    let late = term(4);
    assert!(matches!(fence(&ports, &run(), &late).await, Err(GenerateError::TermEnded(_))));
    assert!(late.check().is_err(), "the term does not come back");
    let bare = term(5);
    assert!(matches!(fence(&ports, &run(), &bare).await, Err(GenerateError::TermEnded(_))), "a token is used once");
}

#[tokio::test]
async fn a_takeover_that_died_half_way_is_finished_by_the_next() {
    let ports = ports();
    let volume = &*ports.volume;
    volume.make_dirs(&term(1), &format!("{RUN}/t00000001.dead2")).await.unwrap();
    volume.create(&term(1), &format!("{RUN}/t00000001.dead2/journal.jsonl")).await.unwrap();
    // A mkdir of the dead holder came in late, between the rename and the tombstone.
    volume.make_dir(&term(1), &format!("{RUN}/t00000001")).await.unwrap();
    let dead = take_over(&ports, 3).await.unwrap();
    assert_eq!(dead.len(), 2);
    assert_eq!(names(volume).await, ["t00000001", "t00000002"].map(|name| (name.to_owned(), EntryKind::File)));
}

#[tokio::test]
async fn the_volume_remembers_the_highest_token() {
    let ports = ports();
    let worker = run().worker;
    assert_eq!(traces(&*ports.volume, &worker).await.unwrap().highest, Token(0));
    take_over(&ports, 7).await.unwrap();
    assert_eq!(traces(&*ports.volume, &worker).await.unwrap().highest, Token(6), "by its tombstones alone");
}

#[tokio::test]
async fn a_name_above_all_counting_ends_no_term_and_is_told() {
    let ports = ports();
    let volume = &*ports.volume;
    take_over(&ports, 2).await.unwrap();
    let foreign = [u64::MAX, 4 + Token::REACH].map(|token| format!("{RUN}/t{token:08}"));
    for name in &foreign {
        volume.make_dir(&term(2), name).await.unwrap();
    }
    volume.make_dir(&term(2), &format!("{RUN}/t{:08}.dead9", 1_u64 << 62)).await.unwrap();
    let found = traces(volume, &run().worker).await.unwrap();
    assert_eq!((found.highest, found.foreign.as_deref()), (Token(1), Some(foreign[0].as_str())));
    assert!(found.warning().is_some_and(|text| text.contains(&foreign[0])));
    assert_eq!(take_over(&ports, 3).await.unwrap().len(), 0, "and it is nobody's work");
    assert!(volume.stat(&foreign[0]).await.unwrap().is_some(), "what is not ours stays");
    // A newer holder's name is within reach, and ends this one's term, however many took over between.
    volume.make_dir(&term(2), &format!("{RUN}/t{:08}", 3 + Token::REACH / 2)).await.unwrap();
    assert!(matches!(fence(&ports, &run(), &term(3)).await, Err(GenerateError::TermEnded(_))));
}
