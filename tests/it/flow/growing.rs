//! A view that grows as fast as it is read by row number: a run ends with the rows that it counted at its start.

use super::rig::Rig;
use crate::support::source::{Row, SourceWorld, SqlType, Value, worlds};
use crate::support::term;
use async_trait::async_trait;
use filegen::core::generate::Outcome;
use filegen::core::model::column::Column;
use filegen::core::model::finding::Finding;
use filegen::core::model::key::Key;
use filegen::core::model::names::ViewName;
use filegen::core::model::page::Page;
use filegen::core::model::sql::Relation;
use filegen::core::ports::source::{Extent, PageSource, PageStream, Position, Query, SourceError};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

const COLUMNS: [(&str, SqlType); 2] = [("LoanId", SqlType::Int), ("Name", SqlType::Text)];

/// More pages than any run here has: a read that gets there has no end.
const ENDLESS: i64 = 40;

fn loan(id: i64) -> Row {
    vec![Value::Int(id), Value::Text(format!("name {id}"))]
}

/// Before each page, as many rows come behind the others as a page has. The second page of all is lost.
struct Growing {
    world: Arc<dyn SourceWorld>,
    view: ViewName,
    pages: Arc<AtomicI64>,
}

struct GrowingStream {
    inner: Box<dyn PageStream>,
    world: Arc<dyn SourceWorld>,
    view: ViewName,
    pages: Arc<AtomicI64>,
}

#[async_trait]
impl PageSource for Growing {
    fn describe(&self) -> String {
        self.world.source().describe()
    }

    async fn columns(&self, view: &Relation) -> Result<Vec<Column>, SourceError> {
        self.world.source().columns(view).await
    }

    async fn extent(&self, query: &Query) -> Result<Extent, SourceError> {
        self.world.source().extent(query).await
    }

    async fn open(&self, query: &Query, from: &Position, to: Option<&Key>) -> Result<Box<dyn PageStream>, SourceError> {
        let inner = self.world.source().open(query, from, to).await?;
        let (world, view, pages) = (Arc::clone(&self.world), self.view.clone(), Arc::clone(&self.pages));
        Ok(Box::new(GrowingStream { inner, world, view, pages }))
    }

    async fn examine(&self, query: &Query) -> Result<Vec<Finding>, SourceError> {
        self.world.source().examine(query).await
    }
}

#[async_trait]
impl PageStream for GrowingStream {
    fn columns(&self) -> Option<Vec<Column>> {
        self.inner.columns()
    }

    async fn next(&mut self) -> Result<Option<Page>, SourceError> {
        let page = self.pages.fetch_add(1, Ordering::Relaxed);
        assert!(page < ENDLESS, "the run goes on for as long as the view grows");
        self.world.insert(&self.view, &[loan(100 + 2 * page), loan(101 + 2 * page)]).await;
        if page == 1 {
            let source_name = self.world.name().to_owned();
            return Err(SourceError::Unreachable { source_name, reason: "planted".to_owned() });
        }
        self.inner.next().await
    }
}

#[tokio::test]
async fn a_run_by_row_number_ends_with_the_rows_counted_at_its_start() {
    for world in worlds().await {
        let world: Arc<dyn SourceWorld> = Arc::from(world);
        for (key, rows) in [("", 5), ("", 4), ("key: [LoanId], ", 5), ("", 0)] {
            let what = format!("{} with `{key}` and {rows} rows", world.name());
            let name = format!("v{}{rows}", key.len());
            let view = ViewName::parse(&name).unwrap();
            world.create(&view, &COLUMNS, &(1..=rows).map(loan).collect::<Vec<_>>()).await;
            let pages = Arc::new(AtomicI64::new(0));
            let source = Growing { world: Arc::clone(&world), view, pages };
            let rig = Rig::over(Arc::new(source), &format!("view: {name}, {key}fetch: offset"));
            if rows > 0 {
                rig.generate(&term(1)).await.expect_err("a page is lost");
            }
            let Outcome::Published(manifest) = rig.generate(&term(2)).await.unwrap() else { panic!("{what}") };
            assert_eq!(manifest.source_rows, rows.unsigned_abs(), "{what}");
            assert_eq!(manifest.read_mode.source_moved, Some(rows > 0), "{what}: and it says that there is more");
            let file = String::from_utf8(rig.read("loan0_20261121.txt").await).unwrap();
            let records: Vec<&str> = file.lines().skip(1).collect();
            assert_eq!(records, (1..=rows).map(|id| format!("{id}|name {id}")).collect::<Vec<_>>(), "{what}");
        }
    }
}
