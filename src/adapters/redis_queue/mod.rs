//! The queue of dead letters in Redis: a list of entries, newest first, as people look at it. Beside it lie, under the list's name
//! with `:ids`, each entry under its index, so that one that comes again adds nothing, and with `:audit`, what was done.
//!
//! Each change is one script, which Redis carries out whole. A call that ran out of time may have been carried out; it is made again.

mod error;
mod wire;

use crate::core::model::finding::{CheckVerdict, Finding};
use crate::core::model::letter::{DeadLetter, ENTRY_MAX};
use crate::core::model::peer::{MASK, host_shown, is_loopback, name_shown};
use crate::core::model::secret::Secret;
use crate::core::ports::queue::{Entry, LetterPage, LetterQueue, PAGE_BYTES, QueueAudit, Removed};
use crate::core::ports::store::{Found, StoreError};
use async_trait::async_trait;
use error::failed;
use redis::{Cmd, ConnectionAddr, ConnectionInfo, FromRedisValue, IntoConnectionInfo, RedisError};
use std::time::Duration;
use tokio::sync::Mutex;
use wire::Link;

/// Longest wait for an answer. The client's own limit of half a second is shorter than a busy server's pauses.
const ANSWER: Duration = Duration::from_secs(5);

/// Bytes of entries that one script takes.
const STEP_BYTES: usize = 4 << 20;

/// Longest reply: a page of entries and one more, with what frames them. A greeting is shorter.
const REPLY_MAX: usize = PAGE_BYTES + ENTRY_MAX + (2 << 20);

/// Adds entries that are not there: pairs of index and entry.
const ADD: &str = "for at = 1, #ARGV, 2 do
  if redis.call('HSETNX', KEYS[2], ARGV[at], ARGV[at + 1]) == 1 then redis.call('LPUSH', KEYS[1], ARGV[at + 1]) end
end";

/// The entry of an index, if the list still has it, with its length; one that is too long without its text.
const GET: &str = "local entry = redis.call('HGET', KEYS[2], ARGV[1])
if entry and redis.call('LPOS', KEYS[1], entry, 'RANK', -1) then
  return { #entry, #entry <= tonumber(ARGV[2]) and entry or '' }
end
return {}";

/// Entries from a place on, at most so many, until they have so many bytes: length and text of each. One that is too long is there
/// without its text.
const PAGE: &str = "local found, bytes, at, last, most = {}, 0, tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[4])
while at <= last and bytes < tonumber(ARGV[3]) do
  local some = redis.call('LRANGE', KEYS[1], at, math.min(at + 7, last))
  if #some == 0 then break end
  for _, entry in ipairs(some) do
    if #entry <= most then bytes = bytes + #entry end
    found[#found + 1] = #entry
    found[#found + 1] = #entry <= most and entry or ''
    if bytes >= tonumber(ARGV[3]) then return found end
  end
  at = at + #some
end
return found";

/// Takes an entry away: 1 when it was as it is thought to be, 0 when it is not there, 2 when it has changed.
const REMOVE: &str = "local entry = redis.call('HGET', KEYS[2], ARGV[1])
if not entry then return 0 end
if entry ~= ARGV[2] then return 2 end
redis.call('HDEL', KEYS[2], ARGV[1])
return redis.call('LREM', KEYS[1], -1, entry)";

/// A queue by its name.
pub struct RedisQueue {
    info: ConnectionInfo,
    name: String,
    key: String,
    connection: Mutex<Option<Link>>,
}

/// An address with its password, which may stand apart.
fn parsed(url: &Secret, password: Option<&Secret>) -> Result<ConnectionInfo, RedisError> {
    let info = url.reveal().into_connection_info()?;
    let settings = info.redis_settings().clone();
    Ok(match password.filter(|_| settings.password().is_none()) {
        Some(password) => info.set_redis_settings(settings.set_password(password.reveal())),
        None => info,
    })
}

/// Host and port, and whether the connection is encrypted.
fn place(info: &ConnectionInfo) -> (String, bool) {
    match info.addr() {
        ConnectionAddr::Tcp(host, port) => (format!("{}:{port}", host_shown(host)), false),
        ConnectionAddr::TcpTls { host, port, .. } => (format!("{}:{port}", host_shown(host)), true),
        _ => (MASK.to_owned(), true),
    }
}

/// An address as others may see it, and what is weak about a connection to it: what, and what to write instead. `None` when it
/// cannot be read.
pub fn look(url: &Secret) -> Option<(String, Option<(String, &'static str)>)> {
    let info = parsed(url, None).ok()?;
    let (place, is_encrypted) = place(&info);
    let settings = info.redis_settings();
    if url.reveal().contains('@') && settings.username().is_none() && settings.password().is_none() {
        // A sign of the password ended the host early: what was read as a port or a database is part of it.
        return None;
    }
    let login = match (settings.username(), settings.password()) {
        (None, None) => String::new(),
        (user, password) => {
            let password = password.map_or("", |_| MASK);
            format!("{}:{password}@", user.map(name_shown).unwrap_or_default())
        }
    };
    let scheme = if is_encrypted { "rediss" } else { "redis" };
    let database = if settings.db() == 0 { String::new() } else { format!("/{}", settings.db()) };
    let is_local = matches!(info.addr(), ConnectionAddr::Tcp(host, _) if is_loopback(host));
    let is_checked = !matches!(info.addr(), ConnectionAddr::TcpTls { insecure: true, .. });
    let weakness = match (is_encrypted, is_checked) {
        (false, _) if !is_local => Some((format!("the connection to {place} is not encrypted"), "write `rediss://…`")),
        (true, false) => Some((format!("the certificate of {place} is not verified"), "remove `#insecure`")),
        _ => None,
    };
    Some((format!("{scheme}://{login}{place}{database}"), weakness))
}

/// Why an address cannot be read, without any part of it.
pub fn refused(url: &Secret) -> Option<String> {
    look(url).is_none().then(|| UNREADABLE.to_owned())
}

const UNREADABLE: &str =
    "the address cannot be read; write redis://USER:PASSWORD@HOST:6379/DATABASE, special characters as %XX";

impl RedisQueue {
    /// The queue `key` at `redis://[USER:PASSWORD@]HOST:6379[/DATABASE]`, or `rediss://` with encryption. A password of its own
    /// counts where the address has none. Nothing is connected yet.
    ///
    /// # Errors
    /// [`StoreError::Denied`] when the address cannot be read.
    pub fn new(url: &Secret, password: Option<&Secret>, key: &str) -> Result<Self, StoreError> {
        let unread = |_| StoreError::Denied { store: MASK.to_owned(), reason: UNREADABLE.to_owned() };
        let info = parsed(url, password).map_err(unread)?;
        let (place, is_encrypted) = place(&info);
        let name = format!("{}://{place}", if is_encrypted { "rediss" } else { "redis" });
        Ok(Self { info, name, key: key.to_owned(), connection: Mutex::default() })
    }

    /// A connection; made when there is none.
    async fn link(&self) -> Result<Link, StoreError> {
        let mut held = self.connection.lock().await;
        if let Some(connection) = &*held {
            return Ok(connection.clone());
        }
        let made = Link::open(&self.info, ANSWER, REPLY_MAX).await;
        let connection = made.map_err(|error| failed(&self.name, &error))?;
        *held = Some(connection.clone());
        Ok(connection)
    }

    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        let mut link = self.link().await?;
        link.allow(REPLY_MAX);
        let answer = command.query_async(&mut link.connection).await;
        // After any fault a new connection is made: this one may be of a server that is none any more.
        if answer.is_err() {
            *self.connection.lock().await = None;
        }
        answer.map_err(|error| failed(&self.name, &error))
    }

    /// A script over the list and its ids.
    fn script(&self, text: &str) -> Cmd {
        let mut command = redis::cmd("EVAL");
        command.arg(text).arg(2).arg(&self.key).arg(format!("{}:ids", self.key));
        command
    }

    fn audit_key(&self) -> String {
        format!("{}:audit", self.key)
    }

    /// Elements of a list, newest first, each with its place. Others may have put anything there: one that is too long is `None`.
    async fn newest(&self, key: &str, skip: u64, max: usize) -> Result<Vec<(u64, Option<Vec<u8>>)>, StoreError> {
        let first = i64::try_from(skip).unwrap_or(i64::MAX);
        let last = first.saturating_add(i64::try_from(max).unwrap_or(i64::MAX)) - 1;
        if max == 0 {
            return Ok(Vec::new());
        }
        let mut command = redis::cmd("EVAL");
        command.arg(PAGE).arg(1).arg(key).arg(first).arg(last).arg(PAGE_BYTES).arg(ENTRY_MAX);
        let entries: Vec<(u64, Vec<u8>)> = self.ask(&command).await?;
        let sized = |(length, entry): (u64, Vec<u8>)| Some(entry).filter(|entry| entry.len() as u64 == length);
        Ok((skip..).zip(entries.into_iter().map(sized)).collect())
    }

    async fn raw(&self, index: &str) -> Result<Option<Option<Vec<u8>>>, StoreError> {
        let found: Vec<(u64, Vec<u8>)> = self.ask(self.script(GET).arg(index).arg(ENTRY_MAX)).await?;
        let sized = |(length, entry): (u64, Vec<u8>)| Some(entry).filter(|entry| entry.len() as u64 == length);
        Ok(found.into_iter().next().map(sized))
    }
}

#[async_trait]
impl LetterQueue for RedisQueue {
    fn describe(&self) -> String {
        format!("{} {}", self.name, self.key)
    }

    async fn add(&self, letters: &[DeadLetter]) -> Result<(), StoreError> {
        let mut rest = letters;
        while !rest.is_empty() {
            let (mut command, mut bytes, mut taken) = (self.script(ADD), 0, 0);
            for letter in rest {
                let entry = letter.to_json();
                if taken > 0 && bytes + entry.len() > STEP_BYTES {
                    break;
                }
                (bytes, taken) = (bytes + entry.len(), taken + 1);
                command.arg(letter.index()).arg(entry);
            }
            self.ask::<()>(&command).await?;
            rest = rest.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    /// Of the list alone, from some of its entries. Redis has each entry a second time, under its index. A user without the right to
    /// this command may still send letters.
    async fn bytes(&self) -> Result<Option<u64>, StoreError> {
        let mut command = redis::cmd("MEMORY");
        command.arg("USAGE").arg(&self.key).arg("SAMPLES").arg(64);
        match self.ask::<Option<u64>>(&command).await {
            Ok(bytes) => Ok(Some(bytes.unwrap_or(0))),
            Err(StoreError::Denied { .. } | StoreError::Failed { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn count(&self) -> Result<u64, StoreError> {
        self.ask(redis::cmd("LLEN").arg(&self.key)).await
    }

    async fn page(&self, skip: u64, max: usize) -> Result<LetterPage, StoreError> {
        let mut page = LetterPage::default();
        for (place, entry) in self.newest(&self.key, skip, max).await? {
            page.add(|| format!("{} element {place}", self.key), DeadLetter::read(entry.as_deref()));
        }
        Ok(page)
    }

    async fn get(&self, index: &str) -> Result<Option<Entry>, StoreError> {
        Ok(self.raw(index).await?.map(|entry| DeadLetter::kept(index, entry.as_deref()).into()))
    }

    async fn remove(&self, index: &str, digest: &str) -> Result<Removed, StoreError> {
        let Some(entry) = self.raw(index).await? else { return Ok(Removed::Gone) };
        let Some(entry) = entry else { return Ok(Removed::Changed) };
        if !DeadLetter::kept(index, Some(&entry)).is_ok_and(|letter| letter.digest() == digest) {
            return Ok(Removed::Changed);
        }
        let removed: u8 = self.ask(self.script(REMOVE).arg(index).arg(&entry)).await?;
        Ok(match removed {
            1 => Removed::Done,
            2 => Removed::Changed,
            _ => Removed::Gone,
        })
    }

    async fn audit(&self, line: &QueueAudit) -> Result<(), StoreError> {
        // A struct of texts has a JSON form.
        let line = serde_json::to_string(line).unwrap_or_default();
        self.ask(redis::cmd("LPUSH").arg(self.audit_key()).arg(line)).await
    }

    async fn audits(&self, max: usize) -> Result<Found<QueueAudit>, StoreError> {
        let (key, mut found) = (self.audit_key(), Found::default());
        for (place, line) in self.newest(&key, 0, max).await? {
            let line = line.ok_or_else(|| "it is too long to be read".to_owned());
            let line = line.and_then(|line| serde_json::from_slice(&line).map_err(|error| error.to_string()));
            found.add(|| format!("{key} element {place}"), line);
        }
        Ok(found)
    }

    async fn examine(&self) -> Result<Vec<Finding>, StoreError> {
        let info: String = self.ask(redis::cmd("INFO").arg("everything")).await?;
        Ok(findings(&info))
    }
}

/// What keeps entries, by the server's own report.
fn findings(info: &str) -> Vec<Finding> {
    let value = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
    let finding = |check: &str, is_well: bool, verdict, detail: String| Finding {
        check: check.to_owned(),
        verdict: if is_well { CheckVerdict::Pass } else { verdict },
        detail,
    };
    let policy = value("maxmemory_policy").unwrap_or("unknown");
    let keeps = policy == "noeviction" || value("maxmemory") == Some("0");
    let detail = if keeps {
        format!("maxmemory-policy is {policy}")
    } else {
        format!(
            "maxmemory-policy is {policy}: a full server throws dead letters away; set `maxmemory-policy noeviction`"
        )
    };
    let evicted = finding("the queue's store throws nothing away", keeps, CheckVerdict::Fail, detail);
    let logs = value("aof_enabled") == Some("1");
    let detail = if logs {
        "appendonly is on"
    } else {
        "appendonly is off: a server that is killed loses what came since its last snapshot; set `appendonly yes`"
    };
    vec![evicted, finding("the queue's store keeps a log", logs, CheckVerdict::Warn, detail.to_owned())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_secret() {
        let shown = |url: &str| look(&Secret::new(url)).map(|(shown, weakness)| (shown, weakness.is_some()));
        for (url, expected, is_weak) in [
            ("redis://localhost:6379", "redis://localhost:6379", false),
            ("redis://10.0.0.7", "redis://10.0.0.7:6379", true),
            ("redis://:s3cret@10.0.0.7:1/2", "redis://:***@10.0.0.7:1/2", true),
            ("rediss://ann:s3cret@cache.bank", "rediss://ann:***@cache.bank:6379", false),
            ("rediss://cache.bank/#insecure", "rediss://cache.bank:6379", true),
        ] {
            assert_eq!(shown(url), Some((expected.to_owned(), is_weak)), "{url}");
        }
        for url in
            ["redis://:s3cret@", "redis://u:1234#x7q@db.bank", "redis://u:1234/7?x@db.bank", "redis://u:1/0#x@db.bank"]
        {
            assert_eq!(shown(url), None, "{url}");
        }
    }

    #[test]
    fn a_store_that_may_lose_entries_is_told() {
        use CheckVerdict::{Fail, Pass, Warn};
        let verdicts = |info: &str| findings(info).iter().map(|finding| finding.verdict).collect::<Vec<_>>();
        assert_eq!(verdicts("maxmemory:9\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n"), [Pass, Pass]);
        assert_eq!(verdicts("maxmemory:9\r\nmaxmemory_policy:allkeys-lru\r\naof_enabled:0\r\n"), [Fail, Warn]);
        assert_eq!(verdicts("maxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\naof_enabled:1\r\n"), [Pass, Pass]);
    }
}
