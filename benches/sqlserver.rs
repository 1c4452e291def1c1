//! Four files from a SQL Server view, beside the bare driver that reads the same query and throws it away, and beside four
//! passes of FreeTDS's `freebcp`, turn by turn: `cargo bench --bench sqlserver [-- ROWS [ROUNDS]]`.
//!
//! The server is the tests' own, in this process; or the one named in `FILEGEN_BENCH_SQLSERVER` (an ADO string) with
//! `FILEGEN_BENCH_SQLSERVER_HOST`, `…_USER` and `…_PASSWORD` for freebcp, and a view `v_loans` as [`TABLE`] describes.

#![allow(clippy::print_stdout, reason = "a bench talks to a person")]

#[path = "../tests/servers/tds/mod.rs"]
#[allow(dead_code, unreachable_pub, missing_docs, reason = "the tests' own module; a bench uses a part of it")]
mod tds;

use futures_util::TryStreamExt;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tiberius::{Client, Config, QueryItem};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};

type Failed = Box<dyn Error>;

const TABLE: &str = "CREATE TABLE loans (id bigint NOT NULL, customer nvarchar(40), amount decimal(18,2), rate float, started date, \
                     changed datetime2(3), status varchar(12), active bit, branch int)";

const COLUMNS: &str = "id, customer, amount, rate, started, changed, status, active, branch";

/// Inserted by one statement; the rest is copied from these.
const FIRST_ROWS: u64 = 1_000;

/// What each file holds, for freebcp.
const FILES: [&str; 4] =
    [COLUMNS, "id, customer, amount, started", "id, amount, rate, status, branch", "id, status, changed, active"];

fn worker(ado: &str) -> String {
    format!(
        r#"worker: LoanWorker
source: {{ url: '{ado}', view: v_loans, key: [id] }}
output: {{ root: out }}
files:
  - id: Wide
    name: "wide_{{date}}.csv"
    translator: {{ delimited: {{ delimiter: ",", quote: minimal, columns: [{COLUMNS}] }} }}
  - id: Pipe
    name: "pipe_{{date}}.txt"
    translator: {{ delimited: {{ delimiter: "|", columns: [{}] }} }}
  - id: Fixed
    name: "fixed_{{date}}.dat"
    translator:
      fixed_width:
        columns:
          - {{ column: id, width: 10, align: right, pad: "0" }}
          - {{ column: amount, width: 15, align: right, format: "0.00" }}
          - {{ column: rate, width: 8, align: right, format: "0.000" }}
          - {{ column: status, width: 12 }}
          - {{ column: branch, width: 6, align: right }}
  - id: Lines
    name: "lines_{{date}}.jsonl"
    translator: {{ json: {{ fields: {{ id: id, status: status, changed: changed, active: active }} }} }}
"#,
        FILES[1]
    )
}

/// Where the rows come from, in the words of each client.
struct Place {
    ado: String,
    host: String,
    user: String,
    password: String,
    _server: Option<tds::Server>,
}

fn main() -> Result<(), Failed> {
    let mut given = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let rows: u64 = given.next().map_or(Ok(1_000_000), |rows| rows.parse())?;
    let rounds: usize = given.next().map_or(Ok(3), |rounds| rounds.parse())?;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let place = place(folder.path(), rows, &runtime)?;
    fs::write(folder.path().join("worker.yaml"), worker(&place.ado))?;

    let (mut bare, mut ours, mut passes, mut peak) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for round in 1..=rounds {
        let started = Instant::now();
        let read = runtime.block_on(thrown_away(&place.ado))?;
        bare.push(started.elapsed());
        let started = Instant::now();
        peak = peak.max(four_files(folder.path())?);
        ours.push(started.elapsed());
        let started = Instant::now();
        four_passes(&place, folder.path())?;
        passes.push(started.elapsed());
        println!(
            "round {round}: {read} rows; bare driver {:.2?}, four files {:.2?}, four passes of freebcp {:.2?}",
            bare[round - 1],
            ours[round - 1],
            passes[round - 1]
        );
    }
    let (bare, ours, passes) = (median(&mut bare), median(&mut ours), median(&mut passes));
    println!(
        "medians: bare driver {bare:.2?}, four files {ours:.2?}, four passes of freebcp {passes:.2?}; four files / bare driver {:.2}, \
         freebcp / four files {:.2}; peak memory {} MB",
        ours.as_secs_f64() / bare.as_secs_f64(),
        passes.as_secs_f64() / ours.as_secs_f64(),
        peak / 1024
    );
    Ok(())
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// A server with the view.
fn place(folder: &Path, rows: u64, runtime: &tokio::runtime::Runtime) -> Result<Place, Failed> {
    if let Ok(ado) = std::env::var("FILEGEN_BENCH_SQLSERVER") {
        let named = |name: &str| std::env::var(format!("FILEGEN_BENCH_SQLSERVER_{name}"));
        let (host, user, password) = (named("HOST")?, named("USER")?, named("PASSWORD")?);
        return Ok(Place { ado, host, user, password, _server: None });
    }
    let (user, password) = ("sa".to_owned(), "secret".to_owned());
    let options = tds::Options { user: (user.clone(), password.clone()), ..tds::Options::default() };
    let server = tds::Server::start(&folder.join("loans.db"), options)?;
    let ado = server.ado("TrustServerCertificate=true");
    runtime.block_on(fill(&ado, rows))?;
    let host = server.address().to_string();
    Ok(Place { ado, host, user, password, _server: Some(server) })
}

async fn fill(ado: &str, rows: u64) -> Result<(), Failed> {
    let mut client = connect(ado).await?;
    let mut insert = format!("INSERT INTO loans ({COLUMNS}) VALUES ");
    for id in 1..=FIRST_ROWS.min(rows) {
        let (cents, day) = (id * 7919 % 100, id % 28 + 1);
        write!(
            insert,
            "{}({id}, N'customer number {id}', {}.{cents:02}, {}.125, '20{:02}-{:02}-{day:02}', \
             '2026-11-{day:02}T10:30:00.{:03}', '{}', {}, {})",
            if id == 1 { "" } else { ", " },
            id * 131,
            id % 30,
            id % 27,
            id % 12 + 1,
            id % 1000,
            if id % 3 == 0 { "late" } else { "current" },
            id % 2,
            id % 900
        )?;
    }
    for statement in [TABLE, &insert, "CREATE UNIQUE INDEX loans_id ON loans (id)"] {
        client.simple_query(statement).await?.into_results().await?;
    }
    let mut there = FIRST_ROWS.min(rows);
    while there < rows {
        let more = there.min(rows - there);
        let rest = COLUMNS.trim_start_matches("id");
        let copy = format!("INSERT INTO loans ({COLUMNS}) SELECT id + {there}{rest} FROM loans WHERE id <= {more}");
        client.simple_query(copy).await?.into_results().await?;
        there += more;
    }
    client.simple_query(format!("CREATE VIEW v_loans AS SELECT {COLUMNS} FROM loans")).await?.into_results().await?;
    Ok(())
}

async fn connect(ado: &str) -> Result<Client<Compat<TcpStream>>, Failed> {
    let mut config = Config::from_ado_string(ado)?;
    config.packet_size(32_767);
    let tcp = TcpStream::connect(config.get_addr()).await?;
    tcp.set_nodelay(true)?;
    Ok(Box::pin(Client::connect(config, tcp.compat_write())).await?)
}

/// The bare driver: how many rows it read.
async fn thrown_away(ado: &str) -> Result<u64, Failed> {
    let mut client = connect(ado).await?;
    let mut stream = client.simple_query(format!("SELECT {COLUMNS} FROM v_loans ORDER BY id")).await?;
    let mut rows = 0;
    while let Some(item) = stream.try_next().await? {
        rows += u64::from(matches!(item, QueryItem::Row(_)));
    }
    Ok(rows)
}

/// Our four files, durable; the process's peak memory in kB.
fn four_files(folder: &Path) -> Result<u64, Failed> {
    if folder.join("out").exists() {
        fs::remove_dir_all(folder.join("out"))?;
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_filegen"));
    command.args(["run", "-q", "-c", "worker.yaml", "--date", "2026-11-21"]).current_dir(folder).stdout(Stdio::null());
    let mut child = command.spawn()?;
    let mut peak = 0;
    loop {
        peak = peak.max(high_water(&child));
        if let Some(status) = child.try_wait()? {
            return if status.success() { Ok(peak) } else { Err(format!("filegen: {status}").into()) };
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The kernel's own mark of a process's peak memory, in kB; zero when it has ended.
fn high_water(child: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|text| text.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// `freebcp` once for each file.
fn four_passes(place: &Place, folder: &Path) -> Result<(), Failed> {
    for columns in FILES {
        let query = format!("SELECT {columns} FROM v_loans ORDER BY id");
        let out = folder.join("pass.txt");
        let mut command = Command::new("freebcp");
        command.arg(&query).arg("queryout").arg(&out).args([
            "-S",
            &place.host,
            "-U",
            &place.user,
            "-P",
            &place.password,
        ]);
        command.args(["-c", "-t", "|", "-A", "32767"]).env("TDSVER", "7.4").env("LC_ALL", "C.UTF-8");
        let output = command.output()?;
        if !output.status.success() {
            return Err(format!("freebcp: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
    }
    Ok(())
}
