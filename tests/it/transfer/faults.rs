//! Disks that are full or others, and files that are large: what must hold then.

use super::rig::{Rig, bytes, other_device};
use crate::support::filegen::{Done, Filegen};
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

#[test]
fn an_archive_on_another_file_system_gets_one_checked_copy_whenever_the_process_dies() {
    // Behind a copy and before its source is taken away; then behind that, and before the ledger has it.
    for point in ["copied=return", "copied=1*off->return", "archived=return", "set_aside=return"] {
        let rig = Rig::new();
        // Another content has the name: the delivering side refuses.
        fs::create_dir(rig.filegen.path("target")).unwrap();
        rig.filegen.write("target/refused", "other");
        let Some(elsewhere) = other_device(&rig) else { return };
        for shelf in ["archive", "error"] {
            fs::create_dir(elsewhere.path().join(shelf)).unwrap();
            symlink(elsewhere.path().join(shelf), rig.filegen.path(shelf)).unwrap();
        }
        rig.put("x/a", &bytes(40_000, 1));
        rig.put("refused", &bytes(60_000, 2));
        assert_eq!(rig.run_with(&format!("transfer.{point}")).code, None, "{point}");
        rig.transfer("run");
        assert!(rig.names("in").is_empty(), "{point}: {:?}", rig.names("in"));
        let archived: Vec<Vec<u8>> = rig.shelf("archive").into_values().collect();
        assert!(archived == [bytes(40_000, 1)], "{point}: {:?}", rig.names("archive"));
        let failed = rig.shelf("error");
        assert_eq!(failed.keys().collect::<Vec<_>>(), ["refused", "refused.error"], "{point}");
        assert!(failed["refused"] == bytes(60_000, 2), "{point}");
        assert!(rig.files("target")["x/a"] == bytes(40_000, 1), "{point}");
    }
}

/// Runs a transfer where `folder` has a disk of 300 KiB of its own, which fills up at a point of the way. `None` where this user may
/// not mount one.
#[expect(clippy::print_stderr, reason = "for whoever runs it with --nocapture")]
fn on_small_disk(rig: &Rig, folder: &str, point: &str) -> Option<Done> {
    let may = Command::new("unshare").args(["-rm", "true"]).output();
    if !may.is_ok_and(|done| done.status.success()) {
        eprintln!("this user may not have a name space of its own: nothing is tried");
        return None;
    }
    fs::create_dir_all(rig.filegen.path(folder)).unwrap();
    // The point lasts for as long as it takes to see that it was reached, and to fill the disk.
    let script = format!(
        "set -eu
        mount -t tmpfs -o size=300k none {folder}
        FAILPOINTS='{point}=1*sleep(1500)' \"$@\" & process=$!
        until [ -n \"$(find {folder} -type f)\" ]; do :; done
        dd if=/dev/zero of={folder}/filler bs=4k 2>/dev/null || true
        wait $process"
    );
    let inner = rig.filegen.command("transfer run -c t.yaml -v");
    let mut unshared = Command::new("unshare");
    unshared.args(["-rm", "sh", "-c", &script, "sh"]).arg(inner.get_program()).args(inner.get_args());
    unshared.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    unshared.current_dir(rig.filegen.path("."));
    Some(Filegen::finish(&mut unshared))
}

#[test]
fn a_disk_that_fills_up_on_the_way_moves_nothing_and_the_next_run_goes_on() {
    // Enough for twice the size before, and not for the file afterwards.
    let content = bytes(100_000, 3);
    for (folder, point) in [("target", "transfer.receiving"), ("spool", "transfer.chunk")] {
        let rig = Rig::new();
        rig.put("a", &content);
        let Some(done) = on_small_disk(&rig, folder, point) else { return };
        assert_ne!(done.code, Some(0), "{folder}: {}", done.stderr);
        assert!(done.stderr.to_lowercase().contains("space"), "{folder}: {}", done.stderr);
        assert_eq!(rig.names("in"), ["a"], "{folder}: nothing is moved");
        assert!(rig.names("error").is_empty() && rig.names("archive").is_empty(), "{folder}");
        assert!(rig.names("target").is_empty(), "{folder}: nothing is visible");
        rig.run(0);
        assert!(rig.files("target")["a"] == content && rig.shelf("archive")["a"] == content, "{folder}");
    }
}

/// Runs the binary, and prints the most memory that it held, in KiB, as the last line of stderr.
const MEASURED: &str = "
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code)
";

/// `FILEGEN_LARGE_MIB=10240` sends one of 10 GB.
#[test]
fn memory_does_not_grow_with_the_file() {
    let large = std::env::var("FILEGEN_LARGE_MIB").ok().and_then(|text| text.parse().ok()).unwrap_or(40_u64) << 20;
    let peak = |size: u64| {
        let rig =
            Rig::with(&[("max_size: 1MiB", "max_size: 1024GiB"), ("chunk: 4KiB, fsync_every: 2", "chunk: 512KiB")]);
        // Zeros that take no room: it is their number that counts.
        fs::File::create(rig.filegen.path("in/a")).unwrap().set_len(size).unwrap();
        let inner = rig.filegen.command("transfer run -c t.yaml");
        let mut command = Command::new("python3");
        command.args(["-c", MEASURED]).arg(inner.get_program()).args(inner.get_args());
        command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.current_dir(rig.filegen.path("."));
        let done = Filegen::finish(&mut command).exits(0);
        assert_eq!(fs::metadata(rig.filegen.path("target/a")).unwrap().len(), size);
        done.stderr.lines().last().unwrap().parse::<u64>().unwrap()
    };
    let (small, large) = (peak(1 << 20), peak(large));
    assert!(large < small + (16 << 10), "{small} KiB for a small file, {large} for a large one");
}
