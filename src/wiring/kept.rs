//! What each kind of file keeps on this host, and with which permissions it lies there, as `doctor` shows it.

use crate::core::doctor::permissions::{Kept, Nature};
use crate::core::doctor::report::Area;
use crate::core::ingest::spec::{Ingest, SourceSpec};
use crate::core::model::database::Database;
use crate::core::model::secret::Secret;
use crate::core::transfer::spec::Transfer;
use crate::files;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What stands at a path. `None`: nothing, or nobody tells.
fn at(path: &Path, nature: Nature, why: &'static str) -> Option<Kept> {
    Some(Kept { path: path.display().to_string(), mode: files::mode(path)?, nature, why })
}

/// A database of SQLite, what SQLite keeps beside it, and the folder around it. Nothing where it is a server's, or not there yet.
fn database(url: &Secret, why: &'static str) -> Vec<Kept> {
    let Some(path) = Database::sqlite_path(url.reveal()).map(Path::new) else { return Vec::new() };
    let Some(file) = at(path, Nature::File, why) else { return Vec::new() };
    let beside = files::beside_database(path).into_iter().chain(locks(path));
    let beside = beside.filter_map(|path| at(&path, Nature::File, why));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = at(folder, Nature::Around, "who writes there may put another file in its place");
    [file].into_iter().chain(beside).chain(folder).collect()
}

/// The locks of holders, which lie beside the state: who may open one may keep a holder from work.
fn locks(state: &Path) -> Vec<PathBuf> {
    /// Names that are looked at: state lies in a folder of its own, or among a few files.
    const NAMES_MAX: usize = 1000;
    let (Some(folder), Some(name)) = (state.parent(), state.file_name()) else { return Vec::new() };
    let folder_named = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let start = format!("{}.", name.to_string_lossy());
    let names = files::names(folder_named, NAMES_MAX).unwrap_or_default().into_iter();
    let is_lock = |name: &OsString| {
        name.to_str()
            .is_some_and(|name| name.strip_prefix(&start).is_some_and(|rest| rest.rsplit('.').next() == Some("lock")))
    };
    names.filter(is_lock).map(|name| folder.join(name)).collect()
}

/// The state of a worker or a scheduler.
pub fn kept_state(url: &Secret) -> Vec<Kept> {
    database(url, "who writes to it decides who leads")
}

/// What an ingest keeps.
pub fn kept_by_ingest(ingest: &Ingest) -> Vec<(Area, Vec<Kept>)> {
    let sink = database(&ingest.sink.url, "the rows and how far the log is read stand in it");
    let letters = database(&ingest.dead_letters.url, "events stand in it as they came");
    let letters = letters.into_iter().filter(|kept| sink.iter().all(|other| other.path != kept.path)).collect();
    let events = match &ingest.source {
        SourceSpec::File(path) => at(path, Nature::Foreign, "who writes to it decides what becomes rows"),
        SourceSpec::Kafka(_) => None,
    };
    vec![(Area::Source, events.into_iter().collect()), (Area::Sink, sink), (Area::Queue, letters)]
}

/// What a transfer keeps.
pub fn kept_by_transfer(transfer: &Transfer) -> Vec<(Area, Vec<Kept>)> {
    /// Why nobody else may read or write files on their way.
    const FILES: &str = "files stand in it before they are where they should be";
    let own = |folder: &Path| at(&folder.join(transfer.id.as_str()), Nature::Folder, FILES);
    let work = transfer.deliver.as_ref().and_then(|deliver| own(&deliver.work));
    vec![
        (Area::State, database(&transfer.state, "who writes to it decides what is sent")),
        (Area::Broker, transfer.broker.folder().and_then(own).into_iter().collect()),
        (Area::Output, work.into_iter().collect()),
    ]
}
