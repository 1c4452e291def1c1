//! Ended as if by SIGKILL between any two steps; the next run ends with the same rows, and each dead letter once.

use crate::support::filegen::{Filegen, in_time};
use rusqlite::Connection;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::sync::LazyLock;

/// Points that a run passes.
const POINTS: [&str; 6] =
    ["ingest.decoded", "sink.moved", "sink.rows", "ingest.written", "ingest.released", "letters.added"];

/// The example in small batches.
fn example() -> Filegen {
    let filegen = Filegen::empty();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    fs::copy(folder.join("events.jsonl"), filegen.path("events.jsonl")).unwrap();
    let text = fs::read_to_string(folder.join("events.yaml")).unwrap();
    filegen.write("events.yaml", &format!("{text}policies: {{ batch: 65 }}\n"));
    filegen
}

/// Everything that events have done, as text.
fn effects(filegen: &Filegen) -> Vec<String> {
    let sink = Connection::open(filegen.path("events.db")).unwrap();
    let mut all = Vec::new();
    for sql in [
        "SELECT * FROM users ORDER BY 1",
        "SELECT * FROM orders ORDER BY 1",
        "SELECT * FROM payments ORDER BY 1",
        "SELECT * FROM inventory ORDER BY 1",
        "SELECT event_id FROM filegen_ledger ORDER BY 1",
        "SELECT id FROM filegen_parked ORDER BY 1",
        "SELECT id FROM filegen_queue ORDER BY 1",
        "SELECT id FROM filegen_dead_letters ORDER BY 1",
        "SELECT topic, topic_id, partition, next_offset FROM filegen_offsets",
    ] {
        let mut asked = sink.prepare(sql).unwrap();
        let columns = asked.column_count();
        let row = |row: &rusqlite::Row<'_>| {
            let values: Result<Vec<rusqlite::types::Value>, _> = (0..columns).map(|at| row.get(at)).collect();
            Ok(format!("{sql}: {:?}", values?))
        };
        all.extend(asked.query_map([], row).unwrap().map(Result::unwrap));
    }
    all
}

static GOLDEN: LazyLock<Vec<String>> = LazyLock::new(|| {
    let filegen = example();
    filegen.run("ingest run -c events.yaml -q").exits(0);
    effects(&filegen)
});

#[test]
fn a_killed_run_goes_on_with_the_same_rows() {
    for point in POINTS {
        let mut killed = 0;
        for passes in [0, 1, 4] {
            let filegen = example();
            let mut command = filegen.command("ingest run -c events.yaml -q");
            let output = in_time(command.env("FAILPOINTS", format!("{point}={passes}*off->return")));
            killed += u32::from(output.status.signal().is_some());
            filegen.run("ingest run -c events.yaml -q").exits(0);
            assert_eq!(effects(&filegen), *GOLDEN, "killed at {point} after {passes} passes");
        }
        assert!(killed > 0, "{point} is never passed");
    }
}

#[test]
fn a_killed_replay_may_be_repeated() {
    let filegen = example();
    filegen.run("ingest run -c events.yaml -q").exits(0);
    // With a wider column, some of the dead may live.
    filegen.write("events.yaml", &filegen.read("events.yaml").replace("decimal(18,2)", "decimal(18,3)"));
    filegen.run("dlq plan -c events.yaml --kind precision --out plan.json").exits(0);
    let before = filegen.run("dlq list -c events.yaml --output json").exits(0).json().as_array().unwrap().len();
    let mut command = filegen.command("dlq apply -c events.yaml plan.json --reason wider --rate 1000");
    let output = in_time(command.env("FAILPOINTS", "replay.written=1*off->return"));
    assert!(output.status.signal().is_some(), "{}", String::from_utf8_lossy(&output.stderr));
    let applied = filegen.run("dlq apply -c events.yaml plan.json --reason wider --output json").exits(0).json();
    assert_eq!((&applied["left"], &applied["entries"]["gone"]), (&0.into(), &1.into()), "{applied}");
    let entries =
        filegen.run("dlq plan -c events.yaml --kind precision --out again.json --output json").exits(0).json();
    assert_eq!(entries["entries"], 0);
    let after = filegen.run("dlq list -c events.yaml --output json").exits(0).json().as_array().unwrap().len();
    assert!(after < before);
}
