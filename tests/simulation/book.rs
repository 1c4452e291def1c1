//! What must hold at every moment, kept outside of what is tested.

use crate::disk::{Disk, Id};
use crate::sim::TTL;
use filegen::core::generate::model::file_name::manifest_name;
use filegen::core::generate::model::manifest::Manifest;
use filegen::core::model::run::RunId;
use filegen::core::model::term::Token;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Clocks and timers round to milliseconds.
const SLACK: Duration = Duration::from_millis(20);

#[derive(Default)]
pub struct Book {
    /// What must never have happened.
    pub wrong: Vec<String>,
    /// Tokens that somebody led with.
    pub led: BTreeSet<Token>,
    /// Tokens that were minted.
    pub minted: BTreeSet<Token>,
    /// When the last renewal that the holder knows of was sent, on the holder's own clock.
    pub rights: BTreeMap<Token, Duration>,
    /// Tokens put in place as leases, and when.
    pub installs: Vec<(Token, Duration)>,
    /// Tokens whose holders gave the lease back.
    pub given_back: BTreeSet<Token>,
    /// Leases taken from a holder that had not given it back.
    pub takeovers: u64,
    /// Highest token that made its folder, by run folder.
    pub staged: BTreeMap<String, Token>,
    /// Highest token that wrote records or published, by run folder: it has removed all older folders.
    pub sealed: BTreeMap<String, Token>,
    /// Journals of older holders that said that all is done when they were taken over.
    pub complete: BTreeSet<String>,
    /// Final names, with what they were given.
    pub published: BTreeMap<String, (Id, Vec<u8>)>,
    /// Final names that nobody may miss any more, because a completion event says they are there.
    pub promised: BTreeSet<String>,
    /// Correlation ids of completion events as the broker has them, by business date, file and version.
    pub events: BTreeMap<(String, String, u32), (String, u64)>,
    /// The newest version that is wanted, by run; none for the first.
    pub wanted: BTreeMap<RunId, u32>,
    /// Versions that gave up their names, by business date.
    pub superseded: BTreeMap<String, u32>,
}

impl Book {
    /// An effect begins; what is wrong with that.
    pub fn effect(&self, token: Token, now: Duration, own: Duration, rate: u32) -> Option<String> {
        let right = TTL * 2 / 3 + SLACK;
        if let Some(sent) = self.rights.get(&token)
            && own > *sent + right
        {
            let late = own.saturating_sub(*sent);
            return Some(format!("an effect began under token {token} {late:?} after its last renewal was sent"));
        }
        let (newer, at) = self.installs.iter().find(|(other, _)| *other > token)?;
        let late = now.saturating_sub(*at);
        let wrong = || format!("an effect began under token {token} {late:?} after the lease of {newer}");
        (late.saturating_mul(rate) / 100 > right).then(wrong)
    }

    /// A lease is in place under a new token.
    pub fn installed(&mut self, token: Token, now: Duration) -> Option<String> {
        let last = self.installs.last().map(|(token, _)| *token);
        self.installs.push((token, now));
        last.filter(|last| *last >= token).map(|last| format!("token {token} came after token {last}"))
    }

    /// A published name was given up. Only an older version's may be.
    pub fn withdrawn(&mut self, disk: &Disk, name: &str, id: Id) {
        self.published.remove(name);
        self.promised.remove(name);
        let manifest = disk.file(id).ok().and_then(|file| serde_json::from_slice::<Manifest>(&file.seen).ok());
        if let Some(manifest) = manifest {
            let newest = self.wanted.iter().find(|(run, _)| run.date.to_string() == manifest.business_date);
            if newest.is_none_or(|(_, version)| manifest.version >= *version) {
                self.wrong.push(format!("version {} of `{name}` was taken away", manifest.version));
            }
            self.superseded.insert(manifest.business_date, manifest.version);
        }
    }

    /// A manifest of a corrected date never stands without its files, or beside those of another version.
    pub fn check_manifests(&mut self, disk: &Disk) {
        for run in self.wanted.keys() {
            let read = |name: &str| disk.resolve(name).and_then(|id| disk.file(id)).ok();
            let Some(text) = read(&manifest_name(run, 1)) else { continue };
            let Ok(manifest) = serde_json::from_slice::<Manifest>(&text.seen) else { continue };
            for file in &manifest.files {
                let found = file.name.as_deref().and_then(read).map(|file| file.seen.len() as u64);
                if found != Some(file.bytes) {
                    let (name, version) = (&file.id, manifest.version);
                    self.wrong.push(format!("{run}: the manifest of version {version} stands without its {name}"));
                }
            }
        }
    }

    /// Compares published files with what they were; forgets those that may have been lost in a power failure.
    pub fn check_published(&mut self, disk: &Disk) {
        self.check_manifests(disk);
        let mut lost = Vec::new();
        for (name, (id, bytes)) in &self.published {
            match disk.resolve(name) {
                Ok(found) if found == *id => match disk.file(found) {
                    Ok(file) if file.seen == *bytes => {}
                    Ok(_) => self.wrong.push(format!("published `{name}` has changed")),
                    Err(refusal) => self.wrong.push(format!("published `{name}` cannot be read: {refusal:?}")),
                },
                Ok(_) => self.wrong.push(format!("published `{name}` is another file now")),
                Err(_) => lost.push(name.clone()),
            }
        }
        for name in lost {
            self.published.remove(&name);
            if self.promised.contains(&name) {
                self.wrong.push(format!("`{name}` is gone, and its completion event was sent"));
            }
        }
    }
}
