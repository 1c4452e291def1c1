//! Bytes as lower-case hexadecimal and back: how a key of bytes is written.

/// Two digits.
pub(crate) fn digits(byte: u8) -> [u8; 2] {
    let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
    [digit(byte >> 4), digit(byte & 15)]
}

/// Two digits a byte.
pub(crate) fn text(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| digits(*byte)).map(char::from).collect()
}

/// Reads them back; none for anything else.
pub(crate) fn bytes(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_back() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(bytes(&text(&all)), Some(all));
        assert_eq!((text(&[0, 171]), bytes("")), ("00ab".to_owned(), Some(Vec::new())));
        for bad in ["0", "0g", "+1", "ää"] {
            assert_eq!(bytes(bad), None, "{bad}");
        }
    }
}
