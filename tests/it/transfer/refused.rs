//! Files that fail for good, and go again once the reason is mended.

use super::nats::COLLECTS;
use super::rig::{Rig, bytes};
use serde_json::json;
use std::fs;

/// Sends what is there, and nothing of it is delivered: the process of a collecting side ends once its ledger says so.
fn send(rig: &Rig) {
    rig.change(&[COLLECTS]);
    assert_eq!(rig.run_with("transfer.sent=return").code, None);
    rig.change(&[]);
}

#[test]
fn a_refused_file_is_set_aside_with_its_reason_and_goes_again() {
    let rig = Rig::new();
    let large = bytes((1 << 20) + 1, 4);
    rig.put("x/large", &large);
    rig.put("small", b"1");
    let told = rig.run(4);
    assert_eq!((&told["failed"], &told["delivered"]), (&json!(1), &json!(1)), "{told}");
    assert!(told["failures"][0]["reason"].as_str().unwrap().contains("max_size"), "{told}");
    assert_eq!(rig.names("target"), ["small"]);
    let failed = rig.shelf("error");
    assert_eq!(failed.keys().collect::<Vec<_>>(), ["x/large", "x/large.error"]);
    assert!(failed["x/large"] == large);
    let id = told["failures"][0]["id"].as_str().unwrap();
    // Nothing happens to it by itself, and a look changes nothing.
    assert_eq!(rig.run(0)["failed"], json!(0));
    let looked = rig.transfer("redrive --all --dry-run --output json").exits(0).json();
    assert_eq!(looked["files"][0]["id"], json!(id));
    assert_eq!(rig.shelf("error").len(), 2);
    rig.transfer("redrive --all").exits(2);
    assert_eq!(rig.transfer("redrive --all --kind conflict --reason x").exits(0).stdout, "no failed file\n");
    rig.change(&[("max_size: 1MiB", "max_size: 2MiB")]);
    let gone = rig.transfer(&format!("redrive {} --reason larger --output json", &id[..10])).exits(0).json();
    assert_eq!(gone["files"][0]["goes"], json!(true), "{gone}");
    assert!(rig.names("error").is_empty());
    assert_eq!(rig.run(0)["delivered"], json!(1));
    assert!(rig.files("target")["x/large"] == large);
    assert_eq!(rig.transfer("list --state failed").exits(0).stdout, "no file\n");
    let ledger = rusqlite::Connection::open(rig.filegen.path("ledger.db")).unwrap();
    let audit = "SELECT action || ' ' || reason FROM audit";
    assert_eq!(ledger.query_row(audit, [], |row| row.get::<_, String>(0)).unwrap(), "transfer redrive larger");
    rig.transfer("redrive abc --reason x").exits(1);
}

#[test]
fn a_damaged_message_and_a_missing_chunk_are_refused_and_nothing_is_delivered_in_part() {
    let rig = Rig::new();
    let content = bytes(20_000, 5);
    rig.put("a", &content);
    send(&rig);
    let chunks = fs::read_dir(rig.filegen.path("spool/sales/c")).unwrap().next().unwrap().unwrap().path();
    let whole = fs::read(&chunks).unwrap();
    fs::write(&chunks, &whole[..9000]).unwrap();
    rig.transfer("run").exits(4);
    assert!(rig.names("target").is_empty(), "{:?}", rig.names("target"));
    let kind = |rig: &Rig| -> serde_json::Value {
        serde_json::from_slice::<serde_json::Value>(&rig.shelf("error")["a.error"]).unwrap()["kind"].clone()
    };
    assert_eq!(kind(&rig), json!("difference"));
    rig.transfer("redrive --all --reason again").exits(0);
    send(&rig);
    let mut spoilt = whole.clone();
    spoilt[12_345] ^= 1;
    fs::write(&chunks, spoilt).unwrap();
    rig.transfer("run").exits(4);
    assert!(rig.names("target").is_empty() && rig.shelf("error")["a"] == content);
    rig.transfer("redrive --all --reason again").exits(0);
    send(&rig);
    fs::remove_file(&chunks).unwrap();
    rig.transfer("run").exits(4);
    assert_eq!(kind(&rig), json!("data"));
    rig.transfer("redrive --all --reason again").exits(0);
    rig.run(0);
    assert!(rig.files("target")["a"] == content);
    assert_eq!(rig.names("target"), ["a"]);
}

#[test]
fn an_envelope_of_another_maker_leads_nowhere() {
    let rig = Rig::new();
    rig.put("a", b"1");
    rig.run(0);
    let message = |id: &str, name: &str, version: u32| {
        let envelope = json!({
            "version": version, "id": id, "sourcePath": name, "name": name, "source": "x", "contentType": "", "size": 1,
            "sha256": "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
            "modifiedAt": "2026-11-28T10:00:00Z", "timestamp": "2026-11-28T10:00:00Z", "later": true,
        });
        let envelope = envelope.to_string();
        rig.filegen.write(&format!("spool/sales/m/{id}"), &format!("{} inline\n{envelope}1", envelope.len()));
    };
    message("m1", "../escaped", 1);
    message("m2", "fine", 2);
    message("m3", "fine", 1);
    rig.filegen.write("spool/sales/m/m4", "no message");
    rig.filegen.write("spool/sales/m/m5", "");
    let told = rig.transfer("run").exits(4).stdout;
    assert!(told.contains("failed: the message m4, which names no file: "), "{told}");
    assert_eq!(rig.names("target"), ["a", "fine"]);
    assert!(!rig.filegen.has("escaped"));
    let failed = rig.transfer("list --state failed --output json").exits(0).json();
    let mut ids: Vec<&str> =
        failed["files"].as_array().unwrap().iter().map(|file| file["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["m1", "m2", "m4", "m5"]);
}
