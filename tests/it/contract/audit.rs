//! What every audit trail promises.

use crate::support::state::{at, on_each};
use filegen::core::ports::audit::AuditEntry;

#[tokio::test]
async fn changes_by_hand_are_kept_newest_first() {
    on_each(|state| async move {
        let entry = |number: i64| AuditEntry {
            at: at(number),
            who: "ann(uid 1000)@pod-1:7".to_owned(),
            action: "lease release".to_owned(),
            detail: format!("token {number}"),
            reason: "pod hangs; ticket 4711".to_owned(),
        };
        // Hosts write in any order, and two changes may have one time.
        let again = AuditEntry { detail: "once more".to_owned(), ..entry(2) };
        for entry in [entry(3), entry(1), entry(2), again.clone(), entry(4000)] {
            state.store().audit(&entry).await.unwrap();
        }
        let newest = [entry(4000), entry(3), again, entry(2), entry(1)];
        for limit in 0..=newest.len() {
            assert_eq!(state.door(1).audits(limit).await.unwrap().records, newest[..limit]);
        }
    })
    .await;
}
