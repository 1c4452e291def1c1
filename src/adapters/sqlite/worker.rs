//! Runs SQLite on a thread of its own. SQLite blocks; when nobody waits for the answer any more, it is stopped.

use super::connect::{DatabasePath, Db};
use crate::core::ports::source::SourceError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::oneshot;

/// Steps of SQLite's machine between two looks at whether anyone still waits: well under a millisecond, and less than one
/// part in a thousand of the work.
const STEPS_BETWEEN_LOOKS: i32 = 10_000;

/// Ends what SQLite does on a thread when dropped.
pub(super) struct Leash {
    let_go: Arc<AtomicBool>,
}

impl Leash {
    /// Starts a thread that opens the place and works with it until `work` returns. When the leash is dropped, the
    /// statement that runs then and every later one fails at once, which nobody is there to read.
    pub(super) fn spawn(
        place: &DatabasePath,
        work: impl FnOnce(Result<Db, SourceError>) + Send + 'static,
    ) -> Result<Self, SourceError> {
        let let_go = Arc::new(AtomicBool::new(false));
        let (own, seen) = (place.clone(), Arc::clone(&let_go));
        std::thread::Builder::new()
            .name("sqlite-source".to_owned())
            .spawn(move || {
                let opened = own.open().and_then(|mut db| {
                    let look = move || seen.load(Ordering::Relaxed);
                    let hooked = db.connection.progress_handler(STEPS_BETWEEN_LOOKS, Some(look));
                    hooked.map_err(|error| own.fault(&error)).map(|()| db)
                });
                work(opened);
            })
            .map_err(|error| place.failed(format!("cannot start a thread: {error}")))?;
        Ok(Self { let_go })
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        self.let_go.store(true, Ordering::Relaxed);
    }
}

/// Does one piece of work on a connection of its own.
pub(super) async fn run<T: Send + 'static>(
    place: &DatabasePath,
    work: impl FnOnce(&Db) -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    run_with(place, move |db| work(&db)).await
}

/// Does one piece of work with a connection that it may keep.
pub(super) async fn run_with<T: Send + 'static>(
    place: &DatabasePath,
    work: impl FnOnce(Db) -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    let (answer, answered) = oneshot::channel();
    let _leash = Leash::spawn(place, move |db| {
        // Nobody may be waiting any more.
        let _ = answer.send(db.and_then(work));
    })?;
    answered.await.unwrap_or_else(|_| Err(place.failed("the reading thread ended without an answer")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    #[test]
    fn a_statement_without_end_ends_when_nobody_waits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE x (a)").unwrap();
        let (begun, begins) = mpsc::channel();
        let (ended, ends) = mpsc::channel();
        let leash = Leash::spawn(&DatabasePath::new(&path), move |db| {
            begun.send(()).unwrap();
            let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
            ended.send(db.unwrap().connection.query_row(endless, [], |_| Ok(())).is_err()).unwrap();
        });
        begins.recv_timeout(Duration::from_mins(1)).unwrap();
        drop(leash);
        assert_eq!(ends.recv_timeout(Duration::from_mins(1)), Ok(true));
    }
}
