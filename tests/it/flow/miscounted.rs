//! Rows read against rows counted: in a view that does not move, other rows than counted are never published, whatever the
//! source and whatever the reason.

use super::rig::Rig;
use crate::support::source::{Row, SourceWorld, SqlType, Value, worlds};
use crate::support::term;
use async_trait::async_trait;
use filegen::core::generate::{GenerateError, Outcome};
use filegen::core::model::column::Column;
use filegen::core::model::finding::Finding;
use filegen::core::model::key::Key;
use filegen::core::model::names::ViewName;
use filegen::core::model::page::Page;
use filegen::core::ports::source::{After, Extent, PageSource, PageStream, Position, Query, SourceError, Sum};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const COLUMNS: [(&str, SqlType); 2] = [("LoanId", SqlType::Int), ("Name", SqlType::Text)];

const ROWS: u64 = 7;

fn loan(id: u64) -> Row {
    vec![Value::Int(id.cast_signed()), Value::Text(format!("name {id}"))]
}

/// Loses the first row of one page, as a source does whose keys are not in the order that it compares them in.
struct Losing {
    inner: Arc<dyn PageSource>,
    page: u64,
    pages: Arc<AtomicU64>,
    /// How often it was asked what the view holds behind the read.
    asked: AtomicU64,
    /// A view that looks at the clock: what its source remembers of it no longer holds, and the next look says so.
    ages: bool,
}

struct LosingStream {
    inner: Box<dyn PageStream>,
    page: u64,
    pages: Arc<AtomicU64>,
}

#[async_trait]
impl PageSource for Losing {
    fn describe(&self) -> String {
        self.inner.describe()
    }

    async fn columns(&self, view: &ViewName) -> Result<Vec<Column>, SourceError> {
        self.inner.columns(view).await
    }

    async fn extent(&self, query: &Query, sums: &[Sum]) -> Result<Extent, SourceError> {
        self.inner.extent(query, sums).await
    }

    async fn extent_after(&self, query: &Query, until: Option<&Key>) -> Result<After, SourceError> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        let after = self.inner.extent_after(query, until).await?;
        Ok(if self.ages && asked > 0 { After { within: after.within - 1, ..after } } else { after })
    }

    async fn open(&self, query: &Query, from: &Position, to: Option<&Key>) -> Result<Box<dyn PageStream>, SourceError> {
        let inner = self.inner.open(query, from, to).await?;
        Ok(Box::new(LosingStream { inner, page: self.page, pages: Arc::clone(&self.pages) }))
    }

    async fn examine(&self, query: &Query) -> Result<Vec<Finding>, SourceError> {
        self.inner.examine(query).await
    }
}

#[async_trait]
impl PageStream for LosingStream {
    fn columns(&self) -> Option<Vec<Column>> {
        self.inner.columns()
    }

    async fn next(&mut self) -> Result<Option<Page>, SourceError> {
        let page = self.inner.next().await?;
        if page.is_some() && self.pages.fetch_add(1, Ordering::Relaxed) == self.page {
            return Ok(page.map(|page| Page { batch: page.batch.slice(1, page.batch.num_rows() - 1), ..page }));
        }
        Ok(page)
    }
}

/// Makes a view of seven loans, and a rig over it that loses the first row of a page.
async fn losing(world: &dyn SourceWorld, name: &str, read: &str, page: u64, ages: bool) -> (Rig, Arc<Losing>) {
    let view = ViewName::parse(name).unwrap();
    world.create(&view, &COLUMNS, &(1..=ROWS).map(loan).collect::<Vec<_>>()).await;
    let (pages, asked) = (Arc::default(), AtomicU64::new(0));
    let source = Arc::new(Losing { inner: world.source(), page, pages, asked, ages });
    (Rig::over(source.clone(), &format!("view: {name}, {read}")), source)
}

const READS: [&str; 4] = [
    "key: [LoanId]",
    "key: [LoanId], fetch: paged",
    "key: [LoanId], fetch: offset",
    "key: [Name, LoanId], isolation: snapshot",
];

#[tokio::test]
async fn a_lost_row_is_never_published_and_is_still_missed_by_a_later_holder() {
    for world in worlds().await {
        for (number, read) in READS.into_iter().enumerate() {
            for page in [0, 1, 2] {
                let what = format!("{} {read}, page {page}", world.name());
                let (rig, _) = losing(&*world, &format!("v{number}{page}"), read, page, false).await;
                // By row number a later holder takes another row for the lost one.
                let holders = if read.contains("offset") { 1 } else { 2 };
                for token in 1..=holders {
                    let error = rig.generate(&term(token)).await.unwrap_err();
                    let GenerateError::Source(SourceError::Key { reason }) = &error else {
                        panic!("{what}: {error:?}")
                    };
                    assert!(reason.contains("has 7 rows") && reason.contains("but 6 were read"), "{what}: {reason}");
                    assert!(reason.contains("--restart"), "{what}: {reason}");
                    let names = if read.contains("offset") { "name a key" } else { "LoanId`" };
                    assert!(reason.contains(names), "{what}: {reason}");
                }
                assert!(rig.published().await.is_empty(), "{what}");
            }
        }
    }
}

#[tokio::test]
async fn rows_that_went_meanwhile_or_were_a_matter_of_time_are_a_view_that_moved() {
    for world in worlds().await {
        let (rig, source) = losing(&*world, "ages", READS[0], 1, true).await;
        let Outcome::Published(manifest) = rig.generate(&term(1)).await.unwrap() else { panic!("published") };
        assert_eq!((manifest.source_rows, manifest.read_mode.source_moved), (ROWS - 1, Some(true)), "{}", world.name());
        assert_eq!(source.asked.load(Ordering::Relaxed), 2, "{}: a doubt is asked about again", world.name());

        let (rig, source) = losing(&*world, "whole", READS[0], 99, true).await;
        let Outcome::Published(manifest) = rig.generate(&term(1)).await.unwrap() else { panic!("published") };
        assert_eq!((manifest.source_rows, manifest.read_mode.source_moved), (ROWS, Some(false)), "{}", world.name());
        assert_eq!(source.asked.load(Ordering::Relaxed), 1, "{}: without a doubt, once", world.name());
    }
}

#[tokio::test]
async fn rows_that_came_behind_the_range_do_not_hide_a_lost_one() {
    for world in worlds().await {
        let (rig, _) = losing(&*world, "grows", READS[0], 1, false).await;
        let first = rig.generate(&term(1)).await;
        assert!(first.is_err(), "{}", world.name());
        world.insert(&ViewName::parse("grows").unwrap(), &[loan(90), loan(91)]).await;
        let error = rig.generate(&term(2)).await.unwrap_err();
        assert!(error.to_string().contains("but 6 were read"), "{}: {error}", world.name());
        assert!(rig.published().await.is_empty(), "{}", world.name());
    }
}
