//! A SQL Server's address as others may see it, and what is weak about a connection to it.

use super::address::Address;
use super::tds::Encryption;
use crate::adapters::tls::Check;
use crate::core::model::peer::{MASK, is_loopback, name_shown};

impl Address {
    /// As others may see it: user, place, and how it is encrypted.
    pub(super) fn shown(&self) -> String {
        let password = if self.password.reveal().is_empty() { String::new() } else { format!(":{MASK}") };
        let mut shown = format!("sqlserver://{}{password}@{}", name_shown(&self.user), place_of(&self.name));
        let encrypt = match self.encryption {
            Encryption::Full => None,
            Encryption::Login => Some("encrypt=false"),
            Encryption::Off => Some("encrypt=off"),
            Encryption::Strict => Some("encrypt=strict"),
        };
        let trusts = self.encryption == Encryption::Full && self.check == Check::Nothing;
        let settings = [encrypt, trusts.then_some("trustservercertificate=true")];
        for (index, setting) in settings.into_iter().flatten().enumerate() {
            shown.push(if index == 0 { '?' } else { '&' });
            shown.push_str(setting);
        }
        shown
    }

    /// What somebody on the way may do, and what to write against it. `None` when nobody can, or there is no way.
    pub(super) fn weakness(&self) -> Option<(String, &'static str)> {
        let name = &self.name;
        let is_local = is_loopback(&self.host) && self.partner.as_ref().is_none_or(|(partner, _)| is_loopback(partner));
        match (self.encryption, self.check) {
            _ if is_local => None,
            (Encryption::Off, _) => {
                Some((format!("the connection to {name} is not encrypted"), "write `Encrypt=true`"))
            }
            (Encryption::Login, _) => {
                Some((format!("only the login to {name} is encrypted, the rows are not"), "write `Encrypt=true`"))
            }
            (Encryption::Full | Encryption::Strict, Check::Nothing | Check::Authority) => Some((
                format!("the certificate of {name} is not verified"),
                "remove `TrustServerCertificate`, and name one's own authority with `TrustServerCertificateCA=/path/ca.pem`",
            )),
            (Encryption::Full | Encryption::Strict, Check::Host) => None,
        }
    }
}

/// Without the scheme.
fn place_of(name: &str) -> &str {
    name.trim_start_matches("sqlserver://")
}
