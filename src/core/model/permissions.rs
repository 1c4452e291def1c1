//! Who may read what is published.

/// The bits for reading and writing.
const READ_WRITE: u32 = 0o666;

/// What a worker file says of the permissions of its published files. Nothing: as the process's umask has it, without the right to
/// write.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Permissions {
    /// Exactly these: `0o640`.
    pub mode: Option<u32>,
    /// A group by its name or number.
    pub group: Option<String>,
}

impl Permissions {
    /// Reads `0640`, `640` or `0o640`. `None` for anything that is no permission of a file: the owner must be able to read, and
    /// nobody runs it.
    pub fn mode_of(text: &str) -> Option<u32> {
        let digits = text.strip_prefix("0o").unwrap_or(text);
        let octal = (3..=4).contains(&digits.len()) && digits.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
        let mode = u32::from_str_radix(digits, 8).ok().filter(|_| octal)?;
        (mode & !READ_WRITE == 0 && mode & 0o400 != 0).then_some(mode)
    }

    /// The permissions of a folder of such files: who may read there may also go in.
    pub fn of_folder(mode: u32) -> u32 {
        mode | 0o700 | (mode & 0o444) >> 2
    }

    /// Whether the group may write.
    pub fn is_shared(&self) -> bool {
        self.mode.is_some_and(|mode| mode & 0o020 != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_read_as_people_write_it() {
        for (text, mode) in [("0640", 0o640), ("640", 0o640), ("0o444", 0o444), ("0600", 0o600), ("0666", 0o666)] {
            assert_eq!(Permissions::mode_of(text), Some(mode), "{text}");
        }
        for text in ["", "64", "0o", "0750", "4640", "0040", "06400", "u=rw", "0648", "-640", "+640", "0x1A0"] {
            assert_eq!(Permissions::mode_of(text), None, "{text}");
        }
    }

    #[test]
    fn a_folder_is_open_to_those_who_may_read() {
        let folders = [(0o640, 0o750), (0o600, 0o700), (0o444, 0o755), (0o660, 0o770), (0o644, 0o755)];
        for (file, folder) in folders {
            assert_eq!(Permissions::of_folder(file), folder, "{file:o}");
        }
    }
}
