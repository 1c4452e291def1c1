//! Keeps the values of a delimited record apart. Quotes values where quotes are allowed, and refuses them where not.

use super::TranslateError;
use super::scan::Scan;
use crate::core::generate::spec::{DelimitedSpec, EmptyText, Escape, LeadingQuote, Quote};

/// The quote character of RFC 4180.
const QUOTE: u8 = b'"';

/// What stands before a quote inside quotes with `escape: backslash`.
const BACKSLASH: u8 = b'\\';

/// The rules of one delimited file.
#[derive(Clone, Debug)]
pub(super) struct Quoting {
    delimiter: Vec<u8>,
    newline: Vec<u8>,
    quote: Quote,
    escape: Escape,
    empty: EmptyText,
    /// Bytes that may begin something that needs care.
    special: [bool; 256],
    /// Bytes that make a value odd at its beginning.
    odd: [bool; 256],
    /// Whether the line end follows the values, and no delimiter.
    is_last: bool,
}

/// Something in a value that would break its record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Clash {
    Delimiter,
    /// The value's end and the beginning of the delimiter behind it look like the delimiter.
    IntoDelimiter,
    LineBreak,
    Quote,
    Backslash,
    Nul,
}

impl Quoting {
    /// Rules for a file with that line end.
    ///
    /// # Errors
    /// When delimiter, quote and line end could not be told apart.
    pub(super) fn new(spec: &DelimitedSpec, newline: &str) -> Result<Self, TranslateError> {
        let delimiter = &spec.delimiter;
        let refuse = |why: &str| Err(TranslateError::setting(format!("delimiter {delimiter:?} {why}")));
        if delimiter.is_empty() {
            return refuse("is empty, so values could not be told apart; `|` or `,` is common");
        }
        if delimiter.contains(['\r', '\n', '\0']) {
            return refuse("holds a line break or NUL; choose a character that ends no line");
        }
        if delimiter.contains(newline) || newline.contains(delimiter.as_str()) {
            return refuse("and `newline` are contained in one another; choose different ones");
        }
        if spec.quote != Quote::Never && delimiter.contains('"') {
            return refuse("holds the quote character; choose another one, or `quote: never`");
        }
        if spec.quote != Quote::Never && newline.contains('"') {
            return Err(TranslateError::setting("`newline` holds the quote character; choose another one"));
        }
        if spec.escape == Escape::Backslash {
            if spec.quote == Quote::Never {
                return Err(TranslateError::setting(
                    "`escape` is about quotes inside quotes, and `quote: never` writes none; choose `quote: minimal` or `always`",
                ));
            }
            if delimiter.contains('\\') {
                return refuse("holds a backslash, which `escape: backslash` needs; choose another one");
            }
            if newline.contains('\\') {
                return Err(TranslateError::setting(
                    "`newline` holds a backslash, which `escape: backslash` needs; choose another one",
                ));
            }
        }
        let mut rules = Self {
            delimiter: delimiter.as_bytes().to_vec(),
            newline: newline.as_bytes().to_vec(),
            quote: if spec.quote == Quote::NonNumeric { Quote::Always } else { spec.quote },
            escape: spec.escape,
            empty: spec.empty,
            special: [false; 256],
            odd: [false; 256],
            is_last: false,
        };
        let odd: &[u8] = match rules.quote {
            Quote::Never if spec.leading_quote == LeadingQuote::Refuse && !delimiter.starts_with('"') => b"\"",
            Quote::Never | Quote::Always | Quote::NonNumeric => b"",
            // `#` begins a comment, a backslash may begin `\N` or `\.`, and `n` `NULL`; some readers take blanks away, or `'` for
            // a quote.
            Quote::Minimal => b" \t#'\\nN",
        };
        for byte in odd {
            rules.odd[usize::from(*byte)] = true;
        }
        let escaped = (spec.escape == Escape::Backslash).then_some(BACKSLASH);
        for byte in rules.first_bytes().into_iter().chain(*b"\0\r\n").chain(escaped) {
            rules.special[usize::from(byte)] = true;
        }
        Ok(rules)
    }

    /// The rules for the last value of a record. Without quotes, its end cannot run into a delimiter.
    pub(super) fn of_last(&self) -> Self {
        Self { is_last: self.quote == Quote::Never, ..self.clone() }
    }

    /// The rules for numbers, which `quote: nonnumeric` writes bare.
    pub(super) fn for_numbers(&self) -> Self {
        Self { quote: Quote::Minimal, ..self.clone() }
    }

    /// A text as a value of a record, for literals and names.
    ///
    /// # Errors
    /// When it would break the record and cannot be quoted.
    pub(super) fn literal(&self, mut text: Vec<u8>) -> Result<Vec<u8>, TranslateError> {
        match self.finish(&mut text, 0, None) {
            Ok(()) => Ok(text),
            Err(why) => {
                Err(TranslateError::setting(format!("{} {why}", super::shown(&String::from_utf8_lossy(&text)))))
            }
        }
    }

    /// Checks the text that stands for NULL. It is never quoted, so it must not need quotes.
    ///
    /// # Errors
    /// When it would break the record.
    pub(super) fn check_null(&self, null: &str) -> Result<(), String> {
        match self.clash(null.as_bytes()) {
            // With a backslash that escapes, `\N` is the usual word.
            None | Some(Clash::Backslash) => Ok(()),
            Some(clash) => Err(format!(
                "writes NULL as {null:?}, which holds {} and is never quoted; choose another text",
                clash.name()
            )),
        }
    }

    /// Looks for what any text of a page may need care for.
    pub(super) fn scan(&self) -> Scan {
        Scan::new(self.first_bytes())
    }

    /// Whether values of letters, digits and `+-.:` never need care.
    pub(super) fn spares_simple_values(&self) -> bool {
        !self.first_bytes().iter().any(|byte| byte.is_ascii_alphanumeric() || b"+-.:".contains(byte))
            && self.quote != Quote::Always
    }

    /// Whether quotes tell a value from the text that stands for NULL.
    pub(super) fn tells_null(&self) -> bool {
        self.quote != Quote::Never
    }

    /// Whether only empty texts of a page need care.
    pub(super) fn spares_clean_texts(&self) -> bool {
        // A backslash is not among the bytes that a page is scanned for.
        self.quote != Quote::Always && self.escape == Escape::Double
    }

    /// First bytes of delimiter and line end, and the quote where it counts.
    fn first_bytes(&self) -> [u8; 3] {
        let first = |text: &[u8]| text.first().copied().unwrap_or_default();
        let delimiter = first(&self.delimiter);
        [delimiter, first(&self.newline), if self.quote == Quote::Never { delimiter } else { QUOTE }]
    }

    /// Whether a value without a special byte needs care because of its beginning or end. Not for empty values.
    #[inline]
    pub(super) fn is_odd(&self, value: &[u8]) -> bool {
        let [first, .., last] = value else { return value.first().is_some_and(|byte| self.odd[usize::from(*byte)]) };
        self.odd[usize::from(*first)] || *last == b' ' && self.quote == Quote::Minimal
    }

    /// Whether readers take a value without a mark for something else: NULL, an end of data, a comment, or a text whose blanks they
    /// remove.
    fn misleads(&self, value: &[u8]) -> bool {
        match self.quote {
            Quote::Minimal => {
                let blank = |byte: Option<&u8>| byte.is_some_and(|byte| matches!(byte, b' ' | b'\t'));
                blank(value.first())
                    || blank(value.last())
                    || matches!(value.first(), Some(b'#' | b'\''))
                    || matches!(value, b"\\N" | b"\\.")
                    || value.eq_ignore_ascii_case(b"null")
            }
            Quote::Never | Quote::Always | Quote::NonNumeric => false,
        }
    }

    /// Quotes or refuses the value `out[start..]`, so that it reads back unchanged. `null` is the text that stands for NULL in its
    /// column. A value must not look like it where quotes can prevent that.
    ///
    /// # Errors
    /// What in the value would break the record, and what to do.
    #[inline]
    pub(super) fn finish(&self, out: &mut Vec<u8>, start: usize, null: Option<&str>) -> Result<(), String> {
        let value = out.get(start..).unwrap_or_default();
        if value.is_empty() {
            if self.quote != Quote::Never && self.empty == EmptyText::Quoted {
                out.extend_from_slice(&[QUOTE, QUOTE]);
            }
            return Ok(());
        }
        let clash = self.clash(value);
        match (self.quote, clash) {
            (_, Some(Clash::Nul)) => Err(refusal(Clash::Nul, "take it out in the view")),
            (Quote::Never, None) if self.odd[usize::from(value[0])] => Err(
                "begins with a quote, which readers take for the beginning of a quoted value; choose `quote: minimal`, or \
                 `leading_quote: keep` where the reader knows no quotes"
                    .to_owned(),
            ),
            (Quote::Never, None) if null.is_some_and(|null| null.as_bytes() == value) => Err(format!(
                "holds {}, which is what NULL is written as; choose `quote: minimal`, or another `null`",
                super::shown(&String::from_utf8_lossy(value))
            )),
            (Quote::Never, None) => Ok(()),
            (Quote::Never, Some(clash)) => {
                Err(refusal(clash, "choose `quote: minimal`, another delimiter, or take it out in the view"))
            }
            (Quote::Minimal, None) if null.is_none_or(|null| null.as_bytes() != value) && !self.misleads(value) => Ok(()),
            (Quote::Minimal | Quote::Always | Quote::NonNumeric, _) => {
                match self.escape {
                    Escape::Double => {
                        let inner = memchr::memchr_iter(QUOTE, &out[start..]).count();
                        enclose(out, start, inner, |byte| byte == QUOTE, QUOTE);
                    }
                    Escape::Backslash => {
                        let inner = memchr::memchr2_iter(QUOTE, BACKSLASH, &out[start..]).count();
                        enclose(out, start, inner, |byte| matches!(byte, QUOTE | BACKSLASH), BACKSLASH);
                    }
                }
                Ok(())
            }
        }
    }

    fn clash(&self, value: &[u8]) -> Option<Clash> {
        let first = value.iter().position(|byte| self.special[usize::from(*byte)])?;
        // NUL counts most: quotes do not help against it.
        if value.contains(&0) {
            return Some(Clash::Nul);
        }
        let rest = value.get(first..)?;
        let behind = if self.is_last { &self.newline } else { &self.delimiter };
        if memchr::memmem::find(rest, &self.delimiter).is_some() {
            Some(Clash::Delimiter)
        } else if runs_into(rest, &self.delimiter, behind) {
            Some(Clash::IntoDelimiter)
        } else if rest.iter().any(|byte| matches!(byte, b'\r' | b'\n')) || runs_into(rest, &self.newline, &self.newline)
        {
            Some(Clash::LineBreak)
        } else if self.quote != Quote::Never && rest.contains(&QUOTE) {
            Some(Clash::Quote)
        } else {
            (self.escape == Escape::Backslash && rest.contains(&BACKSLASH)).then_some(Clash::Backslash)
        }
    }
}

impl Clash {
    fn name(self) -> &'static str {
        match self {
            Self::Delimiter => "the delimiter",
            Self::IntoDelimiter => "a part of the delimiter at its end",
            Self::LineBreak => "a line break",
            Self::Quote => "a quote",
            Self::Backslash => "a backslash",
            Self::Nul => "a NUL byte",
        }
    }
}

#[cold]
fn refusal(clash: Clash, advice: &str) -> String {
    format!("holds {}, which would break the record; {advice}", clash.name())
}

/// Whether a reader would find `mark` too early when `behind` follows `value`: inside the value, or where the value's end and the
/// beginning of what follows together make one (`a|` before `||`).
fn runs_into(value: &[u8], mark: &[u8], behind: &[u8]) -> bool {
    if let [one] = mark {
        return value.contains(one);
    }
    (0..value.len()).any(|at| {
        let rest = &value[at..];
        if let Some(whole) = rest.get(..mark.len()) {
            return whole == mark;
        }
        let missing = &mark[rest.len()..];
        let known = missing.len().min(behind.len());
        mark.starts_with(rest) && missing[..known] == behind[..known]
    })
}

/// Puts `out[start..]` in quotes, in place, and `mark` before each of the `inner` bytes inside that need one.
fn enclose(out: &mut Vec<u8>, start: usize, inner: usize, needs_mark: impl Fn(u8) -> bool, mark: u8) {
    let end = out.len();
    out.resize(end + inner + 2, QUOTE);
    if inner == 0 {
        out.copy_within(start..end, start + 1);
    } else {
        // From the back, so that nothing is overwritten before it has moved.
        let mut to = end + inner + 1;
        for from in (start..end).rev() {
            to -= 1;
            out[to] = out[from];
            if needs_mark(out[to]) {
                to -= 1;
                out[to] = mark;
            }
        }
    }
    out[start] = QUOTE;
}

#[cfg(test)]
mod tests;
