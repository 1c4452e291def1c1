//! Logins that an SFTP server refuses: tried once, and not again until something else is there to log in with.

use super::nats::POLLS;
use super::sftp::{through, usual};
use crate::support::daemon::Daemon;
use crate::support::running::until;
use crate::support::sftp::Sftp;
use std::fs;

/// What OpenSSH's server writes of a key that it does not take.
const REFUSED: &str = "Failed publickey";

#[test]
fn a_refused_login_is_tried_once_and_again_when_its_key_changes() {
    let server = Sftp::openssh();
    let login = format!("key: id, fingerprint: \"{}\"", server.fingerprint());
    let rig = through(&server, &server.place(), &login, &[POLLS]);
    let become_key = |name: &str| {
        fs::copy(server.path(name), rig.filegen.path("next")).unwrap();
        fs::rename(rig.filegen.path("next"), rig.filegen.path("id")).unwrap();
    };
    become_key("user_other");
    rig.drop_in("a", b"1");
    let mut daemon = Daemon::of(&mut rig.filegen.command("daemon -c t.yaml --health-port 0"));
    daemon.running.wait_for("trying again");
    // Health asks the same server by a connection of its own.
    until("not ready", || daemon.get("/health/ready").1.contains("not tried again for 1 min").then_some(()));
    assert_eq!(server.told(REFUSED), 1);
    assert!(rig.names("in") == ["a"] && rig.names("error").is_empty());
    become_key("user_rsa");
    until("the file", || rig.names("in").is_empty().then_some(()));
    until("readiness", || (daemon.get("/health/ready").0 == 200).then_some(()));
    assert_eq!((server.told(REFUSED), rig.names("target")), (1, vec!["a".to_owned()]));
    daemon.running.signal(rustix::process::Signal::TERM);
    assert_eq!(daemon.running.finish().code, Some(0));
}

#[test]
fn a_run_whose_login_is_refused_ends_at_once_and_says_what_to_mend() {
    let server = Sftp::openssh();
    let login = usual(&server).replace("user_ed25519", "user_other");
    let rig = through(&server, &server.place(), &login, &[]);
    for name in ["a", "b", "c"] {
        rig.put(name, b"1");
    }
    let told = rig.transfer("run").exits(3).stderr;
    assert!(told.contains("check the user, and `key`, `agent` or `password`"), "{told}");
    assert_eq!((server.told(REFUSED), rig.names("in").len()), (1, 3));
}

#[test]
fn a_server_that_hangs_up_at_a_wrong_password_is_asked_twice() {
    let server = Sftp::python(&["password", "hangs-up"]);
    let login = format!("fingerprint: \"{}\", password: \"wrong\"", server.fingerprint());
    let waits = ("initial_backoff: 10ms, max_backoff: 50ms", "initial_backoff: 1200ms, max_backoff: 1200ms");
    let rig = through(&server, &server.place(), &login, &[waits]);
    rig.put("a", b"1");
    let told = rig.transfer("run").exits(3).stderr;
    assert!(told.contains("this may be how it refuses"), "{told}");
    assert_eq!((server.told("password refused"), rig.names("in").len()), (2, 1));
}
