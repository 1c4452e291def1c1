//! Where what stands in a file and what the source gives now part.

use crate::core::generate::inspect::count::Ends;
use crate::core::generate::spec::FileSpec;

/// Longest piece of a record that a difference shows.
const SHOWN_CHARS: usize = 80;

/// Where two texts differ first.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// Bytes that are the same before it.
    pub(super) at: usize,
    /// What is around it in the file, and what should be.
    found: String,
    wanted: String,
}

impl Difference {
    pub(super) fn describe(&self, place: &str, from: u64, what: &str) -> String {
        let offset = from + self.at as u64;
        format!(
            "{place}, offset {offset}, {what}: the file has {:?}, the source now gives {:?}",
            self.found, self.wanted
        )
    }
}

pub(super) fn first_difference(found: &[u8], wanted: &[u8]) -> Option<Difference> {
    if found == wanted {
        return None;
    }
    let at = found.iter().zip(wanted).take_while(|(a, b)| a == b).count();
    let line_start = wanted[..at].iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    // In a file without line feeds the line may be long: what is shown begins near the difference.
    let start = line_start.max(at.saturating_sub(SHOWN_CHARS / 2));
    let line = |text: &[u8]| {
        let rest = text.get(start..).unwrap_or_default();
        let line = rest.split(|&byte| byte == b'\n').next().unwrap_or_default();
        String::from_utf8_lossy(line).chars().take(SHOWN_CHARS).collect::<String>()
    };
    Some(Difference { at, found: line(found), wanted: line(wanted) })
}

/// Names the record that holds byte `at` of a page, by its number in the file.
pub(super) fn record_at(spec: &FileSpec, page: &[u8], first_record: usize, before: u64, at: usize) -> String {
    if at < first_record {
        return "in the first record".to_owned();
    }
    match Ends::of(spec) {
        Some(ends) => format!("record {}", before + ends.count(page.get(first_record..at).unwrap_or_default()) + 1),
        None => format!("behind record {before}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_its_offset_and_shows_both_sides() {
        let difference = first_difference(b"1|a\n2|x\n3|c\n", b"1|a\n2|b\n3|c\n").unwrap();
        assert_eq!(difference.at, 6);
        assert_eq!((difference.found.as_str(), difference.wanted.as_str()), ("2|x", "2|b"));
        assert_eq!(first_difference(b"1\n", b"1\n"), None);
        assert_eq!(first_difference(b"1\n", b"1\n2\n").unwrap().at, 2);
    }
}
