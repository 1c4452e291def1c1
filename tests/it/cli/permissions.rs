//! Who may read what is made: before it is published, and afterwards; and what `doctor` says of it.

use crate::support::filegen::Filegen;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::process::Command;

const RUN: &str = "run -c worker.yaml --date 2026-11-21";

fn mode(filegen: &Filegen, name: &str) -> u32 {
    fs::metadata(filegen.path(name)).unwrap_or_else(|error| panic!("{name}: {error}")).mode() & 0o7777
}

/// A run under a umask.
#[track_caller]
fn run_under(filegen: &Filegen, umask: &str) {
    let command = filegen.command(RUN);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("umask {umask}; exec \"$@\""), "sh"])
        .arg(command.get_program())
        .args(command.get_args());
    shell.current_dir(filegen.path("")).env_clear().env("PATH", "/usr/bin:/bin").env("TZ", "UTC");
    Filegen::finish(&mut shell).exits(0);
}

#[test]
fn what_is_not_published_is_the_owners_alone_whatever_the_umask() {
    for umask in ["022", "002", "000", "077"] {
        let filegen = Filegen::with_loans(25);
        fs::create_dir(filegen.path("out")).unwrap();
        fs::set_permissions(filegen.path("out"), Permissions::from_mode(0o755)).unwrap();
        run_under(&filegen, umask);
        assert_eq!(mode(&filegen, "out/.filegen"), 0o700, "umask {umask}");
        for name in ["state.db", "state.db.LoanWorker.lock"] {
            assert_eq!(mode(&filegen, &format!("out/.filegen/{name}")), 0o600, "umask {umask}: {name}");
        }
        let published = 0o444 & !u32::from_str_radix(umask, 8).unwrap();
        for name in ["loan0_20261121.txt", "LoanWorker_20261121.manifest.json"] {
            assert_eq!(mode(&filegen, &format!("out/{name}")), published, "umask {umask}: {name}");
        }
    }
}

#[test]
fn holders_of_several_users_share_a_volume_by_its_group() {
    let filegen = Filegen::with_loans(25);
    fs::create_dir(filegen.path("out")).unwrap();
    fs::set_permissions(filegen.path("out"), Permissions::from_mode(0o2770)).unwrap();
    run_under(&filegen, "022");
    for name in ["out/.filegen", "out/.filegen/LoanWorker", "out/.filegen/LoanWorker/20261121"] {
        assert_eq!(mode(&filegen, name) & 0o070, 0o070, "{name} is the group's too");
    }
    assert_eq!(mode(&filegen, "out/.filegen") & 0o007, 0, "and nobody else's");
    assert_eq!(mode(&filegen, "out/.filegen/state.db"), 0o660);
    // A root that everybody may write to, as /tmp, shares nothing with everybody.
    let open = Filegen::with_loans(25);
    fs::create_dir(open.path("out")).unwrap();
    fs::set_permissions(open.path("out"), Permissions::from_mode(0o777)).unwrap();
    run_under(&open, "000");
    assert_eq!(mode(&open, "out/.filegen") & 0o007, 0);
}

#[test]
fn published_files_have_the_permissions_and_the_group_that_the_worker_file_names() {
    let filegen = Filegen::with_loans(25);
    filegen.edit("  root: out\n", "  root: out\n  mode: \"0640\"\n");
    filegen.edit("\"loan1_{date}.csv\"", "\"sub/deep/loan1_{date}.csv\"");
    if rustix::process::geteuid().is_root() {
        filegen.edit("  mode:", "  group: 4242\n  mode:");
    }
    run_under(&filegen, "077");
    for name in ["out/loan0_20261121.txt", "out/sub/deep/loan1_20261121.csv", "out/LoanWorker_20261121.manifest.json"] {
        assert_eq!(mode(&filegen, name), 0o640, "{name}");
    }
    for name in ["out", "out/sub", "out/sub/deep"] {
        // The state store has made the root before, for its own file.
        assert!(name == "out" || mode(&filegen, name) == 0o750, "{name}: {:o}", mode(&filegen, name));
    }
    assert_eq!(mode(&filegen, "out/.filegen") & 0o077, 0);
    if rustix::process::geteuid().is_root() {
        for name in ["out/loan0_20261121.txt", "out/sub", "out/sub/deep/loan1_20261121.csv"] {
            assert_eq!(fs::metadata(filegen.path(name)).unwrap().gid(), 4242, "{name}");
        }
    }
    let shown = filegen.run("config show -c worker.yaml").exits(0).stdout;
    assert!(
        shown.contains("mode: \"0640\"") || shown.contains("mode: '0640'") || shown.contains("mode: 0640"),
        "{shown}"
    );
}

#[test]
fn a_mode_that_lets_the_group_write_gives_it_the_hidden_folder_too() {
    let filegen = Filegen::with_loans(25);
    filegen.edit("  root: out\n", "  root: out\n  mode: \"0660\"\n");
    run_under(&filegen, "022");
    assert_eq!(mode(&filegen, "out/.filegen"), 0o770);
    assert_eq!(mode(&filegen, "out/loan0_20261121.txt"), 0o660);
}

#[test]
fn a_group_that_cannot_be_given_ends_the_run_before_it_reads() {
    let filegen = Filegen::with_loans(25);
    filegen.edit("  root: out\n", "  root: out\n  group: no-such-group\n");
    let done = filegen.run(RUN).exits(3);
    assert!(done.stderr.contains("no group `no-such-group`") && done.stderr.contains("number"), "{}", done.stderr);
    let done = filegen.run("doctor -c worker.yaml").exits(3);
    assert!(done.stdout.contains("no-such-group"), "{}", done.stdout);
    for (field, said) in [("mode: \"0750\"", "no permissions of a data file"), ("group: 'a:b'", "this is no group")] {
        let filegen = Filegen::with_loans(1);
        filegen.edit("  root: out\n", &format!("  root: out\n  {field}\n"));
        let done = filegen.run("config check -c worker.yaml").exits(3);
        assert!(done.stderr.contains(said) && done.stderr.contains("worker.yaml:9"), "{}", done.stderr);
    }
}

#[test]
fn what_an_earlier_build_made_stays_and_doctor_tells_what_is_open() {
    let filegen = Filegen::with_loans(25);
    filegen.publish();
    fs::set_permissions(filegen.path("out/.filegen"), Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(filegen.path("out/.filegen/state.db"), Permissions::from_mode(0o644)).unwrap();
    filegen.run("run -c worker.yaml --date 2026-11-22").exits(0);
    assert_eq!((mode(&filegen, "out/.filegen"), mode(&filegen, "out/.filegen/state.db")), (0o755, 0o644));
    let told = filegen.run("doctor -c worker.yaml").exits(0).stdout;
    let open: Vec<&str> = told.lines().filter(|line| line.contains("open to everybody")).collect();
    assert_eq!(open.len(), 2, "{told}");
    assert!(open[0].contains("chmod 700") && open[1].contains("chmod 600"), "{told}");
    fs::set_permissions(filegen.path("out/.filegen"), Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(filegen.path("out/.filegen/state.db"), Permissions::from_mode(0o600)).unwrap();
    assert!(!filegen.run("doctor -c worker.yaml").exits(0).stdout.contains("open to everybody"));
}

#[test]
fn a_folder_in_which_everybody_may_replace_what_is_published_is_told() {
    let filegen = Filegen::with_loans(25);
    filegen.publish();
    for (mode, is_told) in [(0o777, true), (0o1777, false), (0o775, false)] {
        fs::set_permissions(filegen.path("out"), Permissions::from_mode(mode)).unwrap();
        let told = filegen.run("doctor -c worker.yaml").exits(0).stdout;
        let line = told.lines().find(|line| line.contains("everybody may write") && line.contains("chmod o-w"));
        assert_eq!(line.is_some(), is_told, "{mode:o}: {told}");
    }
}

/// As root this test plays two pods of other users, which share nothing but a group.
#[test]
fn a_pod_of_another_user_of_the_same_group_takes_over() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let filegen = Filegen::with_loans(25);
    fs::create_dir(filegen.path("out")).unwrap();
    for name in ["", "out", "loans.db", "worker.yaml"] {
        chown(filegen.path(name), Some(4001), Some(4242)).unwrap();
    }
    fs::set_permissions(filegen.path(""), Permissions::from_mode(0o2770)).unwrap();
    fs::set_permissions(filegen.path("out"), Permissions::from_mode(0o2770)).unwrap();
    let as_user = |user: u32, failpoints: &str| {
        let command = filegen.command(RUN);
        let mut pod = Command::new("setpriv");
        pod.args([format!("--reuid={user}"), "--regid=4242".to_owned(), "--clear-groups".to_owned()]);
        pod.arg(command.get_program()).args(command.get_args()).current_dir(filegen.path(""));
        pod.env_clear().env("PATH", "/usr/bin:/bin").env("TZ", "UTC").env("FAILPOINTS", failpoints);
        Filegen::finish(&mut pod)
    };
    let killed = as_user(4001, "publish.linking=return");
    assert_eq!(killed.code, None, "{}", killed.stderr);
    let done = as_user(4002, "").exits(0);
    assert!(done.stderr.contains("resumed behind page 3"), "{}", done.stderr);
    assert!(filegen.has("out/loan0_20261121.txt"));
    as_user(4001, "").exits(0);
}
