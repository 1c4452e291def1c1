//! A Redis server of a test's own, from Debian's package. It ends with the test, however that ends.

use super::own::Own;
use super::running::until;
use std::ops::{Deref, DerefMut};

/// The server's password; tests look for it where no secret may be.
pub const PASSWORD: &str = "s3cret of redis";

/// A server.
pub struct Redis {
    own: Own,
}

impl Deref for Redis {
    type Target = Own;

    fn deref(&self) -> &Own {
        &self.own
    }
}

impl DerefMut for Redis {
    fn deref_mut(&mut self) -> &mut Own {
        &mut self.own
    }
}

impl Redis {
    /// Started, with a log that is synced at each change.
    pub fn start() -> Self {
        let mut redis = Self { own: Own::new() };
        redis.again();
        redis
    }

    /// Started again after [`Own::kill`], with what its log has.
    pub fn again(&mut self) {
        let (port, folder) = (self.port.to_string(), self.file("").display().to_string());
        let options = ["--port", &port, "--bind", "127.0.0.1", "--dir", &folder, "--save", "", "--appendonly", "yes"];
        let more = ["--appendfsync", "always", "--requirepass", PASSWORD];
        self.run("Redis: install Debian's `redis-server`", ["redis-server"].iter().chain(&options).chain(&more));
        until("Redis's log", || self.ask::<String>(&["PING"]).ok());
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
