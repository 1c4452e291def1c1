//! The status page as a person sees it, in a real browser: what it says first, how it reads when narrow, dark, and by keyboard.

use crate::support::browser::Browser;
use crate::support::daemon::Daemon;
use crate::support::filegen::Filegen;
use crate::support::ports::free_port;
use crate::support::running::{Running, until};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::process::Command;

/// The widths that pages are looked at with: a telephone, a tablet, a desk.
const WIDTHS: [u32; 3] = [420, 760, 1280];

const DATE: &str = "2026-11-21";

/// Elements that reach out of the window, or that can be scrolled sideways.
const TOO_WIDE: &str = "
    const wide = [...document.querySelectorAll('body *')].filter(e =>
        e.scrollWidth > e.clientWidth + 1 && !['visible', 'clip'].includes(getComputedStyle(e).overflowX)
        || e.getBoundingClientRect().right > document.documentElement.clientWidth + 1);
    const page = document.scrollingElement;
    return [page.scrollWidth - page.clientWidth, wide.map(e => e.outerHTML.slice(0, 200))];";

/// The least contrast of any text with what is behind it, by WCAG 2's measure, and that text.
const LEAST_CONTRAST: &str = "
    const parse = c => c.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => { const f = v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
        return .2126 * f(r) + .7152 * f(g) + .0722 * f(b); };
    const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
        if (c.length === 3 || c[3] > 0) return c; } return [255, 255, 255]; };
    let least = [99, ''];
    for (const e of document.querySelectorAll('body *')) {
        const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
        if (!own || !e.getClientRects().length) continue;
        const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))];
        const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
        if (ratio < least[0]) least = [ratio, e.outerHTML.slice(0, 200)];
    }
    return least;";

/// What has the keyboard's focus: its text, and how thick the line around it is.
const FOCUS: &str = "
    const e = document.activeElement, s = getComputedStyle(e);
    return [e.tagName === 'BODY' ? null : e.innerText, s.outlineStyle === 'none' ? 0 : parseFloat(s.outlineWidth)];";

/// A worker file like `worker.yaml`, with a name, output and source of its own, and more sections.
fn office(filegen: &Filegen, name: &str, sections: &str) -> String {
    let (file, low) = (format!("{name}.yaml"), name.to_lowercase());
    let quick = "policies: { lease_ttl: 10s, lease_heartbeat_interval: 500ms, takeover_polling_interval: 200ms }\n";
    let text = filegen.read("worker.yaml").replace("LoanWorker", name).replace("root: out", &format!("root: {low}"));
    let text = text.replace("sqlite:loans.db", &format!("sqlite:{low}.db"));
    filegen.write(&file, &(text + quick + sections));
    std::fs::copy(filegen.path("loans.db"), filegen.path(&format!("{low}.db"))).unwrap();
    format!(" -c {file}")
}

/// Runs SQL on one worker's source.
fn sql(filegen: &Filegen, name: &str, text: &str) {
    let path = filegen.path(&format!("{}.db", name.to_lowercase()));
    rusqlite::Connection::open(path).unwrap().execute_batch(text).unwrap();
}

/// An hour ago, as a deadline has it.
fn an_hour_ago() -> String {
    let now = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(1);
    now.to_zoned_datetime(jiff::tz::TimeZone::UTC).strftime("%H:%M").to_string()
}

fn publish(filegen: &Filegen, name: &str) {
    filegen.run(&format!("run -c {name}.yaml --date {DATE}")).exits(0);
}

/// A daemon over these worker files, whose runs take a while.
fn slowly(filegen: &Filegen, files: &str) -> Daemon {
    let mut command: Command = filegen.command(&format!("daemon{files} --health-port 0"));
    Daemon::of(command.env("FAILPOINTS", "commit.begun=sleep(40)"))
}

fn page(daemon: &Daemon) -> String {
    format!("http://127.0.0.1:{}/?refresh=off", daemon.http.port())
}

/// What the daemon's JSON says of a worker.
fn worker(daemon: &Daemon, name: &str) -> Value {
    let status = daemon.http.get("/status").json();
    let workers = status["workers"].as_array().unwrap().clone();
    workers.into_iter().find(|worker| worker["workerId"] == name).unwrap()
}

/// Looks at a page in each width and scheme: nothing reaches out, and all of it can be read.
fn reads_well(browser: &Browser, name: &str) {
    for scheme in ["light", "dark"] {
        browser.scheme(scheme);
        for width in WIDTHS {
            browser.width(width);
            let wide = browser.script(TOO_WIDE);
            assert_eq!(wide, json!([0, []]), "{name}: {width} pixels, {scheme}");
            browser.picture(&format!("{name}-{scheme}-{width}"), width);
        }
        let least = browser.script(LEAST_CONTRAST);
        assert!(least[0].as_f64() >= Some(4.5), "{name}, {scheme}: {least}");
        assert_eq!(browser.broken_rules(), [""; 0], "{name}, {scheme}");
    }
    browser.scheme("light");
}

#[test]
fn all_is_well_is_said_first_and_nothing_cries() {
    let filegen = Filegen::with_loans(30);
    let files = ["CardWorker", "LoanWorker"].map(|name| office(&filegen, name, "")).concat();
    let daemon = Daemon::of(&mut filegen.command(&format!("daemon{files} --health-port 0")));
    for name in ["CardWorker", "LoanWorker"] {
        publish(&filegen, name);
    }
    let browser = Browser::open();
    // Until all dependencies were asked once.
    until("two workers that are well", || {
        browser.go(&page(&daemon));
        (browser.text("h1") == "All is well with 2 workers").then_some(())
    });
    assert!(browser.text("body").starts_with("All is well with 2 workers"), "it comes first");
    assert_eq!(browser.script("return document.title"), "All is well with 2 workers: filegen");
    let bad = "return [...document.querySelectorAll('.bad')].map(e => e.innerText)";
    assert_eq!(browser.script(bad), json!([]), "nothing stands out");
    let seen = browser.text("#LoanWorker");
    for text in ["leading", DATE, "published", "loan0_20261121.txt, loan1_20261121.csv", "30"] {
        assert!(seen.contains(text), "{text} in\n{seen}");
    }
    reads_well(&browser, "well");
}

/// A daemon with five workers: one is well, one has failed, one is late, one stands by, one has a run under way.
struct Troubled {
    filegen: Filegen,
    daemon: Daemon,
    _other: Running,
    _asking: Running,
}

fn troubled() -> Troubled {
    let filegen = Filegen::with_loans(12_000);
    let names = ["BusyWorker", "FailedWorker", "GoodWorker"];
    let away = format!("completion: {{ kafka: {{ brokers: '127.0.0.1:{}', topic: file-events }} }}\n", free_port());
    let mut files = names.map(|name| office(&filegen, name, if name == "GoodWorker" { &away } else { "" })).concat();
    files += &office(&filegen, "LateWorker", &format!("deadline: {{ time: '{}' }}\n", an_hour_ago()));
    let waiting = office(&filegen, "WaitingWorker", "");
    sql(&filegen, "FailedWorker", "UPDATE loans SET Customer = 'a|b' WHERE LoanId = 23");
    sql(&filegen, "GoodWorker", "DELETE FROM loans WHERE LoanId > 20");
    // Another daemon leads one of them.
    let mut other = filegen.start(&format!("daemon{waiting} --health-port 0"));
    other.wait_for("leadership acquired");

    let mut daemon = slowly(&filegen, &(files + &waiting));
    for _ in 0..4 {
        daemon.running.wait_for("leadership acquired");
    }
    for date in [DATE, "2026-11-22"] {
        filegen.run(&format!("run -c FailedWorker.yaml --date {date}")).exits(7);
    }
    // Its files are there; its events wait for a broker that is away.
    let asked = filegen.start(&format!("run -c GoodWorker.yaml --date {DATE}"));
    until("the good worker's files", || {
        (worker(&daemon, "GoodWorker")["runs"][0]["status"] == "published").then_some(())
    });
    asked.signal(Signal::INT);
    let asking = filegen.start(&format!("run -c BusyWorker.yaml --date {DATE}"));
    Troubled { filegen, daemon, _other: other, _asking: asking }
}

#[test]
fn what_is_wrong_is_said_first_and_what_each_worker_does_below() {
    let Troubled { filegen, daemon, .. } = &troubled();
    let browser = Browser::open();
    until("a run under way with a forecast, and a broker that is known to be away", || {
        browser.go(&page(daemon));
        let busy = browser.text("#BusyWorker");
        (busy.contains("done at 2") && browser.text(".troubles").contains("is down")).then_some(())
    });
    let seen = browser.text("body");
    assert!(seen.starts_with("Trouble with 3 of 5 workers: FailedWorker, GoodWorker, LateWorker"), "{seen}");
    let troubles = browser.text(".troubles");
    let lines: Vec<&str> = troubles.lines().collect();
    assert_eq!(lines.len(), 3, "one line each: {troubles}");
    assert!(lines[0].starts_with("FailedWorker: 2 runs from 2026-11-21 to 2026-11-22 have failed, next try at 2"));
    assert!(lines[1].starts_with("GoodWorker: kafka is down"), "{troubles}");
    assert!(lines[2].contains("was due at 2") && lines[2].contains("late: it has not been asked for"), "{troubles}");

    // Each has what a person asks for: due, run, forecast, next try, files.
    let late = browser.text("#LateWorker");
    assert!(late.contains("due") && late.contains("files of 20") && late.contains(" ago)"), "{late}");
    let busy = browser.text("#BusyWorker");
    assert!(busy.contains(" of 1,200, ") && busy.contains(" of 12,000 rows, ") && busy.contains("forecast"), "{busy}");
    assert!(busy.contains("done at 2") && busy.contains(" (in "), "{busy}");
    let failed = browser.text("#FailedWorker");
    assert!(failed.contains("row with key 23") && failed.contains("next try at 2"), "{failed}");
    let good = browser.text("#GoodWorker");
    assert!(good.contains("loan0_20261121.txt, loan1_20261121.csv"), "{good}");
    assert!(good.contains("2 completion events not sent yet"), "{good}");
    let waiting = browser.text("#WaitingWorker");
    assert!(waiting.contains("standby") && waiting.contains("lease") && waiting.contains("held by "), "{waiting}");

    // The broker is tried again and again, and its fault stands once.
    until("a fault that came several times", || {
        browser.go(&page(daemon));
        browser.text("#GoodWorker .lately").contains(" times)").then_some(())
    });
    let lately = browser.text("#GoodWorker .lately");
    let mut faults: Vec<&str> = lately.lines().map(|line| line.split_once(' ').unwrap().1).collect();
    let count = faults.len();
    faults.sort_unstable();
    faults.dedup();
    assert_eq!(faults.len(), count, "each stands once: {lately}");
    reads_well(&browser, "troubled");

    // By keyboard: every link in its order, each with a line around it.
    browser.go(&page(daemon));
    let links = browser.script("return [...document.querySelectorAll('a')].map(e => e.innerText)");
    for link in links.as_array().unwrap() {
        browser.tab();
        let focus = browser.script(FOCUS);
        assert_eq!(&focus[0], link, "{focus}");
        assert!(focus[1].as_f64() >= Some(2.0), "it is seen: {focus}");
    }
    assert!(links.as_array().unwrap().len() >= 6, "{links}");
    assert!(!filegen.has("lateworker/loan0_20261121.txt"));
}

#[test]
fn the_page_comes_again_by_itself_until_somebody_stops_it() {
    let filegen = Filegen::with_loans(1);
    let daemon = Daemon::of(&mut filegen.command("daemon -c worker.yaml --health-port 0"));
    let (browser, url) = (Browser::open(), page(&daemon));
    let refresh = "return document.querySelector('meta[http-equiv=refresh]')?.content ?? null";
    browser.go(url.trim_end_matches("?refresh=off"));
    assert_eq!(browser.script(refresh), "5");
    browser.script("[...document.links].find(e => e.innerText === 'stop the refresh').click()");
    until("the page that stays", || browser.script(refresh).is_null().then_some(()));
    assert_eq!(browser.script("return location.href"), url);
}
