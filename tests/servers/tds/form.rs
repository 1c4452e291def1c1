//! How a server words its answers: the same rows in every form that the protocol allows.

/// What a server chooses freely when it answers. The meaning of an answer is the same in each.
#[derive(Clone, Debug)]
pub struct Form {
    /// How a row with a NULL is written.
    pub nulls: Nulls,
    /// How values of the `max` types are cut.
    pub plp: Plp,
    /// What stands around the rows.
    pub talk: Talk,
    /// The largest packet that the server agrees to.
    pub packet_size: usize,
    /// The most bytes that a packet carries behind its header. A server need not fill its packets.
    pub payload: usize,
    /// The most bytes of a packet that are given to the socket at once.
    pub write: usize,
}

impl Default for Form {
    fn default() -> Self {
        Self {
            nulls: Nulls::Bitmap,
            plp: Plp { counted: true, chunk: 8000 },
            talk: Talk::Usual,
            packet_size: 32767,
            payload: usize::MAX,
            write: usize::MAX,
        }
    }
}

/// How a row with a NULL is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Nulls {
    /// NBCROW: a bit map in front, and nothing where the value would stand.
    Bitmap,
    /// ROW: each type's own length for NULL.
    InPlace,
    /// NBCROW for every other row, also for rows without a NULL.
    Mixed,
}

/// The protocol's partially length-prefixed values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plp {
    /// Whether the value's length stands in front of it, or the mark for an unknown length.
    pub counted: bool,
    /// Bytes in a chunk.
    pub chunk: usize,
}

impl Plp {
    /// What stands for the length when the server does not know it yet.
    const UNKNOWN: u64 = 0xffff_ffff_ffff_fffe;

    /// Appends a value in chunks, and the empty chunk that ends it.
    pub fn write(self, bytes: &[u8], out: &mut Vec<u8>) {
        let length = if self.counted { bytes.len() as u64 } else { Self::UNKNOWN };
        out.extend_from_slice(&length.to_le_bytes());
        for chunk in bytes.chunks(self.chunk) {
            out.extend_from_slice(&(chunk.len() as u32).to_le_bytes());
            out.extend_from_slice(chunk);
        }
        out.extend_from_slice(&0_u32.to_le_bytes());
    }
}

/// What stands around the rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Talk {
    /// INFO at login and ORDER without the columns' numbers.
    Usual,
    /// No INFO, and no ORDER.
    Terse,
    /// INFO between any two rows, each kind of ENVCHANGE that a server sends unasked, and ORDER with the columns' numbers.
    Chatty,
}
