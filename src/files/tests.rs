//! Both ways beneath a folder, with everything that may stand there.

use super::Foreign;
use super::beneath::Beneath;
use super::named;
use rustix::fs::{CWD, Mode};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

/// A folder with one of each kind, and one that a link leads out to.
fn filled() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at("root/a/b")).unwrap();
    fs::create_dir(at("outside")).unwrap();
    fs::write(at("outside/file"), "secret").unwrap();
    fs::write(at("root/a/b/file"), "text").unwrap();
    symlink("../../outside", at("root/a/out")).unwrap();
    symlink("b", at("root/a/in")).unwrap();
    symlink("b/file", at("root/a/link")).unwrap();
    symlink("nowhere", at("root/a/dangling")).unwrap();
    rustix::fs::mkfifoat(CWD, at("root/a/pipe"), Mode::from_raw_mode(0o666)).unwrap();
    drop(UnixListener::bind(at("root/a/socket")).unwrap());
    folder
}

fn what<T>(result: std::io::Result<T>) -> String {
    match result {
        Ok(_) => "opened".to_owned(),
        Err(error) => Foreign::of(&error).map_or_else(|| format!("{:?}", error.kind()), ToString::to_string),
    }
}

#[test]
fn the_kernel_and_our_own_steps_refuse_the_same() {
    let folder = filled();
    for stepwise in [false, true] {
        let root = Beneath::of(&folder.path().join("root")).unwrap();
        let root = if stepwise { root.stepwise() } else { root };
        for (path, opened) in [
            ("a/b/file", "opened"),
            ("./a//b/file", "opened"),
            ("a/link", "`a/link` is a link"),
            ("a/dangling", "`a/dangling` is a link"),
            ("a/out/file", "`a/out` is a link"),
            ("a/in/file", "`a/in` is a link"),
            ("a/pipe", "`a/pipe` is a pipe"),
            ("a/socket", "`a/socket` is a socket"),
            ("a/b", "`a/b` is a folder"),
            ("a/pipe/file", "`a/pipe` is a pipe"),
            ("a/b/file/x", "NotADirectory"),
            ("a/none", "NotFound"),
            ("none/file", "NotFound"),
        ] {
            assert_eq!(what(root.open(path)), opened, "{path}, step by step: {stepwise}");
        }
        for path in ["../outside/file", "a/../../outside/file", "a/b/../../../outside/file"] {
            assert_ne!(what(root.open(path)), "opened", "{path}, step by step: {stepwise}");
        }
        assert_eq!(what(root.make_dir("a/out/new", 0o777)), "`a/out` is a link");
        assert_eq!(what(root.create("a/out/new", 0o666)), "`a/out` is a link");
        assert_eq!(what(root.create("a/dangling", 0o666)), "AlreadyExists");
        assert_eq!(what(root.link("a/b/file", "a/out/file")), "`a/out` is a link");
        assert_eq!(what(root.rename("a/b/file", "a/in/file")), "`a/in` is a link");
        assert_eq!(what(root.unlink("a/out/file")), "`a/out` is a link");
        assert_eq!(what(root.sync_dir("a/in")), "`a/in` is a link");
        assert_eq!(what(root.list("a/out")), "`a/out` is a link");
        let mut names: Vec<String> = root.list("a").unwrap().into_iter().map(|(name, _)| name).collect();
        names.sort();
        assert_eq!(names, ["b", "dangling", "in", "link", "out", "pipe", "socket"]);
    }
    assert_eq!(fs::read_dir(folder.path().join("outside")).unwrap().count(), 1);
}

#[test]
fn a_root_that_is_a_link_is_followed() {
    let folder = filled();
    symlink("root", folder.path().join("mounted")).unwrap();
    let root = Beneath::of(&folder.path().join("mounted")).unwrap();
    assert_eq!(what(root.open("a/b/file")), "opened");
    assert_eq!(what(Beneath::of(&folder.path().join("root/a/pipe"))), "NotADirectory");
}

#[test]
fn a_file_that_a_person_named_may_be_a_link_and_has_a_bound() {
    let folder = filled();
    let at = |name: &str| folder.path().join(name);
    assert_eq!(named::read(&at("root/a/link"), 4).unwrap(), b"text");
    assert_eq!(named::read(&at("root/a/link"), 3).unwrap_err().kind(), ErrorKind::FileTooLarge);
    fs::File::create(at("huge")).unwrap().set_len(3 << 40).unwrap();
    assert_eq!(named::read(&at("huge"), 1 << 20).unwrap_err().kind(), ErrorKind::FileTooLarge);
    for name in ["root/a/pipe", "root/a/socket", "root/a/b"] {
        let error = named::read(&at(name), 1 << 20).unwrap_err();
        assert!(Foreign::of(&error).is_some(), "{name}: {error}");
        assert!(Foreign::of(&named::check_plain(&at(name)).unwrap_err()).is_some(), "{name}");
    }
    assert_eq!(named::read(&at("root/a/dangling"), 1).unwrap_err().kind(), ErrorKind::NotFound);
    let error = named::read(Path::new("/dev/zero"), 1 << 20).unwrap_err();
    assert!(Foreign::of(&error).is_some(), "{error}");
}

#[test]
fn a_group_has_a_number() {
    assert_eq!(named::group_number("root").unwrap(), Some(0));
    assert_eq!(named::group_number("no such group").unwrap(), None);
}
