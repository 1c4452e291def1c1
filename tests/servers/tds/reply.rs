//! The tokens of an answer, sent packet by packet as they fill up.

use super::form::{Form, Talk};
use super::lock;
use super::types::DEFAULT_COLLATION;
use super::wire::{ATTENTION, HEADER, REPLY, Wire};
use std::io::{self, Write as _};
use std::sync::Mutex;

/// Bits of a DONE token's status.
pub const MORE: u16 = 0x01;
pub const FAILED: u16 = 0x02;
pub const COUNT: u16 = 0x10;
pub const ATTENDED: u16 = 0x20;

/// Which DONE token ends a statement.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Done {
    Batch = 0xfd,
    Proc = 0xfe,
    InProc = 0xff,
}

/// SQL Server's name in messages.
pub const SERVER: &str = "tds-test";

/// An error or a piece of information.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    pub number: u32,
    pub class: u8,
    pub line: u32,
    pub text: String,
}

impl Message {
    pub fn new(number: u32, class: u8, text: impl Into<String>) -> Self {
        Self { number, class, line: 1, text: text.into() }
    }
}

/// An answer on its way.
pub struct Reply<'a> {
    wire: &'a mut Wire,
    /// Tokens not sent yet.
    pub buffer: Vec<u8>,
    form: &'a Form,
    /// Bytes that a packet carries.
    room: usize,
    number: u8,
    /// Whether the client has asked to stop.
    pub attention: bool,
}

impl<'a> Reply<'a> {
    pub fn new(wire: &'a mut Wire, packet_size: usize, form: &'a Form) -> Self {
        let room = form.payload.min(packet_size - HEADER);
        Self { wire, buffer: Vec::with_capacity(packet_size * 2), form, room, number: 0, attention: false }
    }

    /// Sends whole packets; keeps the rest.
    pub fn send_full(&mut self) -> io::Result<()> {
        let room = self.room;
        if self.buffer.len() <= room {
            return Ok(());
        }
        let mut sent = 0;
        while self.buffer.len() - sent > room {
            self.number = self.number.wrapping_add(1);
            self.wire.write_packet(REPLY, self.number, false, &self.buffer[sent..sent + room], self.form.write)?;
            sent += room;
        }
        self.buffer.drain(..sent);
        if self.wire.has_more() {
            self.attention |= self.wire.read_message()?.0 == ATTENTION;
        }
        Ok(())
    }

    /// Sends the rest as the message's last packet.
    pub fn finish(mut self) -> io::Result<()> {
        self.send_full()?;
        self.number = self.number.wrapping_add(1);
        self.wire.write_packet(REPLY, self.number, true, &self.buffer, self.form.write)
    }

    /// Sends what there is, then cuts the connection.
    pub fn cut(self) -> io::Error {
        // Whether it arrives matters no more.
        drop(self.wire.write_packet(REPLY, self.number.wrapping_add(1), false, &self.buffer, usize::MAX));
        self.wire.cut();
        io::Error::other("cut by a fault")
    }

    /// Sends what there is, then nothing, until the client goes; counts its attention signals.
    pub fn stall(self, attentions: &Mutex<u64>) -> io::Error {
        // Whether it arrives matters no more.
        drop(self.wire.write_packet(REPLY, self.number.wrapping_add(1), false, &self.buffer, usize::MAX));
        drop(self.wire.flush());
        while let Ok((kind, _)) = self.wire.read_message() {
            *lock(attentions) += u64::from(kind == ATTENTION);
        }
        io::Error::other("the stalled client went")
    }

    pub fn error(&mut self, message: &Message) {
        self.message(0xaa, message);
    }

    pub fn info(&mut self, message: &Message) {
        if self.form.talk != Talk::Terse {
            self.message(0xab, message);
        }
    }

    fn message(&mut self, token: u8, message: &Message) {
        let mut body = message.number.to_le_bytes().to_vec();
        body.extend_from_slice(&[1, message.class]);
        us_varchar(&mut body, &message.text);
        b_varchar(&mut body, SERVER);
        b_varchar(&mut body, "");
        body.extend_from_slice(&message.line.to_le_bytes());
        self.sized(token, &body);
    }

    /// ENVCHANGE with two texts: database (1), language (2), packet size (4).
    pub fn env_text(&mut self, kind: u8, new: &str, old: &str) {
        let mut body = vec![kind];
        b_varchar(&mut body, new);
        b_varchar(&mut body, old);
        self.sized(0xe3, &body);
    }

    /// ENVCHANGE with bytes: collation (7), transaction begun (8), committed (9), rolled back (10).
    pub fn env_bytes(&mut self, kind: u8, new: &[u8], old: &[u8]) {
        let mut body = vec![kind, new.len() as u8];
        body.extend_from_slice(new);
        body.push(old.len() as u8);
        body.extend_from_slice(old);
        self.sized(0xe3, &body);
    }

    /// ENVCHANGE 20: go there instead.
    pub fn env_route(&mut self, host: &str, port: u16) {
        let mut route = vec![0];
        route.extend_from_slice(&port.to_le_bytes());
        us_varchar(&mut route, host);
        let mut body = vec![20];
        body.extend_from_slice(&(route.len() as u16).to_le_bytes());
        body.extend_from_slice(&route);
        body.extend_from_slice(&[0, 0]);
        self.sized(0xe3, &body);
    }

    pub fn login_ack(&mut self) {
        let mut body = vec![1, 0x74, 0, 0, 4];
        b_varchar(&mut body, "Microsoft SQL Server");
        body.extend_from_slice(&[16, 0, 0x03, 0xe8]);
        self.sized(0xad, &body);
    }

    pub fn return_status(&mut self, status: i32) {
        self.buffer.push(0x79);
        self.buffer.extend_from_slice(&status.to_le_bytes());
    }

    /// Which columns the rows are ordered by: their numbers, or zeros for expressions.
    pub fn order(&mut self, columns: usize) {
        let number = |column: usize| if self.form.talk == Talk::Chatty { column as u16 + 1 } else { 0 };
        let body: Vec<u8> = (0..columns).flat_map(|column| number(column).to_le_bytes()).collect();
        if self.form.talk != Talk::Terse {
            self.sized(0xa9, &body);
        }
    }

    /// FEATUREEXTACK: each feature's number and what the server says of it.
    pub fn features(&mut self, features: &[(u8, &[u8])]) {
        self.buffer.push(0xae);
        for (number, data) in features {
            self.buffer.push(*number);
            self.buffer.extend_from_slice(&(data.len() as u32).to_le_bytes());
            self.buffer.extend_from_slice(data);
        }
        self.buffer.push(0xff);
    }

    /// What a chatty server says between two rows: a message of another class, length and line each time.
    pub fn chatter(&mut self, turn: u64) {
        if self.form.talk != Talk::Chatty {
            return;
        }
        let (number, class, text) = match turn % 4 {
            0 => (8153, 10, "Warning: Null value is eliminated by an aggregate or other SET operation.".to_owned()),
            1 => (0, 0, String::new()),
            2 => (50_000, 9, "é日😀".repeat(400)),
            _ => (3621, 0, "The statement has been terminated.".to_owned()),
        };
        self.info(&Message { number, class, line: turn as u32, text });
    }

    /// What a chatty server says of a session's settings, none of which changes.
    pub fn settings(&mut self, database: &str) {
        if self.form.talk != Talk::Chatty {
            return;
        }
        self.env_text(1, database, database);
        self.info(&Message::new(5701, 0, format!("Changed database context to '{database}'.")));
        self.env_text(2, "Deutsch", "us_english");
        self.env_text(2, "us_english", "Deutsch");
        self.env_bytes(7, &DEFAULT_COLLATION, &DEFAULT_COLLATION);
    }

    pub fn done(&mut self, which: Done, status: u16, command: u16, rows: Option<u64>) {
        self.buffer.push(which as u8);
        let status = status | if rows.is_some() { COUNT } else { 0 };
        self.buffer.extend_from_slice(&status.to_le_bytes());
        self.buffer.extend_from_slice(&command.to_le_bytes());
        self.buffer.extend_from_slice(&rows.unwrap_or(0).to_le_bytes());
    }

    fn sized(&mut self, token: u8, body: &[u8]) {
        self.buffer.push(token);
        self.buffer.extend_from_slice(&(body.len() as u16).to_le_bytes());
        self.buffer.extend_from_slice(body);
    }
}

/// A text in UTF-16 behind its length in code units, one byte.
pub fn b_varchar(out: &mut Vec<u8>, text: &str) {
    let units: Vec<u16> = text.encode_utf16().collect();
    out.push(units.len() as u8);
    out.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
}

/// A text in UTF-16 behind its length in code units, two bytes.
pub fn us_varchar(out: &mut Vec<u8>, text: &str) {
    let units: Vec<u16> = text.encode_utf16().collect();
    out.extend_from_slice(&(units.len() as u16).to_le_bytes());
    out.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
}
