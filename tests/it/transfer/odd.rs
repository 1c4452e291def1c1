//! Records of the ledger that somebody else has written, and files of any size: each is told, and stops nothing else.

use super::rig::Rig;
use std::fs;

fn change(rig: &Rig, sql: &str) {
    rusqlite::Connection::open(rig.filegen.path("ledger.db")).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn a_record_that_makes_no_sense_stops_no_other_file_and_no_command() {
    for spoilt in ["state = 'zzz'", "record = '{}'", "size = -1", "changedAt = 'never'"] {
        let rig = Rig::with(&[("  archive: archive\n", "  after: keep\n")]);
        rig.put("a", b"1");
        rig.put("b", b"2");
        rig.run(0);
        // As if it were not at its end; both sides' records of one file.
        change(
            &rig,
            &format!(
                "UPDATE TransferFile SET state = 'seen', record = replace(record, '\"archived\"', '\"seen\"')
                 WHERE path = 'a' AND side = 'collect';
                 UPDATE TransferFile SET {spoilt} WHERE path = 'a'"
            ),
        );
        rig.put("c", b"3");
        let told = rig.run(4);
        assert_eq!((&told["delivered"], &told["failed"]), (&1.into(), &0.into()), "{spoilt}: {told}");
        assert!(told["unreadable"].as_u64() > Some(0), "{spoilt}: {told}");
        assert_eq!(rig.names("target"), ["a", "b", "c"], "{spoilt}");
        let list = rig.transfer("list").exits(0);
        assert!(
            list.stdout.contains("archived") && list.stderr.contains("cannot be read"),
            "{spoilt}: {}",
            list.stderr
        );
        let verified = rig.transfer("verify --output json").exits(4);
        assert!(verified.stderr.contains("cannot be read"), "{spoilt}: {}", verified.stderr);
        let status = rig.transfer("status --output json").exits(0).json();
        assert!(!status["unreadable"].as_array().unwrap().is_empty(), "{spoilt}: {status}");
        let doctor = rig.filegen.run("doctor -c t.yaml");
        assert!(doctor.stdout.contains("cannot be read"), "{spoilt}: {}", doctor.stdout);
    }
}

#[test]
fn a_message_whose_record_makes_no_sense_is_refused_and_goes_again_once_the_record_is_mended() {
    let rig = Rig::new();
    rig.put("a", b"1");
    assert_eq!(rig.run_with("transfer.receiving=return").code, None);
    change(&rig, "CREATE TABLE kept AS SELECT record FROM TransferFile WHERE side = 'deliver'");
    change(&rig, "UPDATE TransferFile SET record = '{}' WHERE side = 'deliver'");
    rig.put("b", b"2");
    let told = rig.run(4);
    assert_eq!((&told["delivered"], &told["failed"]), (&1.into(), &1.into()), "{told}");
    assert!(!rig.filegen.has("target/a") && rig.filegen.has("target/b"));
    let failed = rig.shelf("error");
    assert_eq!(failed.keys().collect::<Vec<_>>(), ["a", "a.error"]);
    assert!(String::from_utf8_lossy(&failed["a.error"]).contains("cannot be read"));
    change(&rig, "UPDATE TransferFile SET record = (SELECT record FROM kept) WHERE side = 'deliver' AND path = 'a'");
    rig.transfer("redrive --all --reason mended").exits(0);
    assert_eq!(rig.run(0)["delivered"], 1);
    assert_eq!(rig.names("target"), ["a", "b"]);
}

#[test]
fn a_failed_file_whose_record_makes_no_sense_is_left_by_a_redrive_and_the_others_go() {
    let rig = Rig::new();
    fs::create_dir(rig.filegen.path("target")).unwrap();
    for name in ["a", "b"] {
        rig.put(name, b"1");
        rig.filegen.write(&format!("target/{name}"), "other");
    }
    rig.run(4);
    change(&rig, "UPDATE TransferFile SET record = '{}' WHERE path = 'a' AND side = 'collect'");
    fs::remove_file(rig.filegen.path("target/b")).unwrap();
    let gone = rig.transfer("redrive --all --reason x --output json").exits(4);
    assert!(gone.stderr.contains("cannot be read"), "{}", gone.stderr);
    assert_eq!(gone.json()["files"].as_array().unwrap().len(), 1);
    assert_eq!(rig.run(0)["delivered"], 1);
}

#[test]
fn a_file_above_the_limit_is_set_aside_before_a_byte_of_it_is_read() {
    // A sparse file of 3 TB would be read for hours.
    let rig = Rig::new();
    fs::File::create(rig.filegen.path("in/large")).unwrap().set_len(3 << 40).unwrap();
    rig.put("small", b"1");
    let told = rig.run(4);
    assert_eq!((&told["failed"], &told["delivered"]), (&1.into(), &1.into()), "{told}");
    assert!(rig.names("spool").is_empty() && rig.names("target") == ["small"]);
    let day = fs::read_dir(rig.filegen.path("error")).unwrap().next().unwrap().unwrap().path();
    assert_eq!(fs::metadata(day.join("large")).unwrap().len(), 3 << 40);
    assert!(fs::read_to_string(day.join("large.error")).unwrap().contains("max_size"));
    let listed = rig.transfer("list --state failed --output json").exits(0).json();
    assert_eq!(listed["files"][0]["deliver"], serde_json::Value::Null, "the other side never heard of it: {listed}");
}
