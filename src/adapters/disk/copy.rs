//! The first bytes of one file into another: shared blocks where the file system can, else the kernel's copy.

use rustix::io::Errno;
use std::fs::File;
use std::io;

/// Copies `bytes` from the start of `source` into the existing, empty file `target`.
pub(super) fn prefix(source: &File, target: &File, bytes: u64) -> io::Result<()> {
    // A whole-file clone costs nothing and is cut to size; ext4, tmpfs and NFSv3 cannot and say so.
    if clones(source, target) {
        return target.set_len(bytes);
    }
    by_kernel(source, target, bytes)
}

/// Whether the file system can make `target` share the blocks of `source`.
pub(super) fn clones(source: &File, target: &File) -> bool {
    rustix::fs::ioctl_ficlone(target, source).is_ok()
}

fn by_kernel(source: &File, target: &File, bytes: u64) -> io::Result<()> {
    let (mut read_at, mut write_at) = (0, 0);
    while write_at < bytes {
        let wanted = usize::try_from(bytes - write_at).unwrap_or(usize::MAX).min(1 << 30);
        match rustix::fs::copy_file_range(source, Some(&mut read_at), target, Some(&mut write_at), wanted) {
            // The source is shorter than its journal says: the checksums will tell.
            Ok(0) => return Ok(()),
            Ok(_) | Err(Errno::INTR) => {}
            Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                return by_hand(source, target, write_at, bytes);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn by_hand(source: &File, target: &File, from: u64, bytes: u64) -> io::Result<()> {
    use std::os::unix::fs::FileExt;
    let mut buffer = vec![0; 1 << 20];
    let mut at = from;
    while at < bytes {
        let wanted = buffer.len().min(usize::try_from(bytes - at).unwrap_or(usize::MAX));
        let count = source.read_at(&mut buffer[..wanted], at)?;
        if count == 0 {
            return Ok(());
        }
        target.write_all_at(&buffer[..count], at)?;
        at += count as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_prefix_is_copied() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a"), folder.path().join("b"));
        let content: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        std::fs::write(&from, &content).unwrap();
        let source = File::open(&from).unwrap();
        for bytes in [0, 1, 4096, 2_999_999, 3_000_000] {
            prefix(&source, &File::create(&to).unwrap(), bytes as u64).unwrap();
            assert_eq!(std::fs::read(&to).unwrap(), content[..bytes]);
            by_hand(&source, &File::create(&to).unwrap(), 0, bytes as u64).unwrap();
            assert_eq!(std::fs::read(&to).unwrap(), content[..bytes]);
        }
    }
}
