//! What others do meanwhile: they write files and write them again, take away what has arrived, put files of their own at the target, and
//! let failed files go again.

use super::book::{PEOPLE, id_of, is_companion, origin};
use super::broker::Broker;
use super::folder::Desk;
use super::line::Line;
use super::mix::At;
use super::world::{Far, UNDER_WAY, World};
use crate::sim::locked;
use crate::weather::{Faults, Weather};
use filegen::core::ports::clock::Clock;
use filegen::core::ports::transfer_ledger::Holder;
use filegen::core::transfer::redrive::{RedrivePorts, Which, failed, redrive};
use filegen::core::transfer::spec::After;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const PATHS: [&str; 5] = ["a.csv", "b.csv", "x/a.csv", "x/c.csv", "d.csv"];

/// Sizes of whole files: inline, of one chunk, of several, and such that begin alike for long.
const SIZES: [usize; 5] = [0, 9, 16, 40, 70];

/// The longest pause in which a file that grows holds still: less than is asked for.
const GROWS: Duration = Duration::from_millis(1900);

/// What others put at the target.
pub const FOREIGN: &[u8] = b"foreign";

fn content(far: &Far, path: &str) -> Vec<u8> {
    let mut rng = locked(&far.rng);
    let (size, variant) = (SIZES[rng.index(SIZES.len())], rng.below(4));
    let mut bytes = vec![b'.'; size];
    // Few of them: what a file held before comes back. The difference stands at the end.
    let end = format!("{path}{variant}");
    let end = &end.as_bytes()[end.len().saturating_sub(size)..];
    bytes[size - end.len()..].copy_from_slice(end);
    bytes
}

/// Somebody puts a whole file there.
fn put(far: &Far, path: &str, bytes: &[u8], is_of_old: bool) {
    let mut folder = locked(&far.folder);
    // Some keep the time of what they copy.
    let at = folder.modified_at(path).filter(|_| is_of_old).unwrap_or_else(|| far.now());
    folder.put(path, bytes, at);
    locked(&far.book).lies(path, bytes);
}

/// Somebody writes all of a file that is open, under whatever name it is by now.
fn rewrite(far: &Far, path: &str, inode: usize, bytes: &[u8]) {
    let mut folder = locked(&far.folder);
    folder.rewrite(inode, bytes, far.now());
    if folder.names.get(path) == Some(&inode) {
        locked(&far.book).lies(path, bytes);
    }
}

pub fn write(world: &World) {
    let far = &world.far;
    let (path, other, what) = {
        let mut rng = locked(&far.rng);
        (PATHS[rng.index(PATHS.len())], PATHS[rng.index(PATHS.len())], rng.below(12))
    };
    let bytes = content(far, path);
    let there = locked(&far.folder).names.get(path).copied();
    match (what, there) {
        (0, _) => {
            locked(&far.folder).names.remove(path);
            locked(&far.book).is_gone(path);
        }
        (1 | 2, _) => {
            // It grows, and never holds still for as long as is asked for.
            put(far, path, &bytes[..bytes.len() / 2], false);
            let (inode, far) = (locked(&far.folder).names[path], Arc::clone(far));
            tokio::spawn(async move {
                let pause = locked(&far.rng).millis(GROWS);
                tokio::time::sleep(pause).await;
                rewrite(&far, path, inode, &bytes);
            });
        }
        // A file that is kept has a second name on the error shelf, which would change with it.
        (3 | 4, Some(inode)) if far.mix.after != After::Keep => {
            let size = locked(&far.folder).content(inode).len();
            rewrite(far, path, inode, &content(far, path)[..].iter().copied().cycle().take(size).collect::<Vec<_>>());
        }
        (5, Some(inode)) => {
            // The same size, and the same time.
            let size = locked(&far.folder).content(inode).len();
            let bytes = bytes.iter().copied().cycle().take(size).collect::<Vec<_>>();
            put(far, path, &bytes, true);
        }
        (6, Some(inode)) if path != other => {
            let bytes = locked(&far.folder).content(inode).to_vec();
            put(far, other, &bytes, false);
        }
        _ => put(far, path, &bytes, false),
    }
}

/// Whoever reads at the target takes a file that has arrived, with what follows it.
pub fn take(far: &Far) {
    let arrived: Vec<String> = {
        let (book, host) = (locked(&far.book), locked(far.target()));
        let places = book.delivered.iter().map(|(id, place)| (id, format!("out/{place}")));
        let places = places.filter(|(_, name)| far.mix.at != At::Bucket || book.has_stood(name, UNDER_WAY));
        // What has its name, and does not count as delivered yet, is left.
        let is_it = |(id, name): &(&String, String)| {
            host.content(name).is_some_and(|bytes| {
                let (path, content) = origin(name, &bytes);
                id_of(&path, &content) == **id
            })
        };
        places.filter(is_it).map(|(_, name)| name).collect()
    };
    if arrived.is_empty() {
        return;
    }
    let name = &arrived[locked(&far.rng).index(arrived.len())];
    take_away(far, name);
}

pub fn take_away(far: &Far, name: &str) {
    far.note("reader", name);
    let mut host = locked(far.target());
    for ending in ["", ".done", ".sha256"] {
        host.take(&format!("{name}{ending}"));
    }
    locked(&far.book).taken(name);
}

/// Somebody else has a file of such a name.
pub fn put_foreign(world: &World) {
    let far = &world.far;
    let path = PATHS[locked(&far.rng).index(PATHS.len())];
    let name = format!("out/{path}{}", if far.mix.packs { ".gz" } else { "" });
    let mut host = locked(far.target());
    let is_free = host.content(&name).is_none() && host.disk.make_dirs(crate::disk::parent(&name).0).is_ok();
    if is_free {
        host.put(&name, FOREIGN);
        locked(&far.book).foreign.insert(name.clone());
        far.note("foreign", &name);
    }
}

/// Everything that was delivered, or put there, goes: no name is taken any more.
pub fn clear(far: &Far) {
    let names = locked(far.target()).names();
    for name in names.iter().filter(|name| !is_companion(name)) {
        take_away(far, name);
    }
    // Companions without their file.
    let mut host = locked(far.target());
    for name in host.names() {
        host.take(&name);
    }
}

/// Somebody lets failed files go again: those that they were shown, a while ago.
pub async fn redrive_all(far: Arc<Far>, number: u64, is_calm: bool) {
    let faults = if is_calm { Faults::default() } else { far.mix.faults };
    let weather = Arc::new(Mutex::new(Weather { faults, ..Weather::default() }));
    let line = Line { name: format!("{PEOPLE}-{number}"), weather, far: Arc::clone(&far) };
    let transfer = far.mix.transfer(6);
    let all = Which { id: None, kind: None };
    let Ok(found) = failed(&line, &transfer, &all).await else { return };
    let shown = found.records.iter().map(|record| (record.id.clone(), record.changed_at));
    locked(&far.book).shown.extend(shown);
    let thinks = locked(&far.rng).millis(Duration::from_secs(20));
    line.sleep(thinks).await;
    let ports = RedrivePorts {
        inbox: Some(Arc::new(Desk(line.clone()))),
        sender: Arc::new(Broker::new(&line)),
        ledger: Arc::new(line.clone()),
        clock: Arc::new(line.clone()),
        holder: Holder { name: line.name.clone(), shown: line.name.clone() },
    };
    for record in found.records {
        let told = redrive(&ports, &transfer, &record).await;
        far.note(&line.name, &format!("{} {told:?}", record.id));
    }
}
