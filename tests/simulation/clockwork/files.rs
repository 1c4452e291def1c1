//! The folders: others write files, write them again, touch them and take them away, while they are looked at.

use super::world::World;
use crate::sim::locked;
use filegen::adapters::memory::folders::MemoryFolders;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::path::Path;

/// Folders, each of several data sources.
pub const FOLDERS: [&str; 2] = ["/data/in", "/data/other"];

/// A file with this content lay there from then until then.
pub struct Lay {
    pub path: String,
    pub sha256: String,
    pub from: Timestamp,
    pub until: Option<Timestamp>,
}

pub struct Files {
    folders: MemoryFolders,
    pub lay: Vec<Lay>,
    /// Content that is half written, and the whole of it.
    unfinished: Vec<(String, String)>,
}

impl Files {
    pub fn new(folders: &MemoryFolders, now: Timestamp) -> Self {
        let mut files = Self { folders: folders.clone(), lay: Vec::new(), unfinished: Vec::new() };
        for folder in FOLDERS {
            files.write(&format!("{folder}/first.csv"), "0", now);
        }
        files
    }

    fn write(&mut self, path: &str, content: &str, at: Timestamp) {
        self.leave(path, at);
        self.folders.write(path, content.as_bytes(), at);
        let sha256 = hex::encode(Sha256::digest(content));
        self.lay.push(Lay { path: path.to_owned(), sha256, from: at, until: None });
    }

    /// What lies there goes.
    fn leave(&mut self, path: &str, at: Timestamp) {
        for lay in self.lay.iter_mut().filter(|lay| lay.path == path && lay.until.is_none()) {
            lay.until = Some(at);
        }
    }

    pub fn act(&mut self, world: &World) {
        let now = world.now();
        for (path, content) in std::mem::take(&mut self.unfinished) {
            self.write(&path, &content, now);
        }
        if !world.chance(350) {
            return;
        }
        let (path, content, what) = {
            let mut rng = locked(&world.rng);
            let ending = ["csv", "csv", "txt"][rng.index(3)];
            let path = format!("{}/f{}.{ending}", FOLDERS[rng.index(FOLDERS.len())], rng.below(12));
            // Few of them: what a file held before comes back.
            (path, format!("{}", rng.below(5)), rng.below(10))
        };
        match what {
            0 => {
                self.leave(&path, now);
                self.folders.remove(Path::new(&path));
            }
            1 | 2 => {
                self.write(&path, &content[..content.len() / 2], now);
                self.unfinished.push((path, content));
            }
            _ => self.write(&path, &content, now),
        }
    }
}
