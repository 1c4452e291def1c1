//! What there is at one moment: store, volume, and how far each holder is.

/// Tokens that are minted.
pub const TOKENS: u8 = 3;

/// Files of the run.
pub const FILES: usize = 2;

/// Pages of the view.
pub const PAGES: usize = 2;

/// A holder's number, in the order in which they won their tokens. A store that forgets gives one token twice.
pub type Owner = usize;

/// Whose bytes stand on each page, none before anything does. Two holders never write the same: the view may have moved
/// between them.
pub type Pages = [Option<Owner>; PAGES];

/// What a token's name in the run's folder stands for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Name {
    #[default]
    Free,
    Folder(Owner),
    Tombstone,
}

/// Where a holder's folder is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Place {
    #[default]
    None,
    /// Under its token's name.
    Live,
    /// Renamed away.
    Fenced,
    /// Emptied and removed.
    Gone,
}

/// A journal as far as it is durable.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Journal {
    pub open: bool,
    pub pages: Pages,
    pub complete: bool,
}

/// One holder's folder.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Folder {
    pub place: Place,
    pub journal: Journal,
    /// Whose files are in it: its own, unless the control shares them.
    pub inodes: Owner,
}

/// A file under its final name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Visible {
    /// Whose file has the name.
    pub inodes: Owner,
    /// What stood under the name when it first appeared.
    pub first: Pages,
}

/// The next effect of a holder.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Step {
    /// Looks at the names in the run's folder.
    Enter,
    /// Puts a tombstone where this token has no name, or renames its folder away.
    Bury(u8),
    /// Puts the tombstone where the folder was.
    Tombstone(u8),
    /// Reads what older holders committed.
    Choose,
    /// Makes its own folder.
    Make,
    /// Copies the committed prefix into it.
    Copy,
    /// Writes the beginning of its own journal.
    Open,
    /// Empties and removes this older holder's folder, if it was renamed away; then all behind it.
    Remove(Owner),
    /// Writes a page to all files, side by side.
    Write {
        page: usize,
        done: [bool; FILES],
    },
    /// Appends the page to the journal: the commit point.
    Commit(usize),
    /// Appends to the journal that all is there.
    Complete,
    /// Gives a file its final name.
    Publish(usize),
    Manifest,
    Ended,
}

/// One holder's time in office.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Term {
    pub token: u8,
    pub next: Step,
    /// Whose folder is taken over.
    pub from: Option<Owner>,
    /// Pages that are committed, as the holder knows it.
    pub kept: Pages,
    pub complete: bool,
    /// Effects that may still arrive, once a newer token was minted and late effects are counted.
    pub under_way: Option<u8>,
}

impl Term {
    pub fn new(token: u8) -> Self {
        Self { token, next: Step::Enter, from: None, kept: [None; PAGES], complete: false, under_way: None }
    }

    /// Nothing of it matters any more.
    pub fn ended(token: u8) -> Self {
        Self { next: Step::Ended, ..Self::new(token) }
    }

    /// What comes behind the pages that are committed.
    pub fn work(&self) -> Step {
        match self.kept.iter().position(Option::is_none) {
            Some(page) => Step::Write { page, done: [false; FILES] },
            None if self.complete => Step::Publish(0),
            None => Step::Complete,
        }
    }

    /// How many effects are under way at once.
    pub fn side_by_side(&self) -> u8 {
        match self.next {
            Step::Write { done, .. } => done.iter().map(|done| u8::from(!done)).sum(),
            _ => 1,
        }
    }

    pub fn count_down(&mut self) {
        if let Some(left) = &mut self.under_way {
            *left -= 1;
            if *left == 0 {
                self.next = Step::Ended;
            }
        }
    }
}

/// What must never be.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one fault")]
pub struct Faults {
    pub uncommitted: bool,
    pub won_twice: bool,
    pub late: bool,
    pub conflict: bool,
}

/// All there is.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct State {
    /// Tokens that the store knows as claimed.
    pub claims: Vec<u8>,
    pub forgotten: bool,
    /// The token that each standing pod is about to claim. Pods are alike: only how many stand for what counts.
    pub standing: Vec<u8>,
    pub terms: Vec<Term>,
    names: [Name; TOKENS as usize],
    pub folders: [Folder; TOKENS as usize],
    pub inodes: [[Pages; FILES]; TOKENS as usize],
    pub published: [Option<Visible>; FILES],
    /// The token of the manifest that is there.
    pub manifest: Option<u8>,
    /// The newest holder that has fenced the volume.
    pub fenced: u8,
    /// Somebody was told that it was replaced.
    pub refused: bool,
    pub faults: Faults,
}

impl State {
    /// The highest token of store and volume.
    pub fn highest(&self) -> u8 {
        let traces = (1..=TOKENS).rev().find(|token| self.has_trace(*token));
        traces.max(self.claims.iter().max().copied()).unwrap_or(0)
    }

    /// Whether the run's folder has a name with this token.
    pub fn has_trace(&self, token: u8) -> bool {
        self.name(token) != Name::Free || self.dead().any(|owner| self.terms[owner].token == token)
    }

    /// Whose folders are renamed away, the newest token first.
    pub fn dead(&self) -> impl Iterator<Item = Owner> {
        let mut owners: Vec<Owner> =
            (0..self.terms.len()).filter(|owner| self.folders[*owner].place == Place::Fenced).collect();
        owners.sort_by_key(|owner| std::cmp::Reverse(self.terms[*owner].token));
        owners.into_iter()
    }

    pub fn name(&self, token: u8) -> Name {
        self.names[usize::from(token) - 1]
    }

    pub fn name_mut(&mut self, token: u8) -> &mut Name {
        &mut self.names[usize::from(token) - 1]
    }

    pub fn published_are_unchanged(&self) -> bool {
        let unchanged = |(file, there): (usize, &Option<Visible>)| {
            there.is_none_or(|there| self.inodes[there.inodes][file] == there.first)
        };
        self.published.iter().enumerate().all(unchanged)
    }

    /// No two files show pages of different holders, and none shows a page that is not there.
    pub fn published_agree(&self) -> bool {
        let visible = || self.published.iter().enumerate().filter_map(|(file, there)| there.map(|there| (file, there)));
        let mut shown = visible().map(|(file, there)| self.inodes[there.inodes][file]);
        let first = shown.next();
        first.is_none_or(|first| !first.contains(&None) && shown.all(|other| other == first))
    }
}
