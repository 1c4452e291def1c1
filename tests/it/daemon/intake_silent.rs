//! The page of a scheduler whose process hangs, and what it says of what it cannot find or take.

use super::intake::Intake;
use crate::support::browser::Browser;
use crate::support::daemon::stop;
use crate::support::running::until;
use rustix::process::Signal;
use serde_json::json;

#[test]
fn a_service_that_hangs_is_told_and_what_was_asked_of_it_is_unknown() {
    let intake = Intake::start();
    let made = intake.post(&json!({ "name": "Loans", "path": "data/in", "cronExpression": "0 0 4 1 1 ?" }));
    assert_eq!(made.code, 201, "{}", made.body);
    let browser = Browser::open();
    browser.width(1280);
    browser.go(&format!("http://127.0.0.1:{}/", intake.page.port()));
    let see = |selector: &str, text: &str| {
        let shown = format!("return document.querySelector({})?.innerText ?? ''", json!(selector));
        until(&format!("{selector} says {text}"), || browser.script(&shown).as_str()?.contains(text).then_some(()));
    };
    let click = |selector: &str| browser.script(&format!("document.querySelector({}).click()", json!(selector)));
    let set = |field: &str, text: &str| {
        let script = "const e = document.getElementById(FIELD); e.value = TEXT; e.dispatchEvent(new Event('input', { bubbles: true }))";
        browser.script(&script.replace("FIELD", &json!(field).to_string()).replace("TEXT", &json!(text).to_string()));
    };
    see("#sources", "Loans");
    // Nothing fits.
    set("search", "nobody");
    let shows_none = || browser.script("return document.getElementById('none').checkVisibility()") == json!(true);
    until("it is said", || shows_none().then_some(()));
    set("search", "");
    see("#sources", "Loans");
    assert!(!shows_none());
    // What was said of a field goes once that is changed.
    click("#new");
    set("name", "Rates");
    set("path", "/etc");
    click("#save");
    see("#faults", "Not saved");
    // Who hears the page hears it with the field.
    let heard = "const f = document.getElementById('path'); \
                 return f.getAttribute('aria-describedby').split(' ').map((id) => document.getElementById(id).innerText).join(' ')";
    let said = browser.script(heard);
    assert!(said.as_str().is_some_and(|said| said.contains("none of the roots")), "{said}");
    set("path", "data/in");
    let says_wrong = "return document.getElementById('faults').checkVisibility()";
    until("it is said no more", || (browser.script(says_wrong) == json!(false)).then_some(()));
    let left = browser.script("return document.querySelectorAll('#form .fault, #path[aria-invalid]').length");
    assert_eq!(left, json!(0));
    // A service that is gone: nothing is said of an expression that it has not seen, and nothing is promised.
    set("cronExpression", "0 0 6 * * ?");
    see("#cron-words", "6");
    browser.script("window.kept = window.fetch; window.fetch = () => Promise.reject(new TypeError('gone'))");
    set("cronExpression", "0 0 5 * * ?");
    see("#cron-error", "it cannot be explained now");
    assert_eq!((browser.text("#cron-words"), browser.text("#cron-next")), (String::new(), String::new()));
    click("#save");
    see("#faults", "this is not tried again by itself");
    browser.script("window.fetch = window.kept");
    click("[data-close]");
    until("it can be paused", || {
        (browser.script("return document.querySelector(\"[data-key$='/pause']\") !== null") == json!(true))
            .then_some(())
    });
    let pause = || {
        click("[data-key$='/pause']");
        set("reason", &"x".repeat(500));
    };
    pause();
    intake.daemon.running.signal(Signal::STOP);
    click("#ask-yes");
    see("#message", "whether it was done is not known");
    see("#trouble", "does not answer");
    intake.daemon.running.signal(Signal::CONT);
    until("it is said no more", || browser.text("#trouble").is_empty().then_some(()));
    if !browser.text("#sources").contains("xxx") {
        pause();
        click("#ask-yes");
    }
    see("#sources", "xxx");
    let wide = browser.script("return document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth");
    assert_eq!(wide, json!(0), "a reason without a blank reaches out of nothing");
    browser.picture("paused-long", 1280);
    stop([intake.daemon]);
}
