//! TLS to PostgreSQL with libpq's meaning of `sslmode`: encryption alone, the authority, or the very host.

use super::address::Address;
use crate::adapters::tls;
use crate::core::ports::source::SourceError;
use tokio_postgres_rustls::MakeRustlsConnect;

/// Makes connections' TLS as an address demands.
///
/// # Errors
/// [`SourceError::Refused`] when the root certificates cannot be read.
pub(super) fn connector(address: &Address) -> Result<MakeRustlsConnect, SourceError> {
    tls::client(address.check, address.root_certificates.as_deref(), "sslrootcert", rustls::DEFAULT_VERSIONS)
        .map(MakeRustlsConnect::new)
        .map_err(|reason| SourceError::Refused { reason: format!("TLS to {}: {reason}", address.name) })
}
