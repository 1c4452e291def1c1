//! All settings that shape a run's bytes, as one digest: the journal's first line holds it, and a run is gone on with only
//! where it is the same.
//!
//! Settings that mean what they meant before have the digest that builds before gave them, so that either build goes on with
//! the other's runs. Where the columns' kinds let a file be written in another way since, the digest is another one, too: no
//! build goes on with a run whose bytes it would change.

use super::spec::Worker;
use super::translate::{Change, FileTranslator};
use crate::core::generate::model::journal::{Begin, sum_of};
use crate::core::model::column::Column;

/// In this way files are written under their settings; see [`Begin::writes`].
pub(super) const WRITES: u32 = 1;

/// The digest, and what earlier builds made of the same settings.
pub struct Shape {
    digest: String,
    earlier: String,
    changes: Vec<(String, Change)>,
}

/// Whether committed pages fit the settings.
#[derive(PartialEq, Eq, Debug)]
pub enum Fit {
    /// They do.
    Same,
    /// An earlier build wrote them, and would write these files otherwise: what differs.
    Earlier(Vec<String>),
    /// The settings are others.
    Other,
}

impl Shape {
    /// Of a worker and its files' translators. Not of the address of the source, which may move between hosts.
    pub fn new<'a>(worker: &Worker, translators: impl Iterator<Item = &'a FileTranslator>) -> Self {
        let source = &worker.source;
        let text = format!(
            "{:?}",
            (&worker.id, &source.view, &source.key, source.page_size, source.page_bytes, source.fetch, &worker.files)
        );
        let changes: Vec<(String, Change)> = (worker.files.iter().zip(translators))
            .flat_map(|(spec, file)| file.changes().into_iter().map(|change| (spec.id.to_string(), change)))
            .collect();
        let earlier = sum_of(text.as_bytes());
        let since = changes.iter().fold(text, |text, (file, change)| format!("{text}\n{file}: {}", change.mark));
        Self { digest: sum_of(since.as_bytes()), earlier, changes }
    }

    /// Whether the columns' kinds decide if an earlier build would write the same bytes.
    pub fn hangs_on_kinds(&self) -> bool {
        !self.changes.is_empty()
    }

    /// For the journal's first line of a run over these columns; none: nothing is known of them.
    pub fn digest(&self, columns: Option<&[Column]>) -> &str {
        if self.differences(columns).is_empty() { &self.earlier } else { &self.digest }
    }

    /// Whether a run that began like this fits; `columns` are its own, as far as they are known.
    pub fn fit(&self, begin: &Begin, columns: Option<&[Column]>) -> Fit {
        if begin.spec == self.digest {
            return Fit::Same;
        }
        if begin.spec != self.earlier {
            return Fit::Other;
        }
        // Whoever counts has looked at the kinds before this digest was given.
        let differences = if begin.writes == 0 { self.differences(columns) } else { Vec::new() };
        if differences.is_empty() { Fit::Same } else { Fit::Earlier(differences) }
    }

    /// What an earlier build would write otherwise.
    fn differences(&self, columns: Option<&[Column]>) -> Vec<String> {
        let shown = self.changes.iter().filter(|(_, change)| columns.is_none_or(|columns| change.shows(columns)));
        shown.map(|(file, change)| format!("file `{file}`: {}", change.what)).collect()
    }
}
