//! The connection itself: packets over TCP, or over TLS over TCP.

use super::column::Described;
use super::packet_buffer::{HEADER, PacketBuffer};
use super::reply::{Reply, Session, Step};
use super::row::RowBytes;
use super::{Error, senseless};
use rustls::ClientConnection;
use std::io::{self, Read, Write};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Packet types of what a client sends.
pub(super) const BATCH: u8 = 0x01;
pub(super) const RPC: u8 = 0x03;
const ATTENTION: u8 = 0x06;
pub(super) const LOGIN: u8 = 0x10;
pub(super) const PRELOGIN: u8 = 0x12;

/// The same as a packet's length counts it.
const HEAD: u16 = 8;

/// Bytes that are asked of the network at once: two of the largest packets.
const READ: usize = 64 << 10;

/// The first byte of TLS's data, which begins no packet.
const TLS_DATA: u8 = 0x17;

/// Bytes of a packet before the server has said how many it takes.
pub(super) const FIRST_PACKET: u16 = 4096;

/// Bytes of a message before the login: real ones have less than a hundred.
const EARLY_MESSAGE: usize = 64 << 10;

/// A connection, used by one task: one request, then its answer to the end. Dropped, it is closed.
pub(in super::super) struct Connection {
    pub(super) tcp: TcpStream,
    tls: Option<Box<ClientConnection>>,
    /// TLS that ended with the login, until the answer shows that the server thinks so too.
    resting: Option<Box<ClientConnection>>,
    raw: Vec<u8>,
    /// Whether a statement was sent that the server may be at.
    busy: bool,
    pub(super) packets: PacketBuffer,
    pub(super) reply: Reply,
    pub(super) session: Session,
}

impl Connection {
    /// A connection that nothing was said on.
    pub(in super::super) fn new(tcp: TcpStream) -> Self {
        Self {
            tcp,
            tls: None,
            resting: None,
            raw: vec![0; READ],
            busy: false,
            packets: PacketBuffer::default(),
            reply: Reply::default(),
            session: Session { packet_size: FIRST_PACKET, transaction: 0, value_bytes: u64::MAX },
        }
    }

    /// Sends one message, in as many packets as it takes. Its answer can be read then.
    pub(super) async fn send(&mut self, kind: u8, payload: &[u8]) -> Result<(), Error> {
        self.packets.restart()?;
        self.reply = Reply::default();
        self.busy = kind != PRELOGIN && kind != LOGIN;
        self.write(&packets(kind, payload, self.session.packet_size)).await
    }

    async fn write(&mut self, packets: &[u8]) -> Result<(), Error> {
        match &mut self.tls {
            None => self.tcp.write_all(packets).await?,
            Some(tls) => {
                tls.set_buffer_limit(None);
                tls.writer().write_all(packets)?;
                let records = records(tls)?;
                self.tcp.write_all(&records).await?;
            }
        }
        Ok(())
    }

    /// Asks the server to stop what it is at, and goes: what it still sends is passed over, so that it hears us.
    pub(in super::super) async fn leave(mut self) {
        self.busy = false;
        let left = async {
            self.write(&packets(ATTENTION, &[], self.session.packet_size)).await?;
            self.tcp.shutdown().await?;
            while self.tcp.read(&mut self.raw).await? > 0 {}
            Ok::<(), Error>(())
        };
        // A lost connection needs no attention signal.
        drop(left.await);
    }

    /// Waits until more of the answer is here.
    pub(in super::super) async fn fill(&mut self) -> Result<(), Error> {
        self.packets.tidy();
        let before = self.packets.rest().len();
        while self.packets.rest().len() == before && !self.packets.has_ended() {
            let count = self.tcp.read(&mut self.raw).await?;
            if count == 0 {
                return Err(Error::Io(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed it")));
            }
            let Some(bytes) = self.raw.get(..count) else { return senseless("more bytes than were asked for") };
            if let Some(tls) = self.resting.take().filter(|_| bytes.first() == Some(&TLS_DATA)) {
                self.tls = Some(tls);
            }
            match &mut self.tls {
                None => self.packets.take(bytes)?,
                Some(tls) => decrypt(tls, bytes, &mut self.packets)?,
            }
        }
        Ok(())
    }

    /// Reads on in what is here, up to the next row.
    ///
    /// # Errors
    /// The server's first error; [`Error::Protocol`] for bytes that make no sense, and for an answer without its end.
    pub(in super::super) fn step(&mut self) -> Result<Step, Error> {
        self.reply.step(&mut self.packets, &mut self.session)
    }

    /// The row that [`Connection::step`] found.
    pub(in super::super) fn row(&self) -> RowBytes<'_> {
        self.reply.row(&self.packets)
    }

    /// The columns of the statement answered last.
    pub(in super::super) fn described(&self) -> &[Described] {
        self.reply.described()
    }

    /// Sets the most bytes of a value from here on, of a text's in UTF-8.
    pub(in super::super) fn limit_values(&mut self, bytes: u64) {
        self.session.value_bytes = bytes;
    }

    /// Whether the whole answer is here, read or not.
    pub(in super::super) fn has_heard(&self) -> bool {
        self.packets.has_ended()
    }

    /// Passes over what is here: behind an error, nothing of the answer matters.
    pub(in super::super) fn pass_over(&mut self) {
        self.packets.skip(self.packets.rest().len());
    }

    /// Speaks TLS from here on; where the handshake is `wrapped`, its records travel inside packets.
    pub(super) async fn encrypt(&mut self, mut tls: ClientConnection, wrapped: bool) -> Result<(), Error> {
        while tls.is_handshaking() {
            let records = records(&mut tls)?;
            if wrapped && !records.is_empty() {
                self.tcp.write_all(&packets(PRELOGIN, &records, FIRST_PACKET)).await?;
            } else {
                self.tcp.write_all(&records).await?;
            }
            if !tls.is_handshaking() {
                break;
            }
            let packet;
            let bytes = if wrapped {
                packet = self.packet().await.map_err(in_handshake)?.0;
                packet.as_slice()
            } else {
                let count = self.tcp.read(&mut self.raw).await.map_err(|error| in_handshake(error.into()))?;
                self.raw.get(..count).unwrap_or_default()
            };
            if bytes.is_empty() {
                return Err(Error::ClosedInHandshake);
            }
            feed(&mut tls, bytes)?;
        }
        // The last records of the handshake, where they are ours.
        let records = records(&mut tls)?;
        if !records.is_empty() {
            let packets = if wrapped { packets(PRELOGIN, &records, FIRST_PACKET) } else { records };
            self.tcp.write_all(&packets).await?;
        }
        self.tls = Some(Box::new(tls));
        Ok(())
    }

    /// Speaks no TLS from here on, as after a login that alone was encrypted; unless the server goes on with it: some refuse a login
    /// under TLS.
    pub(super) fn decrypt(&mut self) {
        self.resting = self.tls.take();
    }

    /// Reads exactly one message before the login, whatever its packets' type.
    pub(super) async fn early_message(&mut self) -> Result<Vec<u8>, Error> {
        if self.tls.is_some() {
            self.packets.restart()?;
            while !self.packets.has_ended() {
                self.fill().await?;
                early(self.packets.rest().len())?;
            }
            let message = self.packets.rest().to_vec();
            self.packets.skip(message.len());
            return Ok(message);
        }
        let mut message = Vec::new();
        loop {
            let (payload, last) = self.packet().await?;
            message.extend_from_slice(&payload);
            early(message.len())?;
            if last {
                return Ok(message);
            }
        }
    }

    /// Reads exactly one packet, no byte more: what follows may be of another kind.
    async fn packet(&mut self) -> Result<(Vec<u8>, bool), Error> {
        let mut head = [0; HEADER];
        self.tcp.read_exact(&mut head).await?;
        let [_, status, high, low, ..] = head;
        let length = usize::from(u16::from_be_bytes([high, low]));
        let Some(length) = length.checked_sub(HEADER) else { return senseless("a packet shorter than its header") };
        let mut payload = vec![0; length];
        self.tcp.read_exact(&mut payload).await?;
        Ok((payload, status & 1 == 1))
    }
}

impl Drop for Connection {
    /// Asks the server to stop what it is at, as far as that goes without waiting: a count may take long, and a server notices only
    /// when it has something to send that nobody waits any more.
    fn drop(&mut self) {
        if !self.busy || self.packets.has_ended() {
            return;
        }
        let attention = packets(ATTENTION, &[], self.session.packet_size);
        let sent = match &mut self.tls {
            None => Ok(attention),
            Some(tls) => tls.writer().write_all(&attention).and_then(|()| records(tls)),
        };
        // One that is lost needs no farewell.
        drop(sent.and_then(|bytes| self.tcp.try_write(&bytes)));
    }
}

/// Passes while a message before the login is no longer than such messages may be: whoever sends it has proved nothing yet.
fn early(length: usize) -> Result<(), Error> {
    if length > EARLY_MESSAGE { senseless("a message without end before the login") } else { Ok(()) }
}

/// A message cut into packets of up to so many bytes.
pub(super) fn packets(kind: u8, payload: &[u8], size: u16) -> Vec<u8> {
    let room = size.max(512) - HEAD;
    let mut out = Vec::with_capacity(payload.len() + (payload.len() / usize::from(room) + 1) * HEADER);
    let mut rest = payload;
    // Numbers begin anew behind the last one there is.
    let mut number = 0_u8;
    loop {
        let (piece, later) = rest.split_at(rest.len().min(room.into()));
        let [high, low] = (piece.len().try_into().unwrap_or(room) + HEAD).to_be_bytes();
        number = number.wrapping_add(1);
        out.extend_from_slice(&[kind, u8::from(later.is_empty()), high, low, 0, 0, number, 0]);
        out.extend_from_slice(piece);
        if later.is_empty() {
            return out;
        }
        rest = later;
    }
}

/// TLS records that wait to be sent.
fn records(tls: &mut ClientConnection) -> io::Result<Vec<u8>> {
    let mut records = Vec::new();
    while tls.wants_write() {
        tls.write_tls(&mut records)?;
    }
    Ok(records)
}

/// A fault of TLS.
fn tls_error(error: &rustls::Error) -> Error {
    use rustls::AlertDescription::{HandshakeFailure, InsufficientSecurity, ProtocolVersion};
    let text = error.to_string();
    match error {
        rustls::Error::AlertReceived(HandshakeFailure | InsufficientSecurity | ProtocolVersion)
        | rustls::Error::PeerIncompatible(_) => Error::NoCommonTls(text),
        _ => Error::Tls(text),
    }
}

/// A connection that was lost during the handshake.
fn in_handshake(error: Error) -> Error {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, UnexpectedEof};
    match error {
        Error::Io(error) if [ConnectionAborted, ConnectionReset, UnexpectedEof].contains(&error.kind()) => {
            Error::ClosedInHandshake
        }
        other => other,
    }
}

/// Gives TLS what came.
fn feed(tls: &mut ClientConnection, mut bytes: &[u8]) -> Result<(), Error> {
    // Behind the other side's farewell nothing is taken any more.
    while !bytes.is_empty() && tls.read_tls(&mut bytes)? > 0 {
        tls.process_new_packets().map_err(|error| tls_error(&error))?;
    }
    Ok(())
}

/// Gives TLS what came, and the packet buffer what was in it.
fn decrypt(tls: &mut ClientConnection, mut bytes: &[u8], packets: &mut PacketBuffer) -> Result<(), Error> {
    // Behind the other side's farewell nothing is taken any more.
    while !bytes.is_empty() && tls.read_tls(&mut bytes)? > 0 {
        let state = tls.process_new_packets().map_err(|error| Error::Io(io::Error::other(error)))?;
        let mut plain = state.plaintext_bytes_to_read();
        let mut reader = tls.reader();
        let mut buffer = [0; 16 << 10];
        while plain > 0 {
            let count = reader.read(&mut buffer)?;
            packets.take(buffer.get(..count).unwrap_or_default())?;
            plain = plain.saturating_sub(count.max(1));
        }
    }
    Ok(())
}
