//! Files made from a table that somebody changes all the time, by processes that are killed at pages dealt by chance: no key
//! twice, and every row that stayed where it was exactly once.
//!
//! `FILEGEN_MOVING_ROUNDS` says how many rounds each way of reading has; `FILEGEN_TEST_SEED` deals the first again.

use crate::support::chance::{Chance, number, seed};
use crate::support::filegen::Filegen;
use crate::support::postgres::Database;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::runtime::Runtime;

/// Rows at the start; their keys leave room between them.
const ROWS: u64 = 3000;

const STEP: u64 = 10;

/// Rows of a page: sixty pages at the start.
const PAGE: u64 = 50;

/// Rounds of each way of reading, where nothing else is said.
const ROUNDS: u64 = 2;

/// Where a process is killed, when so many pages have passed there.
const DEATHS: [&str; 5] = ["commit.written", "commit.synced", "journal.written", "journal.synced", "header.written"];

const RUN: &str = "run -c worker.yaml --date 2026-11-21";

/// Where the rows are, and somebody who changes them.
enum Table {
    Sqlite(rusqlite::Connection),
    Postgres(Runtime, tokio_postgres::Client),
}

impl Table {
    fn run(&self, sql: &str) {
        match self {
            Self::Sqlite(client) => client.execute_batch(sql).expect("the SQL is right"),
            Self::Postgres(runtime, client) => runtime.block_on(client.batch_execute(sql)).expect("the SQL is right"),
        }
    }
}

/// What the table holds and held: keys, and how often a row was changed.
struct Rows<'a> {
    chance: &'a mut Chance,
    table: Table,
    /// Key to version, of those that are there.
    now: BTreeMap<u64, u64>,
    ever: BTreeSet<u64>,
    /// Those of the start that nobody has moved or taken away.
    stayed: BTreeSet<u64>,
    /// Those of them that never are.
    fixed: BTreeSet<u64>,
    changes: u64,
}

impl<'a> Rows<'a> {
    /// Fills the table; six of ten rows will not be moved.
    fn fill(chance: &'a mut Chance, table: Table) -> Self {
        let keys: BTreeSet<u64> = (1..=ROWS).map(|row| row * STEP).collect();
        let fixed = keys.iter().copied().filter(|_| chance.percent(60)).collect();
        let values: Vec<String> = keys.iter().map(|key| Self::values(*key, 0)).collect();
        table.run(&format!(
            "CREATE TABLE loans (\"LoanId\" BIGINT PRIMARY KEY, \"Branch\" BIGINT NOT NULL, \"Number\" BIGINT NOT NULL,
                 \"Version\" BIGINT NOT NULL, UNIQUE (\"Branch\", \"Number\"));
             INSERT INTO loans VALUES {};
             CREATE VIEW \"v_Loans\" AS SELECT * FROM loans;",
            values.join(", ")
        ));
        let now = keys.iter().map(|key| (*key, 0)).collect();
        Self { chance, table, now, ever: keys.clone(), stayed: keys, fixed, changes: 0 }
    }

    fn values(key: u64, version: u64) -> String {
        format!("({key}, {}, {}, {version})", key / 1000, key % 1000)
    }

    /// A key that is free, while there is room: before all others, behind them, or anywhere.
    fn free(&mut self) -> Option<u64> {
        if self.now.len() as u64 > ROWS + ROWS / 10 {
            return None;
        }
        let last = *self.now.keys().next_back()?;
        let range = match self.chance.within(0..20) {
            0 => 0..STEP,
            1 => last + 1..last + 2 * STEP,
            _ => 0..last,
        };
        Some(self.chance.within(range)).filter(|key| !self.now.contains_key(key))
    }

    /// A row that is there.
    fn any(&mut self) -> Option<u64> {
        let from = self.chance.within(0..(ROWS + 1) * STEP);
        self.now.range(from..).next().map(|(key, _)| *key)
    }

    /// One that may be moved.
    fn movable(&mut self) -> Option<u64> {
        self.any().filter(|key| !self.fixed.contains(key))
    }

    /// One change: nothing when chance meets a row that must not be had.
    fn change(&mut self) -> Option<()> {
        match self.chance.within(0..10) {
            0..3 => {
                let key = self.free()?;
                self.table.run(&format!("INSERT INTO loans VALUES {}", Self::values(key, 0)));
                self.came(key, 0);
            }
            3..6 => {
                let key = self.movable()?;
                self.table.run(&format!("DELETE FROM loans WHERE \"LoanId\" = {key}"));
                self.went(key);
            }
            6..8 => {
                let (from, to) = (self.movable()?, self.free()?);
                let (branch, number) = (to / 1000, to % 1000);
                self.table.run(&format!(
                    "UPDATE loans SET \"LoanId\" = {to}, \"Branch\" = {branch}, \"Number\" = {number} WHERE \"LoanId\" = {from}"
                ));
                let version = self.went(from);
                self.came(to, version);
            }
            _ => {
                let key = self.any()?;
                self.table.run(&format!("UPDATE loans SET \"Version\" = \"Version\" + 1 WHERE \"LoanId\" = {key}"));
                *self.now.entry(key).or_default() += 1;
            }
        }
        self.changes += 1;
        Some(())
    }

    fn came(&mut self, key: u64, version: u64) {
        self.now.insert(key, version);
        self.ever.insert(key);
    }

    fn went(&mut self, key: u64) -> u64 {
        self.stayed.remove(&key);
        self.now.remove(&key).unwrap_or_default()
    }

    /// Changes it, as fast as it takes changes, until told to stop.
    fn move_until(&mut self, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            self.change();
        }
    }

    /// A file's lines are `key|version`; `all` when it takes every row, else every third key.
    fn judge(&self, file: &str, all: bool) -> Result<(), String> {
        let line = |line: &str| -> Option<(u64, u64)> {
            let (key, version) = line.split_once('|')?;
            Some((key.parse().ok()?, version.parse().ok()?))
        };
        let lines: Vec<(u64, u64)> = file.lines().map(|text| line(text).expect("key and version")).collect();
        if let Some(pair) = lines.windows(2).find(|pair| pair[0].0 >= pair[1].0) {
            return Err(format!("key {} stands behind {}", pair[1].0, pair[0].0));
        }
        let lines: BTreeMap<u64, u64> = lines.into_iter().collect();
        if let Some(key) = lines.keys().find(|key| !self.ever.contains(key)) {
            return Err(format!("key {key} was never there"));
        }
        for key in self.stayed.iter().filter(|key| all || *key % 3 == 0) {
            match lines.get(key) {
                None => return Err(format!("key {key} stayed where it was and is missing")),
                Some(version) if version > &self.now[key] => return Err(format!("key {key} is of no time")),
                Some(_) => {}
            }
        }
        Ok(())
    }
}

/// A way of reading.
struct Way {
    postgres: bool,
    fetch: &'static str,
}

impl Way {
    /// The table, and the worker file over it, in a new folder.
    fn prepare(&self, key: &str) -> (Filegen, Table, Option<Database>) {
        let filegen = Filegen::empty();
        let (url, table, database) = if self.postgres {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
            let runtime = runtime.expect("a runtime");
            let database = runtime.block_on(Database::create());
            let client = runtime.block_on(database.client());
            runtime.block_on(client.batch_execute("SET synchronous_commit = off")).expect("no sync");
            (database.url(), Table::Postgres(runtime, client), Some(database))
        } else {
            let client = rusqlite::Connection::open(filegen.path("loans.db")).expect("a database");
            // Readers do not wait for writers then, nor these for them.
            client.pragma_update(None, "journal_mode", "wal").expect("WAL");
            client.pragma_update(None, "synchronous", "off").expect("no sync");
            client.busy_timeout(Duration::from_mins(1)).expect("patience");
            ("sqlite:loans.db".to_owned(), Table::Sqlite(client), None)
        };
        filegen.write(
            "worker.yaml",
            &format!(
                "worker: LoanWorker\n\
                 source: {{ url: \"{url}\", view: v_Loans, key: {key}, page_size: {PAGE}, fetch: {} }}\n\
                 output: {{ root: out }}\n\
                 commit: {{ pages: 1 }}\n\
                 files:\n  \
                 - {{ id: All, name: \"all_{{date}}.txt\", progress_header: false, translator: \
                 {{ delimited: {{ delimiter: \"|\", columns: [LoanId, Version] }} }} }}\n  \
                 - {{ id: Third, name: \"third_{{date}}.txt\", progress_header: false, where: '\"LoanId\" % 3 = 0', translator: \
                 {{ delimited: {{ delimiter: \"|\", columns: [LoanId, Version] }} }} }}\n",
                self.fetch
            ),
        );
        (filegen, table, database)
    }

    /// One round: what is wrong with its files; what the manifest says of the reading; changes made meanwhile.
    fn round(&self, seed: u64, moving: bool) -> (Result<(), String>, Value, u64) {
        let mut chance = Chance::of(seed);
        let key = if chance.percent(50) { "[LoanId]" } else { "[Branch, Number]" };
        let deaths: Vec<String> = (0..chance.within(3..6))
            .map(|_| {
                let point = DEATHS[usize::try_from(chance.within(0..DEATHS.len() as u64)).unwrap()];
                format!("commit.begun=sleep(10);{point}={}*off->return", chance.within(3..11))
            })
            .collect();
        let (filegen, table, _database) = self.prepare(key);
        let mut rows = Rows::fill(&mut chance, table);
        let stop = AtomicBool::new(!moving);
        let again = std::thread::scope(|threads| {
            // However it ends, the one who changes the rows comes to an end with it.
            struct Ends<'a>(&'a AtomicBool);
            impl Drop for Ends<'_> {
                fn drop(&mut self) {
                    self.0.store(true, Ordering::Relaxed);
                }
            }
            let _ends = Ends(&stop);
            let _ = threads.spawn(|| rows.move_until(&stop));
            for death in &deaths {
                let done = Filegen::finish(filegen.command(RUN).env("FAILPOINTS", death));
                assert_eq!(done.code, None, "seed {seed}, {death}: it was not killed\n{}", done.stderr);
            }
            let last = Filegen::finish(filegen.command(RUN).env("FAILPOINTS", "commit.begun=sleep(10)"));
            // Two equal counts around other rows: all of it is read once more, by the last.
            let again = last.stderr.contains("all pages are read again");
            last.exits(0);
            again
        });
        let manifest: Value =
            serde_json::from_str(&filegen.read("out/LoanWorker_20261121.manifest.json")).expect("it is JSON");
        let terms = manifest["readMode"]["terms"].as_array().map_or(0, Vec::len);
        assert!(again || terms == deaths.len() + 1, "seed {seed}: each has read some pages: {manifest}");
        let judged = rows.judge(&filegen.read("out/all_20261121.txt"), true);
        let judged = judged.and_then(|()| rows.judge(&filegen.read("out/third_20261121.txt"), false));
        (judged, manifest["readMode"].clone(), rows.changes)
    }

    fn rounds(&self) {
        let first = seed();
        for seed in (0..number("FILEGEN_MOVING_ROUNDS").unwrap_or(ROUNDS)).map(|number| first.wrapping_add(number)) {
            let (judged, read, changes) = self.round(seed, true);
            if let Err(wrong) = judged {
                panic!("FILEGEN_TEST_SEED={seed}: {wrong}; {changes} changes, {read}");
            }
            assert_eq!((&read["fetch"], &read["sourceMoved"]), (&self.fetch.into(), &true.into()), "seed {seed}");
            println_round(self, seed, &read, changes);
        }
    }
}

#[expect(clippy::print_stdout, reason = "what was seen, for whoever runs it with --nocapture")]
fn println_round(way: &Way, seed: u64, read: &Value, changes: u64) {
    let terms = read["terms"].as_array().map_or(0, Vec::len);
    let source = if way.postgres { "PostgreSQL" } else { "SQLite" };
    println!("{source}, {}, seed {seed}: {changes} changes under {terms} terms", way.fetch);
}

#[test]
fn sqlite_streamed_while_it_moves() {
    Way { postgres: false, fetch: "stream" }.rounds();
}

#[test]
fn sqlite_by_pages_while_it_moves() {
    Way { postgres: false, fetch: "paged" }.rounds();
}

#[test]
fn postgres_streamed_while_it_moves() {
    Way { postgres: true, fetch: "stream" }.rounds();
}

#[test]
fn postgres_by_pages_while_it_moves() {
    Way { postgres: true, fetch: "paged" }.rounds();
}

#[test]
fn a_source_that_stands_still_is_said_to_have_stood_still() {
    for postgres in [false, true] {
        for fetch in ["stream", "paged", "offset"] {
            let (judged, read, changes) = Way { postgres, fetch }.round(seed(), false);
            assert_eq!((judged, changes, &read["sourceMoved"]), (Ok(()), 0, &false.into()), "{fetch}");
        }
    }
}

/// That way promises nothing here, and the judge must say so: else it would say so of none.
#[test]
fn read_by_row_number_rows_are_missing_or_there_twice() {
    let (judged, read, changes) = Way { postgres: false, fetch: "offset" }.round(seed(), true);
    let wrong = judged.expect_err("rows have moved under the numbers");
    assert!(wrong.contains("missing") || wrong.contains("stands behind"), "{wrong}; {changes} changes, {read}");
}
