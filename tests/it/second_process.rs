//! The embedded store between two processes: what the kernel knows of a holder that lives, stops and dies.

use crate::support::again;
use crate::support::state::{key, take};
use filegen::adapters::local_state::LocalState;
use filegen::core::ports::leases::LeaseStore;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

/// Holds a lease in the state file that it is given.
const HOLDER: &str = "second_process::holder";

const READY: &str = "holding";

async fn open(path: &Path) -> LocalState {
    LocalState::open(path, Duration::from_mins(1)).await.unwrap()
}

/// A part for a process of its own.
#[tokio::test]
async fn holder() {
    let Some(path) = again::given(HOLDER) else { return };
    let store = open(Path::new(&path)).await;
    take(&store, "W").await;
    writeln!(std::io::stderr(), "{READY}").unwrap();
    // Until the other end is closed, which also happens when the first process dies.
    let _ = std::io::stdin().read(&mut [0]);
}

fn start(path: &Path) -> Child {
    let mut child = again::command(HOLDER, path)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stderr.take().unwrap());
    assert!(said.lines().any(|line| line.unwrap() == READY), "the second process did not get that far");
    child
}

#[tokio::test]
async fn a_stopped_process_is_not_gone_and_a_killed_one_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let mut child = start(&path);
    let store = open(&path).await;
    let lease = store.read(&key("W")).await.unwrap().expect("the second process holds it");
    let gone = async || store.holder_is_gone(&lease).await.unwrap();
    assert!(!gone().await);
    let pid = Pid::from_child(&child);
    kill_process(pid, Signal::STOP).unwrap();
    assert!(!gone().await, "stopped, it may wake up");
    kill_process(pid, Signal::KILL).unwrap();
    child.wait().unwrap();
    assert!(gone().await);
    assert_eq!(take(&store, "W").await.0, lease.token.0 + 1);
}
