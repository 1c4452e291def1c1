//! Traces: which one a file's way belongs to, what a message carries of it, and the spans that it is made of.

use super::secret::Secret;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Which trace. Never all zeros.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TraceId([u8; 16]);

/// Which span of a trace. Never all zeros.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SpanId([u8; 8]);

impl TraceId {
    /// The trace of a version of a file: the first 32 digits of its id, so that every try on either side, also after a kill or a
    /// redrive, is in the same one. An id of another maker is hashed first.
    pub fn of_file(id: &str) -> Self {
        let digits = id.get(..32).filter(|digits| digits.bytes().all(is_digit));
        digits.and_then(Self::parse).unwrap_or_else(|| Self(begin_of(&[id])))
    }

    /// Reads 32 hexadecimal digits in small letters. `None` for anything else, and for zeros.
    pub fn parse(text: &str) -> Option<Self> {
        digits(text).map(Self)
    }

    /// Its bytes.
    pub fn bytes(self) -> [u8; 16] {
        self.0
    }
}

impl SpanId {
    /// The span that a try of the collecting side is, from the first look to the receipt: known to both sides, whoever dies.
    pub fn of_way(transfer: &str, id: &str, number: u32) -> Self {
        Self(begin_of(&["way", transfer, id, &number.to_string()]))
    }

    /// Of eight bytes by chance. Zero, which is no span, stands for one.
    pub fn of_chance(chance: u64) -> Self {
        Self(chance.max(1).to_be_bytes())
    }

    /// Reads 16 hexadecimal digits in small letters. `None` for anything else, and for zeros.
    pub fn parse(text: &str) -> Option<Self> {
        digits(text).map(Self)
    }

    /// Its bytes.
    pub fn bytes(self) -> [u8; 8] {
        self.0
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

fn is_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

fn digits<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let is_read = text.bytes().all(is_digit) && hex::decode_to_slice(text, &mut bytes).is_ok();
    (is_read && bytes.iter().any(|byte| *byte != 0)).then_some(bytes)
}

/// The begin of a digest over parts, each behind its length.
fn begin_of<const N: usize>(parts: &[&str]) -> [u8; N] {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    let mut begin = [0; N];
    begin.copy_from_slice(&digest.finalize()[..N]);
    // Zeros are no id.
    begin[N - 1] |= u8::from(begin.iter().all(|byte| *byte == 0));
    begin
}

/// What a message says of its trace: W3C's `traceparent`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TraceParent {
    /// Which trace.
    pub trace: TraceId,
    /// The span that what follows belongs below.
    pub span: SpanId,
    /// Whether its sender keeps the trace.
    pub is_sampled: bool,
}

impl TraceParent {
    /// Most bytes that are looked at. Later versions may append to the 55 bytes of the first one.
    pub const BYTES_MAX: usize = 256;

    /// Reads one. `None` for what is none: then there is none.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > Self::BYTES_MAX {
            return None;
        }
        let mut parts = text.splitn(5, '-');
        let [version, trace, span, flags] = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
        let is_hex = |text: &str| text.len() == 2 && text.bytes().all(is_digit);
        // The first version is these four parts and no more; `ff` is none.
        if !is_hex(version) || !is_hex(flags) || version == "ff" || (version == "00" && parts.next().is_some()) {
            return None;
        }
        let flags = u8::from_str_radix(flags, 16).ok()?;
        Some(Self { trace: TraceId::parse(trace)?, span: SpanId::parse(span)?, is_sampled: flags & 1 == 1 })
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", self.trace, self.span, u8::from(self.is_sampled))
    }
}

/// Which traces are kept.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Sampler {
    /// Whether what the sender of a message decided holds.
    pub asks_parent: bool,
    /// Of traces that nobody has decided on, which share is kept: from 0 to 1.
    pub share: f64,
}

impl Sampler {
    /// The usual one.
    pub const ALL: Self = Self { asks_parent: true, share: 1.0 };

    /// Whether a trace is kept; `parent` is what the sender of its message decided. Both sides and all tries decide alike: by the id.
    pub fn keeps(self, trace: TraceId, parent: Option<bool>) -> bool {
        if let Some(parent) = parent.filter(|_| self.asks_parent) {
            return parent;
        }
        // As OpenTelemetry has it: the last seven bytes against a threshold.
        let mut last = [0; 8];
        last[1..].copy_from_slice(&trace.bytes()[9..]);
        #[expect(clippy::cast_precision_loss, reason = "56 bits of chance: the last three are no loss")]
        let chance = u64::from_be_bytes(last) as f64 / (1_u64 << 56) as f64;
        chance >= 1.0 - self.share
    }
}

/// What a span is to others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SpanKind {
    /// A step of our own.
    Internal,
    /// A message is sent.
    Producer,
    /// A message is taken.
    Consumer,
}

/// A value that a span carries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SpanValue {
    /// A text.
    Text(String),
    /// A number.
    Number(u64),
}

/// A piece of a trace that has come to its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Span {
    /// The trace.
    pub trace: TraceId,
    /// Itself.
    pub id: SpanId,
    /// What it belongs to. `None`: it is the first of its trace.
    pub parent: Option<SpanId>,
    /// Whether its parent came with a message.
    pub is_parent_remote: bool,
    /// What was done.
    pub name: &'static str,
    /// What it is to others.
    pub kind: SpanKind,
    /// When it began.
    pub begun_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// What it carries.
    pub values: Vec<(&'static str, SpanValue)>,
    /// Why it came to nothing. `None` where it did not.
    pub failed: Option<String>,
}

/// Where spans go, and how.
#[derive(Clone, PartialEq, Debug)]
pub struct TraceSpec {
    /// The collector's whole address, with the path of its traces.
    pub endpoint: Secret,
    /// The variable that named it.
    pub variable: &'static str,
    /// Headers of each request. Their values are secrets: keys of services stand there.
    pub headers: Vec<(String, Secret)>,
    /// Certificates of the authority that signed the collector's. `None`: the system's.
    pub ca: Option<PathBuf>,
    /// Time for each request.
    pub timeout: Duration,
    /// What this process is called, and more of it.
    pub resource: Vec<(String, String)>,
    /// Which traces are kept.
    pub sampler: Sampler,
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_parent_is_read_as_w3c_says_and_written_back() {
        let parent = TraceParent::parse(PARENT).unwrap();
        assert_eq!((parent.to_string().as_str(), parent.is_sampled), (PARENT, true));
        let later = format!("cc{}-what-ever", &PARENT[2..]);
        assert_eq!(TraceParent::parse(&later), Some(parent));
        assert!(!TraceParent::parse(&PARENT.replace("-01", "-02")).unwrap().is_sampled);
        let zeros = PARENT.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32));
        let long = format!("cc{}-{}", &PARENT[2..], "x".repeat(300));
        for bad in [
            "",
            "-",
            "00",
            "00---",
            &PARENT[..54],
            &PARENT.to_uppercase(),
            &format!("ff{}", &PARENT[2..]),
            &format!("{PARENT}-more"),
            &PARENT.replace("-01", "-1"),
            &PARENT.replace("-01", "-0g"),
            &PARENT.replace("b7ad6b7169203331", "0000000000000000"),
            &PARENT.replace("b7ad6b7169203331", "b7ad6b71692033310"),
            &PARENT.replace("b7ad6b7169203331", "b7ad6b71692033ä"),
            &zeros,
            &long,
        ] {
            assert_eq!(TraceParent::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_trace_is_a_file_s_and_a_way_is_a_try_s() {
        let id = "3f2a91b0c4d5e6f708192a3b4c5d6e7f80919293";
        assert_eq!(TraceId::of_file(id).to_string(), id[..32]);
        for foreign in ["order-1", "", &"0".repeat(40), &id.to_uppercase(), "ä".repeat(20).as_str()] {
            let trace = TraceId::of_file(foreign);
            assert!(trace == TraceId::of_file(foreign) && trace != TraceId::of_file("order-2"), "{foreign}");
        }
        let way = SpanId::of_way("sales", id, 0);
        assert_eq!(way, SpanId::of_way("sales", id, 0));
        for other in [SpanId::of_way("sales", id, 1), SpanId::of_way("other", id, 0), SpanId::of_chance(0)] {
            assert_ne!(way, other);
        }
    }

    #[test]
    fn a_share_of_traces_is_kept_and_both_sides_keep_the_same() {
        let share = |share: f64| {
            let sampler = Sampler { asks_parent: true, share };
            (0..1000).filter(|number| sampler.keeps(TraceId::of_file(&format!("f{number}")), None)).count()
        };
        assert_eq!((share(0.0), share(1.0)), (0, 1000));
        assert!((150..350).contains(&share(0.25)), "{}", share(0.25));
        let trace = TraceId::of_file("f");
        let none = Sampler { asks_parent: true, share: 0.0 };
        assert!(none.keeps(trace, Some(true)) && !Sampler::ALL.keeps(trace, Some(false)));
        assert!(!Sampler { asks_parent: false, share: 0.0 }.keeps(trace, Some(true)));
    }
}
