//! The digest of all settings that shape a run's bytes. The journal's first line holds it. A run is continued only under settings
//! with the same digest.
//!
//! Settings under which earlier builds write the same bytes have the digest that those builds give them. Each build then continues
//! the other's runs. Where this build may write a file in another way, for these kinds of columns, the digest differs. So no build
//! continues a run whose bytes it would change.

use super::spec::Worker;
use super::translate::{Change, FileTranslator};
use crate::core::generate::model::journal::sum_of;
use crate::core::model::column::Column;

/// The number of this build's way to write files; see [`Begin::writes`](crate::core::generate::model::journal::Begin::writes).
pub(super) const WRITES: u32 = 3;

/// The digest of a worker's settings, the digest that earlier builds give them, and the differences between the builds.
pub struct Shape {
    /// One for each way of writing, from the first to this build's. The first has no differences in it.
    digests: Vec<String>,
    changes: Vec<(String, Change)>,
}

/// Whether committed pages fit the settings.
#[derive(PartialEq, Eq, Debug)]
pub enum Fit {
    /// They fit.
    Same,
    /// An earlier build wrote them, and would write these files in another way. Holds what differs.
    Earlier(Vec<String>),
    /// The settings have changed.
    Other,
}

impl Shape {
    /// The shape of a worker and its files' translators. The source's address does not count: it may move between hosts.
    pub fn new<'a>(worker: &Worker, translators: impl Iterator<Item = &'a FileTranslator>) -> Self {
        let source = &worker.source;
        let text = format!(
            "{:?}",
            (&worker.id, &source.view, &source.key, source.page_size, source.page_bytes, source.fetch, &worker.files)
        );
        let changes: Vec<(String, Change)> = (worker.files.iter().zip(translators))
            .flat_map(|(spec, file)| file.changes().into_iter().map(|change| (spec.id.to_string(), change)))
            .collect();
        let digest = |writes: u32| {
            let known = changes.iter().filter(|(_, change)| change.since <= writes);
            sum_of(
                known.fold(text.clone(), |text, (file, change)| format!("{text}\n{file}: {}", change.mark)).as_bytes(),
            )
        };
        Self { digests: (0..=WRITES).map(digest).collect(), changes }
    }

    /// Whether the columns' kinds decide if an earlier build would write the same bytes.
    pub fn hangs_on_kinds(&self) -> bool {
        !self.changes.is_empty()
    }

    /// The digest for the journal's first line of a run over these columns. `None` when the columns are not known.
    pub fn digest(&self, columns: Option<&[Column]>) -> &str {
        let shows = self.differences(0, columns).next().is_some();
        let digest = if shows { self.digests.last() } else { self.digests.first() };
        digest.map_or("", String::as_str)
    }

    /// Whether a run fits that was made with settings of this digest, by a build with this way of writing. `columns` are the run's
    /// own, as far as they are known.
    pub fn fit(&self, spec: &str, writes: u32, columns: Option<&[Column]>) -> Fit {
        let at = |writes: u32| self.digests.get(writes as usize).is_some_and(|digest| digest == spec);
        if writes >= WRITES {
            // Its builder has looked at the kinds: without differences, the digest is the first one.
            return if at(WRITES) || at(0) { Fit::Same } else { Fit::Other };
        }
        if !at(writes) && !at(0) {
            return Fit::Other;
        }
        let differences: Vec<String> = self.differences(writes, columns).collect();
        if differences.is_empty() { Fit::Same } else { Fit::Earlier(differences) }
    }

    /// What a build with an earlier way of writing would write in another way.
    fn differences(&self, writes: u32, columns: Option<&[Column]>) -> impl Iterator<Item = String> {
        let later = self.changes.iter().filter(move |(_, change)| change.since > writes);
        let shown = later.filter(move |(_, change)| columns.is_none_or(|columns| change.shows(columns)));
        shown.map(|(file, change)| format!("file `{file}`: {}", change.what))
    }
}
