//! A volume that waits for its parent process before each change.

use crate::core::model::term::Term;
use crate::core::ports::volume::{Entry, Volume, VolumeError, VolumeFile};
use async_trait::async_trait;
use std::io::{Read, Write};
use std::sync::Arc;
use tokio::sync::Mutex;

/// Wraps a volume.
#[derive(Clone)]
pub struct Stepwise {
    volume: Arc<dyn Volume>,
    gate: Gate,
}

/// One change at a time.
#[derive(Clone, Default)]
struct Gate(Arc<Mutex<()>>);

impl Stepwise {
    /// Each change on `volume` is told on stdout and waits for stdin.
    pub fn new(volume: Arc<dyn Volume>) -> Self {
        Self { volume, gate: Gate::default() }
    }
}

impl Gate {
    async fn pass(&self, operation: &'static str, what: &'static str) {
        let turn = Arc::clone(&self.0).lock_owned().await;
        let told = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let mut stdout = std::io::stdout().lock();
            writeln!(stdout, "{operation} {what}").and_then(|()| stdout.flush())?;
            std::io::stdin().lock().read_exact(&mut [0])
        });
        if !matches!(told.await, Ok(Ok(()))) {
            // Nobody watches any more: nothing of a drill goes on by itself.
            std::process::abort();
        }
    }
}

/// What a path is to the commit protocol.
fn thing(path: &str) -> &'static str {
    let name = path.rsplit('/').next().unwrap_or(path);
    let hidden = path.starts_with(".filegen/");
    let is_token = |name: &str| name.strip_prefix('t').is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    match name {
        "journal.jsonl" if hidden => "journal",
        "manifest.json" if hidden => "manifest",
        name if !hidden && name.ends_with(".manifest.json") => "manifest",
        name if hidden && is_token(name) => "tombstone",
        _ => "file",
    }
}

#[async_trait]
impl Volume for Stepwise {
    fn describe(&self) -> String {
        self.volume.describe()
    }

    async fn make_dir(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.gate.pass("make", "folder").await;
        self.volume.make_dir(term, path).await
    }

    async fn make_dirs(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.gate.pass("make", "folder").await;
        self.volume.make_dirs(term, path).await
    }

    async fn create(&self, term: &Term, path: &str) -> Result<Arc<dyn VolumeFile>, VolumeError> {
        self.gate.pass("create", thing(path)).await;
        let file = self.volume.create(term, path).await?;
        Ok(Arc::new(StepwiseFile { file, gate: self.gate.clone(), thing: thing(path) }))
    }

    async fn open(&self, path: &str) -> Result<Arc<dyn VolumeFile>, VolumeError> {
        self.volume.open(path).await
    }

    async fn copy_prefix(&self, term: &Term, from: &str, to: &str, bytes: u64) -> Result<(), VolumeError> {
        self.gate.pass("copy", thing(to)).await;
        self.volume.copy_prefix(term, from, to, bytes).await
    }

    async fn rename(&self, term: &Term, from: &str, to: &str) -> Result<(), VolumeError> {
        // A token's name is a folder as long as it is renamed.
        self.gate.pass("rename", if thing(from) == "tombstone" { "folder" } else { thing(from) }).await;
        self.volume.rename(term, from, to).await
    }

    async fn link(&self, term: &Term, from: &str, to: &str) -> Result<(), VolumeError> {
        self.gate.pass("link", thing(to)).await;
        self.volume.link(term, from, to).await
    }

    async fn unlink(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.gate.pass("unlink", thing(path)).await;
        self.volume.unlink(term, path).await
    }

    async fn remove_dir(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.gate.pass("remove", "folder").await;
        self.volume.remove_dir(term, path).await
    }

    async fn sync_dir(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.gate.pass("sync", "folder").await;
        self.volume.sync_dir(term, path).await
    }

    async fn make_read_only(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        self.gate.pass("protect", thing(path)).await;
        self.volume.make_read_only(term, path).await
    }

    async fn list(&self, path: &str) -> Result<Vec<Entry>, VolumeError> {
        self.volume.list(path).await
    }

    async fn stat(&self, path: &str) -> Result<Option<Entry>, VolumeError> {
        self.volume.stat(path).await
    }

    async fn free_bytes(&self) -> Result<u64, VolumeError> {
        self.volume.free_bytes().await
    }
}

struct StepwiseFile {
    file: Arc<dyn VolumeFile>,
    gate: Gate,
    thing: &'static str,
}

#[async_trait]
impl VolumeFile for StepwiseFile {
    async fn write_at(&self, term: &Term, offset: u64, buffer: Vec<u8>) -> (Vec<u8>, Result<(), VolumeError>) {
        let thing = if self.thing == "file" && offset == 0 { "header" } else { self.thing };
        self.gate.pass("write", thing).await;
        self.file.write_at(term, offset, buffer).await
    }

    async fn sync_data(&self, term: &Term) -> Result<(), VolumeError> {
        self.gate.pass("sync", self.thing).await;
        self.file.sync_data(term).await
    }

    async fn read_at(&self, offset: u64, len: usize) -> Result<Vec<u8>, VolumeError> {
        self.file.read_at(offset, len).await
    }

    async fn size(&self) -> Result<u64, VolumeError> {
        self.file.size().await
    }

    async fn set_size(&self, term: &Term, bytes: u64) -> Result<(), VolumeError> {
        self.gate.pass("cut", self.thing).await;
        self.file.set_size(term, bytes).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_says_what_it_is_to_the_protocol() {
        for (path, name) in [
            (".filegen/W/20261121/t00000007", "tombstone"),
            (".filegen/W/20261121/t00000007/journal.jsonl", "journal"),
            (".filegen/W/20261121/t00000007/manifest.json", "manifest"),
            (".filegen/W/20261121/t00000007/Loan0", "file"),
            ("W_20261121.manifest.json", "manifest"),
            ("sub/journal.jsonl", "file"),
        ] {
            assert_eq!(thing(path), name, "{path}");
        }
    }
}
