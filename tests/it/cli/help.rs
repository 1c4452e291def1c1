//! The help texts, as a whole, and that each teaches by an example to paste.

use crate::support::filegen::Filegen;
use std::fmt::Write as _;

/// Every command by the words that name it: the first is the tree's root.
fn commands() -> Vec<String> {
    let mut open = vec![(String::new(), filegen::commands::cli::tree())];
    let mut all = Vec::new();
    while let Some((typed, command)) = open.pop() {
        let parts = command.get_subcommands();
        open.extend(parts.map(|part| (format!("{typed} {}", part.get_name()), part.clone())));
        all.push(typed);
    }
    all.sort();
    all
}

#[test]
fn help_of_every_command() {
    let filegen = Filegen::empty();
    let mut all = String::new();
    for command in commands() {
        let help = filegen.run(&format!("{command} --help")).exits(0);
        assert_eq!(help.stderr, "");
        writeln!(all, "$ filegen{command} --help\n{}", help.stdout).unwrap();
    }
    // The options of every command stand once, in the first text.
    let (first, rest) = all.split_once("\n$ filegen ").unwrap();
    let global = first.find("Global options:").unwrap();
    let options = &first[global..first.find("Examples:").unwrap()];
    insta::assert_snapshot!("help", format!("{first}\n$ filegen {}", rest.replace(options, "Global options: …\n\n")));
}

#[test]
fn every_command_has_an_example() {
    let filegen = Filegen::empty();
    for typed in commands() {
        let help = filegen.run(&format!("{typed} --help")).stdout;
        assert!(help.contains(&format!("\n  filegen{typed} ")), "{typed}: {help}");
    }
}

#[test]
fn help_and_version_need_no_environment_and_read_nothing() {
    let filegen = Filegen::empty();
    let version = filegen.run("--version").exits(0);
    assert_eq!(version.stdout, format!("filegen {}\n", env!("CARGO_PKG_VERSION")));
    assert!(filegen.run("run -h").exits(0).stdout.contains("Usage: filegen run"));
}
