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

/// Everybody may write.
const WRITES: u32 = 0o002;

/// In a folder with this bit nobody removes what somebody else has made.
const STICKY: u32 = 0o1000;

/// Looks at the folder of staged files.
pub(crate) async fn of_staging(volume: &dyn Volume, report: &mut Report<'_>) {
    let Ok(Some(mode)) = volume.mode(HIDDEN).await else { return };
    let path = format!("{}/{HIDDEN}", volume.describe());
    let (verdict, detail) = judged(&path, mode, "rows stand in it before they are published", (0o700, 0o770));
    report.add(Area::Output, "permissions", verdict, detail);
}

/// Something on this host that is not everybody's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// Its path.
    pub path: String,
    /// Its permissions, with those bits that are not `rwx`.
    pub mode: u32,
    /// What it is.
    pub nature: Nature,
    /// What others could do with it.
    pub why: &'static str,
}

/// What something on this host is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Nature {
    /// A file of ours.
    File,
    /// A folder of ours.
    Folder,
    /// A file of somebody else, who says who may read it. Who may write it is told.
    Foreign,
    /// A folder around files that count. In one with the sticky bit, each removes only what is their own. It is told only when it is
    /// open.
    Around,
}

impl Kept {
    fn judged(&self) -> (CheckVerdict, String) {
        let Self { path, mode, nature, why } = self;
        let is_shut = match nature {
            Nature::File => return judged(path, *mode, why, (0o600, 0o660)),
            Nature::Folder => return judged(path, *mode, why, (0o700, 0o770)),
            Nature::Foreign => mode & WRITES == 0,
            Nature::Around => mode & WRITES == 0 || mode & STICKY != 0,
        };
        let mode = mode & 0o777;
        if is_shut {
            return (CheckVerdict::Pass, format!("not everybody may write `{path}` ({mode:04o})"));
        }
        (CheckVerdict::Warn, format!("everybody may write `{path}` ({mode:04o}), and {why}: `chmod o-w {path}`"))
    }
}

/// Looks at what is kept on this host in an area, and at who may write it and the folders around it, where that is known. Nothing
/// is told where there is nothing.
pub(crate) fn of_kept(area: Area, kept: &[Kept], writers: Option<&Finding>, report: &mut Report<'_>) {
    let judged = kept.iter().enumerate().map(|(at, kept)| (at == 0 && kept.nature != Nature::Around, kept.judged()));
    // Where all is well, the first stands for all.
    let open = judged.filter(|(stands, told)| *stands || told.0 > CheckVerdict::Pass).map(|(_, told)| told);
    let writers = writers.map(|found| (found.verdict, found.detail.clone()));
    let told: Vec<_> = open.chain(writers).collect();
    let Some(verdict) = told.iter().map(|(verdict, _)| *verdict).max() else { return };
    // What is well says nothing beside what is not.
    let details: Vec<_> = told
        .into_iter()
        .filter(|told| told.0 > CheckVerdict::Pass || verdict == told.0)
        .map(|(_, detail)| detail)
        .collect();
    let finding = Finding { check: "permissions".to_owned(), verdict, detail: details.join("; ") };
    report.push(CheckResult::new(area, finding, FailureKind::Config));
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
            let file = Kept { path: "state.db".to_owned(), mode, nature: Nature::File, why: "it counts" };
            of_kept(Area::State, &[file], Some(&writers), &mut report);
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

    #[test]
    fn what_lies_beside_a_file_counts_as_much() {
        let kept = |path: &str, mode, nature| Kept { path: path.to_owned(), mode, nature, why: "it counts" };
        let told = |kept: &[Kept]| {
            let mut report = Report::new(&|_| {});
            of_kept(Area::Sink, kept, None, &mut report);
            report.found.pop().map(|found| (found.finding.verdict, found.finding.detail))
        };
        assert_eq!(told(&[]), None);
        assert_eq!(told(&[kept("x", 0o755, Nature::Around)]), None);
        assert!(told(&[kept("x", 0o777, Nature::Around)]).is_some());
        let (file, log) = (kept("a.db", 0o600, Nature::File), |mode| kept("a.db-wal", mode, Nature::File));
        let well = (CheckVerdict::Pass, "`a.db` is its owner's alone (0600)".to_owned());
        for (mode, nature) in [
            (0o644, Nature::Foreign),
            (0o755, Nature::Around),
            (0o1777, Nature::Around),
            (0o600, Nature::File),
            (0o700, Nature::Folder),
        ] {
            assert_eq!(told(&[file.clone(), kept("x", mode, nature)]), Some(well.clone()), "{mode:o} {nature:?}");
        }
        for (mode, nature, advice) in [
            (0o646, Nature::Foreign, "`chmod o-w x`"),
            (0o777, Nature::Around, "`chmod o-w x`"),
            (0o604, Nature::File, "`chmod 600 x`"),
            (0o711, Nature::Folder, "`chmod 700 x`"),
        ] {
            let (verdict, detail) = told(&[file.clone(), log(0o600), kept("x", mode, nature)]).unwrap();
            assert!(verdict == CheckVerdict::Warn && detail.contains(advice), "{mode:o} {nature:?}: {detail}");
            assert!(!detail.contains("a.db"), "what is well is not told beside it: {detail}");
        }
        assert!(told(&[file, log(0o666)]).unwrap().1.starts_with("`a.db-wal` is open to everybody (0666)"));
    }
}
