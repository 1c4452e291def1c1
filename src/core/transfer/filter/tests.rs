//! What comes out of filters, whatever pieces went in.

use super::*;
use crate::adapters::memory::filters::MemoryFilters;
use crate::core::transfer::naming::NameTemplate;
use crate::core::transfer::spec::{OnExists, Organize, TargetSpec};
use crate::core::transfer::steps::{CsvCheck, RowCount};
use std::io::Read;

fn deliver(filters: &[Filter]) -> Deliver {
    Deliver {
        to: TargetSpec::Directory("out".into()),
        organize_by: Organize::None,
        name: NameTemplate::unchecked("{{ name }}"),
        on_exists: OnExists::Error,
        permissions: Some(0o640),
        max_size: 1 << 20,
        filters: filters.to_vec(),
        companions: Vec::new(),
        work: "work".into(),
    }
}

/// What filters make of a content that comes in pieces of so many bytes.
fn made(filters: &[Filter], content: &[u8], piece: usize) -> Result<Vec<u8>, String> {
    let tools = MemoryFilters::default();
    let begun = Chain::new(&deliver(filters), content.len() as u64, &tools, Timestamp::UNIX_EPOCH);
    let mut chain = begun.map_err(|error| error.to_string())?;
    let mut all = Vec::new();
    for piece in content.chunks(piece) {
        all.extend(chain.push(piece)?);
    }
    all.extend(chain.finish()?);
    Ok(all)
}

fn unpacked(gzip: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    flate2::read::MultiGzDecoder::new(gzip).read_to_end(&mut all).unwrap();
    all
}

fn content() -> Vec<u8> {
    (0..200_000_u32).flat_map(|number| (number / 7).to_le_bytes()).collect()
}

#[test]
fn what_is_packed_is_the_same_bytes_each_time_and_unpacks_to_the_content() {
    for content in [content(), Vec::new()] {
        let gzip = made(&[Filter::Gzip { level: 6 }], &content, SLICE).unwrap();
        assert_eq!(gzip, made(&[Filter::Gzip { level: 6 }], &content, SLICE).unwrap());
        assert_eq!(unpacked(&gzip), content);
        assert_eq!(&gzip[4..8], [0; 4], "no time");
        for piece in [1, 7, SLICE] {
            assert_eq!(made(&[Filter::Gunzip], &gzip, piece).unwrap(), content);
        }
        let zstd = made(&[Filter::Zstd { level: 3 }], &content, SLICE).unwrap();
        assert_eq!(zstd::decode_all(&zstd[..]).unwrap(), content);
        // Checksum flag, and a size of the content, in the frame's header (RFC 8878, 3.1.1.1.1).
        assert_eq!(zstd[4] & 0b100, 0b100);
        assert!(zstd[4] & 0b1100_0000 != 0 || zstd[4] & 0b10_0000 != 0, "no size");
        let again =
            made(&[Filter::Gunzip, Filter::Zstd { level: 3 }, Filter::Gzip { level: 1 }], &gzip, SLICE).unwrap();
        assert_eq!(zstd::decode_all(&unpacked(&again)[..]).unwrap(), content);
    }
}

#[test]
fn several_members_are_one_content_and_anything_else_is_refused() {
    let gzip = made(&[Filter::Gzip { level: 6 }], b"abc", SLICE).unwrap();
    let twice = [&gzip[..], &gzip].concat();
    assert_eq!(made(&[Filter::Gunzip], &twice, SLICE).unwrap(), b"abcabc");
    let large = made(&[Filter::Gzip { level: 6 }], &content(), SLICE).unwrap();
    let mut spoilt = large.clone();
    let at = spoilt.len() - 5;
    spoilt[at] ^= 1;
    for wrong in [
        b"no gzip at all, but text".to_vec(),
        Vec::new(),
        large[..large.len() - 9].to_vec(),
        large[..large.len() - 1].to_vec(),
        large[..5].to_vec(),
        spoilt,
        [&gzip[..], b"more"].concat(),
    ] {
        for piece in [1, SLICE] {
            let refused = made(&[Filter::Gunzip], &wrong, piece);
            assert!(refused.as_ref().is_err_and(|why| why.contains("`gunzip`")), "{} bytes: {refused:?}", wrong.len());
        }
    }
    let bomb = made(&[Filter::Gzip { level: 9 }], &vec![0; 2 << 20], SLICE).unwrap();
    assert!(made(&[Filter::Gunzip], &bomb, SLICE).unwrap_err().contains("max_size"));
}

fn csv(columns: &[&str], rows: Option<&str>, content: &str) -> Result<(), String> {
    let columns = columns.iter().map(|&name| name.to_owned()).collect();
    let rows = rows.map(|text| RowCount::parse(text).unwrap());
    let filter = Filter::CheckCsv(CsvCheck { columns, rows, delimiter: b',' });
    let whole =
        made(std::slice::from_ref(&filter), content.as_bytes(), SLICE).map(|same| assert_eq!(same, content.as_bytes()));
    assert_eq!(made(&[filter], content.as_bytes(), 1).map(drop), whole, "byte by byte");
    whole
}

#[test]
fn a_csv_passes_as_it_is_or_is_refused_with_the_reason() {
    for (rows, content) in [
        (None, "id,amount\n1,2\n"),
        (Some(">0"), "id,amount\r\n1,\"2\r\n3\"\r\n"),
        (Some("2"), "\u{feff}id,amount\n1,2\n3,4"),
        (Some("<=1"), "\"id\",\"amount\"\n\"a,\"\"b\",2"),
        (Some("0"), "id,amount\n"),
    ] {
        assert_eq!(csv(&["id", "amount"], rows, content), Ok(()), "{content:?}");
    }
    for (rows, content, why) in [
        (None, "id,total\n1,2\n", "columns are id, total"),
        (None, "amount,id\n", "in this order"),
        (None, "id\n", "columns"),
        (None, "id,amount\n1,2\n1,2,3\n", "row 2 has 3 fields, and the header 2"),
        (None, "id,amount\n1\n", "row 1 has 1 fields"),
        (None, "", "no header"),
        (Some(">0"), "id,amount\n", "it has 0 rows, and `>0` are wanted"),
        (Some("<2"), "id,amount\n1,2\n1,2\n", "2 rows"),
    ] {
        let refused = csv(&["id", "amount"], rows, content).unwrap_err();
        assert!(refused.contains(why), "{content:?}: {refused}");
    }
    assert_eq!(csv(&[], None, "a,b\n1,2\n"), Ok(()));
    assert!(csv(&[], None, &format!("{}\n", "x".repeat(300_000))).is_err());
}

#[test]
fn a_number_of_rows_is_a_number_with_a_sign_in_front() {
    for (text, fits, not) in
        [(">0", 1, 0), (">=3", 3, 2), ("<3", 2, 3), ("<=3", 3, 4), ("=3", 3, 2), ("3", 3, 4), ("> 10", 11, 10)]
    {
        let rows = RowCount::parse(text).unwrap();
        assert!(rows.fits(fits) && !rows.fits(not), "{text}");
    }
    for text in ["", ">", "many", ">-1", "==3", "1.5"] {
        assert_eq!(RowCount::parse(text), None, "{text}");
    }
}
