//! A ledger that is lost on one side: the other side's word counts, and what stands at the target.

use super::mongo::{kill, sides};
use super::nats::{Place, daemon};
use super::rig::{Rig, bytes};
use crate::support::daemon::stop;
use crate::support::mongo::Database;
use crate::support::nats::Nats;
use crate::support::running::until;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;

/// Two hosts, each with a ledger of its own. Files stay where they are collected.
struct World {
    here: Rig,
    there: Rig,
    /// Where the ledgers are, if not in files.
    ledgers: Option<[Database; 2]>,
    all: BTreeMap<String, Vec<u8>>,
}

impl World {
    fn new(is_mongo: bool, on_exists: &str) -> Self {
        let ledgers = is_mongo.then(|| [Database::new(), Database::new()]);
        let urls = ledgers
            .as_ref()
            .map_or([(); 2].map(|()| "sqlite:ledger.db".to_owned()), |all| [all[0].url(), all[1].url()]);
        let keeps = ("  archive: archive", "  after: keep\n  archive: archive");
        let (here, there) = sides(&Place::on(Nats::shared()), [&urls[0], &urls[1]], &[keeps]);
        let text = there.filegen.read("t.yaml");
        let limit = "  max_size: 1MiB\n";
        assert!(text.contains(limit));
        there.filegen.write("t.yaml", &text.replace(limit, &format!("{limit}  on_exists: {on_exists}\n")));
        Self { here, there, ledgers, all: BTreeMap::new() }
    }

    fn put(&mut self, path: &str, size: usize) {
        let content = bytes(size, self.all.len() as u64 + 1);
        self.here.drop_in(path, &content);
        self.all.insert(path.to_owned(), content);
    }

    /// How many files the collecting side knows to have arrived. `None` while the server of the ledger is too busy to say so: it then
    /// answers with an error that lacks its code.
    fn arrived(&self) -> Option<u64> {
        let done = self.here.transfer("status --output json");
        if done.code == Some(6) {
            return None;
        }
        let status = done.exits(0).json();
        let counts = status["counts"].as_array().unwrap();
        Some(counts.iter().filter(|it| it["state"] == "archived").map(|it| it["files"].as_u64().unwrap()).sum())
    }

    /// Loses the ledger of one side.
    async fn lose(&self, is_there: bool) {
        if let Some(ledgers) = &self.ledgers {
            return ledgers[usize::from(is_there)].client().await.drop().await.unwrap();
        }
        let rig = if is_there { &self.there } else { &self.here };
        for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
            let _ = fs::remove_file(rig.filegen.path(name));
        }
    }

    /// Which files the names at the target are.
    fn inodes(&self) -> BTreeMap<String, u64> {
        let inode = |name: String| (fs::metadata(self.there.filegen.path("target").join(&name)).unwrap().ino(), name);
        self.there.names("target").into_iter().map(inode).map(|(inode, name)| (name, inode)).collect()
    }

    /// Serves both sides until so many have arrived: each stands there once, and those of before are the same files.
    fn serve(&self, count: u64, before: &BTreeMap<String, u64>, what: &str) {
        let daemons = [daemon(&self.here, ""), daemon(&self.there, "")];
        until(what, || (self.arrived() == Some(count)).then_some(()));
        stop(daemons);
        assert!(self.there.files("target") == self.all, "{what}: {:?}", self.there.names("target"));
        let now = self.inodes();
        assert!(before.iter().all(|(name, inode)| now.get(name) == Some(inode)), "{what}: {before:?} {now:?}");
        assert!(self.here.names("error").is_empty(), "{what}");
    }

    /// Serves both sides until the one has ended at this point.
    fn ended_at(&self, is_there: bool, point: &str) {
        let failpoints = format!("{point}=return");
        let of = |side: bool| if side == is_there { failpoints.as_str() } else { "" };
        let (here, there) = (daemon(&self.here, of(false)), daemon(&self.there, of(true)));
        let (mut ends, stays) = if is_there { (there, here) } else { (here, there) };
        until(point, || ends.running.has_ended().then_some(()));
        kill(stays);
    }
}

async fn loses(is_mongo: bool, on_exists: &str) {
    let mut world = World::new(is_mongo, on_exists);
    let nothing = BTreeMap::new();
    world.put("a", 3000);
    world.put("b", 20_000);
    world.serve(2, &nothing, "the first files");
    for is_there in [true, false] {
        world.lose(is_there).await;
        let before = world.inodes();
        world.put(if is_there { "c" } else { "d" }, 5000);
        // What arrived is sent again where the collecting side knows nothing of it.
        world.serve(world.all.len() as u64, &before, "a ledger lost at rest");
    }
    // Behind the name, and before the ledger's word; and in the middle of a file.
    for (name, is_there, point) in [
        ("e", true, "transfer.published"),
        ("f", true, "transfer.synced"),
        ("g", true, "transfer.delivered"),
        ("h", false, "transfer.settled"),
        ("i", false, "transfer.sent"),
        ("j", false, "transfer.receipt"),
    ] {
        world.put(name, 20_000);
        world.ended_at(is_there, point);
        world.lose(is_there).await;
        let before = world.inodes().into_iter().filter(|(name, _)| world.all.contains_key(name)).collect();
        world.serve(world.all.len() as u64, &before, point);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_in_mongodb_that_is_lost_on_one_side_loses_no_file_and_brings_none_twice() {
    tokio::join!(loses(true, "error"), loses(true, "suffix"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_in_a_file_that_is_lost_on_one_side_loses_no_file_and_brings_none_twice() {
    tokio::join!(loses(false, "error"), loses(false, "suffix"));
}
