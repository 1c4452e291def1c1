//! What this process holds in memory stays there: no core file, no debugger of the same user, no argument.

use crate::support::daemon::{Daemon, worker};
use crate::support::filegen::Filegen;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// The limit of core files, soft and hard, of a process.
fn core_limit(id: u32) -> String {
    let limits = std::fs::read_to_string(format!("/proc/{id}/limits")).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    line.split_whitespace().nth(4).unwrap().to_owned()
}

/// Whether the kernel would let a process of the same user read its memory: files of such a process are then its user's own.
fn owner_of_memory(id: u32) -> u32 {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(format!("/proc/{id}/environ")).unwrap().uid()
}

/// A user that is not root: what is root's is root's, whatever its process allows.
const NOBODY: u32 = 65534;

/// The limit of core files and the owner of the memory of a daemon, and the user that it runs as.
fn daemon_of_nobody(name: &str, value: &str) -> (String, u32, u32) {
    let filegen = worker(3);
    let mut command = filegen.command("daemon -c worker.yaml --health-port 0");
    let mut user = rustix::process::getuid().as_raw();
    if user == 0 {
        user = NOBODY;
        let folder = filegen.path("worker.yaml").parent().unwrap().to_owned();
        let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        for path in files.chain([folder.clone()]) {
            std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        command.uid(NOBODY).gid(NOBODY);
    }
    let daemon = Daemon::of(command.env(name, value));
    let id = daemon.running.id();
    (core_limit(id), owner_of_memory(id), user)
}

#[test]
fn a_daemon_leaves_no_core_file() {
    let (limit, owner, _) = daemon_of_nobody("UNUSED", "");
    assert_eq!((limit.as_str(), owner), ("0", 0), "files of a process that is not dumpable are root's");
}

#[test]
fn core_files_can_be_had_for_debugging() {
    let (limit, owner, user) = daemon_of_nobody("FILEGEN_CORE_DUMPS", "1");
    assert_eq!((limit, owner), (core_limit(std::process::id()), user));
}

/// The command with this text on its stdin.
fn with_stdin(command: &mut Command, text: &str) -> std::process::Output {
    let command = std::mem::replace(command, Command::new("true"));
    assert_cmd::Command::from_std(command).write_stdin(text).output().unwrap()
}

#[test]
fn an_address_need_not_stand_in_the_arguments() {
    let filegen = Filegen::with_loans(3);
    for address in
        ["ann:s3cret@localhost:1/db", "localhost:1/db?password=s3cret", "localhost:1/db?user=ann&password=s3cret"]
    {
        let done = filegen.run(&format!("config init --from postgres://{address} --view v")).exits(2);
        assert!(done.stderr.contains("--from -") && !done.stderr.contains("s3cret"), "{}", done.stderr);
    }

    let done = with_stdin(&mut filegen.command("config init --from - --view v_Loans"), "sqlite:loans.db\n");
    let text = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success() && text.contains("url: sqlite:loans.db"), "{text}");

    let mut command = filegen.command("config init --from-env LOANS_URL --view v_Loans");
    let done = with_stdin(command.env("LOANS_URL", "sqlite:loans.db"), "");
    let text = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success() && text.contains("url: \"${LOANS_URL}\""), "{text}");
    let done = with_stdin(&mut filegen.command("config init --from - --view v_Loans"), "\n");
    assert_eq!(done.status.code(), Some(2));
}

#[test]
fn a_secret_may_stand_in_a_file() {
    let filegen = Filegen::with_loans(3);
    filegen.edit("  url: sqlite:loans.db\n", "");
    filegen.write("address", "sqlite:loans.db\n");
    let run = |file: &str, more: &[(&str, &str)]| {
        let mut command = filegen.command("config check -c worker.yaml");
        command.env("SQL_CONNECTION_STRING_FILE", filegen.path(file));
        command.envs(more.iter().copied());
        with_stdin(&mut command, "")
    };
    assert!(run("address", &[]).status.success());
    for (file, more, says) in
        [("gone", &[][..], "No such file"), ("address", &[("SQL_CONNECTION_STRING", "sqlite:x.db")], "set one of them")]
    {
        let done = run(file, more);
        let told = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(3), "{told}");
        // The report may break the sentence anywhere.
        let told = told.split_whitespace().filter(|word| !matches!(*word, "│" | "╰─▶")).collect::<Vec<_>>().join(" ");
        assert!(told.contains("SQL_CONNECTION_STRING_FILE") && told.contains(says), "{told}");
    }
}
