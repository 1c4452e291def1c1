//! A run from folder to folder: what arrives, what becomes of the sources, and what the commands tell of it.

use super::rig::{Rig, bytes};
use crate::support::filegen::Filegen;
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt;

#[test]
fn each_file_arrives_once_and_whole_and_a_second_run_has_nothing_to_do() {
    let rig = Rig::new();
    let large = bytes(70_000, 1);
    for (path, content) in [("small.csv", &b"a,b\n"[..]), ("x/large.bin", &large), ("empty", b"")] {
        rig.put(path, content);
    }
    let told = rig.run(0);
    assert_eq!((&told["delivered"], &told["collected"], &told["failed"]), (&json!(3), &json!(3), &json!(0)), "{told}");
    assert_eq!(told["bytes"], json!(70_004));
    let target = rig.files("target");
    assert_eq!(rig.names("target"), ["empty", "small.csv", "x/large.bin"]);
    assert_eq!((&target["small.csv"][..], &target["empty"][..]), (&b"a,b\n"[..], &b""[..]));
    assert!(target["x/large.bin"] == large, "the large file is not whole");
    assert_eq!(rig.shelf("archive"), target);
    assert!(rig.names("in").is_empty() && rig.names("error").is_empty());
    assert_eq!(rig.names("spool"), Vec::<String>::new(), "the spool is empty again");
    let mode = fs::metadata(rig.filegen.path("target/small.csv")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o640);
    assert!(rig.transfer("run").exits(0).stdout.contains("sales: nothing to do"));
    // The same version put there again is archived, and not sent.
    rig.put("small.csv", b"a,b\n");
    let told = rig.run(0);
    assert_eq!((&told["again"], &told["delivered"]), (&json!(1), &json!(0)), "{told}");
    assert_eq!(rig.shelf("archive").len(), 4);
    assert_eq!(rig.names("target").len(), 3);
}

#[test]
fn what_is_delivered_may_be_listed_shown_and_verified() {
    let rig = Rig::new();
    rig.put("a.csv", b"1");
    rig.put("b.csv", &bytes(9000, 2));
    rig.run(0);
    let listed = rig.transfer("list --output json").exits(0).json();
    let files = listed["files"].as_array().unwrap();
    assert_eq!(files.len(), 2);
    for file in files {
        assert_eq!((&file["state"], &file["deliver"]), (&json!("archived"), &json!("delivered")), "{file}");
    }
    let a = files.iter().find(|file| file["path"] == "a.csv").unwrap();
    let id = a["id"].as_str().unwrap();
    let shown = rig.transfer(&format!("show {} --output json", &id[..8])).exits(0).json();
    let steps: Vec<String> = shown["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| format!("{} {}", step["side"].as_str().unwrap(), step["state"].as_str().unwrap()))
        .collect();
    for wanted in ["collect seen", "collect sending", "collect sent", "collect archived", "deliver receiving"] {
        assert!(steps.iter().any(|step| step == wanted), "{wanted}: {steps:?}");
    }
    assert_eq!(steps.iter().filter(|step| *step == "deliver delivered").count(), 1, "{steps:?}");
    assert!(rig.transfer(&format!("show {id}")).exits(0).stdout.contains("deliver  delivered"));
    let one = rig.transfer("list --name b.* --output json").exits(0).json();
    assert_eq!(one["files"].as_array().unwrap().len(), 1);
    assert_eq!(rig.transfer("list --state failed").exits(0).stdout, "no file\n");
    rig.transfer("list --state no").exits(2);
    rig.transfer("show ffffffffffff0").exits(1);
    let status = rig.transfer("status --output json").exits(0).json();
    assert_eq!((&status["waiting"], &status["filesLastHour"]), (&json!(0), &json!(2)), "{status}");
    let verified = rig.transfer("verify --since 1d --output json").exits(0).json();
    assert_eq!((&verified["checked"], &verified["bytes"]), (&json!(2), &json!(9001)));
    fs::remove_file(rig.filegen.path("target/a.csv")).unwrap();
    let mut spoilt = fs::read(rig.filegen.path("target/b.csv")).unwrap();
    spoilt[5000] ^= 1;
    fs::remove_file(rig.filegen.path("target/b.csv")).unwrap();
    fs::write(rig.filegen.path("target/b.csv"), spoilt).unwrap();
    let verified = rig.transfer("verify --output json").exits(4).json();
    let what: Vec<&str> =
        verified["differences"].as_array().unwrap().iter().map(|row| row["what"].as_str().unwrap()).collect();
    assert!(what.iter().any(|what| what.contains("not there")) && what.iter().any(|what| what.contains("digest")));
}

#[test]
fn sources_are_deleted_or_kept_as_the_file_says() {
    let rig = Rig::with(&[("  archive: archive\n", "  after: delete\n")]);
    rig.put("a", b"1");
    rig.put(&"n".repeat(255), b"2");
    rig.run(0);
    assert!(rig.names("in").is_empty() && rig.names("archive").is_empty() && rig.names("data").is_empty());
    assert_eq!(rig.names("target").len(), 2);
    let rig = Rig::with(&[("  archive: archive\n", "  after: keep\n")]);
    rig.put("a", b"1");
    rig.run(0);
    assert_eq!((rig.names("in"), rig.names("target")), (vec!["a".to_owned()], vec!["a".to_owned()]));
    assert!(rig.transfer("run").exits(0).stdout.contains("nothing to do"));
    rig.put("a", b"2");
    rig.transfer("run").exits(4);
    assert_eq!(rig.files("target")["a"], b"1", "another content under the name replaces nothing");
}

#[test]
fn names_and_folders_are_made_as_the_file_says() {
    for (organize, made) in [("type", "csv/a.csv"), ("source", "api/a.csv"), ("none", "a.csv")] {
        let name = format!("organize_by: {organize}\n  name: \"{{{{ name }}}}\"");
        let rig = Rig::with(&[("name: \"{{ folder }}{{ name }}\"", &name)]);
        rig.put("a.csv", b"1");
        rig.run(0);
        assert_eq!(rig.names("target"), [made]);
    }
    let rig = Rig::with(&[("{{ folder }}{{ name }}", "{{ source }}_{{ stem }}_{{ size }}{{ extension }}")]);
    rig.put("a.csv", b"123");
    rig.run(0);
    assert_eq!(rig.names("target"), ["api_a_3.csv"]);
}

#[test]
fn what_has_the_name_already_decides_as_the_file_says() {
    let there = |rig: &Rig| {
        fs::create_dir(rig.filegen.path("target")).unwrap();
        rig.filegen.write("target/a", "there");
        rig.filegen.write("target/same", "same");
        rig.put("a", b"new");
        rig.put("same", b"same");
    };
    let rig = Rig::new();
    there(&rig);
    rig.transfer("run").exits(4);
    assert_eq!(rig.files("target")["a"], b"there");
    assert_eq!(rig.shelf("archive").into_keys().collect::<Vec<_>>(), ["same"]);
    let failed = rig.shelf("error");
    assert_eq!(failed.keys().collect::<Vec<_>>(), ["a", "a.error"]);
    let note: serde_json::Value = serde_json::from_slice(&failed["a.error"]).unwrap();
    assert_eq!((&note["kind"], &note["sourcePath"], &note["attempts"]), (&json!("conflict"), &json!("a"), &json!(1)));
    for field in ["id", "reason", "firstAt", "lastAt", "host"] {
        assert!(note[field].is_string(), "{field}: {note}");
    }
    for (word, wanted) in [("suffix", vec!["a", "a-1", "same"]), ("replace", vec!["a", "same"])] {
        let rig = Rig::with(&[("  max_size", &format!("  on_exists: {word}\n  max_size"))]);
        there(&rig);
        rig.run(0);
        assert_eq!(rig.names("target"), wanted);
        assert_eq!(rig.files("target")[wanted[wanted.len() - 2]], b"new");
    }
}

#[test]
fn the_sides_may_be_files_of_their_own() {
    let rig = Rig::new();
    let whole = rig.filegen.read("t.yaml");
    let (collect, rest) = whole.split_once("broker:").unwrap();
    let (broker, rest) = rest.split_once("deliver:").unwrap();
    let (deliver, rest) = rest.split_once("state:").unwrap();
    rig.filegen.write("collect.yaml", &format!("{collect}broker:{broker}state: {{ url: \"sqlite:c.db\" }}\n"));
    rig.filegen.write("deliver.yaml", &format!("transfer: sales\nbroker:{broker}deliver:{deliver}state:{rest}"));
    rig.put("a", &bytes(30_000, 3));
    let collecting = rig.filegen.start("transfer run -c collect.yaml");
    let mut tries = 0;
    while rig.names("target").is_empty() {
        rig.filegen.run("transfer run -c deliver.yaml").exits(0);
        tries += 1;
        assert!(tries < 1000, "nothing arrives");
    }
    collecting.finish().exits(0);
    assert_eq!(rig.files("target")["a"], bytes(30_000, 3));
    assert_eq!(rig.shelf("archive").len(), 1);
}

#[test]
fn the_example_runs_as_it_stands() {
    let filegen = Filegen::empty();
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    fs::copy(examples.join("transfer.yaml"), filegen.path("transfer.yaml")).unwrap();
    fs::create_dir_all(filegen.path("transfer/inbox")).unwrap();
    for entry in fs::read_dir(examples.join("transfer/inbox")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), filegen.path("transfer/inbox").join(entry.file_name())).unwrap();
    }
    let told = filegen.run("transfer run -c transfer.yaml").exits(4).stdout;
    assert!(told.contains("failed: refused.csv"), "{told}");
    assert!(filegen.run("transfer run -c transfer.yaml").exits(0).stdout.contains("nothing to do"));
    for name in ["empty.csv", "orders.csv", "readings.csv"] {
        let arrived = fs::read(filegen.path("out/transfer/delivered/csv").join(name)).unwrap();
        assert!(arrived == fs::read(examples.join("transfer/inbox").join(name)).unwrap(), "{name}");
    }
}
