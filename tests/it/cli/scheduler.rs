//! `doctor` and `status` of a scheduler file: what would keep it from working, and what of its schedules a person should know.

use crate::support::daemon::{Daemon, stop};
use crate::support::filegen::Filegen;
use crate::support::kafka::Topic;
use crate::support::mongo::Database;
use crate::support::ports::free_port;
use crate::support::running::until;
use serde_json::{Value, json};

const FILE: &str = "scheduler: intake\nroots: [data]\nstate: { url: \"sqlite:intake.db\" }\n\
                    api: { port: 0, listen: 127.0.0.1 }\npage: { port: 0, listen: 127.0.0.1 }\n";

fn intake() -> Filegen {
    let filegen = Filegen::empty();
    filegen.write("intake.yaml", FILE);
    std::fs::create_dir_all(filegen.path("data/in")).unwrap();
    filegen
}

fn add(filegen: &Filegen, text: &str) {
    let all = std::fs::read_to_string(filegen.path("intake.yaml")).unwrap();
    filegen.write("intake.yaml", &format!("{all}{text}"));
}

fn make(filegen: &Filegen, name: &str, path: &str, cron: &str) {
    let mut command = filegen.command("datasource create -c intake.yaml");
    Filegen::finish(command.args(["--name", name, "--path", path, "--cron", cron])).exits(0);
}

fn doctor(filegen: &Filegen, code: i32) -> Value {
    filegen.run("doctor -c intake.yaml --output json").exits(code).json()
}

fn status(filegen: &Filegen) -> Value {
    filegen.run("status -c intake.yaml --output json").exits(0).json()
}

fn found<'a>(json: &'a Value, area: &str, check: &str) -> (&'a str, &'a str) {
    let all = json["checks"].as_array().unwrap();
    let one = all.iter().find(|it| it["area"] == area && it["check"] == check).unwrap_or(&Value::Null);
    (one["verdict"].as_str().unwrap_or("-"), one["detail"].as_str().unwrap_or_default())
}

#[test]
fn a_sound_scheduler_passes_and_nothing_is_made() {
    let filegen = intake();
    let json = doctor(&filegen, 0);
    assert_eq!(json["verdict"], "pass", "{json}");
    assert!(!filegen.has("intake.db"), "nothing is made");
    for (area, check) in
        [("state", "reachable"), ("state", "writable"), ("folders", "root"), ("folders", "data sources")]
    {
        assert_eq!(found(&json, area, check).0, "pass", "{area} {check}: {json}");
    }
    assert!(found(&json, "schedules", "leader").1.contains("nobody has ever led"), "{json}");
    let shown = filegen.run("doctor -c intake.yaml").exits(0).stdout;
    assert!(shown.contains("pass  folders    root") && shown.ends_with("to look at\n"), "{shown}");
    let empty = status(&filegen);
    assert_eq!((&empty["leader"]["state"], &empty["dataSources"]), (&json!("none"), &json!(0)));
    assert!(!filegen.has("intake.db"), "nothing is made");
    filegen.run("doctor -c intake.yaml --param a=1").exits(2);
    filegen.run("status -c intake.yaml --worker a").exits(2);
    filegen.run("doctor -c intake.yaml --fix --yes").exits(0);
}

#[test]
fn state_that_is_open_to_everybody_is_told() {
    use std::os::unix::fs::PermissionsExt;
    let filegen = intake();
    std::fs::create_dir_all(filegen.path("data/a")).unwrap();
    make(&filegen, "A", "data/a", "0 0 6 * * ?");
    let json = doctor(&filegen, 0);
    assert_eq!(found(&json, "state", "permissions").0, "pass", "{json}");
    filegen.write("intake.db.intake.lock", "");
    let set = |name: &str, mode| {
        std::fs::set_permissions(filegen.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    set("intake.db.intake.lock", 0o600);
    for name in ["intake.db", "intake.db.intake.lock"] {
        set(name, 0o666);
        let json = doctor(&filegen, 0);
        let (verdict, detail) = found(&json, "state", "permissions");
        assert!(verdict == "warn" && detail.contains(&format!("{name}` is open to everybody (0666)")), "{json}");
        set(name, 0o600);
    }
}

#[test]
fn what_is_wrong_is_told_and_picks_the_code() {
    let filegen = intake();
    std::fs::create_dir_all(filegen.path("data/gone")).unwrap();
    make(&filegen, "Gone", "data/gone", "0 0 6 * * ?");
    std::fs::remove_dir(filegen.path("data/gone")).unwrap();
    let json = doctor(&filegen, 0);
    let (verdict, detail) = found(&json, "folders", "data sources");
    assert!(verdict == "warn" && detail.starts_with("Gone: ") && detail.contains("is not there"), "{json}");
    assert_eq!(found(&json, "schedules", "out of step").0, "warn", "nobody has led yet: {json}");
    assert!(found(&json, "state", "outbox of changes").1.starts_with("1 change not sent"), "{json}");
    // A record that makes no sense.
    let state = rusqlite::Connection::open(filegen.path("intake.db")).unwrap();
    state.execute_batch("INSERT INTO ScheduledDataSource VALUES ('bogus', '9999', -1, -1, '{}')").unwrap();
    assert!(found(&doctor(&filegen, 0), "state", "records").1.starts_with("ScheduledDataSource bogus"));
    assert_eq!(status(&filegen)["unreadable"][0]["record"], "ScheduledDataSource bogus");
    // It is told where it is looked for, and the others are mended.
    let sync = filegen.run("schedule sync -c intake.yaml --output json").exits(4);
    assert_eq!(sync.json()["unreadable"][0]["record"], "ScheduledDataSource bogus", "{}", sync.stdout);
    assert!(sync.stderr.contains("ScheduledDataSource bogus cannot be read: "), "{}", sync.stderr);
    let gone = sync.json()["differences"][0]["id"].as_str().unwrap().to_owned();
    let spoil = format!("UPDATE ScheduledDataSource SET document = '{{}}' WHERE id = '{gone}'");
    state.execute_batch(&format!("DELETE FROM ScheduledDataSource WHERE id = 'bogus'; {spoil}")).unwrap();
    let sync = filegen.run("schedule sync -c intake.yaml --output json").exits(4);
    assert_eq!((&sync.json()["differences"], &sync.json()["mended"]), (&json!([]), &json!(0)), "it is there");
    let shown = filegen.run("schedule show Gone -c intake.yaml").exits(1);
    assert!(shown.stderr.contains(&gone) && shown.stderr.contains("missing field"), "{}", shown.stderr);
    // A broker that is away, which hides the missing root that would be 3.
    std::fs::remove_dir_all(filegen.path("data")).unwrap();
    assert_eq!(found(&doctor(&filegen, 3), "folders", "root").0, "fail");
    let away = format!("127.0.0.1:{}", free_port());
    add(&filegen, &format!("discovered: {{ kafka: {{ brokers: \"{away}\", topic: found }} }}\n"));
    let json = doctor(&filegen, 6);
    assert_eq!((found(&json, "kafka", "discovered topic").0, found(&json, "folders", "root").0), ("fail", "fail"));
    // A store of another program.
    drop(state);
    filegen.write("intake.db", "this is no database at all, but it is long enough to have a header");
    assert_eq!(found(&doctor(&filegen, 6), "state", "reachable").0, "fail");
}

#[tokio::test(flavor = "multi_thread")]
async fn its_topics_are_asked_for_and_nothing_is_taken_or_sent() {
    let (changes, files) = (Topic::create(2).await, Topic::create(1).await);
    let filegen = intake();
    let kafka = |topic: &Topic| format!("{{ kafka: {{ brokers: '{}', topic: {} }} }}", topic.brokers, topic.name);
    add(&filegen, &format!("changes: {}\ndiscovered: {}\n", kafka(&changes), kafka(&files)));
    let json = doctor(&filegen, 0);
    for check in ["changes topic", "changes read", "changes write", "discovered topic", "discovered write"] {
        assert_eq!(found(&json, "kafka", check).0, "pass", "{check}: {json}");
    }
    assert!(found(&json, "kafka", "changes topic").1.ends_with("2 partitions"), "{json}");
    assert_eq!((changes.length().await, files.length().await), (0, 0));
}

#[test]
fn the_leader_what_comes_next_and_what_to_look_at_are_shown() {
    let filegen = intake();
    add(
        &filegen,
        "defaults: { stable_for: 100ms, grace: 1s }\n\
                   policies: { lease_ttl: 10s, lease_heartbeat_interval: 500ms, takeover_polling_interval: 200ms }\n",
    );
    for (name, cron) in [("Paused", "0 0 6 * * ?"), ("Never", "0 0 0 1 1 ? 1999"), ("Due", "* * * * * ?")] {
        make(&filegen, name, "data/in", cron);
    }
    std::fs::remove_dir(filegen.path("data/in")).unwrap();
    let mut daemon = Daemon::of(&mut filegen.command("daemon -c intake.yaml --health-port 0"));
    daemon.running.wait_for("door=page");
    let what = |json: &Value, name: &str| {
        let all = json["attention"].as_array().unwrap().clone();
        all.into_iter()
            .filter(|it| it["name"] == name)
            .map(|it| it["what"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let shown = until("it leads, and fails", || {
        Some(status(&filegen)).filter(|it| it["leader"]["state"] == "held" && what(it, "Due") == ["lastFailed"])
    });
    assert_eq!((&shown["dataSources"], &shown["schedules"]["Active"]), (&json!(3), &json!(3)), "{shown}");
    assert_eq!(
        (&shown["next"]["name"], what(&shown, "Never")),
        (&json!("Due"), vec!["neverAgain".to_owned()]),
        "{shown}"
    );
    let because = ["schedule", "pause", "Paused", "-c", "intake.yaml", "--reason", "the folder moves"];
    Filegen::finish(filegen.command("").args(because)).exits(0);
    let json = doctor(&filegen, 0);
    assert_eq!(found(&json, "schedules", "leader").0, "pass", "{json}");
    assert!(found(&json, "schedules", "paused").1.contains("the folder moves"), "{json}");
    assert!(found(&json, "schedules", "failed last").1.contains("is not there"), "{json}");
    let table = filegen.run("status -c intake.yaml").exits(0).stdout;
    for words in ["lease held, token 1", "3 data sources; schedules: 2 Active, 1 Paused", "next: Due at", "failed last"]
    {
        assert!(table.contains(words), "{words}: {table}");
    }
    // The daemon's own page has it too, with what is wrong on top.
    let (_, seen) = daemon.get("/status");
    let seen: Value = serde_json::from_str(&seen).unwrap();
    assert_eq!(seen["headline"], "Trouble with 1 of 1 scheduler: intake", "{seen}");
    assert_eq!(seen["troubles"][0]["what"], "1 schedule failed last: Due", "{seen}");
    let shown = &seen["schedulers"][0];
    assert_eq!((&shown["state"], &shown["overview"]["dataSources"]), (&json!("leading"), &json!(3)), "{seen}");
    let page = daemon.get("/").1;
    for words in ["scheduler, leading", "2 active, 1 paused", "the folder moves", "1 schedule failed last: Due"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    stop([daemon]);
    let late = until("its due times wait", || {
        Some(status(&filegen)).filter(|it| what(it, "Due").contains(&"overdue".to_owned()))
    });
    assert_ne!(late["leader"]["state"], "held", "{late}");
    assert!(found(&doctor(&filegen, 0), "schedules", "leader").1.starts_with("nobody leads"), "{late}");
}

#[test]
fn over_mongodb_clock_and_indexes_are_looked_at_and_made() {
    let database = Database::new();
    let filegen = intake();
    filegen.write("intake.yaml", &FILE.replace("sqlite:intake.db", &database.url()));
    let json = doctor(&filegen, 0);
    assert_eq!((found(&json, "state", "writable").0, found(&json, "state", "indexes").0), ("pass", "warn"), "{json}");
    assert!(found(&json, "state", "clock").1.contains("this host's"), "{json}");
    filegen.run("doctor -c intake.yaml --fix --yes --reason new").exits(0);
    assert_eq!(found(&doctor(&filegen, 0), "state", "indexes").0, "pass");
    make(&filegen, "Loans", "data/in", "0 0 6 * * ?");
    assert_eq!(status(&filegen)["dataSources"], 1);
}

#[test]
fn what_the_files_that_it_names_hold_is_checked_with_it() {
    let filegen = intake();
    add(&filegen, "sources: sources.yaml\ncalendars: { house: house.ics }\n");
    filegen.write("house.ics", "BEGIN:VCALENDAR\nEND:VCALENDAR\n");
    let check = |sources: &str, code: i32, files: &str| {
        filegen.write("sources.yaml", sources);
        filegen.run(&format!("config check {files}")).exits(code).stderr
    };
    let one = |more: &str| format!("- {{ name: A, path: data/in, calendar: house, {more} }}\n");
    check(&one("cronExpression: '0 0 6 * * ?'"), 0, "-c intake.yaml");
    let stderr = check(&(one("cronExpression: '0 0 6 * *'") + "- { name: B, path: /etc }\n"), 3, "-c intake.yaml");
    for part in ["sources.yaml", "0/cronExpression: ", "1/path: "] {
        assert!(stderr.contains(part), "{part}: {stderr}");
    }
    // What it starts may be served by files that are not given here, and is held against those that are.
    let starts = one("action: { run: LoanWorker }");
    check(&starts, 0, "-c intake.yaml");
    filegen.run("config init -c worker.yaml").exits(0);
    let stderr = check(&starts.replace("LoanWorker", "Nobody"), 3, "-c intake.yaml -c worker.yaml");
    assert!(stderr.contains("0/action") && stderr.contains("Nobody"), "{stderr}");
    check("name: A\n", 3, "-c intake.yaml");
    filegen.write("house.ics", "no calendar");
    let stderr = check(&starts, 3, "-c intake.yaml");
    assert!(stderr.contains("house.ics"), "{stderr}");
}
