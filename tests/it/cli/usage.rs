//! What all commands have in common: wrong usage, errors in both forms, colour, closed pipes.

use crate::support::filegen::Filegen;
use std::process::Stdio;

#[test]
fn wrong_usage_exits_2_and_says_what_to_do() {
    let filegen = Filegen::empty();
    for args in
        ["", "nonsense", "run --nonsense", "run --date 2026-13-01 -c w.yaml", "verify --pages 0", "run -c a -c b"]
    {
        let done = filegen.run(args).exits(2);
        assert_eq!(done.stdout, "", "{args}");
        assert!(!done.stderr.is_empty(), "{args}");
    }
    let done = filegen.run("run").exits(2);
    assert!(done.stderr.contains("hint: name it with `-c FILE`"), "{}", done.stderr);
    assert!(filegen.run("verfy").exits(2).stderr.contains("'verify'"), "a near name is suggested");
}

#[test]
fn an_error_is_one_json_object_where_json_is_asked_for() {
    let filegen = Filegen::empty();
    let error = filegen.run("run --output json").exits(2).json_error();
    assert_eq!(error["error"], "no worker file is named");
    assert_eq!(error["exitCode"], 2);
    assert!(error["hint"].is_string());
    let error = filegen.run("nonsense --output json").exits(2).json_error();
    assert_eq!(error["exitCode"], 2);
    assert!(error["error"].as_str().unwrap().contains("nonsense"));
}

#[test]
fn a_worker_file_that_cannot_be_used_exits_3_from_every_command() {
    let filegen = Filegen::empty();
    filegen.write("worker.yaml", "worker: W\nsorce: {}\n");
    let commands = [
        "run",
        "verify",
        "status",
        "doctor",
        "inspect-headers",
        "lease show",
        "lease release --reason x",
        "publish-completion --dry-run",
        "resume --from-page 1 --yes",
    ];
    for command in commands {
        let done = filegen.run(&format!("{command} -c worker.yaml")).exits(3);
        assert!(done.stderr.contains("sorce"), "{command}: {}", done.stderr);
        assert!(filegen.run(&format!("{command} -c missing.yaml")).exits(3).stderr.contains("missing.yaml"));
    }
    let error = filegen.run("run -c worker.yaml --output json").exits(3).json_error();
    assert_eq!(error["problems"][0]["file"], "worker.yaml");
    assert_eq!(error["problems"][0]["line"], 2);
}

#[test]
fn colour_comes_when_asked_for_and_never_by_itself_into_a_pipe() {
    let filegen = Filegen::empty();
    assert!(!filegen.run("run").stderr.contains('\x1b'));
    assert!(filegen.run("run --color always").stderr.contains("\x1b[1;31merror:"));
    let mut command = filegen.command("run");
    assert!(!Filegen::finish(command.env("NO_COLOR", "1")).stderr.contains('\x1b'));
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let filegen = Filegen::empty();
    let mut child = filegen.command("completions zsh").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}
