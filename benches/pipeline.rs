//! The page pipeline as a whole, SQLite to durable, published files: large pages to one file and to four, small pages with
//! a commit each. Everything is in: key range, lease, commits, checksums, publishing.

#![allow(missing_docs, reason = "criterion's macros make public functions without any")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use filegen::core::generate::{Job, Outcome, Start};
use filegen::core::model::run::{BusinessDate, RunId};
use filegen::core::ports::observer::Unobserved;
use filegen::wiring::{self, Access};
use filegen::{Registry, config};
use rusqlite::Connection;
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// Rows of the view.
const ROWS: u64 = 200_000;

/// Rows of the view that is read in small pages.
const FEW_ROWS: u64 = 2_000;

const FILES: [&str; 4] = [
    "delimited: { delimiter: ',', quote: minimal, columns: [id, at, amount, rate, name, city, note, code] }",
    "delimited: { delimiter: '|', columns: [id, amount, name, at] }",
    "fixed_width: { columns: [{ column: id, width: 12, align: right, pad: '0' }, { column: amount, width: 15, \
     align: right, format: '0.00' }, { column: name, width: 20 }, { column: at, width: 8, format: '%Y%m%d' }] }",
    "json: { fields: { id: id, amount: amount, person: { name: name, city: city }, note: note } }",
];

/// A view of made-up rows.
fn database(path: &Path, rows: u64) {
    let database = Connection::open(path).unwrap();
    database
        .execute_batch(&format!(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, at DATE, amount DECIMAL(15,2), rate DOUBLE, name VARCHAR(20), city TEXT,
               note TEXT, code INTEGER);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
             INSERT INTO t SELECT i, date('2020-01-01', '+' || (i % 2000) || ' days'), i % 100000 / 100.0, i / 7.0,
               'name ' || i % 977, 'city ' || i % 53, CASE WHEN i % 5 THEN 'a note, no. ' || i END, i % 10 FROM n;
             CREATE VIEW v AS SELECT * FROM t;"
        ))
        .unwrap();
}

/// One whole run into a folder of its own.
fn run(runtime: &Runtime, database: &Path, out: &TempDir, files: usize, page_size: u64, commit_pages: u64) {
    let mut entries = String::new();
    for (index, translator) in FILES[..files].iter().enumerate() {
        writeln!(entries, "  - {{ id: F{index}, name: 'f{index}_{{date}}', translator: {{ {translator} }} }}").unwrap();
    }
    let text = format!(
        "worker: W\nsource: {{ url: 'sqlite:{}', view: v, key: [id], page_size: {page_size} }}\noutput: {{ root: '{root}' }}\n\
         state: {{ url: 'sqlite:{root}/.filegen/state.db' }}\ncommit: {{ pages: {commit_pages} }}\nfiles:\n{entries}",
        database.display(),
        root = out.path().display(),
    );
    let registry = Registry::default();
    let worker = config::parse(&text, &out.path().join("w.yaml"), &(), &registry).unwrap().into_worker().unwrap();
    let job = Job {
        edition: filegen::core::generate::Edition::default(),
        run: RunId { worker: worker.id.clone(), date: BusinessDate(jiff::civil::date(2026, 11, 21)) },
        worker,
        registry: Arc::new(registry),
        start: Start::Resume,
        stop: CancellationToken::new(),
        observer: Arc::new(Unobserved),
    };
    let report = runtime.block_on(async {
        let ports = wiring::ports(&job.worker, Access::Change, Arc::clone(&job.observer) as Arc<_>).await.unwrap();
        filegen::core::generate::run::execute(&ports, &job, &wiring::identity(), false).await.unwrap()
    });
    assert!(matches!(black_box(report.outcome), Outcome::Published(_)));
}

fn pipeline(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (many, few) = (folder.path().join("many.db"), folder.path().join("few.db"));
    database(&many, ROWS);
    database(&few, FEW_ROWS);
    let fresh = || tempfile::tempdir_in(folder.path()).unwrap();

    let mut group = criterion.benchmark_group("rows");
    group.sample_size(10).throughput(Throughput::Elements(ROWS));
    for files in [1, 4] {
        group.bench_function(format!("{files} files, pages of 10,000"), |bench| {
            bench.iter_batched(fresh, |out| run(&runtime, &many, &out, files, 10_000, 16), BatchSize::PerIteration);
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("small pages");
    group.sample_size(10).throughput(Throughput::Elements(FEW_ROWS / 10));
    for files in [1, 4] {
        group.bench_function(format!("{files} files, pages of 10, a commit each"), |bench| {
            bench.iter_batched(fresh, |out| run(&runtime, &few, &out, files, 10, 1), BatchSize::PerIteration);
        });
    }
    group.finish();
}

criterion_group!(benches, pipeline);
criterion_main!(benches);
