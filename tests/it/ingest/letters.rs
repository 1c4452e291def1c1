//! Dead letters: every kind by name, and plans that replay or drop exactly what they froze.

use super::{counts, ingested, letters, rows, with_events};
use rusqlite::Connection;
use serde_json::Value;

#[test]
fn each_kind_of_bad_event_has_its_name() {
    let with = |rest: &str| {
        format!(r#"{{"type":"Order","id":"e","order":"o","user":"u","at":"2026-01-01T10:00:00Z",{rest}}}"#)
    };
    let deep = with(&format!(r#""amount":1,"x":{}1{}"#, "[".repeat(70), "]".repeat(70)));
    let huge = with(&format!(r#""amount":1,"x":"{}""#, "x".repeat(1 << 20)));
    let future = with(r#""amount":1"#).replace("2026-01-01", "2999-01-01");
    let past = with(r#""amount":1"#).replace("2026-01-01", "1969-12-31");
    for (event, kind) in [
        ("{".to_owned(), "json"),
        ("[]".to_owned(), "json"),
        ("\u{feff}{}".to_owned(), "json"),
        (with(r#""amount":1,"amount":2"#), "json"),
        (deep, "json"),
        (huge, "size"),
        ("{}".to_owned(), "missing"),
        (r#"{"type":"Gone","id":"e"}"#.to_owned(), "type"),
        (r#"{"type":"User","id":7}"#.to_owned(), "wrong_kind"),
        (with(r#""x":1"#), "missing"),
        (with(r#""amount":null"#), "missing"),
        (with(r#""amount":"ten""#), "wrong_kind"),
        (with(r#""amount":[1]"#), "wrong_kind"),
        (with(r#""amount":0.001"#), "precision"),
        (with(r#""amount":10000"#), "precision"),
        (with(r#""amount":1234567890123456789012345678901234567890"#), "precision"),
        (with(r#""amount":1,"big":9223372036854775808"#), "range"),
        (with(r#""amount":1"#).replace("\"o\"", "\"nine chars\""), "length"),
        (with(r#""amount":1"#).replace("\"o\"", "\"o\\u0000\""), "nul"),
        (with(r#""amount":1"#).replace("10:00:00Z", "10:00:00"), "timestamp"),
        (future, "timestamp"),
        (past, "timestamp"),
    ] {
        let filegen = with_events(&[&event]);
        assert_eq!(counts(&ingested(&filegen)), [0, 0, 0, 0, 1], "{kind}");
        let letters = letters(&filegen, "");
        let shown = event.get(..80.min(event.len())).unwrap_or_default();
        assert_eq!(letters[0]["error"]["kind"], kind, "{shown}: {}", letters[0]["error"]);
        assert_eq!(letters[0]["id"], "events.jsonl/0@0");
        assert!(kind == "size" || letters[0]["payload"] == event, "the payload is kept as it came");
        let kept = letters[0]["payload"].as_str().unwrap().len();
        assert!(kind != "size" || kept == 4096 && letters[0]["cut"]["bytes"].as_u64() > Some(1_000_000));
    }
}

#[test]
fn bytes_that_are_no_text_are_kept_too() {
    let filegen = with_events(&[]);
    std::fs::write(filegen.path("events.jsonl"), b"{\"a\":\"\xff\"}\n").unwrap();
    ingested(&filegen);
    let letter = &letters(&filegen, "")[0];
    assert_eq!((&letter["encoding"], &letter["payload"]), (&"base64".into(), &"eyJhIjoi/yJ9".into()));
}

#[test]
fn a_plan_holds_nothing_that_turns_lines_or_their_direction() {
    let filegen = with_events(&["{\"type\":\"Gone\u{202e}\u{2028}\",\"id\":\"e\"}"]);
    ingested(&filegen);
    filegen.run("dlq plan -c events.yaml --out plan.json").exits(0);
    let plan = filegen.read("plan.json");
    assert!(plan.contains("Gone\\u202e\\u2028") && !plan.contains(['\u{202e}', '\u{2028}']), "{plan}");
    assert!(serde_json::from_str::<Value>(&plan).is_ok(), "{plan}");
}

/// Orders without their user, an order that is too large, and one with a name that a constraint refuses.
fn dead_orders(count: usize) -> crate::support::filegen::Filegen {
    let order = |number: usize| {
        let amount = if number % 10 == 3 { "99999999" } else { "1.00" };
        format!(
            r#"{{"type":"Order","id":"e{number:03}","order":"o{number}","user":"u","amount":{amount},"at":"2026-01-01T10:00:00Z"}}"#
        )
    };
    let events: Vec<String> = (0..count).map(order).collect();
    let filegen = with_events(&events.iter().map(String::as_str).collect::<Vec<_>>());
    filegen.write("events.yaml", &format!("{}policies: {{ park_for: 1ms }}\n", filegen.read("events.yaml")));
    ingested(&filegen);
    ingested(&filegen);
    assert_eq!(letters(&filegen, "").len(), count);
    filegen
}

fn add_user(filegen: &crate::support::filegen::Filegen) {
    let sink = Connection::open(filegen.path("orders.db")).unwrap();
    sink.execute("INSERT INTO users VALUES ('u', 'new', 'e', '2026-01-01T00:00:00+00:00')", []).unwrap();
}

#[test]
fn a_plan_is_frozen_and_its_replay_may_be_repeated() {
    let filegen = dead_orders(25);
    let planned = filegen.run("dlq plan -c events.yaml --kind parent --out before.json --output json").exits(0).json();
    assert_eq!(planned["forecast"]["parked"], 22, "{planned}");
    add_user(&filegen);
    let planned = filegen.run("dlq plan -c events.yaml --out plan.json --output json").exits(0).json();
    assert_eq!((&planned["forecast"]["written"], &planned["forecast"]["dead"]), (&22.into(), &3.into()), "{planned}");
    assert_eq!(rows(&filegen, "SELECT count(*) FROM orders"), [[Some("0".to_owned())]], "a plan changes nothing");

    let no_reason = filegen.run("dlq apply -c events.yaml plan.json").exits(2);
    assert!(no_reason.stderr.contains("--reason"), "{}", no_reason.stderr);
    // One entry leaves, and one changes, before the plan is applied.
    let sink = Connection::open(filegen.path("orders.db")).unwrap();
    sink.execute("DELETE FROM filegen_queue WHERE entry LIKE '%\"e001\"%'", []).unwrap();
    sink.execute("UPDATE filegen_queue SET entry = replace(entry, '1.00', '5.00') WHERE entry LIKE '%\"e002\"%'", [])
        .unwrap();
    let applied = filegen.run("dlq apply -c events.yaml plan.json --reason loaded --output json").exits(4).json();
    let entries = &applied["entries"];
    assert_eq!(
        [&entries["written"], &entries["dead"], &entries["gone"], &entries["changed"]],
        [20, 3, 1, 1],
        "{applied}"
    );
    assert_eq!(letters(&filegen, "").len(), 4);
    let again = filegen.run("dlq apply -c events.yaml plan.json --reason again --output json").exits(4).json();
    assert_eq!((&again["entries"]["gone"], again["entries"].get("written")), (&21.into(), None), "{again}");

    filegen.run("dlq plan -c events.yaml --kind precision --out drop.json").exits(0);
    filegen.run("dlq drop -c events.yaml drop.json --reason wrong").exits(0);
    assert_eq!(letters(&filegen, "").len(), 1);
    let audit = filegen.run("dlq stats -c events.yaml --output json").exits(0).json()["audit"].clone();
    let lines: Vec<(&str, &str)> = audit
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (line["action"].as_str().unwrap(), line["reason"].as_str().unwrap()))
        .collect();
    assert_eq!(lines[0], ("drop ended", "wrong"));
    assert!(lines.contains(&("apply", "loaded")) && audit[0]["who"].as_str().is_some_and(|who| who.contains(" at ")));
}

#[test]
fn a_replay_stops_at_failures_of_one_kind() {
    let filegen = dead_orders(120);
    filegen.run("dlq plan -c events.yaml --kind precision --out plan.json").exits(0);
    let applied = filegen
        .run("dlq apply -c events.yaml plan.json --reason x --rate 1000 --max-failures 5 --output json")
        .exits(4)
        .json();
    assert_eq!((&applied["entries"]["dead"], &applied["entries"]["left"]), (&5.into(), &7.into()), "{applied}");
}

#[test]
fn a_newer_row_is_not_overwritten_by_a_replay() {
    let filegen = dead_orders(2);
    add_user(&filegen);
    let sink = Connection::open(filegen.path("orders.db")).unwrap();
    let newer = "INSERT INTO orders VALUES ('o0', 'u', '7.00', NULL, 'e999', '2026-01-01T11:00:00+00:00')";
    sink.execute(newer, []).unwrap();
    filegen.run("dlq plan -c events.yaml --out plan.json").exits(0);
    filegen.run("dlq apply -c events.yaml plan.json --reason late").exits(0);
    let found = rows(&filegen, "SELECT order_id, amount FROM orders ORDER BY order_id");
    assert_eq!(found, [["o0", "7.00"], ["o1", "1.00"]].map(|row| row.map(|text| Some(text.to_owned())).to_vec()));
    assert_eq!(letters(&filegen, ""), Vec::<Value>::new());
    let other = filegen.read("events.yaml").replace("ingest: orders", "ingest: other");
    filegen.write("other.yaml", &other);
    filegen.run("dlq apply -c other.yaml plan.json --reason x").exits(1);
}

#[test]
fn entries_are_found_by_what_they_are() {
    let filegen = dead_orders(14);
    assert_eq!(letters(&filegen, "--kind precision").len(), 2);
    assert_eq!(letters(&filegen, "--type Order --limit 3").len(), 3);
    assert_eq!(letters(&filegen, "--type User").len(), 0);
    assert_eq!(letters(&filegen, "--contains e013").len(), 1);
    assert_eq!(letters(&filegen, "--since 2999-01-01T00:00:00Z").len(), 0);
    let letter = filegen.run("dlq show -c events.yaml e013 --output json").exits(0).json();
    assert_eq!(letter["error"]["column"], "amount");
    filegen.run("dlq show -c events.yaml none").exits(1);
    let wrong = filegen.run("dlq list -c events.yaml --kind nope").exits(2);
    assert!(wrong.stderr.contains("wrong_kind"), "{}", wrong.stderr);
}

#[test]
fn letters_leave_their_queue_after_the_time_that_the_file_says_and_a_line_stays() {
    let filegen = dead_orders(3);
    let sink = Connection::open(filegen.path("orders.db")).unwrap();
    sink.execute(
        "UPDATE filegen_queue SET entry = json_set(entry, '$.timestamp', '2020-01-01T00:00:00Z') WHERE number < 3",
        [],
    )
    .unwrap();
    ingested(&filegen);
    assert_eq!(letters(&filegen, "").len(), 1);
    let audit = filegen.run("dlq stats -c events.yaml --output json").exits(0).json()["audit"].clone();
    assert_eq!(audit[0]["action"], "expire", "{audit}");
    assert!(audit[0]["reason"].as_str().is_some_and(|reason| reason.contains("`dead_letters.keep` (90d)")), "{audit}");
}

#[test]
fn a_full_queue_is_told_and_letters_wait_in_the_sink() {
    let filegen = dead_orders(3);
    filegen.write("events.yaml", &format!("{}dead_letters: {{ max_bytes: 16MiB }}\n", filegen.read("events.yaml")));
    let sink = Connection::open(filegen.path("orders.db")).unwrap();
    sink.execute("INSERT INTO filegen_queue (queue, id, entry) VALUES ('dlq:events', 'big', zeroblob(16 << 20))", [])
        .unwrap();
    let bad = r#"{"type":"Order","id":"bad","order":"o","user":"u","amount":"x","at":"2026-01-01T10:00:00Z"}"#;
    filegen.write("events.jsonl", &format!("{}{bad}\n", filegen.read("events.jsonl")));
    let done = filegen.run("ingest run -c events.yaml");
    assert!(
        done.stderr.contains("is full") && done.stderr.contains("dead letters wait in the sink"),
        "{}",
        done.stderr
    );
    let status = filegen.run("status -c events.yaml").exits(0);
    assert!(status.stdout.contains("outbox 1, dead letters 4 (their queue is full)"), "{}", status.stdout);
    let doctor = filegen.run("doctor -c events.yaml");
    assert!(doctor.stdout.contains("it is full"), "{}", doctor.stdout);
    sink.execute("DELETE FROM filegen_queue WHERE id = 'big'", []).unwrap();
    ingested(&filegen);
    assert_eq!(letters(&filegen, "").len(), 4);
}
