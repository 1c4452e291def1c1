//! The real system calls of a run and of a takeover, as `strace` (Debian: `strace`) saw them: behind each change of the disk that
//! something later relies on stands the sync that makes it durable.

use super::rig::Rig;
use crate::support::filegen::in_time;
use crate::support::syscalls::{Call, trace};
use std::collections::BTreeMap;

/// The run's folder, below the folder of the test.
const RUN: &str = "out/.filegen/LoanWorker/20261121";

/// Copies that are not checked yet: no journal line speaks of them.
const COPIES: [&str; 3] = ["Loan0.copy", "Loan1.copy", "Loan2.copy"];

/// What the calls so far have left on the disk, and what a crash could still take away.
#[derive(Default)]
struct Disk {
    turn: u64,
    /// Files with bytes that no sync has covered since.
    bytes: BTreeMap<String, u64>,
    /// Names whose folder was not synced since they came.
    names: BTreeMap<String, u64>,
    /// Permissions that were set.
    modes: BTreeMap<String, u32>,
    /// Descriptors that can be written through.
    writable: BTreeMap<u32, String>,
    /// Syncs under way: the changes that each covers.
    syncing: BTreeMap<usize, Vec<(String, u64)>>,
    /// Files with bytes behind the header that no journal line speaks of yet.
    uncommitted: Vec<String>,
    /// Rules that were broken, each with the call.
    broken: Vec<String>,
    /// How often each rule was looked at.
    seen: BTreeMap<&'static str, u32>,
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn in_hidden(path: &str) -> bool {
    path.starts_with("out/.filegen/")
}

/// The staging folder that a path is in: `…/t00000002`, not one that was taken away.
fn staging(path: &str) -> Option<&str> {
    let name = path.strip_prefix(RUN)?.strip_prefix('/')?.split('/').next()?;
    let own = name.starts_with('t') && !name.contains(".dead");
    own.then(|| &path[..RUN.len() + 1 + name.len()])
}

impl Disk {
    /// Looks at a rule; `lost` is what a crash could still take away although the call relies on it.
    fn rule(&mut self, rule: &'static str, call: &Call, lost: &[String]) {
        *self.seen.entry(rule).or_default() += 1;
        if !lost.is_empty() {
            self.broken.push(format!("{rule}: {call:?}, but {}", lost.join(", ")));
        }
    }

    fn unsynced_bytes(&self, is: impl Fn(&str) -> bool) -> Vec<String> {
        self.bytes.keys().filter(|path| is(path)).map(|path| format!("the bytes of {path} are not synced")).collect()
    }

    fn unsynced_names(&self, is: impl Fn(&str) -> bool) -> Vec<String> {
        self.names.keys().filter(|path| is(path)).map(|path| format!("the name {path} is not synced")).collect()
    }

    /// The names on the way from the output's root to a path, without its own.
    fn unsynced_way(&self, path: &str) -> Vec<String> {
        self.unsynced_names(|name| path.starts_with(&format!("{name}/")))
    }

    /// What a call relies on, when it begins.
    fn check(&mut self, call: &Call) {
        match call {
            Call::Write { path, .. } if path.ends_with("/journal.jsonl") => {
                let here = folder(path).to_owned();
                let bytes = self.unsynced_bytes(|other| folder(other) == here && other != path);
                self.rule("a journal line comes behind the bytes that it speaks of", call, &bytes);
                if !self.uncommitted.is_empty() {
                    let mut names = self.unsynced_way(path);
                    names.extend(self.unsynced_names(|name| folder(name) == here));
                    self.rule("a committed page has durable names", call, &names);
                    self.uncommitted.clear();
                }
            }
            Call::Write { path, offset: 0, bytes: 32 } if staging(path).is_some() => {
                let journal = format!("{}/journal.jsonl", folder(path));
                let bytes = self.unsynced_bytes(|other| other == journal);
                self.rule("a header comes behind the journal line", call, &bytes);
            }
            Call::Mkdir { path } if staging(path) == Some(path) => {
                let names = self.unsynced_names(|name| folder(name) == RUN);
                self.rule("older names are fenced durably before the own folder", call, &names);
            }
            Call::Link { from, to } => self.check_link(call, from, to),
            Call::Unlink { path } if path.contains(".dead") => {
                let mut lost = self.unsynced_bytes(in_hidden);
                lost.extend(self.unsynced_names(in_hidden));
                self.rule("an older folder is emptied when its copy is durable", call, &lost);
            }
            Call::Unlink { path } if staging(path).is_some() => {
                let names = self.unsynced_names(|name| !in_hidden(name));
                self.rule("staged names go when all that is published is durable", call, &names);
            }
            _ => {}
        }
    }

    fn check_link(&mut self, call: &Call, from: &str, to: &str) {
        let journal = format!("{}/journal.jsonl", folder(from));
        let mut lost = self.unsynced_bytes(|path| path == from || path == journal);
        lost.extend(self.unsynced_way(to));
        match self.modes.get(from) {
            Some(mode) if mode & 0o222 == 0 => {}
            Some(mode) => lost.push(format!("its mode is {mode:o}")),
            None => lost.push("its mode was not set".to_owned()),
        }
        lost.extend(self.writable.values().filter(|path| *path == from).map(|_| "it is open for writing".to_owned()));
        self.rule("a file gets its final name when it is durable, closed and read-only", call, &lost);
        if to.ends_with(".manifest.json") {
            let names = self.unsynced_names(|name| !in_hidden(name));
            self.rule("the manifest comes behind all names that it speaks of", call, &names);
        }
    }

    fn began(&mut self, at: usize, call: &Call) {
        self.check(call);
        if let Call::Sync { path } = call {
            let bytes = self.bytes.get(path).map(|turn| (path.clone(), *turn));
            let names = self.names.iter().filter(|(name, _)| folder(name) == path);
            let covered = names.map(|(name, turn)| (name.clone(), *turn)).chain(bytes).collect();
            self.syncing.insert(at, covered);
        } else if !matches!(call, Call::Open { .. }) {
            // What is under way may be on the disk already, in part: no sync that begins before its end covers it.
            self.change(call);
        }
    }

    fn ended(&mut self, at: usize, call: &Call) {
        let Some(covered) = self.syncing.remove(&at) else {
            // The number of a descriptor that is being closed may be another's by now.
            if !matches!(call, Call::Close { .. }) {
                self.change(call);
            }
            return;
        };
        for (path, turn) in covered {
            for kept in [&mut self.bytes, &mut self.names] {
                kept.retain(|other, changed| *other != path || *changed != turn);
            }
        }
    }

    fn change(&mut self, call: &Call) {
        self.turn += 1;
        let turn = self.turn;
        match call {
            Call::Mkdir { path } => drop(self.names.insert(path.clone(), turn)),
            Call::Open { path, descriptor, created } => {
                self.writable.insert(*descriptor, path.clone());
                if *created {
                    self.names.insert(path.clone(), turn);
                }
            }
            Call::Close { descriptor } => drop(self.writable.remove(descriptor)),
            Call::Write { path, offset, bytes } => {
                self.bytes.insert(path.clone(), turn);
                let is_body = !path.ends_with("/journal.jsonl")
                    && !COPIES.contains(&name_of(path))
                    && (*offset, *bytes) != (0, 32);
                if is_body && staging(path).is_some() && !self.uncommitted.contains(path) {
                    self.uncommitted.push(path.clone());
                }
            }
            Call::Chmod { path, mode } => drop(self.modes.insert(path.clone(), *mode)),
            Call::Link { to, .. } => drop(self.names.insert(to.clone(), turn)),
            Call::Rename { from, to } => {
                let moved = |path: &str| {
                    let below = path.strip_prefix(from.as_str())?;
                    (below.is_empty() || below.starts_with('/')).then(|| format!("{to}{below}"))
                };
                for kept in [&mut self.bytes, &mut self.names] {
                    let old = std::mem::take(kept);
                    kept.extend(old.into_iter().map(|(path, turn)| (moved(&path).unwrap_or(path), turn)));
                }
                self.writable.values_mut().for_each(|path| *path = moved(path).unwrap_or_else(|| path.clone()));
                self.names.insert(to.clone(), turn);
            }
            Call::Unlink { path } | Call::Rmdir { path } => {
                self.bytes.remove(path);
                self.names.remove(path);
            }
            Call::Sync { .. } => {}
        }
    }
}

/// Plays the calls of a process, and fails when one relied on what a crash could still have taken away.
fn play(rig: &Rig, disk: &mut Disk) {
    for (at, call, ends) in trace(&mut rig.command(""), &rig.path("")) {
        let is_ours =
            |path: &str| path.is_empty() || path == "out" || path.starts_with("out/") && !path.contains("state.db");
        if !call.path().is_none_or(is_ours) {
            continue;
        }
        if ends { disk.ended(at, &call) } else { disk.began(at, &call) }
    }
    let mut left = disk.unsynced_bytes(|_| true);
    // The staged name of the manifest is of no use behind the link.
    left.extend(disk.unsynced_names(|name| !name.ends_with("/manifest.json")));
    assert_eq!(left, [] as [String; 0], "the end of the process");
    assert_eq!(disk.broken, [] as [String; 0]);
}

#[test]
fn a_run_syncs_behind_each_change_that_a_later_one_relies_on() {
    let (rig, mut disk) = (Rig::new(3, "{}"), Disk::default());
    play(&rig, &mut disk);
    assert_eq!(rig.published().len(), 3);
    for (rule, times) in [
        // Seven pages, the first line and the last.
        ("a journal line comes behind the bytes that it speaks of", 9),
        ("a committed page has durable names", 7),
        // Two files with headers: at the start, behind each page, at the end.
        ("a header comes behind the journal line", 18),
        ("older names are fenced durably before the own folder", 1),
        ("a file gets its final name when it is durable, closed and read-only", 4),
        ("the manifest comes behind all names that it speaks of", 1),
        ("staged names go when all that is published is durable", 3),
    ] {
        assert!(disk.seen.get(rule).is_some_and(|seen| *seen >= times), "{rule}: {:?}", disk.seen);
    }
}

#[test]
fn a_takeover_syncs_behind_each_change_that_a_later_one_relies_on() {
    let rig = Rig::new(3, "{}");
    assert!(!in_time(&mut rig.command("header.written=3*off->return")).status.success());
    let mut disk = Disk::default();
    play(&rig, &mut disk);
    assert_eq!(rig.published().len(), 3);
    for (rule, times) in [
        ("a journal line comes behind the bytes that it speaks of", 5),
        ("a committed page has durable names", 3),
        ("older names are fenced durably before the own folder", 1),
        // Three files and the journal.
        ("an older folder is emptied when its copy is durable", 4),
        ("a file gets its final name when it is durable, closed and read-only", 4),
        ("the manifest comes behind all names that it speaks of", 1),
    ] {
        assert!(disk.seen.get(rule).is_some_and(|seen| *seen >= times), "{rule}: {:?}", disk.seen);
    }
}

#[test]
fn folders_of_a_process_that_died_before_it_could_sync_them_are_synced_by_the_next() {
    let (rig, mut disk) = (Rig::new(3, "{}"), Disk::default());
    std::fs::create_dir_all(rig.path(RUN)).unwrap();
    for (end, _) in RUN.match_indices('/').chain([(RUN.len(), "")]) {
        disk.names.insert(RUN[..end].to_owned(), 0);
    }
    assert_eq!(disk.names.len(), 4);
    play(&rig, &mut disk);
    assert_eq!(rig.published().len(), 3);
}
