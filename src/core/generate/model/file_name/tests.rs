//! File names: what they become, and which are refused.

use super::*;
use proptest::prelude::*;

fn run(date: Date) -> RunId {
    RunId { worker: WorkerId::new("LoanWorker").unwrap(), date: BusinessDate(date) }
}

fn rendered(template: &str) -> Result<String, FileNameError> {
    Ok(FileName::parse(template)?.render(&run(Date::constant(2026, 11, 21)), &FileId::new("Loan0").unwrap()))
}

#[test]
fn placeholders_are_filled() {
    for (template, name) in [
        ("loan0_{date}.txt", "loan0_20261121.txt"),
        ("{worker}/{id}/{date:%Y-%m-%d}.txt", "LoanWorker/Loan0/2026-11-21.txt"),
        ("{date:%Y/%m/%d}/x", "2026/11/21/x"),
        ("{{{id}}}_{date:%Y-%j}", "{Loan0}_2026-325"),
        ("a b-ä_{date}", "a b-ä_20261121"),
    ] {
        assert_eq!(rendered(template).as_deref(), Ok(name), "{template}");
    }
    assert_eq!(manifest_name(&run(Date::constant(2026, 11, 21)), 1), "LoanWorker_20261121.manifest.json");
}

#[test]
fn a_name_that_could_leave_the_root_is_refused() {
    for template in [
        "",
        "/x_{date}",
        "../x_{date}",
        "a/../x_{date}",
        "a/./x_{date}",
        "a//x_{date}",
        "a_{date}/",
        "a\\x_{date}",
        "a\0_{date}",
        "a\n_{date}",
        ".filegen/x_{date}",
        "{date:../%Y%m%d}",
    ] {
        assert!(matches!(FileName::parse(template), Err(FileNameError::Path(_))), "{template:?}");
    }
    let long = FileName::parse(&format!("{}_{{date}}_{{id}}", "x".repeat(240))).unwrap();
    let worker = WorkerId::new("w").unwrap();
    assert_eq!(long.check(&worker, &FileId::new("short").unwrap()), Ok(()));
    assert!(long.check(&worker, &FileId::new("longer").unwrap()).is_err());
}

#[test]
fn a_wrong_placeholder_is_named() {
    assert_eq!(FileName::parse("a_{date"), Err(FileNameError::NotClosed));
    assert_eq!(FileName::parse("a_}{date}"), Err(FileNameError::NotOpened));
    assert_eq!(FileName::parse("a_{day}"), Err(FileNameError::Unknown("day".to_owned())));
    assert_eq!(FileName::parse("a_{date:}"), Err(FileNameError::Unknown("date:".to_owned())));
    for template in ["a_{date:%H}", "a_{date:%Z}", "a_{date:%!}", "a_{date:x}"] {
        assert!(matches!(FileName::parse(template), Err(FileNameError::DateForm { .. })), "{template}");
    }
}

#[test]
fn a_name_tells_whether_two_days_share_it() {
    for template in ["loan.txt", "{worker}_{id}", "{date:%d}", "{date:%Y%m}", "{date:%m%d}", "{date:%j}"] {
        let name = FileName::parse(template).unwrap();
        assert!(name.repeats(), "{template}");
        assert!(!name.in_daily_folder().repeats(), "{template}");
    }
    for template in ["{date:%y%m%d}", "{date:%Y-%j}", "{date:%Y}/{date:%m}/{date:%d}"] {
        assert!(!FileName::parse(template).unwrap().repeats(), "{template}");
    }
    let daily = FileName::parse("LOANS.DAT").unwrap().in_daily_folder();
    let id = FileId::new("Loan0").unwrap();
    assert_eq!(daily.render(&run(Date::constant(2026, 11, 21)), &id), "20261121/LOANS.DAT");
}

proptest! {
    #[test]
    fn whatever_parses_stays_below_the_root(template in r"(\{date\}|\{date:%[a-zA-Z]\}|[a./\\{}% ]){0,12}", day in 0_usize..731) {
        if let Ok(name) = FileName::parse(&template)
            && let Some(day) = days(731).nth(day)
        {
            let path = name.render(&run(day), &FileId::new("Loan0").unwrap());
            prop_assert!(!path.is_empty() && !path.starts_with('/') && !path.contains('\\'), "{}", path);
            prop_assert!(path.split('/').all(|part| !matches!(part, "" | "." | "..")), "{}", path);
        }
    }
}

#[test]
fn the_version_stands_before_the_extension() {
    for (name, with) in [
        ("loan0_20261121.txt", "loan0_20261121_v2.txt"),
        ("sub.d/loan0", "sub.d/loan0_v2"),
        ("a/loan.csv.gz", "a/loan_v2.csv.gz"),
        ("loan.2026.txt", "loan.2026_v2.txt"),
        ("loan.archive.txt", "loan.archive_v2.txt"),
        ("x.y", "x_v2.y"),
    ] {
        assert_eq!(with_version(name, 2), with, "{name}");
        assert_eq!(version_of(with), Some((name.to_owned(), 2)), "{with}");
        assert_eq!(version_of(name), None, "{name}");
    }
    assert_eq!(manifest_name(&run(Date::constant(2026, 11, 21)), 2), "LoanWorker_20261121_v2.manifest.json");
}

#[test]
fn a_name_tells_of_which_one_it_is_a_version() {
    let run = run(Date::constant(2026, 11, 21));
    assert_eq!(version_of(&manifest_name(&run, 12)), Some((manifest_name(&run, 1), 12)));
    for plain in
        ["a.txt", "a_v.txt", "a_v1.txt", "a_v02.txt", "a_v2b.txt", "a.txt_v2", "a_v99999999999.txt", "a_v2/b.txt"]
    {
        let found = version_of(plain);
        assert_eq!(found, None, "{plain}");
    }
}
