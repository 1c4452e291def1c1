//! What is kept of an event, and what is read back.

use super::*;
use proptest::prelude::*;

fn event(payload: &[u8]) -> RawEvent {
    let place = EventPlace { topic: "events".to_owned(), topic_id: "x".to_owned(), partition: 3, offset: 7 };
    RawEvent {
        place,
        key: Some(b"k".to_vec()),
        headers: vec![("h".to_owned(), b"v".to_vec())],
        payload: payload.to_vec(),
        event_id: Some("e".to_owned()),
        kind: None,
    }
}

fn letter(payload: &[u8]) -> DeadLetter {
    DeadLetter::new(&event(payload), LetterError::new(LetterKind::Json, "bad"), 1, Timestamp::UNIX_EPOCH, "here")
}

#[test]
fn an_entry_has_the_fields_of_the_queue() {
    let json: serde_json::Value = serde_json::from_str(&letter(b"{}").to_json()).unwrap();
    assert_eq!(json["id"], "events/3@7");
    assert_eq!((&json["payload"], json.get("encoding")), (&"{}".into(), None));
    assert_eq!(json["error"]["kind"], "json");
    assert_eq!(json["timestamp"], "1970-01-01T00:00:00Z");
    assert_eq!(letter(&[0xff, 0]).encoding.as_deref(), Some("base64"));
}

#[test]
fn each_kind_has_the_word_of_its_json() {
    for kind in LetterKind::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
    }
}

#[test]
fn of_an_event_that_nobody_can_read_only_the_beginning_is_kept() {
    let unread = |payload: &[u8], kind| {
        let mut event = RawEvent { event_id: None, kind: None, ..event(payload) };
        event.headers = vec![("a".to_owned(), vec![b'a'; 4000]), ("b".to_owned(), vec![b'b'; 4000])];
        event.key = Some(vec![b'k'; 5000]);
        DeadLetter::new(&event, LetterError::new(kind, "bad"), 1, Timestamp::UNIX_EPOCH, "here")
    };
    for kind in [LetterKind::Json, LetterKind::Size] {
        let long = "ä".repeat(500_000);
        // The cut goes through a character.
        let letter = unread(format!("x{long}").as_bytes(), kind);
        assert_eq!((letter.payload.len(), letter.encoding.as_deref()), (4095, None));
        assert_eq!(letter.key.as_ref().unwrap().len(), PREFIX);
        assert_eq!(letter.headers.len(), 1);
        let cut = letter.cut.clone().unwrap();
        assert_eq!(cut.bytes, 1_000_001);
        assert_eq!(cut.sha256, hex::encode(Sha256::digest(format!("x{long}").as_bytes())));
        assert_eq!(letter.event(), None, "what is cut is never replayed as if it were whole");
        assert!(letter.to_json().len() < 4 * PREFIX);
        assert_eq!(DeadLetter::read(Some(letter.to_json().as_bytes())), Ok(letter));
        let bytes = unread(&[0xff; 9000], kind);
        assert_eq!(BASE64.decode(&bytes.payload).unwrap(), [0xff; PREFIX]);
    }
    assert!(unread(&[b'x'; 9000], LetterKind::Type).cut.is_none());
    let read = DeadLetter::new(
        &event(&[b' '; 9000]),
        LetterError::new(LetterKind::Json, "a column's JSON is broken"),
        1,
        Timestamp::UNIX_EPOCH,
        "here",
    );
    assert_eq!((read.payload.len(), read.cut), (9000, None), "one whose envelope is read is kept whole");
}

proptest! {
    #[test]
    fn whatever_bytes_an_event_has_come_back(payload in any::<Vec<u8>>()) {
        let letter = letter(&payload);
        let read: DeadLetter = serde_json::from_str(&letter.to_json()).unwrap();
        prop_assert_eq!(&read, &letter);
        prop_assert_eq!(read.event().unwrap(), event(&payload));
    }
}
