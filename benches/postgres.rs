//! Reading a PostgreSQL view page by page, beside one `psql \copy` of the same view to nowhere, turn by turn.
//!
//! `FILEGEN_BENCH_POSTGRES=postgres://… cargo bench --bench postgres [-- VIEW KEY [ROUNDS]]`; the view is `v_flights` with the
//! key `id` unless given.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a bench talks to a person")]

use filegen::adapters::postgres::Postgres;
use filegen::core::model::names::ViewName;
use filegen::core::model::query::{Fetch, Isolation};
use filegen::core::model::secret::Secret;
use filegen::core::model::sql::Relation;
use filegen::core::ports::source::{PageSource, Position, Query};
use std::error::Error;
use std::num::NonZeroU32;
use std::process::Command;
use std::time::{Duration, Instant};

/// Rows of a page.
const PAGE_SIZE: u32 = 10_000;

fn main() -> Result<(), Box<dyn Error>> {
    let Ok(url) = std::env::var("FILEGEN_BENCH_POSTGRES") else {
        eprintln!("set FILEGEN_BENCH_POSTGRES to the address of a database with the view");
        return Ok(());
    };
    let mut given = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let view = given.next().unwrap_or_else(|| "v_flights".to_owned());
    let key = given.next().unwrap_or_else(|| "id".to_owned());
    let rounds: u32 = given.next().map_or(Ok(5), |rounds| rounds.parse())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;

    let (mut ours, mut psqls) = (Duration::MAX, Duration::MAX);
    for round in 1..=rounds {
        let started = Instant::now();
        let (rows, pages) = runtime.block_on(read(&url, &view, &key))?;
        let read = started.elapsed();
        let started = Instant::now();
        copy(&url, &view, &key)?;
        let psql = started.elapsed();
        println!("round {round}: {rows} rows in {pages} pages {read:.2?}, psql \\copy {psql:.2?}");
        (ours, psqls) = (ours.min(read), psqls.min(psql));
    }
    println!("best: pages {ours:.2?}, psql \\copy {psqls:.2?}, ratio {:.2}", ours.as_secs_f64() / psqls.as_secs_f64());
    Ok(())
}

/// Reads all pages of the view; how many rows and pages there were.
async fn read(url: &str, view: &str, key: &str) -> Result<(u64, u64), Box<dyn Error>> {
    let source = Postgres::new(&Secret::new(url))?;
    let view = Relation::from(ViewName::parse(view)?);
    let columns = source.columns(&view).await?;
    let query = Query {
        view,
        key: vec![key.to_owned()],
        columns: columns.into_iter().map(|column| column.name).collect(),
        predicates: Vec::new(),
        page_size: NonZeroU32::new(PAGE_SIZE).ok_or("no rows in a page")?,
        page_bytes: 64 << 20,
        value_bytes: 64 << 20,
        fetch: Fetch::Stream,
        isolation: Isolation::Default,
        kinds: None,
    };
    let mut stream = source.open(&query, &Position::default(), None).await?;
    let (mut rows, mut pages) = (0, 0);
    while let Some(page) = stream.next().await? {
        rows += page.rows();
        pages += 1;
    }
    Ok((rows, pages))
}

/// Has psql write the view as CSV, in the same order, and throws it away.
fn copy(url: &str, view: &str, key: &str) -> Result<(), Box<dyn Error>> {
    let command = format!("\\copy (SELECT * FROM {view} ORDER BY {key}) TO '/dev/null' CSV");
    let status = Command::new("psql").args(["-X", "-q", "-d", url, "-c", &command]).status()?;
    if status.success() { Ok(()) } else { Err("psql failed".into()) }
}
