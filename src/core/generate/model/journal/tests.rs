//! The journal: what is written reads back, and what is damaged does not pass.

use super::*;
use crate::core::model::key::KeyValue;
use proptest::prelude::*;

fn sample(pages: u64) -> (Vec<Entry>, Vec<u8>) {
    let mut entries = vec![Entry::Begin(Begin {
        v: 1,
        run: "LoanWorker:2026-11-21".to_owned(),
        token: 7,
        at: 0,
        files: vec!["Loan0".to_owned()],
        spec: "s".to_owned(),
        writes: 1,
        params: Params::new(),
        correction: None,
        rows: 30,
        counted: true,
        file_rows: vec![30],
        range: None,
        first_totals: vec![BTreeMap::new()],
    })];
    for page in 1..=pages {
        if page == 3 {
            entries.push(Entry::Term { token: 8, at: 5 });
        }
        entries.push(Entry::Page(PageCommit {
            page,
            source_rows: page * 10,
            key: Key(vec![KeyValue::Text(format!("k\t{page}\n"))]),
            columns: None,
            files: vec![FileCommit {
                rows: page * 10,
                bytes: 32 + page * 100,
                sum: sum_of(b"x"),
                ..FileCommit::default()
            }],
        }));
    }
    let mut writer = JournalWriter::default();
    let mut bytes = Vec::new();
    for entry in &entries {
        writer.append(entry, &mut bytes).unwrap();
    }
    (entries, bytes)
}

#[test]
fn what_is_written_reads_back() {
    let (entries, bytes) = sample(5);
    let journal = Journal::parse(&bytes);
    assert_eq!(journal.entries, entries);
    assert_eq!(journal.bytes, bytes.len() as u64);
    assert_eq!(journal.damage, None);
    assert_eq!(journal.tokens(), [7, 8]);
}

#[test]
fn a_missing_line_ends_the_prefix() {
    let (_, bytes) = sample(5);
    let mut lines: Vec<&[u8]> = bytes.split_inclusive(|&byte| byte == b'\n').collect();
    lines.remove(2);
    let journal = Journal::parse(&lines.concat());
    assert_eq!(journal.last_page().unwrap().page, 1);
    assert!(journal.damage.unwrap().contains("checksum"));
}

#[test]
fn a_cut_journal_can_be_gone_on_with() {
    let (_, bytes) = sample(5);
    let cut = Journal::parse(&bytes).cut_after(2, &bytes);
    let mut kept = bytes[..usize::try_from(cut.bytes).unwrap()].to_vec();
    JournalWriter::after(cut.chain).append(&Entry::Term { token: 9, at: 9 }, &mut kept).unwrap();
    let again = Journal::parse(&kept);
    assert_eq!(again.damage, None);
    assert_eq!(again.last_page().unwrap().page, 2);
    assert_eq!(again.tokens(), [7]);
}

proptest! {
    #[test]
    fn a_torn_journal_is_a_prefix(cut in 0_usize..2000) {
        let (entries, bytes) = sample(5);
        let cut = cut.min(bytes.len());
        let journal = Journal::parse(&bytes[..cut]);
        prop_assert_eq!(&journal.entries[..], &entries[..journal.entries.len()]);
        prop_assert_eq!(journal.damage.is_some(), journal.bytes != cut as u64);
    }

    #[test]
    fn a_flipped_bit_ends_the_prefix(at in 0_usize..2000, bit in 0_u8..8) {
        let (entries, mut bytes) = sample(5);
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        let journal = Journal::parse(&bytes);
        prop_assert!(journal.entries.len() < entries.len());
        prop_assert_eq!(&journal.entries[..], &entries[..journal.entries.len()]);
        prop_assert!(journal.damage.is_some());
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let journal = Journal::parse(&bytes);
        prop_assert!(journal.bytes <= bytes.len() as u64);
    }
}
