//! Files of dates: what they say, and what is refused.

use super::calendar;
use crate::core::model::business_days::BusinessDays;
use jiff::civil::Date;

fn read(name: &str, text: &str) -> Result<BusinessDays, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(name), text).unwrap();
    calendar(name, folder.path()).map_err(|error| format!("{error} ({})", error.hint))
}

fn closed(days: &BusinessDays, year: i16) -> String {
    let first = Date::new(year, 1, 1).unwrap();
    let all = first.series(jiff::Span::new().days(1)).take_while(|day| day.year() == year);
    let closed: Vec<String> =
        all.filter(|day| !days.is_open(*day)).map(|day| day.strftime("%m%d").to_string()).collect();
    closed.join(" ")
}

fn event(properties: &str) -> String {
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\n{properties}END:VEVENT\r\nEND:VCALENDAR\r\n")
}

#[test]
fn a_list_of_dates_and_ranges_is_read() {
    let plain = read("a.yaml", "- 2026-12-24\n- \"2026-05-15/2026-05-17\"\n").unwrap();
    assert_eq!(closed(&plain, 2026), "0515 0516 0517 1224");
    let beside = read("a.yml", "beside: weekends\ndates: [2026-12-24]\n").unwrap();
    assert!(closed(&beside, 2026).contains("1224") && closed(&beside, 2027).starts_with("0102 0103"));
    assert_eq!(calendar("target", "/nowhere".as_ref()).unwrap().name(), "target");
}

#[test]
fn whole_days_of_an_icalendar_are_read() {
    let read = |properties: &str, year| closed(&read("a.ics", &event(properties)).unwrap(), year);
    assert_eq!(read("DTSTART;VALUE=DATE:20261224\r\n", 2026), "1224");
    // The day behind the last one.
    assert_eq!(read("DTSTART;VALUE=DATE:20261224\r\nDTEND;VALUE=DATE:20261227\r\n", 2026), "1224 1225 1226");
    assert_eq!(read("DTSTART;VALUE=DATE:20261224\r\nDURATION:P1W\r\n", 2026), "1224 1225 1226 1227 1228 1229 1230");
    assert_eq!(read("DTSTART;VALUE=DATE:20200501\r\nRRULE:FREQ=YEARLY\r\n", 2199), "0501");
    assert_eq!(read("DTSTART;VALUE=DATE:20200501\r\nRRULE:FREQ=YEARLY;COUNT=3\r\n", 2023), "");
    assert_eq!(read("DTSTART;VALUE=DATE:20200501\r\nRRULE:FREQ=YEARLY;UNTIL=20240501T000000Z\r\n", 2024), "0501");
    assert_eq!(read("DTSTART;VALUE=DATE:20200229\r\nRRULE:FREQ=YEARLY\r\n", 2027), "");
    assert_eq!(read("DTSTART;VALUE=DATE:20200501\r\nRRULE:FREQ=YEARLY\r\nEXDATE;VALUE=DATE:20260501\r\n", 2026), "");
    assert_eq!(read("DTSTART;VALUE=DATE:20261224\r\nSTATUS:CANCELLED\r\n", 2026), "");
    // A line that goes on, a colon in quotes, and an alarm with a DURATION of its own.
    let long = "DTSTART;X-A=\"a:b\";VAL\r\n UE=DATE:2026\r\n\t1224\r\nBEGIN:VALARM\r\nDURATION:PT5M\r\nEND:VALARM\r\n";
    assert_eq!(read(long, 2026), "1224");
}

#[test]
fn what_would_be_missed_is_refused_with_its_line() {
    for (name, text, said) in [
        ("a.yaml", "- 2026-12-24\n- 2026-13-01\n".to_owned(), "line 2: \"2026-13-01\" is no date"),
        ("a.yaml", "- 2026-12-24/2026-12-01\n".to_owned(), "is no range of days"),
        ("a.yaml", "closed: []\n".to_owned(), "\"closed\" has no meaning so"),
        ("a.yaml", "beside: moon\n".to_owned(), "write weekends, target or us-federal"),
        ("a.yaml", String::new(), "there are no dates"),
        ("a.ics", "- 2026-12-24\n".to_owned(), "there is no BEGIN:VCALENDAR"),
        ("a.ics", event("DTSTART:20261224T090000Z\r\n"), "line 5: DTSTART \"20261224T090000Z\" is no whole day"),
        ("a.ics", event("DTSTART;VALUE=DATE:20261224\r\nRRULE:FREQ=WEEKLY\r\n"), "a rule with FREQ=WEEKLY is not read"),
        ("a.ics", event("DTSTART;VALUE=DATE:20261224\r\nRRULE:FREQ=YEARLY;BYDAY=4TH\r\n"), "BYDAY=4TH is not read"),
        ("a.ics", event("SUMMARY:Closed\r\n"), "line 3: this event has no DTSTART"),
        ("a.ics", "BEGIN:VCALENDAR\nBEGIN:VEVENT\n".to_owned(), "line 2: this event does not end"),
        ("a.txt", String::new(), "there is no calendar of this name"),
    ] {
        let error = read(name, &text).expect_err(&text);
        assert!(error.contains(said), "{text}: {error}");
    }
    assert!(calendar("b.yaml", "/nowhere".as_ref()).unwrap_err().message.contains("cannot be read"));
}
