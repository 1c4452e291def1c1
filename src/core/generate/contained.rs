//! A panic in one run's work ends that run, and no other.

use super::GenerateError;
use futures_util::FutureExt as _;
use std::any::Any;
use std::panic::AssertUnwindSafe;

/// Does a run's work. A panic in it, on whichever thread, is an error of the run.
///
/// # Errors
/// The work's own, and [`GenerateError::Panicked`].
pub(super) async fn contained<T>(work: impl Future<Output = Result<T, GenerateError>>) -> Result<T, GenerateError> {
    // Nothing that the work has changed in memory is used behind a panic: the term ends, and the next one reads the volume.
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(result) => result,
        Err(panic) => Err(GenerateError::Panicked { reason: words(&*panic) }),
    }
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason was given").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error_with_its_words() {
        for (work, wanted) in [(0, "as planned"), (1, "as planned: 7")] {
            let failed = contained::<()>(async move {
                if work == 0 { panic!("as planned") } else { panic!("as planned: {}", work + 6) }
            });
            assert_eq!(failed.await, Err(GenerateError::Panicked { reason: wanted.to_owned() }));
        }
        assert_eq!(contained(async { Ok(3) }).await, Ok(3));
    }
}
