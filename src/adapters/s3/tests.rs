//! What the tests of a bucket share.

use crate::core::model::s3::{AWS_VARIABLES, S3Spec};
use crate::core::model::secret::Secret;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

/// A program that runs a script, as a command line.
pub(super) fn program(folder: &Path, script: &str) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let path = folder.join(format!("a program {}", NUMBER.fetch_add(1, Ordering::Relaxed)));
    std::fs::write(&path, script).unwrap();
    // Not started itself: another thread's child may hold it open for writing at just this moment.
    format!("sh \"{}\"", path.display())
}

/// A bucket with these variables alone.
pub(super) fn spec(pairs: &[(&str, &str)]) -> S3Spec {
    let value = |name: &str| pairs.iter().find(|(given, _)| *given == name).map(|(_, value)| Secret::new(*value));
    assert!(pairs.iter().all(|(name, _)| AWS_VARIABLES.contains(name)), "{pairs:?}");
    S3Spec {
        url: Secret::new("s3://files/in"),
        endpoint: None,
        region: None,
        path_style: None,
        ca: None,
        profile: None,
        variables: AWS_VARIABLES.into_iter().filter_map(|name| Some((name, value(name)?))).collect(),
    }
}
