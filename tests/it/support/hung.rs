//! A real file system that does not answer: FUSE, spoken by a thread of this process. Its folders are empty. Once it
//! hangs, listing a folder whose name begins with `hangs` waits until it is let go.

use rustix::io::{FdFlags, fcntl_setfd};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;

const LOOKUP: u32 = 1;
const FORGET: u32 = 2;
const GETATTR: u32 = 3;
const RELEASE: u32 = 18;
const INIT: u32 = 26;
const OPENDIR: u32 = 27;
const READDIR: u32 = 28;
const RELEASEDIR: u32 = 29;
const INTERRUPT: u32 = 36;
const BATCH_FORGET: u32 = 42;
const ENOSYS: i32 = 38;

/// A mounted file system.
pub struct HungShare {
    place: PathBuf,
    shared: Arc<Shared>,
    server: Option<JoinHandle<()>>,
}

struct Shared {
    device: File,
    held: Mutex<Held>,
    goes_on: Condvar,
}

/// How it hangs.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Hangs {
    /// Not at all.
    #[default]
    No,
    /// It takes the requests and does not answer them: the kernel lets nobody who waits for one end before that, not by SIGKILL either.
    Unanswered,
    /// It answers one more request and takes no others: who waits may be killed, as on NFS.
    Untaken,
}

/// What is not answered.
#[derive(Default)]
struct Held {
    requests: Vec<u64>,
    hangs: Hangs,
    takes_none: bool,
}

impl HungShare {
    /// Mounts one on a folder. `None`, and a line on stderr, where this user may not mount, or the kernel has no FUSE.
    #[expect(clippy::print_stderr, reason = "a test that shows nothing says so")]
    pub fn mount(place: &Path) -> Option<Self> {
        let mounted = Self::try_mount(place);
        if let Err(reason) = &mounted {
            eprintln!("no file system that hangs can be mounted, so nothing is shown of one: {reason}");
        }
        mounted.ok()
    }

    fn try_mount(place: &Path) -> Result<Self, String> {
        let opened = OpenOptions::new().read(true).write(true).open("/dev/fuse");
        let device = opened.map_err(|error| format!("/dev/fuse: {error}"))?;
        fcntl_setfd(&device, FdFlags::empty()).map_err(|error| error.to_string())?;
        let options = format!("fd={},rootmode=40000,user_id=0,group_id=0", device.as_raw_fd());
        let mount = Command::new("mount").args(["-i", "-t", "fuse", "-o", &options, "hangs"]).arg(place).output();
        let mount = mount.map_err(|error| error.to_string())?;
        if !mount.status.success() {
            return Err(String::from_utf8_lossy(&mount.stderr).into_owned());
        }
        fcntl_setfd(&device, FdFlags::CLOEXEC).map_err(|error| error.to_string())?;
        let shared = Arc::new(Shared { device, held: Mutex::default(), goes_on: Condvar::new() });
        let served = Arc::clone(&shared);
        let server = Some(std::thread::spawn(move || served.serve()));
        Ok(Self { place: place.to_owned(), shared, server })
    }

    /// From now on it hangs.
    pub fn hang(&self, how: Hangs) {
        self.shared.held().hangs = how;
    }

    /// How many requests wait for an answer.
    pub fn waiting(&self) -> usize {
        self.shared.held().requests.len()
    }

    /// Whether it takes no requests any more.
    pub fn takes_none(&self) -> bool {
        self.shared.held().takes_none
    }

    /// Answers all that wait, and from now on at once.
    pub fn let_go(&self) {
        let mut held = self.shared.held();
        (held.hangs, held.takes_none) = (Hangs::No, false);
        for request in held.requests.drain(..) {
            self.shared.answer(request, 0, &opened());
        }
        self.shared.goes_on.notify_all();
    }
}

impl Drop for HungShare {
    fn drop(&mut self) {
        self.let_go();
        // By force: what waits is refused, and the thread of the server ends.
        for how in ["-f", "-l"] {
            let _ = Command::new("umount").arg(how).arg(&self.place).output();
        }
        if let Some(server) = self.server.take() {
            let _ = server.join();
        }
    }
}

impl Shared {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap()
    }

    /// Until it is unmounted.
    fn serve(&self) {
        let (mut names, mut buffer) = (BTreeMap::from([(String::new(), 1)]), vec![0; 1 << 20]);
        while let Ok(length) = (&self.device).read(&mut buffer) {
            let request = &buffer[..length];
            let (operation, unique, node) = (number(request, 4), long(request, 8), long(request, 16));
            match operation {
                INIT => self.answer(unique, 0, &greeting()),
                GETATTR => self.answer(unique, 0, &[&[0; 16][..], &attributes(node)].concat()),
                LOOKUP => {
                    let name = String::from_utf8_lossy(&request[40..length - 1]).into_owned();
                    let next = names.len() as u64 + 1;
                    let found = *names.entry(name).or_insert(next);
                    self.answer(unique, 0, &[&found.to_le_bytes()[..], &[0; 32], &attributes(found)].concat());
                }
                OPENDIR => {
                    let hangs = names.iter().any(|(name, number)| *number == node && name.starts_with("hangs"));
                    let mut held = self.held();
                    match held.hangs {
                        Hangs::Unanswered if hangs => held.requests.push(unique),
                        Hangs::Untaken if hangs => {
                            // The kernel lets nobody go whose request was taken. The next ones stay where they are.
                            self.answer(unique, 0, &opened());
                            held.takes_none = true;
                            drop(self.goes_on.wait_while(held, |held| held.hangs == Hangs::Untaken).unwrap());
                        }
                        _ => self.answer(unique, 0, &opened()),
                    }
                }
                READDIR | RELEASE | RELEASEDIR => self.answer(unique, 0, &[]),
                FORGET | INTERRUPT | BATCH_FORGET => {}
                _ => self.answer(unique, -ENOSYS, &[]),
            }
        }
    }

    fn answer(&self, unique: u64, error: i32, body: &[u8]) {
        let length = u32::try_from(16 + body.len()).unwrap();
        let answer = [&length.to_le_bytes()[..], &error.to_le_bytes(), &unique.to_le_bytes(), body].concat();
        // One that is unmounted meanwhile takes no answer.
        let _ = (&self.device).write(&answer);
    }
}

fn number(request: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(request[at..at + 4].try_into().unwrap())
}

fn long(request: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(request[at..at + 8].try_into().unwrap())
}

/// `fuse_init_out` of version 7.31.
fn greeting() -> Vec<u8> {
    let mut out = Vec::new();
    for word in [7_u32, 31, 65_536, 0, 12 << 16 | 16, 65_536, 1, 1] {
        out.extend(word.to_le_bytes());
    }
    out.resize(64, 0);
    out
}

/// `fuse_open_out`.
fn opened() -> [u8; 16] {
    [0; 16]
}

/// `fuse_attr` of a folder.
fn attributes(node: u64) -> Vec<u8> {
    let mut out = node.to_le_bytes().to_vec();
    out.resize(60, 0);
    for word in [0o40_755_u32, 2] {
        out.extend(word.to_le_bytes());
    }
    out.resize(88, 0);
    out
}
