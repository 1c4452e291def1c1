//! Who may read what is not published yet, and the state. Nothing is changed: another holder may rely on what is there.

use super::report::{Area, CheckResult, Report};
use crate::core::kind::FailureKind;
use crate::core::model::finding::{CheckVerdict, Finding};
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

/// Looks at a state store's file, its path and permissions, where it is there; and at who may write it and the folders around it.
pub(crate) fn of_state(file: Option<&(String, u32)>, writers: Option<&Finding>, report: &mut Report<'_>) {
    let open = file.map(|(path, mode)| judged(path, *mode, "who writes to it decides who leads", (0o600, 0o660)));
    let writers = writers.map(|found| (found.verdict, found.detail.clone()));
    let told: Vec<_> = open.into_iter().chain(writers).collect();
    let Some(verdict) = told.iter().map(|(verdict, _)| *verdict).max() else { return };
    // What is well says nothing beside what is not.
    let details: Vec<_> = told
        .into_iter()
        .filter(|told| told.0 > CheckVerdict::Pass || verdict == told.0)
        .map(|(_, detail)| detail)
        .collect();
    let finding = Finding { check: "permissions".to_owned(), verdict, detail: details.join("; ") };
    report.push(CheckResult::new(Area::State, finding, FailureKind::Config));
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
    fn the_state_has_one_line_with_all_that_is_not_well() {
        let told = |mode, verdict, detail: &str| {
            let writers = Finding { check: String::new(), verdict, detail: detail.to_owned() };
            let mut report = Report::new(&|_| {});
            of_state(Some(&("state.db".to_owned(), mode)), Some(&writers), &mut report);
            let [only] = report.found.try_into().expect("one line");
            (only.finding.verdict, only.finding.detail, only.failure)
        };
        let (verdict, detail, failure) = told(0o600, CheckVerdict::Pass, "all may");
        assert_eq!((verdict, failure), (CheckVerdict::Pass, None));
        assert_eq!(detail, "`state.db` is its owner's alone (0600); all may");
        let (verdict, detail, failure) = told(0o644, CheckVerdict::Fail, "may not");
        assert_eq!((verdict, failure), (CheckVerdict::Fail, Some(FailureKind::Config)));
        assert!(detail.contains("open to everybody") && detail.ends_with("; may not"), "{detail}");
        assert_eq!(told(0o600, CheckVerdict::Warn, "only I").1, "only I");
    }

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
