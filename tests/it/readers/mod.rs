//! Real readers load what `receiver:` makes for them, and have each cell of an awkward view: texts that are taken for other things,
//! NULL beside empty texts, numbers, booleans, timestamps, dates.

mod told;
mod view;

use crate::support::filegen::{Filegen, in_time};
use crate::support::postgres::Database;
use futures_util::SinkExt;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use view::{COLUMNS, rows, world};

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers/readers");

/// What PostgreSQL is told.
const COPY: &str = "COPY loans FROM STDIN WITH (FORMAT csv, HEADER match, NULL '', ENCODING 'UTF8')";

/// What MariaDB is told.
const LOAD: &str = "INTO TABLE loans CHARACTER SET utf8mb4 FIELDS TERMINATED BY ',' ENCLOSED BY '\"' ESCAPED BY '' \
                    LINES TERMINATED BY '\\n' IGNORE 1 LINES";

/// What Python's readers are told.
const PYTHON: [&str; 6] = [
    r#"keep_default_na=False, na_values=["<NULL>"], skip_blank_lines=False"#,
    "polars.read_csv(",
    "auto_detect = false, header = true,",
    r#"delim = ',', quote = '"', escape = '"', comment = '', allow_quoted_nulls = false)"#,
    "CSVWithNames",
    r#"header=True, multiLine=True, quote='"', escape='"', nullValue="\ue000", emptyValue="", enforceSchema=False, mode="FAILFAST""#,
];

#[test]
fn the_readers_are_told_what_the_document_says() {
    let words = |path: &str| {
        let text = std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let (document, script) = (words("docs/receivers.md"), words("tests/servers/readers/load.py"));
    for told in [COPY, LOAD].iter().chain(&PYTHON) {
        assert!(document.contains(told), "docs/receivers.md does not say {told}");
    }
    for told in PYTHON {
        assert!(script.contains(told), "load.py does not say {told}");
    }
}

/// The environment with Python's readers.
fn python() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-servers/readers");
    let done = in_time(Command::new(format!("{SOURCE}/fetch")).arg(&folder));
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    folder.join("venv/bin/python")
}

/// Makes the file of a receiver, checks it, and says where it is.
fn publish(filegen: &Filegen, receiver: &str) -> PathBuf {
    filegen.write("worker.yaml", &view::worker(receiver));
    let check = filegen.run("config check -c worker.yaml").exits(0);
    assert!(!check.stderr.contains("warning"), "{}", check.stderr);
    filegen.publish();
    filegen.run("verify -c worker.yaml --date 2026-11-21 --full").exits(0);
    filegen.path("out/a_20261121.csv")
}

/// Holds what a reader has against the view, cell by cell.
fn compare(reader: &str, loaded: &[Vec<Value>]) {
    let expected = rows();
    assert_eq!(loaded.len(), expected.len(), "{reader} has so many rows");
    for (at, (loaded, expected)) in loaded.iter().zip(&expected).enumerate() {
        for ((name, loaded), expected) in COLUMNS.iter().zip(loaded).zip(expected) {
            let same = match (expected, loaded) {
                // Some readers have numbers in place of booleans, and whole numbers in place of whole floats.
                (Value::Bool(flag), Value::Number(number)) => number.as_i64() == Some(i64::from(*flag)),
                (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
                (one, other) => one == other,
            };
            assert!(same, "{reader}, row {}, `{name}`: {loaded} where the view has {expected}", at + 1);
        }
    }
}

fn lines(text: &str) -> Vec<Vec<Value>> {
    text.split('\n').filter(|line| !line.is_empty()).map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// One of Python's readers.
fn in_python(reader: &str) {
    let filegen = world();
    let file = publish(&filegen, reader);
    let done = in_time(Command::new(python()).arg("-B").arg(format!("{SOURCE}/load.py")).arg(reader).arg(&file));
    let (stdout, stderr) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{reader}: {stderr}");
    compare(reader, &lines(&stdout));
}

#[test]
fn pandas_has_each_cell() {
    in_python("pandas");
}

#[test]
fn polars_has_each_cell() {
    in_python("polars");
}

#[test]
fn duckdb_has_each_cell() {
    in_python("duckdb");
}

#[test]
fn clickhouse_has_each_cell() {
    if all_readers() {
        in_python("clickhouse");
    }
}

#[test]
fn spark_has_each_cell() {
    if all_readers() {
        in_python("spark");
    }
}

/// Whether the large programs are wanted, too.
fn all_readers() -> bool {
    std::env::var("FILEGEN_READERS").is_ok_and(|readers| readers == "all")
}

#[tokio::test]
async fn postgres_has_each_cell() {
    let filegen = world();
    let file = publish(&filegen, "postgres-copy");
    let database = Database::create().await;
    let client = database.client().await;
    let table = "CREATE TABLE loans (id bigint, s text, n bigint, d numeric(12,2), f double precision, b boolean, t timestamp, day date, \
                 z text)";
    client.batch_execute(table).await.unwrap();
    let sink = client.copy_in(COPY).await.unwrap();
    let mut sink = std::pin::pin!(sink);
    sink.send(std::io::Cursor::new(std::fs::read(&file).unwrap())).await.unwrap();
    assert_eq!(sink.finish().await.unwrap(), rows().len() as u64);
    let select = "SELECT json_build_array(id, s, n, d::text, f, b, t::text, day, z)::text FROM loans ORDER BY id";
    let loaded: Vec<String> = client.query(select, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    compare("PostgreSQL", &loaded.iter().map(|row| serde_json::from_str(row).unwrap()).collect::<Vec<_>>());
}

#[test]
fn mariadb_has_each_cell() {
    let filegen = world();
    let file = publish(&filegen, "mysql-load");
    let data = filegen.path("data");
    std::fs::create_dir(&data).unwrap();
    let answer = filegen.path("answer");
    // As docs/receivers.md says. The server reads its statements itself, one a line, and ends: no port, no user.
    let statements = format!(
        "CREATE DATABASE t;\nUSE t;\n\
         CREATE TABLE loans (id BIGINT, s TEXT, n BIGINT, d DECIMAL(12,2), f DOUBLE, b BOOLEAN, t DATETIME(6), day DATE, z TEXT) \
         CHARACTER SET utf8mb4;\n\
         LOAD DATA INFILE '{}' {LOAD};\n\
         SELECT JSON_ARRAY(id, s, n, CAST(d AS CHAR), f, b, CAST(t AS CHAR), CAST(day AS CHAR), z) FROM loans ORDER BY id INTO OUTFILE '{}' CHARACTER SET utf8mb4 \
         FIELDS TERMINATED BY '\\t' ESCAPED BY '' LINES TERMINATED BY '\\n';\n",
        file.display(),
        answer.display()
    );
    filegen.write("statements.sql", &statements);
    let server = ["/usr/sbin/mariadbd", "/usr/sbin/mysqld"].into_iter().find(|path| Path::new(path).exists());
    let mut command = Command::new(server.expect("no mariadbd: install Debian's `mariadb-server-core`"));
    command
        .args(["--no-defaults", "--bootstrap", "--skip-innodb", "--default-storage-engine=Aria", "--user=root"])
        .args(["--character-set-server=utf8mb4", "--sql-mode=STRICT_ALL_TABLES"])
        .arg(format!("--datadir={}", data.display()))
        .stdin(std::fs::File::open(filegen.path("statements.sql")).unwrap());
    let done = command.output().expect("the server runs");
    let answer = std::fs::read_to_string(&answer);
    let answer = answer.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&done.stderr)));
    compare("MariaDB", &lines(&answer));
}

/// No Excel runs here: the bytes are held against what its maker's documents say.
#[test]
fn excel_gets_the_mark_line_ends_and_words_that_its_documents_name() {
    let filegen = world();
    let file = publish(&filegen, "excel");
    let bytes = std::fs::read(&file).unwrap();
    let text = std::str::from_utf8(bytes.strip_prefix(b"\xEF\xBB\xBF").expect("the byte order mark first")).unwrap();
    assert!(text.starts_with("id,s,n,d,f,b,t,day,z\r\n"), "{}", &text[..40]);
    let mut reader = csv::ReaderBuilder::new().terminator(csv::Terminator::CRLF).from_reader(text.as_bytes());
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), rows().len());
    for (record, row) in records.iter().zip(rows()) {
        let expected = row.iter().map(|cell| match cell {
            Value::Null => String::new(),
            Value::Bool(flag) => flag.to_string().to_uppercase(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        assert!(record.iter().eq(expected), "{record:?} where the view has {row:?}");
    }
}

#[test]
fn cobol_has_each_field() {
    let filegen = world();
    filegen.write("worker.yaml", view::COBOL);
    filegen.run("config check -c worker.yaml").exits(0);
    filegen.publish();
    let program = filegen.path("records");
    let compiled = Command::new("cobc")
        .args(["-x", "-free", "-o"])
        .arg(&program)
        .arg(format!("{SOURCE}/records.cob"))
        .current_dir(filegen.path(""))
        .output()
        .expect("no cobc: install Debian's `gnucobol3`");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let done = in_time(Command::new(&program).env("DD_LOANS", filegen.path("out/a_20261121.dat")));
    let expected: Vec<String> = rows().iter().filter_map(|row| view::as_cobol_shows(row)).collect();
    let shown = String::from_utf8(done.stdout).unwrap();
    assert_eq!(shown, expected.concat() + "ends with 10\n");
}
