//! gzip and zstd, in both directions where they are wanted.

use crate::core::ports::filters::{FilterError, Stage};
use flate2::write::{GzEncoder, MultiGzDecoder};
use flate2::{Compression, GzBuilder};
use std::io::Write;
use zstd::stream::write::Encoder;

/// Packs as gzip. The header has no name and no time: the same content gives the same bytes.
pub(super) struct Gzip(GzEncoder<Vec<u8>>);

impl Gzip {
    pub(super) fn new(level: u32) -> Self {
        Self(GzBuilder::new().mtime(0).write(Vec::new(), Compression::new(level)))
    }
}

impl Stage for Gzip {
    fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        self.0.write_all(piece).map_err(|error| error.to_string())?;
        out.append(self.0.get_mut());
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        self.0.try_finish().map_err(|error| error.to_string())?;
        out.append(self.0.get_mut());
        Ok(())
    }
}

/// Packs as one zstd frame with a checksum, and its size where that is known.
pub(super) struct Zstd(Encoder<'static, Vec<u8>>);

impl Zstd {
    pub(super) fn new(level: i32, size: Option<u64>) -> Result<Self, FilterError> {
        let begun = Encoder::new(Vec::new(), level).and_then(|mut encoder| {
            encoder.include_checksum(true)?;
            encoder.set_pledged_src_size(size)?;
            Ok(encoder)
        });
        begun.map(Self).map_err(|error| FilterError::Unusable { filter: "zstd", reason: error.to_string() })
    }
}

impl Stage for Zstd {
    fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        self.0.write_all(piece).map_err(|error| error.to_string())?;
        out.append(self.0.get_mut());
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        self.0.do_finish().map_err(|error| error.to_string())?;
        out.append(self.0.get_mut());
        Ok(())
    }
}

/// Unpacks gzip: one member or several, one behind the other, and nothing else.
pub(super) struct Gunzip {
    decoder: MultiGzDecoder<Vec<u8>>,
    taken: u64,
    made: u64,
    most: u64,
}

impl Gunzip {
    pub(super) fn new(most: u64) -> Self {
        Self { decoder: MultiGzDecoder::new(Vec::new()), taken: 0, made: 0, most }
    }

    fn give(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        self.made += self.decoder.get_ref().len() as u64;
        out.append(self.decoder.get_mut());
        if self.made > self.most {
            return Err(format!("unpacked it has more than the {} bytes of `max_size`", self.most));
        }
        Ok(())
    }
}

impl Stage for Gunzip {
    fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        self.taken += piece.len() as u64;
        self.decoder.write_all(piece).map_err(|error| format!("it is no whole gzip: {error}"))?;
        self.give(out)
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        if self.taken == 0 {
            return Err("it is empty, and no gzip".to_owned());
        }
        self.decoder.try_finish().map_err(|error| format!("it is no whole gzip: {error}"))?;
        self.give(out)
    }
}
