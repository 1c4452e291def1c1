//! What a host still holds of its folder on an NFS server: the handles that its kernel has cached, and paths.

use super::kinds::{Grip, Way};
use crate::support::nfs::{Handle, Nfs};
use filegen::core::model::term::Token;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

pub struct Host {
    nfs: Arc<Nfs>,
    root: Handle,
    run: Handle,
    own: String,
    folder: Handle,
    open: BTreeMap<String, Handle>,
}

impl Host {
    /// Asks for all handles that the holder with `token` would have; `root` is the volume's folder in the export.
    pub fn holding(nfs: &Arc<Nfs>, root: &str, run: &str, token: Token, files: &[&str]) -> io::Result<Self> {
        let own = format!("t{:08}", token.0);
        let (root, run) = (nfs.resolve(root)?, nfs.resolve(&format!("{root}/{run}"))?);
        let folder = nfs.lookup(&run, &own)?;
        let mut open = BTreeMap::new();
        for name in files {
            open.insert((*name).to_owned(), nfs.lookup(&folder, name)?);
        }
        Ok(Self { nfs: Arc::clone(nfs), root, run, own, folder, open })
    }

    fn at(&self, way: Way) -> io::Result<Handle> {
        match way {
            Way::Path => self.nfs.lookup(&self.run, &self.own),
            Way::Handle => Ok(self.folder.clone()),
        }
    }

    /// A file in its folder: by the handle from before, or looked up.
    fn file(&self, way: Way, name: &str) -> io::Result<Handle> {
        match way {
            Way::Path => self.nfs.lookup(&self.at(way)?, name),
            Way::Handle => Ok(self.open[name].clone()),
        }
    }
}

impl Grip for Host {
    fn write(&self, file: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.nfs.write(&self.open[file], offset, bytes)
    }

    fn cut(&self, file: &str, length: u64) -> io::Result<()> {
        self.nfs.set(&self.open[file], None, Some(length))
    }

    fn sync(&self, file: &str) -> io::Result<()> {
        self.nfs.commit(&self.open[file])
    }

    fn protect(&self, file: &str) -> io::Result<()> {
        self.nfs.set(&self.open[file], Some(0o444), None)
    }

    fn link_open(&self, file: &str, to: &str) -> io::Result<()> {
        self.nfs.link(&self.open[file], &self.root, to)
    }

    fn sync_folder(&self) -> io::Result<()> {
        self.nfs.look(&self.folder).map(drop)
    }

    fn create(&self, way: Way, name: &str) -> io::Result<()> {
        self.nfs.create(&self.at(way)?, name).map(drop)
    }

    fn overwrite(&self, way: Way, name: &str) -> io::Result<()> {
        self.nfs.write(&self.file(way, name)?, 40, b"stale")
    }

    fn make_dir(&self, way: Way, name: &str) -> io::Result<()> {
        self.nfs.make_dir(&self.at(way)?, name).map(drop)
    }

    fn rename(&self, way: Way, name: &str, new: &str) -> io::Result<()> {
        self.nfs.rename(&self.at(way)?, name, &self.at(way)?, new)
    }

    fn rename_out(&self, way: Way, name: &str, to: &str) -> io::Result<()> {
        self.nfs.rename(&self.at(way)?, name, &self.root, to)
    }

    fn link_out(&self, way: Way, name: &str, to: &str) -> io::Result<()> {
        self.nfs.link(&self.file(way, name)?, &self.root, to)
    }

    fn unlink(&self, way: Way, name: &str) -> io::Result<()> {
        self.nfs.remove(&self.at(way)?, name)
    }

    fn protect_path(&self, name: &str) -> io::Result<()> {
        self.nfs.set(&self.file(Way::Path, name)?, Some(0o444), None)
    }

    fn make_in_run(&self, name: &str) -> io::Result<()> {
        self.nfs.make_dir(&self.run, name).map(drop)
    }

    fn create_in_run(&self, name: &str) -> io::Result<()> {
        self.nfs.create(&self.run, name).map(drop)
    }

    fn remove_in_run(&self, name: &str) -> io::Result<()> {
        self.nfs.remove_dir(&self.run, name)
    }
}
