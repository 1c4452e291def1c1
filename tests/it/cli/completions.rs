//! `filegen completions` and `filegen man`, and that the committed files are what they print.

use crate::support::filegen::{Filegen, names_below};
use std::path::Path;

const FILES: [(&str, &str); 4] =
    [("bash", "filegen.bash"), ("zsh", "_filegen"), ("fish", "filegen.fish"), ("powershell", "_filegen.ps1")];

#[test]
fn committed_completions_are_what_the_binary_prints() {
    let filegen = Filegen::empty();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions");
    for (shell, name) in FILES {
        let script = filegen.run(&format!("completions {shell}")).exits(0).stdout;
        let committed = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(script == committed, "completions/{name} is stale: run `completions/update`");
    }
}

#[test]
fn committed_manual_pages_are_what_the_binary_writes() {
    let filegen = Filegen::empty();
    filegen.run("man --dir man").exits(0);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions/man");
    assert_eq!(names_below(&filegen.path("man")), names_below(&folder), "run `completions/update`");
    for name in names_below(&folder) {
        let committed = std::fs::read_to_string(folder.join(&name)).unwrap();
        assert!(
            filegen.read(&format!("man/{name}")) == committed,
            "completions/man/{name} is stale: run `completions/update`"
        );
    }
    assert!(filegen.run("man").exits(0).stdout.starts_with(".ie"));
}

#[test]
fn a_folder_for_manual_pages_that_cannot_be_made_exits_1() {
    let filegen = Filegen::empty();
    filegen.write("file", "");
    assert!(filegen.run("man --dir file/man").exits(1).stderr.contains("cannot write to file/man"));
}

#[test]
fn a_shell_that_is_not_known_exits_2() {
    assert!(Filegen::empty().run("completions tcsh").exits(2).stderr.contains("bash"));
}
