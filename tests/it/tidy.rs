//! The rules of the house, as tests. A rule that fails says the file, the line and what to do.

mod source;

use crate::support::containers;
use source::{File, root, rust_files};
use std::collections::BTreeSet;
use std::fs;

/// Longest file, in lines.
const FILE_LINES: usize = 400;

/// Longest function, in lines.
const FUNCTION_LINES: usize = 70;

/// Longest test, in lines: it may hold a table of values.
const TEST_LINES: usize = 100;

/// Crates that talk to something outside: the core must not know them.
const CLIENTS: [&str; 6] = ["rusqlite", "tokio_postgres", "rustix", "rdkafka", "mongodb", "tds_protocol"];

/// What every flow shares in the core.
const SHARED: [&str; 6] =
    ["core::doctor", "core::election", "core::failpoints", "core::model", "core::outbox", "core::ports"];

/// Who may import from where: the first layer that a file lies in decides. `crate` itself is what `lib.rs` gives to all.
/// A flow names no other flow, and what flows share names none.
const LAYERS: [(&str, &[&str]); 10] = [
    ("core::model", &["core::failpoints", "core::model"]),
    ("core::failpoints", &[]),
    ("core::ports", &["core::model", "core::ports"]),
    ("core::generate", &["core::generate", SHARED[0], SHARED[1], SHARED[2], SHARED[3], SHARED[4], SHARED[5]]),
    ("core", &SHARED),
    ("adapters", &["adapters", "core::failpoints", "core::model", "core::ports"]),
    (
        "config",
        &[
            "config",
            "core::generate::model",
            "core::generate::spec",
            "core::generate::translate",
            "core::model",
            "Registry",
        ],
    ),
    ("telemetry", &["core", "telemetry"]),
    ("wiring", &["core", "adapters", "config"]),
    ("commands", &["commands", "core", "config", "telemetry", "wiring", "Registry"]),
];

/// Fails with all findings at once.
fn hold(rule: &str, findings: &[String]) {
    assert!(findings.is_empty(), "{rule}\n  {}\n", findings.join("\n  "));
}

/// Does a path lie in a layer?
fn within(path: &str, layer: &str) -> bool {
    path.strip_prefix(layer).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

#[test]
fn imports_go_one_way() {
    let mut findings = Vec::new();
    for file in rust_files(&["src", "commands"]).iter().filter(|file| !file.is_test()) {
        let module = file.module();
        let Some((layer, allowed)) = LAYERS.iter().find(|(layer, _)| within(&module, layer)) else { continue };
        for (line, path) in file.imports() {
            if !allowed.iter().any(|other| within(&path, other)) {
                findings.push(format!("{}:{line}: `{layer}` may not use `crate::{path}`", file.name()));
            }
        }
    }
    hold("imports go commands -> core -> ports -> model, and adapters -> ports, model", &findings);
}

#[test]
fn only_adapters_name_a_client_crate() {
    let mut findings = Vec::new();
    for file in rust_files(&["src", "commands"]).iter().filter(|file| !file.module().starts_with("adapters")) {
        for (number, line) in file.code() {
            for client in CLIENTS.iter().filter(|client| source::has_path(line, client)) {
                findings.push(format!("{}:{number}: names `{client}`", file.name()));
            }
        }
    }
    hold("client crates are named in src/adapters only: put what you need behind a port", &findings);
}

#[test]
fn every_file_opens_with_what_it_is() {
    let files = rust_files(&source::EVERYWHERE);
    let findings: Vec<_> = files.iter().filter(|file| !file.text().starts_with("//! ")).map(File::name).collect();
    hold("a file's first line is `//! What it is.`", &findings);
}

#[test]
fn files_stay_short() {
    let findings: Vec<_> = rust_files(&source::EVERYWHERE)
        .iter()
        .filter(|file| file.text().lines().count() > FILE_LINES)
        .map(|file| format!("{}: {} lines", file.name(), file.text().lines().count()))
        .collect();
    hold(&format!("a file has at most {FILE_LINES} lines: split it by step"), &findings);
}

#[test]
fn functions_stay_short() {
    let mut findings = Vec::new();
    for file in rust_files(&source::EVERYWHERE) {
        let most = if file.is_test() { TEST_LINES } else { FUNCTION_LINES };
        for (line, name, lines) in file.functions().into_iter().filter(|(_, _, lines)| *lines > most) {
            findings.push(format!("{}:{line}: `{name}` has {lines} lines", file.name()));
        }
    }
    hold(&format!("a function has at most {FUNCTION_LINES} lines, a test {TEST_LINES}: split it by step"), &findings);
}

#[test]
fn nothing_from_outside_can_panic() {
    const PANICS: [&str; 6] = [".unwrap()", ".expect(", "panic!(", "unreachable!(", "todo!(", "unimplemented!("];
    let mut findings = Vec::new();
    for file in rust_files(&["src", "commands"]).iter().filter(|file| !file.is_test()) {
        let mut reason = false;
        for (number, line) in file.lines_with_comments() {
            let comment = line.contains("// ");
            if !comment && !reason && PANICS.iter().any(|panic| line.contains(panic)) {
                findings.push(format!("{}:{number}: {}", file.name(), line.trim()));
            }
            reason = line.trim_start().starts_with("// ");
        }
    }
    hold("no unwrap, expect or panic outside tests, unless a comment beside it says why it cannot happen", &findings);
}

#[test]
fn no_test_is_skipped_or_sleeps() {
    let mut findings = Vec::new();
    for file in rust_files(&["src", "commands", "tests"]).iter().filter(|file| file.name() != "tests/it/tidy.rs") {
        // Waiting for a condition is one place's work.
        let waits = file.name().starts_with("tests/it/support/") || !file.name().starts_with("tests/");
        for (number, line) in file.code() {
            if line.contains("#[ignore") || (!waits && line.contains("thread::sleep")) {
                findings.push(format!("{}:{number}: {}", file.name(), line.trim()));
            }
        }
    }
    hold(
        "no test is ignored, and none sleeps: wait for a condition with tests/it/support, or move the clock",
        &findings,
    );
}

#[test]
fn every_file_is_part_of_the_build() {
    for (start, folders) in [
        ("tests/it/main.rs", &["tests/it"][..]),
        ("tests/simulation/main.rs", &["tests/simulation"]),
        ("src/lib.rs", &["src", "commands"]),
    ] {
        let reached = source::reachable(start);
        let findings: Vec<_> = rust_files(folders)
            .iter()
            .map(File::name)
            .filter(|name| !reached.contains(name) && name != "commands/main.rs")
            .collect();
        hold(&format!("every file is reached by `mod` lines from {start}"), &findings);
    }
}

#[test]
fn the_readme_lists_the_commands_there_are() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let table = readme.lines().skip_while(|line| !line.starts_with("| command ")).skip(2);
    let listed: BTreeSet<String> = table
        .take_while(|line| line.starts_with('|'))
        .filter_map(|line| line.split('`').nth(1))
        .map(|text| text.split([' ', '[']).next().unwrap_or_default().to_owned())
        .collect();
    let tree = filegen::commands::cli::tree();
    let real: BTreeSet<String> = tree.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    assert_eq!(listed, real, "the command table in README.md and `filegen --help` differ");
}

#[test]
fn tests_and_compose_start_the_same_images() {
    let compose = fs::read_to_string(root().join("deploy/compose.yaml")).unwrap();
    let findings: Vec<_> = [containers::MONGODB, containers::KAFKA, containers::SQLSERVER]
        .map(|(name, tag)| format!("image: {name}:{tag}"))
        .into_iter()
        .filter(|image| !compose.lines().any(|line| line.trim() == image))
        .collect();
    hold("deploy/compose.yaml has the images of tests/it/support/containers.rs", &findings);
}

#[test]
fn every_dependency_says_why_it_is_there() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let mut findings = Vec::new();
    let (mut wanted, mut reason) = (false, false);
    for line in manifest.lines() {
        match line {
            _ if line.starts_with('[') => (wanted, reason) = (line == "[dependencies]", false),
            // One reason covers the lines below it, up to the next.
            _ if line.starts_with('#') => reason = true,
            "" => reason = false,
            _ if wanted && !reason => findings.push(line.to_owned()),
            _ => {}
        }
    }
    hold("a line above each dependency in Cargo.toml gives its reason", &findings);
}
