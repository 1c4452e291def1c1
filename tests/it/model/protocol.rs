//! The protocol as a state machine: tokens are minted, volumes fenced, pages committed, files published.
//!
//! Any pod may stand for the lease at any moment, and whoever has a token goes on with it step by step, however late
//! each step comes: that is more than a stopped process, a slow disk or a network can do.

use super::state::{FILES, Name, Owner, PAGES, Place, State, Step, TOKENS, Term, Visible};
use stateright::{Model, Property};

/// How names are looked up when a late effect arrives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Volume {
    /// By path, each time: a folder that was renamed away is not found any more. An open file is never refused.
    Local,
    /// By handle, as a network client's cache has it: only what is removed is stale.
    Network,
}

/// The protocol, and what can be taken from it to see that it is missed.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each takes one part away")]
pub struct Protocol {
    pub volume: Volume,
    /// Pods that stand for the lease at once.
    pub pods: usize,
    /// Whoever was replaced goes on for ever: no clock ends its term. Else only what was under way when the next token
    /// was minted arrives late.
    pub timeless: bool,
    /// The store may lose all its claims, once.
    pub forgets: bool,
    /// Older folders are renamed away, with tombstones in their place.
    pub fences: bool,
    /// Older folders are emptied and removed.
    pub removes: bool,
    /// A holder writes into files of its own.
    pub copies: bool,
    /// A file gets its final name by link, which never replaces; else by rename.
    pub links: bool,
    /// The store refuses a second claim to one token.
    pub refuses: bool,
}

impl Protocol {
    pub fn of(volume: Volume) -> Self {
        Self {
            volume,
            pods: 3,
            timeless: false,
            forgets: false,
            fences: true,
            removes: true,
            copies: true,
            links: true,
            refuses: true,
        }
    }
}

/// What can happen next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// A pod reads the highest token there is, and will claim the one behind it.
    Look,
    /// A pod inserts its claim to this token.
    Claim(u8),
    /// The store loses its claims.
    Forget,
    /// The next effect of this term arrives; where files are written side by side, that of this file.
    Effect(usize, usize),
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::default()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.standing.len() < self.pods && state.highest() < TOKENS {
            actions.push(Action::Look);
        }
        let mut claims = state.standing.clone();
        claims.dedup();
        actions.extend(claims.into_iter().map(Action::Claim));
        if self.forgets && !state.forgotten && !state.claims.is_empty() {
            actions.push(Action::Forget);
        }
        for (index, term) in state.terms.iter().enumerate() {
            match term.next {
                Step::Ended => {}
                Step::Write { done, .. } => {
                    actions.extend((0..FILES).filter(|file| !done[*file]).map(|file| Action::Effect(index, file)));
                }
                _ => actions.push(Action::Effect(index, 0)),
            }
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        match action {
            Action::Look => {
                next.standing.push(state.highest() + 1);
                next.standing.sort_unstable();
            }
            Action::Claim(token) => self.claim(&mut next, token),
            Action::Forget => {
                next.forgotten = true;
                next.claims.clear();
            }
            Action::Effect(index, file) => self.effect(&mut next, index, file),
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always("a published file never changes", |_, state: &State| state.published_are_unchanged()),
            Property::always("published files are of one mind", |_, state: &State| state.published_agree()),
            Property::always("what is published was committed", |_, state: &State| !state.faults.uncommitted),
            Property::always("a token has one winner", |_, state: &State| !state.faults.won_twice),
            Property::always("nothing of an older holder appears", |_, state: &State| !state.faults.late),
            Property::sometimes("the third holder publishes", |_, state: &State| state.manifest == Some(TOKENS)),
            Property::sometimes("a replaced holder is refused", |_, state: &State| state.refused),
        ];
        if !self.timeless {
            // Two holders at work for ever may each make a version of its own: one of them is published, and the other
            // says so. That this does not happen is what the deadline is for; the rest holds without it.
            properties.push(Property::always("no run is stuck", |_, state: &State| !state.faults.conflict));
        }
        properties
    }
}

impl Protocol {
    fn claim(&self, state: &mut State, token: u8) {
        let place = state.standing.iter().position(|standing| *standing == token);
        state.standing.remove(place.expect("only those that stand claim"));
        if self.refuses && state.claims.contains(&token) {
            return;
        }
        state.faults.won_twice |= state.claims.contains(&token);
        if !state.claims.contains(&token) {
            state.claims.push(token);
            state.claims.sort_unstable();
        }
        if !self.timeless {
            for term in state.terms.iter_mut().filter(|term| term.under_way.is_none()) {
                term.under_way = Some(term.side_by_side());
            }
        }
        if state.terms.len() < usize::from(TOKENS) {
            state.folders[state.terms.len()].inodes = state.terms.len();
            state.terms.push(Term::new(token));
        }
    }

    fn effect(&self, state: &mut State, owner: Owner, file: usize) {
        let mut term = state.terms[owner].clone();
        let token = term.token;
        term.next = match term.next {
            Step::Enter => self.enter(state, token),
            Step::Bury(older) => bury(state, older),
            Step::Tombstone(older) if state.name(older) == Name::Free => {
                *state.name_mut(older) = Name::Tombstone;
                below(older)
            }
            Step::Tombstone(older) => Step::Bury(older),
            Step::Choose => self.choose(state, &mut term),
            Step::Make => self.make(state, owner, &term),
            Step::Copy => self.copy(state, owner, &mut term),
            Step::Open => {
                let journal = &mut state.folders[owner].journal;
                (journal.open, journal.pages, journal.complete) = (true, term.kept, term.complete);
                if self.removes { Step::Remove(0) } else { term.work() }
            }
            Step::Remove(older) if older == state.terms.len() => {
                state.fenced = state.fenced.max(token);
                term.work()
            }
            Step::Remove(older) => {
                if state.folders[older].place == Place::Fenced && state.terms[older].token < token {
                    state.folders[older].place = Place::Gone;
                }
                Step::Remove(older + 1)
            }
            Step::Write { .. } | Step::Commit(_) | Step::Complete if self.is_stale(state, owner) => refused(state),
            Step::Write { page, mut done } => {
                let inodes = state.folders[owner].inodes;
                state.inodes[inodes][file][page] = Some(owner);
                done[file] = true;
                if done == [true; FILES] { Step::Commit(page) } else { Step::Write { page, done } }
            }
            Step::Commit(page) => {
                state.folders[owner].journal.pages[page] = Some(owner);
                term.kept[page] = Some(owner);
                term.work()
            }
            Step::Complete => {
                state.folders[owner].journal.complete = true;
                Step::Publish(0)
            }
            Step::Publish(file) => self.publish(state, owner, file),
            Step::Manifest if self.finds_own(state, owner) => {
                state.manifest = state.manifest.or(Some(token));
                Step::Ended
            }
            Step::Manifest => refused(state),
            Step::Ended => Step::Ended,
        };
        term.count_down();
        state.terms[owner] = if term.next == Step::Ended { Term::ended(token) } else { term };
    }

    /// Looks for names of this token or a newer one: then somebody was faster.
    fn enter(&self, state: &mut State, token: u8) -> Step {
        match (self.fences, (token..=TOKENS).any(|other| state.has_trace(other))) {
            (true, true) => refused(state),
            (true, false) => below(token),
            (false, _) => Step::Choose,
        }
    }

    /// The newest older folder with a journal of its own; what it holds is read now.
    fn choose(&self, state: &mut State, term: &mut Term) -> Step {
        let mut older: Vec<Owner> = state.dead().collect();
        if !self.fences {
            older.extend((1..term.token).rev().filter_map(|token| match state.name(token) {
                Name::Folder(owner) => Some(owner),
                Name::Free | Name::Tombstone => None,
            }));
        }
        term.from = older.into_iter().find(|owner| state.folders[*owner].journal.open);
        if let Some(from) = term.from {
            let journal = state.folders[from].journal;
            (term.kept, term.complete) = (journal.pages, journal.complete);
        }
        if self.volume == Volume::Local || !self.removes {
            state.fenced = state.fenced.max(term.token);
        }
        Step::Make
    }

    fn make(&self, state: &mut State, owner: Owner, term: &Term) -> Step {
        if state.name(term.token) != Name::Free {
            return refused(state);
        }
        *state.name_mut(term.token) = Name::Folder(owner);
        state.folders[owner].place = Place::Live;
        if let Some(from) = term.from.filter(|_| !self.copies) {
            state.folders[owner].inodes = state.folders[from].inodes;
        }
        Step::Copy
    }

    /// The committed prefix; what is not there any more is not kept.
    fn copy(&self, state: &mut State, owner: Owner, term: &mut Term) -> Step {
        if !self.finds_own(state, owner) {
            return refused(state);
        }
        if let Some(from) = term.from.filter(|_| self.copies) {
            if state.folders[from].place == Place::Gone {
                (term.kept, term.complete) = ([None; PAGES], false);
            }
            for file in 0..FILES {
                let bytes = state.inodes[state.folders[from].inodes][file];
                state.inodes[owner][file] = std::array::from_fn(|page| term.kept[page].and(bytes[page]));
            }
        }
        Step::Open
    }

    fn publish(&self, state: &mut State, owner: Owner, file: usize) -> Step {
        if !self.finds_own(state, owner) {
            return refused(state);
        }
        let inodes = state.folders[owner].inodes;
        let bytes = state.inodes[inodes][file];
        let next = if file + 1 < FILES { Step::Publish(file + 1) } else { Step::Manifest };
        if let Some(there) = state.published[file].filter(|_| self.links) {
            if state.inodes[there.inodes][file] == bytes {
                return next;
            }
            state.faults.conflict = true;
            return Step::Ended;
        }
        let journal = state.folders[owner].journal;
        state.faults.uncommitted |= !journal.complete || journal.pages != bytes;
        state.faults.late |= state.terms[owner].token < state.fenced;
        let first = state.published[file].map_or(bytes, |there| there.first);
        state.published[file] = Some(Visible { inodes, first });
        next
    }

    /// Whether a path through the holder's own folder leads anywhere.
    fn finds_own(&self, state: &State, owner: Owner) -> bool {
        match self.volume {
            Volume::Local => state.folders[owner].place == Place::Live,
            Volume::Network => matches!(state.folders[owner].place, Place::Live | Place::Fenced),
        }
    }

    /// Whether the holder's open files are refused. A local file system never does: they lead to orphans.
    fn is_stale(&self, state: &State, owner: Owner) -> bool {
        self.volume == Volume::Network && state.folders[owner].place == Place::Gone
    }
}

/// Takes one older name away.
fn bury(state: &mut State, older: u8) -> Step {
    match state.name(older) {
        Name::Free => *state.name_mut(older) = Name::Tombstone,
        Name::Tombstone => {}
        Name::Folder(owner) => {
            *state.name_mut(older) = Name::Free;
            state.folders[owner].place = Place::Fenced;
            return Step::Tombstone(older);
        }
    }
    below(older)
}

/// Behind the burial of this token: that of the next older one.
fn below(token: u8) -> Step {
    if token > 1 { Step::Bury(token - 1) } else { Step::Choose }
}

fn refused(state: &mut State) -> Step {
    state.refused = true;
    Step::Ended
}
