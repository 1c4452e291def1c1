//! An answer, token by token: descriptions of columns, rows, errors, changes of the session, and its end.

use super::column::{Column, Described};
use super::packet_buffer::PacketBuffer;
use super::row::{self, RowBytes, Span};
use super::value::number;
use super::{Error, ServerMessage, senseless};
use tds_protocol::ProtocolError;
use tds_protocol::token::{ColMetaData, EnvChange, EnvChangeType, EnvChangeValue, ServerError};

/// What a message's bytes are, by the byte before them.
mod token {
    pub(super) const RETURN_STATUS: u8 = 0x79;
    pub(super) const COLUMNS: u8 = 0x81;
    pub(super) const TABLE_NAMES: u8 = 0xa4;
    pub(super) const COLUMN_INFO: u8 = 0xa5;
    pub(super) const ORDER: u8 = 0xa9;
    pub(super) const ERROR: u8 = 0xaa;
    pub(super) const INFO: u8 = 0xab;
    pub(super) const LOGIN_ACK: u8 = 0xad;
    pub(super) const FEATURES: u8 = 0xae;
    pub(super) const ROW: u8 = 0xd1;
    pub(super) const COMPRESSED_ROW: u8 = 0xd2;
    pub(super) const CHANGE: u8 = 0xe3;
    pub(super) const SESSION_STATE: u8 = 0xe4;
    pub(super) const DONE: u8 = 0xfd;
    pub(super) const DONE_IN_PROC: u8 = 0xff;
}

/// Bits of an end's status.
const MORE: u16 = 0x01;
const FAILED: u16 = 0x02;
const COUNTED: u16 = 0x10;
const DIED: u16 = 0x100;

/// What kind of statement ended: one that gives rows.
const SELECT: u16 = 0xc1;

/// A row is not looked for again before a quarter more of it has come, once it is this long.
const LONG: usize = 1 << 20;

/// Longer rows are not taken: one value ends at 2 GiB, and so does a column of a page.
const LONGEST: usize = 1 << 31;

/// What has come of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) enum Step {
    /// A row is here.
    Row,
    /// More bytes are needed.
    More,
    /// That was all.
    End,
}

/// What a server changes of a session in its answers.
pub(super) struct Session {
    /// Bytes of a packet, with its header.
    pub(super) packet_size: u16,
    /// The transaction that requests belong to; zero: none.
    pub(super) transaction: u64,
    /// Longer values are not read.
    pub(super) value_bytes: u64,
}

/// The answer to one request, as far as it was read.
#[derive(Default)]
pub(super) struct Reply {
    columns: Vec<Column>,
    described: Vec<Described>,
    spans: Vec<Span>,
    /// Where the row's values begin in what was used.
    row: usize,
    /// Rows since the columns were described.
    rows: u64,
    /// Nothing is tried before so many bytes are there.
    wanted: usize,
    /// Whether the last token was an end behind which nothing follows.
    done: bool,
    /// Whether a login was accepted.
    pub(super) accepted: bool,
}

impl Reply {
    /// Reads on in what is here, up to the next row.
    ///
    /// Bytes that were read are skipped in the buffer; what the server changes of the session is changed there.
    ///
    /// # Errors
    /// The server's first error; [`Error::Protocol`] for bytes that make no sense, and for an answer without its end.
    pub(super) fn step(&mut self, packets: &mut PacketBuffer, session: &mut Session) -> Result<Step, Error> {
        loop {
            let rest = packets.rest();
            let ended = packets.has_ended();
            if rest.len() < self.wanted && !ended {
                return Ok(Step::More);
            }
            let Some((token, body)) = rest.split_first() else {
                return match (ended, self.done) {
                    (false, _) => Ok(Step::More),
                    (true, true) => Ok(Step::End),
                    (true, false) => senseless("an answer that ends in the middle"),
                };
            };
            let compressed = *token == token::COMPRESSED_ROW;
            let is_row = compressed || *token == token::ROW;
            let used = if is_row {
                if self.columns.is_empty() {
                    return senseless("a row without columns");
                }
                row::find(&self.columns, body, compressed, session.value_bytes, &mut self.spans)?
            } else {
                self.token(packets, session)?
            };
            match used {
                Some(used) => {
                    self.wanted = 0;
                    self.row = packets.used() + 1;
                    packets.skip(1 + used);
                    if is_row {
                        self.rows += 1;
                        return Ok(Step::Row);
                    }
                }
                None if ended => return senseless("an answer that ends in the middle of a value"),
                None => return self.wait(packets),
            }
        }
    }

    /// The row that [`Reply::step`] found.
    pub(super) fn row<'a>(&'a self, packets: &'a PacketBuffer) -> RowBytes<'a> {
        RowBytes { columns: &self.columns, spans: &self.spans, bytes: packets.between(self.row) }
    }

    /// The columns of the statement answered last.
    pub(super) fn described(&self) -> &[Described] {
        &self.described
    }

    fn wait(&mut self, packets: &PacketBuffer) -> Result<Step, Error> {
        let here = packets.rest().len();
        if here > LONGEST {
            return senseless("a row of more than 2 GiB");
        }
        self.wanted = if here > LONG { here + here / 4 } else { 0 };
        Ok(Step::More)
    }

    /// Reads what is no row; how long it is behind its first byte, or `None` when it has not come whole.
    fn token(&mut self, packets: &PacketBuffer, session: &mut Session) -> Result<Option<usize>, Error> {
        let Some((token, body)) = packets.rest().split_first() else { return Ok(None) };
        let short = body.first_chunk().map(|bytes| usize::from(u16::from_le_bytes(*bytes)) + 2);
        let length = match *token {
            token::COLUMNS => return self.columns(packets),
            token::DONE..=token::DONE_IN_PROC => Some(12),
            token::RETURN_STATUS => Some(4),
            token::SESSION_STATE => body.first_chunk().map(|bytes| u32::from_le_bytes(*bytes) as usize + 4),
            token::FEATURES => features(body),
            token::ERROR
            | token::INFO
            | token::CHANGE
            | token::ORDER
            | token::LOGIN_ACK
            | token::TABLE_NAMES
            | token::COLUMN_INFO => short,
            other => return senseless(format!("a token of type {other:#04x}")),
        };
        let Some(mut frame) = length.and_then(|length| body.get(..length)) else { return Ok(None) };
        let is_end = (token::DONE..=token::DONE_IN_PROC).contains(token);
        match *token {
            token::ERROR => return Err(Error::Server(server_message(ServerError::decode(&mut frame)?))),
            token::LOGIN_ACK => self.accepted = true,
            // Kinds of changes that are not known here matter to nobody here.
            token::CHANGE if frame.get(2).is_some_and(|kind| EnvChangeType::from_u8(*kind).is_some()) => {
                let change = EnvChange::decode(&mut frame)?;
                session.change(change)?;
            }
            _ if is_end => {
                let [a, b, c, d, count @ ..] = frame else { return Ok(None) };
                let (status, statement) = (u16::from_le_bytes([*a, *b]), u16::from_le_bytes([*c, *d]));
                if status & (FAILED | DIED) != 0 {
                    return senseless("a statement that failed without an error");
                }
                let (rows, count) = (self.rows, number(count));
                if status & COUNTED != 0 && statement == SELECT && count != rows {
                    return Err(Error::Miscounted { rows, count });
                }
                self.done = status & MORE == 0;
            }
            _ => {}
        }
        if !is_end {
            self.done = false;
        }
        Ok(length)
    }

    fn columns(&mut self, packets: &PacketBuffer) -> Result<Option<usize>, Error> {
        let body = packets.rest().get(1..).unwrap_or_default();
        let mut rest = body;
        let described = match ColMetaData::decode(&mut rest) {
            Ok(described) => described,
            Err(ProtocolError::UnexpectedEof | ProtocolError::IncompletePacket { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let length = body.len() - rest.len();
        self.columns = described.columns.iter().map(Column::new).collect();
        self.described = described.columns.iter().map(Described::new).collect();
        (self.done, self.rows) = (false, 0);
        Ok(Some(length))
    }
}

impl Session {
    fn change(&mut self, change: EnvChange) -> Result<(), Error> {
        match (change.env_type, change.new_value) {
            (EnvChangeType::PacketSize, EnvChangeValue::String(size)) => match size.parse() {
                Ok(size @ 512..=32_768) => self.packet_size = size,
                _ => return senseless(format!("packets of {size} bytes")),
            },
            (EnvChangeType::BeginTransaction, EnvChangeValue::Binary(bytes)) => match bytes[..].try_into() {
                Ok(number) => self.transaction = u64::from_le_bytes(number),
                Err(_) => return senseless("a transaction without its number"),
            },
            (
                EnvChangeType::CommitTransaction | EnvChangeType::RollbackTransaction | EnvChangeType::TransactionEnded,
                _,
            ) => self.transaction = 0,
            (EnvChangeType::Routing, EnvChangeValue::Routing { host, port }) => {
                return Err(Error::Elsewhere { host, port });
            }
            _ => {}
        }
        Ok(())
    }
}

fn server_message(error: ServerError) -> ServerMessage {
    ServerMessage {
        number: error.number.unsigned_abs(),
        class: error.class,
        line: error.line.unsigned_abs(),
        text: error.message,
    }
}

/// Length of a list of features: each has a byte, its length in four, and its data; a byte of all ones ends it.
fn features(body: &[u8]) -> Option<usize> {
    let mut at = 0;
    while *body.get(at)? != 0xff {
        let length = u32::from_le_bytes(*body.get(at + 1..)?.first_chunk()?);
        at = at.checked_add(5)?.checked_add(length as usize)?;
    }
    Some(at + 1)
}
