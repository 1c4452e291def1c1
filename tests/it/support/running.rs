//! A command that runs in the background, and is never waited for without end.

use super::filegen::Done;
use rusqlite::TransactionBehavior;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitOptions, kill_process, waitid, waitpid};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// After this a test is not slow, it hangs: it fails, and says what it saw.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// Lets a moment come that a test was dealt by chance: for tests of when something happens, not for waiting until it did.
pub fn at(moment: Instant) {
    std::thread::sleep(moment.saturating_duration_since(Instant::now()));
}

/// As [`at`], for a test that others' work goes on beside.
pub async fn at_async(moment: Instant) {
    tokio::time::sleep_until(moment.into()).await;
}

/// Time between two looks at something that does not tell by itself.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Looks again and again until there is something to see.
#[track_caller]
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(started.elapsed() < PATIENCE, "{what} did not come");
        std::thread::sleep(LOOK_EVERY);
    }
}

/// As [`until`], for a look that takes its time.
pub async fn until_async<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(started.elapsed() < PATIENCE, "{what} did not come");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// A command that runs in the background; killed with the test. What it prints is read at once, so that it never waits
/// for its reader.
pub struct Running {
    child: Child,
    stdout: Option<JoinHandle<()>>,
    shown: Arc<Mutex<String>>,
    lines: Receiver<String>,
    seen: String,
}

impl Running {
    /// Starts it, with stderr to look at.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let stderr = BufReader::new(child.stderr.take().expect("it is piped"));
        let (send, lines) = channel();
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        let shown = Arc::new(Mutex::new(String::new()));
        let show = Arc::clone(&shown);
        let stdout = std::thread::spawn(move || {
            for line in stdout.split(b'\n') {
                let line = String::from_utf8(line.expect("it is read")).expect("stdout is UTF-8");
                show.lock().expect("nobody panics with it").push_str(&(line + "\n"));
            }
        });
        Self { child, stdout: Some(stdout), shown, lines, seen: String::new() }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The lines that it has printed on stdout by now.
    pub fn shown(&self) -> String {
        self.shown.lock().expect("nobody panics with it").clone()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it runs");
    }

    /// Whether it has ended by now.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("it is our child").is_some()
    }

    /// Stops it as SIGSTOP does, wherever it is. True once every thread of it stands still; false when it has ended.
    pub fn stop(&mut self) -> bool {
        if self.has_ended() {
            return false;
        }
        self.signal(Signal::STOP);
        // Its end is left for whoever waits for it.
        let look = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let told = waitid(WaitId::Pid(Pid::from_child(&self.child)), look).expect("it is our child");
        told.is_some_and(|status| status.stopped())
    }

    /// Stops it as SIGSTOP does, at a moment when it does not hold the lock of this state file: nobody could get past
    /// that before it is woken.
    pub fn freeze(&self, state: &Path) {
        let mut state = rusqlite::Connection::open(state).expect("the state file opens");
        state.busy_timeout(Duration::ZERO).expect("it is no question of time");
        loop {
            self.signal(Signal::STOP);
            // Every thread of it stands still once its parent is told.
            let told = waitpid(Some(Pid::from_child(&self.child)), WaitOptions::UNTRACED).expect("it is our child");
            assert!(told.is_some_and(|(_, status)| status.stopped()), "it ended before it could be stopped");
            if state.transaction_with_behavior(TransactionBehavior::Immediate).is_ok() {
                return;
            }
            self.signal(Signal::CONT);
        }
    }

    /// Reads stderr up to a line that holds this; that line.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) -> String {
        self.wait_for_line(text, |line| line.contains(text).then(|| line.to_owned()))
    }

    /// Reads stderr up to a line that is wanted; what is made of it. `what` names it for people.
    #[track_caller]
    pub fn wait_for_line<T>(&mut self, what: &str, wanted: impl Fn(&str) -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            match self.line(started) {
                Ok(line) => {
                    if let Some(made) = wanted(&line) {
                        return made;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => panic!("it ended without `{what}`:\n{}", self.seen),
                Err(RecvTimeoutError::Timeout) => panic!("`{what}` did not come:\n{}", self.seen),
            }
        }
    }

    /// The next line of stderr, kept for messages.
    fn line(&mut self, started: Instant) -> Result<String, RecvTimeoutError> {
        let line = self.lines.recv_timeout(PATIENCE.saturating_sub(started.elapsed()))?;
        self.seen.push_str(&line);
        self.seen.push('\n');
        Ok(line)
    }

    /// Waits for its end.
    #[track_caller]
    pub fn finish(mut self) -> Done {
        let started = Instant::now();
        loop {
            match self.line(started) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end:\n{}", self.seen),
            }
        }
        let code = self.child.wait().expect("it ended").code();
        self.stdout.take().map(JoinHandle::join).transpose().expect("stdout was read");
        Done { code, stdout: self.shown(), stderr: std::mem::take(&mut self.seen) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
