//! Whatever stands in a worker file, reading it ends in a worker or in problems with places, and tells no secret.

use super::*;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// What hurts in YAML and in references.
const PIECES: [&str; 20] = [
    "${", "}", "$${", "&a ", "*a", "!t ", "? ", ": ", "- ", "\n", "  ", "{", "[", "]", "\"", "'", "|", "~", "\0",
    "---\n",
];

/// A password that nothing else in these texts is like, and addresses with it.
const PASSWORD: &str = "wh0le";
const ADDRESSES: [&str; 3] = ["Password=wh0le;", "x://a:wh0le@h", "PWD = wh0le;"];

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Holds for every text.
fn holds(text: &str) -> Result<(), TestCaseError> {
    let Err(error) = parsed(text, &[("A", "a: [")]) else { return Ok(()) };
    prop_assert!(!error.problems.is_empty());
    for problem in &error.problems {
        prop_assert!(!problem.message.is_empty() && !problem.hint.is_empty());
        if let Some(place) = problem.place {
            prop_assert!(place.line >= 1 && place.column >= 1);
            prop_assert!(place.offset + place.length <= text.len(), "{problem:?}");
        }
    }
    let told = format!("{error} {error:?} {} {:?}", error.to_json(), error.masked_text);
    prop_assert!(!told.contains(PASSWORD), "{}", told);
    Ok(())
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        holds(&text)?;
    }

    #[test]
    fn a_spoilt_worker_file_is_read_or_refused(
        full in any::<bool>(),
        cuts in prop::collection::vec((any::<Index>(), 0_usize..12, select(&PIECES[..])), 1..4),
        (address, address_at) in (select(&ADDRESSES[..]), any::<Index>()),
    ) {
        let mut text = if full { FULL } else { DESIGN }.to_owned();
        for (at, length, piece) in cuts {
            let start = floor(&text, at.index(text.len()));
            let end = floor(&text, (start + length).min(text.len())).max(start);
            text.replace_range(start..end, piece);
        }
        holds(&text)?;
        let at = floor(&text, address_at.index(text.len() + 1));
        text.insert_str(at, address);
        holds(&text)?;
    }
}

#[test]
fn a_small_file_cannot_grow_without_end() {
    let mut text = String::from("a: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let before = format!("*a{}", level - 1);
        let ten = [before.as_str(); 10].join(", ");
        text += &["b", &level.to_string(), ": &a", &level.to_string(), " [", &ten, "]\n"].concat();
    }
    let error = parsed(&text, &[]).unwrap_err();
    assert_eq!(error.problems.last().unwrap().code, "too-large");
    let deep = format!("a: {}{}", "[".repeat(100), "]".repeat(100));
    assert!(parsed(&deep, &[]).is_err());
    let names = (0..50_000).map(|number| ["n", &number.to_string(), ": 1\n"].concat()).collect::<String>();
    assert!(parsed(&names, &[]).is_err());
}
