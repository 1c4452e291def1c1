//! Packets over TCP or TLS.

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

/// Packet types.
pub const BATCH: u8 = 0x01;
pub const RPC: u8 = 0x03;
pub const REPLY: u8 = 0x04;
pub const ATTENTION: u8 = 0x06;
pub const BULK: u8 = 0x07;
pub const TRANSACTION: u8 = 0x0e;
pub const LOGIN: u8 = 0x10;
pub const PRELOGIN: u8 = 0x12;

/// Bytes before each packet's payload.
pub const HEADER: usize = 8;

/// One connection.
pub enum Wire {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Wire {
    /// Reads one message, however many packets it has.
    pub fn read_message(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let mut payload = Vec::new();
        loop {
            let (kind, last) = read_packet(self, &mut payload)?;
            if last {
                return Ok((kind, payload));
            }
        }
    }

    /// Writes one packet, `piece` bytes at a time.
    pub fn write_packet(&mut self, kind: u8, number: u8, last: bool, payload: &[u8], piece: usize) -> io::Result<()> {
        let mut packet = Vec::with_capacity(payload.len() + HEADER);
        packet.extend_from_slice(&header(kind, number, last, payload.len()));
        packet.extend_from_slice(payload);
        for piece in packet.chunks(piece) {
            self.write_all(piece)?;
            self.flush()?;
        }
        Ok(())
    }

    /// Whether the client has sent something that was not read yet.
    pub fn has_more(&mut self) -> bool {
        let tcp = match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(tls) => &mut tls.sock,
        };
        let seen = tcp.set_nonblocking(true).and_then(|()| tcp.peek(&mut [0]));
        tcp.set_nonblocking(false).is_ok() && matches!(seen, Ok(count) if count > 0)
    }

    /// Cuts the connection.
    pub fn cut(&mut self) {
        let tcp = match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(tls) => &mut tls.sock,
        };
        // Gone already is as good.
        drop(tcp.shutdown(Shutdown::Both));
    }

    /// What the client said within TLS that it will speak.
    pub fn spoken(&self) -> Option<&[u8]> {
        match self {
            Self::Plain(_) => None,
            Self::Tls(tls) => tls.conn.alpn_protocol(),
        }
    }

    /// Speaks TLS from here on; where the handshake is `wrapped`, its records travel inside packets.
    pub fn into_tls(self, config: Arc<ServerConfig>, wrapped: bool) -> io::Result<Self> {
        let Self::Plain(mut tcp) = self else { return Ok(self) };
        let mut tls = ServerConnection::new(config).map_err(io::Error::other)?;
        if !wrapped {
            while tls.is_handshaking() {
                tls.complete_io(&mut tcp)?;
            }
            return Ok(Self::Tls(Box::new(StreamOwned::new(tls, tcp))));
        }
        let mut wrapped = Wrapped { tcp, incoming: Vec::new(), outgoing: Vec::new() };
        while tls.is_handshaking() {
            tls.complete_io(&mut wrapped)?;
        }
        wrapped.flush()?;
        Ok(Self::Tls(Box::new(StreamOwned::new(tls, wrapped.tcp))))
    }

    /// Drops TLS again, as after a login that alone was encrypted.
    pub fn into_plain(self) -> Self {
        match self {
            Self::Tls(tls) => Self::Plain(tls.into_parts().1),
            plain @ Self::Plain(_) => plain,
        }
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.read(buffer),
            Self::Tls(tls) => tls.read(buffer),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.write(buffer),
            Self::Tls(tls) => tls.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.flush(),
            Self::Tls(tls) => tls.flush(),
        }
    }
}

fn header(kind: u8, number: u8, last: bool, payload: usize) -> [u8; HEADER] {
    let [high, low] = ((payload + HEADER) as u16).to_be_bytes();
    [kind, u8::from(last), high, low, 0, 51, number, 0]
}

/// Appends one packet's payload; returns its type and whether it is the message's last.
fn read_packet(from: &mut impl Read, payload: &mut Vec<u8>) -> io::Result<(u8, bool)> {
    let mut head = [0; HEADER];
    from.read_exact(&mut head)?;
    let length = usize::from(u16::from_be_bytes([head[2], head[3]]))
        .checked_sub(HEADER)
        .ok_or_else(|| io::Error::other("a packet shorter than its header"))?;
    let start = payload.len();
    payload.resize(start + length, 0);
    from.read_exact(&mut payload[start..])?;
    Ok((head[0], head[1] & 1 == 1))
}

/// TLS records inside packets of type [`PRELOGIN`].
struct Wrapped {
    tcp: TcpStream,
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
}

impl Read for Wrapped {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.flush()?;
        while self.incoming.is_empty() {
            read_packet(&mut self.tcp, &mut self.incoming)?;
        }
        let count = buffer.len().min(self.incoming.len());
        buffer[..count].copy_from_slice(&self.incoming[..count]);
        self.incoming.drain(..count);
        Ok(count)
    }
}

impl Write for Wrapped {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.outgoing.extend_from_slice(buffer);
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        for chunk in std::mem::take(&mut self.outgoing).chunks(4088) {
            self.tcp.write_all(&header(PRELOGIN, 1, true, chunk.len()))?;
            self.tcp.write_all(chunk)?;
        }
        self.tcp.flush()
    }
}
