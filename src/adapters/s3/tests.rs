//! What the tests of a bucket share.

use crate::core::model::s3::{AWS_VARIABLES, S3Spec};
use crate::core::model::secret::Secret;

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
