//! A Redis server of a test's own, from Debian's package. It ends with the test, however that ends.

use super::ports::free_port;
use super::running::until;
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// The server's password; tests look for it where no secret may be.
pub const PASSWORD: &str = "s3cret of redis";

/// A server.
pub struct Redis {
    port: u16,
    folder: tempfile::TempDir,
    shell: Option<Child>,
}

impl Redis {
    /// Started, with a log that is synced at each change.
    pub fn start() -> Self {
        let mut redis = Self { port: free_port(), folder: tempfile::tempdir().expect("a folder"), shell: None };
        redis.again();
        redis
    }

    /// Started again after [`Self::kill`], with what its log has.
    pub fn again(&mut self) {
        let folder = self.folder.path().to_str().expect("a folder's name");
        let port = self.port.to_string();
        let options = ["--port", &port, "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "yes"];
        let more = ["--appendfsync", "always", "--requirepass", PASSWORD];
        // The shell's end of our pipe closes when this process ends, and then the server does.
        let script =
            "redis-server \"$@\" >\"$0/log\" 2>&1 </dev/null & server=$!; cat >/dev/null; kill -KILL $server; wait";
        let mut command = Command::new("sh");
        command.args(["-c", script, folder]).args(options).args(more).stdin(Stdio::piped()).process_group(0);
        self.shell = Some(command.spawn().expect("cannot start a shell for Redis"));
        until("Redis: install Debian's `redis-server`", || TcpStream::connect(("127.0.0.1", self.port)).ok());
        until("Redis's log", || self.ask::<String>(&["PING"]).ok());
    }

    /// Ended at once, without a farewell.
    pub fn kill(&mut self) {
        if let Some(mut shell) = self.shell.take() {
            drop(shell.stdin.take());
            shell.wait().expect("the shell ends");
        }
    }

    /// Where it is, without the password.
    pub fn place(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Its address with the password.
    pub fn url(&self) -> String {
        format!("redis://:{}@{}", PASSWORD.replace(' ', "%20"), self.place())
    }

    /// The answer to a command.
    pub fn ask<T: redis::FromRedisValue>(&self, command: &[&str]) -> redis::RedisResult<T> {
        self.ask_bytes(&command.iter().map(|word| word.as_bytes()).collect::<Vec<_>>())
    }

    /// The answer to a command whose words may be no text.
    pub fn ask_bytes<T: redis::FromRedisValue>(&self, command: &[&[u8]]) -> redis::RedisResult<T> {
        let mut connection = redis::Client::open(self.url())?.get_connection()?;
        let mut asked = redis::cmd(&String::from_utf8_lossy(command[0]));
        for word in &command[1..] {
            asked.arg(*word);
        }
        asked.query(&mut connection)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}
