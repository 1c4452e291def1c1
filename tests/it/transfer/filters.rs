//! Filters and companions: what stands at the target, from kill to kill.

use super::rig::{Rig, bytes};
use super::sftp;
use flate2::read::MultiGzDecoder;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::fs;
use std::io::{Read, Write};

/// A file with filters, and without a name of its own.
fn rig(filters: &str) -> Rig {
    let steps = format!(
        "  filters: {filters}\n  companions: [{{ done: \"{{{{ name }}}}.done\" }}, {{ sha256: \"{{{{ name }}}}.sha256\" }}]\n  work: work\n"
    );
    Rig::with(&[("  name: \"{{ folder }}{{ name }}\"\n", &steps)])
}

fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    MultiGzDecoder::new(bytes).read_to_end(&mut all).unwrap();
    all
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[test]
fn a_file_is_packed_once_and_its_companions_follow_it() {
    let rig = rig("[{ gzip: {} }]");
    let large = bytes(600_000, 1);
    rig.put("large.csv", &large);
    rig.put("empty.csv", b"");
    rig.run(0);
    let target = rig.files("target");
    let mut wanted = Vec::new();
    for name in ["empty.csv.gz", "large.csv.gz"] {
        wanted.extend([name.to_owned(), format!("{name}.done"), format!("{name}.sha256")]);
        let sum = String::from_utf8(target[&format!("{name}.sha256")].clone()).unwrap();
        assert_eq!(sum, format!("{}  {name}\n", digest(&target[name])));
        assert!(target[&format!("{name}.done")].is_empty());
    }
    assert_eq!(rig.names("target"), wanted);
    assert!(unpacked(&target["large.csv.gz"]) == large && unpacked(&target["empty.csv.gz"]).is_empty());
    assert_eq!(rig.shelf("archive").into_keys().collect::<Vec<_>>(), ["empty.csv", "large.csv"]);
    assert!(rig.names("work").is_empty(), "{:?}", rig.names("work"));
    // The ledger knows both: what came and what it became.
    let listed = rig.transfer("list --name large.csv --output json").exits(0).json();
    let file = &listed["files"][0];
    assert_eq!((&file["size"], &file["sha256"]), (&json!(600_000), &json!(digest(&large))));
    assert_eq!(file["made"]["sha256"], json!(digest(&target["large.csv.gz"])));
    assert_eq!(rig.transfer("verify --output json").exits(0).json()["checked"], json!(2));
    fs::remove_file(rig.filegen.path("target/large.csv.gz")).unwrap();
    rig.filegen.write("target/large.csv.gz", "other");
    rig.transfer("verify").exits(4);
}

#[test]
fn what_was_packed_is_unpacked_checked_and_packed_again() {
    let rig =
        rig("[{ gunzip: {} }, { check: { csv: { columns: [id, amount], rows: \">0\" } } }, { zstd: { level: 3 } }]");
    rig.put("a.csv.gz", &packed(b"id,amount\n1,2\n"));
    let rows: Vec<String> = (0..5000).map(|row| format!("{row},{}\n", row * 7919 % 4999)).collect();
    let many = packed(format!("id,amount\n{}", rows.concat()).as_bytes());
    rig.put("cut.csv.gz", &many[..many.len() - 9]);
    rig.put("none.csv.gz", &packed(b"id,amount\n"));
    rig.put("wide.csv.gz", &packed(b"id,amount\n1,2,3\n"));
    rig.put("plain.csv", b"id,amount\n1,2\n");
    rig.put("bomb.csv.gz", &packed("id,amount\n".repeat(300_000).as_bytes()));
    let told = rig.run(4);
    assert_eq!((&told["delivered"], &told["failed"]), (&json!(1), &json!(5)), "{told}");
    assert_eq!(rig.names("target"), ["a.csv.zst", "a.csv.zst.done", "a.csv.zst.sha256"]);
    assert_eq!(zstd::decode_all(&rig.files("target")["a.csv.zst"][..]).unwrap(), b"id,amount\n1,2\n");
    let failed = rig.shelf("error");
    for (name, why) in [
        ("cut.csv.gz", "no whole gzip"),
        ("none.csv.gz", "0 rows"),
        ("wide.csv.gz", "row 1 has 3 fields"),
        ("plain.csv", "no whole gzip"),
        ("bomb.csv.gz", "max_size"),
    ] {
        let note: serde_json::Value = serde_json::from_slice(&failed[&format!("{name}.error")]).unwrap();
        assert_eq!(note["kind"], json!("data"), "{note}");
        assert!(note["reason"].as_str().unwrap().contains(why), "{note}");
    }
    assert!(rig.names("work").is_empty(), "{:?}", rig.names("work"));
    // Once the reason is mended, it goes again through the filters as they are then.
    rig.change(&[("  name: \"{{ folder }}{{ name }}\"\n", "  filters: [{ gunzip: {} }]\n  work: work\n")]);
    rig.transfer("redrive --all --kind data --reason mended").exits(0);
    rig.run(4);
    assert_eq!(rig.files("target")["none.csv"], b"id,amount\n");
}

/// Kills a run at each step, changes the filters, and goes on: what was made before is what arrives, once it was made.
#[test]
fn a_killed_run_sends_the_very_bytes_that_it_made() {
    for (point, level) in [
        ("transfer.receiving", 1),
        ("transfer.filtered", 1),
        ("transfer.made", 9),
        ("transfer.part_synced", 9),
        ("transfer.writing", 9),
        ("transfer.published", 9),
        ("transfer.companion", 9),
        ("transfer.delivered", 9),
        ("transfer.answered", 9),
    ] {
        let rig = rig("[{ gzip: { level: 9 } }]");
        let content: Vec<u8> = bytes(60_000, 3).iter().map(|byte| byte % 5).collect();
        rig.put("a", &content);
        // The second time that a part is made durable is that of the target.
        let count = if point == "transfer.part_synced" { "1*off->return" } else { "return" };
        assert_eq!(rig.run_with(&format!("{point}={count}")).code, None, "{point}");
        let text = rig.filegen.read("t.yaml").replace("level: 9", "level: 1");
        rig.filegen.write("t.yaml", &text);
        rig.transfer("run").exits(0);
        let target = rig.files("target");
        assert_eq!(rig.names("target"), ["a.gz", "a.gz.done", "a.gz.sha256"], "{point}");
        assert!(unpacked(&target["a.gz"]) == content, "{point}");
        // The header says how it was packed (RFC 1952, XFL): 2 for the smallest, 4 for the fastest.
        assert_eq!(target["a.gz"][8], if level == 9 { 2 } else { 4 }, "{point}");
        assert_eq!(target["a.gz.sha256"], format!("{}  a.gz\n", digest(&target["a.gz"])).into_bytes(), "{point}");
        assert!(rig.names("work").is_empty() && rig.names("error").is_empty(), "{point}: {:?}", rig.names("work"));
    }
}

#[test]
fn a_companion_replaces_nothing() {
    let there = |exists: &str| {
        let rig = rig("[]");
        let text = rig.filegen.read("t.yaml").replace("  work:", &format!("  on_exists: {exists}\n  work:"));
        rig.filegen.write("t.yaml", &text);
        fs::create_dir(rig.filegen.path("target")).unwrap();
        rig.filegen.write("target/a.csv.sha256", "another's");
        rig.put("a.csv", b"1");
        rig
    };
    let failing = there("error");
    failing.run(4);
    assert_eq!(failing.names("target"), ["a.csv.sha256"], "the file is not there without its companions");
    assert!(failing.names("error").iter().any(|name| name.ends_with("a.csv.error")));
    let suffix = there("suffix");
    suffix.run(0);
    assert_eq!(suffix.names("target"), ["a-1.csv", "a-1.csv.done", "a-1.csv.sha256", "a.csv.sha256"]);
    let replace = there("replace");
    replace.run(0);
    assert_eq!(replace.names("target"), ["a.csv", "a.csv.done", "a.csv.sha256"]);
    assert!(String::from_utf8(replace.files("target")["a.csv.sha256"].clone()).unwrap().ends_with("  a.csv\n"));
}

/// Delivers one version, ends the process while the next one replaces it, and looks at each step.
#[test]
fn an_old_companion_never_stands_beside_the_file_that_replaced_its_own() {
    const WITH: &str = "  max_size: 1MiB\n  on_exists: replace\n  companions: [{ done: \"{{ name }}.done\" }, { sha256: \"{{ name }}.sha256\" }]";
    let (old, new) = (bytes(9_000, 1), bytes(9_000, 2));
    for is_far in [false, true] {
        for (point, passes, there) in [
            ("transfer.writing", 0, &["a", "a.done", "a.sha256"][..]),
            ("transfer.withdrawn", 0, &["a", "a.sha256"]),
            ("transfer.withdrawn", 1, &["a"]),
            ("transfer.published", 0, &["a"]),
            ("transfer.companion", 0, &["a"]),
            ("transfer.companion", 1, &["a", "a.done"]),
            ("transfer.delivered", 0, &["a", "a.done", "a.sha256"]),
        ] {
            let changes = [("  max_size: 1MiB", WITH)];
            let rig = if is_far { sftp::shared(&changes) } else { Rig::with(&changes) };
            let case = format!("{point} after {passes}, far: {is_far}");
            rig.put("a", &old);
            rig.run(0);
            rig.put("a", &new);
            assert_eq!(rig.run_with(&format!("{point}={passes}*off->return")).code, None, "{case}");
            let target = rig.files("target");
            let visible: Vec<&String> = target.keys().filter(|name| !name.contains(".filegen-")).collect();
            assert_eq!(visible, there, "{case}");
            let is_new = target["a"] == new;
            assert!(is_new || target["a"] == old, "{case}");
            assert_eq!(is_new, !["transfer.writing", "transfer.withdrawn"].contains(&point), "{case}");
            if let Some(sum) = target.get("a.sha256") {
                assert!(String::from_utf8_lossy(sum).starts_with(&digest(&target["a"])), "{case}");
            }
            rig.run(0);
            let target = rig.files("target");
            assert_eq!(rig.names("target"), ["a", "a.done", "a.sha256"], "{case}");
            assert_eq!(target["a.sha256"], format!("{}  a\n", digest(&new)).into_bytes(), "{case}");
            assert!(target["a"] == new, "{case}");
        }
    }
}
