//! A holder that is stopped (SIGSTOP), replaced, and woken: it must notice, and change nothing.

use super::rig::Rig;
use crate::support::running::until;
use rustix::process::Signal;
use std::collections::BTreeMap;

/// A takeover that one can wait for, and yet a lease that a busy disk does not lose: a call to the state store has an
/// eighth of it.
const QUICK: &str = "{ lease_ttl: 10s, lease_heartbeat_interval: 300ms, takeover_polling_interval: 50ms }";

#[test]
fn a_stopped_holder_is_replaced_and_woken_changes_nothing() {
    let rig = Rig::new(4, "{}");
    rig.run_well();
    let golden = rig.published();
    std::thread::scope(|scope| {
        for page in [1, 3, 5] {
            let golden = &golden;
            scope.spawn(move || stopped_behind(page, golden));
        }
    });
}

/// The holder is stopped while it commits the page behind this one.
fn stopped_behind(page: u64, golden: &BTreeMap<String, Vec<u8>>) {
    let rig = Rig::new(4, QUICK);
    let first = rig.start(&format!("commit.begun={page}*off->sleep(2000)"));
    let committed = || rig.staged().first().and_then(|(_, journal)| journal.last_page()).map_or(0, |last| last.page);
    until("the first pages", || (committed() >= page).then_some(()));
    first.freeze(&rig.path("out/.filegen/state.db"));

    let second = rig.run("");
    assert!(second.status.success(), "page {page}: {}", String::from_utf8_lossy(&second.stderr));
    assert!(rig.published() == *golden, "page {page}: the second holder's files");

    first.signal(Signal::CONT);
    first.finish().exits(5);
    assert!(rig.published() == *golden, "page {page}: the woken holder changed a published file");
}
