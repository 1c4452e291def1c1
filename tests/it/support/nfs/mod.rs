//! A client of NFS version 3 (RFC 1813) that caches nothing by itself: handles are kept by whoever asks for them, and used as
//! long as he likes, as a kernel would.

mod volume;
mod wire;

pub use volume::NfsVolume;

use std::io;
use wire::{Answer, Arguments, Program};

const NFS: u32 = 100_003;
const MOUNT: u32 = 100_005;
const NOT_EMPTY: u32 = 66;
const STALE: u32 = 70;

/// A file's or folder's handle.
pub type Handle = Vec<u8>;

/// What a name stands for.
pub struct Found {
    pub name: String,
    pub is_dir: bool,
    pub bytes: u64,
}

/// A mounted export.
pub struct Nfs {
    program: Program,
    pub root: Handle,
}

/// Adds attributes to be set: permissions, a size.
fn with_attributes(all: Arguments, mode: Option<u32>, size: Option<u64>) -> Arguments {
    let all = match mode {
        Some(mode) => all.number(1).number(mode),
        None => all.number(0),
    };
    // Neither owner nor group.
    let all = all.number(0).number(0);
    let all = match size {
        Some(size) => all.number(1).long(size),
        None => all.number(0),
    };
    // Neither time.
    all.number(0).number(0)
}

/// The system's number for a status of the protocol: mostly the same.
fn errno(status: u32) -> i32 {
    match status {
        NOT_EMPTY => 39,
        STALE => 116,
        other => i32::try_from(other).unwrap_or(5),
    }
}

fn is_dir_and_size(answer: &mut Answer) -> io::Result<(bool, u64)> {
    let kind = answer.number()?;
    answer.skip(16)?;
    let bytes = answer.long()?;
    answer.skip(84 - 28)?;
    Ok((kind == 2, bytes))
}

fn place(folder: &[u8], name: &str) -> Arguments {
    Arguments::default().opaque(folder).text(name)
}

impl Nfs {
    /// Mounts `host:port:mount port:/export`.
    pub fn mount(address: &str) -> io::Result<Self> {
        let parts: Vec<&str> = address.splitn(4, ':').collect();
        let [host, port, mount_port, export] = parts[..] else {
            return Err(io::Error::other(format!("`{address}` is not host:port:mount port:/export")));
        };
        let mount = Program::connect(&format!("{host}:{mount_port}"), MOUNT)?;
        let mut answer = mount.call(1, Arguments::default().text(export))?;
        let status = answer.number()?;
        if status != 0 {
            return Err(io::Error::from_raw_os_error(errno(status)));
        }
        Ok(Self { program: Program::connect(&format!("{host}:{port}"), NFS)?, root: answer.opaque()? })
    }

    fn call(&self, procedure: u32, arguments: Arguments) -> io::Result<Answer> {
        let mut answer = self.program.call(procedure, arguments)?;
        match answer.number()? {
            0 => Ok(answer),
            status => Err(io::Error::from_raw_os_error(errno(status))),
        }
    }

    pub fn look(&self, handle: &[u8]) -> io::Result<(bool, u64)> {
        is_dir_and_size(&mut self.call(1, Arguments::default().opaque(handle))?)
    }

    pub fn set(&self, handle: &[u8], mode: Option<u32>, size: Option<u64>) -> io::Result<()> {
        let set = with_attributes(Arguments::default().opaque(handle), mode, size);
        self.call(2, set.number(0)).map(drop)
    }

    pub fn lookup(&self, folder: &[u8], name: &str) -> io::Result<Handle> {
        self.call(3, place(folder, name))?.opaque()
    }

    pub fn read(&self, file: &[u8], offset: u64, length: u32) -> io::Result<Vec<u8>> {
        let mut answer = self.call(6, Arguments::default().opaque(file).long(offset).number(length))?;
        if answer.is_set()? {
            answer.skip(84)?;
        }
        answer.skip(8)?;
        answer.opaque()
    }

    /// Not durable before [`Nfs::commit`].
    pub fn write(&self, file: &[u8], offset: u64, bytes: &[u8]) -> io::Result<()> {
        let length = u32::try_from(bytes.len()).unwrap();
        let all = Arguments::default().opaque(file).long(offset).number(length).number(0).opaque(bytes);
        self.call(7, all).map(drop)
    }

    /// A new file; an error when the name is taken.
    pub fn create(&self, folder: &[u8], name: &str) -> io::Result<Handle> {
        let all = with_attributes(place(folder, name).number(1), Some(0o644), None);
        self.handle(&mut self.call(8, all)?, folder, name)
    }

    pub fn make_dir(&self, folder: &[u8], name: &str) -> io::Result<Handle> {
        let all = with_attributes(place(folder, name), Some(0o755), None);
        self.handle(&mut self.call(9, all)?, folder, name)
    }

    /// The handle that a server may give with what it has made.
    fn handle(&self, answer: &mut Answer, folder: &[u8], name: &str) -> io::Result<Handle> {
        if answer.is_set()? { answer.opaque() } else { self.lookup(folder, name) }
    }

    pub fn remove(&self, folder: &[u8], name: &str) -> io::Result<()> {
        self.call(12, place(folder, name)).map(drop)
    }

    pub fn remove_dir(&self, folder: &[u8], name: &str) -> io::Result<()> {
        self.call(13, place(folder, name)).map(drop)
    }

    pub fn rename(&self, folder: &[u8], name: &str, to: &[u8], new: &str) -> io::Result<()> {
        self.call(14, place(folder, name).opaque(to).text(new)).map(drop)
    }

    pub fn link(&self, file: &[u8], folder: &[u8], name: &str) -> io::Result<()> {
        self.call(15, Arguments::default().opaque(file).opaque(folder).text(name)).map(drop)
    }

    pub fn list(&self, folder: &[u8]) -> io::Result<Vec<Found>> {
        let (mut all, mut cookie, mut verifier) = (Vec::new(), 0, 0);
        loop {
            let ask = Arguments::default().opaque(folder).long(cookie).long(verifier).number(8192).number(32768);
            let mut answer = self.call(17, ask)?;
            if answer.is_set()? {
                answer.skip(84)?;
            }
            verifier = answer.long()?;
            while answer.is_set()? {
                answer.long()?;
                let name = String::from_utf8_lossy(&answer.opaque()?).into_owned();
                cookie = answer.long()?;
                let known = if answer.is_set()? { Some(is_dir_and_size(&mut answer)?) } else { None };
                if answer.is_set()? {
                    answer.opaque()?;
                }
                if name != "." && name != ".." {
                    let (is_dir, bytes) = match known {
                        Some(known) => known,
                        None => self.look(&self.lookup(folder, &name)?)?,
                    };
                    all.push(Found { name, is_dir, bytes });
                }
            }
            if answer.is_set()? {
                all.sort_by(|a, b| a.name.cmp(&b.name));
                return Ok(all);
            }
        }
    }

    pub fn commit(&self, file: &[u8]) -> io::Result<()> {
        self.call(21, Arguments::default().opaque(file).long(0).number(0)).map(drop)
    }

    /// Asks for each part of a path anew.
    pub fn resolve(&self, path: &str) -> io::Result<Handle> {
        let parts = path.split('/').filter(|part| !part.is_empty());
        parts.into_iter().try_fold(self.root.clone(), |at, part| self.lookup(&at, part))
    }
}
