//! From the first packet to a session: PRELOGIN, TLS, LOGIN7.

use super::form::Talk;
use super::reply::{Done, FAILED, Message, Reply};
use super::request::Cursor;
use super::wire::{LOGIN, PRELOGIN, REPLY, Wire};
use super::{Login, Shared, lock, types};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::io;
use std::net::TcpStream;
use std::sync::Arc;

/// What a server offers and insists on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encryption {
    /// No TLS at all.
    NotSupported,
    /// The login is encrypted, the rest where the client wants it: SQL Server's default.
    LoginOnly,
    /// Everything, or no connection.
    Required,
}

/// PRELOGIN's words for encryption.
const OFF: u8 = 0;
const ON: u8 = 1;
const NOT_SUPPORTED: u8 = 2;
const REQUIRED: u8 = 3;

/// What TDS 8 is called within TLS.
const STRICT: &[u8] = b"tds/8.0";

/// A session that is logged in.
pub struct Session {
    pub wire: Wire,
    pub packet_size: usize,
    pub database: String,
}

/// Makes an authority and a server certificate for `localhost` and 127.0.0.1; returns the authority as PEM.
pub fn certificate() -> io::Result<(Arc<rustls::ServerConfig>, String)> {
    let ca_key = KeyPair::generate().map_err(io::Error::other)?;
    let mut ca = CertificateParams::new(Vec::new()).map_err(io::Error::other)?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_pem = ca.self_signed(&ca_key).map_err(io::Error::other)?.pem();
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names)
        .and_then(|params| params.signed_by(&key, &Issuer::new(ca, ca_key)))
        .map_err(io::Error::other)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    // TDS 7 ends with TLS 1.2: session tickets of 1.3 would follow a handshake that travels in packets.
    let mut config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS12])
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .map_err(io::Error::other)?;
    config.alpn_protocols = vec![STRICT.to_vec()];
    Ok((Arc::new(config), ca_pem))
}

/// Takes a new connection up to its login; none where it was refused or sent elsewhere.
pub fn accept(shared: &Shared, socket: TcpStream) -> io::Result<Option<Session>> {
    socket.set_nodelay(true)?;
    let strict = shared.tls.as_ref().filter(|_| begins_with_tls(&socket));
    let mut wire = Wire::Plain(socket);
    if let Some(tls) = strict {
        wire = wire.into_tls(Arc::clone(tls), false)?;
        if wire.spoken() != Some(STRICT) {
            return Err(io::Error::other("TLS from the first byte on is for TDS 8"));
        }
    }
    let (kind, payload) = wire.read_message()?;
    if kind != PRELOGIN {
        return Err(io::Error::other("the first packet is no PRELOGIN"));
    }
    let (answer, login_encrypted, rest_encrypted) = match strict {
        Some(_) => (ON, true, true),
        None => negotiate(shared.options.encryption, asked_encryption(&payload)),
    };
    wire.write_packet(REPLY, 1, true, &prelogin(answer), shared.options.form.write)?;
    if let (true, Some(tls), None) = (login_encrypted, &shared.tls, strict) {
        wire = wire.into_tls(Arc::clone(tls), true)?;
    }
    let (kind, payload) = wire.read_message()?;
    if kind != LOGIN {
        return Err(io::Error::other("no LOGIN7 where one belongs"));
    }
    let (mut login, password) = read_login(&payload).ok_or_else(|| io::Error::other("a LOGIN7 that ends early"))?;
    login.encrypted = (login_encrypted, rest_encrypted);
    let refusal = refusal(shared, &login, &password);
    let stays_encrypted = rest_encrypted || shared.options.refuses_under_tls && refusal.is_some();
    if !stays_encrypted {
        wire = wire.into_plain();
    }
    lock(&shared.logins).push(login.clone());
    answer_login(shared, wire, &login, refusal)
}

/// Whether the client's first byte is that of a TLS handshake.
fn begins_with_tls(socket: &TcpStream) -> bool {
    let mut first = [0];
    matches!(socket.peek(&mut first), Ok(1)) && first == [0x16]
}

/// Why a login is refused.
fn refusal(shared: &Shared, login: &Login, password: &str) -> Option<Message> {
    let options = &shared.options;
    if (login.user.as_str(), password) != (options.user.0.as_str(), options.user.1.as_str()) {
        Some(Message::new(18456, 14, format!("Login failed for user '{}'.", login.user)))
    } else if ![options.database.as_str(), "master", ""].contains(&login.database.as_str()) {
        let text = format!("Cannot open database \"{}\" requested by the login. The login failed.", login.database);
        Some(Message::new(4060, 11, text))
    } else {
        None
    }
}

fn answer_login(
    shared: &Shared,
    mut wire: Wire,
    login: &Login,
    refusal: Option<Message>,
) -> io::Result<Option<Session>> {
    let options = &shared.options;
    let mut reply = Reply::new(&mut wire, 4096, &options.form);
    if let Some(message) = refusal {
        reply.error(&message);
        reply.done(Done::Batch, FAILED, 0, None);
        reply.finish()?;
        return Ok(None);
    }
    let database = if login.database.is_empty() { "master".to_owned() } else { login.database.clone() };
    reply.env_text(1, &database, "master");
    reply.info(&Message::new(5701, 0, format!("Changed database context to '{database}'.")));
    reply.env_bytes(7, &types::DEFAULT_COLLATION, &[]);
    reply.env_text(2, "us_english", "");
    reply.info(&Message::new(5703, 0, "Changed language setting to us_english."));
    reply.login_ack();
    // Zero leaves it to the server.
    let wanted = if login.packet_size == 0 { 4096 } else { login.packet_size as usize };
    let packet_size = wanted.min(options.form.packet_size).clamp(512, 32767);
    reply.env_text(4, &packet_size.to_string(), "4096");
    let route = options.read_only_route.filter(|_| login.read_only);
    if let Some(route) = route {
        let name = options.route_name.clone().unwrap_or_else(|| route.ip().to_string());
        reply.env_route(&name, route.port());
    }
    if options.form.talk == Talk::Chatty {
        reply.settings(&database);
        // A mirror of the database, and the name of a user's own instance.
        reply.env_text(13, "partner.invalid,1433", "");
        reply.env_text(19, r"\\.\pipe\8F2C\tsql\query", "");
    }
    let known = features(&login.features);
    if !login.features.is_empty() {
        reply.features(&known);
    }
    reply.done(Done::Batch, 0, 0, None);
    reply.finish()?;
    Ok(route.is_none().then_some(Session { wire, packet_size, database }))
}

/// The answer to what a client asks for, and whether the login and the rest are encrypted.
fn negotiate(server: Encryption, client: u8) -> (u8, bool, bool) {
    match (server, client) {
        (Encryption::NotSupported, _) | (Encryption::LoginOnly, NOT_SUPPORTED) => (NOT_SUPPORTED, false, false),
        (Encryption::LoginOnly, OFF) => (OFF, true, false),
        (Encryption::Required, OFF | NOT_SUPPORTED) => (REQUIRED, true, true),
        (_, _) => (ON, true, true),
    }
}

/// The ENCRYPTION option of a PRELOGIN.
fn asked_encryption(payload: &[u8]) -> u8 {
    payload
        .chunks(5)
        .take_while(|option| option.first() != Some(&0xff))
        .find(|option| option.len() == 5 && option[0] == 1)
        .and_then(|option| payload.get(usize::from(u16::from_be_bytes([option[1], option[2]]))))
        .copied()
        .unwrap_or(NOT_SUPPORTED)
}

fn prelogin(encryption: u8) -> Vec<u8> {
    let options: [(u8, &[u8]); 5] =
        [(0, &[16, 0, 0x03, 0xe8, 0, 0]), (1, &[encryption]), (2, &[0]), (3, &[]), (4, &[0])];
    let mut offset = options.len() * 5 + 1;
    let (mut head, mut data) = (Vec::new(), Vec::new());
    for (token, value) in options {
        head.push(token);
        head.extend_from_slice(&(offset as u16).to_be_bytes());
        head.extend_from_slice(&(value.len() as u16).to_be_bytes());
        data.extend_from_slice(value);
        offset += value.len();
    }
    head.push(0xff);
    head.extend(data);
    head
}

/// The features that the server has of those that a client asks for, and what it says of each.
fn features(asked: &[u8]) -> Vec<(u8, &'static [u8])> {
    let known = |number: u8| -> Option<&'static [u8]> {
        match number {
            // Session recovery: an initial state without an entry.
            0x01 => Some(&[]),
            // Global transactions, routing to read-only replicas, UTF-8.
            0x05 | 0x08 | 0x0a => Some(&[1]),
            // Classification of data: version 2, and it is on.
            0x09 => Some(&[2, 1]),
            _ => None,
        }
    };
    asked.iter().filter_map(|number| Some((*number, known(*number)?))).collect()
}

/// Reads a LOGIN7; returns the password beside it.
fn read_login(payload: &[u8]) -> Option<(Login, String)> {
    (Cursor::new(payload).u32()? as usize == payload.len()).then_some(())?;
    let text = |at: usize, secret: bool| -> Option<String> {
        let mut place = Cursor::new(payload.get(at..at + 4)?);
        let (offset, length) = (usize::from(place.u16()?), usize::from(place.u16()?));
        let mut bytes = payload.get(offset..offset + length * 2)?.to_vec();
        if secret {
            for byte in &mut bytes {
                *byte = (*byte ^ 0xa5).rotate_left(4);
            }
        }
        Cursor::new(&bytes).utf16(length)
    };
    let login = Login {
        user: text(40, false)?,
        database: text(68, false)?,
        application: text(48, false)?,
        server: text(52, false)?,
        packet_size: Cursor::new(payload.get(8..12)?).u32()?,
        read_only: payload.get(26)? & 0x20 != 0,
        encrypted: (false, false),
        features: if payload.get(27)? & 0x10 == 0 { Vec::new() } else { asked_features(payload)? },
    };
    Some((login, text(44, true)?))
}

/// The numbers of the features that a LOGIN7 asks for: its extension says where they begin.
fn asked_features(payload: &[u8]) -> Option<Vec<u8>> {
    let extension = usize::from(Cursor::new(payload.get(56..58)?).u16()?);
    let start = Cursor::new(payload.get(extension..extension + 4)?).u32()? as usize;
    let mut cursor = Cursor::new(payload.get(start..)?);
    let mut numbers = Vec::new();
    loop {
        match cursor.u8()? {
            0xff => return Some(numbers),
            number => numbers.push(number),
        }
        let length = cursor.u32()? as usize;
        cursor.bytes(length)?;
    }
}
