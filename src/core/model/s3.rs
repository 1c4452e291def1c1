//! A bucket of an object store as a file describes it.

use super::secret::Secret;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The variables that AWS's tools read, and that count here.
pub const AWS_VARIABLES: [&str; 23] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONFIG_FILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_STS",
    "AWS_CA_BUNDLE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "HOME",
];

/// A bucket, or what is below a prefix of it, and how to reach it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct S3Spec {
    /// `s3://BUCKET[/PREFIX]`.
    pub url: Secret,
    /// `https://HOST[:PORT]` of a store that is not AWS's own.
    pub endpoint: Option<Secret>,
    /// Where not given: the environment's or the profile's.
    pub region: Option<String>,
    /// Whether the bucket stands in the path, and not in front of the host. Where not given, it does at an `endpoint`.
    pub path_style: Option<bool>,
    /// A file of certificates in place of the system's.
    pub ca: Option<PathBuf>,
    /// A profile of AWS's files, in place of all else that has credentials.
    pub profile: Option<String>,
    /// Those of [`AWS_VARIABLES`] that are set and not empty.
    pub variables: BTreeMap<&'static str, Secret>,
}

impl S3Spec {
    /// A variable.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(Secret::reveal)
    }
}
