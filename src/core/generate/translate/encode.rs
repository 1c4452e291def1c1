//! Text into the bytes of a file's encoding. Each supported encoding but UTF-8 has one byte a character.

use crate::core::generate::spec::{Encoding, OnUnmappable};

/// IBM037's byte values in code point order: the byte of U+0000, of U+0001, … of U+00FF. Code page 037 holds exactly
/// the characters of Latin-1, each at another place (IBM CDRA, CCSID 37; the same as Python's `cp037`).
const IBM037: [u8; 256] = [
    0x00, 0x01, 0x02, 0x03, 0x37, 0x2D, 0x2E, 0x2F, 0x16, 0x05, 0x25, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F, 0x10, 0x11, 0x12,
    0x13, 0x3C, 0x3D, 0x32, 0x26, 0x18, 0x19, 0x3F, 0x27, 0x1C, 0x1D, 0x1E, 0x1F, 0x40, 0x5A, 0x7F, 0x7B, 0x5B, 0x6C,
    0x50, 0x7D, 0x4D, 0x5D, 0x5C, 0x4E, 0x6B, 0x60, 0x4B, 0x61, 0xF0, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8,
    0xF9, 0x7A, 0x5E, 0x4C, 0x7E, 0x6E, 0x6F, 0x7C, 0xC1, 0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xD1, 0xD2,
    0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0xD9, 0xE2, 0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xBA, 0xE0, 0xBB, 0xB0,
    0x6D, 0x79, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98,
    0x99, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9, 0xC0, 0x4F, 0xD0, 0xA1, 0x07, 0x20, 0x21, 0x22, 0x23, 0x24,
    0x15, 0x06, 0x17, 0x28, 0x29, 0x2A, 0x2B, 0x2C, 0x09, 0x0A, 0x1B, 0x30, 0x31, 0x1A, 0x33, 0x34, 0x35, 0x36, 0x08,
    0x38, 0x39, 0x3A, 0x3B, 0x04, 0x14, 0x3E, 0xFF, 0x41, 0xAA, 0x4A, 0xB1, 0x9F, 0xB2, 0x6A, 0xB5, 0xBD, 0xB4, 0x9A,
    0x8A, 0x5F, 0xCA, 0xAF, 0xBC, 0x90, 0x8F, 0xEA, 0xFA, 0xBE, 0xA0, 0xB6, 0xB3, 0x9D, 0xDA, 0x9B, 0x8B, 0xB7, 0xB8,
    0xB9, 0xAB, 0x64, 0x65, 0x62, 0x66, 0x63, 0x67, 0x9E, 0x68, 0x74, 0x71, 0x72, 0x73, 0x78, 0x75, 0x76, 0x77, 0xAC,
    0x69, 0xED, 0xEE, 0xEB, 0xEF, 0xEC, 0xBF, 0x80, 0xFD, 0xFE, 0xFB, 0xFC, 0xAD, 0xAE, 0x59, 0x44, 0x45, 0x42, 0x46,
    0x43, 0x47, 0x9C, 0x48, 0x54, 0x51, 0x52, 0x53, 0x58, 0x55, 0x56, 0x57, 0x8C, 0x49, 0xCD, 0xCE, 0xCB, 0xCF, 0xCC,
    0xE1, 0x70, 0xDD, 0xDE, 0xDB, 0xDC, 0x8D, 0x8E, 0xDF,
];

/// IBM037's own line end. No value may hold it.
const NEL: char = '\u{85}';

/// Writes text in one encoding.
#[derive(Debug)]
pub(super) struct Encoder {
    encoding: Encoding,
    /// Byte of each code point below 256, where the encoding has it.
    low: [Option<u8>; 256],
    /// Bytes of the characters above, sorted by character.
    high: Vec<(char, u8)>,
    /// Whether ASCII text has the same bytes.
    ascii_compatible: bool,
}

/// A character that the encoding does not have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Unmappable {
    /// The character.
    pub(super) char: char,
    /// What it should have become.
    pub(super) encoding: Encoding,
}

impl Unmappable {
    /// What is wrong and what to do, for an error.
    pub(super) fn reason(self) -> String {
        if self.char == NEL && self.encoding == Encoding::Ibm037 {
            return "character U+0085 (NEL) is a line break in IBM037, where it ends a line on a mainframe; take it out in the view, \
                    or use `on_unmappable: replace`"
                .to_owned();
        }
        format!(
            "character `{}` (U+{:04X}) does not exist in {}; use `encoding: utf-8`, or `on_unmappable: replace`",
            self.char.escape_debug(),
            u32::from(self.char),
            name(self.encoding)
        )
    }
}

fn name(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Utf8 => "UTF-8",
        Encoding::Windows1252 => "Windows-1252",
        Encoding::Iso88591 => "ISO-8859-1",
        Encoding::Ibm037 => "IBM037",
    }
}

impl Encoder {
    /// Tables for `encoding`. `None` for UTF-8, which needs no work.
    pub(super) fn new(encoding: Encoding) -> Option<Self> {
        let mut low = [None; 256];
        let mut high = Vec::new();
        for (code, byte) in (0_u8..=255).zip(low.iter_mut()) {
            match encoding {
                Encoding::Utf8 => return None,
                Encoding::Iso88591 => *byte = Some(code),
                Encoding::Ibm037 => *byte = (char::from(code) != NEL).then_some(IBM037[usize::from(code)]),
                Encoding::Windows1252 => {}
            }
        }
        if encoding == Encoding::Windows1252 {
            for byte in 0..=255 {
                let Some(char) = windows_1252(byte) else { continue };
                match low.get_mut(char as usize) {
                    Some(place) => *place = Some(byte),
                    None => high.push((char, byte)),
                }
            }
            high.sort_unstable();
        }
        Some(Self { encoding, low, high, ascii_compatible: encoding != Encoding::Ibm037 })
    }

    /// Characters of a text that the encoding does not have.
    pub(super) fn unmappable_in(&self, text: &str) -> u64 {
        if text.is_ascii() { 0 } else { text.chars().filter(|char| self.byte(*char).is_none()).count() as u64 }
    }

    /// The bytes of a line end, which may be the encoding's own.
    ///
    /// # Errors
    /// The first character that the encoding does not have.
    pub(super) fn line_end(&self, text: &str) -> Result<Vec<u8>, Unmappable> {
        let byte = |char| match (char, self.encoding) {
            (NEL, Encoding::Ibm037) => Some(IBM037[0x85]),
            (char, _) => self.byte(char),
        };
        text.chars().map(|char| byte(char).ok_or(Unmappable { char, encoding: self.encoding })).collect()
    }

    /// The encoding's byte of a character.
    fn byte(&self, char: char) -> Option<u8> {
        match self.low.get(char as usize) {
            Some(byte) => *byte,
            None => self.high.binary_search_by_key(&char, |(known, _)| *known).ok().map(|at| self.high[at].1),
        }
    }

    /// Replaces the UTF-8 text `bytes[start..]` by its encoded form; `scratch` is working space. Gives the number of
    /// characters replaced by `?`.
    ///
    /// # Errors
    /// The first character that the encoding does not have, unless it is to be replaced.
    pub(super) fn encode(
        &self,
        bytes: &mut Vec<u8>,
        start: usize,
        scratch: &mut Vec<u8>,
        on_unmappable: OnUnmappable,
    ) -> Result<u64, Unmappable> {
        let record = bytes.get_mut(start..).unwrap_or_default();
        if record.is_ascii() {
            if !self.ascii_compatible {
                for byte in record {
                    *byte = IBM037[usize::from(*byte)];
                }
            }
            return Ok(0);
        }
        scratch.clear();
        scratch.extend_from_slice(record);
        bytes.truncate(start);
        let mut replaced = 0;
        // Records hold text by construction; a lossy view costs nothing then and never panics.
        for char in String::from_utf8_lossy(scratch).chars() {
            match (self.byte(char), on_unmappable) {
                (Some(byte), _) => bytes.push(byte),
                (None, OnUnmappable::Error) => return Err(Unmappable { char, encoding: self.encoding }),
                (None, OnUnmappable::Replace) => {
                    bytes.push(self.byte('?').unwrap_or(b'?'));
                    replaced += 1;
                }
            }
        }
        Ok(replaced)
    }
}

/// The character of a Windows-1252 byte. Five bytes are undefined there; the web's reading of them as control
/// characters is left out, since strict readers refuse them.
fn windows_1252(byte: u8) -> Option<char> {
    if matches!(byte, 0x81 | 0x8D | 0x8F | 0x90 | 0x9D) {
        return None;
    }
    let bytes = [byte];
    let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(&bytes);
    text.chars().next()
}

#[cfg(test)]
mod tests;
