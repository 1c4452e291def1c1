//! The tasks of this process, by name. A panic in a task is logged, and the health of its member shows it.

use super::TARGET;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use tokio::task::JoinSet;
use tracing::error;

/// What hears that one of its tasks has panicked.
pub(super) trait PanicObserver: Send + Sync {
    /// Its work is no longer done.
    fn ended(&self);
}

/// Tasks that begin together and are waited for together.
#[derive(Default)]
pub(super) struct Supervisor {
    added: Vec<BoxFuture<'static, ()>>,
    tasks: JoinSet<()>,
}

impl Supervisor {
    /// Adds a task: it begins with all others. If it panics, `member` hears of it at once: nobody waits for the task until the
    /// process is to stop.
    pub(super) fn add(
        &mut self,
        name: &'static str,
        member: Option<Arc<dyn PanicObserver>>,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        let guard = PanicGuard { name, member };
        self.added.push(Box::pin(async move {
            let _guard = guard;
            work.await;
        }));
    }

    /// Begins all that were added.
    pub(super) fn begin(&mut self) {
        for task in self.added.drain(..) {
            self.tasks.spawn(task);
        }
    }

    /// Waits until all have ended.
    pub(super) async fn join(&mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

/// A guard that a task holds while it lives. It reports a panic when it is dropped.
struct PanicGuard {
    name: &'static str,
    member: Option<Arc<dyn PanicObserver>>,
}

impl Drop for PanicGuard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            error!(target: TARGET, task = self.name, "a task has panicked");
            if let Some(member) = &self.member {
                member.ended();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    impl PanicObserver for AtomicUsize {
        fn ended(&self) {
            self.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[tokio::test]
    async fn a_panic_in_a_task_is_told_and_an_end_is_not() {
        let told = Arc::new(AtomicUsize::new(0));
        let mut tasks = Supervisor::default();
        tasks.add("ends", Some(Arc::clone(&told) as Arc<_>), async {});
        tasks.begin();
        tasks.join().await;
        assert_eq!(told.load(Ordering::Relaxed), 0);
        tasks.add("panics", Some(Arc::clone(&told) as Arc<_>), async { panic!("as planned") });
        assert_eq!(told.load(Ordering::Relaxed), 0, "no task begins by itself");
        tasks.begin();
        tasks.join().await;
        assert_eq!(told.load(Ordering::Relaxed), 1);
    }
}
