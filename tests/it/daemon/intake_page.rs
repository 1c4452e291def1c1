//! The page of a scheduler in a real browser.

use super::intake::{Intake, SOURCES};
use crate::support::browser::Browser;
use crate::support::daemon::stop;
use crate::support::running::until;
use serde_json::json;

#[test]
fn people_describe_pause_run_and_delete_data_sources_in_a_browser() {
    let intake = Intake::start();
    let browser = Browser::open();
    browser.width(420);
    browser.go(&format!("http://127.0.0.1:{}/", intake.page.port()));
    let type_in = |field: &str, text: &str| {
        let script = "const e = document.getElementById(arguments_0); e.value = arguments_1; e.dispatchEvent(new Event('input'))";
        browser.script(
            &script.replace("arguments_0", &json!(field).to_string()).replace("arguments_1", &json!(text).to_string()),
        );
    };
    let click = |selector: &str| {
        browser.script(&format!("document.querySelector({}).click()", json!(selector)));
    };
    let see = |selector: &str, text: &str| {
        let shown = || browser.text(selector);
        until(&format!("{selector} says {text}"), || shown().contains(text).then_some(()));
    };
    let suits_everybody = |what: &str| {
        for scheme in ["dark", "light"] {
            browser.scheme(scheme);
            assert_eq!(browser.broken_rules(), [""; 0], "{what}, {scheme}");
        }
    };
    see("#empty", "no data source yet");
    suits_everybody("an empty page");
    // Wrong input, told at its field.
    click("#new");
    type_in("name", "Loans");
    type_in("path", "/etc");
    type_in("cronExpression", "0 0 12 * * * *");
    see("#cron-error", "^");
    click("#save");
    see("#faults", "Not saved");
    assert_eq!(browser.script("return document.getElementById('path').getAttribute('aria-invalid')"), json!("true"));
    click("summary");
    suits_everybody("a form with faults");
    // Made right, explained while typed.
    type_in("path", "data/in");
    type_in("cronExpression", "0 30 2 ? * MON-FRI");
    see("#cron-words", "at 02:30, on Monday to Friday");
    until("five times", || {
        (browser.script("return document.querySelectorAll('#cron-next li').length") == json!(5)).then_some(())
    });
    click("#save");
    see("#sources", "Loans");
    // Somebody else saves while it is edited.
    click("[data-key$='/edit']");
    see("#editor-title", "Edit Loans");
    let listed = intake.api.get(SOURCES).json();
    let mut theirs = listed["items"][0].clone();
    theirs["description"] = json!("theirs \u{202e}lla\u{2028}\u{1b}[2J");
    assert_eq!(intake.put(theirs["id"].as_str().unwrap(), Some("*"), &theirs).code, 200);
    type_in("pattern", "*.txt");
    click("#save");
    see("#conflict", "Somebody saved version 2");
    suits_everybody("a conflict");
    click("[data-close]");
    // What would turn the line around is seen as what it is.
    see("#sources", r"theirs \u{202e}lla\u{2028}\u{1b}[2J");
    // Paused with a reason, run, deleted.
    see("#sources", "active");
    until("it is scheduled", || {
        (browser.script("return document.querySelector(\"[data-key$='/pause']\") !== null") == json!(true))
            .then_some(())
    });
    click("[data-key$='/pause']");
    suits_everybody("a question");
    type_in("reason", "month end");
    type_in("by", "ann");
    click("#ask-yes");
    see("#sources", "Paused by ann: month end");
    suits_everybody("a list with a paused data source");
    click("[data-key$='/run']");
    click("#ask-yes");
    see("#message", "is asked for");
    click("[data-key$='/delete']");
    click("#ask-yes");
    see("#message", "is deleted");
    assert_eq!(intake.api.get(SOURCES).json()["total"], json!(0));
    let wide = browser.script("return document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth");
    assert_eq!(wide, json!(0), "nothing reaches out of a telephone");
    stop([intake.daemon]);
}

#[test]
fn what_is_wrong_stays_on_top_of_any_list_and_a_form_has_all_that_a_data_source_says() {
    let intake = Intake::start();
    std::fs::create_dir_all(intake.filegen.path("data/gone")).unwrap();
    intake.filegen.write("data/in/a.csv", "a");
    let make = |name: &str, path: &str| {
        let made = intake.post(&json!({ "name": name, "path": path, "cronExpression": "0 0 4 1 1 ?" }));
        let id = made.json()["id"].as_str().unwrap().to_owned();
        let run = || intake.api.post(&format!("/api/v1/schedule/{id}/run"), "application/json", "{}").code;
        if path == "data/gone" {
            std::fs::remove_dir(intake.filegen.path("data/gone")).unwrap();
        }
        until("it is scheduled", || (run() == 202).then_some(()));
        id
    };
    let (_, rates) = (make("Gone", "data/gone"), make("Rates", "data/in"));
    let browser = Browser::open();
    browser.go(&format!("http://127.0.0.1:{}/", intake.page.port()));
    let set = |field: &str, text: &str| {
        browser.script(&format!(
            "const e = document.getElementById({}); e.value = {}; e.dispatchEvent(new Event('input'))",
            json!(field),
            json!(text)
        ));
    };
    let click = |selector: &str| browser.script(&format!("document.querySelector({}).click()", json!(selector)));
    let see = |selector: &str, text: &str| {
        let shown = format!("return document.querySelector({})?.innerText ?? ''", json!(selector));
        until(&format!("{selector} says {text}"), || browser.script(&shown).as_str()?.contains(text).then_some(()));
    };
    see("#wrong", "Gone failed last");
    see("#sources", "1 seen, 1 new");
    // A search that shows others.
    set("search", "Rates");
    until("one row", || {
        (browser.script("return document.querySelectorAll('#sources > li').length") == json!(1)).then_some(())
    });
    assert!(browser.text("#wrong").contains("Gone failed last"), "{}", browser.text("#wrong"));
    // A service that is away for a while.
    browser.script("window.kept = window.fetch; window.fetch = () => Promise.reject(new Error('away')); look()");
    see("#trouble", "does not answer");
    browser.script("window.fetch = window.kept; look()");
    until("it is said no more", || browser.text("#trouble").is_empty().then_some(()));
    // All that a data source says.
    click("[data-key$='/edit']");
    see("#editor-title", "Edit Rates");
    click("summary");
    set("cronExpression", "0 0 4 ? * SAT");
    for (field, text) in [("calendar", "weekends"), ("closedDay", "next"), ("dst", "both"), ("deadline", "06:30")] {
        set(field, text);
    }
    see("#cron-affected", ": weekend");
    for (name, width) in [("phone", 420), ("desk", 1280)] {
        for scheme in ["dark", "light"] {
            browser.scheme(scheme);
            browser.width(width);
            browser.picture(&format!("form-{name}-{scheme}"), width);
            assert_eq!(browser.broken_rules(), [""; 0], "{name}, {scheme}");
        }
    }
    click("#save");
    see("#message", "Saved Rates");
    let saved = intake.api.get(&format!("{SOURCES}/{rates}")).json();
    let said = |field: &str| saved[field].clone();
    assert_eq!(
        (said("closedDay"), said("dst"), said("deadline")),
        (json!("next"), json!("both"), json!({ "time": "06:30" }))
    );
    assert_eq!(said("action"), json!({ "discover": {} }));
    click("[data-key$='/history']");
    see(".affected", ": weekend");
    see(".history", "1 file seen, 1 new");
    for (name, width) in [("phone", 420), ("desk", 1280)] {
        for scheme in ["dark", "light"] {
            browser.scheme(scheme);
            browser.width(width);
            browser.picture(&format!("list-{name}-{scheme}"), width);
            assert_eq!(browser.broken_rules(), [""; 0], "{name}, {scheme}");
        }
        let wide =
            browser.script("return document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth");
        assert_eq!(wide, json!(0), "{name}: nothing reaches out");
    }
    stop([intake.daemon]);
}
