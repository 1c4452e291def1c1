//! What a process of this host still holds of its folder: open files, the open folder, and paths.

use super::kinds::{Grip, Way};
use filegen::core::model::term::Token;
use rustix::fs::{AtFlags, CWD, linkat};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};

pub struct Process {
    root: PathBuf,
    run: PathBuf,
    own: PathBuf,
    folder: File,
    open: BTreeMap<String, File>,
}

impl Process {
    /// Opens all that the holder with `token` would have open.
    pub fn holding(root: &Path, run: &str, token: Token, files: &[&str]) -> io::Result<Self> {
        let run = root.join(run);
        let own = run.join(format!("t{:08}", token.0));
        let mut open = BTreeMap::new();
        for name in files {
            let file = OpenOptions::new().read(true).write(true).open(own.join(name))?;
            open.insert((*name).to_owned(), file);
        }
        Ok(Self { root: root.to_owned(), run, folder: File::open(&own)?, own, open })
    }

    fn at(&self, way: Way, name: &str) -> PathBuf {
        match way {
            Way::Path => self.own.join(name),
            // What the kernel does with a name below an open folder.
            Way::Handle => PathBuf::from(format!("/proc/self/fd/{}", self.folder.as_raw_fd())).join(name),
        }
    }
}

impl Grip for Process {
    fn write(&self, file: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.open[file].write_all_at(bytes, offset)
    }

    fn cut(&self, file: &str, length: u64) -> io::Result<()> {
        self.open[file].set_len(length)
    }

    fn sync(&self, file: &str) -> io::Result<()> {
        self.open[file].sync_data()
    }

    fn protect(&self, file: &str) -> io::Result<()> {
        self.open[file].set_permissions(Permissions::from_mode(0o444))
    }

    fn link_open(&self, file: &str, to: &str) -> io::Result<()> {
        let open = format!("/proc/self/fd/{}", self.open[file].as_raw_fd());
        Ok(linkat(CWD, open, CWD, self.root.join(to), AtFlags::SYMLINK_FOLLOW)?)
    }

    fn sync_folder(&self) -> io::Result<()> {
        self.folder.sync_all()
    }

    fn create(&self, way: Way, name: &str) -> io::Result<()> {
        OpenOptions::new().write(true).create_new(true).open(self.at(way, name)).map(drop)
    }

    fn overwrite(&self, way: Way, name: &str) -> io::Result<()> {
        OpenOptions::new().write(true).open(self.at(way, name))?.write_all_at(b"stale", 40)
    }

    fn make_dir(&self, way: Way, name: &str) -> io::Result<()> {
        fs::create_dir(self.at(way, name))
    }

    fn rename(&self, way: Way, name: &str, new: &str) -> io::Result<()> {
        fs::rename(self.at(way, name), self.at(way, new))
    }

    fn rename_out(&self, way: Way, name: &str, to: &str) -> io::Result<()> {
        fs::rename(self.at(way, name), self.root.join(to))
    }

    fn link_out(&self, way: Way, name: &str, to: &str) -> io::Result<()> {
        fs::hard_link(self.at(way, name), self.root.join(to))
    }

    fn unlink(&self, way: Way, name: &str) -> io::Result<()> {
        fs::remove_file(self.at(way, name))
    }

    fn protect_path(&self, name: &str) -> io::Result<()> {
        fs::set_permissions(self.own.join(name), Permissions::from_mode(0o444))
    }

    fn make_in_run(&self, name: &str) -> io::Result<()> {
        fs::create_dir(self.run.join(name))
    }

    fn create_in_run(&self, name: &str) -> io::Result<()> {
        OpenOptions::new().write(true).create_new(true).open(self.run.join(name)).map(drop)
    }

    fn remove_in_run(&self, name: &str) -> io::Result<()> {
        fs::remove_dir(self.run.join(name))
    }
}
