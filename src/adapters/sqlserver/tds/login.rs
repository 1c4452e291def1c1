//! From the first packet to a session: PRELOGIN, TLS, LOGIN7.

use super::channel::{Connection, LOGIN, PRELOGIN};
use super::{Error, Step, senseless};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};
use std::sync::Arc;
use tds_protocol::login7::Login7;
use tds_protocol::prelogin::{EncryptionLevel, PreLogin};
use tds_protocol::version::TdsVersion;

/// What of a connection is encrypted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) enum Encryption {
    /// Nothing.
    Off,
    /// The login; the rest where the server demands it.
    Login,
    /// Everything, or there is no connection.
    Full,
    /// Everything from the first byte on: TDS 8.
    Strict,
}

/// Who logs in, and how.
pub(in super::super) struct Login<'a> {
    /// The server's name: the host, or what another server called it that sent the login on.
    pub server: &'a str,
    /// Name that the certificate must have.
    pub certificate: &'a str,
    pub encryption: Encryption,
    /// For all but [`Encryption::Off`].
    pub tls: Option<Arc<ClientConfig>>,
    pub user: &'a str,
    pub password: &'a str,
    pub database: &'a str,
    pub application: &'a str,
    pub workstation: &'a str,
    /// Bytes of a packet.
    pub packet_size: u32,
    pub read_only: bool,
}

impl Connection {
    /// Makes a session of a connection that nothing was said on.
    ///
    /// # Errors
    /// [`Error::Elsewhere`] when the server sends the login on.
    pub(in super::super) async fn login(&mut self, login: &Login<'_>) -> Result<(), Error> {
        let strict = login.encryption == Encryption::Strict;
        if strict {
            let tls = handshake(login)?;
            self.encrypt(tls, false).await?;
        }
        let asked = match login.encryption {
            Encryption::Off => EncryptionLevel::NotSupported,
            Encryption::Login => EncryptionLevel::Off,
            Encryption::Full | Encryption::Strict => EncryptionLevel::On,
        };
        let version = if strict { TdsVersion::V8_0 } else { TdsVersion::V7_4 };
        let hello = PreLogin::new().with_version(version).with_encryption(asked).encode();
        self.send(PRELOGIN, &hello).await?;
        let answer = self.early_message().await?;
        let answer = PreLogin::decode(answer.as_slice())?;
        let covered = if strict { Covered::Already } else { agree(asked, answer.encryption)? };
        if matches!(covered, Covered::Login | Covered::All) {
            let tls = handshake(login)?;
            self.encrypt(tls, true).await?;
        }
        let mut message = Login7::new()
            .with_tds_version(version)
            .with_sql_auth(login.user, login.password)
            .with_database(login.database)
            .with_hostname(login.workstation)
            .with_app_name(login.application)
            .with_server_name(login.server)
            .with_packet_size(login.packet_size)
            .with_read_only_intent(login.read_only);
        "filegen".clone_into(&mut message.library_name);
        self.send(LOGIN, &message.encode()).await?;
        if covered == Covered::Login {
            self.decrypt();
        }
        self.accepted().await
    }

    async fn accepted(&mut self) -> Result<(), Error> {
        loop {
            match self.step()? {
                Step::Row => return senseless("a row in the answer to a login"),
                Step::More => self.fill().await?,
                Step::End if self.reply.accepted => return Ok(()),
                Step::End => return senseless("an answer to a login that neither takes nor refuses it"),
            }
        }
    }
}

/// What TLS covers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Covered {
    Nothing,
    Login,
    All,
    Already,
}

/// What two that ask for this agree on.
fn agree(client: EncryptionLevel, server: EncryptionLevel) -> Result<Covered, Error> {
    use EncryptionLevel::{NotSupported, Off, On, Required};
    match (client, server) {
        (NotSupported, NotSupported | Off) | (Off, NotSupported) => Ok(Covered::Nothing),
        (Off, Off) => Ok(Covered::Login),
        (Off | On, On | Required) => Ok(Covered::All),
        (NotSupported, _) => {
            Err(Error::Tls("the server demands encryption: leave out `Encrypt`, or write true".to_owned()))
        }
        (_, server) => {
            let text = "the server has no encryption: give it a certificate, or write `Encrypt=off` and have all go in the clear";
            Err(Error::Tls(format!("{text} (it answered {server:?})")))
        }
    }
}

fn handshake(login: &Login<'_>) -> Result<ClientConnection, Error> {
    let Some(config) = &login.tls else { return Err(Error::Tls("it was not asked for".to_owned())) };
    let name = ServerName::try_from(login.certificate.to_owned()).map_err(|error| Error::Tls(error.to_string()))?;
    ClientConnection::new(Arc::clone(config), name).map_err(|error| Error::Tls(error.to_string()))
}
