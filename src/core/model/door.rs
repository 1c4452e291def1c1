//! What the doors of every flow have in common: the files of their TLS, and what is told of a door that is not as it should be.

use super::finding::Finding;
use std::net::IpAddr;
use std::path::PathBuf;

/// The files that a door's TLS is made of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsFiles {
    /// The certificate and those between it and its authority, as PEM.
    pub certificate: PathBuf,
    /// Its key, as PEM.
    pub key: PathBuf,
}

/// What was found of a door's certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DoorCertificate {
    /// Which door: `produce`.
    pub door: &'static str,
    /// What of it.
    pub finding: Finding,
}

/// Whether only this host reaches a listener of this address. `None` stands for all addresses.
pub fn is_own(listen: Option<IpAddr>) -> bool {
    listen.is_some_and(|address| address.to_canonical().is_loopback())
}

/// What it means that a door that asks for a token has no TLS.
pub fn token_in_clear(door: &str, port: u16) -> String {
    format!("`{door}` has no TLS: whoever sees the traffic to its port ({port}) reads its token")
}
