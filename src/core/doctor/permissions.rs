//! Who may read what is not published yet, and the state. Nothing is changed: another holder may rely on what is there.

use super::report::{Area, Report};
use crate::core::model::finding::CheckVerdict;
use crate::core::model::names::HIDDEN;
use crate::core::ports::volume::Volume;

/// What everybody may do.
const OTHERS: u32 = 0o007;

/// What the group may do.
const GROUP: u32 = 0o070;

/// Looks at the folder of staged files.
pub(crate) async fn of_staging(volume: &dyn Volume, report: &mut Report<'_>) {
    let Ok(Some(mode)) = volume.mode(HIDDEN).await else { return };
    let path = format!("{}/{HIDDEN}", volume.describe());
    let (verdict, detail) = judged(&path, mode, "rows stand in it before they are published", (0o700, 0o770));
    report.add(Area::Output, "permissions", verdict, detail);
}

/// Looks at a state store's file: its path and permissions.
pub(crate) fn of_state_file((path, mode): &(String, u32), report: &mut Report<'_>) {
    let (verdict, detail) = judged(path, *mode, "who writes to it decides who leads", (0o600, 0o660));
    report.add(Area::State, "permissions", verdict, detail);
}

fn judged(path: &str, mode: u32, why: &str, (alone, shared): (u32, u32)) -> (CheckVerdict, String) {
    let mode = mode & 0o777;
    if mode & OTHERS != 0 {
        let advice = format!("`chmod {alone:o} {path}`, or {shared:o} where processes of several users share it");
        return (CheckVerdict::Warn, format!("`{path}` is open to everybody ({mode:04o}), and {why}: {advice}"));
    }
    let whose = if mode & GROUP == 0 { "its owner's alone" } else { "its owner's and its group's" };
    (CheckVerdict::Pass, format!("`{path}` is {whose} ({mode:04o})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_to_everybody_is_told_with_what_to_do() {
        for (mode, verdict) in [(0o700, CheckVerdict::Pass), (0o2770, CheckVerdict::Pass), (0o750, CheckVerdict::Pass)]
        {
            assert_eq!(judged("out/.filegen", mode, "", (0o700, 0o770)).0, verdict, "{mode:o}");
        }
        for mode in [0o755, 0o777, 0o701, 0o704] {
            let (verdict, detail) = judged("out/.filegen", mode, "", (0o700, 0o770));
            assert_eq!(verdict, CheckVerdict::Warn, "{mode:o}");
            assert!(detail.contains("`chmod 700 out/.filegen`, or 770"), "{detail}");
        }
    }
}
