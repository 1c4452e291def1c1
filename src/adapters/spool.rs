//! A folder of this host as broker: both sides see it, and nothing has to be installed.
//!
//! ```text
//! m/ID   a message: a line with the envelope's length, whether the content follows, and what is said of its trace; the envelope; the
//!        content where it is small
//! c/ID   the chunks of a version, one behind the other
//! a/ID   what the delivering side said of it
//! ```
//! Each of them gets its name when it is whole and durable, but for the chunks: those count once the message is there.

use super::apart::apart;
use super::folders::modified;
use crate::core::model::trace::TraceParent;
use crate::core::ports::broker::BrokerError;
use crate::core::ports::file_broker::{Answer, FileReceiver, FileSender, Parcel, Standing};
use crate::files::{self, Beneath, Found};
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};
use std::time::Duration;

/// Most bytes of envelope and content together.
const INLINE_MAX: usize = 1 << 20;

/// Largest message that is read: those of ours are smaller. Some are read at once, whoever put them there.
const MESSAGE_MAX: u64 = 2 << 20;

/// What is read of a larger one: more than an envelope may have.
const FOREIGN: u64 = 128 << 10;

/// Longest line in front of an envelope.
const LENGTH_MAX: usize = 24 + TraceParent::BYTES_MAX;

/// Largest answer that is read.
const ANSWER_MAX: u64 = 256 * 1024;

/// Time between two looks for messages.
const LOOK: Duration = Duration::from_millis(50);

const MESSAGES: &str = "m";
const CHUNKS: &str = "c";
const ANSWERS: &str = "a";

/// A folder of this host. Clones are the same. Each call runs on a thread of its own.
#[derive(Clone, Debug)]
pub struct LocalSpool {
    path: Arc<PathBuf>,
    /// In the names of what is not whole yet.
    nonce: Arc<str>,
    /// What killed processes left is looked for once.
    swept: Arc<Once>,
}

impl LocalSpool {
    /// The spool at `path`, made where it is missing. `nonce` is this process's own.
    pub fn new(path: &Path, nonce: &str) -> Self {
        Self { path: Arc::new(path.to_owned()), nonce: nonce.into(), swept: Arc::new(Once::new()) }
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self, &Beneath) -> io::Result<T> + Send + 'static,
    ) -> Result<T, BrokerError> {
        let own = self.clone();
        let shown = self.shown();
        let worked = apart(move || {
            let root = files::folder_made(&own.path, 0o700)?;
            for folder in [MESSAGES, CHUNKS, ANSWERS] {
                root.make_dirs(folder, 0o700)?;
            }
            let mut swept = Ok(());
            own.swept.call_once(|| swept = sweep(&root));
            swept?;
            work(&own, &root)
        });
        worked.await.map_err(|error| failed(shown, &error))
    }

    fn shown(&self) -> String {
        format!("the spool {}", self.path.display())
    }

    /// Writes a whole file, durable under its name.
    fn write(&self, root: &Beneath, folder: &str, id: &str, parts: &[&[u8]]) -> io::Result<()> {
        let temporary = format!("{folder}/.{id}.{}", self.nonce);
        let _ = root.unlink(&temporary).is_ok();
        let mut file = root.create(&temporary, 0o600)?;
        // Kept until it has its name: what nobody keeps is swept.
        files::keep(&file)?;
        parts.iter().try_for_each(|part| file.write_all(part))?;
        file.sync_data()?;
        root.rename(&temporary, &format!("{folder}/{id}"))?;
        root.sync_dir(folder)
    }
}

fn failed(topic: String, error: &io::Error) -> BrokerError {
    let reason = error.to_string();
    match error.kind() {
        // A file in the way of a folder is there already, or is none.
        ErrorKind::PermissionDenied
        | ErrorKind::NotADirectory
        | ErrorKind::AlreadyExists
        | ErrorKind::ReadOnlyFilesystem => {
            BrokerError::Refused { topic, reason: format!("{reason}; check `broker.local` and its permissions") }
        }
        _ => BrokerError::Unreachable { topic, reason },
    }
}

fn at(folder: &str, id: &str) -> String {
    format!("{folder}/{id}")
}

/// Takes away what processes that are gone had not finished writing.
fn sweep(root: &Beneath) -> io::Result<()> {
    for folder in [MESSAGES, ANSWERS] {
        for (name, found) in root.list(folder)? {
            if !found.is_file() || !name.starts_with('.') {
                continue;
            }
            let path = at(folder, &name);
            if let Some(file) = there(root.open(&path))?
                && files::keep(&file)?
            {
                root.unlink_own(&file, &path)?;
            }
        }
    }
    Ok(())
}

/// `None` where nothing has the name.
fn there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn read(root: &Beneath, path: &str, most: u64) -> io::Result<Option<Vec<u8>>> {
    let Some(file) = there(root.open(path))? else { return Ok(None) };
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::new(ErrorKind::InvalidData, format!("`{path}` is larger than {most} bytes")));
    }
    Ok(Some(bytes))
}

fn answer(root: &Beneath, id: &str) -> io::Result<Option<Answer>> {
    let Some(bytes) = read(root, &at(ANSWERS, id), ANSWER_MAX)? else { return Ok(None) };
    let value: serde_json::Value = serde_json::from_slice(&bytes)?;
    let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    Ok(Some(match value["sha256"].as_str() {
        Some(sha256) => Answer::Delivered { sha256: sha256.to_owned() },
        None => Answer::Refused { kind: text("kind"), reason: text("reason") },
    }))
}

/// The ids of all answers.
fn answers(root: &Beneath) -> io::Result<impl Iterator<Item = (String, Found)>> {
    let names = root.list(ANSWERS)?.into_iter();
    Ok(names.filter(|(name, found)| found.is_file() && !name.starts_with('.')))
}

fn remove(root: &Beneath, path: &str) -> io::Result<()> {
    there(root.unlink(path)).map(drop)
}

#[async_trait]
impl FileSender for LocalSpool {
    fn describe(&self) -> String {
        self.shown()
    }

    async fn probe(&self, name: &str) -> Result<(), BrokerError> {
        // As a message that is not whole yet: nobody takes it, and it is swept where this process dies.
        let path = format!("{MESSAGES}/.{name}.{}", self.nonce);
        self.with(move |_, root| {
            let mut file = root.create(&path, 0o600)?;
            files::keep(&file)?;
            let written = file.write_all(b"probe").and_then(|()| file.sync_data());
            root.unlink_own(&file, &path)?;
            written
        })
        .await
    }

    async fn message_max(&self) -> Result<usize, BrokerError> {
        Ok(INLINE_MAX)
    }

    async fn standing(&self, id: &str, chunk_size: u64) -> Result<Standing, BrokerError> {
        let id = id.to_owned();
        self.with(move |_, root| {
            // The message first: whoever takes it away has written the answer before.
            let sent = message(root, &id)?;
            let bytes = there(root.stat(&at(CHUNKS, &id)))?.map_or(0, |found| found.bytes);
            Ok(Standing { chunks: bytes / chunk_size.max(1), sent, answer: answer(root, &id)? })
        })
        .await
    }

    async fn put_chunk(&self, id: &str, number: u64, chunk_size: u64, bytes: Vec<u8>) -> Result<(), BrokerError> {
        let id = id.to_owned();
        self.with(move |_, root| {
            let file = root.open_or_create(&at(CHUNKS, &id), 0o600)?;
            file.write_all_at(&bytes, number * chunk_size)
        })
        .await
    }

    async fn settle_chunks(&self, id: &str) -> Result<(), BrokerError> {
        let id = id.to_owned();
        self.with(move |_, root| {
            if let Some(file) = there(root.open(&at(CHUNKS, &id)))? {
                file.sync_data()?;
            }
            root.sync_dir(CHUNKS)
        })
        .await
    }

    async fn send(&self, parcel: Parcel) -> Result<(), BrokerError> {
        self.with(move |own, root| {
            let content = parcel.content.as_deref();
            let trace = parcel.trace.map(|trace| format!(" {trace}")).unwrap_or_default();
            let kind = if content.is_some() { "inline" } else { "chunks" };
            let length = format!("{} {kind}{trace}\n", parcel.envelope.len());
            let parts = [length.as_bytes(), &parcel.envelope, content.unwrap_or_default()];
            own.write(root, MESSAGES, &parcel.id, &parts)
        })
        .await
    }

    async fn answered(&self, ids: &[String]) -> Result<Vec<String>, BrokerError> {
        let ids: HashSet<String> = ids.iter().cloned().collect();
        self.with(move |_, root| Ok(answers(root)?.map(|(id, _)| id).filter(|id| ids.contains(id)).collect())).await
    }

    async fn answers(&self, most: usize) -> Result<Vec<(String, Timestamp)>, BrokerError> {
        self.with(move |_, root| Ok(answers(root)?.take(most).map(|(id, found)| (id, modified(&found))).collect()))
            .await
    }

    async fn answer(&self, id: &str) -> Result<Option<Answer>, BrokerError> {
        let id = id.to_owned();
        self.with(move |_, root| match there(root.stat(&at(MESSAGES, &id)))? {
            Some(_) => Ok(None),
            None => answer(root, &id),
        })
        .await
    }

    async fn take_back(&self, id: &str) -> Result<(), BrokerError> {
        let path = at(MESSAGES, id);
        self.with(move |_, root| remove(root, &path)).await
    }

    async fn forget(&self, id: &str) -> Result<(), BrokerError> {
        let id = id.to_owned();
        self.with(move |_, root| {
            if there(root.stat(&at(MESSAGES, &id)))?.is_none() {
                remove(root, &at(CHUNKS, &id))?;
            }
            remove(root, &at(ANSWERS, &id))
        })
        .await
    }
}

/// The oldest messages, without those in `busy`.
fn oldest(root: &Beneath, busy: &HashSet<String>, most: usize) -> io::Result<Vec<String>> {
    let mut names: Vec<((i64, i64), String)> = root
        .list(MESSAGES)?
        .into_iter()
        .filter(|(name, found)| found.is_file() && !name.starts_with('.') && !busy.contains(name))
        .map(|(name, found): (String, Found)| (found.modified, name))
        .collect();
    names.sort();
    names.truncate(most);
    Ok(names.into_iter().map(|(_, name)| name).collect())
}

fn message(root: &Beneath, id: &str) -> io::Result<Option<Parcel>> {
    let Some(file) = there(root.open(&at(MESSAGES, id)))? else { return Ok(None) };
    // One that is larger is no message of ours: its begin is refused, and holds nothing up.
    let most = if Found::of_file(&file)?.bytes > MESSAGE_MAX { FOREIGN } else { MESSAGE_MAX };
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    let line = bytes.iter().take(LENGTH_MAX).position(|byte| *byte == b'\n').unwrap_or(0);
    let mut words = std::str::from_utf8(&bytes[..line]).unwrap_or_default().splitn(3, ' ');
    let [length, kind, trace] = [(); 3].map(|()| words.next().unwrap_or_default());
    let trace = TraceParent::parse(trace);
    let rest = bytes.get(line + 1..).unwrap_or_default();
    // What is no message of ours is no envelope either, and is refused as such.
    let length = length.parse::<usize>().unwrap_or(rest.len()).min(rest.len());
    let (envelope, content) = rest.split_at(length);
    let content = (kind == "inline").then(|| content.to_vec());
    Ok(Some(Parcel { id: id.to_owned(), envelope: envelope.to_vec(), content, trace }))
}

fn chunk(file: &File, number: u64, size: u64) -> io::Result<Vec<u8>> {
    // Room for what is there, whatever the envelope says.
    let there = Found::of_file(file)?.bytes.saturating_sub(number.saturating_mul(size));
    let mut bytes = vec![0; usize::try_from(size.min(there)).unwrap_or(usize::MAX)];
    let mut there = 0;
    while there < bytes.len() {
        match file.read_at(&mut bytes[there..], number.saturating_mul(size) + there as u64)? {
            0 => break,
            count => there += count,
        }
    }
    bytes.truncate(there);
    Ok(bytes)
}

#[async_trait]
impl FileReceiver for LocalSpool {
    fn describe(&self) -> String {
        self.shown()
    }

    async fn waiting(&self, busy: &[String], most: usize) -> Result<Vec<Parcel>, BrokerError> {
        let busy: HashSet<String> = busy.iter().cloned().collect();
        self.with(move |_, root| {
            let names = oldest(root, &busy, most)?;
            names.iter().filter_map(|name| message(root, name).transpose()).collect()
        })
        .await
    }

    async fn chunk(&self, id: &str, number: u64, chunk_size: u64) -> Result<Option<Vec<u8>>, BrokerError> {
        let id = id.to_owned();
        self.with(move |_, root| {
            let Some(file) = there(root.open(&at(CHUNKS, &id)))? else { return Ok(None) };
            let bytes = chunk(&file, number, chunk_size)?;
            Ok((!bytes.is_empty()).then_some(bytes))
        })
        .await
    }

    async fn is_whole(&self, id: &str, _: u64, _: u64, size: u64) -> Result<bool, BrokerError> {
        let path = at(CHUNKS, id);
        self.with(move |_, root| Ok(there(root.stat(&path))?.is_some_and(|found| found.bytes >= size))).await
    }

    async fn end_foreign(&self, id: &str) -> Result<(), BrokerError> {
        FileSender::take_back(self, id).await
    }

    async fn answer(&self, id: &str, answer: &Answer) -> Result<(), BrokerError> {
        let id = id.to_owned();
        let text = match answer {
            Answer::Delivered { sha256 } => serde_json::json!({ "id": id, "sha256": sha256 }),
            Answer::Refused { kind, reason } => serde_json::json!({ "id": id, "kind": kind, "reason": reason }),
        };
        self.with(move |own, root| {
            // The answer first: a message that is gone without one was lost.
            own.write(root, ANSWERS, &id, &[text.to_string().as_bytes()])?;
            remove(root, &at(MESSAGES, &id))?;
            remove(root, &at(CHUNKS, &id))
        })
        .await
    }

    async fn wait(&self, at_most: Duration) {
        tokio::time::sleep(at_most.min(LOOK)).await;
    }
}
