//! How a server may ask for the password: libpq's `require_auth`, and a look at what the server sends until it is content, and at how
//! long it claims its messages to be from then on (PostgreSQL's manual, "Message Formats").

/// Ways to log in, as `require_auth` names them, each with the code of the server's request.
const METHODS: [(&str, i32); 7] =
    [("none", 0), ("password", 3), ("md5", 5), ("gss", 7), ("sspi", 9), ("scram-sha-256", 10), ("oauth", 10)];

/// The server's request for a password in clear.
const CLEAR: i32 = 3;

/// The ways that are allowed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Methods {
    /// What the address says. `None`: any, but no password in clear where nothing is encrypted.
    said: Option<Vec<i32>>,
}

impl Methods {
    /// Reads `scram-sha-256,md5` or `!password,!md5`.
    ///
    /// # Errors
    /// What a list looks like.
    pub(super) fn parse(text: Option<&str>) -> Result<Self, &'static str> {
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(Self { said: None }) };
        let names: Vec<&str> = text.split(',').map(str::trim).collect();
        let denied = names.iter().all(|name| name.starts_with('!'));
        let mut named = Vec::new();
        for name in names {
            let (is_denied, name) = name.strip_prefix('!').map_or((false, name), |name| (true, name));
            let code = METHODS.iter().find(|(other, _)| *other == name).filter(|_| is_denied == denied);
            named.push(code.ok_or(FORM)?.1);
        }
        let others = || METHODS.iter().map(|(_, code)| *code).filter(|code| !named.contains(code)).collect();
        Ok(Self { said: Some(if denied { others() } else { named }) })
    }

    /// Whether the address asks for it that a password may be sent as it is.
    pub(super) fn takes_password(&self) -> bool {
        self.said.as_ref().is_some_and(|said| said.contains(&CLEAR))
    }

    /// Why a server's request is not answered. `None` when it is.
    fn refuses(&self, code: i32, encrypted: bool) -> Option<&'static str> {
        match &self.said {
            Some(said) if !said.contains(&code) => Some(UNASKED),
            None if code == CLEAR && !encrypted => Some(IN_CLEAR),
            _ => None,
        }
    }
}

const FORM: &str =
    "require_auth is a list of none, password, md5, gss, sspi, scram-sha-256 and oauth, or of these with `!` each";

const UNASKED: &str = "the server logs in another way than `require_auth` in the address allows; correct it, or the server's \
                       pg_hba.conf";

const IN_CLEAR: &str = "the server asks for the password in clear on a connection that is not encrypted, so it was not sent; ask \
                        for encryption (`sslmode=verify-full`), have the server's pg_hba.conf say scram-sha-256, or allow it with \
                        `require_auth=password` in the address";

/// Most bytes until the login is over. The client keeps each message whole, and notices as they come; a server has little to say until
/// then.
const EARLY_MAX: usize = 256 << 10;

const LONG: &str = "the server sends more than 256 KiB before the login is over, which no PostgreSQL server does; check host and port in \
                    the address";

/// PostgreSQL's own limit of what it sends in one piece.
pub(super) const MESSAGE_MAX: usize = 1 << 30;

const ENDLESS: &str = "the server announces a longer message than a row may be; check host and port in the address";

/// Reads along: until the server is ready for the first statement, what it says, and then how long its messages are. The client makes room
/// for a message as soon as it is announced.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    methods: Methods,
    encrypted: bool,
    /// Whether the server has asked for anything yet.
    asked: bool,
    /// The first bytes of the message at hand: type, length, code.
    head: Vec<u8>,
    /// Bytes of the message that are still to come behind its head.
    skip: usize,
    /// Bytes so far, with those that are announced; `None` once the server is ready.
    taken: Option<usize>,
    /// Longest message from then on.
    most: usize,
}

impl Watch {
    pub(super) fn new(methods: Methods, encrypted: bool, most: usize) -> Self {
        Self { methods, encrypted, asked: false, head: Vec::new(), skip: 0, taken: Some(0), most }
    }

    /// Takes the server's next bytes; true when it is ready.
    ///
    /// # Errors
    /// Why it must not go on.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<bool, &'static str> {
        let Some(taken) = self.taken else { return self.measure(bytes).map(|()| true) };
        match self.listen(bytes, taken)? {
            None => Ok(false),
            Some(rest) => {
                self.taken = None;
                self.measure(rest).map(|()| true)
            }
        }
    }

    /// Looks at the length of each message alone.
    fn measure(&mut self, mut bytes: &[u8]) -> Result<(), &'static str> {
        loop {
            let skipped = self.skip.min(bytes.len());
            self.skip -= skipped;
            bytes = &bytes[skipped..];
            let needed = (5 - self.head.len()).min(bytes.len());
            self.head.extend_from_slice(&bytes[..needed]);
            bytes = &bytes[needed..];
            let Some(length) = self.head.get(1..).and_then(number) else { return Ok(()) };
            self.skip = behind(length);
            if self.skip > self.most {
                return Err(ENDLESS);
            }
            self.head.clear();
        }
    }

    /// Looks at what is said. What comes behind the word that the server is ready, where that has come.
    fn listen<'a>(&mut self, mut bytes: &'a [u8], mut taken: usize) -> Result<Option<&'a [u8]>, &'static str> {
        while let Some((first, rest)) = bytes.split_first() {
            if self.skip > 0 {
                let skipped = self.skip.min(bytes.len());
                self.skip -= skipped;
                bytes = &bytes[skipped..];
                continue;
            }
            self.head.push(*first);
            bytes = rest;
            let [kind, lengths @ ..] = self.head.as_slice() else { continue };
            let Some(length) = number(lengths) else { continue };
            let behind = behind(length);
            if taken.saturating_add(behind) > EARLY_MAX {
                return Err(LONG);
            }
            if *kind == b'Z' {
                self.head.clear();
                self.skip = behind;
                return Ok(Some(bytes));
            }
            let mut skip = behind;
            if *kind == b'R' && behind >= 4 {
                let Some(code) = lengths.get(4..).and_then(number) else { continue };
                self.look(code)?;
                skip -= 4;
            }
            self.skip = skip;
            taken += 5 + behind;
            self.taken = Some(taken);
            self.head.clear();
        }
        Ok(None)
    }

    /// Looks at a request.
    fn look(&mut self, code: i32) -> Result<(), &'static str> {
        let asked = std::mem::replace(&mut self.asked, true);
        // 8, 11 and 12 go on with what was asked before. Code 0 is the end, and without a request before it, nothing was asked.
        let goes_on = matches!(code, 8 | 11 | 12) || code == 0 && asked;
        match self.methods.refuses(code, self.encrypted) {
            Some(why) if !goes_on => Err(why),
            _ => Ok(()),
        }
    }
}

/// Bytes of a message behind its length, which counts itself.
fn behind(length: i32) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX).saturating_sub(4)
}

/// Four bytes, most significant first.
fn number(bytes: &[u8]) -> Option<i32> {
    bytes.first_chunk().map(|four| i32::from_be_bytes(*four))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Longest message behind the login.
    const MOST: usize = 1000;

    fn request(code: i32, more: &[u8]) -> Vec<u8> {
        let length = i32::try_from(8 + more.len()).unwrap();
        [b"R".as_slice(), &length.to_be_bytes(), &code.to_be_bytes(), more].concat()
    }

    /// Fed byte by byte, and all at once.
    fn play(said: Option<&str>, encrypted: bool, messages: &[Vec<u8>]) -> Result<bool, &'static str> {
        let methods = Methods::parse(said).unwrap();
        let bytes = messages.concat();
        let (mut whole, mut pieces) =
            (Watch::new(methods.clone(), encrypted, MOST), Watch::new(methods, encrypted, MOST));
        let at_once = whole.take(&bytes);
        let mut by_byte = Ok(false);
        for byte in &bytes {
            by_byte = pieces.take(&[*byte]);
            if by_byte != Ok(false) {
                break;
            }
        }
        assert_eq!(at_once, by_byte);
        at_once
    }

    #[test]
    fn a_password_goes_in_clear_only_where_it_is_encrypted_or_allowed() {
        let clear = [request(3, b"")];
        assert_eq!(play(None, false, &clear), Err(IN_CLEAR));
        assert_eq!(play(None, true, &clear), Ok(false));
        assert_eq!(play(Some("password"), false, &clear), Ok(false));
        assert_eq!(play(Some("scram-sha-256"), true, &clear), Err(UNASKED));
        assert_eq!(play(Some("!password"), true, &clear), Err(UNASKED));
        // Behind a notice, too.
        assert_eq!(play(None, false, &[b"N\0\0\0\x08abcd".to_vec(), request(3, b"")]), Err(IN_CLEAR));
    }

    #[test]
    fn before_the_login_a_server_says_little() {
        let of = |kind: &[u8], length: i32| [kind, length.to_be_bytes().as_slice(), b"\0\0\0\x0a"].concat();
        for kind in [b"R", b"N", b"E", b"S"] {
            assert_eq!(play(None, true, &[of(kind, 4 + (256 << 10))]), Ok(false));
            for length in [5 + (256 << 10), i32::MAX, -1] {
                assert_eq!(play(None, true, &[of(kind, length)]), Err(LONG), "{length}");
            }
        }
        let notice = [b"N\0\0\x20\x04".as_slice(), &[b'x'; 8 << 10]].concat();
        assert_eq!(play(None, true, &vec![notice.clone(); 31]), Ok(false));
        assert_eq!(play(None, true, &vec![notice; 33]), Err(LONG));
    }

    #[test]
    fn a_login_is_over_when_the_server_says_so() {
        let ready = b"Z\0\0\0\x05I".to_vec();
        let scram = [request(10, b"SCRAM-SHA-256\0\0"), request(11, b"r=x"), request(12, b"v=y"), request(0, b"")];
        assert_eq!(play(None, false, &scram), Ok(false), "it is not ready yet");
        let scram = [scram.as_slice(), &[b"S\0\0\0\x08a\0b\0".to_vec(), ready.clone()]].concat();
        assert_eq!(play(None, false, &scram), Ok(true));
        assert_eq!(play(Some("scram-sha-256"), false, &scram), Ok(true));
        assert_eq!(play(Some("!scram-sha-256"), false, &scram), Err(UNASKED));
        let nothing = [request(0, b""), ready];
        assert_eq!(play(None, false, &nothing), Ok(true));
        assert_eq!(play(Some("scram-sha-256"), true, &nothing), Err(UNASKED));
        assert_eq!(play(Some("none,md5"), true, &nothing), Ok(true));
        for bad in ["plain", "md5,!password", ","] {
            assert!(Methods::parse(Some(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn behind_the_login_no_message_is_longer_than_a_row_may_be() {
        let message = |kind: u8, length: usize, sent: usize| {
            let length = i32::try_from(length + 4).unwrap();
            [&[kind][..], &length.to_be_bytes(), &vec![7; sent]].concat()
        };
        let ready = message(b'Z', 1, 1);
        let watch = || Watch::new(Methods::parse(None).unwrap(), true, MOST);
        let played = |messages: &[Vec<u8>], piece: usize| {
            let (mut watch, bytes) = (watch(), messages.concat());
            bytes.chunks(piece).try_fold(false, |_, piece| watch.take(piece))
        };
        for piece in [1, 2, 3, 5, 7, 100, 10_000] {
            let long = message(b'd', MOST, MOST);
            assert_eq!(played(&[ready.clone(), long.clone(), long, ready.clone()], piece), Ok(true), "{piece}");
            for length in [MOST + 1, i32::MAX as usize - 4] {
                let endless = message(b'd', length, 0);
                assert_eq!(played(&[ready.clone(), message(b'd', 3, 3), endless], piece), Err(ENDLESS), "{piece}");
            }
            let negative = [&b"d"[..], &(-1_i32).to_be_bytes()].concat();
            assert_eq!(played(&[ready.clone(), negative], piece), Err(ENDLESS), "{piece}");
        }
    }
}
