//! New files of a data source's folder: found when they hold still, known by their content, and told once, or brought to a transfer once.

mod event;
pub(super) mod known;
mod ready;
#[cfg(test)]
mod tests;

pub use event::{DISCOVERED, FileDiscovered};

use super::action::{ActionError, Done, Firing};
use super::looks::Looks;
use super::roots::{Place, Roots};
use crate::core::failpoints::crash::crash_point;
use crate::core::failpoints::planted::planted;
use crate::core::inlet::Inlet;
use crate::core::model::amount::counted;
use crate::core::model::data_source::{Action, DataSource, DataSourceId, Discover};
use crate::core::model::pattern::Pattern;
use crate::core::model::shown;
use crate::core::ports::clock::Clock;
use crate::core::ports::data_sources::DataSources;
use crate::core::ports::folders::{Content, FolderError, FoundFile, Listing};
use crate::core::ports::ledger::{Ledger, ToldFile};
use crate::core::ports::observer::Observer;
use crate::core::ports::store::StoreError;
use async_trait::async_trait;
use jiff::Timestamp;
use known::Known;
use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Files whose entries of the ledger are asked for at once.
const AT_ONCE: usize = 1000;

/// Faults of single files that an outcome names.
const NAMED_MAX: usize = 3;

/// Looks for new files.
pub struct Discovery {
    /// Data sources.
    pub sources: Arc<dyn DataSources>,
    /// What was told.
    pub ledger: Arc<dyn Ledger>,
    /// Folders.
    pub looks: Arc<Looks>,
    /// Folders that may be looked at.
    pub roots: Roots,
    /// A file is ready when it held still for so long, unless its data source says otherwise.
    pub stable_for: Duration,
    /// A file of more bytes is passed over, and told by its name: reading one without end would keep others waiting.
    pub max_size: u64,
    /// A look that takes longer has failed: a disk that hangs keeps no place.
    pub look_within: Duration,
    /// Whether there is a topic for what is found. Without one, the outbox stays empty.
    pub has_topic: bool,
    /// The transfers of the same process, which take files.
    pub inlets: Vec<Inlet>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Notified when an event waits.
    pub wake: Arc<Notify>,
    /// Hears of each new file.
    pub observer: Arc<dyn Observer<FileDiscovered>>,
}

/// What a look at a folder found.
#[derive(Default)]
struct Tally {
    seen: u64,
    new: u64,
    /// Files that still move, or are marked by their writer.
    unready: u64,
    vanished: u64,
    /// Files that cannot be read: each a sentence.
    faults: Vec<String>,
    /// Folders that cannot be looked into: each a sentence.
    closed: Vec<String>,
    /// Files that are larger than what is read.
    large: Vec<String>,
    /// What is worth a note.
    notes: Vec<String>,
}

/// One look at one folder.
struct Look<'a> {
    source: &'a DataSource,
    place: Place,
    firing: &'a Firing,
    /// Where new files are brought. `None`: they are told.
    inlet: Option<&'a Inlet>,
    tally: Tally,
}

#[async_trait]
impl super::action::Action for Discovery {
    async fn run(&self, firing: &Firing) -> Result<Done, ActionError> {
        let failed = |reason: String| ActionError::failed(reason);
        let id = DataSourceId::new(&firing.schedule.data_source_id);
        let found = match &id {
            Some(id) => self.sources.data_source(id).await.map_err(|error| failed(error.to_string()))?,
            None => None,
        };
        let source = found.ok_or_else(|| failed("its data source is gone".to_owned()))?;
        let usual = Discover::default();
        let (settings, inlet) = match &source.action {
            Action::Discover(settings) => (settings, None),
            Action::Transfer(name) => (&usual, Some(self.inlet(name)?)),
            Action::Run(_) => return Err(failed("its data source looks for no files".to_owned())),
        };
        let place = self.roots.place(&source.path);
        let place =
            place.map_err(|fault| failed(format!("the folder {} cannot be looked at: {fault}", source.path)))?;
        let pattern =
            Pattern::parse(&source.pattern).map_err(|fault| failed(format!("the pattern is wrong: {fault}")))?;
        let mut look = Look { source: &source, place, firing, inlet, tally: Tally::default() };
        let ended = tokio::select! {
            biased;
            () = firing.stop.cancelled() => Err(ActionError::Interrupted),
            ended = self.look(&mut look, &pattern, settings) => ended,
            () = self.clock.sleep(self.look_within) => {
                let (limit, new) = (self.look_within, counted(look.tally.new, "new file"));
                Err(failed(format!("the look at {} took longer than {limit:?}; {new} told by then", source.path)))
            }
        };
        look.tally.end(ended)
    }
}

impl Discovery {
    async fn look(&self, look: &mut Look<'_>, pattern: &Pattern, settings: &Discover) -> Result<(), ActionError> {
        let Listing { files, unnameable, .. } = self.list(look, pattern).await?;
        let unnameable: Vec<String> = unnameable.into_iter().filter(|path| pattern.fits(path)).collect();
        let wanted = ready::ready(&files, pattern, settings);
        look.tally.seen = wanted.fits + unnameable.len() as u64;
        look.tally.faults.extend(unnameable.into_iter().map(|path| FolderError::Unnameable { path }.to_string()));
        look.tally.unready = wanted.marked;
        if wanted.files.is_empty() {
            return Ok(());
        }
        let words = &look.source.path;
        let home = self.ledger.home(&look.source.id, &known::home(words, &self.roots)).await.map_err(away)?;
        let known = Known::of(words, &home, &self.roots);
        let candidates = self.unknown(look, &known, wanted.files).await?;
        if candidates.is_empty() {
            return Ok(());
        }
        self.clock.sleep(settings.stable_for.unwrap_or(self.stable_for)).await;
        // What holds still between the two looks is not being written.
        let now = self.list(look, pattern).await?.files;
        let still: HashSet<(&str, &str)> = now.iter().map(|file| (file.path.as_str(), file.stamp.as_str())).collect();
        let there: HashSet<&str> = now.iter().map(|file| file.path.as_str()).collect();
        for file in &candidates {
            if file.size > self.max_size {
                look.tally.large.push(shown::name(&file.path));
            } else if still.contains(&(file.path.as_str(), file.stamp.as_str())) {
                self.read(look, &known, file).await?;
            } else if there.contains(file.path.as_str()) {
                look.tally.unready += 1;
            } else {
                look.tally.vanished += 1;
            }
        }
        Ok(())
    }

    fn inlet(&self, name: &str) -> Result<&Inlet, ActionError> {
        let found = self.inlets.iter().find(|inlet| inlet.name == name);
        found.ok_or_else(|| {
            let reason = format!(
                "no transfer {} that collects is served by this process: name its file beside the scheduler's with `-c`",
                shown::name(name)
            );
            ActionError::failed(reason)
        })
    }

    /// Brings a new version to where it goes, before the ledger has it: whoever dies in between brings it again, and it is there already.
    /// `false` when it did not go in; the next look tries it again.
    async fn bring(&self, look: &mut Look<'_>, file: &ToldFile, below: &str, name: &str) -> Result<bool, ActionError> {
        let Some(inlet) = look.inlet else { return Ok(true) };
        if self.ledger.is_told(&file.id).await.map_err(away)? {
            return Ok(true);
        }
        let content = Content {
            sha256: file.sha256.clone(),
            size: file.size,
            modified_at: file.modified_at,
            stamp: file.stamp.clone(),
        };
        let taken = inlet.take(&look.place.root, below, &content, name).await;
        crash_point!("discover.brought");
        if let Err(error) = taken {
            look.tally.faults.push(error.to_string());
            return Ok(false);
        }
        Ok(true)
    }

    async fn list(&self, look: &mut Look<'_>, pattern: &Pattern) -> Result<Listing, ActionError> {
        let deep = look.source.recursive || pattern.has_folders();
        let listed = self.looks.list(&look.place, deep).await;
        let mut listing = listed.map_err(|error| ActionError::failed(error.to_string()))?;
        look.tally.notes = std::mem::take(&mut listing.odd);
        look.tally.closed = std::mem::take(&mut listing.closed);
        Ok(listing)
    }

    /// The files that are not known to be told, by what the file system says of them.
    async fn unknown(
        &self,
        look: &Look<'_>,
        known: &Known,
        files: Vec<FoundFile>,
    ) -> Result<Vec<FoundFile>, ActionError> {
        // Asked for in the ledger's order, and given back in that of the folder.
        let mut paths: Vec<(usize, Cow<'_, str>)> =
            files.iter().enumerate().map(|(number, file)| (number, known.path(&file.path))).collect();
        paths.sort_by(|(_, a), (_, b)| a.cmp(b));
        let mut is_known = vec![false; files.len()];
        for paths in paths.chunks(AT_ONCE) {
            let (Some((_, first)), Some((_, last))) = (paths.first(), paths.last()) else { continue };
            let told = self.ledger.told(&look.source.id, first, last).await.map_err(away)?;
            let told: HashSet<(&str, &str)> = told.iter().map(|(path, stamp)| (&**path, &**stamp)).collect();
            for (number, path) in paths {
                is_known[*number] = told.contains(&(&**path, files[*number].stamp.as_str()));
            }
        }
        drop(paths);
        let mut is_known = is_known.into_iter();
        Ok(files.into_iter().filter(|_| !is_known.next().unwrap_or_default()).collect())
    }

    /// Reads a file, and tells it unless it was told.
    async fn read(&self, look: &mut Look<'_>, known: &Known, file: &FoundFile) -> Result<(), ActionError> {
        let below = match look.place.below.as_str() {
            "" => file.path.clone(),
            folder => format!("{folder}/{}", file.path),
        };
        let content = match self.looks.read(&look.place, &below).await {
            Ok(content) if content.stamp == file.stamp => content,
            // It was written to while it was read.
            Ok(_) => {
                look.tally.unready += 1;
                return Ok(());
            }
            Err(FolderError::Missing { .. }) => {
                look.tally.vanished += 1;
                return Ok(());
            }
            Err(error) => {
                look.tally.faults.push(error.to_string());
                return Ok(());
            }
        };
        let now = self.clock.now();
        let now = Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
        let path = known.path(&file.path).into_owned();
        let told = ToldFile {
            id: event::id(&look.source.id, &path, &content.sha256, content.size),
            source: look.source.id.clone(),
            path,
            size: content.size,
            sha256: content.sha256,
            stamp: content.stamp,
            modified_at: content.modified_at,
            discovered_at: now,
            execution: look.firing.execution.id.clone(),
        };
        let whole = look.place.root.join(&below).display().to_string();
        let event = FileDiscovered::of(&told, whole);
        let entry = event.entry();
        look.firing.term.check().map_err(|_| ActionError::Interrupted)?;
        crash_point!("discover.read");
        if !self.bring(look, &told, &below, &file.path).await? {
            return Ok(());
        }
        let mut entry = Some(&entry).filter(|_| self.has_topic && look.inlet.is_none());
        if planted("told before the ledger") {
            let id = format!("{} by {}", told.id, told.execution);
            let apart = ToldFile { id, path: String::new(), ..told.clone() };
            self.ledger.tell(&apart, entry.take()).await.map_err(away)?;
        }
        let is_new = self.ledger.tell(&told, entry).await.map_err(away)?;
        crash_point!("discover.told");
        if is_new {
            look.tally.new += 1;
            self.observer.observe(&event);
            self.wake.notify_one();
        }
        Ok(())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is passed by its name to `map_err`")]
fn away(error: StoreError) -> ActionError {
    ActionError::failed(error.to_string())
}

impl Tally {
    /// The outcome: what could not be read fails the execution; all else was done before.
    fn end(mut self, ended: Result<(), ActionError>) -> Result<Done, ActionError> {
        let done = Done { files_seen: self.seen, files_new: self.new, note: self.note() };
        match ended {
            Ok(()) if self.faults.is_empty() && self.closed.is_empty() => Ok(done),
            Ok(()) => Err(ActionError::Failed { reason: self.fault(), done }),
            Err(ActionError::Failed { reason, .. }) => Err(ActionError::Failed { reason, done }),
            Err(ActionError::Interrupted) => Err(ActionError::Interrupted),
        }
    }

    fn fault(&self) -> String {
        let Self { new, seen, faults, closed, .. } = self;
        let named: Vec<&str> = faults.iter().chain(closed).take(NAMED_MAX).map(String::as_str).collect();
        let named = named.join("; ");
        let more = (faults.len() + closed.len()).saturating_sub(NAMED_MAX);
        let more = if more == 0 { String::new() } else { format!("; and {more} more") };
        let folders = match closed.len() as u64 {
            0 => String::new(),
            count => format!(", {} in it cannot be looked into", counted(count, "folder")),
        };
        format!("{new} of {seen} files are new and done with, {} failed{folders}: {named}{more}", faults.len())
    }

    fn note(&mut self) -> Option<String> {
        let mut notes = std::mem::take(&mut self.notes);
        let large = &self.large;
        if !large.is_empty() {
            let named = large.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
            let count = counted(large.len() as u64, "file");
            notes.push(format!("{count} passed over, larger than `defaults.max_size`: {named}"));
        }
        if self.unready > 0 {
            let count = counted(self.unready, "file");
            notes.push(format!("{count} not ready: still written, or marked by the writer"));
        }
        if self.vanished > 0 {
            notes.push(format!("{} vanished during the look", counted(self.vanished, "file")));
        }
        (!notes.is_empty()).then(|| notes.join("; "))
    }
}
