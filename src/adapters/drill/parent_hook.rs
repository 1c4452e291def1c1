//! Before each change on the volume, waits for the parent process.

use crate::adapters::layer::hooked::{Change, Hook};
use crate::core::ports::volume::VolumeError;
use async_trait::async_trait;
use std::io::{Read, Write};
use std::sync::Arc;
use tokio::sync::Mutex;

/// Tells each change on stdout and waits for a byte on stdin; one change at a time.
#[derive(Clone, Default)]
pub struct ParentHook(Arc<Mutex<()>>);

#[async_trait]
impl Hook for ParentHook {
    async fn before(&self, change: Change<'_>) -> Result<(), VolumeError> {
        let line = told(change);
        let turn = Arc::clone(&self.0).lock_owned().await;
        let told = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let mut stdout = std::io::stdout().lock();
            writeln!(stdout, "{line}").and_then(|()| stdout.flush())?;
            std::io::stdin().lock().read_exact(&mut [0])
        });
        if !matches!(told.await, Ok(Ok(()))) {
            // Nobody watches any more: nothing of a drill goes on by itself.
            std::process::abort();
        }
        Ok(())
    }
}

/// A change in two words: what is done, and what it is done to.
fn told(change: Change<'_>) -> String {
    let thing = thing(change.path);
    match change.operation {
        folder @ ("make folder" | "remove folder" | "sync folder") => folder.to_owned(),
        // A token's name is a folder as long as it is renamed.
        "rename" if thing == "tombstone" => "rename folder".to_owned(),
        "write" if thing == "file" && change.offset == 0 => "write header".to_owned(),
        "make read-only" => format!("protect {thing}"),
        operation => format!("{operation} {thing}"),
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
        "decision" | ".decision" if hidden => "decision",
        name if !hidden && name.ends_with(".manifest.json") => "manifest",
        name if hidden && is_token(name) => "tombstone",
        _ => "file",
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
