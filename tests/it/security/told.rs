//! A password in a worker file, and every command that speaks of its server: none tells it.

use crate::support::daemon::Daemon;
use crate::support::filegen::{Done, Filegen};
use crate::support::postgres::Database;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// No three characters in a row are letters and digits alone: a folder with a name by chance may have any of those.
const PASSWORDS: [&str; 3] = ["Zq\"Wv Kx;Jy", "Zq'Wv}Kx=Jy", "Zq%Wv&Kx#Jy"];

/// Three characters in a row of a password are too many.
#[track_caller]
fn holds_none(place: &str, password: &str, text: &str) {
    let characters: Vec<char> = password.chars().collect();
    for piece in characters.windows(3).map(|piece| piece.iter().collect::<String>()) {
        assert!(!text.contains(&piece), "{place} tells {piece:?}:\n{text}");
    }
}

#[track_caller]
fn both(place: &str, password: &str, done: &Done) {
    holds_none(place, password, &done.stdout);
    holds_none(place, password, &done.stderr);
}

/// Addresses of servers that are not there.
fn addresses(password: &str) -> [String; 3] {
    let percent = utf8_percent_encode(password, NON_ALPHANUMERIC);
    [
        format!("postgres://ann:{percent}@localhost:1/loans"),
        format!(
            "Server=localhost,1;User Id=ann;Password=\"{}\";Encrypt=off;Connect Timeout=2",
            password.replace('"', "\"\"")
        ),
        format!("host=localhost port=1 user=ann password={password}"),
    ]
}

fn with(url: &str) -> Filegen {
    let filegen = Filegen::with_loans(3);
    let url = serde_json::to_string(url).unwrap();
    filegen.edit("sqlite:loans.db", &url);
    let topic = "completion: { kafka: { brokers: 'localhost:1', topic: t, properties: { sasl.password: PW, sasl.username: u } } }\n";
    filegen.write("worker.yaml", &(filegen.read("worker.yaml") + topic));
    let quick = "policies: { max_retries: 0, lease_ttl: 12s, lease_heartbeat_interval: 3s }\n";
    filegen.write("worker.yaml", &(filegen.read("worker.yaml") + quick));
    filegen
}

#[test]
fn no_command_tells_a_password() {
    for password in PASSWORDS {
        for url in addresses(password) {
            let filegen = with(&url);
            filegen.edit("PW", &serde_json::to_string(password).unwrap());
            for command in [
                "config show -c worker.yaml",
                "config check -c worker.yaml",
                "run -c worker.yaml --date 2026-11-21 --dry-run",
                "-vv run -c worker.yaml --date 2026-11-21",
                "status -c worker.yaml",
            ] {
                both(command, password, &filegen.run(command));
                both(command, password, &filegen.run(&format!("{command} --output json")));
            }
            filegen.edit("page_size: 10", "page_size: lots");
            both("check of a mistake", password, &filegen.run("config check -c worker.yaml").exits(3));
        }
    }
}

#[test]
fn no_page_and_no_log_line_of_a_daemon_tells_a_password() {
    let password = PASSWORDS[0];
    let [postgres, ..] = addresses(password);
    let filegen = with(&postgres);
    filegen.edit("PW", "nothing");
    let mut daemon = Daemon::start(&filegen);
    daemon.running.wait_for("dependency=source");
    for path in ["/", "/status", "/metrics", "/health/ready", "/health/live"] {
        holds_none(path, password, &daemon.get(path).1);
    }
    let metrics = daemon.get("/metrics").1;
    assert!(metrics.contains("filegen_insecure_connections{worker=\"LoanWorker\",peer=\"kafka\"} 0"), "{metrics}");
    daemon.running.signal(rustix::process::Signal::TERM);
    both("log", password, &daemon.running.finish());
}

#[test]
fn what_is_weak_is_told_with_its_host_and_without_its_login() {
    for (from, to, told) in [
        ("url: sqlite:loans.db", "url: \"sqlserver://ann:s3cret@db.bank/loans?encrypt=off\"", "db.bank:1433"),
        ("url: sqlite:loans.db", "url: \"postgres://ann:s3cret@db.bank/loans?sslmode=disable\"", "db.bank"),
        ("output:", "state: { url: \"mongodb://ann:s3cret@mongo.bank/filegen\" }\noutput:", "mongo.bank"),
    ] {
        let filegen = Filegen::with_loans(3);
        filegen.edit(from, to);
        let checked = filegen.run("config check -c worker.yaml --output json").exits(0).json();
        let warning = checked["warnings"][0]["message"].as_str().unwrap();
        assert!(warning.contains(told) && warning.contains("is not encrypted"), "{checked}");
        assert!(!checked.to_string().contains("s3cret"), "{checked}");
    }
}

#[test]
fn what_is_weak_is_told_by_check_doctor_and_metric() {
    let filegen = Filegen::with_loans(3);
    let kafka = "completion: { kafka: { brokers: 'kafka.invalid:1', topic: t } }\n";
    filegen.write("worker.yaml", &(filegen.read("worker.yaml") + kafka));
    let done = filegen.run("config check -c worker.yaml").exits(0);
    assert!(done.stderr.contains("kafka.invalid:1 is not encrypted"), "{}", done.stderr);
    let json = filegen.run("config check -c worker.yaml --output json").exits(0).json();
    assert_eq!(json["warnings"][0]["code"], "insecure-connection", "{json}");
    assert_eq!(json["warnings"][0]["field"], "completion.kafka", "{json}");
    let doctor = filegen.run("doctor -c worker.yaml");
    assert!(
        doctor.stdout.contains("`completion.kafka`: the connection to kafka.invalid:1 is not encrypted"),
        "{}",
        doctor.stdout
    );
    let daemon = Daemon::start(&filegen);
    let metrics = daemon.get("/metrics").1;
    assert!(metrics.contains("filegen_insecure_connections{worker=\"LoanWorker\",peer=\"kafka\"} 1"), "{metrics}");
}

#[test]
fn a_server_of_tokens_without_encryption_is_told_by_check_and_doctor() {
    let filegen = Filegen::with_loans(3);
    let kafka = "completion: { kafka: { brokers: 'localhost:1', topic: t, properties: {
        sasl.oauthbearer.token.endpoint.url: 'http://ann:s3cret@idp.invalid/token' } } }\n";
    filegen.write("worker.yaml", &(filegen.read("worker.yaml") + kafka));
    let told = "the connection to idp.invalid, which `sasl.oauthbearer.token.endpoint.url` names, is not encrypted";
    let checked = filegen.run("config check -c worker.yaml --output json").exits(0).json();
    assert_eq!(checked["warnings"][0]["message"], told, "{checked}");
    let doctor = filegen.run("doctor -c worker.yaml").stdout;
    assert!(doctor.contains(&format!("`completion.kafka`: {told}")), "{doctor}");
    assert!(!doctor.contains("cret") && !checked.to_string().contains("cret"), "{doctor}{checked}");
}

#[test]
fn a_secret_of_the_environment_stands_in_no_record() {
    let filegen = Filegen::with_loans(3);
    filegen.edit("first_record: \"HEAD", "first_record: \"${SQL_CONNECTION_STRING} HEAD");
    let mut command = filegen.command("config check -c worker.yaml");
    let done = Filegen::finish(command.env("SQL_CONNECTION_STRING", "Server=h;Password=Zq7Wv9Kx4")).exits(3);
    assert!(done.stderr.contains("SQL_CONNECTION_STRING") && done.stderr.contains("secret"), "{}", done.stderr);
    both("check", "Zq7Wv9Kx4", &done);
    filegen.edit("${SQL_CONNECTION_STRING} ", "${OTHER} ");
    let mut command = filegen.command("config check -c worker.yaml");
    let done = Filegen::finish(command.env("OTHER", "postgres://u:Zq7Wv9Kx4@h/db")).exits(3);
    both("check", "Zq7Wv9Kx4", &done);
}

#[tokio::test]
async fn no_log_line_holds_the_keys_of_rows_whatever_its_level() {
    let database = Database::create().await;
    let keys = "CREATE TABLE k (id text PRIMARY KEY); INSERT INTO k SELECT 'Zq7Wv' || i FROM generate_series(1, 50) i";
    database.run(keys).await;
    for form in ["text", "kv", "json"] {
        let filegen = Filegen::empty();
        let file = format!(
            "worker: K
source: {{ url: '{}', view: k, key: [id], page_size: 10, fetch: paged }}
output: {{ root: out }}
files: [ {{ id: A, name: 'a_{{date}}.txt', translator: {{ delimited: {{ delimiter: '|', columns: [id] }} }} }} ]
",
            database.url()
        );
        filegen.write("worker.yaml", &file);
        let done = filegen.run(&format!("-vvv run -c worker.yaml --date 2026-11-21 --log-format {form}")).exits(0);
        assert!(done.stderr.contains("progress updated") && !done.stderr.contains("Zq7Wv"), "{}", done.stderr);
    }
}
