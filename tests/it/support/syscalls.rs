//! The system calls of a process that change files, from `strace`'s record.

use super::filegen::in_time;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// A call that succeeded; paths are below the folder of the test.
#[derive(Clone, Debug)]
pub enum Call {
    Mkdir {
        path: String,
    },
    /// An open for writing.
    Open {
        path: String,
        descriptor: u32,
        created: bool,
    },
    Close {
        descriptor: u32,
    },
    Write {
        path: String,
        offset: u64,
        bytes: u64,
    },
    Sync {
        path: String,
    },
    Chmod {
        path: String,
        mode: u32,
    },
    Link {
        from: String,
        to: String,
    },
    Rename {
        from: String,
        to: String,
    },
    Unlink {
        path: String,
    },
    Rmdir {
        path: String,
    },
}

impl Call {
    /// What it works on.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Mkdir { path }
            | Self::Open { path, .. }
            | Self::Write { path, .. }
            | Self::Sync { path }
            | Self::Chmod { path, .. }
            | Self::Link { to: path, .. }
            | Self::Rename { to: path, .. }
            | Self::Unlink { path }
            | Self::Rmdir { path } => Some(path),
            Self::Close { .. } => None,
        }
    }
}

/// Every call that can change a file, however a library spells it.
const CALLS: &str = "mkdir,mkdirat,open,openat,openat2,creat,close,write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fallocate,\
                     copy_file_range,sendfile,ioctl,fsync,fdatasync,sync_file_range,chmod,fchmod,fchmodat,link,linkat,rename,\
                     renameat,renameat2,unlink,unlinkat,rmdir";

/// Runs the command, which must succeed, without a umask. Returns its calls twice each, where it begins and where it ends: the call's number, the
/// call, and whether this is its end.
pub fn trace(command: &mut Command, folder: &Path) -> Vec<(usize, Call, bool)> {
    let record = folder.join("strace.txt");
    // New files and folders begin with every write bit, so that each has to be taken away.
    let mut strace = Command::new("sh");
    strace.args(["-c", "umask 0; exec \"$@\"", "sh", "strace"]);
    strace.args(["-f", "-y", "-s", "0", "-e", "signal=none", "-e", &format!("trace={CALLS}"), "-o"]).arg(&record);
    strace.arg(command.get_program()).args(command.get_args());
    strace.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    strace.current_dir(command.get_current_dir().unwrap());
    let there = Command::new("strace").arg("-V").output().is_ok();
    assert!(there, "strace is not there; `tests/run` installs it");
    let output = in_time(&mut strace);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = std::fs::read_to_string(&record).unwrap();
    calls(&text, &format!("{}/", folder.canonicalize().unwrap().display()))
}

/// Joins the halves of calls that others interrupted, and keeps the order of beginnings and ends.
fn calls(text: &str, folder: &str) -> Vec<(usize, Call, bool)> {
    let mut halves: BTreeMap<&str, (usize, String)> = BTreeMap::new();
    let mut found: Vec<(usize, usize, Call)> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let Some((thread, rest)) = line.split_once(char::is_whitespace) else { continue };
        let rest = rest.trim_start();
        let (began, whole) = if let Some(half) = rest.strip_suffix(" <unfinished ...>") {
            halves.insert(thread, (at, half.to_owned()));
            continue;
        } else if rest.starts_with("<... ") {
            let Some((began, half)) = halves.remove(thread) else { continue };
            let end = rest.split_once(" resumed>").map_or("", |(_, end)| end);
            (began, format!("{half}{end}"))
        } else {
            (at, rest.to_owned())
        };
        if let Some(call) = call(&whole, folder) {
            found.push((began, at, call));
        }
    }
    let begin = found.iter().map(|(began, _, call)| (*began, *began, call.clone(), false));
    let end = found.iter().map(|(began, ended, call)| (*ended, *began, call.clone(), true));
    let mut moments: Vec<_> = begin.chain(end).collect();
    moments.sort_by_key(|(at, began, _, ends)| (*at, *began != *at, *ends));
    moments.into_iter().map(|(_, began, call, ends)| (began, call, ends)).collect()
}

/// A path below the folder; empty for the folder itself.
fn below(path: &str, folder: &str) -> Option<String> {
    let path = path.trim_end_matches('/');
    if path == folder.trim_end_matches('/') {
        Some(String::new())
    } else {
        path.strip_prefix(folder).map(str::to_owned)
    }
}

/// Reads `name(arguments) = result`; `None` for a failure, and for what changes nothing below the folder.
fn call(text: &str, folder: &str) -> Option<Call> {
    let (name, rest) = text.split_once('(')?;
    let (arguments, result) = rest.rsplit_once(") ").and_then(|(a, r)| Some((a, r.split_once("= ")?.1)))?;
    let result: u64 = result.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
    // `"/folder/file"`, or `16</folder>, "file"`.
    let quoted = |number: usize| -> Option<String> {
        let path = arguments.split('"').nth(number * 2 + 1)?;
        let before = arguments.split('"').nth(number * 2)?;
        let at = before.rsplit_once('<').and_then(|(_, rest)| rest.split('>').next());
        let path = match at {
            Some(at) if !path.starts_with('/') => format!("{at}/{path}"),
            _ => path.to_owned(),
        };
        Some(below(&path, folder).unwrap_or(path))
    };
    // `16</folder/file>`, or the second one of two descriptors.
    let open = |number: usize| -> Option<String> {
        let path = arguments.split('<').nth(number + 1)?.split('>').next()?;
        below(path, folder)
    };
    let last = || arguments.rsplit(", ").next();
    let descriptor = || arguments.split(['<', ',']).next()?.parse().ok();
    Some(match name {
        "mkdir" | "mkdirat" => Call::Mkdir { path: quoted(0)? },
        "open" | "openat" | "openat2" | "creat" => {
            let writes =
                ["O_RDWR", "O_WRONLY", "O_CREAT"].iter().any(|flag| arguments.contains(flag)) || name == "creat";
            let call = Call::Open {
                path: quoted(0)?,
                descriptor: u32::try_from(result).ok()?,
                created: arguments.contains("O_CREAT") || name == "creat",
            };
            return writes.then_some(call);
        }
        "close" => Call::Close { descriptor: descriptor()? },
        "pwrite64" => Call::Write { path: open(0)?, offset: last()?.parse().ok()?, bytes: result },
        "write" | "writev" | "pwritev" | "pwritev2" | "ftruncate" | "fallocate" | "sendfile" => {
            Call::Write { path: open(0)?, offset: u64::MAX, bytes: result }
        }
        "ioctl" if arguments.contains("FICLONE") => Call::Write { path: open(0)?, offset: u64::MAX, bytes: 0 },
        "copy_file_range" => Call::Write { path: open(1)?, offset: u64::MAX, bytes: result },
        "truncate" => Call::Write { path: quoted(0)?, offset: u64::MAX, bytes: 0 },
        "fsync" | "fdatasync" => Call::Sync { path: open(0)? },
        "chmod" | "fchmodat" => {
            let mode = arguments.split(", ").find(|word| word.starts_with('0'))?;
            Call::Chmod { path: quoted(0)?, mode: u32::from_str_radix(mode, 8).ok()? }
        }
        "fchmod" => Call::Chmod { path: open(0)?, mode: u32::from_str_radix(last()?, 8).ok()? },
        "link" | "linkat" => Call::Link { from: quoted(0)?, to: quoted(1)? },
        "rename" | "renameat" | "renameat2" => Call::Rename { from: quoted(0)?, to: quoted(1)? },
        "unlinkat" if arguments.contains("AT_REMOVEDIR") => Call::Rmdir { path: quoted(0)? },
        "unlink" | "unlinkat" => Call::Unlink { path: quoted(0)? },
        "rmdir" => Call::Rmdir { path: quoted(0)? },
        _ => return None,
    })
}
