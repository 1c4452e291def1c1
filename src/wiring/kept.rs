//! What each kind of file keeps on this host, and with which permissions it lies there, as `doctor` shows it.

use crate::core::doctor::permissions::{Kept, Nature};
use crate::core::doctor::report::Area;
use crate::core::ingest::spec::{Ingest, SourceSpec};
use crate::core::model::database::Database;
use crate::core::model::secret::Secret;
use crate::core::transfer::spec::{TargetSpec, Transfer};
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
    [file].into_iter().chain(beside).chain(around(path)).collect()
}

/// The folder around a file.
fn around(path: &Path) -> Option<Kept> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    at(folder, Nature::Around, "who writes there may put another file in its place")
}

/// Folders of files that count, as far as they are there.
fn folders<'a>(paths: impl IntoIterator<Item = &'a Path>) -> impl Iterator<Item = Kept> {
    let why = "who writes there may put another file in the place of each";
    paths.into_iter().filter_map(move |path| at(path, Nature::Around, why))
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

/// Where a worker publishes.
pub fn kept_output(root: &Path) -> Vec<Kept> {
    folders([root]).collect()
}

/// What an ingest keeps.
pub fn kept_by_ingest(ingest: &Ingest) -> Vec<(Area, Vec<Kept>)> {
    let sink = database(&ingest.sink.url, "the rows and how far the log is read stand in it");
    let letters = database(&ingest.dead_letters.url, "events stand in it as they came");
    let letters = letters.into_iter().filter(|kept| sink.iter().all(|other| other.path != kept.path)).collect();
    let events = match &ingest.source {
        SourceSpec::File(path) => {
            let file = at(path, Nature::Foreign, "who writes to it decides what becomes rows");
            file.into_iter().chain(around(path)).collect()
        }
        SourceSpec::Kafka(_) => Vec::new(),
    };
    vec![(Area::Source, events), (Area::Sink, sink), (Area::Queue, letters)]
}

/// What a transfer keeps.
pub fn kept_by_transfer(transfer: &Transfer) -> Vec<(Area, Vec<Kept>)> {
    /// Why nobody else may read or write files on their way.
    const FILES: &str = "files stand in it before they are where they should be";
    let own = |folder: &Path| {
        let own = at(&folder.join(transfer.id.as_str()), Nature::Folder, FILES);
        own.into_iter().chain(folders([folder])).collect::<Vec<_>>()
    };
    let collect = transfer.collect.iter();
    let collect = collect.flat_map(|collect| [&*collect.directory, &*collect.archive, &*collect.error]);
    let deliver = transfer.deliver.iter();
    let deliver = deliver.flat_map(|deliver| {
        let to = match &deliver.to {
            TargetSpec::Directory(path) => folders([&**path]).collect::<Vec<_>>(),
            TargetSpec::S3(_) => Vec::new(),
            TargetSpec::Sftp(spec) => {
                let key = spec.login.key.iter();
                key.filter_map(|path| at(path, Nature::File, "whoever has the key delivers in our name")).collect()
            }
        };
        own(&deliver.work).into_iter().chain(to)
    });
    vec![
        (Area::Source, folders(collect).collect()),
        (Area::State, database(&transfer.state, "who writes to it decides what is sent")),
        (Area::Broker, transfer.broker.folder().map(own).unwrap_or_default()),
        (Area::Output, deliver.collect()),
    ]
}
