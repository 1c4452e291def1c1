//! The doors of a scheduler as others meet them: whom they take, how lists are asked for, and what is refused by its own words.

use super::intake::{Intake, SCHEDULER, SOURCES};
use crate::support::daemon::{Daemon, stop};
use crate::support::filegen::Filegen;
use crate::support::http::{Answer, Http};
use crate::support::running::until;
use serde_json::{Value, json};

const SCHEDULES: &str = "/api/v1/schedule";

impl Intake {
    /// Makes a data source that is due once a year, and waits for its schedule.
    fn make(&self, name: &str) -> String {
        let given = json!({ "name": name, "path": "data/in", "cronExpression": "0 0 4 1 1 ?" });
        let made = self.post(&given);
        assert_eq!(made.code, 201, "{}", made.body);
        let id = made.json()["id"].as_str().unwrap().to_owned();
        until("it is scheduled", || (self.api.get(&format!("{SCHEDULES}/{id}")).code == 200).then_some(()));
        id
    }

    fn steer(&self, id: &str, what: &str, body: &Value) -> Answer {
        self.api.post(&format!("{SCHEDULES}/{id}/{what}"), "application/json", &body.to_string())
    }

    fn listed(&self, path: &str) -> (u64, Vec<String>) {
        names(&self.api.get(path))
    }
}

fn names(answer: &Answer) -> (u64, Vec<String>) {
    assert_eq!(answer.code, 200, "{}", answer.body);
    let found = answer.json();
    let names = found["items"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned());
    (found["total"].as_u64().unwrap(), names.collect())
}

fn some(total: u64, names: &[&str]) -> (u64, Vec<String>) {
    (total, names.iter().map(|name| (*name).to_owned()).collect())
}

fn token_of(page: &Http) -> String {
    let shown = page.get("/").body;
    let token = shown.split("name=\"page-token\" content=\"").nth(1).and_then(|rest| rest.split('"').next());
    token.unwrap_or_else(|| panic!("no token in {shown}")).to_owned()
}

fn written(page: &Http, token: &str, name: &str) -> u16 {
    let request = page.request("POST", SOURCES).header("content-type", "application/json");
    let body = json!({ "name": name, "path": "data/in" }).to_string();
    page.send(request.header("x-page-token", token), body.as_str()).code
}

#[test]
fn all_schedules_stand_in_one_answer_by_name_however_many_there_are() {
    let filegen = Filegen::empty();
    filegen.write("intake.yaml", SCHEDULER);
    std::fs::create_dir_all(filegen.path("data/in")).unwrap();
    let intake = Intake::over(filegen);
    let nothing = intake.api.get(SCHEDULES);
    assert_eq!((nothing.code, nothing.body.as_str()), (200, "{\"items\":[],\"total\":0}"));
    // More than two reads of the store bring.
    let all: Vec<String> = (0..1_100).map(|number| format!("Source {number:04}")).collect();
    let sources: Vec<Value> = all
        .iter()
        .rev()
        .map(|name| json!({ "name": name, "path": "data/in", "cronExpression": "0 0 4 1 1 ?" }))
        .collect();
    intake.filegen.write("sources.json", &json!(sources).to_string());
    intake.filegen.run("datasource import -c intake.yaml sources.json").exits(0);
    let count = || names(&intake.api.get(SCHEDULES));
    let (total, found) = until("all are scheduled", || Some(count()).filter(|(total, _)| *total == 1_100));
    let all: Vec<String> = all.into_iter().map(|name| name.trim().to_owned()).collect();
    assert_eq!((total, found), (1_100, all));
    assert_eq!(intake.listed(&format!("{SCHEDULES}?page=3&size=500")).1.len(), 100);
    stop([intake.daemon]);
}

#[test]
fn with_a_list_of_hosts_the_doors_take_no_other() {
    let filegen = Filegen::empty();
    filegen.write("intake.yaml", SCHEDULER);
    std::fs::create_dir_all(filegen.path("data/in")).unwrap();
    let command = "daemon -c intake.yaml --health-port 0 --health-host good.example";
    let intake = Intake::by(filegen, command);
    for door in [&intake.api, &intake.page] {
        let by = |host: &str, path: &str| door.send(door.request("GET", path).header("host", host), ()).code;
        assert_eq!((by("evil.example", SOURCES), by("evil.example", "/")), (421, 421));
        assert_eq!(by("good.example", SOURCES), 200);
    }
    let post = intake.api.request("POST", SOURCES).header("content-type", "application/json");
    let post = post.header("host", "evil.example").header("origin", "http://evil.example");
    assert_eq!(intake.api.send(post, "{\"name\":\"a\",\"path\":\"data/in\"}").code, 421);
    stop([intake.daemon]);
}

#[test]
fn doors_of_this_host_alone_take_no_other_name_and_a_door_takes_those_of_its_list() {
    let filegen = Filegen::empty();
    filegen.write("intake.yaml", &SCHEDULER.replace("page: {", "page: { hosts: [files.example],"));
    std::fs::create_dir_all(filegen.path("data/in")).unwrap();
    let intake = Intake::over(filegen);
    let by = |door: &Http, host: &str| door.send(door.request("GET", SOURCES).header("host", host), ()).code;
    let codes =
        |door: &Http| ["localhost", "127.0.0.1:8080", "files.example:80", "evil.example"].map(|host| by(door, host));
    assert_eq!((codes(&intake.api), codes(&intake.page)), ([200, 200, 421, 421], [200, 200, 200, 421]));
    let page = intake.page.send(intake.page.request("GET", "/").header("host", "evil.example"), ());
    assert_eq!((page.code, page.body.contains("page-token")), (421, false), "no token for it: {}", page.body);
    // A door that others reach, without a list, is told.
    let warned = |text: &str| {
        intake.filegen.write("other.yaml", text);
        let checked = intake.filegen.run("config check -c other.yaml").exits(0);
        format!("{}{}", checked.stdout, checked.stderr)
    };
    let open = SCHEDULER.replace("page: { port: 0, listen: 127.0.0.1", "page: { port: 0");
    assert!(warned(&open).contains("DNS rebinding"), "{}", warned(&open));
    assert!(!warned(&open.replace("page: {", "page: { hosts: [a.example],")).contains("DNS rebinding"));
    assert!(!warned(SCHEDULER).contains("DNS rebinding"));
    intake.filegen.write("other.yaml", &SCHEDULER.replace("page: {", "page: { hosts: [\"http://a.example\"],"));
    assert!(intake.filegen.run("config check -c other.yaml").exits(3).stderr.contains("is no host name"));
    stop([intake.daemon]);
}

#[test]
fn a_page_of_one_instance_writes_through_another_and_nobody_writes_without_a_token() {
    let intake = Intake::start();
    let mut other = Daemon::of(&mut intake.filegen.command("daemon -c intake.yaml --health-port 0"));
    let line = other.running.wait_for("door=page");
    let page = Http::described_at(line.rsplit("port=").next().unwrap().trim().parse().unwrap());
    let token = token_of(&intake.page);
    assert_eq!(written(&page, &token, "Loans"), 201);
    assert_eq!(written(&intake.page, &token_of(&page), "Rates"), 201);
    let fresh = page.get("/page-token").json()["token"].as_str().unwrap().to_owned();
    assert_eq!(written(&intake.page, &fresh, "Cards"), 201, "a page that is open for long asks for another");
    let (until, proof) = token.split_once('.').unwrap();
    let later = until.parse::<i64>().unwrap() + 60;
    for forged in ["", &format!("{later}.{proof}"), &format!("{until}.{}", "0".repeat(64))] {
        assert_eq!(written(&intake.page, forged, "Forged"), 403, "{forged}");
    }
    let foreign = intake.page.request("POST", SOURCES).header("content-type", "application/json");
    let foreign = foreign.header("x-page-token", &token).header("origin", "http://evil.example");
    assert_eq!(intake.page.send(foreign, "{}").code, 403, "a page of another site");
    stop([intake.daemon, other]);
}

#[test]
fn lists_are_asked_for_page_by_page_and_by_what_their_schedules_are() {
    let intake = Intake::start();
    let [cards, loans, rates] = ["Cards", "Loans", "Rates"].map(|name| intake.make(name));
    assert_eq!(intake.steer(&loans, "pause", &json!({ "by": "ann" })).code, 200);
    let list = |query: &str| intake.listed(&format!("{SCHEDULES}{query}"));
    assert_eq!(list(""), some(3, &["Cards", "Loans", "Rates"]));
    let second = intake.api.get(&format!("{SCHEDULES}?page=2&size=2"));
    assert_eq!(names(&second), some(3, &["Rates"]));
    let second = second.json();
    assert_eq!((&second["page"], &second["size"], &second["pages"]), (&json!(2), &json!(2), &json!(2)));
    assert_eq!(list("?search=AT"), some(1, &["Rates"]));
    assert_eq!(list(&format!("?search={cards}")), some(1, &["Cards"]));
    assert_eq!(list("?status=paused"), some(1, &["Loans"]));
    assert_eq!(list("?status=active&size=1"), some(2, &["Cards"]));
    assert_eq!(list("?status=failed"), some(0, &[]));
    assert_eq!(list(&format!("?ids={rates},{cards},nobody")), some(2, &["Cards", "Rates"]));
    assert_eq!(list(&format!("?ids={rates},{loans}&status=active")), some(1, &["Rates"]));
    assert_eq!(list(&format!("?ids={rates},{loans},{cards}&size=2&page=2")), some(3, &["Rates"]));
    let sources = |query: &str| intake.listed(&format!("{SOURCES}?{query}"));
    assert_eq!(sources("status=paused"), some(1, &["Loans"]));
    assert_eq!(sources("status=active&page=2&size=1"), some(2, &["Rates"]));
    assert_eq!(sources("status=failed&search=Loans"), some(0, &[]));
    assert_eq!(sources("status=inactive"), some(0, &[]));
    // What is asked for and not known would not be done.
    for path in [
        format!("{SOURCES}?siez=1"),
        format!("{SCHEDULES}?name=Loans"),
        format!("{SCHEDULES}/{loans}?full=1"),
        format!("{SCHEDULES}/{loans}/history?count=1"),
        "/api/v1/attention?all=1".to_owned(),
        "/api/v1/cron?expresion=x".to_owned(),
    ] {
        let answer = intake.api.get(&path);
        assert_eq!((answer.code, answer.header("content-type")), (422, "application/problem+json"), "{path}");
    }
    for what in ["pause", "resume", "run"] {
        let answer = intake.api.post(&format!("{SCHEDULES}/{loans}/{what}?by=ann"), "application/json", "{}");
        assert_eq!(answer.code, 422, "{}", answer.body);
    }
    let many = vec!["x"; 501].join(",");
    for query in ["?page=0", "?size=501", "?status=odd", "?page=1&p%61ge=2", &format!("?ids={many}")] {
        assert_eq!(intake.api.get(&format!("{SCHEDULES}{query}")).code, 422, "{query}");
    }
    stop([intake.daemon]);
}

#[test]
fn what_needs_a_look_is_told_whatever_list_is_shown_and_what_was_found_stands_in_the_list() {
    let intake = Intake::start();
    for name in ["a.csv", "b.csv"] {
        intake.filegen.write(&format!("data/in/{name}"), name);
    }
    std::fs::create_dir_all(intake.filegen.path("data/gone")).unwrap();
    let loans = intake.make("Loans");
    let gone = intake.post(&json!({ "name": "Gone", "path": "data/gone", "cronExpression": "0 0 4 1 1 ?" }));
    let gone = gone.json()["id"].as_str().unwrap().to_owned();
    std::fs::remove_dir(intake.filegen.path("data/gone")).unwrap();
    until("it is scheduled", || (intake.steer(&gone, "run", &json!({})).code == 202).then_some(()));
    assert_eq!(intake.steer(&loans, "run", &json!({})).code, 202);
    let attention = until("it has failed", || {
        let found = intake.api.get("/api/v1/attention").json();
        (found["total"] == json!(1)).then_some(found)
    });
    let one = &attention["items"][0];
    assert_eq!((&one["name"], &one["what"], &one["id"]), (&json!("Gone"), &json!("failed last"), &json!(gone)));
    let row = until("files stand in its row", || {
        let found = intake.api.get(&format!("{SCHEDULES}?ids={loans}")).json()["items"][0].clone();
        (!found["lastFilesSeen"].is_null()).then_some(found)
    });
    assert_eq!((&row["lastFilesSeen"], &row["lastFilesNew"]), (&json!(2), &json!(2)));
    stop([intake.daemon]);
}

#[test]
fn what_a_calendar_does_to_an_expression_is_told_in_the_form_and_of_a_schedule() {
    let intake = Intake::start();
    let asked = |more: &str| {
        let query = format!("/api/v1/cron?expression=0+0+4+?+*+SAT&calendar=weekends&count=2{more}");
        intake.api.get(&query.replace("?+*", "%3F+*")).json()
    };
    let left = asked("");
    assert_eq!((&left["next"], &left["ok"]), (&json!([]), &json!(true)));
    assert!(left["affected"][0]["words"].as_str().unwrap().starts_with("left out: 2"), "{left}");
    let moved = asked("&closedDay=previous");
    assert!(moved["next"][0]["local"].as_str().unwrap().starts_with("Fri "), "{moved}");
    assert!(moved["affected"][0]["words"].as_str().unwrap().starts_with("moved from 2"), "{moved}");
    assert_eq!(asked("&closedDay=never")["error"]["field"], json!("closedDay"));
    let given = json!({
        "name": "Loans", "path": "data/in", "cronExpression": "0 0 4 ? * SAT", "calendar": "weekends", "closedDay": "next",
    });
    let id = intake.post(&given).json()["id"].as_str().unwrap().to_owned();
    let shown = until("it is scheduled", || {
        let answer = intake.api.get(&format!("{SCHEDULES}/{id}"));
        (answer.code == 200).then(|| answer.json())
    });
    assert_eq!(shown["next"].as_array().unwrap().len(), 5, "{shown}");
    assert!(shown["next"][0]["local"].as_str().unwrap().starts_with("Mon "), "{shown}");
    let affected = &shown["affected"][0];
    assert!(affected["movedTo"].is_string() && affected["words"].as_str().unwrap().ends_with(": weekend"), "{shown}");
    stop([intake.daemon]);
}

#[test]
fn requests_that_say_too_much_or_too_little_are_refused_by_their_own_words() {
    let intake = Intake::start();
    let id = intake.make("Loans");
    let source = intake.api.get(&format!("{SOURCES}/{id}")).json();
    assert_eq!(intake.put(&id, Some("W/\"1\""), &source).code, 412, "a weak tag matches nothing");
    assert_eq!(intake.delete(&id, Some("W/\"1\"")).code, 412);
    for path in [format!("{SOURCES}/%ff"), format!("{SCHEDULES}/%ff"), format!("{SCHEDULES}/%ff/history")] {
        let answer = intake.api.get(&path);
        assert_eq!((answer.code, answer.header("content-type")), (400, "application/problem+json"), "{path}");
    }
    for what in ["pause", "resume", "run"] {
        let answer = intake.steer(&id, what, &json!({ "reason": "x", "raeson": "y" }));
        assert_eq!((answer.code, &answer.json()["errors"][0]["pointer"]), (422, &json!("/raeson")), "{what}");
        assert_eq!(intake.steer(&id, what, &json!([])).code, 422, "{what}");
    }
    assert_eq!(intake.steer(&id, "run", &json!({ "reason": "month end" })).code, 202);
    until("it has run", || intake.history(&id).iter().any(|one| one["endedAt"].is_string()).then_some(()));
    assert_eq!(intake.delete(&id, Some("\"1\"")).code, 204);
    until("its schedule is gone", || (intake.api.get(&format!("{SCHEDULES}/{id}")).code == 404).then_some(()));
    assert_eq!(intake.history(&id).len(), 1, "its history is kept");
    assert_eq!(intake.api.get(&format!("{SCHEDULES}/nobody/history")).code, 404);
    stop([intake.daemon]);
}
