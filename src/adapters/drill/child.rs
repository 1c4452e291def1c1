//! This program again, as a child that is killed at a given change.

use crate::core::ports::drill::{DrillRunner, DrillRunnerError, ProcessExit, Task};
use async_trait::async_trait;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A run of a few pages that takes longer hangs.
const LONGEST: Duration = Duration::from_mins(5);

/// Time between two looks whether a child that has closed its stdout has ended.
const LOOK: Duration = Duration::from_millis(1);

/// Runs a worker's trials.
#[derive(Clone, Debug)]
pub struct Children {
    /// The program and its arguments.
    program: PathBuf,
    arguments: Vec<OsString>,
    /// Says where it runs, in this environment variable behind this text.
    place: (&'static str, String),
    /// The output root that places are relative to.
    root: PathBuf,
}

impl Children {
    /// Runs this very program with `arguments`; the variable `place.0` says `place.1`, the task and then the trial's output root.
    ///
    /// # Errors
    /// When the system does not tell which file this program is.
    pub fn new(
        arguments: Vec<OsString>,
        place: (&'static str, String),
        root: impl Into<PathBuf>,
    ) -> Result<Self, DrillRunnerError> {
        let program = std::env::current_exe().map_err(|error| failed(&error))?;
        Ok(Self { program, arguments, place, root: root.into() })
    }

    fn spawn(&self, task: Task, root: &str) -> io::Result<Child> {
        let mut place = OsString::from(&self.place.1);
        place.push(task.as_str());
        place.push(":");
        place.push(self.root.join(root));
        Command::new(&self.program)
            .args(&self.arguments)
            .env(self.place.0, place)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
    }
}

#[async_trait]
impl DrillRunner for Children {
    async fn run(&self, task: Task, root: &str, kill_before: Option<u64>) -> Result<ProcessExit, DrillRunnerError> {
        let child = Watched(Arc::new(Mutex::new(self.spawn(task, root).map_err(|error| failed(&error))?)));
        let watched = Watched(Arc::clone(&child.0));
        let ended = tokio::task::spawn_blocking(move || watched.watch(kill_before));
        match tokio::time::timeout(LONGEST, ended).await {
            Ok(Ok(ended)) => ended.map_err(|error| failed(&error)),
            Ok(Err(error)) => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(DrillRunnerError { reason: format!("it did not end within {LONGEST:?}") }),
        }
    }
}

fn failed(error: &io::Error) -> DrillRunnerError {
    DrillRunnerError { reason: error.to_string() }
}

/// A child that is killed when nobody waits for it any more.
struct Watched(Arc<Mutex<Child>>);

impl Watched {
    fn child(&self) -> MutexGuard<'_, Child> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets it pass its changes, up to the one before which it is killed.
    fn watch(&self, kill_before: Option<u64>) -> io::Result<ProcessExit> {
        let (stdin, stdout, stderr) = {
            let mut child = self.child();
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        };
        let (Some(stdin), Some(stdout), Some(mut stderr)) = (stdin, stdout, stderr) else {
            return Err(io::Error::other("it has no pipes"));
        };
        // Read at once, so that it never waits for its reader.
        let said = std::thread::spawn(move || {
            let mut said = Vec::new();
            let _ = stderr.read_to_end(&mut said);
            String::from_utf8_lossy(&said).into_owned()
        });
        let changes = self.pass(stdin, stdout, kill_before)?;
        let code = self.end()?.code();
        Ok(ProcessExit { changes, code, said: said.join().unwrap_or_default() })
    }

    fn pass(&self, mut stdin: ChildStdin, stdout: ChildStdout, kill_before: Option<u64>) -> io::Result<Vec<String>> {
        let mut changes = Vec::new();
        for line in BufReader::new(stdout).lines() {
            changes.push(line?);
            if Some(changes.len() as u64) == kill_before {
                self.child().kill()?;
                break;
            }
            // It may have ended meanwhile: its exit code says why.
            if stdin.write_all(b"\n").is_err() {
                break;
            }
        }
        Ok(changes)
    }

    fn end(&self) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = self.child().try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(LOOK);
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let mut child = self.child();
        let _ = child.kill();
        let _ = child.wait();
    }
}
