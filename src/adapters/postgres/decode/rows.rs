//! The frame of a binary `COPY`: its head, and where each row and field starts and ends.

/// What a binary `COPY` starts with; flags and the length of an extension follow.
pub(super) const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";

/// Bytes of the head; none while it is not all there.
///
/// # Errors
/// When it is another format's.
pub(super) fn head(data: &[u8]) -> Result<Option<usize>, &'static str> {
    let fixed = SIGNATURE.len() + 8;
    let Some(start) = data.get(..fixed) else { return Ok(None) };
    if !start.starts_with(SIGNATURE) {
        return Err("the server's answer is no binary COPY");
    }
    let extension = start.last_chunk::<4>().map_or(0, |length| u32::from_be_bytes(*length));
    let length = fixed + extension as usize;
    Ok((data.len() >= length).then_some(length))
}

/// How far a row could be read.
pub(super) enum Found {
    /// A row of so many bytes.
    Row(usize),
    /// The row goes on in the next piece.
    Cut,
    /// The end mark.
    End,
}

/// Where the fields of one row are; used again for each row.
pub(super) struct Fields {
    expected: usize,
    places: Vec<Place>,
}

/// A field's place in a row; NULL where the length is negative.
#[derive(Clone, Copy)]
struct Place {
    start: usize,
    length: i32,
}

impl Fields {
    /// For rows with so many fields.
    pub(super) fn new(expected: usize) -> Self {
        Self { expected, places: Vec::with_capacity(expected) }
    }

    /// Finds the fields of the row that `data` starts with.
    ///
    /// # Errors
    /// When the row has another number of fields than expected.
    pub(super) fn split(&mut self, data: &[u8]) -> Result<Found, &'static str> {
        self.places.clear();
        let Some((count, mut rest)) = data.split_first_chunk::<2>() else { return Ok(Found::Cut) };
        let count = i16::from_be_bytes(*count);
        if count == -1 {
            return Ok(Found::End);
        }
        if usize::try_from(count) != Ok(self.expected) {
            return Err("the server sent a row with another number of columns than asked for");
        }
        for _ in 0..count {
            let Some((length, behind)) = rest.split_first_chunk::<4>() else { return Ok(Found::Cut) };
            let length = i32::from_be_bytes(*length);
            self.places.push(Place { start: data.len() - behind.len(), length });
            let Some(next) = behind.get(usize::try_from(length).unwrap_or(0)..) else { return Ok(Found::Cut) };
            rest = next;
        }
        Ok(Found::Row(data.len() - rest.len()))
    }

    /// A field of the row found last, in the same data; none for NULL.
    #[inline]
    pub(super) fn field<'a>(&self, index: usize, data: &'a [u8]) -> Option<&'a [u8]> {
        let Place { start, length } = *self.places.get(index)?;
        data.get(start..start + usize::try_from(length).ok()?)
    }
}
