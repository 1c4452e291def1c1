//! A power failure of which every detail is chosen: what it may take, part by part, and the disk that it leaves.

use super::crash::{SECTOR, apply_name};
use super::{Change, Disk, Inode, apply};
use filegen::core::generate::model::header::HEADER_BYTES;

/// The least that a power failure takes or leaves by itself: a name, a length, one sector of a write.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Parts of one change have one number.
    pub change: usize,
    /// Whether it is of a write, so that anything may stand in its place afterwards.
    pub is_sector: bool,
    /// Whether it is a header that is being rewritten.
    pub is_header: bool,
}

/// What becomes of a part.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fate {
    Kept,
    Lost,
    /// Written with one bit wrong: this one, counted on from the first as often as need be.
    Garbled(u64),
}

/// A write's sectors, as offsets from its first byte.
fn sectors(offset: usize, length: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut at = offset;
    std::iter::from_fn(move || {
        let start = at;
        at = ((at / SECTOR + 1) * SECTOR).min(offset + length);
        (start < offset + length).then_some((start - offset, at - offset))
    })
}

impl Disk {
    /// Nothing that is only in a cache is forgotten, and nothing of it is durable.
    pub fn written_back(&self) -> Self {
        let mut disk = self.clone();
        for ((_, id), changes) in std::mem::take(&mut disk.caches) {
            if let Inode::File(file) = &mut disk.inodes[id] {
                file.unsynced.extend(changes);
            }
        }
        disk.write_back.clear();
        disk
    }

    /// What a power failure may take, in the order in which it was done to each file and folder.
    pub fn parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        let mut change = 0;
        for inode in &self.inodes {
            let sizes: Vec<Option<(usize, usize)>> = match inode {
                Inode::Dir(dir) => vec![None; dir.unsynced.len()],
                Inode::File(file) => file.unsynced.iter().map(written).collect(),
            };
            for size in sizes {
                change += 1;
                let Some((offset, length)) = size else {
                    parts.push(Part { change, is_sector: false, is_header: false });
                    continue;
                };
                let is_header = offset == 0 && length == HEADER_BYTES;
                parts.extend(sectors(offset, length).map(|_| Part { change, is_sector: true, is_header }));
            }
        }
        parts
    }

    /// What is left when each part meets its fate.
    pub fn left(&self, fates: &[Fate]) -> Self {
        let mut disk = self.clone();
        let mut fates = fates.iter().copied();
        let mut next = || fates.next().unwrap_or(Fate::Lost);
        for inode in &mut disk.inodes {
            match inode {
                Inode::Dir(dir) => {
                    for change in std::mem::take(&mut dir.unsynced) {
                        if next() != Fate::Lost {
                            apply_name(&mut dir.stable, change);
                        }
                    }
                    dir.names.clone_from(&dir.stable);
                    dir.gone = true;
                }
                Inode::File(file) => {
                    for change in std::mem::take(&mut file.unsynced) {
                        leave(&mut file.stable, &change, &mut next);
                    }
                    file.seen.clone_from(&file.stable);
                    file.links = 0;
                }
            }
        }
        disk.count_links();
        disk
    }
}

impl Disk {
    /// A digest of all that is durable: equal for equal images.
    pub fn digest(&self) -> u64 {
        let mut digest = xxhash_rust::xxh3::Xxh3::new();
        for inode in &self.inodes {
            match inode {
                Inode::Dir(dir) => digest.update(format!("{:?}", dir.stable).as_bytes()),
                Inode::File(file) => {
                    digest.update(&file.stable.len().to_ne_bytes());
                    digest.update(&file.stable);
                }
            }
        }
        digest.digest()
    }
}

fn written(change: &Change) -> Option<(usize, usize)> {
    match change {
        Change::Write(offset, bytes) => Some((*offset, bytes.len())),
        Change::Cut(_) => None,
    }
}

fn leave(bytes: &mut Vec<u8>, change: &Change, next: &mut impl FnMut() -> Fate) {
    let Change::Write(offset, new) = change else {
        if next() != Fate::Lost {
            apply(bytes, change);
        }
        return;
    };
    for (start, end) in sectors(*offset, new.len()) {
        let mut sector = new[start..end].to_vec();
        match next() {
            Fate::Lost => continue,
            Fate::Kept => {}
            Fate::Garbled(bit) => {
                let bit = usize::try_from(bit).unwrap_or(0) % (sector.len() * 8);
                sector[bit / 8] ^= 1 << (bit % 8);
            }
        }
        apply(bytes, &Change::Write(offset + start, sector));
    }
}
