//! What was seen of all files: what lay in the folder and for how long, what got a name, what either ledger has said.

use super::target::Host;
use filegen::core::model::transfer::{FileRecord, FileState, Side};
use filegen::core::ports::file_broker::Answer;
use filegen::core::ports::transfer_ledger::Holder;
use filegen::core::transfer::envelope;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::time::Duration;
use tokio::time::Instant;

/// Where all files come from.
pub const SOURCE: &str = "api";

/// Whoever redrives has a name that begins so.
pub const PEOPLE: &str = "people";

/// A file is ready when it held still for so long.
pub const STABLE_FOR: Duration = Duration::from_secs(2);

/// A content that lay under a path, from then until then.
struct Lay {
    path: String,
    content: Vec<u8>,
    from: Instant,
    until: Option<Instant>,
}

#[derive(Default)]
pub struct Book {
    pub wrong: Vec<String>,
    lay: Vec<Lay>,
    /// Versions that the ledger of the delivering side has had as delivered, and under which name.
    pub delivered: BTreeMap<String, String>,
    refused: BTreeSet<String>,
    /// Names at the target that others have given.
    pub foreign: BTreeSet<String>,
    /// Those that somebody took from the target.
    taken: BTreeSet<String>,
    /// Since when each name shows what it shows.
    since: BTreeMap<String, Instant>,
    /// Whether a version takes the name of the one before.
    replaces: bool,
    /// Names that each version got.
    named: BTreeMap<String, Vec<String>>,
    /// Failed files that were shown to somebody who lets them go again, as they were then.
    pub shown: BTreeSet<(String, Timestamp)>,
    /// Sides whose ledger was lost.
    pub lost: BTreeSet<Side>,
    /// Whether the broker has lost its last moments.
    pub forgot: bool,
    pub redriven: u64,
}

/// The id of a content under a path.
pub fn id_of(path: &str, content: &[u8]) -> String {
    envelope::id(SOURCE, path, content.len() as u64, &hex::encode(Sha256::digest(content)))
}

/// Whether a name is a companion's.
pub fn is_companion(name: &str) -> bool {
    matches!(name.rsplit('.').next(), Some("done" | "sha256"))
}

/// The path in the folder of what stands under a name, whatever number and ending it got; and its content as it was there.
pub fn origin(name: &str, content: &[u8]) -> (String, Vec<u8>) {
    let path = name.strip_prefix("out/").unwrap_or(name);
    let (path, content) = match path.strip_suffix(".gz") {
        Some(path) => {
            let mut unpacked = Vec::new();
            let whole = flate2::read::GzDecoder::new(content).read_to_end(&mut unpacked);
            (path, whole.map_or_else(|_| b"no whole gzip".to_vec(), |_| unpacked))
        }
        None => (path, content.to_vec()),
    };
    // `a-1.csv`, or `a.csv-1` where it is packed.
    let path = match path.split_once('-') {
        Some((stem, rest)) => format!("{stem}{}", rest.trim_start_matches(|digit: char| digit.is_ascii_digit())),
        None => path.to_owned(),
    };
    (path, content)
}

impl Book {
    pub fn new(replaces: bool) -> Self {
        Self { replaces, ..Self::default() }
    }

    /// From now on this lies there.
    pub fn lies(&mut self, path: &str, content: &[u8]) {
        self.is_gone(path);
        let (path, content) = (path.to_owned(), content.to_vec());
        self.lay.push(Lay { path, content, from: Instant::now(), until: None });
    }

    /// Nothing lies there any more.
    pub fn is_gone(&mut self, path: &str) {
        for lay in self.lay.iter_mut().filter(|lay| lay.path == path && lay.until.is_none()) {
            lay.until = Some(Instant::now());
        }
    }

    /// A file leaves the folder by the collecting side's hand, or gets a second name on a shelf.
    pub fn leaves(&mut self, path: &str, content: &[u8], (is_set_aside, moves): (bool, bool)) {
        let id = id_of(path, content);
        if !is_set_aside && !self.delivered.contains_key(&id) {
            self.wrong.push(format!("{path} left its folder, and {id} was not delivered"));
        }
        if moves {
            self.is_gone(path);
        }
    }

    /// The delivering side says what became of a version, and lets its message go.
    pub fn answers(&mut self, id: &str, answer: &Answer) {
        let is_behind = match answer {
            Answer::Delivered { .. } => self.delivered.contains_key(id),
            Answer::Refused { .. } => self.refused.contains(id),
        };
        if !is_behind {
            self.wrong.push(format!("{id} was acknowledged, and the ledger did not have it"));
        }
    }

    /// A record is another one from now on.
    pub fn advanced(&mut self, before: Option<&FileRecord>, record: &FileRecord, holder: &Holder) {
        match (record.side, record.state) {
            (Side::Deliver, FileState::Delivered) => {
                self.delivered.insert(record.id.clone(), record.place.clone().unwrap_or_default());
            }
            (Side::Deliver, FileState::Failed) => drop(self.refused.insert(record.id.clone())),
            (Side::Collect, FileState::Archived) => {
                let id = envelope::id(SOURCE, &record.path, record.size, &record.sha256);
                if !self.delivered.contains_key(&id) {
                    self.wrong.push(format!("{} counts as arrived, and {id} was not delivered", record.path));
                }
            }
            (Side::Collect, FileState::Seen) if holder.name.starts_with(PEOPLE) => {
                let Some(before) = before.filter(|before| before.state != FileState::Seen) else { return };
                self.redriven += 1;
                let is_shown = self.shown.contains(&(record.id.clone(), before.changed_at));
                if before.state != FileState::Failed || !is_shown {
                    self.wrong.push(format!("{} goes again, and was not shown as it is", record.id));
                }
            }
            _ => {}
        }
    }

    /// Whoever reads at the target has taken what had a name.
    pub fn taken(&mut self, name: &str) {
        let place = name.strip_prefix("out/").unwrap_or(name);
        let of_it = self.delivered.iter().filter(|(_, its)| its.as_str() == place).map(|(id, _)| id.clone());
        let of_it: Vec<String> = of_it.collect();
        self.taken.extend(of_it);
        self.foreign.remove(name);
    }

    /// Whether a name has shown the same for so long.
    pub fn has_stood(&self, name: &str, time: Duration) -> bool {
        self.since.get(name).is_some_and(|since| since.elapsed() >= time)
    }

    pub fn is_taken(&self, id: &str) -> bool {
        self.taken.contains(id)
    }

    /// Whether the delivering side has ever refused it.
    pub fn was_refused(&self, id: &str) -> bool {
        self.refused.contains(id)
    }

    /// A companion has its name: whoever waits for it finds its file, whole.
    fn follows(&mut self, name: &str, content: &[u8], host: &Host) {
        let Some((file, kind)) = name.rsplit_once('.').filter(|_| !self.replaces) else { return };
        let digest = host.content(file).map(|bytes| hex::encode(Sha256::digest(&bytes)));
        let fits = |digest: &String| kind != "sha256" || content.starts_with(digest.as_bytes());
        if !digest.as_ref().is_some_and(fits) {
            self.wrong.push(format!("{name} has its name before its file, or is another's"));
        }
    }

    /// A name shows a content.
    pub fn appears(&mut self, name: &str, content: &[u8], host: &Host) {
        if is_companion(name) {
            return self.follows(name, content, host);
        }
        self.since.insert(name.to_owned(), Instant::now());
        let (path, content) = origin(name, content);
        let held_still = |lay: &&Lay| lay.until.unwrap_or_else(Instant::now).duration_since(lay.from) >= STABLE_FOR;
        if !self.lay.iter().filter(held_still).any(|lay| lay.path == path && lay.content == content) {
            self.wrong.push(format!("{name} shows what never lay whole under its path: {content:?}"));
        }
        let id = id_of(&path, &content);
        // What a filter makes is another content with other settings: without the ledger nobody knows it.
        let is_lost = self.lost.contains(&Side::Deliver);
        let names = self.named.entry(id.clone()).or_default();
        if self.delivered.contains_key(&id) && !is_lost {
            self.wrong.push(format!("{id} was delivered, and is written again as {name}"));
        }
        let shows_it = |other: &&String| {
            other.as_str() != name && host.content(other).is_some_and(|bytes| origin(other, &bytes).1 == content)
        };
        if let Some(other) = names.iter().find(shows_it).filter(|_| !is_lost) {
            self.wrong.push(format!("{id} stands as {other} and as {name}"));
        }
        names.push(name.to_owned());
    }
}
