//! Connections that are logged in: one that its owner drives, and one that a task of its own drives.

use super::address::Address;
use super::error::source_error;
use super::tls;
use crate::core::ports::source::SourceError;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Connection, Socket};

/// What moves a connection's bytes.
pub(super) type Wire = Connection<Socket, tls::Channel>;

/// Connects and logs in, within the address's limit. The connection makes progress only while the wire is polled.
///
/// # Errors
/// [`SourceError::Unreachable`] when nobody answers; [`SourceError::Failed`] when the server says no.
pub(super) async fn connect(address: &Address, tls: tls::Connector) -> Result<(Client, Wire), SourceError> {
    let connected = address.login_limit().hold(&address.name, address.config.connect(tls)).await?;
    connected.map_err(|error| source_error(&address.name, &error))
}

/// A connection that makes progress by itself. Dropping it ends the connection, and with it a transaction that is not committed.
pub(super) struct Driven {
    /// Asks the server.
    pub(super) client: Client,
    driver: JoinHandle<()>,
}

impl Drop for Driven {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Driven {
    /// As [`connect`].
    pub(super) async fn open(address: &Address) -> Result<Self, SourceError> {
        let (client, wire) = connect(address, tls::connector(address)?).await?;
        // Its end is told by the statement that meets it.
        let driver = tokio::spawn(async move {
            let _ = wire.await;
        });
        Ok(Self { client, driver })
    }
}
