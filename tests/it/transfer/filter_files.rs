//! Filters that are made of files of this host: what passes, what is told of their files, and when they are read.

use super::rig::Rig;
use serde_json::{Value, json};
use std::fs;

/// A schema of orders.
const ORDER: &str = r#"{ "type": "object", "required": ["id"], "properties": { "id": { "type": "integer" } } }"#;

/// A file with filters, and without a name of its own.
pub fn rig(filters: &str) -> Rig {
    let steps = format!("  filters: {filters}\n  work: work\n");
    Rig::with(&[("  name: \"{{ folder }}{{ name }}\"\n", &steps)])
}

/// The findings of `doctor` with this check's name: verdict and detail.
pub fn told(rig: &Rig, code: i32, check: &str) -> Vec<String> {
    let told = rig.filegen.run("doctor -c t.yaml --output json").exits(code).json();
    let all = told["checks"].as_array().unwrap().iter().filter(|row| row["check"] == check);
    all.map(|row| format!("{} {}", row["verdict"].as_str().unwrap(), row["detail"].as_str().unwrap())).collect()
}

/// What `config check` finds first: its field and its words.
pub fn checked(rig: &Rig) -> String {
    let checked = rig.filegen.run("config check -c t.yaml --output json").exits(3).json();
    let problem = &checked["problems"][0];
    assert!(problem["line"].is_u64() && problem["column"].is_u64(), "it has its place: {problem}");
    format!("{}: {}", problem["field"].as_str().unwrap(), problem["message"].as_str().unwrap())
}

/// The reason beside a file that was set aside, and its kind.
pub fn refused(rig: &Rig, name: &str) -> (String, String) {
    let note: Value = serde_json::from_slice(&rig.shelf("error")[&format!("{name}.error")]).unwrap();
    (note["kind"].as_str().unwrap().to_owned(), note["reason"].as_str().unwrap().to_owned())
}

#[test]
fn json_that_fits_its_schema_arrives_as_it_is_and_the_rest_is_refused_by_line_and_pointer() {
    let rig = rig("[{ check: { json: { schema: order.json, each: line, rows: \">0\", max_size: 4KiB } } }]");
    rig.filegen.write("order.json", ORDER);
    let lines: Vec<String> = (0..30_000).map(|id| format!("{{\"id\":{id}}}\n")).collect();
    let lines = lines.concat();
    rig.put("a.jsonl", lines.as_bytes());
    rig.put("bad.jsonl", format!("{lines}{{\"id\":\"s3cret\"}}\n").as_bytes());
    rig.put("long.jsonl", format!("{{\"id\":\"{}\"}}", "s3cret".repeat(1000)).as_bytes());
    rig.put("none.jsonl", b"");
    let shown = rig.run(4);
    assert_eq!((&shown["delivered"], &shown["failed"]), (&json!(1), &json!(3)), "{shown}");
    assert!(rig.names("target") == ["a.jsonl"] && rig.files("target")["a.jsonl"] == lines.as_bytes());
    for (name, why) in [
        ("bad.jsonl", "line 30001: `/id` is not as the schema's `/properties/id/type` says: \"integer\""),
        ("long.jsonl", "line 1 has more than 4096 bytes"),
        ("none.jsonl", "0 lines"),
    ] {
        let (kind, reason) = refused(&rig, name);
        assert!(kind == "data" && reason.contains(why), "{name}: {kind}: {reason}");
        assert!(!reason.contains("s3cret"), "{reason}");
    }
    assert!(!rig.transfer("list").stdout.contains("s3cret"));
    assert!(rig.names("work").is_empty(), "{:?}", rig.names("work"));
    // What is mended counts for the next file.
    rig.filegen.write("order.json", "{}");
    rig.transfer("redrive --all --reason mended").exits(0);
    rig.run(4);
    assert_eq!(rig.names("target"), ["a.jsonl", "bad.jsonl"]);
}

#[test]
fn a_schema_that_cannot_be_used_is_told_before_anything_and_moves_nothing() {
    let rig = rig("[{ gzip: {} }, { check: { json: { schema: order.json } } }]");
    rig.put("a.json", b"{}");
    for (schema, why) in [
        (None, "No such file"),
        (Some("{ \"type\": }"), "is no JSON: expected value at line 1 column 11"),
        (Some("{ \"type\": \"order\" }"), "at `/type`"),
        (Some("{ \"$ref\": \"https://schemas.example/order.json\" }"), "schemas.example"),
    ] {
        if let Some(schema) = schema {
            rig.filegen.write("order.json", schema);
        }
        let problem = checked(&rig);
        assert!(problem.contains(why) && problem.starts_with("deliver.filters[1].check.json.schema: "), "{problem}");
        let found = told(&rig, 3, "schema");
        assert!(found.len() == 1 && found[0].starts_with("fail ") && found[0].contains(why), "{found:?}");
        let stopped = rig.transfer("run").exits(3).stderr;
        let stopped = stopped.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        assert!(stopped.contains("the filter `check` cannot be used") && stopped.contains("order.json"), "{stopped}");
        assert!(rig.names("in") == ["a.json"] && rig.names("error").is_empty() && rig.names("target").is_empty());
    }
    fs::remove_file(rig.filegen.path("order.json")).unwrap();
    rig.filegen.write("order.json", "true");
    assert!(told(&rig, 0, "schema")[0].starts_with("pass "));
    rig.filegen.run("config check -c t.yaml").exits(0);
    let shown = rig.filegen.run("config show -c t.yaml").exits(0).stdout;
    assert!(shown.contains("schema: ") && shown.contains("each: document"), "{shown}");
}
