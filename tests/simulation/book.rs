//! What must hold at every moment, kept outside of what is tested.

use crate::disk::{Disk, Id};
use crate::sim::TTL;
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
    /// Correlation ids of completion events as the broker has them, by business date and file.
    pub events: BTreeMap<(String, String), (String, u64)>,
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

    /// Compares published files with what they were; forgets those that may have been lost in a power failure.
    pub fn check_published(&mut self, disk: &Disk) {
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
