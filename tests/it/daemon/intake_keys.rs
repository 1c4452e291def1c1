//! The page of a scheduler without a mouse, and what it says of the past.

use super::intake::{Intake, SOURCES};
use crate::support::browser::{Browser, ENTER, ESCAPE, LEFT, RIGHT, SPACE};
use crate::support::daemon::stop;
use crate::support::running::until;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// The element with the focus: its id, or what it is in its row. Empty when nobody could see that it has it.
const FOCUSED: &str = "
    const it = document.activeElement, style = getComputedStyle(it), place = it.getBoundingClientRect();
    const seen = it.matches(':focus-visible') && style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2
        && place.width > 1 && place.height > 1;
    return seen ? it.id || it.dataset.key?.replace(/^.*\\//, '') || it.tagName.toLowerCase() : ''";

struct Keyboard<'a>(&'a Browser);

impl Keyboard<'_> {
    fn focused(&self) -> String {
        self.0.script(FOCUSED).as_str().unwrap().to_owned()
    }

    /// Goes on by tabulator, or back, to an element. At each step people see where they are.
    #[track_caller]
    fn go_to(&self, wanted: &str, step: impl Fn(&Browser)) {
        let mut passed = Vec::new();
        while self.focused() != wanted {
            assert!(passed.len() < 40, "{wanted} is not reached: {passed:?}");
            step(self.0);
            passed.push(self.focused());
            assert_ne!(passed.last().unwrap(), "", "nobody sees where the focus is: {passed:?}");
        }
    }

    #[track_caller]
    fn tab_to(&self, wanted: &str) {
        self.go_to(wanted, Browser::tab);
    }

    #[track_caller]
    fn is_at(&self, wanted: &str) {
        until(&format!("the focus is at {wanted}"), || (self.focused() == wanted).then_some(()));
    }

    #[track_caller]
    fn sees(&self, selector: &str, text: &str) {
        let shown = format!("return document.querySelector({})?.innerText ?? ''", json!(selector));
        until(&format!("{selector} says {text}"), || self.0.script(&shown).as_str()?.contains(text).then_some(()));
    }

    fn open_dialogs(&self) -> Value {
        self.0.script("return document.querySelectorAll('dialog[open]').length")
    }
}

/// What the form says of the next times: on the zone's clock and in UTC.
fn next_times(browser: &Browser) -> Vec<(String, String)> {
    let lines = browser.script("return [...document.querySelectorAll('#cron-next li')].map(it => it.textContent)");
    let pair = |line: &Value| {
        let (local, utc) = line.as_str()?.trim().strip_suffix(" UTC")?.split_at_checked(30)?;
        Some((local.trim().to_owned(), utc.trim().to_owned()))
    };
    lines.as_array().unwrap().iter().filter_map(pair).collect()
}

#[test]
fn a_data_source_is_made_paused_resumed_edited_and_deleted_by_keyboard_alone() {
    let intake = Intake::start();
    let browser = Browser::open();
    browser.width(420);
    browser.go(&format!("http://127.0.0.1:{}/", intake.page.port()));
    let keys = Keyboard(&browser);
    keys.sees("#empty", "no data source yet");
    browser.tab();
    assert_eq!(browser.script("return document.activeElement.className"), json!("skip"));
    keys.tab_to("new");
    browser.press(ENTER);
    keys.is_at("name");
    browser.press("Loans");
    keys.tab_to("path");
    browser.press("data/in");
    keys.tab_to("cronExpression");
    browser.press("0 30 2 ? * MON-FRI");
    keys.tab_to("zone");
    browser.press("Europe/Berlin");
    keys.sees("#cron-next", " 02:30:00 +0");
    // Five times, each the same moment on both clocks.
    let times = until("five times in Berlin", || Some(next_times(&browser)).filter(|times| times.len() == 5));
    for (local, utc) in &times {
        let there = Timestamp::strptime("%a %Y-%m-%d %H:%M:%S %:z", local);
        let utc: Timestamp = format!("{}Z", utc.replace(' ', "T")).parse().unwrap();
        assert_eq!(there.unwrap_or_else(|error| panic!("{local}: {error}")), utc, "{times:?}");
        assert!(local.contains(" 02:30:00 +0"), "{local}");
    }
    // Cancelled, begun again, and saved from a field.
    browser.press(ESCAPE);
    keys.is_at("new");
    assert_eq!(keys.open_dialogs(), json!(0));
    browser.press(ENTER);
    keys.is_at("name");
    browser.press("Loans");
    keys.tab_to("path");
    browser.press("data/in");
    browser.press(ENTER);
    keys.sees("#sources", "Loans");
    keys.is_at("new");
    until("it is scheduled", || {
        (browser.script("return document.querySelector(\"[data-key$='/pause']\") !== null") == json!(true))
            .then_some(())
    });
    keys.tab_to("pause");
    browser.press(ENTER);
    keys.is_at("reason");
    browser.press("month end");
    keys.tab_to("by");
    browser.press("ann");
    keys.tab_to("ask-yes");
    browser.press(SPACE);
    keys.sees("#sources", "Paused by ann: month end");
    keys.is_at("pause");
    // Asked, and not done.
    browser.press(ENTER);
    keys.is_at("reason");
    browser.press(ESCAPE);
    keys.is_at("pause");
    assert_eq!((keys.open_dialogs(), browser.text("#sources").contains("Paused by ann")), (json!(0), true));
    browser.press(ENTER);
    keys.is_at("reason");
    browser.press(ENTER);
    // The list follows what is said by one question.
    keys.sees("#message", "goes on");
    keys.sees("#sources", "active");
    keys.is_at("pause");
    assert!(!browser.text("#sources").contains("Paused by"), "{}", browser.text("#sources"));
    keys.go_to("edit", Browser::back);
    browser.press(ENTER);
    keys.is_at("name");
    assert_eq!(keys.open_dialogs(), json!(1));
    browser.press(ESCAPE);
    keys.is_at("edit");
    keys.tab_to("delete");
    browser.press(ENTER);
    keys.is_at("ask-yes");
    assert_eq!(browser.script("return document.getElementById('reason').checkVisibility()"), json!(false));
    browser.press(ENTER);
    keys.sees("#message", "is deleted");
    assert_eq!(intake.api.get(SOURCES).json()["total"], json!(0));
    stop([intake.daemon]);
}

impl Intake {
    fn made_at_four(&self, name: &str) -> String {
        let made = self.post(&json!({ "name": name, "path": "data/in", "cronExpression": "0 0 4 1 1 ?" }));
        let id = made.json()["id"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/schedule/{id}");
        until("it is scheduled", || (self.api.get(&path).code == 200).then_some(()));
        id
    }

    /// Writes down what became of a due time of the past.
    fn was(&self, id: &str, due: &str, outcome: &str, reason: &str) {
        let execution = json!({
            "id": format!("{id}:{due}"), "scheduleId": id, "dueTime": due, "attempt": 1, "cause": "Due", "outcome": outcome,
            "startedAt": null, "endedAt": null, "instance": null, "token": 1, "filesSeen": 0, "filesNew": 0, "reason": reason,
            "error": null,
        });
        let insert = "INSERT INTO ScheduleExecution (id, scheduleId, dueTime, outcome, token, document) VALUES (?1, ?2, ?3, ?4, 1, ?5)";
        let kept = [&format!("{id}:{due}"), id, due, outcome, &execution.to_string()];
        rusqlite::Connection::open(self.filegen.path("intake.db")).unwrap().execute(insert, kept).unwrap();
    }
}

#[test]
fn the_strip_says_why_a_due_time_was_left_out_or_missed() {
    let intake = Intake::start();
    let id = intake.made_at_four("Loans");
    let forward = "clocks went forward: 02:30:00 did not exist";
    // Of this week: what is older than the history is cleaned away while the test looks.
    let days_ago = |days: i64| format!("{:.0}", Timestamp::now() - SignedDuration::from_hours(24 * days));
    let (skipped_at, missed_at) = (days_ago(2), days_ago(1));
    intake.was(&id, &skipped_at, "Skipped", forward);
    intake.was(&id, &missed_at, "Missed", "nobody led at its time");
    let browser = Browser::open();
    browser.width(420);
    browser.go(&format!("http://127.0.0.1:{}/", intake.page.port()));
    let keys = Keyboard(&browser);
    keys.sees("#sources", "Loans");
    keys.tab_to("history");
    browser.press(ENTER);
    // The latest stands first, and says what it is without being asked.
    keys.sees(".history", "nobody led at its time");
    let label =
        |outcome: &str| browser.script(&format!("return document.querySelector('.strip .{outcome}').ariaLabel"));
    assert!(label("Missed").as_str().unwrap().ends_with(", nobody led at its time"), "{}", label("Missed"));
    assert!(label("Skipped").as_str().unwrap().ends_with(forward), "{}", label("Skipped"));
    // The other one by arrow, and the first by mouse.
    let (missed, skipped) = (format!("{id}:{missed_at}"), format!("{id}:{skipped_at}"));
    keys.tab_to(&missed);
    browser.press(RIGHT);
    keys.is_at(&skipped);
    keys.sees(".history", forward);
    browser.press(RIGHT);
    keys.is_at(&skipped);
    // It stays so when the list is shown anew, and there is one stop for the tabulator.
    browser.script("return look()");
    keys.is_at(&skipped);
    keys.sees(".history", forward);
    assert_eq!(browser.script("return document.querySelectorAll('.strip [tabindex=\"0\"]').length"), json!(1));
    browser.press(LEFT);
    keys.is_at(&missed);
    browser.press(RIGHT);
    keys.is_at(&skipped);
    keys.sees(".history", "Skipped: due");
    browser.script("document.querySelector('.strip .Missed').click()");
    keys.sees(".history", "Missed: due");
    for scheme in ["dark", "light"] {
        browser.scheme(scheme);
        browser.picture(&format!("strip-phone-{scheme}"), 420);
        assert_eq!(browser.broken_rules(), [""; 0], "{scheme}");
    }
    stop([intake.daemon]);
}

#[test]
fn of_two_people_the_later_one_may_keep_what_is_theirs_and_anyone_resumes_by_a_click() {
    let intake = Intake::start();
    let id = intake.made_at_four("Loans");
    let browser = Browser::open();
    browser.width(1280);
    browser.go(&format!("http://127.0.0.1:{}/", intake.page.port()));
    let keys = Keyboard(&browser);
    let click = |selector: &str| browser.script(&format!("document.querySelector({}).click()", json!(selector)));
    let set = |field: &str, text: &str| {
        let script = "const e = document.getElementById(FIELD); e.value = TEXT; e.dispatchEvent(new Event('input'))";
        browser.script(&script.replace("FIELD", &json!(field).to_string()).replace("TEXT", &json!(text).to_string()));
    };
    keys.sees("#sources", "Loans");
    click("[data-key$='/edit']");
    keys.sees("#editor-title", "Edit Loans");
    click("summary");
    let one = format!("{SOURCES}/{id}");
    let mut theirs = intake.api.get(&one).json();
    theirs["description"] = json!("theirs");
    assert_eq!(intake.put(&id, Some("*"), &theirs).code, 200);
    for (field, text) in
        [("pattern", "*.txt"), ("stableFor", "10s"), ("doneFile", "{name}.done"), ("pauseAfterFailures", "x")]
    {
        set(field, text);
    }
    click("#save");
    keys.sees("#conflict", "Somebody saved version 2");
    keys.sees("#conflict", "Description: theirs “theirs”, yours nothing");
    keys.sees("#conflict", "Files: theirs “*”, yours “*.txt”");
    browser.picture("conflict-desk", 1280);
    click("#conflict button + button");
    keys.is_at("save");
    keys.sees("#faults", "Save again");
    click("#save");
    // Mine is wrong in one field, which says so.
    keys.sees("#faults", "Not saved");
    assert_eq!(browser.script("return document.querySelector('[aria-invalid]').id"), json!("pauseAfterFailures"));
    set("pauseAfterFailures", "3");
    click("#save");
    keys.sees("#message", "Saved Loans");
    let kept = intake.api.get(&one).json();
    let said = |field: &str| kept[field].clone();
    assert_eq!((said("version"), said("pattern"), said("description")), (json!(3), json!("*.txt"), json!("")));
    let discover = json!({ "discover": { "stableFor": "10s", "doneFile": "{name}.done" } });
    assert_eq!((said("action"), said("pauseAfterFailures")), (discover, json!(3)));
    // What the form does not show of another action is not asked for, and what it shows is what is there.
    click("[data-key$='/edit']");
    keys.sees("#editor-title", "Edit Loans");
    let value = |field: &str| browser.script(&format!("return document.getElementById({}).value", json!(field)));
    let shown = ["stableFor", "doneFile", "pauseAfterFailures"].map(value);
    for (name, width) in [("phone", 420), ("desk", 1280)] {
        browser.width(width);
        browser.script(
            "document.getElementById('pauseAfterFailures').scrollIntoView({ block: 'center', behavior: 'instant' })",
        );
        for scheme in ["dark", "light"] {
            browser.scheme(scheme);
            browser.picture(&format!("more-{name}-{scheme}"), width);
            assert_eq!(browser.broken_rules(), [""; 0], "{name}, {scheme}");
        }
    }
    assert_eq!(shown, [json!("10s"), json!("{name}.done"), json!("3")]);
    for (field, text) in [("stableFor", ""), ("doneFile", ""), ("pauseAfterFailures", "")] {
        set(field, text);
    }
    click("#save");
    until("it is saved", || (intake.api.get(&one).json()["version"] == json!(4)).then_some(()));
    let kept = intake.api.get(&one).json();
    assert_eq!((&kept["action"], kept.get("pauseAfterFailures")), (&json!({ "discover": {} }), None));
    // Paused by somebody else, and resumed by a click.
    let paused = intake.api.post(&format!("/api/v1/schedule/{id}/pause"), "application/json", "{\"by\": \"bob\"}");
    assert_eq!(paused.code, 200);
    keys.sees("#sources", "Paused by bob");
    click("[data-key$='/pause']");
    keys.sees("#ask-title", "Resume");
    click("#ask-yes");
    keys.sees("#message", "Loans goes on");
    keys.sees("#sources", "active");
    let status = intake.api.get(&format!("/api/v1/schedule/{id}")).json()["status"].clone();
    assert_eq!(status, json!("Active"));
    stop([intake.daemon]);
}
