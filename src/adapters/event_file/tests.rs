//! Lines that come in pieces, lines without end, and where a file ends.

use super::lines::{Cutter, LINE_MAX, Line, behind_last};
use super::*;
use std::fs::OpenOptions;
use std::io::Write;

const OWN_LIMIT: usize = 1000;

/// The lines of bytes that come in pieces of one size.
fn cut(text: &[u8], position: u64, piece: usize) -> Vec<Line> {
    let (mut cutter, start) = Cutter::at(position);
    let mut lines = Vec::new();
    for mut piece in text[usize::try_from(start).unwrap()..].chunks(piece) {
        while !piece.is_empty() {
            let (taken, line) = cutter.take(piece);
            piece = &piece[taken..];
            lines.extend(line);
        }
    }
    lines.extend(cutter.finish());
    lines
}

fn line(start: u64, text: &str) -> Line {
    Line { start, bytes: text.into(), is_blank: text.trim().is_empty() }
}

#[test]
fn lines_do_not_depend_on_how_their_bytes_come() {
    let text = b"one\n\n  \r\ntwo\r\r\nth\rree\nlast";
    for piece in 1..=text.len() {
        let all = [line(0, "one"), line(4, ""), line(5, "  "), line(9, "two"), line(15, "th\rree"), line(22, "last")];
        assert_eq!(cut(text, 0, piece), all, "{piece}");
        // One behind the start of a line is where a reader goes on that has it.
        assert_eq!(cut(text, 10, piece), all[4..], "{piece}");
        assert_eq!(cut(text, 9, piece), all[3..], "{piece}");
        assert_eq!(cut(text, 23, piece), [], "{piece}");
    }
}

#[test]
fn of_a_line_that_is_too_long_enough_is_kept_to_tell() {
    let most = LINE_MAX - 1;
    let text = |length: usize, end: &str| ["x".repeat(length), end.to_owned(), "\nnext".to_owned()].concat();
    for (length, end, kept) in [(most, "\r", most), (most, "\rx", LINE_MAX), (3 * most, "", LINE_MAX)] {
        let lines = cut(text(length, end).as_bytes(), 0, 1 << 16);
        assert_eq!(lines.iter().map(|line| line.bytes.len()).collect::<Vec<_>>(), [kept, 4], "{length} {end:?}");
        assert_eq!(lines[1].start, (length + end.len() + 1) as u64);
    }
    let late = format!("{}x\n", " ".repeat(2 * most));
    assert!(!cut(late.as_bytes(), 0, 1 << 16)[0].is_blank, "what is behind the kept part counts");
}

#[test]
fn the_last_event_is_found_from_the_end_as_a_reader_finds_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("e");
    let long = "x".repeat(200_000);
    let ends = ["", "\n", "\n\n \r\n", "  "];
    for text in ["", "a", "a\nbc", "\n\na", " \n", &long, &format!("a\n{long}"), &format!("a\n{}", "\n".repeat(70_000))]
    {
        for end in ends {
            let all = format!("{text}{end}");
            std::fs::write(&path, &all).unwrap();
            let lines = cut(all.as_bytes(), 0, 4096);
            let last = |lines: &[Line]| lines.iter().rfind(|line| !line.is_blank).map_or(0, |line| line.start + 1);
            let file = files::open(&path).unwrap();
            assert_eq!(behind_last(&file, false, LOOK_MAX).unwrap(), Some(last(&lines)), "{all:.20?}");
            let ended = if all.ends_with('\n') { &lines[..] } else { &lines[..lines.len().saturating_sub(1)] };
            assert_eq!(behind_last(&file, true, LOOK_MAX).unwrap(), Some(last(ended)), "{all:.20?}, followed");
        }
    }
    std::fs::write(&path, &long).unwrap();
    assert_eq!(
        behind_last(&files::open(&path).unwrap(), false, 100_000).unwrap(),
        None,
        "it is not looked for without end"
    );
}

async fn polled(file: &mut EventFile) -> Vec<(i64, String)> {
    match file.next_batch(OWN_LIMIT, Duration::ZERO).await.unwrap() {
        Polled::Messages(messages) => {
            let text = |payload: &[u8]| String::from_utf8_lossy(&payload[..payload.len().min(9)]).into_owned();
            messages.iter().map(|message| (message.id.offset, text(&message.payload))).collect()
        }
        other => panic!("{other:?}"),
    }
}

async fn assigned(path: &Path, follows: bool) -> (EventFile, Partition) {
    let mut file = EventFile::new(path, follows);
    let Polled::Assigned(own) = file.next_batch(OWN_LIMIT, Duration::ZERO).await.unwrap() else { panic!("it is ours") };
    (file, own[0].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_line_is_left_again_and_again_and_the_event_behind_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("e");
    std::fs::write(&path, "first\n").unwrap();
    let mut writer = OpenOptions::new().append(true).open(&path).unwrap();
    let behind = 6 + 5 * LOOK_MAX / 2;
    writer.set_len(behind).unwrap();
    let (mut file, own) = assigned(&path, false).await;
    assert_eq!(file.watermarks(&own).await.unwrap().next, i64::MAX, "its start is too far from the end");
    assert_eq!(polled(&mut file).await, [(0, "first".to_owned())]);
    assert_eq!(polled(&mut file).await, [], "who asked is answered within the line");
    let told = file.held_up().unwrap();
    assert!(told.contains("starts at byte 6 of"), "{told}");
    assert_eq!(file.watermarks(&own).await.unwrap().next, i64::MAX);
    writer.write_all(b"\nlast").unwrap();
    let events = polled(&mut file).await;
    let starts: Vec<i64> = events.iter().map(|(start, _)| *start).collect();
    assert_eq!(starts, [6, i64::try_from(behind).unwrap() + 1]);
    assert_eq!(events[1].1, "last");
    assert_eq!(file.held_up(), None, "it has ended");
    assert_eq!(file.watermarks(&own).await.unwrap().next, starts[1] + 1, "at the end it is known");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_being_written_waits_for_its_end_and_is_read_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("e");
    std::fs::write(&path, "one\ntw").unwrap();
    let (mut file, own) = assigned(&path, true).await;
    assert_eq!(file.watermarks(&own).await.unwrap().next, 1);
    assert_eq!(polled(&mut file).await, [(0, "one".to_owned())]);
    assert_eq!(polled(&mut file).await, []);
    let mut writer = OpenOptions::new().write(true).open(&path).unwrap();
    // Were the line's beginning read again, it would be another one.
    writer.write_all(b"ONE\nTWo").unwrap();
    assert_eq!(polled(&mut file).await, []);
    writer.write_all(b"\nthree\n").unwrap();
    assert_eq!(polled(&mut file).await, [(4, "two".to_owned()), (8, "three".to_owned())]);
    file.seek(&[TopicPosition { partition: own, offset: 5 }]).await.unwrap();
    assert_eq!(polled(&mut file).await, [(8, "three".to_owned())], "behind the event that starts one before");
}

/// What a reader is told who reads on.
async fn refused(file: &mut EventFile) -> BrokerError {
    for _ in 0..9 {
        if let Err(error) = file.next_batch(OWN_LIMIT, Duration::ZERO).await {
            return error;
        }
    }
    panic!("nothing is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_became_shorter_is_told_wherever_it_was_cut() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("e");
    let text = (0..200).map(|number| format!("event {number:04}\n")).collect::<Vec<_>>().concat();
    // Before what was read, within a line behind it, and behind one; with and without more to come.
    for (length, follows) in [(60, false), (1207, false), (1210, false), (60, true)] {
        std::fs::write(&path, &text).unwrap();
        let (mut file, own) = assigned(&path, follows).await;
        assert_eq!(file.watermarks(&own).await.unwrap().next, 199 * 11 + 1);
        let Polled::Messages(read) = file.next_batch(100, Duration::ZERO).await.unwrap() else { panic!("there are") };
        assert_eq!(read.len(), 100);
        let stands = 100 * 11;
        OpenOptions::new().write(true).open(&path).unwrap().set_len(length).unwrap();
        // What was read ahead is gone, too.
        file.seek(&[TopicPosition { partition: own, offset: 99 * 11 + 1 }]).await.unwrap();
        let error = refused(&mut file).await;
        assert!(file.next_batch(OWN_LIMIT, Duration::ZERO).await.is_err(), "and again");
        let (words, at) = (error.to_string(), length.max(stands - 11));
        assert!(matches!(error, BrokerError::Damaged { .. }), "{words}");
        assert!(words.contains(&format!("it has {length} bytes and had {}", text.len())), "{words}");
        assert!(words.contains(&format!("stood at byte {at};")), "{words}");
    }
}
