//! Text that never shows, and which properties of a client hold such.

use std::fmt;

/// Text that never shows: not in logs, errors, debug output or JSON.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that connects with it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// Parts of a client property's name that make its value a secret, in lower case: `sasl.password`, `ssl.key.pem`.
pub const SECRET_PROPERTIES: [&str; 6] = ["password", "secret", "pem", "jaas", "token", "oauthbearer.config"];

/// Whether the value of a client's property is a secret.
pub fn is_secret_property(name: &str) -> bool {
    SECRET_PROPERTIES.iter().any(|part| name.contains(part))
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
