//! A transfer to a real SFTP server.

use super::nats::POLLS;
use super::rig::{Rig, bytes};
use crate::support::daemon::Daemon;
use crate::support::sftp::{Sftp, fingerprint};
use crate::support::toxiproxy::Line;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

/// A rig that delivers to the folder `target` through a server; `login` is what stands beside the address.
pub(super) fn through(server: &Sftp, place: &str, login: &str, changes: &[(&str, &str)]) -> Rig {
    let rig = Rig::new();
    fs::create_dir(rig.filegen.path("target")).unwrap();
    let to = format!("sftp: \"{}\", {login}", server.url_at(place, &rig.filegen.path("target")));
    rig.change_to(&to, changes);
    rig
}

/// The usual login: a key, and the server's fingerprint.
pub(super) fn usual(server: &Sftp) -> String {
    format!("key: \"{}\", fingerprint: \"{}\"", server.path("user_ed25519").display(), server.fingerprint())
}

/// A rig with the server that tests share.
pub(super) fn shared(changes: &[(&str, &str)]) -> Rig {
    let server = Sftp::shared();
    through(server, &server.place(), &usual(server), changes)
}

#[test]
fn files_of_all_sizes_and_names_arrive_whole_with_their_companions() {
    let rig = shared(&[
        (
            "  max_size: 1MiB",
            "  max_size: 8MiB\n  permissions: \"0604\"\n  companions: [{ sha256: \"{{ name }}.sha256\" }]",
        ),
        ("chunk: 4KiB", "chunk: 512KiB"),
    ]);
    let mut all = BTreeMap::from([("empty".to_owned(), Vec::new()), ("large".to_owned(), bytes(5_000_000, 1))]);
    for (number, name) in (0..).zip(["a b", "*", "x'\"y", "ä", "deep/er/c d", "-rf"]) {
        all.insert(name.to_owned(), bytes(1000 * number, number as u64));
    }
    for (path, content) in &all {
        rig.put(path, content);
    }
    rig.run(0);
    let (sums, there): (BTreeMap<_, _>, BTreeMap<_, _>) =
        rig.files("target").into_iter().partition(|(path, _)| path.ends_with(".sha256"));
    assert!(there == all && sums.len() == all.len(), "{:?}", rig.names("target"));
    assert_eq!(fs::metadata(rig.filegen.path("target/large")).unwrap().mode() & 0o7777, 0o604);
    assert!(rig.shelf("archive") == all && rig.names("in").is_empty());
    assert!(rig.transfer("run").exits(0).stdout.contains("nothing to do"));
    rig.transfer("verify").exits(0);
    fs::write(rig.filegen.path("target/a b"), "other").unwrap();
    rig.transfer("verify").exits(4);
}

#[test]
fn a_server_that_is_not_known_gets_nothing() {
    let server = Sftp::shared();
    let key = format!("key: \"{}\"", server.path("user_ed25519").display());
    let host = |name: &str| fs::read_to_string(server.path(name)).unwrap();
    let own = format!("[127.0.0.1]:{}", server.place().rsplit_once(':').unwrap().1);
    for (known, told) in [
        (String::new(), "is not known"),
        (format!("{own} {}", host("user_other.pub")), "has changed"),
        (format!("@revoked * {}", host("host_ed25519.pub")), "revoked"),
    ] {
        let rig = through(server, &server.place(), &format!("{key}, known_hosts: hosts"), &[]);
        rig.filegen.write("hosts", &known);
        rig.put("a", b"1");
        let done = rig.transfer("run").exits(3);
        assert!(done.stderr.contains(told), "{}", done.stderr);
        assert!(rig.names("in") == ["a"] && rig.names("error").is_empty() && rig.names("target").is_empty());
        // What is told is enough to go on.
        rig.filegen.write("hosts", &format!("{own} {}", host("host_rsa.pub")));
        rig.run(0);
        assert_eq!(rig.names("target"), ["a"], "the server shows the kind of key that is known");
    }
    let wrong = fingerprint(&server.path("user_other.pub"));
    let rig = through(server, &server.place(), &format!("{key}, fingerprint: \"{wrong}\""), &[]);
    rig.put("a", b"1");
    assert!(rig.transfer("run").exits(3).stderr.contains("`fingerprint` says another"));
    let rsa = fingerprint(&server.path("host_rsa.pub"));
    let rig = through(server, &server.place(), &format!("{key}, fingerprint: [\"{wrong}\", \"{rsa}\"]"), &[]);
    rig.put("a", b"1");
    rig.run(0);
}

#[test]
fn a_login_is_taken_in_every_form_or_refused_in_words() {
    let server = Sftp::shared();
    let host = format!("fingerprint: \"{}\"", server.fingerprint());
    let key = |name: &str| format!("{host}, key: \"{}\"", server.path(name).display());
    for (login, told) in [
        (key("user_ecdsa"), None),
        (key("user_rsa"), None),
        (format!("{}, passphrase: open sesame", key("user_locked")), None),
        (format!("{}, passphrase: \"shut\"", key("user_locked")), Some("cannot be read with this `passphrase`")),
        (key("user_locked"), Some("is encrypted; write `passphrase`")),
        (key("user_other"), Some("a key was given, and the server would take publickey")),
        (key("nothing"), Some("cannot be read")),
        (key("host_rsa.pub"), Some("no private key")),
        (format!("{host}, password: \"s3cret\""), Some("a password was given, and the server would take publickey")),
        (format!("{host}, agent: true"), Some("SSH_AUTH_SOCK")),
    ] {
        let rig = through(server, &server.place(), &login, &[]);
        rig.put("a", b"1");
        let done = rig.transfer("run").exits(if told.is_some() { 3 } else { 0 });
        assert!(told.is_none_or(|told| done.stderr.contains(told)), "{login}: {}", done.stderr);
        assert!(!done.stderr.contains("s3cret") && !done.stderr.contains("sesame"), "{}", done.stderr);
        assert_eq!(rig.names("target").is_empty(), told.is_some(), "{login}");
    }
}

#[test]
fn servers_of_other_makers_are_taken_as_they_are() {
    for (ways, more, told) in [
        (&["password"][..], "", None),
        (&["questions"], "", None),
        (&["password", "takes"], ", verify: size", None),
        (&["password", "takes"], "", Some("write `verify: size`")),
        (&["password", "replaces"], "", Some("replaces what has the name")),
        (&["password", "replaces", "openssh"], "", Some("replaces what has the name")),
        (&["password", "openssh"], "", None),
        (&["password", "spoils"], "", Some("is not what was written")),
    ] {
        let server = Sftp::python(ways);
        let login = format!("fingerprint: \"{}\", password: \"open:sesame\"{more}", server.fingerprint());
        let rig = through(&server, &server.place(), &login, &[]);
        rig.put("a", &bytes(70_000, 3));
        let done = rig.transfer("run");
        assert_eq!(done.code == Some(0), told.is_none(), "{ways:?}: {} {}", done.stdout, done.stderr);
        assert!(told.is_none_or(|told| done.stderr.contains(told)), "{ways:?}: {}", done.stderr);
        let there: Vec<_> = rig.names("target").into_iter().filter(|name| !name.starts_with(".filegen-")).collect();
        assert_eq!(there.len(), usize::from(told.is_none()), "{ways:?}: {there:?}");
        assert!(told.is_some() || rig.files("target")["a"] == bytes(70_000, 3), "{ways:?}");
    }
}

#[test]
fn what_stands_in_the_way_is_told_and_nothing_is_written_through_it() {
    let rig = shared(&[]);
    let (outside, target) = (rig.filegen.path("outside"), rig.filegen.path("target"));
    fs::create_dir(&outside).unwrap();
    symlink(&outside, target.join("out")).unwrap();
    symlink(outside.join("a"), target.join("link")).unwrap();
    fs::create_dir(target.join("folder")).unwrap();
    fs::write(target.join("plain"), "other").unwrap();
    fs::write(target.join("same"), "same").unwrap();
    for path in ["out/a", "link", "folder", "plain", "plain2/x"] {
        rig.put(path, b"mine");
    }
    rig.put("same", b"same");
    fs::write(target.join("plain2"), "in the way").unwrap();
    rig.run(4);
    let failed = rig.shelf("error");
    let failed: Vec<_> = failed.keys().filter(|name| failed.contains_key(&format!("{name}.error"))).collect();
    assert_eq!(failed, ["folder", "link", "out/a", "plain", "plain2/x"]);
    assert!(rig.names("outside").is_empty() && rig.files("target")["plain"] == b"other", "{:?}", rig.names("target"));
    assert!(rig.names("target").iter().all(|name| !name.contains(".filegen-")), "{:?}", rig.names("target"));
    for (on_exists, there) in [("suffix", &["a", "a-1"][..]), ("replace", &["a"])] {
        let rig = shared(&[("  max_size: 1MiB", &format!("  max_size: 1MiB\n  on_exists: {on_exists}"))]);
        fs::write(rig.filegen.path("target/a"), "other").unwrap();
        rig.put("a", b"mine");
        rig.run(0);
        assert_eq!(rig.names("target"), there, "{on_exists}");
        assert_eq!(rig.files("target")[*there.last().unwrap()], b"mine", "{on_exists}");
    }
}

#[test]
fn a_name_that_the_server_says_no_to_is_set_aside_and_others_go_on() {
    let server = Sftp::python(&["password", "picky"]);
    let login = format!("fingerprint: \"{}\", password: \"open:sesame\"", server.fingerprint());
    let rig = through(&server, &server.place(), &login, &[]);
    for name in ["bad", "a", "b"] {
        rig.put(name, b"1");
    }
    let told = rig.run(4);
    assert_eq!((&told["delivered"], &told["failed"]), (&2.into(), &1.into()), "{told}");
    assert_eq!(told["failures"][0]["kind"], "failed");
    assert!(told["failures"][0]["reason"].as_str().unwrap().contains("so it was at each try"), "{told}");
    assert_eq!(rig.names("target"), ["a", "b"]);
    assert_eq!(rig.shelf("error").into_keys().collect::<Vec<_>>(), ["bad", "bad.error"]);
}

#[test]
fn a_server_that_is_away_is_waited_for_and_nothing_is_moved() {
    let server = Sftp::shared();
    let line = Line::to(&server.place());
    let rig = through(server, &line.host(), &usual(server), &[POLLS]);
    line.close();
    rig.drop_in("a", &bytes(50_000, 4));
    let mut daemon = Daemon::of(&mut rig.filegen.command("daemon -c t.yaml --health-port 0"));
    daemon.running.wait_for("does not answer");
    assert!(rig.names("in") == ["a"] && rig.names("error").is_empty());
    line.heal();
    daemon.running.wait_for("delivered");
    // The next one finds the line cut in its middle.
    line.slow(50);
    rig.drop_in("b", &bytes(300_000, 5));
    crate::support::running::until("a part", || {
        rig.names("target").iter().any(|name| name.contains(".filegen-")).then_some(())
    });
    line.close();
    daemon.running.wait_for("does not answer");
    line.heal();
    crate::support::running::until("the second file", || rig.names("in").is_empty().then_some(()));
    assert!(rig.files("target")["a"] == bytes(50_000, 4) && rig.files("target")["b"] == bytes(300_000, 5));
    assert_eq!(rig.names("target"), ["a", "b"], "no part is left");
    daemon.running.signal(rustix::process::Signal::TERM);
    assert_eq!(daemon.running.finish().code, Some(0));
}

#[test]
fn what_filters_made_is_sent_again_as_it_was() {
    let rig = shared(&[
        (
            "  max_size: 1MiB",
            "  max_size: 1MiB\n  filters: [{ gzip: {} }]\n  work: work\n  companions: [{ done: \"{{ name }}.done\" }]",
        ),
        ("{{ folder }}{{ name }}", "{{ folder }}{{ name }}.gz"),
    ]);
    let content = bytes(40_000, 6);
    rig.put("a", &content);
    for point in ["transfer.made", "transfer.part_synced", "transfer.published", "transfer.companion"] {
        rig.run_with(&format!("{point}=return"));
    }
    rig.run(0);
    let there = rig.files("target");
    assert_eq!(there.keys().collect::<Vec<_>>(), ["a.gz", "a.gz.done"]);
    let mut unpacked = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&there["a.gz"][..]), &mut unpacked).unwrap();
    assert!(unpacked == content && rig.names("in").is_empty());
}

#[test]
fn doctor_tells_whether_the_server_takes_files_and_shows_no_secret() {
    let server = Sftp::shared();
    let rig = shared(&[]);
    let done = rig.filegen.run("doctor -c t.yaml").exits(0);
    assert!(done.stdout.contains("a name is given once"), "{}", done.stdout);
    assert!(rig.names("target").is_empty(), "{:?}", rig.names("target"));
    let login = format!("fingerprint: \"{}\", password: \"open:sesame\", passphrase: \"pa55\"", server.fingerprint());
    let rig = through(server, &server.place(), &login, &[]);
    let shown = rig.filegen.run("config show -c t.yaml").exits(0).stdout;
    assert!(shown.contains("password: '***'") || shown.contains("password: \"***\""), "{shown}");
    assert!(!shown.contains("sesame") && !shown.contains("pa55") && shown.contains("sftp://"), "{shown}");
    let done = rig.filegen.run("doctor -c t.yaml").exits(3);
    assert!(done.stdout.contains("login was refused") && !done.stdout.contains("sesame"), "{}", done.stdout);
    let rig = through(server, &server.place(), &usual(server), &[]);
    fs::remove_dir(rig.filegen.path("target")).unwrap();
    assert!(rig.filegen.run("doctor -c t.yaml").exits(3).stdout.contains("no such folder"));
}
