//! Whatever stands under one of our names: each command ends by itself and says what is in the way, and once that is gone, all goes
//! on. A command that hangs is killed by the tests' support, and has no exit code.

use crate::support::filegen::{Done, Filegen};
use crate::support::foreign::{Thing, take_away};
use std::fs;

const RUN: &str = "run -c worker.yaml --date 2026-11-21";

const MANIFEST: &str = "out/LoanWorker_20261121.manifest.json";

const JOURNAL: &str = "out/.filegen/LoanWorker/20261121/t00000001/journal.jsonl";

/// A folder outside the output, with a file that nobody may touch.
fn outside(filegen: &Filegen) -> std::path::PathBuf {
    fs::create_dir_all(filegen.path("elsewhere")).unwrap();
    filegen.write("elsewhere/file", "kept");
    filegen.path("elsewhere")
}

fn ends(done: &Done, what: &str) {
    let code = done.code.unwrap_or_else(|| panic!("{what}: it hung\n{}{}", done.stdout, done.stderr));
    assert!([0, 1, 3, 4].contains(&code), "{what}: exit code {code}\n{}{}", done.stdout, done.stderr);
    assert!(!done.stderr.contains("panicked"), "{what}: {}", done.stderr);
}

#[test]
fn a_run_says_what_is_in_the_way_of_a_name_and_goes_on_when_it_is_gone() {
    let day = "out/.filegen/LoanWorker/20261121";
    for thing in Thing::all() {
        for name in ["out/loan0_20261121.txt", MANIFEST, "out/.filegen/LoanWorker", day, JOURNAL] {
            let what = format!("{thing:?} as {name}");
            let filegen = Filegen::with_loans(25);
            let elsewhere = outside(&filegen);
            let file = elsewhere.join("file");
            let is_folder = name.starts_with("out/.filegen/") && name != JOURNAL;
            thing.put(&filegen.path(name), if is_folder { &elsewhere } else { &file });
            let done = filegen.run(RUN);
            ends(&done, &what);
            if thing == Thing::Folder && is_folder {
                assert_eq!(done.code, Some(0), "{what}: it is an empty folder of ours\n{}", done.stderr);
                continue;
            }
            if thing == Thing::Huge && name == JOURNAL {
                assert_eq!(done.code, Some(0), "{what}: a damaged journal is not used\n{}", done.stderr);
                continue;
            }
            let code = if thing == Thing::Huge && name == MANIFEST { 4 } else { 1 };
            assert_eq!(done.code, Some(code), "{what}\n{}", done.stderr);
            // The folder of the journal was taken from its holder by then, and has another name.
            let below = if name == JOURNAL { "journal.jsonl`" } else { name.trim_start_matches("out/") };
            assert!(done.stderr.contains(below), "{what}: {}", done.stderr);
            assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 1, "{what}: something was made outside");
            assert_eq!(filegen.read("elsewhere/file"), "kept", "{what}");
            // Not left to the lease's end: the next one begins at once.
            take_away(&filegen.path(if name == JOURNAL { day } else { name }));
            filegen.publish();
        }
    }
}

#[test]
fn what_stands_as_a_tombstone_keeps_late_writers_out_whatever_it_is() {
    for thing in Thing::all() {
        let filegen = Filegen::with_loans(25);
        let elsewhere = outside(&filegen);
        thing.put(&filegen.path("out/.filegen/LoanWorker/20261121/t00000001"), &elsewhere);
        filegen.publish();
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 1, "{thing:?}: something was made outside");
    }
}

#[test]
fn commands_that_look_end_whatever_stands_where_they_look() {
    let names = ["out/loan0_20261121.txt", MANIFEST, "out/.filegen/LoanWorker/20261121"];
    for thing in Thing::all() {
        let filegen = Filegen::with_loans(25);
        filegen.publish();
        let elsewhere = outside(&filegen).join("file");
        let token = fs::read_dir(filegen.path(names[2])).unwrap().next().unwrap().unwrap().file_name();
        let journal = format!("{}/{}/journal.jsonl", names[2], token.to_string_lossy());
        for name in [names[0], journal.as_str(), names[1], names[2]] {
            thing.put(&filegen.path(name), &elsewhere);
            for command in [
                "status -c worker.yaml",
                "inspect-headers -c worker.yaml --deep",
                "verify -c worker.yaml --date 2026-11-21 --full",
                "doctor -c worker.yaml",
                "run -c worker.yaml --date 2026-11-21",
                "run -c worker.yaml --date 2026-11-21 --dry-run",
                "publish-completion -c worker.yaml --date 2026-11-21 --dry-run",
            ] {
                ends(&filegen.run(command), &format!("{command}, with {thing:?} as {name}"));
            }
        }
        assert_eq!(filegen.read("elsewhere/file"), "kept", "{thing:?}");
    }
}

#[test]
fn a_state_file_that_is_none_is_refused() {
    for thing in [Thing::Pipe, Thing::Socket, Thing::Folder] {
        for name in ["state.db", "state.db-journal", "state.db-wal"] {
            let what = format!("{thing:?} as {name}");
            let filegen = Filegen::with_loans(25);
            if name != "state.db" {
                filegen.run("run -c worker.yaml --date 2026-11-20").exits(0);
            }
            thing.put(&filegen.path(&format!("out/.filegen/{name}")), &outside(&filegen));
            let done = filegen.run(RUN).exits(3);
            assert!(done.stderr.contains(name), "{what}: {}", done.stderr);
            take_away(&filegen.path(&format!("out/.filegen/{name}")));
            filegen.publish();
        }
    }
}

#[test]
fn a_lock_that_is_none_only_costs_the_wait_for_a_dead_holder() {
    for thing in Thing::all() {
        let filegen = Filegen::with_loans(25);
        let elsewhere = outside(&filegen);
        thing.put(&filegen.path("out/.filegen/state.db.LoanWorker.lock"), &elsewhere.join("file"));
        filegen.publish();
        assert_eq!(filegen.read("elsewhere/file"), "kept", "{thing:?}");
    }
}

#[test]
fn a_worker_file_and_a_source_have_to_be_files() {
    for thing in Thing::all() {
        let filegen = Filegen::with_loans(25);
        let worker = filegen.read("worker.yaml");
        let elsewhere = outside(&filegen).join("file");
        thing.put(&filegen.path("worker.yaml"), &elsewhere);
        for command in ["config check -c worker.yaml", RUN, "daemon -c worker.yaml --health-port 0"] {
            let done = filegen.run(command).exits(3);
            assert!(done.stderr.contains("worker.yaml"), "{thing:?}: {}", done.stderr);
        }
        take_away(&filegen.path("worker.yaml"));
        filegen.write("worker.yaml", &worker);
        thing.put(&filegen.path("loans.db"), &elsewhere);
        ends(&filegen.run(RUN), &format!("{thing:?} as the source"));
    }
}

#[test]
fn an_output_root_and_a_worker_file_may_be_links_and_nothing_below_a_root_may() {
    let filegen = Filegen::with_loans(25);
    fs::create_dir(filegen.path("volume")).unwrap();
    std::os::unix::fs::symlink("volume", filegen.path("out")).unwrap();
    fs::create_dir(filegen.path("mounted")).unwrap();
    fs::rename(filegen.path("worker.yaml"), filegen.path("mounted/worker.yaml")).unwrap();
    std::os::unix::fs::symlink("mounted/worker.yaml", filegen.path("worker.yaml")).unwrap();
    filegen.edit("\"loan1_{date}.csv\"", "\"sub/loan1_{date}.csv\"");
    filegen.publish();
    assert!(filegen.has("volume/sub/loan1_20261121.csv"));
    let elsewhere = outside(&filegen);
    fs::rename(filegen.path("volume/sub"), filegen.path("moved")).unwrap();
    Thing::Link.put(&filegen.path("volume/sub"), &elsewhere);
    let done = filegen.run("run -c worker.yaml --date 2026-11-22").exits(1);
    assert!(done.stderr.contains("`sub` is a link"), "{}", done.stderr);
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 1);
}
