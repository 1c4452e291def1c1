//! `filegen doctor` and `filegen status` of a transfer file.

use super::rig::{Rig, other_device};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

/// The verdicts by area and check.
fn checks(told: &Value) -> Vec<String> {
    let row = |row: &Value| {
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        format!("{} {}: {}", text("area"), text("check"), text("verdict"))
    };
    told["checks"].as_array().unwrap().iter().map(row).collect()
}

#[test]
fn an_option_that_does_nothing_for_a_transfer_is_refused() {
    let rig = Rig::new();
    let told = rig.filegen.run("doctor -c t.yaml --param a=b").exits(2).stderr;
    assert!(told.contains("kind transfer"), "{told}");
    let told = rig.filegen.run("doctor -c t.yaml --fix --yes --reason x").exits(0).stderr;
    assert!(told.contains("nothing to fix"), "{told}");
}

#[test]
fn a_sound_transfer_passes_and_is_left_as_it_was() {
    let rig = Rig::with(&[("  max_size: 1MiB", "  max_size: 1MiB\n  filters: [{ gzip: {} }]\n  work: work")]);
    rig.put("a.csv", b"1");
    let told = rig.filegen.run("doctor -c t.yaml --output json").exits(0).json();
    let wanted = [
        "source folder: pass",
        "source archive: pass",
        "source error folder: pass",
        "broker writable: pass",
        "output writable: pass",
        "output space: pass",
        "output work folder: pass",
        "output work space: pass",
        "state ledger: pass",
    ];
    assert_eq!(checks(&told), wanted, "{told}");
    for folder in ["archive", "error", "target", "work", "spool"] {
        assert!(rig.names(folder).is_empty(), "{folder}: {:?}", rig.names(folder));
    }
    assert_eq!(rig.names("in"), ["a.csv"]);
    rig.run(0);
    let shown = rig.filegen.run("doctor -c t.yaml").exits(0).stdout;
    assert!(shown.contains("0 failed") && shown.contains("2 records of both sides"), "{shown}");
    let status = rig.filegen.run("status -c t.yaml --output json").exits(0).json();
    assert_eq!(status, rig.transfer("status --output json").exits(0).json());
    assert_eq!(status["filesLastHour"], json!(1));
}

#[test]
fn what_everybody_may_write_is_told() {
    let rig = Rig::new();
    rig.put("a.csv", b"1");
    rig.run(0);
    let set = |name: &str, mode| {
        fs::set_permissions(rig.filegen.path(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    let told = || {
        let told = rig.filegen.run("doctor -c t.yaml --output json").exits(0).json();
        let all = told["checks"].as_array().unwrap().iter().filter(|row| row["check"] == "permissions");
        let line = |row: &Value| format!("{} {}", row["verdict"].as_str().unwrap(), row["detail"].as_str().unwrap());
        all.map(line).collect::<Vec<_>>()
    };
    let well = told();
    assert!(well.len() == 2 && well.iter().all(|line| line.starts_with("pass ")), "{well:?}");
    let wrong = || told().into_iter().filter(|line| line.starts_with("warn ")).collect::<Vec<_>>();
    for (name, mode, open) in [("ledger.db", 0o600, 0o666), ("spool/sales", 0o700, 0o777)] {
        set(name, open);
        let wrong = wrong();
        assert!(wrong.len() == 1 && wrong[0].contains(&format!("{name}` is open to everybody")), "{name}: {wrong:?}");
        set(name, mode);
    }
    fs::create_dir_all(rig.filegen.path("error")).unwrap();
    for name in ["in", "archive", "error", "target", "spool"] {
        set(name, 0o777);
        let wrong = wrong();
        let line = format!("everybody may write `{}` (0777)", rig.filegen.path(name).display());
        assert!(wrong.len() == 1 && wrong[0].contains(&line), "{name}: {wrong:?}");
        set(name, 0o1777);
        assert_eq!(told(), well, "{name}: each removes only what is their own");
        set(name, 0o755);
    }
}

#[test]
fn what_would_stop_a_transfer_is_told_all_at_once() {
    let rig = Rig::new();
    fs::remove_dir(rig.filegen.path("in")).unwrap();
    rig.filegen.write("target", "a file");
    rig.filegen.write("spool", "a file");
    rig.filegen.write("ledger.db", "no database, but more text than one has in front of its first page");
    let told = rig.filegen.run("doctor -c t.yaml --output json").exits(3).json();
    let failed: Vec<String> = checks(&told).into_iter().filter(|row| row.ends_with("fail")).collect();
    let wanted = [
        "source folder: fail",
        "source archive: fail",
        "source error folder: fail",
        "broker writable: fail",
        "output writable: fail",
        "output space: fail",
        "state ledger: fail",
    ];
    assert_eq!(failed, wanted, "{told}");
}

#[test]
fn what_works_and_costs_is_told_too() {
    let rig = Rig::new();
    fs::create_dir(rig.filegen.path("in/folder")).unwrap();
    symlink("nowhere", rig.filegen.path("in/link")).unwrap();
    let Some(elsewhere) = other_device(&rig) else { return };
    rig.change(&[("archive: archive", &format!("archive: {}", elsewhere.path().display()))]);
    let told = rig.filegen.run("doctor -c t.yaml --output json").exits(0).json();
    assert_eq!(told["warned"], json!(2), "{told}");
    assert!(checks(&told).contains(&"source odd entries: warn".to_owned()), "{told}");
    assert!(told.to_string().contains("on another file system"), "{told}");
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    assert_eq!(rig.names("in"), ["link"], "nothing stays of what was tried");
}
