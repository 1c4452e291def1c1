//! A holder that is stopped (SIGSTOP), replaced, and woken: it must notice, and change nothing.

use super::rig::Rig;
use crate::support::running::until;
use rustix::process::Signal;

/// As quick as a busy machine allows: a holder that hears of no processor for two thirds of this has lost its lease.
const QUICK: &str = "{ lease_ttl: 6s, lease_heartbeat_interval: 300ms, takeover_polling_interval: 50ms }";

#[test]
fn a_stopped_holder_is_replaced_and_woken_changes_nothing() {
    let golden = {
        let rig = Rig::new(4, "{}");
        rig.run_well();
        rig.published()
    };
    for page in [1, 3, 5] {
        // The next commit takes its time, so that the holder is in the middle of its seven pages when it is stopped.
        let rig = Rig::new(4, QUICK);
        let first = rig.start(&format!("commit.begun={page}*off->sleep(2000)"));
        let committed =
            || rig.staged().first().and_then(|(_, journal)| journal.last_page()).map_or(0, |last| last.page);
        until("the first pages", || (committed() >= page).then_some(()));
        first.freeze(&rig.path("out/.filegen/state.db"));

        let second = rig.run("");
        assert!(second.status.success(), "page {page}: {}", String::from_utf8_lossy(&second.stderr));
        assert!(rig.published() == golden, "page {page}: the second holder's files");

        first.signal(Signal::CONT);
        first.finish().exits(5);
        assert!(rig.published() == golden, "page {page}: the woken holder changed a published file");
    }
}
