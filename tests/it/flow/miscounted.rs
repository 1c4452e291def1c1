//! Rows read against rows counted: in a view that does not move, other rows than counted are never published, whatever the
//! source and whatever the reason.

use super::rig::Rig;
use crate::support::source::{Row, SourceWorld, SqlType, Value, worlds};
use crate::support::term;
use async_trait::async_trait;
use filegen::core::generate::model::manifest::Manifest;
use filegen::core::generate::{GenerateError, Outcome};
use filegen::core::model::column::Column;
use filegen::core::model::finding::Finding;
use filegen::core::model::key::Key;
use filegen::core::model::names::ViewName;
use filegen::core::model::page::Page;
use filegen::core::model::sql::Relation;
use filegen::core::ports::source::{After, Extent, PageSource, PageStream, Position, Query, SourceError};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const COLUMNS: [(&str, SqlType); 2] = [("LoanId", SqlType::Int), ("Name", SqlType::Text)];

const ROWS: u64 = 7;

/// In place of a page's number: a row of each is lost, or none.
const EACH: u64 = u64::MAX;
const NEVER: u64 = u64::MAX - 1;

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
    /// What becomes of the view meanwhile.
    view: View,
}

/// What becomes of a view while it is read.
#[derive(Clone, Copy, PartialEq)]
enum View {
    /// Nothing.
    Stays,
    /// It looks at the clock: what its source remembers of it no longer holds, and the next look says so.
    Ages,
    /// Two rows come behind the run's range.
    Grows,
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

    async fn columns(&self, view: &Relation) -> Result<Vec<Column>, SourceError> {
        self.inner.columns(view).await
    }

    async fn extent(&self, query: &Query) -> Result<Extent, SourceError> {
        self.inner.extent(query).await
    }

    async fn extent_after(&self, query: &Query, until: Option<&Key>) -> Result<After, SourceError> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        let after = self.inner.extent_after(query, until).await?;
        Ok(match self.view {
            View::Ages if asked > 0 => After { within: after.within - 1, ..after },
            View::Grows => After { extent: Extent { rows: after.extent.rows + 2, ..after.extent }, ..after },
            View::Ages | View::Stays => after,
        })
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
        let number = self.pages.fetch_add(u64::from(page.is_some()), Ordering::Relaxed);
        if page.is_some() && (number == self.page || self.page == EACH) {
            return Ok(page.map(|page| Page { batch: page.batch.slice(1, page.batch.num_rows() - 1), ..page }));
        }
        Ok(page)
    }
}

/// Makes a view of seven loans, and a rig over it that loses the first row of a page.
async fn losing(world: &dyn SourceWorld, name: &str, read: &str, page: u64, becomes: View) -> (Rig, Arc<Losing>) {
    let view = ViewName::parse(name).unwrap();
    world.create(&view, &COLUMNS, &(1..=ROWS).map(loan).collect::<Vec<_>>()).await;
    let (pages, asked) = (Arc::default(), AtomicU64::new(0));
    let source = Arc::new(Losing { inner: world.source(), page, pages, asked, view: becomes });
    (Rig::over(source.clone(), &format!("view: {name}, {read}")), source)
}

const READS: [&str; 4] = [
    "key: [LoanId]",
    "key: [LoanId], fetch: paged",
    "key: [LoanId], fetch: offset",
    "key: [Name, LoanId], isolation: snapshot",
];

#[tokio::test]
async fn a_row_that_is_lost_each_time_is_never_published() {
    for world in worlds().await {
        for (number, read) in READS.into_iter().enumerate() {
            let what = format!("{} {read}", world.name());
            let (rig, _) = losing(&*world, &format!("v{number}"), read, EACH, View::Stays).await;
            for token in [1, 2] {
                let error = rig.generate(&term(token)).await.unwrap_err();
                let GenerateError::Source(SourceError::Key { reason }) = &error else { panic!("{what}: {error:?}") };
                assert!(reason.contains("has 7 rows") && reason.contains(" were read; nothing is"), "{what}: {reason}");
                let names = if read.contains("offset") { "name a key" } else { "LoanId`" };
                assert!(reason.contains(names), "{what}: {reason}");
            }
            assert!(rig.published().await.is_empty(), "{what}");
        }
    }
}

#[tokio::test]
async fn rows_that_are_lost_once_are_read_again_with_all_others() {
    for world in worlds().await {
        for (number, read) in READS.into_iter().enumerate() {
            for page in [0, 1, 2] {
                let what = format!("{} {read}, page {page}", world.name());
                let (whole, _) = losing(&*world, &format!("w{number}{page}"), read, NEVER, View::Stays).await;
                let Ok(Outcome::Published(wanted)) = whole.generate(&term(1)).await else { panic!("{what}") };
                let (rig, _) = losing(&*world, &format!("o{number}{page}"), read, page, View::Stays).await;
                let Ok(Outcome::Published(manifest)) = rig.generate(&term(1)).await else { panic!("{what}") };
                let told =
                    |manifest: &Manifest| (manifest.source_rows, manifest.pages, manifest.files[0].sha256.clone());
                assert_eq!(told(&manifest), told(&wanted), "{what}");
            }
        }
    }
}

#[tokio::test]
async fn rows_that_went_meanwhile_or_were_a_matter_of_time_are_a_view_that_moved() {
    for world in worlds().await {
        let (rig, source) = losing(&*world, "ages", READS[0], 1, View::Ages).await;
        let Outcome::Published(manifest) = rig.generate(&term(1)).await.unwrap() else { panic!("published") };
        assert_eq!((manifest.source_rows, manifest.read_mode.source_moved), (ROWS - 1, Some(true)), "{}", world.name());
        assert_eq!(source.asked.load(Ordering::Relaxed), 2, "{}: a doubt is asked about again", world.name());

        let (rig, source) = losing(&*world, "whole", READS[0], 99, View::Ages).await;
        let Outcome::Published(manifest) = rig.generate(&term(1)).await.unwrap() else { panic!("published") };
        assert_eq!((manifest.source_rows, manifest.read_mode.source_moved), (ROWS, Some(false)), "{}", world.name());
        assert_eq!(source.asked.load(Ordering::Relaxed), 1, "{}: without a doubt, once", world.name());
    }
}

#[tokio::test]
async fn rows_that_came_behind_the_range_do_not_hide_a_lost_one() {
    for world in worlds().await {
        let (rig, _) = losing(&*world, "grows", READS[0], EACH, View::Grows).await;
        let error = rig.generate(&term(1)).await.unwrap_err();
        assert!(error.to_string().contains("nothing is published"), "{}: {error}", world.name());
        assert!(rig.published().await.is_empty(), "{}", world.name());
    }
}
