//! The volume port of one pod.

mod file;

use crate::book::Book;
use crate::disk::{Answer, Change, Disk, Id, Place, Refusal, parent};
use crate::pod::Pod;
use crate::sim::{LATEST, Line, Sim, locked};
use async_trait::async_trait;
use file::SimFile;
use filegen::core::generate::layout::JOURNAL;
use filegen::core::generate::model::journal::Journal;
use filegen::core::model::names::HIDDEN;
use filegen::core::model::term::{Term, Token};
use filegen::core::ports::volume::{Entry, EntryKind, Volume, VolumeError, VolumeFile};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

pub struct SimVolume {
    pub pod: Arc<Pod>,
}

fn error(operation: &'static str, path: &str, refusal: Refusal) -> VolumeError {
    let path = path.to_owned();
    match refusal {
        Refusal::Exists => VolumeError::Exists { path },
        Refusal::NotFound => VolumeError::NotFound { path },
        Refusal::NotEmpty => VolumeError::NotEmpty { path },
        Refusal::Full => VolumeError::Full { path, reason: "quota".to_owned() },
        refusal => VolumeError::Io { operation, path, reason: format!("{refusal:?}") },
    }
}

/// Times until an operation takes effect, and until its caller hears.
fn delays(pod: &Pod) -> (Duration, Duration) {
    let sim = &pod.sim;
    let now = sim.now();
    if let Some(left) = pod.weather.is_cut(Line::Volume, now) {
        // A hard mount: it waits for as long as it takes.
        return (left + sim.rng().millis(Duration::from_secs(1)), Duration::ZERO);
    }
    if sim.strikes(sim.mix.hung) {
        return (sim.rng().millis(LATEST), Duration::ZERO);
    }
    if sim.rng().chance(sim.mix.slow) {
        let mut rng = sim.rng();
        return (rng.millis(Duration::from_millis(40)), rng.millis(Duration::from_millis(10)));
    }
    (Duration::ZERO, Duration::ZERO)
}

/// One operation at the far side.
pub async fn operate<T: Send + 'static>(
    pod: &Pod,
    operation: &'static str,
    path: &str,
    work: impl FnOnce(&Sim, &mut Disk, &mut Book) -> Answer<T> + Send + 'static,
) -> Result<T, VolumeError> {
    let (there, back) = delays(pod);
    let (number, name) = (pod.number, path.to_owned());
    let done = pod
        .far(there, back, None, move |sim| {
            let done = work(sim, &mut locked(&sim.disk), &mut locked(&sim.book));
            let refusal = done.as_ref().err();
            sim.note(number, format_args!("{operation} {name} {refusal:?}"));
            done
        })
        .await;
    done.unwrap_or(Err(Refusal::Io)).map_err(|refusal| error(operation, path, refusal))
}

impl SimVolume {
    /// A change of names. Over a network a lost reply makes the client send it again, and hear what became of that.
    async fn change<T: Send + 'static>(
        &self,
        term: &Term,
        operation: &'static str,
        path: &str,
        work: impl Fn(&mut Disk, &mut Book) -> Answer<T> + Send + 'static,
    ) -> Result<T, VolumeError> {
        self.pod.gate().await;
        self.pod.begin(term)?;
        let sim = &self.pod.sim;
        let full = sim.strikes(sim.mix.full);
        let twice = sim.mix.remote && sim.strikes(sim.mix.repeated / 4);
        operate(&self.pod, operation, path, move |_, disk, book| {
            if full {
                return Err(Refusal::Full);
            }
            let done = work(disk, book);
            if twice { work(disk, book) } else { done }
        })
        .await
    }

    fn place(&self, path: &str) -> Result<Place, VolumeError> {
        locked(&self.pod.sim.disk).place(path).map_err(|refusal| error("reach", path, refusal))
    }

    fn file(&self, id: Id, path: &str, writable: bool) -> Arc<dyn VolumeFile> {
        let (pod, path) = (Arc::clone(&self.pod), path.to_owned());
        Arc::new(SimFile { pod, id, path, writable, failed: AtomicBool::new(false) })
    }
}

/// The token that a staging folder is named after.
fn token_of(path: &str) -> Option<Token> {
    let name = parent(path).1.strip_prefix('t')?;
    name.parse().ok().map(Token)
}

fn staged(book: &mut Book, path: &str, token: Token) {
    if token_of(path) != Some(token) {
        return;
    }
    let run = parent(path).0.to_owned();
    let newest = book.staged.entry(run).or_insert(token);
    if *newest > token {
        let wrong = format!("token {token} made its folder after token {newest} had made its own");
        book.wrong.push(wrong);
    }
    *newest = (*newest).max(token);
}

fn sealed(book: &mut Book, staged: &str, token: Token, what: &str) {
    let run = parent(parent(staged).0).0.to_owned();
    let newest = book.sealed.entry(run).or_insert(token);
    if *newest > token {
        let wrong = format!("token {token} {what} after token {newest} had fenced it");
        book.wrong.push(wrong);
    }
    *newest = (*newest).max(token);
}

/// Over a network nobody reaches a file whose folder a newer holder has removed, not even by a handle.
fn reached(book: &mut Book, staged: &str, token: Token) {
    if let Some(newest) = book.sealed.get(parent(parent(staged).0).0)
        && *newest > token
    {
        let wrong = format!("token {token} still reaches {staged} after token {newest} had fenced it");
        book.wrong.push(wrong);
    }
}

fn is_complete(disk: &Disk, journal: &str) -> bool {
    let file = disk.resolve(journal).ok().and_then(|id| disk.file(id).ok());
    file.is_some_and(|file| Journal::parse(&file.stable).complete().is_some())
}

/// A journal that said that all is done when it was taken over goes only when the new holder's own says so too.
fn end_is_kept(disk: &Disk, book: &mut Book, path: &str, token: Token) {
    let own = format!("{}/t{:08}/{JOURNAL}", parent(parent(path).0).0, token.0);
    if book.complete.contains(path) && disk.resolve(&own).is_ok() && !is_complete(disk, &own) {
        book.wrong.push(format!("token {token} removed {path}, which was complete, and its own journal is not"));
    }
}

/// From the first published file on, all files of a run are finished, whoever goes on with it.
fn ended(book: &mut Book, staged: &str, token: Token) {
    let date = parent(parent(parent(staged).0).0).1;
    if let Some(name) = book.published.keys().find(|name| name.contains(date)) {
        let wrong = format!("token {token} wrote records to {staged} when `{name}` was published");
        book.wrong.push(wrong);
    }
}

fn published(disk: &Disk, book: &mut Book, id: Id, to: &str) {
    let Ok(file) = disk.file(id) else { return };
    if file.seen != file.stable {
        book.wrong.push(format!("`{to}` was published before its bytes were durable"));
    }
    let before = book.published.insert(to.to_owned(), (id, file.seen.clone()));
    if before.is_some_and(|(before, _)| before != id) {
        book.wrong.push(format!("published `{to}` was replaced"));
    }
}

fn entry(name: &str, id: Id, disk: &Disk, node: usize) -> Entry {
    let name = name.to_owned();
    match disk.view(node, id) {
        Ok(bytes) => Entry { name, kind: EntryKind::File, bytes: bytes.len() as u64 },
        Err(_) => Entry { name, kind: EntryKind::Dir, bytes: 0 },
    }
}

#[async_trait]
impl Volume for SimVolume {
    fn describe(&self) -> String {
        "simulated".to_owned()
    }

    async fn make_dir(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        let (place, token, name) = (self.place(path)?, term.token(), path.to_owned());
        self.change(term, "make folder", path, move |disk, book| {
            disk.make_dir(&place)?;
            staged(book, &name, token);
            Ok(())
        })
        .await
    }

    async fn make_dirs(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        let name = path.to_owned();
        self.change(term, "make folders", path, move |disk, _| disk.make_dirs(&name)).await
    }

    async fn create(&self, term: &Term, path: &str) -> Result<Arc<dyn VolumeFile>, VolumeError> {
        let place = self.place(path)?;
        let id = self.change(term, "create", path, move |disk, _| disk.create(&place)).await?;
        Ok(self.file(id, path, true))
    }

    async fn open(&self, path: &str) -> Result<Arc<dyn VolumeFile>, VolumeError> {
        self.pod.gate().await;
        let name = path.to_owned();
        let open = move |_: &Sim, disk: &mut Disk, _: &mut Book| {
            let id = disk.resolve(&name)?;
            disk.file(id).map(|_| id)
        };
        let id = operate(&self.pod, "open", path, open).await?;
        Ok(self.file(id, path, false))
    }

    async fn copy_prefix(&self, term: &Term, from: &str, to: &str, bytes: u64) -> Result<(), VolumeError> {
        let (source, target, node) = (from.to_owned(), to.to_owned(), self.pod.node());
        let by = written_back(&self.pod.sim);
        self.change(term, "copy", from, move |disk, _| {
            let (source, target) = (disk.resolve(&source)?, disk.resolve(&target)?);
            let mut content = disk.view(node, source)?;
            content.truncate(usize::try_from(bytes).unwrap_or(usize::MAX));
            disk.write(node, target, Change::Write(0, content), by)
        })
        .await
    }

    async fn rename(&self, term: &Term, from: &str, to: &str) -> Result<(), VolumeError> {
        let (old, new, name) = (self.place(from)?, self.place(to)?, to.to_owned());
        let (from_name, token) = (from.to_owned(), term.token());
        self.change(term, "rename", from, move |disk, book| {
            disk.rename(&old, &new)?;
            if name.starts_with(HIDDEN) && !from_name.starts_with(HIDDEN) {
                sealed(book, &name, token, "took away a name");
                book.withdrawn(disk, &from_name, disk.resolve(&name)?);
                book.check_manifests(disk);
            }
            let journal = format!("{name}/{JOURNAL}");
            if is_complete(disk, &journal) {
                book.complete.insert(journal);
            }
            if !name.starts_with(HIDDEN) {
                published(disk, book, disk.resolve(&name)?, &name);
            }
            Ok(())
        })
        .await
    }

    async fn link(&self, term: &Term, from: &str, to: &str) -> Result<(), VolumeError> {
        let (place, origin, name, token) = (self.place(to)?, from.to_owned(), to.to_owned(), term.token());
        let held = if self.pod.sim.mix.remote { locked(&self.pod.sim.disk).resolve(from).ok() } else { None };
        self.change(term, "link", to, move |disk, book| {
            let id = match held {
                Some(id) => id,
                None => disk.resolve(&origin)?,
            };
            disk.link(id, &place)?;
            if origin.starts_with(HIDDEN) {
                sealed(book, &origin, token, "published a file");
            }
            if !name.starts_with(HIDDEN) {
                published(disk, book, id, &name);
                book.check_manifests(disk);
            }
            Ok(())
        })
        .await
    }

    async fn unlink(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        let (place, name, token) = (self.place(path)?, path.to_owned(), term.token());
        self.change(term, "remove", path, move |disk, book| {
            end_is_kept(disk, book, &name, token);
            if !name.starts_with(HIDDEN) {
                let id = disk.resolve(&name)?;
                book.withdrawn(disk, &name, id);
            }
            disk.unlink(&place)?;
            if !name.starts_with(HIDDEN) {
                book.check_manifests(disk);
            }
            Ok(())
        })
        .await
    }

    async fn remove_dir(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        let place = self.place(path)?;
        self.change(term, "remove folder", path, move |disk, _| disk.remove_dir(&place)).await
    }

    async fn sync_dir(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        let name = path.to_owned();
        self.change(term, "sync folder", path, move |disk, _| {
            let id = disk.resolve(&name)?;
            disk.sync_dir(id)
        })
        .await
    }

    async fn make_read_only(&self, term: &Term, path: &str) -> Result<(), VolumeError> {
        let name = path.to_owned();
        self.change(term, "make read-only", path, move |disk, _| disk.resolve(&name).map(drop)).await
    }

    async fn list(&self, path: &str) -> Result<Vec<Entry>, VolumeError> {
        self.pod.gate().await;
        let (name, node) = (path.to_owned(), self.pod.node());
        operate(&self.pod, "list", path, move |_, disk, _| {
            let id = match disk.resolve(&name) {
                Err(Refusal::NotFound) => return Ok(Vec::new()),
                id => id?,
            };
            Ok(disk.dir(id)?.names.iter().map(|(name, id)| entry(name, *id, disk, node)).collect())
        })
        .await
    }

    async fn stat(&self, path: &str) -> Result<Option<Entry>, VolumeError> {
        self.pod.gate().await;
        let (name, node) = (path.to_owned(), self.pod.node());
        operate(&self.pod, "look at", path, move |_, disk, _| match disk.resolve(&name) {
            Ok(id) => Ok(Some(entry(parent(&name).1, id, disk, node))),
            Err(Refusal::NotFound | Refusal::NotDir) => Ok(None),
            Err(refusal) => Err(refusal),
        })
        .await
    }

    async fn free_bytes(&self) -> Result<u64, VolumeError> {
        Ok(u64::MAX)
    }
}

/// When a node's cache goes to the server by itself: mostly soon, now and then long after its process is dead.
fn written_back(sim: &Sim) -> Duration {
    let most = if sim.rng().chance(700) { Duration::from_secs(5) } else { LATEST };
    sim.now() + sim.rng().millis(most)
}
