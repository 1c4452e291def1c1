//! Scans all texts of a page at once. If none holds a byte that needs care, no value is checked by itself.

use arrow_array::StringArray;

/// Bytes that need care. May be more than those that really do: the slow way decides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scan {
    any: [u8; 3],
}

/// Control characters always need care.
const FIRST_PRINTABLE: u8 = b' ';

/// Bytes looked at before a first stop; long enough for the compiler's vector code to pay.
const CHUNK: usize = 4_096;

impl Scan {
    /// Looks for control characters and the bytes in `any`.
    pub(super) fn new(any: [u8; 3]) -> Self {
        Self { any }
    }

    /// Whether no text of the page has such a byte.
    pub(super) fn is_clean(self, texts: &StringArray) -> bool {
        let offsets = texts.value_offsets();
        let place = |offset: Option<&i32>| offset.and_then(|offset| usize::try_from(*offset).ok()).unwrap_or(0);
        let bytes = texts.value_data().get(place(offsets.first())..place(offsets.last())).unwrap_or_default();
        let [a, b, c] = self.any;
        bytes.chunks(CHUNK).all(|chunk| {
            // No early end inside a chunk: that is what lets the compiler look at many bytes at once.
            let stop = |byte: u8| {
                u8::from(byte < FIRST_PRINTABLE) | u8::from(byte == a) | u8::from(byte == b) | u8::from(byte == c)
            };
            chunk.iter().fold(0, |found, byte| found | stop(*byte)) == 0
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_texts_of_the_slice_count() {
        let scan = Scan::new([b'|'; 3]);
        let texts = StringArray::from(vec![Some("a|"), Some("plain é"), None, Some("x\n")]);
        assert!(!scan.is_clean(&texts));
        let middle = texts.slice(1, 2);
        assert!(scan.is_clean(&middle));
        assert!(scan.is_clean(&StringArray::from(Vec::<&str>::new())));
    }
}
