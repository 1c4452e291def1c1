//! Fencing: before a holder writes anything, no older holder's folder can be reached by its name any more.
//!
//! An older folder is renamed away, a plain file (tombstone) put in its place, its committed prefix copied by
//! `staging`, then its files are unlinked and it is removed. Renaming alone would not do: an NFS client
//! with a cached handle could still rename or write through it; once the folder is removed it gets ESTALE.

use super::layout::{JOURNAL, Name, fenced_name, parse_name, parse_version, run_dir, token_name};
use super::{GenerateError, Ports, bounded::read_up_to};
use crate::core::failpoints::crash::crash_point;
use crate::core::failpoints::planted::planted;
use crate::core::generate::model::journal::Journal;
use crate::core::model::names::HIDDEN;
use crate::core::model::names::WorkerId;
use crate::core::model::run::RunId;
use crate::core::model::shown;
use crate::core::model::term::{Term, TermEnded, Token};
use crate::core::ports::volume::{Entry, EntryKind, Volume, VolumeError};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Longest journal that is read back: a million pages of one file, or a hundred thousand of ten. What is behind counts as damage.
const JOURNAL_BYTES_MAX: u64 = 128 << 20;

/// Tombstones made for tokens that never had a folder in this run, at most.
///
/// Only an operation already under way when its holder lost the term can come late, and a holder makes the
/// run's folder before its own. So tokens from before the run's folder existed need no tombstone; the bound keeps a
/// worker with a token in the thousands from making thousands of files a night.
const TOMBSTONES_MAX: u64 = 64;

/// Wait between tries to remove a folder that is not empty yet.
const REMOVE_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// A folder taken from an older holder.
#[derive(Debug)]
pub struct FencedTerm {
    /// Whose it was.
    pub token: Token,
    /// Its path now.
    pub dir: String,
    /// What it committed.
    pub journal: Journal,
    /// The journal's bytes as they were read.
    pub journal_bytes: Vec<u8>,
    /// Whether anything stands in it.
    pub has_files: bool,
}

/// What tokens have left on the volume in all runs of a worker.
#[derive(Debug)]
pub struct Traces {
    /// The highest that counting may have come to; 0 without one.
    pub highest: Token,
    /// A name of a token above all counting: somebody else made it.
    pub foreign: Option<String>,
}

impl Traces {
    /// What a person should know.
    pub fn warning(&self) -> Option<String> {
        self.foreign.as_ref().map(|path| {
            let path = shown::text(path);
            format!(
                "the name `{path}` is of a token that filegen did not count up to, and is not believed; take it away"
            )
        })
    }
}

/// The highest of these tokens that counting may have come to, step by step from the first; see [`Token::REACH`].
pub(in crate::core::generate) fn counted_to(tokens: impl IntoIterator<Item = Token>) -> Token {
    let sorted: BTreeSet<Token> = tokens.into_iter().collect();
    sorted.into_iter().fold(Token(0), |known, next| if known.reaches(next) { next } else { known })
}

/// Looks for the tokens of a worker's holders in all of its runs.
///
/// # Errors
/// When the volume cannot be listed.
pub async fn traces(volume: &dyn Volume, worker: &WorkerId) -> Result<Traces, VolumeError> {
    let worker_dir = format!("{HIDDEN}/{worker}");
    let mut found = BTreeMap::new();
    for run in volume.list(&worker_dir).await? {
        if run.kind != EntryKind::Dir {
            continue;
        }
        let run_dir = format!("{worker_dir}/{}", run.name);
        let names = volume.list(&run_dir).await?;
        let versions = names.iter().filter(|entry| parse_version(&entry.name).is_some());
        let versions: Vec<String> = versions.map(|version| format!("{run_dir}/{}", version.name)).collect();
        note(&mut found, &run_dir, names);
        for version_dir in versions {
            note(&mut found, &version_dir, volume.list(&version_dir).await?);
        }
    }
    let highest = counted_to(found.keys().copied());
    let foreign = found.into_iter().next_back().filter(|(token, _)| *token > highest).map(|(_, path)| path);
    Ok(Traces { highest, foreign })
}

/// Notes the tokens of a folder's names, each with the path of one.
fn note(found: &mut BTreeMap<Token, String>, dir: &str, names: Vec<Entry>) {
    for entry in names {
        if let Some(name) = parse_name(&entry.name) {
            found.entry(name.token()).or_insert_with(|| format!("{dir}/{}", entry.name));
        }
    }
}

/// Makes every older token's name in the run's folder a tombstone; returns what the older holders left, newest first.
///
/// # Errors
/// [`TermEnded`] when a newer holder has been here.
pub async fn fence(ports: &Ports, run: &RunId, term: &Term) -> Result<Vec<FencedTerm>, GenerateError> {
    fence_in(ports, run_dir(run), term).await
}

/// The same in the folder of one version. Each version has holders, tombstones and journals of its own.
///
/// # Errors
/// As [`fence`].
pub(super) async fn fence_in(ports: &Ports, dir: String, term: &Term) -> Result<Vec<FencedTerm>, GenerateError> {
    let volume = &*ports.volume;
    let is_new = make_run_dir(volume, &dir, term).await?;
    let found = names_in(volume, &dir, term).await?;
    let mine = term.token();
    for token in older_tokens(&found, mine, is_new) {
        bury(volume, &dir, token, term).await?;
    }
    crash_point!("fence.buried");
    volume.sync_dir(term, &dir).await?;
    read_dead(volume, &dir, mine).await
}

async fn make_run_dir(volume: &dyn Volume, dir: &str, term: &Term) -> Result<bool, GenerateError> {
    let parent = dir.rsplit_once('/').map_or("", |(parent, _)| parent);
    volume.make_dirs(term, parent).await?;
    let is_new = match volume.make_dir(term, dir).await {
        Ok(()) => true,
        Err(VolumeError::Exists { .. }) => false,
        Err(error) => return Err(error.into()),
    };
    // Also where it was there: who made it may have died before this step.
    volume.sync_dir(term, parent).await?;
    Ok(is_new)
}

/// The tokens whose names stand in the run's folder.
async fn names_in(volume: &dyn Volume, dir: &str, term: &Term) -> Result<BTreeSet<Token>, GenerateError> {
    let mut tokens = BTreeSet::new();
    for entry in volume.list(dir).await? {
        match parse_name(&entry.name) {
            // No holder ever had it.
            Some(Name::Token(token) | Name::Fenced(token)) if !term.token().may_precede(token) => {}
            Some(Name::Token(token) | Name::Fenced(token)) if token >= term.token() => {
                // A newer holder, or our own name already buried by one.
                term.end();
                return Err(TermEnded { token: term.token() }.into());
            }
            // A folder taken away by a holder that died before it could put the tombstone down.
            Some(Name::Token(token) | Name::Fenced(token)) => {
                tokens.insert(token);
            }
            None => {}
        }
    }
    Ok(tokens)
}

/// Whether a newer holder has been here: its own names stand in the run's folder, or it took ours away. A volume that
/// cannot tell has not said so.
pub(super) async fn is_replaced(volume: &dyn Volume, dir: &str, mine: Token) -> bool {
    let names = volume.list(dir).await.unwrap_or_default();
    names.iter().any(|entry| match parse_name(&entry.name).filter(|name| mine.may_precede(name.token())) {
        Some(Name::Token(token)) => token > mine || (token == mine && entry.kind != EntryKind::Dir),
        Some(Name::Fenced(token)) => token >= mine,
        None => false,
    })
}

fn older_tokens(found: &BTreeSet<Token>, mine: Token, is_new: bool) -> Vec<Token> {
    let all = mine.0 - 1;
    let recent = mine.0.saturating_sub(TOMBSTONES_MAX).max(1);
    let first = if is_new && all > TOMBSTONES_MAX { mine.0 } else { found.first().map_or(recent, |t| t.0.min(recent)) };
    let mut tokens: BTreeSet<Token> = (first.max(recent)..mine.0).map(Token).collect();
    tokens.extend(found);
    tokens.into_iter().rev().collect()
}

/// Takes one older name away, whatever stands there, until a plain file does.
async fn bury(volume: &dyn Volume, dir: &str, token: Token, term: &Term) -> Result<(), GenerateError> {
    let name = format!("{dir}/{}", token_name(token));
    loop {
        if planted("no tombstone") && !matches!(volume.stat(&name).await?, Some(Entry { kind: EntryKind::Dir, .. })) {
            return Ok(());
        }
        match volume.create(term, &name).await {
            Ok(_) => return Ok(()),
            Err(VolumeError::Exists { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        match volume.stat(&name).await? {
            Some(Entry { kind: EntryKind::Dir, .. }) => {
                let dead = free_dead_name(volume, dir, token, term).await?;
                match volume.rename(term, &name, &dead).await {
                    // Gone meanwhile: the next turn makes the tombstone.
                    Ok(()) | Err(VolumeError::NotFound { .. }) => crash_point!("fence.renamed"),
                    Err(error) => return Err(error.into()),
                }
            }
            Some(_) => return Ok(()),
            None => {}
        }
    }
}

/// A name that no other folder has: a late mkdir may have come in behind one that was already taken away.
async fn free_dead_name(volume: &dyn Volume, dir: &str, token: Token, term: &Term) -> Result<String, GenerateError> {
    let mut by = term.token();
    loop {
        let name = format!("{dir}/{}", fenced_name(token, by));
        if volume.stat(&name).await?.is_none() {
            return Ok(name);
        }
        by = Token(by.0.saturating_add(1));
    }
}

async fn read_dead(volume: &dyn Volume, dir: &str, mine: Token) -> Result<Vec<FencedTerm>, GenerateError> {
    let mut dead = Vec::new();
    for entry in volume.list(dir).await? {
        let Some(Name::Fenced(token)) = parse_name(&entry.name).filter(|name| mine.may_precede(name.token())) else {
            continue;
        };
        if entry.kind != EntryKind::Dir && !planted("tombstone taken along") {
            // A tombstone that an older holder's rename, under way for long, took away; its name has another by now.
            continue;
        }
        let path = format!("{dir}/{}", entry.name);
        let journal_bytes = read_journal(volume, &path).await?;
        let journal = Journal::parse(&journal_bytes);
        let has_files = volume.list(&path).await?.iter().any(|entry| entry.bytes > 0);
        dead.push(FencedTerm { token, dir: path, journal, journal_bytes, has_files });
    }
    dead.sort_by_key(|dead| std::cmp::Reverse(dead.token));
    Ok(dead)
}

/// The bytes of a folder's journal. Empty where there is no journal.
///
/// # Errors
/// When it is there but cannot be read.
pub async fn read_journal(volume: &dyn Volume, dir: &str) -> Result<Vec<u8>, VolumeError> {
    let path = format!("{dir}/{JOURNAL}");
    let file = match volume.open(&path).await {
        Ok(file) => file,
        Err(VolumeError::NotFound { .. }) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut bytes = read_up_to(&*file, JOURNAL_BYTES_MAX, |chunk| chunk.contains(&0)).await?;
    if let Some(hole) = bytes.iter().position(|byte| *byte == 0) {
        // A journal is text. One zero is enough to see that it is damaged.
        bytes.truncate(hole + 1);
    }
    Ok(bytes)
}

/// Unlinks what an older holder left and removes its folder, until that succeeds.
///
/// # Errors
/// When something in it cannot be removed before the term ends.
pub async fn remove(ports: &Ports, dead: &FencedTerm, term: &Term) -> Result<(), GenerateError> {
    let volume = &*ports.volume;
    if planted("renamed only") {
        return Ok(());
    }
    loop {
        for entry in volume.list(&dead.dir).await? {
            match volume.unlink(term, &format!("{}/{}", dead.dir, entry.name)).await {
                Ok(()) | Err(VolumeError::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        crash_point!("fence.unlinked");
        match volume.remove_dir(term, &dead.dir).await {
            Ok(()) | Err(VolumeError::NotFound { .. }) => return Ok(()),
            Err(VolumeError::NotEmpty { .. }) => ports.clock.sleep(REMOVE_AGAIN_AFTER).await,
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn older(found: &[u64], mine: u64, is_new: bool) -> Vec<u64> {
        older_tokens(&found.iter().copied().map(Token).collect(), Token(mine), is_new).iter().map(|t| t.0).collect()
    }

    #[test]
    fn every_older_token_of_a_young_worker_gets_a_tombstone() {
        assert_eq!(older(&[], 1, true), [] as [u64; 0]);
        assert_eq!(older(&[], 4, true), [3, 2, 1]);
        assert_eq!(older(&[2], 4, false), [3, 2, 1]);
    }

    #[test]
    fn no_number_above_all_counting_is_counted_on_from() {
        let to = |tokens: &[u64]| counted_to(tokens.iter().copied().map(Token)).0;
        let reach = Token::REACH;
        assert_eq!((to(&[]), to(&[7, 3]), to(&[u64::MAX, 7])), (0, 7, 7));
        assert_eq!((to(&[7, 7 + reach]), to(&[7, 8 + reach])), (7 + reach, 7));
        assert_eq!(to(&[u64::MAX, 1 << 62, reach + 1]), 0, "alone, none of them is believed");
    }

    #[test]
    fn a_high_token_makes_few_tombstones() {
        assert_eq!(older(&[], 5000, true), [] as [u64; 0]);
        assert_eq!(older(&[], 5000, false).len(), 64);
        let tokens = older(&[100, 4998], 5000, false);
        assert!(tokens.contains(&100) && tokens.contains(&4998) && tokens.contains(&4999));
        assert_eq!(tokens.len(), 65);
    }
}
