//! Looks at folders that are under way. One that gets no further gives its place to others, is told, and is not joined by a second one:
//! a disk that hangs takes neither all places nor a thread with every due time.

use super::roots::Place;
use crate::core::model::shown;
use crate::core::ports::clock::Clock;
use crate::core::ports::folders::{Content, FolderError, Folders, Listing, Pulse};
use crate::core::ports::observer::Observer;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A look that gets no further for so long keeps no place from others.
const STALLS_AFTER: Duration = Duration::from_secs(3);

/// A look that gets no further for so long hangs: it is told, and the folder is not looked at again before it ends.
const HANGS_AFTER: Duration = Duration::from_secs(10);

/// Time for a look whose caller waits for an answer of its own.
const CHECK_WITHIN: Duration = Duration::from_secs(5);

/// Looks that give their place away, at most: each is a thread that the system does not give back.
const STALLED_MAX: usize = 64;

/// Looks without an answer at folders of one disk, at most; then the disk counts as hanging.
const OF_DISK_MAX: usize = 16;

/// Time between two surveys.
const SURVEY_EVERY: Duration = Duration::from_secs(1);

/// Folders, and the looks at them that have not ended.
pub struct Looks {
    folders: Arc<dyn Folders>,
    clock: Arc<dyn Clock>,
    number: AtomicU64,
    under_way: Mutex<Vec<Look>>,
}

/// A look at a folder that hangs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hanging {
    /// Which folder.
    pub path: String,
    /// Since when it has not answered.
    pub silent: Duration,
}

impl Hanging {
    /// In a sentence.
    pub fn words(&self) -> String {
        format!("the look at {} has not answered for {} s", shown::name(&self.path), self.silent.as_secs())
    }
}

/// What becomes of looks that hang.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LookEvent {
    /// One does not answer.
    Hangs(Hanging),
    /// It has answered after all.
    Answered {
        /// Which folder.
        path: String,
    },
    /// So many do not answer now.
    Counted(usize),
}

struct Look {
    number: u64,
    place: Place,
    disk: String,
    pulse: Pulse,
    began: Duration,
    /// Beats as they were counted last, and since when it is this number.
    beats: u64,
    since: Duration,
    /// Whether an execution waits for it, and keeps its place meanwhile.
    keeps_place: bool,
    /// Whether nobody waits for its answer any more.
    is_left: bool,
    is_told: bool,
}

impl Look {
    fn silent(&self, now: Duration) -> Duration {
        now.saturating_sub(self.since)
    }

    /// Whether it may never end.
    fn is_doubtful(&self, now: Duration) -> bool {
        self.is_left || self.silent(now) >= STALLS_AFTER
    }

    fn path(&self) -> String {
        self.place.root.join(&self.place.below).display().to_string()
    }
}

/// Leaves the look when nobody waits for it any more.
struct Waiting<'a> {
    looks: &'a Looks,
    number: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut all = self.looks.all();
        if let Some(look) = all.iter_mut().find(|look| look.number == self.number) {
            look.is_left = true;
        }
        all.retain(|look| !look.pulse.is_over());
    }
}

impl Looks {
    /// Nothing is looked at yet.
    pub fn new(folders: Arc<dyn Folders>, clock: Arc<dyn Clock>) -> Self {
        Self { folders, clock, number: AtomicU64::new(0), under_way: Mutex::default() }
    }

    /// As [`Folders::list`], for an execution.
    ///
    /// # Errors
    /// As there; and at once, where a look before hangs.
    pub async fn list(&self, place: &Place, deep: bool) -> Result<Listing, FolderError> {
        let pulse = Pulse::default();
        let _waiting = self.begin(place, &pulse, true)?;
        self.folders.list(&place.root, &place.below, deep, &pulse).await
    }

    /// As [`Folders::read`], of a file by its path below the place's root, for an execution.
    ///
    /// # Errors
    /// As [`Looks::list`].
    pub async fn read(&self, place: &Place, path: &str) -> Result<Content, FolderError> {
        let pulse = Pulse::default();
        let _waiting = self.begin(place, &pulse, true)?;
        self.folders.read(&place.root, path, &pulse).await
    }

    /// As [`Folders::check`], with an end: somebody waits.
    ///
    /// # Errors
    /// As [`Looks::list`], and when the time is over.
    pub async fn check(&self, place: &Place) -> Result<(), FolderError> {
        let pulse = Pulse::default();
        let _waiting = self.begin(place, &pulse, false)?;
        tokio::select! {
            biased;
            answer = self.folders.check(&place.root, &place.below, &pulse) => answer,
            () = self.clock.sleep(CHECK_WITHIN) => {
                let path = place.root.join(&place.below).display().to_string();
                Err(FolderError::Hangs { path, seconds: CHECK_WITHIN.as_secs() })
            }
        }
    }

    /// How many executions wait for looks that get no further: they keep no place from others.
    pub fn stalled(&self) -> usize {
        let now = self.clock.elapsed();
        let all = self.survey(now);
        let stalled = |look: &&Look| look.keeps_place && !look.is_left && look.silent(now) >= STALLS_AFTER;
        all.iter().filter(stalled).count().min(STALLED_MAX)
    }

    /// Looks that hang, the first of them first.
    pub fn hanging(&self) -> Vec<Hanging> {
        let now = self.clock.elapsed();
        let all = self.survey(now);
        let hangs = all.iter().filter(|look| look.silent(now) >= HANGS_AFTER);
        hangs.map(|look| Hanging { path: look.path(), silent: look.silent(now) }).collect()
    }

    /// Tells which looks hang, and which answer after all, until `stop`.
    pub async fn watch(&self, observer: &dyn Observer<LookEvent>, stop: &CancellationToken) {
        let mut told: Vec<(u64, String)> = Vec::new();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = self.clock.sleep(SURVEY_EVERY) => {}
            }
            let (before, now) = (told.len(), self.clock.elapsed());
            let mut events = Vec::new();
            {
                let mut all = self.survey(now);
                for look in all.iter_mut().filter(|look| !look.is_told && look.silent(now) >= HANGS_AFTER) {
                    look.is_told = true;
                    told.push((look.number, look.path()));
                    events.push(LookEvent::Hangs(Hanging { path: look.path(), silent: look.silent(now) }));
                }
                for look in all.iter_mut().filter(|look| look.is_told && look.silent(now) < HANGS_AFTER) {
                    look.is_told = false;
                }
                told.retain(|(number, path)| {
                    let hangs = all.iter().any(|look| look.number == *number && look.is_told);
                    if !hangs {
                        events.push(LookEvent::Answered { path: path.clone() });
                    }
                    hangs
                });
            }
            if before != told.len() {
                events.push(LookEvent::Counted(told.len()));
            }
            for event in events {
                observer.observe(&event);
            }
        }
    }

    fn all(&self) -> MutexGuard<'_, Vec<Look>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those under way, with what each has done by now.
    fn survey(&self, now: Duration) -> MutexGuard<'_, Vec<Look>> {
        let mut all = self.all();
        all.retain(|look| !look.pulse.is_over());
        for look in all.iter_mut() {
            let beats = look.pulse.beats();
            if beats != look.beats {
                (look.beats, look.since) = (beats, now);
            }
        }
        all
    }

    fn begin(&self, place: &Place, pulse: &Pulse, keeps_place: bool) -> Result<Waiting<'_>, FolderError> {
        let now = self.clock.elapsed();
        let disk = self.folders.disk(&place.root, &place.below);
        let mut all = self.survey(now);
        let path = || place.root.join(&place.below).display().to_string();
        let same = |look: &&Look| look.place == *place && (look.is_left || look.silent(now) >= HANGS_AFTER);
        if let Some(look) = all.iter().find(same) {
            return Err(FolderError::Hangs { path: path(), seconds: now.saturating_sub(look.began).as_secs() });
        }
        let doubtful = all.iter().filter(|look| look.is_doubtful(now)).count();
        let of_disk: Vec<&Look> = all.iter().filter(|look| look.disk == disk && look.is_doubtful(now)).collect();
        let most = if doubtful < STALLED_MAX { OF_DISK_MAX } else { 1 };
        if let Some(first) = of_disk.first().filter(|_| of_disk.len() >= most) {
            let seconds = now.saturating_sub(first.began).as_secs();
            return Err(FolderError::DiskHangs { path: path(), looks: of_disk.len(), seconds });
        }
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        all.push(Look {
            number,
            place: place.clone(),
            disk,
            pulse: pulse.clone(),
            began: now,
            beats: 0,
            since: now,
            keeps_place,
            is_left: false,
            is_told: false,
        });
        drop(all);
        Ok(Waiting { looks: self, number })
    }
}

#[cfg(test)]
mod tests;
