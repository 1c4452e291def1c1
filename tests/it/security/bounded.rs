//! What comes from outside costs no more memory than a pod has: 256 MiB, as `deploy/kubernetes` says.

use crate::support::filegen::{Done, Filegen, names_below};
use crate::support::foreign::Thing;
use crate::support::nats::Nats;
use filegen::core::transfer::envelope;
use sha2::{Digest, Sha256};
use std::io::Write;
use std::process::Command;

/// The pod's limit, in KiB.
const LIMIT: u64 = 256 << 10;

/// Runs a command, and prints the most memory that it held, in KiB, as the last line of stderr.
const MEASURED: &str = "
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code)
";

/// Runs the binary to its end, within the limit.
#[track_caller]
fn bounded(filegen: &Filegen, args: &str) -> Done {
    let command = filegen.command(args);
    let mut measured = Command::new("python3");
    measured.args(["-c", MEASURED]).arg(command.get_program()).args(command.get_args());
    measured.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    // As the image has it.
    measured.env("MALLOC_MMAP_THRESHOLD_", "8388608");
    measured.current_dir(command.get_current_dir().unwrap());
    let done = Filegen::finish(&mut measured);
    let peak: u64 = done.stderr.lines().last().unwrap().parse().unwrap();
    assert!(peak < LIMIT, "`filegen {args}` took {} MiB\n{}", peak >> 10, done.stderr);
    done
}

/// Four files over a table with one long text column, as the pod's worker file limits it.
const WIDE: &str = r#"worker: LoanWorker
source: { url: "sqlite:loans.db", view: Wide, key: [Id], value_bytes: 16MiB }
output: { root: out }
files:
  - { id: A, name: "a_{date}.txt", translator: { delimited: { delimiter: "|", columns: [Id, V] } } }
  - { id: B, name: "b_{date}.csv", translator: { delimited: { delimiter: ",", quote: minimal, columns: [Id, V] } } }
  - { id: C, name: "c_{date}.jsonl", translator: { json: { fields: { id: Id, v: V } } } }
  - { id: D, name: "d_{date}.txt", translator: { delimited: { delimiter: ";", columns: [Id, V] } } }
"#;

/// A table of so many rows, each with a text of so many bytes.
fn wide(rows: u64, bytes: u64) -> Filegen {
    let filegen = Filegen::with_loans(1);
    filegen.sql(&format!(
        "CREATE TABLE Wide (Id INTEGER PRIMARY KEY, V TEXT NOT NULL);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
         INSERT INTO Wide SELECT i, replace(hex(zeroblob({bytes} / 2)), '00', 'ab') FROM n;"
    ));
    filegen.write("worker.yaml", WIDE);
    filegen
}

#[test]
fn values_as_long_as_the_limit_allows() {
    let filegen = wide(4, (16 << 20) - 2);
    bounded(&filegen, "run -c worker.yaml").exits(0);
    bounded(&filegen, "verify -c worker.yaml --full").exits(0);
}

#[test]
fn a_value_that_is_longer_than_the_limit() {
    let filegen = wide(1, 300 << 20);
    let done = bounded(&filegen, "run -c worker.yaml").exits(7);
    assert!(done.stderr.contains("source.value_bytes"), "{}", done.stderr);
}

/// With the default limit of 64 MiB: from a table, made by expressions, and sorted. Memory is a pod's though the limit is not.
#[test]
fn a_value_that_is_a_little_longer_than_the_limit_is_refused_before_it_is_there() {
    let filegen = Filegen::with_loans(1);
    filegen.sql(
        "CREATE TABLE Stored (Id INTEGER PRIMARY KEY, V TEXT NOT NULL);
         INSERT INTO Stored SELECT 1, replace(hex(zeroblob(35000000)), '00', 'ab');
         CREATE VIEW Sorted AS SELECT Id, V FROM Stored ORDER BY V;
         CREATE VIEW Zeros AS SELECT 1 AS Id, zeroblob(70000000) AS V;
         CREATE VIEW Digits AS SELECT 1 AS Id, hex(zeroblob(35000000)) AS V;",
    );
    for view in ["Stored", "Sorted", "Zeros", "Digits"] {
        let file = WIDE.replace("view: Wide", &format!("view: {view}")).replace(", value_bytes: 16MiB", "");
        filegen.write("worker.yaml", &file.replace("root: out", &format!("root: {view}")));
        let done = bounded(&filegen, "run -c worker.yaml").exits(7);
        assert!(done.stderr.contains("source.value_bytes"), "{view}: {}", done.stderr);
        assert!(view != "Stored" || done.stderr.contains("column `V` of the row with key 1"), "{}", done.stderr);
        bounded(&filegen, "doctor -c worker.yaml");
    }
}

#[test]
fn files_under_our_names_that_claim_terabytes() {
    let filegen = Filegen::with_loans(30);
    filegen.publish();
    let names = names_below(&filegen.path("out"));
    let manifest = names.iter().find(|name| name.ends_with("manifest.json")).unwrap();
    Thing::Huge.put(&filegen.path("out").join(manifest), &filegen.path("loans.db"));
    for command in ["run", "verify", "status", "inspect-headers", "publish-completion --all"] {
        bounded(&filegen, &format!("{command} -c worker.yaml"));
    }
    Thing::Huge.put(&filegen.path("worker.yaml"), &filegen.path("loans.db"));
    bounded(&filegen, "config check -c worker.yaml").exits(3);
}

#[test]
fn templates_that_would_grow_without_end() {
    for record in [
        "{{ 'x' * 3000000000 }}",
        "{% for i in range(100000000) %}xxxxxxxxxx{% endfor %}",
        "{{ 'x' | pad(2000000000) }}",
    ] {
        let filegen = Filegen::with_loans(3);
        filegen.edit("HEAD {{ date }} {{ rows }}", record);
        let checked = bounded(&filegen, "config check -c worker.yaml");
        let run = bounded(&filegen, "run -c worker.yaml");
        assert!(checked.code == Some(3) && run.code == Some(3), "{record}: {checked:?} {run:?}");
    }
}

/// A transfer over a folder that others write to as well.
const TRANSFER: &str = "transfer: sales
collect: { directory: in }
broker: { local: spool }
deliver: { to: { directory: out } }
state: { url: \"sqlite:ledger.db\" }
";

#[test]
fn messages_of_a_transfer_that_claim_to_be_long_and_chunks_as_long_as_they_may_be() {
    let filegen = Filegen::empty();
    std::fs::create_dir(filegen.path("in")).unwrap();
    filegen.write("t.yaml", TRANSFER);
    bounded(&filegen, "transfer run -c t.yaml").exits(0);
    let sparse = |path: String, bytes: u64| {
        let file = std::fs::File::create(filegen.path(&path)).unwrap();
        file.set_len(bytes).unwrap();
        file
    };
    for number in 0..16 {
        sparse(format!("spool/sales/m/junk{number}"), 79 << 20).write_all(b"100 inline\n").unwrap();
    }
    let done = bounded(&filegen, "transfer run -c t.yaml --output json").exits(4).json();
    assert_eq!(done["failed"], 16, "{done}");
    let size: u64 = 64 << 20;
    let sha256 = hex::encode(Sha256::digest(vec![0; 64 << 20]));
    for number in 0..6 {
        let path = format!("large{number}");
        let id = envelope::id("sales", &path, size, &sha256);
        let said = serde_json::json!({
            "version": 1, "id": id, "sourcePath": path, "name": path, "source": "sales", "contentType": "text/csv", "size": size,
            "sha256": sha256, "modifiedAt": "2026-11-30T00:00:00Z", "timestamp": "2026-11-30T00:00:00Z", "chunks": 1, "chunkSize": size,
        })
        .to_string();
        sparse(format!("spool/sales/c/{id}"), size);
        filegen.write(&format!("spool/sales/m/{id}"), &format!("{} chunks\n{said}", said.len()));
    }
    let done = bounded(&filegen, "transfer run -c t.yaml --output json").exits(0).json();
    assert_eq!(done["delivered"], 6, "{done}");
}

#[tokio::test]
async fn messages_as_long_as_a_nats_server_lets_them_be() {
    let server = Nats::with("max_payload: 32MB");
    let filegen = Filegen::empty();
    std::fs::create_dir(filegen.path("in")).unwrap();
    let nats = format!("nats: {{ url: \"{}\", max_bytes: 4GiB }}", server.url());
    filegen.write("t.yaml", &TRANSFER.replace("local: spool", &nats));
    bounded(&filegen, "transfer run -c t.yaml").exits(0);
    let junk = vec![b'x'; (32 << 20) - 1024];
    for number in 0..8 {
        let answer = server.put(&format!("files.input.m.junk{number}"), &junk).await;
        assert!(answer["seq"].is_u64(), "{answer}");
    }
    let done = bounded(&filegen, "transfer run -c t.yaml --output json").exits(4).json();
    assert_eq!(done["failed"], 8, "{done}");
}
