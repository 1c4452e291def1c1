//! What failures leave: torn writes, lost names, syncs that fail.

use super::{Change, Dir, Disk, File, Id, Inode, NameChange, ROOT, apply};
use crate::rng::Rng;
use std::collections::BTreeMap;

/// Torn writes tear here.
pub(super) const SECTOR: usize = 512;

/// Applies a change as a power failure may leave it: of a write, any of its sectors.
fn apply_torn(bytes: &mut Vec<u8>, change: &Change, kept: u64, rng: &mut Rng) {
    match change {
        Change::Write(offset, new) => {
            let mut at = *offset;
            let end = offset + new.len();
            while at < end {
                let next = ((at / SECTOR + 1) * SECTOR).min(end);
                if rng.chance(kept) {
                    apply(bytes, &Change::Write(at, new[at - offset..next - offset].to_vec()));
                } else if rng.chance(500) {
                    // What stands in a sector that was being written may be anything: here, one byte of it is wrong.
                    let mut garbled = new[at - offset..next - offset].to_vec();
                    let place = rng.index(garbled.len());
                    garbled[place] ^= 1;
                    apply(bytes, &Change::Write(at, garbled));
                }
                at = next;
            }
        }
        Change::Cut(_) if rng.chance(kept) => apply(bytes, change),
        Change::Cut(_) => {}
    }
}

/// Of a node's changes only a part arrives.
fn written_in_part(file: &mut File, changes: &[Change], kept: u64, rng: &mut Rng) {
    let before = file.seen.clone();
    for change in changes {
        apply_torn(&mut file.seen, change, kept, rng);
    }
    if file.seen != before {
        file.unsynced.push(Change::Cut(file.seen.len()));
        file.unsynced.push(Change::Write(0, file.seen.clone()));
    }
}

/// Applies a change of names to those that are durable.
pub(super) fn apply_name(stable: &mut BTreeMap<String, Id>, change: NameChange) {
    match change {
        NameChange::Add(name, id) => {
            stable.entry(name).or_insert(id);
        }
        NameChange::Remove(name) => {
            stable.remove(&name);
        }
        NameChange::Rename(old, new, id) => {
            if stable.get(&old) == Some(&id) {
                stable.remove(&old);
            }
            stable.insert(new, id);
        }
    }
}

impl Disk {
    /// A sync that fails: the node forgets some of what it could not write, and will not say so again.
    pub fn fail_sync(&mut self, node: usize, id: Id, rng: &mut Rng) {
        let changes = self.caches.remove(&(node, id)).unwrap_or_default();
        if let Ok(file) = self.file_mut(id) {
            written_in_part(file, &changes, 500, rng);
        }
    }

    /// A node's power fails: of what is in its cache, any part may have been written.
    pub fn node_fails(&mut self, node: usize, rng: &mut Rng) {
        let kept = [0, 500, 900][rng.index(3)];
        let keys: Vec<_> = self.caches.keys().copied().filter(|(of, _)| *of == node).collect();
        for key in keys {
            let changes = self.caches.remove(&key).unwrap_or_default();
            let Ok(file) = self.file_mut(key.1) else { continue };
            written_in_part(file, &changes, kept, rng);
        }
    }

    /// All power fails, that of every node too: only what is stable is certain.
    pub fn power_fails(&mut self, rng: &mut Rng) {
        for key in self.caches.keys().copied().collect::<Vec<_>>() {
            let changes = self.caches.remove(&key).unwrap_or_default();
            if let Ok(file) = self.file_mut(key.1) {
                file.unsynced.extend(changes);
            }
        }
        self.write_back.clear();
        let (kept, in_order) = ([0, 500, 900][rng.index(3)], rng.chance(500));
        for inode in &mut self.inodes {
            match inode {
                Inode::File(file) => {
                    for change in std::mem::take(&mut file.unsynced) {
                        apply_torn(&mut file.stable, &change, kept, rng);
                    }
                    file.seen.clone_from(&file.stable);
                    file.links = 0;
                }
                Inode::Dir(dir) => dir.power_fails(kept, in_order, rng),
            }
        }
        self.count_links();
    }

    pub(super) fn count_links(&mut self) {
        let mut open = vec![ROOT];
        if let Inode::Dir(root) = &mut self.inodes[ROOT] {
            root.gone = false;
        }
        while let Some(at) = open.pop() {
            let Inode::Dir(dir) = &self.inodes[at] else { continue };
            for id in dir.names.values().copied().collect::<Vec<_>>() {
                match &mut self.inodes[id] {
                    Inode::File(file) => file.links += 1,
                    Inode::Dir(dir) => {
                        dir.gone = false;
                        open.push(id);
                    }
                }
            }
        }
    }
}

impl Dir {
    /// Of the names that were not synced, a part is there: the first ones in order, or any.
    fn power_fails(&mut self, kept: u64, in_order: bool, rng: &mut Rng) {
        let changes = std::mem::take(&mut self.unsynced);
        for change in changes {
            if !rng.chance(kept) {
                if in_order {
                    break;
                }
                continue;
            }
            apply_name(&mut self.stable, change);
        }
        self.names.clone_from(&self.stable);
        self.gone = true;
    }
}
