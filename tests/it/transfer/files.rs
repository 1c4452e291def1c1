//! Files that no well-behaved writer leaves there.

use super::rig::{Rig, bytes};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use serde_json::json;
use std::ffi::OsStr;
use std::fs;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;

#[test]
fn hostile_names_arrive_as_they_are() {
    let rig = Rig::new();
    let names =
        [" blank ", "a*b?[c]", "x>y|z;$(id)", "né 漢 🙂", "-rf", "tab\there", "new\nline", "..hidden", "%2e%2e"];
    for name in names {
        rig.put(name, name.as_bytes());
    }
    rig.put(&format!("{}.csv", "l".repeat(251)), b"long");
    rig.run(0);
    let target = rig.files("target");
    assert_eq!(target.len(), names.len() + 1);
    for name in names {
        assert_eq!(target[name], name.as_bytes(), "{name}");
    }
    assert!(rig.names("in").is_empty());
}

#[test]
fn what_is_no_file_is_told_and_left_and_a_name_that_is_no_text_is_set_aside() {
    let rig = Rig::new();
    rig.put("fine", b"1");
    rig.filegen.write("outside", "secret");
    let inside = rig.filegen.path("in");
    symlink(rig.filegen.path("outside"), inside.join("link")).unwrap();
    symlink(rig.filegen.path("."), inside.join("folder-link")).unwrap();
    fs::create_dir(inside.join("folder.csv")).unwrap();
    let _socket = UnixListener::bind(inside.join("socket")).unwrap();
    fs::write(inside.join(OsStr::from_bytes(b"odd\xff\xfe.csv")), "odd").unwrap();
    let done = rig.transfer("run").exits(4);
    assert_eq!(rig.names("target"), ["fine"]);
    for told in ["link: it is a link", "socket: it is a socket", "its name is no UTF-8 text; it was set aside"] {
        assert!(done.stderr.contains(told), "{told}: {}", done.stderr);
    }
    let failed = rig.shelf("error");
    assert_eq!(failed.len(), 2, "{failed:?}");
    let note = failed.iter().find(|(name, _)| name.contains(".error")).unwrap().1;
    let note: serde_json::Value = serde_json::from_slice(note).unwrap();
    assert_eq!(note["nameHex"], json!(hex::encode(b"odd\xff\xfe.csv")));
    assert!(failed.values().any(|bytes| bytes == b"odd"));
    assert_eq!(rig.filegen.read("outside"), "secret");
}

#[test]
fn no_link_at_the_target_leads_out_of_it() {
    let rig = Rig::new();
    fs::create_dir_all(rig.filegen.path("target")).unwrap();
    fs::create_dir_all(rig.filegen.path("elsewhere")).unwrap();
    symlink(rig.filegen.path("elsewhere"), rig.filegen.path("target/x")).unwrap();
    rig.put("x/a", b"1");
    rig.put("b", b"2");
    rig.filegen.write("other", "other");
    symlink(rig.filegen.path("other"), rig.filegen.path("target/b")).unwrap();
    rig.transfer("run").exits(4);
    assert!(rig.names("elsewhere").is_empty());
    assert_eq!(rig.filegen.read("other"), "other");
    assert_eq!(rig.shelf("error").len(), 4);
}

#[test]
fn alike_beginnings_and_alike_contents_are_told_apart() {
    let rig = Rig::new();
    let mut one = bytes(70_000, 6);
    rig.put("one", &one);
    one[69_999] ^= 1;
    rig.put("two", &one);
    rig.put("three", &one);
    rig.put("x/three", &one);
    rig.run(0);
    let target = rig.files("target");
    assert_eq!(target.len(), 4);
    assert!(target["one"] != target["two"] && target["two"] == target["three"] && target["three"] == target["x/three"]);
}

#[test]
fn a_file_that_is_marked_or_lacks_its_done_file_is_left_alone() {
    let rig = Rig::new();
    for name in ["a", "a.part", "b", "b.lock", "c.tmp", "d.filepart"] {
        rig.put(name, b"1");
    }
    rig.put("e", b"2");
    rig.transfer("run --once").exits(0);
    assert_eq!(rig.names("target"), ["e"]);
    let rig = Rig::with(&[("stable_for: 0s", "done_file: \"{name}.done\"")]);
    rig.put("a", b"1");
    rig.put("a.done", b"");
    rig.put("b", b"1");
    rig.transfer("run --once").exits(0);
    assert_eq!(rig.names("target"), ["a"]);
    assert_eq!(rig.names("in"), ["a.done", "b"]);
}

#[test]
fn a_file_that_may_not_be_read_is_set_aside() {
    let rig = Rig::new();
    rig.put("closed", b"1");
    rig.put("open", b"2");
    fs::set_permissions(rig.filegen.path("in/closed"), fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(rig.filegen.path("in/closed")).is_ok() {
        // This user may read everything.
        return;
    }
    rig.transfer("run").exits(4);
    assert_eq!(rig.names("target"), ["open"]);
    assert_eq!(rig.names("error").len(), 2);
}

#[test]
fn below_and_above_the_largest_message_the_same_arrives() {
    let rig = Rig::new();
    let sizes = [0, 1, 4095, 4096, 4097, 8191, 8192, 8193, 40_960];
    for size in sizes {
        rig.put(&size.to_string(), &bytes(size, size as u64));
    }
    rig.run(0);
    let target = rig.files("target");
    for size in sizes {
        assert!(target[&size.to_string()] == bytes(size, size as u64), "{size}");
    }
}

#[test]
fn an_archive_is_never_listed_however_much_lies_there() {
    let rig = Rig::new();
    rig.put("sub/a", b"1");
    rig.run(0);
    let told = inotify::init(CreateFlags::NONBLOCK).unwrap();
    let folders = || walkdir::WalkDir::new(rig.filegen.path("archive")).into_iter().map(Result::unwrap);
    let folders: Vec<_> =
        folders().filter(|entry| entry.file_type().is_dir()).map(walkdir::DirEntry::into_path).collect();
    for folder in &folders {
        inotify::add_watch(&told, folder, WatchFlags::ACCESS).unwrap();
    }
    let listed = || {
        let mut room = [const { MaybeUninit::uninit() }; 4096];
        let (mut reader, mut count) = (inotify::Reader::new(&told, &mut room), 0);
        while let Ok(event) = reader.next() {
            count += usize::from(event.events().contains(ReadFlags::ACCESS | ReadFlags::ISDIR));
        }
        count
    };
    rig.put("sub/b", b"2");
    rig.put("sub/c", &bytes(20_000, 1));
    rig.run(0);
    rig.transfer("run").exits(0);
    rig.transfer("list").exits(0);
    rig.transfer("verify").exits(0);
    rig.filegen.run("doctor -c t.yaml").exits(0);
    assert_eq!(listed(), 0);
    assert_eq!(rig.shelf("archive").len(), 3);
    assert!(listed() >= folders.len(), "whoever lists them is seen: {folders:?}");
}
