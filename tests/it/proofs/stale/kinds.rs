//! The kinds of operation that an old holder may have under way, and what each of them must hear.

use Way::{Handle, Path};
use std::io;

/// The holder's own file names, then those that its worker publishes.
pub const STAGED: [&str; 4] = ["Loan0", "Loan1", "journal.jsonl", "manifest.json"];
pub const PUBLISHED: &str = "loan0_20261121.txt";
const MANIFEST: &str = "LoanWorker_20261121.manifest.json";

/// How a name in its folder is reached.
#[derive(Clone, Copy)]
pub enum Way {
    /// From the root, as of now.
    Path,
    /// Through the folder as it was opened before.
    Handle,
}

/// All that the old holder can do; each call is one operation.
pub trait Grip: Send + Sync {
    fn write(&self, file: &str, offset: u64, bytes: &[u8]) -> io::Result<()>;
    fn cut(&self, file: &str, length: u64) -> io::Result<()>;
    fn sync(&self, file: &str) -> io::Result<()>;
    fn protect(&self, file: &str) -> io::Result<()>;
    fn link_open(&self, file: &str, to: &str) -> io::Result<()>;
    fn sync_folder(&self) -> io::Result<()>;
    fn create(&self, way: Way, name: &str) -> io::Result<()>;
    fn overwrite(&self, way: Way, name: &str) -> io::Result<()>;
    fn make_dir(&self, way: Way, name: &str) -> io::Result<()>;
    fn rename(&self, way: Way, name: &str, new: &str) -> io::Result<()>;
    fn rename_out(&self, way: Way, name: &str, to: &str) -> io::Result<()>;
    fn link_out(&self, way: Way, name: &str, to: &str) -> io::Result<()>;
    fn unlink(&self, way: Way, name: &str) -> io::Result<()>;
    fn protect_path(&self, name: &str) -> io::Result<()>;
    fn make_in_run(&self, name: &str) -> io::Result<()>;
    fn create_in_run(&self, name: &str) -> io::Result<()>;
    fn remove_in_run(&self, name: &str) -> io::Result<()>;
}

/// The system's numbers.
const DONE: i32 = 0;
pub const NOT_FOUND: i32 = 2;
pub const EXISTS: i32 = 17;
const NOT_DIR: i32 = 20;
const STALE: i32 = 116;

/// One kind of operation.
pub struct Kind {
    pub what: &'static str,
    pub act: fn(&dyn Grip) -> io::Result<()>,
    /// Whether it goes through a file that the holder had open.
    pub needs_open: bool,
    /// What it hears where open files and folders outlive their names, and from a server that knows them by handles.
    pub local: i32,
    pub remote: i32,
}

const fn kind(what: &'static str, local: i32, remote: i32, act: fn(&dyn Grip) -> io::Result<()>) -> Kind {
    Kind { what, act, needs_open: false, local, remote }
}

const fn open(what: &'static str, local: i32, act: fn(&dyn Grip) -> io::Result<()>) -> Kind {
    Kind { what, act, needs_open: true, local, remote: STALE }
}

/// Through what it had open, by its folder as it was, and by path.
pub const KINDS: [Kind; 37] = [
    open("write records behind the end", DONE, |old| old.write("Loan0", 4096, b"stale|record\n")),
    open("write records over others", DONE, |old| old.write("Loan0", 40, b"stale|record\n")),
    open("rewrite a header", DONE, |old| old.write("Loan1", 0, b"9,99                           \n")),
    open("append to the journal", DONE, |old| old.write("journal.jsonl", 900, b"{}\t0\n")),
    open("rewrite the manifest", DONE, |old| old.write("manifest.json", 0, b"{}")),
    open("empty a file", DONE, |old| old.cut("Loan0", 0)),
    open("cut a file", DONE, |old| old.cut("Loan1", 33)),
    open("lengthen a file", DONE, |old| old.cut("Loan0", 100_000)),
    open("empty the journal", DONE, |old| old.cut("journal.jsonl", 0)),
    open("sync a file", DONE, |old| old.sync("Loan0")),
    open("sync the journal", DONE, |old| old.sync("journal.jsonl")),
    open("make an open file read-only", DONE, |old| old.protect("Loan0")),
    open("publish an open file", NOT_FOUND, |old| old.link_open("Loan0", PUBLISHED)),
    open("publish the open manifest", NOT_FOUND, |old| old.link_open("manifest.json", MANIFEST)),
    kind("sync its open folder", DONE, STALE, |old| old.sync_folder()),
    kind("create in its open folder", NOT_FOUND, STALE, |old| old.create(Handle, "Loan2")),
    kind("create a name anew in its open folder", NOT_FOUND, STALE, |old| old.create(Handle, "Loan0")),
    kind("write by name in its open folder", NOT_FOUND, STALE, |old| old.overwrite(Handle, "Loan0")),
    kind("make a folder in its open folder", NOT_FOUND, STALE, |old| old.make_dir(Handle, "late")),
    kind("rename in its open folder", NOT_FOUND, STALE, |old| old.rename(Handle, "Loan1", "Loan0")),
    kind("link out of its open folder", NOT_FOUND, STALE, |old| old.link_out(Handle, "Loan0", PUBLISHED)),
    kind("link the manifest out of it", NOT_FOUND, STALE, |old| old.link_out(Handle, "manifest.json", MANIFEST)),
    kind("rename out of its open folder", NOT_FOUND, STALE, |old| old.rename_out(Handle, "Loan0", PUBLISHED)),
    kind("unlink in its open folder", NOT_FOUND, STALE, |old| old.unlink(Handle, "journal.jsonl")),
    kind("create by path", NOT_DIR, NOT_DIR, |old| old.create(Path, "Loan0")),
    kind("write by path", NOT_DIR, NOT_DIR, |old| old.overwrite(Path, "Loan0")),
    kind("make a folder by path", NOT_DIR, NOT_DIR, |old| old.make_dir(Path, "late")),
    kind("rename by path", NOT_DIR, NOT_DIR, |old| old.rename(Path, "Loan0.copy", "Loan0")),
    kind("rename out by path", NOT_DIR, NOT_DIR, |old| old.rename_out(Path, "Loan0", PUBLISHED)),
    kind("link out by path", NOT_DIR, NOT_DIR, |old| old.link_out(Path, "Loan0", PUBLISHED)),
    kind("link the manifest by path", NOT_DIR, NOT_DIR, |old| old.link_out(Path, "manifest.json", MANIFEST)),
    kind("unlink by path", NOT_DIR, NOT_DIR, |old| old.unlink(Path, "Loan0")),
    kind("make a file read-only by path", NOT_DIR, NOT_DIR, |old| old.protect_path("Loan0")),
    kind("make its own folder", EXISTS, EXISTS, |old| old.make_in_run("t00000003")),
    kind("put down an older tombstone", EXISTS, EXISTS, |old| old.create_in_run("t00000002")),
    kind("remove its own folder", NOT_DIR, NOT_DIR, |old| old.remove_in_run("t00000003")),
    kind("remove a folder that it took", NOT_FOUND, NOT_FOUND, |old| old.remove_in_run("t00000002.dead3")),
];
