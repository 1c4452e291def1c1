//! Remote procedure calls and their data (RFC 5531, RFC 4506), as far as NFS version 3 needs them.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::time::Duration;

/// A server that says nothing for so long is taken for gone.
const PATIENCE: Duration = Duration::from_secs(30);

/// The arguments of a call.
#[derive(Default)]
pub struct Arguments(Vec<u8>);

impl Arguments {
    pub fn number(mut self, number: u32) -> Self {
        self.0.extend(number.to_be_bytes());
        self
    }

    pub fn long(mut self, number: u64) -> Self {
        self.0.extend(number.to_be_bytes());
        self
    }

    pub fn opaque(self, bytes: &[u8]) -> Self {
        let mut this = self.number(u32::try_from(bytes.len()).unwrap());
        this.0.extend(bytes);
        this.0.resize(this.0.len().next_multiple_of(4), 0);
        this
    }

    pub fn text(self, text: &str) -> Self {
        self.opaque(text.as_bytes())
    }
}

/// What is left of an answer.
pub struct Answer {
    bytes: Vec<u8>,
    at: usize,
}

impl Answer {
    fn take(&mut self, length: usize) -> io::Result<&[u8]> {
        let end = self.at + length;
        let taken = self.bytes.get(self.at..end).ok_or(io::ErrorKind::UnexpectedEof)?;
        self.at = end;
        Ok(taken)
    }

    pub fn skip(&mut self, length: usize) -> io::Result<()> {
        self.take(length).map(drop)
    }

    pub fn number(&mut self) -> io::Result<u32> {
        Ok(u32::from_be_bytes(self.take(4)?.try_into().unwrap()))
    }

    pub fn long(&mut self) -> io::Result<u64> {
        Ok(u64::from_be_bytes(self.take(8)?.try_into().unwrap()))
    }

    pub fn is_set(&mut self) -> io::Result<bool> {
        Ok(self.number()? != 0)
    }

    pub fn opaque(&mut self) -> io::Result<Vec<u8>> {
        let length = self.number()? as usize;
        let bytes = self.take(length)?.to_vec();
        self.skip(length.next_multiple_of(4) - length)?;
        Ok(bytes)
    }
}

/// A connection to one program of a server.
pub struct Program {
    stream: Mutex<(TcpStream, u32)>,
    number: u32,
}

impl Program {
    pub fn connect(address: &str, number: u32) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: Mutex::new((stream, 1)), number })
    }

    /// Calls a procedure of version 3 as root.
    pub fn call(&self, procedure: u32, arguments: Arguments) -> io::Result<Answer> {
        let (stream, id) = &mut *self.stream.lock().unwrap();
        *id += 1;
        let who = Arguments::default().number(0).text("tests").number(0).number(0).number(0);
        let mut call = Arguments::default().number(*id).number(0).number(2).number(self.number).number(3);
        call = call.number(procedure).number(1).opaque(&who.0).number(0).number(0);
        call.0.extend(arguments.0);
        let length = u32::try_from(call.0.len()).unwrap();
        stream.write_all(&(length | 1 << 31).to_be_bytes())?;
        stream.write_all(&call.0)?;
        let mut answer = Answer { bytes: receive(stream)?, at: 0 };
        let (of, is_reply, denied) = (answer.number()?, answer.number()?, answer.number()?);
        answer.number()?;
        answer.opaque()?;
        let failed = answer.number()?;
        if of != *id || is_reply != 1 || denied != 0 || failed != 0 {
            return Err(io::Error::other(format!("the call was not accepted: {denied} {failed}")));
        }
        Ok(answer)
    }
}

/// A record, which may come in fragments.
fn receive(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let mut mark = [0; 4];
        stream.read_exact(&mut mark)?;
        let mark = u32::from_be_bytes(mark);
        let start = bytes.len();
        bytes.resize(start + (mark & !(1 << 31)) as usize, 0);
        stream.read_exact(&mut bytes[start..])?;
        if mark >> 31 == 1 {
            return Ok(bytes);
        }
    }
}
