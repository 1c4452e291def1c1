//! Short values: copied in blocks of a fixed size, which is one instruction where a call to `memmove` costs more than the
//! value itself.

/// Longest value that is copied as one block; a timestamp's text has 32 bytes at most.
const BLOCK: usize = 32;
/// Most digits of an integer that are made here.
const FEW: usize = 4;

/// Appends `data[start..end]`.
#[inline]
pub(super) fn push_part(out: &mut Vec<u8>, data: &[u8], start: usize, end: usize) {
    let block = data.get(start..).and_then(|rest| rest.first_chunk::<BLOCK>());
    match block {
        Some(block) if end.saturating_sub(start) <= BLOCK => {
            let length = out.len() + end.saturating_sub(start);
            out.extend_from_slice(block);
            out.truncate(length);
        }
        _ => out.extend_from_slice(data.get(start..end).unwrap_or_default()),
    }
}

/// Appends an integer's digits.
#[inline]
pub(super) fn push_int(out: &mut Vec<u8>, value: i64) {
    match u16::try_from(value) {
        Ok(few) if few < 10_000 => push_few(out, few),
        _ => push_many(out, value),
    }
}

/// Appends a number below 10,000.
#[inline]
fn push_few(out: &mut Vec<u8>, value: u16) {
    let digits = [value / 1_000, value / 100 % 10, value / 10 % 10, value % 10];
    let [a, b, c, d] = digits.map(|digit| u32::from(digit) + u32::from(b'0'));
    let zeros = usize::from(value < 1_000) + usize::from(value < 100) + usize::from(value < 10);
    // The first digit stands in the lowest byte, which goes out first: shifting drops what leads.
    let text = (a | b << 8 | c << 16 | d << 24) >> (8 * zeros);
    let length = out.len() + FEW - zeros;
    out.extend_from_slice(&text.to_le_bytes());
    out.truncate(length);
}

#[inline(never)]
fn push_many(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_their_digits() {
        for value in (-2..10_100).chain([i64::MIN, -10_000, 65_535, 65_536, i64::MAX]) {
            let mut out = b"<".to_vec();
            push_int(&mut out, value);
            assert_eq!(out, format!("<{value}").into_bytes());
        }
    }

    #[test]
    fn parts_of_every_length_from_every_place() {
        let data: Vec<u8> = (0..100).collect();
        for start in 0..=data.len() {
            for end in start..=data.len() {
                let mut out = b"<".to_vec();
                push_part(&mut out, &data, start, end);
                assert_eq!(out, [b"<", &data[start..end]].concat(), "{start}..{end}");
            }
        }
    }
}
